"""Coroutines that are begun at once."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from tempmail.web.eager import eager


async def _both(first: Deferred[str], second: Deferred[str]) -> str:
    return await first + await second


async def _either(first: Deferred[str], second: Deferred[str]) -> str:
    try:
        return await first
    except LookupError:
        return await second


class EagerTests(SynchronousTestCase):
    """What a coroutine comes to."""

    def test_nothing_to_wait_for(self) -> None:
        """What is there already is returned, and no Deferred of it."""
        self.assertEqual(eager(_both(succeed("a"), succeed("b"))), "ab")

    def test_raises_at_once(self) -> None:
        """So is what goes wrong."""
        with self.assertRaises(LookupError):
            eager(_both(succeed("a"), fail(LookupError())))

    def test_waits(self) -> None:
        """Whatever it waits for, once or more often, the Deferred fires with what it returns."""
        for late in ((0,), (1,), (0, 1)):
            parts: list[Deferred[str]] = [Deferred(), Deferred()]
            for number in {0, 1} - set(late):
                parts[number].callback("x")
            outcome = eager(_both(*parts))
            assert isinstance(outcome, Deferred)
            for number in late:
                self.assertNoResult(outcome)
                parts[number].callback("y")
            expected = "".join("y" if number in late else "x" for number in (0, 1))
            self.assertEqual(self.successResultOf(outcome), expected)

    def test_handles_failure(self) -> None:
        """What it waits for may fail, and it may go on and wait for something else."""
        first: Deferred[str] = Deferred()
        second: Deferred[str] = Deferred()
        outcome = eager(_either(first, second))
        assert isinstance(outcome, Deferred)
        first.errback(LookupError())
        self.assertNoResult(outcome)
        second.callback("b")
        self.assertEqual(self.successResultOf(outcome), "b")

    def test_fails(self) -> None:
        """Whatever it does not handle fails the Deferred."""
        for first in (Deferred(), succeed("a")):
            waited: Deferred[str] = Deferred()
            outcome = eager(_both(first, waited) if first.called else _both(waited, first))
            assert isinstance(outcome, Deferred)
            waited.errback(LookupError())
            self.failureResultOf(outcome, LookupError)

    def test_cancelled(self) -> None:
        """Cancelling reaches what is waited for, the first time and later."""
        for first in (Deferred(), succeed("a")):
            cancelled: list[Deferred[str]] = []
            waited: Deferred[str] = Deferred(cancelled.append)
            outcome = eager(_both(first, waited) if first.called else _both(waited, succeed("")))
            assert isinstance(outcome, Deferred)
            outcome.cancel()
            self.assertEqual(cancelled, [waited])
            self.failureResultOf(outcome, CancelledError)
