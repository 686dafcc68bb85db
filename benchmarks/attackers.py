"""What strangers do to an open server, bounded: ``python -m benchmarks.attackers``.

Each attack is a coroutine that goes on until it is cancelled or has done what it came for. They
come from many loopback addresses, as if from many hosts, and never from 127.0.0.1, which is the
well-behaved client's of :mod:`benchmarks.siege`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from resource import RLIMIT_NOFILE, getrlimit, setrlimit

from attrs import frozen

HOSTS = 200
_numbers = count()
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@frozen
class Target:
    """Whom to attack. ``share`` of each attack's count is done; ``open_address`` takes mail and
    lets everybody read it."""

    smtp: int
    http: int
    https: int
    open_address: str
    share: float = 1.0

    def of(self, count: int) -> int:
        """The share of a count, and never nothing."""
        return max(1, round(count * self.share))


async def _connect(port: int, number: int | None = None) -> _Streams:
    """A connection from a host, or from the next of them."""
    number = next(_numbers) % HOSTS if number is None else number
    return await asyncio.open_connection(
        "127.0.0.1", port, local_addr=(f"127.1.{number // 250}.{number % 250 + 2}", 0)
    )


async def _each(number: int, attack: Callable[[], Awaitable[None]]) -> None:
    """So many at once. An attacker that is thrown out does not come back."""

    async def one() -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await attack()

    await asyncio.gather(*(one() for _ in range(number)))


async def _say(streams: _Streams, *lines: str) -> bytes:
    """SMTP commands in one packet, and the last line of the last reply."""
    reader, writer = streams
    writer.write("".join(f"{line}\r\n" for line in lines).encode())
    await writer.drain()
    reply = b"-"
    for _ in lines:
        reply = await reader.readline()
        while reply[3:4] == b"-":
            reply = await reader.readline()
        if not reply:
            raise ConnectionError
    return reply


async def _drip(writer: asyncio.StreamWriter, octet: bytes) -> None:
    """One octet a second, till somebody has enough."""
    while True:
        writer.write(octet)
        await writer.drain()
        await asyncio.sleep(1)


async def _in_data(target: Target, address: str = "") -> _Streams:
    """A session that has come as far as the 354."""
    streams = await _connect(target.smtp)
    await streams[0].readline()
    await _say(streams, "EHLO bad.example", "MAIL FROM:<bad@bad.example>")
    await _say(streams, f"RCPT TO:<{address or target.open_address}>", "DATA")
    return streams


async def half_open(target: Target) -> None:
    """2,000 SMTP connections that never say a word."""

    async def attack() -> None:
        reader, _ = await _connect(target.smtp)
        await reader.read()

    await _each(target.of(2_000), attack)


async def slow_senders(target: Target) -> None:
    """200 mails that come octet by octet."""

    async def attack() -> None:
        _, writer = await _in_data(target)
        await _drip(writer, b"x")

    await _each(target.of(200), attack)


async def endless_line(target: Target) -> None:
    """Four mails that are one line without an end."""

    async def attack() -> None:
        _, writer = await _in_data(target)
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            await asyncio.sleep(0.005)

    await _each(4, attack)


async def guesses(target: Target) -> None:
    """100,000 recipients, guessed by 50 sessions at a time, that come again when thrown out."""
    left = target.of(100_000)
    domain = target.open_address.partition("@")[2].replace("open.", "", 1)

    async def session() -> None:
        nonlocal left
        streams = await _connect(target.smtp)
        try:
            await streams[0].readline()
            await _say(streams, "EHLO bad.example", "MAIL FROM:<bad@bad.example>")
            while left > 0:
                left -= 20
                await _say(streams, *(f"RCPT TO:<g{next(_numbers)}@{domain}>" for _ in range(20)))
        finally:
            streams[1].close()

    async def attack() -> None:
        while left > 0:
            with suppress(OSError):
                await session()
            await asyncio.sleep(0.01)

    await _each(50, attack)


async def connects(target: Target) -> None:
    """1,000 connections a second for ten seconds, each gone at once."""

    async def attack() -> None:
        _, writer = await _connect(target.smtp)
        writer.close()

    for _ in range(target.of(100)):
        await asyncio.gather(_each(100, attack), asyncio.sleep(0.1))


async def slow_bodies(target: Target) -> None:
    """500 HTTP requests whose bodies come octet by octet."""

    async def attack() -> None:
        _, writer = await _connect(target.http)
        writer.write(
            b"POST /v1/mailboxes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n"
        )
        await _drip(writer, b" ")

    await _each(target.of(500), attack)


async def huge_json(target: Target) -> None:
    """Eight clients that send bodies of 50 MB, half of them without saying so before."""

    async def attack() -> None:
        chunked = next(_numbers) % 2
        _, writer = await _connect(target.http)
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 52428800"
        writer.write(b"POST /send HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        writer.write(length + b"\r\n\r\n")
        for _ in range(800):
            piece = b'"' + b"x" * 65535
            writer.write(b"10000\r\n%b\r\n" % piece if chunked else piece)
            await writer.drain()

    for _ in range(target.of(10)):
        await _each(8, attack)


async def deaf_websockets(target: Target) -> None:
    """5,000 websockets at a mailbox that gets mail, none of which reads."""
    request = (
        f"GET /v1/mailboxes/{target.open_address}/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
    ).encode()

    async def attack() -> None:
        reader, writer = await _connect(target.http)
        writer.write(request)
        await reader.readline()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async def mails() -> None:
        for _ in range(40):
            streams = await _in_data(target)
            await _say(streams, "Subject: x\r\n\r\n" + "x" * 500 + "\r\n.")
            streams[1].close()
            await asyncio.sleep(0.2)

    await asyncio.gather(_each(target.of(5_000), attack), mails())


async def hostile_mime(target: Target) -> None:
    """Mails made to be hard to read, and readers who ask for them at once."""
    mails = (
        _nested(1_000),
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\nx\r\n" * 10_000,
        f"Subject: {'x' * 10_000_000}\r\n\r\nx",
        "Content-Type: text/html\r\n\r\n" + "<div>" * 20_000,
        "Content-Type: text/html\r\n\r\n<a " + " ".join(f"a{n}=1" for n in range(50_000)) + ">",
        f"Subject: {' '.join(['=?utf-8?Q?x?='] * 20_000)}\r\n\r\nx",
        f"Content-Type: text/plain{';' * 300_000}\r\n\r\nx",
    )

    async def attack() -> None:
        streams = await _in_data(target)
        mail = mails[next(_numbers) % len(mails)]
        await _say(streams, f"{mail}\r\n.")
        streams[1].close()
        for asked in ("wait", "messages"):
            reader, writer = await _connect(target.http)
            writer.write(_get(f"/v1/mailboxes/{target.open_address}/{asked}"))
            await reader.read()

    for _ in range(target.of(10)):
        await _each(8, attack)


async def silent_tls(target: Target) -> None:
    """4,000 connections of one host to HTTPS, none of which begins a handshake."""

    async def attack() -> None:
        reader, _ = await _connect(target.https, number=0)
        await reader.read()

    await _each(target.of(4_000), attack)


async def long_inboxes(target: Target) -> None:
    """Eight clients that read an inbox of 20 MB, over and over."""
    address = f"long.{target.open_address}"
    for _ in range(target.of(40)):
        streams = await _in_data(target, address)
        await _say(streams, _PLAIN + ("\u00e9" * 70 + "\r\n") * 3_500 + ".")
        streams[1].close()

    async def attack() -> None:
        while True:
            reader, writer = await _connect(target.http)
            writer.write(_get(f"/inbox/{address}"))
            while await reader.read(65536):
                pass

    await _each(8, attack)


async def leaving_readers(target: Target) -> None:
    """1,000 clients that ask for a mail's HTML, and leave all together before they have it."""
    streams = await _in_data(target)
    await _say(streams, "Content-Type: text/html\r\n\r\n" + "<p>x</p>\r\n" * 100_000 + ".")
    streams[1].close()
    messages = f"/v1/mailboxes/{target.open_address}/messages"
    reader, writer = await _connect(target.http)
    writer.write(_get(f"{messages}?limit=1"))
    answer = await reader.read()
    message = json.loads(answer.partition(b"\r\n\r\n")[2])["messages"][0]["id"]
    left = asyncio.Barrier(target.of(1_000))

    async def attack() -> None:
        while True:
            _, writer = await _connect(target.http)
            writer.write(_get(f"{messages}/{message}/html"))
            await asyncio.sleep(1)
            await left.wait()
            writer.transport.abort()

    await _each(target.of(1_000), attack)


