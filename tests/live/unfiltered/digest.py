"""HTML that passed everything but nh3, in the document that has a policy."""

from __future__ import annotations

from tempmail.content import html, mime
from tempmail.content.digest import Digest, Document, digest, whole
from tempmail.content.document import standalone

__all__ = ["Digest", "Document", "digest", "document", "whole"]


def document(octets: bytes, images_remote: bool) -> Document | None:
    """The mail's HTML without nh3's work, in its document."""
    reading = mime.read(octets)
    clean = html.sanitise(reading.html or "", cleaner=str)
    body, headers = standalone(clean, images_remote=images_remote, title=reading.subject)
    return Document(body, dict(headers))
