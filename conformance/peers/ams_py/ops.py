"""The ops of the codec adapter (vectors/README.md): args in, a result or AmsError out."""
from . import (bindlog, container, crypto, encoding, franking, frames, keyfile, keys, keystore,
               lineage, mail, message, ops_directory, ops_verifiable, schema, vrf)
from .args import octets as _bytes
from .args import text as _text
from .args import value as _object
from .encoding import b64
from .errors import AmsError, require


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


def codec_canonicalise(args):
    return {"canonical_b64": b64(encoding.canonicalise(_bytes(args, "raw_b64")))}


def address_parse(args):
    local, domain = schema.parse_address(_text(args, "addr"))
    return {"local": local, "domain": domain}


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
    cseq, erased, digest, _, _ = lineage.verify_card(_object(args, "raw_b64"), _key(args))
    return {"cseq": cseq, "erased": erased, "hash": b64(digest)}


def card_stub_verify(args):
    cseq, _, digest, _, _ = lineage.verify_stub(_object(args, "raw_b64"), _key(args))
    return {"cseq": cseq, "hash": b64(digest)}


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


def letter_judge(args):
    letter = _object(args, "raw_b64")
    fields = message.LETTER(letter, "letter")
    leaves = message.leaves_of(letter)
    return {"mid": letter["mid"], "leaves": len(leaves),
            "fc_b64": b64(message.franking(leaves, fields["fk"]))}


def stanza_unwrap(args):
    own = keys.verify_key(_object(args, "own_record_b64"))
    stanzas = message.STANZAS(_object(args, "stanzas_b64"), "stanzas")
    fields = {"aead": message.aead_name(args["aead"], "aead")}
    if "epk_b64" in args:
        fields["epk"] = _bytes(args, "epk_b64")
    key = message.unwrap(_bytes(args, "h0_b64"), fields, message.own_stanza(stanzas, own), own,
                         _bytes(args, "own_private_b64"))
    return {"key_b64": b64(key)}


def franking_make(args):
    return {"opening_b64": b64(encoding.encode(
        franking.make(_object(args, "letter_b64"), args["index"])))}


def franking_open(args):
    fields = franking.verify(_object(args, "raw_b64"), args["leaves"], _bytes(args, "fc_b64"))
    return {"index": fields["i"], "leaf_b64": b64(fields["leaf"])}


def container_open(args):
    own = keys.verify_key(_object(args, "own_record_b64"))
    sender = None
    if "sender_record_b64" in args:
        sender = keys.verify_key(_object(args, "sender_record_b64"))
    fields, plain = container.read(_bytes(args, "container_b64"), own,
                                   _bytes(args, "own_private_b64"), sender, args["now"])
    return {"plain_b64": b64(plain), "skid": fields["skid"], "ts": fields["ts"]}


def notice_verify(args):
    fields = mail.verify_notice(_object(args, "raw_b64"), _chain(args))
    return {"failed": fields["verdict"] == "failed", "code": fields["code"],
            "addr": fields["addr"]}


def keyfile_contents(args):
    return keyfile.contents(_bytes(args, "plain_b64"))


def keyfile_open(args):
    return keyfile.open_file(_bytes(args, "file_b64"), _bytes(args, "passphrase_b64"))


def fingerprint_words(args):
    fp = _bytes(args, "fp_b64")
    return {"words": keyfile.words_of(fp), "code": keyfile.code_of(fp)}


def fingerprint_read(args):
    return {"bytes_b64": b64(keyfile.read_words(_text(args, "text")))}


def sig_verify(args):
    alg, public = _text(args, "alg"), _bytes(args, "public_b64")
    text, signature = _bytes(args, "text_b64"), _bytes(args, "sig_b64")
    require(alg in crypto.SIG_ALGS, "unknown_algorithm", "sig.alg")
    require(crypto.key_is_valid(alg, public), "key_material", "sig.public")
    require(crypto.signature_is_valid(alg, public, signature, text), "signature", "sig.verify")
    return {"verified": True}


