"""Key wrapping by itself (spec ALG-5, ALG-6): hpke.open and hpke.seal."""
from ams_py import crypto
from ams_py.encoding import b64
from ams_py.seal import Draws

from .book import File
from .keys import LOW_ORDER
from .letters import flip
from .world import OTHER_ENCRYPT, READERS, rsa_der

PLAIN, INFO = Draws("wrapped").take(32), Draws("info").take(84)


class Suite:
    """A KEM with an AEAD, the reader's key and one encapsulation."""

    def __init__(self, kem: str, aead: str):
        self.kem, self.aead = kem, aead
        self.name = f"{kem.removesuffix('kem')}-{aead}"
        self.private, self.public = READERS[kem].private, READERS[kem].ek
        self.enc, self.shared = self.encap("z", self.public)

    def encap(self, label: str, public: bytes) -> tuple:
        if self.kem == "x25519":
            ephemeral = Draws(f"ephemeral {label}").take(32)
            enc = crypto.x25519_public(ephemeral)
            return enc, crypto.dhkem_shared(ephemeral, public, enc, public)
        z = Draws(f"z {self.kem} {label}").take(len(public))
        return crypto.rsakem_encap(public, bytes([z[0] & 0x7F]) + z[1:])

    def seal(self, plain=PLAIN, info=INFO, shared=None, kem=None, aead=None) -> bytes:
        key, nonce = crypto.key_schedule(kem or self.kem, aead or self.aead,
                                         shared or self.shared, info)
        return crypto.aead_seal(aead or self.aead, key, nonce, plain)

    def args(self, sealed: bytes = None, **changed) -> dict:
        return {"kem": self.kem, "aead": self.aead, "private_b64": b64(self.private),
                "enc_b64": b64(self.enc), "info_b64": b64(INFO),
                "sealed_b64": b64(self.seal() if sealed is None else sealed), **changed}


def _valid(group, suite) -> str:
    clauses = ["ALG-5"] if suite.kem == "x25519" else ["ALG-5", "ALG-6"]
    for length in (0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 119, 1000):
        info = Draws("other info").take(length)
        group.valid(f"{suite.name}, an info of {length} bytes",
                    suite.args(suite.seal(info=info), info_b64=b64(info)), clauses=clauses)
    for length in (0, 1, 15, 16, 17, 31, 33, 48, 64, 100, 1000):
        plain = Draws("other plain").take(length)
        group.valid(f"{suite.name}, {length} bytes wrapped", suite.args(suite.seal(plain)),
                    clauses=clauses)
    for number in range(4):
        enc, shared = suite.encap(f"{number}", suite.public)
        group.valid(f"{suite.name}, encapsulation {number}",
                    suite.args(suite.seal(shared=shared), enc_b64=b64(enc)), clauses=clauses)
    return group.valid(f"{suite.name}, a content key and an info of a stanza's length",
                       suite.args(), clauses=clauses)


