"""Header, stanzas, body and letter (spec MSG): opening, with the checks in the order of MSG-29."""
import uuid

from . import bindlog, crypto, encoding, keys, schema
from .errors import answered_with, fail, require
from .keys import DAY

SEVEN_DAYS = 7 * DAY
CLOCK_TOLERANCE = 10 * 60_000  # ms, MSG-6
STANZAS_MAX = 100
LEAVES_MAX = 1025
BLOBS_MAX = 512
PROOF_MAX = 32_768  # MSG-37

HASH = schema.binary(32)


def aead_name(value, where):
    value = schema.text()(value, where)
    require(value in crypto.AEADS, "unknown_algorithm", where)
    return value


HEADER = schema.members("env/1", [
    ("id", schema.binary(16)), ("aead", aead_name), ("skid", schema.kid), ("sfp", HASH),
    ("sdom", schema.domain), ("ts", schema.integer()), ("exp", schema.integer()),
    ("epk?", schema.binary(32)), ("leaves", schema.integer(1, LEAVES_MAX)), ("fc", HASH),
    ("body", schema.members(None, [
        ("len", schema.integer()), ("hash", HASH),
        ("head", schema.members(None, [("len", schema.integer()), ("hash", HASH)])),
        ("blobs", schema.array(HASH, 0, BLOBS_MAX, ascending=True))]))])
STANZA = schema.members(None, [("kid", schema.kid), ("fp", HASH), ("wk", schema.binary(48)),
                               ("enc?", schema.binary(1, 1024))])
STANZAS = schema.array(STANZA, 1, STANZAS_MAX, code="too_many_stanzas")
FROM = schema.members(None, [("addr", schema.address), ("kid", schema.kid), ("fp", HASH),
                             ("binding", schema.any_object)])
PART = schema.members(None, [("type", schema.text(255)), ("text", schema.text(1 << 26))])


def _leaf0(deliver_to_min: int) -> list:
    def addresses(low=0):
        return schema.array(schema.address, low, 1024)
    return [("mid", schema.binary(16)), ("from", FROM), ("deliver_to", addresses(deliver_to_min)),
            ("to", addresses()), ("cc", addresses()), ("date", schema.integer()),
            ("subject", schema.text(4096)), ("in_reply_to?", schema.binary(16)),
            ("thread?", schema.binary(16)), ("reply_to_addr?", schema.address)]


HEAD = schema.members("letter/1", _leaf0(0))


def _attachments(value, where):
    places = iter(range(512))

    def attachment(item, its):
        place = next(places)  # its id, and judged where id is (ENC-16)
        return schema.members(None, [
            ("id", schema.integer(place, place)), ("name", schema.text(1024)),
            ("type", schema.text(255)), ("size", schema.integer()), ("blob", HASH),
            ("key", schema.binary(32))])(item, its)
    return schema.array(attachment, 0, 512)(value, where)


LETTER = schema.members("letter/1", _leaf0(1) + [
    ("parts", schema.array(PART, 0, 512)), ("att", _attachments), ("proof?", schema.any_object),
    ("fk", schema.binary(32))])


LEAFLESS = ("fk", "parts", "att", "proof")  # of a letter, not in leaf 0


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


# --- franking, MSG-24 and MSG-25 ---

def leaves_of(letter: dict) -> list:
    head = {name: item for name, item in letter.items() if name not in LEAFLESS}
    files = [{name: item for name, item in file.items() if name != "key"} for file in letter["att"]]
    return [encoding.encode(leaf) for leaf in [head] + letter["parts"] + files]


def leaf_key(fk: bytes, index: int) -> bytes:
    return crypto.hkdf(b"", fk, b"AMS-FRANK" + u32(index), 32)


def committed(key: bytes, index: int, leaf: bytes) -> bytes:
    """The data of a leaf of the tree."""
    return crypto.mac(key, u32(index) + len(leaf).to_bytes(8, "big") + leaf)


def leaf_data(leaves: list, fk: bytes) -> list:
    return [committed(leaf_key(fk, i), i, leaf) for i, leaf in enumerate(leaves)]


def franking(leaves: list, fk: bytes) -> bytes:
    return crypto.merkle_root(leaf_data(leaves, fk))


# --- header ---

def header_hash(header: dict) -> bytes:
    """h0, MSG-3."""
    return crypto.sha256(encoding.encode({n: v for n, v in header.items() if n != "body"}))


def ehash(header: dict) -> bytes:
    return crypto.sha256(encoding.encode(header))


def stanza_info(h0: bytes, kid: str, fp: bytes) -> bytes:
    return b"AMS1" + h0 + uuid.UUID(kid).bytes + fp


def judge_header(raw: bytes) -> tuple:
    """(value, fields) of a header: members and the times' order, not whether it is in force."""
    value = encoding.decode(raw)
    fields = HEADER(value, "header")
    require(0 < fields["exp"] - fields["ts"] <= SEVEN_DAYS, "expired", "header.exp")
    return value, fields


def judge_times(fields: dict, now: int) -> None:
    """What a server adds, MSG-6."""
    require(fields["exp"] > now, "expired", "header.now")
    require(fields["ts"] <= now + CLOCK_TOLERANCE, "not_yet_valid", "header.now")


class Opened:
    """A header that is signed and a content key that unwrapped."""

    def __init__(self, value, fields, content_key):
        self.value, self.fields, self.content_key = value, fields, content_key
        self.h0 = header_hash(value)


