"""Verification codes in a mail, each with a confidence and a reason a person would accept.

A mail is read line by line for what is written like a code (`tempmail.content.shapes`). Each such
candidate gathers evidence: what the words around it call it (`tempmail.content.naming`), whether it
has a line of its own, what else it might be. Evidence is counted in log-odds, so it adds up, and
the sum is turned into a confidence by the logistic function. The weights were set by hand on
labelled mails; ``python -m benchmarks.recognition`` shows what they achieve.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from tempmail.content.cues import Kind
from tempmail.content.evidence import BELIEVABLE, Evidence, confidence
from tempmail.content.lines import Line, Source, talks
from tempmail.content.naming import CODE_NAMES, name_of, presented
from tempmail.content.shapes import CAREFUL, Candidate
from tempmail.content.tone import Tone, tone_of

MAX_CODES = 10
"""Codes that are returned at most."""

_MENTIONED = 0.1
"""Codes below this confidence are not worth mentioning at all."""

_PRIOR = -4.5
_ALONE = 2.0
_SET_OFF = 1.0
_IN_SUBJECT = 1.0
_AT_AN_END = 0.8
_REPEATED = 0.6
_ONLY = 1.0
_AS_LONG_AS_TOLD = 1.8
_NAMED_AND_AS_LONG = 0.9
_NOT_AS_LONG_AS_TOLD = -1.2
_DOUBTED = -3.5
_DOUBTED_BUT_NAMED = -1.2
_MAYBE_A_WORD = -6.0
_UNSUPPORTED = -1.0
_UNKNOWN_KIND = -2.7

_BEFORE_POST_CODE = re.compile(r"(?:,|[A-Z]{2}) $")


@frozen
class Code:
    """What a reader would type; how sure that is, from 0 to 1; and why."""

    value: str
    confidence: float
    reason: str


@frozen
class _Found:
    """A candidate where it stands, and what the words around it call it."""

    source: Source
    number: int
    """Of its line."""

    candidate: Candidate
    name: Evidence

    @property
    def line(self) -> Line:
        """Its line."""
        return self.source.lines[self.number]

    @property
    def in_subject(self) -> bool:
        """Whether it stands in the subject and not in a body."""
        return self.source.name == "subject"

    @property
    def alone(self) -> bool:
        """Whether it has a line of a body to itself."""
        return not self.in_subject and self.line.alone(self.candidate)

    @property
    def unnamed(self) -> bool:
        """Whether the words around it call it nothing at all."""
        return self.name.kind is None and self.name.weight >= 0


def find_codes(subject: str, text: str, html_text: str) -> tuple[Code, ...]:
    """The codes of a mail, the most likely first, at most `MAX_CODES`; of two that are as likely,
    the later. `text` is the plain body, `html_text` the visible text of the HTML body; each may be
    empty. Raises nothing."""
    head, talk = Source("subject", subject[:1_000]), talks(subject[:1_000])
    told = (("text", text), ("html", html_text))
    bodies = [Source(name, body, talk) for name, body in told if body]
    every = [
        _Found(source, number, candidate, name_of(source, number, candidate))
        for source in [head, *bodies]
        for number, candidate in source.weighable()
    ]
    if not every:
        return ()
    tone, single = tone_of(head, bodies), _single(every)
    best: dict[str, tuple[float, str, set[str]]] = {}
    for found in every:
        value = found.candidate.value
        evidence = list(_evidence(found, tone, single))
        score = _PRIOR + found.candidate.weight + sum(item.weight for item in evidence)
        reason = _reason(found, evidence)
        known = best.get(value)
        places = (known[2] if known else set()) | {found.source.name}
        if known and known[0] >= score:
            score, reason = known[0], known[1]
        best[value] = (score, reason, places)
    codes = [_code(value, *weighed) for value, weighed in reversed(best.items())]
    likely = [code for code in codes if code.confidence >= _MENTIONED]
    return tuple(sorted(likely, key=lambda code: -code.confidence)[:MAX_CODES])


def best_code(codes: tuple[Code, ...]) -> Code | None:
    """The code to tell a client of, or None when none is `BELIEVABLE`."""
    return codes[0] if codes and codes[0].confidence >= BELIEVABLE else None


def _code(value: str, score: float, reason: str, places: set[str]) -> Code:
    if len(places) > 1:
        score += _REPEATED
        if "subject" in places and "subject" not in reason:
            reason += "; also in the subject"
    return Code(value, confidence(score), reason)


def _single(every: list[_Found]) -> frozenset[str]:
    """The value that is the only one in a mail to look like a code and like nothing else, and the
    one that is the only such with a line of its own."""
    sure = [found for found in every if found.name.weight >= 0 and _like_nothing_else(found)]
    values = {found.candidate.value for found in sure}
    alone = {found.candidate.value for found in sure if found.alone}
    return frozenset().union(*(some for some in (values, alone) if len(some) == 1))


def _like_nothing_else(found: _Found) -> bool:
    candidate, text = found.candidate, found.line.text
    post_code = _BEFORE_POST_CODE.search(text[max(0, candidate.start - 8) : candidate.start])
    unsure = post_code or candidate.shape in CAREFUL[1:]
    return not candidate.doubt and not (unsure and found.unnamed)


def _evidence(found: _Found, tone: Tone, single: frozenset[str]) -> Iterator[Evidence]:
    """What speaks for and against a candidate; first its name."""
    yield found.name
    if found.in_subject:
        yield from _of_subject(found, tone)
    else:
        yield from tone.in_bodies
        yield from _of_place(found, tone)
    yield from tone.hints
    if found.candidate.value in single and (not found.in_subject or found.name.weight == 0):
        yield Evidence(_ONLY)
    yield from _of_kind(found.name, tone)
    yield from _of_shape(found, tone)


def _of_subject(found: _Found, tone: Tone) -> Iterator[Evidence]:
    """What it says that a candidate stands in the subject: little, unless it is named there, or
    the subject begins or ends with it and the body speaks of a code."""
    if found.name.weight > 0:
        yield Evidence(_IN_SUBJECT)
    elif found.unnamed and tone.in_subject:
        yield tone.in_subject
        behind = found.line.text[found.candidate.end :]
        if found.line.leads(found.candidate) or not any(map(str.isalnum, behind)):
            yield Evidence(_AT_AN_END)


def _of_place(found: _Found, tone: Tone) -> Iterator[Evidence]:
    """What it says that a candidate of a body has a line of its own, or has not."""
    if found.unnamed and tone.for_signing_in and (found.alone or found.name.weight > 0):
        yield tone.for_signing_in
    if not found.alone:
        if found.name.kind is not Kind.CODE and not tone.supported:
            yield Evidence(_UNSUPPORTED)
        return
    yield Evidence(_ALONE)
    if found.unnamed:
        if tone.where_alone:
            yield tone.where_alone
        lines = found.source.lines
        above = lines[found.number - 1].text if found.number else ""
        if len(lines) == 1 or above.rstrip().endswith((":", "\uff1a")):
            yield Evidence(_SET_OFF)


def _of_kind(name: Evidence, tone: Tone) -> Iterator[Evidence]:
    """Against a candidate that may be another kind of code."""
    if name.kind is Kind.SOME_CODE and not tone.plainly:
        yield Evidence(_UNKNOWN_KIND, "but it may be some other code")
    if tone.sells and name.kind is not Kind.CODE:
        yield tone.sells


def _of_shape(found: _Found, tone: Tone) -> Iterator[Evidence]:
    """What it says that a candidate is written as it is."""
    candidate, name = found.candidate, found.name
    if len(candidate.value.replace("-", "")) in tone.lengths:
        if name.weight >= 0:
            weight = _AS_LONG_AS_TOLD if found.unnamed else _NAMED_AND_AS_LONG
            yield Evidence(weight, "as long as the mail says")
    elif tone.lengths:
        yield Evidence(_NOT_AS_LONG_AS_TOLD)
    if candidate.doubt and not (candidate.doubt == "a commit" and name.outright):
        named = name.weight >= CODE_NAMES[Kind.CODE]
        if candidate.doubt == "a coupon":
            named = name.kind is Kind.CODE
        elif candidate.doubt == "a year" and name.kind in (Kind.CODE, Kind.MAYBE_CODE):
            named = named or found.alone or name.outright
        weight = _DOUBTED_BUT_NAMED if named else _DOUBTED
        yield Evidence(weight, f"but it may be {candidate.doubt}")
    if not presented(found.source, found.number, candidate, name):
        yield Evidence(_MAYBE_A_WORD, "but it may be a word")


def _reason(found: _Found, evidence: list[Evidence]) -> str:
    place = " alone on their line" * found.alone + " in the subject" * found.in_subject
    named, *others = evidence
    words = found.candidate.words + place + named.words
    return "; ".join([words, *(item.words for item in others if item.words)])
