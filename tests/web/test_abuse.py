"""What a client may do over HTTP: how often, how often in vain, and how many may wait."""

from __future__ import annotations

import json
from ipaddress import ip_network

from attrs import evolve
from limits import parse
from twisted.internet.address import IPv4Address
from twisted.logger import capturedLogs, formatEvent
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import Limits
from tempmail.core.peer import LOOPBACK
from tempmail.web.proxies import Proxies
from tempmail.web.site import Exposure
from tests.web.house import House, Wire, status_of

LIMITS = Limits(
    mint_rate=parse("3/minute"),
    request_rate=parse("50/minute"),
    wait_rate=parse("20/minute"),
    send_rate=parse("2/minute"),
    wrong_token_rate=parse("4/minute"),
    max_waits=6,
    max_waits_per_client=3,
)
PROXIES = Exposure(proxies=Proxies([ip_network("10.0.0.1"), None]))
BOX = "/v1/mailboxes/a%40qa.test"


def get(path: str, *headers: str, method: str = "GET", body: str = "") -> bytes:
    """A request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    if method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join([*lines, "", ""]) + body).encode()


def post(path: str, body: str = "", *headers: str) -> bytes:
    """A request with a body."""
    return get(path, *headers, method="POST", body=body)


def retry_after(octets: bytes) -> int:
    """For how long a refused client is asked to stay away; the answer is a whole problem."""
    head, _, body = octets.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head, octets
    assert json.loads(body)["status"] == status_of(octets)
    (line,) = (line for line in head.split(b"\r\n") if line.startswith(b"Retry-After: "))
    return int(line.split(b" ")[1])


class AbuseTestCase(SynchronousTestCase):
    """A site that counts."""

    exposure = Exposure()
    limits = LIMITS

    def setUp(self) -> None:
        self.build(self.limits)

    def build(self, limits: Limits) -> None:
        self.house = House(limits, self.exposure, LOOPBACK)
        self.refused = self.house.site.rates.refused
        self.wires: list[Wire] = []

    def tearDown(self) -> None:
        for wire in self.wires:
            wire.hang_up()
        self.assertEqual(self.house.site.waits.count, 0)
        self.assertEqual(self.house.site.waits._held.counts, {})
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def connect(self, host: str = "192.0.2.1") -> Wire:
        wire = Wire(self.house.site, host)
        self.wires.append(wire)
        return wire

    def ask(self, request: bytes, host: str = "192.0.2.1") -> bytes:
        """The answer, on a connection of its own."""
        wire = Wire(self.house.site, host)
        answer = wire.send(request)
        wire.hang_up()
        return answer

    def statuses(self, request: bytes, times: int, host: str = "192.0.2.1") -> list[int]:
        return [status_of(self.ask(request, host)) for _ in range(times)]


class RateTests(AbuseTestCase):
    """How often a client may do what."""

    def test_mint(self) -> None:
        """A client may make so many addresses in a time, by whichever call, and restore them."""
        self.assertEqual(self.statuses(post("/v1/mailboxes"), 2), [201] * 2)
        self.assertEqual(self.statuses(post("/create"), 2), [200, 429])
        restore = post(f"{BOX}/restore", '{"restore_key": "x"}')
        for request in (post("/v1/mailboxes"), post("/create"), restore):
            self.assertEqual(retry_after(self.ask(request)), 60)
        self.assertEqual(self.statuses(post("/v1/mailboxes"), 1, "192.0.2.2"), [201])
        self.house.turn(60)
        self.assertEqual(self.statuses(post("/v1/mailboxes"), 1), [201])
        self.assertEqual(self.refused, {"mint_rate": 4})

    def test_held(self) -> None:
        """Who holds as many mailboxes as a client may is refused another, which is counted."""
        self.build(evolve(self.limits, mailboxes_per_client=1))
        self.assertEqual(self.statuses(post("/v1/mailboxes"), 3), [201, 429, 429])
        self.assertEqual(self.refused, {"mailboxes_per_client": 2})

    def test_phrase(self) -> None:
        """The status line says in words what the status is."""
        self.statuses(post("/create"), 3)
        refused = self.ask(post("/create"))
        self.assertTrue(refused.startswith(b"HTTP/1.1 429 Too Many Requests\r\n"))
        self.assertIn(b"too often (mint-rate); try again in", refused)

    def test_requests(self) -> None:
        """A client may ask so often, for whatever it is, what is not there included."""
        self.assertEqual(self.statuses(get(BOX), 25), [200] * 25)
        self.assertEqual(self.statuses(get("/nothing"), 25), [404] * 25)
        self.house.turn(12)
        for path in (BOX, "/nothing", "/docs", "/v1/domains"):
            self.assertEqual(retry_after(self.ask(get(path))), 48)
        self.assertEqual(status_of(self.ask(get(BOX), "192.0.2.2")), 200)

    def test_every_request(self) -> None:
        """What is malformed or for the server as a whole counts like any other."""
        for request in (
            get("/%zz"),
            get("*", method="OPTIONS"),
            get("a:1", method="CONNECT"),
            get("/healthz/more"),
        ):
            self.build(self.limits)
            self.assertNotIn(429, self.statuses(request, 50), request)
            self.assertEqual(retry_after(self.ask(request)), 60, request)

    def test_one_connection(self) -> None:
        """It does not matter over how many connections; the one that is refused stays open."""
        wire = self.connect()
        self.assertEqual([status_of(wire.send(get(BOX))) for _ in range(51)], [200] * 50 + [429])
        self.assertFalse(wire.closed)
        self.house.turn(30)
        self.house.turn(30)

    def test_probes(self) -> None:
        """The operator's probes are answered, whoever else comes from the same address."""
        self.assertEqual(self.statuses(get(BOX), 51)[-1], 429)
        self.assertEqual(self.statuses(get("/healthz"), 60), [200] * 60)
        self.assertEqual(self.statuses(get("/readyz"), 60), [200] * 60)

    def test_send(self) -> None:
        """A client may post so many mails."""
        mail = post("/send", '{"to": "a@qa.test"}')
        self.assertEqual(self.statuses(mail, 3), [200, 200, 429])
        self.assertEqual(retry_after(self.ask(mail)), 60)

    def test_exempt(self) -> None:
        """No rate holds for this machine."""
        self.assertEqual(self.statuses(get(BOX), 60, "127.0.0.1"), [200] * 60)
        self.assertEqual(self.statuses(post("/v1/mailboxes"), 10, "::1"), [201] * 10)

    def test_unlimited(self) -> None:
        """Nor does any for anybody on a closed network."""
        self.build(LIMITS.without_client_limits())
        self.assertEqual(self.statuses(get(BOX), 60), [200] * 60)
        self.assertEqual(self.statuses(get("/v1/mailboxes/x%40tempmail.test"), 9), [401] * 9)


