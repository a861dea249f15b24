"""The binding log (spec BLG): entries, endorsements, proofs. Histories and lies: bindlies.py."""
import base64

from ams_py import bindlog as spec
from ams_py import proofs
from ams_py.encoding import b64, encode, unb64
from ams_py.seal import Draws

from .book import NOW_MS, File
from .faults import faults, raw
from .logbook import HOUR_S, NOW_S, Log, Signer, bind, flipped, log_inclusion, signature_line
from .world import (ALICE, ALICE_RSA, AWAY, BOB, EVE, HOME, MALLORY, OSCAR, SHARED,
                    Person)

ALICE_2, ALICE_3 = Person("alice", HOME.name, life=2), Person("alice", HOME.name, life=3)
EXPIRED = Person("alice", HOME.name, life=4, nbf=NOW_MS - 10**9, exp=NOW_MS)
MODES = ("isp", "corporate", "groups")


def _entry_file() -> File:
    file = File("bindlog/entries.json", "bindentry.verify", "ble")
    log, good = Log(HOME.name), file.group("valid")
    first = bind(log, ALICE)
    clauses = ["BLG-1", "BLG-2", "BLG-3"]
    twin = good.valid("a key", {**raw(first), "r_b64": b64(bytes(32))},
                      clauses=[*clauses, "BLG-6"])
    shared = {"kid": SHARED.kid, "fp": b64(SHARED.fp)}
    for mode in MODES:
        good.valid(f"policy {mode}", raw(bind(log, ALICE, policy=mode)), clauses=["BLG-1"])
    enc = good.valid("a key with a shared one to seal to", raw(bind(log, OSCAR, enc=shared)),
                     clauses=["BLG-1", "BLG-2"])
    alias = good.valid("an alias", raw(bind(log, ALICE, type="alias", to=[EVE.addr])), (),
                       ["BLG-2"])
    forward = good.valid("a forward", raw(bind(log, ALICE, type="forward", to=[BOB.addr])), (),
                         ["BLG-2"])
    good.valid("a forward at home", raw(bind(log, ALICE, type="forward", to=[EVE.addr])), (),
               ["BLG-2"])
    many = [f"m{number:03}@{AWAY.name}" for number in range(101)]
    group = good.valid("a group of 100", raw(bind(log, ALICE, type="group", to=many[:100])), (),
                       ["BLG-1", "BLG-2"])
    itself = bind(log, ALICE, type="group", to=[ALICE.addr])
    good.valid("a group of one that is itself", raw(itself), (), ["BLG-2"])
    later = bind(log, ALICE_2, first, ALICE)
    second = good.valid("a later version, endorsed", raw(later), clauses=["BLG-3"])
    last = good.valid("the last version there is", raw(bind(log, ALICE_2, first, version=65_535)),
                      clauses=["BLG-1"])
    good.valid("without endorsement", raw(bind(log, ALICE_2, first)), (), ["BLG-3"])

    bad = file.group("schema")
    faults(bad, lambda **changed: bind(log, ALICE_2, first, ALICE, **changed), raw, second, {
        "addr": "address", "version": "integer", "at": "integer", "type": "text", "kid": "kid",
        "fp": "binary", "custody": "text", "policy": "text"}, "bind/1")
    bad.invalid("version 0", raw(bind(log, ALICE, version=0)), "schema", twin, ["out_of_range"])
    bad.invalid("version 65,536", raw(bind(log, ALICE_2, first, version=65_536)), "schema", last,
                ["out_of_range"])
    for name, value in (("type", "Key"), ("type", ""), ("custody", "server"), ("policy", "open")):
        bad.invalid(f"{name} {value!r}", raw(bind(log, ALICE, **{name: value})), "schema", twin,
                    ["out_of_range"])
    for name in ("prev", "sig"):
        bad.invalid(f"{name} is a number", raw(bind(log, ALICE_2, first, **{name: 1})), "schema",
                    second, ["wrong_type"])
        bad.invalid(f"{name} is empty", raw(bind(log, ALICE_2, first, **{name: ""})), "base64url",
                    second, ["base64url"])
    bad.invalid("prev of 31 bytes", raw(bind(log, ALICE_2, first, prev=b64(bytes(31)))),
                "base64url", second, ["base64url"])
    bad.invalid("sig of 1,025 bytes", raw(bind(log, ALICE_2, first, sig=b64(bytes(1025)))),
                "base64url", second, ["base64url"])
    for what, value, code in (("is a text", "x", "schema"), ("without fp", {"kid": BOB.kid},
                              "schema"), ("with more", {**shared, "zz": 1}, "unknown_member"),
                              ("with a short fp", {**shared, "fp": "AA"}, "base64url")):
        bad.invalid(f"enc {what}", raw(bind(log, OSCAR, enc=value)), code, enc,
                    ["unknown_member" if code == "unknown_member" else
                     "base64url" if code == "base64url" else "wrong_type"])
    bad = file.group("types")
    for what, valid, changed in (
            ("a key with targets", twin, {"to": [EVE.addr]}),
            ("a client's key with a shared one", twin, {"enc": shared}),
            ("a corporate key without a shared one", enc, {"custody": "corporate"}),
            ("an alias without", alias, {"type": "alias"}),
            ("an alias of itself", alias, {"type": "alias", "to": [ALICE.addr]}),
            ("an alias of two", alias, {"type": "alias", "to": [BOB.addr, EVE.addr]}),
            ("an alias in another domain", alias, {"type": "alias", "to": [BOB.addr]}),
            ("an alias with a shared key", alias, {"type": "alias", "to": [EVE.addr],
                                                   "enc": shared}),
            ("a forward without", forward, {"type": "forward"}),
            ("a forward to itself", forward, {"type": "forward", "to": [ALICE.addr]}),
            ("a forward to two", forward, {"type": "forward", "to": [BOB.addr, EVE.addr]}),
            ("a forward with a shared key", forward, {"type": "forward", "to": [BOB.addr],
                                                      "enc": shared}),
            ("a group without", group, {"type": "group"}),
            ("a group with a shared key", group, {"type": "group", "to": [BOB.addr],
                                                  "enc": shared})):
        bad.invalid(what, raw(bind(log, ALICE, **changed)), "schema", valid, ["binding_type"])
    bad.invalid("a group of none", raw(bind(log, ALICE, type="group", to=[])), "schema", group,
                ["out_of_range"])
    bad.invalid("a group of 101", raw(bind(log, ALICE, type="group", to=many)), "object_too_large",
                group, ["object_too_large"])
    for what, to in (("in another order", [EVE.addr, BOB.addr]), ("twice", [BOB.addr, BOB.addr])):
        bad.invalid(f"members {what}", raw(bind(log, ALICE, type="group", to=to)), "schema", group,
                    ["binding_type"])
    for what, member in (("no address", "bob"), ("another case", f"Bob@{AWAY.name}")):
        bad.invalid(f"a member is {what}", raw(bind(log, ALICE, type="group", to=[member])),
                    "address_syntax", group, ["address_syntax"])
    bad.invalid("a member is a number", raw(bind(log, ALICE, type="group", to=[1])), "schema",
                group, ["wrong_type"])
    bad = file.group("succession")
    for what, entry, valid in (
            ("version 1 with prev", bind(log, ALICE, prev=b64(bytes(32))), twin),
            ("version 1 with sig", bind(log, ALICE, sig=b64(bytes(64))), twin),
            ("version 2 without prev", bind(log, ALICE_2, first, prev=None), second)):
        bad.invalid(what, raw(entry), "schema", valid, ["binding_gap"])
    _endorsements(file, log, first)
    return file


