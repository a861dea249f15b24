"""A domain's key store for the end-to-end tests: `ams keystore` on a folder, and certificates
made on the spot for HTTPS on both sides.
"""
import datetime
import ipaddress
import pathlib
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import harness
from harness import run


class Authority:
    """A certificate authority of the test's own, and certificates under it as PEM files."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca.test")])
        self.certificate = self._sign(self.name, self.key.public_key(), True, [])
        self.ca = self._write("ca.pem", self.certificate.public_bytes(
            serialization.Encoding.PEM))

    def _write(self, name: str, data: bytes) -> pathlib.Path:
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def _sign(self, subject, public, authority: bool, addresses: list):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                   .public_key(public).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(days=1))
                   .add_extension(x509.BasicConstraints(authority, None), True))
        if addresses:
            names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self.key, hashes.SHA256())

    def make(self, name: str, *addresses) -> tuple:
        """(certificate, key) files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), False, list(addresses))
        return (self._write(f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM)),
                self._write(f"{name}.key", key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption())))


class KeyStore:
    """`ams keystore` with the folder's options."""

    def __init__(self, folder: pathlib.Path, domain: str):
        self.folder = folder / "ks"
        self.words = folder / "words"
        self.words.write_text("correct horse battery staple\n", "utf-8")
        self.place = ["--dir", self.folder, "--passphrase-file", self.words]
        self("init", "--domain", domain)

    def __call__(self, *args, check: bool = True, text: str = ""):
        return run("ams", "keystore", *args, *self.place, check=check, text=text)

    def kids(self) -> dict:
        """scope -> kid of the keys in use."""
        lines = [line.split() for line in self("list").stdout.splitlines()]
        return {" ".join(line[5:]): line[0] for line in lines if line[1] == "current"}

    def serve(self, authority: Authority, port: int = 0):
        """(process, port): port 0 takes any free one."""
        cert, key = authority.make("store", "127.0.0.1")
        server = subprocess.Popen(
            [harness.BIN / "ams", "keystore", "serve", *self.place, "--listen", f"127.0.0.1:{port}",
             "--ca", authority.ca, "--cert", cert, "--cert-key", key],
            stdout=subprocess.PIPE, text=True)
        return server, int(server.stdout.readline().split()[1])
