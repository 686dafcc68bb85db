"""What a client can see before a restart and after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from attrs import evolve, fields
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tempmail.clock import Moment
from tempmail.core.address import Address, parse_address
from tempmail.core.errors import MailboxGone, NoSuchMailbox, TempmailError
from tempmail.core.kept import KeptMailbox, Recalled
from tempmail.core.limits import Limits
from tempmail.core.mailbox import Change, Mailbox, Opening
from tempmail.core.message import Attempt, Envelope, Message, Parcel
from tempmail.snapshot.records import Copy, KeptAttempt, KeptChange, MailboxRecord, MailRecord
from tests.office import OPERATOR, START, OfficeTestCase
from tests.snapshot.support import recall, written

NAMES = ("ann", "bob+tag", "größe", "cid")
LONG = 10**9


class RestartTestCase(OfficeTestCase):
    """A post office that goes on in another process."""

    def setUp(self) -> None:
        super().setUp()
        # The machine's clocks, which the process's own follows in these tests.
        self.wall = START

    def moment(self) -> Moment:
        return Moment(self.clock.seconds(), self.wall, self.clock.seconds(), "one")

    def restart(
        self,
        seconds: float = 0.0,
        wall: float | None = None,
        limits: Limits | None = None,
        operator_token: str | None = OPERATOR,
        boot: str = "one",
    ) -> Recalled:
        """End, and start again ``seconds`` later; the wall clock may have been set meanwhile."""
        octets = written(self.store, self.moment())
        ended = self.clock.seconds()
        self.wall += seconds if wall is None else wall
        self.build(self.limits if limits is None else limits, operator_token)
        # The steady clock of each process begins as the wall clock and runs with the boot's.
        up = ended + seconds
        self.clock.rightNow = self.wall
        now = Moment(self.wall, self.wall, up if boot == "one" else 5.0, boot)
        return recall(self.store, octets, now, self.office.access.renew)


class IdentityTests(RestartTestCase):
    """Everything is as it was."""

    def test_everything(self) -> None:
        """Mailboxes, mail, tokens, counts and changes are what they were, to the octet."""
        ann = self.mint("ann", client="192.0.2.1")
        bob = self.mint("bob", public=True, lifetime=3600)
        gone = self.mint("gone")
        catch_all = parse_address("any@qa.test")
        for minted in (ann, bob, gone):
            self.deliver(minted.mailbox.address)
        tagged = parse_address("ann+news@tempmail.test")
        self.deliver(tagged, bob.mailbox.address, catch_all, octets=bytes(range(256)) * 40)
        self.deliver("postmaster@tempmail.test")
        posted = self.office.post(
            bob.mailbox.address, sender="é", subject="s", body="b", posted=b'{"from":1'
        )
        self.now(posted)
        messages = self.listed(ann.mailbox.address, ann.token)
        self.now(self.office.mark_seen(bob.mailbox.address, None, messages[0].sequence + 1, True))
        address = ann.mailbox.address
        self.now(self.office.delete_message(address, ann.token, messages[0].sequence))
        self.now(self.office.extend(address, ann.token, 5000))
        self.now(self.office.delete_mailbox(gone.mailbox.address, gone.token))
        addresses = [*(one.mailbox.address for one in (ann, bob, gone)), catch_all]
        addresses.append(parse_address("postmaster@tempmail.test"))
        tokens = [ann.token, bob.token, gone.token, OPERATOR, "guess", None]

        before = self.seen(addresses, tokens)
        self.assertEqual(sum(not isinstance(one, str) for one in before.values()), 14)
        recalled = self.restart()
        self.assertEqual(recalled, Recalled(5, 6, 0, 0))
        self.assertEqual(self.seen(addresses, tokens), before)

    def test_restore_key(self) -> None:
        """The key that restores a quarantined address still does, and no other."""
        minted = self.mint("ann")
        self.pass_time(700)
        self.restart(100)
        address = minted.mailbox.address
        self.refused(NoSuchMailbox, self.office.restore(address, "guess"))
        again = self.now(self.office.restore(address, minted.restore_key))
        self.assertGreater(again.mailbox.cursor, minted.mailbox.cursor)

    def test_whose_memory_it_is(self) -> None:
        """What each client's mail and mailboxes take goes on counting against it."""
        minted = self.now(self.office.mint(payer="192.0.2.1"))
        address = minted.mailbox.address
        for client, recipient in (("192.0.2.2", address), ("192.0.2.3", "any@qa.test")):
            recipient = parse_address(recipient) if isinstance(recipient, str) else recipient
            envelope = Envelope("a@b", client=client)
            self.successResultOf(self.office.deliver(envelope, [recipient], b"x" * 100))
        self.now(self.office.extend(address, minted.token, 5000))
        before = dict(self.budget.held)
        self.assertEqual(set(before), {"192.0.2.1", "192.0.2.2", "192.0.2.3"})
        self.restart()
        self.assertEqual(self.budget.held, before)
        self.pass_time(LONG)
        self.assertEqual(self.budget.held, {})

    def test_shared_mail_stays_one(self) -> None:
        """A mail in several mailboxes is written once, and kept once afterwards."""
        octets = b"x" * 10_000
        names = [f"box{number}@qa.test" for number in range(50)]
        self.deliver(*names, octets=octets)
        used = self.budget.used
        self.assertLess(len(written(self.store, self.moment())), 2 * len(octets))
        self.restart()
        self.assertEqual(self.budget.used, used)
        parcels = {id(self.listed(parse_address(name))[0].parcel) for name in names}
        self.assertEqual(len(parcels), 1)

    def test_half_a_surrogate(self) -> None:
        """What is no text in UTF-8 comes in by no way, so it can not keep a snapshot from being."""
        address = self.mint(public=True).mailbox.address
        broken = "\ud800@web"
        self.now(self.office.post(address, sender=broken, subject=broken, body="", posted=b"{"))
        self.restart()
        self.assertEqual(len(self.listed(address)), 1)

    def test_client_quota(self) -> None:
        """What a client holds counts against it after a restart, and no longer than it lives."""
        for _ in range(3):
            self.mint(client="192.0.2.1", lifetime=100)
        self.restart()
        self.refused(TempmailError, self.office.mint(client="192.0.2.1"))
        self.pass_time(101)
        self.mint(client="192.0.2.1")

    def test_operators_token_of_today(self) -> None:
        """A new operator's token opens postmaster's mail of before; the old one does not."""
        postmaster = parse_address("postmaster@tempmail.test")
        self.deliver(postmaster)
        self.restart(operator_token="another")
        self.assertEqual(len(self.listed(postmaster, "another")), 1)
        self.refused(NoSuchMailbox, self.office.mailbox(postmaster, OPERATOR))
        self.restart(operator_token=None)
        for token in (OPERATOR, "another"):
            self.refused(NoSuchMailbox, self.office.mailbox(postmaster, token))

    def seen(self, addresses: Iterable[Address], tokens: Iterable[str | None]) -> dict[Any, Any]:
        """All that the web can learn of these addresses with these tokens."""
        found = {}
        for address in addresses:
            for token in tokens:
                found[address.key, token] = self.seen_with(address, token)
        return found

    def seen_with(self, address: Address, token: str | None) -> Any:
        outcome: list[Any] = []
        asked = Deferred.fromCoroutine(self.everything(address, token))
        asked.addBoth(outcome.append)
        error = getattr(outcome[0], "value", None)
        return outcome[0] if error is None else type(error).__name__

    async def everything(self, address: Address, token: str | None) -> Any:
        state = await self.office.mailbox(address, token)
        page = await self.office.messages(address, token, limit=100)
        told: list[Any] = [state, page.cursor]
        for message in page.messages:
            digest = await self.office.digest(message)
            whole = await self.office.whole(message)
            parcel = message.parcel
            told.append(
                (
                    message.id,
                    message.recipient.displayed,
                    message.seen,
                    digest,
                    whole,
                    parcel.octets,
                )
            )
            told.append((parcel.envelope, parcel.received_at, parcel.size))
        for after in (0, 1, *(message.sequence for message in page.messages), state.cursor):
            changes = await self.office.changes(address, token, after=after, limit=100, wait=0)
            told.append([(c.kind, c.sequence, c.message_id, c.expires_at) for c in changes])
        return told


