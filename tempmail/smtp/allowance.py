"""What the client of a session may still do: commands, and guesses that cost it time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall

from tempmail.core.limits import COMMANDS_AT_ONCE
from tempmail.smtp import replies

if TYPE_CHECKING:
    from tempmail.smtp.factory import SessionFactory


class Allowance:
    """One session's share of what its client may do.

    ``client`` is whose rates it counts against, as ``Rates.whose`` has it, and ``commands`` how
    many there are before more have to be drawn.
    """

    __slots__ = ("_drawn", "_factory", "_held_back", "client", "commands")

    def __init__(self, factory: SessionFactory) -> None:
        self.client = ""
        self.commands = self._drawn = 0
        self._factory = factory
        self._held_back: IDelayedCall | None = None

    def begin(self, client: str) -> bytes | None:
        """Draw the first commands, for this client now; returns the refusal if there are none."""
        self.client = client
        self._drawn -= self.commands
        self.commands = 0
        return self.draw()

    def draw(self) -> bytes | None:
        """Draw more commands from the client's rate; returns the refusal if there are none."""
        most = self._factory.drop.limits.max_commands - self._drawn
        if most <= 0:
            return replies.TOO_MANY_COMMANDS
        if self._factory.rates.ask("command_rate", self.client, COMMANDS_AT_ONCE):
            return replies.TOO_FAST
        self.commands = min(COMMANDS_AT_ONCE, most)
        self._drawn += self.commands
        return None

    # --- guessing ---

    @property
    def barred(self) -> bool:
        """Whether the client guessed so often that it may learn nothing now."""
        return self._factory.rates.barred("unknown_recipient_rate", self.client) > 0

    def guess(self) -> Deferred[None]:
        """Count a recipient that does not exist; fires when the client may be told."""
        share = self._factory.rates.guess("unknown_recipient_rate", self.client)
        return self.hold_back(share)

    def hold_back(self, share: float = 1.0) -> Deferred[None]:
        """Fires after this share of the time that who guesses is held back."""
        seconds = share * self._factory.rates.limits.tarpit
        if not seconds:
            return succeed(None)
        held: Deferred[None] = Deferred()
        self._held_back = self._factory.clock.callLater(seconds, held.callback, None)
        return held

    @property
    def held_back(self) -> bool:
        """Whether an answer is held back now."""
        return self._held_back is not None and self._held_back.active()

    def let_go(self) -> None:
        """Hold nothing back any more; nobody is there to be told."""
        if self._held_back is not None and self._held_back.active():
            self._held_back.cancel()
        self._held_back = None
