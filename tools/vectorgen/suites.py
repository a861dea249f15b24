"""Every algorithm where it is used: key records and messages of each suite, each with the attacks
that a suite of its own code could let pass (spec ALG-1 to ALG-6, KEY-5, MSG-29)."""
from ams_py import crypto, keys, message
from ams_py.encoding import b64, decode, encode, unb64
from ams_py.seal import Hooks

from .book import File
from .faults import raw
from .letters import DAVE, add, args_of, drop, flip, letter, sealed
from .world import ALICE, BOB, EVE, HOME, READERS, SIGNERS, Person, rsa_der

SIGN_KEYS = {"ed25519": None, "rsa2048pss": "alice_sign", "rsa3072pss": "rsa3072_sign",
             "rsa4096pss": "rsa4096_sign"}
ENCRYPT_KEYS = {"x25519": None, "rsa2048kem": "bob_encrypt", "rsa3072kem": "rsa3072_encrypt",
                "rsa4096kem": "rsa4096_encrypt"}


def _key_file() -> File:
    file = File("keys/key_suites.json", "key.verify", "ksu")
    good = file.group("valid")
    for alg, sign in SIGN_KEYS.items():
        for kem, encrypt in ENCRYPT_KEYS.items():
            person = Person("suite", HOME.name, rsa_sign=sign, rsa_encrypt=encrypt)
            twin = good.valid(f"{alg} and {kem}", raw(person.record), clauses=["ALG-1", "ALG-4"])
            for aeads in (["a256gcm"], ["c20p1305"]):
                good.valid(f"{alg} and {kem} with {aeads[0]} alone", raw(person.make(aeads=aeads)),
                           clauses=["KEY-1"])
            _key_faults(file.group(f"{alg}-{kem}"), person, twin)
    return file


