"""What stands in a line of text that has the shape of a verification code.

A code has 4 to 10 digits, or letters and digits; it may be grouped, spaced out, or follow a prefix.
What has the shape of something else (an address on the web, a price, a telephone number, a masked
card) is taken out first. Every pattern is possessive or bounded, so a line costs linear time.
"""
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from attrs import evolve, frozen

MIN_LENGTH = 4
MAX_LENGTH = 10


class Shape(Enum):
    """How a candidate is written."""

    DIGITS = "482913"
    GROUPED = "482 913"
    SPACED = "4 8 2 9 1 3"
    PREFIXED = "G-482913"
    MIXED = "A7K9Q2"
    MIXED_GROUPS = "XK4P-77QD"
    LOWER_MIXED = "a7k9q2"
    LOWER_GROUPS = "xk4p-77qd"
    WORD_AND_NUMBER = "tulip-4482"
    LETTERS = "QXRTBN"
    PARTED_GROUPS = "XK4 77Q"
    CASE_GROUPS = "xK4p-77Qd"


CAREFUL = (Shape.LETTERS, Shape.PARTED_GROUPS, Shape.CASE_GROUPS)
"""Shapes that so much else has that they are codes only where they are plainly shown as one."""


SHAPE_WEIGHT = {
    Shape.DIGITS: 0.0,
    Shape.GROUPED: 0.5,
    Shape.SPACED: 1.0,
    Shape.PREFIXED: 1.0,
    Shape.MIXED: 0.2,
    Shape.MIXED_GROUPS: 0.3,
    Shape.LOWER_MIXED: -1.2,
    Shape.LOWER_GROUPS: -1.2,
    Shape.WORD_AND_NUMBER: -1.2,
    Shape.LETTERS: -1.2,
    Shape.PARTED_GROUPS: 0.3,
    Shape.CASE_GROUPS: -0.5,
}
"""How much more codes look like that than other numbers in mails do, as log-odds."""

LENGTH_WEIGHT = {4: -0.3, 5: 0.0, 6: 1.0, 7: 0.0, 8: 0.0, 9: -0.7, 10: -1.2}
"""Log-odds for a number of digits: six is what most services send."""

_COUNTS = "no one two three four five six seven eight nine ten".split()


@frozen
class Candidate:
    """Something written like a code, at a place in its line. ``doubt`` says what else it may be."""

    value: str
    shape: Shape
    start: int
    end: int
    doubt: str = ""

    @property
    def weight(self) -> float:
        """What its shape and length alone say, as log-odds."""
        digits = len(self.value) if self.value.isdigit() else 0
        return SHAPE_WEIGHT[self.shape] + LENGTH_WEIGHT.get(digits, 0.0)

    @property
    def words(self) -> str:
        """The shape in words: ``six digits in groups``."""
        count = _COUNTS[len(self.value)] if len(self.value) < len(_COUNTS) else str(len(self.value))
        match self.shape:
            case Shape.DIGITS:
                return f"{count} digits"
            case Shape.GROUPED:
                return f"{count} digits in groups"
            case Shape.SPACED:
                return f"{count} characters spaced out"
            case Shape.PREFIXED:
                return f"{count} digits after a prefix"
            case Shape.LETTERS:
                return f"{count} capital letters"
            case _:
                return "letters and digits"


