"""A binding log in the making, honest or not (spec BLG): what the vectors of chapter 10 are of."""
import base64
import hmac

from ams_py import bindlog, crypto, keys, proofs, vrf
from ams_py.encoding import b64, encode
from ams_py.seal import Draws
from ams_py.trees import log_consistency, log_inclusion, log_root, map_proof, map_root

from .book import NOW_MS

NOW_S = NOW_MS // 1000
HOUR_S = 3_600


# --- notes ---

def signature_line(name: str, key_id: bytes, blob: bytes) -> str:
    return f"\u2014 {name} {base64.b64encode(key_id + blob).decode()}\n"


class Signer:
    """A log's key (kind 1) or a witness's (kind 4)."""

    def __init__(self, name: str, kind: int, label: str, seed: bytes = None):
        self.seed = seed or Draws(label).take(32)
        self.public = crypto.ed25519_public(self.seed)
        self.key = proofs.NoteKey(name, kind, self.public)

    def line(self, text: str, time: int = NOW_S) -> str:
        if self.key.kind == 1:
            blob = crypto.sign_ed25519(self.seed, text.encode())
        else:
            signed = f"cosignature/v1\ntime {time}\n{text}".encode()
            blob = time.to_bytes(8, "big") + crypto.sign_ed25519(self.seed, signed)
        return signature_line(self.key.name, self.key.id, blob)


# --- the log ---

class Log:
    """Leaves may be put and taken at will: nothing here keeps a liar from lying."""

    def __init__(self, domain: str, label: str = ""):
        self.domain, draws = domain, Draws(f"log of {domain}{label}")
        self.vrf_private = int.from_bytes(draws.take(32), "big") % (vrf.Q - 1) + 1
        self.vrf_public = vrf.public_key(self.vrf_private)
        self.commit = draws.take(32)
        origin = bindlog.Identity(domain, self.vrf_public, bytes(32)).log.name
        self.signer = Signer(origin, 1, f"log key of {domain}{label}")
        self.leaves, self.epochs, self.sealed, self.places = {}, [], [], {}
        self.note = ""

    def args(self, **more) -> dict:
        return {"domain": self.domain, "vrf_b64": b64(self.vrf_public),
                "log_b64": b64(self.signer.public), **more}

    def vrf(self, addr: str, version: int) -> bytes:
        name = (addr, version)
        if name not in self.places:
            self.places[name] = vrf.prove(self.vrf_private, bindlog.label_input(addr, version))
        return self.places[name]

    def label(self, addr: str, version: int) -> bytes:
        return vrf.proof_to_hash(self.vrf(addr, version))[:16]

    def opening(self, addr: str, version: int) -> bytes:
        return hmac.new(self.commit, bindlog.label_input(addr, version), "sha256").digest()

    def value(self, entry: dict) -> bytes:
        return bindlog.commitment({"value": entry}, self.opening(entry["addr"], entry["version"]))

    def put(self, entry: dict, value: bytes = None) -> None:
        self.leaves[self.label(entry["addr"], entry["version"])] = value or self.value(entry)

    def seal(self, time: int = NOW_S) -> None:
        self.sealed = sorted(self.leaves.items())
        self.epochs.append(proofs.EPOCH + map_root(self.sealed) +
                           len(self.sealed).to_bytes(8, "big") + time.to_bytes(8, "big"))
        self.note = self.signed(self.text())

    def hashes(self) -> list:
        return [proofs.log_leaf(epoch) for epoch in self.epochs]

    def text(self, origin: str = None, size: int = None, root: bytes = None) -> str:
        root = log_root(self.hashes()) if root is None else root
        return (f"{origin or self.signer.key.name}\n{len(self.epochs) if size is None else size}\n"
                f"{base64.b64encode(root).decode()}\n")

    def signed(self, text: str, *signers) -> str:
        return text + "\n" + "".join(one.line(text) for one in (self.signer, *signers))

    def root(self) -> bytes:
        return log_root(self.hashes())

    # --- what is shown
    def head(self, **changed) -> dict:
        value = {"checkpoint": self.note, "epoch": b64(self.epochs[-1]),
                 "inclusion": b64(log_inclusion(self.hashes(), len(self.epochs) - 1))}
        return {**value, **changed}

    def path(self, addr: str, version: int) -> bytes:
        return map_proof(self.sealed, self.label(addr, version))

    def place(self, addr: str, version: int) -> dict:
        return {"path": b64(self.path(addr, version)), "vrf": b64(self.vrf(addr, version))}

    def step(self, addr: str, version: int) -> dict:
        value = dict(self.sealed).get(self.label(addr, version), bytes(32))
        return {**self.place(addr, version), "value": b64(value)}

    def prove(self, entry: dict) -> dict:
        addr, version = entry["addr"], entry["version"]
        return {"ams": "bproof/1", "addr": addr, "entry": entry,
                "r": b64(self.opening(addr, version)),
                "steps": [self.step(addr, one) for one in bindlog.steps(version)[:-1]],
                "here": self.place(addr, version), "next": self.place(addr, version + 1),
                "head": self.head()}

    def prove_none(self, addr: str) -> dict:
        return {"ams": "bproof/1", "addr": addr, "steps": [], "next": self.place(addr, 1),
                "head": self.head()}

    def history(self, entries: list, known: int = 0, complete: bool = True) -> dict:
        addr = entries[-1]["addr"]
        above = bindlog.gaps(entries[-1]["version"]) if complete else []
        return {"ams": "bhist/1", "addr": addr,
                "items": [{"entry": one, "r": b64(self.opening(addr, one["version"])),
                           **self.place(addr, one["version"])} for one in entries],
                "above": [self.place(addr, one) for one in above],
                "consistency": b64(log_consistency(self.hashes(), known)), "head": self.head()}

    def sight(self, addr: str, version: int, value: bytes = None) -> dict:
        shown = {"head": self.head(), "path": b64(self.path(addr, version))}
        return shown if value is None else {**shown, "value": b64(value)}


def bind(log: Log, person, before: dict = None, endorser=None, **changed) -> dict:
    """The entry of a person's address; endorsed when an endorser is given. Members that are None
    are left out."""
    entry = {"ams": "bentry/1", "addr": person.addr,
             "version": before["version"] + 1 if before else 1, "at": NOW_MS, "type": "key",
             "kid": person.kid, "fp": b64(person.fp), "custody": person.record["custody"],
             "policy": "isp"}
    if before:
        entry["prev"] = b64(log.value(before))
    entry = {name: item for name, item in {**entry, **changed}.items() if item is not None}
    if endorser is None or "sig" in changed:
        return entry
    text = crypto.signed_text(str(entry.get("ams", "")), crypto.sha256(encode(entry)))
    return {**entry, "sig": b64(endorser.sign(text))}


def deny(entry: dict, hidden: bytes, signer, **changed) -> dict:
    """bdeny/1 of an entry and its value."""
    said = {"ams": "bdeny/1", "addr": entry["addr"], "version": entry["version"],
            "value": b64(hidden), **changed}
    return keys.sign_object(signer.sign, {name: item for name, item in said.items()
                                          if item is not None})


def seen(log: Log, entry: dict) -> dict:
    """What an owner keeps after a check of the log as it is now."""
    return {"seen_size": len(log.epochs), "seen_root_b64": b64(log.root()),
            "seen_version": entry["version"], "seen_value_b64": b64(log.value(entry))}


def flipped(text: str, at: int = 0) -> str:
    """Base64url with one bit of one byte changed."""
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[at] ^= 1
    return b64(bytes(raw))


