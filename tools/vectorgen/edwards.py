"""edwards25519 (RFC 8032 section 5.1), for signatures that no honest signer makes."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def recover(encoded: bytes):
    """The affine point of an encoding."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y % 2**255 % P
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - x2) % P == 0, "not on the curve"
    return (P - x if x % 2 != sign else x), y


def add(a: tuple, b: tuple) -> tuple:
    k = D * a[0] * b[0] * a[1] * b[1] % P
    inverse = pow(1 - k * k, -1, P)  # of 1 + k and of 1 - k at once
    x = (a[0] * b[1] + a[1] * b[0]) * (1 - k) * inverse % P
    return x, (a[1] * b[1] + a[0] * b[0]) * (1 + k) * inverse % P


def times(number: int, point: tuple) -> tuple:
    out = (0, 1)
    for bit in bin(number)[2:]:
        out = add(out, out)
        out = add(out, point) if bit == "1" else out
    return out


def encode(point: tuple) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


BASE = recover((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
ORDER_8 = recover(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))


def hashed(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def secret(seed: bytes) -> tuple:
    """(scalar, prefix) of a private key."""
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
    return scalar, digest[32:]


def sign(seed: bytes, text: bytes, domain: bytes = b"", torsion: tuple = (0, 1)) -> bytes:
    """A signature with R = [r]B + torsion, under RFC 8032's dom2 prefix where one is given."""
    scalar, prefix = secret(seed)
    public = encode(times(scalar, BASE))
    r = hashed(domain, prefix, text) % L
    point = encode(add(times(r, BASE), torsion))
    s = (r + hashed(domain, point, public, text) * scalar) % L
    return point + s.to_bytes(32, "little")
