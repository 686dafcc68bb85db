"""One mailbox: its order, its history, its quota and its counts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import parse_address
from tempmail.core.errors import MailboxFull, NoSuchMessage
from tempmail.core.limits import Limits
from tempmail.core.mailbox import Change, Mailbox, Opening
from tempmail.core.message import Envelope, Message, Parcel

ADDRESS = parse_address("bob@qa.test")


class MailboxTests(SynchronousTestCase):
    """What a mailbox holds and tells."""

    def setUp(self) -> None:
        self.mailbox = Mailbox(ADDRESS, Opening(lifetime=60, max_lifetime=600), 1000.0, 1060.0, 5)

    def put(self, *sequences: int, octets: bytes = b"mail") -> None:
        for sequence in sequences:
            self.mailbox.add(Message(sequence, ADDRESS, Parcel(Envelope("a@b"), octets, 1000.0)))

    def record(self, *sequences: int, grow: bool = True) -> None:
        for sequence in sequences:
            self.mailbox.record(Change("extended", sequence), grow)

    def since(self, after: int, limit: int = 100) -> list[int]:
        return [message.sequence for message in self.mailbox.since(after, limit)]

    def changes(self, after: int, limit: int = 100) -> list[tuple[str, int]]:
        found = self.mailbox.changes(after, limit)
        return [(change.kind, change.sequence) for change in found]

    # --- messages ---

    def test_since_is_behind_and_in_order(self) -> None:
        """A list begins behind the cursor, oldest first, whether or not the cursor still exists."""
        self.put(10, 20, 30)
        self.mailbox.remove(20)
        self.assertEqual(self.since(0), [10, 30])
        self.assertEqual(self.since(10), [30])
        self.assertEqual(self.since(20), [30])
        self.assertEqual(self.since(30), [])
        self.assertEqual(self.since(2**70), [])

    def test_paging_meets_everything_once(self) -> None:
        """Pages that go on from the last cursor hold every message once."""
        self.put(*range(10, 110))
        seen: list[int] = []
        while page := self.since(seen[-1] if seen else 0, limit=7):
            seen += page
        self.assertEqual(seen, list(range(10, 110)))

    def test_a_list_is_the_readers_own(self) -> None:
        """What was listed does not change when the mailbox does."""
        self.put(10)
        listed = self.mailbox.since(0, 100)
        self.put(20)
        self.mailbox.remove_all()
        self.assertEqual([message.sequence for message in listed], [10])

    def test_counts(self) -> None:
        """Size, number and how many are unseen follow what comes, is read and goes."""
        self.put(10, 20, octets=b"12345")
        self.put(30, octets=b"")
        self.assertEqual(self.counts(), (3, 3, 10))
        self.mailbox.mark(10, True)
        self.mailbox.mark(10, True)
        self.assertEqual(self.counts(), (3, 2, 10))
        self.mailbox.remove(10)
        self.assertEqual(self.counts(), (2, 2, 5))
        self.mailbox.mark(20, True)
        self.mailbox.mark(20, False)
        self.assertEqual(self.counts(), (2, 2, 5))
        self.assertEqual(len(self.mailbox.remove_all()), 2)
        self.assertEqual(self.counts(), (0, 0, 0))

    def counts(self) -> tuple[int, int, int]:
        state = self.mailbox.state()
        return state.message_count, state.unseen_count, state.size

    def test_one_message(self) -> None:
        """A message is found by its place; any other number is none."""
        self.put(10, 20)
        self.assertEqual(self.mailbox.message(20).sequence, 20)
        for sequence in (0, -1, 11, 21, 2**70):
            self.assertRaises(NoSuchMessage, self.mailbox.message, sequence)
            self.assertRaises(NoSuchMessage, self.mailbox.remove, sequence)
            self.assertRaises(NoSuchMessage, self.mailbox.mark, sequence, True)

    # --- quota ---

    def test_as_many_messages_as_allowed(self) -> None:
        """The last message the quota allows fits, and no other."""
        limits = Limits(max_messages=2)
        self.put(10)
        self.mailbox.check_room(4, limits)
        self.put(20)
        self.assertRaises(MailboxFull, self.mailbox.check_room, 0, limits)

    def test_as_many_octets_as_allowed(self) -> None:
        """The last octet the quota allows fits, and no other."""
        limits = Limits(max_mailbox_size=10)
        self.put(10, octets=b"123456")
        self.mailbox.check_room(4, limits)
        self.assertRaises(MailboxFull, self.mailbox.check_room, 5, limits)

    # --- history ---

    def test_changes_are_in_order(self) -> None:
        """Arrivals and all else come in the order they happened."""
        self.put(10)
        self.record(11, 12)
        self.put(13)
        self.record(14)
        expected = [("message", 10), ("extended", 11), ("extended", 12), ("message", 13)]
        self.assertEqual(self.changes(5), [*expected, ("extended", 14)])
        self.assertEqual(self.changes(0, limit=4), expected)
        self.assertEqual(self.changes(11, limit=1), [("extended", 12)])
        self.assertEqual(self.changes(14), [])
        self.assertEqual(self.mailbox.state().cursor, 14)

    def test_paging_through_changes(self) -> None:
        """Pages of any length hold every change once, in order."""
        self.put(10, 20)
        self.record(*range(21, 41))
        self.put(50, 60)
        for limit in (1, 2, 7):
            after, seen = 5, 0
            while page := self.mailbox.changes(after, limit):
                self.assertGreater(page[0].sequence, after)
                after, seen = page[-1].sequence, seen + len(page)
            self.assertEqual(seen, 24)

    def test_forgotten_changes_ask_for_a_new_look(self) -> None:
        """Who missed what the journal no longer holds is told so, and goes on from there."""
        self.record(10)
        self.put(11)
        self.record(12, 13, 14, 15, grow=False)
        self.assertEqual(self.changes(9), [("resync", 14), ("extended", 15)])
        self.assertEqual(self.changes(13, limit=1), [("resync", 14)])
        self.assertEqual(self.changes(14), [("extended", 15)])

    def test_nothing_remembered(self) -> None:
        """A change there was no room for at all is a reason for a new look."""
        self.record(10, grow=False)
        self.assertEqual(self.changes(9), [("resync", 10)])
        self.assertEqual(self.changes(10), [])

    def test_from_the_beginning_needs_no_new_look(self) -> None:
        """A cursor of 0 asks for what there is now, so nothing can be missing."""
        self.put(11)
        self.record(12)
        self.record(13, grow=False)
        self.assertEqual(self.changes(0), [("message", 11), ("extended", 13)])

    def test_cursor_of_an_earlier_mailbox(self) -> None:
        """Who followed an earlier mailbox of this address learns that this is another."""
        self.put(10)
        self.assertEqual(self.changes(4), [("resync", 5), ("message", 10)])
        self.assertEqual(self.changes(5), [("message", 10)])

    # --- time ---

    def test_ends(self) -> None:
        """A mailbox is due at its end, and closed it is due when its quarantine is over."""
        self.assertEqual((self.mailbox.due_at, self.mailbox.closed), (1060.0, False))
        self.assertEqual(self.mailbox.max_expires_at, 1600.0)
        self.record(6)
        self.mailbox.quarantine(Change("expired", 7), 2000.0)
        self.assertEqual((self.mailbox.due_at, self.mailbox.closed), (2000.0, True))
        self.assertEqual((self.mailbox.state().cursor, self.changes(5)), (7, []))

    def test_secrets_are_not_shown(self) -> None:
        """No hash of a secret and no client is in what a log would show."""
        opening = Opening(
            lifetime=1,
            max_lifetime=1,
            token_hash=b"SECRET",
            restore_hash=b"SECRET",
            client="CLIENT",
        )
        state = Mailbox(ADDRESS, opening, 0.0, 1.0, 1).state()
        self.assertNotRegex(repr((opening, state)), "SECRET|CLIENT")
