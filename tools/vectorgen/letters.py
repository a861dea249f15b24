"""Opening a message (spec MSG-29): every check alone, by faults made where they arise."""
from ams_py import crypto, encoding, keys, message
from ams_py.encoding import b64, decode, encode, unb64
from ams_py.seal import Draws, Hooks, seal

from .book import NOW_MS, File
from .world import (ALICE, ALICE_RSA, AWAY, BOB, BOB_RSA, CAROL, EVE, EVIL, HOME, MALLORY, Person)

DAVE = Person("dave", AWAY.name)
RSA_PRIVATE = {CAROL.addr: CAROL.private}


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def drop(name: str):
    return lambda value: {other: item for other, item in value.items() if other != name}


def add(**changed):
    return lambda value: {**value, **changed}


def flip_wk(stanza: dict) -> dict:
    return {**stanza, "wk": b64(flip(unb64(stanza["wk"]), 47))}


def letter(sender=ALICE, deliver_to=(BOB.addr,), binding=None, home=HOME, **changed) -> dict:
    value = {"ams": "letter/1", "mid": b64(Draws("mid").take(16)),
             "from": {"addr": sender.addr, "kid": sender.kid, "fp": b64(sender.fp),
                      "binding": binding or home.bind(sender)},
             "deliver_to": list(deliver_to), "to": [BOB.addr], "cc": [], "date": NOW_MS,
             "subject": "Hello",
             "parts": [{"type": "text/plain", "text": "Good morning, Bob.\n"}], "att": [],
             "fk": b64(Draws("fk").take(32))}
    return {**value, **changed}


def attachment(number: int) -> dict:
    return {"id": number, "name": f"file {number}.txt", "type": "text/plain", "size": 5,
            "blob": b64(crypto.sha256(b"blob %d" % number)),
            "key": b64(Draws(f"att {number}").take(32))}


def sealed(hooks: Hooks = None, text: dict = None, sender=ALICE, people=(BOB,), aead="a256gcm",
           **options) -> dict:
    return seal(text or letter(sender), sender, [person.record for person in people],
                Draws("message"), hooks,
                NOW_MS, aead, **options)


def args_of(parts: dict, part: str = "body", person=BOB, reader=None, sender=ALICE,
            domain=HOME) -> dict:
    return {"header_b64": b64(parts["header"]), "asig_b64": b64(parts["asig"]),
            "stanzas_b64": b64(parts["stanzas"]),
            f"{part}_b64": b64(parts[part]), "reader": reader or person.addr,
            "own_record_b64": b64(encode(person.record)),
            "own_private_b64": b64(person.private), "sender_record_b64": b64(encode(sender.record)),
            **domain.args()}


