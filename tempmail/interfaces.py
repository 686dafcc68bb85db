"""The borders of the house. Everything here is implemented elsewhere and imports nothing of ours.

Every method returns a ``Deferred`` unless its text says otherwise; what a method "raises" is what
its Deferred fails with. The errors are those of :mod:`tempmail.core.errors`.
"""

# Methods of an interface have no self, and their parameters are prose for the reader.
# mypy-zope checks the implementations against these signatures.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from tempmail.content.reading import AttachedFile
    from tempmail.content.told import Digest, Document
    from tempmail.core.address import Address
    from tempmail.core.mailbox import Change, MailboxState, Opening
    from tempmail.core.message import Attempt, Envelope, Message, Octets
    from tempmail.waiting import Match, Minted, Page, Round, Watch


class IArrivalListener(Interface):
    """Who a store tells what changed. The store is the only one that ever calls this."""

    def announce(address: Address, change: Change) -> None:
        """Something happened at ``address``. Returns at once and never raises."""


class IMailDrop(Interface):
    """The post office as the receiving side sees it: it can put mail in and read none."""

    limits = Attribute("The :class:`tempmail.core.limits.Limits` in force now.")
    domains = Attribute("The :class:`tempmail.core.domains.Domains` that take mail now.")

    def reserve(octets: int, client: str) -> None:
        """Charge octets of a half-received mail to the memory budget. Returns nothing, at once.

        ``client`` is who sends it, as ``Envelope.client`` is. Raises MemoryFull, ShareSpent.
        """

    def release(octets: int, client: str) -> None:
        """Give reserved octets back, before delivering the mail or when it is dropped."""

    def check_recipient(address: Address, octets: int, client: str) -> Deferred[None]:
        """Whether a mail of ``octets`` (0 if not said) would be taken for ``address`` now.

        Raises UnknownDomain, NoSuchMailbox, MailboxFull, MemoryFull, ShareSpent.
        """

    def deliver(
        envelope: Envelope, recipients: Sequence[Address], octets: Octets
    ) -> Deferred[None]:
        """Keep one mail for all recipients or for none. No two of them name the same mailbox.

        Raises what ``check_recipient`` raises where there is one recipient, and SomeRefused where
        some of several would not take it any more.
        """

    def report_refusal(
        envelope: Envelope, recipients: Sequence[Address], stage: str, reply: str
    ) -> None:
        """Let the owners of mailboxes know that a mail was refused; see Attempt for the words.

        Nothing comes of it where there is no such mailbox. Returns at once and never raises.
        """


