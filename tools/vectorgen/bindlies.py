"""The binding log (spec BLG): histories for owners, lies for everyone."""
import base64

from ams_py import bindlog as spec
from ams_py.encoding import b64, unb64

from .bindlog import ALICE_2, ALICE_3, filled
from .book import File
from .faults import raw
from .logbook import (HOUR_S, NOW_S, Log, Signer, bind, deny, flipped, log_consistency, seen)
from .world import ALICE, AWAY, BOB, EVE, HOME, MALLORY


# --- histories ---

def _history_file() -> File:
    file = File("bindlog/histories.json", "bindhistory.verify", "blh")
    log = Log(HOME.name)
    entries = [bind(log, ALICE)]
    log.put(entries[0])
    log.put(bind(log, EVE))
    log.seal(NOW_S - 3 * HOUR_S)
    kept = seen(log, entries[0])
    for person, endorser in ((ALICE_2, ALICE), (ALICE_3, ALICE_2), (ALICE, ALICE_3)):
        entries.append(bind(log, person, entries[-1], endorser))
        log.put(entries[-1])
        log.seal(NOW_S - 2 * HOUR_S)
    good = file.group("valid")

    def args(history, kept_args=None, **changed):
        return {**raw(history), **log.args(addr=ALICE.addr), **(kept_args or {}), **changed}
    full = log.history(entries)
    twin = good.valid("all versions, at the first check", args(full), (),
                      ["BLG-11", "BLG-16", "BLG-17", "BLG-18"])
    since = log.history(entries, 1)
    kept_twin = good.valid("all since the last check", args(since, kept), (), ["BLG-17"])
    page = good.valid("a page", args(log.history(entries[:2], complete=False)), (), ["BLG-17"])
    now = seen(log, entries[3])
    good.valid("nothing new", args(log.history(entries[3:], 4), now), (), ["BLG-17"])
    for count in (1, 2, 3):
        part = Log(HOME.name)
        part.places = log.places
        for one in entries[:count]:
            part.put(one)
            part.seal()
        good.valid(f"{count} versions", args(part.history(entries[:count])), (), ["BLG-17"])
    _history_members(file, args, full, twin)
    bad = file.group("content")

    def refuse(comment, code, flag, history, kept_args=None, valid=twin, **changed):
        bad.invalid(comment, args(history, kept_args, **changed), code, valid, [flag],
                    importance="critical")
    items = full["items"]
    refuse("another address asked for", "binding_addr", "proof_other", full, addr=EVE.addr)
    refuse("another domain asked for", "domain_mismatch", "proof_other", full, addr=BOB.addr)
    refuse("an item of another address", "binding_addr", "proof_other",
           {**full, "items": [*items[:3], {**items[3], "entry": {**items[3]["entry"],
                                                                 "addr": EVE.addr}}]})
    refuse("the first version left out", "history_gap", "binding_gap",
           log.history(entries[1:]))
    for at in (1, 2):
        refuse(f"version {at + 1} left out", "history_gap", "binding_gap",
               {**full, "items": items[:at] + items[at + 1:]})
    for what, later in (("its second is called the third", {"version": 3}),
                        ("its second denies the first", {"prev": b64(bytes(32))})):
        liar, entry = Log(HOME.name), bind(log, ALICE_2, entries[0], ALICE, **later)
        liar.places = log.places
        liar.put(entries[0])
        liar.put(entry)
        liar.seal()
        refuse(f"a log of two versions: {what}", "history_gap", "binding_gap",
               liar.history([entries[0], entry]))
    refuse("versions in another order", "history_gap", "binding_gap",
           {**full, "items": [items[0], items[2], items[1], items[3]]})
    refuse("a version twice", "history_gap", "binding_gap",
           {**full, "items": [*items[:2], items[1], *items[2:]]})
    refuse("a hidden key: an old opening changed", "history_gap", "binding_gap",
           {**full, "items": [items[0], {**items[1], "r": flipped(items[1]["r"])}, *items[2:]]})
    refuse("a hidden key: another in its place", "history_gap", "wrong_key",
           {**full, "items": [items[0], {**items[1], "entry": {
               **items[1]["entry"], "kid": MALLORY.kid, "fp": b64(MALLORY.fp)}}, *items[2:]]})
    refuse("a hidden key at the end", "proof", "wrong_key",
           {**full, "items": [*items[:3], {**items[3], "entry": {
               **items[3]["entry"], "kid": MALLORY.kid, "fp": b64(MALLORY.fp)}}]})
    refuse("the last version kept back", "proof", "hidden_version", log.history(entries[:3]))
    refuse("all but the first kept back", "proof", "hidden_version", log.history(entries[:1]))
    refuse("one gap short", "proof_form", "hidden_version", {**full, "above": full["above"][1:]})
    refuse("one gap only", "proof_form", "hidden_version", {**full, "above": full["above"][:1]})
    refuse("gaps in another order", "vrf_proof", "vrf_input",
           {**full, "above": full["above"][::-1]})
    for version in (5, 6, 8, 64, 32_768):
        liar = Log(HOME.name)
        liar.places, liar.leaves, liar.epochs = log.places, dict(log.leaves), log.epochs[:3]
        liar.put({"addr": ALICE.addr, "version": version}, bytes(31) + b"\1")
        liar.seal(NOW_S - HOUR_S)
        refuse(f"version {version} is in the map", "proof", "hidden_version",
               liar.history(entries))
    refuse("the kept checkpoint is ahead", "proof", "log_rewritten_flag",
           {**since, "consistency": ""}, {**kept, "seen_size": 9}, kept_twin)
    refuse("the kept root is another", "proof", "log_rewritten_flag", since,
           {**kept, "seen_root_b64": flipped(kept["seen_root_b64"])}, kept_twin)
    refuse("the kept version has another value", "log_rewritten", "log_rewritten_flag", since,
           {**kept, "seen_value_b64": flipped(kept["seen_value_b64"])}, kept_twin)
    refuse("from a later version than was seen", "history_gap", "binding_gap",
           log.history(entries[1:], 1), kept, kept_twin)
    refuse("from an earlier version than was seen", "history_gap", "binding_gap",
           log.history(entries, 4), now, kept_twin)
    refuse("no consistency proof", "proof", "log_path", {**since, "consistency": ""}, kept,
           kept_twin)
    refuse("a consistency proof at the first check", "proof", "log_path",
           {**full, "consistency": b64(log_consistency(log.hashes(), 1))})
    refuse("a consistency proof of another size", "proof", "log_path",
           {**since, "consistency": b64(log_consistency(log.hashes(), 2))}, kept, kept_twin)
    refuse("a consistency proof with a byte more", "proof_form", "log_path",
           {**since, "consistency": b64(log_consistency(log.hashes(), 1) + b"\0")}, kept, kept_twin)
    other = Log(HOME.name)
    other.places, other.leaves = log.places, dict(log.leaves)
    for hours in (4, 3, 2, 1):
        other.seal(NOW_S - hours * HOUR_S)
    refuse("a log that was begun anew", "proof", "log_rewritten_flag", other.history(entries, 1),
           kept, kept_twin)
    for where in ("vrf", "path"):
        refuse(f"an item's {where} changed", "vrf_proof" if where == "vrf" else "proof",
               "vrf_tampered" if where == "vrf" else "map_path",
               {**full, "items": [{**items[0], where: flipped(items[0][where], -1)}, *items[1:]]})
        refuse(f"a gap's {where} changed", "vrf_proof" if where == "vrf" else "proof",
               "vrf_tampered" if where == "vrf" else "map_path",
               {**full, "above": [{**full["above"][0],
                                   where: flipped(full["above"][0][where], -1)},
                                  *full["above"][1:]]})
    refuse("the epoch before under this checkpoint", "proof", "old_epoch",
           {**full, "head": log.head(epoch=b64(log.epochs[2]))})
    bad.invalid("a page from the middle", args(log.history(entries[1:2], complete=False)),
                "history_gap", page, ["binding_gap"])
    return file


