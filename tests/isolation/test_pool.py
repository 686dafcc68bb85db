"""Tests of the pool of workers, which need no process."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.budget import Budget
from tempmail.isolation.job import Busy, Crashed, NotStarted, Stopped, TimedOut
from tempmail.isolation.pool import LARGE, Isolation
from tempmail.isolation.process import ABANDONED, REPLY_OCTETS
from tempmail.isolation.worker import HEADER, frame
from tests.isolation.runs import MIB


class WithClock(SynchronousTestCase):
    """Rules that need no process: a reactor that only pretends to start one."""

    def setUp(self) -> None:
        self.reactor = PretendingReactor()
        self.isolation = Isolation(
            self.reactor,  # type: ignore[arg-type]
            size=2,
            timeout=5.0,
            queue=1,
            package="tests.isolation",
        )

    def run_length(self) -> Deferred[Any]:
        return self.isolation.run("runs.length", b"abc")

    def test_lazy(self) -> None:
        """No process is started before there is anything to do; then one more than is busy, so
        that the next run need not wait for a start, and never more than may be."""
        self.isolation.size = 3
        self.assertEqual(self.reactor.processes, [])
        for processes in (2, 3, 3):
            self.run_length()
            self.assertEqual(len(self.reactor.processes), processes)

    def test_again(self) -> None:
        """A process that is free is used again."""
        for _ in range(3):
            run = self.run_length()
            self.reactor.processes[0].reply((3, "", False))
            self.assertEqual(self.successResultOf(run), 3)

    def test_bounded_queue(self) -> None:
        """Beyond the workers and the queue a run is refused, and the others are not touched."""
        accepted = [self.run_length() for _ in range(3)]
        self.failureResultOf(self.run_length(), Busy)
        for deferred in accepted:
            self.assertNoResult(deferred)
        self.assertEqual(len(self.reactor.processes), 2)
        self.reactor.processes[1].reply((3, "", False))
        self.assertEqual(self.successResultOf(accepted[1]), 3)
        self.assertNoResult(self.run_length())

    def test_small_before_large(self) -> None:
        """A small mail overtakes the large ones that came shortly before, and none for ever."""
        self.isolation.size, self.isolation.queue, self.isolation.timeout = 1, 9, 60.0
        order: list[int] = []
        for octets, later in ((1, 0), (10 * MIB, 0), (40_000, 1), (2, 35), (3, 0)):
            asked = self.isolation.run("runs.length", bytes(octets))
            asked.addCallback(order.append)
            self.reactor.advance(later)
        for octets in (1, 2, 40_000, 10 * MIB, 3):
            self.reactor.processes[0].reply((octets, "", False))
        self.assertEqual(order, [1, 2, 40_000, 10 * MIB, 3])
        written = [octets for octets in self.reactor.processes[0].written if b"length" in octets]
        self.assertEqual(
            [len(octets) // 1000 for octets in written], [0, 0, 40, 10 * MIB // 1000, 0]
        )

    def test_room_for_small(self) -> None:
        """Large mails never have all workers, however many they are, and no more of them wait than
        may; one behind the other they are read all the same."""
        self.isolation.queue = 3
        large = [self.isolation.run("runs.length", bytes(LARGE)) for _ in range(4)]
        self.failureResultOf(self.isolation.run("runs.length", bytes(LARGE)), Busy)
        self.assertNoResult(small := self.run_length())
        self.reactor.processes[1].reply((3, "", False))
        self.assertEqual(self.successResultOf(small), 3)
        for run in large:
            self.assertNoResult(run)
            self.reactor.processes[0].reply((LARGE, "", False))
            self.assertEqual(self.successResultOf(run), LARGE)

    def test_patient(self) -> None:
        """What can wait leaves a worker to the rest, as large mails do."""
        self.isolation.patient = {"runs.length"}
        patient = [self.run_length() for _ in range(2)]
        quick = self.isolation.run("runs.allocate")
        self.reactor.processes[1].reply((7, "", False))
        self.assertEqual(self.successResultOf(quick), 7)
        self.assertNoResult(patient[1])

    def test_time_up(self) -> None:
        """A run that takes too long fails, its process is killed, and the next one gets another."""
        slow, other, waiting = (self.run_length() for _ in range(3))
        self.reactor.advance(4.9)
        self.reactor.processes[1].reply((3, "", False))
        self.assertEqual(self.successResultOf(other), 3)
        self.reactor.advance(0.1)
        self.failureResultOf(slow, TimedOut)
        self.assertEqual(self.reactor.processes[0].signals, ["KILL"])
        self.assertEqual(self.isolation.killed, {"timeout": 1, "crash": 0, "abandoned": 0})
        self.assertNoResult(waiting)
        self.reactor.processes[0].end()
        more = self.run_length()
        self.assertEqual(len(self.reactor.processes), 3)
        self.reactor.processes[2].reply((3, "", False))
        self.assertEqual(self.successResultOf(more), 3)

    def test_no_timer_left(self) -> None:
        """Every way for a run to end takes its timer along."""
        finished, cancelled = self.run_length(), self.run_length()
        self.reactor.processes[0].reply((3, "", False))
        cancelled.cancel()
        self.successResultOf(finished)
        self.failureResultOf(cancelled, CancelledError)
        self.reactor.processes[1].reply((3, "", False))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_cancel_running(self) -> None:
        """A run that is cancelled may end, for another worker would have to start; soon its process
        is killed, since nothing else stops it."""
        quick, slow = self.run_length(), self.run_length()
        for run in (quick, slow):
            run.cancel()
            self.failureResultOf(run, CancelledError)
        self.reactor.processes[0].reply((3, "", False))
        self.reactor.advance(ABANDONED)
        self.assertEqual([p.signals for p in self.reactor.processes], [[], ["KILL"]])
        self.assertEqual(self.isolation.killed, {"timeout": 0, "crash": 0, "abandoned": 1})
        self.assertNoResult(self.run_length())
        self.assertEqual(len(self.reactor.processes), 2)

    def test_cancel_late(self) -> None:
        """Cancelling gives no run more time than it had."""
        run = self.run_length()
        self.reactor.advance(4.9)
        run.cancel()
        self.failureResultOf(run, CancelledError)
        self.reactor.advance(0.1)
        self.assertEqual(self.reactor.processes[0].signals, ["KILL"])

    def test_cancel_waiting(self) -> None:
        """Cancelling a run that waits leaves no trace and kills nothing."""
        running = [self.run_length(), self.run_length()]
        waiting = self.run_length()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual([p.signals for p in self.reactor.processes], [[], []])
        self.assertNoResult(self.run_length())
        self.assertEqual([d.called for d in running], [False, False])

    def test_stop(self) -> None:
        """Stopping fails what runs and what waits, and is done when the last process is gone."""
        runs = [self.run_length() for _ in range(3)]
        stopped, again = self.isolation.stop(), self.isolation.stop()
        for run in runs:
            self.failureResultOf(run, Stopped)
        self.reactor.processes[0].end()
        self.assertNoResult(stopped)
        self.reactor.processes[1].end()
        self.successResultOf(stopped)
        self.successResultOf(again)
        self.failureResultOf(self.run_length(), Stopped)

    def test_stop_unused(self) -> None:
        """What never ran is stopped at once."""
        self.successResultOf(self.isolation.stop())

    def test_unknown_function(self) -> None:
        """Only functions of the package can be named, and no private ones."""
        for name in ("length", "nowhere.length", "runs.absent", "runs._x", ""):
            self.failureResultOf(self.isolation.run(name), LookupError)
        self.assertEqual(self.reactor.processes, [])

    def test_unsendable(self) -> None:
        """An argument that can not cross fails its run alone; the worker stays."""
        self.failureResultOf(self.isolation.run("runs.length", object()))
        self.assertNoResult(self.run_length())
        self.assertEqual([p.signals for p in self.reactor.processes], [[], []])

    def test_nonsense_from_the_worker(self) -> None:
        """A worker that answers no value of the function's type is killed."""
        self.isolation.size = 1
        for octets in (
            framed(("three", "", False)),
            framed((None, "", False)),
            framed(3),
            (1).to_bytes(HEADER, "big") + b"\xc1",
            (REPLY_OCTETS + 1).to_bytes(HEADER, "big"),
            framed((3, "", False)) + b"more",
        ):
            run = self.run_length()
            process = self.reactor.processes[-1]
            process.protocol.childDataReceived(1, octets)
            self.failureResultOf(run, Crashed)
            self.assertEqual(process.signals, ["KILL"])
            process.end()

    def test_reply_in_pieces(self) -> None:
        """A reply may come octet by octet."""
        run = self.run_length()
        for octet in framed((3, "", False)):
            self.assertNoResult(run)
            self.reactor.processes[0].protocol.childDataReceived(1, bytes([octet]))
        self.assertEqual(self.successResultOf(run), 3)

    def test_talk_while_free(self) -> None:
        """A worker that speaks without being asked is killed before it gets another mail."""
        first = self.run_length()
        self.reactor.processes[0].reply((3, "", False))
        self.successResultOf(first)
        self.reactor.processes[0].protocol.childDataReceived(1, b"x")
        self.assertEqual(self.reactor.processes[0].signals, ["KILL"])
        self.run_length()
        self.assertEqual(len(self.reactor.processes), 2)

    def test_memory(self) -> None:
        """What goes to a worker and comes back is counted until the run is over, whatever its end.

        A run that waits has nothing of its own.
        """
        self.isolation.size = 1
        self.isolation.budget = budget = Budget(1000)
        mail = bytes(5000)
        ends = {
            "answered": lambda worker: worker.reply((5000, "", False)),
            "nonsense": lambda worker: worker.protocol.childDataReceived(1, b"\0\0\0\1\xc1"),
            "died": lambda worker: worker.end(),
            "too late": lambda _: self.reactor.advance(5.0),
        }
        for name, end in ends.items():
            run = self.isolation.run("runs.length", mail)
            run.addErrback(lambda _: None)
            worker = self.reactor.processes[-1]
            self.assertGreater(budget.used, 5000, name)
            before = budget.used
            worker.protocol.childDataReceived(1, b"\0\0")
            self.assertEqual(budget.used, before + 2, name)
            end(worker)
            self.assertEqual(budget.used, 0, name)
            if not worker.gone:
                worker.end()

    def test_last_answer(self) -> None:
        """A worker that says it ends gets no further run."""
        first = self.run_length()
        self.reactor.processes[0].reply((3, "", True))
        self.assertEqual(self.successResultOf(first), 3)
        self.run_length()
        self.assertEqual(len(self.reactor.processes), 2)

    def test_no_process_to_be_had(self) -> None:
        """When the system starts no process the run fails, and a later one is tried again."""
        self.reactor.broken = True
        self.failureResultOf(self.run_length(), NotStarted)
        self.reactor.broken = False
        self.assertNoResult(self.run_length())

    def test_no_further_process_to_be_had(self) -> None:
        """When the system starts no second process, runs wait for the one there is."""
        self.isolation.size = 1
        first = self.run_length()
        self.isolation.size, self.reactor.broken = 2, True
        second = self.run_length()
        self.failureResultOf(self.run_length(), Busy)
        for run in (first, second):
            self.assertNoResult(run)
            self.reactor.processes[0].reply((3, "", False))
            self.assertEqual(self.successResultOf(run), 3)

    def test_leaving(self) -> None:
        """Who leaves while he waits makes room for another, and is not run."""
        for _ in range(2):
            self.run_length()
        self.isolation.queue = 3
        waiting = [self.run_length() for _ in range(3)]
        waiting[0].cancel()
        self.failureResultOf(waiting[0], CancelledError)
        self.assertEqual(self.isolation.waiting, 2)
        waiting.append(self.run_length())
        self.failureResultOf(self.run_length(), Busy)
        for run in waiting[1:]:
            self.reactor.processes[0].reply((3, "", False))
            self.assertNoResult(run)
        self.reactor.processes[0].reply((3, "", False))
        for run in waiting[1:]:
            self.assertEqual(self.successResultOf(run), 3)


