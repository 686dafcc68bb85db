"""Tests of the runs that wait."""

from __future__ import annotations

from typing import Any

from msgspec.msgpack import Decoder
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tempmail.isolation.job import Job
from tempmail.isolation.queue import Queue


class QueueTests(SynchronousTestCase):
    """Who waits, and who does no more."""

    def setUp(self) -> None:
        self.queue = Queue()

    def put(self, when: float) -> Job:
        decoder: Decoder[Any] = Decoder()
        job = Job((when, 0), "x.y", (b"the mail",), decoder, Deferred(), large=False)
        self.queue.put(job)
        return job

    def leave(self, job: Job) -> None:
        job.leave()
        self.queue.lose_one()

    def test_order(self) -> None:
        """The least comes first, and whoever left not at all, few or many of them."""
        for leaving in ({3.0}, {0.0, 1.0, 9.0}, {0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0}):
            self.queue = Queue()
            jobs = [self.put(float(when)) for when in (5, 3, 8, 0, 9, 1, 7, 2, 6, 4)]
            for job in jobs:
                if job.turn[0] in leaving:
                    self.leave(job)
            left = sorted({job.turn[0] for job in jobs} - leaving)
            self.assertEqual(len(self.queue), len(left))
            self.assertEqual(sorted(job.turn[0] for job in self.queue.all()), left)
            self.assertEqual([self.queue.take().turn[0] for _ in left], left)
            self.assertEqual(len(self.queue), 0)

    def test_leaving_lets_go(self) -> None:
        """Whoever left keeps no mail, whenever its place is cleared away."""
        job, _ = self.put(1.0), self.put(0.0)
        self.leave(job)
        self.assertEqual(job.arguments, ())

    def test_leaving_together(self) -> None:
        """What it costs that all leave grows with how many they are, and not with the square."""
        compared = 0

        class Moment(float):
            def __lt__(self, other: float) -> bool:
                nonlocal compared
                compared += 1
                return float(self) < float(other)

        number = 4000
        jobs = [self.put(Moment(when)) for when in range(number)]
        compared = 0
        for job in jobs:
            self.leave(job)
        self.assertEqual(len(self.queue), 0)
        self.assertLess(compared, 4 * number)
