"""The events of a mailbox over a websocket (RFC 6455)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from twisted.web.websocket import WebSocketResource, WebSocketTransport
from wsproto.utilities import LocalProtocolError

from tempmail.core.errors import TempmailError
from tempmail.web.live import Follower
from tempmail.web.outlet import Outlet
from tempmail.web.problems import Problem
from tempmail.web.request import Request

# RFC 6455 section 7.4.1.
_NORMAL, _GOING_AWAY, _POLICY, _DEFECT = 1000, 1001, 1008, 1011

# RFC 6455 section 4.2.1: sixteen octets in base64.
_KEY = re.compile(r"[A-Za-z0-9+/]{21}[AQgw]==").fullmatch
_UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}

Following = Callable[[Follower], Awaitable[None]]


class Upgraded(Resource):
    """A request that becomes a websocket. Raises a Problem where it is no handshake."""

    isLeaf = True

    def __init__(self, following: Following) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._following = following

    def render(self, request: Request) -> int:
        """Shake hands."""
        key = _check_handshake(request)
        # What else the client proposes, extensions and protocols, is not for us. Twisted need not
        # see it, nor write it to the log where it does not like it.
        request.requestHeaders = Headers(
            {name: [value] for name, value in _UPGRADE.items()}
            | {"Host": ["localhost"], "Sec-WebSocket-Key": [key]}
        )
        request.path = b"/"
        request.setResponseCode(101)
        request.startedWriting = 1
        WebSocketResource(self).render_GET(request)  # type: ignore[arg-type]
        return NOT_DONE_YET

    def buildProtocol(self, request: Request) -> Socket:
        """Twisted asks for what shall talk over it."""
        return Socket(request, self._following)


class Socket:
    """The server's end of one websocket. It only talks; what a client says is not listened to."""

    _log = Logger()
    _transport: WebSocketTransport
    _outlet: Outlet

    def __init__(self, request: Request, following: Following) -> None:
        self._request = request
        self._following = following

    # --- what Twisted calls ---

    def negotiationStarted(self, transport: WebSocketTransport) -> None:
        """There is a transport."""
        self._transport = transport

    def negotiationFinished(self) -> None:
        """There is a websocket: follow the mailbox until one of the three is gone."""
        self._outlet = Outlet(self._request)
        self._request.occupy(self._talk())

    def pongReceived(self, payload: bytes) -> None:
        """The client is alive."""

    def textMessageReceived(self, message: str) -> None:
        """Nothing that a client may say means anything."""
        self._request.channel.unheard = 0

    def bytesMessageReceived(self, data: bytes | bytearray) -> None:
        """Neither does this."""
        self._request.channel.unheard = 0

    def connectionLost(self, reason: Failure) -> None:
        """The request is told too, and cancels the talk."""
        # It leads back to us.
        del self._transport

    # --- the follower ---

    def tell(self, cursor: int, event: bytes) -> Deferred[None]:
        """An event, which says its cursor itself."""
        try:
            self._transport.sendTextMessage(event.decode())
        except LocalProtocolError:
            # The client said goodbye; soon its connection is lost and the talk cancelled.
            return Deferred()
        return self._outlet.opened()

    def keep_alive(self) -> Deferred[None]:
        """A ping."""
        try:
            self._transport.ping()
        except LocalProtocolError:
            return Deferred()
        return self._outlet.opened()

    async def _talk(self) -> None:
        try:
            await self._following(self)
            code = _GOING_AWAY if self._request.site.closing else _NORMAL
        except CancelledError:
            raise
        except TempmailError:
            # The token was revoked meanwhile.
            code = _POLICY
        except Exception:
            self._log.failure("a websocket failed")
            code = _DEFECT
        self._transport.loseConnection(code)
        self._request.channel.loseConnection()


def _check_handshake(request: Request) -> str:
    """The client's key. Raises a Problem for what is no handshake (RFC 6455 section 4.2.1)."""
    wishes = (request.getHeader("Connection") or "").lower().replace(" ", "").split(",")
    upgrade = (request.getHeader("Upgrade") or "").lower()
    version = request.getHeader("Sec-WebSocket-Version")
    if "upgrade" not in wishes or upgrade != "websocket" or version != "13":
        raise Problem(426, "this is a websocket, version 13", headers=_UPGRADE)
    key = request.getHeader("Sec-WebSocket-Key") or ""
    if request.method != b"GET" or request.clientproto != b"HTTP/1.1" or not _KEY(key):
        raise Problem(400, "this is no websocket handshake")
    if not _may_come_from(request):
        raise Problem(403, "pages of this origin may not open a websocket here")
    return key


def _may_come_from(request: Request) -> bool:
    """Whether the page that a browser opens the websocket for is ours or allowed.

    CORS does not hold for websockets (RFC 6455 section 10.2): without this any page could read, by
    the browser of somebody inside our network, a mailbox whose address it can guess.
    """
    origin = request.getHeader("Origin")
    exposure = request.site.exposure
    if origin is None or exposure.allows(origin):
        return True
    named = request.getHeader("X-Forwarded-Host") if request.channel.caller.trusted else None
    ours = named or request.getHeader("Host") or ""
    # An origin ends with the host (RFC 6454 section 6.2); "null" has none.
    return bool(ours) and origin.partition("://")[2].lower() == ours.lower()