octets = st.binary(max_size=50)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
envelopes = st.builds(Envelope, text, text, text, st.booleans(), text, st.one_of(st.none(), octets))


class AnyMailTests(SynchronousTestCase):
    """Hypothesis looks for a mail that does not come back."""

    @settings(max_examples=200, deadline=None, database=None)
    @given(
        st.lists(
            st.tuples(envelopes, octets, st.sets(st.sampled_from(NAMES), min_size=1)), max_size=8
        )
    )
    def test_any_mail(self, mails: list[tuple[Envelope, bytes, set[str]]]) -> None:
        """Whatever an envelope and a mail hold, they come back as they were."""
        case = RestartTestCase()
        case.setUp()
        for envelope, content, names in mails:
            addresses = [parse_address(f"{name}@qa.test") for name in sorted(names)]
            case.successResultOf(case.office.deliver(envelope, addresses, content))
        before = {name: self.held(case, name) for name in NAMES}
        case.restart()
        self.assertEqual({name: self.held(case, name) for name in NAMES}, before)

    def held(self, case: RestartTestCase, name: str) -> list[tuple[Any, ...]]:
        found = case.listed(parse_address(f"{name}@qa.test"))
        return [
            (one.sequence, one.recipient.displayed, one.parcel.envelope, one.parcel.octets)
            for one in found
        ]


