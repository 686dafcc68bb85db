"""A well-behaved client while others attack: ``python -m benchmarks.siege [SHARE [ATTACK...]]``.

One attack of :mod:`benchmarks.attackers` after the other, then nearly all together; meanwhile one
client mints, receives by SMTP and long poll, and reads, over and over. Ends with status 1 when it
waited longer than 250 ms for any of these at the 99th percentile, the server at any moment took
more than its memory budget and 100 MB, left a file open, or logged a traceback. How long it waits
when all attack together is shown and promised by nobody: they come from the same two cores. SHARE
(0 to 1) makes the attacks smaller.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from attrs import Factory, define

from benchmarks import attackers
from benchmarks.latency import Sender
from benchmarks.servers import (
    DOMAIN,
    Server,
    first_traceback,
    forget_most_resident,
    free_port,
    most_resident,
    open_files,
    tempmail,
)
from benchmarks.tables import percentile, show

SECONDS = 12.0
MEMORY = 256
PROMISED_MS = 250.0
SLACK = 100
OPEN = f"box@open.{DOMAIN}"
# So long that the guest reads his mail, and so short that little of what one attack filled is left
# for the next.
LIFETIME = "10s"
HOUSE = (
    *("--memory", f"{MEMORY}M", "--lifetime", LIFETIME),
    *("--domain", DOMAIN, "--domain", f"open.{DOMAIN}:catch-all"),
)
ALL = "all_together"


@define
class Guest:
    """The well-behaved client: what it waited for each step, in milliseconds."""

    server: Server
    minted: list[float] = Factory(list)
    received: list[float] = Factory(list)
    read: list[float] = Factory(list)

    def stay(self, until: float) -> None:
        """Use the server as a test suite does, till ``until`` (monotonic)."""
        one, other = (HTTPConnection("127.0.0.1", self.server.http, timeout=30) for _ in "ab")
        sender = Sender(self.server)
        while time.monotonic() < until:
            began = time.perf_counter()
            one.request("POST", "/v1/mailboxes")
            box = _answer(one, 201)
            self._took(self.minted, began)
            path = f"/v1/mailboxes/{box['address']}"
            shown = {"Authorization": f"Bearer {box['token']}"}
            other.request("GET", f"{path}/wait?want=code&timeout=30", headers=shown)
            sender.prepare(box["address"])
            began = time.perf_counter()
            sender.finish()
            found = _answer(other, 200)
            self._took(self.received, began)
            if found["code"] != "493817":
                raise AssertionError(found)
            sender.say("NOOP")
            began = time.perf_counter()
            one.request("GET", f"{path}/messages/{found['message']['id']}", headers=shown)
            _answer(one, 200)
            self._took(self.read, began)
            one.request("DELETE", path, headers=shown)
            _answer(one, 204)
            time.sleep(0.005)
        one.close()
        other.close()
        sender.close()

    def _took(self, times: list[float], began: float) -> None:
        times.append(1000 * (time.perf_counter() - began))


def _answer(connection: HTTPConnection, status: int) -> Any:
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != status:
        raise AssertionError(f"{answer.status} {body[:200]!r}")
    return json.loads(body) if body else None


@contextmanager
def attacked(server: Server, https: int, names: Sequence[str], share: float) -> Iterator[None]:
    """Attacks, in a process of their own, for as long as the block lasts and SECONDS at most."""
    ports = map(str, (server.smtp, server.http, https))
    command = [sys.executable, "-m", "benchmarks.attackers", *ports]
    process = subprocess.Popen([*command, OPEN, str(share), str(SECONDS), *names])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def settled(pid: int, files: int) -> int:
    """Files open beyond ``files``, once they are not more or ten seconds went by."""
    until = time.monotonic() + 10
    while (more := open_files(pid) - files) > 0 and time.monotonic() < until:
        time.sleep(0.1)
    return more


def main(share: float = 1.0, chosen: Sequence[str] = ()) -> int:
    """Print the table; returns the number of promises broken."""
    broken: list[str] = []
    rows: list[list[object]] = []
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        https = free_port()
        secure = ("--tls", "self-signed", "--https", f"tcp:{https}:interface=127.0.0.1")
        with tempmail(*secure, house=HOUSE, logfile=log.name) as server:
            Guest(server).stay(time.monotonic() + 1)
            files = open_files(server.pid)
            print("Attacks:", end="", flush=True)
            for name in chosen or [*attackers.ATTACKS, ALL]:
                print(f" {name}", end="", flush=True)
                names = attackers.TOGETHER if name == ALL else [name]
                guest = Guest(server)
                forget_most_resident(server.pid)
                with attacked(server, https, names, share):
                    guest.stay(time.monotonic() + SECONDS)
                memory = most_resident(server.pid) / 2**20
                left = settled(server.pid, files)
                waits = [
                    percentile(times, 99) for times in (guest.minted, guest.received, guest.read)
                ]
                rows.append([name.replace("_", " "), len(guest.read), *waits, memory, left])
                if max(waits) > PROMISED_MS and name != ALL:
                    broken.append(f"{name}: a client waited {max(waits):.0f} ms")
                if memory > MEMORY + SLACK:
                    broken.append(f"{name}: {memory:.0f} MB of memory")
                if left > 0:
                    broken.append(f"{name}: {left} files left open")
        print()
        if defect := first_traceback(Path(log.name)):
            broken.append(f"in the log: {defect}")
    head = ["attack", "rounds", "mint ms", "receive ms", "read ms", "most MB", "files left"]
    show("A well-behaved client's waits under attack, 99th percentile", head, rows)
    print(*broken, sep="\n")
    return len(broken)


if __name__ == "__main__":
    sys.exit(1 if main(float(sys.argv[1] if sys.argv[1:] else 1), sys.argv[2:]) else 0)
