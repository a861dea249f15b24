"""Key files and fingerprints for people (spec KFL, KEY-12, KEY-13)."""
from ams_py import crypto, keyfile
from ams_py.encoding import b64, encode
from ams_py.seal import Draws

from .book import File
from .letters import flip
from .lineage import revocation
from .world import ALICE, ALICE_RSA, BOB, Person

PASSPHRASE = "vier Wörter sind genug".encode()
SALT = Draws("key file salt").take(16)


def _sk(person: Person) -> bytes:
    return person.der or person.seed


def _listed(person: Person, **changed) -> dict:
    value = {"record": person.record, "sk": len(_sk(person)), "ek": len(person.private),
             "revocation": revocation(person), **changed}
    return {name: part for name, part in value.items() if part is not None}


def _plain(*people, pairs=None, halves=None, **changed) -> bytes:
    value = {"ams": "keys/1", "addr": ALICE.addr,
             "pairs": [_listed(one) for one in people] if pairs is None else pairs, **changed}
    text = encode({name: part for name, part in value.items() if part is not None})
    if halves is None:
        halves = b"".join(_sk(one) + one.private for one in people)
    used = len(text).to_bytes(4, "big") + text + halves
    return used + bytes(crypto.padme(len(used)) - len(used))


def _broken(der: bytes, name: str) -> bytes:
    """With one number of the private key changed in its last byte."""
    number = getattr(crypto.rsa_private(der), name)
    shown = number.to_bytes((number.bit_length() + 7) // 8, "big")
    assert der.count(shown) == 1
    return der.replace(shown, shown[:-1] + bytes([shown[-1] ^ 2]))


def _contents_file() -> File:
    file = File("keyfile/contents.json", "keyfile.contents", "kfc")
    good = file.group("valid")

    def args(plain: bytes) -> dict:
        return {"plain_b64": b64(plain)}

    def valid(what: str, plain: bytes) -> str:
        return good.valid(what, args(plain), clauses=["KFL-3", "KFL-4"])
    twin = valid("one pair", _plain(ALICE))
    valid("two pairs", _plain(ALICE, BOB))
    rsa = valid("RSA keys", _plain(ALICE_RSA))
    valid("RSA keys before others", _plain(ALICE_RSA, ALICE, BOB))
    valid("nobody's keys", _plain(ALICE, addr=""))
    valid("no revocation", _plain(ALICE, pairs=[_listed(ALICE, revocation=None)]))
    bad = file.group("faults")

    def refuse(what: str, plain: bytes, code: str, flag: str) -> None:
        bad.invalid(what, args(plain), code, twin, [flag], importance="critical")
    alice = _sk(ALICE) + ALICE.private
    for what, halves in (("the signing half of another", _sk(BOB) + ALICE.private),
                         ("the encryption half of another", _sk(ALICE) + BOB.private),
                         ("the halves exchanged", ALICE.private + _sk(ALICE)),
                         ("a bit of the signing half", flip(alice, 0)),
                         ("a bit of the encryption half", flip(alice, 40))):
        refuse(what, _plain(ALICE, halves=halves), "key_material", "keyfile_half")
    for name in ("d", "p", "q", "dmp1", "dmq1", "iqmp"):
        broken = _broken(ALICE_RSA.der, name) + ALICE_RSA.private
        bad.invalid(f"an RSA half whose {name} is another", args(_plain(ALICE_RSA, halves=broken)),
                    "key_material", rsa, ["keyfile_rsa"], importance="critical")
    for name in ("sk", "ek"):
        refuse(f"{name} one byte short", _plain(ALICE, pairs=[_listed(ALICE, **{name: 31})]),
               "key_material", "keyfile_half")
        for size in (0, 4097):
            refuse(f"{name} of {size} bytes", _plain(ALICE, pairs=[_listed(ALICE, **{name: size})]),
                   "schema", "keyfile_form")
    refuse("another record over these halves",
           _plain(ALICE, pairs=[_listed(ALICE, record=BOB.record, revocation=None)]),
           "key_material", "keyfile_half")
    refuse("the revocation of another key",
           _plain(ALICE, pairs=[_listed(ALICE, revocation=revocation(BOB))]), "kid_mismatch",
           "keyfile_revocation")
    refuse("a revocation that another signed",
           _plain(ALICE, pairs=[_listed(ALICE, revocation=revocation(ALICE, BOB))]), "signature",
           "keyfile_revocation")
    refuse("a key twice", _plain(ALICE, ALICE), "schema", "keyfile_twice")
    refuse("no pair", _plain(pairs=[], halves=b""), "schema", "keyfile_form")
    refuse("another tag", _plain(ALICE, ams="keys/2"), "unknown_ams_tag", "keyfile_form")
    refuse("a member more", _plain(ALICE, x=1), "unknown_member", "keyfile_form")
    refuse("a member more in a pair", _plain(ALICE, pairs=[_listed(ALICE, seed="AAAA")]),
           "unknown_member", "keyfile_form")
    refuse("no address", _plain(ALICE, addr="Alice"), "address_syntax", "keyfile_form")
    whole = _plain(ALICE)
    for what, plain in (("a zero more", whole + b"\0"),
                        ("twice the size", whole + bytes(len(whole))),
                        ("the last byte is not zero", whole[:-1] + b"\1")):
        if plain[-1] == 0 or whole[-1] == 0:
            refuse(f"padding: {what}", plain, "body_layout", "keyfile_layout")
    for length in (0, 3, len(whole) // 2):
        refuse(f"cut to {length} bytes", whole[:length], "body_layout", "keyfile_layout")
    refuse("the halves are not all there", _plain(ALICE, pairs=[_listed(ALICE, ek=4000)]),
           "body_layout", "keyfile_layout")
    return file


def _file(plain: bytes, aead: str = "c20p1305", box=None, passphrase=PASSPHRASE, named=None,
          **kdf) -> dict:
    """The op's args for a file that was made so; `named`: what it says of its making instead."""
    cost = {"name": "scrypt", "n": keyfile.N_MIN, "r": 8, "p": 1, "salt": b64(SALT), **kdf}
    outside = {"ams": "keyfile/1", "kdf": {**cost, **(named or {})}, "aead": aead}
    if box is None:
        key = keyfile.stretch(PASSPHRASE, cost, SALT)
        box = crypto.stream_seal(aead, key, keyfile.context(outside), plain,
                                 Draws("key file box").take(24))
    content = encode({**outside, "box": b64(box)}) + b"\n"
    return {"file_b64": b64(content), "passphrase_b64": b64(passphrase)}


def _files_file() -> File:
    file = File("keyfile/files.json", "keyfile.open", "kfl")
    good, bad = file.group("valid"), file.group("faults")
    plain = _plain(ALICE)
    twin = good.valid("one pair", _file(plain), clauses=["KFL-1", "KFL-2"])
    good.valid("p is 4, AES", _file(plain, "a256gcm", p=4), clauses=["KFL-1"])

    def refuse(what: str, args: dict, code: str, flag: str) -> None:
        bad.invalid(what, args, code, twin, [flag], importance="critical")
    for what, cost in (("n is 8,192", {"n": 8192}), ("r is 4", {"r": 4}), ("p is 5", {"p": 5})):
        refuse(what, _file(plain, **cost), "schema", "keyfile_cost")
    for what, cost in (("n is 2^40", {"n": 1 << 40}), ("n is 0", {"n": 0}),
                       ("n is no power of two", {"n": 16385}), ("p is 0", {"p": 0}),
                       ("r is 2^20", {"r": 1 << 20})):
        refuse(what, _file(plain, named=cost), "schema", "keyfile_cost")
    refuse("another derivation", _file(plain, named={"name": "argon2id"}), "unknown_algorithm",
           "keyfile_cost")
    refuse("another passphrase", _file(plain, passphrase=PASSPHRASE + b" "), "passphrase",
           "keyfile_passphrase")
    key = keyfile.stretch(PASSPHRASE, {"n": keyfile.N_MIN, "r": 8, "p": 1}, SALT)
    sealed = crypto.stream_seal("c20p1305", key, b"AMS1-KEYFILE", plain, bytes(24))
    refuse("a box bound to nothing outside it", _file(plain, box=sealed), "passphrase",
           "keyfile_passphrase")
    return file


def _fingerprint_files() -> list:
    words = File("keyfile/words.json", "fingerprint.words", "fpw")
    group = words.group("valid")
    read = File("keyfile/read_words.json", "fingerprint.read", "fpr")
    good, bad = read.group("valid"), read.group("faults")
    fps = [bytes(32), b"\xff" * 32, bytes.fromhex("7f000001") + bytes(28), ALICE.fp, BOB.fp]
    fps += [Draws(f"fingerprint {number}").take(32) for number in range(20)]
    for fp in fps:
        group.valid(f"of {fp.hex()[:8]}", {"fp_b64": b64(fp)}, clauses=["KEY-12", "KEY-13"])
        said = keyfile.words_of(fp)
        twin = good.valid(f"of {fp.hex()[:8]}", {"text": said}, clauses=["KEY-12"])
        good.valid(f"of {fp.hex()[:8]}, typed", {"text": said.upper().replace("-", "  ") + "\n"},
                   clauses=["KEY-12"])
        for at in (0, 1, 30, 70):
            alphabet = keyfile.ALPHABETS[at % 6][0]
            wrong = alphabet[(alphabet.index(said[at]) + 1) % len(alphabet)]
            bad.invalid(f"of {fp.hex()[:8]}, letter {at}",
                        {"text": said[:at] + wrong + said[at + 1:]}, "fp_words", twin,
                        ["fingerprint_word"])
    for what, text in (("nothing", ""), ("eleven words", said[:-6]),
                       ("a word more", said + "-babab"), ("another letter", "c" + said[1:]),
                       ("a vowel for a consonant", "a" + said[1:])):
        bad.invalid(what, {"text": text}, "schema", twin, ["fingerprint_form"])
    return [words, read]


def files() -> list:
    return [_contents_file(), _files_file(), *_fingerprint_files()]
