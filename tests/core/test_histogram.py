"""Counting how values are distributed."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.histogram import Histogram


class HistogramTests(SynchronousTestCase):
    """Buckets."""

    def test_bounds(self) -> None:
        """A value falls into the first bucket whose end it does not exceed, or behind the last."""
        histogram = Histogram((1, 2))
        for value in (0, 1, 1.5, 2, 2.5):
            histogram.observe(value)
        self.assertEqual((histogram.counts, histogram.total), ([2, 2, 1], 7.0))
