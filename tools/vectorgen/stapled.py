"""The binding log's proof in a letter (spec MSG-37, MSG-38): each way in which it may not prove
what from.binding says."""
from ams_py.encoding import b64, encode

from .book import File
from .letters import args_of, letter, sealed
from .logbook import HOUR_S, NOW_S, Log, bind, flipped
from .world import ALICE, BOB, EVE, EVIL, HOME, OSCAR, SHARED, Person

CLAUSES = ["MSG-37", "MSG-38"]


def _chain(log: Log) -> dict:
    return HOME.make_chain(vrf_key=b64(log.vrf_public), log_key=b64(log.signer.public))


def _args(log: Log, proof, person=ALICE, binding=None, chain=None) -> dict:
    more = {} if proof is None else {"proof": proof}
    parts = sealed(text=letter(person, binding=binding, **more), sender=person)
    return {**args_of(parts, sender=person), **HOME.args(chain or _chain(log))}


def _log(*entries_of, time: int = NOW_S, label: str = "") -> tuple:
    """A log with others' bindings and these; each is a function of the log."""
    log, made = Log(HOME.name, label), []
    for number in range(5):
        log.put(bind(log, Person(f"other{number}", HOME.name)))
    for make in entries_of:
        made.append(make(log, made[-1] if made else None))
        log.put(made[-1])
    log.seal(time)
    return log, made


def _first(person=ALICE, **changed):
    return lambda log, _before: bind(log, person, **changed)


def _next(person=ALICE, **changed):
    return lambda log, before: bind(log, person, before, **changed)


def _deep(log: Log, addr: str, version: int) -> None:
    """Neighbours of a label at each depth: its path becomes as long as one can be."""
    label = int.from_bytes(log.label(addr, version), "big")
    for bit in range(128):
        log.leaves[(label ^ 1 << bit).to_bytes(16, "big")] = bytes([bit]) * 32


def _valid(file: File) -> tuple:
    good = file.group("valid")
    log, (entry,) = _log(_first())
    twin = good.valid("a first version", _args(log, log.prove(entry)), clauses=CLAUSES)
    long, entries = _log(_first(), *[_next() for _ in range(5)])
    sixth = good.valid("a sixth version", _args(long, long.prove(entries[5]),
                                                binding=HOME.bind(ALICE, version=6)),
                       clauses=CLAUSES)
    for comment, time in (("an epoch of a day before ts", NOW_S - 24 * HOUR_S),
                          ("an epoch of five minutes after ts", NOW_S + 300)):
        timed, (one,) = _log(_first(), time=time)
        good.valid(comment, _args(timed, timed.prove(one)), clauses=["MSG-38", "BLG-14"])
    shared = {"kid": SHARED.kid, "fp": b64(SHARED.fp)}
    firm, (held,) = _log(_first(OSCAR, enc=shared, policy="corporate"))
    company = good.valid("a key that the company holds", _args(
        firm, firm.prove(held), OSCAR, HOME.bind(OSCAR, enc=shared)), clauses=CLAUSES)
    good.valid("no proof, of a domain without a log", _args(log, None, chain=HOME.chain),
               clauses=["MSG-38"])
    good.valid("an object that is no proof, of a domain without a log",
               _args(log, {"zz": 1}, chain=HOME.chain), clauses=["MSG-37", "MSG-38"])
    return log, entry, twin, long, entries, sixth, firm, held, company


def _differs(group, log, entry, twin) -> None:
    def refuse(comment, flag, proof, its_log=log, **more):
        group.invalid(comment, _args(its_log, proof, **more), "from_proof", twin, [flag], CLAUSES,
                      "critical")
    refuse("no proof", "from_proof", None)
    refuse("an empty object", "from_proof", {})
    refuse("the binding for a proof", "from_proof", HOME.bind(ALICE))
    refuse("that the address is bound to nothing", "from_proof",
           _log()[0].prove_none(ALICE.addr))
    for comment, made in (
            ("of another key", _first(kid=EVE.kid, fp=b64(EVE.fp))),
            ("of another fingerprint", _first(fp=b64(EVE.fp))),
            ("of a key that the company holds", _first(custody="corporate", enc={
                "kid": SHARED.kid, "fp": b64(SHARED.fp)})),
            ("of a forward", _first(type="forward", to=[BOB.addr])),
            ("of an alias", _first(type="alias", to=[EVE.addr])),
            ("of a group", _first(type="group", to=[EVE.addr]))):
        other, (shown,) = _log(made)
        refuse(f"a proof {comment}", "from_proof", other.prove(shown), other)
    eve, (hers,) = _log(_first(EVE))
    refuse("another address's proof", "from_proof", eve.prove(hers), eve)
    away = Log(EVIL.name)
    away.put(entry)
    away.seal()
    refuse("a proof from another domain's log", "from_proof", away.prove(entry))
    refuse("a binding of another version", "from_proof", log.prove(entry),
           binding=HOME.bind(ALICE, version=2))
    other = _log(_first(), label=" 2")[0]
    refuse("the domain's log is another one by now", "from_proof", log.prove(entry), other)


