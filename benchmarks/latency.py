"""From the final dot to the waiting client: ``python -m benchmarks.latency``.

One client waits by long poll for one address while others wait for addresses of their own; a mail
is sent over a kept SMTP connection, and the clock runs from handing the final dot to the kernel to
having the answer's octets.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from statistics import median

from benchmarks.servers import DOMAIN, Server, resident, tempmail
from benchmarks.tables import percentile, show

WAITERS = (1, 1_000, 10_000)
SAMPLES = 500
_numbers = count()
_REQUEST = (
    "GET /v1/mailboxes/{address}/messages?after={after}&wait=60 HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: benchmark\r\n\r\n"
)


def ask(client: socket.socket, address: str, after: str = "0") -> None:
    """Send a long poll."""
    client.sendall(_REQUEST.format(address=address, after=after).encode())


def answer(client: socket.socket) -> bytes:
    """Read one answer, head and body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(client)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _more(client)
    return body


def _more(client: socket.socket) -> bytes:
    received = client.recv(65536)
    if not received:
        raise ConnectionError("the server hung up")
    return received


@contextmanager
def waiting(server: Server, count: int) -> Iterator[None]:
    """Hold so many long polls, each at an address of its own."""
    clients = []
    try:
        for number in range(count):
            client = socket.create_connection(("127.0.0.1", server.http))
            ask(client, f"other{number}@{DOMAIN}")
            clients.append(client)
        yield
    finally:
        for client in clients:
            client.close()


class Sender:
    """A kept SMTP connection."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.smtp))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.recv(1000)
        self.say("EHLO bench.example")

    def say(self, line: str) -> None:
        """One command, which has to be obeyed."""
        self._socket.sendall(line.encode() + b"\r\n")
        answer = self._socket.recv(1000)
        if answer[:1] not in b"23":
            raise AssertionError(answer)

    def prepare(self, address: str) -> None:
        """Everything of a mail but its final dot."""
        self.say("MAIL FROM:<sender@example.org>")
        self.say(f"RCPT TO:<{address}>")
        self.say("DATA")
        body = "Subject: Your code is 493817\r\n\r\n" + "It is valid for ten minutes.\r\n" * 30
        self._socket.sendall(body.encode())

    def finish(self) -> None:
        """The final dot; does not wait for the answer."""
        self._socket.sendall(b".\r\n")

    def close(self) -> None:
        """Say goodbye and hang up."""
        self._socket.sendall(b"QUIT\r\n")
        while self._socket.recv(1000):
            pass
        self._socket.close()


def measure(server: Server, samples: int) -> list[float]:
    """Seconds from the final dot to the answer, a sample each."""
    found = []
    with socket.create_connection(("127.0.0.1", server.http)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sender = Sender(server)
        for _ in range(samples):
            # A new one each time: at a known one the last mail would be answered with at once.
            address = f"one{next(_numbers)}@{DOMAIN}"
            ask(client, address)
            sender.prepare(address)
            began = time.perf_counter()
            sender.finish()
            body = answer(client)
            found.append(time.perf_counter() - began)
            if b"493817" not in body:
                raise AssertionError(body)
            sender.say("NOOP")
        sender.close()
    return found


def main(waiters: Sequence[int] = WAITERS, samples: int = SAMPLES) -> dict[int, list[float]]:
    """Print the table; returns milliseconds by number of others who wait."""
    hard = getrlimit(RLIMIT_NOFILE)[1]
    setrlimit(RLIMIT_NOFILE, (hard, hard))
    found: dict[int, list[float]] = {}
    rows: list[list[object]] = []
    for others in waiters:
        with tempmail() as server:
            measure(server, 20)
            before = resident(server.pid)
            with waiting(server, others):
                measure(server, 20)
                each = (resident(server.pid) - before) / others
                times = [1000 * seconds for seconds in measure(server, samples)]
            found[others] = times
            memory = f"{each / 1024:.1f}" if others >= 1000 else ""
            rows.append([others, median(times), percentile(times, 99), max(times), memory])
    head = ["others waiting", "median ms", "99 % ms", "longest ms", "KB a waiter"]
    show("From the final dot to the waiting client", head, rows)
    return found


if __name__ == "__main__":
    main()
