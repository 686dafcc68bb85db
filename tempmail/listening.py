"""Listening on endpoints: all of them, or the process does not start."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import Service
from twisted.internet import tcp, unix
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from twisted.python.failure import Failure

from tempmail.proxied import ProxiedFactory

_log = Logger()

# Connections the kernel holds until we accept them. Twisted's default of 50 turns a burst of 100
# senders into refusals and a second of retransmission; the kernel cuts this at net.core.somaxconn.
BACKLOG = 1024

_WRAPPER = "haproxy:"
_FIELDS = re.compile(r"(?<!\\):")


class CannotStart(SystemExit, Exception):
    """The process can not do what it was told; the text is one line for the operator.

    twistd prints a traceback for an exception, and takes its pid file back and tells the parent of
    a daemon only for one. Being both kinds makes it do the latter and end with one line, code 1:
    Python prints the line, or whoever raises did if it was ``told``.
    """

    def __init__(self, message: str, *, told: bool = False) -> None:
        super().__init__(message)
        self.code = 1 if told else f"tempmail: {message}"


@frozen
class Door:
    """One place to listen at: the protocol's name, the operator's text, and what it leads to."""

    protocol: str
    text: str
    endpoint: IStreamServerEndpoint
    factory: IProtocolFactory


def parse_door(reactor: object, protocol: str, text: str, factory: IProtocolFactory) -> Door:
    """The door an endpoint text names. Raises :exc:`CannotStart` for one that is none."""
    bare, wrappers = _unwrapped(with_backlog(text))
    for _ in range(wrappers):
        factory = ProxiedFactory(factory)  # type: ignore[no-untyped-call]
    try:
        endpoint = serverFromString(reactor, bare)
    except Exception as error:
        # Whatever the parsers of all endpoint types raise: ValueError, KeyError, TypeError.
        if isinstance(error, LookupError) and split_endpoint(text)[0] == "systemd":
            message = f"--{protocol.lower()} {text!r}: systemd has handed over no such socket"
            raise CannotStart(message) from None
        raise CannotStart(f"--{protocol.lower()} {text!r} is no endpoint: {error}") from None
    return Door(protocol, text, endpoint, factory)


def with_backlog(text: str) -> str:
    """The endpoint text with a backlog long enough, where its type takes one and none is said."""
    kind, *fields = split_endpoint(text)
    said = any(re.match(r"\s*backlog\s*=", each) for each in fields)
    positional = [each for each in fields if not re.match(r"\w+\s*=", each)]
    if kind not in ("tcp", "tcp6", "unix", "ssl") or said or len(positional) > 2:
        return text
    return f"{text}:backlog={BACKLOG}"


def split_endpoint(text: str) -> list[str]:
    """The type of an endpoint without what is wrapped around it, and its fields as written."""
    return _FIELDS.split(_unwrapped(text)[0])


def _unwrapped(text: str) -> tuple[str, int]:
    """The endpoint text without what is wrapped around it, and how often something is."""
    wrappers = 0
    while text.startswith(_WRAPPER):
        text, wrappers = text.removeprefix(_WRAPPER), wrappers + 1
    return text, wrappers


class Doors(Service):
    """All places we listen at. They open before twistd drops its privileges, all or none.

    ``tell`` is told why, in one line.
    """

    def __init__(self, doors: Iterable[Door], tell: Callable[[str], None] | None = None) -> None:
        self._doors = tuple(doors)
        self._complain = tell or complain
        self._ports: list[IListeningPort] = []

    @property
    def open(self) -> bool:
        """Whether every door is open."""
        return bool(self._ports)

    def privilegedStartService(self) -> None:
        """Open every door. Raises :exc:`CannotStart` naming the first that does not open."""
        ports: list[IListeningPort] = []
        for door in self._doors:
            try:
                ports.append(_listen(door))
            except Exception as error:
                for port in ports:
                    _close(port)
                message = f"can not listen on {door.text}: {_reason(error)}"
                self._complain(message)
                raise CannotStart(message, told=True) from None
        self._ports = ports

    def startService(self) -> None:
        """Open what twistd has not opened yet."""
        super().startService()  # type: ignore[no-untyped-call]
        if not self._ports:
            self.privilegedStartService()

    def stopService(self) -> Deferred[Any]:
        """Accept nobody any more; fires when the sockets are closed."""
        super().stopService()  # type: ignore[no-untyped-call]
        ports, self._ports = self._ports, []
        return DeferredList([_close(port) for port in ports])

    def describe(self) -> str:
        """What listens where, with the port numbers the system chose."""
        said = []
        for door, port in zip(self._doors, self._ports, strict=True):
            said.append(f"{door.protocol} on {_place(port.getHost())}")
        return ", ".join(said)


def complain(message: str) -> None:
    """Tell whoever started us: by standard error, or in the log where that leads nowhere.

    ``sys.stderr`` is the log since twistd began to log.
    """
    if sys.__stderr__ is None or os.path.samestat(os.fstat(2), Path(os.devnull).stat()):
        _log.critical("{problem}", problem=message)
    else:
        print(f"tempmail: {message}", file=sys.__stderr__, flush=True)


def _listen(door: Door) -> IListeningPort:
    """The open port."""
    try:
        port = _open(door)
    except CannotListenError as error:
        if not _clear_away(error.port):
            raise
        port = _open(door)
    if isinstance(port, unix.Port) and split_endpoint(door.text)[0] == "systemd":
        # Twisted's own removes the file first, and this one is systemd's.
        port.connectionLost = partial(tcp.Port.connectionLost, port)  # type: ignore[method-assign]
    return port


def _open(door: Door) -> IListeningPort:
    """The open port; no endpoint of a server keeps us waiting for it."""
    outcome: list[IListeningPort | Failure] = []
    door.endpoint.listen(door.factory).addBoth(outcome.append)
    if not outcome:
        raise TypeError("this kind of endpoint does not open at once")
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


def _close(port: IListeningPort) -> Deferred[Any]:
    """Fires when the port is closed."""
    return maybeDeferred(port.stopListening).addErrback(_say_what_stays)


def _clear_away(place: object) -> bool:
    """Remove a UNIX socket that a process of our own number left; says whether it did.

    In a container each process is number 1, so Twisted takes the one that left it to be alive.
    """
    if not isinstance(place, bytes):
        return False
    path = Path(os.fsdecode(place))
    lock = path.with_name(f"{path.name}.lock")
    try:
        if str(lock.readlink()) != str(os.getpid()) or _answers(path):
            return False
        if path.is_socket():
            path.unlink()
        lock.unlink()
    except OSError:
        return False
    return True


def _answers(path: Path) -> bool:
    """Whether somebody listens there, in another container perhaps. Raises :exc:`OSError`."""
    with socket.socket(socket.AF_UNIX) as tried:
        tried.setblocking(False)
        try:
            tried.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    return True


def _say_what_stays(failure: Failure) -> None:
    """A UNIX socket lies where we may not remove it: the next start does, as who may."""
    failure.trap(OSError)
    error: Any = failure.value
    path = os.fsdecode(error.filename or "a socket")
    _log.warn("{path} stays behind: {why}", path=path, why=error.strerror)


def _reason(error: Exception) -> str:
    if isinstance(error, CannotListenError):
        error = error.socketError
    return getattr(error, "strerror", None) or str(error)


def _place(address: IAddress) -> str:
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}"
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}"
    name = getattr(address, "name", None)
    return f"unix:{os.fsdecode(name)}" if name else str(address)
