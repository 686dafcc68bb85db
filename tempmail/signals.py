"""Signals: held back while the process starts, ours from the moment the reactor runs, ignored when
nothing is left to do.

Imported before everything else of ours, so it imports next to nothing.
"""

from __future__ import annotations

import atexit
import os
import signal
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from twisted.application.service import Service

_HELD_BACK = frozenset({signal.SIGHUP, signal.SIGUSR1})
_OURS = _HELD_BACK | {signal.SIGTERM, signal.SIGINT}


def hold_back_signals() -> None:
    """Have SIGHUP and SIGUSR1, which would end the process, wait until :class:`Signals` lets them
    in. The kernel remembers that there was one.

    The first process of a container is ended by nothing that it does not handle: the kernel throws
    that away. So there SIGTERM and SIGINT wait as well.
    """
    first = os.getpid() == 1
    signal.pthread_sigmask(signal.SIG_BLOCK, _OURS if first else _HELD_BACK)


def ignore_signals_at_exit() -> None:
    """Have the process keep its exit code, whatever comes while the interpreter takes itself apart.

    Python puts the default handlers back before it is done, and a second SIGTERM then ends by the
    signal what ended in order.
    """
    for number in _OURS:
        atexit.register(signal.signal, number, signal.SIG_IGN)


class Signals(Service):
    """What the process does on signals, from the moment the reactor runs.

    Twisted's own handlers end the process by the signal itself, which a supervisor takes for a
    failure; ours lead to exit code 0. SIGUSR1 is twistd's where it keeps a log file, and else
    ignored.
    """

    def __init__(
        self,
        reactor: Any,
        actions: Mapping[signal.Signals, Callable[[], object]],
        install: Callable[[int, Any], Any] = signal.signal,
    ) -> None:
        self._reactor = reactor
        self._actions = dict(actions)
        self._install = install

    def startService(self) -> None:
        """Install the handlers once the reactor has installed its own."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._install_all)

    def _install_all(self) -> None:
        # They stay until the end: a second signal asks us to hurry.
        for number in self._actions:
            self._install(number, self._receive)
        if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
            self._install(signal.SIGUSR1, _do_nothing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        # Between two instructions of whatever runs: only this one call is safe here.
        self._reactor.callFromThread(self._actions[signal.Signals(number)])


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Unlike SIG_IGN this is not handed down to processes that we start."""
