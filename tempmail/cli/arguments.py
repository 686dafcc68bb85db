"""The command line of `tempmail`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

DEFAULT_SERVER = "http://127.0.0.1:8080"
DEFAULT_TIMEOUT = 60
"""Seconds: greylisting aside, mail that is not there after a minute was not sent."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

EXIT_CODES = """\
exit codes:
  0  done, found        3  time is up           6  private, and no token known
  1  other error        4  no such, or gone     7  server busy, try later
  2  usage, refused     5  server not reached   8  address taken
  130  interrupted      141  the reader of the output has left
"""


def parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """The parser; `environ` gives defaults. Its result says in `command` what to run."""
    top = argparse.ArgumentParser(
        prog="tempmail",
        description="Throw-away mail addresses for the shell.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    server = environ.get("TEMPMAIL_URL") or DEFAULT_SERVER
    top.set_defaults(
        server=server, token=environ.get("TEMPMAIL_TOKEN") or None, json=False, quiet=False
    )
    _add_common(top)
    top.add_argument("--version", action="version", version=f"tempmail {version('tempmail')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_minting(commands)
    _add_wait(commands)
    _add_reading(commands)
    _add_keeping(commands)
    commands.add_parser(
        "doctor",
        help="examine a server and its machine; takes the server's options, and stands first",
    )
    return top


def seconds(text: str) -> int:
    """`text` as seconds: a whole number, with s, m, h or d behind it if it counts those."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration (90, 90s, 15m, 2h, 1d)")
    return int(match[1]) * _UNITS[match[2]]


def _add_common(to: argparse.ArgumentParser) -> None:
    """The options that may stand before the command and behind it."""
    # Suppressed defaults: otherwise what stands before the command is overwritten behind it.
    quiet = argparse.SUPPRESS
    to.add_argument(
        "--server", metavar="URL", default=quiet, help=f"TEMPMAIL_URL, or {DEFAULT_SERVER}"
    )
    to.add_argument("--token", default=quiet, help="TEMPMAIL_TOKEN, or the one kept by `new`")
    to.add_argument("--json", action="store_true", default=quiet, help="print JSON")
    to.add_argument(
        "--quiet", "-q", action="store_true", default=quiet, help="no progress on stderr"
    )


def _add(commands: Any, name: str, purpose: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=purpose, description=purpose, allow_abbrev=False
    )
    _add_common(command)
    return command


def _add_minting(commands: Any) -> None:
    new = _add(commands, "new", "mint an address and print it; its token is kept for later calls")
    new.add_argument("--local-part", metavar="NAME")
    new.add_argument("--domain")
    new.add_argument("--lifetime", type=seconds, metavar="TIME")
    new.add_argument("--public", action="store_true", help="whoever knows the address may read it")
    new.add_argument(
        "--show-token", action="store_true", help="print JSON, with token and restore key"
    )
    _add(commands, "domains", "print the domains that accept mail")


def _add_wait(commands: Any) -> None:
    wait = _add(commands, "wait", "wait for mail and print what was wanted from it")
    want = wait.add_mutually_exclusive_group()
    for name, purpose in (
        ("code", "print the verification code"),
        ("link", "print the link to follow"),
        ("message", "print the id of the message (default)"),
    ):
        want.add_argument(f"--{name}", action="store_const", dest="want", const=name, help=purpose)
    wait.set_defaults(want="message")
    wait.add_argument("--from", dest="sender", default="", metavar="TEXT", help="contained in From")
    wait.add_argument("--subject", default="", metavar="TEXT", help="contained in the subject")
    wait.add_argument(
        "--timeout",
        type=seconds,
        default=DEFAULT_TIMEOUT,
        metavar="TIME",
        help="default %(default)s s",
    )
    wait.add_argument("--after", metavar="CURSOR", help="pass over what is not newer")
    wait.add_argument(
        "--delete", action="store_true", help="delete the message, so that the next call waits on"
    )
    wait.add_argument("address")


def _add_reading(commands: Any) -> None:
    listing = _add(commands, "list", "print one line for every message")
    listing.add_argument("address")
    show = _add(commands, "show", "print one message")
    part = show.add_mutually_exclusive_group()
    for name, purpose in (
        ("raw", "the octets as they were received"),
        ("text", "the plain text"),
        ("html", "the sanitised HTML"),
        ("headers", "every header"),
    ):
        part.add_argument(f"--{name}", action="store_const", dest="part", const=name, help=purpose)
    part.add_argument("--attachment", type=int, metavar="N", help="the octets of one attachment")
    show.set_defaults(part="all")
    show.add_argument("address")
    show.add_argument("id")
    follow = _add(commands, "follow", "print a line for every message, those to come included")
    follow.add_argument(
        "--after", default="0", metavar="CURSOR", help="pass over what is not newer"
    )
    follow.add_argument("address")
    refused = _add(commands, "attempts", "print a line for every mail that was refused")
    refused.add_argument("address")


def _add_keeping(commands: Any) -> None:
    extend = _add(commands, "extend", "let it live longer; prints when it expires")
    extend.add_argument("--lifetime", type=seconds, metavar="TIME", help="from now")
    extend.add_argument("address")
    remove = _add(commands, "rm", "delete a mailbox, or one message of it")
    remove.add_argument("address")
    remove.add_argument("id", nargs="?")
    _add(commands, "empty", "delete every message, and keep the mailbox").add_argument("address")
