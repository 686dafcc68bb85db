"""The options of the examination: those of the server, and how to look."""

from __future__ import annotations

from twisted.python import usage

from tempmail.core.limits import DNS_PORT
from tempmail.options import Options


class DoctorOptions(Options):
    """What stands behind ``tempmail doctor``."""

    longdesc = (
        "Looks at everything the server needs, without starting it. Takes the server's options, "
        "or the file that has them, and exits with 1 when something must be done."
    )

    def __init__(self) -> None:
        super().__init__()
        self.json = False
        self.resolver: tuple[str, int] | None = None

    def getSynopsis(self) -> str:
        """The first line of the help."""
        return "Usage: tempmail doctor [options]"

    def opt_json(self) -> None:
        """Print one JSON document instead of lines."""
        self.json = True

    def opt_resolver(self, text: str) -> None:
        """The name server to ask, HOST or HOST:PORT. [default those of /etc/resolv.conf]"""
        host, _, port = text.partition(":")
        if not host or not (port or str(DNS_PORT)).isdecimal():
            raise usage.UsageError(f"--resolver: {text!r}: expected 192.0.2.53 or 192.0.2.53:5353")
        self.resolver = host, int(port or DNS_PORT)
