"""A subject or a body as lines, each with what is written like a code in it and what names one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import Factory, define, field

from tempmail.content.cues import Cue, Kind, Lexicon, folded, folded_digits
from tempmail.content.shapes import Candidate, candidates
from tempmail.content.vocabulary import manner, names, numbers

MAX_TEXT = 100_000
"""Characters that are read of a subject or a body. A code stands near the top of a mail."""

MAX_CANDIDATES = 200
"""Candidates weighed in one body; a text with more numbers is a list, not a verification mail."""

SENTENCE_END = re.compile(r"[.!?]\s|[。!?؟।]")

_NAMES = Lexicon(
    [
        (Kind.LIFETIME, manner.LIFETIMES),
        (Kind.CAUTION, manner.CAUTIONS),
        (Kind.MAYBE_CODE, names.MAYBE_CODES),
        (Kind.THING, numbers.THINGS),
        (Kind.OTHER_NUMBER, numbers.OTHER_NUMBERS),
        (Kind.MEETING, numbers.MEETINGS),
        (Kind.SOME_CODE, names.AMBIGUOUS_CODES),
        (Kind.CODE, names.CODES),
    ]
)


def names_in(low: str) -> list[Cue]:
    """The names of codes and of other numbers in a folded text."""
    return _NAMES.find(low)


@define
class Line:
    """One line: as it is written, folded, and its candidates from left to right."""

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
        """The names between two places, placed in the line."""
        start = max(0, start)
        return [
            Cue(cue.kind, cue.start + start, cue.end + start)
            for cue in names_in(self.low[start:end])
        ]


_TALK = re.compile(
    r"\W{0,4}(?:(?:re|aw|antw|antwort|sv|vs|odp|rif|res|ynt|回复|答复|回覆)"
    r"(?:\[\d{1,3}\])? ?[:\uff1a]"
    r"|\[[\w.-]{1,60}/[\w.-]{1,60}\])"
)
_ISSUE = re.compile(r"(?<![a-z])(?:issue|pull request|pr|bug) ?#\d")


def talks(subject: str) -> bool:
    """Whether a subject is that of an answer, or of an issue that people talk about. Codes are a
    topic there, and seldom at hand."""
    low = folded(folded_digits(subject))
    return bool(_TALK.match(low) or _ISSUE.search(low))


@define
class Source:
    """The lines of a subject or a body that have something in them."""

    name: str
    _body: str
    talk: bool = False
    """Whether people talk in it, as `talks` tells."""

    lines: list[Line] = field(init=False)
    taken: set[tuple[int, int]] = Factory(set)
    """Names that a candidate already has: line and place. A name names one number."""

    def __attrs_post_init__(self) -> None:
        self.lines = [Line(line) for line in _lines(self._body[:MAX_TEXT])]

    def weighable(self) -> Iterator[tuple[int, Candidate]]:
        """The first `MAX_CANDIDATES` candidates, each with the number of its line."""
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


def quote(line: Line, start: int, end: int) -> str:
    """The words from one place to another with what leads to them in their sentence, at most some
    60 characters, cut between words; for a reason."""
    begin = max((found.end() for found in SENTENCE_END.finditer(line.low[:start])), default=0)
    if end - begin > 60:
        begin = start
    return shortened(line.text[begin:end], 0)


def shortened(words: str, at: int, size: int = 60) -> str:
    """Some `size` characters of a text that has what matters at a place, cut between words where
    it has blanks."""
    words = words[max(0, at - 400) : at + 400]
    at = min(at, 400)
    if len(words) > size:
        begin = max(0, min(at - size // 3, len(words) - size))
        if begin:
            begin = words.find(" ", begin, at) + 1 or min(at, begin)
        end = begin + size
        if end < len(words) and (blank := words.rfind(" ", at, end + 1)) > at:
            end = blank
        words = words[begin:end]
    return words.strip(" :,-=*_\"'“”「『【[(<")
