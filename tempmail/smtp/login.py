"""AUTH (RFC 4954), for programs that insist on logging in before they send.

Whoever asks is let in with any name and any password, and may do no more than before. Neither is
kept, or written down.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from tempmail.smtp import replies

if TYPE_CHECKING:
    from tempmail.smtp.session import Session

# What a client is asked for, one response each. PLAIN (RFC 4616) has all it says in one; LOGIN was
# never made a standard, and is what many know alone.
_PROMPTS = {b"PLAIN": (b"",), b"LOGIN": (b"Username:", b"Password:")}


def auth(session: Session, argument: bytes) -> bytes:
    """AUTH, with the first response behind the mechanism's name or without."""
    if not session.factory.any_login:
        return replies.NOT_IMPLEMENTED
    if not session.extended:
        return replies.HELLO_FIRST
    if session.logged_in or not session.intake.idle:
        return replies.NO_LOGIN_NOW
    mechanism, _, response = argument.partition(b" ")
    prompts = _PROMPTS.get(mechanism.upper())
    if prompts is None:
        return replies.UNKNOWN_MECHANISM
    if response:
        return _take_response(session, response, prompts[1:])
    return _ask(session, prompts)


def _ask(session: Session, prompts: Sequence[bytes]) -> bytes:
    prompt, *others = prompts
    session.expected = partial(_take_response, prompts=others)
    return b"334 %b\r\n" % b64encode(prompt)


def _take_response(session: Session, line: bytes, prompts: Sequence[bytes]) -> bytes:
    response = line.strip()
    if response == b"*":
        return replies.LOGIN_CANCELLED
    try:
        b64decode(b"" if response == b"=" else response, validate=True)
    except ValueError:
        return replies.BAD_RESPONSE
    if prompts:
        return _ask(session, prompts)
    session.logged_in = True
    return replies.LOGGED_IN
