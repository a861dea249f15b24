"""Signatures by themselves (spec ALG-1, ALG-4, ALG-9, SIG-3): sig.verify and sig.sign."""
import hashlib

from ams_py import crypto
from ams_py.encoding import b64
from ams_py.seal import Draws
from cryptography.hazmat.primitives.asymmetric import ed25519

from . import edwards, pss
from .book import File
from .letters import flip
from .world import OTHER_SIGN, SIGNERS, modulus, rsa_der

TEXT = Draws("signed text").take(100)
# Around the blocks of SHA-256 (64 bytes) and SHA-512 (128), where padding needs another block.
LENGTHS = (0, 1, 2, 31, 32, 33, 54, 55, 56, 57, 63, 64, 65, 79, 80, 81, 110, 111, 112, 113, 119,
           120, 127, 128, 129, 255, 256, 1000, 4096)
DIGEST_INFO = {"sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
               "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
               "sha512": bytes.fromhex("3051300d060960864801650304020305000440")}


class Signer:
    """A key pair of one algorithm; signs with a salt that follows from the text."""

    def __init__(self, alg: str):
        self.alg, self.person = alg, SIGNERS[alg]
        self.size = crypto.SIG_ALGS[alg]

    def sign(self, text: bytes) -> bytes:
        return self.person.sign(text)

    def args(self, text: bytes, signature: bytes, **changed) -> dict:
        return {"alg": self.alg, "public_b64": b64(self.person.sk), "text_b64": b64(text),
                "sig_b64": b64(signature), **changed}

    def other(self) -> tuple:
        """(public key, signature over TEXT) of another key."""
        if self.alg == "ed25519":
            seed = Draws("another signer").take(32)
            return crypto.ed25519_public(seed), crypto.sign_ed25519(seed, TEXT)
        der = rsa_der(OTHER_SIGN[self.alg])
        return modulus(der), crypto.sign_pss(der, TEXT, bytes(32))


def _valid(group, signer) -> str:
    for length in LENGTHS:
        text = Draws("text").take(length)
        group.valid(f"{signer.alg}, a text of {length} bytes",
                    signer.args(text, signer.sign(text)), clauses=["ALG-1", "SIG-3"])
    for byte in (b"\0", b"\xff"):
        group.valid(f"{signer.alg}, 64 bytes {byte.hex()}",
                    signer.args(byte * 64, signer.sign(byte * 64)), clauses=["ALG-1"])
    return group.valid(f"{signer.alg}, the text of the others",
                       signer.args(TEXT, signer.sign(TEXT)), clauses=["ALG-1", "ALG-4", "SIG-3"])


