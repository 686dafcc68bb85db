"""Asking name servers."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import capturedLogs
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import DNS_TRIES
from tempmail.resolver import QuietResolver


class Socket:
    """Notes what is sent where."""

    def stopListening(self) -> None:
        """It is closed."""

    def __init__(self) -> None:
        self.sent: list[tuple[dns.Message, tuple[str, int]]] = []

    def write(self, octets: bytes, address: tuple[str, int]) -> None:
        """One question."""
        message = dns.Message()
        message.fromStr(octets)
        self.sent.append((message, address))


class Network(MemoryReactorClock):
    """A reactor in memory that has UDP."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[tuple[str, Any, Socket]] = []

    def listenUDP(self, port: int, protocol: Any, interface: str = "", **more: int) -> None:
        """Open a socket."""
        self.opened.append((interface, protocol, Socket()))
        protocol.makeConnection(self.opened[-1][2])


class QuietResolverTests(SynchronousTestCase):
    """What it asks, of whom, and how often."""

    def setUp(self) -> None:
        self.network = Network()
        self.resolver = QuietResolver(self.network, ("192.0.2.53", 5353))

    def answer(self, number: int = -1, truncated: bool = False) -> None:
        """Answer one of the questions sent by the first socket."""
        _, protocol, socket = self.network.opened[0]
        asked, server = socket.sent[number]
        reply = dns.Message(id=asked.id, answer=1, trunc=truncated)
        reply.queries = asked.queries
        reply.answers = [dns.RRHeader("a.test", payload=dns.Record_A("127.0.0.2"))]
        protocol.datagramReceived(reply.toStr(), server)

    def test_one_socket(self) -> None:
        """All questions go by one socket, and not a line is written about any."""
        with capturedLogs() as events:
            for name in ("a.test", "b.test", "c.test"):
                asked = self.resolver.lookupAddress(name)
                self.answer()
                answers, _, _ = self.successResultOf(asked)
                self.assertEqual(answers[0].payload.dottedQuad(), "127.0.0.2")
        self.assertEqual(len(self.network.opened), 1)
        self.assertEqual(events, [])
        self.assertEqual(self.network.getDelayedCalls(), [])

    def test_unasked(self) -> None:
        """An answer that nobody asked for, or that comes again, is neither taken nor logged."""
        self.resolver.lookupAddress("a.test")
        with capturedLogs() as events:
            self.answer()
            self.answer()
        self.assertEqual(events, [])

    def test_next_server(self) -> None:
        """A server that is silent is asked again after the others, which get longer then."""
        self.resolver.servers = [("192.0.2.53", 53), ("192.0.2.54", 53)]
        asked = self.resolver.lookupAddress("a.test")
        for seconds in DNS_TRIES:
            for _ in range(2):
                self.network.advance(seconds)
        self.failureResultOf(asked, NoAnswer)
        servers = [address[0] for _, address in self.network.opened[0][2].sent]
        self.assertEqual(servers, ["192.0.2.53", "192.0.2.54"] * len(DNS_TRIES))

    def test_truncated(self) -> None:
        """An answer too long for UDP is asked for by TCP, and waited for no longer than by UDP."""
        line = StringTransport()
        for connects in (False, True):
            asked = self.resolver.lookupAddress("a.test")
            self.answer(truncated=True)
            self.assertEqual(self.network.tcpClients[-1][:2], ("192.0.2.53", 5353))
            if connects:
                # What Twisted's own factory makes would take its time from the global reactor.
                connection = dns.DNSProtocol(self.resolver, self.network)
                connection.makeConnection(line)
            self.network.advance(sum(DNS_TRIES))
            self.failureResultOf(asked, NoAnswer)
        self.resolver.close()
        self.assertTrue(line.disconnecting)

    def test_families(self) -> None:
        """A name server with an IPv6 address is asked by a socket of that kind."""
        self.resolver.servers = [("192.0.2.53", 53), ("2001:db8::53", 53)]
        self.resolver.lookupAddress("a.test")
        self.network.advance(DNS_TRIES[0])
        self.assertEqual([interface for interface, _, _ in self.network.opened], ["", "::"])
