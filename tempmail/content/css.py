"""Style sheets and ``style`` attributes of strangers, down to what can only colour and arrange.

Nothing is searched for evil here. A declaration passes when its property is on a list and its
value is made of known tokens only, and the result is written anew from those; everything else,
escapes (CSS Syntax 4.3.7) among it, is not understood and therefore gone. So whatever a browser
makes of the input, the output says one thing to every reader.

What is let through can neither fetch anything nor paint outside its own place in the flow: there
is no positioning, no stacking, no transform, no negative margin and no viewport unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import css_inline
from attrs import frozen

VALUE_LENGTH = 400
"""Characters of one value. A font stack of a real newsletter has some 150."""

SHADOW_REACH = 64
"""CSS pixels that a shadow, an outline or letter spacing may reach: visible, yet no overlay."""

COMBINATORS = 8
"""Combinators in one selector; matching cost grows with them. Newsletters use two or three."""

SHEET_LENGTH = 400_000
"""Characters of all style sheets of a mail. Newsletters have up to 100,000."""

STYLE_COST = 8_000_000
"""Characters that style sheets may at most add: for each rule, its length times the elements that
could match. A large newsletter comes to some 500,000."""

STYLE_MATCHES = 2_000_000
"""Rules times elements that could match: what matching costs at worst, some 0.1 s."""

BODY_CLASS = "x-body"
"""The class that stands in for the ``body`` element, which a fragment can not have."""

_PLAIN = """
    background background-color background-image background-position background-repeat
    background-size border border-bottom border-bottom-color border-bottom-left-radius
    border-bottom-right-radius border-bottom-style border-bottom-width border-collapse border-color
    border-left border-left-color border-left-style border-left-width border-radius border-right
    border-right-color border-right-style border-right-width border-spacing border-style border-top
    border-top-color border-top-left-radius border-top-right-radius border-top-style
    border-top-width border-width box-sizing caption-side clear color column-gap direction display
    empty-cells float font font-family font-size font-style font-variant font-weight gap height
    line-height list-style list-style-position list-style-type max-height max-width min-height
    min-width opacity overflow overflow-wrap overflow-x overflow-y padding padding-bottom
    padding-left padding-right padding-top row-gap table-layout text-align text-decoration
    text-decoration-color text-decoration-line text-decoration-style text-overflow text-transform
    unicode-bidi vertical-align visibility white-space width word-break word-wrap
    flex flex-basis flex-direction flex-grow flex-shrink flex-wrap align-items justify-content