def _endorsements(file, log, first):
    good, bad = file.group("valid-endorsements"), file.group("endorsements")

    def args(entry, before=first, record=ALICE.record, r=None):
        opening = log.opening(before["addr"], before["version"]) if r is None else r
        return {**raw(entry), "before_b64": b64(encode(before)), "before_r_b64": b64(opening),
                "record_b64": b64(encode(record))}
    entry = bind(log, ALICE_2, first, ALICE)
    twin = good.valid("the old key endorses the new one", args(entry),
                      ["binding_endorsed"], ["BLG-3", "BLG-4"])
    rsa_first = bind(log, ALICE_RSA)
    good.valid("an RSA key endorses", args(bind(log, ALICE_2, rsa_first, ALICE_RSA), rsa_first,
                                           ALICE_RSA.record), (), ["BLG-4"])
    good.valid("a forward is endorsed", args(bind(log, ALICE, first, ALICE, type="forward",
                                                  to=[BOB.addr])), (), ["BLG-4", "BLG-15"])

    def refuse(comment, code, flag, **changed):
        bad.invalid(comment, args(**{"entry": entry, **changed}), code, twin, [flag],
                    importance="critical")
    refuse("not endorsed", "unendorsed", "binding_unendorsed", entry=bind(log, ALICE_2, first))
    refuse("endorsed by the new key", "signature", "binding_unendorsed",
           entry=bind(log, ALICE_2, first, ALICE_2))
    refuse("endorsed by the domain", "signature", "binding_unendorsed",
           entry=bind(log, ALICE_2, first, HOME.op))
    refuse("an endorsement of another entry", "signature", "binding_unendorsed",
           entry={**entry, "kid": MALLORY.kid, "fp": b64(MALLORY.fp)})
    refuse("changed into a forward", "signature", "changed_after_signing",
           entry={**entry, "type": "forward", "to": [MALLORY.addr]})
    refuse("custody changed", "signature", "changed_after_signing",
           entry={**entry, "custody": "corporate", "enc": {"kid": SHARED.kid,
                                                           "fp": b64(SHARED.fp)}})
    for at in (0, 63):
        refuse(f"byte {at} of sig changed", "signature", "signature_flip",
               entry={**entry, "sig": flipped(entry["sig"], at)})
    refuse("a sig of 63 bytes", "algorithm_mix", "signature_length",
           entry={**entry, "sig": b64(bytes(63))})
    refuse("endorsed by another key, with its record", "kid_mismatch", "binding_endorser",
           entry=bind(log, ALICE_2, first, MALLORY), record=MALLORY.record)
    refuse("another key's record", "kid_mismatch", "binding_endorser", record=MALLORY.record)
    refuse("the new key's record", "kid_mismatch", "binding_endorser", record=ALICE_2.record)
    refuse("after another opening", "history_gap", "binding_gap", r=bytes(32))
    refuse("after another's entry", "history_gap", "binding_gap", before=bind(log, EVE),
           record=EVE.record)
    refuse("two versions later", "history_gap", "binding_gap",
           entry=bind(log, ALICE_2, first, ALICE, version=3))
    old = bind(log, EXPIRED)
    bad.invalid("the old key had expired", args(bind(log, ALICE_2, old, EXPIRED), old,
                                                EXPIRED.record), "key_expired", twin,
                ["key_expired"])
    bad.invalid("the old key was not yet valid",
                args(bind(log, ALICE_2, old, EXPIRED, at=NOW_MS - 10**9 - 1), old, EXPIRED.record),
                "key_expired", twin, ["key_expired"])


