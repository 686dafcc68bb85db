"""Everything a reader may ask of one mail, computed once.

The JSON texts hold what depends on the mail alone; the web puts around them what depends on the
mailbox (id, cursor, seen). They are text and not objects because they are made in a worker
process, kept as they are and copied into answers as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import orjson
from attrs import asdict, field, frozen

from tempmail.content import html as markup
from tempmail.content import mime
from tempmail.content.codes import Code, best_code, find_codes
from tempmail.content.links import Link, best_link, find_links
from tempmail.content.plain import visible_text
from tempmail.content.reading import Mailbox, Reading

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
        return 500 + len(self.summary) + 4 * len(self.text)


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


def digest(octets: bytes) -> Digest:
    """What a list tells of a mail. Meant for a worker: a hostile mail may take a second."""
    return _digest_of(_find(octets))


def glimpse(octets: bytes) -> Digest:
    """What the header alone tells of a mail.

    Safe in the reactor: it looks at a bounded header and nothing else.
    """
    glance = mime.glance(octets)
    return _digest(glance.subject, glance.sender, glance.to, "", has_html=glance.has_html)


def whole(octets: bytes) -> bytes:
    """What the whole message adds to its summary, as members of a JSON object without its braces.

    Meant for a worker, like :func:`digest`.
    """
    return _whole_of(_find(octets), octets)


def understood(octets: bytes) -> Understood:
    """Both, for little more than one of them costs. Meant for a worker, too."""
    found = _find(octets)
    return Understood(_digest_of(found), _whole_of(found, octets))


def whole_glimpse(octets: bytes) -> bytes:
    """The same from the header alone, for a mail that stalled or crashed its reader.

    Safe in the reactor, like :func:`glimpse`.
    """
    glance = mime.glance(octets)
    return _members(
        {
            "cc": [],
            "reply_to": [],
            "date": None,
            "message_id": glance.message_id,
            "headers": [],
            "text": "",
            "html": None,
            "attachments": [],
            "codes": [],
            "links": [],
            "remote_content": [],
            "tracking_pixels": 0,
            "defects": [*glance.defects, "reading this mail took too much, so this is its header"],
        }
    )


def document(octets: bytes, images_remote: bool) -> Document | None:
    """The mail's HTML as a document of its own; None where it has none that can be shown."""
    reading = mime.read(octets)
    if reading.html is None:
        return None
    clean = markup.sanitise(reading.html, mime.inline_pictures(octets))
    if not clean.fragment:
        return None
    body, headers = markup.document(clean, images_remote=images_remote, title=reading.subject)
    return Document(body, dict(headers))


@frozen
class _Found:
    """What ``digest`` and ``whole`` both tell of. ``visible`` is what a reader sees of the HTML."""

    reading: Reading
    visible: str
    codes: tuple[Code, ...]
    links: tuple[Link, ...]


def _find(octets: bytes) -> _Found:
    reading = mime.read(octets)
    visible = visible_text(reading.html or "")
    return _Found(
        reading,
        visible,
        find_codes(reading.subject, reading.text, visible),
        find_links(reading.text, reading.html or "", reading.subject),
    )


def _digest_of(found: _Found) -> Digest:
    reading = found.reading
    code, link = best_code(found.codes), best_link(found.links)
    return _digest(
        reading.subject,
        reading.sender,
        reading.to,
        reading.text or found.visible,
        has_html=reading.html is not None,
        attachment_count=len(reading.attachments),
        code=code.value if code is not None else None,
        link=link.url if link is not None else None,
    )


def _whole_of(found: _Found, octets: bytes) -> bytes:
    reading, clean = found.reading, markup.CleanHtml()
    if reading.html is not None:
        clean = markup.sanitise(reading.html, mime.inline_pictures(octets))
    return _members(
        {
            "cc": _people(reading.cc),
            "reply_to": _people(reading.reply_to),
            "date": _rfc3339(reading.date),
            "message_id": reading.message_id,
            "headers": reading.headers,
            "text": reading.text or found.visible,
            "html": clean.fragment or None,
            "attachments": [asdict(attachment) for attachment in reading.attachments],
            "codes": [asdict(code) for code in found.codes],
            "links": [asdict(link) for link in found.links],
            "remote_content": clean.remote_hosts,
            "tracking_pixels": clean.tracking_pixels,
            "defects": [*reading.defects, *_cut(reading), *clean.defects],
        }
    )


def _cut(reading: Reading) -> Iterator[str]:
    if len(reading.subject) > SUBJECT_LENGTH:
        yield f"the subject is cut to {SUBJECT_LENGTH} characters; its header has all of it"
    if len(reading.to) > RECIPIENTS:
        yield f"the first {RECIPIENTS} recipients are named; the header has all of them"


def _digest(
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


def _people(mailboxes: Sequence[Mailbox]) -> list[dict[str, str]]:
    return [asdict(mailbox) for mailbox in mailboxes]


def _rfc3339(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError):
        return None


def _members(content: Mapping[str, object]) -> bytes:
    """A JSON object's text without its braces."""
    return orjson.dumps(content)[1:-1]
