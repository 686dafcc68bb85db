"""What the address of a link says of it: what it asks for, whether it was made for one mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from attrs import frozen

from tempmail.content.plain import decode

_STOPS_BY_ADDRESS = -6.0
_TOKEN = 1.5
_NUMBER = 0.5
_NO_TOKEN = -1.5
_ADDRESS_ASKS = 1.5
_ADDRESS_ELSEWHERE = -2.5
_SOCIAL = -3.0
_PICTURE = -5.0
_HOME = -3.0

_PICTURES = (".gif", ".png", ".jpg", ".jpeg", ".webp", ".svg", ".bmp", ".ico")
_WORDS = re.compile(r"[a-z]{2,40}")
_OPAQUE = re.compile(
    r"(?=[A-Za-z_\-.=%~+]*\d)[A-Za-z0-9_\-.=%~+]{3,}|[A-Za-z0-9]{16,}|[A-Za-z0-9_\-]{24,}"
    r"|[A-Za-z]*[a-z][A-Z][A-Za-z]*"
)
_TOKEN_KEYS = re.compile(r"token$|key$|hash$|signature$|ticket$|nonce$|uuid$|otp$")
"""Names of a token, however short its value: tests make tokens like ``abc``."""

_NUMBER_OR_TITLE = re.compile(r"\d{1,7}|[a-z]{2,}+(?:(?>-(?:[a-z]++|\d{1,4}(?![a-z\d]))))++")

_TITLE = re.compile(r"(?<![^/])[a-z0-9]{1,40}(?:-[a-z0-9]{1,40}){3,20}(?![^/])", re.IGNORECASE)
"""A part of a path that is the title of a page, whatever it speaks of."""

_TRACKING_KEYS = re.compile(r"utm_|mc_|fbclid|gclid|ref$|source$|lang$|locale$|hl$|campaign|trk")
_ASKING = re.compile(
    r"confirm|verif|activ|aktiv|validat|validier|magic|reset|invit|accept|optin|doi$|bestaetig"
    r"|(?:set|new|choose|change|forgot|lost)?passw"
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
    r"|cookie|datenschutz|agb$|track|order|orders|invoice|receipt|sale"
    r"|webversion|viewonline|browser|download|news$|article|story$|stories|press$|deals?$|offers?$"
)
_PLACE_ELSEWHERE = re.compile(
    r"/(?:(?:my)?account|settings|dashboard|profile|store|shop|products?|cart|checkout)/?$",
    re.IGNORECASE,
)
"""Leads elsewhere where a path ends with it; ``/account/mail/commit`` may lead anywhere."""

_PAIRS = re.compile(r"[&;]")
_SOCIAL_HOSTS = re.compile(
    r"(?:^|\.)(?:facebook|twitter|x|instagram|linkedin|youtube|tiktok|pinterest|t|wa|weibo|vk|telegram"
    r"|apps\.apple|itunes\.apple|play\.google|discord|reddit|threads|snapchat|line|medium)"
    r"\.(?:com|me|gg|net)$"
)

_MEETING_HOSTS = re.compile(r"(?:^|\.)(?:meet|zoom|teams|webex|calendar|cal)\.")


@frozen
class LinkEvidence:
    """Something that speaks for or against a link as the purpose of the mail: log-odds, and words
    for the reason. `stops`: it says that the link ends a subscription; `made`: that it was made for
    this mail alone."""

    weight: float
    words: str = ""
    stops: bool = False
    made: bool = False


def from_address(url: str, host: str) -> list[LinkEvidence]:
    """What an address itself says."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    evidence: list[LinkEvidence] = []
    path = decode(unquote(parts.path))[:400]
    keys, values = _words_of_query(parts.query)
    asked = f"{_TITLE.sub(' ', path)} {' '.join(keys)}".lower()
    words = _WORDS.findall(asked) + _WORDS.findall(asked.replace("-", "").replace("_", ""))
    if _SOCIAL_HOSTS.search(host):
        evidence.append(LinkEvidence(_SOCIAL, "a social network or app store"))
    if _MEETING_HOSTS.search(host):
        evidence.append(LinkEvidence(_SOCIAL, "a meeting"))
    if path.lower().endswith(_PICTURES):
        evidence.append(LinkEvidence(_PICTURE, "a picture"))
    if path in ("", "/") and not parts.query:
        return [*evidence, LinkEvidence(_HOME, "a home page")]
    if any(_STOPPING.match(word) for word in [*words, *values]):
        evidence.append(LinkEvidence(_STOPS_BY_ADDRESS, "its address ends a subscription", True))
    elif any(_ASKING.match(word) for word in [*words, *values]):
        evidence.append(LinkEvidence(_ADDRESS_ASKS, "its address asks for it"))
    elif any(_LEADING_ELSEWHERE.match(word) for word in words) or _PLACE_ELSEWHERE.search(path):
        evidence.append(LinkEvidence(_ADDRESS_ELSEWHERE, "its address leads elsewhere"))
    values = list(_opaque(path, parts.query, parts.fragment))
    if values:
        made = not all(map(_of_a_page, values))
        weight = _TOKEN if made else _NUMBER
        evidence.append(LinkEvidence(weight, "a token in its address", made=made))
    else:
        evidence.append(LinkEvidence(_NO_TOKEN))
    return evidence


def pattern_of(url: str) -> tuple[str, ...]:
    """The host of an address and its path, without what was made for one mail, and its keys."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return (url,)
    path = [part for part in parts.path[:400].split("/") if not _OPAQUE.fullmatch(part)]
    return (parts.netloc.lower(), *path, "?", *_words_of_query(parts.query)[0])


def _words_of_query(query: str) -> tuple[list[str], list[str]]:
    """Its keys, and those of its values that are words and do not say where the link was seen:
    ``mode=activate``."""
    pairs = [pair.partition("=") for pair in _PAIRS.split(query[:400])]
    values = [
        value
        for key, _, value in pairs
        if _WORDS.fullmatch(value) and not _TRACKING_KEYS.search(key.lower())
    ]
    return [key for key, _, _ in pairs], values


def _opaque(path: str, query: str, fragment: str) -> Iterator[str]:
    """What an address carries that may have been made for this mail alone."""
    yield from filter(_OPAQUE.fullmatch, path.split("/"))
    for pair in _PAIRS.split((query + "&" + fragment)[:2_000]):
        key, _, value = pair.partition("=")
        named = value and _TOKEN_KEYS.search(key.lower())
        made = named or len(value) >= 6 or _OPAQUE.fullmatch(value)
        if made and not _TRACKING_KEYS.search(key.lower()):
            yield "" if named else value


def _of_a_page(value: str) -> bool:
    """Whether a value is more likely the number or the title of a page: ``4821``,
    ``top-10-tips``."""
    return bool(value) and bool(_NUMBER_OR_TITLE.fullmatch(value))
