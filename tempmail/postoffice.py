"""The use cases: mint, check a recipient, deliver, list, wait, read, extend, delete.

One object with two views. The receiving side holds it as ``IMailDrop`` and can not read; the web
holds it as ``IMailReader``. Whoever asks for a mailbox comes through :meth:`PostOffice.enter`.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Literal, TypeVar

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from tempmail.content.compose import compose
from tempmail.content.digest import Digest
from tempmail.core.address import Address, choose_local, draw_local, normalise
from tempmail.core.budget import Budget
from tempmail.core.domains import Domains, Mode
from tempmail.core.errors import (
    AddressTaken,
    Closing,
    LifetimeOutOfBounds,
    MailboxGone,
    MessageTooBig,
    NoSuchMailbox,
    TokenNeeded,
    UnknownDomain,
)
from tempmail.core.limits import TOKEN_OCTETS, Limits
from tempmail.core.mailbox import Change, MailboxState, Opening
from tempmail.core.message import Envelope, Message
from tempmail.doorbell import Doorbell
from tempmail.interfaces import IMailDrop, IMailReader, IMailStore
from tempmail.reading import Reading

T = TypeVar("T")

# Drawing an address that is taken happens once in thousands of draws; this often in a row, the
# store is not what we think it is.
_DRAWS = 20


@frozen
class Minted:
    """A new mailbox and the only copy of its secrets."""

    mailbox: MailboxState
    token: str
    restore_key: str


@frozen
class Match:
    """Which messages are meant: a part of the sender's name or address, and of the subject."""

    sender: str = ""
    subject: str = ""

    def __bool__(self) -> bool:
        return bool(self.sender or self.subject)

    def fits(self, digest: Digest) -> bool:
        """Whether a mail is meant; letter case does not count."""
        return (
            self.sender.casefold() in digest.sender.casefold()
            and self.subject.casefold() in digest.subject.casefold()
        )


@frozen
class Page:
    """What a list answers: messages in order, the cursor to go on from, and why it ended."""

    messages: Sequence[Message]
    cursor: int
    expires_at: float
    timed_out: bool


Access = Literal["read", "extend", "own"]


def _hash(secret: str) -> bytes:
    """What is kept of a secret. It is random and long, so a plain hash needs no salt."""
    return sha256(secret.encode()).digest()


