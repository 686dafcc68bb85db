"""Floods, guessers and blocklists against a real server; everything bounded, on this machine."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from smtplib import SMTP, SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import MEGA
from tests.live.daemon import PATIENCE, Daemon, mail, twistd

COUNTED = ("--exempt-client", "none")
ELSEWHERE = "127.0.0.77"
"""A second client: all of 127.0.0.0/8 is this machine."""


class Peer:
    """SMTP by hand, from one address of this machine or by way of HAProxy."""

    def __init__(self, port: int, host: str = "127.0.0.1", proxied: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE, (host, 0))
        self._answers = self._socket.makefile("rb")
        if proxied:
            kind = "TCP6" if ":" in proxied else "TCP4"
            ours = "2001:db8::25" if ":" in proxied else "192.0.2.25"
            self._socket.sendall(f"PROXY {kind} {proxied} {ours} 4711 25\r\n".encode())

    def send(self, *lines: str) -> None:
        """Send lines without waiting."""
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def answer(self) -> str:
        """The last line of the next answer; "" where there is none any more."""
        while True:
            line = self._answers.readline().decode()
            if line[3:4] != "-":
                return line.rstrip()

    def say(self, *lines: str) -> list[str]:
        """Send, and get as many answers."""
        self.send(*lines)
        return [self.answer() for _ in lines]

    def greet(self) -> Peer:
        """Hear the greeting, and greet."""
        assert self.answer().startswith("220")
        assert self.say("EHLO peer.example")[0].startswith("250")
        return self

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()


class AbuseTestCase(SynchronousTestCase):
    """A test with a server of its own."""

    def daemon(self, *options: str, **more: Any) -> Daemon:
        daemon = Daemon(*options, **more)
        self.addCleanup(self.check_end, daemon)
        return daemon.start()

    def check_end(self, daemon: Daemon) -> None:
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("Traceback", daemon.log)
        self.assertNotIn("Unhandled", daemon.log)

    def peer(self, daemon: Daemon, host: str = "127.0.0.1", proxied: str = "") -> Peer:
        peer = Peer(daemon.smtp, host, proxied)
        self.addCleanup(peer.close)
        return peer

    def ask(
        self,
        daemon: Daemon,
        path: str,
        token: str = "",
        host: str = "127.0.0.1",
        method: str = "GET",
        **headers: str,
    ) -> tuple[int, int, Any]:
        """Status, Retry-After (0 where there is none) and JSON of one request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            named["Authorization"] = f"Bearer {token}"
        connection = HTTPConnection(
            "127.0.0.1", daemon.http, timeout=PATIENCE, source_address=(host, 0)
        )
        try:
            connection.request(method, path, headers=named)
            response = connection.getresponse()
            octets = response.read()
            retry = int(response.headers.get("Retry-After", 0))
            if response.status in (429, 503):
                self.assertEqual(response.headers["Content-Type"], "application/problem+json")
            return response.status, retry, json.loads(octets) if octets else None
        finally:
            connection.close()


