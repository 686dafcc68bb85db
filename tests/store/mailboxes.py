"""What every store does with mailboxes: opening, closing, quarantine, time."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from tempmail.core.address import parse_address
from tempmail.core.errors import AddressTaken, NoSuchMailbox, TooManyMailboxes
from tempmail.interfaces import IMailStore
from tests.store.support import BOB, EVE, JOE, LIMITS, MINTED, START, StoreTests


class MailboxContract(StoreTests):
    """A store's mailboxes, without their mail."""

    # --- opening and looking ---

    def test_is_a_store(self) -> None:
        """Every method of the interface is there and answers with a Deferred."""
        verifyObject(IMailStore, self.store)
        answer = self.store.look(BOB)
        self.assertIsInstance(answer, Deferred)

    async def test_create(self) -> None:
        """A new mailbox is open, empty, and ends a lifetime from now."""
        state = await self.create(parse_address("bob+tag@qa.test"), public=True)
        self.assertEqual(state.address.displayed, "bob@qa.test")
        self.assertEqual((state.closed, state.public), (False, True))
        self.assertEqual((state.token_hash, state.restore_hash), (b"t", b"r"))
        times = state.created_at, state.expires_at, state.max_expires_at
        self.assertEqual(times, (START, START + 60, START + 600))
        self.assertEqual((state.message_count, state.unseen_count, state.size), (0, 0, 0))
        self.assertEqual(await self.store.look(BOB), state)

    async def test_looking_makes_nothing(self) -> None:
        """An address nobody opened is unknown, and asking for it leaves it so."""
        self.assertIsNone(await self.store.look(BOB))
        self.assertEqual(await self.listed(), [])
        self.assertEqual(await self.store.changes(BOB, 0, 10), [])
        self.assertIsNone(await self.store.look(BOB))

    async def test_create_what_is_taken(self) -> None:
        """An address is given out once, and what its holder has stays as it is."""
        before = await self.create()
        await self.assert_raises(AddressTaken, self.create(lifetime=500, token_hash=b"other"))
        self.assertEqual(await self.state(), before)

    async def test_no_mailbox(self) -> None:
        """Whatever needs an open mailbox says so for an unknown address and for a closed one."""
        await self.create(EVE)
        await self.store.close(EVE)
        for address in (BOB, EVE):
            for answer in (
                self.store.close(address),
                self.store.extend(address, START + 100),
                self.store.rekey(address, b"new"),
                self.store.check_room(address, 1, None),
                self.put(address),
                self.store.message(address, 1),
                self.store.mark_seen(address, 1, True),
                self.store.remove(address, 1),
                self.store.empty(address),
            ):
                await self.assert_raises(NoSuchMailbox, answer)

    async def test_rekey(self) -> None:
        """Another token takes the place of the present one; the restore key stays."""
        await self.create()
        await self.store.rekey(BOB, b"new")
        state = await self.state()
        self.assertEqual((state.token_hash, state.restore_hash), (b"new", b"r"))

    async def test_check_ready(self) -> None:
        """A store that works says so."""
        await self.store.check_ready()

    # --- quarantine ---

    async def test_close(self) -> None:
        """A closed mailbox is empty and known as closed; whoever listens is told once."""
        await self.create()
        await self.put(BOB)
        await self.store.close(BOB)
        state = await self.state()
        self.assertEqual((state.closed, state.message_count, state.size), (True, 0, 0))
        self.assertEqual(await self.listed(), [])
        for after in (0, 1, state.cursor):
            self.assertEqual(await self.store.changes(BOB, after, 10), [])
        self.assertEqual(self.ear.kinds(BOB), ["message", "expired"])

    async def test_quarantine(self) -> None:
        """A closed address is nobody else's before its quarantine is over, and free then."""
        await self.create()
        await self.store.close(BOB)
        self.clock.advance(999.9)
        await self.assert_raises(AddressTaken, self.create())
        self.clock.advance(0.1)
        self.assertIsNone(await self.store.look(BOB))
        self.assertFalse((await self.create()).closed)

    async def test_restore(self) -> None:
        """A quarantined address is opened anew: empty, with a new life and new secrets."""
        await self.create()
        await self.put(BOB)
        await self.store.close(BOB)
        before = await self.state()
        self.clock.advance(999.9)
        opening = evolve(MINTED, lifetime=30, token_hash=b"T", public=True)
        state = await self.store.restore(BOB, opening)
        self.assertEqual((state.closed, state.message_count, state.public), (False, 0, True))
        self.assertEqual(state.token_hash, b"T")
        self.assertEqual(state.expires_at, self.clock.seconds() + 30)
        self.assertGreater(state.cursor, before.cursor)
        self.assertEqual(await self.octets(), [])

    async def test_restore_what_is_not_quarantined(self) -> None:
        """What is open is taken, what is unknown or past its quarantine is unknown."""
        await self.create()
        await self.assert_raises(AddressTaken, self.store.restore(BOB, MINTED))
        await self.assert_raises(NoSuchMailbox, self.store.restore(EVE, MINTED))
        await self.store.close(BOB)
        self.clock.advance(1000)
        await self.assert_raises(NoSuchMailbox, self.store.restore(BOB, MINTED))

    async def test_refused_restoring_keeps_the_quarantine(self) -> None:
        """Who may not restore now may later: the address is not lost over it."""
        await self.create()
        await self.store.close(BOB)
        for address in (EVE, JOE):
            await self.create(address, client="c")
        refused = self.store.restore(BOB, evolve(MINTED, client="c"))
        await self.assert_raises(TooManyMailboxes, refused)
        self.assertTrue((await self.state()).closed)
        await self.assert_raises(AddressTaken, self.create())

    async def test_opened_by_mail_leaves_no_quarantine(self) -> None:
        """An address that mail opened is free as soon as it is closed."""
        await self.put_opening(BOB, EVE)
        await self.store.close(BOB)
        self.assertIsNone(await self.store.look(BOB))
        self.clock.advance(60)
        self.assertIsNone(await self.store.look(EVE))
        self.assertEqual(self.ear.kinds(EVE), ["message", "expired"])

    async def test_no_quarantine_at_all(self) -> None:
        """With a quarantine of no time every address is free at once."""
        self.limits = evolve(LIMITS, quarantine=0)
        self.store = self.make_store()
        await self.create()
        await self.store.close(BOB)
        self.assertIsNone(await self.store.look(BOB))
        await self.create()

    # --- quota of mailboxes ---

    async def test_client_quota_counts_open_ones(self) -> None:
        """A client holds so many open mailboxes and no more; closed ones do not count."""
        await self.create(BOB, client="c")
        await self.create(EVE, client="c")
        await self.assert_raises(TooManyMailboxes, self.create(JOE, client="c"))
        self.assertIsNone(await self.store.look(JOE))
        await self.create(JOE, client="other")
        await self.store.close(BOB)
        await self.store.restore(BOB, evolve(MINTED, client="c"))
        self.clock.advance(60)
        await self.store.expire(self.clock.seconds() + 1)
        for name in ("new1", "new2"):
            await self.create(parse_address(f"{name}@qa.test"), client="c")

    async def test_no_client_no_quota(self) -> None:
        """Mailboxes that count against nobody are not counted."""
        for number in range(5):
            await self.create(parse_address(f"box{number}@qa.test"))

    # --- time ---

    async def test_past_due_is_closed(self) -> None:
        """A mailbox is open until its end and closed from it, whether or not expire ran."""
        await self.create()
        await self.put(BOB)
        self.clock.advance(59.9)
        self.assertFalse((await self.state()).closed)
        self.clock.advance(0.1)
        await self.assert_raises(NoSuchMailbox, self.put(BOB))
        self.assertEqual(await self.listed(), [])
        self.assertTrue((await self.state()).closed)

    async def test_quarantine_begins_at_the_end(self) -> None:
        """Nobody looked when a mailbox ended: its quarantine still counts from there."""
        await self.create()
        self.clock.advance(60 + 999)
        self.assertTrue((await self.state()).closed)
        self.clock.advance(1)
        self.assertIsNone(await self.store.look(BOB))

    async def test_clock_jumps(self) -> None:
        """After a long sleep everything is over at once, and everyone was told once."""
        await self.create()
        await self.put_opening(EVE)
        self.clock.advance(1_000_000)
        self.assertFalse(await self.store.expire(self.clock.seconds() + 1))
        self.assertIsNone(await self.store.look(BOB))
        self.assertEqual(self.ear.kinds(BOB), ["expired"])
        self.assertEqual(self.ear.kinds(EVE), ["message", "expired"])
        await self.create()

    async def test_expire(self) -> None:
        """What is due within a tick is closed and announced without anyone asking for it."""
        await self.create()
        await self.create(EVE, lifetime=120)
        self.clock.advance(60.5)
        self.assertFalse(await self.store.expire(self.clock.seconds() + 1))
        self.assertEqual((self.ear.kinds(BOB), self.ear.kinds(EVE)), (["expired"], []))
        self.assertFalse(await self.store.expire(self.clock.seconds() + 1))
        self.assertEqual(self.ear.kinds(BOB), ["expired"])

    async def test_extend(self) -> None:
        """An extended mailbox lives to its new end, and whoever follows it is told which."""
        await self.create()
        state = await self.store.extend(BOB, START + 90)
        self.assertEqual(state.expires_at, START + 90)
        self.assertEqual(self.ear.heard[-1][1].expires_at, START + 90)
        self.assertEqual(self.ear.heard[-1][1].sequence, state.cursor)
        self.clock.advance(89)
        self.assertFalse(await self.store.expire(self.clock.seconds() + 1))
        self.assertFalse((await self.state()).closed)
        self.clock.advance(1.5)
        await self.store.expire(self.clock.seconds() + 1)
        self.assertEqual(self.ear.kinds(BOB), ["extended", "expired"])

    async def test_shorten(self) -> None:
        """An end that is moved to the front counts, too."""
        await self.create()
        await self.store.extend(BOB, START + 10)
        self.clock.advance(10.5)
        await self.store.expire(self.clock.seconds() + 1)
        self.assertEqual(self.ear.kinds(BOB), ["extended", "expired"])
