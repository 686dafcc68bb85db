"""What the client of a request may still do: ask, guess, wait, have something in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tempmail.core.budget import holder
from tempmail.core.limits import POUR_OCTETS
from tempmail.rates import Rate
from tempmail.web.problems import too_often

if TYPE_CHECKING:
    from tempmail.web.callers import Caller
    from tempmail.web.site import Site


class Allowance:
    """One request's share of what its client may do.

    ``caller`` is whom it counts for. Whatever is held is given back by ``let_go``.
    """

    __slots__ = ("_site", "_taken", "_waiting", "caller")

    def __init__(self, site: Site, caller: Caller) -> None:
        self.caller = caller
        self._site = site
        self._taken = 0
        self._waiting = False

    def spend(self, rate: Rate) -> None:
        """Count this request against a rate. Raises a Problem where nothing of it is left."""
        seconds = self._site.rates.ask(rate, self.caller.counted)
        if seconds:
            raise too_often(rate, seconds)

    def check_guesses(self) -> None:
        """Raise a Problem where this client guessed so often that it may learn nothing now."""
        seconds = self._site.rates.barred("wrong_token_rate", self.caller.counted)
        if seconds:
            raise too_often("wrong_token_rate", seconds)

    def count_guess(self) -> None:
        """This asked for a mailbox that is not there, or not for whoever asks."""
        self._site.rates.guess("wrong_token_rate", self.caller.counted)

    def begin_wait(self) -> None:
        """From now until its end this is one who waits. Raises a Problem where that can not be."""
        self._site.waits.enter(self.caller.counted)
        self._waiting = True

    def take(self, octets: int) -> None:
        """Charge the budget with what this request has in memory, as ``Budget.pay`` does."""
        self._site.budget.pay(octets, self._holder)
        self._taken += octets

    def take_growing(self, before: int, octets: int) -> None:
        """The same for an answer that grows by ``octets``; a short one is taken for nothing."""
        if before + octets > POUR_OCTETS:
            self.take(octets if before > POUR_OCTETS else before + octets)

    @property
    def _holder(self) -> str:
        return holder(self.caller.counted, "requests")

    def let_go(self) -> None:
        """The request is over."""
        if self._taken:
            self._site.budget.give(self._taken, self._holder)
            self._taken = 0
        if self._waiting:
            self._waiting = False
            self._site.waits.leave(self.caller.counted)
