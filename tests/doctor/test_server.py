"""What the server itself needs: ports, certificates, the machine, the operator's token."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tempmail.core.limits import MEGA, Limits
from tempmail.core.machine import machine_memory
from tempmail.doctor.blocklists import check_blocked_senders
from tempmail.doctor.certificates import check_certificates
from tempmail.doctor.findings import Finding, Level
from tempmail.doctor.machine import check_clock, check_machine, check_user
from tempmail.doctor.operator import check_operator
from tempmail.doctor.places import Place, parse_place
from tempmail.doctor.ports import check_ports
from tempmail.doctor.restarts import check_restarts
from tempmail.service import assemble
from tempmail.settings import Settings
from tests.certificates import Authority, Issued
from tests.live.daemon import free_port

LOCAL = "tcp:0:interface=127.0.0.1"


def told(findings: Iterable[Finding]) -> list[str]:
    """Findings as lines."""
    return [f"{finding.level.value}: {finding.text}" for finding in findings]


class PortsTests(TestCase):
    """Endpoints, on real sockets."""

    timeout = 30

    async def said(self, settings: Settings) -> list[str]:
        return told([one async for one in check_ports(settings, reactor)])

    async def test_free(self) -> None:
        """A place that can be had is."""
        said = await self.said(Settings(smtp=(LOCAL,), http=(LOCAL, "systemd:domain=INET:name=h")))
        self.assertEqual(
            said,
            [
                f"ok: SMTP on {LOCAL}: free, and ours to take",
                f"ok: HTTP on {LOCAL}: free, and ours to take",
                "ok: HTTP on systemd:domain=INET:name=h: systemd hands it over when it starts us",
            ],
        )

    async def test_twice(self) -> None:
        """A place that two endpoints ask for is a problem, as it is when the server starts."""
        text = f"tcp:{free_port()}:interface=127.0.0.1"
        said = await self.said(Settings(smtp=(text,), http=(text,)))
        self.assertEqual(said[0], f"ok: SMTP on {text}: free, and ours to take")
        self.assertEqual(said[1], f"problem: can not listen on {text}: Address already in use")
        said = await self.said(Settings(smtp=(text,), http=()))
        self.assertEqual(said[0], f"ok: SMTP on {text}: free, and ours to take")

    async def test_taken(self) -> None:
        """A place where somebody else listens is a problem."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            text = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
            # It accepts and says nothing, so whoever asks has to give up.
            said = await self.said(Settings(smtp=(text,), http=(LOCAL,)))
        self.assertEqual(said[0], f"problem: can not listen on {text}: Address already in use")

    async def test_served(self) -> None:
        """A place where our server listens is not, in each protocol it has."""
        path = Path(self.mktemp()).absolute()
        settings = Settings(hostname="mx.test", smtp=(LOCAL,), smtps=(LOCAL,), https=(LOCAL,))
        settings = evolve(settings, http=(f"unix:{path}",), self_signed=True)
        server = assemble(settings, reactor)
        server.doors.privilegedStartService()
        self.addCleanup(server.doors.stopService)
        self.addCleanup(server.smtp.close, 0)
        ports = [f"tcp:{number}:interface=127.0.0.1" for number in map(_port, server.doors._ports)]
        known = evolve(settings, smtp=(ports[0],), smtps=(ports[1],), https=(ports[3],))
        said = await self.said(known)
        self.assertEqual([line.endswith("a tempmail serves there") for line in said], [True] * 4)

    async def test_behind_haproxy(self) -> None:
        """Nor is one where it expects the PROXY header first, in any protocol."""
        place = f"haproxy:{LOCAL}"
        settings = Settings(hostname="mx.test", smtp=(place,), smtps=(place,), http=(place,))
        settings = evolve(settings, https=(place,), self_signed=True)
        server = assemble(settings, reactor)
        server.doors.privilegedStartService()
        self.addCleanup(server.doors.stopService)
        self.addCleanup(server.smtp.close, 0)
        one, two, three, four = (
            (f"haproxy:tcp:{_port(port)}:interface=127.0.0.1",) for port in server.doors._ports
        )
        said = await self.said(evolve(settings, smtp=one, smtps=two, http=three, https=four))
        self.assertEqual([line.endswith("a tempmail serves there") for line in said], [True] * 4)

    async def test_not_ours(self) -> None:
        """Another mail server is not taken for ours."""
        other = await serverFromString(reactor, LOCAL).listen(_greeter(b"220 other ESMTP\r\n"))
        self.addCleanup(other.stopListening)
        text = f"tcp:{_port(other)}:interface=127.0.0.1"
        said = await self.said(Settings(smtp=(text,), http=(LOCAL,)))
        self.assertIn("problem: can not listen", said[0])

    async def test_no_endpoint(self) -> None:
        """A text that is no endpoint is a problem."""
        said = await self.said(Settings(smtp=("tpc:25",), http=(LOCAL,)))
        self.assertIn("problem: --smtp 'tpc:25' is no endpoint", said[0])

    async def test_todo(self) -> None:
        """What to do depends on why it can not be opened."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]
            for text, expected in (
                (f"tcp:{number}:interface=127.0.0.1", "stop what listens there"),
                ("tcp:0:interface=192.0.2.1", "see docs/running.md"),
                ("unix:/nowhere/at/all", "see docs/running.md"),
            ):
                settings = Settings(smtp=(text,), http=(LOCAL,))
                [finding, _] = [one async for one in check_ports(settings, reactor)]
                self.assertEqual(finding.level, Level.PROBLEM)
                self.assertIn(expected, finding.todo)

    def test_places(self) -> None:
        """The place in an endpoint's text is found however it is written."""
        for text, place in (
            ("tcp:25", Place("tcp", "25", "")),
            ("haproxy:tcp6:port=25", Place("tcp6", "25", "::")),
            ("tcp:25:interface=\\:\\:1", Place("tcp", "25", "::1")),
            ("unix:/run/x:mode=660", Place("unix", "/run/x", "")),
            ("unix:address=/run/x", Place("unix", "/run/x", "")),
        ):
            self.assertEqual(parse_place(text), place)