class GuessTests(AbuseTestCase):
    """Who tries tokens and addresses."""

    def test_tokens(self) -> None:
        """Who tried too often learns nothing any more, not even that he has found it."""
        self.house.site.rates.limits = evolve(LIMITS, mint_rate=None)
        minted = json.loads(self.ask(post("/v1/mailboxes")).partition(b"\r\n\r\n")[2])
        path = f"/v1/mailboxes/{minted['address']}"
        good, bad = (f"Authorization: Bearer {token}" for token in (minted["token"], "x"))
        self.assertEqual(self.statuses(get(path, bad), 2), [404] * 2)
        self.assertEqual(self.statuses(get(path), 1), [401])
        self.assertEqual(self.statuses(get(path, good), 1), [200])
        self.assertEqual(self.statuses(get("/v1/mailboxes/b%40tempmail.test/wait", bad), 1), [404])
        self.house.turn(20)
        for request in (get(path, bad), get(path, good), get(BOX), get("/inbox/a@qa.test")):
            self.assertEqual(retry_after(self.ask(request)), 40)
        self.assertEqual(self.statuses(get(path, good), 1, "192.0.2.2"), [200])
        self.assertEqual(self.statuses(post("/v1/mailboxes"), 1), [201])
        self.house.turn(40)
        self.assertEqual(self.statuses(get(path, good), 1), [200])
        self.assertEqual(self.refused, {"wrong_token_rate": 4})

    def test_every_way(self) -> None:
        """A guess is one by whichever call: in the query, as restore key, over the small ones."""
        for request in (
            get(f"{BOX[:-7]}tempmail.test/ws?access_token=x"),
            get(f"{BOX[:-7]}tempmail.test/events?access_token=x"),
            post(f"{BOX[:-7]}tempmail.test/restore", '{"restore_key": "x"}'),
            get("/inbox/a@tempmail.test"),
            post("/send", '{"to": "a@tempmail.test"}'),
            get("/v1/mailboxes/no%20address"),
        ):
            self.build(evolve(LIMITS, mint_rate=None, send_rate=None))
            self.assertEqual(set(self.statuses(request, 4)) - {401, 404}, set(), request)
            self.assertEqual(retry_after(self.ask(request)), 60, request)


