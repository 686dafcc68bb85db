"""What the DNS says about our domains, asked of a real name server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock, deferLater
from twisted.names import dns
from twisted.names.common import ResolverBase
from twisted.trial.unittest import TestCase

from tempmail.core.domains import Domains
from tempmail.core.limits import DOCTOR_DNS_SECONDS, DOCTOR_NAMES_SECONDS
from tempmail.doctor.blocklists import check_blocklists
from tempmail.doctor.findings import Finding
from tempmail.doctor.names import Names, check_names, is_public
from tempmail.resolver import QuietResolver
from tempmail.settings import Settings
from tests.doctor.zone import Zone, serve

reactor: Any = the_reactor

GOOD: dict[str, list[Any]] = {
    "mail.example.org": [dns.Record_MX(10, "mx.example.org")],
    "mx.example.org": [dns.Record_A("198.41.0.4"), dns.Record_AAAA("2001:503:ba3e::2:30")],
    "4.0.41.198.in-addr.arpa": [dns.Record_PTR("mx.example.org")],
    "0.3.0.0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.e.3.a.b.3.0.5.0.1.0.0.2.ip6.arpa": [
        dns.Record_PTR("mx.example.org")
    ],
}


class Truncating(DatagramProtocol):
    """A name server that answers whatever it is asked by TCP only."""

    def datagramReceived(self, datagram: bytes, address: Any) -> None:
        asked = dns.Message()
        asked.fromStr(datagram)
        reply = dns.Message(id=asked.id, answer=1, trunc=1)
        reply.queries = asked.queries
        assert self.transport is not None
        self.transport.write(reply.toStr(), address)


async def _all(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [one async for one in findings]


class Slow(ResolverBase):
    """Takes a second for each answer, which is that there is nothing."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def _lookup(self, name: bytes, cls: int, kind: int, timeout: object) -> Deferred[Any]:
        return deferLater(self._clock, 1, lambda: ([], [], []))


class ZoneTestCase(TestCase):
    """Asks a name server of its own."""

    timeout = 30

    async def ask(self, records: dict[str, Any], broken: str = "\0") -> Names:
        """What is published is ``records``."""
        port, number = await serve(reactor, Zone(records, broken))
        self.addCleanup(port.stopListening)
        resolver = QuietResolver(reactor, ("127.0.0.1", number))
        self.addCleanup(resolver.close)
        return Names(resolver, reactor)


