"""Every operation."""

from __future__ import annotations

from typing import Any

from tempmail.core.limits import DEFAULT_WAIT_SECONDS, KEEPALIVE_SECONDS
from tempmail.web.openapi.parts import (
    AFTER,
    FROM,
    LIMIT,
    NOTHING,
    PATH_PARAMETERS,
    SUBJECT,
    WATCHES,
    answer,
    operation,
    query,
    seconds,
)
from tempmail.web.openapi.schemas import (
    CURSOR_PATTERN,
    LIFETIME,
    NAME,
    OCTET_STRING,
    TEXT,
    list_of,
    needed,
    optional,
    ref,
)


def all_paths() -> dict[str, Any]:
    """The operations by path and method."""
    parts = (_mailbox_paths(), _list_paths(), _message_paths(), _small_paths(), _own_paths())
    paths = {path: operations for part in parts for path, operations in part.items()}
    for path, operations in paths.items():
        named = [schema for name, schema in PATH_PARAMETERS.items() if name in path]
        if named:
            operations["parameters"] = named
    return paths


def _mailbox_paths() -> dict[str, Any]:
    box = "/v1/mailboxes/{address}"
    wished = (
        "Letters and digits with single `.`, `-` or `_` between them. Without it one is drawn. "
    )
    reserved = (
        "Names that the operator goes by (RFC 2142, such as `info` and `admin`) "
        "and what looks like one of them nobody gets: 422."
    )
    mint = optional(
        local_part={**NAME, "description": wished + reserved},
        domain=NAME,
        lifetime=LIFETIME,
        public={"type": "boolean", "default": False},
    )
    state = answer("Mailbox", "The mailbox.")
    minted = answer("MintedMailbox", "The mailbox with its secrets, which are shown this once.")
    return {
        "/v1/domains": {
            "get": operation(
                "domains", "The domains that take mail", {200: answer("Domains", "All of them.")}
            )
        },
        "/v1/mailboxes": {
            "post": operation(
                "mint", "Mint an address", {201: minted}, body=mint, problems=(409, 503)
            )
        },
        box: {
            "get": operation("mailbox", "A mailbox's state", {200: state}, shown="header"),
            "delete": operation(
                "deleteMailbox", "Delete address and mail", {204: NOTHING}, shown="header"
            ),
        },
        f"{box}/extend": {
            "post": operation(
                "extend",
                "Let it expire that long from now, never earlier than it would",
                {200: state},
                body=optional(lifetime=LIFETIME),
                shown="header",
            )
        },
        f"{box}/attempts": {
            "get": operation(
                "attempts",
                "The last mails for it that were refused; for whoever holds its token",
                {200: answer("Attempts", "Of each who sent it, and what he was told.")},
                shown="header",
            )
        },
        f"{box}/token": {
            "post": operation(
                "rotateToken",
                "Revoke the token and make a new one",
                {200: answer("Token", "The new one.")},
                shown="header",
            )
        },
        f"{box}/restore": {
            "post": operation(
                "restore",
                "Open an expired address again, empty, within its quarantine",
                {201: minted},
                body=needed(restore_key=TEXT),
                body_required=True,
                problems=(404, 409, 503),
            )
        },
    }


def _list_paths() -> dict[str, Any]:
    box = "/v1/mailboxes/{address}"
    event = "The cursor is the event's id, so EventSource goes on where it was cut off."
    return {
        f"{box}/messages": {
            "get": operation(
                "messages",
                "Messages newer than a cursor, oldest first; waits if there is none",
                {200: answer("MessageList", "Summaries. Waiting in vain is one with none.")},
                parameters=(
                    AFTER,
                    LIMIT,
                    seconds("wait", 0, "Seconds to hold the request until there is a message."),
                    FROM,
                    SUBJECT,
                ),
                problems=(422, 503),
                shown="header",
            ),
            "delete": operation("empty", "Delete every message", {204: NOTHING}, shown="header"),
        },
        f"{box}/wait": {
            "get": operation(
                "wait",
                "Wait for one message that has what is wanted",
                {200: answer("Found", "The message, or none when the time was up.")},
                parameters=(
                    AFTER,
                    query(
                        "want",
                        "What it must have.",
                        enum=["message", "code", "link"],
                        default="message",
                    ),
                    FROM,
                    SUBJECT,
                    seconds("timeout", DEFAULT_WAIT_SECONDS, "Seconds to wait at most."),
                ),
                problems=(422, 503),
                shown="header",
            )
        },
        "/v1/wait": {
            "post": operation(
                "watch",
                "Wait at several mailboxes for messages newer than a cursor of each",
                {200: answer("Round", "As soon as one has mail or can not be read any more.")},
                body=WATCHES,
                body_required=True,
                problems=(503,),
            )
        },
        f"{box}/events": {
            "get": operation(
                "events",
                f"Server-Sent Events; a comment every {KEEPALIVE_SECONDS:g} seconds",
                {200: answer("StreamedEvent", event, "text/event-stream")},
                parameters=(
                    AFTER,
                    {
                        "name": "Last-Event-ID",
                        "in": "header",
                        "description": "Counts instead of after.",
                        "schema": {"type": "string", "pattern": CURSOR_PATTERN},
                    },
                ),
                problems=(422, 503),
                shown="query",
            )
        },
        f"{box}/ws": {
            "get": operation(
                "websocket",
                "The same events as text frames of a websocket (RFC 6455)",
                {101: {"description": "A websocket."}},
                parameters=(AFTER,),
                problems=(400, 403, 422, 426, 503),
                shown="query",
            )
        },
        f"{box}/export": {
            "get": operation(
                "export",
                "Every message as one mbox (RFC 4155)",
                {200: answer(OCTET_STRING, "The mbox.", "application/mbox")},
                shown="query",
            )
        },
    }


