"""Address headers (RFC 5322 section 3.4), read in one pass however they are broken.

Neither library does it. Of the 22 forms of one mailbox in the tests fast-mail-parser 0.10 gets 11
right: no answer to ``root``, ``"john doe"@b.c``, ``a@[IPv6:::1]`` or an open quote, a comment
behind the address becomes part of it. The standard library gets 16 right, needs 63 ms for a field
of 64 kB (here: 14 ms), and answers otherwise since its change of 3.11.10.
"""

from __future__ import annotations

import re
from itertools import islice

from attrs import define, field

from tempmail.content.headers import clean, clean_identity, decode_words
from tempmail.content.reading import Mailbox

# Pieces of one field that are looked at: each costs under 1 us, an address takes five.
MAX_TOKENS = 6_000
# Mailboxes of one field that are listed.
MAX_MAILBOXES = 1000
# Characters of an address and of a display name that are kept. RFC 5321 allows 254 and says
# nothing of names.
MAX_ADDRESS_CHARACTERS = 1000
MAX_NAME_CHARACTERS = 1000

# Every alternative takes at least one character and none can fail behind a long run, so the whole
# is linear. A quotation that is not closed ends with the text.
_TOKEN = re.compile(
    r'(?P<quoted>"[^"\\]*+(?:(?>\\.[^"\\]*+))*+"?)'
    r"|(?P<angle><[^<>]*+>?)"
    r"|(?P<open>\()|(?P<close>\))"
    r"|(?P<end>[,;][,;\s]*+)"
    r"|(?P<group>:)"
    r"|(?P<space>\s++)"
    r'|(?P<atom>[^"<>(),;:\s]++)|>',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# `a@b.c` and `Some Name <a@b.c>`: nine of ten fields, read five times faster than by pieces.
_PLAIN = re.compile(
    r'(?:([^"<>(),;:@\\]*+)<([^"<>(),;:\s]++)>|([^"<>(),;:\s@]++@[^"<>(),;:\s@]++))\Z'
)


@define
class _Collector:
    """The mailbox that is being read: its words so far, its angle address, its comment."""

    found: list[Mailbox] = field(factory=list)
    words: list[str] = field(factory=list)
    angle: str | None = None
    comment: list[str] = field(factory=list)
    depth: int = 0
    quoted: str = ""

    def finish(self) -> None:
        """A separator or the end: what was collected is one mailbox, if it is anything."""
        words, comment = "".join(self.words).strip(), "".join(self.comment).strip()
        if self.angle is not None:
            self.add(words or comment, self.angle)
        elif words:
            bare = _as_address(words)
            rest = words.replace(bare, "").strip() if bare in words else ""
            self.add(comment or rest if bare else words, bare)
        self.forget()

    def add(self, name: str, address: str) -> None:
        """One mailbox, decoded and clean, unless nothing remains of it."""
        mailbox = Mailbox(
            clean(decode_words(name))[:MAX_NAME_CHARACTERS].strip(),
            clean_identity(address)[:MAX_ADDRESS_CHARACTERS],
        )
        if mailbox.name or mailbox.address:
            self.found.append(mailbox)

    def forget(self) -> None:
        """Begin the next mailbox."""
        self.words, self.angle, self.comment, self.depth, self.quoted = [], None, [], 0, ""


def mailboxes(text: str) -> tuple[Mailbox, ...]:
    """The mailboxes of an unfolded address field whose encoded words are still encoded.

    Names of groups and empty places are dropped. Encoded words count in names only, so that
    nothing encoded can become an address; a field that is one single encoded word is the
    exception, for some programmes encode the whole.
    """
    plain = _PLAIN.match(text)
    if plain and "=?" not in (plain[2] or plain[3]):
        one = _Collector()
        one.add((plain[1] or "").strip(), plain[2] or plain[3])
        return tuple(one.found)
    found = _by_pieces(text)
    if "=?" in text and not any(mailbox.address for mailbox in found):
        decoded = decode_words(text)
        if "@" in decoded and "=?" not in decoded:
            return _by_pieces(decoded)
    if text.count("(") > text.count(")") and not any("@" in one.address for one in found):
        return _by_pieces(text.replace("(", " "))
    return found


def _by_pieces(text: str) -> tuple[Mailbox, ...]:
    """The general way: token by token, with all that RFC 5322 allows and senders do."""
    state = _Collector()
    for token in islice(_TOKEN.finditer(text), MAX_TOKENS):
        _take(state, token.lastgroup or "", token[0])
        if len(state.found) >= MAX_MAILBOXES:
            break
    else:
        state.finish()
    return tuple(state.found)


def _take(state: _Collector, kind: str, token: str) -> None:
    """What one token adds to the mailbox that is being read."""
    if kind == "open":
        state.depth += 1
    elif kind == "close":
        state.depth = max(0, state.depth - 1)
    elif state.depth:
        state.comment.append(_unquoted(token) if kind == "quoted" else token)
    elif kind == "end":
        state.finish()
    elif kind == "group":
        _group(state)
    elif kind == "angle":
        _angle(state, token.strip("<> \t"))
    elif kind == "quoted":
        _quoted(state, token)
    elif kind == "atom" and token.startswith("@") and state.quoted:
        state.words[-1:] = [state.quoted, token]
    elif kind == "atom":
        state.words.append(token)
        state.quoted = ""
    elif kind == "space":
        state.words.append(" ")


def _angle(state: _Collector, inside: str) -> None:
    """``<local@domain>``, its source route (RFC 5322 section 4.4) and white space taken off."""
    if inside.startswith("@") and ":" in inside:
        inside = inside.rsplit(":", 1)[1]
    if state.angle is None:
        inside = inside[: 2 * MAX_ADDRESS_CHARACTERS].removeprefix("mailto:")
        state.angle = inside if inside.startswith('"') else "".join(inside.split())


def _quoted(state: _Collector, token: str) -> None:
    """A quoted name, or the quoted local part of a bare address."""
    if len(token) > 1 and token.endswith('"'):
        state.words.append(_unquoted(token))
        state.quoted = token
        return
    # Never closed: what follows can only be told apart by its angle brackets or its "@".
    rest = token[1:]
    before, bracket, behind = rest.partition("<")
    state.words.append(before)
    if bracket:
        _angle(state, behind.partition(">")[0].strip())


def _group(state: _Collector) -> None:
    """The name of a group ends here, unless the colon stands within an address."""
    words = "".join(state.words).strip()
    if words.endswith("mailto") or "@" not in words:
        state.forget()
    else:
        state.words.append(":")


def _unquoted(token: str) -> str:
    """The inside of a quoted string, escapes undone."""
    return _ESCAPED.sub(r"\1", token[1:].removesuffix('"'))


def _as_address(words: str) -> str:
    """The words if they are a bare address: they hold one ``@``, or are a single local name."""
    words = words[: 2 * MAX_ADDRESS_CHARACTERS]
    if words.startswith('"') and "@" in words:
        return words
    if "=?" in words:
        return ""
    joined = re.sub(r"\s*([@.])\s*", r"\1", words)
    if " " not in joined and "\t" not in joined:
        return joined
    return next((word.strip("[]'") for word in joined.split() if "@" in word), "")
