"""What the words of a mail call a number: the name before it, behind it, above or below it.

A name names one number: once it has one, it is weaker for the next on its line, and nothing to the
lines below. Between the name of a code and the name of another number the nearer wins, unless the
other number is only what the code is for.
"""
# ruff: noqa: RUF001

from __future__ import annotations

import re
from bisect import bisect_right

from tempmail.content.absence import done_with, not_at_hand
from tempmail.content.cues import Cue, Kind, Lexicon
from tempmail.content.entering import aimed_at, entered, entered_beside
from tempmail.content.evidence import Evidence
from tempmail.content.lines import SENTENCE_END, Line, Source, quote
from tempmail.content.qualifiers import indefinite, which
from tempmail.content.shapes import CAREFUL, Candidate, Shape
from tempmail.content.vocabulary import manner

CODE_NAMES = {Kind.CODE: 5.0, Kind.MAYBE_CODE: 3.8, Kind.SOME_CODE: 3.8}
_NAMED_BEHIND = {Kind.CODE: 4.5, Kind.MAYBE_CODE: 3.3, Kind.SOME_CODE: 3.3}
_NAMED_ABOVE = {
    Kind.CODE: (4.2, 3.0, 2.0),
    Kind.MAYBE_CODE: (3.0, 2.0, 1.2),
    Kind.SOME_CODE: (3.0, 2.0, 1.2),
}
_NAMED_BELOW = {Kind.CODE: 2.5, Kind.MAYBE_CODE: 1.5, Kind.SOME_CODE: 1.5}
_PRESENTED_OUTRIGHT = 1.2
_OTHER_SENTENCE = -3.0
_OWN_SENTENCE = -1.2
_OTHER_NUMBER_BETWEEN = -2.5
_REPLACED = -2.5
_MISSED = -4.5
_BURIED = -2.5
_TALKED_ABOUT = -2.5
_OTHER_NAME = -6.0

_REACH = 120
_REACH_BEHIND = 60
_NUMBER_SIGN = re.compile(r"[\s:;#№°º.()\-=|*_']*(?:(?:no|nr|number|id|is|n|num)(?![a-z]))?"
                          r"[\s:;#№°º.()\-=|*_']*")  # fmt: skip
_PRESENTING = re.compile(
    r"(?:^|[:=\uff1a]|(?<![a-z])(?:is|est|es|ist|lautet|e|ini|jest|er|ar|on|je|este|la|ay|ialah"
    r"|adalah|lyder|wynosi|bude|olup|kuuluu|kod to|haslo to)|(?<![а-ӿ])(?:е|је)"
    r"|הוא|هو|είναι|ειναι|是|为|為|は|คือ|है|হল|হলো)[ \"'«“”「『【\[(<*_|:-]{0,6}$"
)
"""Ends the words before a number that is presented outright: ``: ``, ``is ``, or nothing at all."""

_BEING = re.compile(
    r"[\"'”»*_)]{0,3} (?:is|est|es|ist|e|jest|to|er|ar|on|je|este|a|az|la|adalah|ialah|ειναι|это"
    r"|це|е|є|-)(?!\w)"
)
"""Begins the words behind a number that is presented outright: *482913 is your code*."""

_NOT_LETTER_CODES = frozenset(
    "below above here code codes valid invalid expired expire verify confirm click button hello "
    "dear thanks thank important note login account never email password security your team "
    "support please warning info sign news only once this that http https".split()
)

_REPLACEMENTS = Lexicon([(Kind.FORMER, manner.FORMERS), (Kind.GONE, manner.GONE)])


