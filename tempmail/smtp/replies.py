"""Every reply this server gives: code, enhanced code (RFC 3463), text.

They are whole lines, ready to be sent: nothing is formatted while mail comes in, and nothing a
client said is ever echoed.
"""

from __future__ import annotations

from functools import cache

from tempmail.core.errors import (
    BadAddress,
    Closing,
    ListedClient,
    MailboxFull,
    MemoryFull,
    MessageTooBig,
    NoSuchMailbox,
    ShareSpent,
    SomeRefused,
    UnknownDomain,
)

OK = b"250 2.0.0 OK\r\n"
SENDER_OK = b"250 2.1.0 Sender OK\r\n"
RECIPIENT_OK = b"250 2.1.5 Recipient OK\r\n"
KEPT = b"250 2.0.0 Mail kept\r\n"
CHUNK_KEPT = b"250 2.0.0 Chunk received\r\n"
GO_ON = b"354 End data with <CR><LF>.<CR><LF>\r\n"
BYE = b"221 2.0.0 Bye\r\n"
START_TLS = b"220 2.0.0 Ready to start TLS\r\n"
CANNOT_VERIFY = b"252 2.1.5 Send some mail, and you will see\r\n"
HELP = (
    b"214 2.0.0 RFC 5321; commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT\r\n"
)

# --- the session ends ---
TOO_MANY_CONNECTIONS = b"421 4.7.0 Too many connections, try again later\r\n"
TOO_MANY_ERRORS = b"421 4.7.0 Too many errors\r\n"
TOO_MANY_COMMANDS = b"421 4.7.0 Too many commands in one session\r\n"
TOO_FAST = b"421 4.7.0 Too many commands from your address, try again later\r\n"
NO_SMTP = b"421 4.7.0 This is an SMTP server\r\n"
IDLE = b"421 4.4.2 Idle for too long\r\n"
TOO_LONG_A_SESSION = b"421 4.4.2 The session took too long\r\n"
TOO_SLOW = b"421 4.4.2 The mail comes in too slowly\r\n"
SHUTTING_DOWN = b"421 4.3.2 Shutting down, try again later\r\n"

# --- the command is no good ---
LINE_TOO_LONG = b"500 5.5.2 Line too long\r\n"
BARE_LINE_END = b"500 5.5.2 Lines end with <CR><LF> and hold no other control of lines\r\n"
UNKNOWN_COMMAND = b"500 5.5.2 Command not recognized\r\n"
NOT_IMPLEMENTED = b"502 5.5.1 Command not implemented\r\n"
NO_ARGUMENT = b"501 5.5.4 This command takes no argument\r\n"
ARGUMENT_NEEDED = b"501 5.5.4 This command needs an argument\r\n"
NAME_YOURSELF = b"501 5.5.4 Say your domain or address literal\r\n"
MAIL_SYNTAX = b"501 5.5.4 Syntax: MAIL FROM:<address> [parameters]\r\n"
RCPT_SYNTAX = b"501 5.5.4 Syntax: RCPT TO:<address> [parameters]\r\n"
BDAT_SYNTAX = b"501 5.5.4 Syntax: BDAT octets [LAST]\r\n"
BAD_SENDER = b"501 5.1.7 Bad sender address syntax\r\n"
BAD_RECIPIENT = b"501 5.1.3 Bad recipient address syntax\r\n"
BAD_PARAMETER = b"501 5.5.4 Bad value of a parameter\r\n"
UNKNOWN_PARAMETER = b"555 5.5.4 Parameter not supported\r\n"
UTF8_NEEDED = b"553 5.6.7 A non-ASCII address needs SMTPUTF8\r\n"
HELLO_FIRST = b"503 5.5.1 Say EHLO or HELO first\r\n"
NESTED_MAIL = b"503 5.5.1 A transaction is open already\r\n"
MAIL_FIRST = b"503 5.5.1 Say MAIL first\r\n"
RCPT_FIRST = b"554 5.5.1 No valid recipients\r\n"
IN_CHUNKS = b"503 5.5.1 This mail comes in chunks\r\n"
TLS_ALREADY = b"503 5.5.1 TLS is in use already\r\n"
NO_TLS = b"454 4.7.0 TLS is not available\r\n"

