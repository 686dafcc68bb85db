"""Runs functions that a hostile mail could stall or crash where that can be ended.

A few worker processes, started when first needed, each run one pure function of
:mod:`tempmail.content` at a time. A worker that takes too long, eats too much or dies is killed and
replaced; only the one mail it read is the worse for it. Killing a process is the one way to end
code in C or Rust that does not want to end, which is why these are no threads.

Frames and values are described in :mod:`tempmail.isolation_worker`. A worker reads what strangers
wrote, so the parent treats what a worker says as a stranger's words: bounded, plain values, put
into the types that the parent itself expects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar, Protocol

from attrs import Factory, define, field
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from tempmail.core.errors import TempmailError
from tempmail.isolation_worker import CONVERTER, HEADER, Settings, frame, resolve

SIZE = 2
"""Worker processes."""

TIMEOUT = 10.0
"""Seconds one run may take, the start of its worker included. The worst mail within the caps of
:mod:`tempmail.content` takes about one."""

MEMORY_LIMIT = 1024 * 1024 * 1024
"""Octets of address space of a worker. Reading a mail of 25 MiB takes some 200 MiB."""

QUEUE = 20_000
"""Runs that may wait for a worker. Each waits for somebody's request, of which there are no more
than connections, times the messages of a list; it holds nothing but a reference to its mail."""

OCTETS_A_SECOND = 20_000
MOST_PATIENCE = 5.0
"""A run waits as if it had come later by its octets over these, and by no more than so many
seconds: a small mail overtakes the large ones that came shortly before it, which may be hostile,
and every mail has its turn."""

REPLY_OCTETS = 64 * 1024 * 1024
"""Octets of one reply: a mail of 25 MiB decoded, with room for its HTML."""

COMPLAINT = 2_000
"""Octets of what a worker last wrote to its standard error, kept for the log."""

_START = (
    "import sys; sys.path[:] = sys.argv[1:]; from tempmail.isolation_worker import main; main()"
)


class IsolationError(TempmailError):
    """The function did not return a value."""


class Crashed(IsolationError):
    """The function raised, or its worker died or talked nonsense."""


class TimedOut(IsolationError):
    """The function took too long and its worker was killed."""


class Busy(IsolationError):
    """Too many runs wait already; this one was not taken."""


class Stopped(IsolationError):
    """The isolation was stopped before the function returned."""


class IsolationReactor(Protocol):
    """What is needed of a reactor: IReactorTime and IReactorProcess."""

    callLater: Callable[..., IDelayedCall]
    seconds: Callable[[], float]
    spawnProcess: Callable[..., IProcessTransport]


@define(order=True)
class _Job:
    """One run asked for. Of those that wait the least comes first."""

    turn: tuple[float, int]
    function: str = field(eq=False)
    arguments: tuple[Any, ...] = field(eq=False)
    returns: Any = field(eq=False)
    done: Deferred[Any] = field(eq=False)


@define(eq=False)
class Isolation:
    """A pool of worker processes.

    :param size: processes at most.
    :param timeout: seconds one run may take.
    :param memory_limit: octets of address space of one process.
    :param queue: runs that may wait.
    :param package: where the functions are imported from.

    ``killed`` counts the runs that ended with their worker, by why.
    """

    reactor: IsolationReactor
    size: int = SIZE
    timeout: float = TIMEOUT
    memory_limit: int = MEMORY_LIMIT
    queue: int = QUEUE
    package: str = "tempmail.content"
    killed: dict[str, int] = Factory(lambda: dict.fromkeys(("timeout", "crash", "abandoned"), 0))
    _waiting: list[_Job] = Factory(list)
    _asked: int = 0
    _workers: list[_Worker] = Factory(list)
    _stopping: bool = False
    _stopped: list[Deferred[None]] = Factory(list)

    def run(self, function: str, *arguments: Any) -> Deferred[Any]:
        """Call ``function``, named ``module.function`` within the package, in a worker.

        Arguments and result are frozen values, octets, text and numbers, as the type hints of the
        function say. Cancelling ends the run and its worker.

        :returns: a Deferred of what the function returns. Fails with Crashed, TimedOut, Busy or
            Stopped, and with LookupError when there is no such function.
        """
        if self._stopping:
            return fail(Stopped(function))
        if len(self._waiting) >= self.queue and self._free() is None:
            return fail(Busy(function))
        try:
            returns = resolve(self.package, function)[2]
        except LookupError as error:
            return fail(error)
        done: Deferred[Any] = Deferred(lambda _: self._abandon(job))
        job = _Job(self._turn(arguments), function, arguments, returns, done)
        heappush(self._waiting, job)
        self.dispatch()
        return job.done

    def stop(self) -> Deferred[None]:
        """Kill every worker. Fires when none is left; runs not finished fail with Stopped."""
        self._stopping = True
        unfinished = [*self._waiting, *(worker.kill() for worker in self._workers)]
        self._waiting.clear()
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        for job in unfinished:
            if job is not None:
                job.done.errback(Stopped(job.function))
        self._tell_stopped()
        return stopped

    @property
    def workers(self) -> int:
        """How many processes there are."""
        return len(self._workers)

    @property
    def waiting(self) -> int:
        """How many runs wait for one."""
        return len(self._waiting)

    def ended(self, worker: _Worker) -> None:
        """This worker's process is gone and reaped."""
        self._workers.remove(worker)
        self.dispatch()
        self._tell_stopped()

    def dispatch(self) -> None:
        """Give waiting runs to workers, starting such as are missing."""
        while self._waiting:
            try:
                worker = self._free() or self._start()
            except OSError as error:
                job = heappop(self._waiting)
                job.done.errback(Crashed(f"{job.function}: no worker started: {error.strerror}"))
                continue
            if worker is None:
                return
            worker.take(heappop(self._waiting))

    def _turn(self, arguments: tuple[Any, ...]) -> tuple[float, int]:
        """When a run that is asked for now has its turn among those that wait."""
        self._asked += 1
        octets = sum(len(one) for one in arguments if isinstance(one, bytes))
        patience = min(octets / OCTETS_A_SECOND, MOST_PATIENCE)
        return self.reactor.seconds() + patience, self._asked

    def _free(self) -> _Worker | None:
        return next((worker for worker in self._workers if worker.is_free), None)

    def _start(self) -> _Worker | None:
        """A new worker; None when there are as many as may be. One killed counts until reaped."""
        if self._stopping or len(self._workers) >= self.size:
            return None
        worker = _Worker(self)
        self.reactor.spawnProcess(
            worker,
            sys.executable,
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, *sys.path],
            env={},
            childFDs={0: "w", 1: "r", 2: "r"},
        )
        self._workers.append(worker)
        return worker

    def _abandon(self, job: _Job) -> None:
        """Whoever asked for this run does not want it any more."""
        if job in self._waiting:
            self._waiting.remove(job)
            heapify(self._waiting)
        for worker in self._workers:
            if worker.job is job:
                self.killed["abandoned"] += 1
                worker.kill()

    def _tell_stopped(self) -> None:
        if self._stopping and not self._workers:
            told, self._stopped = self._stopped, []
            for stopped in told:
                stopped.callback(None)


