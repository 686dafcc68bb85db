"""What is asked of a mailbox, what the answer is, and waiting for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol, TypeVar

from attrs import define, field, frozen

from tempmail.access import Access
from tempmail.content.told import SUBJECT_LENGTH, Digest
from tempmail.core.address import Address
from tempmail.core.errors import (
    Closing,
    MailboxGone,
    NoSuchMailbox,
    TempmailError,
    TokenNeeded,
)
from tempmail.core.limits import MAX_ROUND
from tempmail.core.mailbox import MailboxState
from tempmail.core.message import Message
from tempmail.doorbell import Doorbell

T = TypeVar("T")


@frozen
class Minted:
    """A new mailbox and the only copy of its secrets."""

    mailbox: MailboxState
    token: str
    restore_key: str


Want = Literal["message", "code", "link"]


@frozen
class Match:
    """Which messages are meant: a part of the sender's name or address, and of the subject.

    ``want`` leaves out mail without a code, or without a link.
    """

    sender: str = ""
    subject: str = ""
    want: Want = "message"

    def __bool__(self) -> bool:
        return bool(self.sender or self.subject or self.want != "message")

    def fits(self, digest: Digest) -> bool:
        """Whether a mail is meant; letter case does not count."""
        return (
            (self.want != "code" or digest.code is not None)
            and (self.want != "link" or digest.link is not None)
            and _within(self.sender, digest.sender)
            and _within(self.subject, digest.subject)
        )


EVERY = Match()
"""All messages."""


def _within(part: str, text: str) -> bool:
    """Whether what a list tells of a text has this part."""
    return not part or part.casefold() in text[:SUBJECT_LENGTH].casefold()


@frozen
class Page:
    """What a list answers: messages in order, the cursor to go on from, and why it ended."""

    messages: Sequence[Message]
    cursor: int
    expires_at: float
    timed_out: bool

    def __bool__(self) -> bool:
        return bool(self.messages)


@frozen
class Watch:
    """One of several mailboxes that somebody waits at, and behind which message."""

    address: Address
    token: str | None = field(repr=False)
    after: int = 0


@frozen
class Inbox:
    """What one of them answers: its state, messages in order, and the cursor to go on from."""

    mailbox: MailboxState
    messages: Sequence[Message]
    cursor: int

    def __bool__(self) -> bool:
        return bool(self.messages)


@frozen
class Shut:
    """Why one of them answers nothing: TokenNeeded, NoSuchMailbox or MailboxGone."""

    address: Address
    reason: TempmailError


@frozen
class Round:
    """What several mailboxes answer, in the order in which they were asked for."""

    entries: Sequence[Inbox | Shut]
    timed_out: bool


class Office(Protocol):
    """What a look needs of the post office."""

    async def matching(
        self, address: Address, after: int, limit: int, match: Match
    ) -> tuple[list[Message], int]:
        """Messages that match, and behind which message to look on."""


@define
class Look:
    """One client's list, looked up when he asks and whenever his bell rings.

    ``_after`` moves on behind what was seen not to match, so a wait reads nothing twice.
    """

    _access: Access
    _office: Office
    _address: Address
    _token: str | None
    _after: int
    _limit: int
    _waiting: bool
    _match: Match
    _cursor: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._cursor = self._after

    async def __call__(self) -> Page:
        state = await self._access.enter(self._address, self._token)
        found, self._after = await self._office.matching(
            self._address, self._after, self._limit, self._match
        )
        cursor = found[-1].sequence if found else self._cursor
        return Page(found, cursor, state.expires_at, timed_out=not found and self._waiting)


@define
class Rounds:
    """One client's mailboxes: looked at when he asks, and each again when its bell rings.

    What was seen in vain is not kept, for those who wait are many.
    """

    _access: Access
    _office: Office
    _watches: Sequence[Watch]
    _limit: int
    _again: bool = field(default=False, init=False)

    async def wait(self, doorbell: Doorbell, seconds: float) -> Round:
        """What there is as soon as one of them has mail or can not be read, or as ``wait_for``."""
        if seconds <= 0:
            return Round(await self._look(self._watches), timed_out=False)
        until = doorbell.clock.seconds() + seconds
        with doorbell.listen(*[watch.address for watch in self._watches]) as bell:
            due = self._watches
            try:
                while due and not any(await self._look(due)):
                    self._again = True
                    rung = await bell.rung(until - doorbell.clock.seconds())
                    due = [watch for watch in self._watches if watch.address.key in rung]
            except Closing:
                pass
            except NoSuchMailbox:
                # One of the tokens was revoked, and the mailbox is not gone.
                self._again = False
            entries = await self._look(self._watches)
        return Round(entries, timed_out=not any(entries))

    async def _look(self, watches: Sequence[Watch]) -> list[Inbox | Shut]:
        entries: list[Inbox | Shut] = []
        room = MAX_ROUND
        for watch in watches:
            try:
                inbox = await self._look_into(watch, min(self._limit, room))
            except (TokenNeeded, NoSuchMailbox, MailboxGone) as error:
                entries.append(Shut(watch.address, self._reason(error)))
            else:
                entries.append(inbox)
                room -= len(inbox.messages)
        return entries

    async def _look_into(self, watch: Watch, limit: int) -> Inbox:
        state = await self._access.enter(watch.address, watch.token)
        found, after = await self._office.matching(watch.address, watch.after, limit, EVERY)
        return Inbox(state, found, after)

    def _reason(self, error: TempmailError) -> TempmailError:
        if self._again:
            return _gone()
        # Its traceback would hold, in a cycle, the list that it is put into.
        return error.with_traceback(None)


async def wait_for(
    doorbell: Doorbell, address: Address, seconds: float, look: Callable[[], Awaitable[T]]
) -> T:
    """What ``look`` finds as soon as that is something, or when time is up or the server stops.

    The bell is listened to before the first look, so nothing can come in between unheard.
    """
    if seconds <= 0:
        return await look()
    until = doorbell.clock.seconds() + seconds
    with doorbell.listen(address) as bell:
        found = await look()
        try:
            while not found and await bell.rung(until - doorbell.clock.seconds()):
                found = await _look_again(look)
        except Closing:
            pass
        return found


async def _look_again(look: Callable[[], Awaitable[T]]) -> T:
    """What ``look`` finds where it found something before: if there is none now, it went."""
    try:
        return await look()
    except (NoSuchMailbox, TokenNeeded):
        raise _gone() from None


def _gone() -> MailboxGone:
    return MailboxGone("this mailbox expired or was deleted")
