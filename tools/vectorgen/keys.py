"""Key records, domain chains, bindings (spec KEY, DOM, BND)."""
from ams_py import crypto, keys, vrf
from ams_py.encoding import b64, unb64
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from .book import NOW_MS, File
from .faults import faults, raw, signature_faults
from .world import (ALICE, ALICE_RSA, AWAY, BOB, BOB_RSA, CAROL, EVE, EVIL, EXP, HOME, MALLORY, NBF,
                    OSCAR, SHARED, policy_of, prior_of, rsa_der, shift)

P = 2**255 - 19
LOW_ORDER = [0, 1, 325606250916557431795983626356110631294008115727848805560023387167927233504,
             39382357235489614581723060781553021112529911719440698176882885853963445705823,
             P - 1, P, P + 1]


def _little(number: int) -> str:
    return b64(number.to_bytes(32, "little"))


def _key_file() -> File:
    file = File("keys/key_records.json", "key.verify", "key")
    good = file.group("valid")
    twin = good.valid("ed25519 and x25519", raw(ALICE.record),
                      clauses=["KEY-1", "KEY-2", "SIG-1", "ALG-4"])
    given = good.valid("offered under its kid and fingerprint",
                       {**raw(ALICE.record), "kid": ALICE.kid, "fp": b64(ALICE.fp)},
                       clauses=["KEY-2", "KEY-3"])
    for person, what in ((CAROL, "ed25519 and rsa2048kem"), (ALICE_RSA, "rsa2048pss and x25519"),
                         (BOB_RSA, "rsa2048pss and rsa2048kem")):
        good.valid(what, raw(person.record), clauses=["ALG-1", "ALG-4", "KEY-1"])
    make = ALICE.make
    good.valid("corporate custody", raw(make(custody="corporate")), clauses=["KEY-1"])
    good.valid("one AEAD", raw(make(aeads=["c20p1305"])), clauses=["KEY-1"])
    longest = good.valid("a life of 398 days", raw(make(exp=NBF + keys.LIFE_MAX)),
                         clauses=["KEY-4"])
    shortest = good.valid("a life of one millisecond", raw(make(exp=NBF + 1)), clauses=["KEY-4"])
    good.valid("an expired record still verifies", raw(make(nbf=0, exp=1)), clauses=["KEY-8"])
    good.valid("an X25519 key with its top bit set",
               raw(make(ek=b64(ALICE.ek[:31] + bytes([ALICE.ek[31] | 0x80])))), clauses=["ALG-4"])
    bad = file.group("schema")
    faults(bad, make, raw, twin, {
        "sig_alg": "text", "kem": "text", "aeads": "array", "sk": "array", "ek": "array",
        "nonce": "binary", "nbf": "integer", "exp": "integer", "custody": "text"}, "bind/1")
    for aeads, flag, code in (([], "out_of_range", "schema"),
                              (["c20p1305", "a256gcm"], "out_of_range", "schema"),
                              (["a256gcm", "a256gcm"], "out_of_range", "schema"),
                              ([1], "wrong_type", "schema"),
                              ([f"a{i}" for i in range(9)], "object_too_large", "object_too_large"),
                              (["a128gcm"], "unknown_algorithm", "unknown_algorithm"),
                              (["a256gcm", "none"], "unknown_algorithm", "unknown_algorithm")):
        bad.invalid(f"aeads {aeads}", raw(make(aeads=aeads)), code, twin, [flag])
    for custody in ("", "Client", "server"):
        bad.invalid(f"custody {custody!r}", raw(make(custody=custody)), "schema", twin,
                    ["out_of_range"])
    bad.invalid("a record in an array", raw([ALICE.record]), "schema", twin, ["wrong_type"])
    for text, what in ((ALICE.record["nonce"][:-1] + "B", "stray bits"),
                       (ALICE.record["nonce"] + "\n", "a line feed"),
                       ("+" + ALICE.record["nonce"][1:], "the other alphabet"), ("", "nothing")):
        bad.invalid(f"a nonce with {what}", raw(make(nonce=text)), "base64url", twin, ["base64url"])
    _key_algorithms(file, twin)
    bad = file.group("times")
    bad.invalid("exp is nbf", raw(make(exp=NBF)), "schema", shortest, ["key_life"])
    bad.invalid("exp before nbf", raw(make(exp=NBF - 1)), "schema", shortest, ["key_life"])
    bad.invalid("a millisecond above 398 days", raw(make(exp=NBF + keys.LIFE_MAX + 1)), "schema",
                longest, ["key_life"])
    bad = file.group("identity")
    for args, flag in (({"kid": BOB.kid, "fp": b64(ALICE.fp)}, "kid_mismatch"),
                       ({"kid": ALICE.kid, "fp": b64(BOB.fp)}, "fp_mismatch"),
                       ({"kid": BOB.kid}, "kid_mismatch"),
                       ({"kid": ALICE.kid[:14] + "4" + ALICE.kid[15:]}, "kid_mismatch")):
        bad.invalid(f"offered under {', '.join(args)} of another", {**raw(ALICE.record), **args},
                    flag, given,
                    [flag], importance="critical")
    _key_signatures(file, twin)
    return file


