"""Addresses: normalising, names nobody gets, and drawing new ones."""

from __future__ import annotations

import re
import secrets
import unicodedata
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from sys import intern

import idna
from attrs import field, frozen

from tempmail.core.errors import BadAddress, ReservedAddress
from tempmail.core.limits import MAX_DOMAIN_OCTETS, MAX_LOCAL_OCTETS

# What nearly every address looks like. Matching it costs a microsecond and lets the rest wait for
# the addresses that need it.
_PLAIN_LOCAL = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*").fullmatch
_PLAIN_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?").fullmatch
# What idna would have to say of a domain that matches: an empty label, one that begins or ends with
# a hyphen, one that has hyphens where A-labels have them.
_NEEDS_IDNA = re.compile(r"\.[.-]|-\.|(?:^|\.)..--").search
# RFC 5321 section 4.1.2, Dot-string, with the characters RFC 6531 section 3.3 adds: what is written
# without quotes.
is_dot_string = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]++"
    r"(?:(?>\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]++))*+"
).fullmatch
# Putting combining marks in order takes quadratic time, so what is far too long is not normalised
# first. Composition makes 3 octets of at most 4 characters.
_MAX_LOCAL_CHARACTERS = 2 * MAX_LOCAL_OCTETS

# RFC 2142 sections 3 to 5, the five names a certificate authority may send a validation mail to
# (CA/Browser Forum Baseline Requirements 3.2.2.4.4), and the names system software writes from.
RESERVED_LOCAL_PARTS = frozenset(
    """
    abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp
    info marketing sales support
    admin administrator
    root mailer-daemon nobody daemon noreply no-reply donotreply
    ssladmin ssl-admin sysadmin is it mis operator
    """.split()
)
# Mail to these is taken for every domain of ours, whoever reads it (RFC 5321 section 4.5.1,
# RFC 2142 section 4).
OPERATOR_LOCAL_PARTS = frozenset({"postmaster", "abuse"})

# Syllables of one consonant and one vowel can be said over a telephone; consonants that sound
# alike (c/k/q, w/v, y/i, x) are left out.
_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aeiou"
_SYLLABLES = 4
_DIGITS = 3
# What can not be taken for something else in print.
_PLAIN_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@frozen
class Address:
    """One address in the form it is compared by.

    ``local`` is lower-cased, in Unicode form C and without its ``+tag``; ``domain`` is the
    lower-cased A-label form (RFC 5890). ``tag`` is kept for display only. ``key`` is both
    together, made once because every mail looks its mailbox up by it.
    """

    local: str = field(eq=False)
    domain: str = field(eq=False)
    tag: str = field(default="", eq=False)
    key: str = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.local}@{self.domain}")

    def __str__(self) -> str:
        return f"{written(self.local)}@{self.domain}"

    @property
    def displayed(self) -> str:
        """The address with its tag, as its sender wrote it but for letter case."""
        return f"{written(f'{self.local}+{self.tag}')}@{self.domain}" if self.tag else str(self)

    @property
    def untagged(self) -> Address:
        """The address without its tag: the mailbox's own."""
        return Address(self.local, self.domain) if self.tag else self


def normalise(local: str, domain: str) -> Address:
    """The :class:`Address` for a local part (dequoted) and a domain (U-labels or A-labels).

    Raises :exc:`BadAddress` for what can not be one: RFC 5321 section 4.5.3.1 (lengths),
    RFC 6531 section 3.3 (UTF-8), RFC 5891 (labels). Dots may stand anywhere in the local part,
    because in a quoted string they may; whether quotes were needed is for who read them to say.
    """
    name, tag = _split_tag(normalise_local(local))
    return Address(name, normalise_domain(domain), tag)


# Whoever polls asks for the same one each time.
@lru_cache(maxsize=1000)
def parse_address(text: str) -> Address:
    """The :class:`Address` written as ``local@domain``, quoted local parts included."""
    local, at, domain = text.rpartition("@")
    if not at:
        raise BadAddress("an address is written local-part@domain")
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return normalise(local, domain)


def normalise_local(local: str) -> str:
    """A local part in the form it is compared by; its tag stays."""
    if not _PLAIN_LOCAL(local):
        local = _normalise_unusual(local)
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise BadAddress(f"the local part is longer than {MAX_LOCAL_OCTETS} octets")
    return local


def _normalise_unusual(local: str) -> str:
    if not local:
        raise BadAddress("the local part is empty")
    if len(local) > _MAX_LOCAL_CHARACTERS:
        raise BadAddress(f"the local part is longer than {MAX_LOCAL_OCTETS} octets")
    # Lower-casing can leave a letter and a mark that have a composed form.
    local = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())
    if any(map(_is_control, local)):
        raise BadAddress("the local part holds a control character")
    return local


