"""The arguments of MAIL and RCPT: a path and its parameters (RFC 5321 section 4.1.2).

One pass over the line, no backtracking: a command line may be hostile.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import category

from tempmail.core.address import is_dot_string, written
from tempmail.core.limits import MAX_PATH_OCTETS

# What real senders send nearly always; anything else goes through the general parser below.
# Each octet can be matched in one way only, and nothing is tried twice, so matching is linear.
_PLAIN = re.compile(
    rb"<([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?:(?>\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++))*+)@"
    rb"([A-Za-z0-9]++(?:(?>[.-][A-Za-z0-9]++))*+)>"
)
_KEYWORD = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*").fullmatch
# RFC 5321 section 4.1.2, esmtp-value, and UTF-8 for the sake of RFC 6531.
_VALUE = re.compile(rb"[\x21-\x3c\x3e-\x7e\x80-\xff]+").fullmatch


# Of UTF-8 what controls lines: C1, and the separators of lines and paragraphs.
_CONTROLS = frozenset({"Cc", "Zl", "Zp"})


class BadPath(Exception):
    """This is no path."""


class BadParameters(Exception):
    """These are no parameters."""


class Path(NamedTuple):
    """A mailbox named in an envelope. ``local`` is dequoted; ``domain`` is "" for a bare name.

    The null sender ``<>`` has neither. ``ascii`` says whether it can do without SMTPUTF8,
    ``quoted`` whether it was written in quotes and needs them.
    """

    local: str
    domain: str
    ascii: bool = True
    quoted: bool = False

    def __str__(self) -> str:
        local = written(self.local) if self.quoted else self.local
        return f"{local}@{self.domain}" if self.domain else local


NULL = Path("", "")


def parse_path(argument: bytes) -> tuple[Path, bytes]:
    """The path at the beginning of ``argument``, and what stands behind it.

    A source route is read and forgotten (RFC 5321 appendix C); the angle brackets may be missing,
    as they are in what some devices send. Raises :exc:`BadPath`.
    """
    plain = _PLAIN.match(argument)
    if plain is not None and plain.end() <= MAX_PATH_OCTETS:
        local, domain = plain.groups()
        return Path(local.decode("ascii"), domain.decode("ascii")), argument[plain.end() :]
    if argument[:2] == b"<>":
        return NULL, argument[2:]
    bracketed = argument[:1] == b"<"
    path, rest = _cut(argument[1:] if bracketed else argument, b">" if bracketed else b" ")
    if bracketed:
        path = _without_route(path)
    return _parse_mailbox(path), rest


def _cut(text: bytes, end: bytes) -> tuple[bytes, bytes]:
    """``text`` up to the first ``end`` outside of a quoted string, and what stands behind it."""
    quoted = escaped = False
    for index, octet in enumerate(text):
        if escaped:
            escaped = False
        elif octet == 0x5C and quoted:
            escaped = True
        elif octet == 0x22:
            quoted = not quoted
        elif octet == end[0] and not quoted:
            return text[:index], text[index + (end == b">") :]
    if end == b">" or quoted:
        raise BadPath
    return text, b""


def _without_route(path: bytes) -> bytes:
    if not path.startswith(b"@"):
        return path
    route, colon, mailbox = path.partition(b":")
    hops = route.split(b",")
    if not colon or not all(hop[:1] == b"@" and len(hop) > 1 for hop in hops):
        raise BadPath
    return mailbox


def _parse_mailbox(text: bytes) -> Path:
    if len(text) > MAX_PATH_OCTETS:
        raise BadPath
    quoted = text.startswith(b'"')
    if quoted:
        local, rest = _dequote(text)
        if rest[:1] not in (b"@", b""):
            raise BadPath
        domain = rest[1:]
        if rest and not domain:
            raise BadPath
    else:
        local, at, domain = text.rpartition(b"@")
        if not at:
            local, domain = text, b""
        elif not domain:
            raise BadPath
    _check_domain(domain)
    try:
        name, host = local.decode(), domain.decode()
    except UnicodeDecodeError:
        raise BadPath from None
    needs_quotes = not is_dot_string(name)
    if needs_quotes and not quoted:
        raise BadPath
    ascii_only = (local + domain).isascii()
    if not ascii_only and any(category(character) in _CONTROLS for character in name + host):
        raise BadPath
    return Path(name, host, ascii_only, needs_quotes)


def _dequote(text: bytes) -> tuple[bytes, bytes]:
    """The content of the quoted string ``text`` begins with, and what stands behind it."""
    content = bytearray()
    escaped = False
    for index, octet in enumerate(text[1:], 1):
        if octet < 0x20 or octet == 0x7F:
            raise BadPath
        if escaped:
            content.append(octet)
            escaped = False
        elif octet == 0x5C:
            escaped = True
        elif octet == 0x22:
            if not content:
                raise BadPath
            return bytes(content), text[index + 1 :]
        else:
            content.append(octet)
    raise BadPath


def _check_domain(domain: bytes) -> None:
    if domain.startswith(b"["):
        # RFC 5321 section 4.1.3: what stands in the brackets is printable and has none itself.
        inner = domain[1:-1]
        if domain[-1:] != b"]" or not inner or not all(0x21 <= octet <= 0x7E for octet in inner):
            raise BadPath
        if any(octet in b"[]\\" for octet in inner):
            raise BadPath
    elif domain:
        for label in domain.split(b"."):
            if not label or label[:1] == b"-" or label[-1:] == b"-":
                raise BadPath
            if not all(octet >= 0x80 or octet in _LDH for octet in label):
                raise BadPath


# Underscores are no part of a host name, and stand in what real hosts call themselves.
_LDH = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def parse_parameters(rest: bytes) -> dict[bytes, bytes | None]:
    """``KEYWORD[=value]`` separated by blanks, keywords in capitals.

    Raises :exc:`BadParameters` for what is malformed or said twice.
    """
    if rest and rest[:1] != b" ":
        raise BadParameters
    parameters: dict[bytes, bytes | None] = {}
    for word in rest.split():
        keyword, equals, value = word.partition(b"=")
        keyword = keyword.upper()
        if not _KEYWORD(keyword) or keyword in parameters or (equals and not _VALUE(value)):
            raise BadParameters
        parameters[keyword] = value if equals else None
    return parameters
