"""How many wait: requests held, event streams and websockets, of each client and of all."""

from __future__ import annotations

from collections.abc import Callable

from tempmail.core.limits import Limits
from tempmail.core.peer import Held
from tempmail.rates import Rates
from tempmail.web.problems import later, too_often


class Waits:
    """Those who wait now, by client; "" is whom no limit of one client holds for."""

    def __init__(self, limits: Callable[[], Limits], rates: Rates) -> None:
        self._limits = limits
        self._rates = rates
        self._held = Held()
        self.count = 0

    def enter(self, client: str) -> None:
        """Count one more. Raises a Problem where there are too many."""
        limits = self._limits()
        if self.count >= limits.max_waits:
            self._rates.refused["max_waits"] += 1
            raise later(503, "too many wait already")
        if client and self._held.of(client) >= limits.max_waits_per_client:
            self._rates.refused["max_waits_per_client"] += 1
            raise later(429, "this client waits too often at a time")
        seconds = self._rates.ask("wait_rate", client)
        if seconds:
            raise too_often("wait_rate", seconds)
        self.count += 1
        self._held.add(client)

    def leave(self, client: str) -> None:
        """One who entered waits no more."""
        self.count -= 1
        self._held.drop(client)
