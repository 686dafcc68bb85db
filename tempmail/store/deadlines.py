"""Which mailbox's time is over next."""

from __future__ import annotations

from heapq import heappop, heappush
from math import ceil

from tempmail.core.limits import TICK_SECONDS
from tempmail.core.mailbox import DueGroup, Mailbox

# Ticks in the heap that nobody needs any more are cleared away when they are so many, and more than
# the others.
_STALE = 1000


class Deadlines:
    """Mailboxes in groups by the tick in which time does something to them.

    A heap holds the tick of every group, so the cost grows with what falls due and not with what
    exists. A mailbox leaves its group as soon as its deadline moves or it is forgotten, and a group
    goes with its last mailbox: nothing is kept here of what was, however often a deadline moves.
    Within a tick there is no order, and a deadline is noticed up to one tick late.
    """

    def __init__(self) -> None:
        # Among them some of groups that are gone.
        self._ticks: list[int] = []
        self._groups: dict[int, DueGroup] = {}

    def schedule(self, mailbox: Mailbox) -> None:
        """Take notice of a mailbox's deadline, new or changed."""
        tick = ceil(mailbox.due_at / TICK_SECONDS)
        group = self._groups.get(tick)
        if group is None:
            group = self._groups[tick] = DueGroup(tick)
            self._push(tick)
        if group is not mailbox.due_group:
            self.drop(mailbox)
            group.add(mailbox)
            mailbox.due_group = group

    def drop(self, mailbox: Mailbox) -> None:
        """Forget a mailbox."""
        group, mailbox.due_group = mailbox.due_group, None
        if group is not None:
            group.discard(mailbox)
            self._tidy(group)

    def due(self, now: float) -> bool:
        """Whether there is anything to ``pop``."""
        return bool(self._ticks) and self._ticks[0] * TICK_SECONDS <= now

    def pop(self) -> Mailbox | None:
        """One mailbox of the first tick, taken out.

        None where that tick has none left, so that a caller in a hurry may stop there, too.
        """
        group = self._groups.get(self._ticks[0])
        if group is None:
            heappop(self._ticks)
            return None
        mailbox = group.pop()
        mailbox.due_group = None
        self._tidy(group)
        return mailbox

    def _push(self, tick: int) -> None:
        heappush(self._ticks, tick)
        if len(self._ticks) > 2 * len(self._groups) + _STALE:
            # What is sorted is a heap.
            self._ticks = sorted(self._groups)

    def _tidy(self, group: DueGroup) -> None:
        if not group:
            del self._groups[group.tick]
