"""A name server for the end-to-end tests: Debian's nsd, started on loopback with a zone that a test
writes and may change, and ended by the test."""
import pathlib
import shutil
import socket
import struct
import subprocess

import harness

NSD = shutil.which("nsd", path="/usr/sbin:/usr/bin:/sbin")


def question(name: str, kind: int) -> bytes:
    """A DNS query message."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    return struct.pack(">6H", 4711, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


class NameServer:
    """nsd for the zone `example`, with the records of self.records (lines of a zone file)."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder / "nsd"
        self.folder.mkdir()
        self.port = harness.free_port()
        self.records = []
        self.process = None
        self.serial = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def write(self) -> None:
        """The zone as self.records says, with a serial of its own."""
        self.serial += 1
        head = ["$ORIGIN example.", "$TTL 3600",
                f"@ 3600 IN SOA ns.example. op.example. {self.serial} 3600 600 86400 2",
                "@ 3600 IN NS ns.example.", "ns 3600 IN A 127.0.0.1"]
        (self.folder / "zone").write_text("\n".join(head + self.records) + "\n", "utf-8")

    def start(self) -> None:
        """Returns when it answers with the zone just written."""
        self.write()
        config = self.folder / "nsd.conf"
        config.write_text(f"""server:
  ip-address: 127.0.0.1@{self.port}
  username: ""
  chroot: ""
  zonesdir: "{self.folder}"
  database: ""
  logfile: "{self.folder}/log"
  pidfile: "{self.folder}/pid"
  xfrdfile: "{self.folder}/xfrd"
  xfrdir: "{self.folder}"
  zonelistfile: "{self.folder}/zones"
  server-count: 1
  refuse-any: no
remote-control:
  control-enable: no
zone:
  name: example.
  zonefile: zone
""", "utf-8")
        with open(self.folder / "out", "ab") as out:
            self.process = subprocess.Popen([NSD, "-d", "-c", config], stdout=out, stderr=out)
        harness.until("the name server's answer", lambda: self.served() == self.serial)

    def served(self) -> int:
        """The serial of the zone that it serves; 0: it does not answer."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.1)
            try:
                probe.connect(("127.0.0.1", self.port))
                probe.send(question("example", 6))
                answer = probe.recv(2048)
            except OSError:
                return 0
        rest = answer[len(question("example", 6)):]
        if len(rest) < 32:
            return 0
        # SOA: owner, type, class, ttl, length; two names; the serial stands before four numbers.
        size = struct.unpack(">H", rest[10:12])[0]
        return struct.unpack(">I", rest[12 + size - 20:12 + size - 16])[0]

    def change(self) -> None:
        """Serves self.records as they are now. (A reload takes effect late.)"""
        self.stop()
        self.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(harness.DEADLINE_S)
            self.process = None
