"""What outlives a process: all that a store holds, for the store that comes after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from tempmail.core.address import Address
from tempmail.core.message import Attempt, Message, Parcel

if TYPE_CHECKING:
    from tempmail.core.mailbox import Change, Opening


@frozen(kw_only=True)
class KeptMailbox:
    """All of a mailbox but its mail.

    Times are seconds on the store's clock. ``quarantined_until`` is None while the mailbox is open.
    ``forgotten`` is the newest change that ``journal`` does not know any more.
    """

    address: Address
    opening: Opening
    created_at: float
    expires_at: float
    quarantined_until: float | None
    sequence: int
    forgotten: int
    journal: tuple[Change, ...]
    attempts: tuple[Attempt, ...]
    payer: str


@frozen
class KeptMail:
    """One mail, and its copies: the key of each mailbox that holds it, and the message there."""

    parcel: Parcel
    copies: tuple[tuple[str, Message], ...]


@frozen
class Kept:
    """A store's contents: every mailbox and then all mail, each the newest first.

    ``sequence`` is the last that was given out. ``contents`` can be gone through once.
    """

    sequence: int
    contents: Iterable[KeptMailbox | KeptMail]


@frozen
class Recalled:
    """How much of it another store took in, and how much there was no room for."""

    mailboxes: int
    messages: int
    lost_mailboxes: int
    lost_messages: int
