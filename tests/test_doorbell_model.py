"""Listeners who come, wait and leave in any order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import parse_address
from tempmail.core.mailbox import Change
from tempmail.doorbell import Bell, Doorbell

BOB = parse_address("bob@qa.test")
CHANGE = Change("emptied", 1)


class DoorbellMachine(RuleBasedStateMachine):
    """Three listeners come, wait, are rung, cancel and leave in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.doorbell = Doorbell(self.clock)
        self.bells: dict[int, Bell] = {}
        self.waits: dict[int, Deferred[tuple[str, ...]]] = {}
        # Whether something rang that this listener was not told of yet.
        self.news: dict[int, bool] = {}

    who = st.integers(0, 2)

    @rule(who=who)
    def listen(self, who: int) -> None:
        if who not in self.bells:
            self.bells[who] = self.doorbell.listen(BOB)
            self.news[who] = False

    @rule(who=who)
    def wait(self, who: int) -> None:
        if who in self.bells and who not in self.waits:
            wait = self.waits[who] = self.bells[who].rung(10)
            wait.addCallback(self.answered, who).addErrback(lambda _: None)

    def answered(self, rung: tuple[str, ...], who: int) -> None:
        self.waits.pop(who, None)
        if rung:
            assert self.news[who], "woken for nothing"
            self.news[who] = False

    @rule(who=who)
    def cancel(self, who: int) -> None:
        if who in self.waits:
            self.waits.pop(who).cancel()

    @rule(who=who)
    def leave(self, who: int) -> None:
        if who in self.bells:
            self.bells.pop(who).__exit__(None, None, None)
            self.waits.pop(who, None)

    @rule()
    def ring(self) -> None:
        self.doorbell.announce(BOB, CHANGE)
        self.news.update(dict.fromkeys(self.bells, True))

    @rule(seconds=st.sampled_from([0, 4, 10]))
    def time_passes(self, seconds: float) -> None:
        """After a turn nobody who waits has news he was not told of."""
        self.clock.advance(seconds)
        self.clock.advance(0)
        for who in self.waits:
            assert not self.news[who]

    @invariant()
    def no_trace(self) -> None:
        """There are as many listeners as came and did not leave, and a timer for each wait."""
        assert self.doorbell.listeners == len(self.bells)
        self.waits = {who: wait for who, wait in self.waits.items() if not wait.called}
        now = self.clock.seconds()
        timers = [call for call in self.clock.getDelayedCalls() if call.getTime() > now]
        assert len(timers) == len(self.waits)


class DoorbellModelTests(SynchronousTestCase):
    """Hypothesis looks for an order in which news is lost."""

    def test_any_sequence(self) -> None:
        """Whatever happens in whatever order, no ring is lost and nothing is left behind."""
        limits = settings(max_examples=100, stateful_step_count=30, deadline=None, database=None)
        run_state_machine_as_test(DoorbellMachine, settings=limits)
