"""The web page: one document, and what it is made of.

The parts lie below the hash of them all, ``static/HASH/page.js``, so a browser keeps them for good,
and modules that name each other are always of one make. Only the document is asked for anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePath

from twisted.web.resource import IResource
from werkzeug.exceptions import NotFound

from tempmail.web.request import Request
from tempmail.web.routing import Routes, new_app, route

# The page talks to its own server and frames its own server's mail. The mail in the frame comes
# with a policy of its own.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

_DOCUMENT = "index.html"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"
_TAGS = re.compile(rb'"[^"]*"|\*').findall


class Pages:
    """The document and its parts, held in memory."""

    app = new_app()

    def __init__(self) -> None:
        parts = read_parts()
        document = parts.pop(_DOCUMENT)
        self._parts = parts
        self._version = _hash(*(octets for part in sorted(parts.items()) for octets in part))
        self._document = document.replace(b'"static/', b'"static/%b/' % self._version.encode())

    @route(app, "GET", "/")
    def document(self, request: Request) -> bytes:
        """The page. Its links are relative, so below a base path it needs the last slash."""
        if len(request.postpath) > 1:
            # Only slashes. Relative links would lead astray from there.
            raise NotFound
        base_path = request.site.exposure.base_path
        if base_path and request.path == base_path.encode():
            request.setResponseCode(308)
            request.header("Location", f"{base_path}/")
            return b""
        request.header("Content-Security-Policy", POLICY)
        return _answer(request, _DOCUMENT, self._document, _ASK_FIRST)

    @route(app, "GET", "/static/<version>/<name>")
    def part(self, request: Request, version: str, name: str) -> bytes:
        """A script, the style, the icon."""
        if version != self._version or name not in self._parts:
            raise NotFound
        return _answer(request, name, self._parts[name], _FOR_GOOD)


def pages() -> Mapping[bytes, IResource]:
    """The page's resources, by the first part of their path."""
    resource = Routes(Pages().app)
    return {b"": resource, b"static": resource}


def read_parts() -> dict[str, bytes]:
    """Everything the page is made of, by file name."""
    folder = files("tempmail.web").joinpath("static")
    return {
        entry.name: entry.read_bytes()
        for entry in folder.iterdir()
        if PurePath(entry.name).suffix in _TYPES
    }


def _answer(request: Request, name: str, octets: bytes, caching: str) -> bytes:
    """The file, or that the client has it already (RFC 9110 section 13.1.2)."""
    tag = f'"{_hash(octets)}"'
    request.header("ETag", tag)
    request.header("Cache-Control", caching)
    asked = b",".join(request.requestHeaders.getRawHeaders(b"If-None-Match") or ())
    # Compared weakly: a proxy that compresses marks the tag it passes on.
    if {tag.encode(), b"*"} & set(_TAGS(asked)):
        request.setResponseCode(304)
        return b""
    return request.reply(octets, _TYPES[PurePath(name).suffix])


def _hash(*pieces: str | bytes) -> str:
    """A name for this content."""
    digest = sha256()
    for piece in pieces:
        octets = piece.encode() if isinstance(piece, str) else piece
        digest.update(b"%d:%b" % (len(octets), octets))
    return digest.hexdigest()[:20]
