"""The binding log as senders, readers, owners and judges of lies see it (spec BLG)."""
import hmac

from . import encoding, keys, proofs, schema, vrf
from .errors import AmsError, require

VERSION_MAX, BITS = 65_535, 16
NOTE_MAX, INCLUSION_MAX = 8_192, 2_048
TOLERANCE, AGE_MAX = 5 * 60_000, 24 * 3_600_000  # ms
LABEL, VALUE = b"AMS-BIND-LABEL/1\0", b"AMS-BIND-VALUE/1\0"

_KEY_ID = schema.members(None, [("kid", schema.kid), ("fp", schema.binary(32))])
_ENTRY = schema.members("bentry/1", [
    ("addr", schema.address), ("version", schema.integer(1, VERSION_MAX)),
    ("at", schema.integer()), ("type", schema.one_of("key", "alias", "group", "forward")),
    ("kid", schema.kid), ("fp", schema.binary(32)),
    ("custody", schema.one_of("client", "corporate")),
    ("policy", schema.one_of("isp", "corporate", "groups")), ("enc?", _KEY_ID),
    ("to?", schema.array(schema.address, 1, 100, ascending=True)), ("prev?", schema.binary(32)),
    ("sig?", schema.binary(1, 1024))])


def _domain(addr: str) -> str:
    return addr.rpartition("@")[2]


def entry(value, where: str = "entry") -> dict:
    """BLG-1 to BLG-3; the fields, and the object itself as `value`."""
    fields = _ENTRY(value, where)
    kind, to = fields.get("type"), fields.get("to", [])
    if kind == "key":
        good = "to" not in fields
        corporate = fields.get("custody") == "corporate"
        require(("enc" in fields) == corporate, "schema", where + ".shared")
    elif kind in ("alias", "forward"):
        good = len(to) == 1 and to[0] != fields["addr"] and (
            kind == "forward" or _domain(to[0]) == _domain(fields["addr"]))
    else:
        good = bool(to)
    require(good, "schema", where + ".targets")
    require(kind == "key" or "enc" not in fields, "schema", where + ".shared")
    later = fields.get("version", 1) > 1
    require(("prev" in fields) == later, "schema", where + ".prev_fits")
    require(later or "sig" not in fields, "schema", where + ".sig_fits")
    return {**fields, "value": value}


def commitment(judged: dict, opening: bytes) -> bytes:
    """BLG-6."""
    return hmac.new(opening, VALUE + encoding.encode(judged["value"]), "sha256").digest()


def endorsed(later: dict, before: dict, before_value: bytes, key: keys.Key) -> None:
    """BLG-4, for a verified key record."""
    follows = (later["version"] == before["version"] + 1 and later["addr"] == before["addr"] and
               later.get("prev") == before_value)
    require(follows, "history_gap", "endorsement.before")
    require(key.kid == before["kid"], "kid_mismatch", "endorsement.kid")
    require(key.fp == before["fp"], "fp_mismatch", "endorsement.fp")
    require("sig" in later, "unendorsed", "endorsement.sig")
    if "sig" not in later:
        return
    keys.usable(key, later["at"], "endorser")
    key.check_object(later["value"], later["sig"], "endorsement.signature")


# --- labels, heads, places ---

def label_input(addr: str, version: int) -> bytes:
    return LABEL + version.to_bytes(8, "big") + addr.encode()


def steps(version: int) -> list:
    """P(version), BLG-11."""
    return sorted(version >> at << at for at in range(BITS) if version >> at & 1)


def gaps(version: int) -> list:
    """N(version), BLG-11."""
    return sorted((version >> at | 1) << at for at in range(BITS) if not version >> at & 1)


class Identity:
    """What a domain's record says of its log."""

    def __init__(self, domain: str, vrf_key: bytes, log_key: bytes, witnesses=(), quorum: int = 0):
        name = "ams-bind/" + domain
        if len(name) > 100:
            name = "ams-bind/" + proofs.sha(domain.encode()).hex()
        self.domain, self.vrf_key, self.quorum = domain, vrf_key, quorum
        self.log = proofs.NoteKey(name, 1, log_key)
        self.witnesses = [proofs.NoteKey(name, 4, key) for name, key in witnesses]

    def alone(self):
        """Without witnesses: for lies (BLG-19)."""
        return Identity(self.domain, self.vrf_key, self.log.raw)


_HEAD = schema.members(None, [
    ("checkpoint", schema.text(NOTE_MAX)), ("epoch", schema.binary(proofs.EPOCH_SIZE)),
    ("inclusion", schema.binary(0, INCLUSION_MAX))])
