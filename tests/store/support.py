"""What the contract of all stores is tested with: a clock, a listener, two mailboxes' openings.

The tests wait for their answers, so a store may take its time; they turn a clock that the store
takes for the time of day.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from tempmail.core.address import Address, parse_address
from tempmail.core.errors import TempmailError
from tempmail.core.limits import Limits
from tempmail.core.mailbox import Change, MailboxState, Opening
from tempmail.core.message import Envelope, Message
from tempmail.interfaces import IArrivalListener, IMailStore

if TYPE_CHECKING:
    _Base = TestCase
else:
    _Base = object

BOB, EVE, JOE = (parse_address(f"{name}@qa.test") for name in ("bob", "eve", "joe"))
ENVELOPE = Envelope("sender@example.org")
START = 1_700_000_000.0
LIMITS = Limits(
    max_messages=5, max_mailbox_size=100, mailboxes_per_client=2, quarantine=1000, memory=2**30
)
MINTED = Opening(lifetime=60, max_lifetime=600, token_hash=b"t", restore_hash=b"r")
BY_MAIL = Opening(lifetime=60, max_lifetime=600, public=True, minted=False)


@implementer(IArrivalListener)
class Ear:
    """Hears what a store announces."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Change]] = []

    def announce(self, address: Address, change: Change) -> None:
        self.heard.append((address.key, change))

    def kinds(self, address: Address) -> list[str]:
        return [change.kind for key, change in self.heard if key == address.key]


class StoreTests(_Base):
    """A store, and what is often done with it."""

    def make_store(self) -> IMailStore:
        """A store on ``clock`` and ``limits`` that tells ``ear``.

        Made again in one test, it is the store after a restart of the process.
        """
        raise NotImplementedError

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.limits = LIMITS
        self.ear = Ear()
        self.store = self.make_store()

    async def create(self, address: Address = BOB, **changed: Any) -> MailboxState:
        return await self.store.create(address, evolve(MINTED, **changed))

    async def put(self, *addresses: Address, octets: bytes = b"mail") -> None:
        await self.store.add(ENVELOPE, [(address, None) for address in addresses], octets)

    async def put_opening(self, *addresses: Address, octets: bytes = b"mail") -> None:
        await self.store.add(ENVELOPE, [(address, BY_MAIL) for address in addresses], octets)

    async def listed(self, address: Address = BOB, after: int = 0) -> list[Message]:
        return await self.store.messages(address, after, 100)

    async def octets(self, address: Address = BOB) -> list[bytes]:
        return [message.parcel.octets for message in await self.listed(address)]

    async def state(self, address: Address = BOB) -> MailboxState:
        state = await self.store.look(address)
        assert state is not None
        return state

    async def assert_raises(self, kind: type[TempmailError], answer: Awaitable[object]) -> None:
        try:
            await answer
        except kind as error:
            self.assertIs(type(error), kind)
            self.assertTrue(str(error), "an error says what is wrong")
        else:
            self.fail(f"{kind.__name__} was not raised")