"""
_NEVER_NEGATIVE = "margin margin-bottom margin-left margin-right margin-top text-indent"
_SHORT_REACH = "box-shadow letter-spacing outline text-shadow word-spacing"

_PLAIN_SET = frozenset(_PLAIN.split())
_NEVER_NEGATIVE_SET = frozenset(_NEVER_NEGATIVE.split())
_SHORT_REACH_SET = frozenset(_SHORT_REACH.split())

_UNIT = r"(?:px|em|rem|ex|ch|pt|pc|in|cm|mm|deg|%)?"
_NUMBER = rf"[+-]?(?:[0-9]{{1,5}}(?:\.[0-9]{{0,12}})?|\.[0-9]{{1,12}}){_UNIT}(?![\w.%])"
_COLOUR = r"(?:rgb|hsl)a?\([0-9.,%/ a-z+-]{1,80}\)"
_GRADIENT = rf"(?:linear|radial)-gradient\((?:[\w#.,%/ +-]|{_COLOUR}){{1,300}}\)"
_CALC = r"calc\((?:[\w.%+*/ -]|\([\w.%+*/ -]{1,80}\)){1,120}\)"
_WORD = r"-?[^\W\d][\w-]*(?![(\w-])"
_STRING = r"\"[\w .,&+-]*\"|'[\w .,&+-]*'"
_VALUE = re.compile(
    rf"(?:(?>{_NUMBER}|\#[0-9a-f]{{3,8}}(?!\w)|{_COLOUR}|{_GRADIENT}|{_CALC}|{_WORD}|{_STRING}"
    r"|[ ,/]))++",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"-?(?:\d+\.?\d*|\.\d+)([a-z%]*)", re.IGNORECASE)
_IMPORTANT = re.compile(r"[ \t\n\f\r]*![ \t\n\f\r]*important$", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\f\r]+")
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_URL = re.compile(
    r"url\([ \t\n\f\r]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^()\"' ]*+))[^()]*+\)", re.IGNORECASE
)
_PLAIN_URL = re.compile(r"[\w:/?#%&=.,~+@!$*-]{1,2000}")
_PIECES = re.compile(
    r"(?:(?>[^;\"'(]++|\"[^\"]*+\"|'[^']*+'|\([^()]*+(?:(?>\([^()]*+\)[^()]*+))*+\)|[\"'(]))++"
)
_SELECTOR = re.compile(
    rf"(?:[*\w-][\w-]*+)?(?:(?>[.#][\w-]++))*+"
    rf"(?:(?: ?> ?| )(?:[*\w-][\w-]*+)?(?:(?>[.#][\w-]++))*+){{0,{COMBINATORS}}}",
    re.ASCII,
)
_BODY_TYPE = re.compile(r"(?<![\w.#-])body(?![\w-])", re.IGNORECASE)
_SHOWN_EVERYWHERE = re.compile(r"@media +(?:only +)?(?:all|screen)")
_END = r"(?:px)?(?: !important)?(?=;|$)"
_INVISIBLE = re.compile(
    rf"(?:^|;)(?:display:none|visibility:hidden|(?:opacity|(?:max-)?(?:width|height)):0?\.?0*{_END})"
)
_TINY = re.compile(rf"(?:^|;)(?:max-)?(width|height):[01]{_END}")


_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_link_tags=False)


@frozen
class Declarations:
    """The declarations of one rule or ``style`` attribute that passed."""

    text: str = ""
    """``property:value`` joined by ``;``, free of ``<``, ``>``, ``\\`` and ``&`` outside of names
    of fonts."""

    pictures: tuple[str, ...] = ()
    """Addresses that backgrounds would have fetched, as written; not checked."""

    @property
    def invisible(self) -> bool:
        """Whether what is styled so can not be seen: hidden, transparent, or a pixel large."""
        tiny = {found[1] for found in _TINY.finditer(self.text)}
        return len(tiny) == 2 or _INVISIBLE.search(self.text) is not None


@frozen
class Rule:
    """One selector with its declarations."""

    selector: str
    declarations: str

    @property
    def key(self) -> str:
        """The name that an element must at least carry to match: ``#id``, ``.class``, a tag name,
        or ``*``."""
        last = self.selector.replace(">", " ").split(" ")[-1]
        names = re.findall(r"[.#]?[\w*-]+", last)
        if not names:
            return "*"
        name = str(names[-1])
        return name if name[0] in ".#" else name.lower()


@frozen
class Sheet:
    """A style sheet reduced to plain rules, in their order."""

    rules: tuple[Rule, ...] = ()

    def __str__(self) -> str:
        return "".join(f"{rule.selector}{{{rule.declarations}}}" for rule in self.rules)


def declarations(text: str) -> Declarations:
    """Filter the content of a ``style`` attribute or of one rule. Linear; never raises."""
    if "/*" in text or "--" in text:
        text = _COMMENT.sub("", text)
    pieces = text.split(";") if _is_flat(text) else _PIECES.findall(text)
    kept: list[str] = []
    pictures: list[str] = []
    for piece in pieces:
        name, colon, value = piece.partition(":")
        name = name.strip().lower()
        if not colon or not _is_known(name):
            continue
        if name.startswith("background") and "(" in value:
            value = _URL.sub(lambda found: _take(found, pictures), value)
        checked = _value(name, value)
        if checked:
            kept.append(f"{name}:{checked}")
    return Declarations(";".join(kept), tuple(pictures))


def sheet(text: str) -> Sheet:
    """Reduce a style sheet to the rules that always apply on a screen. Linear; never raises.

    Rules under a condition (``@media`` with a width, a colour scheme) are left out: a style
    attribute can not say "if", and the unconditional ones are the layout that its author drew for
    readers who understand no conditions. ``@import`` and ``@font-face`` are never looked at. A
    background that would be fetched stays in its rule as an address, for :func:`declarations` of
    the element to tell.
    """
    rules: list[Rule] = []
    for prelude, body in _blocks(_COMMENT.sub("", text)):
        found = declarations(body)
        kept = ";".join(filter(None, (found.text, _background(found.pictures))))
        if kept:
            rules += [Rule(selector, kept) for selector in _selectors(prelude)]
    return Sheet(tuple(rules))


@frozen
class Styled:
    """Markup whose style sheets moved into ``style`` attributes."""

    markup: str
    defects: tuple[str, ...] = ()


def inlined(markup: str, sheets: Sequence[str], names: Mapping[str, int]) -> Styled:
    """Apply style sheets to markup that :func:`.caps.level` wrote. Never raises.

    :param names: how many elements there are of each tag name, ``.class`` and ``#id``.
    """
    if sum(map(len, sheets)) > SHEET_LENGTH:
        return Styled(markup, (f"style sheets left out: more than {SHEET_LENGTH} characters",))
    reduced = sheet("\n".join(sheets))
    if not reduced.rules or not markup:
        return Styled(markup)
    everything = sum(count for name, count in names.items() if name[0] not in ".#")
    matches = [everything if r.key == "*" else names.get(r.key, 0) for r in reduced.rules]
    cost = sum(n * len(r.declarations) for n, r in zip(matches, reduced.rules, strict=True))
    if cost > STYLE_COST or sum(matches) > STYLE_MATCHES:
        return Styled(markup, ("style sheets left out: too many rules and elements",))
    try:
        return Styled(_INLINER.inline(f"<style>{reduced}</style>{markup}"))
    except css_inline.InlineError:
        return Styled(markup, ("style sheets left out: not understood",))


def _is_flat(text: str) -> bool:
    return "(" not in text and '"' not in text and "'" not in text


def _is_known(name: str) -> bool:
    return name in _PLAIN_SET or name in _NEVER_NEGATIVE_SET or name in _SHORT_REACH_SET


def _background(pictures: tuple[str, ...]) -> str:
    """The declaration that carries the address of a background on to where it is judged."""
    if not pictures or not _PLAIN_URL.fullmatch(pictures[0]):
        return ""
    return f'background-image:url("{pictures[0]}")'


def _take(found: re.Match[str], pictures: list[str]) -> str:
    pictures.append(found[1] or found[2] or found[3] or "")
    return ""


def _value(name: str, value: str) -> str:
    """The value written anew, or nothing when any of it is not understood."""
    value = _SPACE.sub(" ", value).strip()
    plain = _IMPORTANT.sub("", value)
    if not plain or len(plain) > VALUE_LENGTH or not _VALUE.fullmatch(plain):
        return ""
    if name in _NEVER_NEGATIVE_SET and ("-" in plain or "(" in plain):
        return ""
    if name in _SHORT_REACH_SET and not _reaches_little(plain):
        return ""
    return plain if plain == value else f"{plain} !important"


def _reaches_little(value: str) -> bool:
    if "calc(" in value.lower():
        return False
    without_colours = re.sub(rf"{_COLOUR}|#\w+", "", value, flags=re.IGNORECASE)
    for found in _LENGTH.finditer(without_colours):
        pixels = float(found[0].removesuffix(found[1])) * (1 if found[1] in ("", "px") else 16)
        if abs(pixels) > SHADOW_REACH:
            return False
    return True


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each innermost block ``prelude { body }`` that no condition stands around."""
    open_preludes: list[str] = []
    chunk = ""
    for mark in re.split(r"([{}])", text):
        if mark == "{":
            open_preludes.append(chunk.rpartition(";")[2].strip())
        elif mark == "}":
            if open_preludes:
                prelude = open_preludes.pop()
                around = len(open_preludes) <= 1 and all(map(_applies, open_preludes))
                if around and prelude and not prelude.startswith("@"):
                    yield prelude, chunk
        else:
            chunk = mark
            continue
        chunk = ""


def _applies(prelude: str) -> bool:
    return _SHOWN_EVERYWHERE.fullmatch(_SPACE.sub(" ", prelude.lower())) is not None


def _selectors(prelude: str) -> Iterator[str]:
    for written in prelude.split(","):
        selector = _SPACE.sub(" ", written).strip().replace(":link", "")
        selector = _BODY_TYPE.sub(f".{BODY_CLASS}", selector)
        if selector and len(selector) <= VALUE_LENGTH and _SELECTOR.fullmatch(selector):
            yield selector
