"""What every answer has in common: headers, paths, methods, the log, and the end."""

from __future__ import annotations

from typing import Any, NoReturn, cast

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import PROBE_SECONDS
from tempmail.store.memory import MemoryStore
from tempmail.web.patience import Patience
from tempmail.web.site import Exposure
from tests.web.house import House, WebTestCase, Wire, status_of

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
WAIT = b"GET /v1/mailboxes/a%40qa.test/messages?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n"


class HeaderTests(WebTestCase):
    """Headers that every answer carries."""

    def test_security(self) -> None:
        """No answer is guessed at, framed, kept, or says what made it."""
        for path in ("/healthz", "/nothing", "/v1/mailboxes/a%40tempmail.test", "/%FF"):
            headers = self.ask("GET", path).headers
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertEqual(headers["cache-control"], "no-store")
            self.assertIn("default-src 'none'", headers["content-security-policy"])
            self.assertIn("frame-ancestors 'none'", headers["content-security-policy"])
            self.assertNotIn("server", headers)

    def test_date(self) -> None:
        """An answer is dated when it is given, not when it was asked for (RFC 9110 6.6.1)."""
        waiting = self.start("GET", "/v1/mailboxes/a%40qa.test/messages?wait=10")
        self.house.turn(10)
        answer = self.successResultOf(waiting)
        self.assertEqual(answer.headers["date"], "Tue, 14 Nov 2023 22:13:30 GMT")

    def test_any_host(self) -> None:
        """No Host header a client may send breaks anything."""
        wire = Wire(self.house.site)
        for host in (b"", b"..", b"\xc3\xa9", b"[::1", b"a" * 500, b"x:y:z"):
            sent = b"GET /v1/domains HTTP/1.1\r\nHost: %b\r\n\r\n" % host
            self.assertEqual(status_of(wire.send(sent)), 200, host)


class OddHeaderTests(WebTestCase):
    """Headers that are no UTF-8, or nothing that their name would have them be."""

    ODD = (b"\xff", b"", b"http://[", b"http://[zz]", b"http://a]b", "http://ex℀mple".encode())
    NAMES = (
        b"Origin Accept Accept-Encoding Connection Upgrade Sec-WebSocket-Version Sec-WebSocket-Key "
        b"Authorization Content-Type Content-Encoding Cookie If-None-Match If-Modified-Since "
        b"Last-Event-ID Range X-Forwarded-For X-Forwarded-Host Forwarded "
        b"Access-Control-Request-Method"
    ).split()

    def make_house(self) -> House:
        """Where every origin is allowed, so that the header is answered."""
        return House(exposure=Exposure(origins=frozenset("*")))

    def test_no_defect(self) -> None:
        """None of them is a defect of ours: no 500, no connection without an answer, no log."""
        shake = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        for line, more in (
            (b"GET /v1/domains", b""),
            (b"GET /v1/mailboxes/a%40qa.test/messages", b""),
            (b"GET /v1/mailboxes/a%40qa.test/ws", shake),
            (b"POST /v1/mailboxes", b"Content-Length: 2\r\n"),
            (b"OPTIONS /v1/mailboxes", b""),
        ):
            for name in self.NAMES:
                for value in self.ODD:
                    head = b"%b HTTP/1.1\r\nHost: x\r\n%b: %b\r\n" % (line, name, value)
                    answer = Wire(self.house.site).send(head + more + b"\r\n{}")
                    self.assertLess(status_of(answer), 500, (line, name, value))