class FloodTests(AbuseTestCase):
    """More than anybody needs."""

    def test_memory(self) -> None:
        """A client that sends all it can fills half of the memory; to others it stays open."""
        daemon = self.daemon(*COUNTED, "--domain", "qa.test:catch-all", "--memory=40M")
        huge = b"Subject: Huge\r\n\r\n" + (b"x" * 76 + b"\r\n") * 40_000
        taken = 0
        with SMTP("127.0.0.1", daemon.smtp, source_address=(ELSEWHERE, 0)) as greedy:
            for number in range(20):
                try:
                    greedy.sendmail("a@b.example", f"box{number}@qa.test", huge)
                    taken += len(huge)
                except SMTPRecipientsRefused as refused:
                    [(code, text)] = refused.recipients.values()
                    self.assertEqual((code, text[:6]), (452, b"4.3.1 "))
        self.assertLessEqual(taken, 20 * MEGA)
        self.assertGreater(taken, 15 * MEGA)
        address, token = daemon.mint()
        with SMTP("127.0.0.1", daemon.smtp) as other:
            other.send_message(mail(address, "Meanwhile"))
        _, _, page = self.ask(daemon, f"/v1/mailboxes/{quote(address)}/messages", token)
        self.assertEqual([one["subject"] for one in page["messages"]], ["Meanwhile"])
        self.assertEqual(self.ask(daemon, "/readyz")[0], 200)

    def test_guessed_recipients(self) -> None:
        """Who guesses gets slow answers, then none, in however many sessions; others are served."""
        daemon = self.daemon(
            *COUNTED, "--unknown-recipient-rate=30/minute", "--tarpit=0.3", "--max-errors=1000"
        )
        address, token = daemon.mint()
        guessers = [self.peer(daemon).greet() for _ in range(4)]
        began = time.monotonic()
        for guesser in guessers:
            guesser.send(
                "MAIL FROM:<a@b.example>",
                *(f"RCPT TO:<guess{number}@tempmail.test>" for number in range(12)),
                f"RCPT TO:<{address}>",
            )
        with SMTP("127.0.0.1", daemon.smtp, source_address=(ELSEWHERE, 0)) as other:
            other.send_message(mail(address, "Meanwhile"))
        served = time.monotonic() - began
        answers = []
        for guesser in guessers:
            self.assertEqual(guesser.answer()[:3], "250")
            answers += [guesser.answer()[:9] for _ in range(12)]
            self.assertEqual(guesser.answer()[:9], "450 4.7.1")
        took = time.monotonic() - began
        self.assertEqual(answers.count("550 5.1.1"), 30)
        self.assertEqual(answers.count("450 4.7.1"), 18)
        # Each of them waited for the refusals before the last, half of the time on average.
        self.assertGreater(took, 13 * 0.3 / 3)
        self.assertLess(took, 13 * 0.3 + 3)
        self.assertLess(served, took / 2)
        status, _, page = self.ask(
            daemon, f"/v1/mailboxes/{quote(address)}/messages", token, ELSEWHERE
        )
        self.assertEqual([one["subject"] for one in page["messages"]], ["Meanwhile"], status)

    def test_guesser_leaves(self) -> None:
        """A guesser that leaves in the midst of it, with much unread, does not hold up the end."""
        daemon = self.daemon(*COUNTED, "--tarpit=5", "--unknown-recipient-rate=2/minute")
        for _ in range(3):
            peer = self.peer(daemon).greet()
            peer.send("MAIL FROM:<a@b.example>", *["RCPT TO:<guess@tempmail.test>"] * 2000)
            peer.close()
        self.assertEqual(self.ask(daemon, "/readyz")[0], 200)
        began = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - began, 4)

    def test_commands(self) -> None:
        """A flood of commands, over one connection or by new ones, ends with 421."""
        daemon = self.daemon(*COUNTED, "--command-rate=100/minute")
        peer = self.peer(daemon)
        self.assertEqual(peer.answer()[:3], "220")
        peer.send(*["NOOP"] * 500)
        answers = [peer.answer()[:9] for _ in range(101)]
        self.assertEqual(answers, ["250 2.0.0"] * 100 + ["421 4.7.0"])
        refused = self.assertRaises(
            SMTPServerDisconnected, lambda: _connect_or_raise(daemon.smtp, "127.0.0.1")
        )
        self.assertIn("421", str(refused))
        with SMTP("127.0.0.1", daemon.smtp, source_address=(ELSEWHERE, 0)) as other:
            self.assertEqual(other.noop()[0], 250)

    def test_guessed_tokens(self) -> None:
        """Who guesses tokens is told nothing for a while, and others go on."""
        daemon = self.daemon(*COUNTED, "--wrong-token-rate=20/minute")
        address, token = daemon.mint()
        path = f"/v1/mailboxes/{quote(address)}"
        answers = [self.ask(daemon, path, f"guess{number}") for number in range(30)]
        self.assertEqual([status for status, _, _ in answers], [404] * 20 + [429] * 10)
        for _, retry, problem in answers[20:]:
            self.assertTrue(1 <= retry <= 60, retry)
            self.assertEqual(problem["status"], 429)
        self.assertEqual(self.ask(daemon, path, token)[0], 429)
        self.assertEqual(self.ask(daemon, path, token, ELSEWHERE)[0], 200)

    def test_mint(self) -> None:
        """Addresses are made at their rate and no faster, and again after Retry-After."""
        daemon = self.daemon(*COUNTED, "--mint-rate=5/2 seconds", "--request-rate=unlimited")

        def mint() -> tuple[int, int]:
            return self.ask(daemon, "/v1/mailboxes", method="POST")[:2]

        self.assertEqual([mint()[0] for _ in range(5)], [201] * 5)
        status, retry = mint()
        self.assertEqual((status, retry in (1, 2)), (429, True))
        until = time.monotonic() + retry
        refused = 0
        while (status := mint()[0]) == 429:
            refused += 1
            self.assertLess(time.monotonic(), until + PATIENCE)
        self.assertEqual(status, 201)
        self.assertGreaterEqual(time.monotonic(), until - 1)
        self.assertGreater(refused, 0)

    def test_own_machine(self) -> None:
        """By default this machine may do as much as it likes, and nobody has to say so."""
        daemon = self.daemon()
        statuses = [self.ask(daemon, "/create", method="POST")[0] for _ in range(150)]
        self.assertEqual(statuses, [200] * 150)
        statuses = [self.ask(daemon, "/inbox/x@tempmail.test")[0] for _ in range(150)]
        self.assertEqual(statuses, [404] * 150)

    def test_unlimited(self) -> None:
        """With --unlimited nobody is counted."""
        daemon = self.daemon(*COUNTED, "--unlimited")
        statuses = [self.ask(daemon, "/create", method="POST")[0] for _ in range(150)]
        self.assertEqual(statuses, [200] * 150)


