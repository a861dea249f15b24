"""The ops of the codec adapter (vectors/README.md): args in, a result or AmsError out."""
from . import crypto, encoding, frames, keys, lineage, mail, message, vrf
from .encoding import b64
from .errors import AmsError


def _bytes(args: dict, name: str) -> bytes:
    raw = encoding.unb64(args[name]) if isinstance(args.get(name), str) else None
    if raw is None:
        raise TypeError(f"args.{name}: no base64url")  # the request's fault, no verdict
    return raw


def _object(args: dict, name: str):
    return encoding.decode(_bytes(args, name))


def _fp(args: dict, name: str):
    return _bytes(args, name) if name in args else None


def _chain(args: dict, domain: str = None) -> keys.Chain:
    return keys.verify_chain(_object(args, "chain_b64"), domain or args["domain"],
                             args["root_kid"], _bytes(args, "root_fp"))


def hello(_args):
    return {"impl": "ams-py", "version": "0.1", "roles": ["codec"],
            "spec_versions": ["0.1"], "ops": sorted(OPS)}


def codec_decode(args):
    return {"canonical_b64": b64(encoding.encode(_object(args, "raw_b64")))}



def frame_parse(args):
    frame = frames.parse(_bytes(args, "raw_b64"))
    if frame is None:
        return {"more": True}
    return {"kind": frame[0], "payload_b64": b64(frame[1]), "consumed": frame[2]}


def payload_shape(args):
    return {"shape": frames.shape(_bytes(args, "raw_b64"))}


def key_verify(args):
    key = keys.verify_key(_object(args, "raw_b64"), args.get("kid"), _fp(args, "fp"))
    return {"kid": key.kid, "fp": b64(key.fp)}


def key_usable(args):
    key = keys.verify_key(_object(args, "raw_b64"))
    keys.usable(key, args["now"])
    return {"kid": key.kid, "fp": b64(key.fp)}


def domain_verify(args):
    chain = _chain(args)
    policy = chain.record["policy"]
    if "now" in args:
        policy = keys.in_force(policy, args["now"])
    return {"domain": chain.domain, "op_kid": chain.op.kid, "policy": policy["mode"],
            "seq": chain.record["seq"]}


def binding_verify(args):
    chain = _chain(args)
    fields = keys.verify_binding(_object(args, "raw_b64"), chain)
    return {"addr": fields["addr"], "kid": fields["kid"], "fp": b64(fields["fp"]),
            "version": fields["version"], "custody": fields["custody"]}


def recipient_judge(args):
    chain = _chain(args)
    binding = keys.verify_binding(_object(args, "raw_b64"), chain)
    key = keys.verify_key(_object(args, "key_b64"), binding["kid"], binding["fp"])
    to = keys.judge_recipient(binding, key, chain, args["now"])
    return {"policy": keys.in_force(chain.record["policy"], args["now"])["mode"],
            "custody": binding["custody"], "kid": to["kid"], "fp": b64(to["fp"])}


def _key(args):
    return keys.verify_key(_object(args, "record_b64"))


def event_verify(args):
    event = lineage.verify_event(_object(args, "raw_b64"), _key(args))
    return {"seq": event.seq, "type": event.type, "hash": b64(event.hash)}


def revocation_verify(args):
    key = _key(args)
    lineage.verify_revocation(_object(args, "raw_b64"), key)
    return {"kid": key.kid}


def card_verify(args):
    cseq, erased, digest, _ = lineage.verify_card(_object(args, "raw_b64"), _key(args))
    return {"cseq": cseq, "erased": erased, "hash": b64(digest)}


def _entry(args) -> lineage.Entry:
    entry = lineage.Entry(_key(args))
    for text in args["objects_b64"]:
        entry.add(encoding.decode(encoding.unb64(text)))
    return entry


def entry_judge(args):
    return _entry(args).shown()


def entry_usable(args):
    entry = _entry(args)
    entry.usable()
    return entry.shown()


def header_judge(args):
    value, fields = message.judge_header(_bytes(args, "header_b64"))
    message.judge_times(fields, args["now"])
    return {"ehash_b64": b64(message.ehash(value)), "h0_b64": b64(message.header_hash(value))}


def _opened(args) -> message.Opened:
    own = keys.verify_key(_object(args, "own_record_b64"))
    return message.open_header(_bytes(args, "header_b64"), _bytes(args, "asig_b64"),
                               _bytes(args, "stanzas_b64"), own, _bytes(args, "own_private_b64"),
                               _bytes(args, "sender_record_b64"))


def _shown(letter: dict) -> dict:
    return {"mid": letter["mid"], "from": letter["from"]["addr"], "date": letter["date"],
            "subject": letter["subject"]}


def message_open(args):
    opened = _opened(args)
    chain = _chain(args, opened.fields["sdom"])
    return _shown(message.open_body(opened, _bytes(args, "body_b64"), args["reader"], chain))


def attachment_open(args):
    return {"data_b64": b64(message.open_attachment(
        _bytes(args, "header_b64"), args["id"], args["size"], _bytes(args, "blob"),
        _bytes(args, "key_b64"), _bytes(args, "sealed_b64")))}


def head_open(args):
    opened = _opened(args)
    chain = _chain(args, opened.fields["sdom"])
    return _shown(message.open_head(opened, _bytes(args, "head_b64"), chain))


def vouch_verify(args):
    tags = [mail.rtag(_bytes(one, "salt_b64"), one["addr"]) for one in args["rcpts"]]
    chain = _chain(args)
    fields = mail.verify_vouch(_object(args, "raw_b64"), chain, _bytes(args, "header_b64"),
                               _bytes(args, "asig_b64"), args["rdom"], tags)
    return {"sdom": fields["sdom"], "rdom": fields["rdom"], "day": fields["day"]}


def receipt_verify(args):
    fields = mail.verify_receipt(_object(args, "raw_b64"), _chain(args))
    return {"accepted": fields["verdict"] == "accepted", "ehash": b64(fields["ehash"])}


def stream_open(args):
    plain = crypto.stream_open(args["aead"], _bytes(args, "key_b64"), _bytes(args, "context_b64"),
                               _bytes(args, "sealed_b64"))
    return {"plain_b64": b64(plain)}


def vrf_verify(args):
    return {"beta_b64": b64(vrf.verify(_bytes(args, "public_b64"), _bytes(args, "alpha_b64"),
                                       _bytes(args, "proof_b64")))}


OPS = {
    "hello": hello,
    "codec.decode": codec_decode,
    "frame.parse": frame_parse,
    "payload.shape": payload_shape,
    "key.verify": key_verify,
    "key.usable": key_usable,
    "domain.verify": domain_verify,
    "binding.verify": binding_verify,
    "event.verify": event_verify,
    "revocation.verify": revocation_verify,
    "card.verify": card_verify,
    "entry.judge": entry_judge,
    "entry.usable": entry_usable,
    "recipient.judge": recipient_judge,
    "header.judge": header_judge,
    "message.open": message_open,
    "head.open": head_open,
    "vouch.verify": vouch_verify,
    "receipt.verify": receipt_verify,
    "attachment.open": attachment_open,
    "stream.open": stream_open,
    "vrf.verify": vrf_verify,
}


def run(op: str, args: dict) -> dict:
    if op not in OPS:
        raise AmsError("unsupported", "op")
    return OPS[op](args)
