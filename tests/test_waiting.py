"""Waiting for mail: the four ways it ends, and what wakes whom."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from tempmail.core.address import Address, parse_address
from tempmail.core.errors import MailboxGone, NoSuchMailbox
from tempmail.core.limits import MAX_JOURNAL, Limits
from tempmail.core.mailbox import Change
from tempmail.core.message import Message
from tempmail.store.memory import MemoryStore
from tempmail.waiting import Match
from tests.office import OPERATOR, WaitingTestCase, mail


class SlowStore(MemoryStore):
    """A store whose first list is looked up at once and answered when the test says so."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.first_list: Deferred[None] = Deferred()
        self._listed = False

    def messages(self, address: Address, after: int, limit: int) -> Deferred[list[Message]]:
        found = super().messages(address, after, limit)
        if self._listed:
            return found
        self._listed = True
        return self.first_list.addCallback(lambda _: found)


class EndTests(WaitingTestCase):
    """A wait ends in four ways, and each leaves no waiter and no timer."""

    def test_mail_is_there(self) -> None:
        """Where there is mail already nobody waits."""
        self.deliver(self.address)
        page = self.successResultOf(self.wait())
        self.assertEqual((len(page.messages), page.timed_out), (1, False))
        self.assert_no_trace()

    def test_mail_comes(self) -> None:
        """Mail ends the wait in the turn after it came."""
        waiting = self.wait()
        self.clock.advance(10)
        self.deliver(self.address)
        self.assertNoResult(waiting)
        self.turn()
        page = self.successResultOf(waiting)
        self.assertEqual(page.cursor, page.messages[0].sequence)
        self.assertEqual((len(page.messages), page.timed_out), (1, False))
        self.assertEqual(page.expires_at, self.state(self.address, self.token).expires_at)
        self.assert_no_trace()

    def test_time_is_up(self) -> None:
        """Waiting in vain is no error: no messages, the same cursor, and the reason."""
        waiting = self.wait(after=7)
        self.clock.advance(29.9)
        self.assertNoResult(waiting)
        self.clock.advance(0.1)
        page = self.successResultOf(waiting)
        self.assertEqual((list(page.messages), page.cursor, page.timed_out), ([], 7, True))
        self.assert_no_trace()

    def test_mail_comes_as_time_is_up(self) -> None:
        """Mail that was kept before the time is up is told, also where its turn came later."""
        waiting = self.wait(30)
        self.clock.callLater(29, self.deliver, self.address)
        self.clock.advance(30)
        page = self.successResultOf(waiting)
        self.assertEqual((len(page.messages), page.timed_out), (1, False))
        self.turn()
        self.assert_no_trace()

    def test_client_is_gone(self) -> None:
        """A wait whose client left is cancelled, and nobody waits any more."""
        cursor = self.state(self.address, self.token).cursor
        for start in (self.wait, lambda: self.follow(cursor)):
            waiting = start()
            self.assertEqual(self.doorbell.listeners, 1)
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
            self.assert_no_trace()

    def test_client_is_gone_as_mail_comes(self) -> None:
        """A client that leaves between ring and turn gets nothing, and the mail stays."""
        waiting = self.wait()
        self.deliver(self.address)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.turn()
        self.assert_no_trace()
        self.assertEqual(len(self.listed(self.address, self.token)), 1)

    def test_deleted(self) -> None:
        """Who waits when the mailbox is deleted hears at once that it is gone."""
        waits = [self.wait(), self.follow(2**60)]
        self.now(self.office.delete_mailbox(self.address, self.token))
        self.turn()
        for waiting in waits:
            self.failureResultOf(waiting, MailboxGone)
        self.assert_no_trace()

    def test_expired(self) -> None:
        """Who waits when the mailbox expires hears within half a second that it is gone."""
        self.clock.advance(590)
        waiting = self.wait()
        self.pass_time(10.25)
        self.failureResultOf(waiting, MailboxGone)
        self.assert_no_trace()

    def test_gone_without_quarantine(self) -> None:
        """Where no quarantine remembers the mailbox, those who waited still hear it is gone."""
        self.build(Limits(memory=2**30, quarantine=0))
        for public in (False, True):
            minted = self.mint(public=public)
            address = minted.mailbox.address
            waiting = self.wait(address=address, token=None if public else minted.token)
            self.now(self.office.delete_mailbox(address, minted.token))
            self.turn()
            self.failureResultOf(waiting, MailboxGone)
        self.assert_no_trace()

    def test_deleted_and_restored_meanwhile(self) -> None:
        """Who waited at the mailbox before does not get the mail of the one after."""
        minted = self.mint()
        address = minted.mailbox.address
        waiting = self.wait(address=address, token=minted.token)
        self.now(self.office.delete_mailbox(address, minted.token))
        self.now(self.office.restore(address, minted.restore_key))
        self.deliver(address)
        self.turn()
        self.failureResultOf(waiting, MailboxGone)

    def test_token_revoked_meanwhile(self) -> None:
        """Who waits with a token that is revoked is told so at once, and not that all is gone."""
        waiting = self.wait()
        self.now(self.office.rotate_token(self.address, self.token))
        self.failureResultOf(waiting, NoSuchMailbox)
        self.assert_no_trace()

    def test_revoked_at_a_public_mailbox(self) -> None:
        """What everybody may read needs no token, so nobody is sent away."""
        minted = self.now(self.office.mint(public=True))
        waiting = self.wait(address=minted.mailbox.address, token=None)
        self.now(self.office.rotate_token(minted.mailbox.address, minted.token))
        self.assertNoResult(waiting)
        self.deliver(minted.mailbox.address)
        self.turn()
        self.assertEqual(len(self.successResultOf(waiting).messages), 1)

    def test_server_stops(self) -> None:
        """When the server stops everyone who waits is answered, as if the time were up."""
        waits = [self.wait(), self.wait(match=Match(subject="x"))]
        self.doorbell.close()
        for waiting in waits:
            page = self.successResultOf(waiting)
            self.assertEqual((list(page.messages), page.timed_out), ([], True))
        self.assertEqual(list(self.successResultOf(self.wait()).messages), [])
        self.assert_no_trace()

    def test_refused_before_waiting(self) -> None:
        """Who may not read does not wait."""
        waiting = self.wait(address=parse_address("nobody@tempmail.test"), token="x")
        self.failureResultOf(waiting, NoSuchMailbox)
        self.assert_no_trace()


