"""Mixed use for a long time: ``python -m benchmarks.soak [MINUTES]``, or ``make soak MINUTES=60``.

Forty users mint, receive by SMTP in one of four ways, read, extend, delete or let expire, over and
over. Ends with status 1 when a mail was lost, came twice, out of order or not as it was sent, when
the memory of the server grew by more than 2 % after the first tenth of the time, or when it
left files open. The last full garbage collection may be half an hour ago, so an hour tells more
than ten minutes.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from statistics import median
from typing import Any

import treq
from attrs import Factory, define, field, frozen
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, DeferredQueue, gatherResults
from twisted.internet.task import LoopingCall, deferLater, react
from twisted.mail.smtp import SMTPSenderFactory, sendmail
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse
from twisted.web.websocket import (
    WebSocketClientEndpoint,
    WebSocketTransport,
)
from wsproto.utilities import LocalProtocolError

from benchmarks.opening import newsletter
from benchmarks.servers import (
    DOMAIN,
    Server,
    first_traceback,
    open_files,
    resident,
    tempmail,
)
from benchmarks.tables import show
from tempmail.client import Box, Client, open_client

MINUTES = 60.0
USERS = 40
MAILS = 6
PACE = 8.0
"""Seconds from the beginning of a user's visit to that of his next, so that as much is asked of the
server at the end as at the beginning, whatever else the machine does meanwhile."""

LIFETIME = 90
GROWTH = 0.02
WAIT = 60.0
"""Seconds after which a mail that did not come is lost."""

HOUSE = (
    *("--unlimited", "--domain", DOMAIN, "--memory", "256M"),
    # Who lets an address expire leaves it in quarantine; after this time there are as many of
    # those as there will ever be.
    *("--quarantine", "30s"),
)


@define
class Soak:
    """What was done, what went wrong, and how much memory it took."""

    reactor: Any
    server: Server
    client: Client
    until: float
    done: Counter[str] = Factory(Counter)
    troubles: list[str] = Factory(list)
    memory: list[int] = Factory(list)
    random: random.Random = field(factory=lambda: random.Random(7))

    async def user(self, number: int) -> None:
        """One user, till the time is up."""
        ways = (by_long_poll, by_events, by_websocket, by_wait)
        turn = number
        while time.monotonic() < self.until:
            next_visit = time.monotonic() + PACE
            try:
                await self._visit(ways[turn % len(ways)], turn)
            except Exception:
                self.troubles.append(traceback.format_exc(limit=4))
                print(self.troubles[-1], file=sys.stderr, flush=True)
            turn += 1
            await deferLater(self.reactor, max(next_visit - time.monotonic(), 0.0))

    async def _visit(self, way: Following, turn: int) -> None:
        box = await self.client.mint(lifetime=LIFETIME)
        self.done["minted"] += 1
        sent = [self._mail(number) for number in range(MAILS)]
        sending = Deferred.fromCoroutine(self._send(box.address, sent))
        async with aclosing(way(self, box)) as followed:
            await self._receive(box, sent, followed)
        await sending
        if len((await box.list()).messages) != MAILS:
            raise AssertionError("more mails than were sent")
        if turn % 3 == 0:
            await box.delete()
        elif turn % 3 == 1:
            await box.extend(LIFETIME + 5)
            await box.empty()

    async def _receive(
        self, box: Box, sent: list[bytes], followed: AsyncGenerator[dict[str, Any], None]
    ) -> None:
        for mail in sent:
            summary = await followed.__anext__()
            if summary["subject"].encode() not in mail.partition(b"\r\n\r\n")[0]:
                raise AssertionError(f"{summary['subject']} came out of turn")
            # Twisted's sendmail puts an empty line at the end.
            if (await box.raw(summary["id"])).rstrip() != mail.rstrip():
                raise AssertionError(f"{summary['subject']} is not what was sent")
            await box.read(summary["id"])
            self.done["received"] += 1

    def _mail(self, number: int) -> bytes:
        subject = f"Subject: {number} {self.random.getrandbits(64):x}\r\n".encode()
        if number == 0:
            return subject + newsletter(self.random.randrange(1000)).replace(b"Subject:", b"X:")
        octets = self.random.choice((100, 1_000, 1_000, 10_000, 100_000))
        text = b"Your code is %06d.\r\n" % self.random.randrange(10**6)
        return subject + b"\r\n" + text + b"All is well, and goes on.\r\n" * (octets // 27)

    async def _send(self, address: str, mails: list[bytes]) -> None:
        for mail in mails:
            await self.rest(0.3)
            await _sent(self.server, address, mail)
            self.done["sent"] += 1

    def rest(self, seconds: float) -> Deferred[None]:
        """About so many seconds."""
        return deferLater(self.reactor, 2 * seconds * self.random.random())

    def sample(self) -> None:
        """Look at the server's memory."""
        self.memory.append(resident(self.server.pid))


Following = Callable[[Soak, Box], AsyncGenerator[dict[str, Any], None]]


def _sent(server: Server, address: str, mail: bytes) -> Awaitable[object]:
    SMTPSenderFactory.noisy = False
    # It writes the ends of lines itself.
    lines = mail.replace(b"\r\n", b"\n")
    done: Awaitable[object] = sendmail(
        "127.0.0.1", "soak@example.org", [address], lines, port=server.smtp, reactor=global_reactor
    )
    return done