class IMailStore(Interface):
    """Where mailboxes and mail are kept. One process writes to it.

    Addresses, tokens and policy are decided before: a store only keeps, counts and forgets. It
    treats a mailbox whose time is over as closed, whether or not ``expire`` came by.
    """

    tally = Attribute("The :class:`tempmail.store.tally.Tally` of what it holds and has done.")

    def create(address: Address, opening: Opening, payer: str = "") -> Deferred[MailboxState]:
        """Open a new mailbox; ``payer`` is the client whose part of the memory it takes.

        Raises AddressTaken, MemoryFull, ShareSpent, TooManyMailboxes.
        """

    def look(address: Address) -> Deferred[MailboxState | None]:
        """The mailbox, open or in quarantine (``closed``), or None."""

    def restore(address: Address, opening: Opening) -> Deferred[MailboxState]:
        """Open a quarantined address anew; it stays in quarantine where that fails.

        Whoever paid for the quarantine pays on. Raises NoSuchMailbox, AddressTaken, MemoryFull,
        TooManyMailboxes.
        """

    def close(address: Address) -> Deferred[None]:
        """Delete mailbox and mail; a minted address goes into quarantine. Raises NoSuchMailbox.

        Of much mail a part may go only with ``expire``; nobody sees it any more.
        """

    def extend(address: Address, expires_at: float) -> Deferred[MailboxState]:
        """Move the end of an open mailbox. Raises NoSuchMailbox."""

    def rekey(address: Address, token_hash: bytes) -> Deferred[None]:
        """Put another token in the place of the present one. Raises NoSuchMailbox."""

    def check_room(
        address: Address, octets: int, opening: Opening | None, client: str = ""
    ) -> Deferred[None]:
        """Whether ``add`` would take a mail of this size for ``address`` from this client.

        ``opening`` is what the mailbox would be opened with if there is none: a catch-all's.
        Raises NoSuchMailbox, MailboxFull, MemoryFull, ShareSpent.
        """

    def add(
        envelope: Envelope,
        recipients: Sequence[tuple[Address, Opening | None]],
        octets: Octets,
    ) -> Deferred[None]:
        """Keep one mail in several mailboxes, in all or in none, the octets once.

        There is one address at least and none twice. A quarantined address that comes with an
        ``opening`` is opened too.

        Raises what ``check_room`` raises, or SomeRefused where it holds for some of several.
        """

    def messages(address: Address, after: int, limit: int) -> Deferred[list[Message]]:
        """Up to ``limit`` messages behind ``after``, oldest first; none for an unknown address."""

    def changes(address: Address, after: int, limit: int) -> Deferred[list[Change]]:
        """The same for every change, arrivals among them.

        Begins with a ``resync`` where changes behind ``after`` are not known any more.
        """

    def message(address: Address, sequence: int) -> Deferred[Message]:
        """One message. Raises NoSuchMailbox, NoSuchMessage."""

    def mark_seen(address: Address, sequence: int, seen: bool) -> Deferred[Message]:
        """Say whether one message was read. Raises NoSuchMailbox, NoSuchMessage."""

    def remove(address: Address, sequence: int) -> Deferred[None]:
        """Delete one message. Raises NoSuchMailbox, NoSuchMessage."""

    def empty(address: Address) -> Deferred[None]:
        """Delete every message, as ``close`` does. Raises NoSuchMailbox."""

    def note(address: Address, attempt: Attempt) -> Deferred[None]:
        """Remember a refused mail, if there is an open mailbox somebody holds a token of.

        No more than so many for each mailbox, and as memory allows; the oldest goes first.
        """

    def attempts(address: Address) -> Deferred[list[Attempt]]:
        """What is remembered of refused mail, oldest first. Raises NoSuchMailbox."""

    def expire(until: float) -> Deferred[bool]:
        """Close what is due, no longer than till the clock reads ``until``; whether more is due."""

    def check_ready() -> Deferred[None]:
        """Fails, with a text for the operator, where the store does not answer or has no room.

        Room is what a mail of :data:`~tempmail.core.limits.READY_OCTETS` to a new mailbox takes.
        """


