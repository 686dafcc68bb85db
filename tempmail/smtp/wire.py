"""The connection below a session: sending, when to read, TLS, whose it is, letting go of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IPushProducer, ISSLTransport, ITLSTransport
from twisted.internet.tcp import Connection
from twisted.protocols.policies import ProtocolWrapper
from zope.interface import implementer


@implementer(IPushProducer)
class Wire:
    """One connection, seen from the session on it.

    Answers are sent at once, as far as the kernel takes them. A write through the transport goes a
    longer way to the same call, so that way is for the rest: for a peer that once did not take a
    whole answer, and for wrapped and encrypted connections.

    ``transport`` is a TCP or UNIX connection, TLS over one, or a wrapper such as HAProxy's around
    it, or TLS over that. ``secure`` says whether TLS is in use, ``proxied`` whether a proxy has yet
    to say whose connection this is.
    """

    __slots__ = ("_clogged", "_held", "_registered", "_send_now", "_transport", "proxied", "secure")

    def __init__(self, transport: Any) -> None:
        self._transport: Any = transport
        # Why we do not read: the peer takes no answers; it sent more than can be looked at now.
        self._clogged = self._held = False
        self._registered = False
        self._send_now: Callable[[bytes], int] | None = None
        self.secure = self.proxied = False
        if isinstance(transport, Connection):
            self._send_now = transport.getHandle().send
            # A long group of commands is read in pieces, and the second answer would wait for the
            # client to acknowledge the first, which takes 40 ms. A socket file has no such wait.
            with suppress(OSError):
                transport.setTcpNoDelay(True)
        elif ISSLTransport.providedBy(transport):
            self.secure = True
            self.proxied = isinstance(self._transport.transport, ProtocolWrapper)
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
        """Send, now or as soon as the peer lets us."""
        if self._send_now is not None:
            try:
                sent = self._send_now(answers)
            except OSError:
                # Full or broken; the transport finds out which.
                sent = 0
            if sent == len(answers):
                return
            self.watch()
            answers = answers[sent:]
        self._transport.write(answers)

    def watch(self) -> None:
        """Send by way of the transport from now on, and hear of answers the peer does not take.

        Not before a TLS handshake is done: nothing can be sent until then, so we would be asked to
        stop reading, and the handshake would never be done.
        """
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
