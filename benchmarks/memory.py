"""Octets of memory a kept mail and an empty mailbox take: ``python -m benchmarks.memory``.

Resident memory of the whole process before and after, divided by how many there are. Waiters are
measured with the waiting itself, in ``benchmarks.latency``.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
from urllib.request import urlopen

from twisted.internet.task import Clock

from benchmarks.servers import DOMAIN, find, resident, tempmail
from benchmarks.tables import show
from tempmail.core.address import draw_local, normalise
from tempmail.core.budget import Budget
from tempmail.core.limits import Limits
from tempmail.core.mailbox import Opening
from tempmail.doorbell import Doorbell
from tempmail.store.memory import MemoryStore

MAILBOXES = 200_000
MAILS = 20_000
MAIL_OCTETS = 1024


def mailbox() -> float:
    """Octets a minted, empty mailbox takes in the store."""
    clock, limits = Clock(), Limits().without_client_limits()
    store = MemoryStore(clock, limits, Budget(limits.memory), Doorbell(clock))
    gc.collect()
    before = resident(os.getpid())
    for number in range(MAILBOXES):
        opening = Opening(
            lifetime=600,
            max_lifetime=86400,
            token_hash=os.urandom(32),
            restore_hash=os.urandom(32),
            client="192.0.2.1",
        )
        store.create(normalise(f"{draw_local()}{number}", DOMAIN), opening)
    gc.collect()
    return (resident(os.getpid()) - before) / MAILBOXES


def mail() -> float:
    """Octets a mail with a body of MAIL_OCTETS takes beyond its own, received over SMTP."""
    with tempmail() as server:
        command = [find("smtp-source"), "-d", "-s", "10", "-l", str(MAIL_OCTETS)]
        command += ["-f", "sender@example.org", "-t", f"box@{DOMAIN}"]
        for mails in (1000, MAILS):
            before = resident(server.pid)
            target = ["-m", str(mails), f"127.0.0.1:{server.smtp}"]
            subprocess.run([*command, *target], check=True, timeout=120)
        taken = resident(server.pid) - before
        box = f"http://127.0.0.1:{server.http}/v1/mailboxes/box@{DOMAIN}/messages?limit=1"
        with urlopen(box) as answer:
            size: int = json.load(answer)["messages"][0]["size"]
        return taken / MAILS - size


def main() -> dict[str, float]:
    """Print the table; returns octets by what takes them."""
    found = {
        "an empty mailbox": mailbox(),
        "a kept mail of 1 kB, beyond its octets": mail(),
    }
    show("Memory", ["", "octets"], [[name, octets] for name, octets in found.items()])
    return found


if __name__ == "__main__":
    main()
