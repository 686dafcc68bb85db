"""Who waits at which address, and waking them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from itertools import pairwise

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tempmail.core.address import parse_address
from tempmail.core.errors import Closing
from tempmail.core.limits import SLICE_SECONDS
from tempmail.core.mailbox import Change
from tempmail.doorbell import Bell, Doorbell
from tempmail.interfaces import IArrivalListener

BOB, EVE = parse_address("bob@qa.test"), parse_address("eve@qa.test")
CHANGE = Change("emptied", 1)
AT_BOB = (BOB.key,)


class DoorbellTestCase(SynchronousTestCase):
    """A doorbell and a clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.doorbell = Doorbell(self.clock)

    def ring(self) -> None:
        self.doorbell.announce(BOB, CHANGE)

    def assert_no_trace(self) -> None:
        self.clock.advance(0)
        self.assertEqual(self.doorbell.listeners, 0)
        self.assertEqual(self.doorbell._bells, {})
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WaitingTests(DoorbellTestCase):
    """One who waits."""

    def test_is_a_listener(self) -> None:
        """A store can announce to it."""
        verifyObject(IArrivalListener, self.doorbell)

    def test_ring(self) -> None:
        """Who waits is answered when it rings, in a later turn than the one who rings."""
        with self.doorbell.listen(BOB) as bell:
            rung = bell.rung(30)
            self.ring()
            self.assertNoResult(rung)
            self.clock.advance(0)
            self.assertEqual(self.successResultOf(rung), AT_BOB)
        self.assert_no_trace()

    def test_rung_before_waiting(self) -> None:
        """What rang between listening and waiting is not lost, and answers at once, once."""
        with self.doorbell.listen(BOB) as bell:
            self.ring()
            self.ring()
            self.assertEqual(self.successResultOf(bell.rung(30)), AT_BOB)
            self.assertNoResult(bell.rung(30))

    def test_rung_while_busy(self) -> None:
        """What rang after an answer, while its reader looked, answers the next wait."""
        with self.doorbell.listen(BOB) as bell:
            rung = bell.rung(30)
            self.ring()
            self.clock.advance(0)
            self.successResultOf(rung)
            self.ring()
            self.assertEqual(self.successResultOf(bell.rung(30)), AT_BOB)

    def test_two_rings_are_one_answer(self) -> None:
        """However often it rings before the waiter is woken, he looks once."""
        with self.doorbell.listen(BOB) as bell:
            rung = bell.rung(30)
            self.ring()
            self.ring()
            self.assertEqual(self.doorbell._to_wake_count, 1)
            self.clock.advance(0)
            self.successResultOf(rung)
            self.assertNoResult(bell.rung(30))

    def test_time_is_up(self) -> None:
        """Who waits in vain is told so when his time is up, not before."""
        with self.doorbell.listen(BOB) as bell:
            rung = bell.rung(30)
            self.clock.advance(29.9)
            self.assertNoResult(rung)
            self.clock.advance(0.1)
            self.assertEqual(self.successResultOf(rung), ())
        self.assert_no_trace()

    def test_no_time(self) -> None:
        """Without time to wait the answer is what is known, and no timer."""
        with self.doorbell.listen(BOB) as bell:
            for seconds in (0, -1):
                self.assertEqual(self.successResultOf(bell.rung(seconds)), ())
            self.ring()
            self.assertEqual(self.successResultOf(bell.rung(0)), AT_BOB)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel(self) -> None:
        """A cancelled wait leaves no waiter and no timer."""
        with self.doorbell.listen(BOB) as bell:
            rung = bell.rung(30)
            rung.cancel()
            self.failureResultOf(rung, CancelledError)
            self.assertEqual(self.clock.getDelayedCalls(), [])
            self.ring()
        self.assert_no_trace()

    def test_leaving_while_waiting(self) -> None:
        """Who leaves while he waits is not answered and leaves no timer."""
        with self.doorbell.listen(BOB) as bell:
            rung = bell.rung(30)
        self.assertNoResult(rung)
        self.assert_no_trace()

    def test_leaving_while_to_be_woken(self) -> None:
        """Who leaves between the ring and his turn is forgotten."""
        with self.doorbell.listen(BOB) as bell:
            rung = bell.rung(30)
            self.ring()
        self.assert_no_trace()
        self.assertNoResult(rung)

    def test_time_up_while_to_be_woken(self) -> None:
        """Who is to be woken when his time is up is answered once, and with the ring."""
        with self.doorbell.listen(BOB) as bell:
            rung = bell.rung(30)
            self.clock.callLater(29, self.ring)
            self.clock.advance(30)
            self.assertEqual(self.successResultOf(rung), AT_BOB)
            self.clock.advance(0)
            self.assertNoResult(bell.rung(30))

    def test_leaving_by_an_error(self) -> None:
        """An error inside leaves no trace either, and goes on."""

        def fail() -> None:
            with self.doorbell.listen(BOB) as bell:
                bell.rung(30)
                raise LookupError

        self.assertRaises(LookupError, fail)
        self.assert_no_trace()

    def test_is_forgotten(self) -> None:
        """Nobody holds a listener who left."""
        with self.doorbell.listen(BOB) as bell:
            bell.rung(30)
            self.ring()
        self.clock.advance(0)
        trace = weakref.ref(bell)
        del bell
        gc.collect()
        self.assertIsNone(trace())


