"""A client for the tempmail HTTP interface, version 1, on treq.

    client = open_client(reactor, "http://127.0.0.1:8080")
    box = await client.mint()
    code = await box.wait_code(timeout=30)

Methods are coroutines, to be awaited from a coroutine that Twisted drives; whoever wants a Deferred
says `Deferred.fromCoroutine(box.wait_code())`. Cancelling that Deferred abandons the request and
leaves no timer. All times are seconds; whatever goes wrong is a `TempmailError`.
"""

from __future__ import annotations

import json
import random as _random
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import ceil
from typing import Any, Literal, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

from attrs import AttrsInstance, field, fields, frozen
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer
from zope.interface import implementer

HOLD = 50
"""Seconds one request is held. The server allows 60, and that is where many proxies cut."""
MARGIN = 10.0
"""Seconds after the end of a hold before the answer is late: a slow network, a busy server."""
REQUEST_LIMIT = 30.0
"""Seconds for a request that nothing holds, its answer read to the end."""
DOWNLOAD_LIMIT = 300.0
"""Seconds for octets of any size: 25 MB at 1 Mbit/s, with room."""
CONNECT_LIMIT = 10.0
"""Seconds to connect: two lost SYNs (1 s, then 2 s) and a slow handshake still fit."""
FIRST_PAUSE = 0.5
"""Seconds before the second attempt: a hiccup has passed, a person has not noticed."""
LONGEST_PAUSE = 30.0
"""Seconds: a server that is back is noticed soon, and not hammered while it is away."""
FIRST_CONTACT_ATTEMPTS = 4
"""Attempts before a server that never answered is believed absent: 1.75 to 3.5 s in all, which
outlasts a quick restart and does not keep someone who mistyped an address waiting."""
EARLY_PAUSE = 1.0
"""Seconds to pause when an empty answer comes much too early, as from a stopping server."""
LONGEST_RETRY_AFTER = 3600.0
"""Seconds: a larger Retry-After counts as this much, lest a wrong clock silence us for days."""

Want = Literal["message", "code", "link"]
Document = Mapping[str, Any]
_T = TypeVar("_T")
_V = TypeVar("_V", bound=AttrsInstance)


class TempmailError(Exception):
    """Whatever this client raises on its own account."""


class Unreachable(TempmailError):
    """No answer: refused, no such host, TLS failed, connection lost, or nothing in time."""


class BadAnswer(TempmailError):
    """An answer that this interface does not give; probably the base URL leads elsewhere."""


class WaitTimedOut(TempmailError):
    """What was waited for did not come. `cursor` is where a later wait may go on."""

    def __init__(self, want: Want, address: str, seconds: float, cursor: str) -> None:
        super().__init__(f"no {want} came to {address} within {seconds:g} s")
        self.want, self.address, self.seconds, self.cursor = want, address, seconds, cursor


