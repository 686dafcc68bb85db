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

    def take(self) -> Job:
        """The job whose turn it is; there has to be one."""
        while (job := heappop(self._places)).left:
            self._empty -= 1
        return job

    def leave(self, job: Job) -> None:
        """This job waits no more."""
        job.leave()
        self._empty += 1
        if 2 * self._empty > len(self._places):
            self._places = self.all()
            self._empty = 0
            heapify(self._places)

    def all(self) -> list[Job]:
        """All that wait, in no order."""
        return [job for job in self._places if not job.left]