def _connect_or_raise(port: int, host: str) -> None:
    peer = Peer(port, host)
    answer = peer.answer()
    peer.close()
    if not answer.startswith("220"):
        raise SMTPServerDisconnected(answer)


class WaitTests(AbuseTestCase):
    """Those who wait."""

    def test_too_many(self) -> None:
        """No more than so many of one client, and one that leaves makes room."""
        daemon = self.daemon(*COUNTED, "--max-waits-per-client=3", "--max-waits=5")
        address, token = daemon.mint()
        path = f"/v1/mailboxes/{quote(address)}/messages?wait=30"
        waiting = [daemon.connect() for _ in range(3)]
        for connection in waiting:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        self.until_status(daemon, path, token, 429)
        waiting[0].close()
        self.until_status(daemon, path + "&from=nobody", token, 200, method="HEAD")
        daemon.send(address)
        for connection in waiting[1:]:
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()

    def until_status(
        self, daemon: Daemon, path: str, token: str, wished: int, method: str = "GET"
    ) -> None:
        """Ask to wait for no time to speak of until this is the answer."""
        short = path.replace("wait=30", "wait=0.1")
        until = time.monotonic() + PATIENCE
        while self.ask(daemon, short, token, method=method)[0] != wished:
            self.assertLess(time.monotonic(), until)


class ProxyTests(AbuseTestCase):
    """Behind a proxy."""

    def mint(self, daemon: Daemon, forwarded: str) -> int:
        return self.ask(daemon, "/create", method="POST", X_Forwarded_For=forwarded)[0]

    def test_trusted(self) -> None:
        """Each client that the proxy names has its own rates, whatever the client says itself."""
        daemon = self.daemon("--trusted-proxy=127.0.0.1", "--mint-rate=2/minute")
        for client in ("192.0.2.1", "192.0.2.2"):
            said = [self.mint(daemon, f"127.0.0.{n}, {client}") for n in range(3)]
            self.assertEqual(said, [200, 200, 429])

    def test_not_trusted(self) -> None:
        """Without --trusted-proxy the header means nothing, but that all are counted as one."""
        daemon = self.daemon("--mint-rate=2/minute")
        self.assertEqual([self.mint(daemon, f"192.0.2.{n}") for n in range(3)], [200, 200, 429])
        daemon.wait_for_line("--trusted-proxy")

    def test_haproxy(self) -> None:
        """HAProxy's clients have their own rates, over SMTP and HTTP."""
        daemon = self.daemon(
            *("--mint-rate=2/minute", "--command-rate=40/minute"),
            smtp=["haproxy:tcp:0:interface=127.0.0.1"],
            http=["haproxy:tcp:0:interface=127.0.0.1"],
        )
        for client in ("192.0.2.1", "2001:db8::1"):
            for _ in range(2):
                self.peer(daemon, proxied=client).greet()
            third = self.peer(daemon, proxied=client)
            self.assertEqual(third.answer()[:3], "220")
            self.assertEqual(third.say("EHLO x")[0][:9], "421 4.7.0")
            said = [self.mint_by_haproxy(daemon, client) for _ in range(3)]
            self.assertEqual(said, [b"200", b"200", b"429"])

    def mint_by_haproxy(self, daemon: Daemon, client: str) -> bytes:
        kind, ours = ("TCP6", "2001:db8::80") if ":" in client else ("TCP4", "192.0.2.80")
        with socket.create_connection(("127.0.0.1", daemon.http), PATIENCE) as connection:
            connection.sendall(
                f"PROXY {kind} {client} {ours} 4711 80\r\n"
                "POST /create HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
            )
            return connection.recv(65536).split(b" ")[1]


