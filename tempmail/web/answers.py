"""What the web has answered since the start, counted where it happens."""

from __future__ import annotations

from attrs import Factory, define

from tempmail.core.histogram import Histogram
from tempmail.core.limits import ANSWER_BUCKETS


@define(eq=False)
class Answers:
    """How many answers the web gave, by route and status, and how long they took.

    Routes are patterns, ``-`` for what matched none, so their number is that of the code's.
    """

    counts: dict[tuple[str, int], int] = Factory(dict)
    seconds: dict[str, Histogram] = Factory(dict)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.counts[route, status] = self.counts.get((route, status), 0) + 1
        histogram = self.seconds.get(route)
        if histogram is None:
            histogram = self.seconds[route] = Histogram(ANSWER_BUCKETS)
        histogram.observe(seconds)
