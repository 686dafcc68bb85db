"""Expiry, garbage and the end, with a clock of our own; and 100,000 mailboxes for real."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import alsoProvides, implementer

from tempmail.core.address import normalise
from tempmail.core.budget import Budget
from tempmail.core.limits import (
    COMPLAINT_SECONDS,
    FULL_COLLECTION_SHARE,
    GARBAGE_WORTH_COLLECTING,
    LINGER_SECONDS,
    MAX_COLLECTION_SHARE,
    MIN_COLLECTION_PAUSE,
    PULSE_SECONDS,
    SLICE_SECONDS,
    TICK_SECONDS,
    Limits,
)
from tempmail.core.mailbox import Opening
from tempmail.core.message import Envelope
from tempmail.doorbell import Doorbell
from tempmail.interfaces import IMailStore
from tempmail.lifecycle import (
    ClosingTime,
    Collector,
    Janitor,
    Pulse,
    fit_connections,
    raise_file_limit,
)
from tempmail.store.memory import MemoryStore


class Shelf:
    """A store that only expires, and answers what it is told to."""

    def __init__(self, clock: Clock, answers: list[Deferred[bool]]) -> None:
        alsoProvides(self, IMailStore)
        self.clock = clock
        self.answers = answers
        self.asked: list[float] = []

    def expire(self, until: float) -> Deferred[bool]:
        self.asked.append(round(until - self.clock.seconds(), 6))
        return self.answers.pop(0) if self.answers else succeed(False)


class JanitorTests(SynchronousTestCase):
    """When the store is asked to expire."""

    def start(self, *answers: Deferred[bool]) -> None:
        self.clock = Clock()
        self.shelf = Shelf(self.clock, list(answers))
        self.janitor = Janitor(self.clock, self.shelf)  # type: ignore[arg-type]
        self.janitor.startService()
        self.addCleanup(self.janitor.stopService)

    def test_each_tick(self) -> None:
        """Each tick asks once, for one slice of time."""
        self.start()
        self.clock.pump([TICK_SECONDS] * 3)
        self.assertEqual(self.shelf.asked, [SLICE_SECONDS] * 3)

    def test_goes_on_in_the_next_turn(self) -> None:
        """While more is due it is asked again by way of the reactor, each time for one slice."""
        slow: Deferred[bool] = Deferred()
        self.start(slow, succeed(True), succeed(False))
        self.clock.advance(TICK_SECONDS)
        slow.callback(True)
        self.assertEqual(len(self.shelf.asked), 1)
        self.clock.advance(0)
        self.assertEqual(self.shelf.asked, [SLICE_SECONDS] * 3)

    def test_never_twice_at_a_time(self) -> None:
        """A sweep that takes longer than a tick is not joined by another."""
        slow: Deferred[bool] = Deferred()
        self.start(slow)
        self.clock.pump([TICK_SECONDS] * 10)
        self.assertEqual(len(self.shelf.asked), 1)
        slow.callback(False)
        self.clock.advance(TICK_SECONDS)
        self.assertEqual(len(self.shelf.asked), 2)

    def test_survives_errors(self) -> None:
        """An error is logged, once a minute, and the next tick comes all the same."""
        self.start(*(fail(ZeroDivisionError()) for _ in range(4)))
        self.clock.pump([TICK_SECONDS] * 3)
        self.assertEqual(len(self.shelf.asked), 3)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.advance(COMPLAINT_SECONDS)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.advance(TICK_SECONDS)
        self.assertEqual(len(self.shelf.asked), 5)

    def test_stops(self) -> None:
        """Nothing is asked after stopping, not even where more was due."""
        slow: Deferred[bool] = Deferred()
        self.start(slow)
        self.clock.advance(TICK_SECONDS)
        self.janitor.stopService()
        slow.callback(True)
        self.clock.pump([0.0, TICK_SECONDS, TICK_SECONDS])
        self.assertEqual(len(self.shelf.asked), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])


@implementer(IReactorTime)
class Ahead:
    """The real reactor's time, but for a hand that can be turned."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.callLater: Any = IReactorTime(reactor).callLater

    def seconds(self) -> float:
        return IReactorTime(reactor).seconds() + self.ahead

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        return IReactorTime(reactor).getDelayedCalls()


