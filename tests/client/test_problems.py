"""What goes wrong with one request: refused, not understood, not answered."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from tempmail.client import (
    BadAnswer,
    Gone,
    NotFound,
    Problem,
    RateLimited,
    Taken,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from tempmail.client.limits import LONGEST_RETRY_AFTER, REQUEST_LIMIT
from tests.client.case import Case


class ProblemTests(Case):
    """What the server refuses."""

    def test_each_status_has_its_class(self) -> None:
        """The class of the error tells the status apart, also where a proxy sent the page."""
        for status, kind in (
            (401, Unauthorized),
            (404, NotFound),
            (409, Taken),
            (410, Gone),
            (429, RateLimited),
            (502, Unavailable),
            (503, Unavailable),
            (504, Unavailable),
            (500, Problem),
        ):
            self.server.canned.append((status, {}, b"<html>sorry</html>"))
            error = self.fails(self.box.state(), kind)
            self.assertEqual((type(error), error.status), (kind, status))
            self.assertTrue(error.title)

    def test_fields(self) -> None:
        """A refused value is named, with what is wrong about it."""
        error = self.fails(self.client.mint(lifetime=10**6), Problem)
        self.assertEqual(error.errors, (("lifetime", "is at most 86400"),))
        self.assertIn("lifetime: is at most 86400", str(error))

    def test_taken(self) -> None:
        """An address in use is told as such, and the request is not repeated."""
        self.fails(self.client.mint(local_part="k3v9"), Taken)
        self.assertEqual(len(self.server.seen), 1)

    def test_retry_after(self) -> None:
        """Retry-After is understood as seconds, and as a date by the server's own clock."""
        date = "Tue, 01 Jan 2030 00:00:00 GMT"
        for headers, seconds in (
            ({"retry-after": "7"}, 7.0),
            ({"retry-after": "Tue, 01 Jan 2030 00:01:30 GMT", "date": date}, 90.0),
            ({"retry-after": "Mon, 31 Dec 2029 00:00:00 GMT", "date": date}, 0.0),
            ({"retry-after": "999999999"}, LONGEST_RETRY_AFTER),
            ({"retry-after": "soon"}, None),
            ({}, None),
        ):
            self.server.canned.append((429, headers, b"{}"))
            self.assertEqual(self.fails(self.box.state(), RateLimited).retry_after, seconds)

    def test_not_our_interface(self) -> None:
        """An answer that can not come from this interface is called that."""
        for body in (b"<html>", b"[]", b'"text"', b"{}", b'{"address": 7, "expires_at": "soon"}'):
            self.server.canned.append((200, {}, body))
            self.fails(self.box.state(), BadAnswer)

    def test_no_redirect(self) -> None:
        """A redirect is not followed, for the token is meant for this server."""
        self.server.canned.append((302, {"location": "https://elsewhere.test/"}, b""))
        self.assertIn("https://elsewhere.test/", str(self.fails(self.box.state(), BadAnswer)))
        self.assertEqual(len(self.server.seen), 1)

    def test_refused_connection(self) -> None:
        """A request that is made once fails at once when nobody listens."""
        self.network.down = True
        self.assertIn("refused", str(self.fails(self.box.state(), Unreachable)))

    def test_silent_server(self) -> None:
        """A server that never answers is given up, and the connection closed."""
        self.server.mute = True
        asked = self.begin(self.box.state())
        self.pass_time(REQUEST_LIMIT - 1)
        self.assertNoResult(asked)
        self.pass_time(1)
        self.failureResultOf(asked, Unreachable)
        self.assertQuiet()

    def test_endless_body(self) -> None:
        """An answer that begins and does not end is given up as well."""
        self.server.canned.append((200, {}, None))
        asked = self.begin(self.box.state())
        self.pass_time(REQUEST_LIMIT)
        self.failureResultOf(asked, Unreachable)
        self.assertQuiet()

    def test_cancel(self) -> None:
        """Whoever cancels gets a CancelledError, and no request, timer or waiter is left."""
        waiting = self.begin(self.box.wait_code(timeout=60))
        self.pass_time(1)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertQuiet()
        self.assertEqual((self.network.attempts, self.retries), (1, []))
