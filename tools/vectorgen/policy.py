"""Policies of domain records, and recipients judged by them (spec POL, BND-8, BND-9)."""
from ams_py.encoding import b64, encode

from .book import NOW_MS, File
from .world import (ALICE, DAY, EVE, HOME, NBF, OSCAR, SALES, SHARED, STAFF, Person, policy_of,
                    prior_of, shift)

CORPORATE = policy_of("corporate", SHARED)
GROUPS = policy_of("groups", ("sales", SALES), ("staff", STAFF))
TO_CORPORATE = shift(CORPORATE, prior_of("isp"))
TO_ISP = shift(policy_of("isp"), prior_of("corporate", SHARED))
TO_GROUPS = shift(GROUPS, prior_of("corporate", SHARED))


def _chain(policy: dict) -> dict:
    return HOME.make_chain(policy=policy, seq=2 if "prior" in policy else 1)


def _policy_file() -> File:
    file = File("keys/policies.json", "domain.verify", "pol")

    def args(policy, now=None, seq=None):
        chain = HOME.make_chain(policy=policy, seq=seq) if seq else _chain(policy)
        return {**HOME.args(chain), "domain": HOME.name, **({} if now is None else {"now": now})}
    good = file.group("valid")
    first = good.valid("isp", args(policy_of("isp")), clauses=["POL-3", "POL-4"])
    corporate = good.valid("corporate", args(CORPORATE), clauses=["POL-3", "POL-4"])
    groups = good.valid("two groups", args(GROUPS), clauses=["POL-3", "POL-4"])
    good.valid("64 groups", args(policy_of("groups", *((f"g{i:02}", SALES) for i in range(64)))),
               clauses=["POL-3"])
    for name in ("a", "0", "a" * 63, "a-b", "a--b"):
        good.valid(f"the group {name}", args(policy_of("groups", (name, SALES))),
                   clauses=["POL-4"])
    good.valid("one key for two groups",
               args(policy_of("groups", ("a", SALES), ("b", SALES))), clauses=["POL-4"])
    good.valid("published long before it is effective",
               args(policy_of("isp", published=0, effective=2**53 - 1)), clauses=["POL-5"])
    shifts = [good.valid(f"{policy['prior']['mode']} to {policy['mode']}", args(policy),
                         clauses=["POL-3", "POL-5"])
              for policy in (TO_CORPORATE, TO_ISP, TO_GROUPS)]
    good.valid("a rotated key that counts at once",
               args(shift(policy_of("corporate", EVE), prior_of("corporate", EVE))),
               clauses=["POL-7"])
    past = good.valid("a prior as old as the publication",
                      args(shift(CORPORATE, prior_of("isp", effective=NOW_MS))),
                      clauses=["POL-5"])
    for policy in (TO_CORPORATE, TO_ISP, TO_GROUPS):
        for now, what in ((0, "at the epoch"), (NOW_MS, "when published"),
                          (NOW_MS + DAY - 1, "a millisecond before effective"),
                          (NOW_MS + DAY, "at effective"), (NOW_MS + 9 * DAY, "later")):
            good.valid(f"{policy['prior']['mode']} to {policy['mode']} {what}", args(policy, now),
                       clauses=["POL-6"])
    good.valid("a first policy before its effective", args(CORPORATE, NBF - 1), clauses=["POL-6"])
    _policy_faults(file, args, first, corporate, groups, shifts[0], past)
    return file


