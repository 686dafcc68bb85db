"""What a connection may do: how much, how long, how many, and how it is refused."""

from __future__ import annotations

import json
from ipaddress import IPv4Network

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import (
    BODY_READ_OCTETS,
    LINGER_SECONDS,
    MAX_LINGERING,
    REQUEST_READ_OCTETS,
    Limits,
)
from tempmail.web.proxies import Proxies
from tempmail.web.site import Exposure
from tests.web.house import House, SecureWire, Wire, status_of

LIMITS = Limits(
    max_body_size=1000,
    body_timeout=30.0,
    http_idle_timeout=60.0,
    max_http_connections=5,
    max_http_connections_per_client=3,
)
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
WAIT = b"GET /v1/mailboxes/a%40qa.test/messages?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n"


def post(*headers: bytes, body: bytes = b"") -> bytes:
    """A request that mints."""
    lines = (
        b"POST /v1/mailboxes HTTP/1.1",
        b"Host: x",
        b"Content-Type: application/json",
        *headers,
    )
    return b"\r\n".join([*lines, b"", body])


def chunk(data: bytes) -> bytes:
    """A chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class ChannelTestCase(SynchronousTestCase):
    """A test with one connection."""

    exposure = Exposure()

    def setUp(self) -> None:
        """Connect."""
        self.house = House(LIMITS, self.exposure)
        self.wire = Wire(self.house.site)

    def assert_refused(self, octets: bytes, status: int) -> None:
        """One whole problem came, and the connection is closed."""
        head, _, body = octets.partition(b"\r\n\r\n")
        self.assertEqual(status_of(octets), status, octets)
        self.assertIn(b"\r\nConnection: close\r\n", head + b"\r\n")
        self.assertIn(b"Content-Type: application/problem+json", head)
        self.assertIn(b"X-Content-Type-Options: nosniff", head)
        self.assertEqual(json.loads(body)["status"], status)
        self.assertTrue(self.wire.closed)

    def assert_clean(self) -> None:
        """When the client is gone nothing is left of it."""
        self.wire.hang_up()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])


class BodyTests(ChannelTestCase):
    """How much may be sent, and how fast."""

    def test_length_too_large(self) -> None:
        """A body that is announced as too large is refused before any of it came."""
        self.assert_refused(self.wire.send(post(b"Content-Length: 1001")), 413)

    def test_length_far_too_large(self) -> None:
        """However large a number it is."""
        self.assert_refused(self.wire.send(post(b"Content-Length: " + b"9" * 400)), 413)

    def test_expect(self) -> None:
        """A client that asks first is refused instead of told to go on."""
        sent = self.wire.send(post(b"Content-Length: 1001", b"Expect: 100-continue"))
        self.assert_refused(sent, 413)

    def test_expect_accepted(self) -> None:
        """A client that asks first, and may, is told to go on (RFC 9110 section 10.1.1)."""
        sent = self.wire.send(post(b"Content-Length: 2", b"Expect: 100-continue"))
        self.assertEqual(sent, b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertEqual(status_of(self.wire.send(b"{}")), 201)

    def test_chunks_too_large(self) -> None:
        """A chunked body is refused as soon as it is too large, and the rest of it ignored."""
        self.assertEqual(self.wire.send(post(b"Transfer-Encoding: chunked")), b"")
        self.assertEqual(self.wire.send(chunk(b" " * 1000)), b"")
        self.assert_refused(self.wire.send(chunk(b" ") + chunk(b" ") + b"0\r\n\r\n" + GET), 413)
        self.assertEqual(self.wire.send(chunk(b" " * 5000) + GET), b"")

    def test_one_chunk_too_large(self) -> None:
        """One large chunk is not kept till it is whole."""
        self.wire.send(post(b"Transfer-Encoding: chunked"))
        self.assert_refused(self.wire.send(b"ffffff\r\n" + b" " * 1001), 413)

    def test_chunks(self) -> None:
        """A chunked body that fits is taken, and the connection goes on."""
        body = chunk(b"{") + chunk(b"}") + b"0\r\n\r\n"
        self.assertEqual(
            status_of(self.wire.send(post(b"Transfer-Encoding: chunked", body=body))), 201
        )
        self.assertEqual(status_of(self.wire.send(GET)), 200)

    def test_reads(self) -> None:
        """While a body comes in it is read in large pieces, and only then."""
        for length in ("Content-Length: 2", "Transfer-Encoding: chunked"):
            self.assertEqual(self.wire.bufferSize, REQUEST_READ_OCTETS)
            head = f"POST /v1/mailboxes HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n"
            self.wire.send(head.encode())
            self.assertEqual(self.wire.bufferSize, BODY_READ_OCTETS)
            self.wire.send(b"{}" if "2" in length else b"0\r\n\r\n")
            self.assertEqual(self.wire.bufferSize, REQUEST_READ_OCTETS)

    def test_octet_by_octet(self) -> None:
        """However the octets of a request are cut, it is the same request."""
        whole = post(b"Content-Length: 2", body=b"{}") + GET
        answers = b"".join(self.wire.send(whole[at : at + 1]) for at in range(len(whole)))
        self.assertEqual(answers.count(b"HTTP/1.1 201"), 1)
        self.assertEqual(answers.count(b"HTTP/1.1 200"), 1)

    def test_slow_body(self) -> None:
        """A body that takes too long is refused, though octets keep coming."""
        self.wire.send(post(b"Content-Length: 900"))
        for _ in range(29):
            self.house.clock.advance(1)
            self.assertEqual(self.wire.send(b" "), b"")
        self.house.clock.advance(1)
        self.assert_refused(self.wire.take(), 408)

    def test_slow_head(self) -> None:
        """So are headers that take too long."""
        for _ in range(30):
            self.wire.send(b"G")
            self.house.clock.advance(1)
        self.house.clock.advance(1)
        self.assert_refused(self.wire.take(), 408)

    def test_rest_is_thrown_away(self) -> None:
        """What a refused client still sends is swallowed for a moment, then it is cut off."""
        self.wire.send(post(b"Content-Length: 100000"))
        self.assertEqual(self.wire.send(b" " * 50_000), b"")
        self.assertFalse(self.wire.aborting)
        self.house.clock.advance(LINGER_SECONDS)
        self.assertTrue(self.wire.aborting)
        self.assert_clean()


class IdleTests(ChannelTestCase):
    """Connections on which nothing happens."""

    def test_idle(self) -> None:
        """A connection without a request is closed after a while, without a word."""
        self.house.clock.advance(59)
        self.assertFalse(self.wire.closed)
        self.house.clock.advance(1)
        self.assertTrue(self.wire.closed)
        self.assertEqual(self.wire.take(), b"")
        self.assert_clean()

    def test_between_requests(self) -> None:
        """Each answer begins the while anew."""
        for _ in range(5):
            self.house.clock.advance(50)
            self.assertEqual(status_of(self.wire.send(GET)), 200)
        self.house.clock.advance(60)
        self.assertTrue(self.wire.closed)

    def test_waiting_is_not_idle(self) -> None:
        """A client that waits for its answer is not cut off, however short the timeout."""
        self.house.office.limits = Limits(http_idle_timeout=5.0, body_timeout=5.0)
        self.wire.send(WAIT)
        self.house.clock.advance(59)
        self.assertFalse(self.wire.closed)
        self.house.clock.advance(1)
        self.assertIn(b'"timed_out":true', self.wire.take())

    def test_stalled(self) -> None:
        """A client that does not take its answer is cut off after a while."""
        self.wire.send(WAIT)
        self.wire.reader.pauseProducing()
        self.house.clock.advance(59)
        self.wire.reader.resumeProducing()
        self.wire.reader.pauseProducing()
        self.house.clock.advance(59)
        self.assertFalse(self.wire.closed)
        self.house.clock.advance(1)
        self.assertTrue(self.wire.aborting)

    def test_last_answer_stalled(self) -> None:
        """Neither does the last answer of a connection wait for ever to be taken."""
        self.wire.send(GET.replace(b"Host", b"Connection: close\r\nHost"))
        self.assertTrue(self.wire.disconnecting)
        self.house.clock.advance(60)
        self.assertTrue(self.wire.aborting)

    def test_nothing_left(self) -> None:
        """A client that leaves leaves nothing, wherever it was."""
        self.wire.hang_up()
        for sent in (
            b"",
            b"GET",
            GET,
            WAIT,
            post(b"Content-Length: 10"),
            post(b"Content-Length: 9999"),
        ):
            self.wire = Wire(self.house.site)
            self.wire.send(sent)
            self.assert_clean()


class MalformedTests(ChannelTestCase):
    """What is no HTTP/1.1."""

    def test_refused(self) -> None:
        """Each is answered with one whole problem."""
        for octets, status in (
            (b"\x16\x03\x01\x02\x00\r\n", 400),
            (b"hello\r\n", 400),
            (b"GET /\r\n", 400),
            (b"GET / HTTP/9.9\r\n", 400),
            (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\na b: c\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\na: \x00\r\n\r\n", 400),
            (post(b"Content-Length: -1"), 400),
            (post(b"Content-Length: x"), 400),
            (post(b"Content-Length: 1", b"Content-Length: 2"), 400),
            (post(b"Content-Length: 1", b"Transfer-Encoding: chunked"), 400),
            (post(b"Transfer-Encoding: gzip"), 400),
            (post(b"Transfer-Encoding: identity"), 400),
            (post(b"Transfer-Encoding: identity", b"Content-Length: 2", body=b"{}"), 400),
            (post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"), 400),
            (post(b"Transfer-Encoding: chunked", body=b"x\r\n"), 400),
            (b"GET /" + b"x" * 20_000, 431),
            (b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"x" * 20_000, 431),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 600, 431),
        ):
            self.setUp()
            self.assert_refused(self.wire.send(octets + GET), status)
            self.assert_clean()

    def test_refused_octet_by_octet(self) -> None:
        """The same when it comes in pieces: one answer, and nothing after it."""
        octets = post(b"Content-Length: x") + GET
        answers = b"".join(self.wire.send(octets[at : at + 1]) for at in range(len(octets)))
        self.assert_refused(answers, 400)

    def test_tls(self) -> None:
        """Who comes with TLS to a port without is told so at once, also as a second thought."""
        hello = b"\x16\x03\x01\x02\x00\x01\x00"
        self.assert_refused(self.wire.send(hello), 400)
        self.wire = Wire(self.house.site)
        self.assertEqual(status_of(self.wire.send(GET)), 200)
        self.assert_refused(self.wire.send(hello), 400)

    def test_octet_of_tls(self) -> None:
        """Within a body the same octet is one like any other."""
        self.wire.send(post(b"Content-Length: 2", body=b""))
        self.assertEqual(status_of(self.wire.send(b"\x16x")), 400)
        self.assertFalse(self.wire.closed)

    def test_old_protocol(self) -> None:
        """HTTP/1.0 is served, needs no Host, and its connection ends."""
        answer = self.wire.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        self.assertEqual(status_of(answer), 200)
        self.assertTrue(self.wire.closed)

    def test_pipelined(self) -> None:
        """Requests sent at once are answered in order."""
        answers = self.wire.send(GET + GET.replace(b"healthz", b"nothing") + GET)
        self.assertEqual(
            [status_of(b"HTTP/1.1" + part) for part in answers.split(b"HTTP/1.1")[1:]],
            [200, 404, 200],
        )

    def test_pipelined_unread(self) -> None:
        """Who reads no answers gets no more of them made, is read from no more, and has them all
        when he reads, whatever he sent meanwhile."""
        number = 3000
        self.wire.send_slowly(GET * number)
        self.assertLess(len(self.wire.value()), 66_000)
        for octets in (GET[:10], GET[10:]):
            self.wire.channel.dataReceived(octets)
            self.assertEqual(self.wire.producerState, "paused")
        self.assertEqual(self.wire.drain().count(b"HTTP/1.1 200 "), number + 1)
        self.assertEqual(self.wire.producerState, "producing")
        self.assertEqual(status_of(self.wire.send(GET)), 200)

    def test_never_reads(self) -> None:
        """Who goes on sending and never reads is cut off when his time is over."""
        self.wire.send_slowly(GET * 3000)
        half = self.house.limits.http_idle_timeout / 2
        for _ in range(2):
            self.assertFalse(self.wire.aborting)
            self.wire.channel.dataReceived(GET)
            self.house.turn(half)
        self.assertTrue(self.wire.aborting)


class AdmissionTests(ChannelTestCase):
    """How many connections there may be."""

    def test_per_client(self) -> None:
        """One client has a share of the connections; the next is told to come again later."""
        wires = [self.wire, Wire(self.house.site), Wire(self.house.site)]
        refused = self.wire = Wire(self.house.site)
        answer = refused.take()
        self.assert_refused(answer, 429)
        self.assertIn(b"Retry-After: ", answer)
        self.assertEqual(refused.send(GET), b"")
        wires[0].hang_up()
        refused.hang_up()
        self.assertEqual(status_of(Wire(self.house.site).send(GET)), 200)

    def test_many_too_many(self) -> None:
        """Under TLS who comes too often is told so for a moment, and so many at a time."""
        for _ in range(2):
            SecureWire(self.house.site)
        told = [SecureWire(self.house.site) for _ in range(MAX_LINGERING)]
        cut_off = SecureWire(self.house.site)
        self.assertTrue(all(wire.take() and not wire.aborting for wire in told))
        self.assertEqual((cut_off.take(), cut_off.aborting), (b"", True))
        self.house.turn(LINGER_SECONDS)
        self.assertTrue(all(wire.aborting for wire in told))
        self.assertFalse(SecureWire(self.house.site).aborting)

    def test_ipv6_network(self) -> None:
        """The addresses of one /64 are one client's."""
        for host in ("2001:db8::1", "2001:db8::2", "2001:db8::3"):
            self.assertEqual(Wire(self.house.site, host).take(), b"")
        self.wire = Wire(self.house.site, "2001:db8::ffff:4")
        self.assert_refused(self.wire.take(), 429)

    def test_in_all(self) -> None:
        """There is an end to connections in all, whosever they are."""
        for number in range(2, 6):
            self.assertEqual(status_of(Wire(self.house.site, f"192.0.2.{number}").send(GET)), 200)
        self.wire = Wire(self.house.site, "192.0.2.9")
        self.assert_refused(self.wire.take(), 503)

    def test_all_gone(self) -> None:
        """When all are gone, nothing is counted any more."""
        wires = [Wire(self.house.site, f"192.0.2.{number}") for number in range(8)]
        for wire in (self.wire, *wires):
            wire.hang_up()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        for _ in range(10):
            wire = Wire(self.house.site)
            self.assertEqual(status_of(wire.send(GET)), 200)
            wire.hang_up()


class ProxyTests(ChannelTestCase):
    """Behind a proxy of ours."""

    exposure = Exposure(proxies=Proxies([IPv4Network("192.0.2.1")]))

    def test_one_peer(self) -> None:
        """All connections are the proxy's, so only their number in all counts."""
        wires = [self.wire, *(Wire(self.house.site) for _ in range(4))]
        self.assertEqual([status_of(wire.send(GET)) for wire in wires], [200] * 5)

    def test_forwarded(self) -> None:
        """Quotas count by whom our proxy names, which is the last entry."""
        self.house.store.limits = Limits(mailboxes_per_client=1)
        for forwarded, status in (
            (b"1.2.3.4, 198.51.100.1", 201),
            (b"5.6.7.8, 198.51.100.1", 429),
            (b"198.51.100.1, 198.51.100.2", 201),
        ):
            sent = self.wire.send(post(b"X-Forwarded-For: " + forwarded))
            self.assertEqual(status_of(sent), status)
