"""Evidence that is mailed around: look-ups and two faces (spec EVD)."""
from ams_py.encoding import b64, encode
from ams_py.trees import log_root

from . import rewrites
from .book import NOW_MS, File
from .directories import DIR, OTHER, WITNESSES, signer
from .faults import WRONG_TYPE
from .lineage import card, event, revocation
from .logbook import Signer, flipped
from .lookups import HOUR, NOBODY, filled
from .world import ALICE, BOB, EVE, Domain, Person

W1, W2, W3 = WITNESSES
COSIGNERS = [signer(domain, 4) for domain in WITNESSES]
OBJECTS = [ALICE.record, event(successor=BOB), revocation(), card()]
RSA = Domain("rsa.example")
RSA.op = Person("op", RSA.name, rsa_sign="alice_sign")
RSA.chain = RSA.make_chain()
LONG = Domain(".".join(["d" * 40] * 2) + ".example")
TWIN = Domain("twin.example")  # another domain with the first witness's op key
TWIN.op = W1.op
TWIN.chain = TWIN.make_chain()


def named(domain: Domain, chain: dict = None, /, **changed) -> dict:
    return {"domain": domain.name, "chain": chain or domain.chain, **changed}


def root(domain: Domain) -> dict:
    return {"domain": domain.name, "root_kid": domain.root.kid, "root_fp": b64(domain.root.fp)}


ROOTS = [root(domain) for domain in (DIR, OTHER, *WITNESSES, RSA, LONG, TWIN)]


def args(value, roots=None, **more) -> dict:
    text = value if isinstance(value, bytes) else encode(value)
    return {"raw_b64": b64(text), "roots": ROOTS if roots is None else roots, **more}


class Shown:
    """A look-up and its evidence."""

    def __init__(self, objects=None, cosigners=COSIGNERS):
        self.objects = OBJECTS if objects is None else objects
        self.made = filled(*(self.objects or OBJECTS))
        self.kid = ALICE.kid if self.objects else NOBODY.kid
        self.proof = self.made.prove(self.kid, *cosigners)

    def evidence(self, **changed) -> dict:
        said = {"ams": "dproof/1", **named(DIR), "kid": self.kid, "objects": self.objects,
                "proof": self.proof, "witnesses": [named(one) for one in WITNESSES], **changed}
        return {name: item for name, item in said.items() if item is not None}


SHOWN = Shown()


def _lookups(file) -> None:
    good = file.group("look-ups")
    value = SHOWN.evidence()
    twin = good.valid("of a revoked key, three witnesses", args(value, quorum=3, now=NOW_MS), (),
                      ["EVD-1", "EVD-2"])
    good.valid("in a file with a line feed", args(encode(value) + b"\n"), (), ["EVD-4"])
    good.valid("years later, where its age is nobody's concern", args(value, quorum=2), (),
               ["EVD-2"])
    absent = Shown([])
    absent_twin = good.valid("of a key that is not there", args(absent.evidence(), quorum=3), (),
                             ["EVD-1", "EVD-2"])
    for count in (0, 1, 2):
        few = Shown(cosigners=COSIGNERS[:count])
        good.valid(f"{count} of three witnesses cosigned", args(few.evidence(), quorum=count), (),
                   ["EVD-2"])
    good.valid("no witness is named", args(SHOWN.evidence(witnesses=[])), (), ["EVD-1"])
    good.valid("32 are named, most of them twice", args(SHOWN.evidence(
        witnesses=[named(one) for one in WITNESSES * 11][:32]), quorum=3), ["evidence_witness"])
    for comment, other in (
            ("a witness under a root that the judge does not know", named(Domain("x.example"))),
            ("the peer itself", named(DIR)),
            ("a witness whose chain is another's", named(OTHER, DIR.chain)),
            ("a witness without a chain", named(OTHER, 1)),
            ("a witness whose op key is RSA", named(RSA)),
            ("a witness whose origin would be too long", named(LONG)),
            ("a second chain of one of them, which does not hold", named(W1, OTHER.chain))):
        good.valid(f"beside them {comment}: it does not count", args(SHOWN.evidence(
            witnesses=[named(one) for one in WITNESSES] + [other]), quorum=3),
            ["evidence_witness"])
        good.valid(f"before them {comment}: it does not count", args(SHOWN.evidence(
            witnesses=[other] + [named(one) for one in WITNESSES]), quorum=3),
            ["evidence_witness"])
    _members(file, twin)
    _chains(file, twin)
    _counted(file, twin)
    _judged(file, twin, absent, absent_twin)
    _sizes(file, good)


