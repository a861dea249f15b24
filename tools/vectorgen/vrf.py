"""Verifiable random function (spec ALG-7, ALG-8)."""
import hashlib

from ams_py import vrf
from ams_py.encoding import b64
from ams_py.seal import Draws

from .book import File
from .letters import flip

RFC9381_B1 = (
    (0xc9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721, b"sample"),
    (0xc9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721, b"test"),
    (0x2ca1411a41b17b24cc8c3b089cfd033f1920202a6c0de8abb97df1498d50d2c8,
     b"Example using ECDSA key from Appendix L.4.2 of ANSI.X9-62-2005"))
ALPHA = b"bob@beta.example"


def private(label: str) -> int:
    return int.from_bytes(Draws(f"vrf {label}").take(40), "big") % (vrf.Q - 1) + 1


X = private("key")
PUBLIC = vrf.public_key(X)
H = vrf.encode_to_curve(PUBLIC, ALPHA)
K = private("nonce of the forger")


def args(public=PUBLIC, alpha=ALPHA, proof=b"") -> dict:
    return {"public_b64": b64(public), "alpha_b64": b64(alpha), "proof_b64": b64(proof)}


def proven(x: int, alpha: bytes) -> dict:
    return args(vrf.public_key(x), alpha, vrf.prove(x, alpha))


def forged(gamma: bytes, point, challenge) -> bytes:
    """A proof by the key's own holder, with the nonce K, who deviates as the arguments say."""
    u, v = vrf.encode(vrf.times(K, vrf.G)), vrf.encode(vrf.times(K, point))
    c = challenge(vrf.encode(point), gamma, u, v)
    s = (K + int.from_bytes(c, "big") * X) % vrf.Q
    return gamma + c + s.to_bytes(32, "big")


def right(*points: bytes) -> bytes:
    return vrf.challenge(PUBLIC, *points)


def digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def point_of(hashed) -> tuple:
    """Try and increment over hashed(counter)."""
    found = (vrf.decode(b"\x02" + hashed(bytes([counter]))) for counter in range(256))
    return next(point for point in found if point)


