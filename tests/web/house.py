"""The real web server on a real post office, without sockets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen
from treq.client import HTTPClient
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IConsumer, ISSLTransport, ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.test import iosim
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer
from zope.interface import implementer

from tempmail.core.address import parse_address
from tempmail.core.budget import Budget
from tempmail.core.domains import Domains
from tempmail.core.limits import Limits
from tempmail.core.message import Envelope
from tempmail.core.peer import IPNetwork
from tempmail.doorbell import Doorbell
from tempmail.postoffice import PostOffice
from tempmail.rates import Rates
from tempmail.reading import Reading
from tempmail.store.memory import MemoryStore
from tempmail.waiting import Minted
from tempmail.web.front import build_site
from tempmail.web.site import Exposure, Site
from tests.workers import in_this_process

NOW = 1_700_000_000.0
MAIL = b"From: Ann <ann@example.org>\r\nSubject: Hello\r\n\r\nGood morning.\r\n"


class House:
    """Everything behind the web, on a clock that the test turns."""

    store_type = MemoryStore
    office_type = PostOffice

    def __init__(
        self,
        limits: Limits | None = None,
        exposure: Exposure | None = None,
        exempt: Iterable[IPNetwork] | None = None,
    ) -> None:
        """Clients are counted where it is said who is ``exempt``."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.limits = limits or Limits()
        self.budget = Budget(self.limits.memory)
        self.doorbell = Doorbell(self.clock)
        self.store = self.store_type(self.clock, self.limits, self.budget, self.doorbell)
        self.office = self.office_type(
            self.clock,
            self.store,
            self.doorbell,
            Reading(self.budget, in_this_process),
            self.budget,
            Domains.parse(["tempmail.test", "qa.test:catch-all"]),
            self.limits,
        )
        self.rates = None if exempt is None else Rates(self.clock, self.limits, exempt)
        self.site: Site = build_site(
            self.office,
            self.clock,
            self.budget,
            exposure or Exposure(),
            checks=[self._check],
            rates=self.rates,
        )
        # What readiness waits for: SMTP, in the real house.
        self.smtp: Deferred[None] = succeed(None)
        self.agent = SiteAgent(self.site)

    async def _check(self) -> None:
        await self.smtp

    def turn(self, seconds: float = 0.0) -> None:
        """Let time go by, and what was written arrive."""
        self.clock.advance(seconds)
        self.agent.flush()