class Problem(TempmailError):
    """The server said no (RFC 9457).

    `errors` holds a (field, detail) pair for everything that did not fit; `retry_after` the seconds
    the server asked us to stay away, or None.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        errors: tuple[tuple[str, str], ...] = (),
        retry_after: float | None = None,
    ) -> None:
        told = [detail] if detail else []
        told += [f"{name}: {reason}" for name, reason in errors]
        super().__init__(f"{status} {title}" + (": " + "; ".join(told) if told else ""))
        self.status, self.title, self.detail, self.errors = status, title, detail, errors
        self.retry_after = retry_after


class Unauthorized(Problem):
    """401: this mailbox is private, or absent, and no token was given."""


class NotFound(Problem):
    """404: no such mailbox or message, or a token that does not open it."""


class Taken(Problem):
    """409: the address is in use or in quarantine."""


class Gone(Problem):
    """410: the mailbox expired or was deleted."""


class RateLimited(Problem):
    """429: too many requests."""


class Unavailable(Problem):
    """503, or 502 and 504 from a proxy: full, stopping, or not up yet."""


_BY_STATUS: dict[int, type[Problem]] = {
    401: Unauthorized,
    404: NotFound,
    409: Taken,
    410: Gone,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def _value(cls: type[_V], document: Any, **also: Any) -> _V:
    """`document` as a `cls`; null counts as absent, and what `cls` has no field for is passed over.

    A field's metadata may say by which `name` the document has it, and through what it is `read`.
    """
    try:
        given = {**document, **also}
        known: dict[str, Any] = {}
        for each in fields(cls):
            name = each.metadata.get("name", each.name)
            found = document if name == "document" else given.get(name)
            if found is not None:
                known[each.name] = each.metadata.get("read", _as_it_is)(found)
        return cls(**known)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise BadAnswer(f"the server sent no {cls.__name__}: {problem}") from problem


def _each(cls: type[_V]) -> Callable[[Any], tuple[_V, ...]]:
    return lambda documents: tuple(_value(cls, document) for document in documents)


def _as_it_is(found: Any) -> Any:
    return found


_TIME = {"read": datetime.fromisoformat}


@frozen
class Mailbox:
    """The state of a mailbox: times aware and in UTC, `size` in octets.

    `document`, here and wherever a value has one, is the JSON object it was read from, so that what
    a newer server adds can be reached. Secrets are taken out of it.
    """

    address: str
    cursor: str = "0"
    public: bool = False
    created_at: datetime | None = field(default=None, metadata=_TIME)
    expires_at: datetime | None = field(default=None, metadata=_TIME)
    max_expires_at: datetime | None = field(default=None, metadata=_TIME)
    message_count: int = 0
    unseen_count: int = 0
    size: int = 0
    document: Document = field(factory=dict, repr=False, eq=False)


@frozen
class Person:
    """Who a header names. Both may be empty, and neither is verified."""

    address: str = ""
    name: str = ""


@frozen
class Summary:
    """One mail as a list shows it. `code` and `link` are the best candidates, or None."""

    id: str
    cursor: str
    received_at: datetime | None = field(default=None, metadata=_TIME)
    sender: Person = field(
        default=Person(), metadata={"name": "from", "read": lambda found: _value(Person, found)}
    )
    to: tuple[str, ...] = field(default=(), metadata={"read": tuple})
    subject: str = ""
    preview: str = ""
    size: int = 0
    seen: bool = False
    has_html: bool = False
    attachment_count: int = 0
    code: str | None = None
    link: str | None = None
    document: Document = field(factory=dict, repr=False, eq=False)


@frozen
class Code:
    """A candidate for a verification code, how sure the server is, and why."""

    value: str
    confidence: float = 0.0
    reason: str = ""


@frozen
class Link:
    """A link in a mail; `kind` is "action", "unsubscribe" or "other"."""

    url: str
    host: str = ""
    text: str = ""
    kind: str = "other"
    confidence: float = 0.0


@frozen
class Attachment:
    """What is attached; `index` is what `Box.attachment` takes, `size` counts decoded octets."""

    index: int
    filename: str | None = None
    content_type: str = "application/octet-stream"
    size: int = 0
    content_id: str | None = None
    inline: bool = False


@frozen
class Message:
    """A whole mail. `html` is sanitised by the server; the rest of it is in `document`."""

    summary: Summary = field(metadata={"read": lambda found: _value(Summary, found)})
    headers: tuple[tuple[str, str], ...] = field(
        default=(), metadata={"read": lambda rows: tuple((n, v) for n, v in rows)}
    )
    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = field(default=(), metadata={"read": _each(Attachment)})
    codes: tuple[Code, ...] = field(default=(), metadata={"read": _each(Code)})
    links: tuple[Link, ...] = field(default=(), metadata={"read": _each(Link)})
    defects: tuple[str, ...] = field(default=(), metadata={"read": tuple})
    document: Document = field(factory=dict, repr=False, eq=False)

    @property
    def id(self) -> str:
        """The opaque id, as in the summary."""
        return self.summary.id

    @property
    def subject(self) -> str:
        """The decoded subject, as in the summary."""
        return self.summary.subject


def _message(document: Any) -> Message:
    return _value(Message, document, summary=document)


@frozen
class Page:
    """Part of a list, oldest first; `cursor` is where the next part begins."""

    messages: tuple[Summary, ...] = field(default=(), metadata={"read": _each(Summary)})
    cursor: str | None = None
    expires_at: datetime | None = field(default=None, metadata=_TIME)
    timed_out: bool = False
    document: Document = field(factory=dict, repr=False, eq=False)


@frozen
class Found:
    """What a wait brought. After a wait, `message` is there and so is what was wanted."""

    message: Message | None = field(default=None, metadata={"read": _message})
    code: str | None = None
    link: str | None = None
    cursor: str | None = None
    document: Document = field(factory=dict, repr=False, eq=False)


@frozen
class Domain:
    """A domain that accepts mail; `mode` is "minted" or "catch-all"."""

    domain: str
    mode: str = "minted"


@frozen
class Domains:
    """Where one may mint. Lifetimes in seconds, `max_message_size` in octets; None if not said."""

    domains: tuple[Domain, ...] = field(default=(), metadata={"read": _each(Domain)})
    default_lifetime: int | None = None
    max_lifetime: int | None = None
    max_message_size: int | None = None
    document: Document = field(factory=dict, repr=False, eq=False)


def open_client(reactor: Any, base_url: str) -> Client:
    """A client that connects through `reactor`, keeping connections open between requests."""
    pool = HTTPConnectionPool(reactor, persistent=True)  # type: ignore[no-untyped-call]
    agent = Agent(reactor, connectTimeout=CONNECT_LIMIT, pool=pool)  # type: ignore[no-untyped-call]
    return Client(base_url, agent, reactor)


class Client:
    """One server.

    `base_url` is where it lives, base path included (`https://host/mail`). `agent` makes the
    requests and `clock` measures all time, so both may be fakes; `random` gives floats from 0 to 1.
    `on_retry(trouble, pause)` is told of every failure that a wait or a feed rides out. Raises
    ValueError when `base_url` is no http or https URL.
    """

    _log = Logger()

    def __init__(
        self,
        base_url: str,
        agent: IAgent,
        clock: IReactorTime,
        random: Callable[[], float] = _random.random,
        on_retry: Callable[[TempmailError, float], None] | None = None,
    ) -> None:
        self.base_url = _checked_url(base_url)
        self.clock = clock
        self.random = random
        self.on_retry = on_retry or self._log_retry
        self._http = HTTPClient(agent, data_to_body_producer=_Octets)

    def __repr__(self) -> str:
        return f"<Client of {self.base_url}>"

    async def domains(self) -> Domains:
        """The domains that accept mail, and the limits."""
        return _value(Domains, await self.ask("GET", "/v1/domains"))

    async def mint(
        self,
        local_part: str | None = None,
        domain: str | None = None,
        lifetime: int | None = None,
        public: bool = False,
    ) -> Box:
        """A new mailbox, for `lifetime` seconds; what is None is the server's to choose.

        Raises `Taken` when the address is in use, `Problem` when something does not fit. It is not
        repeated on failure: a second attempt might leave a mailbox behind that nobody knows.
        """
        wish = {"local_part": local_part, "domain": domain, "lifetime": lifetime}
        body: dict[str, Any] = {name: value for name, value in wish.items() if value is not None}
        if public:
            body["public"] = True
        return self._minted(await self.ask("POST", "/v1/mailboxes", body=body))

    async def restore(self, address: str, restore_key: str) -> Box:
        """Reopens an expired address, empty, while its quarantine lasts."""
        path = self.box(address).path("restore")
        return self._minted(await self.ask("POST", path, body={"restore_key": restore_key}))

    def box(self, address: str, token: str | None = None) -> Box:
        """A handle on an existing mailbox; asks nothing yet. A public one needs no token."""
        return Box(self, address, token)

    def _minted(self, document: Any) -> Box:
        mailbox = _value(Mailbox, document)
        secrets = ("token", "restore_key")
        shown = {name: value for name, value in document.items() if name not in secrets}
        box = Box(self, mailbox.address, document.get("token"), document.get("restore_key"))
        box.mailbox = _value(Mailbox, shown)
        return box

    async def ask(self, method: str, path: str, **also: Any) -> Any:
        """The JSON document at `path`, None where the answer has no body; otherwise as `fetch`."""
        octets = await self.fetch(method, path, **also)
        try:
            return json.loads(octets) if octets else None
        except ValueError as problem:
            raise BadAnswer("the server answered with something that is not JSON") from problem

    async def fetch(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Document | None = None,
        seconds: float = REQUEST_LIMIT,
    ) -> bytes:
        """The octets at `path`, which is percent-encoded, complete within `seconds`.

        Raises `Unreachable`, `BadAnswer` for a redirect, or the `Problem` that the server told.
        """
        url = self.base_url + path
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="")
        exchange = Deferred.fromCoroutine(self._exchange(method, url, token, body))
        try:
            status, headers, octets = await _within(self.clock, seconds, exchange)
        except (ConnectError, ConnectionClosed, OSError, *_BROKEN) as trouble:
            raise Unreachable(_in_words(trouble)) from trouble
        if 200 <= status < 300:
            return octets
        raise _problem(status, headers, octets)

    async def _exchange(
        self, method: str, url: str, token: str | None, body: Document | None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = Headers({"Accept": ["application/json, application/problem+json, */*"]})
        if token is not None:
            headers.setRawHeaders("Authorization", [f"Bearer {token}"])
        # A redirect is not followed: the token is meant for this server, and no other.
        also: dict[str, Any] = {} if body is None else {"json": body}
        response = await self._http.request(
            method,
            url,
            headers=headers,
            allow_redirects=False,
            unbuffered=True,
            reactor=cast(Any, self.clock),
            **also,
        )
        collector = _Collector()
        response.deliverBody(collector)
        octets = await collector.finished
        told = ("retry-after", "date", "location")
        found = {name: (response.headers.getRawHeaders(name) or [""])[-1] for name in told}
        return int(response.code), found, octets

    def _log_retry(self, trouble: TempmailError, pause: float) -> None:
        self._log.debug("asking again in {pause:.1f} s: {trouble}", pause=pause, trouble=trouble)


class Box:
    """A mailbox: its address, what opens it, and what may be done with it.

    Every method raises `Unauthorized` without the token of a private mailbox, `NotFound` when there
    is no such mailbox or message, `Gone` when it expired or was deleted. `mailbox` is its state as
    last told, None before the first time.
    """

    def __init__(
        self, client: Client, address: str, token: str | None = None, restore_key: str | None = None
    ) -> None:
        if "@" not in address:
            raise ValueError(f"{address!r} is not an address")
        if token is not None and not re.fullmatch(r"[!-~]+", token):
            raise ValueError("a token consists of printable ASCII without spaces")
        self._client = client
        self.address = address
        self.token = token
        self.restore_key = restore_key
        self.mailbox: Mailbox | None = None
        self._answered: dict[tuple[Want, str, str], str] = {}

    def __repr__(self) -> str:
        return f"<Box {self.address}>"

    def path(self, *segments: str) -> str:
        """The path of this mailbox, or of something in it, percent-encoded once."""
        # A dot segment is resolved on the way, encoded or not, and an empty one vanishes: deleting
        # the message "" would empty the mailbox, deleting ".." would delete it.
        if any(segment in ("", ".", "..") for segment in segments):
            raise ValueError(f"{segments[-1]!r} is not an id")
        return "/".join(("/v1/mailboxes", *(quote(s, safe="") for s in (self.address, *segments))))

    async def _ask(self, method: str, *segments: str, **also: Any) -> Any:
        return await self._client.ask(method, self.path(*segments), token=self.token, **also)

    async def state(self) -> Mailbox:
        """How it stands now."""
        self.mailbox = _value(Mailbox, await self._ask("GET"))
        return self.mailbox

    async def list(
        self, after: str = "0", limit: int | None = None, sender: str = "", subject: str = ""
    ) -> Page:
        """One page of summaries newer than `after`; `limit` from 1 to 500, 50 if None.

        `sender` and `subject` keep what contains them, in any case. The list ends with a page that
        has no messages.
        """
        query = _question(after, sender, subject, **({} if limit is None else {"limit": limit}))
        return _value(Page, await self._ask("GET", "messages", query=query))

    async def read(self, message_id: str) -> Message:
        """The whole message."""
        return _message(await self._ask("GET", "messages", message_id))

    async def raw(self, message_id: str) -> bytes:
        """The octets as they were received."""
        return await self._download("messages", message_id, "raw")

    async def attachment(self, message_id: str, index: int) -> bytes:
        """The decoded octets of the attachment with that `index`."""
        return await self._download("messages", message_id, "attachments", str(index))

    async def _download(self, *segments: str) -> bytes:
        path = self.path(*segments)
        return await self._client.fetch("GET", path, token=self.token, seconds=DOWNLOAD_LIMIT)

    async def extend(self, lifetime: int | None = None) -> Mailbox:
        """Lets it live `lifetime` seconds from now, as far as the server allows; never shorter."""
        body = {} if lifetime is None else {"lifetime": lifetime}
        self.mailbox = _value(Mailbox, await self._ask("POST", "extend", body=body))
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

    async def wait_message(self, timeout: float = 60.0, **also: Any) -> Message:
        """The next message; the arguments are those of `wait`."""
        return cast(Message, (await self.wait("message", timeout, **also)).message)

    async def wait_code(self, timeout: float = 60.0, **also: Any) -> str:
        """The verification code of the next message that has one; arguments as for `wait`."""
        return cast(str, (await self.wait("code", timeout, **also)).code)

    async def wait_link(self, timeout: float = 60.0, **also: Any) -> str:
        """The action link of the next message that has one; arguments as for `wait`."""
        return cast(str, (await self.wait("link", timeout, **also)).link)

    async def wait(
        self,
        want: Want = "message",
        timeout: float = 60.0,
        *,
        sender: str = "",
        subject: str = "",
        after: str | None = None,
    ) -> Found:
        """The first message newer than `after` that matches and has what is wanted.

        Without `after` it looks from the beginning, and then on from what the same question (want,
        sender, subject) last brought: mail that came before the call counts, and asking again
        brings the next. `timeout` is rounded up to whole seconds; with 0 it looks once.

        Raises `WaitTimedOut`; `Unreachable` when the server never answered, or is away as the time
        runs out; `RateLimited` or `Unavailable` when it asks to stay away beyond that.
        """
        question = (want, sender, subject)
        cursor = after if after is not None else self._answered.get(question, "0")
        deadline = self._client.clock.seconds() + timeout
        patience = _Patience(self._client, deadline)
        while True:
            hold = ceil(min(HOLD, patience.left()))
            query = _question(cursor, sender, subject, want=want, timeout=hold)
            found = _value(Found, await patience.persist(self._held("wait", query, hold)))
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
    pauses; it raises `Unreachable` only if the server never answered, and `Gone`, `NotFound` or
    `Unauthorized` when the mailbox can no longer be read.
    """

    def __init__(self, box: Box, after: str, sender: str, subject: str) -> None:
        self.cursor = after
        self._box = box
        self._filter = (sender, subject)
        self._ready: deque[Summary] = deque()
        self._patience = _Patience(box._client)

    def __aiter__(self) -> Feed:
        return self

    async def __anext__(self) -> Summary:
        while not self._ready:
            query = _question(self.cursor, *self._filter, wait=HOLD)
            ask = self._box._held("messages", query, HOLD)
            page = _value(Page, await self._patience.persist(ask))
            self._ready.extend(page.messages)
            if not page.messages:
                self.cursor = page.cursor or self.cursor
                await self._patience.after_nothing(HOLD)
        summary = self._ready.popleft()
        self.cursor = summary.cursor
        return summary


