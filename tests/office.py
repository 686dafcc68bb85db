"""A post office with a clock of our own, for those who test what may be done in it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import Address, parse_address
from tempmail.core.budget import Budget
from tempmail.core.domains import Domains
from tempmail.core.errors import TempmailError
from tempmail.core.limits import Limits
from tempmail.core.mailbox import MailboxState
from tempmail.core.message import Envelope, Message
from tempmail.doorbell import Doorbell
from tempmail.postoffice import PostOffice
from tempmail.reading import Reading
from tempmail.store.memory import MemoryStore
from tempmail.waiting import Minted, Page
from tests.workers import in_this_process

T = TypeVar("T")
START = 1_700_000_000.0
OPERATOR = "the operator's token"
DOMAINS = Domains.parse(["tempmail.test", "qa.test:catch-all", "*.ci.test:catch-all"])


def mail(subject: str = "Hello", sender: str = "Ann <ann@shop.test>", text: str = "hi") -> bytes:
    """The octets of a mail."""
    return f"From: {sender}\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()


class OfficeTestCase(SynchronousTestCase):
    """A post office with a minted and two catch-all domains, and an operator."""

    store_class: type[MemoryStore] = MemoryStore

    def setUp(self) -> None:
        self.build(Limits(memory=2**30, mailboxes_per_client=3))

    def build(self, limits: Limits, operator_token: str | None = OPERATOR) -> None:
        """The house anew, with these limits."""
        self.limits = limits
        self.clock = Clock()
        self.clock.advance(START)
        self.budget = Budget(limits.memory)
        self.doorbell = Doorbell(self.clock)
        self.store = self.store_class(self.clock, limits, self.budget, self.doorbell)
        self.office = PostOffice(
            self.clock,
            self.store,
            self.doorbell,
            Reading(self.budget, in_this_process),
            self.budget,
            DOMAINS,
            limits,
            operator_token,
        )

    # --- answers ---

    def start(self, asked: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
        """Ask, and get the answer when there is one."""
        return Deferred.fromCoroutine(asked)

    def now(self, asked: Coroutine[Deferred[Any], Any, T]) -> T:
        """The answer that is there at once."""
        return self.successResultOf(self.start(asked))

    def refused(
        self, kind: type[TempmailError], asked: Coroutine[Deferred[Any], Any, Any]
    ) -> TempmailError:
        """The error that is there at once."""
        error = self.failureResultOf(self.start(asked), kind).value
        assert isinstance(error, TempmailError)
        return error

    # --- what is often done ---

    def mint(self, local_part: str | None = None, **more: Any) -> Minted:
        """A new mailbox."""
        return self.now(self.office.mint(local_part=local_part, **more))

    def deliver(self, *recipients: Address | str, octets: bytes | None = None) -> None:
        """Deliver one mail."""
        addresses = [parse_address(r) if isinstance(r, str) else r for r in recipients]
        octets = mail() if octets is None else octets
        self.successResultOf(self.office.deliver(Envelope("ann@shop.test"), addresses, octets))

    def listed(self, address: Address, token: str | None = None, **more: Any) -> list[Message]:
        """What is in a mailbox."""
        return list(self.now(self.office.messages(address, token, limit=100, **more)).messages)

    def state(self, address: Address, token: str | None = None) -> MailboxState:
        """The state of a mailbox."""
        return self.now(self.office.mailbox(address, token))

    def pass_time(self, seconds: float) -> None:
        """Time goes by, and what is over by then is closed."""
        self.clock.advance(seconds)
        self.successResultOf(self.store.expire(self.clock.seconds() + 1))
        self.clock.advance(0)


class WaitingTestCase(OfficeTestCase):
    """Somebody holds a mailbox and waits at it."""

    def setUp(self) -> None:
        super().setUp()
        self.open()

    def open(self) -> None:
        minted = self.mint()
        self.address, self.token = minted.mailbox.address, minted.token

    def wait(
        self, seconds: float = 30, address: Address | None = None, **more: Any
    ) -> Deferred[Page]:
        token = more.pop("token", None if address else self.token)
        address = address or self.address
        return self.start(
            self.office.messages(address, token, wait=seconds, **{"limit": 50, **more})
        )

    def follow(self, after: int) -> Deferred[Any]:
        asked = self.office.changes(self.address, self.token, after=after, limit=10, wait=30)
        return self.start(asked)

    def turn(self) -> None:
        self.clock.advance(0)

    def assert_no_trace(self) -> None:
        self.assertEqual(self.doorbell.listeners, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
