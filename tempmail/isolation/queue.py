"""The runs that wait for a worker."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from tempmail.isolation.job import Job


class Queue:
    """Jobs, the least first.

    One that leaves before its turn costs the same however many wait, because thousands may leave
    together: its place stays, empty, until its turn comes or half of all places are empty.
    """

    def __init__(self) -> None:
        self._places: list[Job] = []
        self._empty = 0

    def __len__(self) -> int:
        return len(self._places) - self._empty

    def put(self, job: Job) -> None:
        """Have a job wait."""
        heappush(self._places, job)

    def first(self) -> Job:
        """The job whose turn it is; there has to be one."""
        while self._places[0].left:
            heappop(self._places)
            self._empty -= 1
        return self._places[0]

    def take(self) -> Job:
        """The same; it waits no more."""
        job = self.first()
        heappop(self._places)
        return job

    def lose_one(self) -> None:
        """One of those that wait was left."""
        self._empty += 1
        if 2 * self._empty > len(self._places):
            self._places = self.all()
            self._empty = 0
            heapify(self._places)

    def all(self) -> list[Job]:
        """All that wait, in no order."""
        return [job for job in self._places if not job.left]
