"""Key files (spec KFL) and fingerprints for people (KEY-12, KEY-13)."""
import hashlib

from . import crypto, encoding, keys, lineage, message, schema
from .errors import AmsError, fail, require

SIZE_MAX, HALF_MAX = 1 << 20, 4096  # bytes, KFL-1, KFL-3
N_MIN, N_MAX = 1 << 14, 1 << 18  # KFL-1
ALPHABETS = (("bdfghjklmnprstvz", 4), ("aiou", 2), ("bdfghjklmnprstvz", 4), ("aiou", 2),
             ("bdfghjklmnprstvz", 4))
COVERED, WORDS = 22, 12

KDF = schema.members(None, [("name", schema.text()), ("n", schema.integer()),
                            ("r", schema.integer(0, 1 << 20)), ("p", schema.integer(0, 1 << 20)),
                            ("salt", schema.binary(16))])
KEYFILE = schema.members("keyfile/1", [("kdf", KDF), ("aead", message.aead_name),
                                       ("box", schema.binary(1, SIZE_MAX))])
PAIR = schema.members(None, [("record", schema.any_object), ("sk", schema.integer(1, HALF_MAX)),
                             ("ek", schema.integer(1, HALF_MAX)),
                             ("revocation?", schema.any_object)])


def _address_or_none(value, where):
    return value if value == "" else schema.address(value, where)


KEYS = schema.members("keys/1", [("addr", _address_or_none),
                                 ("pairs", schema.array(schema.any_object, 1, 64))])


def check_cost(kdf: dict) -> None:
    """KFL-1."""
    n = kdf["n"]
    require(N_MIN <= n <= N_MAX and n & (n - 1) == 0, "schema", "keyfile.kdf.n")
    require(kdf["r"] == 8, "schema", "keyfile.kdf.r")
    require(1 <= kdf["p"] <= 4, "schema", "keyfile.kdf.p")


def stretch(passphrase: bytes, kdf: dict, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase, salt=salt, n=kdf["n"], r=kdf["r"], p=kdf["p"], dklen=32,
                          maxmem=1 << 30)


def context(outside: dict) -> bytes:
    """KFL-2; outside: the file without its box."""
    return b"AMS1-KEYFILE" + crypto.sha256(encoding.encode(outside))


def open_file(raw: bytes, passphrase: bytes) -> dict:
    raw = raw[:-1] if raw.endswith(b"\n") else raw
    require(len(raw) <= SIZE_MAX, "object_too_large", "keyfile")
    value = encoding.decode(raw)
    fields = KEYFILE(value, "keyfile")
    require(fields["kdf"]["name"] == "scrypt", "unknown_algorithm", "keyfile.kdf.name")
    check_cost(fields["kdf"])
    key = stretch(passphrase, fields["kdf"], fields["kdf"]["salt"])
    outside = {name: part for name, part in value.items() if name != "box"}
    try:
        plain = crypto.stream_open(fields["aead"], key, context(outside), fields["box"], "keyfile")
    except AmsError as error:
        if error.code == "key_commitment":
            fail("passphrase", "keyfile")
        raise
    return contents(plain)


class _Layout:
    def __init__(self, plain: bytes):
        self.plain, self.at = plain, 0

    def take(self, size: int) -> bytes:
        require(self.at + size <= len(self.plain), "body_layout", "keys.length")
        self.at += size
        return self.plain[self.at - size:self.at]

    def finish(self) -> None:
        rest = self.plain[self.at:]
        require(not any(rest) and crypto.padme(self.at) == len(self.plain), "body_layout",
                "keys.padding")


def _half(algorithm: str, private: bytes) -> bytes:
    """The public half; None: no key of this algorithm."""
    if algorithm in ("ed25519", "x25519"):
        make = crypto.ed25519_public if algorithm == "ed25519" else crypto.x25519_public
        return make(private) if len(private) == 32 else None
    try:
        numbers = crypto.rsa_private(private).public_numbers
    except (ValueError, AttributeError):
        return None
    return numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")


def contents(plain: bytes) -> dict:
    """KFL-3 to KFL-5 on what a box holds."""
    layout = _Layout(plain)
    size = int.from_bytes(layout.take(4), "big")
    value = encoding.decode(layout.take(size))
    fields = KEYS(value, "keys")
    shown, seen = [], set()
    for one in fields["pairs"]:
        pair = PAIR(one, "keys.pair")
        key = keys.verify_key(pair["record"])
        if "revocation" in pair:
            lineage.verify_revocation(pair["revocation"], key)
        require(key.fp not in seen, "schema", "keys.twice")
        seen.add(key.fp)
        sk, ek = layout.take(pair["sk"]), layout.take(pair["ek"])
        require(_half(key.sig_alg, sk) == key.sk, "key_material", "keys.sk")
        require(_half(key.kem, ek) == key.ek, "key_material", "keys.ek")
        shown.append({"kid": key.kid, "revocation": "revocation" in pair})
    layout.finish()
    return {"addr": fields["addr"], "keys": shown}


# --- fingerprints for people ---

def _word(number: int) -> str:
    out, left = "", 16
    for alphabet, bits in ALPHABETS:
        left -= bits
        out += alphabet[number >> left & (1 << bits) - 1]
    return out


def _number(word: str) -> int:
    out = 0
    for letter, (alphabet, bits) in zip(word, ALPHABETS):
        require(letter in alphabet, "schema", "fingerprint")
        out = out << bits | max(alphabet.find(letter), 0)
    return out


def _check_word(covered: bytes) -> bytes:
    return crypto.sha256(b"AMS-WORDS/1\0" + covered)[:2]


def words_of(fp: bytes) -> str:
    covered = fp[:COVERED]
    raw = covered + _check_word(covered)
    return "-".join(_word(int.from_bytes(raw[at:at + 2], "big")) for at in range(0, len(raw), 2))


def code_of(fp: bytes) -> str:
    return "AMS1-FP:" + fp.hex().upper()


def read_words(text: str) -> bytes:
    words = text.lower().replace("-", " ").split()
    require(len(words) == WORDS and all(len(word) == 5 for word in words), "schema", "fingerprint")
    raw = b"".join(_number(word).to_bytes(2, "big") for word in words)
    require(_check_word(raw[:COVERED]) == raw[COVERED:], "fp_words", "fingerprint")
    return raw[:COVERED]