class IMailReader(Interface):
    """The post office as the web sees it: it can read mail, never put any in but by ``post``.

    ``token`` is what the client showed, or None. Every method raises TokenNeeded, NoSuchMailbox
    or MailboxGone where that token does not open this mailbox; see
    :meth:`tempmail.access.Access.enter`.
    """

    limits = Attribute("The :class:`tempmail.core.limits.Limits` in force now.")
    domains = Attribute("The :class:`tempmail.core.domains.Domains` that take mail now.")
    closing = Attribute("Whether the server is stopping: nobody is kept waiting any more.")

    async def mint(
        *,
        local_part: str | None = None,
        draw_local: Callable[[], str] = ...,
        domain: str | None = None,
        lifetime: int | None = None,
        public: bool = False,
        held: bool = True,
        client: str = "",
        payer: str = "",
    ) -> Minted:
        """A new address, of ``local_part`` or else of what ``draw_local`` draws.

        ``client`` is whose quota it counts against and ``payer`` whose part of the memory it takes,
        "" for nobody's.
        ``lifetime`` is in seconds. Of a mailbox that is not ``held`` nobody has a token, the one
        who gets it back included. Raises BadAddress, ReservedAddress, UnknownDomain, AddressTaken,
        LifetimeOutOfBounds, TooManyMailboxes, MemoryFull, ShareSpent.
        """

    async def restore(address: Address, restore_key: str, client: str = "") -> Minted:
        """The same address again, empty, with new secrets.

        Raises NoSuchMailbox, AddressTaken, TooManyMailboxes, MemoryFull.
        """

    async def mailbox(address: Address, token: str | None) -> MailboxState:
        """The mailbox's state. For an address of a catch-all domain there always is one."""

    async def extend(
        address: Address, token: str | None, lifetime: int | None = None
    ) -> MailboxState:
        """Let the mailbox live ``lifetime`` seconds from now, within its bounds, never shorter."""

    async def attempts(address: Address, token: str | None) -> Sequence[Attempt]:
        """The last mails for this address that were refused, oldest first; for its owner alone."""

    async def rotate_token(address: Address, token: str | None) -> str:
        """Revoke the token; returns the new one."""

    async def delete_mailbox(address: Address, token: str | None) -> None:
        """Delete mailbox and mail at once."""

    async def messages(
        address: Address,
        token: str | None,
        *,
        after: int = 0,
        limit: int,
        wait: float = 0.0,
        match: Match = ...,
    ) -> Page:
        """Up to ``limit`` messages behind ``after`` that match, oldest first.

        With ``wait`` seconds and nothing there, answers as soon as there is, or with ``timed_out``.
        """

    async def watch(watches: Sequence[Watch], *, limit: int, wait: float) -> Round:
        """Up to ``limit`` messages of each of several mailboxes, none of which is named twice.

        With ``wait`` seconds and none in any, answers as soon as there is one, or one of them can
        not be read any more. One that can not be read is an entry of the answer and raises nothing.
        All together have :data:`~tempmail.core.limits.MAX_ROUND` messages at most; what is beyond
        is behind the cursors answered.
        """

    async def changes(
        address: Address, token: str | None, *, after: int, limit: int, wait: float
    ) -> Sequence[Change]:
        """Up to ``limit`` changes behind ``after`` in their order; waits like ``messages``.

        Where mail opens the mailbox, an ``expired`` among them does not end it: who follows on
        begins again with 0.
        """

    async def message(address: Address, token: str | None, sequence: int) -> Message:
        """One message. Raises NoSuchMessage."""

    async def mark_seen(address: Address, token: str | None, sequence: int, seen: bool) -> Message:
        """Say whether it was read. Raises NoSuchMessage."""

    async def delete_message(address: Address, token: str | None, sequence: int) -> None:
        """Delete one. Raises NoSuchMessage."""

    async def empty(address: Address, token: str | None) -> None:
        """Delete all messages."""

    async def html(
        address: Address, token: str | None, sequence: int, *, images_remote: bool
    ) -> Document:
        """A message's HTML as a document that may be shown. Raises NoSuchMessage, NoSuchPart."""

    async def attachment(
        address: Address, token: str | None, sequence: int, index: int
    ) -> AttachedFile:
        """One attachment, decoded. Raises NoSuchMessage, NoSuchPart."""

    def digest(message: Message) -> Deferred[Digest]:
        """What the mail says; computed the first time, remembered after."""

    async def whole(message: Message) -> tuple[Digest, bytes]:
        """That, and what the whole message adds: members of a JSON object, without its braces."""

    async def digests(messages: Sequence[Message]) -> list[Digest]:
        """The same for several, in their order."""

    async def post(
        address: Address,
        *,
        sender: str,
        subject: str,
        body: str,
        posted: bytes,
        client: str = "",
    ) -> None:
        """Keep a mail typed into a form.

        ``posted`` is what its reader gets back and ``client`` who sends it; see Envelope.

        Raises what ``IMailDrop.deliver`` raises, and MessageTooBig.
        """

    async def check_ready() -> None:
        """Raises, with a text for the operator, where mail could not be kept or read now."""