def _key_algorithms(file, twin):
    make, bad = ALICE.make, file.group("algorithms")
    for name in ("sig_alg", "kem"):
        for value in ("none", "", "ED25519", "rsa1024pss", "rsa", "x448", "ed25519 "):
            bad.invalid(f"{name} {value!r}", raw(make(**{name: value})), "unknown_algorithm", twin,
                        ["unknown_algorithm"])
    bad.invalid("an encryption algorithm signs", raw(make(sig_alg="x25519")), "unknown_algorithm",
                twin, ["unknown_algorithm"])
    bad.invalid("a signature algorithm encrypts", raw(make(kem="ed25519")), "unknown_algorithm",
                twin, ["unknown_algorithm"])
    bad = file.group("material")
    for name in ("sk", "ek"):
        for raw_key, what in ((ALICE.sk[:31], "31 bytes"), (ALICE.sk + b"\0", "33 bytes"),
                              (b"\1", "one byte"),
                              (bytes(255) + b"\1", "256 bytes")):
            bad.invalid(f"{name} of {what}", raw(make(**{name: b64(raw_key)})), "key_material",
                        twin, ["key_length"])
        bad.invalid(f"{name} is empty", raw(make(**{name: ""})), "base64url", twin, ["base64url"])
        bad.invalid(f"{name} of 1,025 bytes", raw(make(**{name: b64(bytes(1025))})), "base64url",
                    twin, ["base64url"])
    for point in LOW_ORDER:
        bad.invalid(f"the point {point:#x}", raw(make(ek=_little(point))), "key_material", twin,
                    ["low_order_point"],
                    importance="critical")
    bad.invalid("the point 0 with the unused bit set", raw(make(ek=_little(1 << 255))),
                "key_material", twin,
                ["low_order_point"], importance="critical")
    for y, what in [(y, f"the y {y:#x}, of small order") for y in sorted(crypto.SMALL_ORDER_Y)] + [
            (P, "y = p"), (P + 1, "y = p + 1"), (2**255 - 1, "y = 2^255 - 1")]:
        bad.invalid(f"an Ed25519 key with {what}", raw(make(sk=_little(y))), "key_material", twin,
                    ["small_order_signer"], importance="critical")
    rsa = file.group("valid-rsa").valid("rsa2048kem", raw(CAROL.record), clauses=["ALG-4"])
    n = CAROL.ek
    for raw_key, what in ((n[:-1] + bytes([n[-1] ^ 1]), "even"), (b"\0" + n[1:], "of 2,040 bits"),
                          (b"\x7f" + n[1:], "with its top bit clear")):
        bad.invalid(f"an RSA modulus {what}", raw(CAROL.make(ek=b64(raw_key))), "key_material", rsa,
                    ["rsa_modulus"])
    for raw_key, what in ((b"\0" + n, "with a sign byte"), (n[:255], "without its last byte"),
                          (ALICE.ek, "of 32 bytes")):
        bad.invalid(f"an RSA modulus {what}", raw(CAROL.make(ek=b64(raw_key))), "key_material", rsa,
                    ["key_length"])
    der = serialization.load_der_private_key(rsa_der("carol_encrypt"),
                                             None).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    bad.invalid("a PKCS #1 key for a modulus", raw(CAROL.make(ek=b64(der))), "key_material", rsa,
                ["key_length"])
    bad.invalid("an RSA key said to be of 3,072 bits", raw(CAROL.make(kem="rsa3072kem")),
                "key_material", rsa, ["key_length"])
    bad.invalid("an RSA key said to be x25519", raw(CAROL.make(kem="x25519")), "key_material", rsa,
                ["key_length"])


