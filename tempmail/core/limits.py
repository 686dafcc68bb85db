"""Every number that bounds something, with its unit, its source and what it depends on.

What an operator may change is a field of :class:`Limits` with its default; the rest are constants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve, field, frozen
from limits import RateLimitItem, parse

from tempmail.core.machine import machine_memory

KILO, MEGA = 1024, 1024 * 1024
UNLIMITED = 2**62
# Ten years, the longest time that may be written: whatever ends then still ends on a date.
MAX_SECONDS = 3650 * 86400

# --- addresses: RFC 5321 section 4.5.3.1 ---
MAX_LOCAL_OCTETS = 64
MAX_DOMAIN_OCTETS = 255

# --- tokens: 128 bits are the least; in hexadecimal, for what begins with a dash looks like an
# option to a shell command ---
TOKEN_OCTETS = 20

# --- mailboxes ---
# Events besides arrivals that a mailbox remembers for clients that come back.
MAX_JOURNAL = 100
# Refused mails that a mailbox remembers for its owner: a sender's retries of some days.
MAX_ATTEMPTS = 20

# --- connections ---
# For how long a client that got its last answer, of SMTP or HTTP, may go on sending: closing
# earlier resets the connection, and the answer with it (RFC 9112 section 9.6).
LINGER_SECONDS = 2.0
# And how many may whose connection was one too many: under TLS they can be told only when the
# handshake is done.
MAX_LINGERING = 200

# --- ports ---
DNS_PORT = 53
MAX_PORT = 2**16 - 1

# --- against abuse ---
# Clients whose rates are counted at a time, twice; a count takes some 260 octets.
# A flood from more addresses makes the oldest counts be forgotten.
MAX_COUNTED = 30_000
# Answers to "is this host in one of these networks" that are remembered, some 150 octets each.
MAX_KNOWN_HOSTS = 10_000
# A session draws commands from its client's rate so many at a time: that is more than a session
# with one mail has, and makes the check cost nothing next to the commands.
COMMANDS_AT_ONCE = 20
# A blocklist that says nothing in this time says nothing against the client. RFC 5321 section
# 4.5.3.2.2 has a client wait 5 minutes for the answer to MAIL.
DNSBL_SECONDS = 5.0
# For how long each name server is waited for, the first time round and the second.
DNS_TRIES = (1, 3)
# For how long an answer holds, whatever its own time to live says, and one that does not come.
# Lists change every few minutes and have times to live of 1 to 60 minutes.
MIN_DNSBL_TTL, MAX_DNSBL_TTL = 60, 3600
DNSBL_MISS_TTL = 300
DNSBL_FAILURE_TTL = 60
# Clients that are asked about at a time; about more than that nobody asks. An answer takes some 20
# ms, so that is 10,000 new clients a second.
MAX_DNSBL_QUESTIONS = 200
# Clients whose answers are remembered, some 300 octets each.
MAX_DNSBL_ANSWERS = 20_000

# --- SMTP: lines ---
# RFC 5321 section 4.5.3.1.4 asks for 512 octets and more where an extension needs them: SMTPUTF8
# and SIZE add some 40, AUTH= up to 500 (RFC 4954 section 5). No real command comes near 2 kB.
MAX_COMMAND_OCTETS = 2 * KILO
# No path is longer than a local part and a domain can be; a sender is kept with every mail.
MAX_PATH_OCTETS = MAX_LOCAL_OCTETS + 1 + MAX_DOMAIN_OCTETS
# RFC 5321 section 4.5.3.1.5: a reply line, its CRLF included.
MAX_REPLY_OCTETS = 512
# Input kept while an answer is pending. One read of the transport may come on top.
MAX_PIPELINED_OCTETS = 64 * KILO
# What is read from a connection at a time, when a mail comes and when the second piece of it does;
# with more than this of answers that the peer does not take it is not read from. 64 kB for all of a
# mail, as Twisted has it, would cost those of 1 MB a third of their rate.
COMMAND_READ_OCTETS = 4 * KILO
MAIL_READ_OCTETS = 64 * KILO
DATA_READ_OCTETS = 256 * KILO
# All sessions' times are looked at this often.
SWEEP_SECONDS = 1.0

# --- what a thing in memory costs besides its octets ---
# How much the resident set grew over 100,000 of each, divided by them and rounded up (CPython 3.11,
# 64 bit). A mail in one mailbox costs 720 as the mailbox's first and 630 as one of ten; every other
# mailbox it goes to adds 135, or 175 with a tag; the first in a mailbox pays for the list.
PARCEL_COST = 500
MESSAGE_COST = 250
# An empty mailbox or a quarantine: 810, and up to 1080 where no other falls due in the same tick.
MAILBOX_COST = 1000
# An HTTP connection: 6,500 with a long poll, 13,000 with a websocket, 19,000 when thousands of
# those are told of something at a time, and then some 5,000 lie unused between them.
HTTP_CONNECTION_COST = 24_000
# The same under TLS, more: 48,000 until the handshake is done, 27,000 then.
TLS_COST = 48_000
# What waits for an HTTP client that does not take it, beside the answer that filled the buffers.
STALLED_COST = 8 * KILO
# So much may that be beyond a full memory, and so much connections: then, too, mail is to be read.
STALLED_RESERVE = 16 * MEGA
CONNECTION_RESERVE = 32 * MEGA
# One entry of a mailbox's journal: 215.
CHANGE_COST = 250
# One refusal a mailbox remembers: 370, up to 890 where sender and HELO are as long as can be.
ATTEMPT_COST = 1000
# So much may refusals take beyond a full memory, for that it is full is worth telling.
ATTEMPT_RESERVE = 256 * KILO

# --- memory that is given back ---
# Blocks from this size on are mapped one by one. Smaller ones, such as what the transport reads at
# a time, come and go too often for that; they stay in the heap, of whose end glibc keeps so much.
LARGE_BLOCK_OCTETS = MEGA
HEAP_END_OCTETS = 16 * MEGA
# When the process has grown by this share of the budget, and is so much larger than at its start
# and by what it holds, the heap is looked through for what can be given back: 0.1 ms for each MB,
# and at least 2 ms.
TRIM_SHARE = 1 / 2
TRIM_OCTETS = 16 * MEGA
TRIM_LOOK_SECONDS = 0.25

# --- HTTP ---
MAX_LIST = 500
DEFAULT_LIST = 50
MAX_WAIT_SECONDS = 60
# For how long a wait lasts that names no time itself: longer than mail takes, shorter than clients
# and proxies wait.
DEFAULT_WAIT_SECONDS = 30
# How many mailboxes one wait may be for, and how many messages its answer may have: as many as each
# of them lists if not asked for more.
MAX_WATCHED = 50
MAX_ROUND = MAX_WATCHED * DEFAULT_LIST
# Members that an object can not have, named in an answer. Looking for what each was meant to be
# takes some 10 us, and a body may have 100,000.
MAX_UNKNOWN_NAMED = 10
# And so many characters of each.
MAX_NAME_SHOWN = 100
# Headers of a request: a browser behind two proxies sends some thirty, and each takes 130 octets.
MAX_HEADERS = 100
# What is read from a connection at a time: a request has some hundred octets, a body may have more.
REQUEST_READ_OCTETS = 4 * KILO
BODY_READ_OCTETS = 64 * KILO
# A comment on an idle event stream, often enough for every proxy's idle limit.
KEEPALIVE_SECONDS = 15.0
# The server is ready for mail while one of this size fits its memory: more than most mail has that
# people wait for here.
READY_OCTETS = 64 * KILO
# For how long a client is asked to stay away when a budget is full or the server stops.
RETRY_SECONDS = 10
# A part of the server that does not say within this time whether it works, does not.
PROBE_SECONDS = 5.0
# What a websocket's client may say that is no whole message: it has nothing to say to us, and each
# ping is some ten octets.
MAX_UNHEARD_OCTETS = 64 * KILO
# How long a browser may remember what a script of another origin is allowed to do.
PREFLIGHT_SECONDS = 3600
# Answers larger than this are handed to the transport piece by piece as it takes them. It is what
# Twisted gives the kernel at a time. A newsletter of 50 kB is an answer of 70 kB; in pieces that
# costs the reactor 0.05 ms more than whole (``make bench``, opening).
POUR_OCTETS = 128 * KILO
# JSON longer than this is read once, and not a second time for doubled names; a megabyte of it,
# read twice, takes up to 130 ms.
MAX_TWIN_CHECKED = 64 * KILO
# Paths whose route is remembered; each is 16 kB at most, and mostly 100 octets.
MAX_KNOWN_PATHS = 1000

# --- time ---
# Expiry is looked at this often: a mailbox is gone within half a second of its due time.
TICK_SECONDS = 0.25
# The most one turn of expiry, or of waking waiters, may hold the reactor.
SLICE_SECONDS = 0.010
# What goes wrong in every tick is logged no more often than this.
COMPLAINT_SECONDS = 60.0

# --- TLS ---
# Renewed certificates are looked for this often, which costs one stat for each file.
CERTIFICATE_LOOK_SECONDS = 10.0
# Those who renew by themselves do so with a third of a certificate's time left; with less than this
# share left it was forgotten.
CERTIFICATE_DUE_SHARE = 1 / 4

# --- the examination by ``tempmail doctor`` ---
# For what answers on this machine, if anything does.
DOCTOR_CONNECT_SECONDS = 3.0
# Until a name server is asked again, and then until it is given up; whole seconds.
DOCTOR_DNS_SECONDS = (1, 2)
# Until no more is asked of the DNS; a question takes some 30 ms, and a domain four.
DOCTOR_NAMES_SECONDS = 10.0

# --- the process ---
# Files besides connections: listening sockets, logs, worker processes' pipes, the reactor's.
OTHER_FILES = 100
# A full garbage collection looks at every object, 200 ms for a million. It takes this share of the
# time, which makes that one come every half hour; and a larger one where it would else find more
# than so many objects (of about 100 octets).
FULL_COLLECTION_SHARE = 1 / 10_000
MAX_COLLECTION_SHARE = 1 / 100
GARBAGE_WORTH_COLLECTING = 100_000
MIN_COLLECTION_PAUSE = 60.0

# How late the reactor comes to what is due is measured this often. A stall shorter than this is
# seen in proportion to its length.
PULSE_SECONDS = 0.1

# --- what is measured: upper ends of the buckets, in seconds ---
# A mail of some kB from next door takes 1 ms, one of 25 MB by a slow line minutes.
ACCEPTING_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300)
# The wake itself takes 1 ms; a mail that has to be understood first, up to the worker's limit.
WAKING_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# Answers are made in a millisecond, or waited for.
ANSWER_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60)
# Expiry promises half a second.
LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 5, 60)
# A slice is 10 ms.
STALL_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


def default_memory() -> int:
    """Octets for mail: a quarter of all there is."""
    return machine_memory() // 4


def _octets(default: int | Callable[[], int], meaning: str) -> Any:
    return _option(default, "octets", meaning)


def _seconds(default: float, meaning: str) -> Any:
    return _option(default, "seconds", meaning)


def _count(default: int, meaning: str) -> Any:
    return _option(default, "", meaning)


def _rate(default: str, meaning: str) -> Any:
    metadata = {"unit": "rate", "meaning": meaning, "text": default}
    return field(default=parse(default), metadata=metadata)


def _option(default: Any, unit: str, meaning: str) -> Any:
    """A field that :mod:`tempmail.catalogue` makes an option of, with this meaning as its help."""
    metadata = {"unit": unit, "meaning": meaning}
    if callable(default):
        return field(factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@frozen(kw_only=True)
class Limits:
    """What the operator may bound. Times are seconds, sizes octets.

    The order that must hold: one message fits a mailbox, and several fit the memory
    (``max_message_size <= max_mailbox_size`` and ``4 * max_message_size <= memory``).
    """

    # Large providers take 25 MB (Gmail) to 150 MB; 25 MiB is what senders expect.
    max_message_size: int = _octets(25 * MEGA, "One message.")
    max_messages: int = _count(1000, "Messages in one mailbox.")
    max_mailbox_size: int = _octets(100 * MEGA, "All messages of one mailbox.")
    memory: int = _octets(
        default_memory,
        "All mail, its envelopes, mailboxes, what is half received, what was understood of it, and "
        "HTTP connections with what they ask and are answered.",
    )
    memory_share: int = _count(
        1, "How much of it one client's mail may take: so many times what is left beside it."
    )
    mailboxes_per_client: int = _count(
        1000, "Mailboxes one client address (a /64 of IPv6) may hold at a time."
    )

    default_lifetime: int = _seconds(600, "A mailbox's lifetime when none is asked for.")
    min_lifetime: int = _seconds(1, "The shortest lifetime that may be asked for.")
    max_lifetime: int = _seconds(
        24 * 3600,
        "How far ahead a lifetime may reach when asked for, and a whole life with extending.",
    )
    quarantine: int = _seconds(24 * 3600, "For how long nobody else gets an address that expired.")

    # SMTP. RFC 5321 section 4.5.3.1.8 asks for 100 recipients.
    max_recipients: int = _count(100, "Recipients of one mail.")
    max_connections: int = _count(5000, "SMTP connections at a time.")
    max_connections_per_client: int = _count(100, "SMTP connections of one client at a time.")
    max_commands: int = _count(10_000, "Commands in one SMTP session.")
    max_errors: int = _count(20, "Refused commands in one SMTP session.")
    # RFC 5321 section 4.5.3.2 names 5 minutes between commands and 10 for the final dot; a
    # receiver that stores to memory and is open to strangers does better with less.
    idle_timeout: float = _seconds(120.0, "Silence after which an SMTP session is closed.")
    session_timeout: float = _seconds(3600.0, "A whole SMTP session.")
    min_octets_per_second: int = _count(
        256, "The rate a mail must come in at on average, after one idle timeout of grace."
    )
    tls_handshake_timeout: float = _seconds(30.0, "A TLS handshake.")

    # HTTP
    max_body_size: int = _octets(MEGA, "The body of one HTTP request.")
    http_idle_timeout: float = _seconds(60.0, "Silence after which an HTTP connection is closed.")
    body_timeout: float = _seconds(30.0, "For how long one HTTP request may take to come in.")
    max_http_connections: int = _count(15_000, "HTTP connections at a time.")
    max_http_connections_per_client: int = _count(1000, "HTTP connections of one client at a time.")

    # Against abuse: what one client address (a /64 of IPv6) may do in a time, None for any amount.
    # What each default means for whom: docs/running.md.
    mint_rate: RateLimitItem | None = _rate("120/minute", "Addresses made or restored.")
    request_rate: RateLimitItem | None = _rate("3000/minute", "HTTP requests of any kind.")
    wait_rate: RateLimitItem | None = _rate("600/minute", "Waits that begin: polls and streams.")
    send_rate: RateLimitItem | None = _rate("120/minute", "Mails by POST /send.")
    command_rate: RateLimitItem | None = _rate(
        "6000/minute", "SMTP commands, counted 20 at a time; a connection is 20 at least."
    )
    unknown_recipient_rate: RateLimitItem | None = _rate(
        "60/minute", "SMTP recipients that do not exist."
    )
    wrong_token_rate: RateLimitItem | None = _rate(
        "120/minute", "HTTP requests with a wrong token or none, or for no mailbox."
    )
    tarpit: float = _seconds(
        5.0, "For how long the answer to an unknown recipient is held back at most."
    )
    max_waits: int = _count(15_000, "Held requests, event streams and websockets at a time.")
    max_waits_per_client: int = _count(500, "Those of one client at a time.")

    closing_time: float = _seconds(
        10.0, "For how long mail and answers in flight may still take when the server stops."
    )

    def without_client_limits(self) -> Limits:
        """The same for a closed network: nothing counted per client or mailbox any more.

        Sizes of messages and bodies, times and the memory budget stay, so a mailbox may take all
        there is and no more.
        """
        return evolve(
            self,
            max_messages=UNLIMITED,
            max_mailbox_size=UNLIMITED,
            memory_share=UNLIMITED,
            mailboxes_per_client=UNLIMITED,
            max_connections=UNLIMITED,
            max_connections_per_client=UNLIMITED,
            max_commands=UNLIMITED,
            max_errors=UNLIMITED,
            max_http_connections=UNLIMITED,
            max_http_connections_per_client=UNLIMITED,
            max_waits=UNLIMITED,
            max_waits_per_client=UNLIMITED,
            mint_rate=None,
            request_rate=None,
            wait_rate=None,
            send_rate=None,
            command_rate=None,
            unknown_recipient_rate=None,
            wrong_token_rate=None,
        )
