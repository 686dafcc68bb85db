"""Where a URL really leads, read the way browsers do."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import idna
from attrs import frozen

HOST_LENGTH = 253
"""Characters of a host name (RFC 1035 2.3.4, without the final dot)."""

HOST_LENGTH_IN_OTHER_LETTERS = 100
"""Characters of one that is not ASCII; as A-labels such a name is longer."""

_CONTROLS = re.compile(r"[\t\n\r]|^[\x00-\x20]+|[\x00-\x20]+$")
_WEB = re.compile(r"(https?):[/\\]*([^/?#\\]*)([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(?:(.*)@)?(\[[0-9a-f:.]+\]|[^:@\[\]]+)(:[0-9]{0,5})?", re.I | re.DOTALL)
_HOST = re.compile(r"[a-z0-9_.-]+|\[[0-9a-f:.]+\]")
_UNSAFE = re.compile(r"[^!#$%&*+,./0-9:;=?@A-Z\[\]_a-z~|-]")
_MAIL = re.compile(r"mailto:([^?]*)(.*)", re.IGNORECASE | re.DOTALL)
_TELEPHONE = re.compile(r"tel:([0-9+().;=*#a-z -]{1,64})", re.IGNORECASE)


@frozen
class Destination:
    """Where a URL really leads."""

    url: str
    """The URL in ASCII, without quotes, brackets, backslashes, spaces or controls."""

    host: str
    """The host in A-label form, without a final dot; of a ``mailto:`` URL the recipient, of
    ``tel:`` the number."""

    is_web: bool = True


def destination(url: str) -> Destination | None:
    """Read a URL the way browsers do (WHATWG URL 4.4); None when it is not http, https, mailto or
    tel, or names no host."""
    url = _CONTROLS.sub("", url)
    if found := _TELEPHONE.fullmatch(url):
        return Destination(_encoded(url), found[1], is_web=False)
    if found := _MAIL.fullmatch(url):
        to, query = _encoded(found[1]), _encoded(found[2])
        return Destination(f"mailto:{to}{query}", found[1], is_web=False)
    found = _WEB.fullmatch(url)
    authority = found and _AUTHORITY.fullmatch(found[2])
    if not found or not authority or not (host := _a_labels(authority[2])):
        return None
    user = f"{_encoded(authority[1])}@" if authority[1] else ""
    path = _encoded(found[3].replace("\\", "/"))
    place = f"{user}{host}{authority[3] or ''}{path}{_encoded(found[4])}"
    return Destination(f"{found[1].lower()}://{place}", host.rstrip("."))


def _encoded(text: str) -> str:
    return _UNSAFE.sub(lambda unsafe: quote(unsafe[0], safe="", errors="replace"), text)


def _a_labels(host: str) -> str:
    """The host as it is looked up (RFC 5891, UTS 46), or nothing when it can not be."""
    host = unquote(host).lower()
    if not host.isascii() and len(host) <= HOST_LENGTH_IN_OTHER_LETTERS:
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError:
            return ""
    return host if len(host) <= HOST_LENGTH and _HOST.fullmatch(host) else ""
