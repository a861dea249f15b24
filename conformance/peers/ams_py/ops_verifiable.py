"""The ops of chapter 8: map, log, notes, checkpoints, two faces, rewritten histories."""
from . import crypto, proofs, trees
from .args import listed, number, octets, text
from .encoding import b64


def _leaves(args: dict) -> list:
    leaves = [(one[:16], one[16:]) for one in listed(args, "leaves_b64", 48)]
    if len({kid for kid, _ in leaves}) < len(leaves):
        raise TypeError("args.leaves_b64: a kid twice")
    return leaves


def _hash(args: dict, name: str) -> bytes:
    return octets(args, name, 32)


# --- map ---

def map_root(args):
    return {"root_b64": b64(trees.map_root(_leaves(args)))}


def map_prove(args):
    return {"proof_b64": b64(trees.map_proof(_leaves(args), octets(args, "kid_b64", 16)))}


def map_digest(args):
    return {"root_b64": b64(trees.map_digest(_leaves(args), octets(args, "prefix_b64", 16),
                                             number(args, "bits")))}


def map_present(args):
    proofs.present(_hash(args, "root_b64"), octets(args, "kid_b64", 16), _hash(args, "value_b64"),
                   octets(args, "proof_b64"), "present")
    return {"verified": True}


def map_absent(args):
    proofs.absent(_hash(args, "root_b64"), octets(args, "kid_b64", 16), octets(args, "proof_b64"),
                  "absent")
    return {"verified": True}


# --- log ---

def _hashes(args: dict) -> list:
    return [proofs.log_leaf(entry) for entry in listed(args, "entries_b64")]


def _written(writer: trees.Writer) -> dict:
    return {"size": str(writer.size), "root_b64": b64(writer.root()),
            "state_b64": b64(writer.state())}


def log_root(args):
    writer, hashes = trees.Writer(), _hashes(args)
    for leaf in hashes:
        writer.append(leaf)
    return {**_written(writer), "root_b64": b64(trees.log_root(hashes))}


def log_resume(args):
    writer = trees.Writer(octets(args, "state_b64"))
    for leaf in _hashes(args):
        writer.append(leaf)
    return _written(writer)


def epoch_read(args):
    root, keys, time = proofs.epoch(octets(args, "epoch_b64"))
    return {"root_b64": b64(root), "keys": str(keys), "time": str(time)}


def inclusion_prove(args):
    return {"proof_b64": b64(trees.log_inclusion(_hashes(args), number(args, "index")))}


def inclusion_verify(args):
    proofs.included(_hash(args, "root_b64"), number(args, "size"), number(args, "index"),
                    proofs.log_leaf(octets(args, "entry_b64")), octets(args, "proof_b64"),
                    "inclusion")
    return {"verified": True}


def consistency_prove(args):
    return {"proof_b64": b64(trees.log_consistency(_hashes(args), number(args, "first")))}


def consistency_verify(args):
    proofs.consistent(number(args, "first"), _hash(args, "first_root_b64"),
                      number(args, "second"), _hash(args, "second_root_b64"),
                      octets(args, "proof_b64"), "consistency")
    return {"verified": True}


# --- notes ---

def note(args: dict, name: str) -> str:
    return octets(args, name).decode("utf-8", "surrogateescape")


def note_key(written: str, kind: int) -> proofs.NoteKey:
    """A verifier key of this type."""
    key = proofs.note_key(written)
    if key.kind != kind:
        raise TypeError("a verifier key of another type")
    return key


def witnesses(args: dict) -> list:
    return [note_key(one, 4) for one in args.get("witnesses", [])]


def _log(args: dict) -> proofs.NoteKey:
    return note_key(text(args, "log"), 1)


def notekey_read(args):
    key = proofs.note_key(text(args, "key"))
    return {"name": key.name, "id": key.id.hex(), "type": key.kind, "public_b64": b64(key.raw)}


def note_sign(args):
    private, signed = octets(args, "private_b64", 32), octets(args, "text_b64")
    kind, blob = (4, int(text(args, "time")).to_bytes(8, "big")) if "time" in args else (1, b"")
    if kind == 4:
        signed = b"cosignature/v1\ntime " + text(args, "time").encode() + b"\n" + signed
    key = proofs.NoteKey(text(args, "name"), kind, crypto.ed25519_public(private))
    blob += crypto.sign_ed25519(private, signed)
    return {"key": key.text(), "line_b64": b64(proofs.line(key, blob).encode())}


def note_verify(args):
    key = proofs.note_key(text(args, "key"))
    read = proofs.Note(note(args, "note_b64"))
    return {"time": str(read.verify(key, "note.sig")), "text_b64": b64(read.text.encode()),
            "signatures": len(read.signatures)}


def checkpoint_open(args):
    known = witnesses(args)
    said, cosigned = proofs.open_checkpoint(note(args, "note_b64"), _log(args), known,
                                            args.get("quorum", 0))
    return {"origin": said.origin, "size": str(said.size), "root_b64": b64(said.root),
            "witnesses": len({witness.raw for witness, _ in cosigned})}


def equivocation_make(args):
    made = proofs.make_fork(note(args, "a_b64"), note(args, "b_b64"), _log(args))
    return {"evidence_b64": b64(made.encode())}


def equivocation_verify(args):
    return {"size": str(proofs.fork(note(args, "evidence_b64"), _log(args)).size)}


def rewrite_verify(args):
    first, second = proofs.rewrite(note(args, "evidence_b64"), _log(args))
    return {"first": str(first.size), "second": str(second.size)}


OPS = {
    "checkpoint.open": checkpoint_open,
    "consistency.prove": consistency_prove,
    "consistency.verify": consistency_verify,
    "epoch.read": epoch_read,
    "equivocation.make": equivocation_make,
    "equivocation.verify": equivocation_verify,
    "inclusion.prove": inclusion_prove,
    "inclusion.verify": inclusion_verify,
    "log.resume": log_resume,
    "log.root": log_root,
    "map.absent": map_absent,
    "map.digest": map_digest,
    "map.present": map_present,
    "map.prove": map_prove,
    "map.root": map_root,
    "note.sign": note_sign,
    "note.verify": note_verify,
    "notekey.read": notekey_read,
    "rewrite.verify": rewrite_verify,
}
