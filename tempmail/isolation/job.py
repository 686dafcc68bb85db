"""One run that was asked for, and how it may fail."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from msgspec.msgpack import Decoder
from twisted.internet.defer import Deferred

from tempmail.core.errors import TempmailError


class IsolationError(TempmailError):
    """The function did not return a value."""


class Crashed(IsolationError):
    """The function raised, or its worker died or talked nonsense."""


class TimedOut(IsolationError):
    """The function took too long and its worker was killed."""


class Busy(IsolationError):
    """Too many runs wait already; this one was not taken."""


class NotStarted(IsolationError):
    """The system starts no worker just now."""


class Stopped(IsolationError):
    """The isolation was stopped before the function returned."""


@define(order=True)
class Job:
    """One run asked for. Of those that wait the least comes first.

    ``large`` says that it may take long, or can wait; ``left`` that nobody wants it any more,
    and how it ends is told to nobody then.
    """

    turn: tuple[float, int]
    function: str = field(eq=False)
    arguments: tuple[Any, ...] = field(eq=False)
    returns: Decoder[Any] = field(eq=False)
    done: Deferred[Any] = field(eq=False)
    large: bool = field(eq=False)
    left: bool = field(default=False, eq=False)

    def leave(self) -> None:
        """Let go of the mail."""
        self.left, self.arguments = True, ()

    def succeed(self, result: Any) -> None:
        """Say what it returned."""
        if not self.left:
            self.done.callback(result)

    def fail(self, error: Exception) -> None:
        """Say why it returned nothing."""
        if not self.left:
            self.done.errback(error)