class _Patience:
    """How one wait or feed treats a server that does not answer, until its own time is up."""

    def __init__(self, client: Client, deadline: float | None = None) -> None:
        self._client = client
        self._deadline = deadline
        self._failures = 0
        self._contact = False
        self._asked_at = 0.0

    def left(self) -> float:
        """Seconds until the time is up, 0 from then on."""
        if self._deadline is None:
            return float("inf")
        return max(0.0, self._deadline - self._client.clock.seconds())

    async def persist(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """What `ask` brings, asked again while the server is only away or busy."""
        while True:
            self._asked_at = self._client.clock.seconds()
            try:
                answer = await ask()
            except (Unreachable, RateLimited, Unavailable) as trouble:
                await self._sleep(self._pause(trouble), trouble)
            else:
                self._contact, self._failures = True, 0
                return answer

    async def after_nothing(self, hold: int) -> None:
        """Pauses if an empty answer came much too early, lest both sides go round in haste."""
        if self._client.clock.seconds() - self._asked_at < hold / 2:
            await self._sleep(EARLY_PAUSE)

    def _pause(self, trouble: TempmailError) -> float:
        """Seconds to leave the server alone; raises `trouble` when there is no point in it."""
        self._failures += 1
        if isinstance(trouble, Problem):
            self._contact = True
        elif not self._contact and self._failures >= FIRST_CONTACT_ATTEMPTS:
            raise trouble
        # Half is fixed and half is random: clients that lost the server together come back apart.
        grown = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 16))
        pause = grown * (1 + self._client.random()) / 2
        told = trouble.retry_after if isinstance(trouble, Problem) else None
        if told is not None:
            pause += told
            if told > self.left():
                raise trouble
        if not self.left():
            raise trouble
        return min(pause, self.left())

    async def _sleep(self, seconds: float, trouble: TempmailError | None = None) -> None:
        if trouble is not None:
            self._client.on_retry(trouble, seconds)
        await deferLater(self._client.clock, min(seconds, self.left()))


