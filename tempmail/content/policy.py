"""What the document of a mail's HTML may do, beside what cleaning left of it."""

from __future__ import annotations

from collections.abc import Mapping

SANDBOX = "sandbox allow-popups allow-popups-to-escape-sandbox"
"""The directive of its policy: no scripts, no forms, no origin; links open outside."""


def embedded(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers of a document for a frame in a page of ours.

    It shares its origin with that page, which may measure it so. There are still no scripts and no
    forms in it, and it can not lead the page elsewhere.
    """
    policy = headers["Content-Security-Policy"].replace(SANDBOX, f"{SANDBOX} allow-same-origin")
    return {**headers, "Content-Security-Policy": policy}
