"""What a shell script relies on."""

from __future__ import annotations

import io
import json
from typing import Any

from tempmail.cli.run import (
    BROKEN_PIPE,
    BUSY,
    DONE,
    ERROR,
    INTERRUPTED,
    NO_SUCH,
    NOT_ALLOWED,
    TAKEN,
    TIMED_OUT,
    UNREACHABLE,
    USAGE,
)
from tests.cli.case import CommandCase
from tests.client.fake import ADDRESS, TOKEN


class BrokenPipe(io.BytesIO):
    """A stream whose reader has left."""

    def write(self, data: Any) -> int:
        raise BrokenPipeError(32, "Broken pipe")


class ScriptTests(CommandCase):
    """What a shell script relies on."""

    def test_new_then_wait(self) -> None:
        """`new` prints the bare address and keeps the token, with which `wait` prints the code."""
        self.server.boxes.clear()
        self.assertEqual(self.tempmail("new", "--lifetime", "10m"), DONE)
        self.assertEqual((self.said(), self.told()), ("k3v9@mail.test\n", ""))
        self.assertEqual(self.server.seen[-1][4], {"lifetime": 600})
        self.server.deliver(code="123456")
        self.assertEqual(self.tempmail("wait", "--code", "k3v9@mail.test"), DONE)
        self.assertEqual((self.said(), self.told()), ("123456\n", ""))

    def test_server_and_token(self) -> None:
        """An option goes before the environment, the environment before what is kept."""
        self.environ |= {"TEMPMAIL_URL": "http://one.test/base", "TEMPMAIL_TOKEN": "other"}
        self.assertEqual(self.tempmail("list", ADDRESS), NO_SUCH)
        self.assertEqual((self.server.seen[-1][1][0], self.server.seen[-1][3]), ("base", "other"))
        argv = ("list", ADDRESS, "--token", TOKEN, "--server", "http://two.test")
        self.assertEqual(self.tempmail(*argv), DONE)
        self.assertEqual((self.server.seen[-1][1][0], self.server.seen[-1][3]), ("v1", TOKEN))

    def test_options_before_the_command(self) -> None:
        """Common options count on either side of the command."""
        self.assertEqual(self.tempmail("--token", TOKEN, "--json", "list", ADDRESS), DONE)

    def test_wants(self) -> None:
        """`wait` prints the link, or the id that `show` takes; without a wish, the id."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        self.server.deliver(link="https://example.org/v?a=1")
        for option, value in (
            (["--link"], "https://example.org/v?a=1\n"),
            (["--message"], "m1\n"),
            ([], "m1\n"),
        ):
            self.assertEqual(self.tempmail("wait", *option, ADDRESS), DONE)
            self.assertEqual(self.said(), value)

    def test_wait_json(self) -> None:
        """With --json the answer of the server is printed on one line."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        self.server.deliver(code="1", subject="b\x1b[2J\n")
        self.assertEqual(self.tempmail("wait", "--json", ADDRESS), DONE)
        self.assertEqual(self.said().count("\n"), 1)
        self.assertNotIn("\x1b", self.said())
        found = json.loads(self.said())
        self.assertEqual((found["code"], found["message"]["subject"]), ("1", "b\x1b[2J\n"))

    def test_wait_filters(self) -> None:
        """--from, --subject and --after are sent as they are given."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        self.server.deliver(subject="Reset")
        self.server.deliver(subject="Reset")
        options = ("--from", "SHOP", "--subject", "reset", "--after", "1")
        self.assertEqual(self.tempmail("wait", *options, ADDRESS), DONE)
        self.assertEqual(self.said(), "m2\n")

    def test_wait_delete(self) -> None:
        """With --delete the next call finds the next message."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        self.server.deliver(code="1")
        self.server.deliver(code="2")
        for code in ("1\n", "2\n"):
            self.assertEqual(self.tempmail("wait", "--code", "--delete", ADDRESS), DONE)
            self.assertEqual(self.said(), code)

    def test_time_is_up(self) -> None:
        """In vain: exit code 3, nothing on stdout, and stderr says what is there instead."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        self.server.deliver()
        ended = self.start("wait", "--code", "--timeout", "20s", ADDRESS)
        self.pass_time(20)
        self.assertEqual(self.successResultOf(ended), TIMED_OUT)
        self.assertEqual(self.said(), "")
        self.assertEqual(
            self.told().splitlines(),
            [
                f"tempmail: waiting for a code at {ADDRESS}: 15 of 20 s",
                "tempmail: the mailbox holds 1 message, none of them a match",
                f"tempmail: no code came to {ADDRESS} within 20 s",
            ],
        )
        self.assertQuiet()

    def test_progress_on_a_terminal(self) -> None:
        """On a terminal one line is rewritten every second, and taken away before the value."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        self.is_terminal = True
        ended = self.start("wait", ADDRESS)
        self.pass_time(2)
        self.server.deliver()
        self.network.agent.flush()
        self.assertEqual(self.successResultOf(ended), DONE)
        shown = self.told().split("\r")
        self.assertEqual(
            shown[1:4], [f"waiting for a message at {ADDRESS}: {n} of 60 s" for n in range(3)]
        )
        self.assertEqual((shown[4].strip(), shown[5]), ("", ""))
        self.assertQuiet()

    def test_progress_tells_of_trouble(self) -> None:
        """While the server is away the progress says so."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        self.server.canned.append((503, {"retry-after": "4"}, b"{}"))
        ended = self.start("wait", ADDRESS)
        self.server.deliver()
        self.assertIn("503 Service Unavailable; asking again in 4.5 s", self.told())
        self.pass_time(5)
        self.assertEqual(self.successResultOf(ended), DONE)

    def test_quiet(self) -> None:
        """With --quiet nothing is said while it waits, only what went wrong."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        self.is_terminal = True
        ended = self.start("wait", "--quiet", ADDRESS)
        self.pass_time(60)
        self.assertEqual(self.successResultOf(ended), TIMED_OUT)
        self.assertEqual(self.told().count("\n"), 2)
        self.assertNotIn("waiting", self.told())

    def test_exit_codes(self) -> None:
        """Each kind of trouble has its number, and says something, without a traceback."""
        for status, code in (
            (401, NOT_ALLOWED),
            (404, NO_SUCH),
            (410, NO_SUCH),
            (409, TAKEN),
            (422, USAGE),
            (429, BUSY),
            (503, BUSY),
            (500, ERROR),
            (302, ERROR),
        ):
            self.server.canned.append((status, {"location": "http://x.test/"}, b"{}"))
            self.assertEqual(self.tempmail("domains"), code)
            self.assertEqual((self.said(), self.told().count("\n")), ("", 1))
        self.network.down = True
        self.assertEqual(self.tempmail("domains"), UNREACHABLE)

    def test_usage(self) -> None:
        """A command line that does not fit ends with 2 before anything is asked."""
        for argv in (
            (),
            ("wait",),
            ("dance",),
            ("new", "--lifetime", "soon"),
            ("list", "no-address"),
            ("wait", "--code", "--link", ADDRESS),
            ("list", ADDRESS, "--server", "mail.test"),
            ("list", ADDRESS, "--token", "two words"),
            ("rm", ADDRESS, ""),
            ("list", ADDRESS, "--tok", "x"),
        ):
            self.assertEqual((argv, self.tempmail(*argv)), (argv, USAGE))
            self.assertEqual(self.said(), "")
            self.assertTrue(self.told())
        self.assertEqual(self.server.seen, [])

    def test_help(self) -> None:
        """Help goes to stdout, and names the exit codes."""
        self.assertEqual(self.tempmail("--help"), DONE)
        self.assertIn("exit codes:", self.said())
        self.assertEqual(self.told(), "")

    def test_version(self) -> None:
        """So does the version."""
        self.assertEqual(self.tempmail("--version"), DONE)
        self.assertTrue(self.said().startswith("tempmail "))

    def test_interrupt(self) -> None:
        """Ctrl-C ends a wait with 130, without a word, and gives up the request."""
        self.environ["TEMPMAIL_TOKEN"] = TOKEN
        ended = self.start("wait", ADDRESS)
        self.pass_time(1)
        ended.cancel()
        self.assertEqual(self.successResultOf(ended), INTERRUPTED)
        self.assertEqual((self.said(), self.told()), ("", ""))
        self.assertQuiet()

    def test_mistake_of_ours(self) -> None:
        """An error that nobody foresaw is shown with its place, and is exit code 1."""
        self.network.down, self.network.fault = True, ZeroDivisionError()
        self.assertEqual(self.tempmail("domains"), ERROR)
        self.assertIn("ZeroDivisionError", self.told())

    def test_reader_left(self) -> None:
        """When the reader of stdout has left, it ends without a word."""
        self.out = BrokenPipe()
        self.assertEqual(self.tempmail("domains"), BROKEN_PIPE)
        self.assertEqual(self.told(), "")
