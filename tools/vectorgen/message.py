"""Headers, heads, streams, vouches (spec MSG, STR, VCH); opening letters: letters.py."""
from ams_py import crypto, keys, mail, message
from ams_py.encoding import b64, decode, encode, unb64
from ams_py.seal import Draws, Hooks

from . import letters
from .book import NOW_MS, File
from .faults import faults, raw, signature_faults
from .letters import args_of, drop, flip, sealed
from .world import ALICE, AWAY, BOB, CAROL, EVIL, HOME, MALLORY

FULL = crypto.CHUNK + crypto.TAG



def _header_args(value, now: int = NOW_MS) -> dict:
    return {"header_b64": b64(encode(value)), "now": now}


def _header_file() -> File:
    file = File("message/headers.json", "header.judge", "hdr")
    base = decode(sealed()["header"])

    def make(**changed):
        return {name: value for name, value in {**base, **changed}.items() if value is not None}
    good = file.group("valid")
    twin = good.valid("a header", _header_args(base), clauses=["MSG-1", "MSG-2", "MSG-3", "MSG-7"])
    good.valid("without epk", _header_args(make(epk=None)), clauses=["MSG-1"])
    good.valid("with the other AEAD", _header_args(make(aead="c20p1305")),
               clauses=["ALG-1", "MSG-1"])
    good.valid("1,025 leaves", _header_args(make(leaves=1025)), clauses=["MSG-1"])
    blobs = [b64(crypto.sha256(bytes([i % 256, i // 256]))) for i in range(513)]

    def with_body(**changed):
        return make(body={n: v for n, v in {**base["body"], **changed}.items() if v is not None})
    ordered = sorted(blobs, key=unb64)
    some = good.valid("512 blobs", _header_args(with_body(blobs=ordered[:512])), clauses=["MSG-2"])
    week = good.valid("seven days", _header_args(make(exp=base["ts"] + message.SEVEN_DAYS)),
                      clauses=["MSG-6"])
    short = good.valid("one millisecond", _header_args(make(ts=NOW_MS, exp=NOW_MS + 1)),
                       clauses=["MSG-6"])
    ahead = good.valid("ten minutes ahead", _header_args(make(ts=NOW_MS + 600_000)),
                       clauses=["MSG-6"])
    last = good.valid("a millisecond before exp", _header_args(base, base["exp"] - 1),
                      clauses=["MSG-6"])

    bad = file.group("members")
    faults(bad, make, _header_args, twin, {
        "id": "binary", "aead": "text", "skid": "kid", "sfp": "binary", "sdom": "domain",
        "ts": "integer",
        "exp": "integer", "leaves": "integer", "fc": "binary", "body": "array"})
    for leaves_count in (0, 1026):
        bad.invalid(f"{leaves_count} leaves", _header_args(make(leaves=leaves_count)), "schema",
                    twin, ["out_of_range"])
    for epk, what in ((b"x" * 31, "31 bytes"), (b"x" * 33, "33 bytes"), (b"", "no byte")):
        bad.invalid(f"epk of {what}", _header_args(make(epk=b64(epk))), "base64url", twin,
                    ["base64url"])
    for aead in ("none", "a128gcm", "A256GCM", "", "aes256gcm"):
        bad.invalid(f"aead {aead!r}", _header_args(make(aead=aead)), "unknown_algorithm", twin,
                    ["unknown_algorithm"])
    for name in ("len", "hash", "head", "blobs"):
        bad.invalid(f"body without {name}", _header_args(with_body(**{name: None})), "schema", twin,
                    ["missing_member"])
    for name, value in (("len", -1), ("len", "1"), ("head", []), ("blobs", {})):
        bad.invalid(f"body.{name} is {value!r}", _header_args(with_body(**{name: value})), "schema",
                    twin, ["wrong_type"])
    bad.invalid("body.hash of 31 bytes", _header_args(with_body(hash=b64(bytes(31)))), "base64url",
                twin, ["base64url"])
    bad.invalid("a member of body more", _header_args(with_body(zz=1)), "unknown_member", twin,
                ["unknown_member"])
    head = base["body"]["head"]
    bad.invalid("a member of head more", _header_args(with_body(head={**head, "zz": 1})),
                "unknown_member", twin, ["unknown_member"])
    bad.invalid("head without hash", _header_args(with_body(head={"len": 1})), "schema", twin,
                ["missing_member"])
    bad.invalid("blobs in the wrong order", _header_args(with_body(blobs=ordered[1::-1])), "schema",
                some, ["out_of_range"])
    bad.invalid("one blob twice", _header_args(with_body(blobs=[ordered[0]] * 2)), "schema", some,
                ["out_of_range"])
    bad.invalid("513 blobs", _header_args(with_body(blobs=ordered)), "object_too_large", some,
                ["object_too_large"])
    bad.invalid("a blob of 31 bytes", _header_args(with_body(blobs=[b64(bytes(31))])), "base64url",
                some, ["base64url"])
    bad.invalid("members in another order", {"header_b64": b64(b'{"id":1,"ams":"env/1"}'),
                                             "now": NOW_MS},
                "not_canonical", twin, ["member_order"])

    bad = file.group("times")
    ts = base["ts"]
    for exp, beside, what in ((ts, short, "exp is ts"), (ts - 1, short, "exp before ts"),
                              (ts + message.SEVEN_DAYS + 1, week,
                               "a millisecond above seven days")):
        bad.invalid(what, _header_args(make(exp=exp)), "expired", beside, ["header_times"])
    bad.invalid("now is exp", _header_args(base, base["exp"]), "expired", last, ["header_times"])
    bad.invalid("a day after exp", _header_args(base, base["exp"] + keys.DAY), "expired", last,
                ["header_times"])
    for more in (600_001, keys.DAY):
        bad.invalid(f"ts {more} ms ahead", _header_args(make(ts=NOW_MS + more)), "not_yet_valid",
                    ahead, ["header_times"])
    return file


def stream_file() -> File:
    file = File("message/streams.json", "stream.open", "str")
    key, salt = Draws("stream").take(32), Draws("salt").take(24)
    context = b"AMS1-BODY" + bytes(32)

    def args(stream, aead="a256gcm", **changed):
        return {"aead": aead, "key_b64": b64(key), "context_b64": b64(context),
                "sealed_b64": b64(stream), **changed}

    def seal(length, aead="a256gcm"):
        return crypto.stream_seal(aead, key, context, Draws(f"plain {length}").take(length), salt)
    good, ids = file.group("valid"), {}
    for aead in ("a256gcm", "c20p1305"):
        for length in (0, 1, 16, 16383, 16384, 16385):
            ids[aead, length] = good.valid(f"{length} bytes with {aead}",
                                           args(seal(length, aead), aead),
                                           clauses=["STR-1", "STR-2", "ALG-1"])
    three = seal(2 * 16384 + 5)
    ids["three"] = good.valid("three chunks", args(three), clauses=["STR-2"])
    head, chunks = three[:56], [three[56 + i * FULL:56 + (i + 1) * FULL] for i in range(3)]

    bad, small, beside = file.group("truncated"), seal(16), ids["a256gcm", 16]
    for length in (0, 1, 24, 55, 56, 71):
        bad.invalid(f"{length} bytes", args(small[:length]), "stream_truncated", beside,
                    ["truncation"])
    two = seal(16385)
    for cut, what in ((FULL, "the last chunk is gone"), (FULL + 1, "one byte of the last chunk"),
                      (FULL + 15, "fifteen bytes of the last chunk")):
        bad.invalid(what, args(two[:56 + cut]), "stream_truncated", ids["a256gcm", 16385],
                    ["truncation"], importance="critical")
    full = seal(16384)
    bad.invalid("an empty last chunk is gone", args(full[:56 + FULL]), "stream_truncated",
                ids["a256gcm", 16384],
                ["truncation"], importance="critical")
    bad.invalid("cut within the last chunk", args(two[:-1] if len(two) > 88 else two), "chunk",
                ids["a256gcm", 16385], ["truncation"])
    bad.invalid("cut within the first chunk", args(two[:5000]), "chunk", ids["a256gcm", 16385],
                ["truncation"])

    bad = file.group("chunks")
    for order, what in (((1, 0, 2), "two chunks exchanged"), ((0, 0, 2), "one chunk twice"),
                        ((1, 2), "the first chunk gone"),
                        ((0, 2), "the second chunk gone"), ((0, 1, 1, 2), "one chunk more")):
        bad.invalid(what, args(head + b"".join(chunks[i] for i in order)), "chunk", ids["three"],
                    ["chunk_order"],
                    importance="critical")
    bad.invalid("one byte more", args(small + b"\0"), "chunk", beside, ["chunk_tampered"])
    for at, what in ((56, "ciphertext"), (len(small) - 1, "tag")):
        bad.invalid(f"a bit of the {what} changed", args(flip(small, at)), "chunk", beside,
                    ["chunk_tampered"], importance="critical")
    chunk_key, commitment = crypto.stream_keys(key, context, salt)
    forged = salt + commitment + crypto.aead_seal("a256gcm", chunk_key,
                                                  crypto.chunk_nonce(0, False), b"not marked last")
    bad.invalid("the last chunk is not marked as the last", args(forged), "chunk", beside,
                ["chunk_order"], importance="critical")
    forged = salt + commitment + crypto.aead_seal("a256gcm", chunk_key, crypto.chunk_nonce(1, True),
                                                  b"counted from one")
    bad.invalid("chunks counted from 1", args(forged), "chunk", beside, ["chunk_order"])
    for aead, other in (("a256gcm", "c20p1305"), ("c20p1305", "a256gcm")):
        bad.invalid(f"sealed with {aead}, opened with {other}", args(seal(16, aead), other),
                    "chunk", ids[aead, 16],
                    ["aead_confusion"], importance="critical")

    bad = file.group("commitment")
    for at, what in ((0, "salt"), (24, "commitment"), (55, "commitment's last byte")):
        bad.invalid(f"a bit of the {what} changed", args(flip(small, at)), "key_commitment", beside,
                    ["commitment"])
    bad.invalid("another key", args(small, key_b64=b64(flip(key, 0))), "key_commitment", beside,
                ["commitment"], importance="critical")
    for other in (b"AMS1-HEAD" + bytes(32), b"AMS1-BODY" + bytes(31) + b"\1", b"", context + b"\0"):
        bad.invalid(f"the context {other[:9]!r} of {len(other)} bytes",
                    args(small, context_b64=b64(other)), "key_commitment",
                    beside, ["commitment"])
    for aead in ("none", "a128gcm"):
        bad.invalid(f"aead {aead!r}", args(small, aead), "unknown_algorithm", beside,
                    ["unknown_algorithm"])
    return file


def _head_file() -> File:
    file = File("message/heads.json", "head.open", "hed")
    good = file.group("valid")

    def args(part=None, **changed):
        return args_of(part or sealed(**changed), "head",
                       **({"person": changed["people"][0]} if "people" in changed else {}))
    twin = good.valid("a head", args(), clauses=["MSG-22", "MSG-32"])
    good.valid("to an RSA key", args(people=[CAROL]), clauses=["MSG-22", "ALG-6"])
    good.valid("with the other AEAD", args(aead="c20p1305"), clauses=["MSG-22", "ALG-1"])
    bad = file.group("head")

    def refuse(comment, code, flag, part=None, **hooks):
        bad.invalid(comment, args(part or sealed(Hooks(**hooks))), code, twin, [flag])
    plain = sealed()
    refuse("a bit of the head changed", "blob_hash", "blob_hash",
           {**plain, "head": flip(plain["head"], 99)})
    refuse("the head of no bytes", "blob_hash", "blob_hash", {**plain, "head": b""})
    refuse("the body for the head", "blob_hash", "blob_hash", {**plain, "head": plain["body"]})
    refuse("a changed chunk under a good hash", "chunk", "chunk_tampered",
           head=lambda head: flip(head, 60))
    refuse("a changed salt under a good hash", "key_commitment", "commitment",
           head=lambda head: flip(head, 0))
    refuse("a truncated head under a good hash", "stream_truncated", "truncation",
           head=lambda head: head[:70])
    refuse("non-zero padding", "body_layout", "layout_padding",
           head_plain=lambda text: text[:-1] + b"\1")
    refuse("a length over the end", "body_layout", "layout_length",
           head_plain=lambda text: b"\0\0\xff\xff" + text[4:])
    refuse("parts in a head", "unknown_member", "letter_form",
           head_plain=lambda text: crypto.layout(
        encode({**decode(crypto.layout_open(text, "head")), "parts": []})))
    for name in ("mid", "from", "subject", "date"):
        refuse(f"a head without {name}", "schema", "letter_form", head_plain=lambda text,
               name=name: crypto.layout(
            encode(drop(name)(decode(crypto.layout_open(text, "head"))))))
    refuse("another's address", "from_binding", "from_binding",
           head_plain=lambda text: crypto.layout(
        encode({**(head := decode(crypto.layout_open(text, "head"))),
                "from": {**head["from"], "addr": f"ceo@{HOME.name}"}})))
    refuse("a stanza that does not unwrap", "unwrap", "stanza_tampered", stanza=letters.flip_wk)
    refuse("asig changed", "signature", "signature_flip", asig=lambda sig: flip(sig, 5))
    return file


def _attachment_file() -> File:
    file = File("message/attachments.json", "attachment.open", "att")
    header, key, salt = sealed()["header"], Draws("att 0").take(32), Draws("att salt").take(24)

    def args(content, plain=None, stream=None, number=0, **changed):
        context = b"AMS1-ATT" + unb64(decode(header)["id"]) + number.to_bytes(4, "big")
        stream = stream or crypto.stream_seal("a256gcm", key, context,
                                              plain or crypto.layout(content, 8), salt)
        return {"header_b64": b64(header), "id": number, "size": len(content),
                "blob": b64(crypto.sha256(stream)),
                "key_b64": b64(key), "sealed_b64": b64(stream), **changed}
    good = file.group("valid")
    text = b"attached"
    twin = good.valid("eight bytes", args(text), clauses=["MSG-23"])
    good.valid("no byte", args(b""), clauses=["MSG-23"])
    good.valid("the second attachment", args(text, number=1), clauses=["MSG-23"])
    good.valid("two chunks", args(bytes(20_000)), clauses=["MSG-23", "STR-2"])
    bad, right = file.group("attachment"), args(text)

    def refuse(comment, code, flag, its_args):
        bad.invalid(comment, its_args, code, twin, [flag], ["MSG-23"])
    refuse("another blob", "blob_hash", "blob_hash", {**right, "blob": b64(bytes(32))})
    refuse("opened as another attachment", "key_commitment", "commitment", {**right, "id": 1})
    refuse("another key", "key_commitment", "commitment", {**right, "key_b64": b64(flip(key, 0))})
    other = encode({**decode(header), "id": b64(bytes(16))})
    refuse("opened under another message", "key_commitment", "commitment",
           {**right, "header_b64": b64(other)})
    stream = unb64(right["sealed_b64"])
    refuse("a changed chunk under a good hash", "chunk", "chunk_tampered",
           args(text, stream=flip(stream, 60)))
    refuse("truncated under a good hash", "stream_truncated", "truncation",
           args(text, stream=stream[:70]))
    refuse("another size than the letter's", "body_layout", "layout_length", {**right, "size": 7})
    refuse("non-zero padding", "body_layout", "layout_padding",
           args(bytes(9), (9).to_bytes(8, "big") + bytes(8) + b"\1\1"))
    refuse("a length of four bytes", "body_layout", "layout_length",
           args(text, crypto.layout(text, 4)))
    refuse("a length over the end", "body_layout", "layout_length", args(text, b"\xff" * 8 + text))
    refuse("no padding", "body_layout", "layout_padding",
           args(bytes(25), (25).to_bytes(8, "big") + bytes(25)))
    return file


def _vouch_file() -> File:
    file = File("message/vouches.json", "vouch.verify", "vch")
    plain, salts = sealed(), [Draws(f"rcpt salt {i}").take(16) for i in range(3)]
    addrs = [BOB.addr, f"dave@{AWAY.name}", f"erin@{AWAY.name}"]

    def vouch(count=1, signer=HOME.op, **changed):
        tags = [mail.rtag(salt, addr) for salt, addr in zip(salts[:count], addrs)]
        value = {"ams": "vouch/1", "ehash": b64(mail.vouch_hash(plain["header"], plain["asig"])),
                 "sdom": HOME.name,
                 "dkid": HOME.op.kid, "acct": b64(Draws("acct").take(16)), "rdom": AWAY.name,
                 "class": "cold",
                 "rroot": b64(crypto.merkle_root(tags)), "day": NOW_MS // keys.DAY, "dseq": 1,
                 "aseq": 1, "age": 30,
                 "close": b64(bytes(32))}
        return keys.sign_object(signer.sign, value, **changed)

    def args(value, count=1, **changed):
        rcpts = [{"addr": addr, "salt_b64": b64(salt)} for addr, salt in zip(addrs, salts[:count])]
        return {**raw(value), **HOME.args(), "domain": HOME.name,
                "header_b64": b64(plain["header"]),
                "asig_b64": b64(plain["asig"]), "rdom": AWAY.name, "rcpts": rcpts, **changed}
    good = file.group("valid")
    twin = good.valid("a vouch", args(vouch()), clauses=["VCH-1", "VCH-4"])
    more = good.valid("for three recipients", args(vouch(3), 3), clauses=["VCH-2", "MSG-25"])
    good.valid("for two recipients", args(vouch(2), 2), clauses=["VCH-2"])
    good.valid("without numbers", args(vouch(dseq=None, aseq=None)), clauses=["VCH-5"])
    good.valid("class granted", args(vouch(**{"class": "granted"})), clauses=["VCH-5"])
    bad = file.group("members")
    faults(bad, vouch, args, twin, {"ehash": "binary", "sdom": "domain", "acct": "binary",
                                    "rdom": "domain",
                                    "class": "text", "rroot": "binary", "day": "integer",
                                    "age": "integer", "close": "binary"})
    for changed in ({"class": "warm"}, {"dseq": 0}, {"aseq": 0}):
        bad.invalid(f"{changed}", args(vouch(**changed)), "schema", twin, ["out_of_range"])
    bad = file.group("delivery")

    def refuse(comment, its_args, beside=twin):
        bad.invalid(comment, its_args, "vouch_mismatch", beside, ["vouch_mismatch"],
                    importance="critical")
    refuse("for another message", args(vouch(ehash=b64(crypto.sha256(b"other")))))
    refuse("over the header without asig", args(vouch(ehash=b64(crypto.sha256(plain["header"])))))
    refuse("another asig under it", args(vouch(), asig_b64=b64(flip(plain["asig"], 0))))
    refuse("of another sending domain", args(vouch(sdom=EVIL.name)))
    refuse("for another receiving domain", args(vouch(rdom=EVIL.name)))
    refuse("for two recipients, used for three", args(vouch(2), 3), more)
    refuse("for three recipients, used for one", args(vouch(3), 1), twin)
    swapped = args(vouch(3), 3)
    refuse("recipients in another order", {**swapped, "rcpts": swapped["rcpts"][::-1]}, more)
    refuse("for another recipient", args(vouch(), rcpts=[{"addr": addrs[1],
                                                          "salt_b64": b64(salts[0])}]))
    refuse("under another salt", args(vouch(), rcpts=[{"addr": addrs[0],
                                                       "salt_b64": b64(salts[1])}]))
    refuse("signed by another domain's op key", args(vouch(signer=EVIL.op)))
    refuse("signed by the root key", args(vouch(signer=HOME.root)))
    refuse("signed by the account", args(vouch(signer=ALICE)))
    refuse("day changed after signing", args({**vouch(), "day": 1}))
    refuse("age changed after signing", args({**vouch(), "age": 9999}))
    leaf_pair = [mail.rtag(salt, addr) for salt, addr in zip(salts, addrs)]
    refuse("leaves without the Merkle prefix", args(vouch(rroot=b64(crypto.sha256(leaf_pair[0])))))
    signature_faults(bad, vouch(), args, twin, "vouch_mismatch")
    bad.invalid("an impostor's chain", {**args(vouch()), **HOME.args({**HOME.chain,
        "op": MALLORY.record})},
                "domain_record", twin, ["chain_broken"])
    return file


def files() -> list:
    return [_header_file(), *letters.files(), _head_file(), _attachment_file(),
            _vouch_file()]
