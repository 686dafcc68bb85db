"""The links of a mail: which one it was sent for, which one ends a subscription, which are others.

A link speaks through its own words (the text of the anchor, or in plain text the words before it
on its line); where these say nothing (``here``, a bare address), the words around it speak. Its
address adds evidence: words in the path, a token, a missing path. As with the codes, evidence is
counted in log-odds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import chain, islice, zip_longest
from typing import Literal
from urllib.parse import unquote, urlsplit

from attrs import frozen

from tempmail.content import vocabulary
from tempmail.content.cues import Cue, Kind, Lexicon, folded, folded_digits
from tempmail.content.plain import decode, read_page
from tempmail.content.urls import destination

BELIEVABLE = 0.5
"""The confidence from which a link is told to a client as the link of the mail."""

MAX_TEXT = 100_000
"""Characters of a plain text body that are read."""

MAX_LINKS = 200
"""Different links that are weighed; a mail with more is a list."""

MAX_MENTIONS = 400
"""Places at which links stand that are looked at, in the text and in the HTML each."""

MAX_URL = 4_096
"""Characters of an address; a longer one is no link that a person follows."""

LinkKind = Literal["action", "unsubscribe", "other"]

_PRIOR = -3.5
_OWN = {Kind.ACTION: 4.0, Kind.SIGN_IN: 1.9, Kind.ELSEWHERE: -4.0, Kind.STOP: -6.0}
_AROUND = {Kind.ACTION: 2.8, Kind.SIGN_IN: 2.0, Kind.ELSEWHERE: -1.0, Kind.STOP: -4.0}
_BY_SUBJECT = 1.5
_STOPS_BY_ADDRESS = -6.0
_OTHER_LABEL = -1.5
_BUTTON = 0.6
_TOKEN = 1.5
_NO_TOKEN = -1.5
_ADDRESS_ASKS = 1.5
_ADDRESS_ELSEWHERE = -2.5
_NOT_YOU = -4.5
_SOCIAL = -3.0
_PICTURE = -5.0
_HOME = -3.0

_BARE_URL = re.compile(
    r"(?<![A-Za-z0-9])https?://[^\s<>\"'`/?#\\]{1,253}(?:[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%']*+)?",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'*_"
_SENTENCE_END = re.compile(r"[.!?]\s|[。!?؟।]")
_STATEMENT_END = re.compile(r"[.!]\s|[。!।]")
"""Ends a sentence that is not a question: *Not you? Reset it* belongs together."""

_PICTURES = (".gif", ".png", ".jpg", ".jpeg", ".webp", ".svg", ".bmp", ".ico")
_WORDS = re.compile(r"[a-z]{2,40}")
_OPAQUE = re.compile(
    r"(?=[A-Za-z_\-.=%~+]*\d)[A-Za-z0-9_\-.=%~+]{3,}|[A-Za-z0-9]{16,}|[A-Za-z0-9_\-]{24,}"
    r"|[A-Za-z]*[a-z][A-Z][A-Za-z]*"
)
_TOKEN_KEYS = re.compile(r"token$|key$|hash$|signature$|ticket$|nonce$|uuid$|otp$")
"""Names of a token, however short its value: tests make tokens like ``abc``."""

_TRACKING_KEYS = re.compile(r"utm_|mc_|fbclid|gclid|ref$|source$|lang$|locale$|hl$|campaign|trk")
_ASKING = re.compile(
    r"confirm|verif|activ|aktiv|validat|validier|magic|reset|passw|invit|accept|optin|doi$|bestaetig"
    r"|bestatig|ativa|attiva|conferma|bevestig|potwierd|weryfik|dogrula|onay|bekraft|bekreft"
    r"|konfirm|podtver|einlad|zurueck|recover|unlock|auth$|authorize|approve|passwordless|otl"
    r"|signup|register|registr|login$|signin$|sso$|vahvist|potvrd|overi|redefin|restabl"
    r"|reinitial|emaillogin|welcome$"
)
_STOPPING = re.compile(
    r"unsub|optout|preference|abmeld|abbestell|desinscri|desabon|baja$|descadastr|disiscri|afmeld"
    r"|uitschrijv|wypisz|otpis|unfollow|tuiding|subscriptions?$|quitar"
)
_LEADING_ELSEWHERE = re.compile(
    r"privacy|terms|help|support|faq|imprint|impressum|legal|about|contact|blog|careers|policy|policies"
    r"|cookie|datenschutz|agb$|track|order|orders|invoice|receipt|sale|shop|product|cart|checkout"
    r"|webversion|viewonline|browser|settings|account$|dashboard|store|download"
)
_SOCIAL_HOSTS = re.compile(
    r"(?:^|\.)(?:facebook|twitter|x|instagram|linkedin|youtube|tiktok|pinterest|t|wa|weibo|vk|telegram"
    r"|apps\.apple|itunes\.apple|play\.google|discord|reddit|threads|snapchat|line|medium)"
    r"\.(?:com|me|gg|net)$"
)

_MEETING_HOSTS = re.compile(r"(?:^|\.)(?:meet|zoom|teams|webex|calendar|cal)\.")

_LEXICON = Lexicon(
    [
        (Kind.POINTER, vocabulary.POINTERS),
        (Kind.SIGN_IN, vocabulary.SIGN_INS),
        (Kind.ACTION, vocabulary.ACTIONS),
        (Kind.ELSEWHERE, vocabulary.ELSEWHERES),
        (Kind.STOP, vocabulary.STOPS),
        (Kind.NOT_YOU, vocabulary.NOT_YOU),
    ]
)


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
class _Evidence:
    """Something that speaks for or against a link as the purpose of the mail: log-odds, and words
    for the reason. `stops`: it says that the link ends a subscription."""

    weight: float
    words: str = ""
    stops: bool = False


@frozen
class _Mention:
    """A link at one place: its own words, and the words before and behind it."""

    url: str
    text: str
    label: str
    before: str
    behind: str
    button: bool = False


def find_links(text: str, html: str, subject: str = "") -> tuple[Link, ...]:
    """The links of a mail's plain body and of its HTML source, each address once; first the most
    likely action, at most `MAX_LINKS`. Only ``http`` and ``https``. Raises nothing."""
    best: dict[str, Link] = {}
    asked = _speaking(subject[:300]) in (Kind.ACTION, Kind.SIGN_IN)
    mentions = chain(
        islice(_in_text(text[:MAX_TEXT]), MAX_MENTIONS), islice(_in_html(html), MAX_MENTIONS)
    )
    for mention in mentions:
        link = _link(mention, asked)
        if link is None:
            continue
        known = best.get(link.url)
        if known is None and len(best) >= MAX_LINKS:
            break
        best[link.url] = link if known is None else _merged(known, link)
    return tuple(sorted(best.values(), key=lambda link: -link.confidence))


def best_link(links: tuple[Link, ...]) -> Link | None:
    """The link to tell a client of, or None when none is `BELIEVABLE`."""
    first = links[0] if links else None
    return first if first and first.kind == "action" and first.confidence >= BELIEVABLE else None


def _in_html(html: str) -> Iterator[_Mention]:
    """The anchors of a document, and the addresses written out between them."""
    page = read_page(html)
    end = 0
    for anchor, following in zip_longest(page.anchors, page.anchors[1:]):
        yield from _in_text(page.text[end : anchor.start])
        before = page.text[max(end, anchor.start - 300) : anchor.start]
        limit = following.start if following else len(page.text)
        behind = page.text[anchor.end : min(limit, anchor.end + 200)]
        url = anchor.href.strip()
        label = "" if _BARE_URL.match(anchor.text) else anchor.text
        yield _Mention(url, anchor.text, label, before, behind, anchor.button)
        end = max(end, anchor.end)
    yield from _in_text(page.text[end:])


def _in_text(text: str) -> Iterator[_Mention]:
    """The addresses written out in a text. The words before one on its line are its own words,
    and where there are none, the line before that ends with a colon."""
    end = 0
    for found in _BARE_URL.finditer(text):
        url = _trimmed(found[0])
        before = text[max(end, found.start() - 400) : found.start()]
        head, _, label = before.rpartition("\n")
        if not label.strip() and head.rstrip().endswith((":", "\uff1a")):
            head, _, label = head.rstrip().rpartition("\n")
        yield _Mention(url, "", label[-160:], head, text[found.end() : found.end() + 200])
        end = found.end()


def _trimmed(url: str) -> str:
    """Without the punctuation that ends the sentence, and a bracket that was opened outside."""
    url = url.rstrip(_TRAILING)
    for opening, closing in ("()", "[]"):
        if url.endswith(closing) and url.count(opening) < url.count(closing):
            url = url[:-1].rstrip(_TRAILING)
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    labels = host.split(".")
    if labels[-1][:1].isascii():
        labels[-1] = "".join(c for c in labels[-1] if c.isascii())
    return f"{scheme}://{'.'.join(labels)}{slash}{path}"


def _merged(one: Link, other: Link) -> Link:
    """Two mentions of one address: the surer one, and the words of either."""
    first, second = (one, other) if one.confidence >= other.confidence else (other, one)
    if "unsubscribe" in (one.kind, other.kind) and first.kind == "other":
        first, second = second, first
    text = first.text or second.text
    return Link(first.url, first.host, text, first.kind, first.confidence, first.reason)


def _link(mention: _Mention, asked: bool) -> Link | None:
    """`asked`: the subject asks to follow a link."""
    url = mention.url
    if len(url) > MAX_URL or not url.lower().startswith(("http://", "https://")):
        return None
    place = destination(url)
    if place is None:
        return None
    host = place.host
    words = _from_words(mention)
    if asked and not words and _points(mention.label):
        words = [_Evidence(_BY_SUBJECT, "the subject asks for it")]
    evidence = [*words, *_from_address(url, host)]
    if mention.button:
        evidence.append(_Evidence(_BUTTON, "on a button"))
    score = _PRIOR + sum(item.weight for item in evidence)
    confidence = round(1 / (1 + math.exp(-score)), 3)
    stops = any(item.stops for item in evidence)
    kind: LinkKind = "action" if confidence >= BELIEVABLE else "unsubscribe" if stops else "other"
    reasons = "; ".join(item.words for item in evidence if item.words)
    return Link(url, host, mention.text, kind, confidence, reasons or "nothing asks to follow it")


def _from_words(mention: _Mention) -> list[_Evidence]:
    """What the words of a link and around it say, as log-odds and words for the reason."""
    last_line = mention.before.rpartition("\n")[2]
    own = _speaking(mention.label)
    evidence: list[_Evidence] = []
    if own:
        words = f"“{_shortened(mention.label)}”"
        evidence.append(_Evidence(_OWN[own], words, own is Kind.STOP))
    else:
        around = _around(mention)
        if around:
            kind, words = around
            evidence.append(_Evidence(_AROUND[kind], f"near “{words}”", kind is Kind.STOP))
            if not _points(mention.label):
                evidence.append(_Evidence(_OTHER_LABEL))
    sentence = _STATEMENT_END.split(last_line + mention.label)[-1]
    cues = _cues(sentence)
    if any(cue.kind is Kind.NOT_YOU for cue in cues) or _only_if_not_you(mention):
        evidence.append(_Evidence(_NOT_YOU, "only for those who did not ask for it"))
    return evidence


def _only_if_not_you(mention: _Mention) -> bool:
    """Whether the sentence that leads to the link begins with the line before it."""
    tail = mention.before.rstrip("\n")[-160:]
    sentence = [part for part in _STATEMENT_END.split(tail) if part.strip()]
    return bool(sentence) and any(cue.kind is Kind.NOT_YOU for cue in _cues(sentence[-1]))


def _around(mention: _Mention) -> tuple[Kind, str] | None:
    """The nearest words before a link that say what it is for, else those right behind it."""
    lines = [line for line in mention.before.split("\n") if line.strip()]
    for line in reversed(lines[-3:]):
        for sentence in reversed(_SENTENCE_END.split(line)):
            kind = _speaking(sentence)
            if kind:
                return kind, _shortened(sentence)
    behind = mention.behind.split("\n")[0][:80]
    kind = _speaking(behind)
    return (kind, _shortened(behind)) if kind else None


def _speaking(words: str) -> Kind | None:
    """What a few words ask for. What ends a subscription comes first, then what is said first:
    *help to verify* leads to help, *verify, or ask for help* verifies."""
    kinds = [cue.kind for cue in _cues(words)]
    if Kind.STOP in kinds:
        return Kind.STOP
    if Kind.ACTION in kinds or Kind.ELSEWHERE in kinds:
        return next(kind for kind in kinds if kind in (Kind.ACTION, Kind.ELSEWHERE))
    return Kind.SIGN_IN if Kind.SIGN_IN in kinds else None


def _points(label: str) -> bool:
    """Whether a link's own words leave it to the words around them what it is for."""
    said = any(map(str.isalnum, label))
    return not said or any(cue.kind is Kind.POINTER for cue in _cues(label))