# --- proofs ---

def filled() -> tuple:
    """(log, alice's three entries, eve's one): three epochs."""
    log = Log(HOME.name)
    first, eve = bind(log, ALICE), bind(log, EVE)
    log.put(first)
    log.put(eve)
    log.seal(NOW_S - 2 * HOUR_S)
    second = bind(log, ALICE_2, first, ALICE)
    log.put(second)
    log.seal(NOW_S - HOUR_S)
    third = bind(log, ALICE_3, second, ALICE_2)
    log.put(third)
    log.seal()
    return log, [first, second, third], eve


def _proof_file() -> File:
    file = File("bindlog/proofs.json", "bindproof.verify", "blp")
    log, alice, eve = filled()
    good = file.group("valid")

    def args(proof, **changed):
        return {**raw(proof), **log.args(addr=ALICE.addr, now=NOW_MS), **changed}
    proof = log.prove(alice[2])
    twin = good.valid("the third version", args(proof), (),
                      ["BLG-5", "BLG-6", "BLG-9", "BLG-10", "BLG-11", "BLG-12", "BLG-13"])
    eve_twin = good.valid("the first and only version", args(log.prove(eve), addr=EVE.addr), (),
                          ["BLG-13"])
    none = log.prove_none(f"nobody@{HOME.name}")
    none_twin = good.valid("an address that is bound to nothing",
                           args(none, addr=none["addr"]), (), ["BLG-12", "BLG-13"])
    empty = Log(HOME.name)
    empty.seal()
    good.valid("a log of nothing", args(empty.prove_none(ALICE.addr)), (), ["BLG-13"])
    for what, name in (("longest origin", "h" * 60 + ".e" + "x" * 29),
                       ("a domain too long for an origin", "h" * 60 + ".e" + "x" * 30)):
        far = Log(name)
        person = Person("alice", name)
        entry = bind(far, person)
        far.put(entry)
        far.seal()
        good.valid(what, {**raw(far.prove(entry)), **far.args(addr=person.addr, now=NOW_MS)}, (),
                   ["BLG-9"])
    _versions(file, good)
    _proof_members(file, args, proof, none, twin, none_twin)
    bad = file.group("address")

    def refuse(comment, code, flag, changed, **more):
        bad.invalid(comment, args({**proof, **changed}, **more), code, twin, [flag],
                    importance="critical")
    refuse("asked for another address", "binding_addr", "proof_other", {}, addr=EVE.addr)
    refuse("another's proof under this address", "binding_addr", "proof_other",
           {**log.prove(eve), "addr": ALICE.addr})
    refuse("another's whole proof", "binding_addr", "proof_other", log.prove(eve))
    refuse("asked of another domain", "domain_mismatch", "proof_other", {}, addr=BOB.addr)
    refuse("asked of the domain's subdomain", "domain_mismatch", "proof_other", {},
           addr=f"alice@sub.{HOME.name}")
    _proof_content(file, log, alice, eve, args, twin, none_twin, eve_twin)
    _proof_heads(file, good, log, alice, args, twin)
    _proof_times(file, log, proof, args)
    _witnesses(file, log, proof, args)
    return file