_PLAIN = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


def _nested(levels: int) -> str:
    return "".join(
        f"Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
        for level in range(levels)
    )


ATTACKS = {
    attack.__name__: attack
    for attack in (
        half_open,
        slow_senders,
        endless_line,
        guesses,
        connects,
        slow_bodies,
        huge_json,
        deaf_websockets,
        hostile_mime,
        silent_tls,
        long_inboxes,
        leaving_readers,
    )
}


_GREEDY = ("silent_tls", "long_inboxes", "leaving_readers")
TOGETHER = [name for name in ATTACKS if name not in _GREEDY]
"""What can come at the same time without filling the memory: beside the others those ask for so
much that none is left, and then mail is refused, as it should be."""


async def _run(names: list[str], target: Target, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(ATTACKS[name](target) for name in names))


def main() -> None:
    """``attackers SMTP HTTP HTTPS ADDRESS SHARE SECONDS ATTACK...``; ends by itself."""
    smtp, http, https, address, share, seconds, *names = sys.argv[1:]
    hard = getrlimit(RLIMIT_NOFILE)[1]
    setrlimit(RLIMIT_NOFILE, (hard, hard))
    target = Target(int(smtp), int(http), int(https), address, float(share))
    asyncio.run(_run(names, target, float(seconds)))


if __name__ == "__main__":
    main()