def _key_signatures(file, twin):
    bad = file.group("signature")
    text = crypto.sha256(keys.unsigned(ALICE.record))
    other = b64(EVE.sign(crypto.signed_text("key/1", text)))
    signature_faults(bad, ALICE.record, raw, twin, other=other)
    for what, signed in (("under another tag", crypto.signed_text("bind/1", text)),
                         ("without the prefix", b"key/1\0" + text), ("the hash alone", text),
                         ("the record itself", keys.unsigned(ALICE.record)),
                         ("with another prefix", b"AMS-SIG/2\0key/1\0" + text),
                         ("without the zero after the tag", b"AMS-SIG/1\0key/1" + text)):
        bad.invalid(f"a signature {what}", raw({**ALICE.record, "sig": b64(ALICE.sign(signed))}),
                    "signature", twin,
                    ["signature_context"], importance="critical")
    bad.invalid("custody changed after signing", raw({**ALICE.record, "custody": "corporate"}),
                "signature", twin,
                ["changed_after_signing"], importance="critical")
    bad.invalid("exp changed after signing", raw({**ALICE.record, "exp": EXP + 1}), "signature",
                twin,
                ["changed_after_signing"], importance="critical")
    for length in (1, 63, 65, 256):
        bad.invalid(f"a signature of {length} bytes", raw({**ALICE.record,
                                                           "sig": b64(bytes(length))}),
                    "algorithm_mix", twin, ["signature_length"])
    s = int.from_bytes(unb64(ALICE.record["sig"])[32:],
                       "little") + 2**252 + 27742317777372353535851937790883648493
    bad.invalid("S of Ed25519 plus the group's order",
                raw({**ALICE.record, "sig": b64(unb64(ALICE.record["sig"])[:32] + s.to_bytes(32,
                    "little"))}),
                "signature", twin, ["signature_flip"], importance="critical")
    rsa = file.group("valid-pss").valid("rsa2048pss", raw(ALICE_RSA.record), clauses=["ALG-1"])
    signed = crypto.signed_text("key/1", crypto.sha256(keys.unsigned(ALICE_RSA.record)))
    signature_faults(bad, ALICE_RSA.record, raw, rsa)
    for length in (0, 20, 222):
        sig = crypto.sign_pss(ALICE_RSA.der, signed, bytes(length))
        bad.invalid(f"a PSS salt of {length} bytes", raw({**ALICE_RSA.record, "sig": b64(sig)}),
                    "signature", rsa, ["pss_salt"])
    private = serialization.load_der_private_key(ALICE_RSA.der, None)
    pkcs1 = private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    bad.invalid("PKCS #1 v1.5", raw({**ALICE_RSA.record, "sig": b64(pkcs1)}), "signature", rsa,
                ["pkcs1_v15"])
    bad.invalid("an Ed25519 signature for an RSA key", raw({**ALICE_RSA.record,
                                                            "sig": ALICE.record["sig"]}),
                "algorithm_mix", rsa, ["signature_length"])


def _usable_file() -> File:
    file = File("keys/key_times.json", "key.usable", "use")
    good, bad = file.group("valid"), file.group("times")

    def args(now):
        return {**raw(ALICE.record), "now": now}
    first = good.valid("at nbf", args(NBF), clauses=["KEY-7"])
    last = good.valid("a millisecond before exp", args(EXP - 1), clauses=["KEY-7"])
    good.valid("in its life", args(NOW_MS), clauses=["KEY-7"])
    for now, twin, what in ((NBF - 1, first, "before nbf"), (0, first, "at the epoch"),
                            (EXP, last, "at exp"),
                            (EXP + keys.DAY, last, "a day after exp")):
        bad.invalid(what, args(now), "key_expired", twin, ["key_expired"])
    return file


def _log_keys(file, good, args):
    point, note = vrf.encode(vrf.G), ALICE.sk
    both = good.valid("a domain with a binding log", args(HOME.make_chain(
        vrf_key=b64(point), log_key=b64(note))), clauses=["DOM-16"])
    bad = file.group("binding-log")
    off = next(bytes([2]) + number.to_bytes(32, "big") for number in range(vrf.G[0], vrf.P)
               if vrf.decode(bytes([2]) + number.to_bytes(32, "big")) is None)
    for what, changed, flag in (
            ("without its VRF key", {"log_key": b64(note)}, "missing_member"),
            ("without its log key", {"vrf_key": b64(point)}, "missing_member"),
            ("with a VRF key off the curve", {"vrf_key": b64(off), "log_key": b64(note)},
             "vrf_key"),
            ("with a VRF key of zeros", {"vrf_key": b64(bytes(33)), "log_key": b64(note)},
             "vrf_key"),
            ("with a short VRF key", {"vrf_key": b64(point[:32]), "log_key": b64(note)},
             "base64url"),
            ("with a VRF key in a number", {"vrf_key": 1, "log_key": b64(note)}, "wrong_type"),
            ("with a log key of small order", {"vrf_key": b64(point), "log_key": _little(1)},
             "small_order_signer"),
            ("with a short log key", {"vrf_key": b64(point), "log_key": b64(note[:31])},
             "base64url")):
        bad.invalid(f"a binding log {what}", args(HOME.make_chain(**changed)), "domain_record",
                    both, [flag])
    chain = HOME.make_chain(vrf_key=b64(point), log_key=b64(note))
    bad.invalid("a log key changed after signing", args({**chain, "record": {
        **chain["record"], "log_key": b64(BOB.sk)}}), "domain_record", both,
        ["changed_after_signing"], importance="critical")


