"""What happens by itself while the process lives: expiry, memory, and the end."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable, Iterable
from typing import Any

from attrs import evolve
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from tempmail.core.histogram import Histogram
from tempmail.core.limits import (
    COMPLAINT_SECONDS,
    FULL_COLLECTION_SHARE,
    GARBAGE_WORTH_COLLECTING,
    LINGER_SECONDS,
    MAX_COLLECTION_SHARE,
    MIN_COLLECTION_PAUSE,
    OTHER_FILES,
    PULSE_SECONDS,
    SLICE_SECONDS,
    STALL_BUCKETS,
    TICK_SECONDS,
    Limits,
)
from tempmail.doorbell import Doorbell
from tempmail.interfaces import IMailStore


class Janitor(Service):
    """Has the store close what is due, again and again, never holding the reactor for long."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, store: IMailStore) -> None:
        self._clock = clock
        self._store = store
        self._complained_at = float("-inf")
        self._loop = LoopingCall(self._tick)
        self._loop.clock = clock

    def startService(self) -> None:
        """Begin; the first look is one tick from now."""
        super().startService()  # type: ignore[no-untyped-call]
        self._loop.start(TICK_SECONDS, now=False)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._loop.running:
            self._loop.stop()

    async def _sweep(self) -> None:
        while await self._store.expire(self._clock.seconds() + SLICE_SECONDS):
            await self._next_turn()
            if not self.running:
                return

    def _next_turn(self) -> Deferred[None]:
        turn: Deferred[None] = Deferred()
        self._clock.callLater(0, turn.callback, None)
        return turn

    def _tick(self) -> Deferred[None]:
        """One sweep. The loop waits for it to end, and would end itself for an error."""
        return Deferred.fromCoroutine(self._sweep()).addErrback(self._complain)

    def _complain(self, failure: Failure) -> None:
        if self._clock.seconds() >= self._complained_at + COMPLAINT_SECONDS:
            self._complained_at = self._clock.seconds()
            self._log.failure("expiry failed", failure)


class Pulse(Service):
    """Measures how late the reactor comes to what is due.

    ``late`` is how many seconds, looked at every :data:`~tempmail.core.limits.PULSE_SECONDS`;
    ``latest`` the most there were.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.late = Histogram(STALL_BUCKETS)
        self.latest = 0.0
        self._clock = clock
        self._due = 0.0
        self._next: IDelayedCall | None = None

    def startService(self) -> None:
        """Begin; the first look is one beat from now."""
        super().startService()  # type: ignore[no-untyped-call]
        self._wait()

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._next is not None and self._next.active():
            self._next.cancel()

    def _wait(self) -> None:
        self._due = self._clock.seconds() + PULSE_SECONDS
        self._next = self._clock.callLater(PULSE_SECONDS, self._beat)

    def _beat(self) -> None:
        late = max(0.0, self._clock.seconds() - self._due)
        self.late.observe(late)
        self.latest = max(self.latest, late)
        self._wait()


class Collector(Service):
    """Keeps Python's cyclic garbage collector from stopping the process.

    A full collection walks every object there is: 190 ms with 100,000 mailboxes of one mail each,
    480 ms with five, and Python starts one each time their number grew by a quarter. Mail needs
    none of it, since reference counts free it. So what lives since the start is put aside, young
    garbage is collected as ever (1 ms at most), and a full collection comes as seldom as its cost
    and what the last one found allow.
    """

    _NEVER = 2**30

    def __init__(self, clock: IReactorTime, collect: Callable[[], int] = gc.collect) -> None:
        self._clock = clock
        self._collect = collect
        self._before: tuple[int, int, int] = gc.get_threshold()
        self._pause = MIN_COLLECTION_PAUSE
        self._next: IDelayedCall | None = None

    def startService(self) -> None:
        """Take over from Python's own rule."""
        super().startService()  # type: ignore[no-untyped-call]
        self._before = gc.get_threshold()
        gc.set_threshold(*self._before[:2], self._NEVER)
        self._collect()
        gc.freeze()
        self._next = self._clock.callLater(self._pause, self._collect_all)

    def stopService(self) -> None:
        """Leave things as they were."""
        super().stopService()  # type: ignore[no-untyped-call]
        gc.set_threshold(*self._before)
        gc.unfreeze()
        if self._next is not None and self._next.active():
            self._next.cancel()

    def _collect_all(self) -> None:
        began = self._clock.seconds()
        found = self._collect()
        self._pause = self._pause_after(self._clock.seconds() - began, found)
        self._next = self._clock.callLater(self._pause, self._collect_all)

    def _pause_after(self, took: float, found: int) -> float:
        pause = took / FULL_COLLECTION_SHARE
        if found > GARBAGE_WORTH_COLLECTING:
            wished = self._pause * GARBAGE_WORTH_COLLECTING / found
            pause = min(pause, max(wished, took / MAX_COLLECTION_SHARE))
        return max(pause, MIN_COLLECTION_PAUSE)


class ClosingTime(Service):
    """The end: everyone who waits is answered, and what is in flight gets a while to finish.

    ``closers`` are told how many seconds they have and answer when the last connection is gone;
    where their answer is cancelled they hear nobody any more. ``last`` comes behind them, when
    nothing can be acknowledged that it does not see.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        doorbell: Doorbell,
        closers: Iterable[Callable[[float], Deferred[None]]],
        grace: Callable[[], float],
        last: Callable[[], Deferred[None]],
    ) -> None:
        self._clock = clock
        self._doorbell = doorbell
        self._closers = tuple(closers)
        self._grace = grace
        self._last = last
        self._closing: Deferred[Any] | None = None

    def stopService(self) -> Deferred[Any]:
        """Fires when all is closed, or when closing time and the time to hang up are over."""
        super().stopService()  # type: ignore[no-untyped-call]
        grace = self._grace()
        self._doorbell.close()
        closing = DeferredList(
            [maybeDeferred(close, grace).addErrback(self._complain) for close in self._closers]
        )
        self._closing = closing
        last_call = self._clock.callLater(grace + LINGER_SECONDS + 1.0, self._cut_off)

        def closed(_: object) -> Deferred[None]:
            if last_call.active():
                last_call.cancel()
            return self._last()

        return closing.addCallback(closed)

    def hurry(self) -> None:
        """Wait no longer: the closers cut off what is left."""
        if self._closing is not None:
            self._closing.cancel()

    def _complain(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("closing failed", failure)

    def _cut_off(self) -> None:
        self._log.warn("closing time is over; what is still open is cut off")
        self.hurry()


def raise_file_limit() -> int:
    """Let the process open as many files as it may; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard or hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def fit_connections(limits: Limits, files: int) -> Limits:
    """The same limits with no more connections than files may be open.

    HTTP gets three quarters or more: readers stay and wait, senders come and go.
    """
    room = max(files - OTHER_FILES, 4)
    if limits.max_connections + limits.max_http_connections <= room:
        return limits
    for_smtp = min(limits.max_connections, room // 4)
    for_http = min(limits.max_http_connections, room - for_smtp)
    return evolve(limits, max_connections=for_smtp, max_http_connections=for_http)
