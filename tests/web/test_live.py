"""Following a mailbox: Server-Sent Events and websockets."""

from __future__ import annotations

import gc
import json
import re
from base64 import b64encode
from ipaddress import IPv4Network
from typing import Any
from weakref import ref

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    TextMessage,
)
from wsproto.events import Request as Handshake

from tempmail.core.limits import KEEPALIVE_SECONDS, MAX_JOURNAL, MAX_UNHEARD_OCTETS, Limits
from tempmail.core.mailbox import Change
from tempmail.web.proxies import Proxies
from tempmail.web.site import Exposure
from tests.web.house import House, WebTestCase, Wire, status_of

BOX = "/v1/mailboxes/alice%40tempmail.test"
EVENT = re.compile(rb"id: ([0-9]+)\ndata: ([^\n]*)\n\n")


def unchunked(octets: bytes) -> bytes:
    """A chunked body, as much of it as came."""
    body = b""
    while octets:
        size, _, rest = octets.partition(b"\r\n")
        body += rest[: int(size, 16)]
        octets = rest[int(size, 16) + 2 :]
    return body


def _count(kind: type) -> int:
    """How many objects of a kind there are."""
    gc.collect()
    return sum(isinstance(one, kind) for one in gc.get_objects())


class LiveTestCase(WebTestCase):
    """A test with a mailbox that is followed."""

    def setUp(self) -> None:
        """Mint one."""
        super().setUp()
        self.box = self.mint(local_part="alice")

    def own(self, method: str, rest: str, **more: Any) -> Any:
        """Do something to the mailbox, as its holder."""
        answer = self.ask(method, f"{BOX}{rest}", token=self.box.token, **more)
        self.house.turn()
        return answer.json if answer.body else None

    def assert_nothing_left(self, wire: Wire) -> None:
        """When the client is gone nothing is left of it, not even for the garbage collector."""
        channel: Any = wire.channel
        known = [ref(channel), *map(ref, channel.requests)]
        gc.disable()
        self.addCleanup(gc.enable)
        wire.hang_up()
        del wire.channel, wire.producer, channel
        self.assertEqual([each() for each in known], [None] * len(known))
        self.assertEqual(self.house.doorbell.listeners, 0)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])


