"""The first look at the HTML of a stranger: one pass, linear, before any real parser sees it.

Parsers of HTML build trees, and trees can be made deep, wide and slow by a few kilobytes of text
(html5ever is quadratic in depth and in attributes; css-inline overflows its stack some 20,000
elements down). Counting in the text what a parser *would* build is guesswork, because the rules of
HTML for repairing nonsense are themselves the attack. So this pass does not count: it rewrites.
What comes out holds only known elements with known attributes, all values quoted, no comment, no
foreign content (SVG, MathML), no raw text element, so there is nothing left to disagree about, and
it is known to be no deeper, wider or longer than said here. It is not the sanitiser: values are not
judged here.
"""

from __future__ import annotations

import re
from collections import Counter

from attrs import Factory, define, frozen

from tempmail.content.css import BODY_CLASS

SOURCE_LENGTH = 8 * 1024 * 1024
"""Characters of HTML looked at. Most of a part so large is pictures written into it as data."""

MARKUP_LENGTH = 1_500_000
"""Characters left after rewriting, without pictures. Gmail shows 102 kB of a mail."""

ELEMENTS = 20_000
"""Start tags. Large newsletters have 3,000 to 5,000."""

TAGS = 100_000
"""Start tags, end tags and comments, known or not: what one pass is willing to look at."""

DEPTH = 256
"""Elements within each other. Layout tables reach 60; browsers themselves stop at 512."""

ATTRIBUTES = 60_000
"""Attributes in all; three per element."""

ATTRIBUTES_OF_A_TAG = 200
"""Attributes of one tag. Real tags have up to 20."""

HELD = "x-held"
"""The URL scheme under which pictures written as data are put aside: ``x-held:3``."""

INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span "
    "strike strong sub sup time tt u var".split()
)
BLOCKS = frozenset(
    "address article aside blockquote center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 "
    "h6 header li main nav ol p pre section ul".split()
)
TABLE = frozenset("caption col colgroup table tbody td tfoot th thead tr".split())
VOID = frozenset("br col hr img wbr".split())
ELEMENTS_KEPT = INLINE | BLOCKS | TABLE | VOID
ATTRIBUTES_KEPT = frozenset(
    "align alt background bgcolor border cellpadding cellspacing class color colspan dir face "
    "height href hspace id lang noshade nowrap reversed rowspan size span src start style text "
    "type valign value vspace width".split()
)
_OPAQUE = frozenset("iframe noembed noframes script style textarea title xmp".split())
"""Elements whose content is text to every HTML parser, up to their own end tag (WHATWG 13.2.5)."""

_CLOSED_BY: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "td", "th", "table"})),
    "dd": (frozenset({"dd", "dt"}), frozenset({"dl", "td", "th", "table"})),
    "dt": (frozenset({"dd", "dt"}), frozenset({"dl", "td", "th", "table"})),
    "td": (frozenset({"td", "th"}), frozenset({"table", "tr"})),
    "th": (frozenset({"td", "th"}), frozenset({"table", "tr"})),
    "tr": (frozenset({"tr", "caption", "colgroup"}), frozenset({"table"})),
    "tbody": (frozenset("tr tbody thead tfoot caption colgroup".split()), frozenset({"table"})),
}
"""Start tag -> (elements whose end it implies, elements it does not look beyond); see WHATWG HTML
13.1.2.4."""
_CLOSED_BY["thead"] = _CLOSED_BY["tfoot"] = _CLOSED_BY["tbody"]
_CELL = frozenset({"td", "th", "caption", "table"})
_TABLE_ONLY = frozenset({"table"})
_PARAGRAPH = frozenset({"p"})
_CLOSES_PARAGRAPH = BLOCKS | {"hr", "table"}

