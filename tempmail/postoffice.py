"""The use cases: mint, check a recipient, deliver, list, wait, read, extend, delete.

One object with two views. The receiving side holds it as ``IMailDrop`` and can not read; the web
holds it as ``IMailReader``. Whoever asks for a mailbox comes through
:meth:`~tempmail.access.Access.enter`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from sys import intern
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from tempmail.access import Access
from tempmail.content.compose import address_in, compose, one_line
from tempmail.content.reading import AttachedFile
from tempmail.content.told import Digest, Document
from tempmail.core.address import Address, choose_local, draw_local, normalise
from tempmail.core.budget import Budget
from tempmail.core.domains import Domains, Mode
from tempmail.core.errors import (
    AddressTaken,
    LifetimeOutOfBounds,
    MessageTooBig,
    NoSuchMailbox,
    NoSuchPart,
    UnknownDomain,
)
from tempmail.core.limits import MAX_PATH_OCTETS, Limits
from tempmail.core.mailbox import Change, MailboxState, Opening
from tempmail.core.message import Attempt, Envelope, Message, Octets
from tempmail.core.secret import draw, hashed, matches
from tempmail.doorbell import Doorbell
from tempmail.interfaces import IMailDrop, IMailReader, IMailStore
from tempmail.reading import Reading
from tempmail.waiting import EVERY, Look, Match, Minted, Page, Round, Rounds, Watch, wait_for

# Drawing an address that is taken happens once in thousands of draws; this often in a row, the
# store is not what we think it is.
_DRAWS = 20


@implementer(IMailDrop, IMailReader)
class PostOffice:
    """What may be done with mailboxes."""

    _log = Logger()

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
        self.access = Access(clock, store, domains, limits, operator_token)

    @property
    def domains(self) -> Domains:
        """The domains that take mail now; what they are set to holds for what comes."""
        return self.access.domains

    @domains.setter
    def domains(self, domains: Domains) -> None:
        self.access.domains = domains

    @property
    def limits(self) -> Limits:
        """The limits in force now; what they are set to holds for what comes."""
        return self.access.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.access.put_in_force(limits)

    @property
    def closing(self) -> bool:
        """Whether the server is stopping."""
        return self._doorbell.closed

    # --- the receiving side ---

    def reserve(self, octets: int, client: str) -> None:
        self._budget.pay(octets, client)

    def release(self, octets: int, client: str) -> None:
        self._budget.give(octets, client)

    def check_recipient(self, address: Address, octets: int, client: str) -> Deferred[None]:
        try:
            opening = self.access.opened_by_mail(address)
        except UnknownDomain as error:
            return fail(error)
        return self._store.check_room(address, octets, opening, client)

    def deliver(
        self, envelope: Envelope, recipients: Sequence[Address], octets: Octets
    ) -> Deferred[None]:
        try:
            openings = [(address, self.access.opened_by_mail(address)) for address in recipients]
        except UnknownDomain as error:
            return fail(error)
        return self._store.add(envelope, openings, octets)

    def report_refusal(
        self, envelope: Envelope, recipients: Sequence[Address], stage: str, reply: str
    ) -> None:
        now = self._clock.seconds()
        attempt = Attempt(now, envelope.mail_from, envelope.helo, stage, reply)
        for address in recipients:
            self._store.note(address, attempt).addErrback(self._complain)

    def _complain(self, failure: Failure) -> None:
        self._log.failure("a refusal was not noted", failure)

    # --- mailboxes ---

    async def mint(
        self,
        *,
        local_part: str | None = None,
        draw_local: Callable[[], str] = draw_local,
        domain: str | None = None,
        lifetime: int | None = None,
        public: bool = False,
        held: bool = True,
        client: str = "",
        payer: str = "",
    ) -> Minted:
        lifetime = self._check_lifetime(lifetime)
        domains = self.access.domains
        name = domain if domain is not None else domains.default.name
        for _ in range(_DRAWS):
            local = choose_local(local_part) if local_part is not None else draw_local()
            address = normalise(local, name)
            public = public or domains.mode_of(address) is Mode.CATCH_ALL
            try:
                opening, keys = self._opening(lifetime, public, client, held=held)
                return Minted(await self._store.create(address, opening, intern(payer)), *keys)
            except AddressTaken:
                if local_part is not None:
                    raise
        raise AddressTaken("no free address was found; the domain is as good as full")

    async def restore(self, address: Address, restore_key: str, client: str = "") -> Minted:
        state = await self._store.look(address)
        if state is None or not matches(restore_key, state.restore_hash):
            raise NoSuchMailbox("no mailbox of this address that this key restores")
        lifetime = self.limits.default_lifetime
        opening, keys = self._opening(lifetime, state.public, client)
        return Minted(await self._store.restore(address, opening), *keys)

    def _opening(
        self, lifetime: int, public: bool, client: str, *, held: bool = True
    ) -> tuple[Opening, tuple[str, str]]:
        """What a mailbox is opened with, and the token and restore key it then has."""
        token, restore_key = keys = (draw(), draw())
        opening = Opening(
            lifetime=lifetime,
            max_lifetime=self.limits.max_lifetime,
            public=public,
            token_hash=hashed(token) if held else None,
            restore_hash=hashed(restore_key) if held else None,
            client=intern(client),
        )
        return opening, keys

    async def mailbox(self, address: Address, token: str | None) -> MailboxState:
        return await self.access.enter(address, token)

    async def extend(
        self, address: Address, token: str | None, lifetime: int | None = None
    ) -> MailboxState:
        lifetime = self._check_lifetime(lifetime)
        state = await self.access.enter(address, token, "extend")
        wished = min(self._clock.seconds() + lifetime, state.max_expires_at)
        if wished <= state.expires_at:
            return state
        return await self._store.extend(address, wished)

    async def attempts(self, address: Address, token: str | None) -> Sequence[Attempt]:
        await self.access.enter(address, token, "own")
        return await self._store.attempts(address)

    async def rotate_token(self, address: Address, token: str | None) -> str:
        state = await self.access.enter(address, token, "own")
        fresh = draw()
        await self._store.rekey(address, hashed(fresh))
        if not state.public:
            self._doorbell.revoke(address)
        return fresh

    async def delete_mailbox(self, address: Address, token: str | None) -> None:
        await self.access.enter(address, token, "own")
        await self._store.close(address)

    def _check_lifetime(self, lifetime: int | None) -> int:
        if lifetime is None:
            return self.limits.default_lifetime
        shortest, longest = self.limits.min_lifetime, self.limits.max_lifetime
        if not shortest <= lifetime <= longest:
            raise LifetimeOutOfBounds(f"a lifetime is {shortest} to {longest} seconds")
        return lifetime

    # --- mail ---

    # Those who wait are many, so a wait is one coroutine and not a chain of them: these three hand
    # out the one that waits.

    def messages(
        self,
        address: Address,
        token: str | None,
        *,
        after: int = 0,
        limit: int,
        wait: float = 0.0,
        match: Match = EVERY,
    ) -> Coroutine[Deferred[Any], Any, Page]:
        look = Look(self.access, self, address, token, after, limit, wait > 0, match)
        return wait_for(self._doorbell, address, wait, look)

    def watch(
        self, watches: Sequence[Watch], *, limit: int, wait: float
    ) -> Coroutine[Deferred[Any], Any, Round]:
        return Rounds(self.access, self, watches, limit).wait(self._doorbell, wait)

    def changes(
        self, address: Address, token: str | None, *, after: int, limit: int, wait: float
    ) -> Coroutine[Deferred[Any], Any, Sequence[Change]]:
        look = partial(self._changes, address, token, after, limit)
        return wait_for(self._doorbell, address, wait, look)

    async def _changes(
        self, address: Address, token: str | None, after: int, limit: int
    ) -> Sequence[Change]:
        state = await self.access.enter(address, token)
        if after and not state.cursor:
            # What was there expired, and nothing but mail will open it again.
            return [Change("expired", after)]
        return await self._store.changes(address, after, limit)

    async def message(self, address: Address, token: str | None, sequence: int) -> Message:
        await self.access.enter(address, token)
        return await self._store.message(address, sequence)

    async def mark_seen(
        self, address: Address, token: str | None, sequence: int, seen: bool
    ) -> Message:
        await self.access.enter(address, token)
        return await self._store.mark_seen(address, sequence, seen)

    async def delete_message(self, address: Address, token: str | None, sequence: int) -> None:
        await self.access.enter(address, token)
        await self._store.remove(address, sequence)

    async def empty(self, address: Address, token: str | None) -> None:
        state = await self.access.enter(address, token)
        if state.message_count:
            await self._store.empty(address)

    async def html(
        self, address: Address, token: str | None, sequence: int, *, images_remote: bool
    ) -> Document:
        message = await self.message(address, token, sequence)
        document = await self._reading.document(message.parcel, images_remote)
        if document is None:
            raise NoSuchPart("this message has no HTML that can be shown")
        return document

    async def attachment(
        self, address: Address, token: str | None, sequence: int, index: int
    ) -> AttachedFile:
        message = await self.message(address, token, sequence)
        found = await self._reading.attachment(message.parcel, index)
        if found is None:
            raise NoSuchPart("this message has no such attachment")
        return found

    def digest(self, message: Message) -> Deferred[Digest]:
        return self._reading.digest(message.parcel)

    async def whole(self, message: Message) -> tuple[Digest, bytes]:
        parcel = message.parcel
        members = parcel.whole or await self._reading.whole(parcel)
        return parcel.reading or await self._reading.digest(parcel), members

    async def digests(self, messages: Sequence[Message]) -> list[Digest]:
        return await self._reading.digests([message.parcel for message in messages])

    async def post(
        self,
        address: Address,
        *,
        sender: str,
        subject: str,
        body: str,
        posted: bytes,
        client: str = "",
    ) -> None:
        octets = compose(sender, address.displayed, subject, body, self._clock.seconds())
        if len(octets) > self.limits.max_message_size:
            raise MessageTooBig("a mail of this size is not taken")
        mail_from = one_line(address_in(sender))[:MAX_PATH_OCTETS]
        envelope = Envelope(mail_from, protocol="HTTP", posted=posted, client=intern(client))
        await self.deliver(envelope, (address,), octets)

    async def check_ready(self) -> None:
        await self._store.check_ready()

    async def matching(
        self, address: Address, after: int, limit: int, match: Match
    ) -> tuple[list[Message], int]:
        """Up to ``limit`` messages that match, and behind which message to look on."""
        if not match:
            found = await self._store.messages(address, after, limit)
            return found, found[-1].sequence if found else after
        found = []
        while len(found) < limit:
            batch = await self._store.messages(address, after, limit - len(found))
            if not batch:
                break
            digests = await self.digests(batch)
            found += [one for one, its in zip(batch, digests, strict=True) if match.fits(its)]
            after = batch[-1].sequence
        return found, after