@frozen
class Answer:
    """What a client got."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@implementer(IAgent)
class SiteAgent:
    """Talks to a site in memory, as treq's own does to a resource."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._reactor = MemoryReactorClock()
        self._agent = Agent(self._reactor)
        self._pumps: list[Any] = []

    def request(self, *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Make a request, on a connection of its own."""
        response = self._agent.request(*args, **kwargs)
        *_, factory, _, _ = self._reactor.tcpClients[-1]
        here, there = (IPv4Address("TCP", "127.0.0.1", port) for port in (80, 31337))
        server, client = self._site.buildProtocol(there), factory.buildProtocol(None)
        self._pumps.append(
            iosim.connect(
                server,
                iosim.FakeTransport(server, isServer=True, hostAddress=here, peerAddress=there),
                client,
                iosim.FakeTransport(client, isServer=False, hostAddress=there, peerAddress=here),
            )
        )
        return response

    def flush(self) -> None:
        """Bring over what was written."""
        for pump in self._pumps:
            pump.flush()


@implementer(IBodyProducer)
class Body:
    """A request's body, sent at once."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.length = len(octets)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Send it."""
        consumer.write(self.octets)
        return succeed(None)

    def pauseProducing(self) -> None:
        """It is sent already."""

    def resumeProducing(self) -> None:
        """It is sent already."""

    def stopProducing(self) -> None:
        """It is sent already."""


class WebTestCase(SynchronousTestCase):
    """A test with a house and a client."""

    def setUp(self) -> None:
        """Build the house."""
        self.house = self.make_house()
        self.treq = HTTPClient(self.house.agent, data_to_body_producer=Body)

    def make_house(self) -> House:
        """The house to test in."""
        return House()

    def start(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Deferred[Answer]:
        """Ask, and get the answer when there is one. ``more`` is treq's: json, data, params."""
        sent = Headers({name: [value] for name, value in (headers or {}).items()})
        if token is not None:
            sent.setRawHeaders("Authorization", [f"Bearer {token}"])
        asked = self.treq.request(method, f"http://127.0.0.1{path}", headers=sent, **more)
        answer: Deferred[Answer] = Deferred.fromCoroutine(_read(asked))
        self.house.agent.flush()
        return answer

    def ask(self, method: str, path: str, **more: Any) -> Answer:
        """Ask, and get the answer at once."""
        return self.successResultOf(self.start(method, path, **more))

    def mint(self, **wished: Any) -> Minted:
        """A mailbox."""
        return self.successResultOf(Deferred.fromCoroutine(self.house.office.mint(**wished)))

    def deliver(self, to: str, octets: bytes = MAIL, sender: str = "ann@example.org") -> None:
        """A mail, as SMTP delivers it."""
        envelope = Envelope(sender, helo="mail.example.org", peer="192.0.2.9", protocol="ESMTPS")
        self.successResultOf(self.house.office.deliver(envelope, [parse_address(to)], octets))
        self.house.turn()

    def assert_problem(self, answer: Answer, status: int, *fields: str) -> None:
        """The answer is a problem of this status, about these fields."""
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        document = answer.json
        self.assertEqual(document["status"], status)
        self.assertTrue(document["type"] and document["title"] and document["detail"])
        self.assertEqual([error["field"] for error in document.get("errors", [])], list(fields))


async def _read(asked: Deferred[Any]) -> Answer:
    response = await asked
    headers = {
        name.decode().lower(): b", ".join(values).decode()
        for name, values in response.headers.getAllRawHeaders()
    }
    return Answer(response.code, headers, await response.content())


@implementer(ITCPTransport)
class Wire(StringTransport):
    """A TCP connection from one client, for a test to write octets to and read octets from."""

    bufferSize = 65536

    def __init__(self, site: Site, host: str = "192.0.2.1") -> None:
        super().__init__(peerAddress=IPv4Address("TCP", host, 31337))
        self.half_closed = self.aborting = False
        self._reading = True
        self.channel: Protocol = site.buildProtocol(None)
        self.channel.makeConnection(self)

    def send(self, octets: bytes) -> bytes:
        """Send, and get what was answered."""
        self.channel.dataReceived(octets)
        return self.take()

    def take(self) -> bytes:
        """What was written since the last time."""
        written: bytes = self.value()
        self.clear()
        return written

    def send_slowly(self, octets: bytes) -> None:
        """Send, and read nothing: the buffers of a transport are full after 64 kB."""
        self._reading = False
        self.channel.dataReceived(octets)

    def drain(self) -> bytes:
        """Read on till nothing more comes, as much at a time as fits the buffers."""
        read = b""
        while taken := self.take():
            read += taken
            self.reader.resumeProducing()
        self._reading = True
        return read

    def write(self, data: bytes) -> None:
        """What the server sends."""
        super().write(data)
        if not self._reading and len(self.value()) > 64 * 1024:
            self.reader.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """The same in pieces."""
        self.write(b"".join(data))

    @property
    def reader(self) -> Any:
        """What is told when the client does not read, and when it does again."""
        return self.producer

    def hang_up(self) -> None:
        """The client goes."""
        self.channel.connectionLost(Failure(ConnectionDone()))

    @property
    def closed(self) -> bool:
        """Whether the server closed the connection, or its half of it."""
        return self.disconnecting or self.half_closed or self.aborting

    def abortConnection(self) -> None:
        """Cut off."""
        self.aborting = True

    def loseWriteConnection(self) -> None:
        """No more is written."""
        self.half_closed = True

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Of no consequence."""

    def getTcpNoDelay(self) -> bool:
        """Of no consequence."""
        return True

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Of no consequence."""

    def getTcpKeepAlive(self) -> bool:
        """Of no consequence."""
        return True


@implementer(ISSLTransport)
class SecureWire(Wire):
    """The same under TLS."""

    transport = StringTransport()

    def getPeerCertificate(self) -> None:
        """Nobody shows one."""


def status_of(octets: bytes) -> int:
    """The status of an answer as it came over the wire."""
    return int(octets.split(b" ", 2)[1])
