"""What the words of a mail call a number: the name before it, behind it, above or below it.

A name names one number: once it has one, it is weaker for the next on its line, and nothing to the
lines below. Between the name of a code and the name of another number the nearer wins, unless the
other number is only what the code is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import Factory, define, field, frozen

from tempmail.content import vocabulary
from tempmail.content.cues import Cue, Kind, Lexicon, folded, folded_digits
from tempmail.content.shapes import Candidate, Shape, candidates

MAX_TEXT = 100_000
"""Characters that are read of a subject or a body. A code stands near the top of a mail."""

MAX_CANDIDATES = 200
"""Candidates weighed in one body; a text with more numbers is a list, not a verification mail."""

CODE_NAMES = {Kind.CODE: 5.0, Kind.MAYBE_CODE: 3.8}
_NAMED_BEHIND = {Kind.CODE: 4.5, Kind.MAYBE_CODE: 3.3}
_NAMED_ABOVE = {Kind.CODE: (4.2, 3.0, 2.0), Kind.MAYBE_CODE: (3.0, 2.0, 1.2)}
_NAMED_BELOW = {Kind.CODE: 2.5, Kind.MAYBE_CODE: 1.5}
_TO_BE_ENTERED = 4.0
_PRESENTED_OUTRIGHT = 1.2
_OTHER_SENTENCE = -1.2
_OTHER_NUMBER_BETWEEN = -2.5
_BURIED = -2.5
_OTHER_NAME = -6.0

_REACH = 120
_REACH_BEHIND = 60
_SENTENCE_END = re.compile(r"[.!?]\s|[。!?؟।]")
_NUMBER_SIGN = re.compile(r"[\s:;#№°º.()\-=|*_']*(?:(?:no|nr|number|id|is|n|num)(?![a-z]))?"
                          r"[\s:;#№°º.()\-=|*_']*")  # fmt: skip
_PRESENTING = re.compile(
    r"(?:^|[:=]|(?<![a-z])(?:is|est|es|ist|lautet|e|ini|to|jest|er|ar|on|je|este|la|ay|ialah|adalah)"
    r"|הוא|هو|είναι|ειναι|是|为|為|は)[ \"'«“”「『【\[(<*_|:-]{0,6}$"
)
"""Ends the words before a number that is presented outright: ``: ``, ``is ``, or nothing at all."""

_ENTER = re.compile(r"(?<![a-z])(?:use|enter|type|input) [*_\"'“]{0,3}$")
_TO_SIGN_IN = re.compile(
    r"[*_\"'”]{0,3} to (?:verify|confirm|sign in|log in|login|complete|finish|continue|access"
    r"|unlock|activate|reset|authenticate|validate|authorize|authorise)(?![a-z])"
)
"""Before and behind a number that nothing names: *Use 482913 to sign in*."""

_NOT_LETTER_CODES = frozenset(
    "below above here code codes valid invalid expired expire verify confirm click button hello "
    "dear thanks thank important note login account never email password security your team "
    "support please warning info sign news only once this that http https".split()
)

LEXICON = Lexicon(
    [
        (Kind.LIFETIME, vocabulary.LIFETIMES),
        (Kind.MAYBE_CODE, vocabulary.MAYBE_CODES),
        (Kind.THING, vocabulary.THINGS),
        (Kind.OTHER_NUMBER, vocabulary.OTHER_NUMBERS),
        (Kind.MEETING, vocabulary.MEETINGS),
        (Kind.CODE, vocabulary.CODES),
    ]
)


@frozen
class Evidence:
    """Something that speaks for or against a candidate: log-odds, and words for the reason."""

    weight: float
    words: str = ""
    kind: Kind | None = None
    """For the name of a candidate: how plainly it names a code."""


@define
class Line:
    text: str
    low: str = field(init=False)
    candidates: list[Candidate] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.low = folded(self.text)
        self.candidates = candidates(self.text)

    def alone(self, candidate: Candidate) -> bool:
        """Whether no other word stands in the line."""
        rest = self.text[: candidate.start] + self.text[candidate.end :]
        return len(rest) < 80 and not any(map(str.isalnum, rest))

    def leads(self, candidate: Candidate) -> bool:
        """Whether no word stands before it in the line."""
        return candidate.start < 40 and not any(map(str.isalnum, self.text[: candidate.start]))

    def cues(self, start: int, end: int) -> list[Cue]:
        """The phrases between two places, placed in the line."""
        start = max(0, start)
        found = LEXICON.find(self.low[start:end])
        return [Cue(cue.kind, cue.start + start, cue.end + start) for cue in found]


@define
class Source:
    """The lines of a subject or a body that have something in them."""

    name: str
    _body: str
    lines: list[Line] = field(init=False)
    taken: set[tuple[int, int]] = Factory(set)
    """Names that a candidate already has: line and place. A name names one number."""

    def __attrs_post_init__(self) -> None:
        self.lines = [Line(line) for line in _lines(self._body[:MAX_TEXT])]

    def weighable(self) -> Iterator[tuple[int, Candidate]]:
        count = 0
        for number, line in enumerate(self.lines):
            for candidate in line.candidates:
                count += 1
                if count > MAX_CANDIDATES:
                    return
                yield number, candidate


def _lines(body: str) -> Iterator[str]:
    """Folded lines with a letter or digit in them; single characters stacked one below the other,
    as a mail shows that sets each digit in a box, as one line."""
    stacked: list[str] = []
    for raw in folded_digits(body).splitlines():
        line = " ".join(raw.split())
        if len(line) == 1 and line.isascii() and line.isalnum():
            stacked.append(line)
            continue
        if not any(map(str.isalnum, line)):
            continue
        if stacked:
            yield " ".join(stacked)
            stacked = []
        yield line
    if stacked:
        yield " ".join(stacked)


def name_of(source: Source, number: int, candidate: Candidate) -> Evidence:
    """What the words around a candidate call it."""
    named = _name_before(source, number, candidate)
    if named is None:
        named = _name_behind(source, number, candidate)
    if named is None:
        named = _to_be_entered(source.lines[number], candidate)
    if named is None:
        named = _name_above(source, number, candidate)
    if named is None:
        named = _name_below(source, number, candidate)
    return named or Evidence(0.0)


def _name_before(source: Source, number: int, candidate: Candidate) -> Evidence | None:
    line = source.lines[number]
    codes: list[Cue] = []
    cues = [
        cue
        for cue in line.cues(candidate.start - _REACH, candidate.start)
        if cue.kind in CODE_NAMES or (number, cue.end) not in source.taken
    ]
    for cue in reversed(cues):
        if cue.kind in CODE_NAMES:
            codes.append(cue)
        elif not codes and _names_other(source, number, cue, candidate, cues):
            source.taken.add((number, cue.end))
            return Evidence(_OTHER_NAME, f", but behind “{_quote(line, cue.start, cue.end)}”")
    if not codes:
        return None
    cue = next((cue for cue in codes if cue.kind is Kind.CODE), codes[0])
    weight = CODE_NAMES[cue.kind]
    taken = (number, cue.end) in source.taken
    if not candidate.doubt and candidate.shape is not Shape.LETTERS:
        source.taken.update((number, cue.end) for cue in codes)
    gap = line.low[cue.end : candidate.start]
    if _PRESENTING.search(gap[-20:]):
        weight += _PRESENTED_OUTRIGHT
    elif _SENTENCE_END.search(gap):
        weight += _OTHER_SENTENCE
    between = [other for other in line.candidates if cue.end <= other.start < candidate.start]
    if taken or any(_rivals(source, number, other) for other in between):
        weight += _OTHER_NUMBER_BETWEEN
    words = f" behind “{_quote(line, cue.start, candidate.start)}”"
    return Evidence(weight, words, cue.kind)


def _rivals(source: Source, number: int, candidate: Candidate) -> bool:
    """Whether a candidate may itself be what a name before it names: it is not likely something
    else, and goes by no other name."""
    if candidate.doubt or candidate.shape is Shape.LETTERS:
        return False
    ends = (end for place, end in source.taken if place == number)
    return not any(0 <= candidate.start - end <= 24 for end in ends)


def _names_other(
    source: Source, number: int, cue: Cue, candidate: Candidate, cues: list[Cue]
) -> bool:
    """Whether a phrase before a candidate says that it is some other number. In *your code for the
    order is 482913* it does not: the name of the code stands before it and has no number yet."""
    line = source.lines[number]
    gap = line.low[cue.end : candidate.start]
    if cue.kind in (Kind.OTHER_NUMBER, Kind.MEETING):
        if len(gap) > 24 or _SENTENCE_END.search(gap):
            return False
    elif cue.kind is not Kind.THING or len(gap) > 12 or not _NUMBER_SIGN.fullmatch(gap):
        return False
    marked = any(sign in gap for sign in ("#", "№", "º", "°", "no", "nr"))
    if marked or candidate is not line.candidates[-1]:
        return True
    return not _code_named_before(source, number, cue, cues)


def _code_named_before(source: Source, number: int, cue: Cue, cues: list[Cue]) -> bool:
    """Whether a code that has no number yet is named before a phrase, in the same sentence."""
    low = source.lines[number].low
    return any(
        other.kind in CODE_NAMES
        and other.end <= cue.start
        and (number, other.end) not in source.taken
        and not _SENTENCE_END.search(low[other.end : cue.start])
        for other in cues
    )


def _name_behind(source: Source, number: int, candidate: Candidate) -> Evidence | None:
    line = source.lines[number]
    for cue in line.cues(candidate.end, candidate.end + _REACH_BEHIND):
        if cue.kind not in CODE_NAMES:
            continue
        between = line.low[candidate.end : cue.start]
        followed = any(
            0 <= other.start - cue.end < 40
            and _rivals(source, number, other)
            and not _SENTENCE_END.search(line.low[cue.end : other.start])
            for other in line.candidates
        )
        if _SENTENCE_END.search(between) or followed:
            return None
        source.taken.add((number, cue.end))
        words = f" before “{_quote(line, candidate.end, cue.end)}”"
        return Evidence(_NAMED_BEHIND[cue.kind], words, cue.kind)
    return None


def _to_be_entered(line: Line, candidate: Candidate) -> Evidence | None:
    """Of digits only: what shops want entered has letters in it."""
    before = line.low[max(0, candidate.start - 20) : candidate.start]
    behind = _TO_SIGN_IN.match(line.low, candidate.end)
    if not candidate.value.isdigit() or not behind or not _ENTER.search(before):
        return None
    words = f" before “{_quote(line, candidate.end, behind.end())}”"
    return Evidence(_TO_BE_ENTERED, words, Kind.CODE)


def _name_above(source: Source, number: int, candidate: Candidate) -> Evidence | None:
    line = source.lines[number]
    for distance in range(1, min(3, number) + 1):
        above = source.lines[number - distance]
        place, length = number - distance, len(above.text)
        cues = above.cues(length - 160, length)
        for cue in reversed(cues):
            if (place, cue.end) in source.taken:
                continue
            if cue.kind in (Kind.OTHER_NUMBER, Kind.THING):
                close = distance == 1 and length - cue.end <= 3 and line.leads(candidate)
                if close and not _code_named_before(source, place, cue, cues):
                    words = _quote(above, cue.start, cue.end)
                    return Evidence(_OTHER_NAME, f", but under “{words}”")
            elif cue.kind in CODE_NAMES:
                weight = _NAMED_ABOVE[cue.kind][distance - 1]
                if not line.leads(candidate):
                    weight += _BURIED
                words = f" under “{_quote(above, cue.start, length)}”"
                return Evidence(weight, words, cue.kind)
    return None


def _name_below(source: Source, number: int, candidate: Candidate) -> Evidence | None:
    if number + 1 >= len(source.lines) or not source.lines[number].alone(candidate):
        return None
    below = source.lines[number + 1]
    for cue in below.cues(0, 80):
        if cue.kind in CODE_NAMES:
            words = f" over “{_quote(below, 0, cue.end)}”"
            return Evidence(_NAMED_BELOW[cue.kind], words, cue.kind)
    return None


def presented(source: Source, number: int, candidate: Candidate, name: Evidence) -> bool:
    """Whether letters without a digit are plainly shown as a code: alone under its name, or right
    behind it. Anything with a digit needs no such care."""
    if any(map(str.isdigit, candidate.value)):
        return True
    if candidate.value.replace("-", "").lower() in _NOT_LETTER_CODES or name.weight <= 0:
        return False
    line = source.lines[number]
    if line.alone(candidate):
        return True
    cues = [
        cue for cue in line.cues(candidate.start - 40, candidate.start) if cue.kind in CODE_NAMES
    ]
    gap = line.low[cues[-1].end : candidate.start] if cues else "-none-"
    rest = line.text[candidate.end : candidate.end + 2].strip(" \"'»”」』】])*_")
    return bool(_PRESENTING.search(gap[-20:])) and rest in ("", ".", "。", ",")


def _quote(line: Line, start: int, end: int) -> str:
    """The words of the mail from one place to another with what leads to them, for a reason."""
    begin = max((found.end() for found in _SENTENCE_END.finditer(line.low[:start])), default=0)
    if end - begin > 60:
        begin = start
    return line.text[begin:end][:60].strip(" :,-=*_\"'“”「『【[(<")
