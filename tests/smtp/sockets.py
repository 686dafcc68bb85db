"""A receiver on real sockets, with the real post office, and clients that talk to it by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    connectProtocol,
    serverFromString,
)
from twisted.internet.interfaces import IListeningPort, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tempmail.certificates import self_signed
from tempmail.core.address import parse_address
from tempmail.core.budget import Budget
from tempmail.core.domains import Domains
from tempmail.core.limits import Limits
from tempmail.core.message import Message
from tempmail.doorbell import Doorbell
from tempmail.postoffice import PostOffice
from tempmail.reading import Reading
from tempmail.smtp.factory import SessionFactory
from tempmail.smtp.session import Session
from tempmail.store.memory import MemoryStore
from tempmail.tls import ServerTLS
from tests.workers import in_this_process

# The types of a reactor are spread over a dozen interfaces.
reactor: Any = the_reactor

__all__ = ["Listening", "Talker", "reactor", "turn", "until"]


class Talker(Protocol):
    """The client's end: sends what it is told to, and waits for what is to come."""

    transport: Any

    def __init__(self) -> None:
        self.heard = b""
        self.reason: Failure | None = None
        self._wanted: Callable[[], bool] = lambda: False
        self._waiting: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        """Take it, and wake who waits for it."""
        self.heard += data
        self._look()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Remember why, and wake who waits."""
        self.reason = reason
        self._look()

    def _look(self) -> None:
        if self._waiting is not None and (self._wanted() or self.reason is not None):
            waiting, self._waiting = self._waiting, None
            waiting.callback(None)

    async def _wait(self, wanted: Callable[[], bool]) -> None:
        if not wanted() and self.reason is None:
            self._wanted, self._waiting = wanted, Deferred()
            await self._waiting

    def send(self, octets: bytes) -> None:
        """Send, and wait for nothing."""
        self.transport.write(octets)

    async def answer(self) -> bytes:
        """The next answer, all its lines; what came of it if the connection ends before."""

        def end() -> int:
            place = 0
            while True:
                following = self.heard.find(b"\r\n", place) + 2
                if following == 1:
                    return 0
                if self.heard[place + 3 : place + 4] == b" ":
                    return following
                place = following

        await self._wait(lambda: bool(end()))
        place = end() or len(self.heard)
        said, self.heard = self.heard[:place], self.heard[place:]
        return said

    async def say(self, octets: bytes, answers: int = 1) -> list[int]:
        """Send, and give the codes of so many answers."""
        self.send(octets)
        return [int((await self.answer())[:3] or 0) for _ in range(answers)]

    async def rest(self) -> bytes:
        """All that is still said, to the end of the connection."""
        await self._wait(lambda: False)
        return self.heard

    async def start_tls(self, behind: bytes = b"") -> None:
        """STARTTLS, with ``behind`` sent in plain text in the same segment, and the handshake."""
        self.send(b"STARTTLS\r\n" + behind)
        answer = await self.answer()
        assert answer.startswith(b"220 "), answer
        self.transport.startTLS(CertificateOptions())


async def turn() -> None:
    """Let the reactor do what there is to do."""
    await deferLater(reactor, 0)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is so that nobody tells us of."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        await deferLater(reactor, 0.005)


class Office(PostOffice):
    """The real one; ``reserved`` is what is half received."""

    reserved = 0

    def reserve(self, octets: int, client: str) -> None:
        super().reserve(octets, client)
        self.reserved += octets

    def release(self, octets: int, client: str) -> None:
        super().release(octets, client)
        self.reserved -= octets


class Listening(TestCase):
    """A receiver on loopback; after each test no session and no reserved memory may be left."""

    timeout = 60
    limits = Limits()
    tls = False
    # What sessions' times are measured by.
    clock: Any = reactor

    def setUp(self) -> None:
        budget = Budget(self.limits.memory)
        doorbell = Doorbell(reactor)
        self.store = MemoryStore(reactor, self.limits, budget, doorbell)
        self.office = Office(
            reactor,
            self.store,
            doorbell,
            Reading(budget, in_this_process),
            budget,
            Domains.parse(["tempmail.test", "qa.test:catch-all", "bücher.example:catch-all"]),
            self.limits,
        )
        tls = ServerTLS([self_signed(["localhost"])]) if self.tls else None
        self.factory = SessionFactory(self.office, self.clock, "mx.tempmail.test", tls)
        self.talkers: list[Talker] = []
        self.ports: list[IListeningPort] = []
        self.listen(reactor.listenTCP(0, self.factory, 1000, "127.0.0.1"))

    def listen(self, port: IListeningPort) -> None:
        """Close this port, too, at the end."""
        self.ports.append(port)
        self.port: int = getattr(port.getHost(), "port", 0)

    async def listen_on(self, text: str) -> None:
        """Listen on an endpoint written as text, too."""
        self.listen(await serverFromString(reactor, text).listen(self.factory))

    async def tearDown(self) -> None:  # type: ignore[override]
        for port in self.ports:
            await maybeDeferred(port.stopListening)
        for talker in self.talkers:
            if talker.transport is not None:
                talker.transport.abortConnection()
        await until(lambda: not self.factory.connections)
        await self.factory.close(1.0)
        self.assertEqual(self.office.reserved, 0, "memory that was never given back")

    def session(self) -> Session:
        """The one session there is."""
        (session,) = self.factory._sessions
        return session

    async def talk(self, endpoint: IStreamClientEndpoint | None = None) -> Talker:
        """A connection that was not greeted yet."""
        talker = Talker()
        self.talkers.append(talker)
        await connectProtocol(
            endpoint or TCP4ClientEndpoint(reactor, "127.0.0.1", self.port), talker
        )
        return talker

    async def greeted(self, endpoint: IStreamClientEndpoint | None = None) -> Talker:
        """A connection that was greeted and said EHLO."""
        talker = await self.talk(endpoint)
        self.assertEqual((await talker.answer())[:4], b"220 ")
        self.assertEqual(await talker.say(b"EHLO client.example.org\r\n"), [250])
        return talker

    async def mails(self, address: str = "bob@qa.test") -> list[Message]:
        """What a mailbox holds."""
        return await self.store.messages(parse_address(address), 0, 1000)
