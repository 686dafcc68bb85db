"""What a few words ask for: to follow a link, to sign in, to leave a list; or where they lead."""

from __future__ import annotations

import re

from tempmail.content.cues import Cue, Kind, Lexicon, folded, folded_digits
from tempmail.content.lines import names_in, shortened
from tempmail.content.vocabulary import asking, elsewhere, grammar

_LEXICON = Lexicon(
    [
        (Kind.POINTER, grammar.POINTERS),
        (Kind.YES, grammar.AFFIRMATIONS),
        (Kind.SIGN_IN, asking.SIGN_INS),
        (Kind.JOIN, asking.JOINS),
        (Kind.INVITATION, asking.INVITATIONS),
        (Kind.ACTION, asking.ACTIONS),
        (Kind.ELSEWHERE, elsewhere.ELSEWHERES),
        (Kind.STOP, elsewhere.STOPS),
        (Kind.NOT_YOU, elsewhere.NOT_YOU),
    ]
)

_LEADING_TOPICS = Lexicon([(Kind.TOPIC, elsewhere.LEADING_TOPICS)])
_TOPICS = Lexicon([(Kind.TOPIC, elsewhere.TOPICS)])
_STEP = re.compile(r"(?:complete|finish|continue|confirm|approve|read and|read &) ")
"""Begins what is a step all the same: *complete two-factor authentication*."""

_LONGEST_TITLE = 100
_NOUN_OF_A_NOUN = re.compile(
    r"(?<![a-z])(?:verification|activation) "
    r"(?!(?:links?|url|pages?|steps?|process|of|for|now|is|and|or|to|in|on|by|with|required)\b)[a-z]"
)
"""*Verification checklist*: the noun only says what for the other is."""

_FIRST = (
    (Kind.STOP,),
    (Kind.ACTION, Kind.ELSEWHERE),
    (Kind.INVITATION,),
    (Kind.SIGN_IN, Kind.JOIN),
)
_PARTS_OF_NAMES = (Kind.ACTION, Kind.SIGN_IN)


def asked_in(low: str) -> list[Cue]:
    """Every phrase of a link in a text that is folded already."""
    return _LEXICON.find(low)


def speaking(words: str) -> tuple[Kind | None, str]:
    """What a few words ask for, and the words that say so. What ends a subscription comes first,
    then what is said first: *help to verify* leads to help, *verify, or ask for help* verifies. The
    name of a code, as *verification code*, asks for nothing."""
    plain = _plainly(words)
    low = folded(plain)
    cues = asked_in(low)
    if any(cue.kind in _PARTS_OF_NAMES for cue in cues):
        codes = [name for name in names_in(low) if name.kind is Kind.CODE]
        cues = [cue for cue in cues if not _part_of_a_name(cue, codes)]
    for kinds in _FIRST:
        for cue in cues:
            if cue.kind in kinds:
                return cue.kind, shortened(plain, cue.start).strip("-")
    return None, ""


def topic(label: str, whole: bool) -> str:
    """The words by which those of a link are the title of something to read, or advice that can
    wait: *How to verify a list*, *Turn on 2-step verification*; else nothing. `whole`: they are all
    that the link says, not what stands before an address."""
    plain = _plainly(label)
    low = folded(plain)
    if len(low) > _LONGEST_TITLE or _STEP.match(low):
        return ""
    cues = [] if "," in low else [c for c in _LEADING_TOPICS.find(low) if c.start <= 1]
    places = [cue.start for cue in (cues or (_TOPICS.find(low) if whole else []))]
    if not places and whole and (noun := _NOUN_OF_A_NOUN.search(low)):
        places = [] if asked_in(low[: noun.start()]) else [noun.start()]
    return shortened(plain, places[0]) if places else ""


def _part_of_a_name(cue: Cue, codes: list[Cue]) -> bool:
    return any(name.start < cue.end and cue.start < name.end for name in codes)


def points(words: str) -> bool:
    """Whether a link's own words leave it to the words around them what it is for."""
    return not any(map(str.isalnum, words)) or says(words, Kind.POINTER)


def affirms(words: str) -> bool:
    """Whether a link's own words begin with a *yes*."""
    return any(cue.kind is Kind.YES and cue.start == 0 for cue in asked_in(folded(_plainly(words))))


def says(words: str, kind: Kind) -> bool:
    """Whether a phrase of a kind is among a few words."""
    return any(cue.kind is kind for cue in asked_in(folded(_plainly(words))))


def _plainly(words: str) -> str:
    return folded_digits(" ".join(words[-300:].split()))
