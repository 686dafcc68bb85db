"""HTML that was cleaned, in a document without any policy."""

from __future__ import annotations

from html import escape

from tempmail.content import html, mime
from tempmail.content.digest import Digest, Document, digest, whole

__all__ = ["Digest", "Document", "digest", "document", "whole"]


def document(octets: bytes, images_remote: bool) -> Document | None:
    """The mail's cleaned HTML."""
    reading = mime.read(octets)
    fragment = html.sanitise(reading.html or "").fragment
    text = f"<!DOCTYPE html><title>{escape(reading.subject)}</title><body>{fragment}"
    return Document(
        text.encode("utf-8", "replace"),
        # Not to have it is to be given one that allows nothing.
        {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "img-src *"},
    )