def _members(file, twin) -> None:
    bad, value = file.group("members"), SHOWN.evidence()

    def refuse(comment, code, flag, **changed):
        bad.invalid(comment, args(SHOWN.evidence(**changed)), code, twin, [flag])
    for name in ("domain", "kid", "objects", "witnesses", "chain", "proof"):
        refuse(f"no {name}", "schema", "missing_member", **{name: None})
        if name not in ("chain", "proof"):
            refuse(f"{name} has another type", "schema", "wrong_type",
                   **{name: WRONG_TYPE[type(value[name])]})
    refuse("an unknown member", "unknown_member", "unknown_member", zz=1)
    refuse("an unknown member that would be ignored in args", "unknown_member", "unknown_member",
           x_a=1)
    for tag in ("dproof/2", "DPROOF/1", "blie/1", ""):
        refuse(f"the tag {tag!r}", "unknown_ams_tag", "wrong_tag", ams=tag)
    refuse("no tag", "schema", "wrong_tag", ams=None)
    refuse("the tag is a number", "schema", "wrong_tag", ams=1)
    refuse("the tag of two faces", "schema", "wrong_tag", ams="dfaces/1")
    for shown in ([value], 1, "x"):
        bad.invalid(f"a {type(shown).__name__} for evidence", args(shown), "schema", twin,
                    ["wrong_type"])
    for name in ("Dir.example", "localhost", "dir.example.", "", "d" * 250 + ".example"):
        refuse(f"the domain {name[:20]!r}", "address_syntax", "domain_syntax", domain=name)
        refuse(f"a witness's domain {name[:20]!r}", "address_syntax", "domain_syntax",
               witnesses=[named(W1), named(W2, domain=name)])
    refuse("a domain of 1,025 bytes", "object_too_large", "object_too_large", domain="d" * 1025)
    refuse("the kid in capitals", "schema", "kid_form", kid=ALICE.kid.upper())
    refuse("65 objects", "object_too_large", "object_too_large", objects=[revocation()] * 65)
    refuse("33 witnesses", "object_too_large", "object_too_large", witnesses=[named(W1)] * 33)
    refuse("a witness is a number", "schema", "wrong_type", witnesses=[1])
    refuse("a witness without domain", "schema", "missing_member", witnesses=[{"chain": 1}])
    refuse("a witness without chain", "schema", "missing_member",
           witnesses=[{"domain": W1.name}])
    refuse("a witness with more", "unknown_member", "unknown_member", witnesses=[named(W1, zz=1)])
    refuse("a witness with a tag", "unknown_member", "unknown_member",
           witnesses=[named(W1, ams="key/1")])
    for comment, changed, code in (
            ("a domain that is none, and no kid", {"domain": "x", "kid": None}, "address_syntax"),
            ("no kid, and 65 objects", {"kid": None, "objects": [1] * 65}, "schema"),
            ("65 objects, and no proof", {"objects": [1] * 65, "proof": None}, "object_too_large"),
            ("a witness with more, and a member more", {"witnesses": [named(W1, domain="x")],
                                                        "zz": 1}, "address_syntax"),
            ("a member more, and another root", {"zz": 1, **named(EVIL)}, "unknown_member")):
        refuse(comment, code, "check_order", **changed)


EVIL = Domain("evil.example")


