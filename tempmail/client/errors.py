"""What goes wrong, and which error an answer of the server stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Literal

from tempmail.client.limits import LONGEST_RETRY_AFTER

Want = Literal["message", "code", "link"]
"""What a wait may be for."""


class TempmailError(Exception):
    """Whatever this client raises on its own account."""


class Unreachable(TempmailError):
    """No answer: refused, no such host, TLS failed, connection lost, or nothing in time.

    `connected` tells that somebody was there, who then closed the connection.
    """

    def __init__(self, reason: str, connected: bool = False) -> None:
        super().__init__(reason)
        self.connected = connected


class BadAnswer(TempmailError):
    """An answer that this interface does not give; probably the base URL leads elsewhere."""


class WaitTimedOut(TempmailError):
    """What was waited for did not come. `cursor` is where a later wait may go on.

    After a wait at several mailboxes, `address` is all of them and `cursor` is empty.
    """

    def __init__(self, want: Want, address: str, seconds: float, cursor: str) -> None:
        super().__init__(f"no {want} came to {address} within {seconds:g} s")
        self.want, self.address, self.seconds, self.cursor = want, address, seconds, cursor


class Problem(TempmailError):
    """The server said no (RFC 9457).

    `errors` holds a (field, detail) pair for everything that did not fit; `retry_after` the seconds
    the server asked us to stay away, or None. `address` is which of several mailboxes it is about,
    empty where only one was asked.
    """

    address = ""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        errors: tuple[tuple[str, str], ...] = (),
        retry_after: float | None = None,
    ) -> None:
        told = [f"{name}: {reason}" for name, reason in errors]
        if detail and detail not in (reason for _, reason in errors):
            told.insert(0, detail)
        super().__init__(f"{status} {title}" + (": " + "; ".join(told) if told else ""))
        self.status, self.title, self.detail, self.errors = status, title, detail, errors
        self.retry_after = retry_after


class Unauthorized(Problem):
    """401: this mailbox is private, or absent, and no token was given."""


class NotFound(Problem):
    """404: no such mailbox or message, or a token that does not open it."""


class Taken(Problem):
    """409: the address is in use or in quarantine."""


class Gone(Problem):
    """410: the mailbox expired or was deleted."""


class RateLimited(Problem):
    """429: too many requests."""


class Unavailable(Problem):
    """503, or 502 and 504 from a proxy: full, stopping, or not up yet."""


_BY_STATUS: dict[int, type[Problem]] = {
    401: Unauthorized,
    404: NotFound,
    409: Taken,
    410: Gone,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(status: int, headers: Mapping[str, str], octets: bytes) -> TempmailError:
    """The error that an answer with this `status` means, whoever on the way has sent it."""
    if 300 <= status < 400:
        return BadAnswer(f"the server redirects to {headers['location']}: is that its base URL?")
    try:
        document = json.loads(octets)
        errors = document.get("errors") or ()
        rows = tuple((str(each["field"]), str(each["detail"])) for each in errors)
        title, detail = str(document["title"]), str(document.get("detail") or "")
    except (AttributeError, KeyError, TypeError, ValueError):
        known = {each.value: each.phrase for each in HTTPStatus}
        title, detail, rows = known.get(status, "error"), "", ()
    cls = _BY_STATUS.get(status, Problem)
    return cls(status, title, detail, rows, _retry_after(headers["retry-after"], headers["date"]))


def problem_at(address: str, document: Mapping[str, Any]) -> Problem:
    """The error that this `document` stands for in an answer about several mailboxes."""
    status, detail = int(document["status"]), str(document.get("detail") or "")
    told = f"{address}: {detail}" if detail else address
    problem = _BY_STATUS.get(status, Problem)(status, str(document["title"]), told)
    problem.address = address
    return problem


def _retry_after(value: str, date: str) -> float | None:
    """Seconds that a Retry-After (RFC 9110, 10.2.3) asks for; dates go by the server's clock."""
    try:
        if re.fullmatch("[0-9]+", value):
            seconds = float(value)
        else:
            wished, now = parsedate_to_datetime(value), parsedate_to_datetime(date)
            seconds = (wished - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)
