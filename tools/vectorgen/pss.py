"""RSASSA-PSS (RFC 8017 section 9.1.1) with every choice open, for signatures that are not ours."""
import hashlib

from ams_py import crypto


def mgf1(seed: bytes, length: int, name: str) -> bytes:
    size = hashlib.new(name).digest_size
    blocks = (hashlib.new(name, seed + i.to_bytes(4, "big")).digest()
              for i in range(-(-length // size)))
    return b"".join(blocks)[:length]


def size_of(der: bytes) -> int:
    return (crypto.rsa_private(der).public_numbers.n.bit_length() + 7) // 8


def raise_to_d(der: bytes, block: bytes) -> bytes:
    return crypto.rsa_power(der, int.from_bytes(block, "big")).to_bytes(len(block), "big")


def encode(der: bytes, text: bytes, salt: bytes, name="sha256", mgf="sha256", trailer=0xBC,
           mark=1, fill=0, top=0) -> bytes:
    """The encoded message. mark: the byte before the salt; fill: of the padding's first byte;
    top: the bits that must be zero."""
    digest = hashlib.new(name, bytes(8) + hashlib.new(name, text).digest() + salt).digest()
    size = size_of(der)
    room = size - len(salt) - len(digest) - 2
    block = bytes(room) + bytes([mark]) + salt
    block = bytes([block[0], fill]) + block[2:] if fill else block
    masked = bytearray(a ^ b for a, b in zip(block, mgf1(digest, len(block), mgf)))
    masked[0] = masked[0] & 0x7F | top
    return bytes(masked) + digest + bytes([trailer])


def sign(der: bytes, text: bytes, salt: bytes, **choices) -> bytes:
    return raise_to_d(der, encode(der, text, salt, **choices))


def pkcs1_v15(der: bytes, text: bytes, prefix: bytes, name: str) -> bytes:
    """RSASSA-PKCS1-v1_5; prefix: the DER of DigestInfo before the hash."""
    ending = b"\0" + prefix + hashlib.new(name, text).digest()
    block = b"\0\1" + b"\xff" * (size_of(der) - len(ending) - 2) + ending
    return raise_to_d(der, block)
