"""Every mailbox by its address, open or in quarantine: the only ways in and out."""

from __future__ import annotations

from collections.abc import Collection

from twisted.internet.interfaces import IReactorTime

from tempmail.core.address import Address
from tempmail.core.budget import Budget
from tempmail.core.errors import NoSuchMailbox, TooManyMailboxes
from tempmail.core.limits import ATTEMPT_COST, CHANGE_COST, MAILBOX_COST, MAX_JOURNAL, Limits
from tempmail.core.mailbox import Change, Mailbox, Opening
from tempmail.core.peer import Held
from tempmail.interfaces import IArrivalListener
from tempmail.store.deadlines import Deadlines
from tempmail.store.removed import Removed
from tempmail.store.tally import Tally


class Shelves:
    """Mailbox objects by address, and the count of what they cost.

    Mailboxes come in by ``put`` and go out by ``_forget`` or replaced by ``put``; mail goes out by
    ``removed`` alone. So each count has one place up and one down. ``limits`` are those in force.
    """

    def __init__(
        self, clock: IReactorTime, limits: Limits, budget: Budget, listener: IArrivalListener
    ) -> None:
        self.limits = limits
        self.tally = Tally()
        self.removed = Removed(clock, budget, self.tally)
        self.last_sequence = 0
        self._clock = clock
        self._budget = budget
        self._listener = listener
        self._mailboxes: dict[str, Mailbox] = {}
        self._deadlines = Deadlines()
        self._held = Held()

    # --- finding ---

    @property
    def mailboxes(self) -> Collection[Mailbox]:
        """All there are, quarantines and those whose time is over included."""
        return self._mailboxes.values()

    def known(self, address: Address) -> Mailbox | None:
        """The mailbox or its quarantine; one whose time is over is closed here and now."""
        mailbox = self._mailboxes.get(address.key)
        if mailbox is None or mailbox.due_at > self._clock.seconds():
            return mailbox
        if not mailbox.closed:
            self._expire(mailbox)
            return self.known(address)
        self._forget(mailbox)
        return None

    def live(self, address: Address) -> Mailbox:
        """The open mailbox. Raises NoSuchMailbox."""
        mailbox = self.known(address)
        if mailbox is None or mailbox.closed:
            raise NoSuchMailbox("no mailbox of this address")
        return mailbox

    def holds(self, mailbox: Mailbox) -> bool:
        """Whether ``put`` has been called for it, and none since for another of its address."""
        return self._mailboxes.get(mailbox.address.key) is mailbox

    # --- in ---

    def open(self, address: Address, opening: Opening, payer: str) -> Mailbox:
        """Put up a mailbox that somebody asked for, at the cost of ``payer``.

        Raises TooManyMailboxes, MemoryFull, ShareSpent.
        """
        client = opening.client
        if client and self._held.of(client) >= self.limits.mailboxes_per_client:
            raise TooManyMailboxes("this client holds as many mailboxes as it may")
        self._budget.pay(self.opening_cost(address), payer)
        self.tally.minted += 1
        return self.put(self.new(address, opening, payer))

    def opening_cost(self, address: Address) -> int:
        """What a new mailbox takes of the budget: nothing where it replaces a quarantine."""
        return 0 if address.key in self._mailboxes else MAILBOX_COST

    def new(self, address: Address, opening: Opening, payer: str) -> Mailbox:
        """A mailbox that nobody knows before ``put``.

        ``payer`` is the client whose part of the memory it takes, unless it replaces a quarantine,
        which somebody pays for already.
        """
        now = self._clock.seconds()
        ends = now + opening.lifetime
        return Mailbox(address.untagged, opening, now, ends, self.next_sequence(), payer)

    def put(self, mailbox: Mailbox) -> Mailbox:
        """Put up a mailbox whose cost is paid, in the place of its quarantine if there is one."""
        replaced = self._mailboxes.get(mailbox.address.key)
        tally = self.tally
        if replaced is not None:
            tally.quarantine -= 1
            mailbox.payer = replaced.payer
            self._deadlines.drop(replaced)
        if mailbox.closed:
            tally.quarantine += 1
        else:
            tally.mailboxes += 1
            self._held.add(mailbox.opening.client)
        self._mailboxes[mailbox.address.key] = mailbox
        self._deadlines.schedule(mailbox)
        return mailbox

    # --- while it is there ---

    def extend(self, mailbox: Mailbox, expires_at: float) -> None:
        """Move a mailbox's end."""
        mailbox.expires_at = expires_at
        self._deadlines.schedule(mailbox)
        self.record(mailbox, Change("extended", self.next_sequence(), expires_at=expires_at))

    def record(self, mailbox: Mailbox, change: Change) -> None:
        """Remember a change; where journal or memory is full, in the place of the oldest."""
        few = len(mailbox.journal) < MAX_JOURNAL
        mailbox.record(change, few and self._budget.take(CHANGE_COST, mailbox.payer))
        self._listener.announce(mailbox.address, change)

    def next_sequence(self, now: float | None = None) -> int:
        """A number larger than any before, also than those of an earlier process's life.

        Microseconds of the clock, so a client that kept a cursor over a restart misses nothing.
        """
        if now is None:
            now = self._clock.seconds()
        self.last_sequence = max(self.last_sequence + 1, int(now * 1_000_000))
        return self.last_sequence

    # --- out ---

    def close(self, mailbox: Mailbox) -> None:
        """Close a mailbox now, or when its time was over if that was before."""
        self.tally.mailboxes -= 1
        self.tally.quarantine += 1
        self.removed.put(mailbox.remove_all())
        self._budget.give(CHANGE_COST * len(mailbox.journal), mailbox.payer)
        self._budget.give(ATTEMPT_COST * len(mailbox.attempts))
        self._held.drop(mailbox.opening.client)
        change = Change("expired", self.next_sequence())
        closed_at = min(self._clock.seconds(), mailbox.expires_at)
        mailbox.quarantine(change, closed_at + self.limits.quarantine)
        if mailbox.opening.minted:
            self._deadlines.schedule(mailbox)
        else:
            self._forget(mailbox)
        self._listener.announce(mailbox.address, change)

    def expire(self, until: float) -> bool:
        """Close what is due, no longer than till the clock reads ``until``; whether more is due."""
        while self.removed.batches or self._deadlines.due(self._clock.seconds()):
            if self.removed.batches:
                self.removed.discard_next()
            else:
                self._come_due(self._deadlines.pop())
            if self._clock.seconds() >= until:
                return True
        return False

    def _come_due(self, mailbox: Mailbox | None) -> None:
        if mailbox is not None:
            if mailbox.closed:
                self._forget(mailbox)
            else:
                self._expire(mailbox)

    def _expire(self, mailbox: Mailbox) -> None:
        self.tally.expired += 1
        self.tally.lag.observe(self._clock.seconds() - mailbox.expires_at)
        self.close(mailbox)

    def _forget(self, mailbox: Mailbox) -> None:
        self.tally.quarantine -= 1
        self._deadlines.drop(mailbox)
        del self._mailboxes[mailbox.address.key]
        self._budget.give(MAILBOX_COST, mailbox.payer)