def _chains(file, twin) -> None:
    bad = file.group("chains")

    def refuse(comment, shown, roots=None, code="domain_record", flag="evidence_root"):
        bad.invalid(comment, args(shown, roots), code, twin, [flag], importance="critical")
    value = SHOWN.evidence()
    refuse("the judge believes no root", value, [])
    refuse("the judge believes the witnesses' roots alone", value, [root(one) for one in WITNESSES])
    refuse("the judge believes another root of the domain", value,
           [{**root(OTHER), "domain": DIR.name}])
    refuse("the judge believes another fp of the root", value,
           [{**root(DIR), "root_fp": b64(OTHER.root.fp)}])
    refuse("another domain's chain", SHOWN.evidence(chain=OTHER.chain))
    refuse("another domain with its own chain", SHOWN.evidence(**named(OTHER)), code="proof",
           flag="checkpoint_other")
    refuse("a chain under a root of one's own", SHOWN.evidence(
        chain=DIR.make_chain(root=EVIL.root)))
    refuse("another op key, not signed by the root", SHOWN.evidence(
        chain={**DIR.chain, "op": EVIL.op.record}))
    refuse("the record's sig changed", SHOWN.evidence(chain={**DIR.chain, "record": {
        **DIR.chain["record"], "sig": flipped(DIR.chain["record"]["sig"])}}))
    refuse("the record signed by the op key", SHOWN.evidence(chain=DIR.make_chain(signer=DIR.op)))
    refuse("the record's seq changed", SHOWN.evidence(chain={**DIR.chain, "record": {
        **DIR.chain["record"], "seq": 2}}))
    for name in ("record", "root", "op"):
        refuse(f"a chain without {name}", SHOWN.evidence(chain={
            its: item for its, item in DIR.chain.items() if its != name}))
        refuse(f"the chain's {name} is a number", SHOWN.evidence(chain={**DIR.chain, name: 1}))
    refuse("a chain with a member more", SHOWN.evidence(chain={**DIR.chain, "zz": 1}))
    for shown in (1, "x", [], {}):
        refuse(f"{shown!r} for a chain", SHOWN.evidence(chain=shown))
    refuse("an op key that is RSA", SHOWN.evidence(**named(RSA)), code="unknown_algorithm",
           flag="evidence_log")
    refuse("a domain whose origin would be too long", SHOWN.evidence(**named(LONG)),
           code="proof_form", flag="evidence_log")
    refuse("another root, and no checkpoint", SHOWN.evidence(
        **named(EVIL), proof={**SHOWN.proof, "checkpoint": "x"}), flag="stage_order")


def _counted(file, twin) -> None:
    bad = file.group("witnesses")

    def refuse(comment, shown, quorum, code="witnesses", flag="evidence_witness", roots=None):
        bad.invalid(comment, args(shown, roots, quorum=quorum), code, twin, [flag],
                    importance="critical")
    refuse("four demanded of three", SHOWN.evidence(), 4)
    refuse("three demanded, two cosigned", Shown(cosigners=COSIGNERS[:2]).evidence(), 3)
    refuse("one demanded, none named", SHOWN.evidence(witnesses=[]), 1)
    refuse("three demanded, two named", SHOWN.evidence(witnesses=[named(W1), named(W2)]), 3)
    refuse("three demanded, one named twice", SHOWN.evidence(
        witnesses=[named(W1), named(W2), named(W2)]), 3)
    refuse("the root of one is not known", SHOWN.evidence(), 3,
           roots=[root(one) for one in (DIR, W1, W2)])
    refuse("the root of one is another", SHOWN.evidence(), 3, roots=[
        root(DIR), root(W1), root(W2), {**root(OTHER), "domain": W3.name}])
    refuse("the chain of one does not hold", SHOWN.evidence(
        witnesses=[named(W1), named(W2), named(W3, OTHER.chain)]), 3)
    own = Shown(cosigners=[*COSIGNERS[:2], signer(DIR, 4)])
    refuse("the peer cosigned itself", own.evidence(
        witnesses=[named(W1), named(W2), named(DIR)]), 3)
    twins = Shown(cosigners=[COSIGNERS[0], signer(TWIN, 4)])
    refuse("one key in two domains", twins.evidence(witnesses=[named(W1), named(TWIN)]), 2,
           flag="witness_twice")
    spoiled = [*COSIGNERS[:2], Signer(COSIGNERS[2].key.name, 4, "", EVIL.op.seed)]
    refuse("one's name with another key", Shown(cosigners=spoiled).evidence(), 3)
    text = SHOWN.made.text()
    line = COSIGNERS[2].line(text, 5)[:-5] + "AA==\n"
    bad_note = {**SHOWN.proof, "checkpoint": SHOWN.made.note(*COSIGNERS[:2]) + line}
    for quorum in (0, 2):
        refuse(f"one's cosignature is bad, {quorum} demanded", SHOWN.evidence(proof=bad_note),
               quorum, "signature", "cosignature")


