"""The memory store: the contract, the budget, and how long it holds the reactor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tempmail.core.address import Address, parse_address
from tempmail.core.budget import Budget
from tempmail.core.errors import MemoryFull, NoSuchMailbox, ShareSpent
from tempmail.core.limits import (
    ATTEMPT_COST,
    ATTEMPT_RESERVE,
    CHANGE_COST,
    MAILBOX_COST,
    MAX_JOURNAL,
    MESSAGE_COST,
    PARCEL_COST,
    READY_OCTETS,
    SLICE_SECONDS,
    Limits,
)
from tempmail.core.message import Envelope, Parcel
from tempmail.interfaces import IMailStore
from tempmail.reading import Reading
from tempmail.store.memory import MemoryStore
from tests.store.contract import StoreContract
from tests.store.mails import attempt
from tests.store.support import BOB, BY_MAIL, ENVELOPE, EVE, JOE, LIMITS, MINTED, Ear
from tests.workers import in_this_process


class MemoryStoreTests(StoreContract, TestCase):
    """The contract every store keeps."""

    def make_store(self) -> IMailStore:
        return MemoryStore(self.clock, self.limits, Budget(self.limits.memory), self.ear)


class MemoryTestCase(SynchronousTestCase):
    """A memory store with a budget to look at."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.budget = Budget(2**40)
        self.ear = Ear()
        self.store = MemoryStore(self.clock, LIMITS, self.budget, self.ear)

    def put(self, *addresses: Address, octets: bytes = b"mail", **envelope: Any) -> None:
        recipients = [(address, BY_MAIL) for address in addresses]
        self.successResultOf(self.store.add(Envelope("a@b", **envelope), recipients, octets))

    def sequences(self, address: Address) -> list[int]:
        found = self.successResultOf(self.store.messages(address, 0, 1000))
        return [message.sequence for message in found]

    def assert_full(self, answer: Deferred[Any]) -> None:
        self.assertIn("memory", str(self.failureResultOf(answer, MemoryFull).value))