def _history_members(file, args, full, twin):
    bad, items = file.group("members"), full["items"]

    def refuse(comment, code, flag, changed):
        value = {name: item for name, item in {**full, **changed}.items() if item is not None}
        bad.invalid(comment, args(value), code, twin, [flag])
    for name in ("addr", "items", "above", "consistency", "head"):
        refuse(f"no {name}", "schema", "missing_member", {name: None})
        refuse(f"{name} is a number", "schema", "wrong_type", {name: 1})
    for name in ("entry", "r", "path", "vrf"):
        item = {**items[0]}
        del item[name]
        refuse(f"an item without {name}", "schema", "missing_member",
               {"items": [item, *items[1:]]})
    for name in ("path", "vrf"):
        gap = {**full["above"][0]}
        del gap[name]
        refuse(f"a gap without {name}", "schema", "missing_member",
               {"above": [gap, *full["above"][1:]]})
    refuse("no item", "schema", "out_of_range", {"items": []})
    refuse("65 items", "object_too_large", "object_too_large", {"items": items[:1] * 65})
    refuse("17 gaps", "object_too_large", "object_too_large", {"above": full["above"][:1] * 17})
    refuse("a consistency of 4,097 bytes", "base64url", "base64url",
           {"consistency": b64(bytes(4097))})
    refuse("an unknown member", "unknown_member", "unknown_member", {"zz": 1})
    refuse("an item with more", "unknown_member", "unknown_member",
           {"items": [{**items[0], "zz": 1}, *items[1:]]})
    for tag in ("bhist/2", "bproof/1"):
        refuse(f"the tag {tag!r}", "unknown_ams_tag", "wrong_tag", {"ams": tag})