_MARKUP = re.compile(r"<(?:(/?)([a-zA-Z][^ \t\n\f\r/>]*+)|!--|[!?]|/)")
_ATTRIBUTE = re.compile(
    r"[ \t\n\f\r/]*+([^ \t\n\f\r/>][^ \t\n\f\r/>=]*+)"
    r"(?:(?>[ \t\n\f\r]*+=[ \t\n\f\r]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^ \t\n\f\r>]*+))))?+"
)
_TAG_END = re.compile(r"[ \t\n\f\r/]*+>")
_MARKUP_CHARACTER = re.compile(r"[\"<>]")
_COMMENT_END = re.compile(r"--!?>")
_PICTURE = re.compile(
    r"[ \t\n\f\r]*+(data:image/(?:png|jpe?g|gif|webp|bmp|avif);base64,[A-Za-z0-9+/=%\s]*+)",
    re.ASCII | re.IGNORECASE,
)


class TooMuch(Exception):
    """The HTML passes a cap; the text says which."""


@frozen
class Level:
    """HTML brought down to what every parser reads alike."""

    markup: str
    """Known elements and attributes only; values are as the sender wrote them, quoted."""

    sheets: tuple[str, ...] = ()
    """The content of each ``style`` element."""

    held: tuple[str, ...] = ()
    """Pictures written as ``data:``, raster types only; ``x-held:0`` in the markup is the first."""

    names: Counter[str] = Factory(Counter)
    """How many start tags there are of each tag name, ``.class`` and ``#id``."""


def level(html: str) -> Level:
    """Rewrite ``html`` in one pass.

    :raises TooMuch: when it is longer, deeper, wider or has more attributes than the caps above.
    """
    if len(html) > SOURCE_LENGTH:
        raise TooMuch(f"the HTML has more than {SOURCE_LENGTH} characters")
    return _Levelling(html.replace("\0", "\ufffd")).run()


@define
class _Open:
    """An element not closed yet."""

    name: str
    ended: bool = False
    """Its end tag came while a block within it was open; it ends with that block."""


