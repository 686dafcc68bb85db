"""Verification codes in a mail, each with a confidence and a reason a person would accept.

A mail is read line by line for what is written like a code (`tempmail.content.shapes`). Each such
candidate gathers evidence: what the words around it call it (`tempmail.content.naming`), whether it
has a line of its own, what else it might be. Evidence is counted in log-odds, so it adds up, and
the sum is turned into a confidence by the logistic function. The weights were set by hand on
labelled mails; ``python -m benchmarks.recognition`` shows what they achieve.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from attrs import frozen

from tempmail.content.cues import Kind
from tempmail.content.naming import CODE_NAMES, Evidence, Source, name_of, presented
from tempmail.content.shapes import Candidate

BELIEVABLE = 0.5
"""The confidence from which a code is told to a client as the code of the mail."""

MAX_CODES = 10
"""Codes that are returned at most."""

_MENTIONED = 0.1
"""Codes below this confidence are not worth mentioning at all."""

_PRIOR = -4.5
_NAMED_IN_SUBJECT = {Kind.CODE: 1.2, Kind.MAYBE_CODE: 0.7}
_SUBJECT_OF_OTHER = -0.6
_ABOUT_A_MEETING = -4.0
_ALONE = 2.0
_IN_SUBJECT = 1.0
_HINTED = 0.8
_REPEATED = 0.6
_ONLY = 1.0
_DOUBTED = -3.5
_DOUBTED_BUT_NAMED = -1.2
_UNPRESENTED_LETTERS = -6.0
_UNSUPPORTED = -1.0


@frozen
class Code:
    """What a reader would type; how sure that is, from 0 to 1; and why."""

    value: str
    confidence: float
    reason: str


def find_codes(subject: str, text: str, html_text: str) -> tuple[Code, ...]:
    """The codes of a mail, the most likely first, at most `MAX_CODES`. `text` is the plain body,
    `html_text` the visible text of the HTML body; each may be empty. Raises nothing."""
    head = Source("subject", subject[:1_000])
    bodies = [Source(name, body) for name, body in (("text", text), ("html", html_text)) if body]
    general = _general_evidence(head, bodies)
    best: dict[str, tuple[float, str, set[str]]] = {}
    for source in [head, *bodies]:
        for value, score, reason in _weighed(source, [] if source is head else general):
            known = best.get(value)
            places = (known[2] if known else set()) | {source.name}
            if known and known[0] >= score:
                score, reason = known[0], known[1]
            best[value] = (score, reason, places)
    codes = [_code(value, *found) for value, found in best.items()]
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
    return Code(value, round(1 / (1 + math.exp(-score)), 3), reason)


def _general_evidence(head: Source, bodies: list[Source]) -> list[Evidence]:
    """What the subject and the tone of the mail say about every number in its body."""
    evidence = []
    kinds = {cue.kind for line in head.lines for cue in line.cues(0, 300)}
    named = next((kind for kind in _NAMED_IN_SUBJECT if kind in kinds), None)
    if named:
        evidence.append(Evidence(_NAMED_IN_SUBJECT[named], "the subject speaks of a code"))
    elif kinds & {Kind.THING, Kind.OTHER_NUMBER}:
        evidence.append(Evidence(_SUBJECT_OF_OTHER))
    tone = {kind for source in bodies for kind in _tone(source)}
    if Kind.LIFETIME in tone:
        evidence.append(Evidence(_HINTED))
    if len({value for source in bodies for value in _sure(source)}) == 1:
        evidence.append(Evidence(_ONLY))
    if Kind.MEETING in tone:
        evidence.append(Evidence(_ABOUT_A_MEETING, "but the mail is about a meeting"))
    return evidence


def _sure(source: Source) -> set[str]:
    """What a source holds that looks like a code and like nothing else."""
    found = (candidate for _, candidate in source.weighable())
    return {candidate.value for candidate in found if not candidate.doubt}


def _tone(source: Source) -> set[Kind]:
    return {cue.kind for line in source.lines[:60] for cue in line.cues(0, 400)}


def _weighed(source: Source, general: list[Evidence]) -> Iterator[tuple[str, float, str]]:
    """Each candidate of a source with its score and the reason for it."""
    supported = any(item.weight > 0 for item in general)
    for number, candidate in source.weighable():
        line = source.lines[number]
        name = name_of(source, number, candidate)
        evidence = [name, *general]
        alone = line.alone(candidate) and source.name != "subject"
        if alone:
            evidence.append(Evidence(_ALONE))
        elif source.name != "subject" and name.kind is not Kind.CODE and not supported:
            evidence.append(Evidence(_UNSUPPORTED))
        if source.name == "subject" and name.weight > 0:
            evidence.append(Evidence(_IN_SUBJECT))
        if candidate.doubt:
            weight = _DOUBTED_BUT_NAMED if name.weight >= CODE_NAMES[Kind.CODE] else _DOUBTED
            evidence.append(Evidence(weight, f"but it may be {candidate.doubt}"))
        if not presented(source, number, candidate, name):
            evidence.append(Evidence(_UNPRESENTED_LETTERS, "but it may be a word"))
        score = _PRIOR + candidate.weight + sum(item.weight for item in evidence)
        yield candidate.value, score, _reason(source, candidate, alone, evidence)


def _reason(source: Source, candidate: Candidate, alone: bool, found: list[Evidence]) -> str:
    place = " alone on their line" if alone else " in the subject" * (source.name == "subject")
    placed, *others = found
    words = candidate.words + place + placed.words
    return "; ".join([words, *(item.words for item in others if item.words)])