class ExpiryTests(TestCase):
    """A hundred thousand mailboxes due at once, on the real reactor."""

    NUMBER = 100_000
    LONGEST_TURN = 0.050

    async def test_never_holds_the_reactor(self) -> None:
        """No turn of the reactor takes more than 50 ms while all of them and their mail go."""
        clock = Ahead()
        limits = Limits(memory=2**30)
        budget = Budget(limits.memory)
        store = MemoryStore(clock, limits, budget, Doorbell(clock))
        collector = Collector(clock)
        collector.startService()
        self.addCleanup(collector.stopService)
        await self.fill(store)
        clock.ahead = 3600.0
        janitor = Janitor(clock, store)
        janitor.startService()
        self.addCleanup(janitor.stopService)
        longest = await self.watch(lambda: budget.used == 0)
        self.assertLess(longest, self.LONGEST_TURN)

    async def fill(self, store: MemoryStore) -> None:
        opening = Opening(lifetime=600, max_lifetime=600, minted=False)
        for number in range(self.NUMBER):
            address = normalise(f"box{number}", "tempmail.test")
            await store.add(Envelope("a@b.test"), [(address, opening)], b"Subject: x\r\n\r\nx\r\n")

    async def watch(self, done: Callable[[], bool]) -> float:
        """The longest turn of the reactor until it is done, in time of the processor."""
        longest, last = 0.0, time.process_time()
        while not done():
            turn: Deferred[None] = Deferred()
            Ahead().callLater(0, turn.callback, None)
            await turn
            longest, last = max(longest, time.process_time() - last), time.process_time()
        return longest


class PulseTests(SynchronousTestCase):
    """How late the reactor is."""

    def test_late(self) -> None:
        """What holds the reactor is seen at the next beat, and the worst of it remembered."""
        clock = Clock()
        pulse = Pulse(clock)
        pulse.startService()
        clock.advance(PULSE_SECONDS)
        clock.advance(PULSE_SECONDS + 0.3)
        clock.advance(PULSE_SECONDS)
        self.assertAlmostEqual(pulse.late.total, 0.3)
        self.assertAlmostEqual(pulse.latest, 0.3)
        self.assertEqual(sum(pulse.late.counts), 3)
        pulse.stopService()
        self.assertEqual(clock.getDelayedCalls(), [])


