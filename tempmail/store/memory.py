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
)
from tempmail.core.kept import Kept, KeptMail, KeptMailbox, Recalled
from tempmail.core.limits import (
    ATTEMPT_COST,
    ATTEMPT_RESERVE,
    MAILBOX_COST,
    MAX_ATTEMPTS,
    MESSAGE_COST,
    PARCEL_COST,
    READY_OCTETS,
    Limits,
)
from tempmail.core.mailbox import Change, Mailbox, MailboxState, Opening
from tempmail.core.message import Attempt, Envelope, Message, Octets, Parcel
from tempmail.interfaces import IArrivalListener, IMailStore
from tempmail.store.recall import Recall, all_mail, all_mailboxes
from tempmail.store.shelves import Shelves

# A client who holds nothing yet.
_NEWCOMER = "newcomer"

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
    """What is asked of mailboxes, answered from the shelves they stand on.

    Mail comes in by ``add`` alone; only what ``recall`` begins with comes in by itself.
    """

    def __init__(
        self, clock: IReactorTime, limits: Limits, budget: Budget, listener: IArrivalListener
    ) -> None:
        self._clock = clock
        self._budget = budget
        self._listener = listener
        self._shelves = Shelves(clock, limits, budget, listener)
        self.tally = self._shelves.tally

    @property
    def limits(self) -> Limits:
        """The limits in force now; what they are set to holds for what comes."""
        return self._shelves.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._shelves.limits = limits

    # --- mailboxes ---

    @_deferred
    def create(self, address: Address, opening: Opening, payer: str = "") -> MailboxState:
        if self._shelves.known(address) is not None:
            raise AddressTaken("this address is taken, or was until a short while ago")
        return self._shelves.open(address, opening, payer).state()

    @_deferred
    def look(self, address: Address) -> MailboxState | None:
        mailbox = self._shelves.known(address)
        return None if mailbox is None else mailbox.state()

    @_deferred
    def restore(self, address: Address, opening: Opening) -> MailboxState:
        mailbox = self._shelves.known(address)
        if mailbox is None:
            raise NoSuchMailbox("nothing is known of this address any more")
        if not mailbox.closed:
            raise AddressTaken("this address is in use")
        return self._shelves.open(address, opening, mailbox.payer).state()

    @_deferred
    def close(self, address: Address) -> None:
        self._shelves.close(self._shelves.live(address))
        self.tally.deleted += 1
        self._shelves.removed.discard_some()

    @_deferred
    def extend(self, address: Address, expires_at: float) -> MailboxState:
        mailbox = self._shelves.live(address)
        self._shelves.extend(mailbox, expires_at)
        return mailbox.state()

    @_deferred
    def rekey(self, address: Address, token_hash: bytes) -> None:
        self._shelves.live(address).rekey(token_hash)

    # --- mail ---

    @_deferred
    def check_room(
        self, address: Address, octets: int, opening: Opening | None, client: str = ""
    ) -> None:
        self._with_room(address, octets, opening, client)
        cost = PARCEL_COST + octets + MESSAGE_COST + self._shelves.opening_cost(address)
        self._budget.check(cost, client)

    @_deferred
    def add(
        self,
        envelope: Envelope,
        recipients: Sequence[tuple[Address, Opening | None]],
        octets: Octets,
    ) -> None:
        shelves, now = self._shelves, self._clock.seconds()
        parcel = Parcel(envelope, octets, now)
        mailboxes = self._all_with_room(recipients, len(octets), envelope.client)
        cost = parcel.cost + MESSAGE_COST * len(mailboxes)
        for mailbox in mailboxes:
            cost += shelves.opening_cost(mailbox.address)
        self._budget.pay(cost, envelope.client)
        # Nothing may be refused from here on.
        parcel.holders = len(mailboxes)
        self.tally.messages += parcel.holders
        self.tally.octets += len(octets)
        for (address, _), mailbox in zip(recipients, mailboxes, strict=True):
            if not shelves.holds(mailbox):
                self.tally.opened += 1
                shelves.put(mailbox)
            recipient = address if address.tag else mailbox.address
            message = Message(shelves.next_sequence(now), recipient, parcel)
            mailbox.add(message)
            self._listener.announce(address, Change("message", message.sequence, message))

    @_deferred
    def messages(self, address: Address, after: int, limit: int) -> list[Message]:
        mailbox = self._shelves.known(address)
        return [] if mailbox is None else mailbox.since(after, limit)

    @_deferred
    def changes(self, address: Address, after: int, limit: int) -> list[Change]:
        mailbox = self._shelves.known(address)
        return [] if mailbox is None or mailbox.closed else mailbox.changes(after, limit)

    @_deferred
    def message(self, address: Address, sequence: int) -> Message:
        return self._shelves.live(address).message(sequence)

    @_deferred
    def mark_seen(self, address: Address, sequence: int, seen: bool) -> Message:
        return self._shelves.live(address).mark(sequence, seen)

    @_deferred
    def remove(self, address: Address, sequence: int) -> None:
        shelves = self._shelves
        mailbox = shelves.live(address)
        shelves.removed.discard(mailbox.remove(sequence))
        deletion = Change("deleted", shelves.next_sequence(), message_id=str(sequence))
        shelves.record(mailbox, deletion)

    @_deferred
    def empty(self, address: Address) -> None:
        shelves = self._shelves
        mailbox = shelves.live(address)
        shelves.removed.put(mailbox.remove_all())
        shelves.record(mailbox, Change("emptied", shelves.next_sequence()))
        shelves.removed.discard_some()

    @_deferred
    def note(self, address: Address, attempt: Attempt) -> None:
        mailbox = self._shelves.known(address)
        if mailbox is None or mailbox.closed or mailbox.opening.token_hash is None:
            return
        few = len(mailbox.attempts) < MAX_ATTEMPTS
        mailbox.note(attempt, few and self._budget.take(ATTEMPT_COST, beyond=ATTEMPT_RESERVE))

    @_deferred
    def attempts(self, address: Address) -> list[Attempt]:
        return list(self._shelves.live(address).attempts)

    # --- time ---

    @_deferred
    def expire(self, until: float) -> bool:
        return self._shelves.expire(until)

    @_deferred
    def check_ready(self) -> None:
        cost = READY_OCTETS + PARCEL_COST + MESSAGE_COST + MAILBOX_COST
        if not self._budget.fits(cost, _NEWCOMER):
            raise MemoryFull("the memory for mail is full, or as good as")

    # --- over a restart ---

    def keep(self) -> Kept:
        """Everything there is, for the store of the next process; to be read before it changes.

        Of what is over by now only the quarantine is among it.
        """
        return Kept(self._shelves.last_sequence, self._contents())

    def recall(self, kept: Kept) -> Recalled:
        """Go on, still empty, where another store stopped, as far as the budget allows.

        What is over meanwhile is closed. Whatever reading ``kept`` raises is raised from here, and
        nothing is taken in then.
        """
        shelves = self._shelves
        recall = Recall(Budget(self._budget.limit - self._budget.used), self._clock.seconds())
        recall.take_all(kept.contents)
        self._budget.absorb(recall.budget)
        self.tally.messages += recall.messages
        self.tally.octets += recall.octets
        shelves.last_sequence = max(shelves.last_sequence, kept.sequence)
        for mailbox in recall.mailboxes():
            self.tally.recalled += not mailbox.closed
            shelves.put(mailbox)
            if mailbox.address.key in recall.incomplete:
                mailbox.lose_history(shelves.next_sequence())
            shelves.known(mailbox.address)
        return recall.outcome()

    def _contents(self) -> Iterator[KeptMailbox | KeptMail]:
        yield from all_mailboxes(self._shelves.mailboxes)
        yield from all_mail(self._shelves.mailboxes, self._clock.seconds())

    # --- whether mail has room ---

    def _with_room(
        self, address: Address, octets: int, opening: Opening | None, client: str
    ) -> Mailbox:
        """The mailbox, or a new one of ``opening``, if one more mail fits."""
        shelves = self._shelves
        mailbox = shelves.known(address)
        if mailbox is None or mailbox.closed:
            if opening is None:
                raise NoSuchMailbox("no mailbox of this address")
            mailbox = shelves.new(address, opening, client)
        mailbox.check_room(octets, shelves.limits)
        return mailbox

    def _all_with_room(
        self, recipients: Sequence[tuple[Address, Opening | None]], octets: int, client: str
    ) -> list[Mailbox]:
        found = []
        refused = None
        for address, opening in recipients:
            try:
                found.append(self._with_room(address, octets, opening, client))
            except (MailboxFull, NoSuchMailbox) as error:
                refused = error
        if refused is not None:
            raise refused if len(recipients) == 1 else SomeRefused(str(refused))
        return found
