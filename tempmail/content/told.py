"""What is told of a mail: the values that a worker hands over, and what the header alone gives.

This is all of it that the server itself needs; what finds it out (`tempmail.content.digest`) is for
the workers, and the server does without the memory that would take.

The JSON texts hold what depends on the mail alone; the web puts around them what depends on the
mailbox (id, cursor, seen). They are text and not objects because they are made in a worker
process, kept as they are and copied into answers as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import getsizeof

import orjson
from attrs import asdict, field, frozen

from tempmail.content import mime
from tempmail.content.reading import Mailbox

PREVIEW_LENGTH = 200
"""Characters of the preview in a list."""

SUBJECT_LENGTH = 2_000
"""Characters of the subject in a list. Who follows a mailbox gets it with each event, and a header
may have 64 kB of it; a line of it has 998 (RFC 5322 2.1.1)."""

RECIPIENTS = 100
"""Recipients named in a list, of the thousand that are read."""


@frozen
class Digest:
    """What a list tells of one mail, and what is waited for.

    ``sender`` is name and address as one text, to be searched, and ``sender_address`` the latter
    alone. ``text`` is the plain body, or what a reader sees of the HTML where there is none.
    ``summary`` is the members of a JSON object, without its braces: those of the interface's
    SUMMARY that come from the content.
    """

    sender: str
    sender_address: str
    subject: str
    text: str = field(repr=False)
    code: str | None
    link: str | None
    summary: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """About the octets of memory this takes."""
        return 500 + len(self.summary) + sum(map(getsizeof, (self.text, self.subject, self.sender)))


@frozen
class Understood:
    """What a list tells of one mail, and what the whole message adds to that, as ``whole`` does."""

    digest: Digest
    whole: bytes = field(repr=False)


@frozen
class Document:
    """A mail's HTML as a complete document, and the headers it must be sent with."""

    octets: bytes = field(repr=False)
    headers: dict[str, str]


def glimpse(octets: bytes) -> Digest:
    """What the header alone tells of a mail.

    Safe in the reactor: it looks at a bounded header and nothing else.
    """
    glance = mime.glance(octets)
    return digest_of(glance.subject, glance.sender, glance.to, "", has_html=glance.has_html)


def whole_glimpse(octets: bytes) -> bytes:
    """The same from the header alone, for a mail that stalled or crashed its reader.

    Safe in the reactor, like :func:`glimpse`.
    """
    glance = mime.glance(octets)
    defects = [*glance.defects, "reading this mail took too much, so this is its header"]
    return whole_of(glance.message_id, defects)


def digest_of(
    subject: str,
    sender: Mailbox | None,
    to: Sequence[Mailbox],
    text: str,
    *,
    has_html: bool,
    attachment_count: int = 0,
    code: str | None = None,
    link: str | None = None,
) -> Digest:
    """The digest of a mail of which this is known."""
    sender = sender or Mailbox("", "")
    return Digest(
        sender=f"{sender.name} <{sender.address}>",
        sender_address=sender.address,
        subject=subject,
        text=text,
        code=code,
        link=link,
        summary=_members(
            {
                "from": asdict(sender),
                "to": [mailbox.address or mailbox.name for mailbox in to[:RECIPIENTS]],
                "subject": subject[:SUBJECT_LENGTH],
                "preview": " ".join(text[: 4 * PREVIEW_LENGTH].split())[:PREVIEW_LENGTH],
                "has_html": has_html,
                "attachment_count": attachment_count,
                "code": code,
                "link": link,
            }
        ),
    )


def whole_of(
    message_id: str | None,
    defects: Sequence[str],
    *,
    cc: Sequence[Mapping[str, str]] = (),
    reply_to: Sequence[Mapping[str, str]] = (),
    date: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
    text: str = "",
    html: str | None = None,
    attachments: Sequence[Mapping[str, object]] = (),
    codes: Sequence[Mapping[str, object]] = (),
    links: Sequence[Mapping[str, object]] = (),
    remote_content: Sequence[str] = (),
    tracking_pixels: int = 0,
) -> bytes:
    """What the whole message adds, of a mail of which this is known: JSON members, no braces."""
    return _members(
        {
            "cc": cc,
            "reply_to": reply_to,
            "date": date,
            "message_id": message_id,
            "headers": headers,
            "text": text,
            "html": html,
            "attachments": attachments,
            "codes": codes,
            "links": links,
            "remote_content": remote_content,
            "tracking_pixels": tracking_pixels,
            "defects": defects,
        }
    )


def _members(content: Mapping[str, object]) -> bytes:
    """A JSON object's text without its braces."""
    return orjson.dumps(content)[1:-1]
