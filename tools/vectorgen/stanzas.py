"""Stanzas by themselves (spec MSG-15 to MSG-19): stanza.unwrap."""
from ams_py import crypto, keys, message
from ams_py.encoding import b64, encode, unb64
from ams_py.seal import Draws, Hooks, wrap

from .book import File
from .letters import DAVE, add, drop, flip
from .world import OTHER_ENCRYPT, READERS, rsa_der

HEADER = {"ams": "env/1", "id": b64(bytes(16))}
H0, KEY = message.header_hash(HEADER), Draws("content key").take(32)
EPHEMERAL = Draws("stanza ephemeral").take(32)
EPK = crypto.x25519_public(EPHEMERAL)


class Suite:
    def __init__(self, kem: str, aead: str):
        self.kem, self.aead, self.reader = kem, aead, READERS[kem]
        self.name = f"{kem.removesuffix('kem')}-{aead}"

    def stanza(self, person=None, hooks=None, key=KEY, header=None) -> dict:
        person = person or self.reader
        return wrap(header or HEADER, self.aead, key, person.record,
                    Draws(f"stanza {person.kem}"), EPHEMERAL, hooks or Hooks())

    def void(self) -> dict:
        """Wrapped under a secret of zeros, to which a reader without a check would fall back."""
        info = message.stanza_info(H0, self.reader.kid, self.reader.fp)
        key, nonce = crypto.key_schedule(self.kem, self.aead, bytes(32), info)
        return {**self.stanza(), "wk": b64(crypto.aead_seal(self.aead, key, nonce, KEY))}

    def args(self, stanzas=None, **changed) -> dict:
        return {"stanzas_b64": b64(encode([self.stanza()] if stanzas is None else stanzas)),
                "aead": self.aead, "h0_b64": b64(H0), "epk_b64": b64(EPK),
                "own_record_b64": b64(encode(self.reader.record)),
                "own_private_b64": b64(self.reader.private), **changed}