@define
class _Levelling:
    """The state of one pass: where it is, what is open, what was written."""

    html: str
    out: list[str] = Factory(list)
    stack: list[_Open] = Factory(list)
    unended: Counter[str] = Factory(Counter)
    sheets: list[str] = Factory(list)
    held: list[str] = Factory(list)
    names: Counter[str] = Factory(Counter)
    body: str = ""
    elements: int = 0
    attributes: int = 0

    def run(self) -> Level:
        position, end, tags = 0, len(self.html), 0
        while position < end:
            tags += 1
            if tags > TAGS:
                raise TooMuch(f"the HTML has more than {TAGS} tags")
            found = _MARKUP.search(self.html, position)
            self._text(self.html[position : found.start() if found else end])
            position = self._markup(found) if found else end
        self._close_down_to(0)
        markup = "".join(self.out)
        if len(markup) > MARKUP_LENGTH:
            raise TooMuch(f"the HTML without pictures has more than {MARKUP_LENGTH} characters")
        if markup.strip():
            markup = f'<div class="{BODY_CLASS}"{self.body}>{markup}</div>'
        self.names["." + BODY_CLASS] += 1
        return Level(markup, tuple(self.sheets), tuple(self.held), self.names)

    def _text(self, text: str) -> None:
        if text:
            self.out.append(text.replace("<", "&lt;") if "<" in text else text)

    def _markup(self, found: re.Match[str]) -> int:
        """Take what starts here; the place after it."""
        html, name = self.html, found[2]
        if name is None:
            if found[0] == "<!--":
                return self._after_comment(found.end())
            return (html.find(">", found.end()) + 1) or len(html)
        name = name.lower()
        wanted = not found[1] and (name in ELEMENTS_KEPT or name == "body")
        position, attributes = self._tag(found.end(), wanted)
        if not position:
            return len(html)
        if found[1]:
            self._end(name)
        elif name in _OPAQUE:
            return self._after_opaque(name, position)
        elif name == "body":
            self.body = self.body or attributes
        elif wanted:
            self._start(name, attributes)
        return position

    def _after_comment(self, position: int) -> int:
        for abrupt in (">", "->"):
            if self.html.startswith(abrupt, position):
                return position + len(abrupt)
        found = _COMMENT_END.search(self.html, position)
        return found.end() if found else len(self.html)

    def _after_opaque(self, name: str, position: int) -> int:
        pattern = re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE | re.ASCII)
        found = pattern.search(self.html, position)
        end = found.start() if found else len(self.html)
        if name == "style":
            self.sheets.append(self.html[position:end])
        return end

    def _tag(self, position: int, wanted: bool) -> tuple[int, str]:
        """The place after the tag, 0 when the text ends within it, and the attributes kept."""
        kept: dict[str, str] = {}
        count = 0
        while found := _ATTRIBUTE.match(self.html, position):
            position = found.end()
            count += 1
            self._count_attribute(count)
            if wanted and (name := found[1].lower()) in ATTRIBUTES_KEPT and name not in kept:
                kept[name] = self._kept_value(name, found[2] or found[3] or found[4] or "")
        end = _TAG_END.match(self.html, position)
        if end is None:
            return 0, ""
        return end.end(), "".join(f' {name}="{value}"' for name, value in kept.items())

    def _count_attribute(self, of_this_tag: int) -> None:
        self.attributes += 1
        if of_this_tag > ATTRIBUTES_OF_A_TAG:
            raise TooMuch(f"a tag has more than {ATTRIBUTES_OF_A_TAG} attributes")
        if self.attributes > ATTRIBUTES:
            raise TooMuch(f"the HTML has more than {ATTRIBUTES} attributes")

    def _kept_value(self, name: str, value: str) -> str:
        if name == "src" and (picture := _PICTURE.fullmatch(value)):
            self.held.append(picture[1])
            return f"{HELD}:{len(self.held) - 1}"
        if name == "class":
            self.names.update({"." + one for one in value.split()})
        elif name == "id":
            self.names["#" + value.strip()] += 1
        if _MARKUP_CHARACTER.search(value):
            return value.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
        return value

    def _start(self, name: str, attributes: str) -> None:
        self.elements += 1
        if self.elements > ELEMENTS:
            raise TooMuch(f"the HTML has more than {ELEMENTS} elements")
        self.names[name] += 1
        if name in _CLOSES_PARAGRAPH:
            self._imply_end(_PARAGRAPH, _CELL)
        if name in _CLOSED_BY:
            self._imply_end(*_CLOSED_BY[name])
        self.out.append(f"<{name}{attributes}>")
        if name not in VOID:
            self.stack.append(_Open(name))
            self.unended[name] += 1
            if len(self.stack) > DEPTH:
                raise TooMuch(f"the HTML has more than {DEPTH} elements within each other")

    def _imply_end(self, names: frozenset[str], barrier: frozenset[str]) -> None:
        """Close the elements of these names, as far as the barrier lets see."""
        height = len(self.stack)
        for index in range(len(self.stack) - 1, -1, -1):
            name = self.stack[index].name
            if name in barrier:
                break
            if name in names:
                height = index
        self._close_down_to(height)

    def _end(self, name: str) -> None:
        """An end tag: close what it names; one that names nothing open is left out."""
        if name in VOID or name not in ELEMENTS_KEPT:
            if name == "br":
                self.out.append("<br>")
            return
        if not self.unended[name]:
            return
        barrier = _TABLE_ONLY if name in TABLE else _CELL
        within_blocks = False
        for index in range(len(self.stack) - 1, -1, -1):
            element = self.stack[index]
            if element.name == name and not element.ended:
                if within_blocks and name in INLINE:
                    element.ended = True
                    self.unended[name] -= 1
                else:
                    self._close_down_to(index)
                return
            if element.name in barrier:
                return
            within_blocks = within_blocks or element.name in BLOCKS

    def _close_down_to(self, height: int) -> None:
        while len(self.stack) > height or (self.stack and self.stack[-1].ended):
            element = self.stack.pop()
            self.unended[element.name] -= not element.ended
            self.out.append(f"</{element.name}>")
