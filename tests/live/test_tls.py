"""TLS as clients see it: SMTPS, HTTPS, and certificates renewed while all of it is used."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path
from smtplib import SMTP, SMTP_SSL
from typing import Any

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from tempmail.certificates import Identity
from tempmail.core.limits import Limits
from tests.certificates import Authority
from tests.live.daemon import PATIENCE, Daemon, mail

LOCAL = "tcp:0:interface=127.0.0.1"
USERS = 4


class TLSTestCase(SynchronousTestCase):
    """A server with a certificate for mx.test, and clients that check it."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="tempmail-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.authority = Authority()
        self.context = ssl.create_default_context(cadata=self.authority.pem.decode())

    def start(self, *names: str, limits: Sequence[str] = ("--unlimited",)) -> Daemon:
        """A daemon that serves in all four ways, with a certificate for each name."""
        options = [*limits]
        for name in names:
            certificate, key = self.authority.issue(name).write(self.directory, name)
            options += [f"--tls-certificate={certificate}", f"--tls-key={key}"]
        daemon = Daemon(*options, f"--smtps={LOCAL}", f"--https={LOCAL}")
        daemon.start()
        self.addCleanup(daemon.stop)
        return daemon

    def handshake(self, port: int, name: str = "mx.test") -> ssl.SSLSocket:
        """A new connection under TLS, our certificate checked."""
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        return self.context.wrap_socket(plain, server_hostname=name)

    def serial(self, port: int, name: str = "mx.test") -> int:
        """The serial number of the certificate that is shown now."""
        with self.handshake(port, name) as connected:
            return certificate_of(connected).serial_number


class ServingTests(TLSTestCase):
    """What is served under TLS from the start."""

    def test_mail(self) -> None:
        """Mail by SMTPS is read by HTTPS, and kept as received under TLS."""
        daemon = self.start("mx.test")
        with _https(daemon, self.context) as web:
            _, minted = web.ask("POST", "/v1/mailboxes")
            with _smtps(daemon, self.context) as client:
                client.send_message(mail(minted["address"], "By TLS"))
            path = f"/v1/mailboxes/{minted['address']}/messages?wait=20"
            status, page = web.ask("GET", path, minted["token"])
            self.assertEqual((status, page["messages"][0]["subject"]), (200, "By TLS"))
            path = f"/v1/mailboxes/{minted['address']}/messages/{page['messages'][0]['id']}"
            _, message = web.ask("GET", path, minted["token"])
            envelope = message["envelope"]
            self.assertEqual((envelope["tls"], envelope["protocol"]), (True, "ESMTPS"))

    def test_agreed(self) -> None:
        """HTTPS agrees on http/1.1, SMTPS on nothing; neither resumes a session."""
        daemon = self.start("mx.test")
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        for protocol, agreed in (("HTTPS", "http/1.1"), ("SMTPS", None)):
            with self.handshake(daemon.ports[protocol]) as connected:
                self.assertEqual(connected.selected_alpn_protocol(), agreed)
                self.assertEqual(connected.version(), "TLSv1.3")
                if protocol == "HTTPS":
                    connected.sendall(b"GET /healthz HTTP/1.1\r\nHost: mx.test\r\n\r\n")
                self.assertTrue(connected.recv(100))
                session = connected.session
            plain = socket.create_connection(("127.0.0.1", daemon.ports[protocol]), PATIENCE)
            with self.context.wrap_socket(
                plain, server_hostname="mx.test", session=session
            ) as again:
                self.assertFalse(again.session_reused)

    def test_names(self) -> None:
        """Each name is shown its certificate, on every port."""
        daemon = self.start("mx.test", "*.web.test")
        for protocol in ("SMTPS", "HTTPS"):
            for name, expected in (("mx.test", "mx.test"), ("www.web.test", "*.web.test")):
                with self.handshake(daemon.ports[protocol], name) as connected:
                    shown = Identity((certificate_of(connected),), None).names
                    self.assertEqual(shown, (expected,))

    def test_too_many(self) -> None:
        """Who has too many connections is told so, and none of those more is kept."""
        limits = ("--max-http-connections-per-client=2", "--max-connections-per-client=2")
        daemon = self.start("mx.test", limits=(*limits, "--exempt-client=none"))
        for protocol, told in (("HTTPS", b"HTTP/1.1 429 "), ("SMTPS", b"421 4.7.0 ")):
            port = daemon.ports[protocol]
            with contextlib.ExitStack() as kept:
                for _ in range(2):
                    kept.enter_context(self.handshake(port))
                with self.handshake(port) as third:
                    self.assertEqual(third.recv(1000)[: len(told)], told)
                more = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(3)]
                for silent in more:
                    kept.enter_context(silent)
                    with contextlib.suppress(ConnectionResetError):
                        self.assertEqual(silent.recv(1), b"")

    def test_last_answer(self) -> None:
        """A connection whose last answer was taken is over as soon as the client says so, however
        long that was."""
        daemon = self.start("mx.test")
        address, _ = daemon.mint(public=True)
        for text in ("x" * 60_000, "x" * 300_000):
            daemon.send(address, "long", text)
        for path in (f"/v1/mailboxes/{address}/messages", f"/inbox/{address}"):
            with self.handshake(daemon.ports["HTTPS"]) as asking:
                asking.sendall(
                    f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
                )
                while asking.recv(65536):
                    pass
        began = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, Limits().closing_time / 2)

    def test_stop(self) -> None:
        """A client that is connected and says nothing does not hold up the server's end."""
        daemon = self.start("mx.test")
        with contextlib.ExitStack() as kept:
            for protocol in ("HTTPS", "SMTPS"):
                kept.enter_context(self.handshake(daemon.ports[protocol]))
            asked = kept.enter_context(self.handshake(daemon.ports["HTTPS"]))
            asked.sendall(b"GET /healthz HTTP/1.1\r\nHost: mx.test\r\n\r\n")
            self.assertTrue(asked.recv(1000))
            began = time.monotonic()
            self.assertEqual(daemon.stop(), 0)
            self.assertLess(time.monotonic() - began, Limits().closing_time / 2)

    def test_not_tls(self) -> None:
        """A client that speaks in plain text where TLS is expected is cut off without a word."""
        daemon = self.start("mx.test")
        for protocol, said in (("SMTPS", b"EHLO x\r\n"), ("HTTPS", b"GET / HTTP/1.1\r\n\r\n")):
            with socket.create_connection(("127.0.0.1", daemon.ports[protocol]), PATIENCE) as plain:
                plain.sendall(said)
                # What comes is at most an alert.
                self.assertLess(len(plain.recv(1000)), 20)
        daemon.stop()
        self.assertNotIn("Traceback", daemon.log)

    def test_without_certificate(self) -> None:
        """Without a certificate the server does not start, and says what is missing."""
        daemon = Daemon(f"--https={LOCAL}")
        daemon.launch()
        self.assertEqual(daemon.wait(), 1)
        self.assertIn("--https needs --tls-certificate", daemon.log)


