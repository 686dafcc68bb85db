"""From arguments to an exit code: one run of the console script, with its surroundings given."""

from __future__ import annotations

import contextlib
import io
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime

from tempmail.cli.arguments import parser
from tempmail.cli.commands import COMMANDS, Job
from tempmail.cli.console import Console
from tempmail.cli.tokens import TokenStore, state_directory
from tempmail.client import (
    Client,
    Gone,
    NotFound,
    Problem,
    RateLimited,
    Taken,
    TempmailError,
    Unauthorized,
    Unavailable,
    Unreachable,
    WaitTimedOut,
)

DONE = 0
ERROR = 1
"""Anything that has no number of its own."""
USAGE = 2
"""The command line does not fit, or the server does not accept what it asks for (400, 422)."""
TIMED_OUT = 3
"""What was waited for did not come."""
NO_SUCH = 4
"""No such mailbox or message, or a token that does not open it (404), or gone (410)."""
UNREACHABLE = 5
NOT_ALLOWED = 6
"""The mailbox is private and no token is known (401)."""
BUSY = 7
"""The server asks to come back later (429, 502 to 504)."""
TAKEN = 8
"""The address is in use or in quarantine (409)."""
INTERRUPTED = 130
"""128 and SIGINT, as a shell reports it."""
BROKEN_PIPE = 141
"""128 and SIGPIPE: whoever read our output has left."""

_CODES: tuple[tuple[type[TempmailError], int], ...] = (
    (WaitTimedOut, TIMED_OUT),
    (NotFound, NO_SUCH),
    (Gone, NO_SUCH),
    (Unreachable, UNREACHABLE),
    (Unauthorized, NOT_ALLOWED),
    (RateLimited, BUSY),
    (Unavailable, BUSY),
    (Taken, TAKEN),
)


@frozen
class World:
    """What a run takes from its surroundings.

    `is_terminal` is about `err`; `clock` measures pauses and `now` tells the time since the epoch,
    in seconds; `open_client` gives a client for a server's URL.
    """

    out: BinaryIO
    err: BinaryIO
    encoding: str
    is_terminal: bool
    environ: Mapping[str, str]
    clock: IReactorTime
    now: Callable[[], float]
    open_client: Callable[[str], Client]


async def run(argv: Sequence[str], world: World) -> int:
    """Runs one command and returns its exit code. Errors end as a line on stderr."""
    console = Console(world.out, world.err, world.encoding, world.is_terminal, world.clock)
    try:
        return await _run(argv, world, console)
    except CancelledError:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except Exception:  # a mistake of ours: whoever reports it needs to see where
        console.say(traceback.format_exc())
        return ERROR


async def _run(argv: Sequence[str], world: World, console: Console) -> int:
    options, code = _parsed(argv, world.environ, console)
    if options is None:
        return code
    try:
        job = Job(
            options=options,
            client=world.open_client(options.server),
            console=console,
            tokens=TokenStore(state_directory(world.environ), world.now),
        )
        await COMMANDS[options.command](job)
    except TempmailError as trouble:
        console.complain(_in_words(trouble))
        return exit_code(trouble)
    except ValueError as trouble:
        console.complain(str(trouble))
        return USAGE
    except BrokenPipeError:
        raise
    except OSError as trouble:
        console.complain(str(trouble))
        return ERROR
    return DONE


def exit_code(trouble: TempmailError) -> int:
    """The exit code that tells a script of `trouble`."""
    for kind, code in _CODES:
        if isinstance(trouble, kind):
            return code
    refused = isinstance(trouble, Problem) and trouble.status in (400, 422)
    return USAGE if refused else ERROR


def _parsed(argv: Sequence[str], environ: Mapping[str, str], console: Console) -> tuple[Any, int]:
    """The options, or None and the exit code with which it ends here (a mistake, or `--help`)."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            return parser(environ).parse_args(argv), DONE
    except SystemExit as ended:
        console.block(out.getvalue())
        console.say(err.getvalue())
        return None, ended.code if isinstance(ended.code, int) else USAGE


def _in_words(trouble: TempmailError) -> str:
    if isinstance(trouble, Unreachable):
        return f"the server can not be reached: {trouble}"
    if isinstance(trouble, Unauthorized):
        return f"{trouble} (give its token with --token or TEMPMAIL_TOKEN)"
    if isinstance(trouble, RateLimited | Unavailable) and trouble.retry_after is not None:
        return f"{trouble} (try again in {trouble.retry_after:g} s)"
    return str(trouble)
