"""Grants: a domain's answer for a batch of new keys (spec DIR-57, DIR-58)."""
from ams_py import crypto, grants as spec, keys, proofs
from ams_py.encoding import b64, encode

from .book import File
from .logbook import flipped
from .world import ALICE, AWAY, BOB, HOME, SIGNERS

FPS = [proofs.sha(b"granted key", bytes([number])) for number in range(65)]


class Batch:
    """A grant of HOME for so many keys, and what is judged of it."""

    def __init__(self, count: int, signer=None, domain: str = HOME.name, alg: str = "ed25519",
                 **changed):
        self.signer, self.alg = signer or HOME.op, alg
        self.fps = FPS[:count]
        self.grant, self.paths = spec.make(self.signer.sign, self.signer.sk, domain, self.fps,
                                           **changed)

    def args(self, index: int = 0, **changed) -> dict:
        """changed: of the args; grant, voucher (bytes) or signer in other forms."""
        grant = changed.pop("grant", self.grant)
        raw = changed.pop("raw", None) or encode(grant)
        voucher = changed.pop("voucher", bytes([0, index]) + self.paths[index])
        signer = changed.pop("signer", self.signer)
        return {"raw_b64": b64(raw), "fp_b64": b64(changed.pop("fp", self.fps[index])),
                "voucher": voucher if isinstance(voucher, str) else b64(voucher),
                "alg": self.alg, "public_b64": b64(signer.sk), **changed}

    def altered(self, **changed) -> dict:
        """The grant with other members, signed anew."""
        value = {name: item for name, item in self.grant.items() if name != "sig"}
        return keys.sign_object(self.signer.sign, value, **changed)


