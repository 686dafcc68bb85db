"""Giving memory back to the system, where the C library is glibc; elsewhere nothing happens.

glibc maps a large block by itself and unmaps it when it is freed, but after the first such block it
takes the next ones of that size from its heap, and of that gives back only the end. So a server
that once held many mails of some MB would stay as large as it was then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from mmap import PAGESIZE
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from tempmail.core.budget import Budget
from tempmail.core.limits import (
    HEAP_END_OCTETS,
    LARGE_BLOCK_OCTETS,
    TRIM_LOOK_SECONDS,
    TRIM_OCTETS,
    TRIM_SHARE,
)

_STATM = Path("/proc/self/statm")
# mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_large_blocks_apart() -> None:
    """Have every large block mapped by itself, for as long as the process lives."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_OCTETS)
        mallopt(_M_TRIM_THRESHOLD, HEAP_END_OCTETS)


def give_back() -> None:
    """Return the pages of the heap that nothing is in any more: some 0.1 ms for each MB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident() -> int:
    """Octets of memory this process has in use; 0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * PAGESIZE
    except OSError:
        return 0


class Trimmer(Service):
    """Gives memory back when the process is large, and much larger than what it holds.

    Large is :data:`~tempmail.core.limits.TRIM_SHARE` of the budget beyond what it was at the start:
    what is less will be needed again. Much is :data:`~tempmail.core.limits.TRIM_OCTETS`. What it
    does not help to give back is let be until there is so much again.
    """

    def __init__(
        self,
        clock: IReactorTime,
        budget: Budget,
        measure: Callable[[], int] = resident,
        trim: Callable[[], None] = give_back,
    ) -> None:
        self._budget = budget
        self._measure = measure
        self._trim = trim
        self._at_start = 0
        # What is beyond the budget: the least there was since memory was last given back.
        self._beyond = 0
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def startService(self) -> None:
        """Begin."""
        super().startService()  # type: ignore[no-untyped-call]
        self._at_start = self._measure()
        self._beyond = self._at_start - self._budget.used
        self._loop.start(TRIM_LOOK_SECONDS, now=False)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        size, used = self._measure(), self._budget.used
        large = size >= self._at_start + TRIM_SHARE * self._budget.limit
        if large and size - used > self._beyond + TRIM_OCTETS:
            self._trim()
            self._beyond = self._measure() - used
        else:
            self._beyond = min(self._beyond, size - used)
