"""Bodies longer than a buffer, or without an end: written as fast as the client takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from tempmail.core.limits import POUR_OCTETS

if TYPE_CHECKING:
    from tempmail.web.request import Request


@implementer(IPushProducer)
class Outlet:
    """The way to one client. It is shut while the client does not take what it was sent.

    Whoever writes waits for it to open before making more, so what a slow client has not got yet
    waits in the store and nowhere else.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._shut = False
        self._writer: Deferred[None] | None = None
        request.registerProducer(self, True)  # type: ignore[no-untyped-call]

    def write(self, octets: bytes) -> Deferred[None]:
        """Write to the body; fires when there may be more."""
        self._request.write(octets)
        return self.opened()

    def opened(self) -> Deferred[None]:
        """Fires when the client takes more, at once where it does now."""
        if not self._shut:
            return succeed(None)
        self._writer = Deferred()
        return self._writer

    def pauseProducing(self) -> None:
        """The buffers are full."""
        self._shut = True

    def resumeProducing(self) -> None:
        """They are empty."""
        self._shut = False
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.callback(None)

    def stopProducing(self) -> None:
        """The connection is gone; the request learns of it too, and cancels whoever writes."""


async def pour(body: bytes, outlet: Outlet) -> None:
    """Write a body that is there already."""
    for start in range(0, len(body), POUR_OCTETS):
        await outlet.write(body[start : start + POUR_OCTETS])
