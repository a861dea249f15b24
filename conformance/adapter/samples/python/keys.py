"""key.verify for adapter.py: KEY-1 to KEY-8, ENC-9 to ENC-17, SIG-1 to SIG-5."""
import hashlib
import uuid

from amscj import b64, canonical, decode, need, unb64
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

SIG = {"ed25519": 64, "rsa2048pss": 256, "rsa3072pss": 384, "rsa4096pss": 512}  # signature bytes
KEM = ("x25519", "rsa2048kem", "rsa3072kem", "rsa4096kem")
AEAD = ("a256gcm", "c20p1305")
P = 2**255 - 19
ED8 = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826  # y of order 8
LOW = {"ed25519": {0, 1, P - 1, ED8, P - ED8},
       "x25519": {0, 1, P - 1, 0xb8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0,
                  0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5f}}


def string(value, kind=str, size_max=1024):  # ENC-17, or an array
    need(isinstance(value, kind))
    need(len(value if kind is list else value.encode()) <= size_max, "limit/object_too_large")
    return value


def binary(value, low=1, high=1024):
    need(isinstance(value, str))
    raw = unb64(value)
    need(raw is not None and low <= len(raw) <= high, "schema/base64url")
    return raw


def is_key(name, raw):  # KEY-5
    if name.startswith("rsa"):
        return len(raw) == int(name[3:7]) // 8 and raw[0] >= 128 and raw[-1] % 2 == 1
    point = int.from_bytes(raw, "little") % 2**255
    return len(raw) == 32 and point % P not in LOW[name] and (name == "x25519" or point < P)


def check_signature(alg, key, sig, text):
    need(len(sig) == SIG[alg], "crypto/algorithm_mix")
    try:
        if alg == "ed25519":
            ed25519.Ed25519PublicKey.from_public_bytes(key).verify(sig, text)
        else:
            public = rsa.RSAPublicNumbers(65537, int.from_bytes(key, "big")).public_key()
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            public.verify(sig, text, pss, hashes.SHA256())
    except (InvalidSignature, ValueError):
        need(False, "crypto/signature")


def key_verify(raw_b64, kid=None, fp=None):  # KEY-8
    record = decode(raw_b64)
    need(isinstance(record, dict) and isinstance(record.get("ams"), str))
    need(record["ams"] == "key/1", "schema/unknown_ams_tag")
    rest = dict(record)
    alg, kem = string(rest.pop("sig_alg", None)), string(rest.pop("kem", None))
    aeads = string(rest.pop("aeads", None), list, 8)
    need(aeads and [string(name) for name in aeads] == sorted(set(aeads)))
    sk, ek = binary(rest.pop("sk", None)), binary(rest.pop("ek", None))
    binary(rest.pop("nonce", None), 16, 16)
    nbf, exp = rest.pop("nbf", None), rest.pop("exp", None)
    need(all(type(time) is int and time >= 0 for time in (nbf, exp)))
    need(string(rest.pop("custody", None)) in ("client", "corporate"))
    sig = binary(rest.pop("sig", None))
    need(list(rest) == ["ams"], "schema/unknown_member")
    need(alg in SIG and kem in KEM and set(aeads) <= set(AEAD), "crypto/unknown_algorithm")
    need(is_key(alg, sk) and is_key(kem, ek), "crypto/key_material")
    need(nbf < exp <= nbf + 398 * 86_400_000)
    unsigned = canonical({name: record[name] for name in record if name != "sig"})
    own = hashlib.sha256(b"AMS-KEY/1\0" + unsigned).digest()
    own_kid = str(uuid.UUID(bytes=bytes([*own[:6], own[6] & 15 | 128, own[7], own[8] & 63 | 128,
                                         *own[9:16]])))  # KEY-2
    need(kid in (None, own_kid), "crypto/kid_mismatch")
    need(fp in (None, b64(own)), "crypto/fp_mismatch")
    text = b"AMS-SIG/1\0key/1\0" + hashlib.sha256(unsigned).digest()  # SIG-1
    check_signature(alg, sk, sig, text)
    return {"kid": own_kid, "fp": b64(own)}