class PathTests(WebTestCase):
    """Paths and methods."""

    def test_unknown(self) -> None:
        """What is not there is not found."""
        for path in (
            "/",
            "/v1",
            "/v1/",
            "/v2/domains",
            "/v1/domains/",
            "//v1/domains",
            "/V1/domains",
        ):
            self.assert_problem(self.ask("GET", path), 404)

    def test_malformed(self) -> None:
        """A path that can not be decoded is a malformed request."""
        wire = Wire(self.house.site)
        for path in (
            b"/%",
            b"/%zz",
            b"/v1/mailboxes/%FF",
            b"/v1/mailboxes/a%4",
            b"/\xa0",
            b"x",
            b"*",
        ):
            answer = wire.send(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            self.assertEqual(status_of(answer), 400, path)
            self.assertIn(b"application/problem+json", answer)

    def test_absolute_form(self) -> None:
        """A request target may be a whole URL (RFC 9112 section 3.2.2)."""
        wire = Wire(self.house.site)
        for target in (b"http://x/healthz", b"HTTP://x:80/healthz?a=b"):
            sent = wire.send(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target)
            self.assertEqual(status_of(sent), 200)

    def test_method(self) -> None:
        """A method that a path does not have is refused, with those it has."""
        for method in ("PUT", "PATCH", "TRACE", "BREW"):
            answer = self.ask(method, "/v1/mailboxes/a%40tempmail.test")
            self.assert_problem(answer, 405)
            self.assertEqual(answer.headers["allow"], "DELETE, GET, HEAD, OPTIONS")

    def test_options(self) -> None:
        """OPTIONS tells what methods a path has."""
        answer = self.ask("OPTIONS", "/v1/mailboxes")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(answer.headers["allow"], "OPTIONS, POST")
        self.assert_problem(self.ask("OPTIONS", "/nothing"), 404)
        wire = Wire(self.house.site)
        self.assertEqual(status_of(wire.send(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")), 204)

    def test_head(self) -> None:
        """HEAD has the headers of GET and no body, errors included."""
        for path in ("/healthz", "/v1/domains", "/nothing", "/v1/mailboxes/a%40tempmail.test"):
            head, get = self.ask("HEAD", path), self.ask("GET", path)
            self.assertEqual(head.headers.pop("content-length"), str(len(get.body)))
            self.assertEqual((head.status, head.headers, head.body), (get.status, get.headers, b""))


class BasePathTests(WebTestCase):
    """Behind a proxy that publishes us below a path."""

    def make_house(self) -> House:
        """Below /mail."""
        return House(exposure=Exposure(base_path="/mail"))

    def test_with_and_without(self) -> None:
        """Requests are served with the base path and without it, as proxies differ."""
        for path in ("/mail/v1/domains", "/v1/domains"):
            self.assertEqual(self.ask("GET", path).status, 200)
        for path in ("/mailv1/domains", "/mail", "/mail/", "/mail/mail/v1/domains"):
            self.assert_problem(self.ask("GET", path), 404)

    def test_location(self) -> None:
        """Where we tell a client to go is below the base path."""
        location = self.ask("POST", "/v1/mailboxes").headers["location"]
        self.assertTrue(location.startswith("/mail/v1/mailboxes/"))


class OtherOriginTests(WebTestCase):
    """Scripts of other origins (the Fetch Standard's CORS protocol)."""

    ORIGIN = "https://app.example"
    ALLOWED = "access-control-allow-origin"

    def make_house(self) -> House:
        """With one origin allowed."""
        return House(exposure=Exposure(origins=frozenset({self.ORIGIN})))

    def test_off(self) -> None:
        """Unless the operator names origins, there is no word of them in any answer."""
        self.house = House()
        self.treq = HTTPClient(self.house.agent)
        for method in ("GET", "OPTIONS"):
            headers = self.ask(method, "/v1/domains", headers={"Origin": self.ORIGIN}).headers
            self.assertFalse([name for name in headers if name.startswith("access-control")])

    def test_allowed(self) -> None:
        """Scripts of a named origin may read answers, problems too, and the headers they need."""
        for path in ("/v1/domains", "/v1/mailboxes/a%40tempmail.test", "/nothing"):
            headers = self.ask("GET", path, headers={"Origin": self.ORIGIN}).headers
            self.assertEqual(headers[self.ALLOWED], self.ORIGIN)
            self.assertIn("Retry-After", headers["access-control-expose-headers"])
            self.assertEqual(headers["vary"], "Origin")
            self.assertNotIn("access-control-allow-credentials", headers)

    def test_others(self) -> None:
        """Those of any other origin may not, and no cache mixes the two up."""
        for origin in ("https://evil.example", "http://app.example", "null", ""):
            headers = self.ask("GET", "/v1/domains", headers={"Origin": origin}).headers
            self.assertNotIn(self.ALLOWED, headers)
            self.assertEqual(headers["vary"], "Origin")
        self.assertNotIn(self.ALLOWED, self.ask("GET", "/v1/domains").headers)

    def test_held(self) -> None:
        """An answer that took a while is for the same origin as one at once."""
        waiting = self.start(
            "GET", "/v1/mailboxes/a%40qa.test/messages?wait=5", headers={"Origin": self.ORIGIN}
        )
        self.house.turn(5)
        self.assertEqual(self.successResultOf(waiting).headers[self.ALLOWED], self.ORIGIN)

    def test_preflight(self) -> None:
        """A browser that asks first is told methods and headers."""
        asked = {"Origin": self.ORIGIN, "Access-Control-Request-Method": "DELETE"}
        answer = self.ask("OPTIONS", "/v1/mailboxes/a%40tempmail.test", headers=asked)
        self.assertEqual(answer.status, 204)
        self.assertEqual(
            answer.headers["access-control-allow-methods"], "DELETE, GET, HEAD, OPTIONS"
        )
        self.assertIn("Authorization", answer.headers["access-control-allow-headers"])
        self.assertIn("Content-Type", answer.headers["access-control-allow-headers"])

    def test_all(self) -> None:
        """A star lets every origin in."""
        self.assertTrue(Exposure(origins=frozenset("*")).allows("https://any.example"))


class LogTests(WebTestCase):
    """The access log."""

    def setUp(self) -> None:
        """Listen to what is logged."""
        super().setUp()
        self.events: list[Any] = []
        observer = cast(ILogObserver, self.events.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def test_no_secrets(self) -> None:
        """The log names the route and never an address, an id, a token or a query."""
        box = self.mint(local_part="alice")
        self.deliver("alice@tempmail.test")
        for path in ("", "/messages?from=ann", f"/messages/1/raw?access_token={box.token}"):
            self.ask("GET", f"/v1/mailboxes/alice%40tempmail.test{path}", token=None)
        self.ask("GET", "/inbox/alice@tempmail.test")
        self.ask("GET", "/alice@tempmail.test")
        logged = " ".join(
            str(value)
            for event in self.events
            for name, value in event.items()
            if name != "log_source"
        )
        self.assertIn("/v1/mailboxes/<address>/messages/<id_>/raw", logged)
        for secret in ("alice", box.token, "ann", "127.0.0.1"):
            self.assertNotIn(secret, logged)

    def test_line(self) -> None:
        """A line has method, route, status, size and duration."""
        waiting = self.start("GET", "/v1/mailboxes/a%40qa.test/messages?wait=2")
        self.house.turn(2)
        size = len(self.successResultOf(waiting).body)
        event = self.events[-1]
        self.assertEqual(
            event["log_format"].format(**event),
            f"GET /v1/mailboxes/<address>/messages 200 {size} octets 2000.0 ms",
        )

    def test_strange_method(self) -> None:
        """What a client calls its method is not written down."""
        self.ask("SECRET", "/healthz")
        self.assertEqual(self.events[-1]["method"], "?")

    def test_refusal(self) -> None:
        """A request that never became one is logged too."""
        Wire(self.house.site).send(b"nonsense\r\n")
        self.assertEqual(self.events[-1]["status"], 400)

    def test_silent(self) -> None:
        """The access log can be turned off."""
        quiet = House(exposure=Exposure(access_log=False))
        self.events.clear()
        Wire(quiet.site).send(GET)
        Wire(quiet.site).send(b"nonsense\r\n")
        self.assertEqual(self.events, [])


class BrokenStore(MemoryStore):
    """One that a defect is in."""

    def look(self, address: object) -> NoReturn:
        """Break down."""
        raise RuntimeError("the secret")


class BrokenHouse(House):
    """A house with such a store."""

    store_type = BrokenStore


class DefectTests(WebTestCase):
    """When something of ours breaks."""

    def make_house(self) -> House:
        """One that does."""
        return BrokenHouse()

    def test_unexpected(self) -> None:
        """A client is told that it was our fault and nothing else; the log gets the rest, once."""

        answer = self.ask("GET", "/v1/mailboxes/a%40qa.test")
        self.assert_problem(answer, 500)
        self.assertNotIn(b"secret", answer.body)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class ReadinessTests(WebTestCase):
    """``/healthz`` and ``/readyz``."""

    def test_ready(self) -> None:
        """A server that can work says so."""
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.ask("GET", path).json, {"status": "ok"})

    def test_not_ready(self) -> None:
        """One that can not says why, and still that it lives."""
        self.house.smtp = fail(RuntimeError("SMTP does not listen yet"))
        answer = self.ask("GET", "/readyz")
        self.assert_problem(answer, 503)
        self.assertEqual(answer.json["detail"], "SMTP does not listen yet")
        self.assertIn("retry-after", answer.headers)
        self.assertEqual(self.ask("GET", "/healthz").status, 200)

    def test_no_answer(self) -> None:
        """A part that does not answer is not ready, and is not waited for long."""
        self.house.smtp = Deferred()
        waiting = self.start("GET", "/readyz")
        self.house.turn(PROBE_SECONDS)
        self.assert_problem(self.successResultOf(waiting), 503)


class CloseTests(SynchronousTestCase):
    """When the server stops."""

    def setUp(self) -> None:
        """Connect two."""
        self.house = House()
        self.idle, self.busy = Wire(self.house.site), Wire(self.house.site)
        self.idle.send(GET)
        self.busy.send(
            b"GET /v1/mailboxes/a%40qa.test/messages?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        self.house.site.stopFactory()

    def test_idle(self) -> None:
        """Who is idle is dropped."""
        self.assertTrue(self.idle.closed)

    def test_waiting(self) -> None:
        """Who waits gets a normal answer, and that it was the last."""
        self.assertFalse(self.busy.closed)
        self.house.doorbell.close()
        answer = self.busy.take()
        self.assertEqual(status_of(answer), 200)
        self.assertIn(b'"timed_out":true', answer)
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertTrue(self.busy.closed)

    def test_late(self) -> None:
        """A request that comes while we stop is still answered, and that it was the last."""
        self.house.doorbell.close()
        late = Wire(self.house.site)
        answer = late.send(GET)
        self.assertEqual(status_of(answer), 200)
        self.assertTrue(late.closed)


class EmptyHouseTests(SynchronousTestCase):
    """``Site.close``."""

    def setUp(self) -> None:
        """Have somebody wait."""
        self.house = House()
        self.wire = Wire(self.house.site)
        self.wire.send(
            b"GET /v1/mailboxes/a%40qa.test/messages?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n"
        )

    def test_nobody(self) -> None:
        """Where there is no connection it is closed at once."""
        self.wire.hang_up()
        self.successResultOf(self.house.site.close(5))
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_last_one_leaves(self) -> None:
        """Otherwise when the last connection is gone."""
        closed = self.house.site.close(5)
        self.assertNoResult(closed)
        self.house.doorbell.close()
        self.wire.hang_up()
        self.successResultOf(closed)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_grace(self) -> None:
        """Who is still there when the grace is over is cut off."""
        closed = self.house.site.close(5)
        self.house.clock.advance(5)
        self.assertTrue(self.wire.aborting)
        self.wire.hang_up()
        self.successResultOf(closed)

    def test_hurry(self) -> None:
        """Who does not wait for the end cuts everyone off at once."""
        closed = self.house.site.close(5)
        closed.addErrback(lambda failure: failure.trap(CancelledError))
        closed.cancel()
        self.assertTrue(self.wire.aborting)
        self.wire.hang_up()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_told_before(self) -> None:
        """Whoever is woken before the site is told still learns that it was the last answer."""
        self.house.doorbell.close()
        self.assertIn(b"\r\nConnection: close\r\n", self.wire.take())


class PatienceTests(SynchronousTestCase):
    """``Patience``."""

    def setUp(self) -> None:
        """Ten seconds for everyone."""
        self.clock = House().clock
        self.over: list[str] = []
        self.patience = Patience[str](self.clock, lambda: 10.0, self.over.append)

    def test_order(self) -> None:
        """Everyone gets the same time, counted from his start."""
        self.patience.start("a")
        self.clock.advance(4)
        self.patience.start("b")
        self.clock.advance(6)
        self.assertEqual(self.over, ["a"])
        self.clock.advance(4)
        self.assertEqual(self.over, ["a", "b"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_restart(self) -> None:
        """Who starts again begins anew."""
        self.patience.start("a")
        self.clock.advance(9)
        self.patience.start("a")
        self.clock.advance(9)
        self.assertEqual(self.over, [])
        self.clock.advance(1)
        self.assertEqual(self.over, ["a"])

    def test_stop(self) -> None:
        """Who stopped in time is not told, and stopping says whether it was in time."""
        self.patience.start("a")
        self.assertTrue(self.patience.stop("a"))
        self.assertFalse(self.patience.stop("a"))
        self.clock.advance(20)
        self.assertEqual(self.over, [])

    def test_one_timer(self) -> None:
        """However many there are, there is one timer, and none with the last one."""
        for name in "abc":
            self.patience.start(name)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for name in "abc":
            self.patience.forget(name)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_end_all(self) -> None:
        """All can be ended at once."""
        self.patience.start("a")
        self.patience.start("b")
        self.patience.end_all()
        self.assertEqual(self.over, ["a", "b"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
