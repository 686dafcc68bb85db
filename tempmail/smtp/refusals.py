"""Telling the owner of a mailbox of mail for it that was refused.

This is the one place it is done, and it is reached from an answer that is a refusal: nothing of it
is on the way of a mail that is taken. What can not be for a mailbox that exists is not told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tempmail.core.address import normalise
from tempmail.core.errors import BadAddress
from tempmail.core.message import Envelope
from tempmail.smtp import replies
from tempmail.smtp.paths import BadPath, parse_path

if TYPE_CHECKING:
    from tempmail.smtp.delivery import Transaction
    from tempmail.smtp.session import Session

_MAIL = re.compile(rb"\s*MAIL\s+(?:FROM:\s*(.+))?", re.IGNORECASE).match
_RCPT = re.compile(rb"\s*RCPT\s+TO:\s*(.+)", re.IGNORECASE).match


def note_sender(session: Session, line: bytes, reply: bytes) -> None:
    """Remember why a line was refused that is MAIL: recipients that follow all the same are told.

    Of a sender that can not be read none is remembered.
    """
    matched = _MAIL(line)
    if matched is None or session.intake.transaction is not None:
        return
    try:
        sender = str(parse_path((matched[1] or b"").strip())[0])
    except BadPath:
        sender = ""
    session.intake.refused = sender, reply


def tell_named(session: Session, line: bytes, reply: bytes) -> None:
    """Tell the owner of the mailbox that a refused line names, if it is RCPT and can be read.

    A recipient refused because MAIL was is told why MAIL was.
    """
    matched = _RCPT(line)
    if matched is None or reply in (replies.NO_SUCH_MAILBOX, replies.NO_RELAY):
        return
    try:
        path, _ = parse_path(matched[1].strip())
        address = normalise(path.local, path.domain)
    except (BadPath, BadAddress):
        return
    transaction, stage = session.intake.transaction, "rcpt"
    if transaction is not None:
        envelope = transaction.envelope(session)
    else:
        sender = ""
        if session.intake.refused is not None:
            (sender, reply), stage = session.intake.refused, "mail"
        envelope = Envelope(sender, session.helo or "")
    session.drop.report_refusal(envelope, [address], stage, _text(reply))


def tell_recipients(session: Session, transaction: Transaction | None, reply: bytes) -> bytes:
    """Tell the owners of all recipients accepted; no reply is a connection that ended.

    Returns the reply.
    """
    if transaction is not None and transaction.recipients:
        recipients = list(transaction.recipients.values())
        envelope = transaction.envelope(session)
        session.drop.report_refusal(envelope, recipients, "data", _text(reply))
    return reply


def _text(reply: bytes) -> str:
    return reply.rstrip().decode("ascii")
