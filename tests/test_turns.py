"""Turns of the reactor that are shorter than Twisted's."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tempmail.turns import shorten_turns


class Echo(Protocol):
    """Says back what it hears; fails on a question mark."""

    def dataReceived(self, data: bytes) -> None:
        """Say it back."""
        if data == b"?":
            raise ValueError("a question")
        assert self.transport is not None
        self.transport.write(data)


class Asking(Protocol):
    """Says something, and tells what it hears and how it ended."""

    def __init__(self, words: bytes) -> None:
        self.words = words
        self.heard = b""
        self.ended: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        """Say it."""
        assert self.transport is not None
        self.transport.write(self.words)

    def dataReceived(self, data: bytes) -> None:
        """Hang up when all came back."""
        self.heard += data
        if self.heard == self.words:
            assert self.transport is not None
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell."""
        self.ended.callback(self.heard)


class Pipe(FileDescriptor):
    """Writes to a socket, and does something ``then``."""

    def __init__(
        self, reactor: EPollReactor, end: socket.socket, then: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(reactor)
        self.end = end
        self.then = then
        self.connected = 1
        self.startReading()

    def fileno(self) -> int:
        """Its number."""
        return self.end.fileno()

    def writeSomeData(self, data: bytes) -> int:
        """Send it."""
        sent = self.end.send(data)
        self.then()
        return sent


class TurnsTests(SynchronousTestCase):
    """A reactor of its own for each test; the one of the test runner is left alone."""

    def ask(self, words: bytes) -> bytes:
        """What comes back through a server and a client on one reactor."""
        reactor = EPollReactor()
        shorten_turns(reactor)
        heard: list[bytes] = []

        async def run() -> None:
            factory = Factory.forProtocol(Echo)
            endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
            port = await endpoint.listen(factory)
            client = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
            asking = await connectProtocol(client, Asking(words))
            heard.append(await asking.ended)
            await port.stopListening()
            reactor.stop()

        reactor.callWhenRunning(lambda: Deferred.fromCoroutine(run()))
        reactor.run(installSignalHandlers=False)
        return heard[0]

    def test_read_and_written(self) -> None:
        """What is sent arrives, also when it takes many turns."""
        words = bytes(3_000_000)
        self.assertEqual(self.ask(words), words)

    def test_at_once(self) -> None:
        """What the kernel takes is sent in the turn it was written in."""
        reactor = EPollReactor()
        shorten_turns(reactor)
        port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        with socket.create_connection(("127.0.0.1", port.getHost().port), 5) as client:
            reactor.doIteration(0)
            client.sendall(b"x")
            reactor.doIteration(0)
            self.assertEqual(client.recv(1, socket.MSG_DONTWAIT), b"x")
            self.assertEqual(reactor.getWriters(), [])
        reactor.doIteration(0)
        port.stopListening()
        reactor.removeAll()

    def test_writing_makes_another_write(self) -> None:
        """Who writes because another one has written does not wait for the next event."""
        reactor = EPollReactor()
        shorten_turns(reactor)
        (near, far), (other, other_far) = socket.socketpair(), socket.socketpair()
        second = Pipe(reactor, other)
        first = Pipe(reactor, near, then=lambda: second.write(b"y"))
        # As from a timer, between two turns.
        first.write(b"x")
        began = time.monotonic()
        reactor.doIteration(5)
        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual(far.recv(1, socket.MSG_DONTWAIT), b"x")
        self.assertEqual(other_far.recv(1, socket.MSG_DONTWAIT), b"y")
        reactor.removeAll()
        for one in (near, far, other, other_far):
            one.close()

    def test_failing(self) -> None:
        """A protocol that fails is logged, and its connection closed; the reactor goes on."""
        self.assertEqual(self.ask(b"?"), b"")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_other_reactors(self) -> None:
        """A reactor that does not use epoll is left as it is."""
        reactor = SelectReactor()
        shorten_turns(reactor)
        self.assertNotIn("doIteration", vars(reactor))