def _message_paths() -> dict[str, Any]:
    one = "/v1/mailboxes/{address}/messages/{id}"
    images = query("images", "remote lets remote images load.", enum=["remote"])
    embed = query(
        "embed",
        "true is for a frame in a page of this origin, which may then measure the document.",
        enum=["true", "false"],
        default="false",
    )
    return {
        one: {
            "get": operation(
                "message",
                "The whole message",
                {200: answer("Message", "The message.")},
                shown="header",
            ),
            "patch": operation(
                "mark",
                "Say whether it was seen",
                {200: answer("Summary", "The message.")},
                body=needed(seen={"type": "boolean"}),
                body_required=True,
                shown="header",
            ),
            "delete": operation(
                "deleteMessage", "Delete one message", {204: NOTHING}, shown="header"
            ),
        },
        f"{one}/html": {
            "get": operation(
                "html",
                "Its HTML: a complete, sanitised document under its own policy",
                {200: answer(TEXT, "The document.", "text/html")},
                parameters=(images, embed),
                problems=(422,),
                shown="query",
            )
        },
        f"{one}/text": {
            "get": operation(
                "text",
                "Its plain text",
                {200: answer(TEXT, "The text.", "text/plain")},
                shown="header",
            )
        },
        f"{one}/raw": {
            "get": operation(
                "raw",
                "The received octets, unchanged",
                {200: answer(OCTET_STRING, "The mail.", "message/rfc822")},
                shown="query",
            )
        },
        f"{one}/attachments/{{index}}": {
            "get": operation(
                "attachment",
                "One attachment, decoded",
                {200: answer(OCTET_STRING, "The file, with its own type.", "*/*")},
                shown="query",
            )
        },
    }


def _small_paths() -> dict[str, Any]:
    mail = {"to": TEXT, "from": {}, "subject": {}, "body": {}}
    missing = answer("SmallError", "No such mailbox.")
    return {
        "/create": {
            "post": operation(
                "create",
                "A public mailbox (the original small interface)",
                {200: answer("SmallMailbox", "Its address.")},
                problems=(503,),
            )
        },
        "/send": {
            "post": operation(
                "send",
                "Put a mail into a mailbox (the original small interface)",
                {200: answer("Status", "It is there."), 404: missing},
                body={"type": "object", "properties": mail, "required": ["to"]},
                body_required=True,
                problems=(503,),
            )
        },
        "/inbox/{mailbox}": {
            "get": operation(
                "inbox",
                "Every mail of a public mailbox (the original small interface)",
                {200: answer(list_of(ref("SmallMail")), "The mail, oldest first."), 404: missing},
            )
        },
    }


def _own_paths() -> dict[str, Any]:
    return {
        "/healthz": {
            "get": operation(
                "health",
                "Whether the process lives",
                {200: answer("Status", "It does.")},
                counted=False,
            )
        },
        "/readyz": {
            "get": operation(
                "readiness",
                "Whether mail can be received and kept",
                {200: answer("Status", "It can.")},
                problems=(503,),
                counted=False,
            )
        },
        "/v1/openapi.json": {
            "get": operation(
                "openapi",
                "This description",
                {200: answer({"type": "object"}, "OpenAPI 3.1.")},
            )
        },
        "/docs": {
            "get": operation(
                "docs", "The same to read", {200: answer(TEXT, "A page.", "text/html")}
            )
        },
    }
