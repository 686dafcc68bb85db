"""A receiver in memory: a post office whose answers the test decides, a clock, clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from attrs import frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tempmail.core.address import Address
from tempmail.core.domains import Domains
from tempmail.core.errors import MemoryFull
from tempmail.core.limits import Limits
from tempmail.core.message import Envelope, Octets
from tempmail.interfaces import IMailDrop
from tempmail.smtp.factory import SessionFactory

HOSTNAME = "mx.tempmail.test"
# A day, so that nothing works only because the clock began at zero.
START = 86_400.0

MAIL = b"MAIL FROM:<ann@example.org>\r\n"
RCPT = b"RCPT TO:<bob@tempmail.test>\r\n"
DATA = b"DATA\r\n"
# A transaction up to where the octets of the mail come.
OPENED = MAIL + RCPT + DATA


@frozen
class Mail:
    """What the post office was given."""

    envelope: Envelope
    recipients: list[str]
    octets: bytes


class Raised(Exception):
    """An answer of a post office that is broken: it raises this instead of answering."""


Answer = Deferred[None] | Exception | None


@implementer(IMailDrop)
class Drop:
    """A post office that answers what the test put in ``checks`` and ``deliveries``, then yes.

    An exception is what the answer fails with, but :class:`Raised` is raised.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.domains = Domains.parse(["tempmail.test", "qa.test:catch-all"])
        self.checks: list[Answer] = []
        self.deliveries: list[Answer] = []
        self.asked: list[tuple[str, int]] = []
        self.mails: list[Mail] = []
        self.refusals: list[tuple[str, str, str, str]] = []
        self.reserved = self.most_reserved = 0
        self.room = 2**62

    def reserve(self, octets: int, client: str) -> None:
        if self.reserved + octets > self.room:
            raise MemoryFull
        self.reserved += octets
        self.most_reserved = max(self.most_reserved, self.reserved)

    def release(self, octets: int, client: str) -> None:
        assert 0 < octets <= self.reserved, (octets, self.reserved)
        self.reserved -= octets

    def check_recipient(self, address: Address, octets: int, client: str) -> Deferred[None]:
        self.asked.append((address.key, octets))
        return _answer(self.checks)

    def deliver(
        self, envelope: Envelope, recipients: Sequence[Address], octets: Octets
    ) -> Deferred[None]:
        self.mails.append(Mail(envelope, [address.key for address in recipients], bytes(octets)))
        return _answer(self.deliveries)

    def report_refusal(
        self, envelope: Envelope, recipients: Sequence[Address], stage: str, reply: str
    ) -> None:
        for address in recipients:
            self.refusals.append((address.key, envelope.mail_from, stage, reply))

    @property
    def kept(self) -> list[bytes]:
        """The octets of each mail, in order."""
        return [mail.octets for mail in self.mails]


def _answer(answers: list[Answer]) -> Deferred[None]:
    answer = answers.pop(0) if answers else None
    if isinstance(answer, Raised):
        raise answer
    if isinstance(answer, Deferred):
        return answer
    return succeed(None) if answer is None else fail(answer)


class Line(StringTransport):
    """A connection in memory. Closing it is noted; that the peer heard of it is for the test."""

    half_closed = False
    bufferSize = 65536

    def __init__(self, peer: IAddress) -> None:
        super().__init__(peerAddress=peer)
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Note what is written, and in how many writes."""
        self.writes.append(data)
        super().write(data)

    def loseWriteConnection(self) -> None:
        """Close our side."""
        self.half_closed = True

    @property
    def closed(self) -> bool:
        """Whether the server let go of it, in whatever way."""
        return self.half_closed or self.disconnecting or self.disconnected

    @property
    def paused(self) -> bool:
        """Whether the server reads nothing now."""
        return bool(self.producerState == "paused")


class Client:
    """The other end of one session."""

    def __init__(self, factory: SessionFactory, host: str = "192.0.2.1") -> None:
        kind = IPv6Address if ":" in host else IPv4Address
        address = kind("TCP", host, 54321)
        self.line = Line(address)
        session = factory.buildProtocol(address)
        assert session is not None
        self.session = session
        self.gone = False
        self.session.makeConnection(self.line)

    def heard(self) -> bytes:
        """What the server said since this was last asked."""
        said: bytes = self.line.value()
        self.line.clear()
        return said

    def send(self, *pieces: bytes) -> bytes:
        """Send each piece by itself; returns what the server said to all of them."""
        for piece in pieces:
            self.session.dataReceived(piece)
        return self.heard()

    def codes(self, *pieces: bytes) -> list[int]:
        """The same, as the codes of the answers."""
        return codes(self.send(*pieces))

    def stop_sending(self) -> None:
        """Close our side; go on listening."""
        self.session.readConnectionLost()

    def hang_up(self) -> None:
        """End the connection, as the reactor would tell the session."""
        if not self.gone:
            self.gone = True
            self.session.connectionLost(Failure(ConnectionDone()))


def codes(said: bytes) -> list[int]:
    """The code of each answer; of one that has several lines it is one."""
    assert said == b"" or said.endswith(b"\r\n"), said
    return [int(line[:3]) for line in said.split(b"\r\n") if line[3:4] == b" "]


def ways(stream: bytes) -> Iterator[list[bytes]]:
    """The stream whole, octet by octet, and in two pieces cut at every place."""
    yield [stream]
    yield [stream[place : place + 1] for place in range(len(stream))]
    for place in range(1, len(stream)):
        yield [stream[:place], stream[place:]]


def cut(stream: bytes, places: Sequence[int]) -> list[bytes]:
    """The stream in pieces, cut at these places, wherever they lie."""
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[begin:end] for begin, end in pairwise(edges)]


class ReceiverTestCase(SynchronousTestCase):
    """A receiver. However its sessions end, nothing of them may be left."""

    limits = Limits()

    def setUp(self) -> None:
        self.start(self.limits)

    def start(self, limits: Limits, tls: object | None = None) -> None:
        """Begin anew with these limits."""
        self.clock = Clock()
        self.clock.advance(START)
        self.drop = Drop(limits)
        self.factory = SessionFactory(self.drop, self.clock, HOSTNAME, tls)
        self.factory.startFactory()
        self.clients: list[Client] = []

    def tearDown(self) -> None:
        for client in self.clients:
            client.hang_up()
        self.assertEqual(self.drop.reserved, 0, "memory that was never given back")
        self.assertEqual(self.factory.connections, 0)
        self.successResultOf(self.factory.close(1.0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def connect(self, host: str = "192.0.2.1") -> Client:
        """A client that has not heard the greeting yet."""
        client = Client(self.factory, host)
        self.clients.append(client)
        return client

    def greeted(self, host: str = "192.0.2.1") -> Client:
        """A client that was greeted and said EHLO."""
        client = self.connect(host)
        client.send(b"EHLO client.example.org\r\n")
        return client

    def pass_time(self, seconds: float) -> None:
        """Turn the clock second by second, as the reactor would."""
        self.clock.pump([1.0] * int(seconds))