def _changed(group, suite, twin: str):
    sealed = suite.seal()

    def refuse(comment, flag, args):
        group.invalid(f"{suite.name}, {comment}", args, "unwrap", twin, [flag],
                      importance="critical")
    for at in (0, 1, 15, 16, 31, 32, 40, 47):
        refuse(f"a bit of byte {at} changed", "stanza_tampered", suite.args(flip(sealed, at)))
    for length in (0, 1, 15, 16, 17, 31, 47):
        refuse(f"cut to {length} bytes", "truncation", suite.args(sealed[:length]))
    refuse("a byte more", "stanza_tampered", suite.args(sealed + b"\0"))
    refuse("a byte before", "stanza_tampered", suite.args(b"\0" + sealed))
    refuse("zeros", "stanza_tampered", suite.args(bytes(48)))
    for what, info in (("no info", b""), ("the info's first byte changed", flip(INFO, 0)),
                       ("its last byte changed", flip(INFO, 83)), ("a zero more", INFO + b"\0"),
                       ("h0 of another message", INFO[:4] + bytes(32) + INFO[36:]),
                       ("another kid", INFO[:36] + bytes(16) + INFO[52:]),
                       ("another fp", INFO[:52] + bytes(32))):
        refuse(f"opened with another info: {what}", "stanza_swapped",
               suite.args(info_b64=b64(info)))
    other = next(aead for aead in crypto.AEADS if aead != suite.aead)
    refuse("opened with the other AEAD", "aead_confusion", suite.args(aead=other))
    enc, shared = suite.encap("other", suite.public)
    refuse("another encapsulation", "stanza_swapped", suite.args(enc_b64=b64(enc)))
    enc, shared = suite.encap("to another", _other(suite)[1])
    refuse("wrapped for another key", "stanza_relabelled",
           suite.args(suite.seal(shared=shared), enc_b64=b64(enc)))
    refuse("opened with another key", "stanza_relabelled",
           suite.args(private_b64=b64(_other(suite)[0])))
    for what, forged in (
            ("the key schedule of another KEM", suite.seal(kem=_other_kem(suite.kem))),
            ("the shared secret itself as the key",
             crypto.aead_seal(suite.aead, suite.shared, bytes(12), PLAIN)),
            ("a nonce of zeros", crypto.aead_seal(suite.aead, _schedule(suite)[0], bytes(12),
                                                  PLAIN)),
            ("sequence number 1", crypto.aead_seal(suite.aead, _schedule(suite)[0],
                                                   flip(_schedule(suite)[1], 11), PLAIN))):
        refuse(what, "hpke_schedule", suite.args(forged))
    # Sealed under a secret of zeros: what a reader without the check would fall back to.
    void = suite.seal(shared=bytes(32))
    for length in (0, 1, 31, len(suite.enc) - 1):
        refuse(f"enc cut to {length} bytes", "enc_form",
               suite.args(void, enc_b64=b64(suite.enc[:length])))
    for what, enc in (("a zero more", suite.enc + b"\0"), ("a zero before it", b"\0" + suite.enc)):
        refuse(f"enc: {what}", "enc_form", suite.args(void, enc_b64=b64(enc)))
    refuse("enc is the reader's own key", "enc_form", suite.args(
        void if suite.kem != "x25519" else None, enc_b64=b64(suite.public)))
    for at in (0, 1, len(suite.enc) // 2, len(suite.enc) - 2):
        refuse(f"a bit of enc's byte {at} changed", "stanza_tampered",
               suite.args(enc_b64=b64(flip(suite.enc, at))))


def _schedule(suite) -> tuple:
    return crypto.key_schedule(suite.kem, suite.aead, suite.shared, INFO)


def _other_kem(kem: str) -> str:
    return "rsa2048kem" if kem == "x25519" else "x25519"


def _other(suite) -> tuple:
    """(private, public) of another key of the same KEM."""
    if suite.kem == "x25519":
        private = Draws("another reader").take(32)
        return private, crypto.x25519_public(private)
    der = rsa_der(OTHER_ENCRYPT[suite.kem])
    return der, crypto.rsa_private(der).public_numbers.n.to_bytes(len(suite.public), "big")


def _points(group, suite, twin: str):
    """What an encapsulated X25519 key or RSA number may not be."""
    def refuse(comment, flag, enc, sealed=None):
        group.invalid(f"{suite.name}, {comment}", suite.args(sealed, enc_b64=b64(enc)), "unwrap",
                      twin, [flag], importance="critical")
    if suite.kem == "x25519":
        for point in LOW_ORDER:
            for top in (0, 1):
                enc = (point | top << 255).to_bytes(32, "little")
                refuse(f"enc is the point {point:#x} of low order, top bit {top}",
                       "low_order_point", enc, suite.seal(shared=bytes(32)))
        return
    n, size = int.from_bytes(suite.public, "big"), len(suite.public)
    for what, number in (("0", 0), ("1", 1), ("the modulus", n), ("the modulus and 1", n + 1),
                         ("the modulus less 1", n - 1), ("the largest number", 256**size - 1)):
        enc = number.to_bytes(size, "big")
        shared = crypto.rsakem_shared((number % n).to_bytes(size, "big"), enc, suite.public)
        if number in (0, 1, n - 1):  # every number below the modulus is an encapsulation
            group.valid(f"{suite.name}, enc is {what}",
                        suite.args(suite.seal(shared=shared), enc_b64=b64(enc)), clauses=["ALG-6"])
        else:
            refuse(f"enc is {what}", "enc_form", enc, suite.seal(shared=bytes(32)))
    z = Draws(f"z {suite.kem} z").take(size)
    z = bytes([z[0] & 0x7F]) + z[1:]
    for what, shared in (
            ("z itself", z[:32]), ("z's hash", crypto.sha256(z)),
            ("HKDF without enc", crypto.hkdf(b"", z, b"AMS-RSAKEM" + crypto.sha256(suite.public),
                                             32)),
            ("HKDF without the modulus", crypto.hkdf(b"", z, b"AMS-RSAKEM" + suite.enc, 32)),
            ("HKDF without the label", crypto.hkdf(
                b"", z, suite.enc + crypto.sha256(suite.public), 32))):
        refuse(f"the shared secret is {what}", "hpke_schedule", suite.enc,
               suite.seal(shared=shared))


def _open_file() -> File:
    file = File("crypto/hpke_open.json", "hpke.open", "hpo")
    for kem in READERS:
        for aead in crypto.AEADS:
            suite = Suite(kem, aead)
            twin = _valid(file.group(f"valid-{suite.name}"), suite)
            _changed(file.group(f"changed-{suite.name}"), suite, twin)
            _points(file.group(f"enc-{suite.name}"), suite, twin)
    suite, bad = Suite("x25519", "a256gcm"), file.group("names")
    twin = file.groups[0].tests[-1]["id"]
    for name, values in (("kem", ("", "none", "X25519", "x448", "ed25519", "rsa2048", "rsa1024kem",
                                  "rsa2048pss", "mlkem768", "dhkem")),
                         ("aead", ("", "none", "A256GCM", "a128gcm", "aes256gcm", "c20p1305 ",
                                   "xc20p1305", "a256cbc", "x25519"))):
        for value in values:
            bad.invalid(f"{name} {value!r}", suite.args(**{name: value}), "unknown_algorithm",
                        twin, ["unknown_algorithm"])
    return file


def _seal_file() -> File:
    file = File("crypto/hpke_seal.json", "hpke.seal", "hps")
    public = READERS["x25519"].ek
    good, twin = file.group("valid"), None

    def args(aead="a256gcm", **changed):
        return {"aead": aead, "public_b64": b64(public), "info_b64": b64(INFO),
                "ephemeral_b64": b64(Draws("ephemeral z").take(32)), "plain_b64": b64(PLAIN),
                **changed}
    for aead in crypto.AEADS:
        twin = good.valid(f"a content key with {aead}", args(aead), clauses=["ALG-5"])
        for length in (0, 1, 15, 16, 17, 48, 1000):
            good.valid(f"{length} bytes with {aead}",
                       args(aead, plain_b64=b64(Draws("plain").take(length))), clauses=["ALG-5"])
        for number in range(6):
            good.valid(f"ephemeral {number} with {aead}", args(
                aead, ephemeral_b64=b64(Draws(f"eph {number}").take(32))), clauses=["ALG-5"])
        for length in (0, 1, 200):
            good.valid(f"an info of {length} bytes with {aead}",
                       args(aead, info_b64=b64(bytes(length))), clauses=["ALG-5"])
    bad = file.group("key")
    for point in LOW_ORDER:
        bad.invalid(f"to the point {point:#x} of low order",
                    args(public_b64=b64(point.to_bytes(32, "little"))), "key_material", twin,
                    ["low_order_point"], importance="critical")
    for length in (0, 1, 31, 33, 256):
        bad.invalid(f"to a key of {length} bytes", args(public_b64=b64((public * 8)[:length])),
                    "key_material", twin, ["key_length"])
    for aead in ("", "none", "a128gcm"):
        bad.invalid(f"aead {aead!r}", args(aead), "unknown_algorithm", twin,
                    ["unknown_algorithm"])
    return file


def files() -> list:
    return [_open_file(), _seal_file()]
