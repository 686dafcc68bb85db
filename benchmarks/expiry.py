"""The longest stall while 100,000 mailboxes expire at once: ``python -m benchmarks.expiry``.

The whole service runs in this process; a heartbeat in every turn of the reactor notes the longest
time between two beats.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from benchmarks.servers import DOMAIN, free_port
from benchmarks.tables import show
from tempmail.clock import steady_clock
from tempmail.core.address import normalise
from tempmail.core.mailbox import Opening
from tempmail.core.message import Envelope
from tempmail.options import Options
from tempmail.service import assemble

MAILBOXES = 100_000
# Long enough to fill them all; they are made to end in the same moment.
LIFETIME = 12


class Heart:
    """Beats in every turn; ``longest`` is the longest time between two beats in seconds."""

    def __init__(self, reactor: Any) -> None:
        self.longest = 0.0
        self._reactor = reactor
        self._last = time.perf_counter()

    def start(self) -> None:
        """Count from now."""
        self.longest = 0.0
        self._last = time.perf_counter()
        self._beat()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now
        self._reactor.callLater(0, self._beat)


async def measure(reactor: Any, mails: int) -> tuple[float, float]:
    """Milliseconds of the longest stall, and seconds until all mailboxes were gone."""
    reactor.seconds = steady_clock()
    options = Options()
    options.parseOptions(
        [
            *("--unlimited", "--quarantine", "1", "--domain", DOMAIN),
            *("--smtp", f"tcp:{free_port()}:interface=127.0.0.1"),
            *("--http", f"tcp:{free_port()}:interface=127.0.0.1"),
        ]
    )
    server = assemble(options.read(), reactor)
    server.privilegedStartService()  # type: ignore[no-untyped-call]
    server.startService()
    ends = reactor.seconds() + LIFETIME
    envelope = Envelope("sender@example.org")
    opening = Opening(lifetime=LIFETIME, max_lifetime=LIFETIME)
    for number in range(MAILBOXES):
        address = normalise(f"box{number}", DOMAIN)
        await server.store.create(address, opening)
        await server.store.extend(address, ends)
        for _ in range(mails):
            await server.store.add(envelope, [(address, None)], b"Subject: x\r\n\r\n" + bytes(500))
    filled = reactor.seconds()
    if filled > ends:
        raise AssertionError("the mailboxes began to expire before all were there")
    await deferLater(reactor, ends - filled - 0.5, lambda: None)
    heart = Heart(reactor)
    heart.start()
    while server.budget.used:
        await deferLater(reactor, 0.05, lambda: None)
        if reactor.seconds() > ends + 60:
            raise AssertionError(f"{server.budget.used} octets never came back")
    took = reactor.seconds() - ends
    await server.stopService()  # type: ignore[no-untyped-call]
    return 1000 * heart.longest, took


def main() -> dict[str, float]:
    """Print the table; returns milliseconds of the longest stall by what expired.

    Each is measured in a process of its own, for a reactor runs but once.
    """
    found = {}
    rows: list[list[object]] = []
    for mails in (0, 1):
        command = [sys.executable, "-m", "benchmarks.expiry", str(mails)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        stall, took = map(float, output.split())
        name = f"{MAILBOXES:,} mailboxes of {mails} mails"
        found[name] = stall
        rows.append([name, stall, took])
    show("Expiry at one moment", ["", "longest stall, ms", "all gone after, s"], rows)
    return found


async def _print(reactor: Any, mails: str) -> None:
    print(*await measure(reactor, int(mails)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        react(lambda reactor: Deferred.fromCoroutine(_print(reactor, sys.argv[1])), [])
    main()
