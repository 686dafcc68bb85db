"""How often each client may do each thing. SMTP and HTTP ask; all counting is here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import ceil
from typing import Literal, get_args

from limits import RateLimitItem
from limits.storage.base import Storage
from limits.strategies import FixedWindowRateLimiter
from twisted.internet.interfaces import IReactorTime

from tempmail.core.limits import MAX_COUNTED, Limits
from tempmail.core.peer import IPNetwork, Networks, client_key

Rate = Literal[
    "mint_rate",
    "request_rate",
    "wait_rate",
    "send_rate",
    "command_rate",
    "unknown_recipient_rate",
    "wrong_token_rate",
]
"""What has a rate: the name of its field of Limits."""

REASONS = (
    *get_args(Rate),
    "memory_share",
    "mailboxes_per_client",
    "max_connections",
    "max_connections_per_client",
    "max_http_connections",
    "max_http_connections_per_client",
    "max_waits",
    "max_waits_per_client",
    "blocked_sender",
    "dnsbl",
)
"""Why something was refused to a client, as it is counted: a field of Limits, or a list."""


class Windows(Storage):
    """A storage of ``limits`` on our clock and in bounded memory: a count and its end by key.

    That library's own memory storage goes by the wall clock and starts a thread whenever it counts.
    Here nothing runs by itself. What was not counted lately is forgotten when so much time has
    passed that none of it can still hold, or when there are ``most`` newer counts.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: IReactorTime, most: int = MAX_COUNTED) -> None:
        super().__init__()
        self._clock = clock
        self._most = most
        # Each count with its end. What is counted moves from the old ones to the new ones.
        self._new: dict[str, list[float]] = {}
        self._old: dict[str, list[float]] = {}
        self._longest = 0
        self._turn_at = 0.0

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    @property
    def base_exceptions(self) -> type[Exception]:
        return OSError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count ``amount``; returns the count."""
        now = self._clock.seconds()
        window = self._new.get(key)
        if window is None or window[1] <= now:
            window = self._new.pop(key, None) or self._old.pop(key, None)
            if window is None or window[1] <= now:
                window = [0, now + expiry]
            self._keep(key, window, expiry, now)
        window[0] += amount
        return int(window[0])

    def get(self, key: str) -> int:
        """The count."""
        window = self._new.get(key) or self._old.get(key)
        return int(window[0]) if window is not None and window[1] > self._clock.seconds() else 0

    def get_expiry(self, key: str) -> float:
        """When the count is over, on the clock."""
        window = self._new.get(key) or self._old.get(key)
        return window[1] if window is not None else self._clock.seconds()

    def clear(self, key: str) -> None:
        """Forget one count."""
        self._new.pop(key, None)
        self._old.pop(key, None)

    def reset(self) -> int:
        """Forget all; returns how many there were."""
        known = len(self)
        self._new, self._old = {}, {}
        return known

    def check(self) -> bool:
        """It works."""
        return True

    def _keep(self, key: str, window: list[float], expiry: int, now: float) -> None:
        self._longest = max(self._longest, expiry)
        if len(self._new) >= self._most or now >= self._turn_at:
            self._new, self._old = {}, self._new if now < self._turn_at + self._longest else {}
            self._turn_at = now + self._longest
        self._new[key] = window


class _Item(RateLimitItem):
    """One rate of ours, with a key that is made in a third of the time of its base's."""

    __slots__ = ("_name", "_seconds")

    def __init__(self, name: Rate, item: RateLimitItem) -> None:
        super().__init__(item.amount)
        self._name = f"{name}/"
        self._seconds = item.get_expiry()

    def get_expiry(self) -> int:
        """Seconds."""
        return self._seconds

    def key_for(self, *identifiers: bytes | str | float) -> str:
        """What a client's count is kept under."""
        return self._name + str(identifiers[0])


class Rates:
    """What each client has left of each rate.

    A client is what :meth:`whose` calls it; "" is nobody, for whom no rate holds. ``limits`` are
    those in force, ``refused`` counts refusals by their reason, for whoever wants to know.
    """

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits,
        exempt: Iterable[IPNetwork] = (),
        refused: Counter[str] | None = None,
    ) -> None:
        self.refused: Counter[str] = Counter() if refused is None else refused
        self._clock = clock
        self._exempt = Networks(exempt)
        self._windows = Windows(clock)
        self._limiter = FixedWindowRateLimiter(self._windows)
        self.limits = limits
        # Till when anybody is barred from guessing; 0 while nobody is.
        self._barred_until = 0.0

    @property
    def limits(self) -> Limits:
        """The limits in force now; what was counted goes on under those they are set to."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limits = limits
        given = {rate: getattr(limits, rate) for rate in get_args(Rate)}
        self._items = {rate: _Item(rate, item) for rate, item in given.items() if item is not None}

    def whose(self, host: str) -> str:
        """The client that what comes from this IP address counts for."""
        return "" if host in self._exempt else client_key(host)

    def ask(self, rate: Rate, client: str, cost: int = 1) -> int:
        """Count something a client wants to do.

        Returns 0 where it may, else after how many seconds it may ask again.
        """
        if not client:
            return 0
        item = self._items.get(rate)
        if item is None or self._limiter.hit(item, client, cost=cost):
            return 0
        return self._refuse(item, rate, client)

    def guess(self, rate: Rate, client: str) -> float:
        """Count a wrong guess; returns the share, up to 1, of those it may make."""
        item = self._items.get(rate)
        if not client or item is None:
            return 0.0
        self._limiter.hit(item, client)
        end, left = self._limiter.get_window_stats(item, client)
        if not left:
            self._barred_until = max(self._barred_until, end)
        return 1 - left / item.amount

    def barred(self, rate: Rate, client: str) -> int:
        """Whether a client has made all its wrong guesses, so that it learns nothing now.

        Returns 0, or for how many seconds more. It costs next to nothing while nobody is.
        """
        if not self._barred_until or not client:
            return 0
        if self._clock.seconds() >= self._barred_until:
            self._barred_until = 0.0
            return 0
        item = self._items.get(rate)
        if item is None or self._limiter.test(item, client):
            return 0
        return self._refuse(item, rate, client)

    def _refuse(self, item: RateLimitItem, rate: Rate, client: str) -> int:
        self.refused[rate] += 1
        end, _ = self._limiter.get_window_stats(item, client)
        return max(1, ceil(end - self._clock.seconds()))
