"""Tests of the worker processes that hostile mail may stall or crash."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from tempmail.content.html import sanitise
from tempmail.isolation.job import Crashed, Stopped, TimedOut
from tempmail.isolation.pool import Isolation
from tests.isolation.runs import MIB, Parcel


class WithProcesses(TestCase):
    """Rules about real processes."""

    timeout = 60

    def setUp(self) -> None:
        self.isolation = self.make(size=1)

    def make(self, **settings: Any) -> Isolation:
        isolation = Isolation(
            reactor,  # type: ignore[arg-type]
            **{"package": "tests.isolation", "memory_limit": 512 * MIB, **settings},
        )
        self.addCleanup(isolation.stop)
        return isolation

    def run_here(self, name: str, *arguments: Any) -> Deferred[Any]:
        return self.isolation.run(f"runs.{name}", *arguments)

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
            self.assertEqual(str(error), "runs.fail_with_secret raised ValueError")
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
from tempmail.isolation.pool import Isolation
from tests.isolation.test_processes import say_pid_and_loop
isolation = Isolation(reactor, size=1, timeout=30.0, package="tests.isolation")
isolation.run("runs.length", b"abc").addCallback(say_pid_and_loop, isolation)
reactor.run()
"""


def say_pid_and_loop(_: int, isolation: Isolation) -> None:
    """In the parent that is to be killed: make its worker busy, and say so."""
    isolation.run("runs.loop").addErrback(lambda _: None)
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
