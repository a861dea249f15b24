"""Sealed files (spec CON): every section and every check, made wrong where it arises."""
from ams_py import container, crypto, keys, message
from ams_py.encoding import b64, encode, unb64
from ams_py.seal import Draws, Hooks, wrap

from .book import NOW_MS, File
from .letters import DAVE, add, drop, flip
from .world import ALICE, CAROL, EVE, EXP, NBF, READERS, SIGNERS

FULL = container.FULL
BOB = READERS["x25519"]


def u32(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + raw


class Made:
    """A container in its sections; hooks change each where it is made, so that what is made from
    it later is right again."""

    def __init__(self, plain=b"a file", people=(BOB,), sender=ALICE, aead="a256gcm", ts=NOW_MS,
                 header=None, stanzas=None, stream=None, trailer=None, wrapped=None, hooks=None,
                 key=None, signed=None):
        draws = Draws("container")
        ephemeral, content_key = draws.take(32), draws.take(32)
        self.sender, self.people = sender, people
        value = {"ams": "seal/1", "id": b64(draws.take(16)), "aead": aead, "skid": sender.kid,
                 "sfp": b64(sender.fp), "ts": ts, "to": [b64(person.fp) for person in people]}
        if any(person.kem == "x25519" for person in people):
            value["epk"] = b64(crypto.x25519_public(ephemeral))
        self.header = (header or (lambda h: h))(value)
        h0 = crypto.sha256(encode(self.header))
        used = aead if self.header.get("aead") not in list(crypto.AEADS) else self.header["aead"]
        self.stanzas = (stanzas or (lambda s: s))([
            wrap(self.header, used, (wrapped or (lambda k: k))(content_key),
                 person.record, draws, ephemeral, hooks or Hooks()) for person in people])
        sealed = crypto.stream_seal(used, (key or (lambda k: k))(content_key),
                                    b"AMS1-SEAL" + h0, plain, draws.take(24))
        self.stream = sealed[:56]
        chunks = [sealed[i:i + FULL] for i in range(56, len(sealed), FULL)]
        self.chunks = (stream or (lambda c: c))(chunks)
        whole = self.stream + b"".join(self.chunks)
        value = {"hash": b64(crypto.sha256(whole)), "len": len(whole)}
        text = crypto.signed_text("seal/1", crypto.sha256(encode({**self.header, "body": value})))
        value["asig"] = b64(sender.sign((signed or (lambda t: t))(text)))
        self.trailer = (trailer or (lambda t: t))(value)

    def sections(self) -> list:
        return [container.MAGIC, u32(encode(self.header)), u32(encode(self.stanzas)), self.stream,
                *(len(chunk).to_bytes(2, "big") + chunk for chunk in self.chunks),
                u32(encode(self.trailer))]

    def raw(self) -> bytes:
        return b"".join(self.sections())

    def args(self, raw: bytes = None, reader=None, **changed) -> dict:
        reader = reader or self.people[0]
        out = {"container_b64": b64(self.raw() if raw is None else raw),
               "own_record_b64": b64(encode(reader.record)),
               "own_private_b64": b64(reader.private),
               "sender_record_b64": b64(encode(self.sender.record)), "now": NOW_MS, **changed}
        return {name: value for name, value in out.items() if value is not None}


def _valid(file: File) -> dict:
    good, ids = file.group("valid"), {}
    for aead in crypto.AEADS:
        for size in (0, 1, 16, 1000, 16383, 16384, 16385, 32768):
            ids[aead, size] = good.valid(f"{size} bytes with {aead}", Made(
                Draws("file").take(size), aead=aead).args(), clauses=["CON-1", "CON-7", "CON-8"])
        for alg, sender in SIGNERS.items():
            good.valid(f"sealed by {alg} with {aead}", Made(sender=sender, aead=aead).args(),
                       clauses=["CON-10"])
        for kem, reader in READERS.items():
            good.valid(f"to {kem} with {aead}", Made(people=[reader], aead=aead).args(),
                       clauses=["CON-5"])
    both = Made(people=[BOB, CAROL, ALICE])
    for reader in (BOB, CAROL, ALICE):
        ids["both"] = good.valid(f"to three, read by {reader.name}", both.args(reader=reader),
                                 clauses=["CON-5", "CON-6"])
    for count in (2, 99, 100):
        crowd = [DAVE] * (count - 1) + [BOB]
        good.valid(f"the last of {count} readers", Made(people=crowd).args(reader=BOB),
                   clauses=["CON-3", "CON-6"])
    for ts, what in ((NBF, "at the start of the sender's key"),
                     (NOW_MS + message.CLOCK_TOLERANCE, "ten minutes ahead")):
        ids[what] = good.valid(f"ts is {what}", Made(ts=ts).args(), clauses=["CON-4"])
    ids["late"] = good.valid("read after the sender's key expired",
                             Made(ts=EXP - 1).args(now=EXP + keys.DAY), clauses=["CON-4"])
    return ids


def _lengths(file: File, twin: str):
    bad, made = file.group("sections"), Made()
    whole = made.raw()

    def refuse(comment, raw, code, flag, clause="CON-11"):
        bad.invalid(comment, made.args(raw), code, twin, [flag], [clause])
    at = 0
    names = ("the magic line", "the header", "the stanzas", "the stream's header", "a chunk",
             "the trailer")
    for name, section in zip(names, made.sections()):
        for cut in sorted({0, 1, 2, 3, 4, 5, len(section) // 2, len(section) - 1}):
            if cut < len(section):
                refuse(f"it ends after {cut} bytes of {name}", whole[:at + cut],
                       "stream_truncated", "truncation")
        at += len(section)
    for more in (b"\0", b"\n", b"{}", container.MAGIC, whole):
        refuse(f"{len(more)} bytes after the trailer", whole + more, "schema", "trailing_data",
               "CON-1")
    for magic in (b"AMS-SEAL/2\n", b"AMS-SEAL/1\r", b"ams-seal/1\n", b"AMS-SEAL/1 ", bytes(11),
                  b"\xef\xbb\xbfAMS-SEAL", b"age-encrypt"):
        refuse(f"the magic line {magic!r}", magic + whole[11:], "unknown_ams_tag", "wrong_tag",
               "CON-2")
    _, header, stanzas, stream, chunk, trailer = made.sections()
    for name, limit, before, after in (
            ("header", container.HEADER_MAX, whole[:11], b""),
            ("stanzas", container.STANZAS_MAX, whole[:11] + header, b""),
            ("trailer", container.TRAILER_MAX, whole[:-len(trailer)], b"")):
        for length in (limit + 1, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
            refuse(f"the {name}'s length is {length}", before + length.to_bytes(4, "big") + after,
                   "object_too_large", "object_too_large", "CON-11")
        refuse(f"the {name} has no bytes", before + bytes(4), "json_syntax", "grammar")
    for name, section, head, tail in (
            ("header", header, whole[:11], stanzas + stream + chunk + trailer),
            ("stanzas", stanzas, whole[:11] + header, stream + chunk + trailer),
            ("trailer", trailer, whole[:-len(trailer)], b"")):
        text = section[4:]
        for what, other, code, flag in (
                ("white space before it", b" " + text, "not_canonical", "white_space"),
                ("a line feed after it", text + b"\n", "not_canonical", "white_space"),
                ("two of it", text + text, "json_syntax", "trailing_data"),
                ("a byte order mark", b"\xef\xbb\xbf" + text, "bom", "bom"),
                ("bad UTF-8", text[:-2] + b"\xff" + text[-2:], "utf8", "utf8_invalid"),
                ("its last byte gone", text[:-1], "json_syntax", "grammar")):
            refuse(f"the {name}: {what}", head + u32(other) + tail, code, flag)


def _header(file: File, twin: str):
    bad = file.group("header")

    def refuse(comment, change, code, flag, clause="CON-3", **options):
        bad.invalid(comment, Made(header=change, **options).args(), code, twin, [flag], [clause])
    base = Made().header
    for name in base:
        if name not in ("ams", "epk"):
            refuse(f"no {name}", drop(name), "schema", "missing_member")
        if name != "ams":
            for other in (True, {}):
                refuse(f"{name} is {other}", add(**{name: other}), "schema", "wrong_type")
    for tag, code in (("seal/2", "unknown_ams_tag"), ("env/1", "unknown_ams_tag"),
                      ("", "unknown_ams_tag"), (1, "schema")):
        refuse(f"the tag {tag!r}", add(ams=tag), code, "wrong_tag")
    refuse("no tag", drop("ams"), "schema", "wrong_tag")
    for name, lengths in (("id", (0, 15, 17)), ("sfp", (31, 33)), ("epk", (0, 31, 33))):
        for length in lengths:
            refuse(f"{name} of {length} bytes", add(**{name: b64(bytes(length))}), "base64url",
                   "base64url")
        refuse(f"{name} is padded", add(**{name: base[name] + "="}), "base64url", "base64url")
    for aead in ("", "none", "A256GCM", "a128gcm", "x25519"):
        refuse(f"aead {aead!r}", add(aead=aead), "unknown_algorithm", "unknown_algorithm")
    for kid in (ALICE.kid.upper(), ALICE.kid[:-1], "{" + ALICE.kid + "}"):
        refuse(f"skid {kid[:38]}", add(skid=kid), "schema", "kid_form")
    for ts in (-1, "0"):
        refuse(f"ts is {ts!r}", add(ts=ts), "schema",
               "out_of_range" if ts == -1 else "wrong_type")
    refuse("to is empty", add(to=[]), "schema", "out_of_range")
    refuse("101 fps in to", add(to=[b64(BOB.fp)] * 101), "object_too_large", "object_too_large")
    refuse("an fp of 31 bytes in to", add(to=[b64(bytes(31))]), "base64url", "base64url")
    refuse("a number in to", add(to=[1]), "schema", "wrong_type")
    refuse("a member more", add(zz=1), "unknown_member", "unknown_member")
    refuse("an x_ member", add(x_a=1), "unknown_member", "unknown_member")
    refuse("the body within", add(body={"hash": b64(bytes(32)), "len": 0}), "unknown_member",
           "unknown_member")


def _senders(file: File, ids: dict, twin: str):
    bad = file.group("sender")

    def refuse(comment, args, code, flag, beside=twin):
        bad.invalid(comment, args, code, beside, [flag], ["CON-4"], "critical")
    refuse("no record of the sender is known", Made().args(sender_record_b64=None), "not_found",
           "unknown_sender")
    refuse("the record at hand is another's", Made().args(
        sender_record_b64=b64(encode(EVE.record))), "kid_mismatch", "kid_mismatch")
    refuse("skid is another's", Made(header=add(skid=EVE.kid)).args(), "kid_mismatch",
           "kid_mismatch")
    refuse("sfp is another's", Made(header=add(sfp=b64(EVE.fp))).args(), "fp_mismatch",
           "fp_mismatch")
    for ts, what in ((NBF - 1, "a millisecond before"), (0, "long before")):
        refuse(f"ts is {what} the sender's key", Made(ts=ts).args(), "key_expired", "key_expired",
               ids["at the start of the sender's key"])
    for ts, what in ((EXP, "the end"), (EXP + keys.DAY, "a day after the end")):
        refuse(f"ts is {what} of the sender's key", Made(ts=ts).args(now=EXP + 2 * keys.DAY),
               "key_expired", "key_expired", ids["late"])
    for more in (1, keys.DAY):
        refuse(f"ts is ten minutes and {more} ms ahead",
               Made(ts=NOW_MS + message.CLOCK_TOLERANCE + more).args(), "not_yet_valid",
               "header_times", ids["ten minutes ahead"])
    broken = {**ALICE.record, "sig": b64(bytes(64))}
    refuse("the sender's record does not verify",
           Made().args(sender_record_b64=b64(encode(broken))), "signature",
           "changed_after_signing")
    for what, change in (("asig of zeros", add(asig=b64(bytes(64)))),
                         ("its first bit", lambda t: add(asig=b64(flip(unb64(t["asig"]), 0)))(t)),
                         ("its last bit", lambda t: add(asig=b64(flip(unb64(t["asig"]), 63)))(t))):
        refuse(f"asig changed: {what}", Made(trailer=change).args(), "signature",
               "signature_flip")
    for what, signed in (("under the tag env/1", lambda t: t.replace(b"seal/1", b"env/1")),
                         ("without the prefix", lambda t: t[10:]),
                         ("over the header without the body", lambda t: crypto.signed_text(
                             "seal/1", crypto.sha256(encode(Made().header))))):
        refuse(f"asig {what}", Made(signed=signed).args(), "signature", "signature_context")
    for length in (1, 63, 65, 256):
        refuse(f"asig of {length} bytes", Made(trailer=add(asig=b64(bytes(length)))).args(),
               "algorithm_mix", "signature_length")
    for alg, sender in SIGNERS.items():
        if alg == "ed25519":
            continue
        made = Made(sender=sender)
        fine = file.group("valid").valid(f"sealed by {alg}", made.args(), clauses=["CON-10"])
        refuse(f"{alg}: a bit of asig", Made(sender=sender, trailer=lambda t: add(
            asig=b64(flip(unb64(t["asig"]), 9)))(t)).args(), "signature", "signature_flip", fine)
        refuse(f"{alg}: an Ed25519 signature", Made(sender=sender, trailer=add(
            asig=b64(bytes(64)))).args(), "algorithm_mix", "signature_length", fine)


def _stanzas(file: File, ids: dict, twin: str):
    bad, both = file.group("stanzas"), ids["both"]

    def refuse(comment, code, flag, beside=twin, clause="CON-5", reader=None, **options):
        bad.invalid(comment, Made(**options).args(reader=reader), code, beside, [flag], [clause],
                    "critical")
    people = [BOB, CAROL]
    refuse("no stanza", "schema", "stanza_count", stanzas=lambda _: [])
    refuse("101 stanzas", "too_many_stanzas", "stanza_count", stanzas=lambda s: s * 101)
    refuse("an object for the stanzas", "schema", "wrong_type", stanzas=lambda s: s[0])
    for name in ("kid", "fp", "wk"):
        refuse(f"a stanza without {name}", "schema", "missing_member",
               stanzas=lambda s, name=name: [drop(name)(s[0])])
    refuse("a stanza's member more", "unknown_member", "unknown_member",
           stanzas=lambda s: [add(zz=1)(s[0])])
    refuse("wk of 47 bytes", "base64url", "base64url",
           stanzas=lambda s: [add(wk=b64(bytes(47)))(s[0])])
    refuse("the stanzas in another order than to", "deliver_to", "stanza_relabelled", both,
           "CON-6", BOB, people=people, stanzas=lambda s: s[::-1])
    refuse("a stanza more than to", "deliver_to", "stanza_relabelled", both, "CON-6", BOB,
           people=people, header=add(to=[b64(BOB.fp)]))
    refuse("to has one more than there are stanzas", "deliver_to", "stanza_relabelled", both,
           "CON-6", BOB, people=people, stanzas=lambda s: s[:1])
    refuse("to names another reader: passed on as if sealed to him", "deliver_to",
           "deliver_to", twin, "CON-6", header=add(to=[b64(DAVE.fp)]))
    refuse("a stanza for Dave added by Bob", "deliver_to", "deliver_to", both, "CON-6", DAVE,
           people=[BOB, DAVE], header=add(to=[b64(BOB.fp)]))
    refuse("none is the reader's own", "no_stanza", "stanza_relabelled", reader=DAVE)
    refuse("the own fp under another kid", "no_stanza", "stanza_relabelled",
           stanzas=lambda s: [add(kid=DAVE.kid)(s[0])])
    refuse("enc for an X25519 key", "algorithm_mix", "algorithm_mix",
           stanzas=lambda s: [add(enc=b64(bytes(32)))(s[0])])
    refuse("no epk for an X25519 key", "algorithm_mix", "algorithm_mix", header=drop("epk"))
    refuse("no enc for an RSA key", "algorithm_mix", "algorithm_mix", people=[CAROL],
           stanzas=lambda s: [drop("enc")(s[0])])
    for at in (0, 31, 47):
        refuse(f"a bit of wk's byte {at}", "unwrap", "stanza_tampered",
               stanzas=lambda s, at=at: [add(wk=b64(flip(unb64(s[0]["wk"]), at)))(s[0])])
    refuse("info of a message's stanza", "unwrap", "stanza_swapped",
           hooks=Hooks(info=lambda info: info[:4] + bytes(32) + info[36:]))
    refuse("the stanza wraps another key", "key_commitment", "content_key", twin, "CON-7",
           wrapped=lambda key: flip(key, 0))
    refuse("the stream is under another key", "key_commitment", "content_key", twin, "CON-7",
           key=lambda key: flip(key, 31))


def _stream(file: File, ids: dict):
    bad = file.group("stream")
    for aead in crypto.AEADS:
        small, two = ids[aead, 1000], ids[aead, 16385]
        plain, long = Draws("file").take(1000), Draws("file").take(16385)

        def refuse(comment, raw, code, flag, made, twin, clause="CON-8"):
            bad.invalid(f"{aead}: {comment}", made.args(raw), code, twin, [flag], [clause],
                        "critical")
        made = Made(plain, aead=aead)
        parts = made.sections()
        for at in (0, 23, 24, 55):
            changed = [*parts]
            changed[3] = flip(changed[3], at)
            refuse(f"a bit of the stream's byte {at}", b"".join(changed), "key_commitment",
                   "commitment", made, small, "CON-7")
        for at in (0, 500, 999, 1000, 1015):
            changed = Made(plain, aead=aead, stream=lambda c, at=at: [flip(c[0], at)])
            refuse(f"a bit of the chunk's byte {at}, under a good trailer", changed.raw(), "chunk",
                   "chunk_tampered", made, small, "CON-12")
        for length in (0, 1, 15, 16401, 32768, 65535):
            changed = [*parts]
            changed[4] = length.to_bytes(2, "big") + changed[4][2:]
            refuse(f"a chunk's length of {length}", b"".join(changed), "chunk", "chunk_order",
                   made, small)
        for length, what in ((16, "the tag's length alone"), (1015, "a byte less")):
            changed = Made(plain, aead=aead, stream=lambda c, n=length: [c[0][:n]])
            refuse(f"a chunk of {what}, under a good trailer", changed.raw(), "chunk",
                   "truncation", made, small)
        made = Made(long, aead=aead)
        parts = made.sections()
        for what, order in (("the first one twice", (0, 0, 1)), ("the first one gone", (1,))):
            changed = Made(long, aead=aead, stream=lambda c, o=order: [c[i] for i in o])
            refuse(f"two chunks: {what}, under a good trailer", changed.raw(), "chunk",
                   "chunk_order", made, two)
        refuse("two chunks exchanged", b"".join(parts[i] for i in (0, 1, 2, 3, 5, 4, 6)), "chunk",
               "chunk_order", made, two)
        refuse("the last chunk gone", b"".join([*parts[:5], parts[6]]), "chunk", "truncation",
               made, two)
        full = Made(long[:16384], aead=aead)
        parts = full.sections()
        refuse("the empty last chunk gone", b"".join([*parts[:5], parts[6]]), "chunk",
               "truncation", full, ids[aead, 16384])


def _trailer(file: File, twin: str):
    bad = file.group("trailer")

    def refuse(comment, change, code, flag, clause="CON-9"):
        bad.invalid(comment, Made(trailer=change).args(), code, twin, [flag], [clause],
                    "critical")
    base = Made().trailer
    for name in base:
        refuse(f"no {name}", drop(name), "schema", "missing_member")
        for other in (True, {}):
            refuse(f"{name} is {other}", add(**{name: other}), "schema", "wrong_type")
    for name, lengths in (("asig", (0, 1025)), ("hash", (0, 31, 33))):
        for length in lengths:
            refuse(f"{name} of {length} bytes", add(**{name: b64(bytes(length))}), "base64url",
                   "base64url")
    refuse("len is negative", add(len=-1), "schema", "out_of_range")
    refuse("a member more", add(zz=1), "unknown_member", "unknown_member")
    refuse("a tag", add(ams="seal/1"), "unknown_member", "unknown_member")
    for length in (0, base["len"] - 1, base["len"] + 1, 2**53 - 1):
        refuse(f"len is {length}", add(len=length), "blob_hash", "blob_hash", "CON-11")
    for what, digest in (("zeros", bytes(32)), ("its first bit", flip(unb64(base["hash"]), 0)),
                         ("the hash of nothing", crypto.sha256(b""))):
        refuse(f"hash changed: {what}", add(hash=b64(digest)), "blob_hash", "blob_hash", "CON-11")
    refuse("the trailer of another container", lambda _: Made(b"another").trailer, "blob_hash",
           "blob_hash", "CON-11")
    same = Made(b"b file").trailer
    refuse("the trailer of one of the same length", lambda _: same, "blob_hash", "blob_hash",
           "CON-11")


def files() -> list:
    file = File("container/containers.json", "container.open", "con")
    ids = _valid(file)
    twin = file.group("valid-least").valid("a small file", Made().args(),
                                           clauses=["CON-1", "CON-2", "CON-3", "CON-9", "CON-11"])
    _lengths(file, twin)
    _header(file, twin)
    _senders(file, ids, twin)
    _stanzas(file, ids, twin)
    _stream(file, ids)
    _trailer(file, twin)
    return [file]