def _cues(words: str) -> list[Cue]:
    return _LEXICON.find(folded(folded_digits(" ".join(words[-300:].split()))))


def _shortened(words: str) -> str:
    return " ".join(words.split())[-60:].strip(" :-")


def _from_address(url: str, host: str) -> list[_Evidence]:
    """What an address itself says."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    evidence: list[_Evidence] = []
    path = decode(unquote(parts.path))[:400]
    asked = f"{path} {' '.join(_keys(parts.query))}".lower()
    words = _WORDS.findall(asked) + _WORDS.findall(asked.replace("-", "").replace("_", ""))
    if _SOCIAL_HOSTS.search(host):
        evidence.append(_Evidence(_SOCIAL, "a social network or app store"))
    if _MEETING_HOSTS.search(host):
        evidence.append(_Evidence(_SOCIAL, "a meeting"))
    if path.lower().endswith(_PICTURES):
        evidence.append(_Evidence(_PICTURE, "a picture"))
    if path in ("", "/") and not parts.query:
        return [*evidence, _Evidence(_HOME, "a home page")]
    if any(_STOPPING.match(word) for word in words):
        evidence.append(_Evidence(_STOPS_BY_ADDRESS, "its address ends a subscription", True))
    elif any(_ASKING.match(word) for word in words):
        evidence.append(_Evidence(_ADDRESS_ASKS, "its address asks for it"))
    elif any(_LEADING_ELSEWHERE.match(word) for word in words):
        evidence.append(_Evidence(_ADDRESS_ELSEWHERE, "its address leads elsewhere"))
    if _has_token(path, parts.query, parts.fragment):
        evidence.append(_Evidence(_TOKEN, "a token in its address"))
    else:
        evidence.append(_Evidence(_NO_TOKEN))
    return evidence


def _keys(query: str) -> list[str]:
    return [pair.partition("=")[0] for pair in query[:400].split("&")]


def _has_token(path: str, query: str, fragment: str) -> bool:
    """Whether the address carries something made for this mail alone."""
    if any(_OPAQUE.fullmatch(segment) for segment in path.split("/")):
        return True
    for pair in (query + "&" + fragment)[:2_000].split("&"):
        key, _, value = pair.partition("=")
        named = value and _TOKEN_KEYS.search(key.lower())
        made = named or len(value) >= 6 or _OPAQUE.fullmatch(value)
        if made and not _TRACKING_KEYS.search(key.lower()):
            return True
    return False
