"""The header block of a mail or of a part: finding it, cutting it into fields, making them text."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice

from tempmail.content.charset import decode
from tempmail.content.labels import WESTERN, codec_for

# Octets of a header block that are looked at. A chain of ARC and DKIM signatures comes to 40 kB,
# Cc to a whole department to 100 kB.
MAX_BLOCK_OCTETS = 256 * 1024
# Octets of one field that are looked at: 2000 addresses, or 1000 encoded words of full length.
MAX_FIELD_OCTETS = 64 * 1024
# Fields of one block that are listed. Long ways through many relays have 100.
MAX_FIELDS = 1000
# Characters of a date that are looked at. The longest in RFC 5322 has 60 with its comment.
MAX_DATE_CHARACTERS = 200
# Encoded words of one field that are decoded; the others stay as they are.
MAX_WORDS = 2000

_BLANK_LINE = re.compile(rb"\n\r?\n")
_FIELD_START = re.compile(rb"[!-9;-~]{1,200}+[ \t]*+:")
_FIELD = re.compile(rb"^([^\s:]{1,200}+)[ \t]*+:([^\n]*+(?:(?>\n[ \t][^\n]*+))*+)", re.MULTILINE)
RUN_OF_FIELDS = re.compile(
    rb"(?:(?>[^\s:]{1,200}+[ \t]*+:[^\n]*+(?:(?>\n[ \t][^\n]*+))*+(?:\n|\Z)))*+"
)
_KNOWN_FIELD = re.compile(
    rb"\n(?:content-|mime-version|subject|from|to|cc|date|message-id|received|x-|reply-to|dkim-)"
    rb"[a-z-]{0,60}+[ \t]*+:"
)
# RFC 2047 section 2, more generous: spaces inside, any length, a language (RFC 2231 section 5).
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,75})\?([BbQq])\?([^?]*)\?=")
NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_LINE_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
# C0, DEL, C1; bidirectional embeddings, overrides and isolates; deprecated format characters;
# language tags; what is no character at all.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ud800-\udfff\ufdd0-\ufdef\ufff9-\ufffb"
    "\ufffe\uffff\U000e0000-\U000e007f]"
)
# Also the characters that can not be seen at all, and every mark that changes direction. The
# joiners of emoji and of Persian (U+200C, U+200D) stay.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2060-\u2064\u3164\ufeff]"
)
_DECLARED = re.compile(rb"charset[ \t]*=[ \t]*[\"']?([A-Za-z0-9._:+-]{1,40})", re.IGNORECASE)


def block_end(octets: bytes) -> tuple[int, int]:
    """Where the header block of a mail ends, and where the body begins.

    Without an empty line all is header, of which no more than MAX_BLOCK_OCTETS are looked at.
    A block that does not begin like a field is none: everything is body. A line that is neither a
    field nor the continuation of one ends the block too, unless a well-known field follows it:
    then that line is only damage.
    """
    if octets.startswith((b"\n", b"\r\n")):
        return 0, octets.index(b"\n") + 1
    if not _FIELD_START.match(octets):
        return 0, 0
    blank = _BLANK_LINE.search(octets)
    end, body = (blank.start() + 1, blank.end()) if blank else (len(octets), len(octets))
    known = min(end, MAX_BLOCK_OCTETS)
    run = RUN_OF_FIELDS.match(octets, 0, known)
    stray = run.end() if run else 0
    if stray < known and not _KNOWN_FIELD.search(octets[stray:known].lower()):
        return stray, stray
    return end, body


def fields(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and raw values of a block, in order, folds and all; lines that are none are skipped."""
    for field in _FIELD.finditer(block):
        yield field[1], field[2]


def declared_charset(beginning: bytes) -> str:
    """The first charset named anywhere there that says something about 8-bit octets, or ``""``.

    It is what raw 8-bit headers are most probably in: the programme that put them there does not
    know about encoded words, but writes its headers and its body alike.
    """
    for found in _DECLARED.finditer(beginning):
        label = found[1].decode("ascii")
        if codec_for(label) not in (None, "ascii", "utf_8"):
            return label
    return ""


