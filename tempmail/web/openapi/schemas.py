"""The JSON documents of the interface, described (JSON Schema, as OpenAPI 3.1 has it)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
OCTET_STRING: Schema = {"type": "string", "format": "binary"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES_OR_NO: Schema = {"type": "boolean"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
INSTANT: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC."}
INSTANT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
CURSOR: Schema = {
    "type": "string",
    "description": "Opaque. Grows within an address, also over expiry and re-creation.",
}
# What is refused where a cursor is asked for. What is not may still be none that we gave out.
CURSOR_PATTERN = "^(0|[1-9][0-9]{0,17})?$"
OCTETS: Schema = {"type": "integer", "minimum": 0, "description": "Octets."}
NAME: Schema = {"type": "string", "minLength": 1}
LIFETIME: Schema = {"type": "integer", "minimum": 1, "description": "Seconds."}
SECONDS: Schema = {"type": "integer", "minimum": 0, "description": "Seconds."}


def ref(name: str) -> Schema:
    """The schema of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {"oneOf": [schema, {"type": "null"}]}


def document(description: str = "", /, **members: Schema) -> dict[str, Any]:
    """An object that has all of these members; ``from_`` stands for ``from``."""
    named = {name.rstrip("_"): schema for name, schema in members.items()}
    described = {"description": description} if description else {}
    return {"type": "object", **described, "properties": named, "required": list(named)}


def needed(**members: Schema) -> dict[str, Any]:
    """A request's body that has all of these members, and no others."""
    return {**document(**members), "additionalProperties": False}


def wished(needed_: Mapping[str, Schema], /, **others: Schema) -> dict[str, Any]:
    """A request's body that has the needed members, and may have the others."""
    schema = needed(**needed_)
    schema["properties"] |= optional(**others)["properties"]
    return schema


def optional(**members: Schema) -> dict[str, Any]:
    """A request's body that may have these members, and no others; null is as good as absent."""
    schema = needed(**{name: _nullable(member) for name, member in members.items()})
    del schema["required"]
    return schema


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_PERSON = document(name=TEXT, address=TEXT)

_MAILBOX: dict[str, Schema] = {
    "address": {"type": "string", "description": "Normalised."},
    "public": {"type": "boolean", "description": "Whether reading it needs no token."},
    "created_at": INSTANT,
    "expires_at": INSTANT,
    "max_expires_at": {**INSTANT, "description": "How far extending can move expires_at."},
    "cursor": CURSOR,
    "message_count": COUNT,
    "unseen_count": COUNT,
    "size": OCTETS,
}

# What one of several mailboxes answers that somebody waits at.
_INBOX_STATE = ("expires_at", "max_expires_at", "message_count", "unseen_count")

_SUMMARY: dict[str, Schema] = {
    "id": {"type": "string", "description": "Opaque."},
    "cursor": CURSOR,
    "received_at": INSTANT,
    "from_": _PERSON,
    "to": list_of(TEXT),
    "subject": TEXT,
    "preview": TEXT,
    "has_html": YES_OR_NO,
    "attachment_count": COUNT,
    "code": {**TEXT_OR_NULL, "description": "The best candidate for a verification code."},
    "link": {**TEXT_OR_NULL, "description": "The best candidate for the link to follow."},
    "size": OCTETS,
    "seen": YES_OR_NO,
}

_MESSAGE: dict[str, Schema] = {
    "cc": list_of(_PERSON),
    "reply_to": list_of(_PERSON),
    "date": {**INSTANT_OR_NULL, "description": "What the sender's header says."},
    "message_id": TEXT_OR_NULL,
    "headers": {**list_of(list_of(TEXT)), "description": "Pairs of name and value, as they came."},
    "text": TEXT,
    "html": {**TEXT_OR_NULL, "description": "Sanitised, a fragment fit for any page."},
    "attachments": list_of(ref("Attachment")),
    "codes": list_of(document(value=TEXT, confidence=SHARE, reason=TEXT)),
    "links": list_of(ref("Link")),
    "remote_content": {**list_of(TEXT), "description": "Hosts that showing it would ask."},
    "tracking_pixels": COUNT,
    "envelope": document(
        mail_from=TEXT,
        rcpt_to={**list_of(TEXT), "description": "This mailbox's address, with its tag."},
        helo=TEXT,
        tls=YES_OR_NO,
        protocol=TEXT,
    ),
    "defects": {**list_of(TEXT), "description": "What was wrong with it, in words."},
}

