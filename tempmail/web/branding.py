"""What the operator says on the page: text, never markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from attrs import frozen

from tempmail.web import accent

_WEB = re.compile(r"https?://[^\s]+", re.IGNORECASE).fullmatch
_MAIL = re.compile(r"(?:mailto:)?([^\s@:/?#]+@[^\s@:/?#]+)", re.IGNORECASE).fullmatch


@frozen(kw_only=True)
class Branding:
    """What the operator wants the page to say, and its colour.

    ``imprint`` and ``abuse_contact`` become a link where they are a URL (http or https) or a mail
    address, else they are shown as they are.
    """

    site_name: str = "tempmail"
    notice: str = ""
    imprint: str = ""
    abuse_contact: str = ""
    accent_colour: str = accent.DEFAULT

    def lines(self) -> str:
        """Its items in the page's foot, as HTML."""
        return "\n".join(self._items())

    def _items(self) -> Iterator[str]:
        if self.imprint:
            yield _item(self.imprint, "imprint", "Imprint")
        if self.abuse_contact:
            yield _item(self.abuse_contact, "abuse", "Report abuse")
        if self.notice:
            yield f'<li class="notice"><bdi>{escape(self.notice)}</bdi></li>'


def _item(text: str, word: str, label: str) -> str:
    """``word`` is the label's name among the page's words: scripts say it in other languages."""
    text = text.strip()
    named = f'<span data-word="{word}">{label}</span>'
    if _WEB(text):
        return f'<li><a href="{escape(text)}" rel="noopener noreferrer">{named}</a></li>'
    if found := _MAIL(text):
        shown = f'<a href="mailto:{escape(found[1])}"><bdi>{escape(found[1])}</bdi></a>'
        return f"<li>{named}: {shown}</li>"
    return f"<li>{named}: <bdi>{escape(text)}</bdi></li>"