def _versions(file, good):
    """A log in which one address came to a high version: what the steps are."""
    log = Log(HOME.name)
    entry = bind(log, ALICE)
    entries = {1: entry}
    for version in (2, 4, 7, 8, 100, 255, 65_535):
        entry = bind(log, ALICE, {"version": version - 1, "addr": ALICE.addr}, version=version,
                     prev=b64(Draws(f"version {version}").take(32)))
        entries[version] = entry
    bad = file.group("versions")
    for version, entry in entries.items():
        log.leaves.clear()
        for step in spec.steps(version)[:-1]:
            log.put({"addr": ALICE.addr, "version": step}, Draws(f"step {step}").take(32))
        log.put(entry)
        log.seal()
        args = log.args(addr=ALICE.addr, now=NOW_MS)
        proof = log.prove(entry)
        twin = good.valid(f"version {version}, {len(proof['steps'])} steps",
                          {**raw(proof), **args}, (), ["BLG-11", "BLG-13"])
        if len(proof["steps"]) > 6:
            continue
        for step in spec.steps(version)[:-1]:
            without = Log(HOME.name)
            without.places = log.places
            without.leaves = dict(log.leaves)
            del without.leaves[log.label(ALICE.addr, step)]
            without.seal()
            bad.invalid(f"version {version} without step {step}",
                        {**raw(without.prove(entry)), **args}, "proof", twin, ["hidden_version"],
                        importance="critical")
        if proof["steps"]:
            bad.invalid(f"version {version}, the steps' order turned",
                        {**raw({**proof, "steps": proof["steps"][::-1]}), **args}
                        if len(proof["steps"]) > 1 else
                        {**raw({**proof, "steps": [proof["here"] | {"value": b64(log.value(
                            entry))}]}), **args}, "vrf_proof", twin, ["vrf_input"])