def _changed(group, signer, twin: str):
    good = signer.sign(TEXT)

    def refuse(comment, flag, args, code="signature"):
        group.invalid(f"{signer.alg}, {comment}", args, code, twin, [flag], importance="critical")
    for at in sorted({*range(0, signer.size, signer.size // 16), 1, signer.size - 2,
                      signer.size - 1}):
        refuse(f"a bit of byte {at} changed", "signature_flip", signer.args(TEXT, flip(good, at)))
    for what, sig in (("zeros", bytes(signer.size)), ("ones", b"\xff" * signer.size),
                      ("the signature reversed", good[::-1]),
                      ("its halves exchanged",
                       good[signer.size // 2:] + good[:signer.size // 2])):
        refuse(what, "signature_flip", signer.args(TEXT, sig))
    for at in (0, 1, 31, 32, 55, 63, 64, 99):
        refuse(f"a bit of the text's byte {at} changed", "changed_after_signing",
               signer.args(flip(TEXT, at), good))
    for what, text in (("no text", b""), ("the text without its last byte", TEXT[:-1]),
                       ("the text and a zero", TEXT + b"\0"),
                       ("a zero before the text", b"\0" + TEXT),
                       ("the text twice", TEXT + TEXT), ("the text's hash", crypto.sha256(TEXT)),
                       ("its SHA-512", hashlib.sha512(TEXT).digest())):
        refuse(what, "changed_after_signing", signer.args(text, good))
    for length in (0, 1, 32, signer.size // 2, signer.size - 1):
        refuse(f"cut to {length} bytes", "signature_length", signer.args(TEXT, good[:length]))
    for what, sig in (("a zero more", good + b"\0"), ("a zero before it", b"\0" + good),
                      ("twice in a row", good + good)):
        refuse(what, "signature_length", signer.args(TEXT, sig))
    public, sig = signer.other()
    refuse("another key's signature", "signature_other_key", signer.args(TEXT, sig))
    refuse("under another key", "signature_other_key",
           signer.args(TEXT, good, public_b64=b64(public)))
    for alg, person in SIGNERS.items():
        if alg != signer.alg:
            refuse(f"a signature by {alg}", "signature_length",
                   signer.args(TEXT, person.sign(TEXT)))
            refuse(f"a key of {alg}", "key_length",
                   signer.args(TEXT, good, public_b64=b64(person.sk)), "key_material")
            refuse(f"said to be {alg}", "key_length", {**signer.args(TEXT, good), "alg": alg},
                   "key_material")


def _rsa(group, signer, twin: str):
    der, n = signer.person.der, int.from_bytes(signer.person.sk, "big")
    salt, size = Draws("pss salt").take(64), signer.size

    def refuse(comment, sig, flag="pss_encoding"):
        group.invalid(f"{signer.alg}, {comment}", signer.args(TEXT, sig), "signature", twin,
                      [flag], importance="critical")
    for length in (0, 1, 16, 20, 31, 33, 48, 64):
        refuse(f"a salt of {length} bytes", pss.sign(der, TEXT, salt[:length]), "pss_salt")
    refuse("the longest salt", pss.sign(der, TEXT, Draws("long").take(size - 34)), "pss_salt")
    for name in ("sha1", "sha224", "sha384", "sha512", "sha3_256"):
        refuse(f"{name} throughout", pss.sign(der, TEXT, salt[:32], name=name, mgf=name),
               "pss_salt")
        refuse(f"MGF1 with {name}", pss.sign(der, TEXT, salt[:32], mgf=name), "pss_salt")
        refuse(f"{name} with MGF1 of SHA-256", pss.sign(der, TEXT, salt[:32], name=name),
               "pss_salt")
    for trailer in (0x00, 0xBB, 0xBD, 0xCC, 0xFF):
        refuse(f"the last byte of the encoding is {trailer:#04x}",
               pss.sign(der, TEXT, salt[:32], trailer=trailer))
    for mark in (0, 2, 0x81, 0xFF):
        refuse(f"the byte before the salt is {mark:#04x}",
               pss.sign(der, TEXT, salt[:32], mark=mark))
    refuse("the padding is not zero", pss.sign(der, TEXT, salt[:32], fill=1))
    refuse("the encoding's hash is the text's",
           pss.raise_to_d(der, pss.encode(der, TEXT, salt[:32])[:-33] + crypto.sha256(TEXT) +
                          b"\xbc"))
    raised = int.from_bytes(crypto.sign_pss(der, TEXT, salt[:32]), "big")
    for what, number in (("0", 0), ("1", 1), ("the modulus less 1", n - 1), ("the modulus", n),
                         ("its negative", n - raised), ("the encoding itself",
                          int.from_bytes(pss.encode(der, TEXT, salt[:32]), "big"))):
        refuse(f"the number is {what}", number.to_bytes(size, "big"))
    small = next(raised for i in range(200) if (raised := int.from_bytes(
        crypto.sign_pss(der, TEXT, bytes([i]) * 32), "big")) + n < 1 << 8 * size)
    refuse("the modulus added to it", (small + n).to_bytes(size, "big"), "signature_range")
    for name, prefix in DIGEST_INFO.items():
        refuse(f"PKCS #1 v1.5 with {name}", pss.pkcs1_v15(der, TEXT, prefix, name), "pkcs1_v15")
    modulus_bytes = signer.person.sk
    for what, key, flag in (
            ("an even modulus", modulus_bytes[:-1] + bytes([modulus_bytes[-1] ^ 1]), "rsa_modulus"),
            ("a modulus with its top bit clear", b"\x7f" + modulus_bytes[1:], "rsa_modulus"),
            ("a modulus of zeros", bytes(size), "rsa_modulus"),
            ("a modulus with a sign byte", b"\0" + modulus_bytes, "key_length"),
            ("a modulus without its last byte", modulus_bytes[:-1], "key_length"),
            ("no modulus", b"", "key_length")):
        group.invalid(f"{signer.alg}, {what}",
                      signer.args(TEXT, signer.sign(TEXT), public_b64=b64(key)), "key_material",
                      twin, [flag], importance="critical")


def _ed25519(group, signer, twin: str):
    seed, good = signer.person.seed, signer.sign(TEXT)
    s, order = int.from_bytes(good[32:], "little"), edwards.L

    def refuse(comment, sig, flag="signature_range", code="signature", **changed):
        group.invalid(f"ed25519, {comment}", signer.args(TEXT, sig, **changed), code, twin,
                      [flag], importance="critical")
    for count in range(1, 16):
        if s + count * order < 1 << 256:
            refuse(f"S and {count} times the order",
                   good[:32] + (s + count * order).to_bytes(32, "little"))
    for what, number in (("0", 0), ("the order", order), ("the order less 1", order - 1),
                         ("2^256 - 1", 2**256 - 1), ("its negative", order - s)):
        refuse(f"S is {what}", good[:32] + number.to_bytes(32, "little"))
    for y in sorted(crypto.SMALL_ORDER_Y):
        refuse(f"R is of small order: {y:#x}", y.to_bytes(32, "little") + good[32:])
        refuse(f"R is of small order and S is 0: {y:#x}", y.to_bytes(32, "little") + bytes(32))
    torsion = edwards.ORDER_8
    for count in (1, 2, 4, 7):
        refuse(f"R with {count} times a point of order 8: right only times the cofactor",
               edwards.sign(seed, TEXT, torsion=edwards.times(count, torsion)), "cofactor")
    dom2 = b"SigEd25519 no Ed25519 collisions"
    for what, text, domain in (
            ("Ed25519ph", hashlib.sha512(TEXT).digest(), dom2 + b"\1\0"),
            ("Ed25519ctx without a context", TEXT, dom2 + b"\0\0"),
            ("Ed25519ctx with the context AMS", TEXT, dom2 + b"\0\3AMS")):
        refuse(what, edwards.sign(seed, text, domain), "signature_context")
    flat = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    refuse("over the text's hash", flat.sign(crypto.sha256(TEXT)), "signature_context")
    refuse("over the text in hexadecimal", flat.sign(TEXT.hex().encode()), "signature_context")
    for y in sorted(crypto.SMALL_ORDER_Y):
        for sign_bit in (0, 1):
            key = (y | sign_bit << 255).to_bytes(32, "little")
            refuse(f"a key of small order: y {y:#x}, sign {sign_bit}", good, "small_order_signer",
                   "key_material", public_b64=b64(key))
    for y in (edwards.P, edwards.P + 1, edwards.P + 2, 2**255 - 1):
        refuse(f"a key whose y is {y:#x}, not reduced", good, "small_order_signer", "key_material",
               public_b64=b64(y.to_bytes(32, "little")))
    for length in (0, 1, 31, 33, 64):
        key = (signer.person.sk * 2)[:length]
        refuse(f"a key of {length} bytes", good, "key_length", "key_material", public_b64=b64(key))
    refuse("a key that is not on the curve", good, "off_curve",
           public_b64=b64((2).to_bytes(32, "little")))
    refuse("the key's negative", good, "signature_other_key",
           public_b64=b64(signer.person.sk[:31] + bytes([signer.person.sk[31] ^ 0x80])))


def _verify_file() -> File:
    file = File("crypto/signatures.json", "sig.verify", "sig")
    for alg in SIGNERS:
        signer, name = Signer(alg), alg.removesuffix("pss")
        twin = _valid(file.group(f"valid-{name}"), signer)
        _changed(file.group(f"changed-{name}"), signer, twin)
        special = _ed25519 if alg == "ed25519" else _rsa
        special(file.group(f"forged-{name}"), signer, twin)
        if alg == "ed25519":
            bad = file.group("names")
            for other in ("", "none", "ED25519", "Ed25519", "ed25519 ", "ed448", "x25519", "rsa",
                          "rsa1024pss", "rsa2048", "rsa2048kem", "rsa2048pss256", "ecdsa",
                          "a256gcm", "mldsa65"):
                bad.invalid(f"the algorithm {other!r}",
                            {**signer.args(TEXT, signer.sign(TEXT)), "alg": other},
                            "unknown_algorithm", twin, ["unknown_algorithm"])
    return file


def _sign_file() -> File:
    file = File("crypto/signing.json", "sig.sign", "sgn")
    good = file.group("valid")
    for length in LENGTHS:
        good.valid(f"a text of {length} bytes",
                   {"private_b64": b64(Draws("signing seed").take(32)),
                    "text_b64": b64(Draws("text").take(length))}, clauses=["ALG-1", "ALG-4"])
    for number in range(10):
        good.valid(f"seed {number}", {"private_b64": b64(Draws(f"seed {number}").take(32)),
                                      "text_b64": b64(TEXT)}, clauses=["ALG-1", "ALG-4"])
    for byte in (0, 255):
        good.valid(f"a seed of bytes {byte}", {"private_b64": b64(bytes([byte]) * 32),
                                               "text_b64": b64(TEXT)}, clauses=["ALG-4"])
    return file


def files() -> list:
    return [_verify_file(), _sign_file()]
