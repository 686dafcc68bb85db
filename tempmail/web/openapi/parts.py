"""What the description of an operation is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tempmail.core.limits import (
    DEFAULT_LIST,
    DEFAULT_WAIT_SECONDS,
    MAX_LIST,
    MAX_WAIT_SECONDS,
    MAX_WATCHED,
)
from tempmail.web.openapi.schemas import CURSOR_PATTERN, NAME, TEXT, Schema, list_of, ref, wished

JSON = "application/json"
NOTHING: Schema = {"description": "Done."}

# --- parameters ---


def query(name: str, description: str, **schema: Any) -> Schema:
    """A parameter of the query; an empty one is as good as none."""
    return {
        "name": name,
        "in": "query",
        "description": description,
        "allowEmptyValue": True,
        "schema": {"type": "string", **schema},
    }


def path(name: str, description: str) -> Schema:
    """A variable part of a path."""
    described = {"name": name, "in": "path", "required": True}
    return {**described, "description": description, "schema": TEXT}


PATH_PARAMETERS = {
    "{address}": path("address", "The mailbox's address, percent-encoded."),
    "{id}": path("id", "The message's id."),
    "{index}": path("index", "The attachment's index."),
    "{mailbox}": path("mailbox", "The mailbox's address."),
}
AFTER = query(
    "after",
    "Only what is newer than this cursor; 0, the default, is the beginning.",
    pattern=CURSOR_PATTERN,
)
_LIMIT = {"type": "integer", "minimum": 1, "maximum": MAX_LIST, "default": DEFAULT_LIST}
LIMIT = query("limit", "How many at most.", **_LIMIT)
FROM = query("from", "A part of the sender's name or address; letter case does not count.")
SUBJECT = query("subject", "A part of the subject as a list tells it; letter case does not count.")


def seconds(name: str, default: int, description: str) -> Schema:
    return query(name, description, **_seconds(default))


def _seconds(default: int) -> dict[str, Any]:
    return {"type": "number", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": default}


# --- a body ---

_WATCH = wished(
    {"address": NAME},
    token={"type": "string", "description": "Opens the mailbox; a public one needs none."},
    after={"type": "string", "pattern": CURSOR_PATTERN},
)
WATCHES = wished(
    {"mailboxes": {**list_of(_WATCH), "minItems": 1, "maxItems": MAX_WATCHED}},
    timeout=_seconds(DEFAULT_WAIT_SECONDS),
    limit={**_LIMIT, "description": "Messages of each at most."},
)


# --- operations ---


def answer(schema: Schema | str, description: str, content_type: str = JSON) -> Schema:
    if isinstance(schema, str):
        schema = ref(schema)
    return {"description": description, "content": {content_type: {"schema": schema}}}


def operation(
    name: str,
    summary: str,
    answers: Mapping[int, Schema],
    *,
    problems: Sequence[int] = (),
    parameters: Sequence[Schema] = (),
    body: Schema | None = None,
    body_required: bool = False,
    shown: str = "",
    counted: bool = True,
) -> dict[str, Any]:
    """One operation. ``shown`` is where its token may be: "header", "query" for both, or none.

    ``counted`` says whether a client may ask it only so often.
    """
    statuses = {429, *problems} if counted else set(problems)
    if shown:
        statuses |= {401, 404, 410}
    if body is not None:
        statuses |= {400, 413, 415, 422}
    described: dict[str, Any] = {"operationId": name, "summary": summary}
    if parameters:
        described["parameters"] = list(parameters)
    if body is not None:
        content = {JSON: {"schema": body}}
        described["requestBody"] = {"required": body_required, "content": content}
    described["responses"] = {
        **{str(status): answer for status, answer in answers.items()},
        **{
            str(status): {"$ref": f"#/components/responses/{status}"}
            for status in sorted(statuses - set(answers))
        },
    }
    schemes = {"query": ("token", "tokenInQuery"), "header": ("token",), "": ()}[shown]
    # Public mailboxes need none.
    described["security"] = [*({scheme: []} for scheme in schemes), {}] if schemes else []
    return described
