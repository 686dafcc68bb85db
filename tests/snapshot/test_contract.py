"""The memory store, written and read again before whatever is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import alsoProvides

from tempmail.core.budget import Budget
from tempmail.core.limits import Limits
from tempmail.interfaces import IArrivalListener, IMailStore
from tempmail.store.memory import MemoryStore
from tests.snapshot.support import moment, recall, written
from tests.store.contract import StoreContract
from tests.store.test_model import LIMITS, MEMORY, StoreMachine


class RestartedStore:
    """A store whose process ends and starts again before every call."""

    def __init__(self, clock: Clock, limits: Limits, listener: IArrivalListener) -> None:
        self._arguments = clock, limits, listener
        self._clock = clock
        self._store = self._empty()
        alsoProvides(self, IMailStore)

    def _empty(self) -> MemoryStore:
        clock, limits, listener = self._arguments
        return MemoryStore(clock, limits, Budget(limits.memory), listener)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in IMailStore:
            raise AttributeError(name)

        def call(*arguments: Any) -> Any:
            octets = written(self._store, moment(self._clock))
            self._store = self._empty()
            recall(self._store, octets, moment(self._clock))
            return getattr(self._store, name)(*arguments)

        return call


class RestartedStoreTests(StoreContract, TestCase):
    """The contract of every store, with a restart before every call."""

    def make_store(self) -> IMailStore:
        store: Any = RestartedStore(self.clock, self.limits, self.ear)
        return store  # type: ignore[no-any-return]


class RestartingMachine(StoreMachine):
    """Anything in any order, restarts among it."""

    @rule(seconds=st.sampled_from([0, 1, 60, 300]))
    def restart(self, seconds: float) -> None:
        octets = written(self.store, moment(self.clock))
        self.clock.advance(seconds)
        self.budget = Budget(MEMORY)
        self.store = MemoryStore(self.clock, LIMITS, self.budget, self)
        recalled = recall(self.store, octets, moment(self.clock))
        assert (recalled.lost_mailboxes, recalled.lost_messages) == (0, 0)
        for box in self.boxes.values():
            for mail, _ in box.mails.values():
                # What was understood of a mail is found out anew.
                mail.reading_size = 0


class RestartingModelTests(SynchronousTestCase):
    """Hypothesis looks for the shortest way to a difference."""

    def test_any_sequence(self) -> None:
        """Whatever happens before and after however many restarts, store and model agree."""
        run_state_machine_as_test(
            RestartingMachine,
            settings=settings(
                max_examples=100, stateful_step_count=50, deadline=None, database=None
            ),
        )
