"""Names of codes that are not in the mail: one that never came, one that was changed or used.

Whatever number such a sentence goes on to, a time, a device, a case, it is not the code.
"""

from __future__ import annotations

import re

from tempmail.content.cues import Cue, Kind, Lexicon
from tempmail.content.lines import SENTENCE_END, Line
from tempmail.content.vocabulary import done

_REACH = 80
_NEAR = 28
"""Characters between a name and what is said of it: *your code settings were changed*."""

_RIGHT_BEHIND = 3

_NEVER_CAME = re.compile(
    r"(?: is| was| has| did| does| will)?(?:n't| not| never) (?:\w{1,12} )?"
    r"(?:arriv|come|came|sent|receiv|reach|get|work|deliver|show)"
)
"""*The code never arrives*: no number that follows is it."""

_DONE = Lexicon([(Kind.DONE, done.PREDICATES)])

_INTO = re.compile(
    r"(?: (?:to|into|auf|in|a|en|para|naar|na|на|till|til))?[\"'“”「『【\[(<*_ :\uff1a=|-]{0,8}"
)
"""*was changed to 482913*: here it is after all."""


def not_at_hand(line: Line, cue: Cue, end: int) -> bool:
    """Whether the words behind a name, up to a place in its line, say that the code is not in the
    mail."""
    gap = line.low[cue.end : min(end, cue.end + _REACH)]
    if _NEVER_CAME.match(gap):
        return True
    found = next(iter(_DONE.find(SENTENCE_END.split(gap)[0])), None)
    if found is None or found.start > _NEAR:
        return False
    start = cue.end + found.end
    rest = line.low[start : min(end, start + 40)]
    follows = end < len(line.low) or rest.rstrip().endswith((":", "\uff1a"))
    return not (follows and _INTO.fullmatch(rest))


def done_with(line: Line, end: int) -> bool:
    """Whether the words right behind a number say what was done with it: *the code for the card
    4417 was changed*."""
    behind = SENTENCE_END.split(line.low[end : end + 40])[0]
    return any(found.start <= _RIGHT_BEHIND for found in _DONE.find(behind))
