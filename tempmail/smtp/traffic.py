"""What the receiver has done since the start, counted where it happens."""

from __future__ import annotations

from attrs import Factory, define

from tempmail.core.histogram import Histogram
from tempmail.core.limits import ACCEPTING_BUCKETS


@define(eq=False)
class Traffic:
    """Connections, octets, mails and refusals of all sessions.

    ``octets`` are those of mails, refused ones and those cut off included; ``lost`` are mails
    whose client left in the middle of them; ``refusals`` counts every 4yz and 5yz reply;
    ``accepting`` is the seconds from DATA, or the first BDAT, to the 250 behind the mail.
    """

    connections: int = 0
    octets: int = 0
    lost: int = 0
    refusals: dict[bytes, int] = Factory(dict)
    accepting: Histogram = Factory(lambda: Histogram(ACCEPTING_BUCKETS))

    @property
    def mails(self) -> int:
        """How many were kept."""
        return sum(self.accepting.counts)

    def refuse(self, reply: bytes) -> None:
        """A client was refused something."""
        self.refusals[reply] = self.refusals.get(reply, 0) + 1