# --- lies ---

def _lie_file() -> File:
    file = File("bindlog/lies.json", "bindlie.verify", "bll")
    good, bad = file.group("valid"), file.group("no-lies")
    log, alice, eve = filled()
    chain = HOME.args()

    def args(lie, **changed):
        return {**raw(lie), **log.args(), **changed}

    def lie(kind, **members):
        return {"ams": "blie/1", "kind": kind, "domain": HOME.name, **members}
    _forks(good, bad, log, lie, args)
    _rewrites(good, bad, log, alice, lie, args)
    _contradictions(good, bad, log, alice, eve, lie, {**args({}), **chain})
    _denials(good, bad, log, alice, lie, args)
    return file


def _forks(good, bad, log, lie, args):
    other = Log(HOME.name)
    for _ in range(3):
        other.seal()
    faces = sorted((log, other), key=lambda one: one.root())
    notes = faces[0].note + "\n" + faces[1].note
    turned = faces[1].note + "\n" + faces[0].note
    fork = lie("fork", notes=notes)
    twin = good.valid("a fork", args(fork), (), ["BLG-19", "BLG-20"])
    other.seal()

    def refuse(comment, code, flag, text):
        bad.invalid(f"fork: {comment}", args(lie("fork", notes=text)), code, twin, [flag],
                    importance="critical")
    longer = sorted((log, other), key=lambda one: one.root())
    refuse("two sizes", "proof", "no_lie", longer[0].note + "\n" + longer[1].note)
    refuse("one checkpoint twice", "proof", "no_lie", log.note + "\n" + log.note)
    refuse("the greater root first", "proof_form", "lie_form",
           turned)
    refuse("one note", "proof_form", "lie_form", log.note)
    forged = Signer(log.signer.key.name, 1, "forged")
    text = other.text(size=3)
    refuse("the second face is not signed by the log", "signature", "lie_forged",
           "\n".join(sorted((log.note, text + "\n" + forged.line(text)),
                            key=lambda note: base64.b64decode(note.split("\n")[2]))))
    refuse("1,001 bytes", "object_too_large", "object_too_large", notes.ljust(1001, "x"))
    bad.invalid("fork: another domain's", args(fork, domain=AWAY.name), "domain_mismatch", twin,
                ["proof_other"])
    for name in ("kind", "domain", "notes"):
        bad.invalid(f"fork: no {name}", args({key: item for key, item in fork.items()
                                              if key != name}), "schema", twin,
                    ["missing_member"])
    for kind in ("Fork", "", "fraud"):
        bad.invalid(f"the kind {kind!r}", args({**fork, "kind": kind}), "schema", twin,
                    ["out_of_range"])
    bad.invalid("fork: an unknown member", args({**fork, "zz": 1}), "unknown_member", twin,
                ["unknown_member"])
    bad.invalid("fork: another tag", args({**fork, "ams": "blie/2"}), "unknown_ams_tag", twin,
                ["wrong_tag"])
    bad.invalid("fork: the domain's name in capitals", args({**fork,
                                                             "domain": HOME.name.upper()}),
                "address_syntax", twin, ["domain_syntax"])


