"""Connections by way of a proxy that says first whose they are: HAProxy's PROXY protocol."""

from __future__ import annotations

from twisted.protocols.haproxy._wrapper import HAProxyProtocolWrapper, HAProxyWrappingFactory

# How a proxy introduces a connection of its own, to see whether we are there. Section 2.1 of the
# protocol has nothing stand behind it; Twisted wants a blank.
_ITS_OWN = b"PROXY UNKNOWN\r\n"


class ProxiedConnection(HAProxyProtocolWrapper):
    """Twisted's, but for the form above and for ports and addresses that are none.

    At those its parser raises ValueError; the connection is closed, as for any other bad header.
    """

    def dataReceived(self, data: bytes) -> None:
        """The header, and everything behind it."""
        if self._parser is None and data.startswith(_ITS_OWN):
            data = _ITS_OWN.replace(b"\r", b" \r") + data[len(_ITS_OWN) :]
        try:
            super().dataReceived(data)
        except ValueError:
            if self._proxyInfo is not None:
                raise
            self.loseConnection()  # type: ignore[no-untyped-call]


class ProxiedFactory(HAProxyWrappingFactory):
    """Puts that around what another factory makes."""

    protocol = ProxiedConnection  # type: ignore[assignment]
