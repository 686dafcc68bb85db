"""Who a request is from, where proxies stand before us."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from tempmail.web.proxies import Proxies

PROXIES = Proxies([ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48")])


def client(*lines: tuple[str, str], proxies: Proxies = PROXIES) -> str | None:
    headers = Headers()
    for name, value in lines:
        headers.addRawHeader(name, value)
    return proxies.client(headers)


class ProxiesTests(SynchronousTestCase):
    """The client that proxies of ours name."""

    def test_who_is_one(self) -> None:
        """A proxy is known by its address; one without an address only if that was said."""
        for peer, trusted in (
            ("10.1.2.3", True),
            ("::ffff:10.1.2.3", True),
            ("2001:db8:1:2::3", True),
            ("192.0.2.1", False),
            ("", False),
        ):
            self.assertEqual(peer in PROXIES, trusted, peer)
        self.assertIn("", Proxies([None]))
        self.assertNotIn("192.0.2.1", Proxies([None]))
        self.assertNotIn("", Proxies())

    def test_list(self) -> None:
        """X-Forwarded-For is read from its end, over proxies of ours, to the first stranger."""
        for value, expected in (
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, 198.51.100.2", "198.51.100.2"),
            ("192.0.2.1, 198.51.100.2, 10.0.0.1", "198.51.100.2"),
            ("6.6.6.6,192.0.2.1 ,10.0.0.1,  10.0.0.2", "192.0.2.1"),
            ("2001:DB8::7", "2001:db8::7"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            # Only proxies of ours: the first of them asked for itself.
            ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
            # What no address is ends the list: the proxy that wrote it is all we know.
            ("unknown", None),
            ("", None),
            ("192.0.2.1, garbage", None),
            ("192.0.2.1, unknown, 10.0.0.9", "10.0.0.9"),
            ("192.0.2.1,", None),
        ):
            self.assertEqual(client(("X-Forwarded-For", value)), expected, value)

    def test_several_lines(self) -> None:
        """Several headers are one list (RFC 9110 section 5.3)."""
        lines = [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "198.51.100.2, 10.0.0.1")]
        self.assertEqual(client(*lines), "198.51.100.2")

    def test_forwarded(self) -> None:
        """Forwarded (RFC 7239) says the same in its own grammar."""
        for value, expected in (
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=192.0.2.1;proto=https;by=10.0.0.1", "192.0.2.1"),
            ("proto=https; for=192.0.2.1", "192.0.2.1"),
            ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
            ('for="192.0.2.1:80"', "192.0.2.1"),
            ("for=6.6.6.6, for=192.0.2.1, for=10.0.0.1", "192.0.2.1"),
            ('for=192.0.2.1;ext="a, for=6.6.6.6"', "192.0.2.1"),
            ('ext="x;for=6.6.6.6";for=192.0.2.1', "192.0.2.1"),
            ('host="a;for=6.6.6.6;b";for=192.0.2.1', "192.0.2.1"),
            (r'host="a\";for=6.6.6.6;\"b";for=192.0.2.1', None),
            (r'host="a\",for=6.6.6.6,\"b";for=192.0.2.1', "192.0.2.1"),
            ('x=", for=192.0.2.1', "192.0.2.1"),
            ("for=_hidden", None),
            ("for=unknown", None),
            ("proto=https", None),
            ("for=192.0.2.1, proto=https", None),
            ('for="192.0.2.1', "192.0.2.1"),
        ):
            self.assertEqual(client(("Forwarded", value)), expected, value)

    def test_both(self) -> None:
        """Where both are there they must agree: a proxy that writes one passes the other on."""
        theirs = ("X-Forwarded-For", "192.0.2.1")
        self.assertEqual(client(theirs, ("Forwarded", "for=192.0.2.1")), "192.0.2.1")
        self.assertIsNone(client(theirs, ("Forwarded", "for=6.6.6.6")))
        self.assertIsNone(client(("X-Forwarded-For", "6.6.6.6"), ("Forwarded", "for=192.0.2.1")))

    def test_none(self) -> None:
        """Without such a header nobody is named."""
        self.assertIsNone(client(("X-Real-IP", "192.0.2.1")))

    @settings(max_examples=200)
    @given(st.text(alphabet='for=192.0,;" []:', max_size=60), st.sampled_from(["192.0.2.7"]))
    def test_nothing_said_before_counts(self, forged: str, real: str) -> None:
        """Whatever a client writes itself, the address that our proxy puts behind it counts."""
        self.assertEqual(client(("X-Forwarded-For", f"{forged}, {real}")), real)
        self.assertEqual(client(("Forwarded", f"{forged}, for={real}")), real)

    def test_linear(self) -> None:
        """The longest header there can be is read in no time."""
        for piece in ('"', '\\"', "a", 'a="', ",", "for=", ",;", '",', '";"'):
            value = '"' + piece * (16_000 // len(piece))
            client(("Forwarded", value), ("X-Forwarded-For", value))
