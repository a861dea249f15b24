"""What a directory answers and who judges it (spec DIR-22, DIR-23, EVD)."""
from . import crypto, encoding, keys, lineage, proofs, schema, trees
from .errors import AmsError, require

LIFE, AHEAD = 24 * 3_600_000, 5 * 60_000  # ms, DIR-22
EVIDENCE_MAX = 1 << 20  # bytes
INCLUSION_MAX, MAP_MIN, CHANGES_MAX = 4_096, 2, 8_192


# --- work ---

def work_hash(domain: str, day: int, object_hash: bytes, nonce: bytes) -> bytes:
    """DIR-23."""
    name = domain.encode()
    return proofs.sha(b"AMS-WORK/1\0", bytes([len(name)]), name, day.to_bytes(8, "big"),
                      object_hash,
                      nonce)


def zero_bits(digest: bytes) -> int:
    return 8 * len(digest) - int.from_bytes(digest, "big").bit_length()


def check_work(domain: str, raw: bytes, work: str, bits: int, now: int) -> int:
    """The day that the work is of."""
    nonce = encoding.unb64(work)
    require(nonce is not None and len(nonce) in (0, 8), "base64url", "work.nonce")
    require(nonce != b"", "publisher", "work.none")
    today = now // keys.DAY
    for day in (today, today - 1):
        if zero_bits(work_hash(domain, day, crypto.sha256(raw), nonce)) >= bits:
            return day
    require(False, "publisher", "work.bits")
    return today


# --- look-ups ---

def log_key(domain: str, op: keys.Key, kind: int, where: str) -> proofs.NoteKey:
    """DIR-11."""
    name = domain + "/ams-directory"
    require(proofs.NAME.match(name) is not None, "proof_form", where + ".origin")
    require(op.sig_alg == "ed25519", "unknown_algorithm", where + ".op")
    return proofs.NoteKey(name, kind, op.sk)


_PROOF = schema.members(None, [
    ("checkpoint", schema.text(proofs.NOTE_MAX)), ("epoch", schema.binary(proofs.EPOCH_SIZE)),
    ("inclusion", schema.binary(0, INCLUSION_MAX)),
    ("map", schema.binary(MAP_MIN, proofs.PATH_MAX)), ("value?", schema.binary(32))], extra="x_")


class Looked:
    def __init__(self, entry, time: int, said: proofs.Checkpoint, cosigned: list):
        self.entry, self.time, self.said, self.cosigned = entry, time, said, cosigned

    def shown(self) -> dict:
        out = {"held": self.entry is not None, "time": str(self.time)}
        if self.entry is not None:
            shown = self.entry.shown()
            out.update(state=shown["state"], value=shown["value"])
        return out


def _entry(kid: str, objects: list):
    if not objects:
        return None
    entry = lineage.Entry(keys.verify_key(objects[0], kid))
    for one in objects[1:]:
        entry.add(one)
    return entry


def _path(kid: str, entry, fields: dict, map_root: bytes) -> None:
    label = bytes.fromhex(kid.replace("-", ""))
    if entry is None:
        require("value" not in fields, "proof", "lookup.needless_value")
        proofs.absent(map_root, label, fields["map"], "lookup.absent")
    else:
        require(fields.get("value") == entry.value(), "proof", "lookup.value")
        proofs.present(map_root, label, entry.value(), fields["map"], "lookup.present")


def verify_lookup(kid: str, objects: list, proof, log: proofs.NoteKey, witnesses, quorum: int,
                  now: int = None) -> Looked:
    """DIR-22; no objects: the kid is in no entry."""
    entry = _entry(kid, objects)
    fields = _PROOF(proof, "lookup")
    map_root, _, time = proofs.epoch(fields["epoch"])
    _path(kid, entry, fields, map_root)
    said, cosigned = proofs.open_checkpoint(fields["checkpoint"], log, witnesses, quorum)
    proofs.included(said.root, said.size, said.size - 1, proofs.log_leaf(fields["epoch"]),
                    fields["inclusion"], "lookup.inclusion")
    if now is not None:
        require(now < 1000 * time + LIFE, "checkpoint_stale", "lookup.age")
        require(1000 * time <= now + AHEAD, "checkpoint_stale", "lookup.future")
    return Looked(entry, time, said, cosigned)


# --- histories ---

_STEP = schema.members(None, [
    ("epoch", schema.binary(proofs.EPOCH_SIZE)),
    ("changes", schema.binary(0, 48 * CHANGES_MAX))], extra="x_")