class NamesTests(ZoneTestCase):
    """A domain, a host name, and what is published about them."""

    async def said(
        self, records: dict[str, Any], domain: str = "mail.example.org", **changed: Any
    ) -> list[str]:
        """The findings, each as a line, ``records`` published besides the good ones."""
        names = await self.ask({**GOOD, **records}, changed.pop("broken", "\0"))
        settings = Settings(
            domains=Domains.parse([domain]),
            smtp=changed.pop("smtp", ("tcp:25",)),
            hostname=changed.pop("hostname", "mx.example.org"),
        )
        findings: list[Finding] = [one async for one in check_names(settings, names, every=True)]
        return [f"{one.level.value}: {one.text} -> {one.todo}" for one in findings]

    async def test_good(self) -> None:
        """Where everything is right, there is nothing to do."""
        self.assertEqual(
            await self.said({}),
            [
                "ok: mail.example.org has the MX mx.example.org at 198.41.0.4, "
                "2001:503:ba3e::2:30 -> ",
                "ok: 198.41.0.4 is mx.example.org, and back -> ",
                "ok: 2001:503:ba3e::2:30 is mx.example.org, and back -> ",
            ],
        )

    async def test_mistakes(self) -> None:
        """Each mistake is found, with what to do about it."""
        alias = [dns.Record_CNAME("mx.example.org"), dns.Record_A("198.41.0.4")]
        for records, expected in (
            (
                {"mail.example.org": []},
                "problem: mail.example.org has no MX record, so no mail comes -> "
                "publish `mail.example.org. MX 10 mx.example.org.`",
            ),
            (
                {"mail.example.org": [dns.Record_A("198.41.0.4")]},
                "advice: mail.example.org has no MX record, only addresses",
            ),
            (
                {"mail.example.org": [dns.Record_MX(0, "")]},
                "problem: mail.example.org says that it takes no mail (null MX)",
            ),
            (
                {"mail.example.org": [dns.Record_MX(10, "gone.example.org")]},
                "problem: mail.example.org has the MX gone.example.org, which has no address",
            ),
            (
                {
                    "mail.example.org": [dns.Record_MX(10, "alias.example.org")],
                    "alias.example.org": alias,
                },
                "problem: mail.example.org has the MX alias.example.org, which is a CNAME",
            ),
            (
                {"mx.example.org": [dns.Record_A("192.168.1.2")]},
                "problem: mail.example.org has the MX mx.example.org at 192.168.1.2: only this",
            ),
            (
                {"4.0.41.198.in-addr.arpa": [dns.Record_PTR("host4.provider.example")]},
                "advice: mx.example.org is 198.41.0.4, but 198.41.0.4 is host4.provider.example",
            ),
            (
                {"4.0.41.198.in-addr.arpa": []},
                "advice: mx.example.org is 198.41.0.4, but 198.41.0.4 has no name",
            ),
        ):
            said = await self.said(records)
            found = [line for line in said if line.startswith(expected)]
            self.assertEqual(len(found), 1, (expected, said))

    async def test_hostname(self) -> None:
        """A host name that is no MX, and one that does not exist, are found."""
        said = await self.said({}, hostname="vm.example.org")
        self.assertIn("advice: the server calls itself vm.example.org, which is no MX", said[1])
        self.assertIn("problem: vm.example.org, which we call ourselves, has no address", said[2])

    async def test_subdomains(self) -> None:
        """For a domain that stands for all below it a name below is looked up."""
        said = await self.said({}, domain="*.qa.example.org:catch-all")
        self.assertIn("problem: doctor.qa.example.org has no MX record", said[0])
        self.assertIn("`*.qa.example.org. MX 10 mx.example.org.`", said[0])

    async def test_port(self) -> None:
        """Senders come to port 25, so something has to listen there."""
        for text, heard in (
            ("tcp:25", True),
            ("tcp6:port=25:interface=\\:\\:", True),
            ("systemd:domain=INET6:name=smtp", True),
            ("haproxy:tcp:10025", True),
            ("unix:/run/smtp", True),
            ("tcp:2525", False),
        ):
            said = await self.said({}, smtp=(text,))
            self.assertEqual("port 25" not in "".join(said), heard, text)

    async def test_failing_server(self) -> None:
        """A name server that fails is advice to ask another, not a problem of ours."""
        said = await self.said({}, broken="example.org")
        self.flushLoggedErrors(RuntimeError)
        self.assertIn("advice: the DNS could not be asked (DNSServerError)", said[0])

    async def test_odd_exchange(self) -> None:
        """An MX that is no host name is a problem, and is not looked up."""
        said = await self.said({"mail.example.org": [dns.Record_MX(10, b"m\xfcx.example.org")]})
        self.assertEqual(
            said[0],
            "problem: mail.example.org has the MX m\\xfcx.example.org, which is no host name -> "
            "name a host of ASCII letters, digits and hyphens in the MX record",
        )

    async def test_no_tcp(self) -> None:
        """A name server whose answers need TCP, and that has none, is advice to ask another."""
        port = reactor.listenUDP(0, Truncating(), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        resolver = QuietResolver(reactor, ("127.0.0.1", port.getHost().port))
        self.addCleanup(resolver.close)
        settings = Settings(domains=Domains.parse(["a.example.org"]), hostname="mx.example.org")
        names = Names(resolver, reactor)
        findings = [one async for one in check_names(settings, names, every=True)]
        self.assertIn("could not be asked (ConnectionRefusedError)", findings[0].text)

    async def test_time(self) -> None:
        """All questions together have an end, however many there are."""
        clock = Clock()
        names = Names(Slow(clock), clock)
        settings = Settings(
            domains=Domains.parse([f"{number}.example.org" for number in range(50)]),
            hostname="mx.example.org",
        )
        checking = Deferred.fromCoroutine(_all(check_names(settings, names, every=True)))
        clock.pump([0.5] * (2 * int(DOCTOR_NAMES_SECONDS)))
        findings = self.successResultOf(checking)
        self.assertIn("could not be asked (TimeoutError)", "".join(one.text for one in findings))

    async def test_no_server(self) -> None:
        """Where no name server answers, it is given up within seconds."""
        silent = reactor.listenUDP(0, DatagramProtocol(), interface="127.0.0.1")
        self.addCleanup(silent.stopListening)
        server = "127.0.0.1", silent.getHost().port
        resolver = QuietResolver(reactor, server, DOCTOR_DNS_SECONDS)
        self.addCleanup(resolver.close)
        names = Names(resolver, reactor)
        settings = Settings(domains=Domains.parse(["a.example.org"]), hostname="mx.example.org")
        findings = [one async for one in check_names(settings, names, every=True)]
        self.assertIn("the DNS could not be asked (", findings[0].text)

    def test_private_names(self) -> None:
        """Names that no name server outside knows are not asked for."""
        for name, public in (
            ("tempmail.test", False),
            ("localhost", False),
            ("mail.internal", False),
            ("mail.example.org", True),
        ):
            self.assertEqual(is_public(name), public, name)


class BlocklistsTests(ZoneTestCase):
    """Lists that clients would be looked up in."""

    async def said(self, *codes: str, has_everybody: bool = False, broken: str = "\0") -> str:
        """What is said of a list that answers so about the address that every list has."""
        names = await self.ask(
            {
                "2.0.0.127.bl.test": [dns.Record_A(code) for code in codes],
                "1.0.0.127.bl.test": [dns.Record_A(code) for code in codes if has_everybody],
            },
            broken,
        )
        settings = Settings(dnsbls=("bl.test",))
        [finding] = [one async for one in check_blocklists(settings, names)]
        return f"{finding.level.value}: {finding.text}"

    async def test_each(self) -> None:
        """What the list answers decides whether there is anything to do."""
        self.assertEqual(await self.said("127.0.0.2", "127.0.0.4"), "ok: bl.test answers us")
        for code in ("127.255.255.254", "192.0.2.1"):
            said = await self.said(code)
            self.assertIn(f"advice: bl.test answers {code}, which is an error", said)
        self.assertIn("advice: bl.test does not have 127.0.0.2", await self.said())
        said = await self.said("127.0.0.2", has_everybody=True)
        self.assertEqual(said, "problem: bl.test has every address, so no mail comes")

    async def test_failing(self) -> None:
        """One that can not be asked is advice, for it refuses nobody."""
        said = await self.said("127.0.0.2", broken="bl.test")
        self.flushLoggedErrors(RuntimeError)
        self.assertIn("advice: bl.test does not answer (DNSServerError)", said)
