"""Octets of all kinds given to the reader of snapshots.

A second by default; for longer, say how many seconds:

    TEMPMAIL_FUZZ_SECONDS=600 python -m twisted.trial tests.snapshot.test_fuzz
"""

from __future__ import annotations

import os
import time
from io import BytesIO
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import msgpack
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import parse_address
from tempmail.core.budget import Budget
from tempmail.core.limits import MAILBOX_COST
from tempmail.core.mailbox import Opening
from tempmail.core.message import Envelope
from tempmail.snapshot.frames import Damaged, FrameWriter
from tempmail.store.memory import MemoryStore
from tests.snapshot.support import moment, recall, written
from tests.store.support import BOB, BY_MAIL, EVE, JOE, LIMITS, MINTED, START, Ear

SECONDS = float(os.environ.get("TEMPMAIL_FUZZ_SECONDS", "1"))
# Examples between two looks at the clock.
EXAMPLES = 200
MEMORY = 20 * MAILBOX_COST


def a_clock() -> Clock:
    clock = Clock()
    clock.advance(START)
    return clock


def good_records() -> list[list[Any]]:
    """The records of a snapshot that has something of everything."""
    clock = a_clock()
    store = MemoryStore(clock, LIMITS, Budget(2**30), Ear())
    opening = Opening(lifetime=60, max_lifetime=600, token_hash=b"t" * 32, client="192.0.2.1")
    store.create(BOB, opening)
    store.create(EVE, MINTED)
    tagged = parse_address("bob+tag@qa.test")
    envelope = Envelope("sender@example.org", "client", "192.0.2.7", posted=b"{}")
    for number in range(3):
        recipients = [(tagged, None), (EVE, None), (JOE, BY_MAIL)]
        store.add(envelope, recipients, b"mail %d" % number)
    store.extend(BOB, START + 99)
    store.close(EVE)
    return [msgpack.decode(record) for record in _split(written(store, moment(clock)))]


def _split(octets: bytes) -> list[bytes]:
    found, place = [], octets.index(b"\n") + 1
    while place < len(octets):
        end = place + 12 + int.from_bytes(octets[place : place + 8], "big")
        found.append(octets[place + 12 : end])
        place = end
    return found


def framed(records: list[Any]) -> bytes:
    """A snapshot of these records, its frames and checksums right."""
    stream = BytesIO()
    writer = FrameWriter(stream)
    for record in records:
        writer.write(record if isinstance(record, bytes) else msgpack.encode(record))
    return stream.getvalue()


GOOD_RECORDS = good_records()
GOOD = framed(GOOD_RECORDS)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.sampled_from(["head", "box", "mail", "end", "deleted", "bob@qa.test", 0, -1, 2**62, 1e300]),
)
# The keys of mailboxes, and numbers about those there are, are where one thing leads to another.
_OF_TYPE: dict[type, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.one_of(
        st.integers(0, 2**62),
        st.integers(-50, 50).map(lambda step: int(START * 1_000_000) + step),
    ),
    float: st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(-1000, 1000).map(lambda step: START + step),
    ),
    str: st.one_of(
        st.text(max_size=8),
        st.sampled_from(["bob", "eve", "bob@qa.test", "eve@qa.test", "joe@qa.test", "qa.test"]),
    ),
    bytes: st.binary(max_size=40),
}
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=12)


@st.composite
def spoiled_octets(draw: st.DrawFn) -> bytes:
    """A good snapshot with some octets changed, taken out or put in."""
    octets = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(octets)))
        length = draw(st.integers(0, 40))
        octets[start : start + length] = draw(st.binary(max_size=40))
    return bytes(octets)


@st.composite
def spoiled_records(draw: st.DrawFn) -> bytes:
    """Good frames around records with something else in some places, or in another order."""
    records: list[Any] = [_copied(record) for record in GOOD_RECORDS]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(records) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                records[place] = draw(values)
            case 1:
                records.insert(place, _copied(draw(st.sampled_from(GOOD_RECORDS))))
            case 2 if len(records) > 1:
                del records[place]
            case _:
                _spoil(draw, records[place])
    return framed(records)


def _copied(value: Any) -> Any:
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _spoil(draw: st.DrawFn, value: Any) -> None:
    """Put something else into one place of a record, however deep."""
    while isinstance(value, list) and value:
        place = draw(st.integers(0, len(value) - 1))
        if isinstance(value[place], list) and value[place] and draw(st.booleans()):
            value = value[place]
            continue
        value[place] = draw(_others(value[place]))
        return


def _others(value: Any) -> st.SearchStrategy[Any]:
    """Mostly values of the same type, which are likelier to be taken for good."""
    same = _OF_TYPE.get(type(value), values)
    return st.one_of(same, same, values)


anything = st.one_of(
    spoiled_records(),
    spoiled_octets(),
    st.binary(max_size=200),
    st.binary(max_size=200).map(lambda octets: GOOD[:20] + octets),
    st.lists(st.one_of(st.binary(max_size=40), values), max_size=5).map(framed),
)


class FuzzTests(SynchronousTestCase):
    """Whatever it reads, the reader has it or says that it is damaged."""

    def test_good(self) -> None:
        """What is spoiled below is good before."""
        self.assertTrue(self.reads(GOOD))

    def test_anything(self) -> None:
        """Whatever the octets, all of them are taken in or none, and nothing ever raises."""
        until = time.monotonic() + SECONDS
        while True:
            self.try_some()
            if time.monotonic() >= until:
                return

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(anything)
    def try_some(self, octets: bytes) -> None:
        self.reads(octets)

    def reads(self, octets: bytes) -> bool:
        """Whether they were read; either way the store works, and ends empty."""
        clock = a_clock()
        budget = Budget(MEMORY)
        store = MemoryStore(clock, LIMITS, budget, Ear())
        try:
            recall(store, octets, moment(clock))
        except Damaged:
            self.assertEqual(budget.used, 0)
            taken = False
        else:
            taken = True
        self.assertLessEqual(budget.used, MEMORY)
        for address in (BOB, EVE, JOE):
            self.successResultOf(store.messages(address, 0, 10))
            self.successResultOf(store.changes(address, 1, 10))
            self.successResultOf(store.look(address))
        again = MemoryStore(clock, LIMITS, Budget(MEMORY), Ear())
        recall(again, written(store, moment(clock)), moment(clock))
        clock.rightNow = 1e20
        self.assertFalse(self.successResultOf(store.expire(2e20)))
        self.assertEqual(budget.used, 0)
        return taken
