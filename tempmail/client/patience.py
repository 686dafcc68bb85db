"""How a wait or a feed treats a server that is away, busy, or in too much of a hurry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from tempmail.client.errors import Problem, RateLimited, TempmailError, Unavailable, Unreachable
from tempmail.client.limits import (
    EARLY_PAUSE,
    FIRST_CONTACT_ATTEMPTS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
)

_T = TypeVar("_T")


class Patience:
    """The patience of one wait or feed: it has `seconds` from now on, or, with None, no end.

    `random` gives floats from 0 to 1; `on_retry(trouble, pause)` is told of what is ridden out.
    """

    def __init__(
        self,
        clock: IReactorTime,
        random: Callable[[], float],
        on_retry: Callable[[TempmailError, float], None],
        seconds: float | None = None,
    ) -> None:
        self._clock = clock
        self._random = random
        self._on_retry = on_retry
        self._deadline = None if seconds is None else clock.seconds() + seconds
        self._failures = 0
        self._contact = False
        self._asked_at = 0.0

    def left(self) -> float:
        """Seconds until the time is up, 0 from then on."""
        if self._deadline is None:
            return float("inf")
        return max(0.0, self._deadline - self._clock.seconds())

    async def persist(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """What `ask` brings, asked again while the server is only away or busy."""
        while True:
            self._asked_at = self._clock.seconds()
            try:
                answer = await ask()
            except (Unreachable, RateLimited, Unavailable) as trouble:
                await self._sleep(self._pause(trouble), trouble)
            else:
                self._contact, self._failures = True, 0
                return answer

    async def after_nothing(self, hold: int) -> None:
        """Pauses if an empty answer came much too early, lest both sides go round in haste."""
        if self._clock.seconds() - self._asked_at < hold / 2:
            await self._sleep(EARLY_PAUSE)

    def _pause(self, trouble: TempmailError) -> float:
        """Seconds to leave the server alone; raises `trouble` when there is no point in it."""
        self._failures += 1
        if not isinstance(trouble, Unreachable) or trouble.connected:
            self._contact = True
        elif not self._contact and self._failures >= FIRST_CONTACT_ATTEMPTS:
            raise trouble
        # Half is fixed and half is random: clients that lost the server together come back apart.
        grown = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 16))
        pause = grown * (1 + self._random()) / 2
        told = trouble.retry_after if isinstance(trouble, Problem) else None
        if told is not None:
            pause += told
            if told > self.left():
                raise trouble
        if not self.left():
            raise trouble
        return min(pause, self.left())

    async def _sleep(self, seconds: float, trouble: TempmailError | None = None) -> None:
        if trouble is not None:
            self._on_retry(trouble, seconds)
        await deferLater(self._clock, min(seconds, self.left()))
