"""How the words of `tempmail.content.vocabulary` are found in a mail, whatever its spelling.

Words are compared folded: digits of any script as ASCII, Latin, Greek and Cyrillic letters in lower
case and without their marks (so ``código`` and ``codigo`` are one word, and it does not matter
whether a mail is composed or decomposed), Arabic letters in one spelling. Between the words of a
phrase a hyphen is a blank: ``log-in``, ``Login-Link``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from attrs import frozen

from tempmail.content.vocabulary import Table


def _without_marks(first: int, last: int) -> Iterator[tuple[int, str]]:
    """Each letter of a range that is a letter with marks, and the letter alone."""
    for point in range(first, last + 1):
        base = unicodedata.normalize("NFD", chr(point))[0]
        if base != chr(point) and len(base.lower()) == 1:
            yield point, base


_SAME_WIDTH: dict[int, str | None] = {
    **{point: chr(point - 0xFEE0) for point in range(0xFF21, 0xFF5B) if chr(point).isalpha()},
    **{point: str(unicodedata.decimal(chr(point))) for point in range(0x80, 0x1FBFA)
       if unicodedata.category(chr(point)) == "Nd"},
    **dict.fromkeys([*range(0x2000, 0x200B), 0xA0, 0x202F, 0x205F, 0x3000, 0x09, 0x0B, 0x0C], " "),
    **dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE63, 0xFF0D], "-"),
    **dict.fromkeys([0x2018, 0x2019, 0xFF07], "'"),
    **dict.fromkeys([0xAD, 0x34F, 0x640, *range(0x200B, 0x2010), *range(0x202A, 0x202F)]),
    **dict.fromkeys([*range(0x2060, 0x2070), 0xFEFF, *range(0x300, 0x370)]),
    **dict.fromkeys([*range(0x64B, 0x660), *range(0xFE00, 0xFE10)]),
}  # fmt: skip
_LETTERS: dict[int, str] = {
    **dict(_without_marks(0xC0, 0x52F)),
    **dict(_without_marks(0x1E00, 0x1FFF)),
    **{ord(letter): plain for letter, plain in zip("ıłđøßØŁĐ", "ildosold", strict=True)},
    **{ord(letter): plain for letter, plain in zip("أإآٱؤئيىكةۀ", "ااااویییکهه", strict=True)},
}


def folded_digits(text: str) -> str:
    """The text with digits and Latin letters of any width as ASCII, every blank as one kind of
    blank, dashes as ``-``, and characters that are not seen left out. May be shorter."""
    return text.translate(_SAME_WIDTH)


def folded(text: str) -> str:
    """What words are compared by. Of a text from `folded_digits` it keeps every place."""
    low = text.translate(_LETTERS)
    return low.lower() if len(low.lower()) == len(low) else "".join(_lower(c) for c in low)


def _lower(character: str) -> str:
    low = character.lower()
    return low if len(low) == 1 else character


class Kind(Enum):
    """What a phrase says about what stands near it."""

    CODE = "the name of a verification code"
    MAYBE_CODE = "a word that may name a code"
    SOME_CODE = "the name of a code of another kind, or of one that nobody knows"
    OTHER_NUMBER = "the name of another number"
    THING = "a thing that may have a number"
    MEETING = "what a meeting is joined by"
    LIFETIME = "how long something is good"
    MINUTES = "a short time"
    CAUTION = "who may see a code, or what to do if one did not ask for it"
    ENTRY = "what a reader does with a code"
    PURPOSE = "what a code is entered for"
    SUBJECT = "the subject of the mail"
    DISCOUNT = "something is given away"
    FORMER = "said of a code that another has replaced"
    DONE = "said of a code that is somewhere else"
    GONE = "said of a code that does not work any more"
    ACTION = "asks for the one step the mail is about"
    SIGN_IN = "signing in"
    INVITATION = "somebody has invited the reader"
    JOIN = "joining something, for whatever reason"
    STOP = "ends or changes a subscription"
    ELSEWHERE = "leads to something that is not the purpose of the mail"
    TOPIC = "begins or is the title of something to read"
    YES = "answers a question"
    POINTER = "points to a link without saying what for"
    NOT_YOU = "only for those who did not ask for the mail"


@frozen
class Cue:
    """A phrase found: what it says and where it stands."""

    kind: Kind
    start: int
    end: int


class Lexicon:
    """Finds phrases of several kinds in folded text, the first and longest, in linear time."""

    def __init__(self, tables: Iterable[tuple[Kind, Table]]) -> None:
        self._kinds: dict[str, Kind] = {}
        trees: dict[str, dict[str, object]] = {}
        for kind, table in tables:
            for phrase in phrases(table):
                core = phrase.strip("*").replace("-", " ")
                self._kinds[core] = kind
                before, after = _borders(phrase)
                branch = trees.setdefault(before, {})
                for character in core:
                    branch = branch.setdefault(character, {})  # type: ignore[assignment]
                branch[after] = {}
        ordered = sorted(trees.items(), key=lambda item: item[0] == "")
        self._pattern = re.compile("|".join(before + _pattern(tree) for before, tree in ordered))

    def find(self, low: str) -> list[Cue]:
        """Every phrase in the text, none overlapping another."""
        found = self._pattern.finditer(low)
        return [Cue(self._kinds[match[0].replace("-", " ")], *match.span()) for match in found]


def phrases(table: Table) -> Iterator[str]:
    """Every phrase of a table, folded."""
    for line in table.values():
        for phrase in line.split(","):
            yield folded(folded_digits(" ".join(phrase.split())))


_SCRIPTS = ("a-z0-9", "Ѐ-ӿ")
"""The scripts whose words are parted by blanks and are not written together with a particle."""


def _borders(phrase: str) -> tuple[str, str]:
    """Patterns for what may not stand before and behind a phrase."""
    before = next((s for s in _SCRIPTS if re.match(f"[{s}]", phrase)), "")
    after = next((s for s in _SCRIPTS if re.search(f"[{s}]$", phrase)), "")
    after = after.replace("0-9", "")
    return (f"(?<![{before}])" if before else ""), (f"(?![{after}])" if after else "")


def _pattern(tree: Mapping[str, object]) -> str:
    """A tree of characters as a pattern: longer phrases first, no branch tried twice."""
    branches = []
    for key in sorted(tree, key=lambda key: len(key) != 1):
        branch = tree[key]
        assert isinstance(branch, dict)  # noqa: S101
        character = "[ -]" if key == " " else re.escape(key)
        branches.append(character + _pattern(branch) if len(key) == 1 else key)
    return branches[0] if len(branches) == 1 else "(?:" + "|".join(branches) + ")"