def _proof_members(file, args, proof, none, twin, none_twin):
    bad = file.group("members")

    def refuse(comment, code, flag, changed, valid=twin):
        value = {name: item for name, item in {**proof, **changed}.items() if item is not None}
        bad.invalid(comment, args(value), code, valid, [flag])
    for name in ("addr", "steps", "next", "head"):
        refuse(f"no {name}", "schema", "missing_member", {name: None})
        refuse(f"{name} is a number", "schema", "wrong_type", {name: 1})
    for name in ("entry", "r", "here"):
        refuse(f"no {name}", "schema", "missing_member", {name: None})
    for name in ("entry", "r", "here"):
        bad.invalid(f"{name} alone", args({**none, name: proof[name]}, addr=none["addr"]), "schema",
                    none_twin, ["missing_member"])
    refuse("an unknown member", "unknown_member", "unknown_member", {"zz": 1})
    for tag in ("bproof/2", "bhist/1", ""):
        refuse(f"the tag {tag!r}", "unknown_ams_tag", "wrong_tag", {"ams": tag})
    refuse("no tag", "schema", "wrong_tag", {"ams": None})
    refuse("the address in capitals", "address_syntax", "address_syntax",
           {"addr": proof["addr"].upper()})
    refuse("r of 31 bytes", "base64url", "base64url", {"r": b64(bytes(31))})
    refuse("r is padded", "base64url", "base64url", {"r": proof["r"] + "="})
    refuse("16 steps", "object_too_large", "object_too_large", {"steps": proof["steps"] * 16})
    for name in ("path", "vrf", "value"):
        step = {**proof["steps"][0]}
        del step[name]
        refuse(f"a step without {name}", "schema", "missing_member", {"steps": [step]})
    refuse("a step with more", "unknown_member", "unknown_member",
           {"steps": [{**proof["steps"][0], "zz": 1}]})
    refuse("a step is a text", "schema", "wrong_type", {"steps": ["x"]})
    for where in ("here", "next"):
        for name in ("path", "vrf"):
            place = {**proof[where]}
            del place[name]
            refuse(f"{where} without {name}", "schema", "missing_member", {where: place})
            refuse(f"{where}'s {name} is empty", "base64url", "base64url",
                   {where: {**proof[where], name: ""}})
        refuse(f"{where}'s vrf of 80 bytes", "base64url", "base64url",
               {where: {**proof[where], "vrf": b64(unb64(proof[where]["vrf"])[:80])}})
        refuse(f"{where}'s path of 4,163 bytes", "base64url", "base64url",
               {where: {**proof[where], "path": b64(bytes(4163))}})
        refuse(f"{where} with more", "unknown_member", "unknown_member",
               {where: {**proof[where], "value": b64(bytes(32))}})
    for name in ("checkpoint", "epoch", "inclusion"):
        head = {**proof["head"]}
        del head[name]
        refuse(f"a head without {name}", "schema", "missing_member", {"head": head})
    refuse("a head with more", "unknown_member", "unknown_member",
           {"head": {**proof["head"], "zz": 1}})
    refuse("an epoch of 59 bytes", "base64url", "base64url",
           {"head": {**proof["head"], "epoch": b64(unb64(proof["head"]["epoch"])[:59])}})
    refuse("an inclusion of 2,049 bytes", "base64url", "base64url",
           {"head": {**proof["head"], "inclusion": b64(bytes(2049))}})
    refuse("a checkpoint of 8,193 bytes", "object_too_large", "object_too_large",
           {"head": {**proof["head"], "checkpoint": "x" * 8193}})
    refuse("the entry's own fault", "schema", "out_of_range",
           {"entry": {**proof["entry"], "type": "keys"}})


