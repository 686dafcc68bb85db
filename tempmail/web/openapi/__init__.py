"""The interface described by itself: OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from tempmail import __version__
from tempmail.web.openapi.paths import all_paths
from tempmail.web.openapi.schemas import SCHEMAS, ref

_DESCRIPTION = """\
Addresses for a while, mail within milliseconds, and one call that waits for the code.

A mailbox is private, and every call on it needs its token (`Authorization: Bearer`), unless it was
minted public or lives in a catch-all domain. Ids and cursors are opaque. An address in a path is
percent-encoded once. A list answers a cursor; asking again `after` it brings what came since.
Without a token a private mailbox answers 401 and with a wrong one 404, whether it exists or not.

Where a browser can send no header of ours, for an EventSource, a WebSocket, a link to a file, the
token may stand in the query as `access_token` instead.
"""

_PROBLEMS: Mapping[int, str] = {
    400: "Malformed request.",
    401: "A token is needed.",
    403: "Pages of this origin may not.",
    404: "No such mailbox or message, or a token that does not open it.",
    409: "Somebody has this address, or its quarantine is not over.",
    410: "The mailbox expired or was deleted.",
    413: "Too large.",
    415: "The body is not called JSON.",
    422: "Well formed, but it can not be done; `errors` says why.",
    426: "This is a websocket.",
    429: "Too often, too many mailboxes or waits, or more of the memory than one client may have; "
    "`Retry-After` says when to come again.",
    503: "Full, stopping or not ready; `Retry-After` says when to come again.",
}


def describe(base_path: str = "") -> dict[str, Any]:
    """The document for a site published at ``base_path``."""
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "tempmail", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": base_path or "/"}],
        "paths": all_paths(),
        "components": {
            "schemas": SCHEMAS,
            "responses": {
                str(status): {"description": description, "content": problem}
                for status, description in _PROBLEMS.items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "tokenInQuery": {"type": "apiKey", "in": "query", "name": "access_token"},
            },
        },
    }


@lru_cache(maxsize=4)
def described(base_path: str) -> bytes:
    """The same as JSON."""
    return orjson.dumps(describe(base_path))
