"""HTML as it came, in a document without any policy."""

from __future__ import annotations

from html import escape

from tempmail.content import mime
from tempmail.content.digest import Digest, Document, digest
from tests.live.uncleaned.digest import whole

__all__ = ["Digest", "Document", "digest", "document", "whole"]


def document(octets: bytes, images_remote: bool) -> Document | None:
    """The mail's HTML as it came."""
    reading = mime.read(octets)
    text = f"<!DOCTYPE html><title>{escape(reading.subject)}</title><body>{reading.html}"
    return Document(
        text.encode("utf-8", "replace"),
        # Not to have it is to be given one that allows nothing.
        {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "img-src *"},
    )
