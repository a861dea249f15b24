"""The ops of who looks keys up in a directory, or judges what one said."""
from . import crypto, directory, encoding, grants
from .args import listed, number, octets, text, value
from .ops_verifiable import note, note_key, witnesses


def work_verify(args):
    return {"day": directory.check_work(text(args, "domain"), octets(args, "object_b64"),
                                        text(args, "work"), number(args, "bits"),
                                        number(args, "now"))}


def grant_verify(args):
    algorithm, public = text(args, "alg"), octets(args, "public_b64")
    voucher = text(args, "voucher")
    if voucher == "" or algorithm not in crypto.SIG_ALGS:
        raise TypeError("args.voucher, args.alg: nothing to judge")
    # Whole messages are refused for a voucher: it is read before any grant is.
    grants.read_voucher(voucher)
    return grants.verify(value(args, "raw_b64"), voucher, octets(args, "fp_b64", 32), algorithm,
                         public)


def lookup_verify(args):
    objects = [encoding.decode(raw) for raw in listed(args, "objects_b64")]
    return directory.verify_lookup(
        text(args, "kid"), objects, value(args, "proof_b64"), note_key(text(args, "log"), 1),
        witnesses(args), args.get("quorum", 0), number(args, "now")).shown()


def history_replay(args):
    log, auditor = note_key(text(args, "log"), 1), directory.Auditor()
    for raw in listed(args, "answers_b64"):
        auditor.take(encoding.decode(raw))
    auditor.conclude(note(args, "note_b64"), log)
    return {"size": str(len(auditor.hashes)), "root_b64": encoding.b64(auditor.root()),
            "map_root_b64": encoding.b64(auditor.map_root()), "keys": str(len(auditor.map))}


def evidence_judge(args):
    roots = {one["domain"]: (one["root_kid"], octets(one, "root_fp")) for one in args["roots"]}
    judge = directory.Judge(roots, args.get("quorum", 0), args.get("now"))
    return judge.judge(directory.read_evidence(octets(args, "raw_b64")))


OPS = {"evidence.judge": evidence_judge, "grant.verify": grant_verify,
       "history.replay": history_replay,
       "lookup.verify": lookup_verify, "work.verify": work_verify}