def open_header(header: bytes, asig: bytes, stanzas: bytes, own: keys.Key, private: bytes,
                sender: bytes) -> Opened:
    value, fields = judge_header(header)
    sender_key = keys.verify_key(encoding.decode(sender), fields["skid"], fields["sfp"], "sender")
    sender_key.check("env/1", ehash(value), asig, "asig")
    listed = STANZAS(encoding.decode(stanzas), "stanzas")
    stanza = own_stanza(listed, own)
    return Opened(value, fields, unwrap(header_hash(value), fields, stanza, own, private))


def own_stanza(listed: list, own: keys.Key) -> dict:
    """MSG-19."""
    mine = [one for one in listed if (one["kid"], one["fp"]) == (own.kid, own.fp)]
    if not mine:
        fail("no_stanza", "stanzas")
        mine = listed
    return mine[0]


def unwrap(h0: bytes, fields, stanza, own: keys.Key, private: bytes) -> bytes:
    """The content key; fields: the header's aead and epk."""
    is_rsa = own.kem != "x25519"
    require(("enc" in stanza) == is_rsa, "algorithm_mix", "stanza.enc")
    if is_rsa:
        shared = crypto.rsakem_decap(private, stanza.get("enc", b""))
    else:
        require("epk" in fields, "algorithm_mix", "header.epk")
        epk = fields.get("epk", b"")
        shared = crypto.dhkem_shared(private, epk, epk, own.ek)
    if shared is None:
        fail("unwrap", "stanza.kem")
        shared = bytes(32)
    info = stanza_info(h0, stanza["kid"], stanza["fp"])
    key, nonce = crypto.key_schedule(own.kem, fields["aead"], shared, info)
    return crypto.aead_open(fields["aead"], key, nonce, stanza["wk"], "unwrap", "stanza.wk")


def open_blob(opened: Opened, named: dict, sealed: bytes, key: bytes, label: bytes, where: str):
    """The decoded object of a sealed body or head."""
    require(len(sealed) == named["len"], "blob_hash", where + ".len")
    require(crypto.sha256(sealed) == named["hash"], "blob_hash", where + ".hash")
    plain = crypto.stream_open(opened.fields["aead"], key, label + opened.h0, sealed, where)
    return encoding.decode(crypto.layout_open(plain, where))


def open_head(opened: Opened, sealed: bytes, chain: keys.Chain) -> dict:
    """Leaf 0, MSG-22 and MSG-32."""
    key = crypto.hkdf(b"", opened.content_key, b"AMS1-HEAD", 32)
    value = open_blob(opened, opened.fields["body"]["head"], sealed, key, b"AMS1-HEAD", "head")
    judged = HEAD(value, "letter")
    judge_from(judged["from"], opened.fields, chain)
    return value


def open_attachment(header: bytes, number: int, size: int, blob: bytes, key: bytes, sealed: bytes):
    """MSG-23. number, size, blob and key are those of the letter's attachment."""
    fields = judge_header(header)[1]
    require(crypto.sha256(sealed) == blob, "blob_hash", "attachment")
    plain = crypto.stream_open(fields["aead"], key, b"AMS1-ATT" + fields["id"] + u32(number),
                               sealed,
                               "attachment")
    content = crypto.layout_open(plain, "attachment", prefix=8)
    require(len(content) == size, "body_layout", "attachment.size")
    return content


def open_body(opened: Opened, sealed: bytes, reader: str, chain: keys.Chain) -> dict:
    """The letter; every check of MSG-29 from the body's length on."""
    fields = opened.fields
    letter = open_blob(opened, fields["body"], sealed, opened.content_key, b"AMS1-BODY", "body")
    judged = LETTER(letter, "letter")
    leaves = leaves_of(letter)
    require(len(leaves) == fields["leaves"], "leaf_count", "header.leaves")
    require(franking(leaves, judged["fk"]) == fields["fc"], "franking", "header.fc")
    require({item["blob"] for item in judged["att"]} == set(fields["body"]["blobs"]),
            "blob_set", "header.blobs")
    judge_from(judged["from"], fields, chain)
    judge_proof(judged, fields, chain)
    require(reader in judged["deliver_to"] or reader == judged["from"]["addr"],
            "deliver_to", "letter.deliver_to")
    return letter


def judge_from(sender: dict, fields: dict, chain: keys.Chain) -> None:
    """MSG-27 and MSG-31."""
    with answered_with("from_binding"):
        require(sender["addr"].rpartition("@")[2] == fields["sdom"], "from_binding", "from.domain")
        require((sender["kid"], sender["fp"]) == (fields["skid"], fields["sfp"]), "from_binding",
                "from.key")
        binding = keys.verify_binding(sender["binding"], chain, "from.binding")
        require(binding["addr"] == sender["addr"], "from_binding", "from.binding.addr")
        require((binding["kid"], binding["fp"]) == (sender["kid"], sender["fp"]), "from_binding",
                "from.binding.key")


def judge_proof(letter: dict, fields: dict, chain: keys.Chain) -> None:
    """MSG-37 and MSG-38."""
    if "vrf_key" not in chain.record:
        return
    with answered_with("from_proof"):
        require("proof" in letter, "from_proof", "letter.proof")
        proof, said = letter.get("proof", {}), letter["from"]["binding"]
        require(len(encoding.encode(proof)) <= PROOF_MAX, "from_proof", "letter.proof.size")
        log = bindlog.Identity(chain.domain, chain.record["vrf_key"], chain.record["log_key"])
        proven = bindlog.verify_proof(proof, letter["from"]["addr"], log)
        proven.head.holds(fields["ts"])
        require(proven.entry is not None and proven.entry["type"] == "key", "from_proof",
                "letter.proof.entry")
        shown = proven.entry["value"]
        for name in ("version", "kid", "fp", "custody", "enc"):
            require(shown.get(name) == said.get(name), "from_proof", "letter.proof." + name)
