"""One server: where mailboxes are minted and found again."""

from __future__ import annotations

import random as _random
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.iweb import IAgent

from tempmail.client.box import Box
from tempmail.client.errors import TempmailError
from tempmail.client.limits import CONNECT_LIMIT, WAIT
from tempmail.client.patience import Patience
from tempmail.client.several import wait_at
from tempmail.client.values import Domains, Mailbox, Summary, value_of
from tempmail.client.wire import Wire


def open_client(reactor: Any, base_url: str) -> Client:
    """A client that connects through `reactor`, keeping connections open between requests."""
    pool = HTTPConnectionPool(reactor, persistent=True)
    agent = Agent(reactor, connectTimeout=CONNECT_LIMIT, pool=pool)
    return Client(base_url, agent, reactor)


class Client:
    """One server.

    `base_url` is where it lives, base path included (`https://host/mail`). `agent` makes the
    requests and `clock` measures all time, so both may be fakes; `random` gives floats from 0 to 1.
    `on_retry(trouble, pause)` is told of every failure that a wait or a feed rides out. Raises
    ValueError when `base_url` is no http or https URL.
    """

    _log = Logger()

    def __init__(
        self,
        base_url: str,
        agent: IAgent,
        clock: IReactorTime,
        random: Callable[[], float] = _random.random,
        on_retry: Callable[[TempmailError, float], None] | None = None,
    ) -> None:
        self._wire = Wire(base_url, agent, clock)
        self.base_url = self._wire.base_url
        self.clock = clock
        self.random = random
        self.on_retry = on_retry or self._log_retry

    def __repr__(self) -> str:
        return f"<Client of {self.base_url}>"

    async def domains(self) -> Domains:
        """The domains that accept mail, and the limits."""
        return value_of(Domains, await self.ask("GET", "/v1/domains"))

    async def mint(
        self,
        local_part: str | None = None,
        domain: str | None = None,
        lifetime: int | None = None,
        public: bool = False,
    ) -> Box:
        """A new mailbox, for `lifetime` seconds; what is None is the server's to choose.

        Raises `Taken` when the address is in use, `Problem` when something does not fit. It is not
        repeated on failure: a second attempt might leave a mailbox behind that nobody knows.
        """
        wish = {"local_part": local_part, "domain": domain, "lifetime": lifetime}
        body: dict[str, Any] = {name: value for name, value in wish.items() if value is not None}
        if public:
            body["public"] = True
        return self._minted(await self.ask("POST", "/v1/mailboxes", body=body))

    async def restore(self, address: str, restore_key: str) -> Box:
        """Reopens an expired address, empty, while its quarantine lasts."""
        path = self.box(address).path("restore")
        return self._minted(await self.ask("POST", path, body={"restore_key": restore_key}))

    def box(self, address: str, token: str | None = None) -> Box:
        """A handle on an existing mailbox; asks nothing yet. A public one needs no token."""
        return Box(self._wire, self._patience, address, token)

    async def wait_any(
        self, boxes: Iterable[Box], timeout: float = WAIT, limit: int | None = None
    ) -> dict[Box, tuple[Summary, ...]]:
        """What came, as soon as there is something, to any of up to 50 mailboxes of this server.

        Only those with mail are in the answer, in the order given, each with up to `limit`
        summaries (1 to 500, 50 if None), oldest first. Each handle remembers how far these answers
        have come: mail that came before the first call counts, and asking again brings what came
        since. `timeout` is as for `Box.wait`, and so is what is raised, at once and with its
        `address`, where one of them can not be read (any more); nothing is passed over then, so
        asking again without that one brings what came to the others.
        """
        asked = list(boxes)
        if any(box.wire is not self._wire for box in asked):
            raise ValueError("a token is meant for its own server, and no other")
        return await wait_at(self._wire, self._patience(timeout), asked, timeout, limit)

    async def ask(self, method: str, path: str, **also: Any) -> Any:
        """What `Wire.ask` brings; for what a newer server has, and this client no name for."""
        return await self._wire.ask(method, path, **also)

    async def fetch(self, method: str, path: str, **also: Any) -> bytes:
        """What `Wire.fetch` brings, likewise."""
        return await self._wire.fetch(method, path, **also)

    def _minted(self, document: Any) -> Box:
        mailbox = value_of(Mailbox, document)
        secrets = ("token", "restore_key")
        shown = {name: value for name, value in document.items() if name not in secrets}
        keys = (document.get("token"), document.get("restore_key"))
        box = Box(self._wire, self._patience, mailbox.address, *keys)
        box.mailbox = value_of(Mailbox, shown)
        return box

    def _patience(self, seconds: float | None) -> Patience:
        # `on_retry` is looked up each time, for it may be set while a wait goes on.
        return Patience(
            self.clock,
            self.random,
            lambda trouble, pause: self.on_retry(trouble, pause),
            seconds,
        )

    def _log_retry(self, trouble: TempmailError, pause: float) -> None:
        self._log.debug("asking again in {pause:.1f} s: {trouble}", pause=pause, trouble=trouble)
