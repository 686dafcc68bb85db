"""What requests and answers take from the memory budget, and that all of it is given back."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import parse_address
from tempmail.core.limits import (
    CONNECTION_RESERVE,
    HTTP_CONNECTION_COST,
    POUR_OCTETS,
    STALLED_COST,
    STALLED_RESERVE,
    TLS_COST,
    Limits,
)
from tempmail.core.message import Envelope
from tempmail.web.allowance import Allowance
from tests.web.house import House, SecureWire, Wire, status_of
from tests.web.test_channel import post

TEXT = b"Subject: Long\r\n\r\n" + b"It is long.\r\n" * 40_000


class MemoryTests(SynchronousTestCase):
    """A connection at a time; what is charged is compared with what was before it came."""

    def setUp(self) -> None:
        """One long mail at an address that everybody reads."""
        self.house = House()
        self.address = parse_address("box@qa.test")
        office = self.house.office
        self.successResultOf(office.deliver(Envelope(""), [self.address], TEXT))
        (message,) = self.successResultOf(
            Deferred.fromCoroutine(office.messages(self.address, None, limit=1))
        ).messages
        self.successResultOf(Deferred.fromCoroutine(office.whole(message)))
        self.path = f"/v1/mailboxes/box@qa.test/messages/{message.id}"
        self.before = self.house.budget.used

    @property
    def taken(self) -> int:
        """Octets charged beyond what the mail and its reading cost."""
        return self.house.budget.used - self.before

    def get(self, path: str) -> bytes:
        """A request."""
        return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

    def test_connection(self) -> None:
        """A connection counts for as long as it is there, also where nothing is left for mail."""
        self.house.budget.limit = self.house.budget.used
        wire = Wire(self.house.site)
        self.assertEqual(status_of(wire.send(self.get("/healthz"))), 200)
        self.assertEqual(self.taken, HTTP_CONNECTION_COST)
        wire.hang_up()
        self.assertEqual(self.taken, 0)

    def test_body(self) -> None:
        """A body counts as it comes, and no more when its request is answered."""
        wire = Wire(self.house.site)
        wire.send(post(b"Content-Length: 1000", body=b" " * 998))
        self.assertEqual(self.taken, HTTP_CONNECTION_COST + 998)
        self.assertEqual(status_of(wire.send(b"{x")), 400)
        self.assertEqual(self.taken, HTTP_CONNECTION_COST)

    def test_body_half_sent(self) -> None:
        """Nor when the client leaves in the middle of it."""
        wire = Wire(self.house.site)
        wire.send(post(b"Content-Length: 1000", body=b" " * 998))
        wire.hang_up()
        self.assertEqual(self.taken, 0)

    def test_no_room_for_body(self) -> None:
        """A body for which there is no memory is refused before it is sent."""
        wire = Wire(self.house.site)
        self.house.budget.limit = self.house.budget.used + 500
        self.assertEqual(status_of(wire.send(post(b"Content-Length: 999", body=b" " * 600))), 503)
        wire.hang_up()
        self.assertEqual(self.taken, 0)

    def test_whose_body(self) -> None:
        """A body takes from its client's share; who has as much as is left is refused more."""
        self.house.budget.limit = self.house.budget.used + 2 * HTTP_CONNECTION_COST + 2000
        wires = [Wire(self.house.site, host) for host in ("192.0.2.1", "192.0.2.2")]
        wires[0].send(post(b"Content-Length: 1999", body=b" " * 900))
        self.assertEqual(self.house.budget.held["requests of 192.0.2.1"], 900)
        self.assertEqual(status_of(wires[0].send(b" " * 200)), 429)
        self.assertEqual(wires[1].send(post(b"Content-Length: 999", body=b" " * 400)), b"")
        wires[1].hang_up()
        wires[0].hang_up()
        self.assertEqual((self.taken, self.house.budget.held), (0, {}))

    def test_long_answer(self) -> None:
        """A long answer made for one client counts until he has taken it."""
        wire = Wire(self.house.site)
        wire.send_slowly(self.get(self.path))
        self.assertGreater(self.taken, HTTP_CONNECTION_COST + len(TEXT))
        self.assertIn(b"It is long.", wire.drain())
        self.assertEqual(self.taken, HTTP_CONNECTION_COST)

    def test_long_answer_not_taken(self) -> None:
        """Or until he leaves."""
        wire = Wire(self.house.site)
        wire.send_slowly(self.get(self.path))
        wire.hang_up()
        self.assertEqual(self.taken, 0)

    def test_no_room_for_answer(self) -> None:
        """Where there is no memory for a long answer, that is the answer."""
        wire = Wire(self.house.site)
        self.house.budget.limit = self.house.budget.used + POUR_OCTETS
        answer = wire.send(self.get(self.path))
        self.assertEqual(status_of(answer), 503)
        self.assertIn(b"\r\nRetry-After: ", answer)

    def test_whose_address(self) -> None:
        """Who takes as much of the memory as is left makes no address; others do."""
        self.house.budget.pay(50_000, "192.0.2.1")
        self.house.budget.limit = self.house.budget.used + HTTP_CONNECTION_COST + 20_000
        for host, status in (("192.0.2.1", 429), ("192.0.2.2", 201)):
            wire = Wire(self.house.site, host)
            self.assertEqual(status_of(wire.send(post(b"Content-Length: 0"))), status)
            wire.hang_up()

    def test_who_sent_much_can_read(self) -> None:
        """Who takes all of the memory that one client may still asks, marks and reads."""
        self.house.budget.pay(2_000_000, "192.0.2.1")
        self.house.budget.limit = self.house.budget.used + HTTP_CONNECTION_COST + 1_900_000
        wire = Wire(self.house.site)
        seen = b'{"seen":true}'
        patch = f"PATCH {self.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        patch += f"Content-Length: {len(seen)}\r\n\r\n"
        self.assertEqual(status_of(wire.send(patch.encode() + seen)), 200)
        self.assertEqual(status_of(wire.send(self.get(f"{self.path}/text"))), 200)

    def test_raw(self) -> None:
        """The received octets are there anyway; only the buffers they fill cost something."""
        wire = Wire(self.house.site)
        wire.send_slowly(self.get(f"{self.path}/raw"))
        self.assertGreater(self.taken, HTTP_CONNECTION_COST + STALLED_COST)
        self.assertLess(self.taken, HTTP_CONNECTION_COST + 2 * POUR_OCTETS)
        self.assertTrue(wire.drain().endswith(TEXT))
        self.assertEqual(self.taken, HTTP_CONNECTION_COST)

    def test_tls(self) -> None:
        """A connection under TLS takes more."""
        wire = SecureWire(self.house.site)
        self.assertEqual(self.taken, HTTP_CONNECTION_COST + TLS_COST)
        wire.hang_up()
        self.assertEqual(self.taken, 0)

    def test_growing_answer(self) -> None:
        """An answer that is made piece by piece counts from where it is long, all of it."""
        allowance = Allowance(self.house.site, self.house.site.callers.at("192.0.2.1"))
        for before, octets, taken in (
            (0, POUR_OCTETS, 0),
            (POUR_OCTETS, 10, POUR_OCTETS + 10),
            (POUR_OCTETS + 10, 5, POUR_OCTETS + 15),
        ):
            allowance.take_growing(before, octets)
            self.assertEqual(self.taken, taken)
        allowance.let_go()
        self.assertEqual(self.taken, 0)

    def test_full_memory(self) -> None:
        """Where mail takes all memory there is still room for connections, and for no client's
        alone."""
        self.house.office.limits = Limits(max_http_connections_per_client=5000)
        self.house.budget.limit = self.house.budget.used
        kept: list[Wire] = []
        while not (wire := Wire(self.house.site)).closed:
            kept.append(wire)
        self.assertEqual(status_of(wire.take()), 503)
        self.assertGreater(len(kept), 100)
        self.assertLess(self.taken, CONNECTION_RESERVE * 2 // 3)
        other = Wire(self.house.site, "192.0.2.2")
        self.assertEqual(status_of(other.send(self.get("/healthz"))), 200)
        for one in (other, wire, *kept):
            one.hang_up()
        self.assertEqual(self.taken, 0)

    def test_whose_buffers(self) -> None:
        """One client's full buffers leave room for others: those that take too much are cut off."""
        self.house.budget.limit = self.house.budget.used + 100 * HTTP_CONNECTION_COST
        kept = []
        for _ in range(200):
            wire = Wire(self.house.site)
            wire.send_slowly(self.get(f"{self.path}/raw"))
            if wire.aborting:
                wire.hang_up()
            else:
                kept.append(wire)
        self.assertGreater(len(kept), 10)
        self.assertLess(len(kept), 190)
        self.assertLess(self.taken, 100 * HTTP_CONNECTION_COST + STALLED_RESERVE / 2)
        other = Wire(self.house.site, "192.0.2.2")
        other.send_slowly(self.get(f"{self.path}/raw"))
        self.assertTrue(other.drain().endswith(TEXT))
        for wire in (other, *kept):
            wire.hang_up()
        self.assertEqual(self.taken, 0)

    def test_buffers(self) -> None:
        """Full buffers count, and not twice, until the client reads, is cut off, or leaves."""
        wire = Wire(self.house.site)
        for end in (Wire.drain, Wire.hang_up):
            for _ in range(1000):
                wire.send_slowly(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertGreater(self.taken, HTTP_CONNECTION_COST + STALLED_COST)
            self.assertLess(self.taken, HTTP_CONNECTION_COST + 2 * STALLED_COST)
            end(wire)
            self.assertEqual(self.taken, HTTP_CONNECTION_COST if end is Wire.drain else 0)
