"""What a command line does: one function a command.

A function is given the session and the argument without blanks around it. It returns the reply,
or None where the reply comes later (an answer is awaited, or a chunk's octets come first).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tempmail.core.address import normalise
from tempmail.core.errors import BadAddress, MessageTooBig, NoSuchMailbox
from tempmail.core.limits import MAX_COMMAND_OCTETS
from tempmail.smtp import replies
from tempmail.smtp.delivery import Transaction, take_chunk, take_mail
from tempmail.smtp.framing import ChunkFrame, DataFrame
from tempmail.smtp.login import auth
from tempmail.smtp.paths import NULL, BadParameters, BadPath, Path, parse_parameters, parse_path

if TYPE_CHECKING:
    from tempmail.smtp.session import Session

Command = Callable[["Session", bytes], bytes | None]

# A client's name for itself is kept for readers of the mail: printable, and of a length a domain
# or an address literal can have.
_HELO_NAME = re.compile(rb"[\x21-\x7e\x80-\xff][\x20-\x7e\x80-\xff]{0,254}").fullmatch
_DIGITS = re.compile(rb"[0-9]{1,20}").fullmatch
_CHUNK = re.compile(rb"([0-9]{1,20})(?: +(LAST))?", re.IGNORECASE).fullmatch


def helo(session: Session, argument: bytes) -> bytes:
    """HELO (RFC 5321 section 4.1.1.1)."""
    if not _HELO_NAME(argument):
        return replies.NAME_YOURSELF
    return session.greet(_name(argument), extended=False) or session.factory.hello


def ehlo(session: Session, argument: bytes) -> bytes:
    """EHLO (RFC 5321 section 4.1.1.1)."""
    if not _HELO_NAME(argument):
        return replies.NAME_YOURSELF
    refusal = session.greet(_name(argument), extended=True)
    return refusal or session.factory.extended_hello(session.wire.secure)


def _name(argument: bytes) -> str:
    name = argument.decode("utf-8", "replace")
    return name if name.isprintable() else "".join(c if c.isprintable() else "?" for c in name)


def mail(session: Session, argument: bytes) -> bytes | None:
    """MAIL (RFC 5321 section 4.1.1.2) with SIZE, BODY, SMTPUTF8 and an AUTH that says nothing."""
    if session.helo is None:
        return replies.HELLO_FIRST
    if session.intake.transaction is not None:
        return replies.NESTED_MAIL
    if argument[:5].upper() != b"FROM:":
        return replies.MAIL_SYNTAX
    try:
        path, rest = parse_path(argument[5:].lstrip())
    except BadPath:
        return replies.BAD_SENDER
    transaction = Transaction(session.drop, session.allowance.client, str(path))
    if rest:
        refusal = _obey(transaction, rest, session.drop.limits.max_message_size)
        if refusal is not None:
            return refusal
    if not path.ascii and not transaction.utf8:
        return replies.UTF8_NEEDED
    if not path.domain and path is not NULL:
        return replies.BAD_SENDER
    factory = session.factory
    if factory.blocked is not None and factory.blocked.blocks(
        session.peer, path.local, path.domain
    ):
        factory.rates.refused["blocked_sender"] += 1
        return replies.BLOCKED_SENDER
    if factory.lists is not None and session.allowance.client:
        listed = factory.lists.check(session.peer)
        return session.settle(listed, lambda: _begin(session, transaction))
    return _begin(session, transaction)


def _begin(session: Session, transaction: Transaction) -> bytes:
    session.intake.transaction = transaction
    return replies.SENDER_OK


def _obey(transaction: Transaction, rest: bytes, largest: int) -> bytes | None:
    """Take the parameters of MAIL to heart; returns the refusal if one can not be obeyed."""
    try:
        parameters = parse_parameters(rest)
    except BadParameters:
        return replies.BAD_PARAMETER
    for keyword, value in parameters.items():
        if keyword == b"SIZE":
            if value is None or not _DIGITS(value):
                return replies.BAD_PARAMETER
            transaction.size = int(value)
        elif keyword == b"BODY":
            if value is None or value.upper() not in (b"7BIT", b"8BITMIME", b"BINARYMIME"):
                return replies.BAD_PARAMETER
            if value.upper() == b"BINARYMIME":
                return replies.UNKNOWN_PARAMETER
        elif keyword == b"SMTPUTF8":
            if value is not None:
                return replies.BAD_PARAMETER
            transaction.utf8 = True
        elif keyword == b"AUTH":
            # RFC 4954 section 5: it may be ignored, and relays send it.
            if value is None:
                return replies.BAD_PARAMETER
        else:
            return replies.UNKNOWN_PARAMETER
    return replies.TOO_BIG if transaction.size > largest else None


def rcpt(session: Session, argument: bytes) -> bytes | None:
    """RCPT (RFC 5321 section 4.1.1.3). It takes no parameters here, for DSN is not offered."""
    transaction = session.intake.transaction
    if transaction is None:
        return replies.MAIL_FIRST if session.helo is not None else replies.HELLO_FIRST
    if argument[:3].upper() != b"TO:":
        return replies.RCPT_SYNTAX
    try:
        path, rest = parse_path(argument[3:].lstrip())
        if rest and parse_parameters(rest):
            return replies.UNKNOWN_PARAMETER
    except BadPath:
        return replies.BAD_RECIPIENT
    except BadParameters:
        return replies.BAD_PARAMETER
    if not path.ascii and not transaction.utf8:
        return replies.UTF8_NEEDED
    return _add_recipient(session, transaction, path)


def _add_recipient(session: Session, transaction: Transaction, path: Path) -> bytes | None:
    domain = path.domain
    if not domain and path.local.lower() == "postmaster":
        domain = session.drop.domains.default.name
    try:
        if not domain:
            return replies.BAD_RECIPIENT
        address = normalise(path.local, domain)
    except BadAddress:
        return replies.BAD_RECIPIENT
    full = len(transaction.recipients) >= session.drop.limits.max_recipients
    if full and address.key not in transaction.recipients:
        return replies.TOO_MANY_RECIPIENTS
    if session.allowance.barred:
        return session.settle(session.allowance.hold_back(), lambda: replies.TOO_MANY_UNKNOWN)

    def accept() -> bytes:
        transaction.accept(address)
        return replies.RECIPIENT_OK

    checked = transaction.check_recipient(address)
    if not checked.called or isinstance(checked.result, Failure):
        checked.addErrback(_count_guess, session)
    return session.settle(checked, accept)


def _count_guess(failure: Failure, session: Session) -> Failure | Deferred[Failure]:
    """Hold the refusal of an unknown recipient back, the longer the more of them there were."""
    if failure.check(NoSuchMailbox) is None:
        return failure
    return session.allowance.guess().addCallback(lambda _: failure)


def data(session: Session, argument: bytes) -> bytes:
    """DATA (RFC 5321 section 4.1.1.4)."""
    transaction = session.intake.transaction
    if argument:
        return replies.NO_ARGUMENT
    if transaction is None:
        return replies.MAIL_FIRST
    if transaction.chunks is not None:
        return replies.IN_CHUNKS
    if not transaction.recipients:
        return replies.RCPT_FIRST
    transaction.began_at = session.factory.clock.seconds()
    frame = DataFrame(session.drop.limits.max_message_size)
    session.receive(frame, lambda frame: take_mail(session, transaction, frame))
    return replies.GO_ON


def bdat(session: Session, argument: bytes) -> bytes | None:
    """BDAT (RFC 3030 section 2). The octets behind it are read whether they are wanted or not."""
    matched = _CHUNK(argument)
    if matched is None:
        return replies.BDAT_SYNTAX
    size, last = int(matched[1]), matched[2] is not None
    transaction = session.intake.transaction
    frame = ChunkFrame(size)
    if transaction is None or not transaction.recipients:
        refusal = replies.MAIL_FIRST if transaction is None else replies.RCPT_FIRST
        frame.refuse(BadAddress("there is no transaction"))
        return session.receive(frame, lambda _: refusal)
    if transaction.chunks is None:
        transaction.began_at = session.factory.clock.seconds()
    if transaction.chunked_size + size > session.drop.limits.max_message_size:
        frame.refuse(MessageTooBig("the mail is larger than any mailbox takes"))
    return session.receive(frame, lambda frame: take_chunk(session, transaction, frame, last))


def rset(session: Session, argument: bytes) -> bytes:
    """RSET (RFC 5321 section 4.1.1.5)."""
    if argument:
        return replies.NO_ARGUMENT
    session.intake.forget()
    return replies.OK


def noop(session: Session, argument: bytes) -> bytes:
    """NOOP (RFC 5321 section 4.1.1.9): an argument is allowed and ignored."""
    return replies.OK


def vrfy(session: Session, argument: bytes) -> bytes:
    """VRFY (RFC 5321 section 3.5.3): the same for every address, so nobody learns which exist."""
    return replies.CANNOT_VERIFY if argument else replies.ARGUMENT_NEEDED


def help_(session: Session, argument: bytes) -> bytes:
    """HELP (RFC 5321 section 4.1.1.8)."""
    return replies.HELP


def starttls(session: Session, argument: bytes) -> bytes | None:
    """STARTTLS (RFC 3207)."""
    if argument:
        return replies.NO_ARGUMENT
    if session.wire.secure:
        return replies.TLS_ALREADY
    if not session.ask_tls():
        return replies.NO_TLS
    return replies.START_TLS


def quit_(session: Session, argument: bytes) -> bytes:
    """QUIT (RFC 5321 section 4.1.1.10)."""
    if argument:
        return replies.NO_ARGUMENT
    return session.end(replies.BYE)


def not_implemented(session: Session, argument: bytes) -> bytes:
    """EXPN: known, and not offered."""
    return replies.NOT_IMPLEMENTED


# What begins like this is no SMTP: a browser that was made to post here (its form would be run as
# commands), or TLS where none was asked for.
is_foreign = re.compile(
    rb"(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE|PATCH|TRACE|PRI) |\x16\x03", re.IGNORECASE
).match

COMMANDS: dict[bytes, Command] = {
    b"HELO": helo,
    b"EHLO": ehlo,
    b"MAIL": mail,
    b"RCPT": rcpt,
    b"DATA": data,
    b"BDAT": bdat,
    b"RSET": rset,
    b"NOOP": noop,
    b"VRFY": vrfy,
    b"EXPN": not_implemented,
    b"AUTH": auth,
    b"HELP": help_,
    b"STARTTLS": starttls,
    b"QUIT": quit_,
}


def take_line(session: Session, line: bytes) -> bytes | None:
    """Obey one line, given with its line end."""
    expected, session.expected = session.expected, None
    if expected is None:
        session.line = line
        if session.dialogue is not None:
            session.dialogue.heard(line)
    elif expected is skip:
        return None
    else:
        session.line = b""
    if len(line) > MAX_COMMAND_OCTETS:
        return refuse_line(session, line, replies.LINE_TOO_LONG)
    if line.find(b"\r") != len(line) - 2 or b"\0" in line:
        return replies.BARE_LINE_END
    if expected is not None:
        return expected(session, line)
    allowance = session.allowance
    if not allowance.commands and (refusal := allowance.draw()):
        return session.end(refusal, hasty=True)
    allowance.commands -= 1
    verb, _, argument = line.partition(b" ")
    command = COMMANDS.get(verb) or COMMANDS.get(verb.strip().upper())
    if command is None:
        return refuse_line(session, line, replies.UNKNOWN_COMMAND)
    try:
        return command(session, argument.strip())
    except Exception:
        session.log.failure("an SMTP command failed")
        return replies.LOCAL_ERROR


def skip(session: Session, line: bytes) -> bytes | None:
    """No answer: this is the end of a line that was refused before."""
    return None


def refuse_line(session: Session, line: bytes, answer: bytes) -> bytes:
    """Refuse a line with this answer, and with the end if it belongs to another protocol."""
    return session.end(replies.NO_SMTP, hasty=True) if is_foreign(line) else answer
