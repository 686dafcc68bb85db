"""HTML of strangers in a document of its own: the second of two walls.

Its policy (CSP Level 3) runs no script, sends no form, fetches nothing and shares no origin with
anybody, whether what is in it is clean (:mod:`.html`) or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from tempmail.content.html import CleanHtml
from tempmail.content.policy import SANDBOX

_BEYOND_POLICY = re.compile(
    r"<(?=/*(?:base|embed|fencedframe|frame|frameset|iframe|link|meta|object|portal|script)[\s/>])",
    re.IGNORECASE | re.ASCII,
)
"""Elements for which browsers open a connection before they ask the policy (Chromium 156 does for
``link rel=preconnect`` and ``iframe``), and their like. A clean fragment has none."""


def standalone(
    clean: CleanHtml,
    *,
    images_remote: bool = False,
    title: str = "",
) -> tuple[bytes, Mapping[str, str]]:
    """A complete document for the fragment, in UTF-8, and the headers it must be sent with.

    The policy is in the headers and, as far as a ``meta`` element can say it, in the document, so
    a saved copy is held by it too. Nothing in it relies on the fragment being clean.
    """
    policy = _policy(images_remote)
    fragment = clean.fragment_with_remote if images_remote else clean.fragment
    fragment = _BEYOND_POLICY.sub("&lt;", fragment)
    text = (
        '<!DOCTYPE html>\n<html dir="auto">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta http-equiv="x-dns-prefetch-control" content="off">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_BASE_STYLE}</style>\n</head>\n"
        f"<body>{fragment}</body>\n</html>\n"
    )
    return text.encode("utf-8", "replace"), {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{policy}; frame-ancestors 'self'; {SANDBOX}",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-DNS-Prefetch-Control": "off",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


_BASE_STYLE = (
    ":root{color-scheme:light;background:#fff;color:#1a1a1a}"
    "body{margin:clamp(8px,2vw,16px);font:15px/1.5 system-ui,sans-serif;overflow-wrap:break-word}"
    "img{max-width:100%}"
    # A picture that is held back keeps its place, so nothing moves when it is loaded after all.
    "img:not([src]){display:inline-block;overflow:hidden;background:#8882;font-size:13px}"
)


def _policy(images_remote: bool) -> str:
    pictures = "data: https: http:" if images_remote else "data:"
    return (
        f"default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; font-src 'none'; "
        "form-action 'none'; base-uri 'none'"
    )