class RenewalTests(TLSTestCase):
    """A certificate that is replaced while the server is busy."""

    def test_hangup(self) -> None:
        """After SIGHUP the new certificate is shown, in every way there is."""
        daemon = self.start("mx.test")
        before = self.serial(daemon.ports["HTTPS"])
        self.authority.issue("mx.test").write(self.directory, "mx.test")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_line("settings applied")
        after = {self.serial(daemon.ports[protocol]) for protocol in ("HTTPS", "SMTPS")}
        with SMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE) as client:
            client._host = "mx.test"  # type: ignore[attr-defined]
            client.starttls(context=self.context)
            assert isinstance(client.sock, ssl.SSLSocket)
            after.add(certificate_of(client.sock).serial_number)
        self.assertEqual(len(after), 1)
        self.assertNotIn(before, after)

    def test_under_load(self) -> None:
        """Files replaced while mail comes in and is waited for: nobody loses a connection.

        Each user keeps the two connections he has; somebody else shakes hands all the time. First
        the new certificate is there without its key, then both.
        """
        daemon = self.start("mx.test")
        done = threading.Event()

        def use(address: str, token: str) -> int:
            """Mails that one user sent himself, and waited for, until the end."""
            count = cursor = 0
            with _smtps(daemon, self.context) as client, _https(daemon, self.context) as web:
                while not done.is_set():
                    client.send_message(mail(address, str(count)))
                    path = f"/v1/mailboxes/{address}/messages?wait=20&after={cursor}"
                    status, page = web.ask("GET", path, token)
                    self.assertEqual(status, 200, page)
                    [message] = page["messages"]
                    self.assertEqual(message["subject"], str(count))
                    count, cursor = count + 1, message["cursor"]
            return count

        def shake_hands() -> list[int]:
            serials = []
            while not done.is_set():
                serials.append(self.serial(daemon.ports["HTTPS"]))
                serials.append(self.serial(daemon.ports["SMTPS"]))
            return serials

        with ThreadPoolExecutor(USERS + 1) as pool:
            using = [pool.submit(use, *daemon.mint()) for _ in range(USERS)]
            shaking = pool.submit(shake_hands)
            try:
                self.replace(daemon)
                last = self.serial(daemon.ports["SMTPS"])
            finally:
                done.set()
            for one in using:
                self.assertGreater(one.result(PATIENCE), 10)
            serials = shaking.result(PATIENCE)
        # The old one, then the new one, and never the old one again.
        self.assertEqual(serials, sorted(serials, key=lambda serial: serial == last))
        self.assertEqual(len(set(serials)), 2)
        daemon.stop()
        self.assertNotIn("Traceback", daemon.log)

    def replace(self, daemon: Daemon) -> None:
        """New files in place of the old ones, the key so late that it is noticed."""
        certificate, key = self.directory / "mx.test.pem", self.directory / "mx.test.key"
        renewed = self.authority.issue("mx.test")
        certificate.write_bytes(renewed.chain)
        daemon.wait_for_line("certificates stay as they were: the key in .* is not that of")
        key.write_bytes(renewed.key)
        daemon.wait_for_line("renewed certificates are in use")


def certificate_of(connected: ssl.SSLSocket) -> x509.Certificate:
    """What the server showed."""
    octets = connected.getpeercert(binary_form=True)
    assert octets is not None
    return x509.load_der_x509_certificate(octets)


class _Https:
    """One connection on which everything is asked."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._connection = HTTPSConnection("mx.test", port, context=context, timeout=PATIENCE)
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._connection.sock = context.wrap_socket(plain, server_hostname="mx.test")
        # A connection that was lost is not made again.
        self._connection.auto_open = 0

    def __enter__(self) -> _Https:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, token: str | None = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection.request(method, path, headers=headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


def _https(daemon: Daemon, context: ssl.SSLContext) -> _Https:
    return _Https(daemon.ports["HTTPS"], context)


class _Smtps(SMTP_SSL):
    """SMTPS to this machine, whatever the certificate's name."""

    def _get_socket(self, host: str, port: int, timeout: float) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", port), timeout)
        context: ssl.SSLContext = self.context
        return context.wrap_socket(plain, server_hostname=host)


def _smtps(daemon: Daemon, context: ssl.SSLContext) -> SMTP_SSL:
    return _Smtps("mx.test", daemon.ports["SMTPS"], context=context, timeout=PATIENCE)
