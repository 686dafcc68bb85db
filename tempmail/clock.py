"""A clock that nobody can set back, also from one process to the next."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from attrs import frozen

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


@frozen
class Moment:
    """One moment as several clocks show it, so that another process knows how long ago it was.

    ``steady`` is the process's own clock, ``wall`` the machine's, ``up`` seconds since the boot
    named ``boot``.
    """

    steady: float
    wall: float
    up: float
    boot: str

    def passed_since(self, then: Moment) -> float:
        """Seconds. Within one boot nobody can change them; from one boot to another they are the
        wall clock's, and none where that went backwards."""
        if self.boot and self.boot == then.boot:
            return max(self.up - then.up, 0.0)
        return max(self.wall - then.wall, 0.0)

    def shift_since(self, then: Moment) -> int:
        """What to add to a time on ``then``'s steady clock to have it on this one.

        In whole seconds, so that times which clients have seen stay as they are unless a clock was
        set.
        """
        return round(self.steady - self.passed_since(then) - then.steady)


def read_moment(steady: float) -> Moment:
    """Now, with ``steady`` as the process's own clock shows it."""
    return Moment(steady, time.time(), _since_boot(), _boot())


def _boot() -> str:
    """A name that each boot of a Linux machine has for itself; "" where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