class EventsTests(LiveTestCase):
    """``GET …/events``."""

    def follow(self, query: str = "", *headers: str, path: str = BOX) -> Wire:
        """Open an event stream."""
        self.wire = Wire(self.house.site)
        shown = f"Authorization: Bearer {self.box.token}"
        lines = (f"GET {path}/events{query} HTTP/1.1", "Host: x", shown, *headers, "", "")
        self.opening, _, body = self.wire.send("\r\n".join(lines).encode()).partition(b"\r\n\r\n")
        self.body = unchunked(body) if b"chunked" in self.opening else body
        return self.wire

    def events(self) -> list[Any]:
        """The events that came since the last time."""
        self.body += unchunked(self.wire.take())
        found = EVENT.findall(self.body)
        self.assertEqual(EVENT.sub(b"", self.body).replace(b":\n\n", b""), b"")
        self.body = b""
        for cursor, document in found:
            self.assertEqual(json.loads(document)["cursor"], cursor.decode())
        return [json.loads(document) for _, document in found]

    def test_opening(self) -> None:
        """The stream begins at once, so that a browser knows it is there."""
        self.follow()
        self.assertEqual(status_of(self.opening), 200)
        self.assertIn(b"Content-Type: text/event-stream\r\n", self.opening)
        self.assertIn(b"Cache-Control: no-store", self.opening)
        self.assertTrue(self.body)
        self.assertEqual(self.events(), [])

    def test_measured(self) -> None:
        """How long a mail took to one who follows is measured; of what he missed before, not."""
        self.deliver("alice@tempmail.test")
        self.house.turn(5)
        self.follow()
        self.house.turn(5)
        self.assertEqual(len(self.events()), 1)
        self.deliver("alice@tempmail.test")
        self.assertEqual(len(self.events()), 1)
        self.assertEqual(sum(self.house.site.waking.counts), 1)

    def test_every_kind(self) -> None:
        """Every change is an event, in order, and its id is its cursor."""
        self.follow()
        self.deliver("alice@tempmail.test")
        (arrived,) = self.events()
        self.assertEqual(arrived["type"], "message")
        (summary,) = self.own("GET", "/messages")["messages"]
        self.assertEqual(arrived["message"], summary)
        extended = self.own("POST", "/extend", json={"lifetime": 3600})
        self.own("DELETE", f"/messages/{summary['id']}")
        self.deliver("alice@tempmail.test")
        self.own("DELETE", "/messages")
        self.own("DELETE", "")
        events = self.events()
        kinds = ["extended", "deleted", "message", "emptied", "expired"]
        self.assertEqual([event["type"] for event in events], kinds)
        self.assertEqual(events[0]["expires_at"], extended["expires_at"])
        self.assertEqual(events[1]["id"], summary["id"])
        cursors = [int(event["cursor"]) for event in events]
        self.assertEqual(cursors, sorted(cursors))

    def test_from_the_beginning(self) -> None:
        """Without a cursor the mail that is there comes first."""
        self.deliver("alice@tempmail.test")
        self.follow()
        self.assertEqual([event["type"] for event in self.events()], ["message"])

    def test_resume(self) -> None:
        """``Last-Event-ID``, or ``after``, goes on behind that event, without loss."""
        for number in range(3):
            self.deliver("alice@tempmail.test", b"Subject: %d\r\n\r\n" % number)
        first = self.own("GET", "/messages")["messages"][0]["cursor"]
        for resumed in ((f"?after={first}",), ("?after=0", f"Last-Event-ID: {first}")):
            self.follow(*resumed)
            subjects = [event["message"]["subject"] for event in self.events()]
            self.assertEqual(subjects, ["1", "2"])

    def test_many(self) -> None:
        """More events than are read at a time all come."""
        for _ in range(120):
            self.deliver("alice@tempmail.test")
        self.follow()
        self.assertEqual(len(self.events()), 120)

    def test_resync(self) -> None:
        """Who was away too long is told to read the mailbox anew."""
        self.deliver("alice@tempmail.test")
        cursor = self.own("GET", "/messages")["cursor"]
        for number in range(MAX_JOURNAL + 1):
            self.own("POST", "/extend", json={"lifetime": 3600 + number})
        self.follow(f"?after={cursor}")
        self.assertEqual(self.events()[0]["type"], "resync")

    def test_keep_alive(self) -> None:
        """A comment comes whenever nothing else did for a while."""
        self.follow()
        for _ in range(3):
            self.wire.take()
            self.house.turn(KEEPALIVE_SECONDS)
            self.assertEqual(unchunked(self.wire.take()), b":\n\n")

    def test_slow_client(self) -> None:
        """For a client that does not read nothing is made; it gets what it missed when it does."""
        self.follow()
        self.events()
        self.wire.reader.pauseProducing()
        for _ in range(200):
            self.deliver("alice@tempmail.test")
        self.assertLess(len(self.wire.value()), 2000)
        self.wire.reader.resumeProducing()
        self.house.turn()
        self.assertEqual(len(self.events()), 200)

    def test_stalled_client(self) -> None:
        """A client that does not read for long is cut off."""
        self.follow()
        self.wire.reader.pauseProducing()
        self.house.turn(Limits().http_idle_timeout)
        self.assertTrue(self.wire.aborting)
        self.assert_nothing_left(self.wire)

    def test_keeps_nothing(self) -> None:
        """Of what was told nothing is kept by whoever follows on; thousands may."""
        self.follow()
        before = _count(Change)
        self.deliver("alice@tempmail.test")
        self.assertEqual([event["type"] for event in self.events()], ["message"])
        self.assertEqual(_count(Change), before)

    def test_client_leaves(self) -> None:
        """A client that leaves leaves nothing, whether it is being waited for or not."""
        for paused in (False, True):
            wire = self.follow()
            if paused:
                wire.reader.pauseProducing()
                self.deliver("alice@tempmail.test")
            self.assert_nothing_left(wire)

    def test_deleted(self) -> None:
        """When the mailbox goes, the stream says so and ends; coming back is answered 410."""
        self.follow()
        self.own("DELETE", "")
        body = self.wire.value()
        self.assertTrue(body.endswith(b"0\r\n\r\n"))
        self.assertEqual([event["type"] for event in self.events()], ["expired"])
        self.follow()
        self.assertEqual(status_of(self.opening), 410)

    def test_catch_all_goes_on(self) -> None:
        """At an address that mail opens, following goes on when it expires."""
        self.follow(path="/v1/mailboxes/b%40qa.test")
        self.deliver("b@qa.test")
        self.assertEqual([event["type"] for event in self.events()], ["message"])
        self.house.turn(Limits().default_lifetime)
        self.house.store.expire(self.house.clock.seconds() + 1)
        self.house.turn()
        self.assertEqual([event["type"] for event in self.events()], ["expired"])
        self.house.turn(KEEPALIVE_SECONDS)
        self.assertEqual(self.events(), [])
        self.deliver("b@qa.test")
        self.assertEqual([event["type"] for event in self.events()], ["message"])

    def test_revoked(self) -> None:
        """A revoked token ends the stream at once, and as a whole one."""
        self.follow()
        self.own("POST", "/token")
        self.assertTrue(self.wire.take().endswith(b"0\r\n\r\n"))
        self.assertFalse(self.wire.aborting)
        self.assertEqual(len(self.flushLoggedErrors()), 0)

    def test_server_stops(self) -> None:
        """When the server stops the stream ends."""
        self.follow()
        self.house.doorbell.close()
        self.house.turn()
        self.assertTrue(self.wire.value().endswith(b"0\r\n\r\n"))

    def test_refused(self) -> None:
        """Who may not read gets a problem and no stream; a token may come in the query."""
        self.assert_problem(self.ask("GET", f"{BOX}/events"), 401)
        self.assert_problem(self.ask("GET", f"{BOX}/events?access_token=wrong"), 404)
        self.assert_problem(self.ask("GET", f"{BOX}/events?after=x"), 422, "after")
        answer = self.ask("GET", f"{BOX}/events", headers={"Last-Event-ID": "x"})
        self.assert_problem(answer, 422, "Last-Event-ID")
        self.assertEqual(
            self.ask("HEAD", f"{BOX}/events?access_token={self.box.token}").status, 200
        )


