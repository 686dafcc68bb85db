"""Memory that is given back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from platform import libc_ver
from unittest import skipUnless

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tempmail.allocator import Trimmer, resident
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
        self.budget = Budget(100 * MEGA)
        self.resident = 80 * MEGA
        # What looking through the heap gives back each time.
        self.garbage = 0
        self.trimmed = 0
        self.trimmer = Trimmer(self.clock, self.budget, lambda: self.resident, self.trim)
        self.trimmer.startService()
        self.addCleanup(self.trimmer.stopService)

    def trim(self) -> None:
        self.trimmed += 1
        self.resident -= self.garbage

    def look(self, resident: int, used: int) -> int:
        """How often it was looked through, when the process is so large and holds so much."""
        self.trimmed = 0
        self.resident, self.budget.used = resident * MEGA, used * MEGA
        self.clock.pump([TRIM_LOOK_SECONDS] * 3)
        return self.trimmed

    def test_held(self) -> None:
        """What is held is no reason, however much."""
        self.assertEqual(self.look(80 + 500, used=500), 0)
        self.assertEqual(self.look(80, used=0), 0)

    def test_freed(self) -> None:
        """What was freed and is still there is, once it is much, and it is given back once."""
        self.garbage = 200 * MEGA
        self.assertEqual(self.look(80 + 500, used=500 - TRIM_OCTETS // MEGA), 0)
        self.assertEqual(self.look(80 + 500, used=300), 1)
        self.assertEqual(self.look(80 + 300, used=300), 0)

    def test_small(self) -> None:
        """What is no large part of the budget is kept, for it will be needed again."""
        self.assertEqual(self.look(80 + 45, used=0), 0)
        self.assertEqual(self.look(80 + 55, used=0), 1)

    def test_in_vain(self) -> None:
        """What can not be given back is not looked for again until more comes."""
        self.assertEqual(self.look(80 + 100, used=0), 1)
        self.assertEqual(self.look(80 + 110, used=0), 0)
        self.assertEqual(self.look(80 + 140, used=0), 1)

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

    def test_resident(self) -> None:
        """The process knows how large it is, within what it is read with."""
        seen = Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]
        self.assertLess(abs(resident() - int(seen) * 1024), 5 * MEGA)

    def test_large_blocks(self) -> None:
        """What was freed between other things is given back, by either means, else it is not."""
        self.assertGreater(self.grown("as it was"), 150)
        self.assertLess(self.grown("apart"), 20)
        self.assertLess(self.grown("trimmed"), 20)
