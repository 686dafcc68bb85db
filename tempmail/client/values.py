"""What the server tells: frozen values, and how they are read from its documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from attrs import AttrsInstance, field, fields, frozen

from tempmail.client.errors import BadAnswer

Document = Mapping[str, Any]
"""A JSON object."""
_V = TypeVar("_V", bound=AttrsInstance)


def value_of(cls: type[_V], document: Any, **also: Any) -> _V:
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
    return lambda documents: tuple(value_of(cls, document) for document in documents)


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
        default=Person(), metadata={"name": "from", "read": lambda found: value_of(Person, found)}
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

    summary: Summary = field(metadata={"read": lambda found: value_of(Summary, found)})
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


def message_of(document: Any) -> Message:
    return value_of(Message, document, summary=document)


@frozen
class Page:
    """Part of a list, oldest first; `cursor` is where the next part begins."""

    messages: tuple[Summary, ...] = field(default=(), metadata={"read": _each(Summary)})
    cursor: str | None = None
    expires_at: datetime | None = field(default=None, metadata=_TIME)
    timed_out: bool = False
    document: Document = field(factory=dict, repr=False, eq=False)


@frozen
class Attempt:
    """A mail that was refused at `stage` ("mail", "rcpt", "data") with `reply`.

    Without a `reply` the sender left in the middle of it.
    """

    at: datetime | None = field(default=None, metadata=_TIME)
    mail_from: str = ""
    helo: str = ""
    stage: str = ""
    reply: str | None = None
    document: Document = field(factory=dict, repr=False, eq=False)


@frozen
class Attempts:
    """Mails that were refused, oldest first."""

    attempts: tuple[Attempt, ...] = field(default=(), metadata={"read": _each(Attempt)})


@frozen
class Found:
    """What a wait brought. After a wait, `message` is there and so is what was wanted."""

    message: Message | None = field(default=None, metadata={"read": message_of})
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