def _policy_faults(file, args, first, corporate, groups, shifted, past):
    bad = file.group("schema")

    def refuse(comment, policy, twin, flag, **more):
        bad.invalid(comment, args(policy, **more), "domain_record", twin, [flag])
    for name in ("mode", "published", "effective", "keys"):
        left = {key: value for key, value in policy_of("isp").items() if key != name}
        refuse(f"no {name}", left, first, "missing_member")
    for name in ("mode", "effective", "keys"):
        prior = {key: value for key, value in prior_of("isp").items() if key != name}
        refuse(f"no prior.{name}", {**TO_CORPORATE, "prior": prior}, shifted, "missing_member")
    for changed in ({"mode": 1}, {"published": "0"}, {"effective": True}, {"keys": {}}):
        refuse(f"{changed}", {**policy_of("isp"), **changed}, first, "wrong_type")
    for mode in ("", "ISP", "open", "group"):
        refuse(f"the mode {mode!r}", policy_of(mode), first, "out_of_range")
        refuse(f"the prior mode {mode!r}", {**TO_CORPORATE, "prior": prior_of(mode)}, shifted,
               "out_of_range")
    refuse("published is negative", policy_of("isp", published=-1), first, "out_of_range")
    refuse("effective is negative", policy_of("isp", published=0, effective=-1), first,
           "out_of_range")
    refuse("another member", {**policy_of("isp"), "x_a": 1}, first, "unknown_member")
    refuse("another member in prior", {**TO_CORPORATE, "prior": {**prior_of("isp"), "x_a": 1}},
           shifted, "unknown_member")
    refuse("prior is an array", {**TO_CORPORATE, "prior": []}, shifted, "wrong_type")
    refuse("65 keys", policy_of("groups", *((f"g{i:02}", SALES) for i in range(65))), groups,
           "object_too_large")
    key = CORPORATE["keys"][0]
    for what, changed, flag in (
            ("without kid", {"fp": key["fp"]}, "missing_member"),
            ("without fp", {"kid": key["kid"]}, "missing_member"),
            ("with more", {**key, "use": "enc"}, "unknown_member"),
            ("that is its kid", key["kid"], "wrong_type"),
            ("whose kid is in capitals", {**key, "kid": key["kid"].upper()}, "kid_form"),
            ("whose fp is short", {**key, "fp": key["fp"][:-2]}, "base64url")):
        refuse(f"a key {what}", {**CORPORATE, "keys": [changed]}, corporate, flag)
    for name in ("", "A", "a_b", "-a", "a-", "a.b", "\u00e4", "a" * 64, "a\n"):
        refuse(f"the group {name!r}", policy_of("groups", (name, SALES)), groups, "out_of_range")
    bad = file.group("keys")
    for comment, policy, twin in (
            ("isp with a key", policy_of("isp", SHARED), first),
            ("corporate without a key", policy_of("corporate"), corporate),
            ("corporate with two keys", policy_of("corporate", SHARED, EVE), corporate),
            ("corporate with a group", policy_of("corporate", ("all", SHARED)), corporate),
            ("groups without a key", policy_of("groups"), groups),
            ("groups with a key of none", policy_of("groups", SHARED), groups),
            ("groups of which one has no name",
             policy_of("groups", ("sales", SALES), STAFF), groups),
            ("groups in another order",
             policy_of("groups", ("staff", STAFF), ("sales", SALES)), groups),
            ("a group twice", policy_of("groups", ("sales", SALES), ("sales", STAFF)), groups)):
        bad.invalid(comment, args(policy), "domain_record", twin, ["policy_keys"],
                    importance="critical")
    for comment, prior in (("a prior isp with a key", prior_of("isp", SHARED)),
                           ("a prior corporate without a key", prior_of("corporate"))):
        bad.invalid(comment, args({**TO_CORPORATE, "prior": prior}), "domain_record", shifted,
                    ["policy_keys"], importance="critical")
    bad = file.group("times")
    for notice in (DAY - 1, 1, 0):
        bad.invalid(f"a notice of {notice} ms",
                    args(shift(CORPORATE, prior_of("isp"), notice=notice)), "domain_record",
                    shifted, ["policy_notice"], importance="critical")
    bad.invalid("effective before published at seq 1",
                args(policy_of("isp", published=NBF, effective=NBF - 1)), "domain_record", first,
                ["policy_notice"])
    bad.invalid("effective before published at seq 2",
                args(shift(CORPORATE, prior_of("isp"), notice=-1)), "domain_record", shifted,
                ["policy_notice"], importance="critical")
    bad.invalid("no prior at seq 2", args(policy_of("isp", effective=NBF + DAY), seq=2),
                "domain_record", shifted, ["policy_prior"], importance="critical")
    bad.invalid("a prior at seq 1", args(TO_CORPORATE, seq=1), "domain_record", shifted,
                ["policy_prior"])
    bad.invalid("a prior that comes after",
                args(shift(CORPORATE, prior_of("isp", effective=NOW_MS + 1))), "domain_record",
                past, ["policy_prior"])


def _name(person: Person) -> dict:
    return {"kid": person.kid, "fp": b64(person.fp)}