class FieldTests(SynchronousTestCase):
    """A field that somebody adds later."""

    def test_every_field(self) -> None:
        """Whatever a mailbox or a mail knows is in a record, or known not to be needed there."""
        box, mail = set(MailboxRecord.__struct_fields__), set(MailRecord.__struct_fields__)
        copy = set(Copy.__struct_fields__)
        for kind, known in (
            (Opening, box),
            (KeptMailbox, box | {"address", "opening"}),
            (Mailbox, box | {"address", "opening", "_forgotten"} | self.counted),
            (Envelope, mail),
            (Parcel, mail | {"envelope", "_octets"} | self.understood),
            (Message, copy | {"recipient", "parcel"}),
            (Address, {"local", "domain", "tag", "key"}),
            (Change, {*KeptChange.__struct_fields__, "message"}),
            (Attempt, set(KeptAttempt.__struct_fields__)),
        ):
            self.assertEqual({field.name for field in fields(kind)} - known, set(), kind)

    # What follows from the rest.
    counted: ClassVar = {"messages", "size", "unseen_count", "due_group"}
    understood: ClassVar = {"holders", "reading", "whole", "reading_size"}


class TimeTests(RestartTestCase):
    """What time did meanwhile."""

    def ends_in(self, address: Address, token: str) -> float:
        return self.state(address, token).expires_at - self.clock.seconds()

    def test_goes_on(self) -> None:
        """The time between two processes counts."""
        minted = self.mint("ann", lifetime=600)
        self.restart(400)
        self.assertEqual(self.ends_in(minted.mailbox.address, minted.token), 200)
        self.pass_time(200)
        self.refused(MailboxGone, self.office.mailbox(minted.mailbox.address, minted.token))

    def test_over_meanwhile(self) -> None:
        """What ended meanwhile is gone, its address in quarantine from its end on, for the rest."""
        minted = self.mint("ann", lifetime=600)
        self.deliver(minted.mailbox.address)
        self.deliver("any@qa.test")
        recalled = self.restart(1000)
        self.assertEqual(recalled.messages, 0)
        self.refused(MailboxGone, self.office.mailbox(minted.mailbox.address, minted.token))
        self.assertEqual(self.listed(parse_address("any@qa.test")), [])
        self.refused(TempmailError, self.office.mint(local_part="ann"))
        self.pass_time(600 + self.limits.quarantine - 1000)
        self.mint("ann")

    def test_quarantine_goes_on(self) -> None:
        """A quarantine is over when it would have been without a restart."""
        minted = self.mint("ann")
        self.now(self.office.delete_mailbox(minted.mailbox.address, minted.token))
        self.restart(self.limits.quarantine - 1)
        self.refused(TempmailError, self.office.mint(local_part="ann"))
        self.restart(2)
        self.mint("ann")

    def test_nothing_is_left(self) -> None:
        """After all is over nothing is held, and nothing counted."""
        self.mint("ann", client="192.0.2.1")
        self.deliver("any@qa.test")
        self.restart(self.limits.quarantine + 700)
        self.pass_time(1)
        self.assertEqual(self.budget.used, 0)

    def test_the_wall_clock_was_set(self) -> None:
        """Within one boot a wall clock that is set, back or forth, changes no life."""
        for step in (-LONG, -3600, 3600, LONG):
            minted = self.mint(lifetime=600)
            self.restart(100, wall=step)
            self.assertEqual(self.ends_in(minted.mailbox.address, minted.token), 500)

    def test_another_boot(self) -> None:
        """From one boot to another the wall clock says how long it took."""
        minted = self.mint(lifetime=600)
        self.restart(wall=250, boot="another")
        self.assertEqual(self.ends_in(minted.mailbox.address, minted.token), 350)

    def test_another_boot_and_a_clock_gone_back(self) -> None:
        """Where it went back no life is longer than what was left of it."""
        minted = self.mint(lifetime=600)
        closed = self.mint("closed")
        self.now(self.office.delete_mailbox(closed.mailbox.address, closed.token))
        self.restart(wall=-(START - 50), boot="another")
        self.assertEqual(self.ends_in(minted.mailbox.address, minted.token), 600)
        self.refused(MailboxGone, self.office.mailbox(closed.mailbox.address, closed.token))

    def test_a_clock_at_its_beginning(self) -> None:
        """A machine that begins at 1970 forgets what is over as any other does."""
        minted = self.mint("ann")
        self.now(self.office.delete_mailbox(minted.mailbox.address, minted.token))
        self.mint("bob")
        self.deliver("any@qa.test")
        self.restart(LONG, wall=5 - START)
        self.assertEqual(self.budget.used, 0)

    def test_cursors_grow(self) -> None:
        """Whatever the clock does, what comes is behind every cursor given out before."""
        minted = self.mint("ann")
        self.deliver(minted.mailbox.address)
        cursor = self.state(minted.mailbox.address, minted.token).cursor
        self.restart(1, wall=-LONG)
        self.deliver(minted.mailbox.address)
        (newer,) = self.listed(minted.mailbox.address, minted.token, after=cursor)
        self.assertGreater(newer.sequence, cursor)
        self.restart(self.limits.quarantine + 700, wall=-100)
        again = self.mint("ann")
        self.assertGreater(again.mailbox.cursor, newer.sequence)