def _valid(group) -> str:
    for number, (x, alpha) in enumerate(RFC9381_B1, 10):
        group.valid(f"RFC 9381 appendix B.1, example {number}", proven(x, alpha),
                    clauses=["ALG-7"])
    for x, what in ((1, "1"), (2, "2"), (vrf.Q - 1, "order - 1"), (vrf.Q // 2, "order / 2")):
        group.valid(f"the private key is {what}", proven(x, ALPHA), clauses=["ALG-7"])
    for length in (0, 1, 31, 32, 33, 55, 64, 254, 1000):
        group.valid(f"alpha of {length} bytes", proven(X, Draws("alpha").take(length)),
                    clauses=["ALG-7"])
    for number in range(20):
        label = f"key {number}"
        group.valid(f"{label}, {number} bytes", proven(private(label), Draws(label).take(number)),
                    clauses=["ALG-7"])
    # RFC 6979's nonce is the prover's duty, which no verifier can see.
    group.valid("another nonce than RFC 6979's",
                args(proof=forged(vrf.encode(vrf.times(X, H)), H, right)), clauses=["ALG-8"])
    return group.valid("a proof over an address", proven(X, ALPHA), clauses=["ALG-7", "ALG-8"])


def _inputs(group, twin: str, proof: bytes):
    def refuse(comment, flag, **changed):
        group.invalid(comment, args(**{"proof": proof, **changed}), "vrf_proof", twin, [flag],
                      importance="critical")
    for alpha, what in ((b"", "no alpha"), (ALPHA[:-1], "alpha without its last byte"),
                        (ALPHA + b"\0", "alpha and a zero"), (ALPHA.upper(), "in upper case"),
                        (flip(ALPHA, 0), "alpha's first bit"), (flip(ALPHA, 9), "a bit in it")):
        refuse(f"another input: {what}", "vrf_input", alpha=alpha)
    other = vrf.public_key(private("another key"))
    for public, what in ((other, "another key"), (vrf.encode(vrf.G), "the generator as key"),
                         (bytes([PUBLIC[0] ^ 1]) + PUBLIC[1:], "the key's negative")):
        refuse(what, "vrf_input", public=public)
    refuse("another key's proof", "vrf_input", proof=vrf.prove(private("another key"), ALPHA))
    refuse("the proof of another input", "vrf_input", proof=vrf.prove(X, ALPHA + b"2"))


def _proofs(group, twin: str, proof: bytes):
    gamma, c, s = proof[:33], proof[33:49], proof[49:]

    def refuse(comment, changed, flag="vrf_tampered"):
        group.invalid(comment, args(proof=changed), "vrf_proof", twin, [flag],
                      importance="critical")
    for at in (1, 2, 16, 32, 33, 40, 48, 49, 64, 80):
        refuse(f"a bit of byte {at} changed", flip(proof, at))
    refuse("gamma's negative", bytes([gamma[0] ^ 1]) + proof[1:])
    refuse("gamma is the generator", vrf.encode(vrf.G) + c + s)
    refuse("c is zero", gamma + bytes(16) + s)
    refuse("s is zero", gamma + c + bytes(32))
    refuse("c and s are zero", gamma + bytes(48))
    number = int.from_bytes(s, "big")
    refuse("s is its negative", gamma + c + (vrf.Q - number).to_bytes(32, "big"))
    refuse("s is two more", gamma + c + ((number + 2) % vrf.Q).to_bytes(32, "big"))
    refuse("c and s exchanged", gamma + s + c)
    refuse("c and s little-endian", gamma + c[::-1] + s[::-1])
    for length in (0, 1, 33, 49, 80):
        refuse(f"cut to {length} bytes", proof[:length], "vrf_form")
    refuse("a zero more", proof + b"\0", "vrf_form")
    refuse("a zero before it", b"\0" + proof, "vrf_form")
    for value, what in ((vrf.Q, "the order"), (vrf.Q + 1, "the order and 1"),
                        (2**256 - 1, "2^256 - 1")):
        refuse(f"s is {what}", gamma + c + value.to_bytes(32, "big"), "vrf_form")
    for first in (0, 1, 4, 6, 0x82):
        refuse(f"gamma in the form {first}", bytes([first]) + proof[1:], "vrf_form")
    refuse("gamma is infinity, padded", bytes(33) + c + s, "vrf_form")
    refuse("gamma's x is the field's order", b"\x02" + vrf.P.to_bytes(32, "big") + c + s,
           "vrf_form")
    refuse("gamma's x is that of 5 and the field's order",
           b"\x02" + (vrf.P + 5).to_bytes(32, "big") + c + s, "vrf_form")


def _forged(group, twin: str):
    gamma = vrf.encode(vrf.times(X, H))

    def refuse(comment, proof):
        group.invalid(comment, args(proof=proof), "vrf_proof", twin, ["vrf_forged"],
                      importance="critical")
    refuse("gamma under another key", forged(vrf.encode(vrf.times(X + 1, H)), H, right))
    refuse("gamma is H", forged(vrf.encode(H), H, right))
    refuse("gamma is the public key", forged(PUBLIC, H, right))
    refuse("the challenge without the key", forged(gamma, H, vrf.challenge))
    refuse("the challenge without the closing zero", forged(
        gamma, H, lambda *points: digest(b"\x01\x02", PUBLIC, *points)[:16]))
    refuse("the challenge of suite 2", forged(
        gamma, H, lambda *points: digest(b"\x02\x02", PUBLIC, *points, b"\0")[:16]))
    refuse("the challenge's last 16 bytes", forged(
        gamma, H, lambda *points: digest(b"\x01\x02", PUBLIC, *points, b"\0")[16:]))
    refuse("the challenge without U", forged(
        gamma, H, lambda h, g, u, v: vrf.challenge(PUBLIC, h, g, v)))
    for what, hashed in (
            ("without the key", lambda count: digest(b"\x01\x01", ALPHA, count, b"\0")),
            ("without the closing zero", lambda count: digest(b"\x01\x01", PUBLIC, ALPHA, count)),
            ("of suite 2", lambda count: digest(b"\x02\x01", PUBLIC, ALPHA, count, b"\0"))):
        point = point_of(hashed)
        refuse(f"H {what}", forged(vrf.encode(vrf.times(X, point)), point, right))


def _keys(group, twin: str, proof: bytes):
    plain = vrf.decode(PUBLIC)
    x, y = (number.to_bytes(32, "big") for number in plain)
    off = next(bytes([2]) + number.to_bytes(32, "big") for number in range(plain[0], vrf.P)
               if vrf.decode(bytes([2]) + number.to_bytes(32, "big")) is None)
    for public, what in (
            (b"", "no key"), (b"\0", "infinity"), (bytes(33), "infinity, padded"), (x, "x alone"),
            (PUBLIC[:-1], "cut by a byte"), (PUBLIC + b"\0", "a zero more"),
            (b"\x04" + x + y, "uncompressed"), (bytes([6 + y[-1] % 2]) + x + y, "hybrid"),
            (b"\x04" + x, "form 4, compressed"), (b"\x00" + x, "form 0"), (b"\x05" + x, "form 5"),
            (off, "not on the curve"), (b"\x02" + vrf.P.to_bytes(32, "big"), "x is the field's"),
            (b"\x03" + b"\xff" * 32, "x is 2^256 - 1")):
        group.invalid(f"key: {what}", args(public, proof=proof), "key_material", twin, ["vrf_key"],
                      importance="critical")


def files() -> list:
    file = File("crypto/vrf.json", "vrf.verify", "vrf")
    twin = _valid(file.group("valid"))
    proof = vrf.prove(X, ALPHA)
    _inputs(file.group("inputs"), twin, proof)
    _proofs(file.group("proofs"), twin, proof)
    _forged(file.group("forged"), twin)
    _keys(file.group("keys"), twin, proof)
    return [file]
