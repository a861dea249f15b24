"""Receipts (spec REL-16)."""
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


def files() -> list:
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
            ("a verdict of its own", {"verdict": "queued"}, twin)):
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
    return [file]