class BudgetTests(MemoryTestCase):
    """Every octet held is charged, and given back when it is not held any more."""

    def test_one_mail(self) -> None:
        """A mail costs its octets, what was posted, and what the objects around it take."""
        self.put(BOB, octets=b"x" * 50, posted=b"y" * 30)
        self.assertEqual(self.budget.used, MAILBOX_COST + MESSAGE_COST + PARCEL_COST + 80)

    def test_octets_are_charged_once(self) -> None:
        """A mail in three mailboxes is kept once, until the last of them lets it go."""
        self.put(BOB, EVE, JOE, octets=b"x" * 50)
        once = PARCEL_COST + 50
        self.assertEqual(self.budget.used, 3 * (MAILBOX_COST + MESSAGE_COST) + once)
        for address in (BOB, EVE, JOE):
            self.assertGreater(self.budget.used, once)
            self.successResultOf(self.store.close(address))
        self.assertEqual(self.budget.used, 0)

    def test_nothing_is_left(self) -> None:
        """When everything is gone, whichever way it went, the budget is at exactly zero."""
        reading = Reading(self.budget, in_this_process)
        self.successResultOf(self.store.create(BOB, MINTED))
        for _ in range(3):
            self.put(BOB, EVE, JOE, octets=b"Subject: x\r\n\r\nhello\r\n")
        for address in (BOB, EVE):
            for message in self.successResultOf(self.store.messages(address, 0, 10)):
                self.successResultOf(reading.digest(message.parcel))
                self.successResultOf(reading.whole(message.parcel))
        self.successResultOf(self.store.remove(BOB, self.sequences(BOB)[1]))
        self.successResultOf(self.store.extend(BOB, self.clock.seconds() + 30))
        self.successResultOf(self.store.empty(EVE))
        self.successResultOf(self.store.close(JOE))
        self.clock.advance(59)
        self.successResultOf(self.store.expire(self.clock.seconds() + 1))
        self.successResultOf(self.store.restore(BOB, MINTED))
        self.put(BOB)
        self.clock.advance(100_000)
        self.successResultOf(self.store.expire(self.clock.seconds() + 1))
        self.assertEqual(self.budget.used, 0)

    def test_a_mail_without_its_octets_has_no_reading(self) -> None:
        """What was understood of a mail goes with it, so it can not be charged twice."""
        reading = Reading(self.budget, in_this_process)
        self.put(BOB)
        (message,) = self.successResultOf(self.store.messages(BOB, 0, 10))
        parcel = message.parcel
        reads: list[Callable[[Parcel], Deferred[Any]]] = [reading.digest, reading.whole]
        for read in reads:
            self.successResultOf(read(parcel))
        self.successResultOf(self.store.close(BOB))
        self.assertEqual((parcel.reading, parcel.whole, parcel.reading_size), (None, None, 0))
        for read in reads:
            self.successResultOf(read(parcel))
        self.assertEqual(self.budget.used, 0)

    def test_refusing_takes_nothing(self) -> None:
        """Where there is no room for all of a mail, nothing of it is kept or charged."""
        self.put(BOB)
        before = self.budget.used
        needed = PARCEL_COST + 4 + 2 * MESSAGE_COST + MAILBOX_COST
        recipients = [(BOB, BY_MAIL), (EVE, BY_MAIL)]
        self.budget.limit = before + needed - 1
        self.assert_full(self.store.add(ENVELOPE, recipients, b"mail"))
        self.assertEqual((self.budget.used, len(self.sequences(BOB))), (before, 1))
        self.assertIsNone(self.successResultOf(self.store.look(EVE)))
        self.budget.limit += 1
        self.successResultOf(self.store.add(ENVELOPE, recipients, b"mail"))
        self.assertEqual(self.budget.used, self.budget.limit)

    def test_check_room_says_what_add_would(self) -> None:
        """A recipient is refused for the same octet that its mail would be."""
        needed = PARCEL_COST + 4 + MESSAGE_COST + MAILBOX_COST
        self.budget.limit = needed - 1
        self.assert_full(self.store.check_room(BOB, 4, BY_MAIL))
        self.budget.limit = needed
        self.successResultOf(self.store.check_room(BOB, 4, BY_MAIL))
        self.assertEqual(self.budget.used, 0)

    def test_ready(self) -> None:
        """It is ready while a common mail to a new mailbox, from a client who has nothing here yet,
        would be taken, and with no octet less.
        """
        self.put(BOB)
        common = PARCEL_COST + READY_OCTETS + MESSAGE_COST + MAILBOX_COST
        self.budget.limit = self.budget.used + 2 * common
        self.successResultOf(self.store.check_ready())
        self.budget.check(common, "192.0.2.1")
        self.budget.limit -= 1
        self.assertRaises(ShareSpent, self.budget.check, common, "192.0.2.1")
        self.assert_full(self.store.check_ready())
        self.successResultOf(self.store.close(BOB))
        self.successResultOf(self.store.check_ready())

    def test_no_room_for_a_mailbox(self) -> None:
        """A mailbox that does not fit is not opened."""
        self.budget.limit = MAILBOX_COST - 1
        self.assert_full(self.store.create(BOB, MINTED))
        self.assertIsNone(self.successResultOf(self.store.look(BOB)))

    def test_restoring_needs_no_more_room(self) -> None:
        """A mailbox takes the place of its quarantine, so a full memory does not keep it away."""
        self.successResultOf(self.store.create(BOB, MINTED))
        self.successResultOf(self.store.close(BOB))
        self.budget.limit = self.budget.used
        self.successResultOf(self.store.restore(BOB, MINTED))
        self.assertEqual(self.budget.used, MAILBOX_COST)

    def test_history_is_charged(self) -> None:
        """What a mailbox remembers costs too, up to the end of its journal."""
        self.successResultOf(self.store.create(BOB, MINTED))
        for number in range(MAX_JOURNAL + 20):
            self.successResultOf(self.store.extend(BOB, self.clock.seconds() + number + 60))
        self.assertEqual(self.budget.used, MAILBOX_COST + MAX_JOURNAL * CHANGE_COST)
        self.successResultOf(self.store.close(BOB))
        self.assertEqual(self.budget.used, MAILBOX_COST)

    def test_no_room_for_history(self) -> None:
        """With memory full a change still happens; who was away is told to look anew."""
        state = self.successResultOf(self.store.create(BOB, MINTED))
        self.budget.limit = self.budget.used
        extended = self.successResultOf(self.store.extend(BOB, self.clock.seconds() + 99))
        (change,) = self.successResultOf(self.store.changes(BOB, state.cursor, 10))
        self.assertEqual((change.kind, change.sequence), ("resync", extended.cursor))
        self.assertEqual(self.budget.used, MAILBOX_COST)

    def test_attempts_are_charged(self) -> None:
        """What is remembered of refused mail costs; with memory full the oldest makes way.

        That memory is full can be noted all the same, in a reserve of its own.
        """
        self.successResultOf(self.store.create(BOB, MINTED))
        self.budget.limit = self.budget.used + ATTEMPT_COST - ATTEMPT_RESERVE
        for number in range(3):
            self.successResultOf(self.store.note(BOB, attempt(number)))
            self.assertEqual(self.successResultOf(self.store.attempts(BOB)), [attempt(number)])
            self.assertEqual(self.budget.used, MAILBOX_COST + ATTEMPT_COST)
        self.successResultOf(self.store.close(BOB))
        self.assertEqual(self.budget.used, MAILBOX_COST)
        self.budget.limit = self.budget.used
        self.successResultOf(self.store.restore(BOB, MINTED))
        self.budget.limit = self.budget.used - ATTEMPT_RESERVE
        self.successResultOf(self.store.note(BOB, attempt(9)))
        self.assertEqual(self.successResultOf(self.store.attempts(BOB)), [])

    def test_coming_and_going_leaves_nothing(self) -> None:
        """An address closed and restored again and again costs one mailbox, and has one end."""
        self.successResultOf(self.store.create(BOB, MINTED))
        for _ in range(100):
            self.clock.advance(1)
            self.successResultOf(self.store.close(BOB))
            self.successResultOf(self.store.restore(BOB, MINTED))
        self.assertEqual(self.budget.used, MAILBOX_COST)
        self.ear.heard.clear()
        self.clock.advance(59)
        self.successResultOf(self.store.expire(self.clock.seconds() + 1))
        self.assertEqual(self.ear.heard, [])
        self.clock.advance(1.5)
        self.successResultOf(self.store.expire(self.clock.seconds() + 1))
        self.assertEqual(self.ear.kinds(BOB), ["expired"])