def _valid(group, suite) -> str:
    own, other = suite.stanza(), suite.stanza(DAVE)
    for count in (2, 99, 100) if suite.kem in ("x25519", "rsa2048kem") else (2, 3):
        for place in sorted({0, count // 2, count - 1}):
            listed = [other] * count
            listed[place] = own
            group.valid(f"{suite.name}, stanza {place} of {count}", suite.args(listed),
                        clauses=["MSG-17", "MSG-19"])
    group.valid(f"{suite.name}, a bad stanza for the same key after a good one",
                suite.args([own, _flip(own, 0)]), clauses=["MSG-19"])
    if suite.kem != "x25519":
        args = suite.args()
        del args["epk_b64"]
        group.valid(f"{suite.name}, a header without epk", args, clauses=["MSG-16"])
    return group.valid(f"{suite.name}, one stanza", suite.args(), clauses=["MSG-15", "MSG-16"])


def _flip(stanza: dict, at: int, name: str = "wk") -> dict:
    return {**stanza, name: b64(flip(unb64(stanza[name]), at))}


def _wrapped(group, suite, twin: str):
    own, other = suite.stanza(), suite.stanza(DAVE)

    def refuse(comment, code, flag, stanzas, importance="critical", **changed):
        group.invalid(f"{suite.name}, {comment}", suite.args(stanzas, **changed), code, twin,
                      [flag], importance=importance)
    for at in (0, 31, 32, 47):
        refuse(f"a bit of wk's byte {at} changed", "unwrap", "stanza_tampered", [_flip(own, at)])
    refuse("another's wk", "unwrap", "stanza_swapped", [{**own, "wk": other["wk"]}])
    refuse("a bad stanza for the same key before a good one", "unwrap", "stanza_swapped",
           [_flip(own, 0), own])
    refuse("the stanza of another message", "unwrap", "stanza_swapped",
           [suite.stanza(header={**HEADER, "id": b64(bytes(15) + b"\1")})])
    refuse("h0 of another message", "unwrap", "stanza_swapped", [own], h0_b64=b64(flip(H0, 0)))
    aead = next(name for name in crypto.AEADS if name != suite.aead)
    refuse("the header says the other AEAD", "unwrap", "aead_confusion", [own], aead=aead)
    for cut, what in ((4, "h0"), (36, "kid"), (52, "fp"), (0, "the label")):
        end = {0: 4, 4: 36, 36: 52, 52: 84}[cut]
        refuse(f"info without {what}", "unwrap", "stanza_swapped", [suite.stanza(hooks=Hooks(
            info=lambda info, cut=cut, end=end: info[:cut] + info[end:]))])
    refuse("another's stanza under one's own name", "unwrap", "stanza_relabelled",
           [{**other, "kid": own["kid"], "fp": own["fp"], **(
               {"enc": own["enc"]} if "enc" in own else {})}])
    refuse("a stanza for another only", "no_stanza", "stanza_relabelled", [other])
    refuse("the kid is another's", "no_stanza", "stanza_relabelled",
           [{**own, "kid": other["kid"]}])
    refuse("the fp is another's", "no_stanza", "stanza_relabelled", [{**own, "fp": other["fp"]}])
    refuse("three stanzas, none one's own", "no_stanza", "stanza_relabelled", [other] * 3)
    private = Draws("another private").take(32) if suite.kem == "x25519" else rsa_der(
        OTHER_ENCRYPT[suite.kem])
    refuse("opened with another private key", "unwrap", "stanza_relabelled", [own],
           own_private_b64=b64(private))
    if suite.kem == "x25519":
        for length in (1, 32, 256, 1024):
            refuse(f"enc of {length} bytes", "algorithm_mix", "algorithm_mix",
                   [{**own, "enc": b64(bytes(length))}])
        refuse("epk for enc", "algorithm_mix", "algorithm_mix", [{**own, "enc": b64(EPK)}])
        args = suite.args()
        del args["epk_b64"]
        group.invalid(f"{suite.name}, a header without epk", args, "algorithm_mix", twin,
                      ["algorithm_mix"], importance="critical")
        refuse("another epk", "unwrap", "stanza_tampered", [own], epk_b64=b64(flip(EPK, 0)))
        refuse("the reader's own key for epk", "unwrap", "stanza_tampered", [own],
               epk_b64=b64(suite.reader.ek))
        for point in (0, 1, 2**255 - 20):
            refuse(f"epk is the point {point:#x}", "unwrap", "low_order_point", [suite.void()],
                   epk_b64=b64(point.to_bytes(32, "little")))
        return
    size = len(suite.reader.ek)
    refuse("no enc", "algorithm_mix", "algorithm_mix", [drop("enc")(own)])
    for at in (0, size // 2, size - 1):
        refuse(f"a bit of enc's byte {at} changed", "unwrap", "stanza_tampered",
               [_flip(own, at, "enc")])
    enc = unb64(own["enc"])
    for what, value in (("cut by a byte", enc[:-1]), ("a zero more", enc + b"\0"),
                        ("a zero before it", b"\0" + enc), ("zeros", bytes(size)),
                        ("the modulus", suite.reader.ek), ("the largest number", b"\xff" * size),
                        ("epk", EPK), ("one byte", b"\1")):
        void = bytes(size) != value  # the number 0 is an encapsulation, of another secret
        refuse(f"enc: {what}", "unwrap", "enc_form",
               [{**(suite.void() if void else own), "enc": b64(value)}])


def _form(group, suite, twin: str):
    own = suite.stanza()

    def refuse(comment, code, flag, stanzas):
        group.invalid(f"{suite.name}, {comment}", suite.args(stanzas), code, twin, [flag])
    refuse("no stanza", "schema", "stanza_count", [])
    refuse("101 stanzas", "too_many_stanzas", "stanza_count", [own] * 101)
    refuse("102 stanzas, none one's own", "too_many_stanzas", "stanza_count",
           [suite.stanza(DAVE)] * 102)
    refuse("an object for the stanzas", "schema", "wrong_type", own)
    refuse("a string for the stanzas", "schema", "wrong_type", "x")
    for element in ([], "x", 1, True):
        refuse(f"the stanza {element!r}", "schema", "wrong_type", [own, element])
    for name in ("kid", "fp", "wk"):
        refuse(f"a second stanza without {name}", "schema", "missing_member",
               [own, drop(name)(own)])
        for value in (1, [], True):
            refuse(f"{name} is {value!r}", "schema", "wrong_type", [{**own, name: value}])
    for name, low in (("fp", 31), ("fp", 33), ("wk", 0), ("wk", 47), ("wk", 49), ("wk", 64),
                      ("enc", 0), ("enc", 1025)):
        refuse(f"{name} of {low} bytes", "base64url", "base64url",
               [{**own, name: b64(bytes(low))}])
    for name in ("fp", "wk"):
        text = own[name]
        refuse(f"{name} is padded", "base64url", "base64url", [{**own, name: text + "="}])
        refuse(f"{name} has a line feed", "base64url", "base64url", [{**own, name: text + "\n"}])
    refuse("enc is a number", "schema", "wrong_type", [{**own, "enc": 1}])
    for kid in (own["kid"].upper(), own["kid"].replace("-", ""), "{" + own["kid"] + "}", "",
                own["kid"] + " ", "g" + own["kid"][1:]):
        refuse(f"the kid {kid[:38]!r}", "schema", "kid_form", [{**own, "kid": kid}])
    refuse("a member more", "unknown_member", "unknown_member", [add(zz=1)(own)])
    refuse("a tag", "unknown_member", "unknown_member", [add(ams="stanza/1")(own)])
    refuse("an x_ member", "unknown_member", "unknown_member", [add(x_a=1)(own)])
    for aead in ("", "none", "A256GCM", "a128gcm"):
        group.invalid(f"{suite.name}, the AEAD {aead!r}", suite.args(aead=aead),
                      "unknown_algorithm", twin, ["unknown_algorithm"])
    broken = {**suite.reader.record, "sig": b64(bytes(64))}
    group.invalid(f"{suite.name}, the reader's own record does not verify",
                  suite.args(own_record_b64=b64(encode(broken))), "signature", twin,
                  ["signature_flip"])
    assert keys.kid_of(suite.reader.fp) == suite.reader.kid


def files() -> list:
    file = File("message/stanzas.json", "stanza.unwrap", "stz")
    for kem in READERS:
        for aead in crypto.AEADS:
            suite = Suite(kem, aead)
            twin = _valid(file.group(f"valid-{suite.name}"), suite)
            _wrapped(file.group(f"wrap-{suite.name}"), suite, twin)
            if suite.name == "x25519-a256gcm":
                _form(file.group("members"), suite, twin)
    return [file]
