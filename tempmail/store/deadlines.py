"""Which mailbox's time is over next."""

from __future__ import annotations

from heapq import heappop, heappush
from math import ceil

from tempmail.core.limits import TICK_SECONDS
from tempmail.core.mailbox import Mailbox


class Deadlines:
    """Mailboxes in groups by the tick in which time does something to them.

    A heap holds every tick that has a group once, so the cost grows with what falls due and not
    with what exists. A mailbox leaves its group as soon as its deadline moves or it is forgotten:
    nothing is kept here of mailboxes that are gone, however often an address comes and goes.
    Within a tick there is no order, and a deadline is noticed up to one tick late.
    """

    def __init__(self) -> None:
        self._ticks: list[int] = []
        self._groups: dict[int, set[Mailbox]] = {}

    def schedule(self, mailbox: Mailbox) -> None:
        """Take notice of a mailbox's deadline, new or changed."""
        tick = ceil(mailbox.due_at / TICK_SECONDS)
        group = self._groups.get(tick)
        if group is None:
            group = self._groups[tick] = set()
            heappush(self._ticks, tick)
        if group is not mailbox.due_group:
            self.drop(mailbox)
            group.add(mailbox)
            mailbox.due_group = group

    def drop(self, mailbox: Mailbox) -> None:
        """Forget a mailbox."""
        if mailbox.due_group is not None:
            mailbox.due_group.discard(mailbox)
            mailbox.due_group = None

    def due(self, now: float) -> bool:
        """Whether there is anything to ``pop``."""
        return bool(self._ticks) and self._ticks[0] * TICK_SECONDS <= now

    def pop(self) -> Mailbox | None:
        """One mailbox of the first tick, taken out.

        None where that tick has none left, so that a caller in a hurry may stop there, too.
        """
        tick = self._ticks[0]
        group = self._groups[tick]
        if group:
            mailbox = group.pop()
            mailbox.due_group = None
            return mailbox
        heappop(self._ticks)
        del self._groups[tick]
        return None
