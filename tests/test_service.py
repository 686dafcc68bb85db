"""The assembly, on a reactor in memory: who is connected to whom, and what a reload changes."""

from __future__ import annotations

import gc
import inspect
import re
import signal
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, cast

from attrs import evolve
from limits import parse
from twisted.application.service import IServiceMaker
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.testing import (
    MemoryReactorClock,
    StringTransport,
    StringTransportWithDisconnection,
)
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import parse_address
from tempmail.core.domains import Domains
from tempmail.core.limits import MEGA, Limits
from tempmail.core.message import Envelope
from tempmail.listening import CannotStart
from tempmail.options import Options
from tempmail.service import Server, assemble
from tempmail.settings import BadSetting, Settings
from tempmail.tls import ServerTLS
from tests.certificates import Authority
from tests.test_tls import Met


class Stoppable(MemoryReactorClock):
    """A reactor that can be stopped once, as the real one."""

    def spawnProcess(self, *_: object, **__: object) -> None:
        raise OSError("no processes here")

    stopped = False

    def stop(self) -> None:
        if self.stopped:
            raise ReactorNotRunning
        self.stopped = True


class ServiceTestCase(SynchronousTestCase):
    """A server assembled and started in memory."""

    def setUp(self) -> None:
        self.reactor = Stoppable()
        self.settings = Settings(
            domains=Domains.parse(["a.test"]),
            smtp=("tcp:25", "tcp:26"),
            http=("tcp:80",),
            limits=Limits(memory=200 * MEGA),
        )
        self.next: Settings | Exception = self.settings
        self.thresholds = gc.get_threshold()

    def read(self) -> Settings:
        if isinstance(self.next, Exception):
            raise self.next
        return self.next

    def start(self, **changed: Any) -> Server:
        self.settings = self.next = evolve(self.settings, **changed)
        server = assemble(self.settings, self.reactor, self.read)
        server.privilegedStartService()
        server.startService()
        self.addCleanup(server.stopService)
        return server

    def reload(self, server: Server) -> list[str]:
        """What is logged while the server reloads, by level."""
        with capturedLogs() as events:
            server.reload()
        return [f"{event['log_level'].name}: {formatEvent(event)}" for event in events]