def _valid(file: File) -> dict:
    good, twins = file.group("valid"), {}
    for count in (1, 2, 3, 5, 8, 33, 63, 64):
        batch = Batch(count)
        for index in sorted({0, count // 2, count - 1}):
            twins[count] = good.valid(f"key {index} of {count}", batch.args(index), (),
                                      ["DIR-57", "DIR-58"])
    for place in (1, 63, 255):
        good.valid(f"by the voucher's grant {place}", Batch(2).args(
            voucher=bytes([place, 0]) + Batch(2).paths[0]), (), ["DIR-58"])
    for alg in ("rsa2048pss", "rsa3072pss", "rsa4096pss"):
        good.valid(f"by a key of {alg}", Batch(3, SIGNERS[alg], alg=alg).args(1), (), ["DIR-57"])
    long = ".".join(["d" * 61] * 4) + ".ex"
    good.valid("of a domain of 250 characters", Batch(1, domain=long).args(), (), ["DIR-57"])
    good.valid("of one key twice", Batch(1).args(), (), ["DIR-57"])
    return twins


def _forms(file: File, twin: str) -> None:
    bad, batch = file.group("form"), Batch(3)

    def refuse(comment, flag, code, **changed):
        bad.invalid(comment, batch.args(**changed), code, twin, [flag])
    for name in ("ams", "count", "domain", "op_key", "root", "sig"):
        grant = {key: item for key, item in batch.grant.items() if key != name}
        refuse(f"without {name}", "missing_member", "schema", grant=grant)
    for name, item in (("ams", 1), ("count", "3"), ("count", True), ("domain", 7), ("op_key", 1),
                       ("root", [batch.grant["root"]]), ("sig", {})):
        refuse(f"{name}: {item!r}"[:40], "wrong_type", "schema",
               grant={**batch.grant, name: item})
    for count in (0, -1, 65, 255, 256):
        refuse(f"count {count}", "out_of_range", "schema", grant=batch.altered(count=count))
    for tag in ("grant/2", "GRANT/1", "vouch/1", ""):
        refuse(f"the tag {tag!r}", "wrong_tag", "unknown_ams_tag", grant=batch.altered(ams=tag))
    for name in ("home", "Home.example", "home..example", ".example", "a" * 64 + ".example",
                 "d." * 130 + "ex"):
        refuse(f"the domain {name[:20]!r}", "address_syntax", "address_syntax",
               grant=batch.altered(domain=name))
    for name in ("op_key", "root"):
        for size in (31, 33, 0):
            refuse(f"{name} of {size} bytes", "base64url", "base64url",
                   grant=batch.altered(**{name: b64(bytes(size))}))
        refuse(f"{name} padded", "base64url", "base64url",
               grant=batch.altered(**{name: batch.grant[name] + "="}))
    refuse("no signature", "base64url", "base64url", grant={**batch.grant, "sig": ""})
    refuse("another member", "unknown_member", "unknown_member", grant=batch.altered(x_at=1))
    refuse("of more than 2,048 bytes", "grant_large", "object_too_large",
           grant=batch.altered(x=("x" * 2_000)))
    refuse("no object", "wrong_type", "schema", raw=b"[]")
    refuse("in another order of members", "member_order", "not_canonical",
           raw=b'{"root":"x","ams":"grant/1"}')
    for size in (1, 3, 33, 35, 2 + 32 * 7):
        refuse(f"a voucher of {size} bytes", "voucher_form", "proof_form", voucher=bytes(size))
    refuse("a voucher padded", "base64url", "base64url",
           voucher=b64(bytes([0, 0]) + batch.paths[0]) + "=")


def _places(file: File, twins: dict) -> None:
    bad = file.group("places")
    for count in (1, 2, 3, 8, 64):
        batch = Batch(count)

        def refuse(comment, flag, batch=batch, count=count, **changed):
            bad.invalid(f"of {count}: {comment}", batch.args(**changed), "proof", twins[count],
                        [flag], importance="critical")
        refuse("a key that was not granted", "grant_other_key", fp=FPS[64])
        refuse("the index of none", "grant_place", voucher=bytes([0, count]) + batch.paths[0])
        refuse("a hash too many", "grant_place",
               voucher=bytes([0, 0]) + (batch.paths[0] + bytes(32))[-192:])
        if count == 1:
            continue
        refuse("another key of it", "grant_other_key", fp=batch.fps[1])
        refuse("the path of another", "grant_place", voucher=bytes([0, 0]) + batch.paths[1])
        refuse("the index of another", "grant_place", voucher=bytes([0, 1]) + batch.paths[0])
        refuse("no path", "grant_place", voucher=bytes([0, 0]))
        refuse("a hash too few", "grant_place", voucher=bytes([0, 0]) + batch.paths[0][:-32])
    batch = Batch(3)
    for comment, hashes in (
            ("without a tag", [proofs.log_leaf(fp) for fp in batch.fps]),
            ("of another tag", [proofs.log_leaf(b"AMS-EPOCH/1\0" + fp) for fp in batch.fps]),
            ("that are the fingerprints", batch.fps)):
        root = proofs.log_node(proofs.log_node(hashes[0], hashes[1]), hashes[2])
        path = hashes[1] + hashes[2]
        bad.invalid(f"leaves {comment}", batch.args(
            grant=batch.altered(root=b64(root)), voucher=bytes([0, 0]) + path), "proof", twins[3],
            ["grant_form"], importance="critical")
    bad.invalid("another count", batch.args(2, grant=batch.altered(count=4)), "proof", twins[3],
                ["grant_place"])


def _signed(file: File, twins: dict) -> None:
    bad, batch, twin = file.group("signed"), Batch(3), twins[3]

    def refuse(comment, flag, code="signature", **changed):
        bad.invalid(comment, batch.args(**changed), code, twin, [flag], importance="critical")
    refuse("by a key that is not the domain's", "grant_forged", signer=AWAY.op)
    refuse("by another's key, named as the domain's", "grant_forged", grant=Batch(
        3, AWAY.op, op_key=b64(crypto.sha256(HOME.op.sk))).grant)
    refuse("by the root key", "grant_forged", signer=HOME.root)
    refuse("an op_key that is the key itself", "grant_forged",
           grant=batch.altered(op_key=b64(HOME.op.sk)))
    refuse("an op_key that is the record's fingerprint", "grant_forged",
           grant=batch.altered(op_key=b64(HOME.op.fp)))
    refuse("a changed signature", "grant_forged",
           grant={**batch.grant, "sig": flipped(batch.grant["sig"])})
    refuse("another domain under the signature", "grant_forged",
           grant={**batch.grant, "domain": AWAY.name})
    refuse("the signature of another grant", "grant_forged",
           grant={**batch.grant, "sig": Batch(4).grant["sig"]})
    for size in (1, 63, 65, 256):
        refuse(f"a signature of {size} bytes", "algorithm_mix", "algorithm_mix",
               grant={**batch.grant, "sig": b64(bytes(size))})
    value = {name: item for name, item in batch.grant.items() if name != "sig"}
    for comment, text in (
            ("of another tag", crypto.signed_text("vouch/1", crypto.sha256(encode(value)))),
            ("without a tag", crypto.sha256(encode(value))),
            ("of the object itself", encode(value))):
        refuse(f"a signature over bytes {comment}", "grant_form",
               grant={**value, "sig": b64(HOME.op.sign(text))})
    for person in (ALICE, BOB):
        refuse(f"by {person.addr}", "grant_forged", signer=person)


def files() -> list:
    file = File("directory/grants.json", "grant.verify", "grv")
    twins = _valid(file)
    _forms(file, twins[3])
    _places(file, twins)
    _signed(file, twins)
    return [file]
