"""The front of the house: admission, paths, headers, the access log, and closing."""

from __future__ import annotations

import re
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.web import server
from twisted.web.http import datetimeToString
from twisted.web.resource import IResource

from tempmail.core.budget import Budget
from tempmail.core.histogram import Histogram
from tempmail.core.limits import (
    CONNECTION_RESERVE,
    LINGER_SECONDS,
    WAKING_BUCKETS,
    Limits,
)
from tempmail.core.peer import Held
from tempmail.interfaces import IMailReader
from tempmail.rates import Rates
from tempmail.web.answers import Answers
from tempmail.web.callers import Callers
from tempmail.web.channel import Channel
from tempmail.web.patience import Patience
from tempmail.web.problems import Problem, later
from tempmail.web.proxies import Proxies
from tempmail.web.request import Request
from tempmail.web.waits import Waits

T = TypeVar("T")

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})").search
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.I).match

_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})

# What every answer carries unless it says something else itself. Nothing here is a page: a browser
# that is shown an answer loads nothing for it, guesses no type and puts it into no frame.
_HEADERS = {
    b"Cache-Control": b"no-store",
    b"Content-Security-Policy": b"default-src 'none'; frame-ancestors 'none'",
    b"Cross-Origin-Resource-Policy": b"same-origin",
    b"Referrer-Policy": b"no-referrer",
    b"X-Content-Type-Options": b"nosniff",
}
_HEADER_LINES = [(name, b"%b: %b" % (name, value)) for name, value in _HEADERS.items()]


@frozen(kw_only=True)
class Exposure:
    """How the site is published.

    ``base_path`` (``/mail``) is where a proxy puts us; requests come with or without it, as proxies
    differ in that. ``proxies`` are those who may say whose requests they pass on. ``origins`` are
    the web origins (``https://app.example``) whose scripts may use the interface, ``*`` for all.
    """

    base_path: str = ""
    proxies: Proxies = field(factory=Proxies)
    origins: frozenset[str] = frozenset()
    access_log: bool = True

    def allows(self, origin: str) -> bool:
        """Whether scripts of this origin may use the interface."""
        return origin in self.origins or "*" in self.origins


