"""Memory that is given back to the system."""

from __future__ import annotations

import subprocess
import sys
from platform import libc_ver
from unittest import skipUnless

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tempmail.allocator import Trimmer
from tempmail.core.budget import Budget
from tempmail.core.limits import MEGA, TRIM_LOOK_SECONDS, TRIM_OCTETS

_GLIBC = libc_ver()[0] == "glibc"

# Prints by how many MB a process that held a hundred blocks of 2 MB is larger than before, where a
# smaller block lies behind each.
_HOLDS_AND_FREES = """
import sys
from pathlib import Path
from tempmail.allocator import give_back, keep_large_blocks_apart

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "apart":
    keep_large_blocks_apart()
first = bytes(3 * 2**20)
del first
before = resident()
held, behind = [], []
for number in range(100):
    held.append(bytearray(2 * 2**20))
    held[-1][::4096] = b"x" * 512
    behind.append(bytes(100_000 + number))
del held[:]
if sys.argv[1] == "trimmed":
    give_back()
print((resident() - before) // 2**20)
"""


class TrimmerTests(SynchronousTestCase):
    """When the heap is looked through."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.budget = Budget(1000 * MEGA)
        self.trimmed: list[float] = []
        self.trimmer = Trimmer(
            self.clock, self.budget, lambda: self.trimmed.append(self.clock.seconds())
        )
        self.trimmer.startService()
        self.addCleanup(self.trimmer.stopService)

    def test_much_was_freed(self) -> None:
        """When much less is held than before, and once for each time."""
        self.budget.charge(10 * TRIM_OCTETS)
        self.clock.pump([TRIM_LOOK_SECONDS] * 3)
        self.assertEqual(self.trimmed, [])
        self.budget.give(2 * TRIM_OCTETS)
        self.clock.pump([TRIM_LOOK_SECONDS] * 3)
        self.assertEqual(len(self.trimmed), 1)
        self.budget.give(2 * TRIM_OCTETS)
        self.clock.pump([TRIM_LOOK_SECONDS] * 3)
        self.assertEqual(len(self.trimmed), 2)

    def test_little_was_freed(self) -> None:
        """Mail comes and goes without it."""
        for _ in range(20):
            self.budget.charge(TRIM_OCTETS // 2)
            self.clock.advance(TRIM_LOOK_SECONDS)
            self.budget.give(TRIM_OCTETS // 2)
            self.clock.advance(TRIM_LOOK_SECONDS)
        self.assertEqual(self.trimmed, [])

    def test_stopped(self) -> None:
        """No timer is left."""
        self.trimmer.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.trimmer.startService()


@skipUnless(_GLIBC, "the C library is not glibc")
class ProcessTests(SynchronousTestCase):
    """A process of its own, for this is about the whole of one."""

    def grown(self, how: str) -> int:
        """MB that it is larger than before."""
        run = subprocess.run(
            [sys.executable, "-c", _HOLDS_AND_FREES, how], capture_output=True, check=True
        )
        return int(run.stdout)

    def test_large_blocks(self) -> None:
        """What was freed between other things is given back, by either means, else it is not."""
        self.assertGreater(self.grown("as it was"), 150)
        self.assertLess(self.grown("apart"), 20)
        self.assertLess(self.grown("trimmed"), 20)
