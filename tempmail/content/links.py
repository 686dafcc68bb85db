"""The links of a mail: which one it was sent for, which one ends a subscription, which are others.

A link speaks through its own words (the text of the anchor, or in plain text the words before it
on its line); where these say nothing (``here``, a bare address), the words around it speak. Its
address adds evidence: words in the path, a token, a missing path. As with the codes, evidence is
counted in log-odds.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from attrs import evolve, frozen

from tempmail.content.cues import Kind
from tempmail.content.evidence import BELIEVABLE, confidence
from tempmail.content.lines import SENTENCE_END
from tempmail.content.mentions import Mention, mentions
from tempmail.content.plain import Page
from tempmail.content.targets import LinkEvidence, from_address, pattern_of
from tempmail.content.urls import destination
from tempmail.content.wording import affirms, points, says, speaking, topic

MAX_LINKS = 200
"""Different links that are weighed; a mail with more is a list."""

MAX_URL = 4_096
"""Characters of an address; a longer one is no link that a person follows."""

LinkKind = Literal["action", "unsubscribe", "other"]

_PRIOR = -3.5
_OWN = {
    Kind.ACTION: 4.0,
    Kind.SIGN_IN: 1.9,
    Kind.INVITATION: 1.9,
    Kind.JOIN: 1.9,
    Kind.ELSEWHERE: -4.0,
    Kind.STOP: -6.0,
}
_AROUND = {
    Kind.ACTION: 2.8,
    Kind.SIGN_IN: 2.0,
    Kind.INVITATION: 2.0,
    Kind.JOIN: 2.0,
    Kind.ELSEWHERE: -1.0,
    Kind.STOP: -4.0,
}
_WEAKER = (Kind.INVITATION, Kind.SIGN_IN, Kind.JOIN)
_ASKING = (Kind.ACTION, Kind.INVITATION, Kind.SIGN_IN)
_IN_ANY_MAIL = (Kind.SIGN_IN, Kind.JOIN)
_BY_SUBJECT = 1.5
_OTHER_LABEL = -1.5
_BUTTON = 0.6
_NOT_YOU = -4.5
_ONLY = 1.0
_FOR_ANY_REASON = -0.8

_AS_IT_IS = re.compile(r"https?://[!#-;=?-\[\]_a-z~]+", re.IGNORECASE).fullmatch
"""What no browser reads in another way than it is written. Of any other address the one that a
browser goes to is told."""

_STATEMENT_END = re.compile(r"[.!]\s|[。!।]")
"""Ends a sentence that is not a question: *Not you? Reset it* belongs together."""


@frozen
class Link:
    """A link of a mail. `host` is where it really leads, in IDNA A-label form and lower case."""

    url: str
    host: str
    text: str
    kind: LinkKind
    confidence: float
    """How sure it is, from 0 to 1, that this is the link the mail was sent for."""

    reason: str


@frozen
class _Weighed:
    """A link with what speaks for and against it."""

    url: str
    host: str
    text: str
    evidence: tuple[LinkEvidence, ...]
    asks: bool
    """Whether the subject asks, or its words do: for more than signing in or joining, for which any
    notification has a link; and not words around a link that speaks of something else."""

    @property
    def score(self) -> float:
        """The sum of the evidence."""
        return _PRIOR + sum(item.weight for item in self.evidence)

    @property
    def stops(self) -> bool:
        """Whether it ends a subscription."""
        return any(item.stops for item in self.evidence)

    @property
    def may_be_it(self) -> bool:
        """Whether it was made for this mail, and nothing plainly says that it is for another
        purpose."""
        made = any(item.made for item in self.evidence)
        return made and all(item.weight > -2 for item in self.evidence)

    def link(self) -> Link:
        """What is handed out."""
        sure = confidence(self.score)
        kind: LinkKind = "unsubscribe" if self.stops else "other"
        if sure >= BELIEVABLE:
            kind = "action"
        reasons = "; ".join(item.words for item in self.evidence if item.words)
        reason = reasons or "nothing asks to follow it"
        return Link(self.url, self.host, self.text, kind, sure, reason)


def find_links(text: str, page: Page, subject: str = "") -> tuple[Link, ...]:
    """The links of a mail's plain body and of its HTML, each address once; first the most likely
    action, at most `MAX_LINKS`. Only ``http`` and ``https``. Raises nothing."""
    best: dict[str, _Weighed] = {}
    asked = speaking(subject[:300])[0] in _ASKING
    for mention in mentions(text, page):
        found = _weighed(mention, asked)
        if found is None:
            continue
        known = best.get(found.url)
        if known is None and len(best) >= MAX_LINKS:
            break
        best[found.url] = found if known is None else _merged(known, found)
    made = [found for found in best.values() if found.may_be_it]
    if len(made) == 1 and made[0].asks and not _like_another(made[0].url, best):
        only = LinkEvidence(_ONLY, "the only one made for this mail")
        best[made[0].url] = evolve(made[0], evidence=(*made[0].evidence, only))
    links = [found.link() for found in best.values()]
    return tuple(sorted(links, key=lambda link: -link.confidence))


def _like_another(url: str, every: Collection[str]) -> bool:
    """Whether another address of a mail differs from one only in what it carries: the links of one
    that counts clicks all do, so that neither was made for its purpose."""
    pattern = pattern_of(url)
    return any(other != url and pattern_of(other) == pattern for other in every)


def best_link(links: tuple[Link, ...]) -> Link | None:
    """The link to tell a client of, or None when none is `BELIEVABLE`."""
    first = links[0] if links else None
    return first if first and first.kind == "action" and first.confidence >= BELIEVABLE else None


def _merged(one: _Weighed, other: _Weighed) -> _Weighed:
    """Two mentions of one address: the surer one, and the words of either; one that ends a
    subscription unless the other is believable."""
    first, second = (one, other) if one.score >= other.score else (other, one)
    if second.stops and not first.stops and first.score < 0:
        first, second = second, first
    return evolve(first, text=first.text or second.text, asks=one.asks or other.asks)


def _weighed(mention: Mention, asked: bool) -> _Weighed | None:
    """`asked`: the subject asks to follow a link."""
    url = f"https:{mention.url}" if mention.url.startswith("//") else mention.url
    place = destination(url) if len(url) <= MAX_URL else None
    if place is None or not place.is_web:
        return None
    if not _AS_IT_IS(url):
        url = place.url
    kind, words = _from_words(mention)
    own = speaking(mention.label)[0]
    if asked and _may_be_asked_for(mention, own, kind):
        words.append(LinkEvidence(_BY_SUBJECT, "the subject asks for it"))
    elif own in _IN_ANY_MAIL:
        words.append(LinkEvidence(_FOR_ANY_REASON))
    evidence = [*words, *from_address(url, place.host)]
    if mention.button:
        evidence.append(LinkEvidence(_BUTTON, "on a button"))
    aimed = own is not None or mention.button or points(mention.label)
    asks = asked or (aimed and kind not in _IN_ANY_MAIL)
    return _Weighed(url, place.host, mention.text, tuple(evidence), asks)


def _may_be_asked_for(mention: Mention, own: Kind | None, kind: Kind | None) -> bool:
    """Whether a subject that asks for a link may ask for this one: its words say too little to
    decide, and nothing else. `kind`: what its own words ask for, or those around it."""
    if own or kind is Kind.INVITATION:
        return (own or kind) in _WEAKER
    aimed = points(mention.label) or affirms(mention.label)
    return aimed and (kind is None or kind in _WEAKER)


def _from_words(mention: Mention) -> tuple[Kind | None, list[LinkEvidence]]:
    """What the words of a link and around it say, as log-odds and words for the reason; and what
    kind of words decided."""
    last_line = mention.before.rpartition("\n")[2]
    kind, words = speaking(mention.label)
    evidence: list[LinkEvidence] = []
    if kind in (None, Kind.ACTION) and (
        title := topic(mention.label, mention.label == mention.text)
    ):
        kind, words = Kind.ELSEWHERE, title
    if kind:
        evidence.append(LinkEvidence(_OWN[kind], f"“{words}”", kind is Kind.STOP))
    else:
        kind, words = _around(mention)
        if kind:
            evidence.append(LinkEvidence(_AROUND[kind], f"near “{words}”", kind is Kind.STOP))
            if not points(mention.label):
                evidence.append(LinkEvidence(_OTHER_LABEL))
    sentence = _STATEMENT_END.split(last_line + mention.label)[-1]
    if says(sentence, Kind.NOT_YOU) or _only_if_not_you(mention):
        evidence.append(LinkEvidence(_NOT_YOU, "only for those who did not ask for it"))
    return kind, evidence


def _only_if_not_you(mention: Mention) -> bool:
    """Whether the sentence that leads to the link begins with the line before it."""
    tail = mention.before.rstrip("\n")[-160:]
    sentence = [part for part in _STATEMENT_END.split(tail) if part.strip()]
    return bool(sentence) and says(sentence[-1], Kind.NOT_YOU)


def _around(mention: Mention) -> tuple[Kind | None, str]:
    """The nearest words before a link that say what it is for, else those right behind it."""
    lines = [line for line in mention.before.split("\n") if line.strip()]
    for line in reversed(lines[-3:]):
        for sentence in reversed(SENTENCE_END.split(line)):
            kind, words = speaking(sentence)
            if kind:
                return kind, words
    return speaking(mention.behind.split("\n")[0][:80])
