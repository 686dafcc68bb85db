"""Mail kept in this process's memory, under a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from tempmail.core.address import Address
from tempmail.core.budget import Budget
from tempmail.core.errors import (
    AddressTaken,
    MailboxFull,
    MemoryFull,
    NoSuchMailbox,
    SomeRefused,
    TempmailError,
    TooManyMailboxes,
)
from tempmail.core.kept import Kept, KeptMail, KeptMailbox, Recalled
from tempmail.core.limits import (
    ATTEMPT_COST,
    ATTEMPT_RESERVE,
    CHANGE_COST,
    MAILBOX_COST,
    MAX_ATTEMPTS,
    MAX_JOURNAL,
    MESSAGE_COST,
    PARCEL_COST,
    READY_OCTETS,
    Limits,
)
from tempmail.core.mailbox import Change, Mailbox, MailboxState, Opening
from tempmail.core.message import Attempt, Envelope, Message, Octets, Parcel
from tempmail.core.peer import Held
from tempmail.interfaces import IArrivalListener, IMailStore
from tempmail.store.deadlines import Deadlines
from tempmail.store.recall import Recall, all_mail, all_mailboxes
from tempmail.store.removed import Removed
from tempmail.store.tally import Tally

P = ParamSpec("P")
T = TypeVar("T")


def _deferred(method: Callable[P, T]) -> Callable[P, Deferred[T]]:
    """A method that answers at once, in the form the interface asks for.

    Only domain errors become failures: anything else is a defect of ours and should be seen where
    it happens.
    """

    @wraps(method)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        try:
            return succeed(method(*args, **kwargs))
        except TempmailError as error:
            return fail(error)

    return answer


@implementer(IMailStore)
class MemoryStore:
    """Mailbox objects by address, and the count of all they hold.

    Mail comes in by ``add`` alone and goes out by ``_removed`` alone; mailboxes come in by ``_put``
    and go out by ``_forget`` or replaced by ``_put``. So each count has one place up and one down.
    Only what ``recall`` begins with comes in by itself.
    """

    def __init__(
        self, clock: IReactorTime, limits: Limits, budget: Budget, listener: IArrivalListener
    ) -> None:
        self.limits = limits
        self.tally = Tally()
        self._clock = clock
        self._budget = budget
        self._listener = listener
        self._mailboxes: dict[str, Mailbox] = {}
        self._deadlines = Deadlines()
        self._removed = Removed(clock, budget, self.tally)
        self._held = Held()
        self._last_sequence = 0

    # --- mailboxes ---

    @_deferred
    def create(self, address: Address, opening: Opening) -> MailboxState:
        if self._known(address) is not None:
            raise AddressTaken("this address is taken, or was until a short while ago")
        return self._open(address, opening).state()

    @_deferred
    def look(self, address: Address) -> MailboxState | None:
        mailbox = self._known(address)
        return None if mailbox is None else mailbox.state()

    @_deferred
    def restore(self, address: Address, opening: Opening) -> MailboxState:
        mailbox = self._known(address)
        if mailbox is None:
            raise NoSuchMailbox("nothing is known of this address any more")
        if not mailbox.closed:
            raise AddressTaken("this address is in use")
        return self._open(address, opening).state()

    @_deferred
    def close(self, address: Address) -> None:
        self._close(self._live(address))
        self.tally.deleted += 1
        self._removed.discard_some()

    @_deferred
    def extend(self, address: Address, expires_at: float) -> MailboxState:
        mailbox = self._live(address)
        mailbox.expires_at = expires_at
        self._deadlines.schedule(mailbox)
        self._record(mailbox, Change("extended", self._next_sequence(), expires_at=expires_at))
        return mailbox.state()

    @_deferred
    def rekey(self, address: Address, token_hash: bytes) -> None:
        self._live(address).rekey(token_hash)

    # --- mail ---

    @_deferred
    def check_room(self, address: Address, octets: int, opening: Opening | None) -> None:
        self._with_room(address, octets, opening)
        cost = PARCEL_COST + octets + MESSAGE_COST + self._opening_cost(address)
        if not self._budget.fits(cost):
            raise MemoryFull("the server's memory for mail is full")

    @_deferred
    def add(
        self,
        envelope: Envelope,
        recipients: Sequence[tuple[Address, Opening | None]],
        octets: Octets,
    ) -> None:
        now = self._clock.seconds()
        parcel = Parcel(envelope, octets, now)
        mailboxes = self._all_with_room(recipients, len(octets))
        cost = parcel.cost + MESSAGE_COST * len(mailboxes)
        for mailbox in mailboxes:
            cost += self._opening_cost(mailbox.address)
        if not self._budget.take(cost):
            raise MemoryFull("the server's memory for mail is full")
        # Nothing may be refused from here on.
        parcel.holders = len(mailboxes)
        self.tally.messages += parcel.holders
        self.tally.octets += len(octets)
        for (address, _), mailbox in zip(recipients, mailboxes, strict=True):
            if self._mailboxes.get(address.key) is not mailbox:
                self.tally.opened += 1
                self._put(mailbox)
            recipient = address if address.tag else mailbox.address
            message = Message(self._next_sequence(now), recipient, parcel)
            mailbox.add(message)
            self._listener.announce(address, Change("message", message.sequence, message))

    @_deferred
    def messages(self, address: Address, after: int, limit: int) -> list[Message]:
        mailbox = self._known(address)
        return [] if mailbox is None else mailbox.since(after, limit)

    @_deferred
    def changes(self, address: Address, after: int, limit: int) -> list[Change]:
        mailbox = self._known(address)
        return [] if mailbox is None or mailbox.closed else mailbox.changes(after, limit)

    @_deferred
    def message(self, address: Address, sequence: int) -> Message:
        return self._live(address).message(sequence)

    @_deferred
    def mark_seen(self, address: Address, sequence: int, seen: bool) -> Message:
        return self._live(address).mark(sequence, seen)

    @_deferred
    def remove(self, address: Address, sequence: int) -> None:
        mailbox = self._live(address)
        self._removed.discard(mailbox.remove(sequence))
        self._record(mailbox, Change("deleted", self._next_sequence(), message_id=str(sequence)))

    @_deferred
    def empty(self, address: Address) -> None:
        mailbox = self._live(address)
        self._removed.put(mailbox.remove_all())
        self._record(mailbox, Change("emptied", self._next_sequence()))
        self._removed.discard_some()

    @_deferred
    def note(self, address: Address, attempt: Attempt) -> None:
        mailbox = self._known(address)
        if mailbox is None or mailbox.closed or mailbox.opening.token_hash is None:
            return
        few = len(mailbox.attempts) < MAX_ATTEMPTS
        mailbox.note(attempt, few and self._budget.take(ATTEMPT_COST, ATTEMPT_RESERVE))

    @_deferred
    def attempts(self, address: Address) -> list[Attempt]:
        return list(self._live(address).attempts)

    # --- time ---

    @_deferred
    def expire(self, until: float) -> bool:
        while self._removed.batches or self._deadlines.due(self._clock.seconds()):
            if self._removed.batches:
                self._removed.discard_next()
            else:
                self._come_due(self._deadlines.pop())
            if self._clock.seconds() >= until:
                return True
        return False

    @_deferred
    def check_ready(self) -> None:
        if not self._budget.fits(READY_OCTETS + PARCEL_COST + MESSAGE_COST + MAILBOX_COST):
            raise MemoryFull("the server's memory for mail is full")

    # --- over a restart ---

    def keep(self) -> Kept:
        """Everything there is, for the store of the next process; to be read before it changes.

        Of what is over by now only the quarantine is among it.
        """
        return Kept(self._last_sequence, self._contents())

    def recall(self, kept: Kept) -> Recalled:
        """Go on, still empty, where another store stopped, as far as the budget allows.

        What is over meanwhile is closed. Whatever reading ``kept`` raises is raised from here, and
        nothing is taken in then.
        """
        recall = Recall(Budget(self._budget.limit - self._budget.used), self._clock.seconds())
        recall.take_all(kept.contents)
        self._budget.take(recall.budget.used)
        self.tally.messages += recall.messages
        self.tally.octets += recall.octets
        self._last_sequence = max(self._last_sequence, kept.sequence)
        for mailbox in recall.mailboxes():
            self.tally.recalled += not mailbox.closed
            self._put(mailbox)
            if mailbox.address.key in recall.incomplete:
                mailbox.lose_history(self._next_sequence())
            self._known(mailbox.address)
        return recall.outcome()

    def _contents(self) -> Iterator[KeptMailbox | KeptMail]:
        yield from all_mailboxes(self._mailboxes.values())
        yield from all_mail(self._mailboxes.values(), self._clock.seconds())

    # --- the only ways in and out ---

    def _open(self, address: Address, opening: Opening) -> Mailbox:
        client = opening.client
        if client and self._held.of(client) >= self.limits.mailboxes_per_client:
            raise TooManyMailboxes("this client holds as many mailboxes as it may")
        if not self._budget.take(self._opening_cost(address)):
            raise MemoryFull("the server's memory for mail is full")
        self.tally.minted += 1
        return self._put(self._new(address, opening))

    def _opening_cost(self, address: Address) -> int:
        """What a new mailbox takes of the budget: nothing where it replaces a quarantine."""
        return 0 if address.key in self._mailboxes else MAILBOX_COST

    def _new(self, address: Address, opening: Opening) -> Mailbox:
        """A mailbox that nobody knows before ``_put``."""
        now = self._clock.seconds()
        return Mailbox(
            address.untagged, opening, now, now + opening.lifetime, self._next_sequence()
        )

    def _put(self, mailbox: Mailbox) -> Mailbox:
        """Put up a mailbox whose cost is paid, in the place of its quarantine if there is one."""
        replaced = self._mailboxes.get(mailbox.address.key)
        tally = self.tally
        if replaced is not None:
            tally.quarantine -= 1
            self._deadlines.drop(replaced)
        if mailbox.closed:
            tally.quarantine += 1
        else:
            tally.mailboxes += 1
            self._held.add(mailbox.opening.client)
        self._mailboxes[mailbox.address.key] = mailbox
        self._deadlines.schedule(mailbox)
        return mailbox

    def _come_due(self, mailbox: Mailbox | None) -> None:
        if mailbox is not None:
            if mailbox.closed:
                self._forget(mailbox)
            else:
                self._expire(mailbox)

    def _expire(self, mailbox: Mailbox) -> None:
        self.tally.expired += 1
        self.tally.lag.observe(self._clock.seconds() - mailbox.expires_at)
        self._close(mailbox)

    def _close(self, mailbox: Mailbox) -> None:
        """Close a mailbox now, or when its time was over if that was before."""
        self.tally.mailboxes -= 1
        self.tally.quarantine += 1
        self._removed.put(mailbox.remove_all())
        self._budget.give(CHANGE_COST * len(mailbox.journal))
        self._budget.give(ATTEMPT_COST * len(mailbox.attempts))
        self._held.drop(mailbox.opening.client)
        change = Change("expired", self._next_sequence())
        closed_at = min(self._clock.seconds(), mailbox.expires_at)
        mailbox.quarantine(change, closed_at + self.limits.quarantine)
        if mailbox.opening.minted:
            self._deadlines.schedule(mailbox)
        else:
            self._forget(mailbox)
        self._listener.announce(mailbox.address, change)

    def _forget(self, mailbox: Mailbox) -> None:
        self.tally.quarantine -= 1
        self._deadlines.drop(mailbox)
        del self._mailboxes[mailbox.address.key]
        self._budget.give(MAILBOX_COST)

    # --- finding ---

    def _known(self, address: Address) -> Mailbox | None:
        """The mailbox or its quarantine; one whose time is over is closed here and now."""
        mailbox = self._mailboxes.get(address.key)
        if mailbox is None or mailbox.due_at > self._clock.seconds():
            return mailbox
        if not mailbox.closed:
            self._expire(mailbox)
            return self._known(address)
        self._forget(mailbox)
        return None

    def _live(self, address: Address) -> Mailbox:
        mailbox = self._known(address)
        if mailbox is None or mailbox.closed:
            raise NoSuchMailbox("no mailbox of this address")
        return mailbox

    def _with_room(self, address: Address, octets: int, opening: Opening | None) -> Mailbox:
        """The mailbox, or a new one of ``opening``, if one more mail fits."""
        mailbox = self._known(address)
        if mailbox is None or mailbox.closed:
            if opening is None:
                raise NoSuchMailbox("no mailbox of this address")
            mailbox = self._new(address, opening)
        mailbox.check_room(octets, self.limits)
        return mailbox

    def _all_with_room(
        self, recipients: Sequence[tuple[Address, Opening | None]], octets: int
    ) -> list[Mailbox]:
        found = []
        refused = None
        for address, opening in recipients:
            try:
                found.append(self._with_room(address, octets, opening))
            except (MailboxFull, NoSuchMailbox) as error:
                refused = error
        if refused is not None:
            raise refused if len(recipients) == 1 else SomeRefused(str(refused))
        return found

    def _record(self, mailbox: Mailbox, change: Change) -> None:
        """Remember a change; where journal or memory is full, in the place of the oldest."""
        grow = len(mailbox.journal) < MAX_JOURNAL and self._budget.take(CHANGE_COST)
        mailbox.record(change, grow)
        self._listener.announce(mailbox.address, change)

    def _next_sequence(self, now: float | None = None) -> int:
        """A number larger than any before, also than those of an earlier process's life.

        Microseconds of the clock, so a client that kept a cursor over a restart misses nothing.
        """
        if now is None:
            now = self._clock.seconds()
        self._last_sequence = max(self._last_sequence + 1, int(now * 1_000_000))
        return self._last_sequence
