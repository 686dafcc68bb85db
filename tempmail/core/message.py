"""What is kept of a mail: frozen values, and the octets once however many mailboxes hold them."""

from __future__ import annotations

from typing import Any

from attrs import define, field, frozen

from tempmail.core.address import Address
from tempmail.core.budget import holder
from tempmail.core.limits import PARCEL_COST


@frozen
class Envelope:
    """What the SMTP transaction (or the HTTP post) said about a mail, apart from its octets.

    ``mail_from`` is ``""`` for the null sender (RFC 5321 section 4.5.5). ``helo`` and ``peer``
    are what the client called itself and the address it came from, ``""`` where there is none.
    ``protocol`` is a keyword of RFC 3848 (``SMTP``, ``ESMTP``, ``ESMTPSA``, with ``UTF8`` before it
    for RFC 6531) or ``HTTP``. ``posted`` is, for a mail that came by the small interface, the
    JSON object its ``from``, ``subject`` and ``body`` are given back from, whatever types they had.
    ``client`` is whose part of the memory the mail takes, "" for nobody's.
    """

    mail_from: str
    helo: str = ""
    peer: str = ""
    tls: bool = False
    protocol: str = "ESMTP"
    posted: bytes | None = field(default=None, repr=False)
    client: str = field(default="", repr=False)


@frozen
class Attempt:
    """A mail that was refused, as the owner of the mailbox it was for is told of it.

    ``at`` is seconds since the epoch. ``mail_from`` is "" for the null sender, and like ``helo``
    where it was not said. ``stage`` is the command that was refused: ``mail``, ``rcpt``, ``data``.
    ``reply`` is what the client was told, "" where its connection ended in the middle of the mail.
    """

    at: float
    mail_from: str
    helo: str
    stage: str
    reply: str


class Pieces:
    """The octets of a mail in the pieces they came in, put together when somebody reads them.

    A large mail that nobody reads is never copied: putting a megabyte together costs a third of
    what taking it in costs.
    """

    __slots__ = ("_pieces", "_size")

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self._size = sum(map(len, pieces))

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self._pieces)


Octets = bytes | Pieces


@define(eq=False)
class Parcel:
    """One mail as it came: envelope and octets, shared by every mailbox it was delivered to.

    ``holders`` counts those mailboxes; the store charges the octets to its budget while it is not
    zero. ``reading`` is what was understood of the content for a list and ``whole`` what the whole
    message adds, each filled in when somebody first asks and dropped with the parcel;
    ``reading_size`` is what both cost in octets.
    """

    envelope: Envelope
    _octets: Octets
    received_at: float
    holders: int = 0
    reading: Any = None
    whole: Any = None
    reading_size: int = 0

    @property
    def reader(self) -> str:
        """Under which name the budget is charged with what was understood of it."""
        return holder(self.envelope.client, "readings")

    @property
    def octets(self) -> bytes:
        """The octets as received, after dot-unstuffing."""
        if not isinstance(self._octets, bytes):
            self._octets = bytes(self._octets)
        return self._octets

    @property
    def size(self) -> int:
        """How many octets they are."""
        return len(self._octets)

    @property
    def cost(self) -> int:
        """Octets of memory this takes, its reading apart."""
        return PARCEL_COST + len(self._octets) + len(self.envelope.posted or b"")


@define(eq=False)
class Message:
    """One mail in one mailbox.

    ``sequence`` is its place in the mailbox's history and, as text, both its id and its cursor.
    ``recipient`` is the address as the sender wrote it, with its ``+tag``; other recipients of
    the same mail are nobody's business here.
    """

    sequence: int
    recipient: Address
    parcel: Parcel = field(repr=False)
    seen: bool = False

    @property
    def id(self) -> str:
        """The opaque id clients know it by."""
        return str(self.sequence)

    @property
    def size(self) -> int:
        """Octets of the mail as received, after dot-unstuffing."""
        return self.parcel.size