class AssemblyTests(ServiceTestCase):
    """What is there after the start."""

    def test_listens(self) -> None:
        """Each endpoint leads to its protocol: all of SMTP to one factory, HTTP to the site."""
        server = self.start()
        served = [(port, factory) for port, factory, *_ in self.reactor.tcpServers]
        self.assertEqual(served, [(25, server.smtp), (26, server.smtp), (80, server.site)])

    def test_tls_from_the_start(self) -> None:
        """SMTPS and HTTPS lead to the same factories, beneath TLS."""
        server = self.start(
            self_signed=True, smtp=(), http=(), smtps=("tcp:465",), https=("tcp:443",)
        )
        served: list[Any] = self.reactor.tcpServers
        wrapped = [(port, tls.wrappedFactory) for port, tls, *_ in served]
        self.assertEqual(wrapped, [(465, server.smtp), (443, server.site)])

    def test_greets(self) -> None:
        """A connection to SMTP is greeted in the server's name."""
        server = self.start(hostname="mx.test")
        session, transport = server.smtp.buildProtocol(None), StringTransport()
        assert session is not None
        session.makeConnection(transport)
        self.assertTrue(transport.value().startswith(b"220 mx.test "), transport.value())

    def test_operator(self) -> None:
        """The operator's token opens postmaster's mailbox, and no other does."""
        path = Path(self.mktemp()).absolute()
        path.write_text("secret\n")
        office = self.start(operator_token_file=path).office
        postmaster = parse_address("postmaster@a.test")
        state = self.successResultOf(_result(office.mailbox(postmaster, "secret")))
        self.assertEqual(str(state.address), "postmaster@a.test")
        self.failureResultOf(_result(office.mailbox(postmaster, "guess")))

    def test_counts_in_one_place(self) -> None:
        """SMTP and HTTP count by the same rates, and what was refused is to be had by reason."""
        server = self.start(limits=Limits(memory=200 * MEGA, command_rate=parse("20/minute")))
        self.assertIs(server.smtp.rates, server.site.rates)
        for _ in range(2):
            address = IPv4Address("TCP", "192.0.2.1", 1)
            session = server.smtp.buildProtocol(address)
            assert session is not None
            session.makeConnection(StringTransport(peerAddress=address))
        self.assertEqual(server.refused, {"command_rate": 1})

    def test_blocklists(self) -> None:
        """Blocklists are asked where some are named, at the name server that is."""
        self.assertIsNone(self.start().smtp.lists)
        server = self.start(dnsbls=("bl.test",), dns_server=("192.0.2.53", 5353))
        assert server.smtp.lists is not None

    def test_tls(self) -> None:
        """STARTTLS is offered with a certificate, and not without."""
        self.assertIsNone(self.start().smtp.tls)
        self.assertIsNotNone(self.start(self_signed=True).smtp.tls)

    def test_expires(self) -> None:
        """Mailboxes go when their time is over, without anybody asking."""
        server = self.start()
        self.successResultOf(_result(server.office.mint(lifetime=1)))
        self.assertGreater(server.budget.used, 0)
        self.reactor.advance(2)
        self.reactor.advance(self.settings.limits.quarantine)
        self.assertEqual(server.budget.used, 0)

    def test_unreadable_files(self) -> None:
        """A file that can not be read ends the assembly in one line."""
        for changed, complaint in (
            ({"operator_token_file": Path("/nowhere")}, "--operator-token-file /nowhere: No such"),
            ({"certificates": (Path("/nowhere"),)}, "--tls-certificate: can not read /nowhere: No"),
            ({"blocked_senders": Path("/nowhere")}, "--blocked-senders /nowhere: No such file"),
            ({"smtp": ("tpc:1",)}, "--smtp 'tpc:1' is no endpoint"),
        ):
            with self.subTest(complaint):
                settings = evolve(self.settings, **changed)
                error = self.assertRaises(CannotStart, assemble, settings, self.reactor)
                self.assertTrue(str(error).startswith(complaint), str(error))

    def test_token_that_opens_nothing(self) -> None:
        """An operator's token that nobody could show is refused, without being told."""
        path = Path(self.mktemp()).absolute()
        for secret in ("pass,word", "pässword", "=word", "wo=rd", "two words", ""):
            path.write_text(secret, encoding="utf-8")
            settings = evolve(self.settings, operator_token_file=path)
            error = self.assertRaises(CannotStart, assemble, settings, self.reactor)
            self.assertIn(f"--operator-token-file {path}: expected one word of", str(error))
            self.assertNotIn(secret or "\0", str(error))

    def test_global_reactor(self) -> None:
        """Nobody but the assembly and the console script takes the global reactor."""
        package = Path(inspect.getfile(Options)).parent
        found = {
            str(path.relative_to(package))
            for path in package.rglob("*.py")
            if re.search(r"import .*\breactor\b|task import .*\breact\b", path.read_text())
        }
        self.assertEqual(found, {"service.py", "cli/__init__.py", "doctor/__init__.py"})

    def test_plugin(self) -> None:
        """``twistd tempmail`` is known to twistd, and reads our options."""
        held_back = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, held_back)
        makers = [maker for maker in getPlugins(IServiceMaker) if maker.tapname == "tempmail"]
        self.assertEqual(len(makers), 1)
        self.assertIs(makers[0].options, Options)


class StoppingTests(ServiceTestCase):
    """What is left after the end."""

    def test_leaves_nothing(self) -> None:
        """No timer, no waiter, and Python's own rule for garbage."""
        server = self.start()
        self.successResultOf(_result(server.office.mint()))
        self.assertNotEqual(gc.get_threshold(), self.thresholds)
        stopped = server.stopService()
        self.reactor.advance(0)
        self.successResultOf(stopped)
        self.assertTrue(server.doorbell.closed)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(gc.get_threshold(), self.thresholds)

    def test_not_ready(self) -> None:
        """From the moment it stops it is not ready for mail."""
        server = self.start()
        self.successResultOf(_result(server.check_listening()))
        server.stopService()
        self.failureResultOf(_result(server.check_listening()))


