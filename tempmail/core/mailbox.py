"""The in-memory mailbox: ordered mail, its history, its quota and its time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import Literal

from attrs import Factory, define, evolve, field, frozen

from tempmail.core.address import Address
from tempmail.core.errors import MailboxFull, NoSuchMessage
from tempmail.core.kept import KeptMailbox
from tempmail.core.limits import Limits
from tempmail.core.message import Attempt, Message

ChangeKind = Literal["message", "deleted", "emptied", "extended", "expired", "resync"]

_sequence = attrgetter("sequence")


@frozen(kw_only=True)
class Opening:
    """What a mailbox is opened with, its address apart.

    ``lifetime`` and ``max_lifetime`` are seconds from now. ``token_hash`` and ``restore_hash`` are
    SHA-256, or ``None`` where nobody holds one. ``minted`` tells an address somebody asked for
    from one that mail opened (a catch-all's, the operator's): only the former has a quarantine.
    """

    lifetime: int
    max_lifetime: int
    public: bool = False
    minted: bool = True
    token_hash: bytes | None = field(default=None, repr=False)
    restore_hash: bytes | None = field(default=None, repr=False)
    client: str = field(default="", repr=False)


@frozen
class Change:
    """One thing that happened to a mailbox, in its place in the mailbox's history.

    ``resync`` says that changes before it are not known any more, so who follows the mailbox has
    to read it anew and goes on from here.
    """

    kind: ChangeKind
    sequence: int
    message: Message | None = None
    message_id: str | None = None
    expires_at: float | None = None


@frozen(kw_only=True)
class MailboxState:
    """A mailbox as seen at one moment. Times are seconds since the epoch, sizes octets."""

    address: Address
    public: bool
    created_at: float
    expires_at: float
    max_expires_at: float
    cursor: int
    message_count: int
    unseen_count: int
    size: int
    token_hash: bytes | None = field(default=None, repr=False)
    restore_hash: bytes | None = field(default=None, repr=False)
    closed: bool = False


class DueGroup(set["Mailbox"]):
    """The mailboxes whose time is over in the same tick."""

    __slots__ = ("tick",)

    def __init__(self, tick: int) -> None:
        super().__init__()
        self.tick = tick


@define(eq=False)
class Mailbox:
    """One address's mail, in order of arrival.

    A mailbox is open until ``expires_at``. When it is closed, by time or by hand, its mail goes and
    the mailbox itself stays as the record of its quarantine until ``quarantined_until``.
    ``sequence`` is the newest place in its history that has been given out. ``payer`` is the client
    whose part of the memory it takes, its mail apart.
    """

    address: Address
    opening: Opening
    created_at: float
    expires_at: float
    sequence: int
    payer: str = ""
    quarantined_until: float | None = None
    # Where store.deadlines has put this mailbox.
    due_group: DueGroup | None = field(default=None, repr=False)
    size: int = 0
    unseen_count: int = 0
    # No lists before something is in them: two empty ones would make an empty mailbox cost a
    # seventh more.
    messages: list[Message] | tuple[()] = ()
    # Changes other than arrivals, for those who come back later.
    journal: list[Change] | tuple[()] = ()
    # Mail that was refused, for the owner to ask about.
    attempts: list[Attempt] | tuple[()] = ()
    # The newest change that is in no history any more: who saw less must read the mailbox anew. For
    # a new mailbox it is the opening, for whoever followed an earlier one of this address.
    _forgotten: int = field(default=Factory(_sequence, takes_self=True))

    @classmethod
    def from_kept(cls, kept: KeptMailbox) -> Mailbox:
        """A mailbox as it was before a restart, but for its mail."""
        return cls(
            address=kept.address,
            opening=kept.opening,
            created_at=kept.created_at,
            expires_at=kept.expires_at,
            sequence=kept.sequence,
            payer=kept.payer,
            quarantined_until=kept.quarantined_until,
            journal=list(kept.journal) or (),
            attempts=list(kept.attempts) or (),
            forgotten=kept.forgotten,
        )

    def kept(self) -> KeptMailbox:
        """What ``from_kept`` makes the same mailbox of."""
        return KeptMailbox(
            address=self.address,
            opening=self.opening,
            created_at=self.created_at,
            expires_at=self.expires_at,
            quarantined_until=self.quarantined_until,
            sequence=self.sequence,
            forgotten=self._forgotten,
            journal=tuple(self.journal),
            attempts=tuple(self.attempts),
            payer=self.payer,
        )

    @property
    def closed(self) -> bool:
        """Whether only the quarantine is left of this mailbox."""
        return self.quarantined_until is not None

    @property
    def due_at(self) -> float:
        """When time will next do something to this mailbox."""
        return self.expires_at if self.quarantined_until is None else self.quarantined_until

    @property
    def max_expires_at(self) -> float:
        """How far ``expires_at`` may be moved."""
        return self.created_at + self.opening.max_lifetime

    def state(self) -> MailboxState:
        """What is to be known of this mailbox now."""
        return MailboxState(
            address=self.address,
            public=self.opening.public,
            created_at=self.created_at,
            expires_at=self.expires_at,
            max_expires_at=self.max_expires_at,
            cursor=self.sequence,
            message_count=len(self.messages),
            unseen_count=self.unseen_count,
            size=self.size,
            token_hash=self.opening.token_hash,
            restore_hash=self.opening.restore_hash,
            closed=self.closed,
        )

    def check_room(self, octets: int, limits: Limits) -> None:
        """Raise :exc:`MailboxFull` unless one more message of this size fits."""
        if len(self.messages) >= limits.max_messages:
            raise MailboxFull("the mailbox holds as many messages as it may")
        if self.size + octets > limits.max_mailbox_size:
            raise MailboxFull("the mailbox holds as many octets as it may")

    def add(self, message: Message) -> None:
        """Put a message behind all others."""
        self.sequence = message.sequence
        if self.messages:
            self.messages.append(message)
        else:
            self.messages = [message]
        self.size += message.parcel.size
        self.unseen_count += 1

    def take_back(self, messages: list[Message]) -> None:
        """Hold in an empty mailbox what it held before a restart, oldest first."""
        self.messages = messages or ()
        self.size = sum(message.size for message in messages)
        self.unseen_count = sum(not message.seen for message in messages)

    def message(self, sequence: int) -> Message:
        """One message; raises :exc:`NoSuchMessage`."""
        messages, place = self._find(sequence)
        return messages[place]

    def remove(self, sequence: int) -> Message:
        """Take a message out; raises :exc:`NoSuchMessage`."""
        messages, place = self._find(sequence)
        message = messages.pop(place)
        self.size -= message.size
        self.unseen_count -= not message.seen
        return message

    def remove_all(self) -> list[Message]:
        """Take all messages out, in no time however many they are."""
        removed, self.messages = self.messages, ()
        self.size = self.unseen_count = 0
        return removed or []

    def mark(self, sequence: int, seen: bool) -> Message:
        """Say whether a message was read; raises :exc:`NoSuchMessage`."""
        message = self.message(sequence)
        self.unseen_count += message.seen - seen
        message.seen = seen
        return message

    def rekey(self, token_hash: bytes) -> None:
        """Put another token in the place of the present one."""
        self.opening = evolve(self.opening, token_hash=token_hash)

    def quarantine(self, change: Change, until: float) -> None:
        """Close an emptied mailbox; only what the quarantine needs stays."""
        self.sequence = change.sequence
        self.quarantined_until = until
        self.journal = self.attempts = ()

    def record(self, change: Change, grow: bool) -> None:
        """Put a change that is no arrival into the journal, without ``grow`` for the oldest one."""
        self.sequence = change.sequence
        journal = self.journal or []
        journal.append(change)
        if not grow:
            self._forgotten = journal.pop(0).sequence
        self.journal = journal

    def note(self, attempt: Attempt, grow: bool) -> None:
        """Remember a refusal, without ``grow`` in the place of the oldest one."""
        attempts = self.attempts or []
        attempts.append(attempt)
        if not grow:
            attempts.pop(0)
        self.attempts = attempts

    def lose_history(self, sequence: int) -> None:
        """Have everyone who followed this mailbox read it anew and go on from ``sequence``."""
        self.sequence = self._forgotten = sequence

    def since(self, after: int, limit: int) -> list[Message]:
        """Up to ``limit`` messages behind ``after``, oldest first."""
        start = bisect_right(self.messages, after, key=_sequence)
        return list(self.messages[start : start + limit])

    def changes(self, after: int, limit: int) -> list[Change]:
        """Up to ``limit`` changes behind ``after``, arrivals among them, in their order.

        Begins with a ``resync`` where the history no longer reaches back to ``after``; an ``after``
        of 0 asks for what there is and needs none.
        """
        found = []
        if 0 < after < self._forgotten:
            after = self._forgotten
            found.append(Change("resync", after))
        found += [Change("message", one.sequence, one) for one in self.since(after, limit)]
        found += [change for change in self.journal if change.sequence > after]
        found.sort(key=_sequence)
        return found[:limit]

    def _find(self, sequence: int) -> tuple[list[Message], int]:
        messages = self.messages or []
        place = bisect_left(messages, sequence, key=_sequence)
        if place == len(messages) or messages[place].sequence != sequence:
            raise NoSuchMessage("no message of this id")
        return messages, place