def sig_sign(args):
    private, text = _bytes(args, "private_b64"), _bytes(args, "text_b64")
    if len(private) != 32:
        raise TypeError("args.private_b64: no Ed25519 seed")
    return {"public_b64": b64(crypto.ed25519_public(private)),
            "sig_b64": b64(crypto.sign_ed25519(private, text))}


def _names(args: dict) -> tuple:
    """(kem, aead), both of ALG-1."""
    kem, aead = _text(args, "kem"), _text(args, "aead")
    require(kem in crypto.KEMS, "unknown_algorithm", "hpke.kem")
    require(aead in crypto.AEADS, "unknown_algorithm", "hpke.aead")
    return kem, aead


def hpke_open(args):
    kem, aead = _names(args)
    return {"plain_b64": b64(crypto.hpke_open(
        kem, aead, _bytes(args, "private_b64"), _bytes(args, "enc_b64"), _bytes(args, "info_b64"),
        _bytes(args, "sealed_b64")))}


def hpke_seal(args):
    aead, public = _text(args, "aead"), _bytes(args, "public_b64")
    require(aead in crypto.AEADS, "unknown_algorithm", "hpke.aead")
    require(crypto.key_is_valid("x25519", public), "key_material", "hpke.public")
    enc, sealed = crypto.hpke_seal(aead, public, _bytes(args, "ephemeral_b64"),
                                   _bytes(args, "info_b64"), _bytes(args, "plain_b64"))
    return {"enc_b64": b64(enc), "sealed_b64": b64(sealed)}


def padme_size(args):
    return {"padded": crypto.padme(args["length"])}


def layout_open(args):
    return {"content_b64": b64(crypto.layout_open(_bytes(args, "plain_b64"), "layout",
                                                  args["prefix"]))}


def stream_seal(args):
    aead = _text(args, "aead")
    require(aead in crypto.AEADS, "unknown_algorithm", "stream")
    return {"sealed_b64": b64(crypto.stream_seal(
        aead, _bytes(args, "key_b64"), _bytes(args, "context_b64"), _bytes(args, "plain_b64"),
        _bytes(args, "salt_b64")))}


def stream_open(args):
    plain = crypto.stream_open(args["aead"], _bytes(args, "key_b64"), _bytes(args, "context_b64"),
                               _bytes(args, "sealed_b64"))
    return {"plain_b64": b64(plain)}


def vrf_verify(args):
    return {"beta_b64": b64(vrf.verify(_bytes(args, "public_b64"), _bytes(args, "alpha_b64"),
                                       _bytes(args, "proof_b64")))}


def _log(args) -> bindlog.Identity:
    witnesses = [(one["name"], _bytes(one, "key_b64")) for one in args.get("witnesses", [])]
    return bindlog.Identity(args["domain"], _bytes(args, "vrf_b64"), _bytes(args, "log_b64"),
                            witnesses, args.get("quorum", 0))


def bindentry_verify(args):
    entry = bindlog.entry(_object(args, "raw_b64"))
    if "before_b64" in args:
        before = bindlog.entry(_object(args, "before_b64"))
        key = keys.verify_key(_object(args, "record_b64"))
        value = bindlog.commitment(before, _bytes(args, "before_r_b64"))
        bindlog.endorsed(entry, before, value, key)
    out = {"type": entry["type"], "version": entry["version"]}
    if "r_b64" in args:
        out["value_b64"] = b64(bindlog.commitment(entry, _bytes(args, "r_b64")))
    return out


def bindproof_verify(args):
    proven = bindlog.verify_proof(_object(args, "raw_b64"), args["addr"], _log(args))
    proven.head.holds(args["now"])
    if proven.entry is None:
        return {"bound": False}
    return {"bound": True, "type": proven.entry["type"], "version": proven.entry["version"],
            "kid": proven.entry["kid"], "fp": b64(proven.entry["fp"])}


