"""The records of a snapshot, and the domain's values they stand for.

A head, every mailbox, every mail with its copies, and an end that says how many records there were.
Each is a msgpack array whose first element names its kind; what is read has exactly the types and
bounds that are declared here. ``of`` makes a record of a value, the other method a value of a
record; ``shift`` is what to add to its times, in seconds: see
:meth:`~tempmail.clock.Moment.shift_since`.
"""

from __future__ import annotations

from sys import intern
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tempmail.clock import Moment
from tempmail.core.address import Address
from tempmail.core.kept import KeptMail, KeptMailbox
from tempmail.core.limits import UNLIMITED
from tempmail.core.mailbox import Change, Opening
from tempmail.core.message import Attempt, Envelope, Message, Parcel

# Bounds far beyond whatever is written, which leave no NaN and no infinity.
Seconds = Annotated[float, Meta(ge=-float(UNLIMITED), le=float(UNLIMITED))]
Duration = Annotated[int, Meta(ge=0, le=UNLIMITED)]
Sequence = Annotated[int, Meta(ge=0, le=UNLIMITED)]


class Head(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="head"):
    """When this was written, and the last sequence given out."""

    steady: Seconds
    wall: Seconds
    up: Seconds
    boot: str
    sequence: Sequence

    @classmethod
    def of(cls, moment: Moment, sequence: int) -> Head:
        return cls(moment.steady, moment.wall, moment.up, moment.boot, sequence)

    def moment(self) -> Moment:
        return Moment(self.steady, self.wall, self.up, self.boot)


class KeptChange(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One entry of a mailbox's journal."""

    kind: Literal["deleted", "emptied", "extended"]
    sequence: Sequence
    message_id: str | None
    expires_at: Seconds | None

    def __post_init__(self) -> None:
        if (self.kind == "deleted") == (self.message_id is None):
            raise ValueError("a deletion names its message, nothing else does")
        if (self.kind == "extended") == (self.expires_at is None):
            raise ValueError("an extension has a time, nothing else does")

    @classmethod
    def of(cls, change: Change) -> KeptChange:
        return cls(change.kind, change.sequence, change.message_id, change.expires_at)  # type: ignore[arg-type]

    def change(self, shift: float) -> Change:
        ends = None if self.expires_at is None else self.expires_at + shift
        return Change(self.kind, self.sequence, None, self.message_id, ends)


class KeptAttempt(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A mail for the mailbox that was refused."""

    at: Seconds
    mail_from: str
    helo: str
    stage: str
    reply: str

    @classmethod
    def of(cls, attempt: Attempt) -> KeptAttempt:
        return cls(attempt.at, attempt.mail_from, attempt.helo, attempt.stage, attempt.reply)

    def attempt(self, shift: float) -> Attempt:
        return Attempt(self.at + shift, self.mail_from, self.helo, self.stage, self.reply)


class MailboxRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="box"):
    """One mailbox. Tokens are hashes, as the store has them."""

    local: str
    domain: str
    lifetime: Duration
    max_lifetime: Duration
    public: bool
    minted: bool
    token_hash: bytes | None
    restore_hash: bytes | None
    client: str
    created_at: Seconds
    expires_at: Seconds
    quarantined_until: Seconds | None
    sequence: Sequence
    forgotten: Sequence
    journal: tuple[KeptChange, ...]
    attempts: tuple[KeptAttempt, ...]
    # Files from before this was kept are read, too; and so below.
    payer: str = ""

    @classmethod
    def of(cls, kept: KeptMailbox) -> MailboxRecord:
        opening = kept.opening
        return cls(
            local=kept.address.local,
            domain=kept.address.domain,
            lifetime=opening.lifetime,
            max_lifetime=opening.max_lifetime,
            public=opening.public,
            minted=opening.minted,
            token_hash=opening.token_hash,
            restore_hash=opening.restore_hash,
            client=opening.client,
            created_at=kept.created_at,
            expires_at=kept.expires_at,
            quarantined_until=kept.quarantined_until,
            sequence=kept.sequence,
            forgotten=kept.forgotten,
            journal=tuple(map(KeptChange.of, kept.journal)),
            attempts=tuple(map(KeptAttempt.of, kept.attempts)),
            payer=kept.payer,
        )

    def kept(self, shift: float) -> KeptMailbox:
        opening = Opening(
            lifetime=self.lifetime,
            max_lifetime=self.max_lifetime,
            public=self.public,
            minted=self.minted,
            token_hash=self.token_hash,
            restore_hash=self.restore_hash,
            client=intern(self.client),
        )
        until = self.quarantined_until
        return KeptMailbox(
            address=Address(self.local, intern(self.domain)),
            opening=opening,
            payer=intern(self.payer),
            created_at=self.created_at + shift,
            expires_at=self.expires_at + shift,
            quarantined_until=None if until is None else until + shift,
            sequence=self.sequence,
            forgotten=self.forgotten,
            journal=tuple(change.change(shift) for change in self.journal),
            attempts=tuple(attempt.attempt(shift) for attempt in self.attempts),
        )


class Copy(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A mail in one mailbox."""

    mailbox: str
    sequence: Sequence
    tag: str
    seen: bool


class MailRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="mail"):
    """One mail, its octets as they came."""

    mail_from: str
    helo: str
    peer: str
    tls: bool
    protocol: str
    posted: bytes | None
    received_at: Seconds
    copies: Annotated[tuple[Copy, ...], Meta(min_length=1)]
    octets: bytes
    client: str = ""

    @classmethod
    def of(cls, mail: KeptMail) -> MailRecord:
        envelope = mail.parcel.envelope
        return cls(
            mail_from=envelope.mail_from,
            helo=envelope.helo,
            peer=envelope.peer,
            tls=envelope.tls,
            protocol=envelope.protocol,
            posted=envelope.posted,
            received_at=mail.parcel.received_at,
            copies=tuple(
                Copy(key, message.sequence, message.recipient.tag, message.seen)
                for key, message in mail.copies
            ),
            octets=mail.parcel.octets,
            client=envelope.client,
        )

    def kept(self, shift: float, addresses: dict[str, Address]) -> KeptMail:
        """The mail; raises LookupError where one of its mailboxes is not among ``addresses``."""
        envelope = Envelope(
            mail_from=self.mail_from,
            helo=self.helo,
            peer=self.peer,
            tls=self.tls,
            protocol=intern(self.protocol),
            posted=self.posted,
            client=intern(self.client),
        )
        parcel = Parcel(envelope, self.octets, self.received_at + shift)
        copies = []
        for copy in self.copies:
            address = addresses[copy.mailbox]
            if copy.tag:
                address = Address(address.local, address.domain, copy.tag)
            message = Message(copy.sequence, address, parcel, copy.seen)
            copies.append((address.key, message))
        return KeptMail(parcel, tuple(copies))


class End(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="end"):
    """Nothing is missing: there were so many records before this one."""

    records: Sequence


Record = Head | MailboxRecord | MailRecord | End