def _step(value, where: str) -> tuple:
    """(map root, keys, time, changes, leaf)."""
    fields = _STEP(value, where)
    root, count, time = proofs.epoch(fields["epoch"])
    raw = fields["changes"]
    require(len(raw) % 48 == 0, "proof_form", "history.changes")
    changes = [(raw[at:at + 16], raw[at + 16:at + 48]) for at in range(0, len(raw), 48)]
    kids = [kid for kid, _ in changes]
    require(all(a < b for a, b in zip(kids, kids[1:])), "proof_form", "history.order")
    return root, count, time, changes, proofs.log_leaf(fields["epoch"])


_HISTORY = schema.members(None, [
    ("size", schema.integer()), ("epochs", schema.array(_step, 0, 64))], extra="x_")


class Auditor:
    """DIR-71, DIR-72."""

    def __init__(self):
        self.map, self.hashes, self.time = {}, [], 0

    def root(self, size: int = None) -> bytes:
        return trees.log_root(self.hashes[:size])

    def map_root(self) -> bytes:
        return trees.map_root(list(self.map.items()))

    def take(self, answer) -> None:
        for root, count, time, changes, leaf in _HISTORY(answer, "history")["epochs"]:
            self.map.update(changes)
            require(self.map_root() == root, "proof", "history.root")
            require(len(self.map) == count, "proof", "history.count")
            require(time >= self.time, "proof", "history.time")
            self.time = time
            self.hashes.append(leaf)

    def conclude(self, note: str, log: proofs.NoteKey) -> None:
        said, _ = proofs.open_checkpoint(note, log)
        require(said.size <= len(self.hashes), "proof", "history.size")
        require(said.root == self.root(said.size), "proof", "history.signed")


# --- evidence ---

def _anything(value, _where):
    return value


_DOMAIN = [("domain", schema.domain), ("chain", _anything)]
_FACES = schema.members("dfaces/1", [*_DOMAIN, ("evidence", schema.text(proofs.FORK_MAX))])
_REWRITE = schema.members("drewrite/1",
                          [*_DOMAIN, ("evidence", schema.text(proofs.REWRITE_MAX))])
_LOOKUP = schema.members("dproof/1", [
    *_DOMAIN, ("kid", schema.kid), ("objects", schema.array(_anything, 0, 64)),
    ("proof", _anything),
    ("witnesses", schema.array(schema.members(None, _DOMAIN), 0, 32))])


class Judge:
    """Who judges evidence: the roots that they believe, and what they demand."""

    def __init__(self, roots: dict, quorum: int = 0, now: int = None):
        self.roots, self.quorum, self.now = roots, quorum, now

    def chain(self, named: dict, where: str) -> keys.Chain:
        """DOM-5 under the root that is believed."""
        domain = named["domain"]
        require(domain in self.roots, "domain_record", where)
        return keys.verify_chain(named["chain"], domain, *self.roots[domain])

    def _witnesses(self, fields: dict) -> dict:
        """{domain: key} of those that count."""
        out = {}
        for named in fields["witnesses"]:
            if named["domain"] == fields["domain"] or named["domain"] in out:
                continue
            try:
                chain = self.chain(named, "witness.root")
                out[named["domain"]] = log_key(named["domain"], chain.op, 4, "witness")
            except AmsError:
                continue
        return out

    def judge(self, value) -> dict:
        """EVD-1 to EVD-3, EVD-5."""
        tag = value.get("ams") if isinstance(value, dict) else None
        form = {"dfaces/1": _FACES, "drewrite/1": _REWRITE}.get(tag, _LOOKUP)
        fields = form(value, "evidence")
        log = log_key(fields["domain"], self.chain(fields, "evidence.root").op, 1, "evidence")
        out = {"domain": fields["domain"], "two_faces": form is not _LOOKUP}
        if form is _FACES:
            return {**out, "size": str(proofs.fork(fields["evidence"], log).size)}
        if form is _REWRITE:
            first, second = proofs.rewrite(fields["evidence"], log)
            return {**out, "first": str(first.size), "size": str(second.size)}
        witnesses = self._witnesses(fields)
        looked = verify_lookup(fields["kid"], fields["objects"], fields["proof"], log,
                               list(witnesses.values()), self.quorum, self.now)
        signers = {key.name for key, _ in looked.cosigned}
        return {**out, "size": str(looked.said.size), "kid": fields["kid"], **looked.shown(),
                "cosigned": [domain for domain, key in witnesses.items() if key.name in signers]}


def read_evidence(raw: bytes):
    """EVD-4."""
    text = raw[:-1] if raw.endswith(b"\n") else raw
    require(len(text) <= EVIDENCE_MAX, "object_too_large", "evidence.size")
    return encoding.decode(text)