def _domain_file() -> File:
    file = File("keys/domains.json", "domain.verify", "dom")

    def args(chain, domain=HOME.name):
        return {**HOME.args(chain), "domain": domain}
    good = file.group("valid")
    twin = good.valid("a chain", args(HOME.chain), clauses=["DOM-1", "DOM-4", "DOM-5"])
    later = good.valid("a later record", args(HOME.make_chain(
        seq=2**53 - 1, policy=shift(policy_of("isp"), prior_of("isp")))), clauses=["DOM-1"])
    good.valid("one key for both", args(HOME.make_chain(op=HOME.root)), clauses=["DOM-5"])

    _log_keys(file, good, args)
    bad = file.group("schema")

    def make(**changed):
        return HOME.make_chain(**changed)["record"]

    faults(bad, make, lambda record: args({**HOME.chain, "record": record}), twin, {
        "domain": "domain", "root_kid": "kid", "root_fp": "binary", "op_kid": "kid",
        "op_fp": "binary",
        "policy": "array", "seq": "integer"}, code="domain_record")
    bad.invalid("seq 0", args(HOME.make_chain(seq=0)), "domain_record", twin, ["out_of_range"])
    bad.invalid("the policy as a name", args(HOME.make_chain(policy="isp")), "domain_record", twin,
                ["wrong_type"])
    for part in ("record", "root", "op"):
        bad.invalid(f"a chain without {part}", args({n: v for n,
                                                     v in HOME.chain.items() if n != part}),
                    "domain_record", twin, ["missing_member"])
    bad.invalid("a chain with more", args({**HOME.chain, "extra": 1}), "domain_record", twin,
                ["unknown_member"])
    bad = file.group("chain")

    def refuse(comment, chain, domain=HOME.name, **changed):
        bad.invalid(comment, {**args(chain, domain), **changed}, "domain_record", twin,
                    ["chain_broken"],
                    importance="critical")
    refuse("asked for another domain", HOME.chain, AWAY.name)
    refuse("another domain's whole chain", AWAY.chain)
    refuse("an impostor's whole chain under this name", EVIL.make_chain(domain=HOME.name))
    refuse("signed by the op key", HOME.make_chain(signer=HOME.op))
    refuse("signed by an impostor", HOME.make_chain(signer=EVIL.root))
    refuse("another op record than the one named", {**HOME.chain, "op": EVIL.op.record})
    refuse("another root record than the one named", {**HOME.chain, "root": EVIL.root.record})
    refuse("root and op exchanged", {**HOME.chain, "root": HOME.op.record, "op": HOME.root.record})
    refuse("the op's fingerprint is another's", HOME.make_chain(op_fp=b64(EVIL.op.fp)))
    refuse("the op's kid is another's", HOME.make_chain(op_kid=EVIL.op.kid))
    refuse("the root's kid is another's", HOME.make_chain(root_kid=EVIL.root.kid))
    refuse("discovery gave another kid", HOME.chain, root_kid=EVIL.root.kid)
    refuse("discovery gave another fingerprint", HOME.chain, root_fp=b64(EVIL.root.fp))
    for part in ("root", "op"):
        forged = {**HOME.chain[part], "sig": b64(bytes(64))}
        refuse(f"{part}'s own signature does not verify", {**HOME.chain, part: forged})
    record = HOME.chain["record"]
    later_chain = HOME.make_chain(seq=2, policy=shift(policy_of("isp"), prior_of("isp")))
    bad.invalid("seq changed after signing",
                args({**later_chain, "record": {**later_chain["record"], "seq": 3}}),
                "domain_record", later, ["chain_broken"], importance="critical")
    refuse("policy changed after signing", {**HOME.chain, "record": {
        **record, "policy": policy_of("corporate", SHARED)}})
    return file


