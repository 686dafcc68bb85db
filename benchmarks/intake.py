"""How fast mail is taken in, next to others: ``python -m benchmarks.intake``.

Ten parallel senders (Postfix's smtp-source) and the server share two cores. The servers take turns
within a round, so a change of the machine's speed hits all of them; what counts is the median of
the rounds' ratios to smtp-sink.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from statistics import median

from attrs import frozen

from benchmarks.servers import (
    DOMAIN,
    Server,
    aiosmtpd,
    find,
    smtp_sink,
    stock_twisted,
    tempmail,
)
from benchmarks.tables import show

SENDERS = 10
ROUNDS = 7


@frozen
class Load:
    """One column: so many mails of a size, each over a new connection or over kept ones."""

    name: str
    octets: int
    mails: int
    kept: bool

    def seconds(self, server: Server) -> float:
        """How long a server takes for it."""
        command = [find("smtp-source"), "-s", str(SENDERS), "-l", str(self.octets)]
        command += ["-m", str(self.mails), "-f", "sender@example.org", "-t", f"box@{DOMAIN}"]
        began = time.perf_counter()
        subprocess.run(
            [*command, *(["-d"] if self.kept else []), f"127.0.0.1:{server.smtp}"],
            check=True,
            timeout=300,
        )
        return time.perf_counter() - began


LOADS = (
    Load("1 kB, new", 1024, 4000, kept=False),
    Load("1 kB, kept", 1024, 8000, kept=True),
    Load("50 kB, new", 50 * 1024, 2000, kept=False),
    Load("50 kB, kept", 50 * 1024, 3000, kept=True),
    Load("1 MB, kept", 1024 * 1024, 200, kept=True),
)
# What is slow by nature is measured with fewer mails and scaled.
OTHERS: tuple[tuple[Callable[[], AbstractContextManager[Server]], float], ...] = (
    (smtp_sink, 1.0),
    (tempmail, 1.0),
    (aiosmtpd, 0.25),
    (stock_twisted, 0.25),
)


def measure(load: Load, rounds: int = ROUNDS) -> dict[str, float]:
    """Each server's rate as a ratio to smtp-sink's, and ``mails/s`` of smtp-sink itself."""
    ratios: dict[str, list[float]] = {}
    rates = []
    with ExitStack() as stack:
        servers = [(stack.enter_context(start()), part) for start, part in OTHERS]
        for server, part in servers:
            _scaled(load, part / 4).seconds(server)
        for _ in range(rounds):
            floor = 0.0
            for server, part in servers:
                share = _scaled(load, part)
                rate = share.mails / share.seconds(server)
                floor = floor or rate
                ratios.setdefault(server.name, []).append(rate / floor)
            rates.append(floor)
    return {"mails/s": median(rates)} | {name: median(found) for name, found in ratios.items()}


def _scaled(load: Load, part: float) -> Load:
    return Load(load.name, load.octets, max(SENDERS, int(load.mails * part)), load.kept)


def main(loads: Sequence[Load] = LOADS, rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Print the table; returns its figures by load and server."""
    found = {load.name: measure(load, rounds) for load in loads}
    names = [name for name in next(iter(found.values())) if name != "mails/s"]
    rows: list[list[object]] = [
        [name, *(f"{found[load.name][name]:.2f}" for load in loads)] for name in names
    ]
    rows.append(["smtp-sink, mails/s", *(found[load.name]["mails/s"] for load in loads)])
    title = f"Intake as a ratio to smtp-sink, {SENDERS} senders, median of {rounds} rounds"
    show(title, ["", *(load.name for load in loads)], rows)
    return found


if __name__ == "__main__":
    main()
