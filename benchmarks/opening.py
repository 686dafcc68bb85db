"""What opening one mail of 50 kB costs the reactor: ``python -m benchmarks.opening``.

The mails are newsletters in HTML. Counted is the processor time of the server's main thread, as
the kernel accounts it, over many requests on one kept connection: what a worker spends on
understanding a mail holds nobody up and is not in it. Next to it, in the same run, ``GET
/healthz``, which is what Klein and twisted.web cost for an answer of no content, and a bare
``twisted.web`` resource that answers the same octets, which is what sending them costs.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from smtplib import SMTP
from statistics import median

from benchmarks.listing import BARE
from benchmarks.servers import DOMAIN, Server, free_port, running, tempmail
from benchmarks.tables import show

ROOT = Path(__file__).parent.parent
NEWSLETTER = ROOT / "tests" / "corpus" / "xss" / "newsletters" / "shop.html"
OCTETS = 50_000
MAILS = 100
REPEATS = 1000
ROUNDS = 3
BOX = f"/v1/mailboxes/box@{DOMAIN}"


def newsletter(number: int) -> bytes:
    """A mail of OCTETS with HTML, like no other."""
    page = NEWSLETTER.read_bytes()
    begin = page.index(b">", page.index(b"<body")) + 1
    end = page.index(b"</body>")
    head, body, tail = page[:begin], page[begin:end], page[end:]
    times = max((OCTETS - len(head) - len(tail)) // len(body), 1)
    header = (
        b"From: The Shop <news@shop.example>\r\nTo: box@%b\r\nSubject: This week's offers, %d\r\n"
        b"Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <%d@shop.example>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n"
    ) % (DOMAIN.encode(), number, number)
    mail = header + head + b"<p>Issue %d</p>" % number + body * times + tail
    return b"\r\n".join(mail.splitlines()) + b"\r\n"


def processor_time(pid: int) -> float:
    """Milliseconds that the main thread of a process has run for."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def cost(pid: int, port: int, paths: Sequence[str]) -> float:
    """Milliseconds of the main thread for each of these requests, one after the other."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    before = processor_time(pid)
    for path in paths:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status}")
    spent = processor_time(pid) - before
    connection.close()
    return spent / len(paths)


def fill(server: Server, mails: Sequence[bytes]) -> list[str]:
    """Send the mails; returns the path of each.

    No list is asked for, which would have the mails read. A mailbox's newest cursor is the id of
    its newest mail.
    """
    paths = []
    with SMTP("127.0.0.1", server.smtp) as client:
        for mail in mails:
            client.sendmail("news@shop.example", [f"box@{DOMAIN}"], mail)
            state = json.loads(fetch(server, BOX))
            paths.append(f"{BOX}/messages/{state['cursor']}")
    return paths


def fetch(server: Server, path: str) -> bytes:
    """The body of one answer."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.http}{path}") as answer:
        body: bytes = answer.read()
        return body


def main() -> dict[str, float]:
    """Print the table; returns milliseconds of the reactor by what was asked."""
    mails = [newsletter(number) for number in range(2 * MAILS + 1)]
    with tempmail() as server:
        warm_up, *paths = fill(server, mails)
        cost(server.pid, server.http, [warm_up] + ["/healthz"] * 200)
        unseen, listed = paths[:MAILS], paths[MAILS:]
        first = cost(server.pid, server.http, unseen)
        fetch(server, f"{BOX}/messages?limit=500")
        after_list = cost(server.pid, server.http, listed)
        size = len(fetch(server, paths[0]))
        port = free_port()
        with running([sys.executable, "-c", BARE, str(port), str(size)], port) as bare:
            rounds = [
                (
                    cost(server.pid, server.http, paths[:1] * REPEATS),
                    cost(server.pid, server.http, ["/healthz"] * REPEATS),
                    cost(bare, port, ["/"] * REPEATS),
                )
                for _ in range(ROUNDS)
            ]
    again, health, same = (median(column) for column in zip(*rounds, strict=True))
    found = {
        "the first time": first,
        "the first time, when it was listed before": after_list,
        "again": again,
        "GET /healthz": health,
        "again, beyond GET /healthz": again - health,
        "the same octets from a bare resource": same,
    }
    title = f"Opening a mail of {len(mails[0]):,} octets, an answer of {size:,}"
    show(title, ["", "ms of the reactor"], [[*pair] for pair in found.items()])
    return found


if __name__ == "__main__":
    main()
