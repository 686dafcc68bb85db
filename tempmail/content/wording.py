"""What a few words ask for: to follow a link, to sign in, to leave a list; or where they lead."""

from __future__ import annotations

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