_PLACE = [("path", schema.binary(1, proofs.PATH_MAX)), ("vrf", schema.binary(vrf.PROOF))]


class Head:
    """BLG-10."""

    def __init__(self, fields: dict, log: Identity):
        said, _ = proofs.open_checkpoint(fields["checkpoint"], log.log, log.witnesses, log.quorum)
        self.size, self.root = said.size, said.root
        self.map_root, self.map_size, self.time = proofs.epoch(fields["epoch"])
        proofs.included(self.root, self.size, self.size - 1, proofs.log_leaf(fields["epoch"]),
                        fields["inclusion"], "head.inclusion")

    def holds(self, now: int) -> None:
        """BLG-14."""
        require(self.time * 1000 - TOLERANCE <= now, "binding_stale", "head.future")
        require(now <= self.time * 1000 + AGE_MAX, "binding_stale", "head.age")


def _label(log: Identity, addr: str, version: int, place: dict) -> bytes:
    return vrf.verify(log.vrf_key, label_input(addr, version), place["vrf"])[:16]


def _address(log: Identity, asked: str, named: str) -> None:
    require(_domain(asked) == log.domain, "domain_mismatch", "addr.domain")
    require(named == asked, "binding_addr", "addr.asked")


# --- proofs ---

_PROOF = schema.members("bproof/1", [
    ("addr", schema.address), ("entry?", entry), ("r?", schema.binary(32)),
    ("steps", schema.array(schema.members(None, [*_PLACE, ("value", schema.binary(32))]), 0, 15)),
    ("here?", schema.members(None, _PLACE)), ("next", schema.members(None, _PLACE)),
    ("head", _HEAD)])


class Proven:
    def __init__(self, judged, head: Head):
        self.entry, self.head = judged, head


def verify_proof(value, asked: str, log: Identity) -> Proven:
    """BLG-12, BLG-13."""
    fields = _PROOF(value, "proof")
    bound = "entry" in fields
    require(bound == ("r" in fields) == ("here" in fields) or
            (not bound and "r" not in fields and "here" not in fields), "schema", "proof.whole")
    _address(log, asked, fields["addr"])
    versions = []
    if bound:
        _address(log, asked, fields["entry"]["addr"])
        versions = steps(fields["entry"]["version"])[:-1]
    require(len(fields["steps"]) == len(versions), "proof_form", "proof.steps")
    head = Head(fields["head"], log)
    for version, step in zip(versions, fields["steps"]):
        proofs.present(head.map_root, _label(log, asked, version, step), step["value"],
                       step["path"], "step")
    successor = 1
    if bound:
        version = fields["entry"]["version"]
        proofs.present(head.map_root, _label(log, asked, version, fields["here"]),
                       commitment(fields["entry"], fields["r"]), fields["here"]["path"], "here")
        successor = version + 1
    proofs.absent(head.map_root, _label(log, asked, successor, fields["next"]),
                  fields["next"]["path"], "next")
    return Proven(fields.get("entry"), head)


# --- histories ---

_HISTORY = schema.members("bhist/1", [
    ("addr", schema.address),
    ("items", schema.array(schema.members(None, [("entry", entry), ("r", schema.binary(32)),
                                                 *_PLACE]), 1, 64)),
    ("above", schema.array(schema.members(None, _PLACE), 0, BITS)),
    ("consistency", schema.binary(0, 4096)), ("head", _HEAD)])


class Seen:
    """What an owner keeps."""

    def __init__(self, size: int = 0, root: bytes = None, version: int = 0, value: bytes = b""):
        self.size, self.version, self.value = size, version, value
        self.root = proofs.sha() if size == 0 else root


def _links(items: list, values: list) -> None:
    for before, item, value in zip(items, items[1:], values):
        require(item["entry"]["version"] == before["entry"]["version"] + 1, "history_gap",
                "history.order")
        require(item["entry"].get("prev") == value, "history_gap", "history.prev")


def _items(log: Identity, addr: str, items: list, values: list, head: Head) -> None:
    for item, value in zip(items, values):
        label = _label(log, addr, item["entry"]["version"], item)
        proofs.present(head.map_root, label, value, item["path"], "item")


