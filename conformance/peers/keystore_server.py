#!/usr/bin/python3
"""A key store that speaks ams-ks/1 over HTTPS with certificates on both sides: a second
implementation, from the spec alone, for the tests of clients. Keys are in memory and gone with it.

usage: keystore_server.py --domain corp.example --ca ca.pem --cert server.pem --key server.key
           --admin ADDR=DEVICE[,EK] [--lie KIND]

It prints `listening PORT`. DEVICE and EK are raw keys in base64url. --lie makes it misbehave for
each decap, sign, export and rewrap: secret, signature, kid, id, form, slow, status, long, unknown.
"""
import argparse
import http.server
import os
import ssl
import sys
import threading
import time

from ams_py import crypto, encoding, keys, keystore
from ams_py.encoding import b64, unb64
from ams_py.errors import AmsError, fail, require

DAY = 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Key:
    def __init__(self, scope: dict, args: dict):
        sig_alg, kem = keystore.PROFILES[args["profile"]]
        require((sig_alg, kem) == ("ed25519", "x25519"), "unknown_algorithm", "profile")
        self.scope, self.args, self.retired = scope, args, False
        self.seed, self.secret = os.urandom(32), os.urandom(32)
        value = {"ams": "key/1", "sig_alg": sig_alg, "kem": kem, "aeads": ["a256gcm", "c20p1305"],
                 "sk": b64(crypto.ed25519_public(self.seed)),
                 "ek": b64(crypto.x25519_public(self.secret)), "nonce": b64(os.urandom(16)),
                 "nbf": args["nbf"], "exp": args["exp"], "custody": "corporate"}
        self.record = keys.sign_object(lambda text: crypto.sign_ed25519(self.seed, text), value)
        self.key = keys.verify_key(self.record)

    def shared(self, enc: bytes) -> bytes:
        ek = crypto.x25519_public(self.secret)
        out = crypto.dhkem_shared(self.secret, enc, enc, ek) if len(enc) == 32 else None
        require(out is not None, "unwrap", "enc")
        return out


