"""Receipts (spec REL-16) and notices (REL-17)."""
from ams_py import crypto, keys, mail
from ams_py.encoding import b64
from ams_py.seal import Draws

from .book import NOW_MS, File
from .faults import faults, raw, signature_faults
from .world import AWAY, BOB, EVIL, HOME


def receipt(signer=AWAY.op, **changed) -> dict:
    tag = mail.rtag(Draws("rcpt salt 0").take(16), BOB.addr)
    value = {"ams": "receipt/1", "ehash": b64(crypto.sha256(b"message")), "rdom": AWAY.name,
             "dkid": AWAY.op.kid, "addr_tag": b64(tag), "verdict": "accepted", "ts": NOW_MS}
    return keys.sign_object(signer.sign, value, **changed)


def args(value, domain=AWAY) -> dict:
    return {**raw(value), **domain.args(), "domain": domain.name}


def _receipts() -> File:
    file = File("message/receipts.json", "receipt.verify", "rcp")
    good = file.group("valid")
    twin = good.valid("accepted", args(receipt()), clauses=["REL-16", "DOM-3"])
    refused = {"verdict": "refused", "code": "no_such_address"}
    no = good.valid("refused", args(receipt(**refused)), clauses=["REL-16"])
    bad = file.group("members")
    faults(bad, receipt, args, twin, {"ehash": "binary", "rdom": "domain", "dkid": "kid",
                                      "addr_tag": "binary", "verdict": "text", "ts": "integer"})
    for comment, changed, beside in (
            ("accepted with a code", {"code": "rate"}, twin),
            ("refused without a code", {"verdict": "refused"}, no),
            ("a code of no registry", {**refused, "code": "because"}, no),
            ("a verdict of its own", {"verdict": "queued"}, twin),
            ("a verdict of its own with a code", {"verdict": "queued", "code": "rate"}, no)):
        bad.invalid(comment, args(receipt(**changed)), "schema", beside, ["receipt_form"])
    bad = file.group("chain")
    for comment, value, code in (
            ("of another domain", receipt(rdom=HOME.name), "domain_mismatch"),
            ("under the root key's kid", receipt(dkid=AWAY.root.kid), "kid_mismatch"),
            ("under another domain's kid", receipt(EVIL.op, dkid=EVIL.op.kid), "kid_mismatch"),
            ("signed by the root key", receipt(AWAY.root), "signature"),
            ("signed by the sending domain", receipt(HOME.op), "signature"),
            ("signed by the recipient", receipt(BOB), "signature"),
            ("the verdict changed after signing", {**receipt(), **refused}, "signature"),
            ("ts changed after signing", {**receipt(), "ts": 1}, "signature")):
        bad.invalid(comment, args(value), code, twin, ["receipt_forged"], importance="critical")
    signature_faults(bad, receipt(), args, twin)
    return file


def notice(signer=HOME.op, **changed) -> dict:
    value = {"ams": "notice/1", "ehash": b64(crypto.sha256(b"message")),
             "id": b64(Draws("env id").take(16)), "addr": BOB.addr, "verdict": "failed",
             "code": "no_such_address", "ts": NOW_MS, "dkid": HOME.op.kid}
    return keys.sign_object(signer.sign, value, **changed)


def _notices() -> File:
    file = File("message/notices.json", "notice.verify", "ntc")
    good = file.group("valid")

    def its(value):
        return args(value, HOME)
    twin = good.valid("failed", its(notice()), clauses=["REL-17", "DOM-3"])
    good.valid("undetermined", its(notice(verdict="undetermined", code="undetermined")),
               clauses=["REL-17"])
    refusal = receipt(verdict="refused", code="mailbox_full")
    stapled = good.valid("with the receipt of the refusal", its(notice(receipt=refusal)),
                         clauses=["REL-17", "REL-16"])
    for code in ("expired", "signature", "rate", "storage", "json_syntax"):
        good.valid(f"the code {code}", its(notice(code=code)), clauses=["REL-17"])
    bad = file.group("members")
    faults(bad, notice, its, twin, {"ehash": "binary", "id": "binary", "addr": "address",
                                    "verdict": "text", "code": "text", "ts": "integer",
                                    "dkid": "kid"})
    for changed in ({"verdict": "accepted"}, {"verdict": ""}, {"verdict": "Failed"},
                    {"code": "because"}, {"code": ""}, {"code": "No_Such_Address"}):
        bad.invalid(f"{changed}", its(notice(**changed)), "schema", twin, ["receipt_form"])
    for comment, other, code, flag in (
            ("a receipt that is a string", "x", "schema", "wrong_type"),
            ("a receipt of another kind", BOB.record, "unknown_ams_tag", "wrong_tag"),
            ("a receipt with a member more", {**refusal, "zz": 1}, "unknown_member",
             "unknown_member"),
            ("a receipt without a verdict", {n: v for n, v in refusal.items() if n != "verdict"},
             "schema", "missing_member"),
            ("a refusal without a code", {n: v for n, v in refusal.items() if n != "code"},
             "schema", "receipt_form")):
        bad.invalid(comment, its(notice(receipt=other)), code, stapled, [flag], ["REL-17"])
    bad = file.group("chain")
    for comment, value, code in (
            ("under the root key's kid", notice(dkid=HOME.root.kid), "kid_mismatch"),
            ("under another domain's kid", notice(EVIL.op, dkid=EVIL.op.kid), "kid_mismatch"),
            ("signed by the root key", notice(HOME.root), "signature"),
            ("signed by the receiving domain", notice(AWAY.op), "signature"),
            ("signed by the recipient", notice(BOB), "signature"),
            ("the code changed after signing", {**notice(), "code": "rate"}, "signature"),
            ("the verdict changed after signing", {**notice(), "verdict": "undetermined"},
             "signature"),
            ("another address after signing", {**notice(), "addr": "dave@away.example"},
             "signature"),
            ("a receipt added after signing", {**notice(), "receipt": refusal}, "signature")):
        bad.invalid(comment, its(value), code, twin, ["notice_forged"], importance="critical")
    signature_faults(bad, notice(), its, twin)
    return file


def files() -> list:
    return [_receipts(), _notices()]
