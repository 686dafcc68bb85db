"""Waiting at several mailboxes at once: how it ends, what wakes it, and what it keeps meanwhile."""

from __future__ import annotations

import gc
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from tempmail.core.address import Address, parse_address
from tempmail.core.errors import MailboxGone, NoSuchMailbox, TokenNeeded
from tempmail.core.limits import MAX_LIST, MAX_ROUND, Limits
from tempmail.core.mailbox import MailboxState
from tempmail.core.message import Message
from tempmail.store.memory import MemoryStore
from tempmail.waiting import Inbox, Round, Shut, Watch
from tests.office import OPERATOR, OfficeTestCase


class CountingStore(MemoryStore):
    """A store that notes what it is asked for, and answers a list when the test says so."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.looked: list[str] = []
        self.held: Deferred[None] | None = None

    def look(self, address: Address) -> Deferred[MailboxState | None]:
        self.looked.append(address.local)
        return super().look(address)

    def messages(self, address: Address, after: int, limit: int) -> Deferred[list[Message]]:
        found, held = super().messages(address, after, limit), self.held
        if held is None:
            return found
        self.held = None
        return held.addCallback(lambda _: found)


class WatchingTestCase(OfficeTestCase):
    """Somebody holds three mailboxes and waits at all of them."""

    store_class = CountingStore
    store: CountingStore

    def setUp(self) -> None:
        super().setUp()
        self.open()

    def open(self) -> None:
        self.boxes = [self.mint(local_part=name) for name in ("ann", "ben", "cat")]
        self.watches = [Watch(box.mailbox.address, box.token) for box in self.boxes]
        self.ann, self.ben, self.cat = (box.mailbox.address for box in self.boxes)

    def watch(self, *watches: Watch, limit: int = 50, seconds: float = 30) -> Deferred[Round]:
        return self.start(self.office.watch(watches or self.watches, limit=limit, wait=seconds))

    def turn(self) -> None:
        self.clock.advance(0)

    def counts(self, found: Round) -> list[int | type[Exception]]:
        """Of each mailbox, how many messages came, or what is wrong with it."""
        return [
            type(entry.reason) if isinstance(entry, Shut) else len(entry.messages)
            for entry in found.entries
        ]

    def cursors(self, found: Round) -> list[int]:
        """Where to go on in each mailbox."""
        return [entry.cursor for entry in found.entries if isinstance(entry, Inbox)]

    def assert_no_trace(self) -> None:
        self.assertEqual(self.doorbell._bells, {})
        self.assertEqual(self.clock.getDelayedCalls(), [])


class EndTests(WatchingTestCase):
    """Each way in which it ends leaves no waiter and no timer."""

    def test_mail_is_there(self) -> None:
        """Where one has mail already nobody waits, and all answer how they stand."""
        self.deliver(self.ben)
        found = self.successResultOf(self.watch())
        self.assertEqual((self.counts(found), found.timed_out), ([0, 1, 0], False))
        for entry, address in zip(found.entries, (self.ann, self.ben, self.cat), strict=True):
            assert isinstance(entry, Inbox)
            self.assertEqual(entry.mailbox.address, address)
        self.assert_no_trace()

    def test_mail_comes(self) -> None:
        """Mail to any of them ends the wait in the turn after it came."""
        waiting = self.watch()
        self.clock.advance(10)
        self.deliver(self.cat)
        self.assertNoResult(waiting)
        self.turn()
        found = self.successResultOf(waiting)
        self.assertEqual((self.counts(found), found.timed_out), ([0, 0, 1], False))
        last = found.entries[2]
        assert isinstance(last, Inbox)
        self.assertEqual(last.cursor, last.messages[0].sequence)
        self.assertEqual((last.mailbox.message_count, last.mailbox.unseen_count), (1, 1))
        self.assert_no_trace()

    def test_mail_to_several(self) -> None:
        """What came to several in one turn is one answer."""
        waiting = self.watch()
        self.deliver(self.ann, self.cat)
        self.deliver(self.cat)
        self.turn()
        self.assertEqual(self.counts(self.successResultOf(waiting)), [1, 0, 2])
        self.assert_no_trace()

    def test_time_is_up(self) -> None:
        """Waiting in vain is no error: no messages, the same cursors, and the reason."""
        waiting = self.watch(*(Watch(one.address, one.token, 7) for one in self.watches))
        self.clock.advance(29.9)
        self.assertNoResult(waiting)
        self.clock.advance(0.1)
        found = self.successResultOf(waiting)
        self.assertEqual((self.counts(found), found.timed_out), ([0, 0, 0], True))
        self.assertEqual(self.cursors(found), [7, 7, 7])
        self.assert_no_trace()

    def test_no_time(self) -> None:
        """Without time to wait it is one look."""
        found = self.successResultOf(self.watch(seconds=0))
        self.assertEqual((self.counts(found), found.timed_out), ([0, 0, 0], False))
        self.assert_no_trace()

    def test_mail_as_time_is_up(self) -> None:
        """Mail that came before the time was up is in the answer, though nobody was woken yet."""
        self.clock.callLater(30, self.deliver, self.ann)
        waiting = self.watch()
        self.clock.advance(30)
        self.turn()
        found = self.successResultOf(waiting)
        self.assertEqual((self.counts(found), found.timed_out), ([1, 0, 0], False))
        self.assert_no_trace()

    def test_client_is_gone(self) -> None:
        """A wait whose client left is cancelled, and nobody waits any more."""
        waiting = self.watch()
        self.assertEqual(self.doorbell.listeners, 3)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assert_no_trace()

    def test_client_is_gone_as_mail_comes(self) -> None:
        """A client that leaves between ring and turn gets nothing, and the mail stays."""
        waiting = self.watch()
        self.deliver(self.ann, self.ben)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.turn()
        self.assert_no_trace()
        self.assertEqual(self.counts(self.successResultOf(self.watch())), [1, 1, 0])

    def test_client_is_gone_during_a_look(self) -> None:
        """A client that leaves while the store is asked leaves nothing either."""
        self.store.held = Deferred()
        waiting = self.watch()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assert_no_trace()

    def test_deleted(self) -> None:
        """One that is deleted is told at once, with how the others stand."""
        waiting = self.watch()
        self.now(self.office.delete_mailbox(self.ben, self.boxes[1].token))
        self.turn()
        found = self.successResultOf(waiting)
        self.assertEqual((self.counts(found), found.timed_out), ([0, MailboxGone, 0], False))
        self.assert_no_trace()

    def test_expired(self) -> None:
        """So is one that expires."""
        self.now(self.office.extend(self.ann, self.boxes[0].token, 3600))
        self.now(self.office.extend(self.cat, self.boxes[2].token, 3600))
        self.clock.advance(590)
        waiting = self.watch()
        self.pass_time(10.25)
        self.assertEqual(self.counts(self.successResultOf(waiting)), [0, MailboxGone, 0])
        self.assert_no_trace()

    def test_gone_without_quarantine(self) -> None:
        """Where no quarantine remembers it, who waited still hears that it is gone."""
        self.build(Limits(memory=2**30, quarantine=0))
        self.open()
        waiting = self.watch()
        self.now(self.office.delete_mailbox(self.ann, self.boxes[0].token))
        self.turn()
        self.assertEqual(self.counts(self.successResultOf(waiting)), [MailboxGone, 0, 0])

    def test_token_revoked_meanwhile(self) -> None:
        """Who waits with a token that is revoked is told so at once, and not that all is gone."""
        waiting = self.watch()
        self.now(self.office.rotate_token(self.ann, self.boxes[0].token))
        self.assertEqual(self.counts(self.successResultOf(waiting)), [NoSuchMailbox, 0, 0])

    def test_server_stops(self) -> None:
        """When the server stops the answer is as if the time were up."""
        waiting = self.watch()
        self.doorbell.close()
        found = self.successResultOf(waiting)
        self.assertEqual((self.counts(found), found.timed_out), ([0, 0, 0], True))
        self.assertEqual(self.counts(self.successResultOf(self.watch())), [0, 0, 0])
        self.assert_no_trace()

    def test_an_error_of_ours(self) -> None:
        """A defect in the middle of a look goes to who asked, and leaves nothing."""
        self.store.held = Deferred()
        held, waiting = self.store.held, self.watch()
        held.errback(ZeroDivisionError())
        self.failureResultOf(waiting, ZeroDivisionError)
        self.assert_no_trace()


class AccessTests(WatchingTestCase):
    """Who may read what."""

    def test_refused(self) -> None:
        """One that may not be read is told at once, of the rest how it stands."""
        stranger = Watch(self.ann, None), Watch(self.ben, "wrong")
        absent = (
            Watch(parse_address("nobody-1@tempmail.test"), None),
            Watch(parse_address("nobody-2@tempmail.test"), "wrong"),
            Watch(parse_address("x@elsewhere.test"), "wrong"),
        )
        found = self.successResultOf(self.watch(*stranger, *absent, self.watches[2]))
        told = [TokenNeeded, NoSuchMailbox, TokenNeeded, NoSuchMailbox, NoSuchMailbox, 0]
        self.assertEqual((self.counts(found), found.timed_out), (told, False))
        self.assert_no_trace()

    def test_texts_tell_nothing(self) -> None:
        """What is said of a private mailbox is what is said of none at all."""
        nobody = parse_address("nobody-1@tempmail.test")
        for token in (None, "wrong"):
            watches = Watch(self.ann, token), Watch(nobody, token)
            private, absent = self.successResultOf(self.watch(*watches)).entries
            assert isinstance(private, Shut) and isinstance(absent, Shut)
            self.assertEqual(str(private.reason), str(absent.reason))

    def test_gone_before(self) -> None:
        """One that was gone before is gone to its token, and nothing to a stranger."""
        self.now(self.office.delete_mailbox(self.ann, self.boxes[0].token))
        for token, kind in ((self.boxes[0].token, MailboxGone), ("wrong", NoSuchMailbox)):
            found = self.successResultOf(self.watch(Watch(self.ann, token), self.watches[1]))
            self.assertEqual(self.counts(found), [kind, 0])

    def test_public(self) -> None:
        """A public mailbox and any address of a catch-all can be waited at without a token."""
        open_ = Watch(parse_address("new@qa.test"), None)
        mine = Watch(parse_address("postmaster@tempmail.test"), OPERATOR)
        waiting = self.watch(open_, mine, self.watches[0])
        self.assertNoResult(waiting)
        self.deliver("new+tag@qa.test")
        self.turn()
        self.assertEqual(self.counts(self.successResultOf(waiting)), [1, 0, 0])

    def test_catch_all_expires(self) -> None:
        """The end of a mailbox that mail opens again ends no wait."""
        address = parse_address("x@qa.test")
        self.deliver(address)
        after = self.listed(address)[0].sequence
        self.clock.advance(590)
        waiting = self.watch(Watch(address, None, after))
        self.pass_time(10.25)
        self.assertNoResult(waiting)
        self.deliver(address)
        self.turn()
        self.assertEqual(self.counts(self.successResultOf(waiting)), [1])


class WakingTests(WatchingTestCase):
    """What wakes it, and what it looks at then."""

    def test_mail_between_listening_and_looking(self) -> None:
        """Mail that comes while the first look goes on is not missed."""
        self.store.held = held = Deferred[None]()
        waiting = self.watch()
        self.deliver(self.ann)
        held.callback(None)
        self.turn()
        self.assertEqual(self.counts(self.successResultOf(waiting)), [1, 0, 0])
        self.assert_no_trace()

    def test_after(self) -> None:
        """Each has its own cursor; what is not behind it ends no wait."""
        self.deliver(self.ann, self.ben)
        found = self.successResultOf(self.watch())
        behind = [
            Watch(one.address, one.token, cursor)
            for one, cursor in zip(self.watches, self.cursors(found), strict=True)
        ]
        waiting = self.watch(*behind)
        self.assertNoResult(waiting)
        self.deliver(self.ben)
        self.turn()
        self.assertEqual(self.counts(self.successResultOf(waiting)), [0, 1, 0])

    def test_other_changes(self) -> None:
        """Another change ends no wait, and only the mailbox that it was in is looked at for it."""
        waiting = self.watch()
        self.clock.advance(10)
        self.now(self.office.extend(self.ben, self.boxes[1].token))
        self.store.looked.clear()
        self.turn()
        self.assertEqual(self.store.looked, ["ben"])
        self.clock.advance(19)
        self.assertNoResult(waiting)
        self.clock.advance(1)
        found = self.successResultOf(waiting)
        assert isinstance(found.entries[1], Inbox)
        self.assertEqual(found.entries[1].mailbox.expires_at, self.state_of_ben().expires_at)

    def state_of_ben(self) -> MailboxState:
        return self.state(self.ben, self.boxes[1].token)

    def test_elsewhere(self) -> None:
        """Mail to others wakes nobody here, and a wait here takes nothing from another there."""
        waiting, other = self.watch(), self.watch(self.watches[0])
        self.deliver("x@qa.test")
        self.turn()
        self.assertNoResult(waiting)
        self.deliver(self.ann)
        self.turn()
        self.assertEqual(self.counts(self.successResultOf(other)), [1])
        self.assertEqual(self.counts(self.successResultOf(waiting)), [1, 0, 0])
        self.assert_no_trace()


class AmountTests(WatchingTestCase):
    """How much is answered and kept."""

    def test_limit(self) -> None:
        """The limit is for each mailbox, and the cursor is that of the last one handed out."""
        for _ in range(3):
            self.deliver(self.ann, self.ben)
        found = self.successResultOf(self.watch(limit=2))
        self.assertEqual(self.counts(found), [2, 2, 0])
        first = found.entries[0]
        assert isinstance(first, Inbox)
        self.assertEqual(first.cursor, first.messages[-1].sequence)

    def test_all_together(self) -> None:
        """One answer has no more than its measure; what is beyond is behind the cursors."""
        self.build(Limits(memory=2**30))
        addresses = [parse_address(f"a{number}@qa.test") for number in range(11)]
        each = MAX_ROUND // 10
        for _ in range(each):
            self.deliver(*addresses)
        watches = [Watch(address, None) for address in addresses]
        counts, watches = self.take(watches)
        self.assertEqual(counts, [each] * 10 + [0])
        counts, watches = self.take(watches)
        self.assertEqual(counts, [0] * 10 + [each])
        self.assertEqual(self.take(watches)[0], [0] * 11)

    def take(self, watches: list[Watch]) -> tuple[list[Any], list[Watch]]:
        """As much as one answer may have: the counts, and what to ask next."""
        found = self.successResultOf(self.watch(*watches, limit=MAX_LIST, seconds=0))
        going_on = [
            Watch(one.address, None, cursor)
            for one, cursor in zip(watches, self.cursors(found), strict=True)
        ]
        return self.counts(found), going_on

    def test_nothing_is_kept_while_waiting(self) -> None:
        """Of what was seen in vain nothing stays while it waits."""
        waiting = self.watch()
        self.clock.advance(1)
        self.now(self.office.extend(self.ben, self.boxes[1].token))
        self.turn()
        self.assertEqual([one for one in gc.get_objects() if isinstance(one, Inbox)], [])
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)

    def test_leaves_no_cycle(self) -> None:
        """What it answered is freed when nobody holds it, without the garbage collector."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        watches = [Watch(self.ann, "wrong"), *self.watches[1:]]
        for _ in range(100):
            self.successResultOf(self.watch(*watches))
        self.assertLess(gc.collect(), 10)
