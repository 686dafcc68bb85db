"""The client library against a server in memory, on a clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.iweb import IAgent
from zope.interface import implementer

from tempmail.client import Client
from tests.client.fake import ADDRESS, TOKEN, FakeBox, FakeServer

T = TypeVar("T")


@implementer(IAgent)
class Network:
    """The way to the fake server. While `down` is true every request fails with `fault`."""

    def __init__(self, server: FakeServer) -> None:
        self.agent = RequestTraversalAgent(server)
        self.down = False
        self.fault: Exception = Refused("refused")
        self.attempts = 0

    def request(self, method: bytes, uri: bytes, headers: Any = None, body: Any = None) -> Any:
        self.attempts += 1
        if self.down:
            return fail(self.fault)
        return self.agent.request(method, uri, headers, body)


class Case(SynchronousTestCase):
    """A fake server, a way to it, and a clock; whoever uses them leaves no timer behind."""

    base_url = "http://mail.test"

    def setUp(self) -> None:
        self.clock = Clock()
        self.server = FakeServer(self.clock)
        self.network = Network(self.server)
        self.retries: list[tuple[Exception, float]] = []
        self.chance = 1.0
        self.client = self.connect(self.base_url)
        self.server.boxes[ADDRESS] = FakeBox(ADDRESS)
        self.box = self.client.box(ADDRESS, TOKEN)

    def connect(self, base_url: str) -> Client:
        def note(trouble: Exception, pause: float) -> None:
            self.retries.append((trouble, pause))

        return Client(base_url, self.network, self.clock, lambda: self.chance, note)

    def begin(self, work: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
        begun = Deferred.fromCoroutine(work)
        self.addCleanup(lambda: begun.addErrback(lambda _: None).cancel())
        return begun

    def done(self, work: Coroutine[Deferred[Any], Any, T]) -> T:
        """What `work` brings without any time passing."""
        return self.successResultOf(self.begin(work))

    def fails(self, work: Coroutine[Deferred[Any], Any, Any], *kinds: type[BaseException]) -> Any:
        """The error that `work` ends with without any time passing."""
        return self.failureResultOf(self.begin(work), *kinds).value

    def pass_time(self, seconds: float) -> None:
        """Time passes second by second, and what is written meanwhile arrives."""
        self.network.agent.flush()
        while seconds > 0:
            self.clock.advance(min(1.0, seconds))
            self.network.agent.flush()
            seconds -= 1.0

    def assertQuiet(self) -> None:
        """Nothing waits any more, neither here nor at the server."""
        self.network.agent.flush()
        self.assertEqual((self.clock.getDelayedCalls(), self.server.held), ([], []))