def _proof_content(file, log, alice, eve, args, twin, none_twin, eve_twin):
    bad, proof = file.group("content"), log.prove(alice[2])

    def refuse(comment, code, flag, changed, valid=twin, **more):
        bad.invalid(comment, args({**proof, **changed}, **more), code, valid, [flag],
                    importance="critical")
    refuse("the wrong key", "proof", "wrong_key",
           {"entry": {**proof["entry"], "kid": MALLORY.kid, "fp": b64(MALLORY.fp)}})
    for name, value in (("fp", b64(MALLORY.fp)), ("at", NOW_MS + 1), ("policy", "corporate"),
                        ("prev", b64(bytes(32))),
                        ("sig", b64(bytes(64)))):
        refuse(f"{name} of the entry changed", "proof", "wrong_key",
               {"entry": {**proof["entry"], name: value}})
    refuse("turned into a shared key", "proof", "wrong_key",
           {"entry": {**proof["entry"], "custody": "corporate",
                      "enc": {"kid": MALLORY.kid, "fp": b64(MALLORY.fp)}}})
    refuse("turned into a forward", "proof", "wrong_key",
           {"entry": {**proof["entry"], "type": "forward", "to": [MALLORY.addr]}})
    refuse("another opening", "proof", "wrong_key", {"r": flipped(proof["r"])})
    refuse("the second version as the latest", "proof", "old_version", log.prove(alice[1]))
    refuse("the first version as the latest", "proof", "old_version", log.prove(alice[0]))
    refuse("an old version beside the right successor", "vrf_proof", "old_version",
           {**log.prove(alice[1]), "next": proof["next"]})
    bad.invalid("as if nothing was bound", args(log.prove_none(ALICE.addr)), "proof", none_twin,
                ["denied_binding"], importance="critical")
    bad.invalid("nothing bound, shown with the next version's absence",
                args({**log.prove_none(ALICE.addr), "next": proof["next"]}), "vrf_proof",
                none_twin, ["denied_binding"], importance="critical")
    refuse("no step where one is due", "proof_form", "hidden_version", {"steps": []})
    refuse("a step too many", "proof_form", "hidden_version", {"steps": proof["steps"] * 2})
    bad.invalid("a step where none is due",
                args({**log.prove(eve), "steps": proof["steps"]}, addr=EVE.addr), "proof_form",
                eve_twin, ["hidden_version"], importance="critical")
    bad.invalid("a step without entry", args({**log.prove_none(f"nobody@{HOME.name}"),
                                              "steps": proof["steps"]},
                                             addr=f"nobody@{HOME.name}"), "proof_form", none_twin,
                ["hidden_version"])
    step = proof["steps"][0]
    refuse("a step's value changed", "proof", "hidden_version",
           {"steps": [{**step, "value": flipped(step["value"])}]})
    refuse("a step shown absent", "proof", "hidden_version",
           {"steps": [{**step, "path": proof["next"]["path"]}]})
    refuse("the version shown absent", "proof", "map_path",
           {"here": {**proof["here"], "path": proof["next"]["path"]}})
    refuse("the successor shown present", "proof", "map_path",
           {"next": {**proof["next"], "path": proof["here"]["path"]}})
    for where in ("here", "next"):
        place = proof[where]
        for at in (0, 40, 80):
            refuse(f"{where}: byte {at} of the VRF proof changed", "vrf_proof", "vrf_tampered",
                   {where: {**place, "vrf": flipped(place["vrf"], at)}})
        refuse(f"{where}: the last byte of the path changed", "proof", "map_path",
               {where: {**place, "path": flipped(place["path"], -1)}})
        refuse(f"{where}: a path with a byte more", "proof_form", "map_path",
               {where: {**place, "path": b64(unb64(place["path"]) + b"\0")}})
        refuse(f"{where}: a path cut by a byte", "proof_form", "map_path",
               {where: {**place, "path": b64(unb64(place["path"])[:-1])}})
        refuse(f"{where}: a path of kind 3", "proof_form", "map_path",
               {where: {**place, "path": b64(b"\3" + unb64(place["path"])[1:])}})
        refuse(f"{where}: the path of an empty map", "proof", "map_path",
               {where: {**place, "path": b64(b"\2\0")}})
        refuse(f"{where}: an empty map with a depth", "proof_form", "map_path",
               {where: {**place, "path": b64(b"\2\1\x80" + bytes(32))}})
        refuse(f"{where}: depths that end in zero", "proof_form", "map_path",
               {where: {**place, "path": b64(b"\0\1\0")}})
    refuse("another's VRF proof", "vrf_proof", "vrf_input", {"here": log.place(EVE.addr, 1)})
    refuse("another version's VRF proof", "vrf_proof", "vrf_input",
           {"here": log.place(ALICE.addr, 2)})
    path = unb64(proof["next"]["path"])
    if path[0] == 1:
        own = path[:-48] + log.label(ALICE.addr, 4) + path[-32:]
        refuse("the successor's own leaf as proof that there is none", "proof", "map_path",
               {"next": {**proof["next"], "path": b64(own)}})
        turned = bytearray(path)
        turned[-48] ^= 0xff
        refuse("a leaf that lies elsewhere as proof that there is none", "proof", "map_path",
               {"next": {**proof["next"], "path": b64(bytes(turned))}})
    other = Log(HOME.name, " at another server")
    refuse("under another VRF key", "vrf_proof", "vrf_input", {}, vrf_b64=b64(other.vrf_public))
    refuse("a VRF key that is none", "key_material", "vrf_key", {}, vrf_b64=b64(bytes(33)))