def _judged(file, twin, absent, absent_twin) -> None:
    bad = file.group("judged")

    def refuse(comment, code, flag, valid=twin, shown=SHOWN, now=None, **changed):
        more = {} if now is None else {"now": now}
        bad.invalid(comment, args(shown.evidence(**changed), **more), code, valid, [flag],
                    importance="critical")
    refuse("no objects of a key that is there", "proof", "look_up_withheld", objects=[])
    refuse("the revocation left out", "proof", "look_up_withheld", objects=[*OBJECTS[:2],
                                                                            OBJECTS[3]])
    refuse("of another kid", "kid_mismatch", "look_up_object", kid=BOB.kid)
    refuse("objects of a key that is not there", "proof", "look_up_value", absent_twin, absent,
           kid=EVE.kid, objects=[EVE.record])
    for tag in ("bind/1", "kev/2", "key/2", "", "dproof/1"):
        refuse(f"an object of the tag {tag!r} beside them", "unknown_ams_tag", "look_up_object",
               objects=[*OBJECTS, {"ams": tag}])
        refuse(f"an object of the tag {tag!r} alone", "unknown_ams_tag", "look_up_object",
               objects=[{"ams": tag}])
    refuse("an object without a tag beside them", "schema", "look_up_object",
           objects=[*OBJECTS, {"kid": ALICE.kid}])
    for one in (1, "x", []):
        refuse(f"{one!r} beside them", "schema", "look_up_object", objects=[*OBJECTS, one])
    refuse("another's record beside it", "kid_mismatch", "look_up_object",
           objects=[*OBJECTS, BOB.record])
    refuse("a second card that is forged", "signature", "signature_flip", objects=[
        *OBJECTS, card(cseq=2, signer=EVE)])
    refuse("a second card, younger than the epoch", "proof", "look_up_younger",
           objects=[*OBJECTS, card(cseq=2)])
    refuse("an older card after the one that is held", "card_stale", "look_up_object",
           shown=Shown([ALICE.record, card(cseq=2)]), objects=[ALICE.record, card(cseq=2), card()])
    refuse("a second revocation that is forged", "signature", "signature_flip", objects=[
        *OBJECTS, revocation(signer=EVE)])
    refuse("an event before the record", "unknown_ams_tag", "look_up_object",
           objects=[OBJECTS[1], OBJECTS[0], *OBJECTS[2:]])
    refuse("an answer that is none", "schema", "wrong_type", proof=1)
    refuse("an answer without its map", "schema", "missing_member",
           proof={name: item for name, item in SHOWN.proof.items() if name != "map"})
    refuse("another's path", "proof", "map_fold",
           proof={**SHOWN.proof, "map": SHOWN.made.prove(NOBODY.kid)["map"]})
    forger = Signer(SHOWN.made.signer.key.name, 1, "forger of evidence")
    text = SHOWN.made.text()
    refuse("a forged checkpoint", "signature", "note_unsigned", proof={
        **SHOWN.proof, "checkpoint": text + "\n" + forger.line(text)})
    refuse("another log's checkpoint", "proof", "checkpoint_other", proof={
        **SHOWN.proof, "checkpoint": SHOWN.made.note(text=SHOWN.made.text(origin="dir.example"))})
    refuse("another epoch", "proof", "log_fold", proof={
        **SHOWN.proof, "inclusion": flipped(SHOWN.proof["inclusion"])})
    refuse("a day old, for who minds", "checkpoint_stale", "stale_epoch", now=NOW_MS + 24 * HOUR)
    refuse("of the future, for who minds", "checkpoint_stale", "future_epoch",
           now=NOW_MS - 300_001)


