"""Connections by way of a proxy that says first whose they are."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from tempmail.proxied import ProxiedFactory

PROXY = IPv4Address("TCP", "10.0.0.1", 4711)


class Ear(Protocol):
    """Hears what stands behind the header."""

    def __init__(self) -> None:
        self.heard = b""

    def dataReceived(self, data: bytes) -> None:
        if data.startswith(b"break"):
            raise ValueError
        self.heard += data


class HeaderTests(SynchronousTestCase):
    """One connection each."""

    def setUp(self) -> None:
        self.connect()

    def connect(self) -> None:
        factory = ProxiedFactory(Factory.forProtocol(Ear))
        self.connection: Any = factory.buildProtocol(PROXY)
        self.transport = StringTransportWithDisconnection(peerAddress=PROXY)
        self.transport.protocol = self.connection
        self.ear: Any = self.connection.wrappedProtocol
        self.connection.makeConnection(self.transport)

    def peer(self) -> str:
        return str(getattr(self.connection.getPeer(), "host", ""))

    def test_client(self) -> None:
        """The connection is the client's whom the header names, and what is behind it is heard."""
        self.connection.dataReceived(b"PROXY TCP4 192.0.2.7 192.0.2.25 4711 25\r\nEHLO x\r\n")
        self.assertEqual((self.peer(), self.ear.heard), ("192.0.2.7", b"EHLO x\r\n"))

    def test_its_own(self) -> None:
        """A proxy may introduce a connection of its own, as it does to see whether we are there."""
        for header in (b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN ff:: ff:: 65535 65535\r\n"):
            self.connect()
            self.connection.dataReceived(header + b"QUIT\r\n")
            self.assertTrue(self.transport.connected, header)
            self.assertEqual((self.peer(), self.ear.heard), ("10.0.0.1", b"QUIT\r\n"))

    def test_nonsense(self) -> None:
        """A header that says nothing to us ends the connection, and there is no more to it."""
        for header in (
            b"PROXY TCP4 192.0.2.7 192.0.2.25 many 25\r\n",
            b"PROXY TCP4 \xff 192.0.2.25 4711 25\r\n",
            b"PROXY TCP4\r\n",
            b"PROXY SCTP a b c d\r\n",
            b"EHLO not.a.proxy.example\r\n",
        ):
            self.connect()
            self.connection.dataReceived(header + b"QUIT\r\n")
            self.assertFalse(self.transport.connected, header)
            self.assertEqual(self.ear.heard, b"", header)

    def test_defects_behind_it(self) -> None:
        """What goes wrong behind the header is not taken for a bad one."""
        header = b"PROXY TCP4 192.0.2.7 192.0.2.25 4711 25\r\n"
        self.assertRaises(ValueError, self.connection.dataReceived, header + b"break")
