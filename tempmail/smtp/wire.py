"""The connection below a session: sending, when to read, TLS, whose it is, letting go of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer, IReactorTime, ISSLTransport, ITLSTransport
from twisted.internet.tcp import Connection
from twisted.protocols.policies import ProtocolWrapper
from zope.interface import implementer


class Outbox:
    """The answers of one turn of the reactor, sent behind each other when it is over.

    To send is to wake the peer's process, which costs several times what copying the octets does.
    A peer that has many sessions is woken once this way, by the first of its answers.
    """

    def __init__(self) -> None:
        self._wires: list[Wire] = []

    def put(self, wire: Wire, reactor: IReactorTime) -> None:
        """Have a wire send what it holds at the end of this turn of its reactor."""
        if not self._wires:
            reactor.callLater(0, self._send)
        self._wires.append(wire)

    def _send(self) -> None:
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.flush()


@implementer(IPushProducer)
class Wire:
    """One connection, seen from the session on it.

    Answers go straight to the kernel, as far as it takes them. A write through the transport costs
    two calls to change what epoll watches and a turn of the reactor, so that way is for the rest:
    for a peer that once did not take a whole answer, and for wrapped and encrypted connections.

    ``transport`` is a TCP or UNIX connection, TLS over one, or a wrapper such as HAProxy's around
    it. ``secure`` says whether TLS is in use, ``proxied`` whether a proxy has yet to say whose
    connection this is.
    """

    __slots__ = (
        "_clogged",
        "_held",
        "_outbox",
        "_registered",
        "_send_now",
        "_transport",
        "_unsent",
        "proxied",
        "secure",
    )

    def __init__(self, transport: Any, outbox: Outbox) -> None:
        self._transport = transport
        self._outbox = outbox
        # What was said in this turn of the reactor.
        self._unsent = b""
        # Why we do not read: the peer takes no answers; it sent more than can be looked at now.
        self._clogged = self._held = False
        self._registered = False
        self._send_now: Callable[[bytes], int] | None = None
        self.secure = self.proxied = False
        if isinstance(transport, Connection):
            self._send_now = transport.getHandle().send
        elif ISSLTransport.providedBy(transport):
            self.secure = True
        else:
            self.proxied = isinstance(transport, ProtocolWrapper)
            self.watch()

    @property
    def peer(self) -> str:
        """The client's address, as far as it is known; "" where there is none."""
        return getattr(self._transport.getPeer(), "host", "")

    # --- TLS ---

    @property
    def can_start_tls(self) -> bool:
        """Whether TLS can be put on this connection."""
        return bool(ITLSTransport.providedBy(self._transport))

    def start_tls(self, options: object) -> None:
        """Begin a handshake behind what was sent."""
        self.watch()
        self.secure = True
        self._transport.startTLS(options)

    # --- sending ---

    def send(self, answers: bytes) -> None:
        """Send at the end of this turn, or as soon after it as the peer lets us."""
        if self._send_now is None:
            self._transport.write(answers)
        elif self._unsent:
            self._unsent += answers
        else:
            self._unsent = answers
            self._outbox.put(self, self._transport.reactor)

    def flush(self) -> None:
        """Send what waits for the end of the turn."""
        answers, self._unsent = self._unsent, b""
        if self._send_now is None or not answers:
            return
        try:
            sent = self._send_now(answers)
        except OSError:
            # Full or broken; the transport finds out which.
            sent = 0
        if sent < len(answers):
            self.watch()
            self._transport.write(answers[sent:])

    def watch(self) -> None:
        """Send by way of the transport from now on, and hear of answers the peer does not take.

        Not before a TLS handshake is done: nothing can be sent until then, so we would be asked to
        stop reading, and the handshake would never be done.
        """
        self.flush()
        self._send_now = None
        if not self._registered:
            self._registered = True
            self._transport.registerProducer(self, True)

    # --- reading ---

    def hold(self) -> None:
        """Read no more until ``go_on``."""
        if not self._held:
            self._held = True
            self._transport.pauseProducing()

    def go_on(self) -> None:
        """Read again."""
        if self._held:
            self._held = False
            self._read_again()

    def pauseProducing(self) -> None:
        """The peer does not take its answers: read no more of its commands."""
        self._clogged = True
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        """The peer took its answers."""
        self._clogged = False
        self._read_again()

    def stopProducing(self) -> None:
        """The connection is gone."""

    def _read_again(self) -> None:
        if not self._clogged and not self._held:
            self._transport.resumeProducing()

    # --- the end ---

    def close(self, half: bool) -> None:
        """Close when everything is sent; with ``half``, where that can be done, our side only.

        A full close with input unread sends a reset, and the peer might never see our last words.
        TLS reads on by itself until the peer closes, too.
        """
        self.flush()
        self._send_now = None
        if self._clogged or self._held:
            # What is sent to us has to be read for us to see the peer close its side.
            self._clogged = self._held = False
            self._transport.resumeProducing()
        if self._registered:
            self._registered = False
            self._transport.unregisterProducer()
        if half and not self.secure and hasattr(self._transport, "loseWriteConnection"):
            self._transport.loseWriteConnection()
        else:
            self._transport.loseConnection()