class RoomTests(RestartTestCase):
    """A memory smaller than what was kept."""

    def fill(self) -> tuple[Address, str]:
        minted = self.mint("ann")
        for number in range(10):
            self.deliver(minted.mailbox.address, octets=b"%d" % number * 1000)
        return minted.mailbox.address, minted.token

    def test_the_newest(self) -> None:
        """The newest mail is kept as far as it fits, and no octet more than that is held."""
        address, token = self.fill()
        memory = self.budget.used - 1
        recalled = self.restart(limits=evolve(self.limits, memory=memory))
        self.assertEqual(recalled, Recalled(1, 9, 0, 1))
        kept = [message.parcel.octets[:1] for message in self.listed(address, token)]
        self.assertEqual(kept, [b"%d" % number for number in range(1, 10)])
        self.assertLessEqual(self.budget.used, memory)
        state = self.state(address, token)
        self.assertEqual((state.message_count, state.size), (9, 9000))

    def test_who_followed_is_told(self) -> None:
        """Who followed a mailbox that lost mail is told to read it anew, wherever he was."""
        address, token = self.fill()
        cursors = [message.sequence for message in self.listed(address, token)]
        self.restart(limits=evolve(self.limits, memory=self.budget.used // 2))
        for after in cursors:
            asked = self.office.changes(address, token, after=after, limit=10, wait=0)
            self.assertEqual([change.kind for change in self.now(asked)], ["resync"])

    def test_no_room_for_mailboxes(self) -> None:
        """Mailboxes that do not fit go with their mail: quarantines first, then the oldest."""
        closed = self.mint("closed")
        self.now(self.office.delete_mailbox(closed.mailbox.address, closed.token))
        minted = [self.mint() for _ in range(3)]
        self.deliver(minted[0].mailbox.address)
        self.deliver(minted[1].mailbox.address)
        recalled = self.restart(limits=evolve(self.limits, memory=2 * 1000))
        self.assertEqual(recalled, Recalled(2, 0, 2, 2))
        self.assertEqual(self.budget.used, 2000)
        self.state(minted[0].mailbox.address, minted[0].token)
        self.state(minted[1].mailbox.address, minted[1].token)
        self.refused(NoSuchMailbox, self.office.mailbox(minted[2].mailbox.address, "x"))

    def test_other_limits_hold_for_what_comes(self) -> None:
        """A mailbox over a new bound keeps what it has, and takes nothing more."""
        address, token = self.fill()
        self.restart(limits=evolve(self.limits, max_messages=5, mailboxes_per_client=1))
        self.assertEqual(len(self.listed(address, token)), 10)
        refused = self.office.deliver(Envelope("a@b"), [address], b"x")
        self.failureResultOf(refused, TempmailError)