@implementer(IBodyProducer)
class _Octets:
    """A request body that is written at once: ours are small, and treq's own needs a reactor."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.length = len(octets)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._octets)
        return succeed(None)

    def stopProducing(self) -> None:
        """Nothing is left to stop."""

    def pauseProducing(self) -> None:
        """Nothing is left to pause."""

    def resumeProducing(self) -> None:
        """Nothing is left to resume."""


class _Collector(Protocol):
    """Collects a response body. Unlike with treq's own, a cancel closes the connection."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.finished: Deferred[bytes] = Deferred(self._leave)

    def dataReceived(self, data: bytes) -> None:
        self._parts.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.finished.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):  # type: ignore[no-untyped-call]
            self.finished.callback(b"".join(self._parts))
        else:
            self.finished.errback(reason)

    def _leave(self, _: object) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


def _within(clock: IReactorTime, seconds: float, work: Deferred[_T]) -> Deferred[_T]:
    """What `work` brings, or `Unreachable` after `seconds`.

    Whoever cancels it gets a CancelledError, whatever error `work` makes of that: otherwise a wait
    would take its own end for a lost connection, and try again.
    """

    def stop(reason: Exception) -> None:
        if timer.active():
            timer.cancel()
        ended.errback(reason)
        work.cancel()

    def settle(result: _T | Failure) -> None:
        if ended.called:
            return
        timer.cancel()
        if isinstance(result, Failure):
            ended.errback(result)
        else:
            ended.callback(result)

    ended: Deferred[_T] = Deferred(lambda _: stop(CancelledError()))
    timer = clock.callLater(seconds, lambda: stop(Unreachable(f"no answer within {seconds:g} s")))
    work.addBoth(settle)
    return ended


