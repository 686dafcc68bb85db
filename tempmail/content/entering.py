"""What a reader is asked to type, though nothing names it: *Enter 482913 to sign in*; and the
length of it that the mail tells.

Only digits: what shops want entered has letters in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tempmail.content.cues import Cue, Kind, Lexicon, phrases
from tempmail.content.evidence import Evidence
from tempmail.content.lines import SENTENCE_END, Line, Source, quote, shortened
from tempmail.content.shapes import MAX_LENGTH, MIN_LENGTH, Candidate
from tempmail.content.vocabulary import manner
from tempmail.content.wording import asked_in

_ENTERED_FOR_A_PURPOSE = 4.5
_ENTERED = 2.4
_UNDER_ENTRY_FOR_A_PURPOSE = 2.5
_UNDER_ENTRY = 1.5

_REACH = 100
_GAP_BEFORE = 24
_GAP_BEHIND = 8

_BEFORE_A_VERB = re.compile(
    r"(?:^|[^\w ] {0,3}"
    r"|(?<![a-z])(?:and|can|just|must|now|or|please|should|simply|so|then|to|you) )$"
)

_LEXICON = Lexicon([(Kind.PURPOSE, manner.PURPOSES), (Kind.ENTRY, manner.ENTRIES)])
_OTHERS = (Kind.OTHER_NUMBER, Kind.MEETING)
_PURPOSES = (Kind.PURPOSE, Kind.ACTION, Kind.SIGN_IN)


def _alternatives(found: Iterable[str]) -> str:
    return "|".join(re.escape(phrase) for phrase in sorted(found, key=len, reverse=True))


_WORDS = {word: int(size) for size, line in manner.LENGTHS.items()
          for word in phrases({size: line})}  # fmt: skip
_COUNT = re.compile(
    rf"(?<![^\W_])(?:(\d{{1,2}})|({_alternatives(_WORDS)}))[ -]?"
    rf"(?:{_alternatives(p.rstrip('*') for p in phrases(manner.UNITS))})"
)
_LAST = Lexicon([(Kind.OTHER_NUMBER, manner.LASTS)])


def _found(low: str) -> list[Cue]:
    return [*_LEXICON.find(low), *asked_in(low)]


def entered(source: Source, number: int, candidate: Candidate) -> Evidence | None:
    """What a candidate is to be used for by its own sentence: the verb stands right before or
    behind it."""
    if not candidate.value.isdigit():
        return None
    line = source.lines[number]
    before = line.low[max(0, candidate.start - _REACH) : candidate.start]
    before = SENTENCE_END.split(before)[-1]
    behind = SENTENCE_END.split(line.low[candidate.end : candidate.end + _REACH])[0]
    told, follows = _found(before), _found(behind)
    verb = any(
        c.kind is Kind.ENTRY and len(before) - c.end <= _GAP_BEFORE and not _noun(before, c)
        for c in told
    )
    verb = verb or any(c.kind is Kind.ENTRY and c.start <= _GAP_BEHIND for c in follows)
    if not verb:
        return None
    start = candidate.start - len(before)
    aims = [Cue(c.kind, c.start + start, c.end + start) for c in told]
    aims += [Cue(c.kind, c.start + candidate.end, c.end + candidate.end) for c in follows]
    aim = next((c for c in aims if c.kind in _PURPOSES), None)
    if aim is None:
        return Evidence(_ENTERED, ", to be entered")
    if aim.start > candidate.start:
        words = f" before “{quote(line, candidate.end, aim.end)}”"
    else:
        words = f" behind “{quote(line, aim.start, candidate.start)}”"
    return Evidence(_ENTERED_FOR_A_PURPOSE, words, Kind.CODE)


def aimed_at(line: Line, cue: Cue) -> bool:
    """Whether a thing is what a code is entered for: *to access your account*."""
    before = line.low[max(0, cue.start - 24) : cue.start]
    return any(found.kind in _PURPOSES for found in _found(before))


def speaks_of_a_purpose(line: Line) -> bool:
    """Whether a line speaks of signing in, verifying, or something else that a code is for, and
    not of an order, an appointment or the like."""
    kinds = {cue.kind for cue in _found(line.low[:300])}
    return not kinds.isdisjoint(_PURPOSES) and Kind.ELSEWHERE not in kinds


def entered_beside(source: Source, number: int, candidate: Candidate) -> Evidence | None:
    """What a candidate on a line of its own is to be used for, by the line above or below."""
    if not candidate.value.isdigit() or not source.lines[number].alone(candidate):
        return None
    for other, place in ((number - 1, " under"), (number + 1, " over")):
        if 0 <= other < len(source.lines) and (found := _beside(source.lines[other], place)):
            return found
    return None


def _noun(low: str, verb: Cue) -> bool:
    """Whether what may be a verb is a noun where it stands: *under case type 3302*."""
    ambiguous = low[verb.start : verb.end] in ("type", "input", "use", "answer", "copy", "paste")
    return ambiguous and not _BEFORE_A_VERB.search(low[max(0, verb.start - 12) : verb.start])


def _beside(line: Line, place: str) -> Evidence | None:
    """A line of its own says what to do with the candidate, and of nothing else that it speaks."""
    if line.candidates or any(c.kind in _OTHERS for c in line.cues(0, 300)):
        return None
    found = _found(line.low[:300])
    verb = next((c for c in found if c.kind is Kind.ENTRY), None)
    if verb is None:
        return None
    purpose = any(c.kind in _PURPOSES for c in found)
    words = f"{place} “{shortened(line.text[:300], verb.start)}”"
    return Evidence(_UNDER_ENTRY_FOR_A_PURPOSE if purpose else _UNDER_ENTRY, words)


def told_lengths(low: str) -> set[int]:
    """The lengths that a folded text tells of a code: *six digits*, *6-stellig*, *6자리*. Not the
    last four of a card."""
    lengths = set()
    for found in _COUNT.finditer(low):
        length = int(found[1]) if found[1] else _WORDS[found[2]]
        before = low[max(0, found.start() - 16) : found.start()]
        if MIN_LENGTH <= length <= MAX_LENGTH and not _LAST.find(before):
            lengths.add(length)
    return lengths