class Letters:
    """The file in the making: groups share the twins."""

    def __init__(self):
        self.file = File("message/messages.json", "message.open", "msg")
        good = self.good = self.file.group("valid")
        always = ["MSG-29", "MSG-15", "MSG-21", "MSG-24", "MSG-25", "MSG-4"]
        self.twin = good.valid("to an X25519 key", args_of(sealed()),
                               clauses=always + ["ALG-5", "MSG-16"])
        self.rsa = good.valid("to an RSA key", args_of(sealed(people=[CAROL],
            text=letter(deliver_to=[CAROL.addr])),
                                                       person=CAROL), clauses=always + ["ALG-6",
                                                           "MSG-16"])
        self.pss = good.valid("signed with rsa2048pss", args_of(sealed(sender=ALICE_RSA),
            sender=ALICE_RSA),
                              clauses=always + ["ALG-1"])
        good.valid("rsa2048 on both sides", args_of(sealed(sender=ALICE_RSA, people=[BOB_RSA]),
                                                    sender=ALICE_RSA,
                                                    person=BOB_RSA), clauses=["ALG-1", "ALG-6"])
        good.valid("with the other AEAD", args_of(sealed(aead="c20p1305")),
                   clauses=["ALG-1", "ALG-5"])
        good.valid("to an RSA key with the other AEAD", args_of(sealed(
            people=[CAROL], aead="c20p1305", text=letter(deliver_to=[CAROL.addr])), person=CAROL),
            clauses=["ALG-6"])
        both = sealed(people=[CAROL, BOB, ALICE], text=letter(deliver_to=[BOB.addr, CAROL.addr]))
        self.both = good.valid("two KEMs in one message, x25519's reader", args_of(both),
                               clauses=["MSG-16"])
        good.valid("two KEMs in one message, RSA's reader", args_of(both, person=CAROL),
                   clauses=["MSG-16"])
        good.valid("the sender's own copy", args_of(both, person=ALICE), clauses=["MSG-28"])
        good.valid("one of a hundred stanzas", args_of(sealed(people=[DAVE] * 99 + [BOB])),
                   clauses=["MSG-17"])
        good.valid("a second stanza for the same key", args_of(sealed(people=[BOB, BOB])),
                   clauses=["MSG-19"])
        files = [attachment(0), attachment(1)]
        self.files, self.blobs = files, [unb64(item["blob"]) for item in files]
        self.with_files = good.valid("two attachments", args_of(sealed(text=letter(att=files),
            blobs=self.blobs)),
                                     clauses=["MSG-26", "MSG-24"])
        self.long = letter(parts=[{"type": "text/plain", "text": "x" * 1000}] * 40)
        self.chunks = good.valid("three chunks", args_of(sealed(text=self.long)), clauses=["STR-2"])
        self.leaves = good.valid("five parts", args_of(sealed(text=letter(parts=[
            {"type": "text/plain", "text": f"part {i}"} for i in range(5)]))), clauses=["MSG-25"])
        good.valid("no part", args_of(sealed(text=letter(parts=[]))), clauses=["MSG-24"])
        good.valid("all optional members", args_of(sealed(text=letter(
            in_reply_to=b64(bytes(16)), thread=b64(bytes(16)), reply_to_addr=ALICE.addr))),
            clauses=["MSG-24"])
        good.valid("a subject outside ASCII",
                   args_of(sealed(text=letter(subject="Grüße \U0001f4e7"))), clauses=["MSG-24"])
        good.valid("the longest subject", args_of(sealed(text=letter(subject="s" * 4096))),
                   clauses=["MSG-24"])
        good.valid("a Bcc copy", args_of(sealed(text=letter(deliver_to=[DAVE.addr]), people=[DAVE]),
                                         person=DAVE),
                   clauses=["MSG-30"])
        least = next(n for n in range(14000, 16400) if crypto.padme(n) == 16384)
        pad = least - len(encode(self._fill(0))) - 4
        good.valid("a plaintext of one full chunk", args_of(sealed(text=self._fill(pad))),
                   clauses=["STR-2"])

    @staticmethod
    def _fill(length: int) -> dict:
        return letter(parts=[{"type": "text/plain", "text": "x" * length}])

    def group(self, name: str, *clauses: str):
        group = self.file.group(name)

        def refuse(comment, code, flag, args, twin=None, importance="high"):
            group.invalid(comment, args, code, twin or self.twin, [flag], clauses, importance)
        return refuse

    def senders(self):
        refuse = self.group("from", "MSG-27", "MSG-31")

        def forge(comment, sender=MALLORY, domain=EVIL, text=None):
            refuse(comment, "from_binding", "from_binding",
                   args_of(sealed(sender=sender, text=text), sender=sender,
                           domain=domain), importance="critical")

        def over(sender, binding, **changed):
            value = letter(sender, binding=binding)
            return {**value, "from": {**value["from"], **changed}}
        forge("Alice's address over Mallory's key, Mallory's own binding", text=over(
            MALLORY, EVIL.bind(MALLORY), addr=ALICE.addr))
        forge("Alice's address bound by Mallory's domain", text=over(
            MALLORY, EVIL.bind(MALLORY, addr=ALICE.addr), addr=ALICE.addr))
        forge("Alice's address, key and binding over Mallory's signature", text=letter(ALICE))
        forge("Alice's address over Eve's key of the same domain, Eve's binding", EVE, HOME,
              over(EVE, HOME.bind(EVE), addr=ALICE.addr))
        forge("Alice's address over Eve's key, Alice's binding", EVE, HOME,
              over(EVE, HOME.bind(ALICE), addr=ALICE.addr))
        forge("Alice's address over Eve's key, a binding that Eve signed", EVE, HOME, over(
            EVE, HOME.bind(EVE, EVE, addr=ALICE.addr, dkid=HOME.op.kid), addr=ALICE.addr))
        forge("a binding to another key than the one that signed", ALICE, HOME,
              over(ALICE, HOME.bind(EVE, addr=ALICE.addr)))
        forge("from.kid is another's", ALICE, HOME, over(ALICE, None, kid=EVE.kid))
        forge("from.fp is another's", ALICE, HOME, over(ALICE, None, fp=b64(EVE.fp)))
        forge("a binding signed by the root key", ALICE, HOME,
              over(ALICE, HOME.bind(ALICE, HOME.root)))
        forge("a binding signed by another domain", ALICE, HOME,
              over(ALICE, HOME.bind(ALICE, EVIL.op, dkid=HOME.op.kid)))
        forge("a binding whose signature does not verify", ALICE, HOME, over(
            ALICE, {**HOME.bind(ALICE), "sig": b64(bytes(64))}))
        forge("a binding changed after signing", ALICE, HOME,
              over(ALICE, {**HOME.bind(ALICE), "version": 2}))
        forge("an empty object for a binding", ALICE, HOME, over(ALICE, {"zz": 1}))
        forge("a binding with a member more", ALICE, HOME, over(ALICE, HOME.bind(ALICE, zz=1)))
        forge("a binding of version 0", ALICE, HOME, over(ALICE, HOME.bind(ALICE, version=0)))
        forge("a key record for a binding", ALICE, HOME, over(ALICE, ALICE.record))
        refuse("the chain of another domain", "domain_record", "chain_broken",
               args_of(sealed(), domain=EVIL),
               importance="critical")
        refuse("a chain with an impostor's op key", "domain_record", "chain_broken",
               {**args_of(sealed()), **HOME.args({**HOME.chain, "op": EVIL.op.record})},
               importance="critical")

        refuse = self.group("deliver_to")
        for deliver_to in ([ALICE.addr], [DAVE.addr], [f"bob@{EVIL.name}"], [f"bobby@{AWAY.name}"],
                           [f"bob@{HOME.name}", DAVE.addr]):
            refuse(f"deliver_to is {deliver_to}", "deliver_to", "deliver_to",
                   args_of(sealed(text=letter(deliver_to=deliver_to))), importance="critical")
        refuse("Bob hands Alice's letter on to Dave as if from Alice", "deliver_to", "deliver_to",
               args_of(sealed(people=[BOB, DAVE]), person=DAVE), importance="critical")

    def signatures(self):
        refuse, good = self.group("asig", "MSG-5", "MSG-29"), sealed()

        def asig(comment, code, flag, signature, twin=None, **options):
            refuse(comment, code, flag, {**args_of(sealed(**options),
                                                   **({"sender": options["sender"]} if options
                                                      else {})),
                                         "asig_b64": b64(signature)}, twin, "critical")
        digest = message.ehash(decode(good["header"]))
        asig("a bit of asig changed", "signature", "signature_flip", flip(good["asig"], 0))
        asig("asig of zeros", "signature", "signature_flip", bytes(64))
        asig("asig by another key", "signature", "signature_other_key",
             EVE.sign(crypto.signed_text("env/1", digest)))
        asig("asig under another tag", "signature", "signature_context",
             ALICE.sign(crypto.signed_text("letter/1", digest)))
        asig("asig over the bare hash", "signature", "signature_context", ALICE.sign(digest))
        asig("asig of h0", "signature", "signature_context", ALICE.sign(crypto.signed_text(
            "env/1", message.header_hash(decode(good["header"])))))
        asig("asig of another message", "signature", "signature_context",
             sealed(text=letter(subject="Other"))["asig"])
        for length in (0, 1, 63, 65, 256):
            asig(f"asig of {length} bytes", "algorithm_mix", "signature_length", bytes(length))
        asig("an Ed25519 asig for an RSA key", "algorithm_mix", "signature_length", bytes(64),
             self.pss, sender=ALICE_RSA)
        text = crypto.signed_text("env/1",
                                  message.ehash(decode(sealed(sender=ALICE_RSA)["header"])))
        asig("an asig by PSS without salt", "signature", "pss_salt",
             crypto.sign_pss(ALICE_RSA.der, text, b""), self.pss,
             sender=ALICE_RSA)
        late = {**decode(good["header"])}
        for changed in ({"exp": late["exp"] - 1}, {"leaves": 3}, {"aead": "c20p1305"},
                        {"id": b64(bytes(16))}):
            refuse(f"{', '.join(changed)} changed after signing", "signature",
                   "changed_after_signing",
                   args_of({**good, "header": encode({**late, **changed})}), importance="critical")
        refuse("the record at hand is another's", "kid_mismatch", "kid_mismatch",
               args_of(good, sender=EVE),
               importance="critical")
        refuse("the record at hand does not verify", "signature", "changed_after_signing", {
            **args_of(good), "sender_record_b64": b64(encode({**ALICE.record,
                "sig": b64(bytes(64))}))}, importance="critical")
        refuse = self.group("header", "MSG-29")
        for exp, what in ((NOW_MS, "exp is ts"), (NOW_MS + message.SEVEN_DAYS + 1,
                                                  "more than seven days")):
            refuse(what, "expired", "header_times", args_of(sealed(Hooks(header=add(exp=exp)))))
        refuse("an unknown AEAD", "unknown_algorithm", "unknown_algorithm",
               args_of(sealed(Hooks(header=add(aead="none")))))
        refuse("a header's member more", "unknown_member", "unknown_member",
               args_of(sealed(Hooks(header=add(zz=1)))))
        refuse("the header of another version", "unknown_ams_tag", "wrong_tag",
               args_of(sealed(Hooks(header=add(ams="env/2")))))

    def stanzas(self):
        refuse = self.group("stanzas", "MSG-29")

        def hook(comment, code, flag, twin=None, person=BOB, importance="high", **hooks):
            text = letter(deliver_to=[person.addr])
            refuse(comment, code, flag, args_of(sealed(Hooks(**hooks), people=[person], text=text),
                                                person=person), twin,
                   importance)
        hook("no stanza", "schema", "stanza_count", stanzas=lambda _: [])
        hook("101 stanzas", "too_many_stanzas", "stanza_count", stanzas=lambda listed: listed * 101)
        refuse("a stanza for another only", "no_stanza", "stanza_relabelled",
               args_of(sealed(people=[DAVE])))
        hook("the kid is another's", "no_stanza", "stanza_relabelled", stanza=add(kid=DAVE.kid))
        hook("the fp is another's", "no_stanza", "stanza_relabelled", stanza=add(fp=b64(DAVE.fp)))
        refuse("another's stanza under one's own name", "unwrap", "stanza_relabelled",
               args_of(sealed(
            Hooks(stanza=add(kid=BOB.kid, fp=b64(BOB.fp))), people=[DAVE])), importance="critical")
        other = decode(sealed(text=letter(subject="Other"),
                              hooks=Hooks(header=add(id=b64(bytes(16)))))["stanzas"])
        hook("the stanza of another message", "unwrap", "stanza_swapped", stanzas=lambda _: other,
             importance="critical")
        mixed = decode(sealed(people=[BOB, DAVE])["stanzas"])
        hook("two wrapped keys exchanged", "unwrap", "stanza_swapped", importance="critical",
             stanzas=lambda _: [{**mixed[0], "wk": mixed[1]["wk"]},
                                {**mixed[1], "wk": mixed[0]["wk"]}])
        refuse("a bad stanza before a good one for the same key", "unwrap", "stanza_swapped",
               args_of(sealed(
            Hooks(stanzas=lambda listed: [flip_wk(listed[0]), listed[1]]), people=[BOB, BOB])))
        hook("a bit of the tag changed", "unwrap", "stanza_tampered", stanza=flip_wk,
             importance="critical")
        hook("a bit of the wrapped key changed", "unwrap", "stanza_tampered", importance="critical",
             stanza=lambda one: {**one, "wk": b64(flip(unb64(one["wk"]), 0))})
        for cut, what in ((4, "h0"), (36, "kid"), (52, "fp")):
            hook(f"info without {what}", "unwrap", "stanza_swapped",
                 info=lambda info, cut=cut: info[:cut] + info[{4: 36, 36: 52, 52: 84}[cut]:])
        hook("wk of 47 bytes", "base64url", "base64url",
             stanza=lambda one: {**one, "wk": b64(unb64(one["wk"])[:47])})
        hook("wk of 49 bytes", "base64url", "base64url",
             stanza=lambda one: {**one, "wk": b64(unb64(one["wk"]) + b"x")})
        hook("a stanza's member more", "unknown_member", "unknown_member", stanza=add(zz=1))
        for name in ("kid", "fp", "wk"):
            hook(f"a stanza without {name}", "schema", "missing_member", stanza=drop(name))
        hook("a kid in capitals", "schema", "kid_form", stanza=lambda one: {**one,
            "kid": one["kid"].upper()})
        hook("a stanza that is an array", "schema", "wrong_type", stanza=lambda _: [])
        hook("an object for the stanzas", "schema", "wrong_type", stanzas=lambda listed: listed[0])
        hook("enc for an X25519 key", "algorithm_mix", "algorithm_mix",
             stanza=add(enc=b64(bytes(256))), importance="critical")
        hook("epk as enc for an X25519 key", "algorithm_mix", "algorithm_mix",
             stanza=add(enc=b64(BOB.ek)))
        hook("no epk for an X25519 key", "algorithm_mix", "algorithm_mix", header=drop("epk"),
             importance="critical")
        hook("no enc for an RSA key", "algorithm_mix", "algorithm_mix", self.rsa, CAROL, "critical",
             stanza=drop("enc"))
        n = int.from_bytes(CAROL.ek, "big")
        for comment, enc in (("a bit of enc changed", lambda old: flip(old, 255)),
                             ("enc of zeros", lambda _: bytes(256)),
                             ("enc is one", lambda _: bytes(255) + b"\1"),
                             ("enc is the modulus", lambda _: CAROL.ek),
                             ("enc plus the modulus", lambda old: self._plus(old, n)),
                             ("enc of 255 bytes", lambda old: old[:255]),
                             ("enc with a zero in front", lambda old: b"\0" + old)):
            hook(comment, "unwrap", "stanza_tampered", self.rsa, CAROL, "critical",
                 stanza=lambda one, enc=enc: {**one, "enc": b64(enc(unb64(one["enc"])))})
        hook("an empty enc", "base64url", "base64url", self.rsa, CAROL, stanza=add(enc=""))
        for point in (0, 1, 2**255 - 20):
            hook(f"epk is the point {point:#x} of low order", "unwrap", "low_order_point",
                 importance="critical",
                 header=add(epk=b64(point.to_bytes(32, "little"))))
        hook("another epk", "unwrap", "stanza_tampered", header=add(epk=b64(DAVE.ek)))
        hook("the stanza wraps another key", "key_commitment", "content_key", importance="critical",
             content_key=lambda key: flip(key, 0))

    @staticmethod
    def _plus(enc: bytes, n: int) -> bytes:
        """The same residue written with a larger number, where it fits; else the largest number."""
        value = int.from_bytes(enc, "big") + n
        return value.to_bytes(256, "big") if value < 1 << 2048 else b"\xff" * 256

    def bodies(self):
        refuse, plain = self.group("body", "MSG-29"), sealed()

        def hook(comment, code, flag, twin=None, text=None, importance="high", **hooks):
            refuse(comment, code, flag, args_of(sealed(Hooks(**hooks), text=text)), twin,
                   importance)
        for comment, body in (("a bit of the body changed", flip(plain["body"], 70)),
                              ("a byte more", plain["body"] + b"\0"),
                              ("a byte less", plain["body"][:-1]), ("no body", b""),
                              ("the head for the body", plain["head"])):
            refuse(comment, "blob_hash", "blob_hash", args_of({**plain, "body": body}),
                   importance="critical")
        hook("the body's length is another", "blob_hash", "blob_hash", named=lambda value: {
            **value, "body": {**value["body"], "len": value["body"]["len"] + 1}})
        hook("another hash", "blob_hash", "blob_hash", named=lambda value: {
            **value, "body": {**value["body"], "hash": b64(bytes(32))}})
        full = crypto.CHUNK + crypto.TAG
        long = {"text": self.long, "twin": self.chunks, "importance": "critical"}
        hook("the last chunk gone, under a good hash", "stream_truncated", "truncation",
             body=lambda b: b[:56 + 2 * full], **long)
        hook("two chunks exchanged, under a good hash", "chunk", "chunk_order", **long,
             body=lambda b: (
            b[:56] + b[56 + full:56 + 2 * full] + b[56:56 + full] + b[56 + 2 * full:]))
        hook("the first chunk gone, under a good hash", "chunk", "chunk_order",
             body=lambda b: b[:56] + b[56 + full:], **long)
        hook("a bit changed, under a good hash", "chunk", "chunk_tampered",
             body=lambda b: flip(b, 60))
        hook("the salt changed, under a good hash", "key_commitment", "commitment",
             body=lambda b: flip(b, 3))
        hook("cut to 71 bytes, under a good hash", "stream_truncated", "truncation",
             body=lambda b: b[:71])
        hook("a head for the body, under a good hash", "key_commitment", "commitment",
             body=lambda _: plain["head"])

        refuse = self.group("layout")
        for comment, flag, plain_hook in (
                ("a length over the end", "layout_length", lambda p: b"\0\1\0\0" + p[4:]),
                ("the largest length", "layout_length", lambda p: b"\xff" * 4 + p[4:]),
                ("three bytes", "layout_length", lambda p: p[:3]),
                ("nothing", "layout_length", lambda p: b""),
                ("a length of 0 over a whole letter", "layout_length", lambda p: bytes(4) + p[4:]),
                ("the last byte of padding is 1", "layout_padding", lambda p: p[:-1] + b"\1"),
                ("the first byte of padding is 1", "layout_padding", self._first_padding),
                ("no padding", "layout_padding", lambda p: p[:4 + int.from_bytes(p[:4], "big")]),
                ("a byte of padding too many", "layout_padding", lambda p: p + b"\0"),
                ("padded to the next power of two", "layout_padding",
                 lambda p: p + bytes(4096 - len(p)))):
            hook(comment, "body_layout", flag, plain=plain_hook)

    @staticmethod
    def _first_padding(plain: bytes) -> bytes:
        return flip(plain, 4 + int.from_bytes(plain[:4], "big"))

    def letters(self):
        refuse = self.group("letter", "MSG-24")

        def written(comment, code, flag, change):
            hooks = Hooks(plain=lambda plain: crypto.layout(change(crypto.layout_open(plain,
                "plain"))))
            refuse(comment, code, flag, args_of(sealed(hooks)))

        def hook(comment, code, flag, change, text=None):
            refuse(comment, code, flag, args_of(sealed(Hooks(letter=change), text=text,
                                                       blobs=self.blobs if text else ())),
                   self.with_files if text else None)
        written("white space in the letter", "not_canonical", "white_space",
                lambda raw: raw.replace(b",", b", ", 1))
        written("a name twice in the letter", "duplicate_name", "duplicate_member",
                lambda raw: raw.replace(b'"cc":[]', b'"cc":[],"cc":[]'))
        written("bad UTF-8 in the letter", "utf8", "utf8_invalid",
                lambda raw: raw.replace(b"Hello", b"Hell\xff"))
        written("the letter is an array", "schema", "wrong_type", lambda raw: b"[" + raw + b"]")
        written("nothing in the letter", "json_syntax", "grammar", lambda _: b"")
        for name in ("mid", "from", "deliver_to", "to", "cc", "date", "subject", "parts", "att",
                     "fk"):
            hook(f"no {name}", "schema", "missing_member", drop(name))
        for name, value, code, flag in (
                ("ams", "letter/2", "unknown_ams_tag", "wrong_tag"),
                ("zz", 1, "unknown_member", "unknown_member"),
                ("x_a", 1, "unknown_member", "unknown_member"),
                ("mid", b64(bytes(15)), "base64url", "base64url"),
                ("fk", b64(bytes(31)), "base64url", "base64url"),
                ("thread", b64(bytes(17)), "base64url", "base64url"),
                ("subject", "s" * 4097, "object_too_large", "object_too_large"),
                ("date", -1, "schema", "out_of_range"),
                ("deliver_to", [], "schema", "out_of_range"),
                ("deliver_to", ["bob"], "address_syntax", "address_syntax"),
                ("to", ["Bob <bob@away.example>"], "address_syntax", "address_syntax"),
                ("cc", {}, "schema", "wrong_type"),
                ("reply_to_addr", "Alice@home.example", "address_syntax", "address_syntax"),
                ("subject", 1, "schema", "wrong_type"), ("from", [], "schema", "wrong_type"),
                ("to", [BOB.addr] * 1025, "object_too_large", "object_too_large"),
                ("parts", [{"type": "text/plain"}], "schema", "missing_member"),
                ("parts", [{"type": "text/plain", "text": "x", "zz": 1}], "unknown_member",
                 "unknown_member"),
                ("parts", [{"type": "t" * 256, "text": ""}], "object_too_large",
                 "object_too_large"),
                ("parts", [{"type": "t", "text": ""}] * 513, "object_too_large",
                 "object_too_large")):
            hook(f"{name} is {str(value)[:30]}", code, flag, add(**{name: value}))
        files = letter(att=self.files)
        for comment, code, flag, changed in (
                ("ids counted from 1", "schema", "out_of_range",
                 [{**f, "id": f["id"] + 1} for f in self.files]),
                ("one id twice", "schema", "out_of_range", [{**f, "id": 0} for f in self.files]),
                ("a negative size", "schema", "out_of_range",
                 [{**f, "size": -1} for f in self.files]),
                ("a blob of 31 bytes", "base64url", "base64url",
                 [{**f, "blob": b64(bytes(31))} for f in self.files]),
                ("no key", "schema", "missing_member", [drop("key")(f) for f in self.files]),
                ("a name of 1,025 bytes", "object_too_large", "object_too_large",
                 [{**f, "name": "n" * 1025} for f in self.files])):
            hook(f"attachments: {comment}", code, flag, add(att=changed), files)

    def commitments(self):
        refuse = self.group("franking")

        def hook(comment, code, flag, twin, text=None, blobs=(), **hooks):
            refuse(comment, code, flag, args_of(sealed(Hooks(**hooks), text=text, blobs=blobs)),
                   twin, "critical")
        parts = [{"type": "text/plain", "text": f"part {i}"} for i in range(5)]
        five = letter(parts=parts)
        for count in (1, 3, 1025):
            hook(f"{count} leaves in the header", "leaf_count", "leaf_count", self.twin,
                 leaves=lambda _, count=count: count)
        hook("six leaves said to be five", "leaf_count", "leaf_count", self.leaves, five,
             leaves=lambda _: 5)
        hook("a bit of fc changed", "franking", "franking", self.twin, fc=lambda fc: flip(fc, 0))
        hook("fc of zeros", "franking", "franking", self.twin, fc=lambda _: bytes(32))
        for comment, other in (("another letter's fc", letter(subject="Other")),
                               ("fc under another fk", letter(fk=b64(bytes(32)))),
                               ("fc before deliver_to was changed",
                                letter(deliver_to=[BOB.addr, DAVE.addr])),
                               ("fc of another part", letter(parts=[{"type": "text/plain",
                                   "text": "Send money."}]))):
            hook(comment, "franking", "franking", self.twin, fc=lambda _,
                 other=other: self._fc(other))
        hook("parts in another order", "franking", "franking", self.leaves, five,
             fc=lambda _: self._fc(letter(parts=parts[::-1])))
        data = message.leaves_of(letter())
        hook("leaves hashed without the leaf prefix", "franking", "franking", self.twin,
             fc=lambda _: crypto.sha256(b"\1" + b"".join(crypto.sha256(leaf) for leaf in data)))
        hook("leaf keys taken from fk itself", "franking", "franking", self.twin,
             fc=lambda _: crypto.merkle_root(
            [crypto.mac(unb64(letter()["fk"]), message.u32(i) + len(leaf).to_bytes(8, "big") + leaf)
             for i, leaf in enumerate(data)]))
        refuse = self.group("blobs")
        files, names = letter(att=self.files), self.blobs
        extra = crypto.sha256(b"extra")
        for comment, text, blobs, twin in (
                ("a blob that no attachment names", None, [extra], self.twin),
                ("an attachment whose blob is not named", files, names[:1], self.with_files),
                ("no blob named", files, [], self.with_files),
                ("one blob too many", files, names + [extra], self.with_files),
                ("another blob", files, [names[0], extra], self.with_files)):
            hook(comment, "blob_set", "blob_set", twin, text, blobs)

    @staticmethod
    def _fc(value: dict) -> bytes:
        return message.franking(message.leaves_of(value), unb64(value["fk"]))


def files() -> list:
    made = Letters()
    for part in (made.senders, made.signatures, made.stanzas, made.bodies, made.letters,
                 made.commitments):
        part()
    return [made.file]