_CURRENCY = (
    r"[$€£¥￥₹₽₩₺₴฿₫₪₱]|R\$|EUR|USD|GBP|CHF|CAD|AUD|INR|JPY|CNY|RMB|PLN|SEK|NOK|DKK|CZK|RUB|UAH"
    r"|TRY|Rs|Rp|RM"
)
_CURRENCY_BEHIND = rf"[€₽₺₴฿₫₪円元원]|(?:{_CURRENCY}|zł|kr|TL|Kč|Ft|lei|грн|руб|đ|บาท)(?!\w)"
_AMOUNT = r"\d{1,9}(?:[., ']\d{3}){0,4}(?:[.,]\d{1,2})?(?!\d)"
_NOT_CODES = re.compile(
    rf"""
      (?:https?://|www\.)[!-;=?-~]++                                # addresses on the web
    | (?<![\w.%+-])[\w.%+-]++@[A-Za-z0-9.-]{{1,255}}                # and of mailboxes
    | (?:{_CURRENCY})[ ]?{_AMOUNT}                                  # prices
    | (?<![\d.,]){_AMOUNT}[ ]?(?:{_CURRENCY_BEHIND})
    | (?<!\d)\d{{1,12}}[ ]?[%٪]
    | \+\d[\d ().\-/]{{5,20}}\d                                      # telephones
    | \(\+?\d{{1,5}}\)[ \-]?\d[\d .\-]{{4,14}}\d
    | (?<![\d-])0\d{{1,4}}[ ./-]\d{{3,4}}[ .-]\d{{3,4}}(?!\d)
    | (?<![\d-])0\d{{2,4}}[ /-]\d{{5,8}}(?!\d)
    | (?<![\d-])0\d(?:[ .-]\d{{2}}){{4}}(?!\d)
    | (?<![A-Za-z0-9])(?:[*•●∙]{{2,20}}|[xX]{{2,20}})[ *•●∙xX-]{{0,20}}\d{{2,4}}(?![\d*])  # cards
    | (?<![A-Za-z0-9])[A-Z]{{2}}\d\d(?:[ ][A-Z0-9]{{4}}){{2,7}}(?:[ ][A-Z0-9]{{1,3}}(?!\w))? # IBANs
    | (?<![A-Za-z0-9])(?P<post>[A-Z]{{1,2}}\d[A-Z\d]?[ ]\d[A-Z]{{2}})(?!\w)  # British postcodes
    | (?<!\d)(?:19|20)\d\d[ ]?[年년]
    """,
    re.VERBOSE,
)
_CHUNK = re.compile(
    r"[A-Za-z0-9]++(?:(?>(?:[-/_]|(?<=\d)[:.](?=\d)|(?<=[A-Za-z])\.(?=[A-Za-z0-9]))[A-Za-z0-9]++))*+"
)
_DIGIT_GROUPS = re.compile(r"\d{1,10}(?:-\d{1,10}){0,9}")
_PREFIXED = re.compile(r"([A-Z]{1,3})-(\d{4,8})")
_MIXED = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{4,10}")
_MIXED_GROUPS = re.compile(r"[A-Z0-9]{2,6}(?:-[A-Z0-9]{2,6}){1,3}")
_LOWER_GROUPS = re.compile(r"(?=[a-z-]*\d)(?=[0-9-]*[a-z])[a-z0-9]{3,6}(?:-[a-z0-9]{3,6}){1,3}")
_CASE_GROUPS = re.compile(r"(?=[A-Za-z-]*\d)[A-Za-z0-9]{3,6}(?:-[A-Za-z0-9]{3,6}){1,3}")
_PARTED_GROUPS = re.compile(
    r"(?<!\w)(?=[A-Z]*\d)[A-Z0-9]{2,3}(?: (?=[A-Z]*\d)[A-Z0-9]{2,3}){1,3}(?!\w)"
)
_WORD_DASH_NUMBER = re.compile(r"[A-Za-z]?[a-z]{2,11}-\d{2,6}")
_NOT_MIXED = re.compile(
    r"[a-z]?[A-Z]?[a-z]{2,}\d{1,4}|[a-z][A-Z]{2}\d{1,3}|\d{1,10}[a-z]{1,4}"
    r"|\d{1,4}(?:AM|PM|GB|MB|KB|TB)|\d{1,2}OFF|(?:[01]?\d|2[0-3])[hH][0-5]\d(?:m|min)?"
)
"""*autumn2026*, *iPhone15*, *iOS18*, *15min*, *500MB*, *18h05*."""

_COUPON = re.compile(r"(?=[A-Z]{0,3}[AEIOUY])[A-Z]{4,8}\d{2,4}|(?=[A-Z]?[AEIOUY])[A-Z]{3}\d[05]")
"""*AUTUMN20*, *NOEL2026*, *VIP10*: something like a word, and a number."""

