"""What a reader sees of an HTML document: its text, and where its links stand in that text.

The document is walked once, from left to right, by a scanner that never goes back and never looks
deeper than one level up, so the time is linear in the length whatever the shape. The standard
``html.parser`` of Python 3.11 is not: 20,000 times ``<a `` take it 19 s (40,000 take 84 s), and its
entity decoder raises on a numeric reference of more than 4,300 digits. What the scanner does with
broken markup follows the tokenizer of the HTML standard (WHATWG, section 13.2.5), as a browser
would.
"""

from __future__ import annotations

import html
import html.entities
import re
from collections import Counter
from collections.abc import Iterator

from attrs import Factory, define, frozen

MAX_HTML = 1_000_000
"""Characters of a document that are read; what follows is ignored. Ten times what the largest
mail services show of a mail before they cut it (102 KB), about a second of work at worst."""

MAX_ANCHORS = 1_000
"""Links of a document that are kept. A mail a person reads has a few dozen."""

_MARKUP = re.compile(r"<(?:[a-zA-Z]|/[a-zA-Z]|[!?/])")
_TAG_NAME = re.compile(r"</?([^ \t\n\r\f/>]++)")
_ATTRIBUTE = re.compile(
    r"[ \t\n\r\f/]*+(?:(>)|([^ \t\n\r\f/>][^ \t\n\r\f/>=]*+)"
    r"(?:[ \t\n\r\f]*+=[ \t\n\r\f]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^ \t\n\r\f>\"'][^ \t\n\r\f>]*+)"
    r"|(?=>)|(\Z|[\"'])))?)"
)
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
_NAME = re.compile(r"&([A-Za-z][A-Za-z0-9]*+)([;=]?)")
_WHITE = re.compile(r"[ \t\n\r\f\xa0]+")
_INVISIBLE = dict.fromkeys([0x00, 0xAD, 0x34F, 0x200B, 0x2060, 0xFEFF])
_KEPT_ATTRIBUTES = frozenset({"href", "style", "hidden", "alt", "bgcolor", "class"})

_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dir div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol "
    "option p pre section summary table tbody tfoot thead tr ul".split()
)
_CELLS = frozenset({"td", "th"})
_RAW = frozenset("script style title iframe noembed noframes xmp".split())
"""What stands in them is not markup and is not shown; of the head only these have text."""

_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_ENCLOSING = frozenset("body div html p table tbody td th tr ul ol li".split())
_HIDING_STYLE = re.compile(
    r"display:none|visibility:hidden|(?:^|;)opacity:0(?:\.0{1,4})?(?:;|!|$)|(?:^|;)max-height:0"
)
_INLINE_STYLE = re.compile(r"display:inline|display:table-cell|float:(?:left|right)")
_BUTTON_STYLE = re.compile(r"background|padding|border-radius|display:(?:inline-)?block")
_BUTTON_CLASS = re.compile(r"btn|button|cta", re.IGNORECASE)


@frozen
class Anchor:
    """A link as the reader meets it: ``start`` and ``end`` are places in the page's text."""

    href: str
    text: str
    start: int
    end: int
    button: bool
    """Whether it is dressed as a button rather than as a word in a sentence."""


@frozen
class Page:
    """The text of a document and its links, in the order of the document."""

    text: str
    anchors: tuple[Anchor, ...]


def read_page(html_text: str) -> Page:
    """The text a reader sees, and the links in it: blocks on lines of their own, cells of one row
    parted by a blank, runs of white space as one blank, entities decoded; scripts, styles, the head
    and whatever is hidden left out. Reads at most `MAX_HTML` characters, raises nothing."""
    reader = _Reader()
    for token in _tokens(html_text[:MAX_HTML]):
        if isinstance(token, str):
            reader.text(token)
        elif token.closing:
            reader.end(token)
        else:
            reader.start(token)
    return reader.page()


@frozen
class _Tag:
    name: str
    closing: bool
    attributes: dict[str, str]

    @property
    def style(self) -> str:
        return _WHITE.sub("", self.attributes.get("style", "")[:2_000].lower())

    @property
    def hides(self) -> bool:
        return "hidden" in self.attributes or bool(_HIDING_STYLE.search(self.style))


def _tokens(source: str) -> Iterator[str | _Tag]:
    """Text and tags in turn. Markup that is never closed ends the document."""
    at = 0
    while found := _MARKUP.search(source, at):
        if found.start() > at:
            yield source[at : found.start()]
        if source[found.end() - 1] in "!?/":
            at = _after_comment(source, found.start())
            continue
        tag, at = _tag(source, found.start())
        if tag is None:
            return
        yield tag
        if tag.name in _RAW and not tag.closing:
            closed = re.compile(f"</{tag.name}(?![a-z0-9])", re.IGNORECASE).search(source, at)
            at = closed.start() if closed else len(source)
    if at < len(source):
        yield source[at:]


def _after_comment(source: str, start: int) -> int:
    if source.startswith("<!--", start):
        found = _COMMENT_END.search(source, start + 2)
        return found.end() if found else len(source)
    return source.find(">", start) + 1 or len(source)


