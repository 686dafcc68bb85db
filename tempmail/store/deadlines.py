"""Which mailbox's time is over next."""

from __future__ import annotations

from heapq import heappop, heappush

from tempmail.core.mailbox import Mailbox


class Deadlines:
    """A heap of mailboxes by the moment time does something to them.

    A mailbox has one entry that counts, named by its ``scheduled_at``. Its deadline usually moves
    later (extending, quarantine); the entry stays where it is then and is put back when it comes
    up, so extending costs nothing. Only a deadline that moved earlier needs a second entry, and the
    first is passed over when it comes up.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Mailbox]] = []
        # Breaks ties, so that mailboxes are never compared.
        self._pushed = 0

    def schedule(self, mailbox: Mailbox) -> None:
        """Take notice of a mailbox's deadline, new or changed."""
        if not mailbox.scheduled_at or mailbox.due_at < mailbox.scheduled_at:
            self._push(mailbox)

    def pop_due(self, now: float) -> Mailbox | None:
        """A mailbox whose deadline is not behind ``now``, taken out; None when there is no more."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            scheduled_at, _, mailbox = heappop(heap)
            if scheduled_at != mailbox.scheduled_at:
                continue
            if mailbox.due_at > now:
                self._push(mailbox)
                continue
            mailbox.scheduled_at = 0.0
            return mailbox
        return None

    def _push(self, mailbox: Mailbox) -> None:
        mailbox.scheduled_at = mailbox.due_at
        self._pushed += 1
        heappush(self._heap, (mailbox.due_at, self._pushed, mailbox))
