"""The console script `tempmail`: throw-away addresses for a shell, a script or a test run.

    address=$(tempmail new)
    sign-up "$address"
    code=$(tempmail wait --code "$address")

The bare value goes to stdout, everything said to a person to stderr. The exit codes are those of
`tempmail.cli.run`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any, BinaryIO, NoReturn, TextIO

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from tempmail.cli.run import BROKEN_PIPE, INTERRUPTED, World, run
from tempmail.client import open_client


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command in `argv`, by default the process's own, and returns its exit code."""
    try:
        react(_start, [sys.argv[1:] if argv is None else argv])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == BROKEN_PIPE:
        _point_at_nothing(sys.stdout)
    return code


def _start(reactor: Any, argv: Sequence[str]) -> Deferred[NoReturn]:
    world = World(
        out=_octets(sys.stdout),
        err=_octets(sys.stderr),
        encoding=getattr(sys.stdout, "encoding", None) or "utf-8",
        is_terminal=sys.stderr is not None and sys.stderr.isatty(),
        environ=os.environ,
        clock=reactor,
        now=time.time,
        open_client=lambda url: open_client(reactor, url),
    )
    work = Deferred.fromCoroutine(run(argv, world))
    # Ctrl-C reaches the reactor, which then shuts down; nobody else would tell the command.
    reactor.addSystemEventTrigger("before", "shutdown", work.cancel)
    return work.addCallback(_leave)


def _leave(code: int) -> NoReturn:
    raise SystemExit(code)


def _octets(stream: TextIO | None) -> BinaryIO:
    """The octets beneath `stream`, which is None when the process was started with it closed."""
    return open(os.devnull, "wb") if stream is None else stream.buffer


def _point_at_nothing(stream: TextIO) -> None:
    """Lets the interpreter's last flush succeed, which would else complain and change the code."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)