class Site(server.Site):
    """The web server's factory.

    ``held`` counts the requests that wait, or whose answer is still being written, by route;
    ``waking`` is the seconds from keeping a mail to writing it to one who waited for it. ``probes``
    are the paths that are answered whoever else comes from the same address.
    """

    requestFactory = Request
    noisy = False
    _log = Logger()

    def __init__(
        self,
        resource: IResource,
        clock: IReactorTime,
        office: IMailReader,
        budget: Budget,
        exposure: Exposure,
        rates: Rates | None = None,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            resource, reactor=clock, parsePOSTFormSubmission=False
        )
        self.clock = clock
        self.budget = budget
        self.exposure = exposure
        self.held: dict[str, int] = {}
        self.waking = Histogram(WAKING_BUCKETS)
        self.answers = Answers()
        self._closing = False
        self._prefix = exposure.base_path.encode()
        self.probes = frozenset(
            prefix + path for prefix in (b"", self._prefix) for path in (b"/healthz", b"/readyz")
        )
        self._office = office
        self.rates = rates or Rates(clock, Limits().without_client_limits())
        self.waits = Waits(lambda: self.limits, self.rates)
        self.callers = Callers(exposure.proxies, self.rates)
        self._channels: set[Channel] = set()
        self._closed: list[Deferred[None]] = []
        self._connected = Held()
        self._date = (0, b"")
        self.idle = Patience[Channel](clock, lambda: self.limits.http_idle_timeout, _close)
        self.reading = Patience[Channel](clock, lambda: self.limits.body_timeout, _too_slow)
        self.stalled = Patience[Channel](clock, lambda: self.limits.http_idle_timeout, _abort)
        self.lingering = Patience[Channel](clock, lambda: LINGER_SECONDS, _abort)

    @property
    def limits(self) -> Limits:
        """The limits in force now."""
        limits: Limits = self._office.limits
        return limits

    @property
    def closing(self) -> bool:
        """Whether the server stops, so that every answer is its connection's last."""
        return self._closing or bool(self._office.closing)

    def acceptableProtocols(self) -> list[bytes]:
        """HTTP/1.1 alone: the limits of this house are those of its own channel."""
        return [b"http/1.1"]

    def buildProtocol(self, addr: object) -> Any:
        """A connection."""
        return Channel(self)

    def startFactory(self) -> None:
        """Serve."""
        self._closing = False

    def stopFactory(self) -> None:
        """Nobody listens for new connections any more."""
        self._closing = True
        self.idle.end_all()

    def close(self, grace: float) -> Deferred[None]:
        """Drop who is idle, and let those who are being answered have ``grace`` seconds.

        Fires when the last connection is gone; cancelling it cuts all at once. Whoever waits is to
        be woken by the post office.
        """
        self.stopFactory()
        closed: Deferred[None] = Deferred(lambda _: self._cut_off())
        self._closed.append(closed)
        self._tell_closed()
        if not closed.called:
            closed.addBoth(_stop_timer, self.clock.callLater(grace, self._cut_off))
        return closed

    def _cut_off(self) -> None:
        for channel in list(self._channels):
            _abort(channel)

    # --- admission ---

    def admit(self, channel: Channel) -> Problem | None:
        """Count a connection, or say why there is none to be had.

        The connections of a proxy of ours are not one client's, so only their number in all counts.
        """
        if len(self._channels) >= self.limits.max_http_connections:
            self.rates.refused["max_http_connections"] += 1
            return later(503, "the server has no connection left")
        problem = self._count_in(channel)
        if problem is not None:
            return problem
        if not self.budget.take(channel.cost, channel.holder, beyond=CONNECTION_RESERVE):
            self._count_out(channel)
            return later(503, "the server has no memory left for one more connection")
        self._channels.add(channel)
        return None

    def recount(self, channel: Channel) -> Problem | None:
        """Count a connection by the client that is known only now."""
        self._count_out(channel)
        return self._count_in(channel)

    def _count_in(self, channel: Channel) -> Problem | None:
        client = "" if channel.caller.trusted else channel.caller.client
        most = self.limits.max_http_connections_per_client
        if client and self._connected.of(client) >= most:
            self.rates.refused["max_http_connections_per_client"] += 1
            return later(429, "this client has too many connections open")
        channel.counts_for = client
        self._connected.add(client)
        return None

    def _count_out(self, channel: Channel) -> None:
        client, channel.counts_for = channel.counts_for, None
        if client is not None:
            self._connected.drop(client)

    def leave(self, channel: Channel) -> None:
        """A connection that was admitted is gone."""
        for patience in (self.idle, self.reading, self.stalled, self.lingering):
            patience.forget(channel)
        self._channels.discard(channel)
        self.budget.give(channel.cost, channel.holder)
        self._count_out(channel)
        self._tell_closed()

    def _tell_closed(self) -> None:
        if not self._channels:
            told, self._closed = self._closed, []
            for closed in told:
                if not closed.called:
                    closed.callback(None)

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._channels)

    # --- requests ---

    def hold(self, route: str) -> None:
        """One more request of this route is held."""
        self.held[route] = self.held.get(route, 0) + 1

    def release(self, route: str) -> None:
        """One of them is held no more."""
        self.held[route] -= 1

    def parts_of(self, path: bytes) -> list[bytes]:
        """What lies between the slashes of a path below the base path, still percent-encoded.

        Raises a Problem for a path whose escapes are malformed or not UTF-8.
        """
        if not path.startswith(b"/"):
            path = self._origin_form(path)
        if b"%" in path or not path.isascii():
            try:
                unquote_to_bytes(path).decode()
            except UnicodeDecodeError:
                raise Problem(400, "the path is not UTF-8") from None
            if _BAD_ESCAPE(path):
                raise Problem(400, "the path holds a % that begins no escape")
        if self._prefix and (path + b"/").startswith(self._prefix + b"/"):
            path = path[len(self._prefix) :] or b"/"
        return path[1:].split(b"/")

    def _origin_form(self, target: bytes) -> bytes:
        """The path in a request target of another form (RFC 9112 section 3.2)."""
        absolute = _ABSOLUTE(target)
        if absolute is None:
            raise Problem(400, "the request target is not a path")
        return target[absolute.end() :] or b"/"

    def body_too_large(self) -> Problem:
        """What a client is told that sends too much."""
        return Problem(413, f"a body has at most {self.limits.max_body_size} octets")

    def headers_beside(self, headers: set[bytes]) -> list[bytes]:
        """The header lines that an answer has besides its own, which are ``headers``."""
        now = int(self.clock.seconds())
        if now != self._date[0]:
            self._date = (now, b"Date: " + datetimeToString(now))
        lines = [line for name, line in _HEADER_LINES if name not in headers]
        lines.append(self._date[1])
        return lines

    # --- the log ---

    def log(self, request: Any) -> None:
        """One line for each answer. Paths, queries and addresses are other people's secrets."""
        seconds = self.clock.seconds() - request.started
        self.answers.observe(request.route, request.code, seconds)
        if self.exposure.access_log:
            self._log.info(
                "{method} {route} {status} {size} octets {milliseconds:.1f} ms",
                method=request.method.decode() if request.method in _METHODS else "?",
                route=request.route,
                status=request.code,
                size=request.sentLength,
                milliseconds=seconds * 1000,
            )

    def log_refusal(self, problem: Problem) -> None:
        """The same for a request that never became one."""
        self.answers.observe("-", problem.status, 0.0)
        if self.exposure.access_log:
            self._log.info("- - {status} {detail}", status=problem.status, detail=problem.detail)


def _stop_timer(result: T, timer: IDelayedCall) -> T:
    if timer.active():
        timer.cancel()
    return result


def _close(channel: Channel) -> None:
    channel.loseConnection()


def _too_slow(channel: Channel) -> None:
    channel.refuse(Problem(408, "the request took too long to come in"))


def _abort(channel: Channel) -> None:
    channel.transport.abortConnection()
