"""Tests of the worker processes that hostile mail may stall or crash."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import Factory, frozen
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from tempmail.content.html import sanitise
from tempmail.isolation import REPLY_OCTETS, Busy, Crashed, Isolation, Stopped, TimedOut
from tempmail.isolation_worker import HEADER, frame

MIB = 1024 * 1024


# What the workers run. They import this module by name, as they do those of ``tempmail.content``.


@frozen
class Parcel:
    """A value with everything in it that crosses the border."""

    text: str
    octets: bytes
    words: tuple[str, ...] = ()
    nested: Mapping[str, tuple[str, bytes]] = Factory(dict)


def same(parcel: Parcel) -> Parcel:
    return parcel


def length(octets: bytes) -> int:
    return len(octets)


def abort() -> None:
    os.abort()


def loop() -> None:
    while True:
        pass


def allocate() -> int:
    kept = []
    while True:
        kept.append(bytearray(16 * MIB))


def fail_with_secret() -> None:
    raise ValueError("the words of a private mail")


def wrong_type() -> int:
    return "no number"  # type: ignore[return-value]


def chatter() -> str:
    print("to nobody")
    os.write(1, b"\x00\x00\x00\x01x")
    return "heard"


def close_the_line() -> None:
    for descriptor in range(3, 20):
        try:
            os.close(descriptor)
        except OSError:
            continue
    while True:
        pass


def surroundings() -> dict[str, list[str]]:
    opened = [str(name.readlink()) for name in Path("/proc/self/fd").iterdir() if name.exists()]
    limits = Path("/proc/self/limits").read_text("ascii").splitlines()
    core = [line for line in limits if line.startswith("Max core")]
    return {
        "environment": sorted(set(os.environ) - {"LC_CTYPE"}),
        "opened": opened,
        "core": core[0].split()[4:6],
        "nice": [str(os.nice(0))],
        "pid": [str(os.getpid())],
    }


def swell() -> int:
    return len(bytearray(200 * MIB))


class WithClock(SynchronousTestCase):
    """Rules that need no process: a reactor that only pretends to start one."""

    def setUp(self) -> None:
        self.reactor = PretendingReactor()
        self.isolation = Isolation(
            self.reactor,  # type: ignore[arg-type]
            size=2,
            timeout=5.0,
            queue=1,
            package="tests",
        )

    def run_length(self) -> Deferred[Any]:
        return self.isolation.run("test_isolation.length", b"abc")

    def test_lazy(self) -> None:
        """No process is started before it is needed, and no second while one is free."""
        self.assertEqual(self.reactor.processes, [])
        first = self.run_length()
        self.reactor.processes[0].reply((3, "", False))
        self.assertEqual(self.successResultOf(first), 3)
        self.run_length()
        self.assertEqual(len(self.reactor.processes), 1)

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
        for octets, later in ((1, 0), (10 * MIB, 0), (40_000, 1), (2, 5), (3, 0)):
            asked = self.isolation.run("test_isolation.length", bytes(octets))
            asked.addCallback(order.append)
            self.reactor.advance(later)
        for octets in (1, 2, 40_000, 10 * MIB, 3):
            self.reactor.processes[0].reply((octets, "", False))
        self.assertEqual(order, [1, 2, 40_000, 10 * MIB, 3])
        written = [octets for octets in self.reactor.processes[0].written if b"length" in octets]
        self.assertEqual(
            [len(octets) // 1000 for octets in written], [0, 0, 40, 10 * MIB // 1000, 0]
        )

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
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_cancel_running(self) -> None:
        """Cancelling a run kills its process, since nothing else stops it."""
        run = self.run_length()
        run.cancel()
        self.failureResultOf(run, CancelledError)
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
        for name in ("length", "nowhere.length", "test_isolation.absent", "test_isolation._x", ""):
            self.failureResultOf(self.isolation.run(name), LookupError)
        self.assertEqual(self.reactor.processes, [])

    def test_unsendable(self) -> None:
        """An argument that can not cross fails its run alone; the worker stays."""
        self.failureResultOf(self.isolation.run("test_isolation.length", object()))
        self.assertNoResult(self.run_length())
        self.assertEqual([p.signals for p in self.reactor.processes], [[]])

    def test_nonsense_from_the_worker(self) -> None:
        """A worker that answers no value of the function's type is killed."""
        for octets in (
            frame(("three", "", False)),
            frame((None, "", False)),
            frame(3),
            (1).to_bytes(HEADER, "big") + b"\xc1",
            (REPLY_OCTETS + 1).to_bytes(HEADER, "big"),
            frame((3, "", False)) + b"more",
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
        for octet in frame((3, "", False)):
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
        self.failureResultOf(self.run_length(), Crashed)
        self.reactor.broken = False
        self.assertNoResult(self.run_length())


class WithProcesses(TestCase):
    """Rules about real processes."""

    timeout = 60

    def setUp(self) -> None:
        self.isolation = self.make(size=1)

    def make(self, **settings: Any) -> Isolation:
        isolation = Isolation(
            reactor,  # type: ignore[arg-type]
            **{"package": "tests", "memory_limit": 512 * MIB, **settings},
        )
        self.addCleanup(isolation.stop)
        return isolation

    def run_here(self, name: str, *arguments: Any) -> Deferred[Any]:
        return self.isolation.run(f"test_isolation.{name}", *arguments)

    async def still_works(self) -> None:
        self.assertEqual(await self.run_here("length", b"abcd"), 4)

    def test_returns(self) -> Deferred[None]:
        """Frozen values, octets and mappings come back as what they were."""

        async def check() -> None:
            parcel = Parcel("\u00fc\x00", b"\xff\x00", ("a", "b"), {"cid": ("image/png", b"\x89")})
            self.assertEqual(await self.run_here("same", parcel), parcel)

        return Deferred.fromCoroutine(check())

    def test_content(self) -> Deferred[None]:
        """The functions of the content package run there as they do here."""

        async def check() -> None:
            isolation = self.make(size=1, package="tempmail.content")
            arguments = ("<p>x<img src=cid:a><script>1</script>", {"a": ("image/png", b"\x89PNG")})
            found = await isolation.run("html.sanitise", *arguments)
            self.assertEqual(found, sanitise(*arguments))

        return Deferred.fromCoroutine(check())

    def test_too_many_arguments(self) -> Deferred[None]:
        """An argument too many is no argument left out."""

        async def check() -> None:
            await self.assertFailure(self.run_here("length", b"a", b"b"), Crashed)

        return Deferred.fromCoroutine(check())

    def test_large(self) -> Deferred[None]:
        """A mail of 25 MiB goes in, and comes out."""

        async def check() -> None:
            octets = os.urandom(MIB) * 25
            self.assertEqual((await self.run_here("same", Parcel("", octets))).octets, octets)

        return Deferred.fromCoroutine(check())

    def test_abort(self) -> Deferred[None]:
        """A function that kills its process costs that one run."""

        async def check() -> None:
            await self.assertFailure(self.run_here("abort"), Crashed)
            await self.still_works()
            self.assertEqual(self.isolation.killed["crash"], 1)

        return Deferred.fromCoroutine(check())

    def test_loop(self) -> Deferred[None]:
        """A function that never ends is ended, and what waited behind it goes on."""

        async def check() -> None:
            self.isolation = self.make(size=1, timeout=1.0)
            endless, behind = self.run_here("loop"), self.run_here("length", b"abc")
            await self.assertFailure(endless, TimedOut)
            self.assertEqual(await behind, 3)

        return Deferred.fromCoroutine(check())

    def test_allocate(self) -> Deferred[None]:
        """A function that takes all memory gets no more than is allowed, and ends."""

        async def check() -> None:
            await self.assertFailure(self.run_here("allocate"), Crashed)
            await self.still_works()

        return Deferred.fromCoroutine(check())

    def test_retires(self) -> Deferred[None]:
        """A worker that grew beyond half its memory gives it back by ending after its answer."""

        async def check() -> None:
            self.isolation = self.make(size=1, memory_limit=384 * MIB)
            before = (await self.run_here("surroundings"))["pid"]
            self.assertEqual(await self.run_here("swell"), 200 * MIB)
            self.assertNotEqual((await self.run_here("surroundings"))["pid"], before)

        return Deferred.fromCoroutine(check())

    def test_raises(self) -> Deferred[None]:
        """Of an exception only its name comes back: its text may quote the mail."""

        async def check() -> None:
            error = await self.assertFailure(self.run_here("fail_with_secret"), Crashed)
            self.assertEqual(str(error), "test_isolation.fail_with_secret raised ValueError")
            await self.still_works()

        return Deferred.fromCoroutine(check())

    def test_wrong_type(self) -> Deferred[None]:
        """A function that returns another type than it says fails; the type is not believed."""

        async def check() -> None:
            await self.assertFailure(self.run_here("wrong_type"), Crashed)
            await self.still_works()

        return Deferred.fromCoroutine(check())

    def test_prints(self) -> Deferred[None]:
        """What a function prints does not reach the line."""

        async def check() -> None:
            self.assertEqual(await self.run_here("chatter"), "heard")
            await self.still_works()

        return Deferred.fromCoroutine(check())

    def test_closes_the_line(self) -> Deferred[None]:
        """A worker that closes its pipes and lives on is killed at once, not when time is up."""

        async def check() -> None:
            await self.assertFailure(self.run_here("close_the_line"), Crashed)
            await self.still_works()

        return Deferred.fromCoroutine(check())

    def test_surroundings(self) -> Deferred[None]:
        """A worker has no environment, no descriptors of the server, no core dumps, and is nice."""

        async def check() -> None:
            os.environ["TEMPMAIL_TEST_SECRET"] = "x"
            self.addCleanup(os.environ.pop, "TEMPMAIL_TEST_SECRET")
            read, write = os.pipe()
            os.set_inheritable(read, True)
            os.set_inheritable(write, True)
            self.addCleanup(os.close, read)
            self.addCleanup(os.close, write)
            found = await self.run_here("surroundings")
            self.assertEqual(found["environment"], [])
            self.assertNotIn(f"pipe:[{os.fstat(read).st_ino}]", found["opened"])
            self.assertEqual(found["core"], ["0", "0"])
            self.assertGreaterEqual(int(found["nice"][0]), 5)

        return Deferred.fromCoroutine(check())

    def test_stop_leaves_no_process(self) -> Deferred[None]:
        """When stopping is done there is no process any more, whatever it was doing."""

        async def check() -> None:
            self.isolation = self.make(size=2)
            pids = [(await self.run_here("surroundings"))["pid"][0]]
            endless = self.run_here("loop")
            pids += (await self.run_here("surroundings"))["pid"]
            self.assertEqual(len(set(pids)), 2)
            failed = self.assertFailure(endless, Stopped)
            await self.isolation.stop()
            await failed
            for pid in pids:
                self.assertRaises(ProcessLookupError, os.kill, int(pid), 0)

        return Deferred.fromCoroutine(check())

    def test_ends_with_parent(self) -> Deferred[None]:
        """A worker in the midst of an endless run ends when its parent is killed."""
        return Deferred.fromCoroutine(self.parent_dies())

    async def parent_dies(self) -> None:
        witness = Witness()
        parent = reactor.spawnProcess(
            witness, sys.executable, [sys.executable, "-c", _PARENT, *sys.path], env={}
        )
        worker = Ending(os.pidfd_open(await witness.worker_pid))
        parent.signalProcess("KILL")
        await witness.ended
        await worker.ended

    def test_parallel(self) -> Deferred[None]:
        """Two workers work at the same time: one stuck leaves the other to the rest."""

        async def check() -> None:
            self.isolation = self.make(size=2)
            stuck = self.run_here("loop")
            results = await gatherResults([self.run_here("length", b"x" * n) for n in range(20)])
            self.assertEqual(results, list(range(20)))
            self.assertFalse(stuck.called)
            stuck.cancel()
            await self.assertFailure(stuck, CancelledError)

        return Deferred.fromCoroutine(check())


_PARENT = """
import sys
sys.path[:] = sys.argv[1:]
from twisted.internet import reactor
from tempmail.content.html import sanitise
from tempmail.isolation import Isolation
from tests.test_isolation import say_pid_and_loop
isolation = Isolation(reactor, size=1, timeout=30.0, package="tests")
isolation.run("test_isolation.length", b"abc").addCallback(say_pid_and_loop, isolation)
reactor.run()
"""


def say_pid_and_loop(_: int, isolation: Isolation) -> None:
    """In the parent that is to be killed: make its worker busy, and say so."""
    isolation.run("test_isolation.loop").addErrback(lambda _: None)
    worker = isolation._workers[0]
    os.write(1, str(worker.transport.pid).encode())


class Witness(ProcessProtocol):
    """Sees a parent start and end."""

    def __init__(self) -> None:
        self.worker_pid: Deferred[int] = Deferred()
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        self.worker_pid.callback(int(data))

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)


@implementer(IReadDescriptor)
class Ending:
    """Fires ``ended`` when the process of this pidfd (pidfd_open(2)) ends."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.ended: Deferred[None] = Deferred()
        reactor.addReader(self)

    def fileno(self) -> int:
        return self.descriptor

    def logPrefix(self) -> str:
        return "ending"

    def doRead(self) -> None:
        reactor.removeReader(self)
        os.close(self.descriptor)
        self.ended.callback(None)

    def connectionLost(self, reason: Failure) -> None:
        """The descriptor never breaks."""


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
        self.protocol.childDataReceived(1, frame(value))

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
