"""Going on where the process before stopped, and leaving what the next one needs."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from twisted.application.service import Service
from twisted.logger import Logger

from tempmail.clock import Moment, read_moment
from tempmail.core.kept import Recalled
from tempmail.core.limits import MEGA
from tempmail.listening import CannotStart, complain
from tempmail.snapshot.file import claim, put_aside, rehearse, release, remove, write
from tempmail.snapshot.frames import Damaged
from tempmail.snapshot.stream import Renew, load
from tempmail.store.memory import MemoryStore


class Restart(Service):
    """Has a store take in the snapshot at the start, and writes one at the end.

    A snapshot is read once: before the first client comes it is removed, for a second reading would
    bring back what was deleted since. So a crash loses everything, as without one. ``renew`` says
    how a mailbox from before is opened today; ``tell`` is told why we can not start, in one line.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        path: Path,
        store: MemoryStore,
        renew: Renew,
        moment: Callable[[float], Moment] = read_moment,
        tell: Callable[[str], None] = complain,
    ) -> None:
        self._reactor = reactor
        self._path = path
        self._store = store
        self._renew = renew
        self._moment = moment
        self._tell = tell
        self._claim: BinaryIO | None = None

    def startService(self) -> None:
        """Read what is there. Raises :exc:`~tempmail.listening.CannotStart`, for what could not be
        written at the end, when it would be too late to say so."""
        super().startService()  # type: ignore[no-untyped-call]
        try:
            self._path = self._path.resolve()
            self._claim = claim(self._path)
            # The store is empty yet. Once privileges are gone even a module may be out of reach.
            rehearse(self._path, self._store.keep(), self._now())
            if self._path.exists():
                self._take_in()
        except (OSError, RuntimeError) as error:
            # The latter of a symbolic link that leads to itself.
            message = f"--snapshot {self._path}: {_reason(error)}"
            self.release()
            self._tell(message)
            raise CannotStart(message, told=True) from None

    def write(self) -> bool:
        """Write what the store holds, and let go of the file; says whether it is written.

        What can not be written is lost, and the log says so.
        """
        try:
            return self._write()
        finally:
            self.release()

    def release(self) -> None:
        """Let another process have the file."""
        if self._claim is not None:
            release(self._path, self._claim)
            self._claim = None

    def _write(self) -> bool:
        began = self._reactor.seconds()
        try:
            size = write(self._path, self._store.keep(), self._now())
        except OSError as error:
            self._log.error(
                "the snapshot could not be written, and all mail is lost: {why}", why=error.strerror
            )
        except Exception:
            self._log.failure("the snapshot could not be written, and all mail is lost")
        else:
            self._log.info(
                "snapshot written: {size:.1f} MiB in {seconds:.1f} s",
                size=size / MEGA,
                seconds=self._reactor.seconds() - began,
            )
            return True
        return False

    def _take_in(self) -> None:
        try:
            recalled = self._read()
        except Exception as error:
            aside = put_aside(self._path, self._reactor.seconds())
            self._log.error(
                "the snapshot can not be used, so we start empty: {why}; it is now {aside}",
                why=_reason(error),
                aside=str(aside),
            )
        else:
            self._report(recalled)
            # By then a signal stops the process in order, and writes it anew.
            self._reactor.callWhenRunning(self._remove)

    def _read(self) -> Recalled:
        with self._path.open("rb") as stream, _no_collecting():
            size = os.fstat(stream.fileno()).st_size
            return self._store.recall(load(stream, size, self._now(), self._renew))

    def _now(self) -> Moment:
        return self._moment(self._reactor.seconds())

    def _report(self, recalled: Recalled) -> None:
        counts = {"mailboxes": recalled.mailboxes, "messages": recalled.messages}
        if recalled.lost_mailboxes or recalled.lost_messages:
            self._log.warn(
                "snapshot read: {mailboxes} mailboxes, {messages} messages; for want of --memory "
                "the oldest are lost: {lost_mailboxes} mailboxes, and {lost_messages} messages",
                lost_mailboxes=recalled.lost_mailboxes,
                lost_messages=recalled.lost_messages,
                **counts,
            )
        else:
            self._log.info("snapshot read: {mailboxes} mailboxes, {messages} messages", **counts)

    def _remove(self) -> None:
        try:
            remove(self._path)
        except OSError as error:
            self._log.error(
                "the snapshot can not be removed, and after a crash it would be read again: {why}",
                why=error.strerror,
            )


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Reading makes no cyclic garbage, and looking for some takes 9 of 13 s with 200,000 mails."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _reason(error: Exception) -> str:
    """Why it can not be used, quoting nothing of it."""
    if isinstance(error, Damaged):
        return str(error)
    return getattr(error, "strerror", None) or type(error).__name__