def _sizes(file, good) -> None:
    """EVD-4: what fills a file to 1 MiB is the member that anything may stand in."""
    bad, least = file.group("sizes"), len(encode(SHOWN.evidence(witnesses=[])))
    room = (1 << 20) - least
    filler = {"chain": {**DIR.chain, "zz": "x" * (room - len(',"zz":""'))}}
    full = encode(SHOWN.evidence(witnesses=[], **filler))
    assert len(full) == 1 << 20
    small = good.valid("of no witness", args(SHOWN.evidence(witnesses=[]), quorum=0), (), ["EVD-4"])
    bad.invalid("1 MiB, and a line feed: is judged", args(full + b"\n"), "domain_record", small,
                ["evidence_root"])
    larger = SHOWN.evidence(witnesses=[], chain={**DIR.chain, "zz": "x" * (
        room - len(',"zz":""') + 1)})
    bad.invalid("a byte more", args(larger), "object_too_large", small, ["evidence_large"])
    for comment, text, code in (
            ("two line feeds", encode(SHOWN.evidence(witnesses=[])) + b"\n\n", "not_canonical"),
            ("a line feed before it", b"\n" + encode(SHOWN.evidence(witnesses=[])),
             "not_canonical"),
            ("CR LF", encode(SHOWN.evidence(witnesses=[])) + b"\r\n", "not_canonical"),
            ("nothing", b"", "json_syntax"), ("a line feed alone", b"\n", "json_syntax"),
            ("two texts", encode(SHOWN.evidence(witnesses=[])) * 2, "json_syntax")):
        bad.invalid(comment, args(text), code, small, ["evidence_form"])


# --- two faces ---

def _faces(file) -> None:
    good, log = file.group("two-faces"), signer(DIR)
    texts = [f"{log.key.name}\n7\n{face}=\n" for face in ("A" * 43, "B" * 42 + "A")]
    one, two = (text + "\n" + log.line(text) for text in texts)

    def evidence(notes=one + "\n" + two, **changed) -> dict:
        said = {"ams": "dfaces/1", **named(DIR), "evidence": notes, **changed}
        return {name: item for name, item in said.items() if item is not None}
    twin = good.valid("two faces", args(evidence()), ["faces"], ["EVD-3"])
    good.valid("two faces, whatever witnesses are demanded", args(evidence(), quorum=9), ["faces"],
               ["EVD-3"])
    good.valid("two faces, however long ago", args(evidence(), now=NOW_MS + 10**10), ["faces"],
               ["EVD-3"])
    good.valid("two faces, in a file with a line feed", args(encode(evidence()) + b"\n"), ["faces"],
               ["EVD-3", "EVD-4"])
    bad = file.group("faces-form")

    def refuse(comment, shown, code, flag, group=bad, **more):
        group.invalid(comment, args(shown, **more), code, twin, [flag], importance="critical")
    for name in ("domain", "chain", "evidence"):
        refuse(f"no {name}", evidence(**{name: None}), "schema", "missing_member")
    for name in ("domain", "evidence"):
        refuse(f"{name} is a number", evidence(**{name: 1}), "schema", "wrong_type")
    for name in ("zz", "kid", "witnesses"):
        refuse(f"a member {name}", evidence(**{name: 1}), "unknown_member", "unknown_member")
    refuse("the tag of a look-up", evidence(ams="dproof/1"), "schema", "wrong_tag")
    refuse("the tag of another version", evidence(ams="dfaces/2"), "unknown_ams_tag", "wrong_tag")
    refuse("the domain in capitals", evidence(domain="DIR.EXAMPLE"), "address_syntax",
           "domain_syntax")
    for size in (1000, 1001, 5000):
        refuse(f"{size} bytes", evidence(one + "\n" + two + "x" * (size - len(
            (one + "\n" + two).encode()))), "object_too_large", "faces_large")
    refuse("the greater root first", evidence(two + "\n" + one), "proof_form", "faces_form")
    refuse("one note", evidence(one), "proof_form", "faces_form")
    refuse("nothing", evidence(""), "proof_form", "faces_form")
    judged = file.group("faces-judged")
    for comment, shown, code, flag in (
            ("one note twice", evidence(one + "\n" + one), "proof", "evidence_faces"),
            ("under another domain with its chain", evidence(**named(OTHER)), "proof",
             "evidence_faces"),
            ("under another domain's chain", evidence(chain=OTHER.chain), "domain_record",
             "evidence_root"),
            ("under a root of one's own", evidence(chain=DIR.make_chain(root=EVIL.root)),
             "domain_record", "evidence_root"),
            ("under an op key of one's own", evidence(chain=DIR.make_chain(
                op=EVIL.op, signer=EVIL.root)), "domain_record", "evidence_root"),
            ("under a newer op key that the root signed", evidence(chain=DIR.make_chain(
                op=EVIL.op)), "signature", "evidence_faces"),
            ("under an RSA op key", evidence(**named(RSA)), "unknown_algorithm", "evidence_log"),
            ("under another root, and one note alone", evidence(one, **named(EVIL)),
             "domain_record", "stage_order")):
        refuse(comment, shown, code, flag, judged)
    refuse("the judge believes no root", evidence(), "domain_record", "evidence_root", judged,
           roots=[])
    forger = Signer(log.key.name, 1, "forger of two faces")
    forged = "\n".join(text + "\n" + forger.line(text) for text in texts)
    refuse("forged", evidence(forged), "signature", "faces_forged", judged)


