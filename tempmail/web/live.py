"""Three ways to ring the same bell: the long poll, Server-Sent Events, and (in websocket) a socket.

None of them has a queue: each reads the store from its own cursor on, when its client takes more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tempmail.core.address import Address
from tempmail.core.errors import MailboxGone
from tempmail.core.limits import DEFAULT_LIST, KEEPALIVE_SECONDS
from tempmail.core.mailbox import Change
from tempmail.core.message import Message
from tempmail.interfaces import IMailReader
from tempmail.web import views
from tempmail.web.outlet import Outlet
from tempmail.web.request import Request

T = TypeVar("T")


class Held(Resource, Generic[T]):
    """An answer that takes a while: ``found`` is waited for, ``render`` makes the body of it.

    A resource, and not a handler that waits by itself: what a handler was called with is kept as
    long as it runs, and thousands wait at a time.
    """

    isLeaf = True

    def __init__(
        self,
        found: Coroutine[Deferred[Any], Any, T],
        render: Callable[[Request, T], Coroutine[Any, Any, bytes]],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._found = found
        self._render = render

    def render(self, request: Request) -> int:
        """Write nothing yet."""
        request.hold(Deferred.fromCoroutine(self._found), self._render)
        return NOT_DONE_YET


class Streamed(Resource):
    """A body that ``source`` writes, after the headers of the request's answer."""

    isLeaf = True

    def __init__(self, source: Callable[[Outlet], Awaitable[None]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._source = source

    def render(self, request: Request) -> int:
        """Begin."""
        if request.method == b"HEAD":
            request.finish_with(b"")
        else:
            request.stream(self._source)
        return NOT_DONE_YET


class Follower(Protocol):
    """Somebody who is told of changes."""

    def tell(self, cursor: int, event: bytes) -> Deferred[None]:
        """Something changed; fires when there may be more."""

    def keep_alive(self) -> Deferred[None]:
        """Nothing did for a while."""


async def follow(
    office: IMailReader,
    address: Address,
    token: str | None,
    after: int,
    follower: Follower,
    told: Callable[[Message], None],
) -> None:
    """Tell of every change behind ``after``, until the mailbox or the server goes.

    ``told`` is called with each message that was handed to the follower.
    Raises what reading the mailbox raises, but MailboxGone, of which the follower is told.
    """
    try:
        while not office.closing:
            # By no name of ours, which would keep what was told while we wait for more.
            after = await _tell(
                office,
                await office.changes(
                    address, token, after=after, limit=DEFAULT_LIST, wait=KEEPALIVE_SECONDS
                ),
                after,
                follower,
                told,
            )
    except MailboxGone:
        await follower.tell(after, views.event(Change("expired", after)))


async def _tell(
    office: IMailReader,
    changes: Sequence[Change],
    after: int,
    follower: Follower,
    told: Callable[[Message], None],
) -> int:
    """Tell of these changes, or that there were none; returns the cursor to go on from."""
    if not changes:
        await follower.keep_alive()
    for change in changes:
        telling = follower.tell(change.sequence, await _event(office, change))
        if change.message is not None:
            told(change.message)
        await telling
        # What expires and goes on is a mailbox that mail opens: it begins anew.
        after = 0 if change.kind == "expired" else change.sequence
    return after


async def _event(office: IMailReader, change: Change) -> bytes:
    if change.message is None:
        return views.event(change)
    return views.arrival(change.message, await office.digest(change.message))


class EventStream:
    """Server-Sent Events (HTML Standard section 9.2): each event's id is its cursor.

    Events have no names of their own, so ``onmessage`` gets them all; what happened is their
    ``type``.
    """

    CONTENT_TYPE = "text/event-stream"

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def tell(self, cursor: int, event: bytes) -> Deferred[None]:
        """An event."""
        return self._outlet.write(b"id: %d\ndata: %b\n\n" % (cursor, event))

    def keep_alive(self) -> Deferred[None]:
        """A comment."""
        return self._outlet.write(b":\n\n")