# --- logging in (RFC 4954) ---
LOGGED_IN = b"235 2.7.0 Any name and password will do\r\n"
LOGIN_CANCELLED = b"501 5.7.0 Cancelled\r\n"
BAD_RESPONSE = b"501 5.5.2 Not a response in Base64\r\n"
UNKNOWN_MECHANISM = b"504 5.5.4 Say PLAIN or LOGIN\r\n"
NO_LOGIN_NOW = b"503 5.5.1 Not now\r\n"

# --- the mail is not taken ---
NO_SUCH_MAILBOX = b"550 5.1.1 No such mailbox\r\n"
NO_RELAY = b"550 5.7.1 Relaying denied\r\n"
MAILBOX_FULL = b"552 5.2.2 Mailbox full\r\n"
TOO_BIG = b"552 5.3.4 Message too big\r\n"
MEMORY_FULL = b"452 4.3.1 Not enough room, try again later\r\n"
SHARE_SPENT = b"452 4.3.1 Not enough room for so much of your mail, try again later\r\n"
TOO_MANY_RECIPIENTS = b"452 4.5.3 Too many recipients\r\n"
TOO_MANY_UNKNOWN = b"450 4.7.1 Too many unknown recipients, try again later\r\n"
BLOCKED_SENDER = b"550 5.7.1 Mail from here is not taken\r\n"
SOME_REFUSED = b"451 4.2.1 Some recipients can not take it now, try again\r\n"
LOCAL_ERROR = b"451 4.3.0 Local error, try again later\r\n"

# Behind it stands the list's name.
_LISTED_BY = "550 5.7.1 Your address is listed by "

_BY_ERROR: dict[type, bytes] = {
    BadAddress: BAD_RECIPIENT,
    NoSuchMailbox: NO_SUCH_MAILBOX,
    UnknownDomain: NO_RELAY,
    MailboxFull: MAILBOX_FULL,
    MessageTooBig: TOO_BIG,
    MemoryFull: MEMORY_FULL,
    ShareSpent: SHARE_SPENT,
    SomeRefused: SOME_REFUSED,
    Closing: SHUTTING_DOWN,
}


def for_error(error: BaseException | None) -> bytes:
    """The reply that tells a client of a domain error; LOCAL_ERROR for anything else."""
    if isinstance(error, ListedClient):
        return f"{_LISTED_BY}{error}\r\n".encode("ascii")
    return _BY_ERROR.get(type(error), LOCAL_ERROR)


def tells_of_a_list(reply: bytes) -> bool:
    """Whether this is the reply to a client that a blocklist has; which list, stands in it."""
    return reply.startswith(_LISTED_BY.encode("ascii"))


def greeting(hostname: str) -> bytes:
    """The first line of a session."""
    return b"220 %s ESMTP ready\r\n" % hostname.encode("ascii")


def hello(hostname: str) -> bytes:
    """The answer to HELO."""
    return b"250 %s\r\n" % hostname.encode("ascii")


@cache
def extended_hello(hostname: str, max_message_size: int, start_tls: bool, login: bool) -> bytes:
    """The answer to EHLO: what this server can do, one extension a line (RFC 5321 4.1.1.1)."""
    lines = [
        hostname,
        "PIPELINING",  # RFC 2920
        f"SIZE {max_message_size}",  # RFC 1870
        "8BITMIME",  # RFC 6152
        "SMTPUTF8",  # RFC 6531
        "CHUNKING",  # RFC 3030
        *(["STARTTLS"] if start_tls else []),  # RFC 3207
        *(["AUTH PLAIN LOGIN"] if login else []),  # RFC 4954
        "ENHANCEDSTATUSCODES",  # RFC 2034
    ]
    return "".join(f"250-{line}\r\n" for line in lines[:-1]).encode() + (
        f"250 {lines[-1]}\r\n".encode()
    )
