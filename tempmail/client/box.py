"""One mailbox, and the feed of what arrives in it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any, cast
from urllib.parse import quote

from tempmail.client.errors import BadAnswer, WaitTimedOut, Want
from tempmail.client.limits import DOWNLOAD_LIMIT, HOLD, MARGIN, WAIT
from tempmail.client.patience import Patience
from tempmail.client.values import (
    Attempt,
    Attempts,
    Document,
    Found,
    Mailbox,
    Message,
    Page,
    Summary,
    message_of,
    value_of,
)
from tempmail.client.wire import Wire


class Box:
    """A mailbox: its address, what opens it, and what may be done with it.

    Every method raises `Unauthorized` without the token of a private mailbox, `NotFound` when there
    is no such mailbox or message, `Gone` when it expired or was deleted. `mailbox` is its state as
    last told, None before the first time.
    """

    def __init__(
        self,
        wire: Wire,
        patience: Callable[[float | None], Patience],
        address: str,
        token: str | None = None,
        restore_key: str | None = None,
    ) -> None:
        if "@" not in address:
            raise ValueError(f"{address!r} is not an address")
        if token is not None and not re.fullmatch(r"[!-~]+", token):
            raise ValueError("a token consists of printable ASCII without spaces")
        self.wire = wire
        self._patience = patience
        self.address = address
        self.token = token
        self.restore_key = restore_key
        self.mailbox: Mailbox | None = None
        self._answered: dict[tuple[Want, str, str], str] = {}
        # How far the answers of `Client.wait_any` have come.
        self.told = "0"

    def __repr__(self) -> str:
        return f"<Box {self.address}>"

    def path(self, *segments: str) -> str:
        """The path of this mailbox, or of something in it, percent-encoded once."""
        # A dot segment is resolved on the way, encoded or not, and an empty one vanishes: deleting
        # the message "" would empty the mailbox, deleting ".." would delete it.
        for segment in segments:
            if segment in ("", ".", ".."):
                raise ValueError(f"{segment!r} is not an id")
        return "/".join(("/v1/mailboxes", *(quote(s, safe="") for s in (self.address, *segments))))

    async def _ask(self, method: str, *segments: str, **also: Any) -> Any:
        return await self.wire.ask(method, self.path(*segments), token=self.token, **also)

    async def state(self) -> Mailbox:
        """How it stands now."""
        self.mailbox = value_of(Mailbox, await self._ask("GET"))
        return self.mailbox

    async def list(
        self, after: str = "0", limit: int | None = None, sender: str = "", subject: str = ""
    ) -> Page:
        """One page of summaries newer than `after`; `limit` from 1 to 500, 50 if None.

        `sender` and `subject` keep what contains them, in any case. The list ends with a page that
        has no messages.
        """
        query = _question(after, sender, subject, **({} if limit is None else {"limit": limit}))
        return value_of(Page, await self._ask("GET", "messages", query=query))

    async def read(self, message_id: str) -> Message:
        """The whole message."""
        return message_of(await self._ask("GET", "messages", message_id))

    async def raw(self, message_id: str) -> bytes:
        """The octets as they were received."""
        return await self._download("messages", message_id, "raw")

    async def attachment(self, message_id: str, index: int) -> bytes:
        """The decoded octets of the attachment with that `index`."""
        return await self._download("messages", message_id, "attachments", str(index))

    async def _download(self, *segments: str) -> bytes:
        path = self.path(*segments)
        return await self.wire.fetch("GET", path, token=self.token, seconds=DOWNLOAD_LIMIT)

    async def attempts(self) -> tuple[Attempt, ...]:
        """The last mails for it that the server refused, oldest first; needs the token."""
        return value_of(Attempts, await self._ask("GET", "attempts")).attempts

    async def extend(self, lifetime: int | None = None) -> Mailbox:
        """Lets it live `lifetime` seconds from now, as far as the server allows; never shorter."""
        body = {} if lifetime is None else {"lifetime": lifetime}
        self.mailbox = value_of(Mailbox, await self._ask("POST", "extend", body=body))
        return self.mailbox

    async def empty(self) -> None:
        """Deletes every message, and keeps the mailbox."""
        await self._ask("DELETE", "messages")

    async def delete_message(self, message_id: str) -> None:
        """Deletes one message."""
        await self._ask("DELETE", "messages", message_id)

    async def delete(self) -> None:
        """Deletes the mailbox and all mail in it, at once."""
        await self._ask("DELETE")

    async def rotate_token(self) -> str:
        """Has the token revoked; the new one is used from now on and returned."""
        document = await self._ask("POST", "token")
        try:
            self.token = str(document["token"])
        except (KeyError, TypeError) as problem:
            raise BadAnswer("the server sent no token") from problem
        return self.token

    async def wait_message(self, timeout: float = WAIT, **also: Any) -> Message:
        """The next message; the arguments are those of `wait`."""
        return cast(Message, (await self.wait("message", timeout, **also)).message)

    async def wait_code(self, timeout: float = WAIT, **also: Any) -> str:
        """The verification code of the next message that has one; arguments as for `wait`."""
        return cast(str, (await self.wait("code", timeout, **also)).code)

    async def wait_link(self, timeout: float = WAIT, **also: Any) -> str:
        """The action link of the next message that has one; arguments as for `wait`."""
        return cast(str, (await self.wait("link", timeout, **also)).link)

    async def wait(
        self,
        want: Want = "message",
        timeout: float = WAIT,
        *,
        sender: str = "",
        subject: str = "",
        after: str | None = None,
    ) -> Found:
        """The first message newer than `after` that matches and has what is wanted.

        Without `after` it looks from the beginning, and then on from what the same question (want,
        sender, subject) last brought: mail that came before the call counts, and asking again
        brings the next. `timeout` is rounded up to whole seconds; with 0 it looks once.

        Raises `WaitTimedOut`; `Unreachable` when the server was never there, or is away as the time
        runs out; `RateLimited` or `Unavailable` when it asks to stay away beyond that.
        """
        question = (want, sender, subject)
        cursor = after if after is not None else self._answered.get(question, "0")
        patience = self._patience(timeout)
        while True:
            hold = ceil(min(HOLD, patience.left()))
            query = _question(cursor, sender, subject, want=want, timeout=hold)
            found = value_of(Found, await patience.persist(self._held("wait", query, hold)))
            if getattr(found, want) is not None and found.message is not None:
                self._answered[question] = found.message.summary.cursor
                return found
            cursor = found.cursor or cursor
            if not patience.left():
                raise WaitTimedOut(want, self.address, timeout, cursor)
            await patience.after_nothing(hold)

    def follow(self, after: str = "0", sender: str = "", subject: str = "") -> Feed:
        """Every summary newer than `after`, those there already and those to come, for ever."""
        return Feed(self, after, sender, subject)

    def _held(self, name: str, query: Document, hold: int) -> Callable[[], Awaitable[Any]]:
        return lambda: self._ask("GET", name, query=query, seconds=hold + MARGIN)


class Feed:
    """An endless asynchronous iterator of summaries: `async for summary in box.follow():`.

    `cursor` is always that of the last summary handed out, so a feed begun there goes on without a
    gap and without a repetition. It rides out what passes (a restart, 429, 503), with growing
    pauses; it raises `Unreachable` only if the server was never there, and `Gone`, `NotFound` or
    `Unauthorized` when the mailbox can no longer be read.
    """

    def __init__(self, box: Box, after: str, sender: str, subject: str) -> None:
        self.cursor = after
        self._box = box
        self._filter = (sender, subject)
        self._ready: deque[Summary] = deque()
        self._patience = box._patience(None)

    def __aiter__(self) -> Feed:
        return self

    async def __anext__(self) -> Summary:
        while not self._ready:
            query = _question(self.cursor, *self._filter, wait=HOLD)
            ask = self._box._held("messages", query, HOLD)
            page = value_of(Page, await self._patience.persist(ask))
            self._ready.extend(page.messages)
            if not page.messages:
                self.cursor = page.cursor or self.cursor
                await self._patience.after_nothing(HOLD)
        summary = self._ready.popleft()
        self.cursor = summary.cursor
        return summary


def _question(after: str, sender: str, subject: str, **also: Any) -> dict[str, Any]:
    """The query of a list or a wait; what is empty is left out."""
    given = {"after": after, "from": sender, "subject": subject}
    return {**{name: value for name, value in given.items() if value}, **also}
