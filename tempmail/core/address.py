"""Addresses: normalising, which domains take mail, names nobody gets, and drawing new ones."""

from __future__ import annotations

import re
import secrets
import unicodedata

import idna
from attrs import field, frozen

from tempmail.core.errors import BadAddress, ReservedAddress
from tempmail.core.limits import MAX_DOMAIN_OCTETS, MAX_LOCAL_OCTETS

# What nearly every address looks like. Matching it costs a microsecond and lets the rest wait for
# the addresses that need it.
_PLAIN_LOCAL = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*").fullmatch
_PLAIN_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?").fullmatch

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
        return self.key

    @property
    def displayed(self) -> str:
        """The address with its tag, as its sender wrote it but for letter case."""
        return f"{self.local}+{self.tag}@{self.domain}" if self.tag else self.key


def normalise(local: str, domain: str) -> Address:
    """The :class:`Address` for a local part (dequoted) and a domain (U-labels or A-labels).

    Raises :exc:`BadAddress` for what can not be one: RFC 5321 section 4.5.3.1 (lengths),
    RFC 6531 section 3.3 (UTF-8), RFC 5891 (labels).
    """
    name, tag = _split_tag(normalise_local(local))
    return Address(name, normalise_domain(domain), tag)


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
        local = unicodedata.normalize("NFC", local).lower()
        if not local:
            raise BadAddress("the local part is empty")
        if any(unicodedata.category(character)[0] == "C" for character in local):
            raise BadAddress("the local part holds a control character")
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise BadAddress(f"the local part is longer than {MAX_LOCAL_OCTETS} octets")
    return local


def normalise_domain(domain: str) -> str:
    """A domain or an address literal (RFC 5321 section 4.1.3) in the form it is compared by."""
    if len(domain) > MAX_DOMAIN_OCTETS:
        raise BadAddress(f"the domain is longer than {MAX_DOMAIN_OCTETS} octets")
    lowered = domain.lower()
    if _PLAIN_DOMAIN(lowered) and ".." not in lowered and "xn--" not in lowered:
        if max(map(len, lowered.split("."))) > 63:
            raise BadAddress("a label of the domain is longer than 63 octets")
        return lowered
    if lowered.startswith("[") and lowered.endswith("]"):
        return lowered
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise BadAddress("the domain is not well formed") from None


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
    if not all(piece and all(map(_is_word_character, piece)) for piece in pieces):
        raise BadAddress(
            "a local part is made of letters and digits with single . - or _ between them"
        )
    if is_reserved(local):
        raise ReservedAddress("this local part is reserved for the operator")
    return local


def is_reserved(local: str) -> bool:
    """Whether a normalised local part is one that nobody is given.

    Dots, hyphens and underscores do not make another name of it: ``post-master`` would still be
    taken for the operator by a person.
    """
    return local in RESERVED_LOCAL_PARTS or re.sub(r"[._-]", "", local) in RESERVED_LOCAL_PARTS


def _is_word_character(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in ("Mn", "Mc")