async def by_long_poll(soak: Soak, box: Box) -> AsyncGenerator[dict[str, Any], None]:
    """One request after the other, each from its cursor on."""
    async for summary in box.follow():
        yield {"id": summary.id, "subject": summary.subject}


async def by_wait(soak: Soak, box: Box) -> AsyncGenerator[dict[str, Any], None]:
    """The call of the test suites."""
    after = "0"
    while True:
        message = await box.wait_message(WAIT, after=after)
        after = message.summary.cursor
        yield {"id": message.id, "subject": message.subject}


async def by_events(soak: Soak, box: Box) -> AsyncGenerator[dict[str, Any], None]:
    """Server-Sent Events."""
    response: IResponse = await treq.get(
        soak.client.base_url + box.path("events"),
        headers=Headers({"Authorization": [f"Bearer {box.token}"]}),
        unbuffered=True,
    )
    events = Lines()
    response.deliverBody(events)
    try:
        while True:
            line = await events.lines.get().addTimeout(WAIT, soak.reactor)
            if line.startswith(b"data:"):
                event = json.loads(line[5:])
                if event["type"] == "message":
                    yield event["message"]
    finally:
        if events.transport is not None:
            events.transport.loseConnection()


async def by_websocket(soak: Soak, box: Box) -> AsyncGenerator[dict[str, Any], None]:
    """A websocket."""
    heard: DeferredQueue[str] = DeferredQueue()
    url = f"{soak.client.base_url}{box.path('ws')}?access_token={box.token}"
    endpoint = WebSocketClientEndpoint.new(soak.reactor, url.replace("http", "ws", 1))
    listener = await endpoint.connect(Listeners(heard))
    try:
        while True:
            event = json.loads(await heard.get().addTimeout(WAIT, soak.reactor))
            if event["type"] == "message":
                yield event["message"]
    finally:
        # Its mailbox may be gone, and with it the websocket.
        with suppress(LocalProtocolError):
            listener.transport.loseConnection()


class Lines(LineOnlyReceiver):
    """A body that comes line by line."""

    delimiter = b"\n"

    def __init__(self) -> None:
        self.lines: DeferredQueue[bytes] = DeferredQueue()

    def lineReceived(self, line: bytes) -> None:
        """One of them."""
        self.lines.put(line)


@frozen
class Listeners:
    """Makes the client's side of a websocket."""

    heard: DeferredQueue[str]

    def buildProtocol(self, uri: str) -> Listener:
        """One."""
        return Listener(self.heard)


class Listener:
    """The client's side of a websocket."""

    transport: WebSocketTransport

    def __init__(self, heard: DeferredQueue[str]) -> None:
        self._heard = heard

    def negotiationStarted(self, transport: WebSocketTransport) -> None:
        """The connection is there."""
        self.transport = transport

    def negotiationFinished(self) -> None:
        """So is the websocket."""

    def textMessageReceived(self, message: str) -> None:
        """An event."""
        self._heard.put(message)

    def bytesMessageReceived(self, data: bytes | bytearray) -> None:
        """There are none of those."""

    def pongReceived(self, payload: bytes) -> None:
        """Nor these."""

    def connectionLost(self, reason: Failure) -> None:
        """Whoever waits for an event will notice."""


async def soak(reactor: Any, server: Server, seconds: float) -> Soak:
    """Use the server for so long."""
    client = open_client(reactor, f"http://127.0.0.1:{server.http}")
    run = Soak(reactor, server, client, time.monotonic() + seconds)
    sampling = LoopingCall(run.sample)
    sampling.start(seconds / 1000)
    await gatherResults([Deferred.fromCoroutine(run.user(number)) for number in range(USERS)])
    sampling.stop()
    return run


def tenths(values: list[int]) -> list[float]:
    """The median of each tenth of the values."""
    step = len(values) / 10
    return [median(values[int(i * step) : int((i + 1) * step)]) for i in range(10)]


def main(minutes: float = MINUTES) -> int:
    """Print what came of it; returns the number of promises broken."""
    runs: list[Soak] = []

    async def use(reactor: Any) -> None:
        runs.append(await soak(reactor, server, minutes * 60))

    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        with tempmail(house=HOUSE, logfile=log.name) as server:
            time.sleep(1)
            files = open_files(server.pid)
            with suppress(SystemExit):
                react(lambda reactor: Deferred.fromCoroutine(use(reactor)))
            time.sleep(2)
            left = open_files(server.pid) - files
        defect = first_traceback(Path(log.name))
    (run,) = runs
    taken = [octets / 2**20 for octets in tenths(run.memory)]
    growth = taken[-1] / taken[1] - 1
    broken = run.troubles[:5]
    if growth > GROWTH:
        broken.append(f"memory grew by {growth:.1%} after the first tenth")
    if left > 0:
        broken.append(f"{left} files left open")
    if defect:
        broken.append(f"in the log: {defect}")
    show(f"{minutes:g} minutes of mixed use", ["", "count"], [[*pair] for pair in run.done.items()])
    head = [f"tenth {number}" for number in range(1, 11)]
    show(f"Memory in MB; growth after the first tenth {growth:+.1%}", head, [taken])
    print(f"{len(run.troubles)} troubles", *broken, sep="\n")
    return len(broken)


if __name__ == "__main__":
    sys.exit(1 if main(*map(float, sys.argv[1:])) else 0)
