"""One HTTP request: its body, its answer, and being held for a while between the two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, AnyStr, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource

from tempmail.core.errors import NoSuchMailbox, TempmailError, TokenNeeded, TooManyMailboxes
from tempmail.core.limits import POUR_OCTETS
from tempmail.core.message import Message
from tempmail.web import problems
from tempmail.web.allowance import Allowance
from tempmail.web.eager import eager
from tempmail.web.origins import allow_origin
from tempmail.web.outlet import Outlet, pour
from tempmail.web.problems import Problem

if TYPE_CHECKING:
    from tempmail.web.channel import Channel
    from tempmail.web.site import Site

T = TypeVar("T")

JSON = "application/json"

# What a held request has instead of what it came with.
_NO_HEADERS = Headers()
_NOTHING: dict[bytes, Any] = {}


class Request(server.Request):
    """One request.

    ``allowance`` is what its client may still do. ``route`` is the pattern its path matched, for
    the log: the path itself holds an address.
    """

    site: Site
    channel: Channel
    content: BytesIO
    postpath: list[bytes]

    defaultContentType = None
    route = "-"
    started = 0.0
    _held: Deferred[Any] | None = None
    _log = Logger()

    def __init__(self, channel: Any, *args: Any, **kw: Any) -> None:
        super().__init__(channel, *args, **kw)  # type: ignore[no-untyped-call]
        self.allowance = Allowance(channel.site, channel.caller)

    def parseCookies(self) -> None:
        """Nobody looks at them, and a kilobyte of them takes ten while a body is awaited."""

    def gotLength(self, length: int | None) -> None:
        """All headers are there. The body stays in memory, within bounds and for its client."""
        self.content = BytesIO()
        caller = self.allowance.caller
        if not caller.counted or caller.trusted:
            callers = self.channel.site.callers
            self.allowance.caller = callers.behind(caller, self.requestHeaders)

    def handleContentChunk(self, data: bytes) -> None:
        """Count before keeping: of a chunked body nobody knows the length."""
        if self.channel.refused:
            return
        site = self.channel.site
        if self.content.tell() + len(data) > site.limits.max_body_size:
            self.channel.refuse(site.body_too_large())
            return
        try:
            self.allowance.take(len(data))
        except TempmailError as error:
            self.channel.refuse(problems.refusal(error))
        else:
            self.content.write(data)

    def process(self) -> None:
        """Find the resource and let it answer.

        The parts of the path stay percent-encoded until whoever they are for decodes them: an
        address may hold a slash.
        """
        self.site = self.channel.site
        self.started = self.site.clock.seconds()
        self.prepath = []
        try:
            if self.site.exposure.origins:
                allow_origin(self)
            if self.path not in self.site.probes:
                self.allowance.spend("request_rate")
            if self.path == b"*" and self.method == b"OPTIONS":  # RFC 9110 section 9.3.7
                self.finish_with(self.no_content())
                return
            self.postpath = self.site.parts_of(self.path)
            self.render(self.site.resource)  # type: ignore[no-untyped-call]
        except Exception:
            self._went_wrong(Failure())

    def getHeader(self, key: AnyStr) -> AnyStr | None:
        """The last header of this name. As text each octet is a character, so any can be read.

        Twisted's own raises UnicodeDecodeError for what is no UTF-8. RFC 9110 section 5.5 has
        octets beyond ASCII mean nothing.
        """
        name = key.encode("ascii") if isinstance(key, str) else key
        values = self.requestHeaders.getRawHeaders(name)
        if not values:
            return None
        return values[-1].decode("latin-1") if isinstance(key, str) else values[-1]

    def getRequestHostname(self) -> bytes:
        """Nothing depends on what a client calls us, so it can neither fool nor break anything."""
        return b"localhost"

    # --- answering ---

    def header(self, name: str, value: str) -> None:
        """Set a header of the answer."""
        self.responseHeaders.setRawHeaders(name, [value])

    def without(self, name: str) -> None:
        """Leave out a header that the site's answers have."""
        self.responseHeaders.setRawHeaders(name, [])

    def reply(
        self, body: bytes, content_type: str = JSON, status: int = 200, kept: bool = False
    ) -> bytes:
        """Set status and headers for a body, and give it back.

        A long one is counted until the client has taken it, unless these octets are ``kept``
        anyway. Raises MemoryFull or ShareSpent where there is no memory for it.
        """
        if len(body) > POUR_OCTETS and not kept:
            self.allowance.take(len(body))
        self.setResponseCode(status, problems.phrase(status).encode())
        self.header("Content-Type", content_type)
        self.header("Content-Length", str(len(body)))
        return body

    def no_content(self) -> bytes:
        """The same for no body."""
        self.setResponseCode(204)
        return b""

    def problem(self, problem: Problem) -> bytes:
        """The same for what went wrong."""
        for name, value in problem.headers.items():
            self.header(name, value)
        return self.reply(problem.body, problems.CONTENT_TYPE, problem.status)

    def finish_with(self, body: bytes) -> None:
        """Send a whole body, and be done."""
        self.write(body)
        self.finish()

    def failed(self, failure: Failure) -> bytes:
        """The answer to an error, which is logged if nobody expects it."""
        problem = problems.problem_of(failure.value)
        if isinstance(failure.value, NoSuchMailbox | TokenNeeded):
            self.allowance.count_guess()
        if isinstance(failure.value, TooManyMailboxes):
            self.site.rates.refused["mailboxes_per_client"] += 1
        if problem is None:
            self._log.failure("answering {route} failed", failure, route=self.route)
            problem = problems.unexpected()
        return self.problem(problem)

    def _went_wrong(self, failure: Failure) -> None:
        """Answer an error, or where half of an answer is out already, cut it off."""
        body = self.failed(failure)
        if self.startedWriting:
            self.channel.loseConnection()
        else:
            self.finish_with(body)

    def write(self, data: bytes) -> None:
        """Write, the first time with the headers; what is long goes as the client takes it."""
        if not self.startedWriting and not self._disconnected and self.site.closing:
            # The last answer of a connection says so.
            self.header("Connection", "close")
            self.channel.persistent = False
        if len(data) > POUR_OCTETS and self.method != b"HEAD" and self.producer is None:
            self.stream(partial(pour, data))
        else:
            super().write(data)  # type: ignore[no-untyped-call]

    def finish(self) -> None:
        """All is written, or will be by the stream that is under way and finishes then."""
        if self._held is None and not self.finished:
            self.allowance.let_go()
            super().finish()  # type: ignore[no-untyped-call]

    # --- being held ---

    def answer(self, answer: Deferred[bytes | IResource] | bytes | IResource) -> None:
        """Answer with a body, or by a resource that writes it.

        Where that is still to come, it is cancelled when the client leaves.
        """
        if isinstance(answer, Deferred):
            self._held = answer
            answer.addBoth(self._answer).addErrback(self._went_wrong)
        elif isinstance(answer, bytes):
            self.finish_with(answer)
        else:
            answer.render(self)

    def _answer(self, answer: bytes | IResource | Failure) -> None:
        self._held = None
        if isinstance(answer, Failure):
            if self._disconnected:
                self._log_unless_cancelled(answer)
            else:
                self._went_wrong(answer)
        elif not self._disconnected:
            self.answer(answer)

    def hold(
        self, found: Deferred[T], render: Callable[[Request, T], Coroutine[Any, Any, bytes]]
    ) -> None:
        """Answer when ``found`` is there; cancel it when the client leaves."""
        self._let_go()
        self._held = found
        self.site.hold(self.route)
        found.addBoth(self._found, render)

    def stream(self, source: Callable[[Outlet], Awaitable[None]]) -> None:
        """Have ``source`` write the body, whose headers are set; cancel it when the client leaves.

        Where it fails the connection is cut off, for half a body must not be taken for a whole one.
        """
        self.occupy(self._stream(source))

    def occupy(self, work: Coroutine[Deferred[Any], Any, None]) -> None:
        """Let ``work`` do with this connection what it wants; cancel it when the client leaves."""
        self._let_go()
        working = Deferred.fromCoroutine(work)
        if not working.called:
            self._held = working
        self.site.hold(self.route)
        working.addBoth(self._worked)

    def _let_go(self) -> None:
        """Let go whatever only parsing and routing needed, for thousands are held at a time.

        Once is enough: a request that was held may have a long answer, which is streamed.
        """
        if self.args is _NOTHING:
            return
        self.requestHeaders = _NO_HEADERS
        if self.content is not None:
            self.content.close()
            del self.content
        self.args = self.received_cookies = _NOTHING
        self.prepath = self.postpath = []
        self.uri = self.path = b""

    def _found(
        self, result: T | Failure, render: Callable[[Request, T], Coroutine[Any, Any, bytes]]
    ) -> None:
        self.site.release(self.route)
        self._held = None
        if isinstance(result, Failure):
            self._answer(result)
            return
        try:
            self.answer(eager(render(self, result)))
        except Exception:
            self._went_wrong(Failure())

    async def _stream(self, source: Callable[[Outlet], Awaitable[None]]) -> None:
        try:
            await source(Outlet(self))
        except Exception as error:
            if not self._disconnected:
                self.channel.transport.abortConnection()
            if problems.problem_of(error) is None:
                raise
            return
        self.unregisterProducer()  # type: ignore[no-untyped-call]
        self._held = None
        self.finish()

    def _worked(self, outcome: Failure | None) -> None:
        self.site.release(self.route)
        if isinstance(outcome, Failure):
            self._log_unless_cancelled(outcome)

    def told(self, message: Message) -> None:
        """A message is being written; if it came while this client waited, note how long it took.

        From the moment it was kept, so finding out what it says is part of it.
        """
        kept_at = message.parcel.received_at
        if kept_at > self.started:
            self.site.waking.observe(self.site.clock.seconds() - kept_at)

    def _log_unless_cancelled(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self._log.failure("answering {route} failed", failure, route=self.route)
        # Its traceback leads to this very place, and so to all that led here.
        failure.cleanFailure()

    def connectionLost(self, reason: Failure) -> None:
        """The client left."""
        self.allowance.let_go()
        if self.startedWriting:
            self.site.log(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        held, self._held, self.producer = self._held, None, None
        if held is not None:
            held.cancel()