class _Worker(ProcessProtocol):
    """One worker process as the parent sees it."""

    _log: ClassVar[Logger] = Logger()
    transport: IProcessTransport

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        self.job: _Job | None = None
        self._usable = True
        self._timer: IDelayedCall | None = None
        self._received = bytearray()
        self._complaint = b""

    @property
    def is_free(self) -> bool:
        """Whether it can take a job now."""
        return self._usable and self.job is None

    def take(self, job: _Job) -> None:
        """Run this job."""
        try:
            octets = frame((job.function, job.arguments))
        except Exception as error:  # no value that goes over a pipe: the caller's mistake
            job.done.errback(error)
            return
        self.job = job
        self._timer = self.isolation.reactor.callLater(self.isolation.timeout, self._time_up)
        self.transport.writeToChild(0, octets)

    def kill(self) -> _Job | None:
        """End the process; the job it had, which is now the caller's to finish."""
        self._usable = False
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
        return self._detach()

    def connectionMade(self) -> None:
        pool = self.isolation
        settings = Settings(pool.package, pool.memory_limit, pool.timeout)
        self.transport.writeToChild(0, frame(settings))

    def outReceived(self, data: bytes) -> None:
        self._received += data
        length = int.from_bytes(self._received[:HEADER], "big")
        have = len(self._received) - HEADER
        if self.job is None or length > REPLY_OCTETS or have > length:
            self._fail("its worker talked out of turn")
        elif have == length:
            octets = bytes(self._received[HEADER:])
            self._received.clear()
            self._finish(self.job, octets)

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
        self.isolation.ended(self)

    def _finish(self, job: _Job, octets: bytes) -> None:
        try:
            plain, error, last = CONVERTER.loads(octets, tuple[Any, str, bool])
            result = None if error else CONVERTER.structure(plain, job.returns)
        except Exception:
            self._fail("its worker answered what can not be its result")
            return
        self._detach()
        self._usable = not last
        if error:
            job.done.errback(Crashed(f"{job.function} raised {error[:80]}"))
        else:
            job.done.callback(result)
        self.isolation.dispatch()

    def _time_up(self) -> None:
        self._timer = None
        job = self.kill()
        if job is not None:
            self.isolation.killed["timeout"] += 1
            job.done.errback(TimedOut(f"{job.function}: {self.isolation.timeout:g} s are over"))

    def _fail(self, why: str) -> None:
        """This worker can not be relied on any more."""
        job = self.kill()
        if job is not None:
            self.isolation.killed["crash"] += 1
            job.done.errback(Crashed(f"{job.function}: {why}"))

    def _detach(self) -> _Job | None:
        job, self.job = self.job, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return job