class CertificatesTests(SynchronousTestCase):
    """Certificates and keys in files."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.authority = Authority()
        self.now = datetime.now(UTC)

    def said(self, issued: Issued, hostname: str = "mx.test") -> list[str]:
        certificate, key = issued.write(self.directory)
        settings = Settings(certificates=(certificate,), keys=(key,), hostname=hostname)
        return told(check_certificates(settings, self.now))

    def assert_said(self, said: list[str], expected: str) -> None:
        found = [line for line in said if expected in line]
        self.assertEqual(len(found), 1, (expected, said))

    def test_good(self) -> None:
        """The one thing to say of a good one is that we do not know its authority."""
        good, strange = self.said(self.authority.issue("mx.test"))
        self.assertRegex(good, r"^ok: .*/mx.pem for mx.test: the key fits, 89\.\d days left$")
        self.assertRegex(strange, "^advice: the authorities this machine knows do not vouch")

    def test_dates(self) -> None:
        """Before its time, late in it, and after it."""
        for age, expected in (
            (-1, "problem: .* is valid from .* on"),
            (70, r"advice: .* expires in 2\d\.\d days, and nobody has renewed it"),
            (91, "problem: .* has expired on "),
        ):
            said = self.said(self.authority.issue("mx.test", age=age))
            self.assertRegex(said[0], expected)

    def test_names(self) -> None:
        """A certificate has names, among them the server's."""
        self.assert_said(self.said(self.authority.issue()), "problem: ")
        self.assert_said(self.said(self.authority.issue("other.test")), "is for mx.test, which is")
        said = self.said(self.authority.issue("*.test"))
        self.assertNotIn("--hostname", "".join(said))

    def test_chain(self) -> None:
        """What follows a certificate is that of who signed it."""
        issued = self.authority.issue("mx.test")
        strange = Authority().issue("other.test", chained=False)
        wrong = Issued(issued.chain + strange.chain, issued.key)
        self.assert_said(self.said(wrong), "is not followed by that of its issuer")

    def test_unusable(self) -> None:
        """What the server would refuse is a problem, in the same words."""
        issued, other = self.authority.issue("mx.test"), self.authority.issue("mx.test")
        self.assert_said(self.said(Issued(issued.chain, other.key)), "problem: the key in ")

    def test_permissions(self) -> None:
        """A key that everybody may read is a problem."""
        certificate, key = self.authority.issue("mx.test").write(self.directory)
        key.chmod(0o644)
        settings = Settings(certificates=(certificate,), keys=(key,), hostname="mx.test")
        said = told(check_certificates(settings, self.now))
        self.assert_said(said, "problem: everybody on this machine may read the key")

    def test_none(self) -> None:
        """Without TLS, and with a certificate of its own making, there is advice."""
        self.assertIn("advice: there is no TLS", told(check_certificates(Settings(), self.now))[0])
        said = told(check_certificates(Settings(self_signed=True), self.now))
        self.assertIn("advice: the certificate is self-signed", said[0])