class WakingTests(WaitingTestCase):
    """What wakes whom, and what does not."""

    def test_mail_between_listening_and_looking(self) -> None:
        """Mail that comes while the first look goes on is not missed."""
        self.store_class = SlowStore
        self.build(self.limits)
        self.open()
        waiting = self.wait()
        self.deliver(self.address)
        assert isinstance(self.store, SlowStore)
        self.store.first_list.callback(None)
        self.turn()
        self.assertEqual(len(self.successResultOf(waiting).messages), 1)

    def test_everyone_at_the_address(self) -> None:
        """All who wait at a mailbox get its mail, by any tag, and nobody else is woken."""
        other = self.mint()
        waits = [self.wait() for _ in range(3)]
        elsewhere = self.wait(address=other.mailbox.address, token=other.token)
        self.deliver(f"{self.address.local}+tag@tempmail.test")
        self.turn()
        for waiting in waits:
            self.assertEqual(len(self.successResultOf(waiting).messages), 1)
        self.assertNoResult(elsewhere)

    def test_other_changes_wake_no_list(self) -> None:
        """Who waits for mail waits on, no longer than he said, when something else happens."""
        self.deliver(self.address)
        (message,) = self.listed(self.address, self.token)
        waiting = self.wait(after=message.sequence)
        self.clock.advance(20)
        self.now(self.office.extend(self.address, self.token))
        self.now(self.office.delete_message(self.address, self.token, message.sequence))
        self.turn()
        self.assertNoResult(waiting)
        self.clock.advance(10)
        self.assertTrue(self.successResultOf(waiting).timed_out)

    def test_catch_all(self) -> None:
        """One can wait at an address of a catch-all before it got any mail, and after it ended."""
        address = parse_address("x@qa.test")
        waiting = self.wait(address=address)
        self.deliver(address)
        self.turn()
        self.successResultOf(waiting)
        self.clock.advance(590)
        again = self.wait(address=address, after=self.listed(address)[0].sequence)
        self.pass_time(10.25)
        self.assertNoResult(again)
        self.deliver(address, octets=mail("new"))
        self.turn()
        (message,) = self.successResultOf(again).messages
        self.assertEqual(message.parcel.octets, mail("new"))

    def test_operator(self) -> None:
        """The operator can wait for the first mail to postmaster."""
        address = parse_address("postmaster@tempmail.test")
        waiting = self.wait(address=address, token=OPERATOR)
        self.deliver(address)
        self.turn()
        self.assertEqual(len(self.successResultOf(waiting).messages), 1)

    def test_every_change(self) -> None:
        """Who follows changes is woken by each of them."""
        cursor = self.state(self.address, self.token).cursor
        self.clock.advance(100)
        for act in (
            lambda: self.deliver(self.address),
            lambda: self.now(self.office.extend(self.address, self.token)),
            lambda: self.now(self.office.empty(self.address, self.token)),
        ):
            following = self.follow(cursor)
            self.assertNoResult(following)
            act()
            self.turn()
            (change,) = self.successResultOf(following)
            cursor = change.sequence
        self.assertEqual(change.kind, "emptied")
        self.assert_no_trace()

    def test_followers_who_missed_too_much(self) -> None:
        """Who comes back after more changes than are remembered is told to read anew."""
        cursor = self.state(self.address, self.token).cursor
        for _ in range(MAX_JOURNAL + 1):
            self.clock.advance(1)
            self.now(self.office.extend(self.address, self.token))
        first = self.successResultOf(self.follow(cursor))[0]
        self.assertEqual(first.kind, "resync")
        self.assertEqual(self.successResultOf(self.follow(first.sequence))[0].kind, "extended")

    def test_follower_of_what_expired(self) -> None:
        """Who follows an address of a catch-all is told when its mailbox is over."""
        self.address, self.token = parse_address("x@qa.test"), ""
        self.deliver(self.address)
        cursor = self.listed(self.address)[0].sequence
        following = self.follow(cursor)
        self.clock.advance(29)
        self.now(self.office.extend(self.address, None, 1))
        self.pass_time(0)
        self.assertNoResult(following)
        following.cancel()
        self.failureResultOf(following, CancelledError)
        self.clock.advance(590)
        following = self.follow(cursor)
        self.pass_time(0.25)
        self.assertEqual(self.successResultOf(following), [Change("expired", cursor)])