_ZONE = """
zone = [
    SOA("bl.test", mname="ns.bl.test", rname="x.bl.test"),
    A("5.113.0.203.bl.test", "127.0.0.2", ttl=300),
    A("6.113.0.203.bl.test", "127.255.255.254", ttl=300),
    A("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test", "127.0.0.3"),
]
"""


@contextmanager
def name_server(folder: Path) -> Iterator[int]:
    """A real name server with the zone bl.test; its UDP port."""
    (folder / "zone").write_text(_ZONE)
    server = Daemon(
        command=twistd(
            *("--nodaemon", "--pidfile=", "dns", "--interface=127.0.0.1", "--port=0"),
            f"--pyzone={folder / 'zone'}",
        ),
        cwd=folder,
    )
    server.launch()
    try:
        yield int(server.wait_for_line("DNSDatagramProtocol starting on").split()[-1])
    finally:
        server.stop()


class BlocklistTests(AbuseTestCase):
    """A blocklist in a real name server, and the operator's own file."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def mail_from(self, daemon: Daemon, client: str) -> str:
        peer = self.peer(daemon, proxied=client).greet()
        return peer.say("MAIL FROM:<a@b.example>")[0]

    def test_listed(self) -> None:
        """Listed clients are refused, by IPv4 and IPv6; all others are served at once."""
        with name_server(self.folder) as port:
            daemon = self.daemon(
                *("--dnsbl=bl.test", f"--dns-server=127.0.0.1:{port}"),
                smtp=["haproxy:tcp:0:interface=127.0.0.1"],
            )
            began = time.monotonic()
            for client, answer in (
                ("203.0.113.5", "550 5.7.1 Your address is listed by bl.test"),
                ("2001:db8::1", "550 5.7.1 Your address is listed by bl.test"),
                ("203.0.113.7", "250 2.1.0 Sender OK"),
                ("2001:db8::2", "250 2.1.0 Sender OK"),
                ("203.0.113.6", "250 2.1.0 Sender OK"),
                ("10.0.0.1", "250 2.1.0 Sender OK"),
                ("203.0.113.5", "550 5.7.1 Your address is listed by bl.test"),
            ):
                self.assertEqual(self.mail_from(daemon, client), answer, client)
            self.assertLess(time.monotonic() - began, 4)
            daemon.wait_for_line("the blocklist bl.test answers 127.255.255.254")
            self.assertNotIn("203.0.113", daemon.log)
            self.assertEqual(daemon.log.count("DNSDatagramProtocol"), 1, "one socket, one line")

    def test_silent(self) -> None:
        """A name server that never answers keeps nobody for longer than it may."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            port = silent.getsockname()[1]
            daemon = self.daemon(
                *("--dnsbl=bl.test", f"--dns-server=127.0.0.1:{port}"),
                smtp=["haproxy:tcp:0:interface=127.0.0.1"],
            )
            began = time.monotonic()
            self.assertEqual(self.mail_from(daemon, "203.0.113.5")[:3], "250")
            self.assertLess(time.monotonic() - began, 6)
            began = time.monotonic()
            self.assertEqual(self.mail_from(daemon, "203.0.113.5")[:3], "250")
            self.assertLess(time.monotonic() - began, 1)

    def test_blocked_senders(self) -> None:
        """The file is read at the start and on SIGHUP; one with a mistake changes nothing."""
        file = self.folder / "blocked"
        file.write_text("b.example\n")
        daemon = self.daemon(f"--blocked-senders={file}")

        def said() -> list[str]:
            peer = self.peer(daemon).greet()
            senders = "a@b.example", "a@x.b.example", "a@c.example", ""
            said = [peer.say(f"MAIL FROM:<{sender}>", "RSET")[0][:9] for sender in senders]
            peer.close()
            return said

        refused, taken = "550 5.7.1", "250 2.1.0"
        self.assertEqual(said(), [refused, refused, taken, taken])
        file.write_text("c.example\n!!\n")
        daemon.signal(signal.SIGHUP)
        line = daemon.wait_for_line("the settings stay as they were")
        self.assertIn("line 2: '!!' is no sender, domain or network", line)
        self.assertEqual(said(), [refused, refused, taken, taken])
        file.write_text("@c.example\n")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_line("settings applied")
        self.assertEqual(said(), [taken, taken, refused, taken])
