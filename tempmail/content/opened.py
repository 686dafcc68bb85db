"""A mail opened: its header taken apart, whatever precedes it and however its lines end."""

from __future__ import annotations

from itertools import islice

from attrs import frozen

from tempmail.content.addresses import mailboxes
from tempmail.content.headers import (
    MAX_BLOCK_OCTETS,
    MAX_FIELD_OCTETS,
    MAX_FIELDS,
    block_end,
    declared_charset,
    fields,
    raw_text,
    readable,
)
from tempmail.content.reading import Mailbox

# How far the charset of raw 8-bit headers is looked for.
HINT_OCTETS = 16 * 1024

# Ten times faster than replace() where every octet is one.
_CR_TO_LF = bytes.maketrans(b"\r", b"\n")
_ONCE = (b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"message-id")


@frozen
class OpenedMail:
    """A mail opened: its octets with line ends set right, its fields, where its body begins."""

    octets: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    first: dict[bytes, bytes]
    body: int
    hint: str
    defects: tuple[str, ...]

    def text(self, name: bytes) -> str:
        """The first field of that (lower-case) name, unfolded, encoded words still encoded."""
        return raw_text(self.first[name], self.hint) if name in self.first else ""

    def readable(self, name: bytes) -> str:
        """The same decoded and clean."""
        return readable(self.first[name], self.hint) if name in self.first else ""

    def mailboxes(self, name: bytes) -> tuple[Mailbox, ...]:
        """The mailboxes of every field of that name."""
        if name not in self.first:
            return ()
        every = [raw_text(value, self.hint) for key, value in self.fields if key.lower() == name]
        return mailboxes(", ".join(every)[:MAX_FIELD_OCTETS])


def open_mail(octets: bytes) -> OpenedMail:
    """A mail with its header found and taken apart; nothing is too broken for it."""
    defects: list[str] = []
    octets = _plain_start(octets, defects)
    end, body = block_end(octets)
    found = tuple(islice(fields(octets[: min(end, MAX_BLOCK_OCTETS)]), MAX_FIELDS + 1))
    if end > MAX_BLOCK_OCTETS or len(found) > MAX_FIELDS:
        defects.append("the header is too long; only its beginning was read")
    if not octets:
        defects.append("the mail is empty")
    elif not found:
        defects.append("there is no header; all is read as text")
    elif end == body < len(octets):
        defects.append("no empty line separates the header from the text")
    first: dict[bytes, bytes] = {}
    for name, value in found[:MAX_FIELDS]:
        name = name.lower()
        if name in first and name in _ONCE:
            defects.append(f"there is more than one {name.decode().title()} header")
        first.setdefault(name, value)
    hint = "" if octets[:end].isascii() else declared_charset(octets[:HINT_OCTETS])
    told = tuple(dict.fromkeys(defects))
    return OpenedMail(octets, found[:MAX_FIELDS], first, body, hint, told)


def _plain_start(octets: bytes, defects: list[str]) -> bytes:
    """Without byte order mark and mbox line, lines ending in LF or CRLF."""
    if octets.startswith(b"\xef\xbb\xbf"):
        octets = octets[3:]
        defects.append("a byte order mark precedes the header")
    first = octets.find(b"\n")
    if first < 0 and b"\r" in octets:
        octets = octets.translate(_CR_TO_LF)
        defects.append("lines end in a bare CR")
    elif octets[max(first - 2, 0) : first] == b"\r\r":
        octets = octets.replace(b"\r\r\n", b"\r\n")
        defects.append("lines end in CR CR LF")
    if octets.startswith((b"From ", b">From ")):
        octets = octets[octets.find(b"\n") + 1 or len(octets) :]
        defects.append("an mbox line precedes the header")
    return octets