class WaitTests(AbuseTestCase):
    """How many may wait, and how often."""

    def wait(self, how: str, host: str = "192.0.2.1") -> tuple[Wire, bytes]:
        wire = self.connect(host)
        shake = (
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        )
        return wire, wire.send(get(f"{BOX}/{how}", *(shake if how == "ws" else ())))

    HOWS = ("messages?wait=30", "wait?timeout=30", "events", "ws")

    def test_per_client(self) -> None:
        """Of one client no more than so many wait at a time, in whichever way."""
        for how in self.HOWS[1:]:
            _, answer = self.wait(how)
            self.assertIn(answer[9:12], (b"", b"200", b"101"))
        self.assertEqual(self.house.site.waits.count, 3)
        for how in self.HOWS:
            _, answer = self.wait(how)
            self.assertEqual((status_of(answer), retry_after(answer)), (429, 10), how)
        self.assertEqual(self.wait("events", "192.0.2.2")[1][9:12], b"200")
        self.assertEqual(self.statuses(get(BOX), 1), [200])
        self.assertEqual(self.refused, {"max_waits_per_client": 4})

    def test_in_all(self) -> None:
        """Of all clients no more than so many wait, those of this machine included."""
        for number in range(6):
            self.wait("messages?wait=30", f"127.0.0.{number}")
        _, answer = self.wait("events", "192.0.2.9")
        self.assertEqual((status_of(answer), retry_after(answer)), (503, 10))
        self.assertEqual(self.wait("ws", "127.0.0.1")[1][9:12], b"503")
        self.assertEqual(self.refused, {"max_waits": 2})

    def test_rate(self) -> None:
        """A client may begin to wait only so often."""
        for _ in range(20):
            wire, _ = self.wait("messages?wait=30")
            wire.hang_up()
            self.wires.remove(wire)
        _, answer = self.wait("messages?wait=30")
        self.assertEqual((status_of(answer), retry_after(answer)), (429, 60))

    def assert_ends(self, how: str, end: str) -> None:
        """One wait of this kind that ends in this way is counted no more."""
        self.build(LIMITS)
        wire, _ = self.wait(how)
        self.assertEqual(self.house.site.waits.count, 1)
        if end == "mail":
            self.ask(post("/send", '{"to": "a@qa.test"}'), "192.0.2.9")
        elif end == "time":
            self.house.turn(31)
        elif end == "gone":
            wire.hang_up()
            self.wires.remove(wire)
        else:
            self.house.doorbell.close()
        self.house.turn(0)
        if how == "ws" and end == "stop":
            # It is over when the client has hung up, as it was told to.
            self.assertTrue(wire.disconnecting)
            wire.hang_up()
            self.wires.remove(wire)
        if how in ("events", "ws") and end in ("mail", "time"):
            self.assertEqual(self.house.site.waits.count, 1, (how, end))
            wire.hang_up()
            self.wires.remove(wire)
        self.assertEqual(self.house.site.waits.count, 0, (how, end))

    def test_every_end(self) -> None:
        """However a wait ends it is counted no more; a stream ends with client or server."""
        for how in self.HOWS:
            for end in ("mail", "time", "gone", "stop"):
                self.assert_ends(how, end)

    def test_no_wait(self) -> None:
        """What is answered at once, and what is refused, waits for nothing."""
        for path, status in (
            (f"{BOX}/messages", 200),
            (f"{BOX}/messages?wait=x", 422),
            (f"{BOX}/ws", 426),
            ("/v1/mailboxes/b%40tempmail.test/events", 401),
        ):
            self.assertEqual(status_of(self.ask(get(path))), status)
            self.assertEqual(self.house.site.waits.count, 0)
        self.assertEqual(status_of(self.ask(get(f"{BOX}/events", method="HEAD"))), 200)
        self.assertEqual(self.house.site.waits.count, 0)