class MachineTests(SynchronousTestCase):
    """Memory, files, clock."""

    def test_memory(self) -> None:
        """More than there is, is a problem; nearly all of it deserves advice."""
        there = machine_memory()
        for memory, level in ((there, "problem"), (there * 9 // 10, "advice"), (64 * MEGA, "ok")):
            limits = Limits(memory=memory, max_message_size=MEGA)
            [finding] = [
                one for one in check_machine(Settings(limits=limits)) if one.check == "memory"
            ]
            self.assertEqual(finding.level.value, level, finding)

    def test_user(self) -> None:
        """Root without systemd, whose unit names somebody else, is told to become somebody."""
        units = Settings(smtp=("haproxy:systemd:domain=INET:name=s",), http=("systemd:name=h",))
        for settings, uid, level in (
            (Settings(), 0, Level.ADVICE),
            (Settings(), 65534, Level.OK),
            (units, 0, Level.OK),
            (evolve(units, admin=(LOCAL,)), 0, Level.ADVICE),
        ):
            [finding] = check_user(settings, uid)
            self.assertEqual((finding.check, finding.level), ("user", level))
            self.assertEqual("--uid" in finding.todo, level is Level.ADVICE)

    def test_files(self) -> None:
        """More connections than files may be open deserve advice."""
        for most, level in ((10**9, Level.ADVICE), (10, Level.OK)):
            limits = Limits(max_connections=most, max_http_connections=most)
            [finding] = [
                one for one in check_machine(Settings(limits=limits)) if one.check == "files"
            ]
            self.assertEqual(finding.level, level, finding)

    def test_clock(self) -> None:
        """A clock from before the installation is wrong; else the kernel is asked."""
        long_ago = datetime.now(UTC) - timedelta(days=40 * 365)
        self.assertIn("problem: it is ", told(check_clock(long_ago))[0])
        [said] = told(check_clock(datetime.now(UTC)))
        self.assertRegex(said, "^(ok|advice): .*the kernel")


class OperatorTests(SynchronousTestCase):
    """The token that opens postmaster@ and abuse@."""

    def said(self, text: str | None, mode: int = 0o600) -> str:
        path = None
        if text is not None:
            path = Path(self.mktemp())
            path.write_text(text)
            path.chmod(mode)
        [said] = told(check_operator(Settings(operator_token_file=path)))
        return said

    def test_token(self) -> None:
        """There has to be one, one word long, hard to guess, and a secret."""
        for text, mode, expected in (
            (None, 0o600, "advice: mail to postmaster and abuse is taken"),
            ("two words", 0o600, "problem: "),
            ("pässword-of-sorts!", 0o600, "problem: "),
            ("password,of,sorts", 0o600, "problem: "),
            ("short", 0o600, "advice: the token in "),
            ("x" * 28, 0o644, "problem: everybody on this machine may read "),
            ("x" * 28, 0o640, "ok: "),
        ):
            said = self.said(text, mode)
            self.assertTrue(said.startswith(expected), said)

    def test_unreadable(self) -> None:
        """A file that is not there is a problem; one that can not be read is not to be replaced."""
        nowhere = Path(os.devnull).parent / "no-such-file"
        [finding] = check_operator(Settings(operator_token_file=nowhere))
        self.assertEqual(told([finding]), [f"problem: {nowhere}: No such file or directory"])
        self.assertIn("> FILE", finding.todo)
        folder = nowhere.parent
        [finding] = check_operator(Settings(operator_token_file=folder))
        self.assertEqual(told([finding]), [f"problem: {folder}: Is a directory"])
        self.assertNotIn("> FILE", finding.todo)


class BlockedSendersTests(SynchronousTestCase):
    """The operator's list of senders."""

    def test_file(self) -> None:
        """One with which the server does not start is a problem, and none is nothing to tell."""
        folder = Path(self.mktemp())
        folder.mkdir()
        for name, text in (("good", b"a.test\n"), ("bad", b"a.test\n*@b.test\n"), ("odd", b"\xff")):
            (folder / name).write_bytes(text)
        for path, expected in (
            (folder / "good", "ok: "),
            (folder / "bad", f"problem: --blocked-senders {folder / 'bad'}: line 2: '*@b.test': "),
            (folder / "odd", f"problem: --blocked-senders {folder / 'odd'}: "),
            (folder / "none", f"problem: --blocked-senders {folder / 'none'}: No such file"),
        ):
            [said] = told(check_blocked_senders(Settings(blocked_senders=path)))
            self.assertTrue(said.startswith(expected), said)
        self.assertEqual(told(check_blocked_senders(Settings())), [])


def _port(port: Any) -> int:
    return getattr(port.getHost(), "port", 0)


def _greeter(greeting: bytes) -> Any:
    from twisted.internet.protocol import Factory, Protocol

    class Greeter(Protocol):
        def connectionMade(self) -> None:
            assert self.transport is not None
            self.transport.write(greeting)

    factory = Factory.forProtocol(Greeter)
    factory.noisy = False
    return factory


class RestartsTests(SynchronousTestCase):
    """What is kept over a restart."""

    def test_snapshot(self) -> None:
        """Its folder has to be there, writable and large enough, and its place free for a file."""
        folder = Path(self.mktemp())
        (folder / "odd.new").mkdir(parents=True)
        small, huge = Limits(memory=MEGA), Limits(memory=2**60)
        for path, limits, expected in (
            (None, small, "advice: all mail and addresses are gone after a restart"),
            (folder / "none" / "kept", small, "problem: there is no folder "),
            (folder, small, f"problem: {folder.absolute()} is no file"),
            (folder / ("x" * 300) / "kept", small, "problem: can not look at "),
            (folder / "odd", small, f"problem: {folder.absolute() / 'odd.new'} is no file"),
            (Path("/proc/kept"), small, "problem: nothing can be written to /proc"),
            (folder / "kept", huge, f"advice: {folder.absolute()} has "),
            (folder / "kept", small, "ok: mail is kept in "),
        ):
            [said] = told(check_restarts(Settings(snapshot=path, limits=limits)))
            self.assertTrue(said.startswith(expected), said)
