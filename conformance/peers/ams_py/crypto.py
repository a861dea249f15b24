"""Algorithms (spec ALG, SIG, STR) on python3-cryptography; entropy is always an argument."""
import functools
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from .errors import fail, require

try:
    from gmpy2 import powmod  # ten times faster than pow
except ImportError:
    powmod = pow

SIG_ALGS = {"ed25519": 64, "rsa2048pss": 256, "rsa3072pss": 384, "rsa4096pss": 512}  # bytes of sig
KEMS = {"x25519": 0x0020, "rsa2048kem": 0xFF01, "rsa3072kem": 0xFF02, "rsa4096kem": 0xFF03}
AEADS = {"a256gcm": 0x0002, "c20p1305": 0x0003}  # RFC 9180's ids
RSA_BYTES = {"rsa2048pss": 256, "rsa3072pss": 384, "rsa4096pss": 512,
             "rsa2048kem": 256, "rsa3072kem": 384, "rsa4096kem": 512}
EXPONENT = 65537
FIELD = 2**255 - 19
# The y of edwards25519's points of order 1, 2, 4 and 8: the order-8 ones double to y = 0.
SMALL_ORDER_Y = {1, FIELD - 1, 0} | {
    int.from_bytes(bytes.fromhex(text), "little") % 2**255 for text in (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")}
CHUNK = 16_384
TAG = 16
STREAM_HEADER = 56  # salt 24, commitment 32


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf_extract(salt: bytes, material: bytes) -> bytes:
    return mac(salt or bytes(32), material)


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    out, block, count = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([count]))
        out, count = out + block, count + 1
    return out[:length]


def hkdf(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(hkdf_extract(salt, material), info, length)


# --- keys and signatures ---

def key_is_valid(algorithm: str, raw: bytes) -> bool:
    """KEY-5."""
    if algorithm in RSA_BYTES:
        return len(raw) == RSA_BYTES[algorithm] and raw[0] >= 0x80 and raw[-1] % 2 == 1
    if len(raw) != 32:
        return False
    if algorithm == "x25519":
        return not low_order(raw)
    y = int.from_bytes(raw, "little") % 2**255
    return y < FIELD and y not in SMALL_ORDER_Y


@functools.lru_cache(maxsize=4096)
def low_order(raw: bytes) -> bool:
    try:
        x25519.X25519PrivateKey.from_private_bytes(b"\x07" * 32).exchange(
            x25519.X25519PublicKey.from_public_bytes(raw))
    except ValueError:  # the shared secret is all zero
        return True
    return False


def signed_text(tag: str, text_hash: bytes) -> bytes:
    """SIG-1."""
    return b"AMS-SIG/1\0" + tag.encode() + b"\0" + text_hash


def signature_is_valid(algorithm: str, key: bytes, signature: bytes, text: bytes) -> bool:
    try:
        if algorithm == "ed25519":
            ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
        else:
            public = rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(key, "big")).public_key()
            public.verify(signature, text, padding.PSS(padding.MGF1(hashes.SHA256()), 32),
                          hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def check_signature(algorithm, key, signature, tag, text_hash, where) -> None:
    require(len(signature) == SIG_ALGS.get(algorithm, 0), "algorithm_mix", where)
    require(signature_is_valid(algorithm, key, signature, signed_text(tag, text_hash)),
            "signature", where)


@functools.lru_cache(maxsize=4096)
def _ed25519(seed: bytes):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def sign_ed25519(seed: bytes, text: bytes) -> bytes:
    return _ed25519(seed).sign(text)


@functools.lru_cache(maxsize=4096)
def ed25519_public(seed: bytes) -> bytes:
    return _raw(_ed25519(seed).public_key())


@functools.lru_cache(maxsize=4096)
def x25519_public(secret: bytes) -> bytes:
    return _raw(x25519.X25519PrivateKey.from_private_bytes(secret).public_key())


def _raw(public) -> bytes:
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


@functools.lru_cache(maxsize=64)
def rsa_private(der: bytes):
    """The numbers of a PKCS #8 DER key."""
    return serialization.load_der_private_key(der, None).private_numbers()


@functools.lru_cache(maxsize=4096)
def rsa_power(der: bytes, base: int) -> int:
    """base^d modulo n, by the Chinese remainder theorem (RFC 8017 section 5.1.2)."""
    numbers = rsa_private(der)
    m1 = int(powmod(base % numbers.p, numbers.dmp1, numbers.p))
    m2 = int(powmod(base % numbers.q, numbers.dmq1, numbers.q))
    return m2 + numbers.q * ((m1 - m2) * numbers.iqmp % numbers.p)


def _mgf1(seed: bytes, length: int) -> bytes:
    blocks = (sha256(seed + i.to_bytes(4, "big")) for i in range(-(-length // 32)))
    return b"".join(blocks)[:length]


def sign_pss(der: bytes, text: bytes, salt: bytes) -> bytes:
    """RSASSA-PSS with a given salt (RFC 8017 section 9.1.1): only test vectors need this."""
    n = rsa_private(der).public_numbers.n
    size = (n.bit_length() + 7) // 8  # a modulus of whole bytes: emBits = 8 size - 1
    digest = sha256(bytes(8) + sha256(text) + salt)
    block = bytes(size - len(salt) - 34) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, _mgf1(digest, len(block))))
    masked[0] &= 0x7F
    encoded = bytes(masked) + digest + b"\xbc"
    return rsa_power(der, int.from_bytes(encoded, "big")).to_bytes(size, "big")


# --- AEAD ---

def aead_seal(name: str, key: bytes, nonce: bytes, plain: bytes) -> bytes:
    cipher = AESGCM(key) if name == "a256gcm" else ChaCha20Poly1305(key)
    return cipher.encrypt(nonce, plain, None)


def aead_open(name: str, key: bytes, nonce: bytes, sealed: bytes, code: str, where: str) -> bytes:
    cipher = AESGCM(key) if name == "a256gcm" else ChaCha20Poly1305(key)
    try:
        return cipher.decrypt(nonce, sealed, None)
    except (InvalidTag, ValueError):
        fail(code, where)
    # Only where the check is disabled: the plaintext whatever the tag says.
    if name == "a256gcm":
        mode = Cipher(algorithms.AES(key), modes.CTR(nonce + b"\0\0\0\2"))
    else:
        mode = Cipher(algorithms.ChaCha20(key, b"\1\0\0\0" + nonce), None)
    return mode.decryptor().update(sealed[:-TAG])


# --- HPKE base mode in one shot (RFC 9180), ALG-5 and ALG-6 ---

def _labeled_extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hkdf_extract(salt, b"HPKE-v1" + suite + label + material)


def _labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def key_schedule(kem: str, aead: str, shared: bytes, info: bytes) -> tuple:
    """(key, base nonce) of mode base; the first and only message uses the base nonce itself."""
    suite = b"HPKE" + b"".join(i.to_bytes(2, "big") for i in (KEMS[kem], 0x0001, AEADS[aead]))
    context = (b"\0" + _labeled_extract(suite, b"", b"psk_id_hash", b"") +
               _labeled_extract(suite, b"", b"info_hash", info))
    secret = _labeled_extract(suite, shared, b"secret", b"")
    return (_labeled_expand(suite, secret, b"key", context, 32),
            _labeled_expand(suite, secret, b"base_nonce", context, 12))


def dhkem_shared(private: bytes, public: bytes, enc: bytes, recipient: bytes):
    """Shared secret of DHKEM(X25519, HKDF-SHA256) from one private and the other public key; None
    when the Diffie-Hellman value is zero. enc ‖ recipient is the KEM context."""
    try:
        dh = x25519.X25519PrivateKey.from_private_bytes(private).exchange(
            x25519.X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None
    suite = b"KEM" + KEMS["x25519"].to_bytes(2, "big")
    prk = _labeled_extract(suite, b"", b"eae_prk", dh)
    return _labeled_expand(suite, prk, b"shared_secret", enc + recipient, 32)


def rsakem_shared(z: bytes, enc: bytes, modulus: bytes) -> bytes:
    return hkdf(b"", z, b"AMS-RSAKEM" + enc + sha256(modulus), 32)


def rsakem_encap(modulus: bytes, z: bytes) -> tuple:
    """(enc, shared); z as many bytes as the modulus, below it."""
    n = int.from_bytes(modulus, "big")
    enc = pow(int.from_bytes(z, "big"), EXPONENT, n).to_bytes(len(modulus), "big")
    return enc, rsakem_shared(z, enc, modulus)


def rsakem_decap(der: bytes, enc: bytes):
    """The shared secret; None when enc is not below the modulus or not as long as it."""
    n = rsa_private(der).public_numbers.n
    size = (n.bit_length() + 7) // 8
    if len(enc) != size or int.from_bytes(enc, "big") >= n:
        return None
    z = rsa_power(der, int.from_bytes(enc, "big")).to_bytes(size, "big")
    return rsakem_shared(z, enc, n.to_bytes(size, "big"))


def kem_decap(kem: str, private: bytes, enc: bytes):
    """The shared secret of any KEM; None where there is none."""
    if kem != "x25519":
        return rsakem_decap(private, enc)
    return dhkem_shared(private, enc, enc, x25519_public(private)) if len(enc) == 32 else None


def hpke_open(kem: str, aead: str, private: bytes, enc: bytes, info: bytes, sealed: bytes):
    """ALG-5 with aad empty, ALG-6."""
    shared = kem_decap(kem, private, enc)
    if shared is None:
        fail("unwrap", "hpke.kem")
        shared = bytes(32)
    key, nonce = key_schedule(kem, aead, shared, info)
    return aead_open(aead, key, nonce, sealed, "unwrap", "hpke.tag")


def hpke_seal(aead: str, recipient: bytes, ephemeral: bytes, info: bytes, plain: bytes) -> tuple:
    """(enc, sealed) to an X25519 key, with a given ephemeral."""
    enc = x25519_public(ephemeral)
    shared = dhkem_shared(ephemeral, recipient, enc, recipient) or bytes(32)
    key, nonce = key_schedule("x25519", aead, shared, info)
    return enc, aead_seal(aead, key, nonce, plain)


# --- sealed streams ---

def stream_keys(key: bytes, context: bytes, salt: bytes) -> tuple:
    """(chunk key, commitment), STR-1."""
    prk = hkdf_extract(salt, key)
    return (hkdf_expand(prk, b"AMS-STREAM-KEY\0" + context, 32),
            hkdf_expand(prk, b"AMS-STREAM-COMMIT\0" + context, 32))


def chunk_nonce(index: int, last: bool) -> bytes:
    return bytes([last, 0, 0, 0]) + index.to_bytes(8, "big")


def stream_seal(aead: str, key: bytes, context: bytes, plain: bytes, salt: bytes) -> bytes:
    chunk_key, commitment = stream_keys(key, context, salt)
    count = len(plain) // CHUNK + 1
    chunks = [aead_seal(aead, chunk_key, chunk_nonce(i, i == count - 1),
                        plain[i * CHUNK:(i + 1) * CHUNK]) for i in range(count)]
    return salt + commitment + b"".join(chunks)


def stream_open(aead: str, key: bytes, context: bytes, sealed: bytes, where: str = "stream"):
    require(aead in AEADS, "unknown_algorithm", where)
    size, full = len(sealed) - STREAM_HEADER, CHUNK + TAG
    require(size >= TAG and size % full >= TAG, "stream_truncated", where)
    chunk_key, commitment = stream_keys(key, context, sealed[:24])
    require(hmac.compare_digest(commitment, sealed[24:STREAM_HEADER]), "key_commitment", where)
    count, out = -(-size // full), []
    for i in range(count):
        start = STREAM_HEADER + i * full
        out.append(aead_open(aead, chunk_key, chunk_nonce(i, i == count - 1),
                             sealed[start:start + full], "chunk", where))
    return b"".join(out)


# --- Padmé and the padded layout ---

def padme(length: int) -> int:
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << max(low_bits, 0)) - 1
    return (length + mask) & ~mask


def layout(content: bytes, prefix: int = 4) -> bytes:
    """length ‖ content ‖ zeros, MSG-21 (prefix 4) and MSG-23 (8)."""
    plain = len(content).to_bytes(prefix, "big") + content
    return plain + bytes(padme(len(plain)) - len(plain))


def layout_open(plain: bytes, where: str, prefix: int = 4) -> bytes:
    length = int.from_bytes(plain[:prefix], "big")
    require(len(plain) >= prefix and prefix + length <= len(plain), "body_layout", where)
    require(len(plain) == padme(prefix + length), "body_layout", where + ".size")
    require(not any(plain[prefix + length:]), "body_layout", where + ".padding")
    return plain[prefix:prefix + length]


def merkle_root(leaves: list) -> bytes:
    """RFC 9162 section 2.1.1 of at least one leaf's data."""
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\1" + merkle_root(leaves[:split]) + merkle_root(leaves[split:]))