def _recipient_file() -> File:
    file = File("keys/recipients.json", "recipient.judge", "rcp")

    def args(policy, person, now=NOW_MS, key=None, **changed):
        return {**HOME.args(_chain(policy)), "domain": HOME.name, "now": now,
                "raw_b64": b64(encode(HOME.bind(person, **changed))),
                "key_b64": b64(encode((key or person).record))}
    good = file.group("valid")
    isp = good.valid("a client's key under isp", args(policy_of("isp"), ALICE),
                     clauses=["BND-9", "POL-8"])
    corporate = good.valid("the domain's key", args(CORPORATE, OSCAR, enc=_name(SHARED)),
                           clauses=["BND-9", "POL-8"])
    group = good.valid("a group's key", args(GROUPS, OSCAR, enc=_name(STAFF)),
                       clauses=["BND-9", "POL-8"])
    # A key made a millisecond before the policy took effect, and one made just then.
    late = {**TO_CORPORATE, "published": NBF + 1 - DAY, "effective": NBF + 1,
            "prior": prior_of("isp", effective=0)}
    old = good.valid("a client's key from before the shift", args(late, ALICE), clauses=["POL-8"])
    after = NOW_MS + DAY
    good.valid("isp until corporate takes effect", args(TO_CORPORATE, ALICE, after - 1),
               clauses=["POL-6", "POL-8"])
    good.valid("corporate from then on", args(TO_CORPORATE, OSCAR, after, enc=_name(SHARED)),
               clauses=["POL-6", "POL-8"])
    good.valid("corporate until isp takes effect", args(TO_ISP, OSCAR, after - 1,
               enc=_name(SHARED)), clauses=["POL-6", "POL-8"])
    good.valid("isp from then on", args(TO_ISP, ALICE, after), clauses=["POL-6", "POL-8"])
    bad = file.group("custody")
    for comment, signed, person, policy, enc, twin in (
            ("a company's key bound as the client's", "client", OSCAR, policy_of("isp"), None,
             isp),
            ("a client's key bound as the company's", "corporate", ALICE, CORPORATE,
             _name(SHARED), corporate)):
        bad.invalid(comment, args(policy, person, custody=signed, enc=enc), "binding_custody",
                    twin, ["binding_custody"], importance="critical")
    bad = file.group("policy")
    for comment, built, twin in (
            ("a shared key under isp", args(policy_of("isp"), OSCAR, enc=_name(SHARED)), isp),
            ("a shared key before corporate takes effect",
             args(TO_CORPORATE, OSCAR, after - 1, enc=_name(SHARED)), corporate),
            ("a shared key after isp took effect", args(TO_ISP, OSCAR, after, enc=_name(SHARED)),
             isp),
            ("a client's key made when corporate took effect",
             args({**late, "published": NBF - DAY, "effective": NBF}, ALICE), old),
            ("a client's key made when groups took effect",
             args(policy_of("groups", ("sales", SALES)), ALICE), old)):
        bad.invalid(comment, built, "binding_policy", twin, ["binding_policy"],
                    importance="critical")
    bad = file.group("listed")
    for comment, policy, to, twin in (
            ("a key of nobody's policy", CORPORATE, EVE, corporate),
            ("the key of the coming policy", {**TO_GROUPS, "keys": GROUPS["keys"]}, SALES,
             group),
            ("the address's own key", CORPORATE, OSCAR, corporate),
            ("a key of no group", GROUPS, SHARED, group)):
        bad.invalid(comment, args(policy, OSCAR, enc=_name(to)), "enc_unlisted", twin,
                    ["enc_unlisted"], importance="critical")
    for enc, what in (({**_name(SHARED), "kid": EVE.kid}, "kid"),
                      ({**_name(SHARED), "fp": b64(EVE.fp)}, "fingerprint")):
        bad.invalid(f"the domain's key by another {what}", args(CORPORATE, OSCAR, enc=enc),
                    "enc_unlisted", corporate, ["enc_unlisted"], importance="critical")
    bad = file.group("key")
    bad.invalid("another's key record", args(policy_of("isp"), ALICE, key=EVE), "kid_mismatch",
                isp, ["kid_mismatch"], importance="critical")
    bad.invalid("the shared key's record in its place",
                args(CORPORATE, OSCAR, key=SHARED, enc=_name(SHARED)), "kid_mismatch", corporate,
                ["kid_mismatch"], importance="critical")
    return file


def files() -> list:
    return [_policy_file(), _recipient_file()]
