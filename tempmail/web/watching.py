"""From the body of a wait at several mailboxes to what is asked of each."""

from __future__ import annotations

from attrs import frozen
from twisted.web.iweb import IRequest

from tempmail.core.address import Address, parse_address
from tempmail.core.errors import BadAddress
from tempmail.core.limits import (
    DEFAULT_LIST,
    DEFAULT_WAIT_SECONDS,
    MAX_LIST,
    MAX_WAIT_SECONDS,
    MAX_WATCHED,
)
from tempmail.waiting import Watch
from tempmail.web.problems import unacceptable
from tempmail.web.query import (
    LIMIT_RULE,
    SECONDS_RULE,
    Errors,
    Member,
    json_document,
    members_of,
    sequence_of,
)

_BODY = {
    "mailboxes": Member(list, required=True),
    "timeout": Member(float),
    "limit": Member(int),
}
_MAILBOX = {
    "address": Member(str, required=True),
    "token": Member(str),
    "after": Member(str),
}


@frozen
class Watching:
    """A whole body: the mailboxes, messages of each at most, and for how many seconds."""

    watches: list[Watch]
    limit: int
    seconds: float


def watching(request: IRequest) -> Watching:
    """The body of this request, checked.

    Raises what :func:`~tempmail.web.query.json_body` raises. What can be no address is a mistake in
    the body, and nothing to be kept from anybody.
    """
    errors: Errors = []
    body = members_of(json_document(request), _BODY, errors)
    limit, seconds = body.get("limit", DEFAULT_LIST), body.get("timeout", DEFAULT_WAIT_SECONDS)
    if not 1 <= limit <= MAX_LIST:
        errors.append(("limit", f"limit {LIMIT_RULE}"))
    if not 0 <= seconds <= MAX_WAIT_SECONDS:
        errors.append(("timeout", f"timeout {SECONDS_RULE}"))
    watches = _watches(body["mailboxes"], errors) if "mailboxes" in body else []
    if errors:
        raise unacceptable(errors)
    return Watching(watches, limit, seconds)


def _watches(asked: list[object], errors: Errors) -> list[Watch]:
    if not 1 <= len(asked) <= MAX_WATCHED:
        errors.append(("mailboxes", f"mailboxes is a list of 1 to {MAX_WATCHED}"))
        return []
    watches: dict[str, Watch] = {}
    for index, one in enumerate(asked):
        place = f"mailboxes[{index}]"
        watch = _watch(one, place, errors)
        if watch is None:
            continue
        if watch.address.key in watches:
            text = f"{place}.address is a mailbox that is named before"
            errors.append((f"{place}.address", text))
        watches[watch.address.key] = watch
    return list(watches.values())


def _watch(asked: object, place: str, errors: Errors) -> Watch | None:
    if not isinstance(asked, dict):
        errors.append((place, f"{place} is an object"))
        return None
    members = members_of(asked, _MAILBOX, errors, f"{place}.")
    after = sequence_of(members.get("after") or "0")
    if after < 0:
        errors.append((f"{place}.after", f"{place}.after is no cursor of ours"))
    address = _address(members["address"], place, errors) if "address" in members else None
    return None if address is None else Watch(address, members.get("token"), after)


def _address(text: str, place: str, errors: Errors) -> Address | None:
    try:
        return parse_address(text)
    except BadAddress as error:
        errors.append((f"{place}.address", f"{place}.address can not be: {error}"))
        return None
