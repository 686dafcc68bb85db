"""Which code a word like *code* names: *your code* is the one a mail was sent for, *tax code*,
*Artikelcode* and *codice ufficio* are others.

No list could have them all, so it is the other way round: only small words, and the names of
services, may stand beside the word; with any other it is some code, which nobody knows.
"""

from __future__ import annotations

import re

from tempmail.content.cues import Cue, Kind, phrases
from tempmail.content.lines import Line
from tempmail.content.vocabulary import grammar, manner

_BEFORE = frozenset([*phrases(grammar.BEFORE), *phrases(manner.ENTRIES)])
_BEHIND = frozenset(phrases(grammar.BEHIND))
_FINAL = frozenset(
    word
    for row in ("de", "nl", "sv, da, no")
    for word in phrases({row: grammar.BEFORE[row]})
    if word not in ("de", "en", "er")
)
"""Small words of languages in which what says which code it is always stands before it."""

_JOINED_BEFORE = tuple(phrases(grammar.JOINED_BEFORE))
_JOINED_BEHIND = tuple(phrases(grammar.JOINED_BEHIND))
_INDEFINITE = frozenset(phrases(grammar.INDEFINITES))

_WORD_BEFORE = re.compile(r"([^\W\d_']{1,30}) $")
_WORD_BEHIND = re.compile(r" (?:(de|di|do|da|del|della|du|von|van|от|od) )?([^\W\d_']{1,30})")
_LENGTH_BEFORE = re.compile(r"\d[ -]?[^\W\d_]{0,14} $")
"""*6-digit code*: a length says nothing about which code it is."""

_LETTERS = re.compile(r"[^\W\d_]")
_UNBROKEN = re.compile(r"[\u0590-\u074f\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that write small words together with the word they belong to."""


def which(line: Line, cue: Cue) -> Kind:
    """The kind of a name found in a line: `Kind.SOME_CODE` in place of `Kind.MAYBE_CODE` when a
    word beside it may say that it is another code."""
    if cue.kind is not Kind.MAYBE_CODE:
        return cue.kind
    bare = _bare_before(line, cue) and _bare_behind(line, cue)
    return Kind.MAYBE_CODE if bare else Kind.SOME_CODE


def indefinite(line: Line, cue: Cue) -> bool:
    """Whether a name is of no code that is at hand: *somebody who asks for a login code*. In
    Hungarian and Portuguese *a* is the definite article."""
    before = line.low[max(0, cue.start - 40) : cue.start]
    words = before.split()[-2:] if before.endswith(" ") else []
    english = any(word in line.low[cue.start : cue.end] for word in ("code", "pass", "pin"))
    return any(word in _INDEFINITE and (english or word != "a") for word in words)


def _bare_before(line: Line, cue: Cue) -> bool:
    before = line.low[max(0, cue.start - 32) : cue.start]
    if _LETTERS.match(before[-1:]):
        return bool(_UNBROKEN.match(before[-1])) and before.endswith(_JOINED_BEFORE)
    if before.endswith("-"):
        return not _LETTERS.match(before[-2:-1])
    found = _WORD_BEFORE.search(before)
    return not found or bool(_LENGTH_BEFORE.search(before)) or _a_service_before(line, cue)


def _a_service_before(line: Line, cue: Cue) -> bool:
    """Whether a small word stands before a cue, or before a name before it: *your Nimbus code*."""
    start = cue.start
    for _ in range(4):
        found = _WORD_BEFORE.search(line.low[max(0, start - 32) : start])
        if not found or found[1] in _BEFORE:
            return bool(found)
        start -= len(found[0])
        if not _names_a_service(line, cue, start):
            return False
    return False


def _bare_behind(line: Line, cue: Cue) -> bool:
    behind = line.low[cue.end : cue.end + 40]
    if _LETTERS.match(behind[:1]):
        return not _UNBROKEN.match(behind) or behind.startswith(_JOINED_BEHIND)
    found = _WORD_BEHIND.match(behind)
    before = _WORD_BEFORE.search(line.low[max(0, cue.start - 32) : cue.start])
    if before and before[1] in _FINAL:
        return True
    if not found or found[2] in _BEHIND or (found[1] and found[2] in _BEFORE):
        return True
    return _names_a_service(line, cue, cue.end + found.start(2))


def _names_a_service(line: Line, cue: Cue, start: int) -> bool:
    """Whether the word at a place is a name, as in *your Nimbus code*, and not one of a heading
    in which every word begins with a capital."""
    return line.text[start].isupper() and not line.text[cue.start].isupper()
