"""Which mailbox's time is over next."""

from __future__ import annotations

import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import parse_address
from tempmail.core.limits import TICK_SECONDS
from tempmail.core.mailbox import Mailbox, Opening
from tempmail.store.deadlines import Deadlines

OPENING = Opening(lifetime=60, max_lifetime=600)


class DeadlinesTests(SynchronousTestCase):
    """What is due, and what is left behind."""

    def setUp(self) -> None:
        self.deadlines = Deadlines()

    def mailbox(self, expires_at: float) -> Mailbox:
        mailbox = Mailbox(parse_address("bob@qa.test"), OPENING, 0.0, expires_at, 1)
        self.deadlines.schedule(mailbox)
        return mailbox

    def move(self, mailbox: Mailbox, expires_at: float) -> None:
        mailbox.expires_at = expires_at
        self.deadlines.schedule(mailbox)

    def pop_all(self, now: float) -> list[Mailbox]:
        found = []
        while self.deadlines.due(now):
            mailbox = self.deadlines.pop()
            if mailbox is not None:
                found.append(mailbox)
        return found

    def test_nothing(self) -> None:
        """Where nothing is, nothing is due."""
        self.assertFalse(self.deadlines.due(1e12))

    def test_due_within_a_tick_and_never_early(self) -> None:
        """A mailbox comes up at its end or up to a tick later, and once."""
        for end in (10.0, 10.01, 10.1, 10.24, 10.25):
            mailbox = self.mailbox(end)
            self.assertEqual(self.pop_all(end - 0.001), [])
            self.assertEqual(self.pop_all(end + TICK_SECONDS), [mailbox])
            self.assertEqual(self.pop_all(1e12), [])

    def test_order(self) -> None:
        """Of what is due, the tick that is over first comes first."""
        late, early, middle = (self.mailbox(end) for end in (30.0, 10.0, 20.0))
        self.assertEqual(self.pop_all(20.0), [early, middle])
        self.assertEqual(self.pop_all(30.0), [late])

    def test_moved_later(self) -> None:
        """An end that moved later counts, and not the one before."""
        mailbox = self.mailbox(10.0)
        self.move(mailbox, 20.0)
        self.assertEqual(self.pop_all(19.0), [])
        self.assertEqual(self.pop_all(20.0), [mailbox])

    def test_moved_earlier(self) -> None:
        """An end that moved to the front counts, and the mailbox comes up once."""
        mailbox = self.mailbox(20.0)
        self.move(mailbox, 10.0)
        self.assertEqual(self.pop_all(10.0), [mailbox])
        self.assertEqual(self.pop_all(20.0), [])

    def test_moved_within_a_tick(self) -> None:
        """A move too small to matter leaves the mailbox where it is."""
        mailbox = self.mailbox(10.1)
        self.move(mailbox, 10.2)
        self.assertEqual(self.pop_all(10.25), [mailbox])

    def test_dropped(self) -> None:
        """A mailbox that was dropped does not come up, and others of its tick do."""
        mailbox, other = self.mailbox(10.0), self.mailbox(10.0)
        self.deadlines.drop(mailbox)
        self.deadlines.drop(mailbox)
        self.assertEqual(self.pop_all(10.0), [other])

    def test_again(self) -> None:
        """What came up can be scheduled again, for its quarantine."""
        mailbox = self.mailbox(10.0)
        self.pop_all(10.0)
        self.move(mailbox, 10.0)
        self.assertEqual(self.pop_all(10.0), [mailbox])

    def test_moving_leaves_nothing(self) -> None:
        """However often an end moves, little more than the ends there are is kept of it."""
        for ends in ((20.0, 10.0) * 20_000, [10.0 + number for number in range(40_000)]):
            self.deadlines = Deadlines()
            tracemalloc.start()
            self.addCleanup(tracemalloc.stop)
            mailbox = self.mailbox(5.0)
            for end in ends:
                self.move(mailbox, end)
            self.assertLess(tracemalloc.get_traced_memory()[0], 200_000)
            tracemalloc.stop()
            self.assertEqual(self.pop_all(1e12), [mailbox])

    def test_order_after_moving(self) -> None:
        """What is over first comes first, however often others moved."""
        mailboxes = [self.mailbox(float(end)) for end in range(5000, 0, -1)]
        for mailbox in mailboxes[::2]:
            self.move(mailbox, mailbox.expires_at + 10_000)
        found = self.pop_all(1e12)
        self.assertEqual(found, sorted(mailboxes, key=lambda mailbox: mailbox.expires_at))
