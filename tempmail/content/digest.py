"""Everything a reader may ask of one mail, computed once.

The two JSON texts hold what depends on the mail alone; the web puts around them what depends on
the mailbox (id, cursor, seen). They are text and not objects because they are made in a worker
process, cached as they are and copied into answers as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from attrs import field, frozen
from fast_mail_parser import ParseError, parse_email


@frozen
class Digest:
    """What was understood of one mail.

    ``sender`` is name and address as one text, to be searched. ``summary`` and ``whole`` are the
    members of JSON objects, without their braces: those of the interface's SUMMARY that come from
    the content, and those that the whole message adds.
    """

    sender: str
    subject: str
    text: str = field(repr=False)
    code: str | None
    link: str | None
    summary: bytes = field(repr=False)
    whole: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """About the octets this takes."""
        return 400 + len(self.summary) + len(self.whole) + 4 * len(self.text)


def digest(octets: bytes) -> Digest:
    """Read one mail; never raises."""
    try:
        mail = parse_email(octets)
    except ParseError as error:
        return _compose("", "", "", "", defects=[f"this mail could not be read: {error}"])
    name, address = "", ""
    if mail.from_ is not None:
        name, address = mail.from_.display_name or "", mail.from_.address
    return _compose(name, address, mail.subject, "\n".join(mail.text_plain), defects=[])


def _compose(name: str, address: str, subject: str, text: str, defects: list[str]) -> Digest:
    summary = {
        "from": {"name": name, "address": address},
        "to": [],
        "subject": subject,
        "preview": " ".join(text[:400].split())[:200],
        "has_html": False,
        "attachment_count": 0,
        "code": None,
        "link": None,
    }
    whole = {"text": text, "html": None, "defects": defects}
    return Digest(
        sender=f"{name} <{address}>",
        subject=subject,
        text=text,
        code=None,
        link=None,
        summary=_members(summary),
        whole=_members(whole),
    )


def _members(content: Mapping[str, object]) -> bytes:
    """A JSON object's text without its braces."""
    return orjson.dumps(content)[1:-1]
