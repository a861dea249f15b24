#!/usr/bin/python3
"""Goal: two domains that know nothing of each other but what DNS says exchange mail; wrong, stale
and missing answers, a dead name server and a dead server make mail wait, harm nobody, and are
overcome when they end (spec DOM-8 to DOM-15).
Method: a real name server (nsd) on loopback, two amsd without a hosts file, `ams`.
"""
import re
import signal
import subprocess
import unittest

import harness
from harness import DEADLINE_S, User, World, run, until
from nameserver import NSD, NameServer

TTL = 1  # seconds: what a test changes is seen soon


class DnsUser(User):
    """Finds its own domain by DNS, too."""

    def enrol(self, token: str, *args, check: bool = True):
        return run("ams", "account", "add", self.addr, "--name-server", self.name_server, "--ca",
                   self.ca, "--token", token, "--home", self.home, *args, check=check)


@unittest.skipUnless(NSD, "needs nsd (tools/packages.txt)")
class Dns(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.names = NameServer(self.world.folder)
        self.addCleanup(self.names.stop)
        self.records = {}
        self.a, self.b = self.add("a.example"), self.add("b.example")
        # Each trusts the other's authority, as both would trust a public one.
        both = "".join((d.folder / "ca.pem").read_text() for d in self.world.daemons)
        self.ca = self.world.folder / "ca.pem"
        self.ca.write_text(both)
        for daemon in self.world.daemons:
            daemon.config.write_text(daemon.config.read_text().replace(
                '# ca = "ca.pem"', f'ca = "{self.ca}"'))
        self.publish()
        self.names.start()
        for daemon in self.world.daemons:
            daemon.start()

    def add(self, domain: str):
        daemon = harness.Daemon(self.world, domain, hosts=False, init=[
            "--dns", "--name-server", self.names.address, "--host", f"mail.{domain}"])
        self.world.daemons.append(daemon)
        zone = run("amsd", "dns-records", "--host", f"mail.{domain}", "--config",
                   daemon.config).stdout
        self.assertEqual(daemon.hosts_line + "\n", zone)  # what init printed
        lines = zone.replace(" 3600 IN ", f" {TTL} IN ").splitlines()
        self.records[domain] = lines + [f"mail.{domain}. {TTL} IN A 127.0.0.1"]
        return daemon

    def publish(self):
        self.names.records = [line for lines in self.records.values() for line in lines]

    def change(self, domain: str, pattern: str, replacement: str):
        """Serves other records of a domain; the lines that were there."""
        before = self.records[domain]
        text, count = re.subn(pattern, replacement, "\n".join(before))
        self.assertGreater(count, 0)
        self.records[domain] = text.split("\n")
        self.publish()
        self.names.change()
        return before

    def restore(self, domain: str, lines: list):
        self.records[domain] = lines
        self.publish()
        self.names.change()

    def user(self, daemon, name: str):
        user = DnsUser(self.world, daemon, name, enrol=False)
        user.ca, user.name_server = self.ca, self.names.address
        user.enrol(daemon.add_account(user.addr))
        return user

    def both(self):
        return self.user(self.a, "alice"), self.user(self.b, "bob")

    def kept(self, alice, bob, subject: str, logged: str = "") -> None:
        """The letter stays with the writer while its recipient's domain cannot be had, for the
        reason that a.example logs: `ams` tries on until it is ended, or ends unreachable."""
        sending = subprocess.Popen(
            [harness.BIN / "ams", "send", "--to", bob.addr, "--subject", subject, "--home",
             alice.home], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        sending.stdin.write(b"Text\n")
        sending.stdin.close()
        if logged:
            until(f"{logged} in a.example's log", lambda: re.search(logged, self.a.log_text()))
            sending.kill()
        self.assertIn(sending.wait(DEADLINE_S), (-signal.SIGKILL, 3))
        self.assertNotIn(subject, bob.subjects())

    def test_two_domains_find_each_other(self):
        alice, bob = self.both()
        alice.send(bob.addr, "First", "See you at nine.\n")
        self.assertEqual(bob.fetch(1), ["First"])
        bob.send(alice.addr, "Re: First", "So do I.\n")
        self.assertIn("Re: First", alice.fetch(1))

    def test_the_next_server_is_tried_and_a_long_answer_comes_over_tcp(self):
        dead = harness.free_port()
        filler = "\n".join(f"_ams._tcp.b.example. {TTL} IN SRV {n} 0 {dead} "
                           f"a-host-with-quite-a-long-name-{n}.unrelated.example."
                           for n in range(20, 50))  # beyond 1,232 bytes
        self.change("b.example", r"(?m)^(_ams\._tcp.* SRV) 0 0 (\d+) (.*)$",
                    rf"\1 0 0 {dead} \3\n\1 1 0 \2 \3\n{filler}")
        alice, bob = self.both()
        alice.send(bob.addr, "Fallback", "…\n")
        self.assertEqual(bob.fetch(1), ["Fallback"])

    def test_a_wrong_root_is_nobodys_and_ends_with_its_ttl(self):
        alice, bob = self.both()
        other = re.search(r"k=\S+ fp=\w+", self.records["a.example"][1])[0]
        good = self.change("b.example", r"k=\S+ fp=\w+", other)
        self.kept(alice, bob, "Wrong", "no session could be opened with b.example")
        self.assertEqual(bob.ams("sync", check=False).returncode, 1)  # to its own user neither
        self.restore("b.example", good)
        self.arrives(alice, bob, "Wrong")

    def test_a_spoofed_host_lacks_the_domains_certificate(self):
        alice, bob = self.both()
        port = re.search(r"SRV 0 0 (\d+)", self.records["a.example"][0])[1]
        good = self.change("b.example", r"SRV 0 0 \d+ \S+", f"SRV 0 0 {port} mail.a.example.")
        self.kept(alice, bob, "Spoofed",
                  "connect_failed domain=b.example reason=.*certificate refused")
        self.restore("b.example", good)
        self.arrives(alice, bob, "Spoofed")

    def test_missing_and_ambiguous_records(self):
        alice, bob = self.both()
        good = self.records["b.example"]
        for pattern, replacement, reason in (
                (r"(?m)^_ams\.b\.example.*$", "", "no TXT record"),
                (r"(?m)^(_ams\.b\.example.*v=ams1).*$", r'\1"', "txt: k and fp"),
                (r"(?m)^(_ams\.b\.example.*)$", r'\1\n_ams.b.example. 1 IN TXT "v=ams1; k=2"',
                 "txt: several records"),
                (r"(?m)^_ams\._tcp\.b\.example.*$", "", "no SRV record"),
                (r"SRV 0 0 \d+ \S+", "SRV 0 0 1 .", "SRV names no server")):
            self.change("b.example", pattern, replacement)
            self.kept(alice, bob, "Missing", f'not_discovered domain=b.example reason="{reason}"')
            self.records["b.example"] = good
        self.restore("b.example", good)
        self.arrives(alice, bob, "Missing")

    def test_a_dead_name_server_is_waited_for(self):
        alice, bob = self.both()
        self.names.stop()
        self.kept(alice, bob, "Dead")
        self.assertEqual(bob.ams("sync", check=False).returncode, 3)
        self.names.start()
        self.arrives(alice, bob, "Dead")

    def arrives(self, alice, bob, subject: str):
        """What was kept goes out by itself with a later sync; absence is known for 10 s at most."""
        def sent_and_fetched():
            alice.ams("sync", check=False)
            bob.ams("sync", check=False)
            return subject in bob.subjects()
        until(f"{subject} for {bob.addr}", sent_and_fetched)

    def test_a_hosts_file_goes_before_dns(self):
        hosts = self.world.folder / "explicit"
        line = run("amsd", "hosts-line", "--host", "127.0.0.1", "--config", self.b.config).stdout
        hosts.write_text(line)
        self.a.stop()
        self.a.config.write_text(f'hosts_file = "{hosts}"\n' + self.a.config.read_text())
        self.change("b.example", r"SRV 0 0 \d+", f"SRV 0 0 {harness.free_port()}")
        self.a.start()
        alice = self.user(self.a, "alice")
        token = self.b.add_account("bob@b.example")
        bob = User(self.world, self.b, "bob", enrol=False)
        bob.hosts = hosts
        run("ams", "account", "add", bob.addr, "--server-hosts", hosts, "--name-server",
            self.names.address, "--ca", self.ca, "--token", token, "--home", bob.home)
        alice.send(bob.addr, "Explicit", "…\n")
        self.assertEqual(bob.fetch(1), ["Explicit"])

    def test_the_command_line(self):
        for args, message in (
                (["--dns", "--hosts", "x"], "--dns and --hosts: expected one"),
                (["--name-server", "127.0.0.1"], "--name-server: expected --dns"),
                (["--dns", "--name-server", "ns.example"], "--name-server: expected an IP")):
            done = run("amsd", "init", "--domain", "c.example", "--dir", self.world.folder / "c",
                       *args, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(message, done.stderr)
        self.assertIn("good", run("amsd", "check-config", self.a.config).stdout)
        self.a.set("name_servers", '["ns"]')
        done = run("amsd", "check-config", self.a.config, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("discovery.name_servers: expected a list, each item an IP", done.stderr)


if __name__ == "__main__":
    harness.main()