_YEARS = re.compile(r"(?:(?:19|20)\d\d){2}")
_YEAR = re.compile(r"19\d\d|20[0-3]\d")
_COMMIT = re.compile(r"[0-9a-f]{7}")
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_SHORT_DATE = re.compile(r"(?:0[1-9]|[12]\d|3[01])-(?:0[1-9]|1[0-2])-\d\d")
_DECIMALS = re.compile(r",\d{1,2}(?![\d\u3000-\u9fff])|\.\d")
_FILE = re.compile(
    r"[\])]?\.(?:pdf|docx?|xlsx?|pptx?|od[st]|txt|csv|html?|xml|json|ics|zip|png|jpe?g|gif|heic|mp[34]"
    r"|mov)(?![a-z0-9])",
    re.IGNORECASE,
)
_GAPS = frozenset({" ", " - ", "-", "·", " · ", " | ", "|"})
_BADLY_PRECEDED = frozenset("/\\@+&_~.")


def candidates(line: str) -> list[Candidate]:
    """Everything in the line that is written like a code, from left to right. The line is as
    `tempmail.content.cues.folded_digits` gives it."""
    clean = _NOT_CODES.sub(_blanked, line)
    groups = _parted_groups(line) if _PARTED_GROUPS.search(line) else []
    found: list[Candidate] = []
    for run in _runs(clean):
        found.extend(_of_run(clean, run))
    if groups:
        within = {place for c in found for place in (c.start, c.end - 1)}
        found.extend(c for c in groups if within.isdisjoint(range(c.start, c.end)))
        found.sort(key=lambda candidate: candidate.start)
    return [_doubted(line, c) for c in found if _free_standing(clean, c)]


def _blanked(found: re.Match[str]) -> str:
    return "\0" * len(found[0])


def _parted_groups(line: str) -> list[Candidate]:
    """Capital letters and digits in groups of one size that are parted by blanks: each too short to
    be a code, and each with a digit in it. They may look like a British postcode."""
    line = _NOT_CODES.sub(lambda found: found["post"] or _blanked(found), line)
    places = []
    for found in _PARTED_GROUPS.finditer(line):
        groups = found[0].split(" ")
        value = "".join(groups)
        fits = 6 <= len(value) <= MAX_LENGTH and len({len(group) for group in groups}) == 1
        if fits and not value.isdigit() and not any(map(_NOT_MIXED.fullmatch, groups)):
            places.append(Candidate(value, Shape.PARTED_GROUPS, *found.span()))
    return places


def _runs(line: str) -> Iterator[list[re.Match[str]]]:
    """Chunks in turn; those of digits, or of one character, that follow each other together."""
    run: list[re.Match[str]] = []
    for chunk in _CHUNK.finditer(line):
        if run and _continues(line, run, chunk):
            run.append(chunk)
            continue
        if run:
            yield run
        run = [chunk]
    if run:
        yield run


def _continues(line: str, run: list[re.Match[str]], chunk: re.Match[str]) -> bool:
    last = run[-1]
    if line[last.end() : min(chunk.start(), last.end() + 4)] not in _GAPS or len(run) > 10:
        return False
    return _kind(last) == _kind(chunk) or (last[0].isdigit() and chunk[0].isdigit())


def _kind(chunk: re.Match[str]) -> str:
    text = chunk[0]
    if len(text) == 1 and (text.isdigit() or text.isupper()):
        return "single"
    if len(text) <= 24 and _DIGIT_GROUPS.fullmatch(text):
        return "digits"
    return text if len(text) <= 24 else ""


def _of_run(line: str, run: list[re.Match[str]]) -> list[Candidate]:
    start, end = run[0].start(), run[-1].end()
    groups = [group for chunk in run for group in chunk[0].split("-")]
    if all(len(group) == 1 for group in groups):
        value = "".join(groups)
        fits = MIN_LENGTH <= len(value) <= MAX_LENGTH
        return [Candidate(value, Shape.SPACED, start, end)] if fits else []
    if len(run) == 1:
        candidate = _of_chunk(run[0], line)
        return [candidate] if candidate else []
    if all(group.isdigit() for group in groups) and _well_grouped(groups):
        return [Candidate("".join(groups), Shape.GROUPED, start, end)]
    alone = (_of_chunk(chunk, line) for chunk in run if len(chunk[0]) > MIN_LENGTH)
    return [candidate for candidate in alone if candidate and candidate.shape is Shape.DIGITS]


