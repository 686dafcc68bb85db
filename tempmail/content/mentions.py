"""Where the links of a mail stand, each with its own words and the words around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice, zip_longest

from attrs import frozen

from tempmail.content.plain import Page

MAX_TEXT = 100_000
"""Characters of a plain text body that are read."""

MAX_MENTIONS = 400
"""Places at which links stand that are looked at, in the text and in the HTML each."""

_BARE_URL = re.compile(
    r"(?<![A-Za-z0-9])https?://[^\s<>\"'`/?#\\]{1,253}(?:[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%']*+)?",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'*_"
_HOME = re.compile(r"https?://[^\s<>\"'`/?#\\]{1,253}/?", re.IGNORECASE)


@frozen
class Mention:
    """A link at one place: its own words, and the words before and behind it."""

    url: str
    text: str
    label: str
    before: str
    behind: str
    button: bool = False


def mentions(text: str, page: Page) -> Iterator[Mention]:
    """The links of a plain body, and those of a page."""
    return chain(
        islice(_in_text(text[:MAX_TEXT]), MAX_MENTIONS), islice(_in_page(page), MAX_MENTIONS)
    )


def _in_page(page: Page) -> Iterator[Mention]:
    """The anchors of a document, and the addresses written out between them."""
    end = said = 0
    for anchor, following in zip_longest(page.anchors, page.anchors[1:]):
        yield from _in_text(page.text[end : anchor.start])
        before = _words(page.text[max(said, anchor.start - 300) : anchor.start])
        limit = following.start if following else len(page.text)
        behind = page.text[anchor.end : min(limit, anchor.end + 200)]
        url = anchor.href.strip()
        label = "" if _BARE_URL.match(anchor.text) else anchor.text
        yield Mention(url, anchor.text, label, before, behind, anchor.button)
        if not _HOME.fullmatch(url):
            said = max(said, anchor.end)
        end = max(end, anchor.end)
    yield from _in_text(page.text[end:])


def _in_text(text: str) -> Iterator[Mention]:
    """The addresses written out in a text. The words before one on its line are its own words,
    and where there are none, the line before that ends with a colon."""
    said = 0
    for found in _BARE_URL.finditer(text):
        url = _trimmed(found[0])
        before = _words(text[max(said, found.start() - 400) : found.start()])
        head, _, label = before.rpartition("\n")
        if not label.strip() and head.rstrip().endswith((":", "\uff1a")):
            head, _, label = head.rstrip().rpartition("\n")
        yield Mention(url, "", label[-160:], head, text[found.end() : found.end() + 200])
        if not _HOME.fullmatch(url):
            said = found.end()


def _words(text: str) -> str:
    """Without the addresses in it; they are home pages, for what stands before any other link
    belongs to that."""
    return _BARE_URL.sub(" ", text)


def _trimmed(url: str) -> str:
    """Without the punctuation that ends the sentence, and a bracket that was opened outside."""
    url = url.rstrip(_TRAILING)
    for opening, closing in ("()", "[]"):
        if url.endswith(closing) and url.count(opening) < url.count(closing):
            url = url[:-1].rstrip(_TRAILING)
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    labels = host.split(".")
    if labels[-1][:1].isascii():
        labels[-1] = "".join(c for c in labels[-1] if c.isascii())
    return f"{scheme}://{'.'.join(labels)}{slash}{path}"
