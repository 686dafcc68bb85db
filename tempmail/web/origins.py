"""Scripts of other origins, as far as the operator lets them (Fetch Standard, CORS protocol)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tempmail.core.limits import PREFLIGHT_SECONDS

if TYPE_CHECKING:
    from tempmail.web.request import Request

# Headers that they may read, and send.
_EXPOSED = "Content-Disposition, Location, Retry-After, WWW-Authenticate"
_ACCEPTED = "Authorization, Content-Type, Last-Event-ID"


def allow_origin(request: Request) -> None:
    """Let scripts of the origins that the operator named read the answer."""
    request.header("Vary", "Origin")
    origin = request.getHeader("Origin")
    if origin is not None and request.site.exposure.allows(origin):
        request.header("Access-Control-Allow-Origin", origin)
        request.header("Access-Control-Expose-Headers", _EXPOSED)


def tell_methods(request: Request, methods: str) -> bytes:
    """The answer to OPTIONS, also where a browser asks before a script of another origin."""
    request.header("Allow", methods)
    if request.responseHeaders.hasHeader("Access-Control-Allow-Origin"):
        request.header("Access-Control-Allow-Methods", methods)
        request.header("Access-Control-Allow-Headers", _ACCEPTED)
        request.header("Access-Control-Max-Age", str(PREFLIGHT_SECONDS))
    return request.no_content()