@implementer(IMailDrop, IMailReader)
class PostOffice:
    """What may be done with mailboxes, and by whom."""

    def __init__(
        self,
        clock: IReactorTime,
        store: IMailStore,
        doorbell: Doorbell,
        reading: Reading,
        budget: Budget,
        domains: Domains,
        limits: Limits,
        operator_token: str | None = None,
    ) -> None:
        self._clock = clock
        self._store = store
        self._doorbell = doorbell
        self._reading = reading
        self._budget = budget
        self._operator_hash = _hash(operator_token) if operator_token else None
        self.domains = domains
        self.limits = limits

    # --- the receiving side ---

    def reserve(self, octets: int) -> bool:
        return self._budget.take(octets)

    def release(self, octets: int) -> None:
        self._budget.give(octets)

    def check_recipient(self, address: Address, octets: int) -> Deferred[None]:
        try:
            opening = self._opened_by_mail(address)
        except UnknownDomain as error:
            return fail(error)
        return self._store.check_room(address, octets, opening)

    def deliver(
        self, envelope: Envelope, recipients: Sequence[Address], octets: bytes
    ) -> Deferred[None]:
        try:
            openings = [(address, self._opened_by_mail(address)) for address in recipients]
        except UnknownDomain as error:
            return fail(error)
        return self._store.add(envelope, openings, octets)

    def _opened_by_mail(self, address: Address) -> Opening | None:
        """What mail opens an absent mailbox with: a catch-all's or the operator's, else None."""
        mode = self.domains.mode_of(address)
        if mode is Mode.CATCH_ALL:
            return Opening(
                address=evolve(address, tag=""),
                lifetime=self.limits.default_lifetime,
                max_lifetime=self.limits.max_lifetime,
                public=True,
                minted=False,
            )
        if self.domains.is_operators(address):
            return Opening(
                address=evolve(address, tag=""),
                lifetime=self.limits.max_lifetime,
                max_lifetime=self.limits.max_lifetime,
                minted=False,
                token_hash=self._operator_hash,
            )
        return None

    # --- mailboxes ---

    async def mint(
        self,
        *,
        local_part: str | None = None,
        domain: str | None = None,
        lifetime: int | None = None,
        public: bool = False,
        client: str = "",
    ) -> Minted:
        lifetime = self._check_lifetime(lifetime)
        name = domain if domain is not None else self.domains.default.name
        for _ in range(_DRAWS):
            local = choose_local(local_part) if local_part is not None else draw_local()
            address = normalise(local, name)
            public = public or self.domains.mode_of(address) is Mode.CATCH_ALL
            try:
                return await self._open(address, lifetime, public, client)
            except AddressTaken:
                if local_part is not None:
                    raise
        raise AddressTaken("no free address was found; the domain is as good as full")

    async def restore(self, address: Address, restore_key: str, client: str = "") -> Minted:
        state = await self._store.look(address)
        if state is None or not _matches(restore_key, state.restore_hash):
            raise NoSuchMailbox("no mailbox of this address that this key restores")
        if not state.closed:
            raise AddressTaken("the mailbox is open")
        lifetime = self.limits.default_lifetime
        return await self._open(address, lifetime, state.public, client, restoring=True)

    async def _open(
        self, address: Address, lifetime: int, public: bool, client: str, restoring: bool = False
    ) -> Minted:
        token, restore_key = (secrets.token_urlsafe(TOKEN_OCTETS) for _ in range(2))
        opening = Opening(
            address=address,
            lifetime=lifetime,
            max_lifetime=self.limits.max_lifetime,
            public=public,
            token_hash=_hash(token),
            restore_hash=_hash(restore_key),
            client=client,
        )
        opened = self._store.restore(opening) if restoring else self._store.create(opening)
        return Minted(await opened, token, restore_key)

    async def mailbox(self, address: Address, token: str | None) -> MailboxState:
        return await self.enter(address, token)

    async def extend(
        self, address: Address, token: str | None, lifetime: int | None = None
    ) -> MailboxState:
        lifetime = self._check_lifetime(lifetime)
        state = await self.enter(address, token, "extend")
        wished = min(self._clock.seconds() + lifetime, state.max_expires_at)
        if wished <= state.expires_at:
            return state
        return await self._store.extend(address, wished)

    async def rotate_token(self, address: Address, token: str | None) -> str:
        await self.enter(address, token, "own")
        fresh = secrets.token_urlsafe(TOKEN_OCTETS)
        await self._store.rekey(address, _hash(fresh))
        return fresh

    async def delete_mailbox(self, address: Address, token: str | None) -> None:
        await self.enter(address, token, "own")
        await self._store.close(address)

    async def enter(
        self, address: Address, token: str | None, access: Access = "read"
    ) -> MailboxState:
        """The mailbox, for one who may do this with it.

        Reading and emptying a public mailbox is everybody's; extending one that nobody holds a
        token of is too; all else asks for the token. To a stranger a private mailbox and none at
        all look the same: TokenNeeded without a token, NoSuchMailbox with a wrong one. Its own
        token is told MailboxGone while the quarantine lasts, and so is everybody for a public one.
        """
        catch_all = self._is_catch_all(address)
        state = await self._store.look(address)
        if state is not None and state.closed and not (catch_all and access == "read"):
            if state.public or _matches(token, state.token_hash):
                raise MailboxGone("this mailbox expired or was deleted")
            state = None
        if state is not None and not state.closed:
            unheld = state.token_hash is None and access == "extend"
            if (state.public and (access == "read" or unheld)) or _matches(token, state.token_hash):
                return state
        elif catch_all and access == "read":
            return self._unopened(address)
        if token is None:
            raise TokenNeeded("this needs the mailbox's token")
        raise NoSuchMailbox("no mailbox of this address that this token opens")

    def _is_catch_all(self, address: Address) -> bool:
        try:
            return self.domains.mode_of(address) is Mode.CATCH_ALL
        except UnknownDomain:
            return False

    def _unopened(self, address: Address) -> MailboxState:
        """What an address of a catch-all domain is before any mail: there, and empty.

        Nothing is created by asking; the times are what they would be if mail came now.
        """
        now = self._clock.seconds()
        return MailboxState(
            address=address,
            public=True,
            created_at=now,
            expires_at=now + self.limits.default_lifetime,
            max_expires_at=now + self.limits.max_lifetime,
            cursor=0,
            message_count=0,
            unseen_count=0,
            size=0,
        )

    def _check_lifetime(self, lifetime: int | None) -> int:
        if lifetime is None:
            return self.limits.default_lifetime
        shortest, longest = self.limits.min_lifetime, self.limits.max_lifetime
        if not shortest <= lifetime <= longest:
            raise LifetimeOutOfBounds(f"a lifetime is {shortest} to {longest} seconds")
        return lifetime

    # --- mail ---

    async def messages(
        self,
        address: Address,
        token: str | None,
        *,
        after: int = 0,
        limit: int,
        wait: float = 0.0,
        match: Match = Match(),
    ) -> Page:
        async def look() -> Page:
            state = await self.enter(address, token)
            found = await self._matching(address, after, limit, match)
            cursor = found[-1].sequence if found else after
            return Page(found, cursor, state.expires_at, timed_out=not found and wait > 0)

        return await self._wait(address, wait, look, lambda page: bool(page.messages))

    async def changes(
        self, address: Address, token: str | None, *, after: int, limit: int, wait: float
    ) -> Sequence[Change]:
        async def look() -> Sequence[Change]:
            await self.enter(address, token)
            return await self._store.changes(address, after, limit)

        return await self._wait(address, wait, look, bool)

    async def message(self, address: Address, token: str | None, sequence: int) -> Message:
        await self.enter(address, token)
        return await self._store.message(address, sequence)

    async def mark_seen(
        self, address: Address, token: str | None, sequence: int, seen: bool
    ) -> Message:
        await self.enter(address, token)
        return await self._store.mark_seen(address, sequence, seen)

    async def delete_message(self, address: Address, token: str | None, sequence: int) -> None:
        await self.enter(address, token)
        await self._store.remove(address, sequence)

    async def empty(self, address: Address, token: str | None) -> None:
        state = await self.enter(address, token)
        if state.message_count:
            await self._store.empty(address)

    def digest(self, message: Message) -> Deferred[Digest]:
        return self._reading.digest(message.parcel)

    async def post(
        self, address: Address, *, sender: str, subject: str, body: str, posted: bytes
    ) -> None:
        octets = compose(sender, address.displayed, subject, body, self._clock.seconds())
        if len(octets) > self.limits.max_message_size:
            raise MessageTooBig("a mail of this size is not taken")
        await self.deliver(Envelope(sender, protocol="HTTP", posted=posted), (address,), octets)

    async def check_ready(self) -> None:
        await self._store.check_ready()

    async def _matching(
        self, address: Address, after: int, limit: int, match: Match
    ) -> list[Message]:
        if not match:
            return await self._store.messages(address, after, limit)
        found: list[Message] = []
        while len(found) < limit:
            batch = await self._store.messages(address, after, limit)
            if not batch:
                break
            for message in batch:
                if match.fits(await self.digest(message)):
                    found.append(message)
            after = batch[-1].sequence
        return found[:limit]

    async def _wait(
        self,
        address: Address,
        seconds: float,
        look: Callable[[], Awaitable[T]],
        enough: Callable[[T], bool],
    ) -> T:
        """What ``look`` finds as soon as it is enough, or when time is up or the server stops.

        The bell is listened to before the first look, so nothing can come in between unheard.
        """
        if seconds <= 0:
            return await look()
        until = self._clock.seconds() + seconds
        with self._doorbell.listen(address) as bell:
            while True:
                found = await look()
                if enough(found):
                    return found
                try:
                    if not await bell.rung(until - self._clock.seconds()):
                        return found
                except Closing:
                    return found


def _matches(secret: str | None, kept: bytes | None) -> bool:
    return secret is not None and kept is not None and hmac.compare_digest(_hash(secret), kept)
