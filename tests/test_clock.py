"""The clock that nobody can set back."""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from tempmail.clock import steady_clock


class SteadyClockTests(SynchronousTestCase):
    """Time as the reactor sees it, with hands of our own to turn."""

    def setUp(self) -> None:
        self.wall = 1_000_000.0
        self.up = 50.0
        self.seconds = steady_clock(lambda: self.wall, lambda: self.up)

    def test_starts_with_the_wall(self) -> None:
        """It begins as seconds since the epoch."""
        self.assertEqual(self.seconds(), 1_000_000.0)

    def test_ignores_a_wall_step(self) -> None:
        """Setting the wall clock, back or forth, does not move it."""
        for step in (-3600.0, +86400.0):
            self.wall += step
            self.up += 1.0
        self.assertEqual(self.seconds(), 1_000_002.0)

    def test_counts_sleep(self) -> None:
        """What passed while the machine slept has passed."""
        self.up += 8 * 3600.0
        self.assertEqual(self.seconds(), 1_000_000.0 + 8 * 3600.0)

    def test_the_real_one(self) -> None:
        """With the machine's own clocks it agrees with the wall clock."""
        self.assertLess(abs(steady_clock()() - time.time()), 1.0)