class SnapshotTests(ServiceTestCase):
    """What is kept over a restart."""

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.mktemp()).absolute()

    def stop(self, server: Server) -> None:
        stopped = server.stopService()
        self.reactor.advance(0)
        self.successResultOf(stopped)

    def test_none(self) -> None:
        """Without being asked for it nothing is written."""
        self.stop(self.start())
        self.assertFalse(self.path.exists())

    def test_goes_on(self) -> None:
        """What one server held the next one holds; the file is gone when its reactor runs."""
        server = self.start(snapshot=self.path)
        minted = self.successResultOf(_result(server.office.mint()))
        self.stop(server)
        self.assertTrue(self.path.exists())
        self.reactor = Stoppable()
        server = self.start(snapshot=self.path)
        self.reactor.run()
        self.assertFalse(self.path.exists())
        found = server.office.mailbox(minted.mailbox.address, minted.token)
        self.assertEqual(self.successResultOf(_result(found)).address, minted.mailbox.address)

    def test_behind_the_last_connection(self) -> None:
        """What a mail in flight is told at the very end is in the snapshot."""
        server = self.start(snapshot=self.path)
        minted = self.successResultOf(_result(server.office.mint()))
        session, transport = self.connect(server)
        for line in ("EHLO x", "MAIL FROM:<a@b.test>", f"RCPT TO:<{minted.mailbox.address}>"):
            session.dataReceived(f"{line}\r\n".encode())
        session.dataReceived(b"DATA\r\nin flight\r\n")
        stopped = server.stopService()
        self.reactor.advance(1)
        self.assertNoResult(stopped)
        self.assertFalse(self.path.exists())
        transport.clear()
        session.dataReceived(b".\r\n")
        self.assertTrue(transport.value().startswith(b"250 "), transport.value())
        self.reactor.advance(0)
        self.successResultOf(stopped)
        self.assertIn(b"in flight", self.path.read_bytes())

    def test_in_a_hurry(self) -> None:
        """Who is told to stop a second time cuts everyone, hears nobody, and writes it then."""
        server = self.start(snapshot=self.path)
        minted = self.successResultOf(_result(server.office.mint()))
        session, transport = self.connect(server)
        session.dataReceived(b"EHLO x\r\nMAIL FROM:<a@b.test>\r\n")
        server.stopService()
        self.assertFalse(self.path.exists())
        server.closing.hurry()
        self.assertTrue(transport.disconnected)
        self.assertTrue(self.path.exists())
        self.assertIn(
            str(minted.mailbox.address).partition("@")[0].encode(), self.path.read_bytes()
        )

    def test_the_operators_token(self) -> None:
        """The operator's mail of before opens to the token of today."""
        words = Path(self.mktemp()).absolute()
        postmaster = parse_address("postmaster@a.test")
        words.write_text("old")
        server = self.start(snapshot=self.path, operator_token_file=words)
        self.successResultOf(server.office.deliver(Envelope("a@b.test"), [postmaster], b"mail"))
        self.stop(server)
        words.write_text("new")
        self.reactor = Stoppable()
        office = self.start(snapshot=self.path, operator_token_file=words).office
        state = self.successResultOf(_result(office.mailbox(postmaster, "new")))
        self.assertEqual(state.message_count, 1)
        self.failureResultOf(_result(office.mailbox(postmaster, "old")))

    def test_reload(self) -> None:
        """Another file on SIGHUP needs a restart, and the log says so."""
        server = self.start(snapshot=self.path)
        self.next = evolve(self.settings, snapshot=None)
        self.assertIn("warn: changed only by a restart: --snapshot", self.reload(server))

    def connect(self, server: Server) -> tuple[Any, StringTransportWithDisconnection]:
        session, transport = server.smtp.buildProtocol(None), StringTransportWithDisconnection()
        assert session is not None
        transport.protocol = session
        session.makeConnection(transport)
        return session, transport


