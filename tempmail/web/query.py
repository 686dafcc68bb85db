"""From a request to checked arguments, or a problem that names everything that does not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from json import loads
from typing import Any, TypeVar
from urllib.parse import unquote

import orjson
from attrs import frozen
from twisted.web.iweb import IRequest

from tempmail.core.address import Address, parse_address
from tempmail.core.errors import BadAddress, NoSuchMailbox, TokenNeeded
from tempmail.core.limits import (
    DEFAULT_LIST,
    MAX_LIST,
    MAX_NAME_SHOWN,
    MAX_TWIN_CHECKED,
    MAX_UNKNOWN_NAMED,
    MAX_WAIT_SECONDS,
)
from tempmail.core.secret import BEARER
from tempmail.web.problems import Problem, unacceptable

_BEARER = re.compile(f"(?i:bearer) +({BEARER}) *".encode()).fullmatch
# Nothing that was ever given out is longer, and int() of a long text is slow.
_SEQUENCE = re.compile(r"0|[1-9][0-9]{0,17}").fullmatch
# A number as JSON and the programmes that print one have it.
_SECONDS = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{0,32})?(?:[eE][+-]?[0-9]{1,3})?").fullmatch
_COUNT = re.compile(r"[0-9]{1,9}").fullmatch
_JSON_TYPE = re.compile(rb"\s*application/(?:json|[a-z0-9.!#$&^_-]+\+json)\s*(?:;.*)?", re.I)

T = TypeVar("T")

LIMIT_RULE = f"is a whole number from 1 to {MAX_LIST}"
SECONDS_RULE = f"is a number of seconds from 0 to {MAX_WAIT_SECONDS}"

_KINDS: Mapping[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
}


# --- who asks, and for what ---


def bearer_token(request: IRequest, in_query: bool = False) -> str | None:
    """The token shown (RFC 6750), or None; ``in_query`` lets it come as ``access_token`` too.

    Another scheme than Bearer shows no token that we know. Raises a 400 Problem where tokens are
    shown in two places (RFC 6750 section 3.1).
    """
    shown = request.requestHeaders.getRawHeaders(b"Authorization") or ()
    if in_query and b"access_token" in request.args:
        shown = [*shown, *(b"Bearer " + token for token in request.args[b"access_token"])]
    if not shown:
        return None
    if len(shown) > 1:
        raise Problem(400, "show one token, in one place")
    bearer = _BEARER(shown[0])
    return bearer[1].decode() if bearer else None


def known_address(text: str, token: str | None) -> Address:
    """The address in a path. What can be no address is answered like one that nobody has."""
    try:
        return parse_address(text)
    except BadAddress:
        raise TokenNeeded if token is None else NoSuchMailbox from None


def sequence_of(text: str) -> int:
    """The message an id in a path stands for; of no message for an id we never gave out."""
    return int(text) if _SEQUENCE(text) else -1


def path_part(text: str) -> str:
    """One part of a path, decoded once. The site has refused paths that can not be."""
    return unquote(text, errors="strict") if "%" in text else text


# --- the query ---


class Arguments:
    """The parameters of one request's query.

    Unknown ones are none of our business. Each method answers the default where a parameter is
    absent or does not fit; ``check`` tells of all that do not.
    """

    def __init__(self, request: IRequest) -> None:
        self._given: Mapping[bytes, list[bytes]] = request.args
        self._errors: list[tuple[str, str]] = []

    def check(self) -> None:
        """Raise a 422 Problem if anything did not fit."""
        if self._errors:
            raise unacceptable(self._errors)

    def text(self, name: str) -> str:
        """Any text, "" if absent."""
        given = self._given.get(name.encode())
        if given is None:
            return ""
        if len(given) > 1:
            return self._wrong(name, "is given more than once", "")
        try:
            return given[0].decode()
        except UnicodeDecodeError:
            return self._wrong(name, "is not UTF-8", "")

    def cursor(self) -> int:
        """The cursor ``after``, from the beginning if absent."""
        return self._cursor("after", self.text("after"))

    def resumed(self, request: IRequest) -> int:
        """The cursor that an event stream goes on from: the last one seen, or ``after``."""
        seen = request.requestHeaders.getRawHeaders(b"Last-Event-ID")
        if not seen or not seen[-1]:
            return self.cursor()
        return self._cursor("Last-Event-ID", seen[-1].decode("latin-1"))

    def _cursor(self, name: str, text: str) -> int:
        sequence = sequence_of(text or "0")
        return sequence if sequence >= 0 else self._wrong(name, "is no cursor of ours", 0)

    def limit(self) -> int:
        """How many entries a list may have."""
        text = self.text("limit")
        if not text:
            return DEFAULT_LIST
        if not _COUNT(text) or not 1 <= int(text) <= MAX_LIST:
            return self._wrong("limit", LIMIT_RULE, DEFAULT_LIST)
        return int(text)

    def seconds(self, name: str, default: float = 0.0) -> float:
        """How long to wait; fractions are fine."""
        text = self.text(name)
        if not text:
            return default
        if not _SECONDS(text) or not 0 <= float(text) <= MAX_WAIT_SECONDS:
            return self._wrong(name, SECONDS_RULE, 0.0)
        return float(text)

    def choice(self, name: str, *choices: str) -> str:
        """One of several words, the first if absent."""
        text = self.text(name)
        if text and text not in choices:
            return self._wrong(name, f"is one of {', '.join(choices)}", choices[0])
        return text or choices[0]

    def _wrong(self, name: str, reason: str, default: T) -> T:
        self._errors.append((name, f"{name} {reason}"))
        return default


# --- the body ---


Errors = list[tuple[str, str]]
"""What does not fit: the name of a member, and a sentence about it."""


@frozen
class Member:
    """A member that a body may have, or must. An integer is a number (``float``) too."""

    kind: type[str] | type[int] | type[float] | type[bool] | type[list[Any]]
    required: bool = False

    def fits(self, value: object) -> bool:
        """Whether a value is of this kind."""
        return type(value) is self.kind or (self.kind is float and type(value) is int)


def json_body(request: IRequest, members: Mapping[str, Member]) -> dict[str, Any]:
    """The members of a JSON object, each of its kind; those absent or null are left out.

    No body at all is an empty object. Raises a Problem: 415 for what is not called JSON, 400 for
    what is none, 422 for what is no object or has the wrong members.
    """
    errors: Errors = []
    found = members_of(json_document(request), members, errors)
    if errors:
        raise unacceptable(errors)
    return found


def json_document(request: IRequest) -> dict[str, Any]:
    """The same, whatever members it has."""
    text = request.content.read()
    return parse_object(request, text) if text else {}


def members_of(
    document: Mapping[str, Any], members: Mapping[str, Member], errors: Errors, place: str = ""
) -> dict[str, Any]:
    """Those that fit; the others are added to ``errors``, under names that begin with ``place``."""
    unknown = (name for name in document if name not in members)
    errors += [_unknown(name, members, place) for name in islice(unknown, MAX_UNKNOWN_NAMED)]
    found = {}
    for name, member in members.items():
        value = document.get(name)
        if value is None:
            if member.required:
                errors.append((place + name, f"{place}{name} is needed"))
        elif member.fits(value):
            found[name] = value
        else:
            errors.append((place + name, f"{place}{name} is {_KINDS[member.kind]}"))
    return found


def parse_object(request: IRequest, text: bytes) -> dict[str, Any]:
    """The JSON object (RFC 8259) that a body is, its names unique (RFC 7493 section 2.3).

    In a long one that is not looked at: only a parser that is thirty times slower tells of it.
    """
    check_json_type(request)
    try:
        document = orjson.loads(text)
        if len(text) <= MAX_TWIN_CHECKED:
            loads(text, object_pairs_hook=_refuse_twins)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Problem(422, "the body is a JSON object")
    return document


def check_json_type(request: IRequest) -> None:
    """Raise a 415 Problem unless the body is called JSON, and is not packed."""
    if request.requestHeaders.getRawHeaders(b"Content-Encoding") not in (None, [b"identity"]):
        raise Problem(415, "send the body as it is", headers={"Accept-Encoding": "identity"})
    types = request.requestHeaders.getRawHeaders(b"Content-Type") or [b""]
    if not _JSON_TYPE.fullmatch(types[-1]):
        raise Problem(
            415, "send the body as application/json", headers={"Accept": "application/json"}
        )


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise unacceptable([(name, f"{name} is given more than once")])
        names.add(name)


def _unknown(name: str, members: Mapping[str, Member], place: str) -> tuple[str, str]:
    name = name[:MAX_NAME_SHOWN]
    near = get_close_matches(name, members, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    return place + name, f"there is no member {place}{name}{hint}"
