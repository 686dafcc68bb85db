"""What a mail as a whole says about any number in it: what its subject speaks of, how long
something is good, how many digits to expect, whether something is sold."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from tempmail.content.absence import not_at_hand
from tempmail.content.cues import Cue, Kind, Lexicon
from tempmail.content.entering import speaks_of_a_purpose, told_lengths
from tempmail.content.evidence import Evidence
from tempmail.content.lines import Line, Source
from tempmail.content.qualifiers import which
from tempmail.content.vocabulary import elsewhere, manner

_NAMED_IN_SUBJECT = {Kind.CODE: 1.2, Kind.MAYBE_CODE: 0.7}
_SPOKEN_OF = {Kind.CODE: 1.5, Kind.MAYBE_CODE: 1.0}
_TOLD_OF = 2.5
_FOR_SIGNING_IN = 0.8
_SUBJECT_OF_OTHER = -0.6
_ABOUT_A_MEETING = -4.0
_HINTED = 0.8
_GIVES_AWAY = -1.5

_HINTS = {Kind.LIFETIME, Kind.MINUTES, Kind.CAUTION, Kind.NOT_YOU}

_LINES = 60
_WIDTH = 400

_MANNER = Lexicon(
    [
        (Kind.LIFETIME, manner.LIFETIMES),
        (Kind.MINUTES, manner.MINUTES),
        (Kind.NOT_YOU, elsewhere.NOT_YOU),
        (Kind.CAUTION, manner.CAUTIONS),
        (Kind.ENTRY, manner.ENTRIES),
        (Kind.SUBJECT, manner.SUBJECTS),
        (Kind.DISCOUNT, manner.DISCOUNTS),
    ]
)


@frozen
class Tone:
    """What is said of every candidate of a mail."""

    in_bodies: tuple[Evidence, ...]
    """For each candidate of a body."""

    hints: tuple[Evidence, ...]
    """For each candidate, one in the subject too."""

    where_alone: Evidence | None
    """For one that has a line of its own and no name: a code is named elsewhere."""

    in_subject: Evidence | None
    """For one in the subject that nothing names: the body speaks of a code, or of the subject."""

    for_signing_in: Evidence | None
    """For one with a line of its own, or to be entered, that nothing names: the subject speaks of
    signing in, or of what else a code is for."""

    lengths: frozenset[int]
    """How many digits the mail says that a code has."""

    supported: bool
    """Whether something speaks for a verification code."""

    plainly: bool
    """Whether it does so of any kind of code: that something is good for minutes is said of a
    ticket as well."""

    sells: Evidence | None
    """Against a code that is not plainly named: the mail gives a discount."""


@frozen
class _Words:
    """What is found in a line: names of codes and other numbers, and how it speaks of them."""

    names: tuple[tuple[Kind, Cue], ...]
    manner: tuple[Cue, ...]

    @property
    def asks_to_enter_it(self) -> bool:
        """*Enter this code*, *saisissez ce code*, *認証コードを入力*."""
        names = [cue for kind, cue in self.names if kind in _NAMED_IN_SUBJECT]
        verbs = [cue for cue in self.manner if cue.kind is Kind.ENTRY]
        return any(_close(name, verb) for name in names for verb in verbs[:20])


def tone_of(head: Source, bodies: Sequence[Source]) -> Tone:
    """Read the subject and the first lines of the bodies."""
    lines = [line for source in bodies for line in source.lines[:_LINES]]
    above, below = list(map(_words, head.lines)), list(map(_words, lines))
    subject = {kind for words in above for kind, _ in words.names}
    spoken = {kind for words in below for kind, _ in words.names}
    manners = {cue.kind for words in [*above, *below] for cue in words.manner}
    talk = any(source.talk for source in bodies)
    if talk:
        subject -= {Kind.CODE, Kind.MAYBE_CODE}
    named = next((kind for kind in _NAMED_IN_SUBJECT if kind in subject), None)
    spoken_of = next((kind for kind in _SPOKEN_OF if kind in spoken), None)
    in_bodies: list[Evidence] = []
    if named:
        in_bodies.append(Evidence(_NAMED_IN_SUBJECT[named], "the subject speaks of a code"))
    elif subject & {Kind.THING, Kind.OTHER_NUMBER}:
        in_bodies.append(Evidence(_SUBJECT_OF_OTHER))
    if Kind.MEETING in spoken:
        in_bodies.append(Evidence(_ABOUT_A_MEETING, "but the mail is about a meeting"))
    telling = [] if talk else [*head.lines, *lines]
    lengths = {length for line in telling for length in told_lengths(_start(line))}
    sells = Kind.DISCOUNT in manners
    signing_in = not talk and any(map(speaks_of_a_purpose, head.lines))
    entered = not sells and any(words.asks_to_enter_it for words in below)
    short = {Kind.LIFETIME, Kind.MINUTES} <= manners
    plainly = bool(named or lengths or entered or Kind.CAUTION in manners)
    hinted = entered or bool(manners & _HINTS)
    return Tone(
        tuple(in_bodies),
        (Evidence(_HINTED),) if hinted else (),
        Evidence(_NAMED_IN_SUBJECT[spoken_of]) if spoken_of and not named else None,
        _in_subject(spoken_of, Kind.SUBJECT in manners),
        Evidence(_FOR_SIGNING_IN, "the subject speaks of signing in") if signing_in else None,
        frozenset(lengths),
        plainly or short,
        plainly,
        Evidence(_GIVES_AWAY, "but the mail gives a discount") if sells else None,
    )


def _words(line: Line) -> _Words:
    names = tuple(
        (which(line, cue), cue)
        for cue in line.cues(0, _WIDTH)
        if not not_at_hand(line, cue, len(line.low))
    )
    return _Words(names, tuple(_MANNER.find(_start(line))))


def _in_subject(spoken_of: Kind | None, told: bool) -> Evidence | None:
    if told:
        return Evidence(_TOLD_OF, "the body says that it is there")
    return Evidence(_SPOKEN_OF[spoken_of], "the body speaks of a code") if spoken_of else None


def _start(line: Line) -> str:
    return line.low[:_WIDTH]


def _close(name: Cue, verb: Cue) -> bool:
    return -16 <= verb.start - name.end <= 8 or 0 <= name.start - verb.end <= 16