def bindhistory_verify(args):
    seen = bindlog.Seen()
    if "seen_size" in args:
        seen = bindlog.Seen(args["seen_size"], _bytes(args, "seen_root_b64"),
                            args["seen_version"], _bytes(args, "seen_value_b64"))
    items, complete, head = bindlog.verify_history(_object(args, "raw_b64"), args["addr"],
                                                   _log(args), seen)
    return {"versions": len(items), "last": items[-1]["entry"]["version"], "complete": complete,
            "size": head.size}


def bindlie_verify(args):
    return {"kind": bindlog.verify_lie(_object(args, "raw_b64"), _log(args),
                                       lambda: _chain(args))}


def keystore_request(args):
    value, fields = keystore.parse_request(_bytes(args, "raw_b64"))
    keystore.check_request_signature(value, fields)
    return {"op": fields["op"], "addr": fields["addr"]}


def keystore_capability(args):
    value = _object(args, "raw_b64")
    use = {"addr": args["addr"], "device": _bytes(args, "device_b64"), "kid": args["kid"],
           "purpose": args["purpose"]}
    keystore.check_capability(value, _bytes(args, "key_b64"), use, args["now"])
    return {"purpose": value["purpose"]}


def keystore_answer(args):
    own = keys.verify_key(_object(args, "record_b64")) if "record_b64" in args else None
    request = _bytes(args, "request_b64")
    keystore.judge_answer(request, _bytes(args, "raw_b64"), own)
    return {"op": keystore.parse_request(request)[1]["op"]}


def keystore_audit(args):
    size, head = keystore.follow_chain(0, bytes(32), _object(args, "raw_b64"))
    require((size, head) == (args["size"], _bytes(args, "head_b64")), "audit_chain", "head")
    return {"size": size}


OPS = {
    "hello": hello,
    "address.parse": address_parse,
    "attachment.open": attachment_open,
    "binding.verify": binding_verify,
    "card.verify": card_verify,
    "cardstub.verify": card_stub_verify,
    "codec.canonicalise": codec_canonicalise,
    "codec.decode": codec_decode,
    "container.open": container_open,
    "domain.verify": domain_verify,
    "entry.judge": entry_judge,
    "entry.usable": entry_usable,
    "event.verify": event_verify,
    "fingerprint.read": fingerprint_read,
    "fingerprint.words": fingerprint_words,
    "frame.parse": frame_parse,
    "franking.make": franking_make,
    "franking.open": franking_open,
    "head.open": head_open,
    "header.judge": header_judge,
    "hpke.open": hpke_open,
    "hpke.seal": hpke_seal,
    "key.usable": key_usable,
    "key.verify": key_verify,
    "keyfile.contents": keyfile_contents,
    "keyfile.open": keyfile_open,
    "layout.open": layout_open,
    "letter.judge": letter_judge,
    "message.open": message_open,
    "notice.verify": notice_verify,
    "padme.size": padme_size,
    "payload.shape": payload_shape,
    "receipt.verify": receipt_verify,
    "recipient.judge": recipient_judge,
    "revocation.verify": revocation_verify,
    "sig.sign": sig_sign,
    "sig.verify": sig_verify,
    "stanza.unwrap": stanza_unwrap,
    "stream.open": stream_open,
    "stream.seal": stream_seal,
    "vouch.verify": vouch_verify,
    "vrf.verify": vrf_verify,
    "keystore.answer": keystore_answer,
    "keystore.audit": keystore_audit,
    "keystore.capability": keystore_capability,
    "keystore.request": keystore_request,
    "bindentry.verify": bindentry_verify,
    "bindproof.verify": bindproof_verify,
    "bindhistory.verify": bindhistory_verify,
    "bindlie.verify": bindlie_verify,
    **ops_verifiable.OPS,
    **ops_directory.OPS,
}


def run(op: str, args: dict) -> dict:
    if op not in OPS:
        raise AmsError("unsupported", "op")
    return OPS[op](args)
