"""Signals: who gets them, and when."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from tempmail.signals import Signals, hold_back_signals


class Turns(MemoryReactorClock):
    """A reactor that keeps what is to be done in its next turn."""

    def __init__(self) -> None:
        super().__init__()
        self.turn: list[Callable[[], object]] = []

    def callFromThread(self, call: Callable[[], object]) -> None:
        self.turn.append(call)


class SignalsTests(SynchronousTestCase):
    """Signals reach the reactor, and only that."""

    def setUp(self) -> None:
        self.memory = Turns()
        self.installed: dict[int, Any] = {}
        self.acted: list[str] = []
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, before)

    def start(self, number: signal.Signals) -> None:
        Signals(
            self.memory,
            {number: lambda: self.acted.append("acted")},
            install=lambda number, handler: self.installed.update({number: handler}),
        ).startService()

    def test_handed_to_the_reactor(self) -> None:
        """Handlers come with the running reactor, and act in its own turn."""
        self.start(signal.SIGTERM)
        self.assertEqual(self.installed, {})
        self.memory.run()
        self.installed[signal.SIGTERM](signal.SIGTERM, None)
        self.assertEqual(self.acted, [])
        self.memory.turn.pop()()
        self.assertEqual(self.acted, ["acted"])

    def test_held_back(self) -> None:
        """What comes before the reactor runs harms nothing, and is heard when it does."""
        before = signal.signal(signal.SIGHUP, lambda *_: self.acted.append("heard"))
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        self.start(signal.SIGTERM)
        hold_back_signals()
        signal.raise_signal(signal.SIGHUP)
        self.assertEqual(self.acted, [])
        self.memory.run()
        self.assertEqual(self.acted, ["heard"])

    def test_nobody_rotates(self) -> None:
        """SIGUSR1 would end the process; it is ignored, but where twistd keeps a log file."""
        for before, ours in ((signal.SIG_DFL, True), (_rotate, False)):
            self.addCleanup(signal.signal, signal.SIGUSR1, signal.signal(signal.SIGUSR1, before))
            self.memory = Turns()
            self.installed.clear()
            self.start(signal.SIGTERM)
            self.memory.run()
            self.assertEqual(signal.SIGUSR1 in self.installed, ours)
            if ours:
                # Ignored by the system it would be in each process that we start as well.
                self.installed[signal.SIGUSR1](signal.SIGUSR1, None)


def _rotate(*_: object) -> None:
    """What twistd does."""