class SocketTestCase(LiveTestCase):
    """A test with a client of websockets."""

    def open(self, query: str = "", *headers: str, path: str = BOX) -> Wire:
        """Open a websocket."""
        self.wire = Wire(self.house.site)
        self.client = WSConnection(ConnectionType.CLIENT)
        target = f"{path}/ws?access_token={self.box.token}{query}"
        pairs = (header.encode().split(b": ") for header in headers)
        more = [(name, value) for name, value in pairs]
        shake = self.client.send(Handshake(host="mail.example", target=target, extra_headers=more))
        self.client.receive_data(self.wire.send(shake))
        return self.wire

    def heard(self) -> list[Event]:
        """What the client heard since the last time."""
        octets = self.wire.take()
        if octets:
            self.client.receive_data(octets)
        return list(self.client.events())

    def events(self) -> list[Any]:
        """The mailbox's events among it."""
        return [json.loads(one.data) for one in self.heard() if isinstance(one, TextMessage)]


class SocketTests(SocketTestCase):
    """``GET …/ws``."""

    def test_every_event(self) -> None:
        """It carries the events that an event stream does, one a text frame."""
        self.open()
        self.assertEqual([type(event) for event in self.heard()], [AcceptConnection])
        self.deliver("alice@tempmail.test")
        self.own("DELETE", "/messages")
        self.assertEqual([event["type"] for event in self.events()], ["message", "emptied"])

    def test_resume(self) -> None:
        """``after`` goes on behind that event."""
        for number in range(3):
            self.deliver("alice@tempmail.test", b"Subject: %d\r\n\r\n" % number)
        first = self.own("GET", "/messages")["messages"][0]["cursor"]
        self.open(f"&after={first}")
        self.assertEqual([event["message"]["subject"] for event in self.events()], ["1", "2"])

    def test_keep_alive(self) -> None:
        """A ping comes whenever nothing else did for a while."""
        self.open()
        self.heard()
        self.house.turn(KEEPALIVE_SECONDS)
        self.assertEqual([type(event) for event in self.heard()], [Ping])

    def test_client_speaks(self) -> None:
        """Pings are answered, and whatever else the client says is let pass."""
        self.open()
        self.heard()
        for said in (TextMessage("x" * 50_000), BytesMessage(b"x" * 50_000), Ping(b"hi")):
            self.wire.send(b"")
            self.wire.channel.dataReceived(self.client.send(said))
        self.assertFalse(self.wire.closed)
        self.assertEqual(self.wire.take(), b"\x8a\x02hi")

    def test_endless_message(self) -> None:
        """A message without an end is not kept: the client is cut off."""
        self.open()
        self.heard()
        sent = 0
        while not self.wire.aborting and sent < 10 * MAX_UNHEARD_OCTETS:
            self.wire.send(self.client.send(TextMessage("x" * 1000, message_finished=False)))
            sent += 1000
        self.assertLess(sent, 2 * MAX_UNHEARD_OCTETS)
        self.assert_nothing_left(self.wire)

    def test_goodbye(self) -> None:
        """A client that says goodbye is answered, and the connection closed."""
        self.open()
        self.heard()
        self.wire.channel.dataReceived(self.client.send(CloseConnection(1000)))
        self.assertEqual([type(event) for event in self.heard()], [CloseConnection])
        self.assertTrue(self.wire.closed)
        self.deliver("alice@tempmail.test")
        self.assert_nothing_left(self.wire)

    def test_goodbye_without_end(self) -> None:
        """Who says goodbye and stays, as TLS lets a client, is cut off."""
        self.open()
        self.wire.channel.dataReceived(self.client.send(CloseConnection(1000)))
        self.assertFalse(self.wire.aborting)
        self.house.turn(Limits().http_idle_timeout)
        self.assertTrue(self.wire.aborting)

    def test_gibberish(self) -> None:
        """What is no frame ends the connection."""
        self.open()
        self.heard()
        self.wire.channel.dataReceived(b"\xff" * 100)
        self.wire.channel.dataReceived(b"\xff" * 100)
        self.assertTrue(self.wire.closed)
        self.assert_nothing_left(self.wire)

    def test_client_leaves(self) -> None:
        """A client that leaves leaves nothing, and its place is free again."""
        house = self.house = House(Limits(max_http_connections=1))
        self.treq = type(self.treq)(house.agent)
        self.box = self.mint(local_part="alice")
        for _ in range(3):
            wire = self.open()
            self.assertEqual([type(event) for event in self.heard()], [AcceptConnection])
            self.assert_nothing_left(wire)

    def test_slow_client(self) -> None:
        """For a client that does not read nothing is made; it gets what it missed when it does."""
        self.open()
        self.heard()
        self.wire.reader.pauseProducing()
        for _ in range(120):
            self.deliver("alice@tempmail.test")
        self.assertLess(len(self.wire.value()), 2000)
        self.wire.reader.resumeProducing()
        self.house.turn()
        self.assertEqual(len(self.events()), 120)

    def test_closed_while_shut(self) -> None:
        """A connection that is to close while the client does not read closes when it has."""
        self.open()
        self.heard()
        self.wire.reader.pauseProducing()
        self.wire.channel.dataReceived(self.client.send(CloseConnection(1000)))
        reader = self.wire.reader
        reader.resumeProducing()
        self.assertIsNone(self.wire.producer)

    def test_ends(self) -> None:
        """Deleted, revoked, stopped: each has its close code (RFC 6455 section 7.4.1)."""

        def delete() -> None:
            self.own("DELETE", "")

        def revoke() -> None:
            self.own("POST", "/token")

        def stop() -> None:
            self.house.doorbell.close()
            self.house.turn()

        for end, code in ((delete, 1000), (revoke, 1008), (stop, 1001)):
            self.setUp()
            self.open()
            end()
            self.assertIn(CloseConnection(code, ""), self.heard())
            self.assertTrue(self.wire.closed)
            self.assert_nothing_left(self.wire)

    def test_no_handshake(self) -> None:
        """What is no handshake is told how it is done (RFC 9110 section 15.5.22)."""
        answer = self.ask("GET", f"{BOX}/ws", token=self.box.token)
        self.assert_problem(answer, 426)
        self.assertEqual(answer.headers["sec-websocket-version"], "13")
        octets = Wire(self.house.site).send(
            b"GET /v1/mailboxes/a%40qa.test/ws HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        self.assertIn(b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", octets)

    def shake(self, *lines: str) -> int:
        """The status that a handshake of these lines gets."""
        given = (
            f"GET {BOX}/ws?access_token={self.box.token} HTTP/1.1",
            "Host: mail.example",
            *lines,
        )
        return status_of(Wire(self.house.site).send("\r\n".join((*given, "", "")).encode()))

    def test_bad_handshakes(self) -> None:
        """Every part of a handshake is needed; what is proposed besides is ignored."""
        key = b64encode(bytes(16)).decode()
        good = {
            "Upgrade": "WebSocket",
            "Connection": "keep-alive, Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
        }
        more = ("Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: a, b, a")
        self.assertEqual(self.shake(*(f"{n}: {v}" for n, v in good.items()), *more), 101)
        for name, value, status in (
            ("Upgrade", "h2c", 426),
            ("Connection", "close", 426),
            ("Sec-WebSocket-Version", "8", 426),
            ("Sec-WebSocket-Key", "short", 400),
            ("Sec-WebSocket-Key", key[:-4] + "é==", 400),
        ):
            lines = (f"{n}: {v}" for n, v in (good | {name: value}).items())
            self.assertEqual(self.shake(*lines), status, (name, value))

    def test_odd_origins(self) -> None:
        """What is no origin is that of no page of ours, and so is none where we have no name."""
        for origin, host in (
            (b"http://[", b"mail.example"),
            (b"http://[zz]", b"mail.example"),
            (b"http://a]b", b"mail.example"),
            ("http://ex℀mple".encode(), b"mail.example"),
            (b"\xff", b"mail.example"),
            (b"http://mail.example", b"\xff"),
            (b"null", b""),
        ):
            sent = (
                b"GET %b/ws?access_token=%b HTTP/1.1\r\nHost: %b\r\nOrigin: %b\r\n"
                b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: %b\r\n\r\n"
            ) % (BOX.encode(), self.box.token.encode(), host, origin, b64encode(bytes(16)))
            self.assertEqual(status_of(Wire(self.house.site).send(sent)), 403, (origin, host))

    def test_refused(self) -> None:
        """Who may not read gets a problem before any handshake."""
        self.assert_problem(self.ask("GET", f"{BOX}/ws"), 401)
        self.assert_problem(self.ask("GET", f"{BOX}/ws?access_token=wrong"), 404)

    def test_origin(self) -> None:
        """A page of another origin may not open a websocket unless the operator allows it."""
        for origin, opened in (
            ("http://mail.example", True),
            ("https://MAIL.example", True),
            ("https://mail.example:8443", False),
            ("https://evil.example", False),
            ("null", False),
        ):
            self.open("", f"Origin: {origin}", path="/v1/mailboxes/a%40qa.test")
            accepted = [type(event) for event in self.heard()] == [AcceptConnection]
            self.assertEqual(accepted, opened, origin)


class AllowedOriginTests(SocketTestCase):
    """Websockets behind a proxy that changes the host, with one origin allowed."""

    def make_house(self) -> House:
        """With an origin and a proxy."""
        return House(
            exposure=Exposure(
                origins=frozenset({"https://app.example"}),
                proxies=Proxies([IPv4Network("192.0.2.1")]),
            )
        )

    def test_origin(self) -> None:
        """The allowed origin may, and so may pages of the host that the proxy says it serves."""
        for headers, opened in (
            (("Origin: https://app.example",), True),
            (("Origin: https://front.example", "X-Forwarded-Host: front.example"), True),
            (("Origin: https://evil.example", "X-Forwarded-Host: front.example"), False),
        ):
            self.open("", *headers, path="/v1/mailboxes/a%40qa.test")
            accepted = [type(event) for event in self.heard()] == [AcceptConnection]
            self.assertEqual(accepted, opened, headers)
