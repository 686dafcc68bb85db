"""A mail from what was typed into a form."""

from __future__ import annotations

import re
from base64 import b64encode, encodebytes
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr

# RFC 5322 section 2.1.1: the length a line should not pass, less the longest header name here.
_PLAIN_LENGTH = 78 - len("Subject: ")
# RFC 2047 section 2: a line with an encoded word has at most 76 characters, the header name among
# them, which leaves 39 octets of text in base64.
_ASCII_STEP, _UTF8_STEP = 39, 39 // 4
_LONGEST_SENDER = 1000
_NAME_AND_ADDRESS = re.compile(r"(.+) (<[!-;=?-~]+@[!-;=?-~]+>)", re.DOTALL).fullmatch


def compose(sender: str, recipient: str, subject: str, body: str, sent_at: float) -> bytes:
    """The octets of a text mail with CRLF line ends.

    Any strings do: what may not stand in a header becomes what ``one_line`` makes of it.
    ``sent_at`` is seconds since the epoch.
    """
    # Base64 brings any text through unchanged: line ends, long lines, characters that are no text.
    head = (
        f"From: {_sender(one_line(sender))}\r\n"
        f"To: {_header(one_line(recipient))}\r\n"
        f"Subject: {_header(one_line(subject))}\r\n"
        f"Date: {format_datetime(datetime.fromtimestamp(sent_at, UTC))}\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "\r\n"
    )
    return head.encode("ascii") + encodebytes(_text(body)).replace(b"\n", b"\r\n")


def address_in(sender: str) -> str:
    """The address alone of what may be a name and an address; what was typed where there is none.

    Of a long text the beginning: to look for an address in a megabyte can take seconds.
    """
    typed = sender[:_LONGEST_SENDER]
    try:
        _, named = parseaddr(typed)
    except RecursionError:
        return typed
    return named if "@" in named else typed


def one_line(value: str) -> str:
    """Text that can stand in a header: a blank for every line end and other control character, a
    question mark for half of a surrogate pair."""
    cleaned = _text(value).decode()
    if cleaned.isprintable():
        return cleaned
    return "".join(character if character.isprintable() else " " for character in cleaned)


def _text(value: str) -> bytes:
    return value.encode("utf-8", "replace")


def _sender(value: str) -> str:
    """A From header, in which a readable address stays one whatever the name before it holds."""
    if not _is_plain(value):
        named = _NAME_AND_ADDRESS(value)
        if named is not None:
            return f"{_encoded(named[1])}\r\n {named[2]}"
    return _header(value)


def _header(value: str) -> str:
    return value if _is_plain(value) else _encoded(value)


def _is_plain(value: str) -> bool:
    """Whether a header says this when it is written as it is."""
    return (
        value.isascii()
        and len(value) <= _PLAIN_LENGTH
        and "=?" not in value
        and value == value.strip()
    )


def _encoded(value: str) -> str:
    """Text in encoded words of RFC 2047, one a line."""
    step = _ASCII_STEP if value.isascii() else _UTF8_STEP
    pieces = (value[start : start + step].encode() for start in range(0, len(value), step))
    return "\r\n ".join(f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in pieces)
