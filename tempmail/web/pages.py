"""The web page: one document, and what it is made of.

The parts lie below the hash of them all, ``static/HASH/page.js``, so a browser keeps them for good,
and modules that name each other are always of one make. Only the document is asked for anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from twisted.web.resource import IResource
from werkzeug.exceptions import NotFound

from tempmail.web.branding import Branding
from tempmail.web.parts import Part, build
from tempmail.web.request import Request
from tempmail.web.routing import Routes, new_app, route

# The page talks to its own server and frames its own server's mail. The mail in the frame comes
# with a policy of its own. Markup is made of lit-html's own templates alone: no other text can
# become any (Trusted Types).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
)

_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"
_TAGS = re.compile(rb'"[^"]*"|\*').findall
_NOT_GZIP = re.compile(rb"(?i)\s*(?:gzip|x-gzip|\*)\s*;\s*q\s*=\s*0(?:\.0*)?\s*").fullmatch
_GZIP = re.compile(rb"(?i)\s*(?:gzip|x-gzip|\*)\s*(?:;.*)?").fullmatch


class Pages:
    """The document and its parts, held in memory."""

    app = new_app()

    def __init__(self, branding: Branding) -> None:
        self._document, self._version, self._parts = build(branding)

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
        return _unless_known(request, self._document)

    @route(app, "GET", "/static/<version>/<path:name>")
    def part(self, request: Request, version: str, name: str) -> bytes:
        """A script, the style, the icon."""
        if version != self._version or name not in self._parts:
            raise NotFound
        part = self._parts[name]
        request.header("Cache-Control", _FOR_GOOD)
        if part.content_type.startswith("text/"):
            # These are for documents; of scripts and styles a first visit gets three dozen.
            request.without("Content-Security-Policy")
            request.without("Referrer-Policy")
        return _packed(request, part)


def pages(branding: Branding | None = None) -> Mapping[bytes, IResource]:
    """The page's resources, by the first part of their path."""
    resource = Routes(Pages(branding or Branding()).app)
    return {b"": resource, b"static": resource}


def _unless_known(request: Request, part: Part) -> bytes:
    """The file, or that the client has it already (RFC 9110 section 13.1.2)."""
    tag = f'"{part.name}-gzip"' if _takes_gzip(request) else f'"{part.name}"'
    request.header("ETag", tag)
    request.header("Cache-Control", _ASK_FIRST)
    asked = b",".join(request.requestHeaders.getRawHeaders(b"If-None-Match") or ())
    # Compared weakly: a proxy that compresses marks the tag it passes on.
    if {tag.encode(), b"*"} & set(_TAGS(asked)):
        request.responseHeaders.addRawHeader("Vary", "Accept-Encoding")
        request.setResponseCode(304)
        return b""
    return _packed(request, part)


def _packed(request: Request, part: Part) -> bytes:
    """The file, compressed where the client takes it so (RFC 9110 section 12.5.3)."""
    request.responseHeaders.addRawHeader("Vary", "Accept-Encoding")
    if not _takes_gzip(request):
        return request.reply(part.octets, part.content_type)
    request.header("Content-Encoding", "gzip")
    return request.reply(part.zipped, part.content_type)


def _takes_gzip(request: Request) -> bool:
    """Whether the client says so."""
    asked = b",".join(request.requestHeaders.getRawHeaders(b"Accept-Encoding") or ()).split(b",")
    return any(map(_GZIP, asked)) and not any(map(_NOT_GZIP, asked))