class ReloadTests(ServiceTestCase):
    """SIGHUP."""

    def test_applies(self) -> None:
        """Domains, limits and memory hold from now on, for everyone who asks."""
        server = self.start()
        self.next = evolve(
            self.settings,
            domains=Domains.parse(["a.test", "b.test:catch-all"]),
            limits=Limits(memory=400 * MEGA, max_message_size=MEGA, memory_share=3),
        )
        [line] = self.reload(server)
        self.assertTrue(line.startswith("info: settings applied: mail for a.test"), line)
        self.assertEqual(len(server.office.domains.domains), 2)
        self.assertEqual(server.office.limits.max_message_size, MEGA)
        self.assertIs(server.store.limits, server.office.limits)
        self.assertIs(server.site.limits, server.office.limits)
        self.assertIs(server.rates.limits, server.office.limits)
        self.assertEqual((server.budget.limit, server.budget.share), (400 * MEGA, 3))

    def test_login(self) -> None:
        """Whether anybody may log in is what the settings say, at the start and from now on."""
        server = self.start(any_login=True)
        self.assertTrue(server.smtp.any_login)
        self.next = evolve(self.settings, any_login=False)
        self.reload(server)
        self.assertFalse(server.smtp.any_login)

    def test_certificate(self) -> None:
        """The certificate is read again, so that one renewed on disk is shown."""
        directory, authority = Path(self.mktemp()), Authority()
        directory.mkdir()
        certificate, key = authority.issue("old.test").write(directory)
        server = self.start(certificates=(certificate,), keys=(key,))
        authority.issue("new.test").write(directory)
        self.reload(server)
        self.assertEqual(Met(cast(ServerTLS, server.smtp.tls)).names, ("new.test",))

    def test_tls_from_now_on(self) -> None:
        """STARTTLS can be begun and ended without a restart."""
        server = self.start()
        for now in (True, False):
            self.next = evolve(self.settings, self_signed=now)
            self.reload(server)
            self.assertEqual(server.smtp.tls is not None, now)

    def test_log_level(self) -> None:
        """Sessions can be looked at without a restart, which would lose all mail."""
        levels: list[str] = []
        server = assemble(self.settings, self.reactor, self.read, levels.append)
        self.next = evolve(self.settings, log_level="debug")
        [line] = self.reload(server)
        self.assertTrue(line.startswith("info: settings applied"), line)
        self.assertEqual((levels, server.smtp.aloud), (["debug"], True))

    def test_mistake(self) -> None:
        """Settings that can not be read, or files that can not, change nothing."""
        server = self.start()
        before = server.office.limits, server.office.domains, server.smtp.tls
        changed = evolve(self.settings, limits=Limits(memory=MEGA), certificates=(Path("/x"),))
        for mistake in (BadSetting("a typo"), changed):
            self.next = mistake
            [line] = self.reload(server)
            self.assertTrue(line.startswith("error: the settings stay as they were: "), line)
            self.assertEqual((server.office.limits, server.office.domains, server.smtp.tls), before)

    def test_blocked_senders(self) -> None:
        """The file is read again; one with a mistake is one line, and the old one holds."""
        path = Path(self.mktemp()).absolute()
        path.write_text("a.example\n")
        server = self.start(blocked_senders=path)
        path.write_text("b.example\n")
        self.reload(server)
        self.assertFalse(_blocks(server, "a.example"))
        path.write_text("c.example\nno sender\n")
        [line] = self.reload(server)
        self.assertIn(f"--blocked-senders {path}: line 2: 'no sender' is no sender", line)
        path.write_bytes(b"\xff")
        [line] = self.reload(server)
        self.assertIn(f"--blocked-senders {path}: ", line)
        self.assertTrue(_blocks(server, "b.example"))
        self.next = self.settings = evolve(self.settings, blocked_senders=None)
        self.reload(server)
        self.assertIsNone(server.smtp.blocked)

    def test_needs_a_restart(self) -> None:
        """What is built in is named, each time, as long as it differs."""
        server = self.start()
        self.next = evolve(self.settings, hostname="mx.test", smtp=("tcp:2525",))
        for _ in range(2):
            warned = [line for line in self.reload(server) if line.startswith("warn")]
            self.assertEqual(warned, ["warn: changed only by a restart: --smtp, --hostname"])


class AnnouncementTests(ServiceTestCase):
    """What the log says at the start."""

    def announced(self, **changed: Any) -> Sequence[dict[str, Any]]:
        self.start(**changed)
        with capturedLogs() as events:
            self.reactor.run()
        return events

    def test_warns_of_unread_mail(self) -> None:
        """Without an operator's token somebody must know that nobody reads postmaster's mail."""
        warned = [event for event in self.announced() if event["log_level"] is LogLevel.warn]
        self.assertEqual(len(warned), 1)
        self.assertIn("--operator-token-file", formatEvent(warned[0]))


def _blocks(server: Server, domain: str) -> bool:
    assert server.smtp.blocked is not None
    return server.smtp.blocked.blocks("", "x", domain)


def _result(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    return Deferred.fromCoroutine(coroutine)
