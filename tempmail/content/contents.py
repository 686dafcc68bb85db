"""Body and attachments of an opened mail, before anything is decoded that is not asked for."""

from __future__ import annotations

import html as markup
import re
from itertools import islice
from urllib.parse import unquote

from attrs import define

from tempmail.content.body import Body, body_of
from tempmail.content.filenames import Names
from tempmail.content.headers import clean
from tempmail.content.opened import OpenedMail, open_mail
from tempmail.content.part import KNOWN_ENCODINGS, Part, decoded, head_of
from tempmail.content.reading import AttachedFile, Attachment
from tempmail.content.structure import tree

# Octets of a forwarded mail in which its subject is looked for, to name it.
MAX_FORWARDED_OCTETS = 16 * 1024
# References of the HTML to parts of the mail that are looked at.
MAX_REFERENCES = 5000

_FORWARDED = ("message/rfc822", "message/global")
_REFERENCE = re.compile(r"[cC][iI][dD]:([^\"'\s<>)]{1,1000})")


@define
class Contents:
    """Body and attachments of a mail; files are decoded when asked for."""

    body: Body
    files: list[Part]
    references: frozenset[str]
    defects: list[str]

    def described(self) -> tuple[Attachment, ...]:
        """Every attachment without its content."""
        names = Names()
        return tuple(self._describe(index, names) for index in range(len(self.files)))

    def file(self, index: int) -> AttachedFile:
        """One attachment with its content. Names depend on those before, so these are given too."""
        names = Names()
        for before in range(index):
            self._name(before, names)
        return AttachedFile(self._describe(index, names), self.content(index))

    def content(self, index: int) -> bytes:
        """The octets of one attachment, decoded."""
        return self.files[index].content

    def _describe(self, index: int, names: Names) -> Attachment:
        part = self.files[index]
        return Attachment(
            index=index,
            filename=self._name(index, names),
            content_type=part.head.content_type,
            size=part.size,
            content_id=part.head.content_id,
            inline=part.head.content_id in self.references,
        )

    def _name(self, index: int, names: Names) -> str:
        head = self.files[index].head
        proposed = head.filename
        if not proposed and head.content_type in _FORWARDED:
            proposed = self._forwarded_subject(self.files[index])
        return names.give(proposed, head.content_type, index + 1)

    def _forwarded_subject(self, part: Part) -> str:
        """A name made of the subject of a forwarded mail, or ``""``."""
        beginning = decoded(part.raw[:MAX_FORWARDED_OCTETS], part.head.encoding)
        subject = open_mail(beginning).readable(b"subject")
        return subject.replace("/", "_").replace("\\", "_") + ".eml" if subject else ""


def contents_of(mail: OpenedMail) -> Contents:
    """Body, attachments and what was wrong with them."""
    parts = tree(mail.octets, mail.body, head_of(mail.first))
    body = body_of(parts)
    shown = {id(part) for part in body.parts}
    files = [leaf for leaf in parts.leaves if id(leaf) not in shown and not _is_nothing(leaf)]
    references: set[str] = set()
    if body.html and any(part.head.content_id for part in files):
        found = islice(_REFERENCE.finditer(body.html), MAX_REFERENCES)
        # RFC 2392 section 2: percent-encoded; and within HTML, its entities besides.
        references.update(unquote(markup.unescape(reference[1])) for reference in found)
    unknown = {leaf.head.encoding for leaf in parts.leaves} - KNOWN_ENCODINGS
    defects = [f"unknown transfer encoding {clean(name)[:40]!r}" for name in sorted(unknown)]
    return Contents(body, files, frozenset(references), parts.defects + body.defects + defects)


def _is_nothing(leaf: Part) -> bool:
    """An empty text that nobody named, as some programmes leave behind between attachments."""
    head = leaf.head
    return not leaf.raw and head.content_type.startswith("text/") and not head.filename
