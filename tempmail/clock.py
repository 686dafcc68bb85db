"""A clock that nobody can set back."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

# Seconds this machine has been up, those it slept included.
_since_boot = partial(time.clock_gettime, time.CLOCK_BOOTTIME)


def steady_clock(
    wall: Callable[[], float] = time.time, since_boot: Callable[[], float] = _since_boot
) -> Callable[[], float]:
    """Seconds since the epoch: the wall clock once, and from then on what really passes.

    Twisted's reactor goes by the wall clock. Setting that back an hour would keep all mail an hour
    longer and hold every timer; setting it forward would drop all of it. On this clock a machine
    that slept finds everything due when it wakes up.
    """
    started = wall() - since_boot()
    return lambda: started + since_boot()