# Mail names the same few domains again and again.
@lru_cache(maxsize=1024)
def normalise_domain(domain: str) -> str:
    """A domain or an address literal (RFC 5321 section 4.1.3) in the form it is compared by."""
    if len(domain) > MAX_DOMAIN_OCTETS:
        raise BadAddress(f"the domain is longer than {MAX_DOMAIN_OCTETS} octets")
    lowered = domain.lower()
    if _PLAIN_DOMAIN(lowered) and not _NEEDS_IDNA(lowered):
        if max(map(len, lowered.split("."))) > 63:
            raise BadAddress("a label of the domain is longer than 63 octets")
        # Addresses of one domain share its name, which saves each mailbox a text of its own.
        return intern(lowered)
    try:
        if domain.startswith("[") and domain.endswith("]"):
            return _normalise_literal(lowered[1:-1])
        encoded = idna.encode(domain, uts46=True).decode("ascii").lower()
    except ValueError:
        raise BadAddress("the domain is not well formed") from None
    if encoded.endswith("."):
        raise BadAddress("the domain ends with a dot")
    return intern(encoded)


def _normalise_literal(inner: str) -> str:
    if inner.startswith("ipv6:"):
        address = IPv6Address(inner[5:])
        if address.scope_id is None:
            return f"[ipv6:{address.compressed}]"
        raise ValueError("a zone means nothing to another host")
    return f"[{IPv4Address(inner)}]"


def _is_control(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp")


def written(local: str) -> str:
    """A local part as RFC 5321 section 4.1.2 writes it, in quotes where it needs them."""
    if is_dot_string(local):
        return local
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'


def _split_tag(local: str) -> tuple[str, str]:
    name, plus, tag = local.partition("+")
    return (name, tag) if plus and name else (local, "")


def draw_local() -> str:
    """A new local part from the operating system's random source.

    Four syllables and three digits are 35 bits: with a million addresses alive a draw hits one of
    them once in 34,000 times, and the caller draws again. Privacy rests on tokens, not on this.
    """
    syllables = (secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(_SYLLABLES))
    return "".join(syllables) + "".join(str(secrets.randbelow(10)) for _ in range(_DIGITS))


def draw_plain_local() -> str:
    """Eight letters and digits (39 bits), the form the small interface has always given out."""
    return "".join(secrets.choice(_PLAIN_CHARACTERS) for _ in range(8))


def choose_local(wished: str) -> str:
    """The local part somebody asked for, if it is one that may be given out.

    Letters and digits of any script with single dots, hyphens and underscores between them.
    Raises :exc:`BadAddress` or :exc:`ReservedAddress`.
    """
    local = normalise_local(wished)
    pieces = re.split(r"[._-]", local)
    if not all(piece[:1].isalnum() and all(map(_is_word_character, piece)) for piece in pieces):
        raise BadAddress(
            "a local part is made of letters and digits with single . - or _ between them"
        )
    if looks_reserved(local):
        raise ReservedAddress("this local part is reserved for the operator")
    return local


def looks_reserved(local: str) -> bool:
    """Whether a person would take a normalised local part for one that nobody is given.

    Separators, accents, full-width forms and letters of other alphabets that look alike do not make
    another name of it: ``post-master`` and ``adm1n`` are still taken for the operator.
    """
    return local in RESERVED_LOCAL_PARTS or _skeleton(local) in _RESERVED_SKELETONS


def _skeleton(local: str) -> str:
    """What is left of a local part to the eye; in the manner of UTS 39 section 4."""
    decomposed = unicodedata.normalize("NFKD", local).casefold()
    letters = (character for character in decomposed if character.isalnum())
    return "".join(letters).translate(_LOOKS_LIKE).replace("rn", "m")


def _is_word_character(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in ("Mn", "Mc")


# The letters of the reserved names, and what is taken for each: of UTS 39's confusables those that
# keyboards have. An l, a 1 and an i are one. Names of two or three letters have too many innocent
# look-alikes (``15`` would be one of ``is``).
_ALIKE = {
    "a": "\u0430\u03b1",
    "b": "\u044c",
    "c": "\u0441\u03f2",
    "d": "\u0501",
    "e": "\u0435\u03b5\u0451",
    "h": "\u04bb\u043d",
    "i": "l1\u0456\u03b9\u0131\u04cf",
    "k": "\u043a\u03ba",
    "m": "\u043c",
    "n": "\u043f\u03b7",
    "o": "0\u043e\u03bf",
    "p": "\u0440\u03c1",
    "r": "\u0433",
    "s": "5\u0455",
    "t": "\u0442\u03c4",
    "u": "\u03c5\u057d",
    "w": "\u0461\u03c9",
    "x": "\u0445\u03c7",
    "y": "\u0443\u03b3",
}
_LOOKS_LIKE = {ord(other): letter for letter, others in _ALIKE.items() for other in others}
_RESERVED_SKELETONS = frozenset(_skeleton(name) for name in RESERVED_LOCAL_PARTS if len(name) > 3)