def _well_grouped(groups: list[str]) -> bool:
    """Groups of one size, or two that differ by one; other groupings are telephone numbers."""
    sizes = {len(group) for group in groups}
    even = len(sizes) == 1 or (len(groups) == 2 and max(sizes) - min(sizes) == 1)
    return even and MIN_LENGTH <= sum(map(len, groups)) <= MAX_LENGTH and min(sizes) > 1


def _of_chunk(chunk: re.Match[str], line: str) -> Candidate | None:
    text, start, end = chunk[0], chunk.start(), chunk.end()
    if len(text) > 24:
        return None
    if text.isdigit():
        fits = MIN_LENGTH <= len(text) <= MAX_LENGTH
        return Candidate(text, Shape.DIGITS, start, end) if fits else None
    if _DIGIT_GROUPS.fullmatch(text):
        doubt = "a date" if _SHORT_DATE.fullmatch(text) else ""
        groups = text.split("-")
        value = "".join(groups)
        good = _well_grouped(groups)
        return Candidate(value, Shape.GROUPED, start, end, doubt) if good else None
    if (prefixed := _PREFIXED.fullmatch(text)) and not (len(prefixed[1]) == 3 == len(text) - 5):
        return Candidate(prefixed[2], Shape.PREFIXED, start, end)
    if _MIXED_GROUPS.fullmatch(text):
        even = len({len(group) for group in text.split("-")}) == 1
        return Candidate(text, Shape.MIXED_GROUPS, start, end) if even else None
    if _LOWER_GROUPS.fullmatch(text) and len({len(group) for group in text.split("-")}) == 1:
        return Candidate(text, Shape.LOWER_GROUPS, start, end)
    if _CASE_GROUPS.fullmatch(text) and len({len(group) for group in text.split("-")}) == 1:
        return Candidate(text, Shape.CASE_GROUPS, start, end)
    if _WORD_DASH_NUMBER.fullmatch(text):
        return Candidate(text, Shape.WORD_AND_NUMBER, start, end)
    if MIN_LENGTH <= len(text) <= MAX_LENGTH and text.isalpha() and text.isupper():
        return Candidate(text, Shape.LETTERS, start, end)
    if _MIXED.fullmatch(text) and not _NOT_MIXED.fullmatch(text):
        shape = Shape.MIXED if text == text.upper() else Shape.LOWER_MIXED
        return Candidate(text, shape, start, end)
    return None


def _free_standing(line: str, candidate: Candidate) -> bool:
    """Not the inside of something longer, not the whole part of a decimal number, not in the name
    of a file, and not ended by the ``#`` of a telephone."""
    before = line[candidate.start - 1 : candidate.start] if candidate.start else ""
    dialled = line.startswith("#", candidate.end)
    within = _DECIMALS.match(line, candidate.end) or _FILE.match(line, candidate.end)
    return before not in _BADLY_PRECEDED and not dialled and not within


def _doubted(line: str, candidate: Candidate) -> Candidate:
    if candidate.doubt:
        return candidate
    if candidate.start and line[candidate.start - 1] == "#":
        return evolve(candidate, doubt="a number behind “#”")
    if candidate.shape is Shape.MIXED and _COUPON.fullmatch(candidate.value):
        return evolve(candidate, doubt="a coupon")
    if candidate.shape is Shape.LOWER_MIXED and _COMMIT.fullmatch(candidate.value):
        return evolve(candidate, doubt="a commit")
    if candidate.shape is Shape.GROUPED and _YEARS.fullmatch(candidate.value):
        return evolve(candidate, doubt="years")
    if candidate.shape is Shape.DIGITS and _YEAR.fullmatch(candidate.value):
        return evolve(candidate, doubt="a year")
    if candidate.shape is Shape.DIGITS and _DATE.fullmatch(candidate.value):
        return evolve(candidate, doubt="a date")
    return candidate
