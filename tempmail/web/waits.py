"""How many wait: requests held, event streams and websockets, of each client and of all."""

from __future__ import annotations

from collections.abc import Callable

from tempmail.core.limits import RETRY_SECONDS, Limits
from tempmail.rates import Rates
from tempmail.web.problems import Problem

_RETRY = {"Retry-After": str(RETRY_SECONDS)}


class Waits:
    """Those who wait now, by client; "" is whom no limit of one client holds for."""

    def __init__(self, limits: Callable[[], Limits], rates: Rates) -> None:
        self._limits = limits
        self._rates = rates
        self._by_client: dict[str, int] = {}
        self.count = 0

    def enter(self, client: str) -> None:
        """Count one more. Raises a Problem where there are too many."""
        limits, held = self._limits(), self._by_client.get(client, 0)
        if self.count >= limits.max_waits:
            self._rates.refused["max_waits"] += 1
            raise Problem(503, "too many wait already", headers=_RETRY)
        if client and held >= limits.max_waits_per_client:
            self._rates.refused["max_waits_per_client"] += 1
            raise Problem(429, "this client waits too often at a time", headers=_RETRY)
        seconds = self._rates.ask("wait_rate", client)
        if seconds:
            raise too_often(seconds)
        self.count += 1
        self._by_client[client] = held + 1

    def leave(self, client: str) -> None:
        """One who entered waits no more."""
        self.count -= 1
        held = self._by_client[client] - 1
        if held:
            self._by_client[client] = held
        else:
            del self._by_client[client]


def too_often(seconds: int) -> Problem:
    """What a client is told that did something as often as it may."""
    retry = {"Retry-After": str(seconds)}
    return Problem(429, f"too often; try again in {seconds} seconds", headers=retry)
