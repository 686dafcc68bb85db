"""A request and its answer over HTTP: sent once, and complete in time or an error of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import RequestTransmissionFailed, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer
from zope.interface import implementer

from tempmail.client.errors import BadAnswer, Unreachable, error_of
from tempmail.client.limits import REQUEST_LIMIT
from tempmail.client.values import Document

_T = TypeVar("_T")
_BROKEN = (ResponseFailed, RequestTransmissionFailed)


class Wire:
    """The way to one server.

    `base_url` is where it lives, `agent` makes the requests, `clock` measures how long they take.
    Raises ValueError when `base_url` is no http or https URL.
    """

    def __init__(self, base_url: str, agent: IAgent, clock: IReactorTime) -> None:
        self.base_url = _checked_url(base_url)
        self._clock = clock
        self._http = HTTPClient(agent, data_to_body_producer=_Octets)

    async def ask(self, method: str, path: str, **also: Any) -> Any:
        """The JSON document at `path`, None where the answer has no body; otherwise as `fetch`."""
        octets = await self.fetch(method, path, **also)
        try:
            return json.loads(octets) if octets else None
        except ValueError as problem:
            raise BadAnswer("the server answered with something that is not JSON") from problem

    async def fetch(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Document | None = None,
        seconds: float = REQUEST_LIMIT,
    ) -> bytes:
        """The octets at `path`, which is percent-encoded, complete within `seconds`.

        Raises `Unreachable`, `BadAnswer` for a redirect, or the `Problem` that the server told.
        """
        url = self.base_url + path
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="")
        exchange = Deferred.fromCoroutine(self._exchange(method, url, token, body))
        try:
            status, headers, octets = await _within(self._clock, seconds, exchange)
        except (ConnectError, ConnectionClosed, OSError, *_BROKEN) as trouble:
            cause = _cause(trouble)
            connected = isinstance(cause, ConnectionClosed)
            raise Unreachable(_in_words(cause), connected) from trouble
        if 200 <= status < 300:
            return octets
        raise error_of(status, headers, octets)

    async def _exchange(
        self, method: str, url: str, token: str | None, body: Document | None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = Headers({"Accept": ["application/json, application/problem+json, */*"]})
        if token is not None:
            headers.setRawHeaders("Authorization", [f"Bearer {token}"])
        # A redirect is not followed: the token is meant for this server, and no other.
        also: dict[str, Any] = {} if body is None else {"json": body}
        response = await self._http.request(
            method,
            url,
            headers=headers,
            allow_redirects=False,
            unbuffered=True,
            reactor=cast(Any, self._clock),
            **also,
        )
        collector = _Collector()
        response.deliverBody(collector)
        octets = await collector.finished
        told = ("retry-after", "date", "location")
        found = {name: (response.headers.getRawHeaders(name) or [""])[-1] for name in told}
        return int(response.code), found, octets


@implementer(IBodyProducer)
class _Octets:
    """A request body that is written at once: ours are small, and treq's own needs a reactor."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.length = len(octets)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._octets)
        return succeed(None)

    def stopProducing(self) -> None:
        """Nothing is left to stop."""

    def pauseProducing(self) -> None:
        """Nothing is left to pause."""

    def resumeProducing(self) -> None:
        """Nothing is left to resume."""


class _Collector(Protocol):
    """Collects a response body. Unlike with treq's own, a cancel closes the connection."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.finished: Deferred[bytes] = Deferred(self._leave)

    def dataReceived(self, data: bytes) -> None:
        self._parts.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.finished.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.finished.callback(b"".join(self._parts))
        else:
            self.finished.errback(reason)

    def _leave(self, _: object) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


def _within(clock: IReactorTime, seconds: float, work: Deferred[_T]) -> Deferred[_T]:
    """What `work` brings, or `Unreachable` after `seconds`.

    Whoever cancels it gets a CancelledError, whatever error `work` makes of that: otherwise a wait
    would take its own end for a lost connection, and try again.
    """

    def stop(reason: Exception) -> None:
        if timer.active():
            timer.cancel()
        ended.errback(reason)
        work.cancel()

    def settle(result: _T | Failure) -> None:
        if ended.called:
            return
        timer.cancel()
        if isinstance(result, Failure):
            ended.errback(result)
        else:
            ended.callback(result)

    ended: Deferred[_T] = Deferred(lambda _: stop(CancelledError()))
    timer = clock.callLater(seconds, lambda: stop(Unreachable(f"no answer within {seconds:g} s")))
    work.addBoth(settle)
    return ended


def _cause(trouble: BaseException) -> BaseException:
    """What lies beneath the errors that Twisted's client wraps around one another."""
    reasons = getattr(trouble, "reasons", None)
    return _cause(reasons[-1].value) if reasons else trouble


def _in_words(cause: BaseException) -> str:
    """`cause` for a person."""
    if cause.args and isinstance(cause.args[0], list):  # OpenSSL: rows of library, place, reason
        return "TLS: " + "; ".join(str(row[-1]) for row in cause.args[0])
    return str(cause).rstrip(".") or type(cause).__name__


def _checked_url(url: str) -> str:
    """`url` without a slash at its end. Raises ValueError for what can not be a base URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an http or https URL")
    if parts.username or parts.password or parts.query or parts.fragment or not url.isascii():
        raise ValueError("a server's URL is scheme, host, port and path, in ASCII")
    parts.port  # noqa: B018 -- raises ValueError when it is no number
    return url.rstrip("/")
