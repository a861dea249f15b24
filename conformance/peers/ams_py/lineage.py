"""Events, revocations, cards, and the entry of a key (spec KEV, REV, CRD, DIR-8)."""
import re

from . import crypto, encoding, keys, schema
from .encoding import b64
from .errors import fail, require

EVENT_MAX, REVOCATION_MAX, CARD_MAX = 4096, 2048, 2048  # bytes of AMS-CJ
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
CONTROL_BUT_LF = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
NO_CARD = (0, True, bytes(32), False, None)  # cseq, erased, hash, dropped, value


def _plain(pattern):
    def judge(value, where):
        value = schema.text(CARD_MAX)(value, where)
        require(pattern.search(value) is None, "schema", where + ".control")
        return value
    return judge


SUCCESSOR = schema.members(None, [("kid", schema.kid), ("fp", schema.binary(32))])
NOTHING = schema.members(None, [])


@schema.given
def _data(value, where, read):
    """KEV-1, in its place among the members (ENC-16)."""
    kind = SUCCESSOR if read.get("type") == "supersede" and value != {} else NOTHING
    return kind(value, where)


EVENT = schema.members("kev/1", [
    ("kid", schema.kid), ("seq", schema.integer(1, 16)), ("prev", schema.binary(32)),
    ("type", schema.one_of("supersede", "tombstone")), ("at", schema.integer()),
    ("data", _data), ("sig", schema.binary(1, 1024))])
REVOCATION = schema.members("rev/1", [
    ("kid", schema.kid), ("fp", schema.binary(32)), ("sig", schema.binary(1, 1024))])
CARD = schema.members("card/1", [
    ("kid", schema.kid), ("cseq", schema.integer(1)), ("salt?", schema.binary(16)),
    ("name?", _plain(CONTROL)), ("email?", _plain(CONTROL)), ("org?", _plain(CONTROL)),
    ("desc?", _plain(CONTROL_BUT_LF)), ("sig", schema.binary(1, 1024))])
STUB = schema.members("cardstub/1", [
    ("kid", schema.kid), ("cseq", schema.integer(1)), ("hash", schema.binary(32)),
    ("sig", schema.binary(1, 1024))])


def _sized(value, limit: int, where: str) -> None:
    require(isinstance(value, dict), "schema", where)
    require(len(encoding.encode(value)) <= limit, "object_too_large", where)


def event_hash(value: dict) -> bytes:
    return crypto.sha256(b"AMS-EVENT/1\0" + keys.unsigned(value))


class Event:
    def __init__(self, value: dict, fields: dict):
        self.value, self.fields, self.hash = value, fields, event_hash(value)
        self.seq, self.prev, self.at = fields["seq"], fields["prev"], fields["at"]
        self.type, self.successor = fields["type"], None


def verify_event(value, key: keys.Key) -> Event:
    """KEV-4 on a decoded event."""
    _sized(value, EVENT_MAX, "event")
    fields = EVENT(value, "event")
    event = Event(value, fields)
    if fields["data"]:
        event.successor = (fields["data"]["kid"], fields["data"]["fp"])
        kid, fp = event.successor
        require(keys.kid_of(fp) == kid, "kid_mismatch", "event.data.kid")
        require(fp != key.fp, "schema", "event.data.own")
    require(fields["kid"] == key.kid, "kid_mismatch", "event.kid")
    key.check_object(value, fields["sig"], "event.sig")
    return event


def verify_revocation(value, key: keys.Key) -> None:
    """REV-2."""
    _sized(value, REVOCATION_MAX, "revocation")
    fields = REVOCATION(value, "revocation")
    require(fields["kid"] == key.kid, "kid_mismatch", "revocation.kid")
    require(fields["fp"] == key.fp, "fp_mismatch", "revocation.fp")
    key.check_object(value, fields["sig"], "revocation.sig")


def verify_card(value, key: keys.Key) -> tuple:
    """CRD-5: (cseq, erased, hash, dropped, value)."""
    _sized(value, CARD_MAX, "card")
    fields = CARD(value, "card")
    erased = not any(name in fields for name in keys.PERSONAL)
    require(("salt" in fields) != erased, "schema", "card.salt.use")
    require(fields["kid"] == key.kid, "kid_mismatch", "card.kid")
    key.check_object(value, fields["sig"], "card.sig")
    return fields["cseq"], erased, keys.card_hash(value), False, value


