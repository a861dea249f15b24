#!/usr/bin/python3
"""ams-conform must not be fooled: three lying servers, each over real TLS, get a non-zero exit and
not one PASS for a case that asks for a refusal. And its exit codes mean what they say.

usage: canary_test.py AMS_CONFORM
"""
import datetime
import ipaddress
import json
import pathlib
import shlex
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PROGRAM = ""
PATIENCE_MS = 150


def make_certificate(folder: pathlib.Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "canary")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(names, False).sign(key, hashes.SHA256()))
    (folder / "ca.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))


def answer_ok(request: dict) -> dict:
    return {"id": request["id"], "ok": {}}


def answer_unsupported(request: dict) -> dict:
    return {"error": {"code": "unsupported", "phase": "schema"}, "id": request["id"]}


class Liar:
    """A TLS server that gives every request that it can read the same answer, or none."""

    def __init__(self, folder: pathlib.Path, answer) -> None:
        self.answer = answer
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.set_alpn_protocols(["ams/1"])
        self.context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(raw,), daemon=True).start()

    def talk(self, raw: socket.socket) -> None:
        try:
            with self.context.wrap_socket(raw, server_side=True) as tls:
                stream = tls.makefile("rb")
                while header := stream.read(5):
                    payload = stream.read(struct.unpack(">I", header[:4])[0])
                    self.reply(tls, payload)
        except OSError:
            pass

    def reply(self, tls: ssl.SSLSocket, payload: bytes) -> None:
        try:
            request = json.loads(payload)
            message = self.answer(request) if self.answer and request["id"] > 0 else None
        except (ValueError, KeyError, TypeError):
            return
        if message:
            text = json.dumps(message, separators=(",", ":"), sort_keys=True).encode()
            tls.sendall(struct.pack(">IB", len(text), 1) + text)


def conform(*args) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=300,
                          check=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def client_that(verdict: str, roles: str) -> str:
    """The command of an adapter that says hello, and to all else what the expression gives."""
    program = f"""import json, sys
hello = {{"ok": {{"impl": "canary", "roles": {roles}, "spec_versions": [], "ops": []}}}}
for line in sys.stdin:
    request = json.loads(line)
    answer = hello if request["op"] == "hello" else {verdict}
    if answer is not None:
        print(json.dumps({{"id": request["id"], **answer}}), flush=True)
"""
    return f"{sys.executable} -c {shlex.quote(program)}"


class Canaries(unittest.TestCase):
    def judged(self, answer) -> dict:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            make_certificate(folder)
            liar = Liar(folder, answer)
            args = ["--addr", f"127.0.0.1:{liar.port}", "--ca", folder / "ca.pem",
                    "--domain", "canary.test", "--patience", PATIENCE_MS,
                    "--json", folder / "out.json"]
            for number in range(8):
                args += ["--account", f"u{number}@canary.test", "--token", "00" * 32]
            done = conform("run", "--role", "server", *args)
            liar.listener.close()
            self.assertEqual(done.returncode, 1, done.stdout[-2000:] + done.stderr)
            return json.loads((folder / "out.json").read_text("utf-8"))

    def assert_no_refusal_passes(self, report: dict) -> None:
        fooled = [case["id"] for case in report["cases"]
                  if case["verdict"] == "PASS" and case["kind"] != "positive"]
        self.assertEqual(fooled, [])
        self.assertGreater(len(report["cases"]), 60)

    def test_says_ok_to_everything(self) -> None:
        self.assert_no_refusal_passes(self.judged(answer_ok))

    def test_says_unsupported_to_everything(self) -> None:
        report = self.judged(answer_unsupported)
        self.assert_no_refusal_passes(report)
        self.assertNotIn("PASS", report["summary"])

    def test_says_nothing(self) -> None:
        report = self.judged(None)
        self.assert_no_refusal_passes(report)
        self.assertNotIn("PASS", report["summary"])


