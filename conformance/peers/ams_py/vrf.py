"""ECVRF-P256-SHA256-TAI (RFC 9381; spec ALG-7, ALG-8) in whole numbers, from the RFC alone.

Not constant-time: for vectors and comparison, with keys of nobody. A point is (x, y), the point at
infinity None.
"""
import functools
import hashlib
import hmac

from .errors import fail, require

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = P - 3
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
Q = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)
SUITE = b"\x01"
POINT, CHALLENGE, SCALAR = 33, 16, 32
PROOF = POINT + CHALLENGE + SCALAR


# --- the curve y^2 = x^3 + Ax + B ---

def _sum(one, two):
    if one is None or two is None:
        return two if one is None else one
    if one[0] == two[0]:
        if (one[1] + two[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P) % P
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def _doubled(x, y, z):
    """In Jacobian coordinates, as `times` walks in: (x/z^2, y/z^3), infinity where z is 0."""
    square = y * y % P
    s, m = 4 * x * square % P, (3 * x * x + A * pow(z, 4, P)) % P
    out = (m * m - 2 * s) % P
    return out, (m * (s - out) - 8 * square * square) % P, 2 * y * z % P


def _added(x, y, z, point):
    """To it a point that is not infinity."""
    if z == 0:
        return (*point, 1)
    h, r = (point[0] * z * z - x) % P, (point[1] * z * z * z - y) % P
    if h == 0:
        return _doubled(x, y, z) if r == 0 else (1, 1, 0)
    square = h * h % P
    cube, s = square * h % P, x * square % P
    out = (r * r - cube - 2 * s) % P
    return out, (r * (s - out) - y * cube) % P, z * h % P


@functools.lru_cache(maxsize=65536)  # many vectors differ in one of their proofs only
def times(number: int, point):
    if point is None:
        return None
    walk = (1, 1, 0)
    for bit in f"{number:b}":
        walk = _doubled(*walk)
        if bit == "1":
            walk = _added(*walk, point)
    if walk[2] == 0:
        return None
    inverse = pow(walk[2], -1, P)
    return walk[0] * inverse * inverse % P, walk[1] * inverse**3 % P


def _minus(point):
    return None if point is None else (point[0], -point[1] % P)


def encode(point) -> bytes:
    """SEC 1 section 2.3.3, compressed."""
    if point is None:
        return b"\0"
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def decode(raw: bytes):
    """The point of a compressed form, or None; infinity has no compressed form."""
    if len(raw) != POINT or raw[0] not in (2, 3):
        return None
    x = int.from_bytes(raw[1:], "big")
    square = (x * x * x + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)  # P = 3 mod 4
    if x >= P or y * y % P != square:
        return None
    return x, (y if y % 2 == raw[0] % 2 else P - y)


# --- RFC 9381 section 5 ---

def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


@functools.lru_cache(maxsize=65536)
def encode_to_curve(public: bytes, alpha: bytes):
    for counter in range(256):
        point = decode(b"\x02" + _hash(SUITE, b"\x01", public, alpha, bytes([counter]), b"\0"))
        if point:
            return point
    raise AssertionError("one of 2^256 inputs")


def _nonce(private: int, text: bytes) -> int:
    """RFC 6979 section 3.2."""
    def mac(data):
        return hmac.new(key, data, hashlib.sha256).digest()
    reduced = int.from_bytes(_hash(text), "big") % Q
    seed = private.to_bytes(32, "big") + reduced.to_bytes(32, "big")
    key, value = bytes(32), b"\x01" * 32
    for octet in (b"\0", b"\x01"):
        key = mac(value + octet + seed)
        value = mac(value)
    while True:
        value = mac(value)
        if 0 < int.from_bytes(value, "big") < Q:
            return int.from_bytes(value, "big")
        key = mac(value + b"\0")
        value = mac(value)


def challenge(*points: bytes) -> bytes:
    return _hash(SUITE, b"\x02", *points, b"\0")[:CHALLENGE]


def public_key(private: int) -> bytes:
    return encode(times(private, G))


def prove(private: int, alpha: bytes) -> bytes:
    public = public_key(private)
    point = encode_to_curve(public, alpha)
    gamma, k = encode(times(private, point)), _nonce(private, encode(point))
    c = challenge(public, encode(point), gamma, encode(times(k, G)), encode(times(k, point)))
    s = (k + int.from_bytes(c, "big") * private) % Q
    return gamma + c + s.to_bytes(SCALAR, "big")


def proof_to_hash(proof: bytes) -> bytes:
    """beta of a well-formed proof."""
    return _hash(SUITE, b"\x03", proof[:POINT], b"\0")


def verify(public: bytes, alpha: bytes, proof: bytes) -> bytes:
    """beta. The order of the checks is that of ALG-8."""
    key = decode(public)
    require(key is not None, "key_material", "vrf.key")
    require(len(proof) == PROOF, "vrf_proof", "vrf.length")
    gamma = decode(proof[:POINT])
    require(gamma is not None, "vrf_proof", "vrf.gamma")
    c, s = proof[POINT:POINT + CHALLENGE], int.from_bytes(proof[POINT + CHALLENGE:PROOF], "big")
    require(s < Q, "vrf_proof", "vrf.scalar")
    number, point = int.from_bytes(c, "big"), encode_to_curve(public, alpha)
    u = _sum(times(s, G), _minus(times(number, key)))
    v = _sum(times(s, point), _minus(times(number, gamma)))
    if challenge(public, encode(point), proof[:POINT], encode(u), encode(v)) != c:
        fail("vrf_proof", "vrf.challenge")
    return proof_to_hash(proof)
