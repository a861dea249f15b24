"""A directory peer in the making, honest or not, and what it answers (spec DIR-8, DIR-12)."""
import base64

from ams_py import keys, lineage, proofs
from ams_py.encoding import b64, encode
from ams_py.trees import log_inclusion, log_root, map_proof, map_root

from .book import NOW_MS
from .logbook import Signer
from .world import Domain

NOW_S = NOW_MS // 1000
DIR, OTHER = Domain("dir.example"), Domain("other.example")
WITNESSES = [Domain(f"w{number}.example") for number in (1, 2, 3)]


def signer(domain: Domain, kind: int = 1) -> Signer:
    """DIR-11: the op key is the log's, and a witness's."""
    return Signer(domain.name + "/ams-directory", kind, "", domain.op.seed)


def label(kid: str) -> bytes:
    return bytes.fromhex(kid.replace("-", ""))


def value_of(objects: list) -> bytes:
    """DIR-8 of what is held under one kid, the record first."""
    entry = lineage.Entry(keys.verify_key(objects[0]))
    for one in objects[1:]:
        entry.add(one)
    return entry.value()


class Directory:
    """Entries may be put and changed at will: nothing here keeps a peer from lying."""

    def __init__(self, domain: Domain = DIR):
        self.domain, self.signer = domain, signer(domain)
        self.held, self.leaves, self.epochs = {}, [], []

    def put(self, *objects) -> None:
        self.held[keys.kid_of(keys.fingerprint(objects[0]))] = list(objects)

    def log(self, time: int = NOW_S, tag: bytes = proofs.EPOCH) -> None:
        self.leaves = [(label(kid), value_of(objects)) for kid, objects in self.held.items()]
        self.epochs.append(tag + map_root(self.leaves) + len(self.leaves).to_bytes(8, "big") +
                           time.to_bytes(8, "big"))

    def hashes(self) -> list:
        return [proofs.log_leaf(epoch) for epoch in self.epochs]

    def text(self, origin: str = None, size: int = None, root: bytes = None) -> str:
        shown = log_root(self.hashes()) if root is None else root
        return (f"{origin or self.signer.key.name}\n{len(self.epochs) if size is None else size}\n"
                f"{base64.b64encode(shown).decode()}\n")

    def note(self, *witnesses, text: str = None) -> str:
        text = self.text() if text is None else text
        return text + "\n" + "".join(one.line(text) for one in (self.signer, *witnesses))

    def prove(self, kid: str, *witnesses, **changed) -> dict:
        """What directory.proof answers; members that are None are left out."""
        value = dict(self.leaves).get(label(kid))
        said = {"checkpoint": self.note(*witnesses), "epoch": b64(self.epochs[-1]),
                "inclusion": b64(log_inclusion(self.hashes(), len(self.epochs) - 1)),
                "map": b64(map_proof(self.leaves, label(kid))),
                "value": None if value is None else b64(value), **changed}
        return {name: item for name, item in said.items() if item is not None}

    def args(self, kid: str, objects: list, proof: dict, **changed) -> dict:
        """Of lookup.verify."""
        return {"kid": kid, "objects_b64": [b64(encode(one)) for one in objects],
                "proof_b64": b64(encode(proof)), "log": self.signer.key.text(), "now": NOW_MS,
                **changed}
