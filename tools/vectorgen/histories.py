"""The history of a directory peer, replayed by an auditor (spec DIR-71, DIR-72)."""
from ams_py.encoding import b64, encode, unb64
from ams_py.trees import log_root, map_root

from .book import File
from .directories import NOW_S, Directory, label
from .lineage import event, revocation
from .logbook import Signer
from .world import ALICE, EVE, HOME, Person

PEOPLE = [Person(f"user{number}", HOME.name) for number in range(6)]


class Told(Directory):
    """A directory that keeps each epoch's changes."""

    def __init__(self):
        super().__init__()
        self.changes = []

    def log(self, *args, **more) -> None:
        before = dict(self.leaves)
        super().log(*args, **more)
        self.changes.append(b"".join(kid + value for kid, value in sorted(self.leaves)
                                     if before.get(kid) != value))

    def answer(self, first: int = 0, last: int = None, **changed) -> dict:
        steps = [{"epoch": b64(epoch), "changes": b64(changes)}
                 for epoch, changes in zip(self.epochs, self.changes)][first:last]
        said = {"epochs": steps, "size": len(self.epochs), **changed}
        return {name: item for name, item in said.items() if item is not None}

    def replay(self, *answers, note: str = None) -> dict:
        """Args of history.replay."""
        return {"answers_b64": [b64(encode(one)) for one in answers],
                "note_b64": b64((self.note() if note is None else note).encode()),
                "log": self.signer.key.text()}


def told() -> Told:
    """Five epochs: two, three, one changed, none, one key."""
    made = Told()
    for number, people in enumerate((PEOPLE[:2], PEOPLE[2:5])):
        for person in people:
            made.put(person.record)
        made.log(NOW_S - 300 + 60 * number)
    made.put(PEOPLE[0].record, revocation(PEOPLE[0]))
    made.log(NOW_S - 180)
    made.log(NOW_S - 120)
    made.put(ALICE.record, event())
    made.log()
    return made


def _changed(answer: dict, at: int, **changed) -> dict:
    steps = list(answer["epochs"])
    steps[at] = {name: item for name, item in {**steps[at], **changed}.items() if item is not None}
    return {**answer, "epochs": steps}


def _file() -> File:
    file = File("directory/histories.json", "history.replay", "hrp")
    good, made = file.group("valid"), told()
    whole = made.answer()
    twin = good.valid("five epochs in one answer", made.replay(whole), (), ["DIR-13", "DIR-72"])
    good.valid("an answer for each epoch", made.replay(
        *(made.answer(at, at + 1) for at in range(5))), (), ["DIR-13", "DIR-72"])
    good.valid("more than the checkpoint signs", made.replay(whole, note=made.note(
        text=made.text(size=3, root=_root_at(made, 3)))), (), ["DIR-72"])
    good.valid("an answer without epochs after them", made.replay(whole, made.answer(5)), (),
               ["DIR-71"])
    good.valid("nothing, and the checkpoint of an empty log", made.replay(note=made.note(
        text=made.text(size=0, root=_root_at(made, 0)))), (), ["DIR-72"])
    empty = Told()
    empty.log()
    good.valid("an epoch of no key", empty.replay(empty.answer()), (), ["DIR-72"])
    same = Told()
    for _ in range(3):
        same.log(NOW_S)
    good.valid("three epochs of one time", same.replay(same.answer()), (), ["DIR-72"])
    good.valid("members to ignore", made.replay(_changed({**whole, "x_a": 1}, 1, x_b=2)), (),
               ["DIR-71"])
    many = Told()
    for number in range(64):
        many.log(NOW_S + number)
    full = good.valid("64 epochs in one answer", many.replay(many.answer()), (), ["DIR-71"])
    _forms(file, made, whole, twin)
    many.log(NOW_S + 64)
    file.group("sizes").invalid("65 epochs in one answer", many.replay(many.answer()),
                                "object_too_large", full, ["object_too_large"])
    _replayed(file, made, whole, twin)
    _concluded(file, made, whole, twin)
    return file


def _root_at(made: Told, size: int) -> bytes:
    return log_root(made.hashes()[:size])


