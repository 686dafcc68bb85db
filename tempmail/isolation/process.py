"""A worker as its parent sees it: a process that is given a job, and killed if need be.

What goes over its pipes is described in :mod:`tempmail.isolation.worker`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from tempmail.isolation.job import Crashed, Job, TimedOut
from tempmail.isolation.worker import HEADER, REPLY, Settings, frame

if TYPE_CHECKING:
    from tempmail.isolation.pool import Isolation

ABANDONED = 1.0
"""Seconds that a run nobody wants any more may still take. Most are done by then; killing a worker
costs the start of another, which takes as long."""

REPLY_OCTETS = 64 * 1024 * 1024
"""Octets of one reply: a mail of 25 MiB decoded, with room for its HTML."""

COMPLAINT = 2_000
"""Octets of what a worker last wrote to its standard error, kept for the log."""


class Worker(ProcessProtocol):
    """One worker process as the parent sees it."""

    _log: ClassVar[Logger] = Logger()
    transport: IProcessTransport

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation
        self.job: Job | None = None
        self._usable = True
        self._timer: IDelayedCall | None = None
        self._received = bytearray()
        self._held = 0
        self._complaint = b""

    @property
    def is_free(self) -> bool:
        """Whether it can take a job now."""
        return self._usable and self.job is None

    def take(self, job: Job) -> None:
        """Run this job."""
        try:
            length, octets = frame((job.function, job.arguments))
        except Exception as error:  # no value that goes over a pipe: the caller's mistake
            job.fail(error)
            return
        self.job = job
        self._timer = self._isolation.reactor.callLater(self._isolation.timeout, self._time_up)
        self._hold(len(octets))
        self._write(length, octets)

    def hurry(self) -> None:
        """Nobody wants its run any more: end it soon."""
        if self._timer is not None:
            left = self._timer.getTime() - self._isolation.reactor.seconds()
            self._timer.reset(min(left, ABANDONED))

    def kill(self) -> Job | None:
        """End the process; the job it had, which is now the caller's to finish."""
        self._usable = False
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
        return self._detach()

    def connectionMade(self) -> None:
        pool = self._isolation
        settings = Settings(pool.package, pool.memory_limit, pool.timeout)
        self._write(*frame(settings))

    def outReceived(self, data: bytes) -> None:
        self._received += data
        self._hold(len(data))
        length = int.from_bytes(self._received[:HEADER], "big")
        have = len(self._received) - HEADER
        if self.job is None or length > REPLY_OCTETS or have > length:
            self._fail("its worker talked out of turn")
        elif have == length:
            received, self._received = self._received, bytearray()
            self._finish(self.job, memoryview(received)[HEADER:])

    def errReceived(self, data: bytes) -> None:
        self._complaint = (self._complaint + data)[-COMPLAINT:]

    def childConnectionLost(self, childFD: int) -> None:  # noqa: N803
        """It closed a pipe: it is ending, or only pretends to."""
        self._usable = False
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")

    def processEnded(self, reason: Failure) -> None:
        self._usable = False
        if self._complaint:
            # May quote the mail it read.
            self._log.debug("worker ended, having said {said}", said=self._complaint)
        self._fail(f"its worker ended: {reason.getErrorMessage()}")
        self._isolation.ended(self)

    def _write(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.transport.writeToChild(0, piece)

    def _hold(self, octets: int) -> None:
        """Count what is on its way to the worker or back, till the run is over."""
        self._isolation.budget.charge(octets)
        self._held += octets

    def _finish(self, job: Job, reply: memoryview) -> None:
        try:
            octets, error, last = REPLY.decode(reply)
            result = None if error else job.returns.decode(octets)
        except Exception:
            self._fail("its worker answered what can not be its result")
            return
        self._detach()
        self._usable = not last
        if error:
            job.fail(Crashed(f"{job.function} raised {error[:80]}"))
        else:
            job.succeed(result)
        self._isolation.dispatch()

    def _time_up(self) -> None:
        self._timer = None
        job = self.kill()
        if job is not None:
            self._isolation.killed["abandoned" if job.left else "timeout"] += 1
            job.fail(TimedOut(f"{job.function}: {self._isolation.timeout:g} s are over"))

    def _fail(self, why: str) -> None:
        """This worker can not be relied on any more."""
        job = self.kill()
        if job is not None:
            self._isolation.killed["crash"] += 1
            job.fail(Crashed(f"{job.function}: {why}"))

    def _detach(self) -> Job | None:
        job, self.job = self.job, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._isolation.budget.give(self._held)
        self._held = 0
        return job