class ManyTests(DoorbellTestCase):
    """Several who wait."""

    def test_only_at_the_address(self) -> None:
        """A ring is for the listeners of its address, by whatever tag, and for all of them."""
        listen = self.doorbell.listen
        with listen(BOB) as one, listen(BOB) as two, listen(EVE) as other:
            waits = [bell.rung(30) for bell in (one, two, other)]
            self.doorbell.announce(parse_address("Bob+tag@qa.test"), CHANGE)
            self.clock.advance(0)
            self.assertEqual([wait.called for wait in waits], [True, True, False])
        self.assert_no_trace()

    def test_one_leaves(self) -> None:
        """One who leaves takes nothing from the others."""
        with self.doorbell.listen(BOB) as one:
            with self.doorbell.listen(BOB):
                self.assertEqual(self.doorbell.listeners, 2)
            self.assertEqual(self.doorbell.listeners, 1)
            rung = one.rung(30)
            self.ring()
            self.clock.advance(0)
            self.assertEqual(self.successResultOf(rung), AT_BOB)

    def test_the_woken_ring(self) -> None:
        """Who rings when woken does not keep the turn going: others come before the next ones."""
        events: list[str] = []

        def again(_: object) -> None:
            events.append("woken")
            if len(events) < 6:
                self.clock.callLater(0, events.append, "another's turn")
                bell.rung(30).addCallback(again)
                self.ring()

        with self.doorbell.listen(BOB) as bell:
            bell.rung(30).addCallback(again)
            self.ring()
            self.clock.advance(0)
        self.assertEqual(events, ["woken", "another's turn"] * 3 + ["woken"])

    def test_the_woken_leave(self) -> None:
        """One who is woken may end the wait of another who was to be woken."""
        bells = [self.doorbell.listen(BOB) for _ in range(2)]
        first, second = (bell.rung(30) for bell in bells)
        first.addCallback(lambda _: bells[1].__exit__(None, None, None))
        self.ring()
        self.clock.advance(0)
        self.assertNoResult(second)
        bells[0].__exit__(None, None, None)
        self.assert_no_trace()

    def test_an_error_of_one_is_his_own(self) -> None:
        """What goes wrong in one who is woken does not keep the others asleep."""
        bells = [self.doorbell.listen(BOB) for _ in range(3)]
        waits = [bell.rung(30) for bell in bells]
        waits[0].addCallback(lambda _: 1 / 0)
        self.ring()
        self.clock.advance(0)
        self.failureResultOf(waits[0], ZeroDivisionError)
        self.assertEqual([self.successResultOf(wait) for wait in waits[1:]], [AT_BOB] * 2)

    def test_addresses_take_turns(self) -> None:
        """Who waits alone at an address is not behind the many who were rung at another before."""
        bells = [self.doorbell.listen(BOB) for _ in range(100)] + [self.doorbell.listen(EVE)]
        woken: list[tuple[str, ...]] = []
        for bell in bells:
            bell.rung(60).addCallback(woken.append)
        self.ring()
        self.doorbell.announce(EVE, CHANGE)
        self.clock.advance(0)
        self.assertEqual(woken, [AT_BOB, (EVE.key,), *([AT_BOB] * 99)])
        for bell in bells:
            bell.__exit__(None, None, None)
        self.assert_no_trace()

    def test_ten_thousand(self) -> None:
        """Ten thousand are woken a slice at a time, each once, and others have turns between."""
        bells = [self.doorbell.listen(BOB) for _ in range(10_000)]
        woken: list[tuple[str, ...]] = []
        for bell in bells:
            wait = bell.rung(3000)
            wait.addCallback(woken.append)
            # Going on costs each of them twenty microseconds.
            wait.addCallback(lambda _: setattr(self.clock, "rightNow", self.clock.rightNow + 2e-5))
        self.ring()
        self.assertEqual(woken, [])
        turns = self.time_others_had(lambda: len(woken) == 10_000)
        self.clock.advance(10)
        self.assertEqual(woken, [AT_BOB] * 10_000)
        slices = [later - earlier for earlier, later in pairwise(turns[1:])]
        self.assertGreaterEqual(len(slices), 10)
        self.assertLess(max(slices), SLICE_SECONDS + 3e-5)
        for bell in bells:
            bell.__exit__(None, None, None)
        self.assert_no_trace()

    def time_others_had(self, done: Callable[[], bool]) -> list[float]:
        """When another who wants a turn again and again got one, until it is done."""
        turns: list[float] = []

        def turn() -> None:
            turns.append(self.clock.rightNow)
            if not done() and len(turns) < 1000:
                self.clock.callLater(0, turn)

        turn()
        return turns


