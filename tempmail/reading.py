"""Understanding a mail when somebody first asks, and remembering what was understood.

Nothing here is on the way a mail comes in: a mail that nobody reads costs nothing but its octets.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed

from tempmail.content.digest import Digest, digest
from tempmail.core.budget import Budget
from tempmail.core.message import Parcel


class Reading:
    """Digests of mails, kept with them while the memory budget has room."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def digest(self, parcel: Parcel) -> Deferred[Digest]:
        """What the mail says."""
        if parcel.reading is not None:
            return succeed(parcel.reading)
        understood = digest(parcel.octets)
        if parcel.holders and self._budget.take(understood.size):
            parcel.reading, parcel.reading_size = understood, understood.size
        return succeed(understood)
