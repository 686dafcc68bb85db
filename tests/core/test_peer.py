"""Whose quota a connection counts against."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.peer import client_key


class ClientKeyTests(SynchronousTestCase):
    """``client_key``."""

    def test_ipv4(self) -> None:
        """An IPv4 address is one client."""
        self.assertEqual(client_key("192.0.2.7"), "192.0.2.7")

    def test_ipv6_network(self) -> None:
        """All addresses of one /64 are one client, those of the next are another."""
        one, same, other = map(
            client_key, ("2001:db8:1:2::7", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::7")
        )
        self.assertEqual(one, same)
        self.assertNotEqual(one, other)

    def test_spelling(self) -> None:
        """However an IPv6 address is written, it is the same client."""
        self.assertEqual(client_key("2001:DB8:0:0:0:0:0:1"), client_key("2001:db8::1"))

    def test_mapped(self) -> None:
        """An IPv4 client that came in by an IPv6 socket is the IPv4 client it is."""
        self.assertEqual(client_key("::ffff:192.0.2.7"), "192.0.2.7")

    def test_scope(self) -> None:
        """A scope id, which names an interface of ours, makes no other client."""
        self.assertEqual(client_key("fe80::1%eth0"), client_key("fe80::1"))

    def test_no_address(self) -> None:
        """What is no IP address is left alone: a socket file's peer has an empty name."""
        self.assertEqual(client_key(""), "")
        self.assertEqual(client_key("a:b"), "a:b")
