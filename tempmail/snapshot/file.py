"""The file a snapshot is in: written whole or not at all, and out of the way when it is no good."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tempmail.clock import Moment
from tempmail.core.kept import Kept
from tempmail.snapshot.stream import dump

_MODE = 0o600
_BUFFER_OCTETS = 1024 * 1024


def claim(path: Path) -> BinaryIO:
    """Have a snapshot for ourselves, until :func:`release` or the end of the process.

    What says so is a lock (flock(2)) on a file beside it. Raises :exc:`OSError`.
    """
    while True:
        held = os.fdopen(os.open(_lock(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE), "r+b")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who had it may have removed the file after we opened it.
            if os.path.samestat(os.fstat(held.fileno()), _lock(path).stat()):
                return held
        except FileNotFoundError:
            pass
        except BlockingIOError:
            held.close()
            raise OSError(0, "another process uses it") from None
        held.close()


def release(path: Path, held: BinaryIO) -> None:
    """Let another process have it."""
    with suppress(OSError):
        _lock(path).unlink()
    held.close()


def rehearse(path: Path, kept: Kept, now: Moment) -> None:
    """Write, before it matters, all but the file itself, so that what is wrong shows.

    What a process left that was killed while it wrote goes. Raises :exc:`OSError`.
    """
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "this is no file")
    try:
        _write_beside(path, kept, now)
    finally:
        _remove_beside(path)
    _sync_folder(path)


def write(path: Path, kept: Kept, now: Moment) -> int:
    """Write a snapshot in the place of whatever is there; returns its octets.

    When this returns it is on the disk. Raises :exc:`OSError`, and then nothing has changed.
    """
    try:
        size = _write_beside(path, kept, now)
        _beside(path).replace(path)
    except BaseException:
        _remove_beside(path)
        raise
    _sync_folder(path)
    return size


def remove(path: Path) -> None:
    """Have it gone, also after a power cut."""
    path.unlink()
    _sync_folder(path)


def put_aside(path: Path, seconds: float) -> Path:
    """Rename a file that is of no use, with the time in its new name; returns that."""
    when = datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{when}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{when}-{number}")
    return path.rename(aside)


def helpers(path: Path) -> tuple[Path, Path]:
    """The files that there are beside it for a while."""
    return _beside(path), _lock(path)


def _beside(path: Path) -> Path:
    """The name a file has while it is written."""
    return path.with_name(path.name + ".new")


def _lock(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _write_beside(path: Path, kept: Kept, now: Moment) -> int:
    with _create(_beside(path)) as stream:
        dump(stream, kept, now)
        stream.flush()
        os.fsync(stream.fileno())
        return stream.tell()


def _remove_beside(path: Path) -> None:
    with suppress(OSError):
        _beside(path).unlink()


def _create(path: Path) -> BinaryIO:
    """A new file for our eyes only; one that was left there goes."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    stream = os.fdopen(os.open(path, flags, _MODE), "wb", _BUFFER_OCTETS)
    # The umask may have taken even that.
    os.fchmod(stream.fileno(), _MODE)
    return stream


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