def framed(value: object) -> bytes:
    """A value as it goes over a pipe."""
    return b"".join(frame(value))


class PretendedProcess:
    """What spawnProcess gives, without a process: remembers the signals it was sent."""

    pid = 0

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.signals: list[str] = []
        self.written: list[bytes] = []
        self.gone = False

    def writeToChild(self, childFD: int, data: bytes) -> None:  # noqa: N803
        if self.gone or childFD != 0:
            raise AssertionError("written to where nobody reads")
        self.written.append(data)

    def signalProcess(self, signalID: str) -> None:  # noqa: N803
        if self.gone:
            raise ProcessExitedAlready
        self.signals.append(signalID)

    def reply(self, value: object) -> None:
        """The worker answers."""
        self.protocol.childDataReceived(1, framed(value))

    def end(self) -> None:
        """The process ends and is reaped."""
        self.gone = True
        self.protocol.processEnded(Failure(ProcessTerminated(signal=9)))


class PretendingReactor(Clock):
    """A clock that starts pretended processes."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[PretendedProcess] = []
        self.broken = False

    def spawnProcess(self, protocol: Any, *_: object, **__: object) -> PretendedProcess:
        if self.broken:
            raise OSError(11, "Resource temporarily unavailable")
        process = PretendedProcess(protocol)
        self.processes.append(process)
        protocol.makeConnection(process)
        return process
