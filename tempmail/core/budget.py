"""The memory budget: one count of every octet held, wherever it is held, and for whom."""

from __future__ import annotations

from collections import Counter
from typing import NoReturn

from attrs import Factory, define

from tempmail.core.errors import MemoryFull, ShareSpent


@define(eq=False)
class Budget:
    """Octets that may be held and octets that are.

    The store charges what it keeps, receiving charges what is half received, reading charges what
    was understood, the web charges connections, bodies and long answers; whoever takes gives back
    exactly that much, for the same client.

    What one client holds may be ``share`` times what is left beside it, and no more. With 1, one
    alone gets half, two get a third each, and a newcomer always finds room. Switches share the
    memory of their ports by the same rule (Choudhury and Hahne, Dynamic Queue Length Thresholds for
    Shared-Memory Packet Switches, 1998). A client holds different things under different names, of
    :func:`holder`; for nobody, who is "", the rule does not hold. ``refused`` counts by reason.
    """

    limit: int
    used: int = 0
    share: int = 1
    held: dict[str, int] = Factory(dict)
    refused: Counter[str] = Factory(Counter)

    def fits(self, octets: int, client: str = "", beyond: int = 0) -> bool:
        """Whether ``take`` would charge ``octets`` now."""
        left = self.limit + beyond - self.used - octets
        if client and octets:
            return self.held.get(client, 0) + octets <= self.share * left
        return left >= 0

    def take(self, octets: int, client: str = "", beyond: int = 0) -> bool:
        """Charge ``octets`` if they fit, or would with ``beyond`` more; says whether they did."""
        if not self.fits(octets, client, beyond):
            return False
        self.charge(octets, client)
        return True

    def check(self, octets: int, client: str = "") -> None:
        """Raise :exc:`MemoryFull` or :exc:`ShareSpent` where ``take`` would not charge."""
        if not self.fits(octets, client):
            self._refuse(octets)

    def pay(self, octets: int, client: str = "") -> None:
        """Charge ``octets``. Raises what ``check`` raises."""
        if not self.fits(octets, client):
            self._refuse(octets)
        self.charge(octets, client)

    def charge(self, octets: int, client: str = "") -> None:
        """Charge what can not be refused; what can be has less room then."""
        self.used += octets
        if client and octets:
            self.held[client] = self.held.get(client, 0) + octets

    def give(self, octets: int, client: str = "") -> None:
        """Give back what was taken."""
        self.used -= octets
        if client and octets:
            left = self.held[client] - octets
            if left:
                self.held[client] = left
            else:
                del self.held[client]

    def absorb(self, other: Budget) -> None:
        """Charge all that is held under another budget."""
        for client, octets in other.held.items():
            self.charge(octets, client)
        self.charge(other.used - sum(other.held.values()))

    def _refuse(self, octets: int) -> NoReturn:
        if self.fits(octets):
            self.refused["memory_share"] += 1
            raise ShareSpent("this is more of the memory than one client may have now")
        raise MemoryFull("the server's memory for mail is full")


def holder(client: str, what: str) -> str:
    """The name under which a client holds something besides its mail and its mailboxes.

    So that nobody whose mail takes all it may is kept from reading and deleting it.
    """
    return client and f"{what} of {client}"