def _tag(source: str, start: int) -> tuple[_Tag | None, int]:
    """The tag that begins at `start` and where it ends; None when it never does."""
    name = _TAG_NAME.match(source, start)
    if name is None:
        return None, len(source)
    attributes: dict[str, str] = {}
    at = name.end()
    while found := _ATTRIBUTE.match(source, at):
        at = found.end()
        if found[1]:
            closing = source[start + 1] == "/"
            return _Tag(name[1].lower(), closing, attributes), at
        if found[6] is not None:
            break
        key = found[2].lower()
        if key in _KEPT_ATTRIBUTES and key not in attributes:
            attributes[key] = decode_value(found[3] or found[4] or found[5] or "")
    return None, len(source)


def decode(text: str) -> str:
    """Character references decoded; one too long to name any character stays as it stands."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def decode_value(text: str) -> str:
    """The same in the value of an attribute, where ``&copy=1`` of a query stays as it stands.

    A reference without ``;`` is none there before ``=``, a letter or a digit (HTML, section
    13.2.5.73, named character reference state).
    """
    return decode(_NAME.sub(_with_amp, text)) if "&" in text else text


def _with_amp(found: re.Match[str]) -> str:
    name, end = found.groups()
    known = name + end in html.entities.html5 and end != "="
    return found[0] if known else f"&amp;{name}{end}"


@define
class _Reader:
    """Collects text; a break that is owed is written only before more text."""

    _parts: list[str] = Factory(list)
    _length: int = 0
    _owed: str = ""
    _preserving: int = 0
    _anchors: list[Anchor] = Factory(list)
    _open: tuple[_Tag, int, bool] | None = None
    _alternative: str = ""
    _coloured_cell: bool = False
    _blocks: list[tuple[str, str]] = Factory(list)
    """Open blocks: name, and the break before and behind each."""

    _hider: str = ""
    _inside_hider: Counter[str] = Factory(Counter)

    def text(self, raw: str) -> None:
        if self._hider:
            return
        lines = raw.split("\n") if self._preserving else [raw]
        for number, line in enumerate(lines):
            if number:
                self._break("\n")
            self._write(decode(line))

    def _write(self, text: str) -> None:
        text = _WHITE.sub(" ", text.translate(_INVISIBLE))
        words = text.strip(" ")
        if text[:1] == " ":
            self._break(" ")
        if not words:
            return
        if self._length and self._owed:
            self._append(self._owed)
        self._owed = ""
        self._append(words)
        self._coloured_cell = False
        if text[-1:] == " ":
            self._break(" ")

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _break(self, kind: str) -> None:
        if self._owed != "\n":
            self._owed = kind

    def start(self, tag: _Tag) -> None:
        if self._hider:
            if tag.name not in _VOID:
                self._inside_hider[tag.name] += 1
            return
        if tag.name not in _VOID and (tag.hides or tag.name == "template"):
            self._hider = tag.name
            return
        if tag.name == "br":
            self._break("\n")
        elif tag.name in _CELLS:
            self._break(" ")
            self._coloured_cell = "bgcolor" in tag.attributes or "background" in tag.style
        elif tag.name in _BLOCKS:
            kind = " " if _INLINE_STYLE.search(tag.style) else "\n"
            self._break(kind)
            self._blocks.append((tag.name, kind))
        elif tag.name == "a":
            self._close_anchor()
            self._open = (tag, self._length, self._coloured_cell)
        elif tag.name == "img" and self._open and len(self._alternative) < 300:
            self._alternative += " " + tag.attributes.get("alt", "")[:200]
        if tag.name == "pre":
            self._preserving += 1

    def end(self, tag: _Tag) -> None:
        if self._hider:
            self._end_hidden(tag.name)
            return
        if tag.name == "a":
            self._close_anchor()
        elif tag.name in _CELLS:
            self._break(" ")
        elif tag.name in _BLOCKS:
            matched = self._blocks and self._blocks[-1][0] == tag.name
            self._break(self._blocks.pop()[1] if matched else "\n")
        if tag.name == "pre" and self._preserving:
            self._preserving -= 1

    def _end_hidden(self, name: str) -> None:
        """A hidden element ends with its own end tag, or with that of an element around it."""
        if self._inside_hider[name]:
            self._inside_hider[name] -= 1
        elif name == self._hider or name in _ENCLOSING:
            self._hider = ""
            self._inside_hider.clear()
            self._break("\n" if name in _BLOCKS else " ")

    def _close_anchor(self) -> None:
        if self._open is None:
            self._alternative = ""
            return
        tag, start, coloured = self._open
        self._open = None
        href = tag.attributes.get("href")
        if href and len(self._anchors) < MAX_ANCHORS:
            button = (
                coloured
                or bool(_BUTTON_STYLE.search(tag.style))
                or bool(_BUTTON_CLASS.search(tag.attributes.get("class", "")[:200]))
            )
            text = self._alternative.strip()
            self._anchors.append(Anchor(href, text, start, self._length, button))
        self._alternative = ""

    def page(self) -> Page:
        self._close_anchor()
        text = "".join(self._parts)
        return Page(text, tuple(_with_text(anchor, text) for anchor in self._anchors))


def _with_text(anchor: Anchor, text: str) -> Anchor:
    """The anchor with the words it shows, or, showing none, those that stand for its picture."""
    shown = text[anchor.start : min(anchor.end, anchor.start + 400)]
    start = anchor.start + len(shown) - len(shown.lstrip())
    words = " ".join(shown.split())[:300] or anchor.text[:300]
    return Anchor(anchor.href, words, start, anchor.end, anchor.button)