def _forms(file, made, whole, twin) -> None:
    bad = file.group("form")

    def refuse(comment, code, flag, answer):
        bad.invalid(comment, made.replay(answer), code, twin, [flag])
    for name, other in (("size", "5"), ("epochs", {})):
        refuse(f"no {name}", "schema", "missing_member", made.answer(**{name: None}))
        refuse(f"{name} has another type", "schema", "wrong_type", made.answer(**{name: other}))
    refuse("a negative size", "schema", "out_of_range", made.answer(size=-1))
    refuse("a member more", "unknown_member", "unknown_member", made.answer(zz=1))
    for value in ([], 1, "x"):
        refuse(f"{value!r} for an answer", "schema", "wrong_type", value)
    refuse("an epoch is a text", "schema", "wrong_type", made.answer(epochs=["x"]))
    for name in ("epoch", "changes"):
        refuse(f"an epoch without {name}", "schema", "missing_member",
               _changed(whole, 1, **{name: None}))
        refuse(f"{name} is a number", "schema", "wrong_type", _changed(whole, 1, **{name: 1}))
        refuse(f"{name} is padded", "base64url", "base64url",
               _changed(whole, 1, **{name: whole["epochs"][1][name] + "="}))
    refuse("an epoch with more", "unknown_member", "unknown_member", _changed(whole, 1, zz=1))
    epoch, changes = (unb64(whole["epochs"][1][name]) for name in ("epoch", "changes"))
    for size in (0, 59, 61):
        refuse(f"an epoch of {size} bytes", "base64url", "base64url",
               _changed(whole, 1, epoch=b64((epoch + b"\0")[:size])))
    refuse("393,217 bytes of changes", "base64url", "base64url",
           _changed(whole, 1, changes=b64(bytes(393_217))))
    refuse("an epoch of another tag", "proof_form", "epoch_form",
           _changed(whole, 1, epoch=b64(b"AMS-EPOCH/2\0" + epoch[12:])))
    for comment, raw in (("a byte more", changes + b"\0"), ("a byte fewer", changes[:-1]),
                         ("32 bytes more", changes + bytes(32))):
        refuse(f"changes with {comment}", "proof_form", "changes_form",
               _changed(whole, 1, changes=b64(raw)))
    first, second, third = (changes[at:at + 48] for at in range(0, 144, 48))
    for comment, raw in (("backwards", third + second + first), ("the last two exchanged",
                                                                 first + third + second),
                         ("one twice", first + second + second + third),
                         ("one twice, with two values",
                          first + second[:16] + bytes(32) + second + third)):
        refuse(f"changes: {comment}", "proof_form", "changes_form",
               _changed(whole, 1, changes=b64(raw)))
    for comment, code, answer in (
            ("no size, and an epoch with more", "schema",
             _changed(made.answer(size=None), 1, zz=1)),
            ("an epoch with more, and a member more", "unknown_member",
             _changed(made.answer(zz=1), 1, zz=1)),
            ("a second epoch in no form, and the first one's changes left out", "proof_form",
             _changed(_changed(whole, 0, changes=""), 1, changes=b64(b"x"))),
            ("changes in no order, and a member more", "proof_form",
             _changed(made.answer(zz=1), 1, changes=b64(third + second + first)))):
        refuse(comment, code, "check_order", answer)


def _replayed(file, made, whole, twin) -> None:
    bad = file.group("replayed")

    def refuse(comment, flag, *answers, valid=twin, shown=made):
        bad.invalid(comment, shown.replay(*answers), "proof", valid, [flag], importance="critical")
    changes = unb64(whole["epochs"][1]["changes"])
    for at in (0, 1, 2, 4):
        refuse(f"the changes of epoch {at} left out", "history_withheld",
               _changed(whole, at, changes=""))
    refuse("one change of three left out", "history_withheld",
           _changed(whole, 1, changes=b64(changes[:96])))
    refuse("a value changed", "history_withheld", _changed(
        whole, 1, changes=b64(changes[:47] + bytes([changes[47] ^ 1]) + changes[48:])))
    refuse("a key that is in no epoch", "history_withheld", _changed(
        whole, 3, changes=b64(label(EVE.kid) + bytes(32))))
    refuse("the changes of the next epoch", "history_withheld",
           _changed(whole, 3, changes=whole["epochs"][4]["changes"]))
    steps = whole["epochs"]
    for comment, order in (("the first epoch left out", steps[1:]),
                           ("the third left out", steps[:2] + steps[3:]),
                           ("two exchanged", [steps[1], steps[0], *steps[2:]])):
        refuse(comment, "history_withheld", {**whole, "epochs": order})
    refuse("from the second answer on", "history_withheld", made.answer(2))
    for count in (0, 4, 6, 2**32 + 5):
        liar = told()
        liar.epochs[1] = liar.epochs[1][:44] + count.to_bytes(8, "big") + liar.epochs[1][52:]
        refuse(f"an epoch of five keys says {count:,}", "history_count", liar.answer(), shown=liar)
    for at, back in ((1, 1), (3, 3600), (4, 10**9)):
        liar = told()
        before = int.from_bytes(liar.epochs[at - 1][52:], "big")
        liar.epochs[at] = liar.epochs[at][:52] + (before - back).to_bytes(8, "big")
        refuse(f"epoch {at} is {back:,} s before the one before", "history_time", liar.answer(),
               shown=liar)
    liar = told()
    liar.epochs[2] = liar.epochs[2][:12] + map_root(liar.leaves[:-2]) + liar.epochs[2][44:]
    refuse("the log has a root that its changes do not lead to", "history_withheld", liar.answer(),
           shown=liar)


def _concluded(file, made, whole, twin) -> None:
    bad = file.group("concluded")

    def refuse(comment, code, flag, note, *answers):
        bad.invalid(comment, made.replay(*(answers or (whole,)), note=note), code, twin, [flag],
                    importance="critical")
    refuse("the last epoch is not told", "proof", "history_short", made.note(), made.answer(0, 4))
    refuse("nothing is told", "proof", "history_short", made.note(), made.answer(0, 0))
    refuse("a size above what is told", "proof", "history_short",
           made.note(text=made.text(size=6)))
    refuse("a size of 2^53", "proof", "history_short", made.note(text=made.text(size=2**53)))
    for size in (0, 3, 5):
        refuse(f"another root at size {size}", "proof", "history_other",
               made.note(text=made.text(size=size, root=bytes(32))))
    refuse("the root of five at size 4", "proof", "history_other",
           made.note(text=made.text(size=4)))
    refuse("another log's checkpoint", "proof", "checkpoint_other",
           made.note(text=made.text(origin="other.example/ams-directory")))
    text = made.text()
    forger = Signer(made.signer.key.name, 1, "forger of a history")
    refuse("a forged checkpoint", "signature", "note_unsigned", text + "\n" + forger.line(text))
    refuse("no checkpoint", "proof_form", "note_layout", "")
    refuse("a history that does not hold, and no checkpoint", "proof", "stage_order", "",
           _changed(whole, 1, changes=""))


def files() -> list:
    return [_file()]
