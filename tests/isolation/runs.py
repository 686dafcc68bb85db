"""What the workers of these tests run; they import it by name, as they do ``tempmail.content``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import Factory, frozen

MIB = 1024 * 1024


@frozen
class Parcel:
    """A value with everything in it that crosses the border."""

    text: str
    octets: bytes
    words: tuple[str, ...] = ()
    nested: Mapping[str, tuple[str, bytes]] = Factory(dict)


def same(parcel: Parcel) -> Parcel:
    return parcel


def length(octets: bytes) -> int:
    return len(octets)


def abort() -> None:
    os.abort()


def loop() -> None:
    while True:
        pass


def allocate() -> int:
    kept = []
    while True:
        kept.append(bytearray(16 * MIB))


def fail_with_secret() -> None:
    raise ValueError("the words of a private mail")


def wrong_type() -> int:
    return "no number"  # type: ignore[return-value]


def chatter() -> str:
    print("to nobody")
    os.write(1, b"\x00\x00\x00\x01x")
    return "heard"


def close_the_line() -> None:
    for descriptor in range(3, 20):
        try:
            os.close(descriptor)
        except OSError:
            continue
    while True:
        pass


def surroundings() -> dict[str, list[str]]:
    opened = [str(name.readlink()) for name in Path("/proc/self/fd").iterdir() if name.exists()]
    limits = Path("/proc/self/limits").read_text("ascii").splitlines()
    core = [line for line in limits if line.startswith("Max core")]
    return {
        "environment": sorted(set(os.environ) - {"LC_CTYPE"}),
        "opened": opened,
        "core": core[0].split()[4:6],
        "nice": [str(os.nice(0))],
        "pid": [str(os.getpid())],
    }


def swell() -> int:
    return len(bytearray(200 * MIB))