def _proof_heads(file, good, log, alice, args, twin):
    bad, proof = file.group("heads"), log.prove(alice[2])

    def refuse(comment, code, flag, **changed):
        bad.invalid(comment, args({**proof, "head": log.head(**changed)}), code, twin, [flag],
                    importance="critical")
    text, signer = log.text(), log.signer
    refuse("the epoch before under this checkpoint", "proof", "old_epoch",
           epoch=b64(log.epochs[1]), inclusion=b64(log_inclusion(log.hashes(), 1)))
    earlier = Log(HOME.name)
    earlier.places = log.places
    entry = bind(earlier, ALICE)
    earlier.put(entry)
    earlier.seal(NOW_S - HOUR_S)
    shown = earlier.prove(entry)
    earlier.put(bind(earlier, EVE))
    earlier.seal()
    whole = good.valid("the only version, in the second epoch", args(earlier.prove(entry)), (),
                       ["BLG-10", "BLG-13"])
    old = earlier.head(epoch=b64(earlier.epochs[0]),
                       inclusion=b64(log_inclusion(earlier.hashes(), 0)))
    bad.invalid("all of the epoch before, rightly included under this checkpoint",
                args({**shown, "head": old}), "proof", whole, ["old_epoch"], importance="critical")
    refuse("the epoch before at this place", "proof", "old_epoch", epoch=b64(log.epochs[1]))
    refuse("the first epoch, rightly included", "proof", "old_epoch", epoch=b64(log.epochs[0]),
           inclusion=b64(log_inclusion(log.hashes(), 0)))
    refuse("another map root", "proof", "epoch_changed",
           epoch=b64(proofs.EPOCH + bytes(48)))
    refuse("an epoch under another tag", "proof_form", "epoch_changed",
           epoch=b64(b"AMS-EPOCH/2\0" + log.epochs[2][12:]))
    inclusion = log_inclusion(log.hashes(), 2)
    refuse("an inclusion with a hash more", "proof", "log_path",
           inclusion=b64(inclusion + bytes(32)))
    refuse("an inclusion without its last hash", "proof", "log_path",
           inclusion=b64(inclusion[:-32]))
    refuse("an inclusion with a byte more", "proof_form", "log_path",
           inclusion=b64(inclusion + b"\0"))
    refuse("an inclusion of one changed bit", "proof", "log_path",
           inclusion=flipped(b64(inclusion)))
    refuse("another root, signed", "proof", "log_path",
           checkpoint=log.signed(log.text(root=bytes(32))))
    refuse("a smaller size, signed", "proof", "log_path", checkpoint=log.signed(log.text(size=1)))
    refuse("a larger size, signed", "proof", "log_path", checkpoint=log.signed(log.text(size=40)))
    refuse("size 0, signed", "proof", "log_path", checkpoint=log.signed(log.text(size=0)))
    refuse("another domain's log", "proof", "checkpoint_origin",
           checkpoint=log.signed(log.text(origin=f"ams-bind/{AWAY.name}")))
    refuse("the directory's log of this domain", "proof", "checkpoint_origin",
           checkpoint=log.signed(log.text(origin=HOME.name)))
    refuse("signed by nobody known", "signature", "checkpoint_signature",
           checkpoint=text + "\n" + Signer("x.example", 1, "x").line(text))
    refuse("signed by another key under the log's name", "signature", "checkpoint_signature",
           checkpoint=text + "\n" + Signer(signer.key.name, 1, "forged").line(text))
    line = base64.b64decode(signer.line(text).split(" ")[2])
    for at in (4, 67):
        changed = bytearray(line)
        changed[at] ^= 1
        refuse(f"byte {at - 4} of the log's signature changed", "signature",
               "checkpoint_signature", checkpoint=text + "\n" + signature_line(
                   signer.key.name, bytes(changed[:4]), bytes(changed[4:])))
    refuse("a signature of 63 bytes", "signature", "checkpoint_signature",
           checkpoint=text + "\n" + signature_line(signer.key.name, line[:4], line[4:67]))
    refuse("the text changed after signing", "signature", "checkpoint_signature",
           checkpoint=log.note.replace("\n3\n", "\n4\n"))
    refuse("one good signature and one bad", "signature", "checkpoint_signature",
           checkpoint=log.note + signature_line(signer.key.name, line[:4], bytes(64)))
    refuse("no text", "proof_form", "note_form", checkpoint="")
    refuse("no signature", "proof_form", "note_form", checkpoint=text + "\n")
    refuse("no empty line", "proof_form", "note_form", checkpoint=text + signer.line(text))
    refuse("without the last newline", "proof_form", "note_form", checkpoint=log.note[:-1])
    refuse("another dash", "proof_form", "note_form",
           checkpoint=log.note.replace("\u2014", "\u2013"))
    refuse("base64url for base64", "proof_form", "note_form",
           checkpoint=text + "\n" + f"\u2014 {signer.key.name} {b64(line)}=_\n")
    refuse("33 signatures", "object_too_large", "object_too_large",
           checkpoint=text + "\n" + signer.line(text) * 33)
    refuse("a size with a leading zero", "proof_form", "note_form",
           checkpoint=log.signed(text.replace("\n3\n", "\n03\n")))
    refuse("a negative size", "proof_form", "note_form",
           checkpoint=log.signed(text.replace("\n3\n", "\n-3\n")))
    refuse("a size above 2^63 - 1", "proof_form", "note_form",
           checkpoint=log.signed(log.text(size=2**63)))
    refuse("a root of 31 bytes", "proof_form", "note_form",
           checkpoint=log.signed(log.text(root=bytes(31))))
    refuse("two lines", "proof_form", "note_form",
           checkpoint=log.signed("\n".join(text.split("\n")[:2]) + "\n"))
    refuse("a text of 301 bytes", "object_too_large", "object_too_large",
           checkpoint=log.signed(text + "x" * (300 - len(text)) + "\n"))
    refuse("a tab in the text", "proof_form", "note_form",
           checkpoint=log.signed(text + "a\tb\n"))


