"""Mail kept in this process's memory, under a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    NoSuchMessage,
    SomeRefused,
    TempmailError,
    TooManyMailboxes,
)
from tempmail.core.limits import MAILBOX_COST, MESSAGE_COST, PARCEL_COST, Limits
from tempmail.core.mailbox import Change, Mailbox, MailboxState, Opening
from tempmail.core.message import Envelope, Message, Parcel
from tempmail.interfaces import IArrivalListener, IMailStore
from tempmail.store.deadlines import Deadlines

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

    Octets come in by ``add`` alone and go out by ``_discard`` alone; mailboxes come in by ``_open``
    and go out by ``_forget``. So each count has one place up and one place down.
    """

    def __init__(
        self, clock: IReactorTime, limits: Limits, budget: Budget, listener: IArrivalListener
    ) -> None:
        self.limits = limits
        self._clock = clock
        self._budget = budget
        self._listener = listener
        self._mailboxes: dict[str, Mailbox] = {}
        self._deadlines = Deadlines()
        self._held_by_client: dict[str, int] = {}
        self._last_sequence = 0

    # --- mailboxes ---

    @_deferred
    def create(self, opening: Opening) -> MailboxState:
        if self._known(opening.address) is not None:
            raise AddressTaken("this address is taken, or was until a short while ago")
        return self._open(opening).state()

    @_deferred
    def look(self, address: Address) -> MailboxState | None:
        mailbox = self._known(address)
        return None if mailbox is None else mailbox.state()

    @_deferred
    def restore(self, opening: Opening) -> MailboxState:
        mailbox = self._known(opening.address)
        if mailbox is None:
            raise NoSuchMailbox("nothing is known of this address any more")
        if not mailbox.closed:
            raise AddressTaken("this address is in use")
        self._forget(mailbox)
        return self._open(opening).state()

    @_deferred
    def close(self, address: Address) -> None:
        self._close(self._live(address))

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
        self._check_room(address, octets, opening)
        if self._budget.used + octets > self._budget.limit:
            raise MemoryFull("the server's memory for mail is full")

    @_deferred
    def add(
        self,
        envelope: Envelope,
        recipients: Sequence[tuple[Address, Opening | None]],
        octets: bytes,
    ) -> None:
        refused = None
        for address, opening in recipients:
            try:
                self._check_room(address, len(octets), opening)
            except (MailboxFull, NoSuchMailbox) as error:
                refused = error
        if refused is not None:
            raise refused if len(recipients) == 1 else SomeRefused(str(refused))
        self._keep_once(len(octets), len(recipients))
        parcel = Parcel(envelope, octets, self._clock.seconds())
        for address, opening in recipients:
            mailbox = self._live_or_opened(address, opening)
            message = Message(self._next_sequence(), address, parcel)
            parcel.holders += 1
            mailbox.add(message)
            self._listener.announce(address, Change("message", message.sequence, message))

    @_deferred
    def messages(self, address: Address, after: int, limit: int) -> list[Message]:
        mailbox = self._known(address)
        return [] if mailbox is None else mailbox.since(after, limit)

    @_deferred
    def changes(self, address: Address, after: int, limit: int) -> list[Change]:
        mailbox = self._known(address)
        return [] if mailbox is None else mailbox.changes(after, limit)

    @_deferred
    def message(self, address: Address, sequence: int) -> Message:
        found = self._live(address).messages.get(sequence)
        if found is None:
            raise NoSuchMessage("no message of this id")
        return found

    @_deferred
    def mark_seen(self, address: Address, sequence: int, seen: bool) -> Message:
        return self._live(address).mark(sequence, seen)

    @_deferred
    def remove(self, address: Address, sequence: int) -> None:
        mailbox = self._live(address)
        self._discard(mailbox, sequence)
        self._record(mailbox, Change("deleted", self._next_sequence(), message_id=str(sequence)))

    @_deferred
    def empty(self, address: Address) -> None:
        mailbox = self._live(address)
        for sequence in list(mailbox.messages):
            self._discard(mailbox, sequence)
        self._record(mailbox, Change("emptied", self._next_sequence()))

    # --- time ---

    @_deferred
    def expire(self, until: float) -> bool:
        while (mailbox := self._deadlines.pop_due(self._clock.seconds())) is not None:
            if self._mailboxes.get(mailbox.opening.address.key) is mailbox:
                if mailbox.closed:
                    self._forget(mailbox)
                else:
                    self._close(mailbox)
            if self._clock.seconds() >= until:
                return True
        return False

    @_deferred
    def check_ready(self) -> None:
        """Memory always answers."""

    # --- the only ways in and out ---

    def _open(self, opening: Opening) -> Mailbox:
        held = self._held_by_client.get(opening.client, 0)
        if opening.client and held >= self.limits.mailboxes_per_client:
            raise TooManyMailboxes("this client holds as many mailboxes as it may")
        replaced = self._mailboxes.get(opening.address.key)
        if not self._budget.take(MAILBOX_COST):
            raise MemoryFull("the server's memory for mail is full")
        if replaced is not None:
            self._forget(replaced)
        if opening.client:
            self._held_by_client[opening.client] = held + 1
        now = self._clock.seconds()
        mailbox = Mailbox(
            opening,
            created_at=now,
            expires_at=now + opening.lifetime,
            max_expires_at=now + opening.max_lifetime,
            sequence=self._next_sequence(),
        )
        self._mailboxes[opening.address.key] = mailbox
        self._deadlines.schedule(mailbox)
        return mailbox

    def _close(self, mailbox: Mailbox) -> None:
        for sequence in list(mailbox.messages):
            self._discard(mailbox, sequence)
        client = mailbox.opening.client
        if client:
            held = self._held_by_client[client] - 1
            if held:
                self._held_by_client[client] = held
            else:
                del self._held_by_client[client]
        now = self._clock.seconds()
        change = Change("expired", self._next_sequence())
        mailbox.quarantine(change, now + self.limits.quarantine)
        if mailbox.opening.minted and self.limits.quarantine:
            self._deadlines.schedule(mailbox)
        else:
            self._forget(mailbox)
        self._listener.announce(mailbox.opening.address, change)

    def _forget(self, mailbox: Mailbox) -> None:
        del self._mailboxes[mailbox.opening.address.key]
        self._budget.give(MAILBOX_COST)

    def _discard(self, mailbox: Mailbox, sequence: int) -> None:
        parcel = mailbox.remove(sequence).parcel
        parcel.holders -= 1
        self._budget.give(MESSAGE_COST)
        if not parcel.holders:
            self._budget.give(PARCEL_COST + len(parcel.octets) + parcel.reading_size)
            parcel.reading, parcel.reading_size = None, 0

    def _keep_once(self, octets: int, holders: int) -> None:
        if not self._budget.take(PARCEL_COST + octets + holders * MESSAGE_COST):
            raise MemoryFull("the server's memory for mail is full")

    # --- finding ---

    def _known(self, address: Address) -> Mailbox | None:
        """The mailbox or its quarantine; one whose time is over is closed here and now."""
        mailbox = self._mailboxes.get(address.key)
        if mailbox is None or mailbox.due_at > self._clock.seconds():
            return mailbox
        if not mailbox.closed:
            self._close(mailbox)
            return self._known(address)
        self._forget(mailbox)
        return None

    def _live(self, address: Address) -> Mailbox:
        mailbox = self._known(address)
        if mailbox is None or mailbox.closed:
            raise NoSuchMailbox("no mailbox of this address")
        return mailbox

    def _live_or_opened(self, address: Address, opening: Opening | None) -> Mailbox:
        mailbox = self._known(address)
        if mailbox is not None and not mailbox.closed:
            return mailbox
        if opening is None:
            raise NoSuchMailbox("no mailbox of this address")
        return self._open(opening)

    def _check_room(self, address: Address, octets: int, opening: Opening | None) -> None:
        mailbox = self._known(address)
        if mailbox is not None and not mailbox.closed:
            mailbox.check_room(octets, self.limits)
        elif opening is None:
            raise NoSuchMailbox("no mailbox of this address")

    def _record(self, mailbox: Mailbox, change: Change) -> None:
        mailbox.record(change)
        self._listener.announce(mailbox.opening.address, change)

    def _next_sequence(self) -> int:
        """A number larger than any before, also than those of an earlier process's life.

        Microseconds of the clock, so a client that kept a cursor over a restart misses nothing.
        """
        self._last_sequence = max(self._last_sequence + 1, int(self._clock.seconds() * 1_000_000))
        return self._last_sequence
