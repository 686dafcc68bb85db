"""Mail over a raw socket: every octet as the test gives it, and none that a client library adds."""

from __future__ import annotations

import socket
from types import TracebackType

from tests.live.daemon import PATIENCE


class Wire:
    """One SMTP session, to be used as ``with Wire(port) as wire:``."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._replies = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        self._expect(b"220")
        self._say(b"EHLO client.example", b"250")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._replies.close()
        self._socket.close()

    def by_data(self, recipient: str, octets: bytes) -> None:
        """Send a mail, which must end with a line's end, by DATA (RFC 5321 section 4.5.2)."""
        assert octets.endswith(b"\r\n")
        self._begin(recipient)
        self._say(b"DATA", b"354")
        stuffed = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n..")[2:]
        self._socket.sendall(stuffed + b".\r\n")
        self._expect(b"250")

    def by_bdat(self, recipient: str, octets: bytes, chunk: int) -> None:
        """Send a mail by BDAT in chunks of so many octets (RFC 3030)."""
        self._begin(recipient)
        for start in range(0, len(octets), chunk):
            piece = octets[start : start + chunk]
            last = b" LAST" if start + chunk >= len(octets) else b""
            self._socket.sendall(b"BDAT %d%b\r\n" % (len(piece), last) + piece)
            self._expect(b"250")

    def _begin(self, recipient: str) -> None:
        self._say(b"MAIL FROM:<sender@example.org> BODY=8BITMIME", b"250")
        self._say(b"RCPT TO:<%b>" % recipient.encode(), b"250")

    def _say(self, line: bytes, expected: bytes) -> None:
        self._socket.sendall(line + b"\r\n")
        self._expect(expected)

    def _expect(self, code: bytes) -> None:
        line = self._replies.readline()
        while line[3:4] == b"-":
            line = self._replies.readline()
        if not line.startswith(code):
            raise AssertionError(line)
