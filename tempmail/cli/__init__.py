"""The console script `tempmail`: throw-away addresses for a shell, a script or a test run.

    address=$(tempmail new)
    sign-up "$address"
    code=$(tempmail wait --code "$address")

The bare value goes to stdout, everything said to a person to stderr. The exit codes are those of
`tempmail.cli.run`.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, react
from twisted.logger import globalLogBeginner

from tempmail.cli.run import BROKEN_PIPE, INTERRUPTED, World, run
from tempmail.client import open_client

READER_TICK = 1.0
"""Seconds between two looks at whether anybody still reads our output."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command in `argv`, by default the process's own, and returns its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments[:1] == ["doctor"]:
        # The one command that knows the server; the others need nothing of it.
        from tempmail.doctor import main as examine

        return examine(arguments[1:])
    # Twisted would print what it logs as critical; what matters of it comes as an error as well.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    try:
        react(_start, [arguments])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == BROKEN_PIPE:
        _point_at_nothing(sys.stdout)
    return code


def _start(reactor: Any, argv: Sequence[str]) -> Deferred[NoReturn]:
    work = Deferred.fromCoroutine(run(argv, _world(reactor)))
    reader_left = False

    def look() -> None:
        nonlocal reader_left
        if not reader_left and _unread(sys.stdout):
            reader_left = True
            work.cancel()

    # A wait writes nothing for a long time, and `tempmail follow | head -1` should end with `head`.
    LoopingCall(look).start(READER_TICK, now=False)
    # Ctrl-C reaches the reactor, which then shuts down; nobody else would tell the command.
    reactor.addSystemEventTrigger("before", "shutdown", work.cancel)
    return work.addCallback(lambda code: _leave(BROKEN_PIPE if reader_left else code))


def _world(reactor: Any) -> World:
    """This process and its reactor."""
    return World(
        out=_octets(sys.stdout),
        err=_octets(sys.stderr),
        encoding=getattr(sys.stdout, "encoding", None) or "utf-8",
        is_terminal=sys.stderr is not None and sys.stderr.isatty(),
        environ=os.environ,
        clock=reactor,
        now=time.time,
        open_client=lambda url: open_client(reactor, url),
    )


def _unread(stream: TextIO | None) -> bool:
    """Whether `stream` is a pipe whose reader has left; False where one can not tell."""
    if stream is None or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _leave(code: int) -> NoReturn:
    raise SystemExit(code)


def _octets(stream: TextIO | None) -> BinaryIO:
    """The octets beneath `stream`, which is None when the process was started with it closed."""
    return Path(os.devnull).open("wb") if stream is None else stream.buffer


def _point_at_nothing(stream: TextIO) -> None:
    """Lets the interpreter's last flush succeed, which would else complain and change the code."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)