# --- a rewritten history ---

def _rewrites(file) -> None:
    good, log = file.group("rewrites"), signer(DIR)
    one, two, hashes = rewrites.faces(7, 20, signer=log)
    proof = rewrites.whole(one, two, hashes)

    def evidence(shown=proof, **changed) -> dict:
        said = {"ams": "drewrite/1", **named(DIR), "evidence": shown, **changed}
        return {name: item for name, item in said.items() if item is not None}
    twin = good.valid("a rewritten history", args(evidence()), ["rewrite"], ["EVD-5"])
    good.valid("a rewritten history, whatever witnesses are demanded", args(evidence(), quorum=9),
               ["rewrite"], ["EVD-5"])
    bad = file.group("rewrites-judged")

    def refuse(comment, shown, code, flag, **more):
        bad.invalid(comment, args(shown, **more), code, twin, [flag], importance="critical")
    for name in ("domain", "chain", "evidence"):
        refuse(f"no {name}", evidence(**{name: None}), "schema", "missing_member")
    refuse("evidence is a number", evidence(evidence=1), "schema", "wrong_type")
    refuse("a member kid", evidence(kid=1), "unknown_member", "unknown_member")
    refuse("the tag of two faces", evidence(ams="dfaces/1"), "object_too_large"
           if len(proof.encode()) >= 1000 else "proof_form", "wrong_tag")
    refuse("the tag of another version", evidence(ams="drewrite/2"), "unknown_ams_tag",
           "wrong_tag")
    refuse("4000 bytes", evidence(proof + "x" * (4000 - len(proof.encode()))), "object_too_large",
           "rewrite_large")
    refuse("two notes alone", evidence(one + "\n" + two), "proof_form", "rewrite_form")
    refuse("one history", evidence(rewrites.whole(
        rewrites.note_of(7, log_root(rewrites.leaves(b"b", 7)), log), two, hashes)), "proof",
           "evidence_rewrite")
    refuse("under another domain with its chain", evidence(**named(OTHER)), "proof",
           "evidence_rewrite")
    refuse("under another domain's chain", evidence(chain=OTHER.chain), "domain_record",
           "evidence_root")
    refuse("under a root of one's own", evidence(chain=DIR.make_chain(root=EVIL.root)),
           "domain_record", "evidence_root")
    refuse("under a newer op key that the root signed", evidence(chain=DIR.make_chain(op=EVIL.op)),
           "signature", "evidence_rewrite")
    refuse("the judge believes no root", evidence(), "domain_record", "evidence_root", roots=[])
    forger = Signer(log.key.name, 1, "forger of a history")
    refuse("forged", evidence(rewrites.whole(*rewrites.faces(7, 20, signer=forger))), "signature",
           "rewrite_forged")


def files() -> list:
    file = File("directory/evidence.json", "evidence.judge", "evj")
    _lookups(file)
    _faces(file)
    _rewrites(file)
    return [file]
