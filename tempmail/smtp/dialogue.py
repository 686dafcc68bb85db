"""What is said in an SMTP session, for an operator who asked to see it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from twisted.logger import Logger

_numbers = count(1)
# What a client says with these is a secret, or no command at all and so perhaps a mail's content.
_SECRET = frozenset({b"AUTH"})


class Dialogue:
    """One session in the log, at debug: commands with their addresses, replies, never content."""

    _log = Logger()

    def __init__(self, known: Callable[[bytes], bool], send: Callable[[bytes], None]) -> None:
        self._known = known
        self._send = send
        self._number = next(_numbers)

    def begin(self, peer: str) -> None:
        """Somebody connected, or a proxy said who it is."""
        self._log.debug("session {number}: from {peer}", number=self._number, peer=peer or "-")

    def heard(self, line: bytes) -> None:
        """A command line came."""
        verb = line.split(None, 1)[0].upper() if line.strip() else b""
        shown = line.strip().decode("utf-8", "backslashreplace")
        if verb in _SECRET:
            shown = f"{verb.decode()} …"
        elif not self._known(verb):
            shown = f"({len(line)} octets that are no command)"
        self._log.debug("session {number}: C: {line}", number=self._number, line=_printable(shown))

    def send(self, answers: bytes) -> None:
        """Send answers, and write them down."""
        for line in answers.decode("utf-8", "backslashreplace").splitlines():
            self._log.debug("session {number}: S: {line}", number=self._number, line=line)
        self._send(answers)

    def end(self) -> None:
        """The connection is gone."""
        self._log.debug("session {number}: over", number=self._number)


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]
