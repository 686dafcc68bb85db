"""What went wrong, as ``application/problem+json`` (RFC 9457).

The one place where errors of the domain, of routing and of our own become HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import orjson
from attrs import field, frozen
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from tempmail.core.errors import (
    AddressTaken,
    BadAddress,
    Closing,
    LifetimeOutOfBounds,
    MailboxFull,
    MailboxGone,
    MemoryFull,
    MessageTooBig,
    NoSuchMailbox,
    NoSuchMessage,
    NoSuchPart,
    ReservedAddress,
    ShareSpent,
    TempmailError,
    TokenNeeded,
    TooManyMailboxes,
    UnknownDomain,
)
from tempmail.core.limits import RETRY_SECONDS

CONTENT_TYPE = "application/problem+json"

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="mailbox"'}
_RETRY = {"Retry-After": str(RETRY_SECONDS)}


# For two of them RFC 9110 section 15.5 has other words than Python.
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_PHRASES |= {413: "Content Too Large", 422: "Unprocessable Content"}


def phrase(status: int) -> str:
    """What a status is called, in the status line and as the title of a problem."""
    return _PHRASES[status]


class Problem(Exception):
    """An answer that says what went wrong.

    ``detail`` is a sentence for a person, ``errors`` are pairs of the name of a member or
    parameter and what is wrong with it, ``headers`` go into the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = HTTPStatus(status)
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    @property
    def title(self) -> str:
        """What its status is called."""
        return phrase(self.status)

    @property
    def body(self) -> bytes:
        """The JSON document."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [{"field": name, "detail": text} for name, text in self.errors]
        return orjson.dumps(document)


def unacceptable(errors: Sequence[tuple[str, str]]) -> Problem:
    """Well formed, but not something that can be done: 422, naming each thing that does not fit."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(text for _, text in errors), errors=errors
    )


@frozen
class _Answer:
    """How one kind of domain error is answered.

    ``detail`` replaces the error's own text where a stranger must see the same whatever the reason;
    ``member`` is the member of the request's body at fault.
    """

    status: HTTPStatus
    detail: str = ""
    member: str = ""
    headers: Mapping[str, str] = field(factory=dict)


_ANSWERS: Mapping[type[TempmailError], _Answer] = {
    TokenNeeded: _Answer(
        HTTPStatus.UNAUTHORIZED,
        "this needs the mailbox's token, as Authorization: Bearer TOKEN",
        headers=_CHALLENGE,
    ),
    NoSuchMailbox: _Answer(HTTPStatus.NOT_FOUND, "there is no mailbox here that this token opens"),
    NoSuchMessage: _Answer(HTTPStatus.NOT_FOUND, "there is no message of this id"),
    NoSuchPart: _Answer(HTTPStatus.NOT_FOUND),
    MailboxGone: _Answer(HTTPStatus.GONE),
    AddressTaken: _Answer(HTTPStatus.CONFLICT),
    BadAddress: _Answer(HTTPStatus.UNPROCESSABLE_ENTITY, member="local_part"),
    ReservedAddress: _Answer(HTTPStatus.UNPROCESSABLE_ENTITY, member="local_part"),
    UnknownDomain: _Answer(HTTPStatus.UNPROCESSABLE_ENTITY, member="domain"),
    LifetimeOutOfBounds: _Answer(HTTPStatus.UNPROCESSABLE_ENTITY, member="lifetime"),
    MessageTooBig: _Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    TooManyMailboxes: _Answer(HTTPStatus.TOO_MANY_REQUESTS, headers=_RETRY),
    MailboxFull: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, headers=_RETRY),
    ShareSpent: _Answer(HTTPStatus.TOO_MANY_REQUESTS, headers=_RETRY),
    MemoryFull: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, headers=_RETRY),
    Closing: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, headers=_RETRY),
}

# For what has no words of its own here: it is expected, and it may pass.
_NOT_NOW = _Answer(HTTPStatus.SERVICE_UNAVAILABLE, "this can not be done just now", headers=_RETRY)


def problem_of(error: BaseException | None) -> Problem | None:
    """The problem that answers an error, or None for one that nobody expects."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return _of_routing(error)
    return refusal(error) if isinstance(error, TempmailError) else None


def refusal(error: TempmailError) -> Problem:
    """The problem that answers an error of the domain."""
    answer = _ANSWERS.get(type(error), _NOT_NOW)
    detail = answer.detail or str(error)
    errors = [(answer.member, detail)] if answer.member else []
    return Problem(answer.status, detail, errors, answer.headers)


def _of_routing(error: HTTPException) -> Problem:
    if isinstance(error, MethodNotAllowed):
        headers = {"Allow": allowed_methods(error)}
        return Problem(error.code, "this method is not for this path", headers=headers)
    if isinstance(error, NotFound):
        return Problem(error.code, "there is nothing at this path")
    return Problem(error.code or 500, "this request can not be answered")


def allowed_methods(error: MethodNotAllowed) -> str:
    """The methods a path has, as the Allow header lists them."""
    return ", ".join(sorted({"OPTIONS", *(error.valid_methods or ())}))


def later(status: int, detail: str, seconds: int = RETRY_SECONDS) -> Problem:
    """What a client is told that may come again in so many seconds."""
    return Problem(status, detail, headers={"Retry-After": str(seconds)})


def too_often(rate: str, seconds: int) -> Problem:
    """What a client is told that did something as often as ``rate``, a field of Limits, allows."""
    name = rate.replace("_", "-")
    return later(429, f"too often ({name}); try again in {seconds} seconds", seconds)


def unexpected() -> Problem:
    """What a client is told of a defect of ours: nothing but that it was one."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this went wrong on our side, and was logged")
