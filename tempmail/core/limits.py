"""Every number that bounds something, with its unit, its source and what it depends on.

What an operator may change is a field of :class:`Limits` with its default; the rest are constants.
"""

from __future__ import annotations

import os
from pathlib import Path

from attrs import evolve, field, frozen

KILO, MEGA = 1024, 1024 * 1024
UNLIMITED = 2**62

# --- addresses: RFC 5321 section 4.5.3.1 ---
MAX_LOCAL_OCTETS = 64
MAX_DOMAIN_OCTETS = 255

# --- tokens: 128 bits are asked for; 192 keep the text free of padding ---
TOKEN_OCTETS = 24

# --- SMTP: lines ---
# RFC 5321 section 4.5.3.1.4 asks for 512 octets and more where an extension needs them: SMTPUTF8
# and SIZE add some 40, AUTH= up to 500 (RFC 4954 section 5). No real command comes near 2 kB.
MAX_COMMAND_OCTETS = 2 * KILO
# RFC 5321 section 4.5.3.1.5: a reply line, its CRLF included.
MAX_REPLY_OCTETS = 512
# Input kept while an answer is pending or while the peer does not read its answers. One read of
# the transport may come on top.
MAX_PIPELINED_OCTETS = 64 * KILO
# Replies not yet taken by the peer; beyond this we stop reading from it (back-pressure).
MAX_UNREAD_REPLY_OCTETS = 64 * KILO
# The transport reads this much at a time while a mail comes in; 64 kB, Twisted's default, costs
# 1 MB mails a third of their rate.
DATA_READ_OCTETS = 256 * KILO

# --- what a thing in memory costs besides its octets, measured with `make bench` ---
PARCEL_COST = 400
MESSAGE_COST = 250
MAILBOX_COST = 900

# --- HTTP ---
MAX_LIST = 500
DEFAULT_LIST = 50
MAX_WAIT_SECONDS = 60
# A comment on an idle event stream, often enough for every proxy's idle limit.
KEEPALIVE_SECONDS = 15.0
# Events besides arrivals that a mailbox remembers for clients that come back.
MAX_JOURNAL = 100

# --- time ---
# Expiry is looked at this often: a mailbox is gone within half a second of its due time.
TICK_SECONDS = 0.25
# The most one turn of expiry, or of waking waiters, may hold the reactor.
SLICE_SECONDS = 0.010


def default_memory() -> int:
    """Octets: a quarter of what this machine, or the control group we run in, has."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        allowed = physical
    return min(physical, allowed) // 4


@frozen(kw_only=True)
class Limits:
    """What the operator may bound. Times are seconds, sizes octets.

    The order that must hold: one message fits a mailbox, and several fit the memory
    (``max_message_size <= max_mailbox_size`` and ``4 * max_message_size <= memory``).
    """

    # One message. Large providers take 25 MB (Gmail) to 150 MB; 25 MiB is what senders expect.
    max_message_size: int = 25 * MEGA
    # One mailbox.
    max_messages: int = 1000
    max_mailbox_size: int = 100 * MEGA
    # All mail, its envelopes, mailboxes, what is half received and what was understood of it.
    memory: int = field(factory=default_memory)
    # Mailboxes one client address (a /64 of IPv6) may hold at a time.
    mailboxes_per_client: int = 1000

    default_lifetime: int = 600
    min_lifetime: int = 1
    # How far ahead a lifetime may reach when asked for, and a mailbox's whole life with extending.
    max_lifetime: int = 24 * 3600
    quarantine: int = 24 * 3600

    # SMTP. RFC 5321 section 4.5.3.1.8 asks for 100 recipients.
    max_recipients: int = 100
    max_connections: int = 5000
    max_connections_per_client: int = 100
    max_commands: int = 10_000
    max_errors: int = 20
    # RFC 5321 section 4.5.3.2 names 5 minutes between commands and 10 for the final dot; a
    # receiver that stores to memory and is open to strangers does better with less.
    idle_timeout: float = 120.0
    session_timeout: float = 3600.0
    # A mail must come in at this rate on average, after one idle timeout of grace.
    min_octets_per_second: int = 256
    tls_handshake_timeout: float = 30.0

    # HTTP
    max_body_size: int = MEGA
    http_idle_timeout: float = 60.0
    body_timeout: float = 30.0
    max_http_connections: int = 15_000
    max_http_connections_per_client: int = 1000

    # Stopping: how long transactions and requests in flight may still take.
    closing_time: float = 10.0

    def without_client_limits(self) -> Limits:
        """The same for a closed network: nothing counted per client or mailbox any more.

        Sizes of messages and bodies, times and the memory budget stay, so a mailbox may take all
        there is and no more.
        """
        return evolve(
            self,
            max_messages=UNLIMITED,
            max_mailbox_size=UNLIMITED,
            mailboxes_per_client=UNLIMITED,
            max_connections=UNLIMITED,
            max_connections_per_client=UNLIMITED,
            max_commands=UNLIMITED,
            max_errors=UNLIMITED,
            max_http_connections=UNLIMITED,
            max_http_connections_per_client=UNLIMITED,
        )
