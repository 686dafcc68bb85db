"""A mail from what was typed into a form."""

from __future__ import annotations

from datetime import UTC, datetime
from email.charset import BASE64, Charset
from email.header import Header
from email.message import Message
from email.utils import format_datetime

# Base64 brings any text through unchanged: line ends, long lines, characters that are no text.
_UTF8 = Charset("utf-8")
_UTF8.body_encoding = BASE64


def compose(sender: str, recipient: str, subject: str, body: str, sent_at: float) -> bytes:
    """The octets of a text mail with CRLF line ends.

    Any strings do: what may not stand in a header (line ends, other controls) becomes a blank,
    a lone surrogate a question mark. ``sent_at`` is seconds since the epoch.
    """
    mail = Message()
    mail["From"] = _header(sender)
    mail["To"] = _header(recipient)
    mail["Subject"] = _header(subject)
    mail["Date"] = format_datetime(datetime.fromtimestamp(sent_at, UTC))
    mail["MIME-Version"] = "1.0"
    mail.set_payload(_text(body), _UTF8)
    return mail.as_bytes().replace(b"\n", b"\r\n")


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def _header(value: str) -> Header | str:
    cleaned = "".join(character if character.isprintable() else " " for character in _text(value))
    return cleaned if cleaned.isascii() else Header(cleaned, "utf-8")