class ProxyTests(AbuseTestCase):
    """Behind proxies of ours."""

    exposure = PROXIES

    def test_by_client(self) -> None:
        """Each client that a proxy of ours names is counted by itself."""
        for number in range(4):
            name = f"X-Forwarded-For: 127.0.0.1, 192.0.2.{number}"
            statuses = self.statuses(post("/v1/mailboxes", "", name), 4, "10.0.0.1")
            self.assertEqual(statuses, [201, 201, 201, 429])
            self.assertEqual(self.statuses(post("/create", "", name), 1, "10.0.0.1"), [429])
        forwarded = post("/v1/mailboxes", "", "Forwarded: for=192.0.2.0")
        self.assertEqual(self.statuses(forwarded, 1, "10.0.0.1"), [429])

    def test_stranger(self) -> None:
        """What anybody else says of whom he asks for means nothing."""
        statuses = [
            status_of(
                self.ask(post("/v1/mailboxes", "", f"X-Forwarded-For: 192.0.2.{number}"), "6.6.6.6")
            )
            for number in range(4)
        ]
        self.assertEqual(statuses, [201, 201, 201, 429])

    def test_no_name(self) -> None:
        """A proxy of ours that names nobody is one client, whichever it is."""
        for host in ("10.0.0.1", ""):
            self.assertEqual(self.statuses(post("/create"), 4, host), [200, 200, 200, 429])

    def test_exempt_client(self) -> None:
        """An exempt client is exempt behind a proxy of ours too."""
        name = "X-Forwarded-For: 127.0.0.1"
        self.assertEqual(self.statuses(post("/create", "", name), 9, "10.0.0.1"), [200] * 9)

    def test_waits(self) -> None:
        """Waits are counted for the client that began them, though their headers are let go."""
        wait = get(f"{BOX}/messages?wait=30", "X-Forwarded-For: 192.0.2.7")
        for _ in range(3):
            self.connect("10.0.0.1").send(wait)
        self.assertEqual(self.house.site.waits._held.counts, {"192.0.2.7": 3})
        self.assertEqual(status_of(self.ask(wait, "10.0.0.1")), 429)


class UnnamedProxyTests(AbuseTestCase):
    """Behind a proxy on this machine that the operator did not name."""

    def test_one_client(self) -> None:
        """Who asks for others is no developer: all are one client, and the log says so once."""
        with capturedLogs() as events:
            for number, header in enumerate(("X-Forwarded-For: 192.0.2.{}", "Forwarded: for=a{}")):
                request = post("/create", "", header.format(number))
                self.statuses(request, 2, "127.0.0.1")
            self.assertEqual(self.statuses(request, 1, "127.0.0.1"), [429])
            self.assertEqual(self.statuses(request, 4, ""), [200, 200, 200, 429])
        lines = [formatEvent(event) or "" for event in events]
        self.assertEqual(len([line for line in lines if "--trusted-proxy" in line]), 1)
        self.assertEqual(self.statuses(post("/create"), 9, "127.0.0.1"), [200] * 9)


class HAProxyTests(AbuseTestCase):
    """Connections whose client HAProxy names."""

    limits = evolve(LIMITS, max_http_connections_per_client=2, wait_rate=None)

    def connect_by_proxy(self, name: bytes = b"") -> Wire:
        factory = HAProxyWrappingFactory(self.house.site)
        wire = Wire.__new__(Wire)
        wire.__init__(_Wrapped(factory), "127.0.0.1")  # type: ignore[misc]
        self.wires.append(wire)
        if name:
            wire.send(b"PROXY TCP4 %b 10.0.0.1 4711 80\r\n" % name)
        return wire

    def test_client(self) -> None:
        """Its client counts, not the proxy."""
        for name in (b"192.0.2.1", b"192.0.2.2"):
            wire = self.connect_by_proxy(name)
            answers = [wire.send(post("/create")) for _ in range(4)]
            self.assertEqual(list(map(status_of, answers)), [200, 200, 200, 429])

    def test_connections(self) -> None:
        """Connections are counted by it as soon as it is known, and given back."""
        first, _ = self.connect_by_proxy(b"192.0.2.1"), self.connect_by_proxy(b"192.0.2.1")
        for wire in self.wires:
            self.assertEqual(status_of(wire.send(get("/healthz"))), 200)
        third = self.connect_by_proxy(b"192.0.2.1")
        self.assertEqual(status_of(third.send(get("/healthz"))), 429)
        self.assertEqual(self.refused, {"max_http_connections_per_client": 1})
        other = self.connect_by_proxy(b"192.0.2.2")
        self.assertEqual(status_of(other.send(get("/healthz"))), 200)
        first.hang_up()
        self.wires.remove(first)
        again = self.connect_by_proxy(b"192.0.2.1")
        self.assertEqual(status_of(again.send(get("/healthz"))), 200)

    def test_silent(self) -> None:
        """One of which nothing is heard counts for nobody, and leaves no trace."""
        for _ in range(5):
            self.assertFalse(self.connect_by_proxy().closed)


class _Wrapped:
    """A factory for wires of the test's own, from one of Twisted's."""

    def __init__(self, factory: HAProxyWrappingFactory) -> None:
        self._factory = factory

    def buildProtocol(self, addr: object) -> object:
        return self._factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