def name_of(source: Source, number: int, candidate: Candidate) -> Evidence:
    """What the words around a candidate call it."""
    named = _name_before(source, number, candidate)
    for look in (_name_behind, entered, _name_above, entered_beside, _name_below):
        if named is not None and not named.far:
            break
        other = look(source, number, candidate)
        if other and (named is None or other.weight > named.weight):
            named = other
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
            return Evidence(_OTHER_NAME, f", but behind “{quote(line, cue.start, cue.end)}”")
    behind_sign = candidate.start and line.text[candidate.start - 1] == "#"
    if not codes or (
        behind_sign and any(map(str.isalpha, line.low[codes[0].end : candidate.start]))
    ):
        return None
    at_hand = [cue for cue in codes if not not_at_hand(line, cue, candidate.start)]
    codes = at_hand or codes
    cue = next((cue for cue in codes if cue.kind is Kind.CODE), codes[0])
    kind = which(line, cue)
    weight = CODE_NAMES[kind]
    taken = (number, cue.end) in source.taken
    gap = line.low[cue.end : candidate.start]
    far = bool(SENTENCE_END.search(gap))
    if not candidate.doubt and candidate.shape not in CAREFUL and not far:
        source.taken.update((number, cue.end) for cue in codes)
    outright = not far and bool(_PRESENTING.search(gap[-20:]))
    weight += _PRESENTED_OUTRIGHT * outright
    if far:
        weight += _OWN_SENTENCE if _is_a_sentence(line, candidate) else _OTHER_SENTENCE
    between = [other for other in line.candidates if cue.end <= other.start < candidate.start]
    if taken or any(_rivals(source, number, other) for other in between):
        weight += _OTHER_NUMBER_BETWEEN
    if _replaced(line, cue, candidate):
        weight += _REPLACED
    if not at_hand or done_with(line, candidate.end):
        weight += _MISSED
    if source.talk and not outright:
        weight += _TALKED_ABOUT
    words = f" behind “{quote(line, cue.start, candidate.start)}”"
    return Evidence(weight, words, kind, outright, far)


def _is_a_sentence(line: Line, candidate: Candidate) -> bool:
    """Whether a candidate is all of its sentence: *Your login code is ready. 482913.*"""
    before = line.low[max(0, candidate.start - 2) : candidate.start]
    behind = line.low[candidate.end : candidate.end + 2]
    return bool(SENTENCE_END.search(before)) and behind.strip() in ("", ".", "!", "。")


def _replaced(line: Line, name: Cue, candidate: Candidate) -> bool:
    """Whether the words say that a code is not good any more: *the earlier code 118273*, *code
    118273 no longer works*."""
    start = max(0, name.start - 24)
    for cue in _REPLACEMENTS.find(line.low[start : name.end + 24]):
        before = line.low[start + cue.end : name.start]
        near = start + cue.start - name.end <= 2 and len(before) <= 12
        if cue.kind is Kind.FORMER and near and not SENTENCE_END.search(before):
            return True
    behind = SENTENCE_END.split(line.low[candidate.end : candidate.end + 40])[0]
    return any(cue.kind is Kind.GONE and cue.start <= 12 for cue in _REPLACEMENTS.find(behind))


def _rivals(source: Source, number: int, candidate: Candidate) -> bool:
    """Whether a candidate may itself be what a name before it names: it is not likely something
    else, and goes by no other name."""
    if candidate.doubt or candidate.shape in CAREFUL:
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
        if len(gap) > 24 or SENTENCE_END.search(gap):
            return False
    elif cue.kind is not Kind.THING or len(gap) > 12 or not _NUMBER_SIGN.fullmatch(gap):
        return False
    marked = any(sign in gap for sign in ("#", "№", "º", "°", "no", "nr"))
    if marked or _another_follows(line, candidate):
        return True
    return not _code_named_before(source, number, cue, cues)


def _another_follows(line: Line, candidate: Candidate) -> bool:
    """Whether another candidate stands behind one in the same sentence."""
    place = bisect_right(line.candidates, candidate.start, key=lambda other: other.start)
    if place == len(line.candidates):
        return False
    gap = line.low[candidate.end : line.candidates[place].start]
    return len(gap) < _REACH and not SENTENCE_END.search(gap)


