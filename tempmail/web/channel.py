"""One HTTP connection: how long a client may take, how much it may send, and clean refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IAddress, IProtocol, ISSLTransport, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers
from wsproto.utilities import ProtocolError

from tempmail.connection import read_at_a_time
from tempmail.core.budget import holder
from tempmail.core.limits import (
    BODY_READ_OCTETS,
    HTTP_CONNECTION_COST,
    MAX_HEADERS,
    MAX_LINGERING,
    MAX_UNHEARD_OCTETS,
    REQUEST_READ_OCTETS,
    STALLED_COST,
    STALLED_RESERVE,
    TLS_COST,
)
from tempmail.web import problems
from tempmail.web.callers import Caller
from tempmail.web.problems import Problem

if TYPE_CHECKING:
    from tempmail.web.site import Site

_HERE = UNIXAddress(None)
# What TLS begins with (RFC 8446 section 5.1), and no request does.
_TLS_HANDSHAKE = b"\x16"


class Channel(HTTPChannel):
    """Twisted's HTTP/1.1 with limits.

    A connection is always in one of four states, each with its own deadline, kept by the site: idle
    between requests, reading one, answering (no deadline, unless the client does not take the
    answer), or refused and lingering.
    """

    transport: Any
    maxHeaders = MAX_HEADERS
    # Twisted asks only whether there is a timeout; how long it is, is the site's affair.
    timeOut = 1
    refused = False
    # What it takes of the memory budget, and under which name.
    cost = HTTP_CONNECTION_COST
    holder = ""
    # The client that this connection counts for, None while it does not.
    counts_for: str | None = None
    caller: Caller
    # Octets that came over a websocket since the last whole message.
    unheard = 0
    _admitted = False
    # What is charged while the client does not take what we send.
    _stalled: int | None = None
    # Octets of the latest answer, or piece of one.
    _written = 0
    # Whether a proxy has yet to say whose connection this is.
    _unnamed = False
    _websocket: IProtocol | None = None

    def __init__(self, site: Site) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.site = self.factory = site
        self.requestFactory = site.requestFactory

    def connectionMade(self) -> None:
        """Answer at once where there is no room for one more."""
        transport: Any = self.transport
        if ISSLTransport.providedBy(transport):
            transport = self.transport.transport
            self.cost += TLS_COST
        # A wrapper around the connection, or beneath its TLS, is HAProxy's; it knows more with the
        # first octets.
        self._unnamed = isinstance(transport, ProtocolWrapper)
        self.caller = self._find_caller()
        # A proxy's connections are not one client's.
        self.holder = "" if self.caller.trusted else holder(self.caller.counted, "connections")
        read_at_a_time(transport, REQUEST_READ_OCTETS)
        problem = self.site.admit(self)
        if problem is None:
            self._admitted = True
            super().connectionMade()  # type: ignore[no-untyped-call]
        else:
            self._turn_away(problem)

    def _turn_away(self, problem: Problem) -> None:
        self.refused = True
        if len(self.site.lingering) >= MAX_LINGERING:
            self.transport.abortConnection()
            return
        self._write_refusal(problem)
        self.transport.loseConnection()
        # Under TLS that waits for the client.
        self.site.lingering.start(self)

    def _find_caller(self) -> Caller:
        """Who is at the other end."""
        peer = "" if self._unnamed else getattr(self.transport.getPeer(), "host", "")
        return self.site.callers.at(peer)

    def _meet(self) -> None:
        """A proxy said whose connection this is."""
        self._unnamed = False
        self.caller = self._find_caller()
        problem = self.site.recount(self)
        if problem is not None:
            self.refuse(problem)

    def getHost(self) -> IAddress:
        """Which of our addresses a client came to is of no matter; Twisted asks each time."""
        return _HERE

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave no trace."""
        if self._websocket is not None:
            self._websocket.connectionLost(reason)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        # All that leads back to us: what is in a circle stays till the next full collection.
        self._websocket = self._transferDecoder = self._requestProducer = None
        self._unstall()
        if self._admitted:
            self.site.leave(self)
        else:
            self.site.lingering.forget(self)

    # --- time ---

    def setTimeout(self, period: float | None) -> float | None:
        """Twisted's way of saying that a request is whole (None) or answered."""
        if period is None:
            self.site.reading.stop(self)
            self.site.idle.stop(self)
        else:
            self.site.idle.start(self)
        return self.timeOut

    def resetTimeout(self) -> None:
        """Octets came. The first ones start the time for the whole request, later ones do not."""
        if self._stalled is None and self.site.idle.stop(self):
            self.site.reading.start(self)

    def pauseProducing(self) -> None:
        """The buffers are full, as after any longer answer for as long as it takes to send it.

        Twisted would go on to answer what came in the same piece, and to read. Here no further
        request is begun, and the next octets that come are the last to be read.
        """
        super().pauseProducing()  # type: ignore[no-untyped-call]
        if self._stalled is None:
            cost = STALLED_COST + self._written
            if not self.site.budget.take(cost, self.holder, beyond=STALLED_RESERVE):
                self.transport.abortConnection()
                return
            self._stalled = cost
            self.site.stalled.start(self)

    def resumeProducing(self) -> None:
        """The client took all of it."""
        self._unstall()
        self.site.stalled.stop(self)
        if self._websocket is not None and self.transport.disconnecting:
            # A producer that can go on keeps a transport from closing.
            self.loseConnection()
            return
        self.paused = False
        super().resumeProducing()  # type: ignore[no-untyped-call]
        if not self._handlingRequest:
            if self._buffer:
                super().dataReceived(b"")  # type: ignore[no-untyped-call]
        elif sum(map(len, self._dataBuffer)) <= self._optimisticEagerReadSize:
            # Or nobody would hear of a client that leaves.
            self._networkProducer.resumeProducing()

    def requestDone(self, request: Any) -> None:
        """A request is answered. The next one waits until the client took the answer."""
        self.paused = self._stalled is not None
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def _unstall(self) -> None:
        if self._stalled is not None:
            self.site.budget.give(self._stalled, self.holder)
            self._stalled = None

    def loseConnection(self) -> None:
        """Close when all is sent, which is given as much time as any stalled answer.

        Under TLS that waits for the client, too; a server that stops waits for no more than that.
        """
        quiet = self.site.closing and self._stalled is None
        soon = quiet and ISSLTransport.providedBy(self.transport)
        if soon:
            self.site.lingering.start(self)
        elif self not in self.site.stalled:
            self.site.stalled.start(self)
        super().loseConnection()  # type: ignore[no-untyped-call]

    # --- refusing ---

    def refuse(self, problem: Problem) -> None:
        """Answer a request that is not whole yet, and close.

        What the client is still sending is thrown away for a moment: see
        :data:`~tempmail.core.limits.LINGER_SECONDS`.
        """
        if self.refused:
            return
        self.refused = True
        self.clearLineBuffer()  # type: ignore[no-untyped-call]
        self.setTimeout(None)
        self._write_refusal(problem)
        transport = self.transport
        if ITCPTransport.providedBy(transport) and not ISSLTransport.providedBy(transport):
            transport.loseWriteConnection()
            self.site.lingering.start(self)
        else:
            self.loseConnection()

    def _write_refusal(self, problem: Problem) -> None:
        body = problem.body
        headers = Headers(
            {
                b"Content-Type": [problems.CONTENT_TYPE.encode()],
                b"Content-Length": [b"%d" % len(body)],
                b"Connection": [b"close"],
            }
        )
        for name, value in problem.headers.items():
            headers.setRawHeaders(name.encode(), [value.encode()])
        code = b"%d" % problem.status.value
        self.writeHeaders(b"HTTP/1.1", code, problem.title.encode(), headers)
        self.transport.write(body)
        self.site.log_refusal(problem)

    def dataReceived(self, data: bytes) -> None:
        """Nothing more is heard of a client that was refused."""
        if self._unnamed:
            self._meet()
        if self._stalled is not None:
            self._networkProducer.pauseProducing()
        if self._websocket is not None:
            self._hear(self._websocket, data)
        elif not self.refused:
            if data[:1] == _TLS_HANDSHAKE and self in self.site.idle:
                # Else it would wait for the end of a line till its time is over.
                self.refuse(Problem(400, "this port speaks HTTP without TLS"))
                return
            super().dataReceived(data)  # type: ignore[no-untyped-call]

    def lineLengthExceeded(self, line: bytes) -> None:
        """Nothing we serve needs a request line or a header of this length."""
        self.refuse(Problem(431, "the request line or a header is too long"))

    def _respondToBadRequestAndDisconnect(self) -> None:
        long = self._receivedHeaderSize > self.totalHeadersSize
        if long or self._receivedHeaderCount > self.maxHeaders:
            self.refuse(Problem(431, "the headers are too long or too many"))
        else:
            self.refuse(Problem(400, "this is not HTTP/1.1"))

    def allHeadersReceived(self) -> None:
        """Refuse what is known to be wrong before its body is sent."""
        headers = self.requests[-1].requestHeaders
        hosts = headers.getRawHeaders(b"Host") or ()
        codings = headers.getRawHeaders(b"Transfer-Encoding") or ()
        if len(hosts) != 1 and self._version == b"HTTP/1.1":  # RFC 9112 section 3.2
            self.refuse(Problem(400, "a request has one Host header"))
        elif any(coding.lower() != b"chunked" for coding in codings):  # and section 6.3
            self.refuse(Problem(400, "a body is chunked or has a Content-Length"))
        elif self.length is not None and self.length > self.site.limits.max_body_size:
            self.refuse(self.site.body_too_large())
        else:
            if self.length != 0:
                self.site.reading.start(self)
                read_at_a_time(self.transport, BODY_READ_OCTETS)
            super().allHeadersReceived()  # type: ignore[no-untyped-call]

    def allContentReceived(self) -> None:
        """A request is whole."""
        if not self.refused:
            read_at_a_time(self.transport, REQUEST_READ_OCTETS)
            super().allContentReceived()  # type: ignore[no-untyped-call]

    # --- websockets ---

    def _protocolUpgradeForWebsockets(self, protocol: IProtocol) -> None:
        """Twisted's way of handing a connection over, by which it would forget us."""
        self._websocket = protocol
        protocol.makeConnection(self.transport)

    def _hear(self, protocol: IProtocol, data: bytes) -> None:
        """Twisted keeps the fragments of a message till it is whole, so that has an end."""
        self.unheard += len(data)
        if self.unheard > MAX_UNHEARD_OCTETS:
            self.transport.abortConnection()
            return
        try:
            protocol.dataReceived(data)
        except ProtocolError:
            self.transport.abortConnection()
        if self.transport.disconnecting and self not in self.site.stalled:
            # It said goodbye; under TLS the connection waits for the client to close it.
            self.site.stalled.start(self)

    # --- answering ---

    def write(self, data: bytes) -> None:
        """Send a piece of an answer."""
        self._written = len(data)
        super().write(data)  # type: ignore[no-untyped-call]

    def writeSequence(self, iovec: Sequence[bytes]) -> None:
        """Send a piece of an answer, in several."""
        self._written = sum(map(len, iovec))
        super().writeSequence(iovec)  # type: ignore[no-untyped-call]

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Put the site's own headers behind an answer's."""
        lines, names = [b"HTTP/1.1 %b %b" % (code, reason)], set()
        for name, values in headers.getAllRawHeaders():
            names.add(name)
            lines += [b"%b: %b" % (name, value) for value in values]
        lines += self.site.headers_beside(names)
        lines.append(b"\r\n")
        self.transport.write(b"\r\n".join(lines))


def _share_attribute_names() -> None:
    """Let all channels share one table of attribute names.

    CPython does so for the names that a class's first objects set. Twisted sets most of them only
    when a request comes, by when more connections may have been accepted, and each of those would
    have its own table, of 800 octets.
    """
    first = Channel.__new__(Channel)
    for name in (
        "refused unheard paused caller holder counts_for _unnamed _stalled _written"
        " _websocket requests _handlingRequest _dataBuffer _transferDecoder site"
        " factory requestFactory connected transport _admitted _networkProducer _busyReceiving"
        " _buffer"
        " _receivedHeaderSize _HTTPChannel__first_line _HTTPChannel__header _receivedHeaderCount"
        " _command _path _version persistent length _savedTimeOut line_mode"
    ).split():
        setattr(first, name, None)


_share_attribute_names()