def _rewrites(good, bad, log, alice, lie, args):
    evil = bind(log, MALLORY, alice[2], addr=ALICE.addr)
    shown = Log(HOME.name)
    shown.places, shown.leaves, shown.epochs = log.places, dict(log.leaves), log.epochs[:]
    shown.put(evil)
    shown.seal(NOW_S + 60)
    label, value = shown.label(ALICE.addr, 4), shown.value(evil)
    before = shown.sight(ALICE.addr, 4, value)
    for _ in range(2):
        log.seal(NOW_S + 120)  # as if it had never been
    gone = lie("rewrite", label=b64(label), before=before, after=log.sight(ALICE.addr, 4))
    twin = good.valid("a version that is gone", args(gone), (), ["BLG-7", "BLG-19", "BLG-21"])
    changed = Log(HOME.name)
    changed.places, changed.leaves, changed.epochs = log.places, dict(log.leaves), log.epochs[:]
    changed.leaves[label] = bytes(31) + b"\2"
    changed.seal(NOW_S + 180)
    good.valid("a version that became another", args({**gone, "after": changed.sight(
        ALICE.addr, 4, bytes(31) + b"\2")}), (), ["BLG-7", "BLG-21"])

    def refuse(comment, code, flag, **members):
        bad.invalid(f"rewrite: {comment}", args({**gone, **members}), code, twin, [flag],
                    importance="critical")
    still = Log(HOME.name)
    still.places, still.leaves, still.epochs = log.places, dict(shown.leaves), shown.epochs[:]
    still.seal(NOW_S + 90)
    refuse("it is still there", "no_lie", "no_lie", after=still.sight(ALICE.addr, 4, value))
    refuse("one size", "no_lie", "no_lie", after=_at_size(log, 4).sight(ALICE.addr, 4))
    refuse("it was not there before and is there now", "no_lie", "no_lie",
           before=still.sight(ALICE.addr, 4, value), after=_at_size(log, 3).sight(ALICE.addr, 4))
    refuse("another value than was shown", "proof", "lie_forged",
           before=shown.sight(ALICE.addr, 4, bytes(32)))
    refuse("there before with another path", "proof", "lie_forged",
           before={**before, "path": b64(log.path(ALICE.addr, 3))})
    refuse("gone under another label", "proof", "lie_forged", label=b64(bytes(16)))
    refuse("absent where it is present", "proof", "lie_forged",
           after={name: item for name, item in still.sight(ALICE.addr, 4, value).items()
                  if name != "value"})
    refuse("the first checkpoint is signed by nobody", "signature", "lie_forged",
           before={**before, "head": {**before["head"], "checkpoint": before["head"][
               "checkpoint"].replace("\n4\n", "\n5\n")}})
    refuse("nothing stood there before", "schema", "missing_member",
           before=log.sight(ALICE.addr, 4))
    for name in ("label", "before", "after"):
        bad.invalid(f"rewrite: no {name}", args({key: item for key, item in gone.items()
                                                 if key != name}), "schema", twin,
                    ["missing_member"])
    refuse("a label of 15 bytes", "base64url", "base64url", label=b64(bytes(15)))
    refuse("a sighting with more", "unknown_member", "unknown_member", before={**before, "zz": 1})


def _at_size(log, size: int) -> Log:
    out = Log(HOME.name)
    out.places, out.leaves, out.epochs = log.places, dict(log.leaves), log.epochs[:size - 1]
    out.seal(NOW_S + 120)
    return out


def _contradictions(good, bad, log, alice, eve, lie, args):
    proof = log.prove(alice[2])
    said = HOME.bind(MALLORY, addr=ALICE.addr, version=3)

    def given(value, **changed):
        return {**args, **raw(value), **changed}
    base = lie("contradiction", binding=said, proof=proof)
    twin = good.valid("a statement against the log", given(base), (), ["BLG-19", "BLG-22"])

    def refuse(comment, code, flag, **members):
        bad.invalid(f"contradiction: {comment}", given({**base, **members}), code, twin, [flag],
                    importance="critical")
    shared = {"kid": MALLORY.kid, "fp": b64(MALLORY.fp)}
    good.valid("a statement that seals to another key", given({**base, "binding": HOME.bind(
        ALICE_3, version=3, custody="corporate", enc=shared)}), (), ["BLG-22"])
    refuse("the same key", "no_lie", "no_lie", binding=HOME.bind(ALICE_3, version=3))
    refuse("another version", "no_lie", "no_lie",
           binding=HOME.bind(MALLORY, addr=ALICE.addr, version=2))
    refuse("another address", "binding_addr", "proof_other",
           binding=HOME.bind(MALLORY, addr=EVE.addr, version=3))
    refuse("an address that is bound to nothing", "no_lie", "no_lie",
           binding=HOME.bind(MALLORY, addr=f"nobody@{HOME.name}"),
           proof=log.prove_none(f"nobody@{HOME.name}"))
    refuse("not said by the domain", "signature", "lie_forged",
           binding=HOME.bind(MALLORY, MALLORY, addr=ALICE.addr, version=3, dkid=HOME.op.kid))
    refuse("said by another domain", "domain_mismatch", "lie_forged",
           binding=AWAY.bind(BOB, version=3))
    refuse("a proof that does not verify", "proof", "lie_forged",
           proof={**proof, "r": flipped(proof["r"])})
    refuse("a proof of an older version", "proof", "lie_forged", proof=log.prove(alice[1]))
    for name in ("binding", "proof"):
        bad.invalid(f"contradiction: no {name}", given({key: item for key, item in base.items()
                                                        if key != name}), "schema", twin,
                    ["missing_member"])
    bad.invalid("contradiction: the chain is another domain's",
                given(base, **AWAY.args()), "domain_record", twin, ["chain_broken"])


