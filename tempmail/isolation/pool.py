"""The workers there are, and the runs that wait for one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Protocol

from attrs import Factory, define
from msgspec.msgpack import Decoder
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IProcessTransport

from tempmail.core.budget import Budget
from tempmail.isolation.job import Busy, Job, NotStarted, Stopped
from tempmail.isolation.process import Worker
from tempmail.isolation.queue import Queue
from tempmail.isolation.worker import reader_of, resolve

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

OCTETS_A_SECOND = 2_000
MOST_PATIENCE = 30.0
"""A run waits as if it had come later by its octets over these, and by no more than so many
seconds: a small mail overtakes the large ones that came before it, which may be hostile, and every
mail has its turn."""

LARGE = 100_000
"""Octets from which a mail is large. Reading one may take a millisecond for every thousand of them
(links, paragraphs), so one worker is kept for the others: who waits for a code in a small mail does
not wait for large ones, however many there are. Nor for functions that can wait, those of
``patient``: what they return is kept by nobody, so one client may ask for it all the time."""

_START = (
    "import sys; sys.path[:] = sys.argv[1:]; from tempmail.isolation.worker import main; main()"
)


class IsolationReactor(Protocol):
    """What is needed of a reactor: IReactorTime and IReactorProcess."""

    callLater: Callable[..., IDelayedCall]
    seconds: Callable[[], float]
    spawnProcess: Callable[..., IProcessTransport]


@define(eq=False)
class Isolation:
    """A pool of worker processes.

    :param size: processes at most.
    :param timeout: seconds one run may take.
    :param memory_limit: octets of address space of one process.
    :param queue: runs that may wait.
    :param package: where the functions are imported from.
    :param results: what each function returns that may be asked for; where it is not given they
        are imported here, too, and their type hints say so.
    :param patient: functions that are run as for large mails, whatever the size.
    :param budget: charged with what is on its way to a worker and back, beside what its caller has.

    ``killed`` counts the runs that ended with their worker, by why.
    """

    reactor: IsolationReactor
    size: int = SIZE
    timeout: float = TIMEOUT
    memory_limit: int = MEMORY_LIMIT
    queue: int = QUEUE
    package: str = "tempmail.content"
    results: Mapping[str, Any] | None = None
    patient: Collection[str] = ()
    budget: Budget = Factory(lambda: Budget(sys.maxsize))
    killed: dict[str, int] = Factory(lambda: dict.fromkeys(("timeout", "crash", "abandoned"), 0))
    _small: Queue = Factory(Queue)
    _large: Queue = Factory(Queue)
    _asked: int = 0
    # Whether the system did not let the last one start.
    _refused: bool = False
    _workers: list[Worker] = Factory(list)
    _stopping: bool = False
    _stopped: list[Deferred[None]] = Factory(list)

    def run(self, function: str, *arguments: Any) -> Deferred[Any]:
        """Call ``function``, named ``module.function`` within the package, in a worker.

        Arguments and result are frozen values, octets, text and numbers, as the type hints of the
        function say. Cancelling ends the run, in a moment also one that is under way.

        :returns: a Deferred of what the function returns. Fails with Crashed, TimedOut, Busy,
            NotStarted or Stopped, and with LookupError when there is no such function.
        """
        if self._stopping:
            return fail(Stopped(function))
        octets = sum(len(one) for one in arguments if isinstance(one, bytes))
        large = octets >= LARGE or function in self.patient
        if self.waiting >= self.queue and not self._may_begin(large):
            return fail(Busy(function))
        try:
            returns = self._result(function)
        except LookupError as error:
            return fail(error)
        done: Deferred[Any] = Deferred(lambda _: self._abandon(job))
        job = Job(self._turn(octets), function, arguments, returns, done, large)
        self._queue_of(job).put(job)
        self.dispatch()
        return job.done

    def _result(self, function: str) -> Decoder[Any]:
        if self.results is None:
            return resolve(self.package, function).result
        return reader_of(self.results[function])

    def stop(self) -> Deferred[None]:
        """Kill every worker. Fires when none is left; runs not finished fail with Stopped."""
        self._stopping = True
        unfinished = [*self._small.all(), *self._large.all()]
        unfinished += [job for worker in self._workers if (job := worker.kill()) is not None]
        self._small, self._large = Queue(), Queue()
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        for job in unfinished:
            job.fail(Stopped(job.function))
        self._tell_stopped()
        return stopped

    @property
    def workers(self) -> int:
        """How many processes there are."""
        return len(self._workers)

    @property
    def waiting(self) -> int:
        """How many runs wait for one."""
        return len(self._small) + len(self._large)

    def ended(self, worker: Worker) -> None:
        """This worker's process is gone and reaped."""
        self._workers.remove(worker)
        self.dispatch()
        self._tell_stopped()

    def dispatch(self) -> None:
        """Give waiting runs to workers, starting such as are missing."""
        while (queue := self._next()) is not None:
            try:
                worker = self._free() or self._start()
            except OSError as error:
                if self._workers:
                    # They will come to it.
                    return
                job = queue.take()
                job.fail(NotStarted(f"{job.function}: {error.strerror}"))
                continue
            if worker is None:
                return
            worker.take(queue.take())
            self._prepare()

    def _next(self) -> Queue | None:
        """Where the run waits that would be the next, if there is one that may begin."""
        queues = [self._small] if self._full_of_large else [self._small, self._large]
        return min(filter(None, queues), key=Queue.first, default=None)

    def _queue_of(self, job: Job) -> Queue:
        return self._large if job.large else self._small

    def _may_begin(self, large: bool) -> bool:
        """Whether there is a worker for one more run, or may be."""
        startable = len(self._workers) < self.size and not self._refused
        found = startable or self._free() is not None
        return found and not (large and self._full_of_large)

    @property
    def _full_of_large(self) -> bool:
        """Whether large mails have all the workers they may have."""
        having = sum(worker.job is not None and worker.job.large for worker in self._workers)
        return having >= max(1, self.size - 1)

    def _turn(self, octets: int) -> tuple[float, int]:
        """When a run that is asked for now has its turn among those that wait."""
        self._asked += 1
        patience = min(octets / OCTETS_A_SECOND, MOST_PATIENCE)
        return self.reactor.seconds() + patience, self._asked

    def _free(self) -> Worker | None:
        return next((worker for worker in self._workers if worker.is_free), None)

    def _start(self) -> Worker | None:
        """A new worker; None when there are as many as may be. One killed counts until reaped."""
        if self._stopping or len(self._workers) >= self.size:
            return None
        worker = Worker(self)
        self._refused = True
        self.reactor.spawnProcess(
            worker,
            sys.executable,
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, *sys.path],
            env={},
            childFDs={0: "w", 1: "r", 2: "r"},
        )
        self._refused = False
        self._workers.append(worker)
        return worker

    def _prepare(self) -> None:
        """Have a worker ready for whoever comes next: starting one takes half a second."""
        with suppress(OSError):
            if self._free() is None:
                self._start()

    def _abandon(self, job: Job) -> None:
        """Whoever asked for this run does not want it any more."""
        job.leave()
        for worker in self._workers:
            if worker.job is job:
                worker.hurry()
                return
        self._queue_of(job).lose_one()

    def _tell_stopped(self) -> None:
        if self._stopping and not self._workers:
            told, self._stopped = self._stopped, []
            for stopped in told:
                stopped.callback(None)
