"""What a run prints: values and octets on stdout, everything for people on stderr."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from tempmail.client import TempmailError

TERMINAL_TICK = 1.0
"""Seconds between two states of the progress line that a person watches."""
LOG_TICK = 15.0
"""Seconds between two lines of progress in a log: a job is seen to live, its log stays short."""

# Control characters, which move the cursor or worse, and what turns the direction of writing.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: str, keep: str = "") -> str:
    """`text` with what a terminal might obey shown as an escape, save for what is in `keep`."""

    def shown(match: re.Match[str]) -> str:
        return match[0] if match[0] in keep else ascii(match[0])[1:-1]

    return _HOSTILE.sub(shown, text)


class Console:
    """Prints at once, so that a pipe has every line when it is there.

    Text from the mail is made harmless; `octets` and JSON, which is ASCII, are as they are. What
    `encoding` can not say is escaped. Writing raises OSError, BrokenPipeError among them.
    """

    def __init__(
        self, out: BinaryIO, err: BinaryIO, encoding: str, is_terminal: bool, clock: IReactorTime
    ) -> None:
        self._out = out
        self._err = err
        self._encoding = encoding
        self._is_terminal = is_terminal
        self._clock = clock

    def line(self, text: str) -> None:
        """One line on stdout."""
        self.octets(self._encoded(harmless(text) + "\n"))

    def block(self, text: str) -> None:
        """Lines on stdout, ended by a line feed if there are any."""
        text = harmless(text.replace("\r\n", "\n"), keep="\n\t")
        if text:
            self.octets(self._encoded(text if text.endswith("\n") else text + "\n"))

    def document(self, document: Any) -> None:
        """A JSON document on a line of its own on stdout."""
        self.octets(json.dumps(document).encode("ascii") + b"\n")

    def octets(self, data: bytes) -> None:
        """`data` on stdout, unchanged."""
        self._out.write(data)
        self._out.flush()

    def complain(self, text: str) -> None:
        """A line on stderr under our name."""
        self.say(f"tempmail: {harmless(text)}\n")

    def say(self, text: str) -> None:
        """`text` on stderr. A stderr that nobody reads is no reason to stop."""
        try:
            self._err.write(self._encoded(text))
            self._err.flush()
        except OSError:
            pass

    @contextmanager
    def progress(self, what: str, seconds: float) -> Iterator[Progress]:
        """Shows on stderr, for as long as the block runs, that `what` goes on and for how long."""
        shown = Progress(self, self._clock, self._is_terminal, what, seconds)
        tick = LoopingCall(shown.tell)
        tick.clock = self._clock
        interval = TERMINAL_TICK if self._is_terminal else LOG_TICK
        tick.start(interval, now=self._is_terminal)
        try:
            yield shown
        finally:
            tick.stop()
            shown.clear()

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._encoding, "backslashreplace")


class Progress:
    """How far a wait has come: one line, rewritten, on a terminal; a line each time in a log."""

    def __init__(
        self, console: Console, clock: IReactorTime, in_place: bool, what: str, seconds: float
    ) -> None:
        self._console = console
        self._clock = clock
        self._in_place = in_place
        self._what = harmless(what)
        self._seconds = seconds
        self._began = clock.seconds()
        self._trouble = ""
        self._width = 0

    def trouble(self, trouble: TempmailError, pause: float) -> None:
        """Adds why nothing can come at the moment; for `Client.on_retry`."""
        self._trouble = f" ({harmless(str(trouble))}; asking again in {pause:.1f} s)"
        self.tell()
        self._trouble = ""

    def tell(self) -> None:
        """Shows how it stands."""
        passed = self._clock.seconds() - self._began
        text = f"{self._what}: {passed:.0f} of {self._seconds:g} s{self._trouble}"
        if self._in_place:
            self._console.say("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self._console.say(f"tempmail: {text}\n")

    def clear(self) -> None:
        """Takes the rewritten line away again."""
        if self._width:
            self._console.say("\r" + " " * self._width + "\r")
            self._width = 0