class ClientCanaries(unittest.TestCase):
    """Adapters of clients that never connect: what they say of themselves is worth nothing."""

    def judged(self, verdict: str, code: int, roles: str = '["client"]') -> dict:
        with tempfile.TemporaryDirectory() as name:
            out = pathlib.Path(name) / "out.json"
            done = conform("run", "--role", "client", "--sut", client_that(verdict, roles),
                           "--listen", f"127.0.0.1:{free_port()}", "--case", "cli-look",
                           "--patience", PATIENCE_MS, "--json", out)
            self.assertEqual(done.returncode, code, done.stdout[-2000:] + done.stderr)
            report = json.loads(out.read_text("utf-8"))
        self.assertGreater(len(report["cases"]), 20)
        self.assertNotIn("PASS", report["summary"])
        return report["summary"]

    def test_says_ok_to_everything(self) -> None:
        self.judged('{"ok": {"kid": "", "fp": "", "version": 1, "state": "sent"}}', 1)

    def test_refuses_everything(self) -> None:
        summary = self.judged('{"error": {"code": "proof", "phase": "crypto"}}', 1)
        self.assertGreater(summary["NOT_EXERCISED"], 20)

    def test_says_unsupported_to_everything(self) -> None:
        summary = self.judged('{"error": {"code": "unsupported", "phase": "schema"}}', 3)
        self.assertEqual(list(summary), ["UNSUPPORTED"])

    def test_says_nothing(self) -> None:
        self.judged("None", 1)

    def test_dies(self) -> None:
        summary = self.judged("exit(0)", 1)
        self.assertIn("CRASH", summary)


class ExitCodes(unittest.TestCase):
    def assert_exit(self, code: int, text: str, *args) -> None:
        done = conform(*args)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(text, done.stdout + done.stderr)

    def test_clean_is_0(self) -> None:
        self.assert_exit(0, "PASS", "run", "--role", "server", "--simulator", "--clause", "WIR-4")
        self.assert_exit(0, "Examples:", "--help")

    def test_usage_is_2(self) -> None:
        self.assert_exit(2, "--simulator", "run", "--role", "server")
        self.assert_exit(2, "--role", "run", "--role", "postman", "--simulator")
        self.assert_exit(2, "--sut", "run", "--role", "client", "--listen", "127.0.0.1:1")
        self.assert_exit(2, "names no role client", "run", "--role", "client", "--listen",
                         f"127.0.0.1:{free_port()}", "--sut", client_that("{}", "[]"))
        self.assert_exit(2, "HOST:PORT", "hosts", "--listen", "nowhere")
        self.assert_exit(2, "PEM", "run", "--role", "server", "--addr", "127.0.0.1:1", "--ca",
                         "/nonexistent", "--domain", "a.example")
        self.assert_exit(2, "no such case", "explain", "srv-none")

    def test_a_bad_case_file_is_2(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "bad.json"
            path.write_text('{"schema": "ams-cases/1",\n "chapter": 7,\n "cases": []}', "utf-8")
            self.assert_exit(2, "bad.json:2: chapter: expected a string", "run", "--role",
                             "server", "--simulator", "--cases", name)

    def test_nothing_ran_is_3(self) -> None:
        self.assert_exit(3, "too little", "run", "--role", "server", "--simulator", "--case",
                         "no-such-case")
        self.assert_exit(3, "", "list", "--clause", "WIR-999")

    def test_a_server_that_is_not_there_is_1(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            make_certificate(pathlib.Path(name))
            self.assert_exit(1, "CRASH", "run", "--role", "server", "--addr", "127.0.0.1:1",
                             "--ca", f"{name}/ca.pem", "--domain", "a.example", "--case",
                             "srv-ping")

    def test_a_report_that_cannot_be_written_is_4(self) -> None:
        self.assert_exit(4, "cannot be written", "run", "--role", "server", "--simulator",
                         "--case", "srv-ping", "--json", "/nonexistent/out.json")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