class Store:
    """KST-14 to KST-27 in memory."""

    def __init__(self, domain: str):
        self.domain, self.mac_key = domain, os.urandom(32)
        self.members, self.keys, self.log, self.done = {}, {}, [], {}
        self.head = bytes(32)

    def handle(self, text: bytes) -> bytes:
        request_id = bytes(16)
        try:
            value, fields = keystore.parse_request(text)
            request_id = fields["id"]
            row = self.authenticate(value, fields)
        except AmsError as error:
            return self.answer(request_id, error=error.code)
        kept = (fields["ts"], crypto.sha256(text))
        if kept in self.done:
            return self.done[kept]
        try:
            ok, code = self.judge_and_perform(value, fields, row), "ok"
        except AmsError as error:
            ok, code = None, error.code
        said = {"ok": ok} if code == "ok" else {"error": code}
        out = self.answer(request_id, **said)
        if code == "ok" and fields["op"] in keystore.CHANGES:
            self.done[kept] = out
        self.append(fields, code)
        return out

    @staticmethod
    def answer(request_id: bytes, **said) -> bytes:
        return encoding.encode({"ams": "ks-ans/1", "id": b64(request_id), **said})

    def authenticate(self, value: dict, fields: dict) -> dict:
        row = self.members.get(fields["addr"])
        known = row and any(each["sk"] == fields["device"] for each in row["member"]["devices"])
        require(bool(known), "member_signature", "device")
        keystore.check_request_signature(value, fields)
        return row

    def append(self, fields: dict, code: str) -> None:
        entry = {"ams": "ks-log/1", "n": len(self.log), "ts": now_ms(), "addr": fields["addr"],
                 "device": b64(fields["device"]), "op": fields["op"], "detail": "", "outcome": code,
                 "id": b64(fields["id"]), "prev": b64(self.head)}
        self.log.append(entry)
        self.head = keystore.entry_hash(entry)

    def judge_and_perform(self, value: dict, fields: dict, row: dict) -> dict:
        own, args, now = row["member"], fields["args"], now_ms()
        require(not row["revoked"] and own["exp"] > now, "not_member", "member")
        require(fields["ts"] >= now - keystore.SKEW, "expired", "ts")
        require(fields["ts"] <= now + keystore.SKEW, "not_yet_valid", "ts")
        op = fields["op"]
        if op in ("decap", "sign", "export", "rewrap") and not (op == "rewrap" and own["admin"]):
            require("cap" in value, "capability", "cap")
            purpose = "decap" if op == "rewrap" else op
            keystore.check_capability(value["cap"], self.mac_key,
                                      {"addr": fields["addr"], "device": fields["device"],
                                       "kid": args["kid"], "purpose": purpose}, now)
            self.check_use(own, args["kid"], purpose)
        if op in ("create", "rotate", "audit", "grant", "revoke"):
            require(own["admin"], "not_member", "admin")
        return getattr(self, "op_" + op)(args, fields)

    def find(self, kid: str) -> Key:
        if kid not in self.keys:
            fail("not_found", "kid")
        return self.keys[kid]

    @staticmethod
    def in_scope(own: dict, scope: dict) -> bool:
        if "addr" in scope:
            return scope["addr"] == own["addr"]
        return "group" not in scope or scope["group"] in own["groups"]

    def check_use(self, own: dict, kid: str, purpose: str) -> None:
        key = self.find(kid)
        require(self.in_scope(own, key.scope), "not_member", "key")
        require(purpose in own["purposes"], "not_member", "purpose")
        if purpose == "sign":
            require("addr" in key.scope, "key_purpose", "key")
            require(not key.retired, "key_rotated", "key")
            keys.usable(key.key, now_ms())

    def op_decap(self, args: dict, _) -> dict:
        return {"kid": args["kid"], "shared": b64(self.find(args["kid"]).shared(args["enc"]))}

    def op_sign(self, args: dict, _) -> dict:
        require(keystore.is_sign_form(args["text"]), "sign_form", "text")
        seed = self.find(args["kid"]).seed
        return {"kid": args["kid"], "sig": b64(crypto.sign_ed25519(seed, args["text"]))}

    def op_export(self, args: dict, fields: dict) -> dict:
        key = self.find(args["kid"])
        devices = self.members[fields["addr"]]["member"]["devices"]
        ek = next(each for each in devices if each["sk"] == fields["device"]).get("ek")
        require(key.args["exportable"] and ek is not None, "not_exportable", "key")
        info = keystore.export_info(key.key.kid, key.key.fp, fields["device"])
        enc, sealed = hpke_seal(ek, "a256gcm", info, key.secret)
        return {"kid": args["kid"], "enc": b64(enc), "sealed": b64(sealed)}

    def op_create(self, args: dict, _) -> dict:
        scope = {name: args[name] for name in ("addr", "group") if name in args}
        current = [key for key in self.keys.values() if key.scope == scope and not key.retired]
        require(not current, "version_conflict", "scope")
        key = Key(scope, args)
        self.keys[key.key.kid] = key
        return {"record": key.record}

    def op_rotate(self, args: dict, _) -> dict:
        old = self.find(args["kid"])
        require(not old.retired, "key_rotated", "kid")
        key = Key(old.scope, {**old.args, "nbf": args["nbf"], "exp": args["exp"]})
        old.retired, self.keys[key.key.kid] = True, key
        return {"record": key.record}

    def op_rewrap(self, args: dict, _) -> dict:
        old, new = self.find(args["kid"]), self.find(args["to"])
        require(old.scope == new.scope, "key_purpose", "to")
        require(not new.retired, "key_rotated", "to")
        return {"items": [self.rewrap_one(old, new, item) for item in args["items"]]}

    @staticmethod
    def rewrap_one(old: Key, new: Key, item: dict) -> dict:
        def info(key):
            return b"AMS1" + item["h0"] + bytes.fromhex(key.kid.replace("-", "")) + key.fp
        try:
            opening = crypto.key_schedule("x25519", item["aead"], old.shared(item["enc"]),
                                          info(old.key))
            plain = crypto.aead_open(item["aead"], *opening, item["wk"], "unwrap", "wk")
        except AmsError as error:
            return {"code": error.code}
        enc, wk = hpke_seal(new.key.ek, item["aead"], info(new.key), plain)
        return {"enc": b64(enc), "wk": b64(wk)}

    def op_list(self, args: dict, fields: dict) -> dict:
        own = self.members[fields["addr"]]["member"]
        kids = [kid for kid in sorted(self.keys) if kid > args.get("after", "") and
                (own["admin"] or self.in_scope(own, self.keys[kid].scope))]
        return {"keys": [self.listed(self.keys[kid], own, fields["device"]) for kid in kids[:16]],
                "more": len(kids) > 16}

    def listed(self, key: Key, own: dict, device: bytes) -> dict:
        caps = []
        for purpose in own["purposes"] if self.in_scope(own, key.scope) else ():
            if purpose == "sign" and ("addr" not in key.scope or key.retired):
                continue
            if purpose == "export" and not key.args["exportable"]:
                continue
            cap = {"ams": "ks-cap/1", "addr": own["addr"], "device": b64(device),
                   "kid": key.key.kid, "purpose": purpose,
                   "exp": min(own["exp"], now_ms() + 30 * DAY)}
            if "group" in key.scope:
                cap["group"] = key.scope["group"]
            caps.append({**cap, "mac": b64(keystore.capability_mac(self.mac_key, cap))})
        return {"record": key.record, **key.scope, "retired": key.retired, "caps": caps}

    def op_audit(self, args: dict, _) -> dict:
        return {"entries": self.log[args["from"]:args["from"] + args["count"]],
                "size": len(self.log), "head": b64(self.head)}

    def op_grant(self, args: dict, _) -> dict:
        addr = args["member"]["addr"]
        require(addr.rpartition("@")[2] == self.domain, "not_local", "addr")
        require(args["member"]["exp"] > now_ms(), "expired", "exp")
        self.members[addr] = {"member": args["member"], "revoked": False}
        return {"addr": addr}

    def op_revoke(self, args: dict, _) -> dict:
        if args["addr"] not in self.members:
            fail("not_found", "addr")
        row = self.members[args["addr"]]
        row["revoked"] = True
        kids = [kid for kid, key in self.keys.items() if "addr" not in key.scope and
                not key.retired and self.in_scope(row["member"], key.scope)]
        return {"addr": args["addr"], "kids": sorted(kids)}


