"""What every store does with mail: taking it in, giving it out, remembering what changed."""

from __future__ import annotations

from tempmail.core.address import parse_address
from tempmail.core.errors import MailboxFull, NoSuchMailbox, NoSuchMessage, SomeRefused
from tempmail.core.limits import MAX_ATTEMPTS, MAX_JOURNAL
from tempmail.core.message import Attempt
from tests.store.support import BOB, BY_MAIL, ENVELOPE, EVE, JOE, MINTED, START, StoreTests


class MailContract(StoreTests):
    """A store's mail."""

    # --- mail in ---

    async def test_add(self) -> None:
        """A mail is kept as it came, in order, and announced."""
        await self.create()
        tagged = parse_address("Bob+News@qa.test")
        self.clock.advance(5)
        await self.put(tagged, octets=b"one")
        await self.put(BOB, octets=b"two")
        one, two = await self.listed()
        self.assertEqual((one.parcel.octets, two.parcel.octets), (b"one", b"two"))
        self.assertEqual(
            (one.recipient.displayed, two.recipient.displayed),
            (
                "bob+news@qa.test",
                "bob@qa.test",
            ),
        )
        self.assertEqual(one.parcel.envelope, ENVELOPE)
        self.assertEqual((one.parcel.received_at, one.seen, one.size), (START + 5, False, 3))
        state = await self.state()
        self.assertEqual((state.message_count, state.unseen_count, state.size), (2, 2, 6))
        self.assertEqual(state.cursor, two.sequence)
        announced = [change.message for _, change in self.ear.heard if change.message]
        self.assertEqual([message.id for message in announced], [one.id, two.id])

    async def test_add_opens_where_it_may(self) -> None:
        """Mail opens what may be opened by it, once, under the address without its tag."""
        await self.store.check_room(BOB, 4, BY_MAIL)
        self.assertIsNone(await self.store.look(BOB))
        await self.put_opening(parse_address("bob+x@qa.test"))
        await self.put_opening(BOB)
        state = await self.state()
        self.assertEqual((state.address.displayed, state.public), ("bob@qa.test", True))
        self.assertEqual((state.expires_at, state.message_count), (START + 60, 2))

    async def test_add_keeps_what_is_open(self) -> None:
        """A mailbox that is open already stays what it is."""
        await self.create()
        await self.put_opening(BOB)
        state = await self.state()
        self.assertEqual((state.public, state.token_hash), (False, b"t"))

    async def test_add_opens_a_quarantined_address(self) -> None:
        """Mail that may open an address opens it in quarantine, too, with nothing of before."""
        await self.create()
        await self.put(BOB, octets=b"old")
        await self.store.close(BOB)
        await self.put_opening(BOB, octets=b"new")
        self.assertEqual(await self.octets(), [b"new"])
        self.assertIsNone((await self.state()).token_hash)

    async def test_add_opens_after_the_end(self) -> None:
        """A mailbox opened by mail that is over is opened anew by the next mail."""
        await self.put_opening(BOB, octets=b"old")
        self.clock.advance(60)
        await self.put_opening(BOB, octets=b"new")
        self.assertEqual(await self.octets(), [b"new"])
        self.assertEqual(self.ear.kinds(BOB), ["message", "expired", "message"])

    async def test_several_recipients(self) -> None:
        """Each of several mailboxes has the mail, and each its own count of what was seen."""
        await self.create()
        await self.put_opening(BOB, EVE, JOE, octets=b"all")
        for address in (BOB, EVE, JOE):
            self.assertEqual(await self.octets(address), [b"all"])
        (message,) = await self.listed(EVE)
        await self.store.mark_seen(EVE, message.sequence, True)
        await self.store.remove(JOE, (await self.listed(JOE))[0].sequence)
        self.assertEqual(await self.octets(), [b"all"])
        self.assertEqual((await self.state()).unseen_count, 1)

    async def test_all_or_none(self) -> None:
        """Where one of several can not take the mail, none has it and none is opened."""
        await self.create()
        self.ear.heard.clear()
        for order in ((BOB, EVE), (EVE, BOB)):
            await self.assert_raises(SomeRefused, self.put(*order))
        recipients = [(JOE, BY_MAIL), (BOB, None), (EVE, None)]
        await self.assert_raises(SomeRefused, self.store.add(ENVELOPE, recipients, b"mail"))
        self.assertEqual((await self.octets(), await self.store.look(JOE)), ([], None))
        self.assertEqual(self.ear.heard, [])

    async def test_full_of_messages(self) -> None:
        """A mailbox takes as many messages as it may, and one more when one is gone."""
        await self.create()
        for _ in range(5):
            await self.store.check_room(BOB, 1, None)
            await self.put(BOB, octets=b"1")
        await self.assert_raises(MailboxFull, self.store.check_room(BOB, 0, None))
        await self.assert_raises(MailboxFull, self.put(BOB, octets=b""))
        await self.store.remove(BOB, (await self.listed())[2].sequence)
        await self.put(BOB, octets=b"1")

    async def test_full_of_octets(self) -> None:
        """A mailbox takes as many octets as it may, the mail that opens it among them."""
        await self.assert_raises(MailboxFull, self.put_opening(BOB, octets=b"x" * 101))
        self.assertIsNone(await self.store.look(BOB))
        await self.put_opening(BOB, octets=b"x" * 90)
        await self.store.check_room(BOB, 10, BY_MAIL)
        await self.assert_raises(MailboxFull, self.store.check_room(BOB, 11, BY_MAIL))
        await self.assert_raises(MailboxFull, self.put(BOB, octets=b"x" * 11))
        await self.put(BOB, octets=b"x" * 10)

    # --- mail out ---

    async def test_messages_are_paged(self) -> None:
        """A page holds so many messages behind the cursor, oldest first."""
        await self.create()
        for octets in (b"1", b"2", b"3"):
            await self.put(BOB, octets=octets)
        page = await self.store.messages(BOB, 0, 2)
        self.assertEqual([message.parcel.octets for message in page], [b"1", b"2"])
        rest = await self.store.messages(BOB, page[-1].sequence, 2)
        self.assertEqual([message.parcel.octets for message in rest], [b"3"])
        self.assertEqual(await self.store.messages(BOB, rest[-1].sequence, 2), [])

    async def test_one_message(self) -> None:
        """A message is found in its own mailbox by its number, and nowhere else."""
        await self.put_opening(BOB, EVE, octets=b"x")
        (message,) = await self.listed()
        found = await self.store.message(BOB, message.sequence)
        self.assertEqual((found.id, found.parcel.octets), (message.id, b"x"))
        for sequence in (message.sequence + 1000, 0, -1, 2**70):
            await self.assert_raises(NoSuchMessage, self.store.message(BOB, sequence))
        await self.assert_raises(NoSuchMessage, self.store.message(EVE, message.sequence))

    async def test_mark_seen(self) -> None:
        """Seen or not is remembered and counted, however often it is said."""
        await self.put_opening(BOB)
        await self.put(BOB)
        sequence = (await self.listed())[0].sequence
        for seen, unseen in ((True, 1), (True, 1), (False, 2), (False, 2), (True, 1)):
            message = await self.store.mark_seen(BOB, sequence, seen)
            self.assertEqual(message.seen, seen)
            self.assertEqual((await self.state()).unseen_count, unseen)
        self.assertEqual([message.seen for message in await self.listed()], [True, False])
        await self.assert_raises(NoSuchMessage, self.store.mark_seen(BOB, 1, True))

    async def test_remove(self) -> None:
        """A removed message is gone, counted out and announced by its id."""
        await self.put_opening(BOB, octets=b"1")
        await self.put(BOB, octets=b"22")
        first, second = await self.listed()
        await self.store.mark_seen(BOB, first.sequence, True)
        await self.store.remove(BOB, first.sequence)
        state = await self.state()
        self.assertEqual((state.message_count, state.unseen_count, state.size), (1, 1, 2))
        self.assertEqual([message.id for message in await self.listed()], [second.id])
        change = self.ear.heard[-1][1]
        self.assertEqual((change.kind, change.message_id), ("deleted", first.id))
        await self.assert_raises(NoSuchMessage, self.store.remove(BOB, first.sequence))
        self.assertEqual(self.ear.kinds(BOB), ["message", "message", "deleted"])

    async def test_empty(self) -> None:
        """An emptied mailbox holds nothing, stays open and takes mail again."""
        await self.create()
        await self.put(BOB)
        await self.put(BOB)
        await self.store.empty(BOB)
        state = await self.state()
        self.assertEqual((state.message_count, state.unseen_count, state.size), (0, 0, 0))
        await self.put(BOB, octets=b"new")
        self.assertEqual(await self.octets(), [b"new"])
        self.assertEqual(self.ear.kinds(BOB), ["message", "message", "emptied", "message"])

    # --- history ---

    async def test_changes_are_what_was_announced(self) -> None:
        """Who comes back reads, in order, what those who stayed were told."""
        start = (await self.create()).cursor
        await self.put(BOB)
        await self.store.extend(BOB, START + 100)
        await self.put(BOB)
        (first, _) = await self.listed()
        await self.store.remove(BOB, first.sequence)
        heard = [change for _, change in self.ear.heard if change.message_id or not change.message]
        heard.insert(1, self.ear.heard[2][1])
        found = await self.store.changes(BOB, start, 100)
        self.assertEqual(
            [(change.kind, change.sequence) for change in found],
            [(change.kind, change.sequence) for change in heard],
        )
        rest = await self.store.changes(BOB, found[0].sequence, 1)
        self.assertEqual([change.sequence for change in rest], [found[1].sequence])

    async def test_long_history(self) -> None:
        """A mailbox remembers so many changes; who missed more is told to read it anew."""
        start = (await self.create()).cursor
        for number in range(MAX_JOURNAL + 1):
            await self.store.extend(BOB, START + 100 + number)
        first, *rest = await self.store.changes(BOB, start, 1000)
        self.assertEqual((first.kind, len(rest)), ("resync", MAX_JOURNAL))
        self.assertLess(first.sequence, rest[0].sequence)
        self.assertEqual(await self.store.changes(BOB, first.sequence, 1000), rest)

    async def test_cursors_only_grow(self) -> None:
        """Within an address every later event has a greater number: also when the address was
        closed and restored, over and given out again, or opened by mail again and again."""
        await self.create()
        await self.put(BOB)
        await self.store.extend(BOB, START + 61)
        await self.store.empty(BOB)
        await self.store.close(BOB)
        await self.store.restore(BOB, MINTED)
        await self.put(BOB)
        self.clock.advance(60 + 1000)
        await self.create()
        await self.put(BOB)
        await self.store.close(BOB)
        await self.put_opening(BOB)
        self.clock.advance(60)
        await self.put_opening(BOB)
        heard = [change.sequence for _, change in self.ear.heard]
        self.assertEqual(len(heard), 11)
        self.assertEqual(heard, sorted(set(heard)))

    async def test_cursors_grow_over_a_restart(self) -> None:
        """What comes after a restart is behind every cursor given out before it."""
        await self.create()
        for _ in range(5):
            await self.put(BOB)
        cursor = (await self.state()).cursor
        self.clock.advance(1)
        self.store = self.make_store()
        await self.put_opening(BOB, octets=b"new")
        newer = await self.listed(after=cursor)
        self.assertEqual([message.parcel.octets for message in newer], [b"new"])

    async def test_followers_notice_another_mailbox(self) -> None:
        """Who followed an earlier mailbox of the address is told to read this one anew."""
        cursor = (await self.create()).cursor
        await self.store.close(BOB)
        await self.store.restore(BOB, MINTED)
        await self.put(BOB)
        found = await self.store.changes(BOB, cursor, 10)
        self.assertEqual([change.kind for change in found], ["resync", "message"])

    # --- mail that was refused ---

    async def test_attempts(self) -> None:
        """Refused mail is remembered for the owner, oldest first, so many and no more."""
        await self.create()
        for number in range(MAX_ATTEMPTS + 3):
            await self.store.note(BOB, attempt(number))
        found = await self.store.attempts(BOB)
        self.assertEqual([each.at for each in found], list(range(3, MAX_ATTEMPTS + 3)))

    async def test_attempts_go_with_the_mailbox(self) -> None:
        """Closing forgets them, and whoever opens the address again sees none; reading keeps."""
        await self.create()
        await self.store.note(BOB, attempt(1))
        await self.store.empty(BOB)
        self.assertEqual(await self.store.attempts(BOB), [attempt(1)])
        await self.store.close(BOB)
        await self.assert_raises(NoSuchMailbox, self.store.attempts(BOB))
        await self.store.note(BOB, attempt(2))
        await self.store.restore(BOB, MINTED)
        self.assertEqual(await self.store.attempts(BOB), [])

    async def test_attempts_open_nothing(self) -> None:
        """Noting one opens no mailbox, and where nobody holds a token it is for nobody."""
        await self.store.note(BOB, attempt(1))
        self.assertIsNone(await self.store.look(BOB))
        await self.put_opening(EVE)
        await self.store.note(EVE, attempt(1))
        self.assertEqual(await self.store.attempts(EVE), [])
        self.assertEqual(self.ear.kinds(EVE), ["message"])


def attempt(at: float) -> Attempt:
    """A refusal at this time."""
    return Attempt(at, "ann@example.org", "mx.example.org", "rcpt", "552 5.2.2 Mailbox full")
