"""The memory store against a plain model of it, through any sequence of events."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from attrs import Factory, define
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tempmail.core.address import Address, parse_address
from tempmail.core.budget import Budget
from tempmail.core.errors import TempmailError
from tempmail.core.limits import (
    CHANGE_COST,
    MAILBOX_COST,
    MESSAGE_COST,
    PARCEL_COST,
    Limits,
)
from tempmail.core.mailbox import Change, Opening
from tempmail.core.message import Envelope
from tempmail.interfaces import IArrivalListener
from tempmail.store.memory import MemoryStore

ADDRESSES = [parse_address(f"{name}@qa.test") for name in ("ann", "bob", "cid", "dot")]
QUARANTINE = 300
LIMITS = Limits(
    max_messages=4, max_mailbox_size=1000, mailboxes_per_client=2, quarantine=QUARANTINE, memory=1
)
# Room for some mailboxes and mails, so that it is full now and then.
MEMORY = 6 * MAILBOX_COST + 6 * (PARCEL_COST + MESSAGE_COST)

addresses = st.sampled_from(ADDRESSES)
clients = st.sampled_from(["", "one", "other"])


@define(eq=False)
class Mail:
    """One mail, in as many boxes as hold it."""

    octets: bytes
    reading_size: int = 0


@define(eq=False)
class Box:
    """What the model knows of an address: open, or closed since ``closed_at``."""

    opening: Opening
    opened_at: float
    expires_at: float
    cursor: int
    closed_at: float | None = None
    # Sequence to mail and whether it was seen.
    mails: dict[int, tuple[Mail, bool]] = Factory(dict)
    # Everything that was announced since the opening, as kind and sequence.
    history: list[tuple[str, int]] = Factory(list)


def now_or_why(answer: Deferred[Any]) -> Any:
    """The result, or the error, of what must be answered at once."""
    results: list[Any] = []
    answer.addBoth(results.append)
    (result,) = results
    error = getattr(result, "value", None)
    if error is not None and not isinstance(error, TempmailError):
        result.raiseException()
    return result if error is None else type(error).__name__


@implementer(IArrivalListener)
class StoreMachine(RuleBasedStateMachine):
    """Does anything in any order, and says beforehand what must come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.budget = Budget(MEMORY)
        self.store = MemoryStore(self.clock, LIMITS, self.budget, self)
        self.boxes: dict[str, Box] = {}
        self.last_sequence = 0
        self.cursors: dict[str, int] = {}

    def announce(self, address: Address, change: Change) -> None:
        """What the store tells listeners; numbers only ever grow."""
        assert change.sequence > self.last_sequence
        self.last_sequence = change.sequence
        self.box_of(address).history.append((change.kind, change.sequence))

    def box_of(self, address: Address) -> Box:
        return self.boxes[address.key]

    # --- what time did, in the model ---

    def catch_up(self, address: Address) -> Box | None:
        """The model's box as it must be by now; the store notices when it is asked."""
        now_or_why(self.store.look(address))
        now = self.clock.seconds()
        box = self.boxes.get(address.key)
        if box is not None and box.closed_at is None and box.expires_at <= now:
            self.close_box(address, box, box.expires_at)
            box = self.boxes.get(address.key)
        if box is not None and box.closed_at is not None and box.closed_at + QUARANTINE <= now:
            del self.boxes[address.key]
            box = None
        return box

    def open_box(self, address: Address) -> Box | None:
        box = self.catch_up(address)
        return box if box is not None and box.closed_at is None else None

    def close_box(self, address: Address, box: Box, at: float) -> None:
        box.closed_at = at
        box.mails.clear()
        if not box.opening.minted:
            del self.boxes[address.key]

    def put_box(self, address: Address, opening: Opening, cursor: int) -> Box:
        now = self.clock.seconds()
        box = Box(opening, now, now + opening.lifetime, cursor)
        self.boxes[address.key] = box
        return box

    def held_by(self, client: str) -> int:
        for address in ADDRESSES:
            self.catch_up(address)
        opened = [box for box in self.boxes.values() if box.closed_at is None]
        return sum(box.opening.client == client for box in opened)

    def why_not(self, octets: int, client: str) -> str | None:
        """The error for whom there is no room, in the budget or beside the others."""
        left = MEMORY - self.budget.used - octets
        if left < 0:
            return "MemoryFull"
        held = self.budget.held.get(client, 0)
        return "ShareSpent" if client and octets and held + octets > left else None

    # --- mailboxes ---

    @rule(
        address=addresses,
        client=clients,
        lifetime=st.sampled_from([1, 60, 200]),
        restore=st.booleans(),
    )
    def create(self, address: Address, client: str, lifetime: int, restore: bool) -> None:
        box = self.catch_up(address)
        opening = Opening(lifetime=lifetime, max_lifetime=500, client=client)
        if restore:
            expected = "NoSuchMailbox" if box is None else "AddressTaken"
            wrong = box is None or box.closed_at is None
            answer = partial(self.store.restore, address, opening)
        else:
            expected, wrong = "AddressTaken", box is not None
            answer = partial(self.store.create, address, opening, client)
        if not wrong and client and self.held_by(client) >= 2:
            expected, wrong = "TooManyMailboxes", True
        full = self.why_not(0 if restore else MAILBOX_COST, client)
        if not wrong and full:
            expected, wrong = full, True
        outcome = now_or_why(answer())
        if wrong:
            assert outcome == expected, (outcome, expected)
        else:
            self.put_box(address, opening, outcome.cursor)

    @rule(address=addresses)
    def close(self, address: Address) -> None:
        box = self.open_box(address)
        outcome = now_or_why(self.store.close(address))
        assert outcome == (None if box else "NoSuchMailbox")
        if box:
            self.close_box(address, box, self.clock.seconds())

    @rule(address=addresses, seconds=st.sampled_from([0.1, 30, 100, 400]))
    def extend(self, address: Address, seconds: float) -> None:
        box = self.open_box(address)
        until = self.clock.seconds() + seconds
        outcome = now_or_why(self.store.extend(address, until))
        if box:
            box.expires_at = until
        else:
            assert outcome == "NoSuchMailbox"

    # --- mail ---

    @rule(
        to=st.dictionaries(addresses, st.booleans(), min_size=1),
        octets=st.sampled_from([b"", b"x" * 100, b"x" * 400, b"x" * 1001]),
        client=clients,
    )
    def add(self, to: dict[Address, bool], octets: bytes, client: str) -> None:
        opening = Opening(lifetime=60, max_lifetime=500, public=True, minted=False)
        recipients = [(address, opening if opens else None) for address, opens in to.items()]
        refused, cost = set(), PARCEL_COST + len(octets)
        for address, opens in to.items():
            box = self.open_box(address)
            sizes = [len(mail.octets) for mail, _ in box.mails.values()] if box else []
            if box is None and opens is False:
                refused.add("NoSuchMailbox")
            elif len(sizes) >= 4 or sum(sizes) + len(octets) > 1000:
                refused.add("MailboxFull")
            cost += MESSAGE_COST + (0 if address.key in self.boxes else MAILBOX_COST)
        before = self.last_sequence
        expected = None
        if refused:
            expected = refused.pop() if len(to) == 1 else "SomeRefused"
        elif full := self.why_not(cost, client):
            expected = full
        else:
            # The model opens first, for the store announces to it while it works.
            for address, _ in recipients:
                if self.open_box(address) is None:
                    self.put_box(address, opening, 0)
        outcome = now_or_why(self.store.add(Envelope("a@b", client=client), recipients, octets))
        assert outcome == expected, (outcome, expected)
        if expected is None:
            mail = Mail(octets)
            for address, _ in recipients:
                box = self.box_of(address)
                kind, sequence = box.history[-1]
                assert kind == "message"
                assert sequence > before
                box.mails[sequence] = mail, False

    def some_mail(self, address: Address, choice: int) -> tuple[Box | None, int]:
        box = self.open_box(address)
        sequences = [*box.mails, 7] if box else [7]
        return box, sequences[choice % len(sequences)]

    @rule(address=addresses, choice=st.integers(0, 4), seen=st.booleans())
    def mark(self, address: Address, choice: int, seen: bool) -> None:
        box, sequence = self.some_mail(address, choice)
        outcome = now_or_why(self.store.mark_seen(address, sequence, seen))
        if box and sequence in box.mails:
            box.mails[sequence] = box.mails[sequence][0], seen
            assert (outcome.sequence, outcome.seen) == (sequence, seen)
        else:
            assert outcome == ("NoSuchMessage" if box else "NoSuchMailbox")

    @rule(address=addresses, choice=st.integers(0, 4))
    def remove(self, address: Address, choice: int) -> None:
        box, sequence = self.some_mail(address, choice)
        outcome = now_or_why(self.store.remove(address, sequence))
        if box and sequence in box.mails:
            del box.mails[sequence]
            assert outcome is None
        else:
            assert outcome == ("NoSuchMessage" if box else "NoSuchMailbox")

    @rule(address=addresses)
    def empty(self, address: Address) -> None:
        box = self.open_box(address)
        outcome = now_or_why(self.store.empty(address))
        assert outcome == (None if box else "NoSuchMailbox")
        if box:
            box.mails.clear()

    @rule(address=addresses, choice=st.integers(0, 4), size=st.integers(1, 50))
    def understand(self, address: Address, choice: int, size: int) -> None:
        """Somebody reads a mail, and what was understood is charged with it."""
        box, sequence = self.some_mail(address, choice)
        if box and sequence in box.mails:
            mail = box.mails[sequence][0]
            parcel = now_or_why(self.store.message(address, sequence)).parcel
            assert parcel.octets == mail.octets
            if not mail.reading_size and self.budget.take(size, parcel.reader):
                mail.reading_size = parcel.reading_size = size

    # --- time ---

    @rule(seconds=st.sampled_from([0, 0.1, 1, 10, 59.9, 60, 200, 299.9, 300, 1000]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def expire(self) -> None:
        """All that is over by a tick is gone, and what is held is what the model holds."""
        assert now_or_why(self.store.expire(self.clock.seconds() + 1)) is False
        for address in ADDRESSES:
            self.catch_up(address)
        now_or_why(self.store.expire(self.clock.seconds() + 1))
        mails = {mail for box in self.boxes.values() for mail, _ in box.mails.values()}
        used = MAILBOX_COST * len(self.boxes)
        used += MESSAGE_COST * sum(len(box.mails) for box in self.boxes.values())
        used += sum(PARCEL_COST + len(mail.octets) + mail.reading_size for mail in mails)
        history = sum(len(kept.journal) for kept in self.store._shelves.mailboxes)
        assert self.budget.used == used + CHANGE_COST * history

    # --- followers ---

    @rule(address=addresses, limit=st.integers(1, 5))
    def follow(self, address: Address, limit: int) -> None:
        """Whoever follows an address sees what was announced, each change once and in order."""
        box = self.open_box(address)
        cursor = self.cursors.get(address.key, 0)
        seen: list[tuple[str, int]] = []
        while page := now_or_why(self.store.changes(address, cursor, limit)):
            assert len(page) <= limit
            seen += [(change.kind, change.sequence) for change in page]
            assert page[0].sequence > cursor
            cursor = page[-1].sequence
        if box is None:
            assert not seen
            return
        behind = self.cursors.get(address.key, 0)
        resyncs = [place for place, (kind, _) in enumerate(seen) if kind == "resync"]
        if resyncs:
            # Told to read anew, by its first page or, after one from the beginning, by a later one.
            assert behind > 0 or resyncs[0] > 0
            behind = seen[resyncs[-1]][1]
            seen = seen[resyncs[-1] + 1 :]
        elif not behind and seen:
            # From the beginning: what the journal lost is missing at the front.
            kinds = [sequence for kind, sequence in seen if kind != "message"]
            behind = kinds[0] - 1 if kinds else behind
            seen = [one for one in seen if one[1] > behind]
        expected = [
            (kind, sequence)
            for kind, sequence in box.history
            if sequence > behind and (kind != "message" or sequence in box.mails)
        ]
        if behind or not any(kind != "message" for kind, _ in expected):
            assert seen == expected, (seen, expected)
        self.cursors[address.key] = max(cursor, self.cursors.get(address.key, 0))

    # --- what is to be seen, and what always holds ---

    @invariant()
    def budget_is_what_is_there(self) -> None:
        """The budget is the sum over the objects, those on their way out among them.

        And what it says of each client is the sum over those that are the client's.
        """
        boxes = self.store._shelves.mailboxes
        messages = [message for box in boxes for message in box.messages]
        messages += [message for batch in self.store._shelves.removed.batches for message in batch]
        parcels = {id(message.parcel): message.parcel for message in messages}
        held: Counter[str] = Counter()
        for box in boxes:
            held[box.payer] += MAILBOX_COST + CHANGE_COST * len(box.journal)
        for message in messages:
            held[message.parcel.envelope.client] += MESSAGE_COST
        for parcel in parcels.values():
            held[parcel.envelope.client] += parcel.cost
            held[parcel.reader] += parcel.reading_size
        assert self.budget.used == held.total()
        del held[""]
        assert self.budget.held == +held
        for parcel in parcels.values():
            assert parcel.holders == sum(message.parcel is parcel for message in messages)

    @invariant()
    def tally_is_what_is_there(self) -> None:
        """What the store says it holds is what it holds, and every mailbox came and went once."""
        boxes, tally = self.store._shelves.mailboxes, self.store.tally
        messages = [message for box in boxes for message in box.messages]
        messages += [message for batch in self.store._shelves.removed.batches for message in batch]
        parcels = {id(message.parcel): message.parcel for message in messages}
        assert tally.messages == len(messages)
        assert tally.octets == sum(parcel.size for parcel in parcels.values())
        assert tally.mailboxes == sum(not box.closed for box in boxes)
        assert tally.quarantine == sum(box.closed for box in boxes)
        gone = tally.expired + tally.deleted
        assert tally.recalled + tally.minted + tally.opened - gone == tally.mailboxes
        assert sum(tally.lag.counts) == tally.expired

    @rule()
    def look(self) -> None:
        """What the store says of each address is what the model says."""
        for address in ADDRESSES:
            box = self.catch_up(address)
            state = now_or_why(self.store.look(address))
            listed = now_or_why(self.store.messages(address, 0, 100))
            if box is None:
                assert (state, listed) == (None, [])
                continue
            assert state.closed == (box.closed_at is not None)
            assert [message.sequence for message in listed] == list(box.mails)
            unseen = sum(not seen for _, seen in box.mails.values())
            size = sum(len(mail.octets) for mail, _ in box.mails.values())
            counts = state.message_count, state.unseen_count, state.size
            assert counts == (len(box.mails), unseen, size)
            assert state.created_at == box.opened_at
            if not state.closed:
                assert state.expires_at == box.expires_at

    def teardown(self) -> None:
        """In the end everything goes, and nothing stays charged."""
        self.clock.advance(10_000)
        now_or_why(self.store.expire(self.clock.seconds() + 1))
        assert (self.budget.used, self.budget.held) == (0, {})
        assert not self.store._shelves._held.counts


class StoreModelTests(SynchronousTestCase):
    """Hypothesis looks for the shortest way to a difference."""

    def test_any_sequence(self) -> None:
        """Whatever happens in whatever order, store and model agree."""
        run_state_machine_as_test(
            StoreMachine,
            settings=settings(
                max_examples=150, stateful_step_count=50, deadline=None, database=None
            ),
        )
