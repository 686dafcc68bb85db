"""Who a client is: the name its quotas are kept under, what it holds, and its network."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import MAX_KNOWN_HOSTS
from tempmail.core.peer import LOOPBACK, Held, Networks, client_key, parse_network


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


class HeldTests(SynchronousTestCase):
    """``Held``."""

    def test_nobody_left_behind(self) -> None:
        """Each client is counted by itself, and whoever holds nothing any more is forgotten."""
        held = Held()
        for client in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
            held.add(client)
        held.drop("192.0.2.1")
        held.drop("192.0.2.2")
        self.assertEqual([held.of("192.0.2.1"), held.of("192.0.2.2")], [1, 0])
        self.assertEqual(held.counts, {"192.0.2.1": 1})


class NetworksTests(SynchronousTestCase):
    """``Networks``."""

    def test_members(self) -> None:
        """A host is in them if one holds it, however it is written; what is no address is not."""
        networks = Networks(map(parse_network, ("192.0.2.0/24", "198.51.100.7", "2001:db8::1/32")))
        for host, member in (
            ("192.0.2.255", True),
            ("192.0.3.0", False),
            ("198.51.100.7", True),
            ("198.51.100.8", False),
            ("::ffff:192.0.2.1", True),
            ("2001:DB8:ffff::1", True),
            ("2001:db9::", False),
            ("2001:db8::1%eth0", True),
            ("", False),
            ("unix", False),
        ):
            for _ in range(2):
                self.assertEqual(host in networks, member, host)

    def test_empty(self) -> None:
        """Nobody is in none."""
        self.assertFalse(Networks())
        self.assertTrue(Networks(LOOPBACK))
        self.assertNotIn("127.0.0.1", Networks())

    def test_bounded(self) -> None:
        """Only so many answers are remembered."""
        networks = Networks(LOOPBACK)
        for number in range(2 * MAX_KNOWN_HOSTS):
            self.assertNotIn(f"2001:db8::{number:x}", networks)
            self.assertLessEqual(len(networks._known), MAX_KNOWN_HOSTS)
        self.assertIn("127.0.0.1", networks)