class SeveralTests(DoorbellTestCase):
    """One who waits at several addresses."""

    def test_which(self) -> None:
        """He is told at which of them it rang, each once, and of the rest the next time."""
        with self.doorbell.listen(BOB, EVE) as bell:
            rung = bell.rung(30)
            for address in (EVE, BOB, EVE):
                self.doorbell.announce(address, CHANGE)
            self.assertEqual(self.doorbell._to_wake_count, 1)
            self.clock.advance(0)
            self.assertEqual(self.successResultOf(rung), (EVE.key, BOB.key))
            self.ring()
            self.assertEqual(self.successResultOf(bell.rung(30)), AT_BOB)
            self.assertNoResult(bell.rung(30))
        self.assert_no_trace()

    def test_leaves_the_others(self) -> None:
        """When he leaves, who listens at some of his addresses still does."""
        with self.doorbell.listen(EVE) as other:
            with self.doorbell.listen(BOB, EVE) as bell:
                bell.rung(30)
            self.assertEqual([*self.doorbell._bells], [EVE.key])
            self.doorbell.announce(EVE, CHANGE)
            self.assertEqual(self.successResultOf(other.rung(30)), (EVE.key,))
        self.assert_no_trace()

    def test_server_stops(self) -> None:
        """He is told once that the server stops."""
        with self.doorbell.listen(BOB, EVE) as bell:
            rung = bell.rung(30)
            self.doorbell.close()
            self.failureResultOf(rung, Closing)
        self.assert_no_trace()


class ClosingTests(DoorbellTestCase):
    """The server stops."""

    def test_everyone_is_answered(self) -> None:
        """All who wait are told at once, and no timer stays."""
        with self.doorbell.listen(BOB) as one, self.doorbell.listen(EVE) as two:
            waits = [one.rung(30), two.rung(30)]
            self.doorbell.close()
            for wait in waits:
                self.failureResultOf(wait, Closing)
        self.assert_no_trace()

    def test_whoever_comes_later(self) -> None:
        """Who begins to wait, or waits again, is told, too."""
        with self.doorbell.listen(BOB) as before:
            self.doorbell.close()
            self.failureResultOf(before.rung(30), Closing)
        with self.doorbell.listen(BOB) as after:
            self.failureResultOf(after.rung(30), Closing)
        self.assert_no_trace()

    def test_while_to_be_woken(self) -> None:
        """Who was to be woken is told of the end, once."""
        with self.doorbell.listen(BOB) as bell:
            wait = bell.rung(30)
            self.ring()
            self.doorbell.close()
            self.failureResultOf(wait, Closing)
            self.clock.advance(0)
        self.assert_no_trace()

    def test_leaving_when_told(self) -> None:
        """Those who leave when they are told do not disturb the telling."""
        bells = [self.doorbell.listen(BOB) for _ in range(3)]
        for bell in bells:
            bell.rung(30).addErrback(self.leave, bell)
        self.doorbell.close()
        self.assert_no_trace()

    def leave(self, failure: Failure, bell: Bell) -> None:
        bell.__exit__(None, None, None)
