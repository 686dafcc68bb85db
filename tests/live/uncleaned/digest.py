"""HTML as it came, in the document that has a policy."""

from __future__ import annotations

import orjson

from tempmail.content import digest as content
from tempmail.content import html, mime
from tempmail.content.digest import Digest, Document, digest
from tempmail.content.document import standalone

__all__ = ["Digest", "Document", "digest", "document", "whole"]


def document(octets: bytes, images_remote: bool) -> Document | None:
    """The mail's HTML as it came, in its document."""
    reading = mime.read(octets)
    raw = html.CleanHtml(reading.html or "")
    body, headers = standalone(raw, images_remote=images_remote, title=reading.subject)
    return Document(body, dict(headers))


def whole(octets: bytes) -> bytes:
    """What is told of the mail, with its HTML as it came."""
    members = orjson.loads(b"{%b}" % content.whole(octets))
    return orjson.dumps({**members, "html": mime.read(octets).html})[1:-1]