def raw_text(value: bytes, hint: str = "") -> str:
    """A field's value as text, unfolded, encoded words still encoded.

    8-bit octets are UTF-8 (RFC 6532), else in the charset ``hint``, else Windows-1252; unlabelled
    ISO-2022-JP is read as such.
    """
    value = value[:MAX_FIELD_OCTETS]
    try:
        text = value.decode("utf-8") if b"\x1b" not in value else decode(value, guess=False).text
    except UnicodeDecodeError:
        text = decode(value, hint or WESTERN, guess=False).text
    return text.replace("\r\n", "").replace("\n", "").strip(" \t\r")


def decode_words(text: str) -> str:
    """The text with its encoded words decoded (RFC 2047), not yet clean.

    Neighbours in one charset are put together before they are decoded, for many programmes cut
    a character in two there. What is no encoded word stays as it is.
    """
    if "=?" not in text:
        return text
    pieces: list[str] = []
    run: list[bytes] = []
    label, last = "", 0
    for word in islice(_ENCODED_WORD.finditer(text), MAX_WORDS):
        between = text[last : word.start()]
        charset = word[1].partition("*")[0].lower()
        adjacent = last > 0 and not between.strip(" \t\r\n")
        if not (adjacent and charset == label):
            pieces.append(decode(b"".join(run), label, guess=False).text)
            pieces.append("" if adjacent else between)
            run, label = [], charset
        run.append(_word_octets(word[2], word[3]))
        last = word.end()
    pieces.append(decode(b"".join(run), label, guess=False).text)
    pieces.append(text[last:])
    return "".join(pieces)


def _word_octets(encoding: str, encoded: str) -> bytes:
    """The octets of one encoded word; what is wrongly encoded gives what it can."""
    octets = encoded.encode("utf-8", "replace")
    return binascii.a2b_qp(octets, header=True) if encoding in "Qq" else unbase64(octets)


def unbase64(octets: bytes) -> bytes:
    """Base64 undone: foreign characters skipped, up to the first padding, missing padding added."""
    plain = octets.translate(None, NOT_BASE64).partition(b"=")[0]
    surplus = len(plain) % 4
    if surplus == 1:
        plain = plain[:-1]
    return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))


def clean(text: str) -> str:
    """One line, safe to show: no control, no bidirectional formatting character, no surrogate.

    Line breaks become a space, the rest goes. Marks of direction (U+200E, U+200F, U+061C) stay:
    right-to-left subjects need them to place their punctuation, and they can not reorder what
    stands around them. Embeddings, overrides and isolates can, and a page that isolates each text
    needs none.
    """
    if text.isascii() and text.isprintable():
        return text.strip(" ")
    return _UNSAFE.sub("", _LINE_BREAKS.sub(" ", text)).strip()


def clean_identity(text: str) -> str:
    """As :func:`clean`, for names of files and addresses: nothing that can not be seen stays.

    Two that look alike would otherwise differ, and here no mark of direction is ever needed.
    """
    text = clean(text)
    return text if text.isascii() else _INVISIBLE.sub("", text).strip()


def readable(value: bytes, hint: str = "") -> str:
    """A raw value as a person reads it: unfolded, decoded, clean."""
    return clean(decode_words(raw_text(value, hint)))


def when(text: str) -> datetime | None:
    """The date of a ``Date`` header, aware; ``None`` if it can not be read.

    RFC 5322 dates, their old forms, and ISO 8601. Without a zone it is UTC.
    """
    text = text[:MAX_DATE_CHARACTERS].strip()
    for reader in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = reader(text)
            aware = date if date.tzinfo else date.replace(tzinfo=UTC)
            aware.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return aware
    return None
