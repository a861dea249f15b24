"""The people and domains of the vectors. All keys come from labels or from the stored TEST KEYS."""
import functools
import hashlib
import json
import pathlib

from ams_py import crypto, keys
from ams_py.encoding import b64, encode, unb64
from ams_py.seal import Draws

from .book import NOW_MS

ROOT = pathlib.Path(__file__).resolve().parents[2]
_RSA = json.loads((ROOT / "vectors/keys/rsa_test_keys.json").read_text("utf-8"))["keys"]
DAY = keys.DAY
NBF, EXP = NOW_MS - 30 * DAY, NOW_MS + 300 * DAY


def rsa_der(name: str) -> bytes:
    return unb64(_RSA[name]["pkcs8_der_b64"])


def modulus(der: bytes) -> bytes:
    n = crypto.rsa_private(der).public_numbers.n
    return n.to_bytes(n.bit_length() // 8, "big")


class Person:
    """A key pair of each kind and the record over them."""

    def __init__(self, name: str, domain: str, rsa_sign: str = None, rsa_encrypt: str = None,
                 life: int = 1, **changed):
        """life: which of the keys that the address has had."""
        self.name, self.domain, self.addr = name, domain, f"{name}@{domain}"
        draws = Draws(f"person {self.addr} {rsa_sign} {rsa_encrypt}" + f" {life}" * (life > 1))
        self.seed, self.private = draws.take(32), draws.take(32)
        self.nonce = draws.take(16)
        self.sig_alg, self.sk = "ed25519", crypto.ed25519_public(self.seed)
        self.kem, self.ek = "x25519", crypto.x25519_public(self.private)
        self.der = None
        if rsa_sign:
            self.der = rsa_der(rsa_sign)
            self.sk = modulus(self.der)
            self.sig_alg = f"rsa{8 * len(self.sk)}pss"
        if rsa_encrypt:
            self.private = rsa_der(rsa_encrypt)
            self.ek = modulus(self.private)
            self.kem = f"rsa{8 * len(self.ek)}kem"
        self.record = self.make(**changed)

    def sign(self, text: bytes) -> bytes:
        if self.der is None:
            return crypto.sign_ed25519(self.seed, text)
        return crypto.sign_pss(self.der, text, hashlib.shake_256(b"salt" + text).digest(32))

    def make(self, **changed) -> dict:
        """Its record, with members changed (or, None, left out) before it is signed."""
        value = {"ams": "key/1", "sig_alg": self.sig_alg, "kem": self.kem,
                 "aeads": ["a256gcm", "c20p1305"], "sk": b64(self.sk), "ek": b64(self.ek),
                 "nonce": b64(self.nonce), "nbf": NBF, "exp": EXP, "custody": "client"}
        return keys.sign_object(self.sign, value, **changed)

    @functools.cached_property
    def fp(self) -> bytes:
        return keys.fingerprint(self.record)

    @functools.cached_property
    def kid(self) -> str:
        return keys.kid_of(self.fp)


def policy_of(mode: str, *keys, published: int = NBF, effective: int = NBF, **more) -> dict:
    """A policy; keys: persons whose encryption key is shared, or (group, person)."""
    listed = [{"kid": key.kid, "fp": b64(key.fp)} if isinstance(key, Person)
              else {"group": key[0], "kid": key[1].kid, "fp": b64(key[1].fp)} for key in keys]
    return {"mode": mode, "published": published, "effective": effective, "keys": listed, **more}


def prior_of(mode: str, *keys, effective: int = NBF - 9 * DAY) -> dict:
    value = policy_of(mode, *keys, effective=effective)
    del value["published"]
    return value


def shift(to: dict, prior: dict, published: int = NOW_MS, notice: int = DAY) -> dict:
    """The policy that `to` becomes when it follows `prior`."""
    return {**to, "published": published, "effective": published + notice, "prior": prior}


class Domain:
    def __init__(self, name: str):
        self.name = name
        self.root, self.op = Person("root", name), Person("op", name)
        self.chain = self.make_chain()

    def make_chain(self, root=None, op=None, signer=None, **changed) -> dict:
        root, op = root or self.root, op or self.op
        record = {"ams": "domain/1", "domain": self.name, "root_kid": root.kid,
                  "root_fp": b64(root.fp),
                  "op_kid": op.kid, "op_fp": b64(op.fp), "policy": policy_of("isp"), "seq": 1}
        return {"record": keys.sign_object((signer or root).sign, record, **changed),
                "root": root.record, "op": op.record}

    def args(self, chain: dict = None) -> dict:
        return {"chain_b64": b64(encode(chain or self.chain)), "root_kid": self.root.kid,
                "root_fp": b64(self.root.fp)}

    def bind(self, person: Person, signer: Person = None, **changed) -> dict:
        value = {"ams": "bind/1", "addr": person.addr, "kid": person.kid, "fp": b64(person.fp),
                 "custody": person.record["custody"],
                 "version": 1, "dkid": (signer or self.op).kid}
        return keys.sign_object((signer or self.op).sign, value, **changed)


HOME, AWAY, EVIL = Domain("home.example"), Domain("away.example"), Domain("evil.example")
ALICE = Person("alice", HOME.name)
BOB = Person("bob", AWAY.name)
MALLORY = Person("mallory", EVIL.name)
EVE = Person("eve", HOME.name)
# Keys of the address book of a company: one that signs for oscar alone, and shared ones.
OSCAR = Person("oscar", HOME.name, custody="corporate")
SHARED = Person("shared", HOME.name, custody="corporate")
SALES, STAFF = (Person(name, HOME.name, custody="corporate") for name in ("sales", "staff"))
CAROL = Person("carol", AWAY.name, rsa_encrypt="carol_encrypt")
ALICE_RSA = Person("alice", HOME.name, rsa_sign="alice_sign")
BOB_RSA = Person("bob", AWAY.name, rsa_sign="bob_sign", rsa_encrypt="bob_encrypt")

# One person for each algorithm; the others' key for the same one.
SIGNERS = {"ed25519": ALICE, "rsa2048pss": ALICE_RSA,
           "rsa3072pss": Person("alice", HOME.name, rsa_sign="rsa3072_sign"),
           "rsa4096pss": Person("alice", HOME.name, rsa_sign="rsa4096_sign")}
READERS = {"x25519": BOB, "rsa2048kem": Person("bob", AWAY.name, rsa_encrypt="bob_encrypt"),
           "rsa3072kem": Person("bob", AWAY.name, rsa_encrypt="rsa3072_encrypt"),
           "rsa4096kem": Person("bob", AWAY.name, rsa_encrypt="rsa4096_encrypt")}
OTHER_SIGN = {"rsa2048pss": "bob_sign", "rsa3072pss": "rsa3072_encrypt",
              "rsa4096pss": "rsa4096_encrypt"}  # stored TEST KEYS
OTHER_ENCRYPT = {"rsa2048kem": "carol_encrypt", "rsa3072kem": "rsa3072_sign",
                 "rsa4096kem": "rsa4096_sign"}
