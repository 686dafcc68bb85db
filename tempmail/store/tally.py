"""What a store holds and what became of its mailboxes, counted where it happens."""

from __future__ import annotations

from attrs import Factory, define

from tempmail.core.histogram import Histogram
from tempmail.core.limits import LAG_BUCKETS


@define(eq=False)
class Tally:
    """Counts of one store since the start.

    Now: open ``mailboxes``, those in ``quarantine``, ``messages`` in them, ``octets`` of mail,
    each mail once. Ever: mailboxes ``recalled`` open from before the start, ``minted`` (restored
    ones too), ``opened`` by mail, ``expired`` and ``deleted``. ``lag`` is the seconds by which
    mailboxes outlived their time.
    """

    mailboxes: int = 0
    quarantine: int = 0
    messages: int = 0
    octets: int = 0
    recalled: int = 0
    minted: int = 0
    opened: int = 0
    expired: int = 0
    deleted: int = 0
    lag: Histogram = Factory(lambda: Histogram(LAG_BUCKETS))
