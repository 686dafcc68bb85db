"""Whether the server can listen where it is told to, or does so already."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThreadPool

from tempmail.core.limits import DOCTOR_CONNECT_SECONDS
from tempmail.doctor.findings import Finding, ok, problem
from tempmail.doctor.places import Place, parse_place
from tempmail.listening import CannotStart, Doors, parse_door
from tempmail.settings import Settings

# What to do, by a word of what the system says.
_TODO = {
    "in use": "stop what listens there (`ss -ltnp` names it), or choose another place; no two "
    "endpoints can have the same one",
    "ermission": "examine and start the server as root with `twistd --uid`, or have systemd hand "
    "the port over, as in deploy/",
    "": "see docs/running.md, Endpoints",
}
# Our answer comes in one or two; whoever says more is not us.
_MOST_READS = 8
# Of a client without an address the protocol knows a shorter form, which Twisted refuses.
_PROXY = b"PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n"
_ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


async def check_ports(settings: Settings, reactor: Any) -> AsyncIterator[Finding]:
    """A finding for each endpoint. All are listened on together, as the server would."""
    doors: list[Doors] = []
    try:
        for protocol, text in settings.endpoints:
            yield await _check(reactor, protocol, text, settings.hostname, doors)
    finally:
        for door in doors:
            await door.stopService()


class _Nobody(Factory):
    """Answers nobody."""

    noisy = False

    def buildProtocol(self, addr: object) -> None:
        """The connection is closed."""


async def _check(
    reactor: Any, protocol: str, text: str, hostname: str, doors: list[Doors]
) -> Finding:
    if parse_place(text).kind == "systemd":
        return ok("ports", f"{protocol} on {text}: systemd hands it over when it starts us")
    try:
        door = Doors([parse_door(reactor, protocol, text, _Nobody())], lambda _: None)
        door.privilegedStartService()
        doors.append(door)
    except CannotStart as error:
        pool = reactor.getThreadPool()
        if await deferToThreadPool(reactor, pool, _is_ours, protocol, text, hostname):
            return ok("ports", f"{protocol} on {text}: a tempmail serves there")
        todo = next(todo for word, todo in _TODO.items() if word in str(error))
        return problem("ports", str(error), todo)
    return ok("ports", f"{protocol} on {text}: free, and ours to take")


def _is_ours(protocol: str, text: str, hostname: str) -> bool:
    """Whether what serves there speaks as our server does. Blocks, but not for long."""
    try:
        with _connect(parse_place(text)) as connection:
            if text.startswith("haproxy:"):
                connection.sendall(_PROXY)
            if not protocol.endswith("S"):
                return _speaks(connection, protocol, hostname)
            with _any_certificate().wrap_socket(connection) as secured:
                return _speaks(secured, protocol, hostname)
    except (OSError, ValueError):
        return False


def _speaks(connection: socket.socket, protocol: str, hostname: str) -> bool:
    if protocol.startswith("SMTP"):
        return connection.recv(512) == f"220 {hostname} ESMTP ready\r\n".encode()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    said = b""
    for _ in range(_MOST_READS):
        said += connection.recv(4096)
    return said.startswith(b"HTTP/1.1 200 ") and said.endswith(b'{"status":"ok"}')


def _connect(place: Place) -> socket.socket:
    """A connection to a place on this machine. Raises OSError, and ValueError where it is none."""
    if place.kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DOCTOR_CONNECT_SECONDS)
        connection.connect(place.where)
        return connection
    interface = _ANYWHERE.get(place.interface, place.interface)
    return socket.create_connection((interface, int(place.where)), DOCTOR_CONNECT_SECONDS)


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