SCHEMAS: Mapping[str, Schema] = {
    "Domains": document(
        domains=list_of(
            document(domain=TEXT, mode={"type": "string", "enum": ["minted", "catch-all"]})
        ),
        min_lifetime=SECONDS,
        default_lifetime=SECONDS,
        max_lifetime=SECONDS,
        max_message_size=OCTETS,
    ),
    "Mailbox": document(**_MAILBOX),
    "MintedMailbox": document(
        "A mailbox, and the only copy of its secrets.",
        **_MAILBOX,
        token={"type": "string", "description": "Opens the mailbox."},
        restore_key={"type": "string", "description": "Opens its address again when it expired."},
    ),
    "Token": document(token=TEXT),
    "Attempts": document(
        "Mails for the mailbox that were refused, oldest first.",
        attempts=list_of(ref("Attempt")),
    ),
    "Attempt": document(
        at=INSTANT,
        mail_from={"type": "string", "description": "Empty for none, or none said."},
        helo={"type": "string", "description": "What the client called itself."},
        stage={"type": "string", "enum": ["mail", "rcpt", "data"]},
        reply={
            **TEXT_OR_NULL,
            "description": "What the client was told; null where it left in the middle.",
        },
    ),
    "Summary": document("A message in a list.", **_SUMMARY),
    "Message": document("A whole message.", **_SUMMARY, **_MESSAGE),
    "Attachment": document(
        index=COUNT,
        filename=TEXT,
        content_type=TEXT,
        size=OCTETS,
        content_id=TEXT_OR_NULL,
        inline=YES_OR_NO,
    ),
    "Link": document(
        url=TEXT,
        host=TEXT,
        text=TEXT,
        kind={"type": "string", "enum": ["action", "unsubscribe", "other"]},
        confidence=SHARE,
        reason=TEXT,
    ),
    "MessageList": document(
        "Messages, oldest first, and the cursor to go on from.",
        messages=list_of(ref("Summary")),
        cursor=CURSOR,
        expires_at=INSTANT,
        timed_out={"type": "boolean", "description": "Whether waiting was in vain."},
    ),
    "Inbox": document(
        "One of several mailboxes: its messages, oldest first, and how it stands.",
        address=_MAILBOX["address"],
        messages=list_of(ref("Summary")),
        cursor=CURSOR,
        **{name: _MAILBOX[name] for name in _INBOX_STATE},
    ),
    "Shut": document(
        "One of several mailboxes that can not be read.",
        address=_MAILBOX["address"],
        problem={**ref("Problem"), "description": "What it alone would answer: 401, 404, 410."},
    ),
    "Round": document(
        "What several mailboxes answer.",
        mailboxes={
            **list_of({"oneOf": [ref("Inbox"), ref("Shut")]}),
            "description": "As many as were named, in the same order.",
        },
        timed_out={"type": "boolean", "description": "Whether waiting was in vain."},
    ),
    "Found": document(
        "What a wait brought.",
        message=or_null(ref("Message")),
        code=TEXT_OR_NULL,
        link=TEXT_OR_NULL,
        cursor=CURSOR,
        timed_out=YES_OR_NO,
    ),
    "Event": {
        "type": "object",
        "description": "Something that happened. After a resync, read the mailbox anew.",
        "properties": {
            "type": {
                "type": "string",
                "enum": ["message", "deleted", "emptied", "extended", "expired", "resync"],
            },
            "cursor": CURSOR,
            "message": ref("Summary"),
            "id": {"type": "string", "description": "Of a message that was deleted."},
            "expires_at": INSTANT,
        },
        "required": ["type", "cursor"],
    },
    "StreamedEvent": document(
        "An event on its way in a stream of Server-Sent Events.",
        id={**CURSOR, "description": "Its cursor."},
        data={
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": ref("Event"),
            "description": "An `Event` as JSON, on one line.",
        },
    ),
    "Problem": {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "errors": {
                **list_of(document(field=TEXT, detail=TEXT)),
                "description": "Everything in a body or query that does not fit.",
            },
        },
        "required": ["type", "title", "status", "detail"],
    },
    "Status": document(status=TEXT),
    "SmallMailbox": document(mailbox=TEXT),
    "SmallError": document(error=TEXT),
    "SmallMail": document(
        "Values of what was posted come back as they were, whatever they were.",
        from_={},
        subject={},
        body={},
        time={"type": "number", "description": "Seconds since the epoch."},
    ),
}