def _name(person) -> dict:
    return {"kid": person.kid, "fp": b64(person.fp)}


def _binding_file() -> File:
    file = File("keys/bindings.json", "binding.verify", "bnd")

    def args(value, domain=HOME):
        return {**raw(value), **domain.args(), "domain": domain.name}
    good = file.group("valid")
    twin = good.valid("a binding", args(HOME.bind(ALICE)), clauses=["BND-1", "BND-6", "DOM-3"])
    good.valid("a later version", args(HOME.bind(ALICE, version=2**53 - 1)), clauses=["BND-1"])
    shared = good.valid("a shared key", args(HOME.bind(OSCAR, enc=_name(SHARED))),
                        clauses=["BND-1", "BND-8"])
    for local in ("a", "a" * 64, "a.b.c", "!#$%&'*+/=?^_`{|}~-", "0", "a+tag", "x-y_z"):
        good.valid(f"the local part {local}", args(HOME.bind(ALICE, addr=f"{local}@{HOME.name}")),
                   clauses=["ENC-14"])
    bad = file.group("schema")
    faults(bad, lambda **changed: HOME.bind(ALICE, **changed), args, twin, {
        "addr": "address", "kid": "kid", "fp": "binary", "custody": "text",
        "version": "integer", "dkid": "kid"})
    for custody in ("", "Client", "server"):
        bad.invalid(f"custody {custody!r}", args(HOME.bind(ALICE, custody=custody)), "schema", twin,
                    ["out_of_range"])
    for enc, code, flag in ((SHARED.kid, "schema", "wrong_type"),
                            ({"kid": SHARED.kid}, "schema", "missing_member"),
                            ({"fp": b64(SHARED.fp)}, "schema", "missing_member"),
                            ({**_name(SHARED), "group": "x"}, "unknown_member", "unknown_member"),
                            ({**_name(SHARED), "kid": SHARED.kid.upper()}, "schema", "kid_form"),
                            ({**_name(SHARED), "fp": b64(SHARED.fp[:31])}, "base64url",
                             "base64url")):
        bad.invalid(f"enc {enc}", args(HOME.bind(OSCAR, enc=enc)), code, shared, [flag])
    bad.invalid("a shared key with custody client", args(HOME.bind(ALICE, enc=_name(SHARED))),
                "schema", twin, ["binding_enc"], importance="critical")
    bad.invalid("custody corporate without a shared key", args(HOME.bind(OSCAR)), "schema", shared,
                ["binding_enc"])
    bad.invalid("version 0", args(HOME.bind(ALICE, version=0)), "schema", twin, ["out_of_range"])
    bad = file.group("chain")
    bad.invalid("an address of another domain", args(HOME.bind(BOB)), "domain_mismatch", twin,
                ["binding_foreign"],
                importance="critical")
    bad.invalid("an address of a subdomain", args(HOME.bind(ALICE, addr=f"alice@sub.{HOME.name}")),
                "domain_mismatch",
                twin, ["binding_foreign"])
    bad.invalid("signed by the root key under its own kid", args(HOME.bind(ALICE, HOME.root)),
                "kid_mismatch", twin,
                ["binding_foreign"], importance="critical")
    bad.invalid("signed by another domain's op key under its own kid",
                args(HOME.bind(ALICE, EVIL.op)), "kid_mismatch",
                twin, ["binding_foreign"], importance="critical")
    for signer, who in ((EVIL.op, "another domain's op key"), (ALICE, "the account itself"),
                        (HOME.root, "the root key")):
        bad.invalid(f"signed by {who} under the op key's kid",
                    args(HOME.bind(ALICE, signer, dkid=HOME.op.kid)),
                    "signature", twin, ["signature_other_key"], importance="critical")
    signature_faults(bad, HOME.bind(ALICE), args, twin)
    for changed in ({"addr": EVE.addr}, {"kid": MALLORY.kid}, {"fp": b64(MALLORY.fp)},
                    {"version": 2}):
        bad.invalid(f"{', '.join(changed)} changed after signing",
                    args({**HOME.bind(ALICE), **changed}), "signature",
                    twin, ["changed_after_signing"], importance="critical")
    bad.invalid("a chain whose op key is an impostor's",
                {**args(HOME.bind(ALICE)), **HOME.args({**HOME.chain, "op": EVIL.op.record})},
                "domain_record", twin,
                ["chain_broken"], importance="critical")
    return file


def files() -> list:
    return [_key_file(), _usable_file(), _domain_file(), _binding_file()]
