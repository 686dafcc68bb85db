"""What can go wrong in the domain.

``smtp`` and ``web`` each translate these in one place into the words of their own protocol, so
none of them carries a reply code.
"""

from __future__ import annotations


class TempmailError(Exception):
    """The base of every error a caller of the post office can be told of."""


class BadAddress(TempmailError):
    """This is no address, or no local part anyone may have. The text says what is wrong with it."""


class UnknownDomain(TempmailError):
    """No mail is accepted for this domain: taking it would be relaying."""


class ReservedAddress(TempmailError):
    """The local part belongs to the operator (RFC 2142) or proves control of a domain."""


class AddressTaken(TempmailError):
    """Somebody has this address, or had it and its quarantine is not over."""


class NoSuchMailbox(TempmailError):
    """Nobody has this address, or the token shown is not its token."""


class NoSuchMessage(TempmailError):
    """The mailbox holds no message of this id (any more)."""


class NoSuchPart(TempmailError):
    """The message has no such attachment, or no HTML."""


class TokenNeeded(TempmailError):
    """This asks for a token, and none was shown."""


class MailboxGone(TempmailError):
    """The mailbox expired or was deleted, and who asks held its token or was waiting there."""


class MailboxFull(TempmailError):
    """The mailbox holds as many messages or octets as it may."""


class MessageTooBig(TempmailError):
    """The message is larger than any mailbox here takes."""


class MemoryFull(TempmailError):
    """The memory budget of the whole server is spent; room comes back as mail expires."""


class ShareSpent(TempmailError):
    """What came from this client takes as much of the memory as one client may have now."""


class TooManyMailboxes(TempmailError):
    """This client holds as many mailboxes as one client may."""


class SomeRefused(TempmailError):
    """Of several recipients accepted before, some can not take the mail now; nothing was kept."""


class Closing(TempmailError):
    """The server is stopping and answers everyone who waits."""


class ListedClient(TempmailError):
    """A blocklist names this client; the text is the list's name."""


class LifetimeOutOfBounds(TempmailError):
    """The lifetime asked for lies outside the operator's bounds."""
