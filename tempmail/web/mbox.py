"""Messages as one mbox file: RFC 4155, with the reversible quoting of mboxrd."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import asctime, gmtime

from tempmail.core.limits import POUR_OCTETS
from tempmail.core.message import Message

CONTENT_TYPE = "application/mbox"

_LINE_OF_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_BLANKS = re.compile(r"\s")


def entry(message: Message) -> Iterator[bytes]:
    """One message of an mbox, in pieces of about POUR_OCTETS."""
    octets = message.parcel.octets
    yield _separator(message)
    start, at_line_start = 0, True
    while start < len(octets):
        end = _cut(octets, start)
        yield _quoted(octets[start:end], at_line_start)
        start, at_line_start = end, octets[end - 1 : end] == b"\n"
    yield b"\n" if at_line_start else b"\n\n"


def _separator(message: Message) -> bytes:
    """The line that begins a message: who sent it, in ASCII, and when it came, in UTC."""
    sender = _BLANKS.sub("_", message.parcel.envelope.mail_from) or "MAILER-DAEMON"
    received = asctime(gmtime(message.parcel.received_at))
    return f"From {sender} {received}\n".encode("ascii", "replace")


def _cut(octets: bytes, start: int) -> int:
    """Where the next piece ends: behind a line if there is one, and never within a line end."""
    end = start + POUR_OCTETS
    if end >= len(octets):
        return len(octets)
    line_end = octets.rfind(b"\n", start, end) + 1
    if line_end:
        return line_end
    return end - 1 if octets[end - 1 : end] == b"\r" else end


def _quoted(piece: bytes, at_line_start: bool) -> bytes:
    piece = piece.replace(b"\r\n", b"\n")
    if at_line_start:
        return _LINE_OF_FROM.sub(rb">\1", piece)
    rest_of_line, line_end, lines = piece.partition(b"\n")
    return rest_of_line + line_end + _LINE_OF_FROM.sub(rb">\1", lines)