def verify_stub(value, key: keys.Key) -> tuple:
    """CRD-8, as verify_card."""
    _sized(value, CARD_MAX, "cardstub")
    fields = STUB(value, "cardstub")
    require(fields["hash"] != bytes(32), "schema", "cardstub.hash.erased")
    require(fields["kid"] == key.kid, "kid_mismatch", "cardstub.kid")
    key.check_object(value, fields["sig"], "cardstub.sig")
    return fields["cseq"], False, fields["hash"], True, value


def _rank(card: tuple) -> tuple:
    """CRD-4, CRD-9: the greatest is held."""
    cseq, erased, digest, dropped, _ = card
    return cseq, erased, -int.from_bytes(digest, "big"), not dropped


class Entry:
    """What is held under one kid, as sets; KEV-6 is applied when it is asked."""

    def __init__(self, key: keys.Key):
        self.key = key
        self.tree = {key.fp: None}  # hash of an event taken -> the event
        self.revocation, self.card = None, NO_CARD

    def add(self, value) -> None:
        tag = value.get("ams") if isinstance(value, dict) else None
        if tag == "key/1":  # another fp under this kid cannot be made (KEY-6)
            keys.verify_key(value, self.key.kid)
        elif tag == "kev/1":
            self._add_event(verify_event(value, self.key))
        elif tag == "rev/1":
            verify_revocation(value, self.key)
            self.revocation = value
        elif tag in ("card/1", "cardstub/1"):
            card = (verify_card if tag == "card/1" else verify_stub)(value, self.key)
            if _rank(card)[:3] != _rank(self.card)[:3]:
                require(_rank(card) > _rank(self.card), "card_stale", "card.cseq")
            self.card = max(card, self.card, key=_rank)
        else:
            fail("unknown_ams_tag" if isinstance(tag, str) else "schema", "entry")

    def _add_event(self, event: Event) -> None:
        held = {self.key.fp: 0, **{e.hash: e.seq for e in self.chain()}}
        rooted = held.get(event.prev) == event.seq - 1
        require(rooted, "event_chain", "event.prev")
        before = self.tree.get(event.prev)
        if before:
            require(before.type != "tombstone", "event_chain", "event.type")
            require(before.at <= event.at, "event_chain", "event.at")
        self.tree[event.hash] = event

    def chain(self) -> list:
        """KEV-6: what is kept, by seq, then hash."""
        out, every = [], [event for event in self.tree.values() if event]
        for seq in range(1, 17):
            same = sorted((e for e in every if e.seq == seq), key=lambda event: event.hash)
            out += same[:2]
            if len(same) != 1:
                break
        return out

    def state(self) -> str:
        chain = self.chain()
        if self.revocation:
            return "revoked"
        if len(chain) > 1 and chain[-1].seq == chain[-2].seq:
            return "conflict"
        if not chain:
            return "active"
        return "retired" if chain[-1].type == "tombstone" else "superseded"

    def usable(self) -> None:
        """KEV-7."""
        state = self.state()
        for bad in ("revoked", "conflict", "retired"):
            require(state != bad, "key_" + bad, "entry." + bad)

    def value(self) -> bytes:
        """DIR-8."""
        chain = self.chain()
        last = chain[-1].seq if chain else 0
        heads = [event.hash for event in chain if event.seq == last]
        cseq, _, digest, _, _ = self.card
        return crypto.sha256(b"AMS-ENTRY/1\0" + bytes([1]) + self.key.fp +
                             bytes([last, len(heads)]) + b"".join(heads) +
                             bytes([1 if self.revocation else 0]) + cseq.to_bytes(8, "big") +
                             digest)

    def shown(self) -> dict:
        out = {"state": self.state(), "value": b64(self.value())}
        chain = self.chain()
        if out["state"] == "superseded" and chain[-1].successor:
            out["successor"] = chain[-1].successor[0]
        return out