class CollectorTests(SynchronousTestCase):
    """When Python may look at every object there is."""

    def start(self, takes: float, finds: int = 0) -> None:
        self.clock = Clock()
        self.collected: list[float] = []

        def collect() -> int:
            self.collected.append(self.clock.seconds())
            self.clock.rightNow += takes
            return finds

        self.before = gc.get_threshold()
        self.collector = Collector(self.clock, collect)
        self.collector.startService()
        self.addCleanup(self.collector.stopService)

    def test_python_starts_none_itself(self) -> None:
        """Young objects are collected as ever, old ones never without being asked."""
        self.start(0.001)
        young, middle, old = gc.get_threshold()
        self.assertEqual((young, middle), self.before[:2])
        self.assertGreater(old, 10**9)
        self.assertGreater(gc.get_freeze_count(), 10_000)

    def test_quick_ones_come_each_minute(self) -> None:
        """Where a full collection costs next to nothing it comes regularly."""
        self.start(0.001)
        self.clock.pump([MIN_COLLECTION_PAUSE] * 3)
        self.assertEqual(len(self.collected), 4)

    def pause(self) -> float:
        """The time from the second full collection to the third."""
        self.clock.advance(MIN_COLLECTION_PAUSE)
        self.assertEqual(len(self.collected), 2)
        [call] = self.clock.getDelayedCalls()
        return call.getTime() - self.clock.seconds()

    def test_slow_ones_keep_their_share(self) -> None:
        """One that took long is followed by a pause as much longer."""
        self.start(0.2)
        self.assertAlmostEqual(self.pause(), 0.2 / FULL_COLLECTION_SHARE)

    def test_comes_for_garbage(self) -> None:
        """Where much is found the next one comes when about as much is there as is worth it."""
        self.start(0.2, finds=2 * GARBAGE_WORTH_COLLECTING)
        self.assertAlmostEqual(self.pause(), MIN_COLLECTION_PAUSE)

    def test_never_takes_more_than_it_may(self) -> None:
        """However much is found, collecting takes no more than its largest share of the time."""
        self.start(2.0, finds=100 * GARBAGE_WORTH_COLLECTING)
        self.assertAlmostEqual(self.pause(), 2.0 / MAX_COLLECTION_SHARE)

    def test_leaves_things_as_they_were(self) -> None:
        """After stopping Python goes by its own rule, and no timer is left."""
        self.start(0.001)
        self.collector.stopService()
        self.assertEqual(gc.get_threshold(), self.before)
        self.assertEqual(gc.get_freeze_count(), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ClosingTimeTests(SynchronousTestCase):
    """The order of the end."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.doorbell = Doorbell(self.clock)
        self.told: list[float] = []
        self.finished = False
        self.smtp: Deferred[None] = Deferred()
        self.web: Deferred[None] = Deferred()
        self.closing = ClosingTime(
            self.clock,
            self.doorbell,
            [lambda grace: self.close(grace, self.smtp), lambda grace: self.close(grace, self.web)],
            grace=lambda: 10.0,
            last=self.finish,
        )
        self.closing.startService()

    def finish(self) -> Deferred[None]:
        self.finished = True
        return succeed(None)

    def close(self, grace: float, answer: Deferred[None]) -> Deferred[None]:
        self.told.append(grace)
        return answer

    def test_wakes_and_waits(self) -> None:
        """Waiters are answered at once; when both sides are through, what they used is stopped."""
        stopped = self.closing.stopService()
        self.assertTrue(self.doorbell.closed)
        self.assertEqual(self.told, [10.0, 10.0])
        self.smtp.callback(None)
        self.assertNoResult(stopped)
        self.assertFalse(self.finished)
        self.web.callback(None)
        self.successResultOf(stopped)
        self.assertTrue(self.finished)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self) -> None:
        """A side that never answers does not keep the process."""
        stopped = self.closing.stopService()
        self.clock.advance(10.0 + LINGER_SECONDS)
        self.assertNoResult(stopped)
        with capturedLogs() as events:
            self.clock.advance(1.5)
        self.successResultOf(stopped)
        self.assertEqual(len(events), 1)

    def test_hurry(self) -> None:
        """Who is told a second time does not wait any longer."""
        stopped = self.closing.stopService()
        self.closing.hurry()
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_error(self) -> None:
        """A side that fails to close does not keep the other from it."""
        stopped = self.closing.stopService()
        self.smtp.errback(ZeroDivisionError())
        self.assertNoResult(stopped)
        self.web.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class FileLimitTests(SynchronousTestCase):
    """Connections and the files they are."""

    def test_raised(self) -> None:
        """All files that may be open may be opened from now on."""
        self.assertGreaterEqual(raise_file_limit(), 256)
        self.assertEqual(raise_file_limit(), raise_file_limit())

    def test_fitting(self) -> None:
        """Limits that fit stay; others shrink, HTTP's least, and leave room for other files."""
        limits = Limits(memory=2**30, max_connections=1000, max_http_connections=3000)
        self.assertIs(fit_connections(limits, 10_000), limits)
        fitted = fit_connections(limits, 2100)
        self.assertEqual((fitted.max_connections, fitted.max_http_connections), (500, 1500))

    def test_unlimited(self) -> None:
        """No limit at all is as much as fits, most of it for readers."""
        fitted = fit_connections(Limits(memory=2**30).without_client_limits(), 20_100)
        self.assertEqual((fitted.max_connections, fitted.max_http_connections), (5_000, 15_000))