def _does_not_verify(group, log, entry, twin, long, entries, sixth) -> None:
    def refuse(comment, flag, proof, its_log=log, its_twin=twin, **more):
        group.invalid(comment, _args(its_log, proof, **more), "from_proof", its_twin, [flag],
                      CLAUSES, "critical")
    proof = log.prove(entry)
    for name in ("here", "next"):
        place = proof[name]
        refuse(f"{name}'s way in the map changed", "map_path",
               {**proof, name: {**place, "path": flipped(place["path"], -1)}})
        refuse(f"{name}'s VRF proof changed", "vrf_tampered",
               {**proof, name: {**place, "vrf": flipped(place["vrf"], 40)}})
    refuse("r changed", "wrong_key", {**proof, "r": flipped(proof["r"])})
    refuse("a checkpoint that the log did not sign", "checkpoint_signature",
           {**proof, "head": log.head(checkpoint=Log(HOME.name, " 3").signed(log.text()))})
    refuse("an epoch that the checkpoint has not", "map_path",
           {**proof, "head": log.head(epoch=flipped(proof["head"]["epoch"], 40))})
    refuse("a version that has a successor", "hidden_version", long.prove(entries[2]), long,
           binding=HOME.bind(ALICE, version=3))
    last = long.prove(entries[5])
    refuse("a step left out", "hidden_version", {**last, "steps": last["steps"][:-1]}, long, sixth,
           binding=HOME.bind(ALICE, version=6))
    for comment, time in (("an epoch of more than a day before ts", NOW_S - 24 * HOUR_S - 1),
                          ("an epoch of more than five minutes after ts", NOW_S + 301)):
        timed, (one,) = _log(_first(), time=time)
        refuse(comment, "binding_stale", timed.prove(one), timed)


def _size(file: File) -> None:
    group, version = file.group("size"), 31
    log, entries = _log(_first(), *[_next() for _ in range(version - 1)])
    binding = HOME.bind(ALICE, version=version)
    twin = group.valid("version 31 in a small map", _args(
        log, log.prove(entries[-1]), binding=binding), clauses=["MSG-37"])
    for one in (16, 24, 28, 30, 31, 32):
        kept = dict(log.leaves)
        _deep(log, ALICE.addr, one)
        log.leaves.update(kept)
    log.leaves.pop(log.label(ALICE.addr, version + 1), None)
    log.seal()
    proof = log.prove(entries[-1])
    assert len(encode(proof)) > 32_768
    group.invalid("a proof of more than 32,768 bytes", _args(log, proof, binding=binding),
                  "from_proof", twin, ["object_too_large"], ["MSG-37"])


def files() -> list:
    file = File("message/stapled.json", "message.open", "stp")
    log, entry, twin, long, entries, sixth, firm, held, company = _valid(file)
    _differs(file.group("differs"), log, entry, twin)
    group = file.group("shared")
    for comment, enc in (("of another shared key", EVE), ("of another company's key", ALICE)):
        shown = bind(firm, OSCAR, policy="corporate", enc={"kid": enc.kid, "fp": b64(enc.fp)})
        other, _ = _log(lambda _log, _before, shown=shown: shown)
        group.invalid(f"a proof {comment}", _args(
            other, other.prove(shown), OSCAR,
            HOME.bind(OSCAR, enc={"kid": SHARED.kid, "fp": b64(SHARED.fp)})),
            "from_proof", company, ["from_proof"], CLAUSES, "critical")
    _does_not_verify(file.group("does-not-verify"), log, entry, twin, long, entries, sixth)
    _size(file)
    return [file]
