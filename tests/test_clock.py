"""The clock that nobody can set back."""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from tempmail.clock import Moment, read_moment, steady_clock


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


class MomentTests(SynchronousTestCase):
    """How long ago another process's moment was, and when that was on our clock."""

    then = Moment(steady=1000.0, wall=1000.25, up=50.0, boot="one")

    def test_same_boot(self) -> None:
        """Within one boot what passed is what the machine was up, whatever the wall clock says."""
        for wall in (0.0, 1010.25, 10.0**9):
            now = Moment(steady=wall, wall=wall, up=60.0, boot="one")
            self.assertEqual(now.passed_since(self.then), 10.0)
            self.assertEqual(self.then.steady + now.shift_since(self.then), round(wall - 10.0))

    def test_another_boot(self) -> None:
        """Over a boot it is what the wall clock says, and nothing where that went backwards."""
        for wall, passed in ((1500.25, 500.0), (1000.25, 0.0), (5.0, 0.0)):
            now = Moment(steady=wall, wall=wall, up=2.0, boot="another")
            self.assertEqual(now.passed_since(self.then), passed)

    def test_no_boot(self) -> None:
        """A machine that can not tell its boots apart goes by the wall clock."""
        then = Moment(steady=0.0, wall=0.0, up=50.0, boot="")
        self.assertEqual(Moment(0.0, 7.0, 60.0, "").passed_since(then), 7.0)

    def test_small_differences(self) -> None:
        """Clocks a moment apart leave times that clients saw as they are."""
        now = Moment(steady=1010.4, wall=1010.4, up=60.0, boot="one")
        self.assertEqual(now.shift_since(self.then), 0)

    def test_the_real_one(self) -> None:
        """This machine's clocks and boot are what its next process sees."""
        one, other = read_moment(5.0), read_moment(6.0)
        self.assertEqual((one.steady, one.boot), (5.0, other.boot))
        self.assertTrue(one.boot)
        self.assertLess(other.passed_since(one), 1.0)
        self.assertLess(abs(one.wall - time.time()), 1.0)