def _key_faults(bad, person, twin: str) -> None:
    record, make = person.record, person.make
    sig = unb64(record["sig"])

    def refuse(comment, value, code, flag, importance="critical"):
        bad.invalid(comment, raw(value), code, twin, [flag], importance=importance)
    for at in (0, len(sig) // 2, len(sig) - 1):
        refuse(f"a bit of sig's byte {at}", {**record, "sig": b64(flip(sig, at))}, "signature",
               "signature_flip")
    for length in sorted(set(crypto.SIG_ALGS.values()) - {len(sig)}):
        refuse(f"sig of {length} bytes, another algorithm's", {**record, "sig": b64(
            bytes(length))}, "algorithm_mix", "signature_length")
    for alg in crypto.SIG_ALGS:
        if alg != person.sig_alg:
            refuse(f"said to sign with {alg}", make(sig_alg=alg), "key_material", "key_length")
    for kem in crypto.KEMS:
        if kem != person.kem:
            refuse(f"said to encrypt with {kem}", make(kem=kem), "key_material", "key_length")
    if len(person.sk) != len(person.ek):
        refuse("the two keys exchanged", make(sk=b64(person.ek), ek=b64(person.sk)),
               "key_material", "key_length")
    for name, key, rsa in (("sk", person.sk, person.sig_alg != "ed25519"),
                           ("ek", person.ek, person.kem != "x25519")):
        for what, changed in (("cut by a byte", key[:-1]), ("a zero more", key + b"\0"),
                              ("a zero before it", b"\0" + key)):
            refuse(f"{name}: {what}", make(**{name: b64(changed)}), "key_material", "key_length")
        refuse(f"{name} of zeros", make(**{name: b64(bytes(len(key)))}), "key_material",
               "rsa_modulus" if rsa else "low_order_point")
        if rsa:
            refuse(f"{name} is even", make(**{name: b64(key[:-1] + bytes([key[-1] ^ 1]))}),
                   "key_material", "rsa_modulus")
            refuse(f"{name} with its top bit clear", make(**{name: b64(b"\x7f" + key[1:])}),
                   "key_material", "rsa_modulus")
    refuse("exp changed after signing", {**record, "exp": record["exp"] - 1}, "signature",
           "changed_after_signing")
    refuse("ek changed after signing", {**record, "ek": b64(_other_ek(person))}, "signature",
           "changed_after_signing")
    refuse("signed for another tag", {**record, "sig": b64(person.sign(crypto.signed_text(
        "bind/1", crypto.sha256(keys.unsigned(record)))))}, "signature", "signature_context")


def _other_ek(person) -> bytes:
    if person.kem == "x25519":
        return EVE.ek
    der = rsa_der({"rsa2048kem": "carol_encrypt", "rsa3072kem": "rsa3072_sign",
                   "rsa4096kem": "rsa4096_sign"}[person.kem])
    return crypto.rsa_private(der).public_numbers.n.to_bytes(len(person.ek), "big")


# --- messages ---

def _suites() -> list:
    """(name, sender, reader, aead): each algorithm in each place, and the mixtures in use."""
    out = [(alg, "x25519", "a256gcm") for alg in SIGNERS]
    out += [("ed25519", kem, "a256gcm") for kem in READERS if kem != "x25519"]
    out += [("ed25519", "x25519", "c20p1305"), ("rsa2048pss", "rsa2048kem", "a256gcm"),
            ("rsa2048pss", "rsa2048kem", "c20p1305"), ("rsa4096pss", "rsa3072kem", "c20p1305")]
    return [(f"{alg}-{kem}-{aead}", SIGNERS[alg], READERS[kem], aead) for alg, kem, aead in out]


class _Attacks:
    def __init__(self, file: File, name: str, sender, reader, aead: str):
        self.sender, self.reader, self.aead, self.name = sender, reader, aead, name
        self.good = self.make()
        self.twin = file.group(f"valid-{name}").valid(
            name, self.args(self.good), clauses=["MSG-29", "ALG-1", "ALG-5"])
        self.bad = file.group(name)

    def make(self, people=None, text=None, **hooks) -> dict:
        return sealed(Hooks(**hooks), text or letter(self.sender, (BOB.addr,)), self.sender,
                      people or [self.reader], self.aead)

    def args(self, parts: dict, **changed) -> dict:
        return {**args_of(parts, person=self.reader, reader=BOB.addr, sender=self.sender),
                **changed}

    def refuse(self, comment, code, flag, args):
        self.bad.invalid(comment, args, code, self.twin, [flag], ["MSG-29"], "critical")

    def hook(self, comment, code, flag, **hooks):
        self.refuse(comment, code, flag, self.args(self.make(**hooks)))

    def signatures(self) -> None:
        asig = self.good["asig"]
        for at in (0, len(asig) - 1):
            self.refuse(f"a bit of asig's byte {at}", "signature", "signature_flip", self.args(
                self.good, asig_b64=b64(flip(asig, at))))
        self.refuse("asig of zeros", "signature", "signature_flip", self.args(
            self.good, asig_b64=b64(bytes(len(asig)))))
        for length in sorted(set(crypto.SIG_ALGS.values()) - {len(asig)}):
            self.refuse(f"asig of {length} bytes", "algorithm_mix", "signature_length", self.args(
                self.good, asig_b64=b64(bytes(length))))
        digest = message.ehash(decode(self.good["header"]))
        self.refuse("asig under another tag", "signature", "signature_context", self.args(
            self.good, asig_b64=b64(self.sender.sign(crypto.signed_text("letter/1", digest)))))
        other = next(aead for aead in crypto.AEADS if aead != self.aead)
        self.refuse("the header says the other AEAD", "signature", "changed_after_signing",
                    self.args({**self.good, "header": encode(
                        {**decode(self.good["header"]), "aead": other})}))
        self.refuse("the sender's record is another's", "kid_mismatch", "kid_mismatch", self.args(
            self.good, sender_record_b64=b64(encode(EVE.record))))

    def stanzas(self) -> None:
        for at in (0, 47):
            self.hook(f"a bit of wk's byte {at}", "unwrap", "stanza_tampered",
                      stanza=lambda one, at=at: add(wk=b64(flip(unb64(one["wk"]), at)))(one))
        self.hook("info without h0", "unwrap", "stanza_swapped",
                  info=lambda info: info[:4] + info[36:])
        mixed = self.make([self.reader, DAVE])
        both = decode(mixed["stanzas"])
        self.refuse("another recipient's wk", "unwrap", "stanza_swapped", self.args(
            {**mixed, "stanzas": encode([{**both[0], "wk": both[1]["wk"]}, both[1]])}))
        self.refuse("relabelled as another's", "no_stanza", "stanza_relabelled", self.args(
            {**self.good, "stanzas": encode([add(kid=DAVE.kid, fp=b64(DAVE.fp))(
                decode(self.good["stanzas"])[0])])}))
        self.hook("another content key", "key_commitment", "content_key",
                  content_key=lambda key: flip(key, 0))
        if self.reader.kem == "x25519":
            self.hook("enc for an X25519 key", "algorithm_mix", "algorithm_mix",
                      stanza=add(enc=b64(bytes(256))))
            self.hook("no epk", "algorithm_mix", "algorithm_mix", header=drop("epk"))
        else:
            self.hook("no enc", "algorithm_mix", "algorithm_mix", stanza=drop("enc"))
            self.hook("enc cut by a byte", "unwrap", "enc_form",
                      stanza=lambda one: add(enc=b64(unb64(one["enc"])[:-1]))(one))
            self.hook("enc is the modulus", "unwrap", "enc_form",
                      stanza=add(enc=b64(self.reader.ek)))

    def content(self) -> None:
        self.hook("a chunk's bit, under a good hash", "chunk", "chunk_tampered",
                  body=lambda body: flip(body, 60))
        self.hook("the last byte, under a good hash", "chunk", "chunk_tampered",
                  body=lambda body: flip(body, len(body) - 1))
        self.hook("the commitment, under a good hash", "key_commitment", "commitment",
                  body=lambda body: flip(body, 40))
        self.hook("cut to its header, under a good hash", "stream_truncated", "truncation",
                  body=lambda body: body[:56])
        self.refuse("the body of another message", "blob_hash", "blob_hash", self.args(
            {**self.good, "body": self.make(text=letter(self.sender, (BOB.addr,),
                                                        subject="Other"))["body"]}))
        self.refuse("someone else's address over one's own key", "from_binding", "from_binding",
                    self.args(self.make(text={**letter(self.sender, (BOB.addr,)), "from": {
                        **letter(self.sender)["from"], "addr": EVE.addr}})))
        self.refuse("handed on to another", "deliver_to", "deliver_to", self.args(
            self.make(text=letter(self.sender, (DAVE.addr,)))))
        self.hook("another letter's commitment", "franking", "franking",
                  fc=lambda fc: flip(fc, 31))


def _message_file() -> File:
    file = File("message/suites.json", "message.open", "mss")
    for name, sender, reader, aead in _suites():
        attacks = _Attacks(file, name, sender, reader, aead)
        attacks.signatures()
        attacks.stanzas()
        attacks.content()
    return file


def _binding_file() -> File:
    """Bindings by op keys of each algorithm, of domains with root keys of each."""
    file = File("keys/binding_suites.json", "binding.verify", "bsu")
    good = file.group("valid")
    for alg, sign in SIGN_KEYS.items():
        op = Person("op", HOME.name, rsa_sign=sign)
        chain = HOME.make_chain(op=op)
        args = {**HOME.args(chain), "domain": HOME.name}
        twin = good.valid(f"the op key signs with {alg}", {**raw(HOME.bind(ALICE, op)), **args},
                          clauses=["BND-6", "DOM-3", "ALG-1"])
        bad, bound = file.group(alg), HOME.bind(ALICE, op)
        sig = unb64(bound["sig"])
        for at in (0, len(sig) - 1):
            bad.invalid(f"a bit of sig's byte {at}", {**raw({**bound, "sig": b64(flip(sig, at))}),
                                                      **args}, "signature", twin,
                        ["signature_flip"], importance="critical")
        for length in sorted(set(crypto.SIG_ALGS.values()) - {len(sig)}):
            bad.invalid(f"sig of {length} bytes", {**raw({**bound, "sig": b64(bytes(length))}),
                                                   **args}, "algorithm_mix", twin,
                        ["signature_length"], importance="critical")
        bad.invalid("signed by the root key", {**raw(HOME.bind(ALICE, HOME.root,
                                                               dkid=op.kid)), **args},
                    "signature" if alg == "ed25519" else "algorithm_mix", twin,
                    ["signature_other_key"], importance="critical")
        bad.invalid("the version changed after signing", {**raw({**bound, "version": 2}), **args},
                    "signature", twin, ["changed_after_signing"], importance="critical")
    return file


def files() -> list:
    return [_key_file(), _binding_file(), _message_file()]