def _proof_times(file, log, proof, args):
    good, bad = file.group("valid-times"), file.group("times")
    day, tolerance = 24 * HOUR_S * 1000, 300_000
    oldest = good.valid("a day later", args(proof, now=NOW_MS + day), (), ["BLG-14"])
    early = good.valid("five minutes before", args(proof, now=NOW_MS - tolerance), (), ["BLG-14"])
    for now, twin, what in ((NOW_MS + day + 1, oldest, "a day and a millisecond later"),
                            (NOW_MS + 30 * day, oldest, "a month later"),
                            (NOW_MS - tolerance - 1, early, "more than five minutes before"),
                            (0, early, "at the epoch")):
        bad.invalid(what, args(proof, now=now), "binding_stale", twin, ["binding_stale"])
    far = Log(HOME.name)
    entry = bind(far, ALICE)
    far.put(entry)
    far.seal(2**64 - 1)
    bad.invalid("an epoch at the end of time", {**raw(far.prove(entry)),
                                                **far.args(addr=ALICE.addr, now=NOW_MS)},
                "binding_stale", early, ["binding_stale"])


def _witnesses(file, log, proof, args):
    good, bad = file.group("valid-witnesses"), file.group("witnesses")
    one, two = Signer("w1.example", 4, "w1"), Signer("w2.example", 4, "w2")
    known = [{"name": who.key.name, "key_b64": b64(who.public)} for who in (one, two)]

    def shown(note, quorum, witnesses=None):
        return args({**proof, "head": log.head(checkpoint=note)}, quorum=quorum,
                    witnesses=known if witnesses is None else witnesses)
    text = log.text()
    both = log.signed(text, one, two)
    twin = good.valid("two of two", shown(both, 2), (), ["BLG-10"])
    good.valid("one of two", shown(log.signed(text, two), 1), (), ["BLG-10"])
    good.valid("none demanded", shown(log.note, 0), (), ["BLG-10"])
    good.valid("a stranger's cosignature beside", shown(
        log.signed(text, one, Signer("w3.example", 4, "w3")), 1), (), ["BLG-10"])
    bad.invalid("one of two demanded", shown(log.signed(text, one), 2), "witnesses", twin,
                ["witness_quorum"], importance="critical")
    bad.invalid("none of one demanded", shown(log.note, 1), "witnesses", twin, ["witness_quorum"],
                importance="critical")
    double = Signer("w9.example", 4, "w1")
    bad.invalid("one key under two names", shown(
        log.signed(text, one, double), 2, [known[0], {"name": "w9.example",
                                                      "key_b64": b64(one.public)}]), "witnesses",
        twin, ["witness_quorum"], importance="critical")
    bad.invalid("a cosignature of another text",
                shown(log.note + one.line(log.text(size=4)), 1), "signature", twin,
                ["witness_quorum"], importance="critical")
    bad.invalid("a plain signature for a cosignature", shown(
        log.signed(text) + signature_line("w1.example", one.key.id, b"\0" * 8 + base64.b64decode(
            Signer("w1.example", 1, "w1").line(text).split(" ")[2])[4:]), 1), "signature", twin,
        ["witness_quorum"], importance="critical")


def files() -> list:
    return [_entry_file(), _proof_file()]
