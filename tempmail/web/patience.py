"""Deadlines that are all equally far ahead, for thousands of connections at the cost of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

T = TypeVar("T")


class Patience(Generic[T]):
    """Gives everyone who is started the same time, then says that it is over.

    Who starts last is due last, so the order of starting is the order of falling due, and one
    timer, for the first, is enough. A timer for each connection would cost more memory than the
    rest of an idle connection's state.
    """

    def __init__(
        self, clock: IReactorTime, seconds: Callable[[], float], over: Callable[[T], None]
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._over = over
        self._due: dict[T, float] = {}
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, one: T) -> bool:
        return one in self._due

    def start(self, one: T) -> None:
        """Give ``one`` its time from now, whatever was left of an earlier start."""
        self._due.pop(one, None)
        self._due[one] = self._clock.seconds() + self._seconds()
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds(), self._look)

    def stop(self, one: T) -> bool:
        """``one`` has no deadline any more; says whether it had. Leaves the timer for the next."""
        return self._due.pop(one, None) is not None

    def forget(self, one: T) -> None:
        """``one`` is gone for good, and with the last one the timer."""
        self._due.pop(one, None)
        if not self._due and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end_all(self) -> None:
        """Everyone's time is over now."""
        for one in list(self._due):
            self.forget(one)
            self._over(one)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        while self._due:
            one, due = next(iter(self._due.items()))
            if due > now:
                self._timer = self._clock.callLater(due - now, self._look)
                return
            del self._due[one]
            self._over(one)
