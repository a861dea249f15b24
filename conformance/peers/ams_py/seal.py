"""Sealing a message from fixed draws, with hooks at every stage so that one thing can be made wrong
while all around it stays right (the vectors need just that)."""
import copy
import hashlib

from . import crypto, encoding, keys, message
from .encoding import b64


class Draws:
    """A stream of bytes that is a function of its label."""

    def __init__(self, label: str):
        self.label, self.count = label.encode(), 0

    def take(self, length: int) -> bytes:
        self.count += 1
        return hashlib.shake_256(self.label + b"\0" + self.count.to_bytes(4, "big")).digest(length)


def _same(value):
    return value


class Hooks:
    """Each is a function of what is made at that stage and returns what is used instead."""

    STAGES = ("letter", "leaves", "fc", "header", "content_key", "info", "stanza", "stanzas",
              "plain", "body", "head_plain", "head", "named", "asig")

    def __init__(self, **changes):
        assert set(changes) <= set(self.STAGES), changes
        for stage in self.STAGES:
            setattr(self, stage, changes.get(stage, _same))


def wrap(value, aead, content_key, record, draws, ephemeral, hooks) -> dict:
    """One stanza for a key record (value, not verified), MSG-15 and MSG-16."""
    fp = keys.fingerprint(record)
    kid, recipient = keys.kid_of(fp), encoding.unb64(record["ek"])
    stanza = {"kid": kid, "fp": b64(fp)}
    if record["kem"] == "x25519":
        epk = crypto.x25519_public(ephemeral)
        shared = crypto.dhkem_shared(ephemeral, recipient, epk, recipient)
    else:
        z = draws.take(len(recipient))
        z = bytes([z[0] & 0x7F]) + z[1:]  # below every modulus with its top bit set
        enc, shared = crypto.rsakem_encap(recipient, z)
        stanza["enc"] = b64(enc)
    info = hooks.info(message.stanza_info(message.header_hash(value), kid, fp))
    key, nonce = crypto.key_schedule(record["kem"], aead, shared, info)
    stanza["wk"] = b64(crypto.aead_seal(aead, key, nonce, content_key))
    return hooks.stanza(stanza)


def seal(letter: dict, sender, recipients: list, draws: Draws, hooks: Hooks = None, ts: int = 0,
         aead: str = "a256gcm", blobs: list = ()) -> dict:
    """{header, asig, stanzas, body, head} in bytes. sender has record, domain and sign(text)."""
    hooks = hooks or Hooks()
    honest, letter = letter, hooks.letter(copy.deepcopy(letter))
    try:
        leaves, fk = message.leaves_of(letter), encoding.unb64(letter["fk"]) or bytes(32)
    except (AttributeError, KeyError, TypeError):  # a letter that is none has no leaves
        leaves, fk = message.leaves_of(honest), encoding.unb64(honest["fk"])
    fp = keys.fingerprint(sender.record)
    ephemeral, content_key = draws.take(32), draws.take(32)
    value = {"ams": "env/1", "id": b64(draws.take(16)), "aead": aead, "skid": keys.kid_of(fp),
             "sfp": b64(fp), "sdom": sender.domain, "ts": ts, "exp": ts + message.SEVEN_DAYS,
             "leaves": hooks.leaves(len(leaves)), "fc": b64(hooks.fc(message.franking(leaves, fk)))}
    if any(record["kem"] == "x25519" for record in recipients):
        value["epk"] = b64(crypto.x25519_public(ephemeral))
    value = hooks.header(value)
    used = aead if value.get("aead") not in crypto.AEADS else value["aead"]
    h0 = message.header_hash(value)
    key = hooks.content_key(content_key)
    stanzas = hooks.stanzas([wrap(value, used, key, record, draws, ephemeral, hooks)
                             for record in recipients])
    plain = hooks.plain(crypto.layout(encoding.encode(letter)))
    body = hooks.body(crypto.stream_seal(used, content_key, b"AMS1-BODY" + h0, plain,
                                         draws.take(24)))
    head_key = crypto.hkdf(b"", content_key, b"AMS1-HEAD", 32)
    head_plain = hooks.head_plain(crypto.layout(leaves[0]))
    head = hooks.head(crypto.stream_seal(used, head_key, b"AMS1-HEAD" + h0, head_plain,
                                         draws.take(24)))
    value = hooks.named({**value, "body": {
        "len": len(body), "hash": b64(crypto.sha256(body)),
        "head": {"len": len(head), "hash": b64(crypto.sha256(head))},
        "blobs": sorted(b64(blob) for blob in blobs)}})
    asig = hooks.asig(sender.sign(crypto.signed_text("env/1", message.ehash(value))))
    return {"header": encoding.encode(value), "asig": asig, "stanzas": encoding.encode(stanzas),
            "body": body, "head": head}