def _code_named_before(source: Source, number: int, cue: Cue, cues: list[Cue]) -> bool:
    """Whether a code that has no number yet is named before a phrase, in the same sentence."""
    low = source.lines[number].low
    return any(
        other.kind in CODE_NAMES
        and other.end <= cue.start
        and (number, other.end) not in source.taken
        and not SENTENCE_END.search(low[other.end : cue.start])
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
            and not SENTENCE_END.search(line.low[cue.end : other.start])
            for other in line.candidates
        )
        missed = indefinite(line, cue) or not_at_hand(line, cue, len(line.low))
        if SENTENCE_END.search(between) or followed or missed:
            return None
        source.taken.add((number, cue.end))
        kind = which(line, cue)
        words = f" before “{quote(line, candidate.end, cue.end)}”"
        outright = bool(_BEING.match(between))
        weight = _NAMED_BEHIND[kind] + _PRESENTED_OUTRIGHT * outright
        return Evidence(weight, words, kind, outright)
    return None


def _name_above(source: Source, number: int, candidate: Candidate) -> Evidence | None:
    line = source.lines[number]
    for distance in range(1, min(3, number) + 1):
        above = source.lines[number - distance]
        place, length = number - distance, len(above.text)
        cues = above.cues(length - 160, length)
        for cue in reversed(cues):
            if (place, cue.end) in source.taken or not_at_hand(above, cue, length):
                continue
            if cue.kind in (Kind.OTHER_NUMBER, Kind.THING):
                close = distance == 1 and length - cue.end <= 3 and line.leads(candidate)
                if close and not _aside(source, place, cue, cues):
                    words = quote(above, cue.start, cue.end)
                    return Evidence(_OTHER_NAME, f", but under “{words}”")
            elif cue.kind in CODE_NAMES:
                if source.talk and not _presents(above.low[cue.end :].rstrip()):
                    continue
                kind = which(above, cue)
                weight = _NAMED_ABOVE[kind][distance - 1]
                if not line.leads(candidate):
                    weight += _BURIED
                words = f" under “{quote(above, cue.start, length)}”"
                return Evidence(weight, words, kind)
    return None


def _presents(behind: str) -> bool:
    """Whether the sentence of a name ends its line, and leads to what is below."""
    return not SENTENCE_END.search(behind) and bool(_PRESENTING.search(behind[-20:]))


def _aside(source: Source, place: int, cue: Cue, cues: list[Cue]) -> bool:
    """Whether a number or a thing is only what a code is for: *your code for order*, *to access
    your account*."""
    purpose = cue.kind is Kind.THING and aimed_at(source.lines[place], cue)
    return purpose or _code_named_before(source, place, cue, cues)


def _name_below(source: Source, number: int, candidate: Candidate) -> Evidence | None:
    if number + 1 >= len(source.lines) or not source.lines[number].alone(candidate):
        return None
    below = source.lines[number + 1]
    for cue in below.cues(0, 80):
        if cue.kind in CODE_NAMES and not not_at_hand(below, cue, len(below.low)):
            kind = which(below, cue)
            words = f" over “{quote(below, 0, cue.end)}”"
            return Evidence(_NAMED_BELOW[kind], words, kind)
    return None


def presented(source: Source, number: int, candidate: Candidate, name: Evidence) -> bool:
    """Whether what may be a word is plainly shown as a code: letters without a digit alone under
    its name, or right behind it; a word with a number behind it right behind its name; small
    letters in groups under any name; groups of other letters and digits right behind their name or
    alone under it. Anything else needs no such care."""
    if candidate.shape is Shape.WORD_AND_NUMBER:
        return name.outright and name.kind is not Kind.SOME_CODE
    if candidate.shape is Shape.LOWER_GROUPS:
        return name.weight > 0
    if candidate.shape in (Shape.PARTED_GROUPS, Shape.CASE_GROUPS):
        shown = name.outright or source.lines[number].alone(candidate)
        return shown and name.weight > 0 and name.kind is not Kind.SOME_CODE
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
