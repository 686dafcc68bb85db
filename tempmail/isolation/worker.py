"""The worker's side of :mod:`tempmail.isolation`: a process that runs one pure function at a time.

Frames go over the pipes it was started with: four octets of length, big endian, then a msgpack
value. The first frame holds its :class:`Settings`. Each further one is ``[function, arguments]``
and is answered by ``[result, error, last]``: ``error`` is the name of the exception, else empty;
``last`` says that the worker ends now. It also ends with its input.

Both sides read values by the type hints of the function they both import, so neither says to the
other what to construct, and nothing that comes from a worker is ever run or imported.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any, BinaryIO, get_type_hints

from attrs import frozen
from msgspec import Raw
from msgspec.msgpack import Decoder, Encoder

HEADER = 4
"""Octets of the length before each frame."""

PARENT_DIED = 1
"""``PR_SET_PDEATHSIG`` of prctl(2)."""

NICENESS = 5
"""Understanding a mail gives way to receiving the next."""

DESCRIPTORS = 64
"""Open files; a worker needs its pipes and, while importing, a few more."""

GRACE = 2
"""Seconds of CPU after the time allowed, at which the kernel ends a worker whose parent can not."""


@frozen
class Settings:
    """What a worker is told first."""

    package: str
    memory_limit: int
    timeout: float


@frozen
class Function:
    """What can be asked for, and how its arguments and its result are read."""

    call: Callable[..., Any]
    parameters: tuple[Decoder[Any], ...]
    result: Decoder[Any]


REPLY: Decoder[tuple[Raw, str, bool]] = Decoder(tuple[Raw, str, bool])
_REQUEST: Decoder[tuple[str, list[Raw]]] = Decoder(tuple[str, list[Raw]])
_SETTINGS = Decoder(Settings)
_encode = Encoder().encode


@cache
def reader_of(returns: Any) -> Decoder[Any]:
    """Reads values of this type."""
    return Decoder(returns)


@cache
def resolve(package: str, name: str) -> Function:
    """The function ``module.function`` of the package.

    :raises LookupError: there is no such public function.
    """
    module_name, _, function_name = name.rpartition(".")
    if not module_name or name.startswith(("_", ".")) or "._" in name or ".." in name:
        raise LookupError(name)
    try:
        function = getattr(importlib.import_module(f"{package}.{module_name}"), function_name)
        hints = get_type_hints(function)
    except (ImportError, AttributeError, TypeError) as error:
        raise LookupError(name) from error
    result = Decoder(hints.pop("return", Any))
    return Function(function, tuple(map(Decoder, hints.values())), result)


def frame(value: Any) -> tuple[bytes, bytes]:
    """One value as it goes over a pipe: its length, and its octets, which may be many."""
    octets = _encode(value)
    return len(octets).to_bytes(HEADER, "big"), octets


def main() -> None:
    """Serve until the input ends."""
    source, sink = _own_pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    first = _read(source)
    if first is None:
        return
    settings = _SETTINGS.decode(first)
    _limit(settings)
    more = True
    while more and (octets := _read(source)) is not None:
        reply, more = _answer(settings, octets)
        _write(sink, *reply)


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes away from descriptors 0 and 1, where a stray ``print`` could reach them."""
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


def _end_with_parent() -> None:
    """Have the kernel kill this process when its parent is gone, where it can (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PARENT_DIED, signal.SIGKILL)


def _limit(settings: Settings) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (settings.memory_limit, settings.memory_limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    os.nice(NICENESS)


def _read(source: BinaryIO) -> bytes | None:
    """The next frame, or None when there is none."""
    header = source.read(HEADER)
    length = int.from_bytes(header, "big")
    octets = source.read(length)
    return octets if len(header) == HEADER and len(octets) == length else None


def _write(sink: BinaryIO, *pieces: bytes) -> None:
    try:
        for piece in pieces:
            sink.write(piece)
        sink.flush()
    except BrokenPipeError:
        os._exit(0)


def _answer(settings: Settings, octets: bytes) -> tuple[tuple[bytes, bytes], bool]:
    """Run what the frame asks for; the reply, and whether to go on."""
    _limit_cpu(settings.timeout)
    try:
        name, arguments = _REQUEST.decode(octets)
        function = resolve(settings.package, name)
        readers = function.parameters[: len(arguments)]
        given = [reader.decode(one) for reader, one in zip(readers, arguments, strict=True)]
        result = function.call(*given)
        last = _used_memory() > settings.memory_limit // 2
        return frame((result, "", last)), not last
    except MemoryError:
        os._exit(1)  # nothing that is left in here can be relied on
    except BaseException as error:  # among them panics of Rust, which are no Exception
        return frame((None, type(error).__name__, False)), True


def _limit_cpu(timeout: float) -> None:
    """Bound this run; the limit counts all CPU since the process started."""
    soft = int(time.process_time() + timeout) + GRACE
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _used_memory() -> int:
    """The most octets of memory this process ever had at once; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
