"""Everything a reader may ask of one mail, computed once. Meant for a worker process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from attrs import asdict, frozen

from tempmail.content import html as markup
from tempmail.content import mime
from tempmail.content.codes import Code, best_code, find_codes
from tempmail.content.document import standalone
from tempmail.content.links import Link, best_link, find_links
from tempmail.content.plain import Page, read_page
from tempmail.content.reading import Mailbox, Reading
from tempmail.content.told import (
    RECIPIENTS,
    SUBJECT_LENGTH,
    Digest,
    Document,
    Understood,
    digest_of,
    whole_of,
)

__all__ = ["Digest", "Document", "Understood", "digest", "document", "understood", "whole"]


def digest(octets: bytes) -> Digest:
    """What a list tells of a mail. Meant for a worker: a hostile mail may take a second."""
    return _digest_of(_find(octets))


def whole(octets: bytes) -> bytes:
    """What the whole message adds to its summary, as members of a JSON object without its braces.

    Meant for a worker, like :func:`digest`.
    """
    return _whole_of(_find(octets), octets)


def understood(octets: bytes) -> Understood:
    """Both, for little more than one of them costs. Meant for a worker, too."""
    found = _find(octets)
    return Understood(_digest_of(found), _whole_of(found, octets))


def document(octets: bytes, images_remote: bool) -> Document | None:
    """The mail's HTML as a document of its own; None where it has none that can be shown."""
    reading = mime.read(octets)
    if reading.html is None:
        return None
    clean = markup.sanitise(reading.html, mime.inline_pictures(octets))
    if not clean.fragment:
        return None
    body, headers = standalone(clean, images_remote=images_remote, title=reading.subject)
    return Document(body, dict(headers))


@frozen
class _Found:
    """What ``digest`` and ``whole`` both tell of. ``page`` is what a reader sees of the HTML."""

    reading: Reading
    page: Page
    codes: tuple[Code, ...]
    links: tuple[Link, ...]

    @property
    def text(self) -> str:
        """The plain body, or what a reader sees of the HTML where that says nothing."""
        return self.reading.text if self.reading.text.strip() else self.page.text


def _find(octets: bytes) -> _Found:
    reading = mime.read(octets)
    page = read_page(reading.html or "")
    return _Found(
        reading,
        page,
        find_codes(reading.subject, reading.text, page.text),
        find_links(reading.text, page, reading.subject),
    )


def _digest_of(found: _Found) -> Digest:
    reading = found.reading
    code, link = best_code(found.codes), best_link(found.links)
    return digest_of(
        reading.subject,
        reading.sender,
        reading.to,
        found.text,
        has_html=reading.html is not None,
        attachment_count=len(reading.attachments),
        code=code.value if code is not None else None,
        link=link.url if link is not None else None,
    )


def _whole_of(found: _Found, octets: bytes) -> bytes:
    reading, clean = found.reading, markup.CleanHtml()
    if reading.html is not None:
        clean = markup.sanitise(reading.html, mime.inline_pictures(octets))
    return whole_of(
        reading.message_id,
        [*reading.defects, *_cut(reading), *clean.defects],
        cc=_people(reading.cc),
        reply_to=_people(reading.reply_to),
        date=_rfc3339(reading.date),
        headers=reading.headers,
        text=found.text,
        html=clean.fragment or None,
        attachments=[asdict(attachment) for attachment in reading.attachments],
        codes=[asdict(code) for code in found.codes],
        links=[asdict(link) for link in found.links],
        remote_content=clean.remote_hosts,
        tracking_pixels=clean.tracking_pixels,
    )


def _cut(reading: Reading) -> Iterator[str]:
    if len(reading.subject) > SUBJECT_LENGTH:
        yield f"the subject is cut to {SUBJECT_LENGTH} characters; its header has all of it"
    if len(reading.to) > RECIPIENTS:
        yield f"the first {RECIPIENTS} recipients are named; the header has all of them"


def _people(mailboxes: Sequence[Mailbox]) -> list[dict[str, str]]:
    return [asdict(mailbox) for mailbox in mailboxes]


def _rfc3339(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError):
        return None