def hpke_seal(ek: bytes, aead: str, info: bytes, plain: bytes) -> tuple:
    secret = os.urandom(32)
    enc = crypto.x25519_public(secret)
    shared = crypto.dhkem_shared(secret, ek, enc, ek)
    key, nonce = crypto.key_schedule("x25519", aead, shared, info)
    return enc, crypto.aead_seal(aead, key, nonce, plain)


def lie(kind: str, answer: bytes) -> tuple:
    """(status, body) instead of an honest answer."""
    value = encoding.decode(answer)
    ok = value.get("ok", {})
    if kind == "secret" and "shared" in ok:
        ok["shared"] = b64(os.urandom(32))
    elif kind == "signature" and "sig" in ok:
        ok["sig"] = b64(os.urandom(64))
    elif kind == "kid" and "kid" in ok:
        ok["kid"] = "00000000-0000-8000-8000-000000000000"
    elif kind == "id":
        value["id"] = b64(os.urandom(16))
    elif kind == "form":
        value["ok"] = {"kid": 1}
    elif kind == "slow":
        time.sleep(3)
    elif kind == "status":
        return 503, b""
    elif kind == "long":
        return 200, b" " * (keystore.MESSAGE_MAX + 1)
    elif kind == "unknown":
        value = {"ams": "ks-ans/1", "id": value["id"], "error": "of_a_later_version"}
    return 200, encoding.encode(value)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if self.path != "/ams-ks/1" or length > keystore.MESSAGE_MAX:
            return self.respond(404 if length <= keystore.MESSAGE_MAX else 413, b"")
        body = self.rfile.read(length)
        with self.server.lock:
            status, answer = 200, self.server.store.handle(body)
        op = encoding.decode(body).get("op") if self.server.lie else None
        if op in ("decap", "sign", "export", "rewrap"):
            status, answer = lie(self.server.lie, answer)
        return self.respond(status, answer)

    def respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a stranger without a certificate, a client that went away


def admin(text: str) -> dict:
    addr, _, raw = text.partition("=")
    sk, _, ek = raw.partition(",")
    device = {"sk": unb64(sk), **({"ek": unb64(ek)} if ek else {})}
    return {"addr": addr, "admin": True, "devices": [device], "exp": now_ms() + 398 * DAY,
            "groups": [], "purposes": ["decap", "export", "sign"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("domain", "ca", "cert", "key", "admin"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--lie", default="")
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(options.ca)
    context.load_cert_chain(options.cert, options.key)
    server = Server(("127.0.0.1", 0), Handler)
    server.store, server.lock, server.lie = Store(options.domain), threading.Lock(), options.lie
    first = admin(options.admin)
    server.store.members[first["addr"]] = {"member": first, "revoked": False}
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    print("listening", server.server_address[1], flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