def verify_history(value, asked: str, log: Identity, seen: Seen) -> tuple:
    """(items, complete, head), BLG-17."""
    fields = _HISTORY(value, "history")
    items = fields["items"]
    _address(log, asked, fields["addr"])
    for item in items:
        _address(log, asked, item["entry"]["addr"])
    values = [commitment(item["entry"], item["r"]) for item in items]
    require(items[0]["entry"]["version"] == max(seen.version, 1), "history_gap", "history.start")
    require(seen.version == 0 or values[0] == seen.value, "log_rewritten", "history.seen")
    _links(items, values)
    above = gaps(items[-1]["entry"]["version"])
    require(len(fields["above"]) in (0, len(above)), "proof_form", "history.above")
    head = Head(fields["head"], log)
    proofs.consistent(seen.size, seen.root, head.size, head.root, fields["consistency"],
                      "history.consistency")
    _items(log, asked, items, values, head)
    for version, place in zip(above, fields["above"]):
        proofs.absent(head.map_root, _label(log, asked, version, place), place["path"], "gap")
    return items, len(fields["above"]) == len(above), head


# --- lies ---

def _sighting(optional: str):
    return schema.members(None, [("head", _HEAD), ("path", schema.binary(1, proofs.PATH_MAX)),
                                 ("value" + optional, schema.binary(32))])


def _any(value, _where):
    return value


_KINDS = {
    "fork": [("notes", schema.text(proofs.FORK_MAX))],
    "rewrite": [("label", schema.binary(16)), ("before", _sighting("")),
                ("after", _sighting("?"))],
    "contradiction": [("binding", _any), ("proof", _any)],
    "denial": [("history", _any), ("record", _any), ("deny", _any)]}
_DENY = schema.members("bdeny/1", [
    ("addr", schema.address), ("version", schema.integer(1, VERSION_MAX)),
    ("value", schema.binary(32)), ("sig", schema.binary(1, 1024))])


def verify_lie(value, log: Identity, chain) -> str:
    """Its kind, BLG-19 to BLG-23. chain: a function that gives the domain's verified chain."""
    kind = value.get("kind") if isinstance(value, dict) else None
    listed = _KINDS.get(kind, []) if isinstance(kind, str) else []
    fields = schema.members("blie/1", [("kind", schema.one_of(*_KINDS)), ("domain", schema.domain),
                                       *listed])(value, "lie")
    require(fields["domain"] == log.domain, "domain_mismatch", "lie.domain")
    _JUDGES[kind](fields, log.alone(), chain)
    return kind


def _fork(fields, log, _chain) -> None:
    proofs.fork(fields["notes"], log.log)


def _seen_at(sighting: dict, label: bytes, log: Identity, where: str) -> Head:
    head = Head(sighting["head"], log)
    if "value" in sighting:
        proofs.present(head.map_root, label, sighting["value"], sighting["path"], where)
    else:
        proofs.absent(head.map_root, label, sighting["path"], where)
    return head


def _rewrite(fields, log, _chain) -> None:
    before = _seen_at(fields["before"], fields["label"], log, "before")
    after = _seen_at(fields["after"], fields["label"], log, "after")
    require(before.size < after.size, "no_lie", "rewrite.sizes")
    require(fields["before"]["value"] != fields["after"].get("value"), "no_lie", "rewrite.values")


def _contradiction(fields, log, chain) -> None:
    said = keys.verify_binding(fields["binding"], chain())
    proven = verify_proof(fields["proof"], said["addr"], log)
    require(proven.entry is not None, "no_lie", "contradiction.bound")
    if proven.entry is None:
        return
    require(proven.entry["version"] == said["version"], "no_lie", "contradiction.version")
    differs = any(proven.entry.get(name) != said.get(name)
                  for name in ("kid", "fp", "custody", "enc"))
    require(differs, "no_lie", "contradiction.key")


def _denial(fields, log, _chain) -> None:
    shown = _HISTORY(fields["history"], "history")
    items, addr = shown["items"], shown["addr"]
    _address(log, addr, addr)
    for item in items:
        _address(log, addr, item["entry"]["addr"])
    require(len(items) == 2 and not shown["above"] and not shown["consistency"], "proof_form",
            "denial.history")
    values = [commitment(item["entry"], item["r"]) for item in items]
    _links(items, values)
    head = Head(shown["head"], log)
    _items(log, addr, items, values, head)
    first, second = (item["entry"] for item in items)
    key = keys.verify_key(fields["record"], first["kid"], first["fp"], "record")
    deny = _DENY(fields["deny"], "deny")
    about = (deny["addr"], deny["version"], deny["value"])
    require(about == (second["addr"], second["version"], values[1]), "no_lie", "denial.about")
    key.check_object(fields["deny"], deny["sig"], "deny.sig")
    require(not _is_endorsed(second, first, values[0], key), "no_lie",
            "denial.endorsed")


def _is_endorsed(*args) -> bool:
    try:
        endorsed(*args)
    except AmsError:
        return False
    return True


_JUDGES = {"fork": _fork, "rewrite": _rewrite, "contradiction": _contradiction, "denial": _denial}