_BROKEN = (ResponseFailed, RequestTransmissionFailed)


def _in_words(trouble: BaseException) -> str:
    """What went wrong on the way, for a person."""
    reasons = getattr(trouble, "reasons", None)
    if reasons:
        return _in_words(reasons[-1].value)
    return str(trouble) or type(trouble).__name__


def _problem(status: int, headers: Mapping[str, str], octets: bytes) -> TempmailError:
    """The error that an answer with this `status` means, whoever on the way has sent it."""
    if 300 <= status < 400:
        return BadAnswer(f"the server redirects to {headers['location']}: is that its base URL?")
    try:
        document = json.loads(octets)
        errors = document.get("errors") or ()
        rows = tuple((str(each["field"]), str(each["detail"])) for each in errors)
        title, detail = str(document["title"]), str(document.get("detail") or "")
    except (AttributeError, KeyError, TypeError, ValueError):
        known = {each.value: each.phrase for each in HTTPStatus}
        title, detail, rows = known.get(status, "error"), "", ()
    cls = _BY_STATUS.get(status, Problem)
    return cls(status, title, detail, rows, _retry_after(headers["retry-after"], headers["date"]))


def _retry_after(value: str, date: str) -> float | None:
    """Seconds that a Retry-After (RFC 9110, 10.2.3) asks for; dates go by the server's clock."""
    try:
        if re.fullmatch("[0-9]+", value):
            seconds = float(value)
        else:
            wished, now = parsedate_to_datetime(value), parsedate_to_datetime(date)
            seconds = (wished - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def _question(after: str, sender: str, subject: str, **also: Any) -> dict[str, Any]:
    """The query of a list or a wait; what is empty is left out."""
    given = {"after": after, "from": sender, "subject": subject}
    return {**{name: value for name, value in given.items() if value}, **also}


def _checked_url(url: str) -> str:
    """`url` without a slash at its end. Raises ValueError for what can not be a base URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an http or https URL")
    if parts.username or parts.password or parts.query or parts.fragment or not url.isascii():
        raise ValueError("a server's URL is scheme, host, port and path, in ASCII")
    parts.port  # noqa: B018 -- raises ValueError when it is no number
    return url.rstrip("/")