class WornClock(Clock):
    """A clock on which reading it takes a microsecond, and so does all that is done in between.

    ``longest`` is how many messages were let go of between two readings at most.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self.rightNow = 1_700_000_000.0
        self.budget = budget
        self.longest = 0
        self._last = 0

    def seconds(self) -> float:
        self.longest = max(self.longest, self._last - self.budget.used)
        self._last = self.budget.used
        self.rightNow += 1e-6
        return self.rightNow


class SliceTests(SynchronousTestCase):
    """However much goes at once, the reactor has its turn."""

    MANY = 100_000

    def setUp(self) -> None:
        self.budget = Budget(2**40)
        self.clock = WornClock(self.budget)
        self.ear = Ear()
        limits = Limits(memory=2**40, quarantine=0).without_client_limits()
        self.store = MemoryStore(self.clock, limits, self.budget, self.ear)

    def put(self, address: Address) -> None:
        self.successResultOf(self.store.add(ENVELOPE, [(address, BY_MAIL)], b"mail"))

    def expire_all(self) -> int:
        """How many slices it took."""
        for slices in range(1, 10_000):
            until = self.clock.seconds() + SLICE_SECONDS
            more = self.successResultOf(self.store.expire(until))
            self.assertLess(self.clock.rightNow, until + 20e-6)
            if not more:
                return slices
        raise AssertionError("it does not end")

    def assert_went_bit_by_bit(self) -> None:
        self.assertEqual(self.budget.used, 0)
        self.assertLessEqual(
            self.clock.longest, MAILBOX_COST + MESSAGE_COST + PARCEL_COST + CHANGE_COST + 4
        )

    def test_many_mailboxes(self) -> None:
        """A hundred thousand mailboxes that end in one tick go in slices, each told once."""
        for number in range(self.MANY):
            self.put(parse_address(f"box{number}@qa.test"))
        self.clock.advance(100)
        self.assertGreater(self.expire_all(), 10)
        expired = sum(change.kind == "expired" for _, change in self.ear.heard)
        self.assertEqual(expired, self.MANY)
        self.assert_went_bit_by_bit()

    def test_many_extended(self) -> None:
        """A hundred thousand mailboxes whose end was moved do not hold the reactor at the old."""
        for number in range(self.MANY):
            address = parse_address(f"box{number}@qa.test")
            self.put(address)
            self.successResultOf(self.store.extend(address, 1_700_000_500.0))
        self.clock.rightNow = 1_700_000_100.0
        self.assertEqual(self.expire_all(), 1)
        self.assertEqual(len(self.ear.heard), 2 * self.MANY)

    def fill_one(self, messages: int = 30_000) -> None:
        for _ in range(messages):
            self.put(BOB)

    def test_one_large_mailbox_ends(self) -> None:
        """A mailbox of a hundred thousand messages is closed at once and let go of in slices."""
        self.fill_one(self.MANY)
        self.clock.advance(100)
        before = self.budget.used
        until = self.clock.seconds() + SLICE_SECONDS
        self.assertTrue(self.successResultOf(self.store.expire(until)))
        self.assertGreater(self.budget.used, before / 2)
        self.assertIsNone(self.successResultOf(self.store.look(BOB)))
        self.assertEqual(self.ear.heard[-1][1].kind, "expired")
        self.assertGreater(self.expire_all(), 5)
        self.assert_went_bit_by_bit()

    def test_one_large_mailbox_is_closed(self) -> None:
        """Whoever deletes such a mailbox is answered after one slice; the rest goes later."""
        self.fill_one()
        self.assert_one_slice(lambda: self.store.close(BOB))
        self.failureResultOf(self.store.message(BOB, 1), NoSuchMailbox)
        self.expire_all()
        self.assert_went_bit_by_bit()

    def test_one_large_mailbox_is_emptied(self) -> None:
        """Whoever empties such a mailbox is answered after one slice, and finds it empty."""
        self.fill_one()
        self.assert_one_slice(lambda: self.store.empty(BOB))
        state = self.successResultOf(self.store.look(BOB))
        assert state is not None
        self.assertEqual((state.message_count, state.size), (0, 0))
        self.put(BOB)
        self.assertEqual(len(self.successResultOf(self.store.messages(BOB, 0, 100))), 1)
        self.expire_all()
        journal = CHANGE_COST
        self.assertEqual(self.budget.used, MAILBOX_COST + MESSAGE_COST + PARCEL_COST + 4 + journal)

    def assert_one_slice(self, act: Any) -> None:
        before, began = self.budget.used, self.clock.rightNow
        self.successResultOf(act())
        self.assertLess(self.clock.rightNow - began, SLICE_SECONDS + 20e-6)
        self.assertGreater(self.budget.used, before / 2)
        self.assertLess(self.budget.used, before)

    def test_a_large_mailbox_met_on_the_way(self) -> None:
        """Finding that such a mailbox is over costs whoever asks next to nothing."""
        self.fill_one()
        self.clock.advance(100)
        began = self.clock.rightNow
        self.put(BOB)
        self.assertLess(self.clock.rightNow - began, 30e-6)
        self.expire_all()

    def test_a_quiet_night(self) -> None:
        """With nothing due, however much there is, expiry does nothing."""
        for number in range(1000):
            self.put(parse_address(f"box{number}@qa.test"))
        began = self.clock.rightNow
        self.assertEqual(self.expire_all(), 1)
        self.assertLess(self.clock.rightNow - began, 5e-6)


class SurvivorTests(MemoryTestCase):
    """What a mailbox leaves when it goes does not touch another."""

    def test_others_keep_a_shared_mail(self) -> None:
        """A mail that one of its mailboxes let go of is whole in the other, reading and all."""
        reading = Reading(self.budget, in_this_process)
        self.put(BOB, EVE)
        (message,) = self.successResultOf(self.store.messages(BOB, 0, 10))
        self.successResultOf(reading.digest(message.parcel))
        self.successResultOf(self.store.close(BOB))
        (other,) = self.successResultOf(self.store.messages(EVE, 0, 10))
        self.assertIs(other.parcel, message.parcel)
        self.assertIsNotNone(other.parcel.reading)

    def test_limits_may_change(self) -> None:
        """New limits hold for the next mail."""
        self.put(BOB)
        self.store.limits = evolve(LIMITS, max_messages=1)
        refused = self.store.check_room(BOB, 0, None)
        self.assertIn("messages", str(self.failureResultOf(refused).value))
