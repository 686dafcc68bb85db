"""Which parts of a mail are its body, and what they say."""

from __future__ import annotations

import html as markup
import re

from attrs import define, field

from tempmail.content.charset import decode
from tempmail.content.flowed import unflowed
from tempmail.content.labels import codec_for
from tempmail.content.part import Part, decoded
from tempmail.content.structure import Tree

# Octets of all text parts together, before decoding, that are shown, and as many of HTML. The
# largest newsletters have 1 MB.
MAX_BODY_OCTETS = 1536 * 1024
# Texts of one mail for whose charset the statistical guesser is asked, 1 ms each.
MAX_GUESSES = 8
# Parts of one mail that are put together to one body.
MAX_BODY_PARTS = 200

_SHOWN = frozenset(("text/plain", "text/html"))
# Text for programmes, also where it is all there is.
_NEVER_SHOWN = frozenset(("text/calendar", "text/rfc822-headers", "text/vcard", "text/csv"))
_META_CHARSET = re.compile(rb"<meta[^>]{1,200}charset[ \t]*=[ \t]*[\"']?([\w.:-]{1,40})", re.I)
_META_WITHIN_OCTETS = 1024
# Controls but tab and line feed, surrogates, and what is no character at all.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_CONTROLS = bytes({*range(32), 127} - {9, 10})


@define
class Body:
    """What a mail says: ``text`` is ``""`` and ``html`` is ``None`` where there is none.

    ``parts`` are the leaves it was made of; all others are attachments.
    """

    text: str = ""
    html: str | None = None
    parts: list[Part] = field(factory=list)
    defects: list[str] = field(factory=list)


@define
class _Choice:
    """The leaves that say the same in both forms, in order."""

    plain: list[Part] = field(factory=list)
    html: list[Part] = field(factory=list)


def body_of(tree: Tree) -> Body:
    """The body of a mail.

    Of alternatives (RFC 2046 section 5.1.4) the first plain text and the last HTML are taken, of
    what is related (RFC 2387) the first part; otherwise texts that are not called attachments
    follow each other. A later text with a file name is an attachment. Plain text that follows
    HTML, as the footer of a mailing list does, is shown in both.
    """
    candidates = _candidates(tree)
    chosen = _choose(tree.root, candidates)
    chosen.plain, chosen.html = chosen.plain[:MAX_BODY_PARTS], chosen.html[:MAX_BODY_PARTS]
    body = Body(parts=chosen.plain + chosen.html)
    reader = _Reader(body.defects)
    body.text = reader.joined([reader.text(part) for part in chosen.plain])
    if chosen.html:
        reader.room = MAX_BODY_OCTETS
        body.html = reader.joined([reader.html(part) for part in chosen.html])
    return body


def _candidates(tree: Tree) -> set[int]:
    """The leaves, by identity, that may be shown as body."""
    found: set[int] = set()
    for leaf in tree.leaves:
        head = leaf.head
        shown = head.content_type in _SHOWN or (
            leaf is tree.root
            and head.content_type.startswith("text/")
            and head.content_type not in _NEVER_SHOWN
        )
        if shown and head.disposition != "attachment" and not (found and head.filename):
            found.add(id(leaf))
    return found


def _choose(part: Part, candidates: set[int]) -> _Choice:
    """What a part contributes. Recursive, for the tree is at most MAX_DEPTH deep."""
    if part.children is None:
        if id(part) not in candidates:
            return _Choice()
        return _Choice([], [part]) if part.head.content_type == "text/html" else _Choice([part])
    only_first = part.head.content_type == "multipart/related"
    children = part.children[:1] if only_first else part.children
    choices = [_choose(child, candidates) for child in children]
    if part.head.content_type == "multipart/alternative":
        return _Choice(
            next((choice.plain for choice in choices if choice.plain), []),
            next((choice.html for choice in reversed(choices) if choice.html), []),
        )
    result = _Choice()
    for choice in choices:
        result.plain += choice.plain
        result.html += choice.html or (choice.plain if result.html else [])
    return result


@define
class _Reader:
    """Decodes the parts of a body within its bounds."""

    defects: list[str]
    room: int = MAX_BODY_OCTETS
    _guesses: int = 0

    def text(self, part: Part) -> str:
        """A plain part, paragraphs put together."""
        text = self._decoded(part, part.head.parameters.get("charset", ""))
        parameters = part.head.parameters
        if parameters.get("format", "").lower() == "flowed":
            text = unflowed(text, delete_space=parameters.get("delsp", "").lower() == "yes")
        return text

    def html(self, part: Part) -> str:
        """An HTML part; a plain one as HTML."""
        if part.head.content_type != "text/html":
            return f"<pre>{markup.escape(self.text(part))}</pre>"
        label = part.head.parameters.get("charset", "")
        if not label:
            meta = _META_CHARSET.search(decoded(part.raw[:_META_WITHIN_OCTETS], part.head.encoding))
            label = meta[1].decode("latin-1") if meta else ""
            if (codec_for(label) or "").startswith("utf_"):
                label = "utf-8"  # in any other form of Unicode this could not have been found
        return self._decoded(part, label)

    def joined(self, texts: list[str]) -> str:
        """One text below the other, the empty ones left out."""
        texts = [text for text in texts if text]
        above = [text if text.endswith("\n") else text + "\n" for text in texts[:-1]]
        return "".join([*above, *texts[-1:]])

    def _decoded(self, part: Part, label: str) -> str:
        """The text of a part: line ends are LF, controls are gone, no more than there is room."""
        raw = part.raw[: self.room]
        if len(raw) < len(part.raw):
            self.defects.append("the text is too long to be shown whole; the rest is in the source")
        self.room -= len(raw)
        octets = decoded(raw, part.head.encoding)
        found = decode(octets, label, guess=self._guesses < MAX_GUESSES)
        if found.note:
            self._guesses += 1
            self.defects.append(f"{part.head.content_type}: {found.note}")
        return _plain_lines(found.text)


def _plain_lines(text: str) -> str:
    """The text with LF for every line end and without controls, 20 ns a character at worst."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not _UNSAFE.search(text):
        return text
    # Octets are ten times faster rid of ASCII controls than characters are.
    octets = text.encode("utf-8", "replace").translate(None, _CONTROLS)
    return _UNSAFE.sub("", octets.decode())