def _denials(good, bad, log, alice, lie, args):
    evil = bind(log, MALLORY, alice[2], addr=ALICE.addr)
    log.put(evil)
    log.seal(NOW_S + 240)
    value = log.value(evil)

    def made(**members):
        return lie("denial", **{"history": log.history([alice[2], evil], complete=False),
                                "record": ALICE_3.record, "deny": deny(evil, value, ALICE_3),
                                **members})
    twin = good.valid("a key that its owner disowns", args(made()), (), ["BLG-19", "BLG-23"])
    false = bind(log, MALLORY, alice[2], MALLORY, addr=ALICE.addr)
    liar = Log(HOME.name)
    liar.places, liar.leaves, liar.epochs = log.places, dict(log.leaves), log.epochs[:]
    liar.put(false)
    liar.seal(NOW_S + 300)
    good.valid("endorsed by the wrong key itself", args(made(
        history=liar.history([alice[2], false], complete=False),
        deny=deny(false, liar.value(false), ALICE_3))), (), ["BLG-23"])

    def refuse(comment, code, flag, **members):
        bad.invalid(f"denial: {comment}", args(made(**members)), code, twin, [flag],
                    importance="critical")
    refuse("of an endorsed change", "no_lie", "no_lie",
           history=log.history(alice[1:3], complete=False), record=ALICE_2.record,
           deny=deny(alice[2], log.value(alice[2]), ALICE_2))
    refuse("of another version", "no_lie", "no_lie", deny=deny(alice[2], value, ALICE_3))
    refuse("of another value", "no_lie", "no_lie", deny=deny(evil, bytes(32), ALICE_3))
    refuse("of another address", "no_lie", "no_lie",
           deny=deny({**evil, "addr": EVE.addr}, value, ALICE_3))
    refuse("by the new key", "signature", "lie_forged", deny=deny(evil, value, MALLORY))
    refuse("by an older key", "signature", "lie_forged", deny=deny(evil, value, ALICE))
    refuse("with another's record", "kid_mismatch", "lie_forged", record=MALLORY.record)
    refuse("one version", "proof_form", "lie_form", history=log.history([evil], complete=False))
    refuse("three versions", "proof_form", "lie_form",
           history=log.history([*alice[1:3], evil], complete=False))
    refuse("with gaps", "proof_form", "lie_form", history=log.history([alice[2], evil]))
    refuse("with a consistency proof", "proof_form", "lie_form",
           history=log.history([alice[2], evil], 1, complete=False))
    refuse("versions that do not follow each other", "history_gap", "binding_gap",
           history=log.history([alice[1], evil], complete=False))
    shown = log.history([alice[2], evil], complete=False)
    refuse("a version that the log does not have", "proof", "lie_forged", history={
        **shown, "items": [shown["items"][0], {**shown["items"][1],
                                               "r": flipped(shown["items"][1]["r"])}]},
           deny=deny(evil, spec.commitment({"value": evil}, unb64(flipped(
               shown["items"][1]["r"]))), ALICE_3))
    for name in ("addr", "version", "value"):
        refuse(f"deny without {name}", "schema", "missing_member",
               deny=deny(evil, value, ALICE_3, **{name: None}))
    refuse("deny with more", "unknown_member", "unknown_member",
           deny=deny(evil, value, ALICE_3, zz=1))
    refuse("deny under another tag", "unknown_ams_tag", "wrong_tag",
           deny=deny(evil, value, ALICE_3, ams="bentry/1"))
    for name in ("history", "record", "deny"):
        value_of = {key: item for key, item in made().items() if key != name}
        bad.invalid(f"denial: no {name}", args(value_of), "schema", twin, ["missing_member"])


def files() -> list:
    return [_history_file(), _lie_file()]
