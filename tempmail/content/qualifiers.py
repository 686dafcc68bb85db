"""Which code a word like *code* names: *your code* is the one a mail was sent for, *tax code*,
*Artikelcode* and *codice ufficio* are others.

No list could have them all, so it is the other way round: only small words, and the names of
services, may stand beside the word; with any other it is some code, which nobody knows. Behind
*this code* and *enter the code* anything may follow: the sentence goes on.
"""

from __future__ import annotations

import re

from tempmail.content.cues import Cue, Kind, phrases
from tempmail.content.lines import Line
from tempmail.content.vocabulary import grammar, manner

_BEFORE = frozenset([*phrases(grammar.BEFORE), *phrases(manner.ENTRIES)])
_BEHIND = frozenset(phrases(grammar.BEHIND))
_ENTRIES = frozenset(phrases(manner.ENTRIES))
_AT_THE_END = frozenset(
    phrase.rstrip("*")
    for row in ("de", "nl", "tr, az", "ur", "hi, bn, ta", "ka, hy, kk, uz, mn")
    for phrase in phrases({row: manner.ENTRIES[row]})
)
"""Verbs of languages that end a sentence with them."""

_LEFTWARD = _AT_THE_END.union(
    phrase
    for row in ("en", "sv, da, no", "fi, et, is", "lv, lt", "hu")
    for phrase in phrases({row: manner.ENTRIES[row]})
)
"""Those, and verbs of others in which what says which code it is stands before it: *enter the tax
code*, but *inserisci il codice fiscale*."""

_LEFTWARD_NEXT = _LEFTWARD.difference(phrases({"en": manner.ENTRIES["en"]}))
"""Those that need no article. In English one tells *enter the code* from *use code name Falcon*."""

_JOINED_ENTRIES = tuple(phrase for phrase in _ENTRIES if not phrase.isascii())
_DEMONSTRATIVES = frozenset(phrases(grammar.DEMONSTRATIVES))
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
_NEXT_WORD = re.compile(r" ([^\s\d.:;!?]{1,30})([.:;!?]?)")
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
    before = _words_before(line, cue)
    bare = _at_hand(before) or (
        _bare_before(line, cue, before) and (_bare_behind(line, cue) or _entered_behind(line, cue))
    )
    return Kind.MAYBE_CODE if bare else Kind.SOME_CODE


def indefinite(line: Line, cue: Cue) -> bool:
    """Whether a name is of no code that is at hand: *somebody who asks for a login code*. In
    Hungarian and Portuguese *a* is the definite article."""
    before = line.low[max(0, cue.start - 40) : cue.start]
    words = before.split()[-2:] if before.endswith(" ") else []
    english = any(word in line.low[cue.start : cue.end] for word in ("code", "pass", "pin"))
    return any(word in _INDEFINITE and (english or word != "a") for word in words)


def _words_before(line: Line, cue: Cue) -> list[str]:
    """The last five words before a name that is a word by itself."""
    start = max(0, cue.start - 64)
    before = line.low[start : cue.start]
    return before.split()[start > 0 :][-5:] if before.endswith(" ") else []


def _ends_with(words: list[str], phrases: frozenset[str]) -> bool:
    """Whether the last one or two words are a phrase."""
    return any(" ".join(words[-size:]) in phrases for size in (1, 2) if len(words) >= size)


def _at_hand(before: list[str]) -> bool:
    """Whether the words before a name say that what follows does not matter: *this*, or a verb with
    at most two small words between."""
    if _ends_with(before, _DEMONSTRATIVES):
        return True
    for between in range(3):
        verbs = _LEFTWARD if between else _LEFTWARD_NEXT
        if _ends_with(before[: len(before) - between], verbs):
            return True
        if between >= len(before) or before[-1 - between] not in _BEFORE:
            break
    return False


def _entered_behind(line: Line, cue: Cue) -> bool:
    """Whether a verb stands behind a name, with at most two words between: *Kodu bilet makinesine
    girin*."""
    words: list[str] = []
    place = cue.end
    while len(words) < 4 and (found := _NEXT_WORD.match(line.low, place)):
        words.append(found[1])
        if _ends_with(words, _AT_THE_END):
            return True
        if found[2]:
            break
        place = found.end()
    return False


def _bare_before(line: Line, cue: Cue, words: list[str]) -> bool:
    if _ends_with(words, _ENTRIES):
        return True
    before = line.low[max(0, cue.start - 32) : cue.start]
    if _LETTERS.match(before[-1:]):
        return bool(_UNBROKEN.match(before[-1])) and before.endswith(
            _JOINED_BEFORE + _JOINED_ENTRIES
        )
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
