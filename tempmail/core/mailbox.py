"""The in-memory mailbox: ordered mail, its history, its quota and its time."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Literal

from attrs import Factory, define, evolve, field, frozen

from tempmail.core.address import Address
from tempmail.core.errors import MailboxFull, NoSuchMessage
from tempmail.core.limits import MAX_JOURNAL, Limits
from tempmail.core.message import Message

ChangeKind = Literal["message", "deleted", "emptied", "extended", "expired", "resync"]


@frozen(kw_only=True)
class Opening:
    """What a mailbox is opened with.

    ``lifetime`` and ``max_lifetime`` are seconds from now. ``token_hash`` and ``restore_hash`` are
    SHA-256, or ``None`` where nobody holds one. ``minted`` tells an address somebody asked for
    from one that mail opened (a catch-all's, the operator's): only the former has a quarantine.
    """

    address: Address
    lifetime: int
    max_lifetime: int
    public: bool = False
    minted: bool = True
    token_hash: bytes | None = field(default=None, repr=False)
    restore_hash: bytes | None = field(default=None, repr=False)
    client: str = field(default="", repr=False)


@frozen
class Change:
    """One thing that happened to a mailbox, in its place in the mailbox's history."""

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


@define(eq=False)
class Mailbox:
    """One address's mail, in order of arrival.

    A mailbox is open until ``expires_at``. When it is closed, by time or by hand, its mail goes and
    the mailbox itself stays as the record of its quarantine until ``quarantined_until``.
    ``sequence`` is the newest place in its history that has been given out.
    """

    opening: Opening
    created_at: float
    expires_at: float
    max_expires_at: float
    sequence: int
    quarantined_until: float = 0.0
    # When the deadline queue will look at this mailbox next; see store.deadlines.
    scheduled_at: float = 0.0
    size: int = 0
    unseen_count: int = 0
    messages: dict[int, Message] = Factory(dict)
    _journal: deque[Change] | None = None
    # The newest change that fell out of the journal: who saw less must read the mailbox anew.
    _forgotten: int = 0

    @property
    def closed(self) -> bool:
        """Whether only the quarantine is left of this mailbox."""
        return self.quarantined_until > 0.0

    @property
    def due_at(self) -> float:
        """When time will next do something to this mailbox."""
        return self.quarantined_until or self.expires_at

    def state(self) -> MailboxState:
        """What is to be known of this mailbox now."""
        return MailboxState(
            address=self.opening.address,
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
        self.messages[message.sequence] = message
        self.size += message.size
        self.unseen_count += 1

    def remove(self, sequence: int) -> Message:
        """Take a message out; raises :exc:`NoSuchMessage`."""
        try:
            message = self.messages.pop(sequence)
        except KeyError:
            raise NoSuchMessage("no message of this id") from None
        self.size -= message.size
        self.unseen_count -= not message.seen
        return message

    def mark(self, sequence: int, seen: bool) -> Message:
        """Say whether a message was read; raises :exc:`NoSuchMessage`."""
        message = self.messages.get(sequence)
        if message is None:
            raise NoSuchMessage("no message of this id")
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
        self._journal = None

    def record(self, change: Change) -> None:
        """Remember a change other than an arrival for those who come back later."""
        if self._journal is None:
            self._journal = deque()
        self.sequence = change.sequence
        self._journal.append(change)
        if len(self._journal) > MAX_JOURNAL:
            self._forgotten = self._journal.popleft().sequence

    def since(self, after: int, limit: int) -> list[Message]:
        """Up to ``limit`` messages behind ``after``, oldest first.

        Costs as much as there are messages behind ``after``, not as there are at all: who follows
        a mailbox asks for its end.
        """
        first = next(iter(self.messages), 0)
        if after < first:
            return list(islice(self.messages.values(), limit))
        newer = []
        for message in reversed(self.messages.values()):
            if message.sequence <= after:
                break
            newer.append(message)
        newer.reverse()
        return newer[:limit]

    def changes(self, after: int, limit: int) -> list[Change]:
        """Up to ``limit`` changes behind ``after``, arrivals among them, in their order.

        Begins with a ``resync`` where the journal no longer reaches back to ``after``.
        """
        arrived = self.since(after, limit)
        found = [Change("message", message.sequence, message) for message in arrived]
        if self._journal is not None:
            found += [change for change in self._journal if change.sequence > after]
            found.sort(key=lambda change: change.sequence)
            if 0 < after < self._forgotten:
                found.insert(0, Change("resync", self._forgotten))
        return found[:limit]
