"""Waiting at several mailboxes with one request."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from tempmail.client import (
    BadAnswer,
    Box,
    Gone,
    NotFound,
    Summary,
    Unauthorized,
    Unavailable,
    WaitTimedOut,
)
from tempmail.client.limits import HOLD, LONGEST_PAUSE
from tests.client.case import Case
from tests.client.fake import ADDRESS, TOKEN, FakeBox

BEN = "ben@mail.test"


def ids(news: dict[Box, tuple[Summary, ...]]) -> dict[str, list[str]]:
    """The ids of what came, by address."""
    return {box.address: [one.id for one in summaries] for box, summaries in news.items()}


class SeveralTests(Case):
    """One user has one mailbox, another user another."""

    def setUp(self) -> None:
        super().setUp()
        self.server.boxes[BEN] = FakeBox(BEN)
        self.boxes = [self.box, self.client.box(BEN, TOKEN)]

    def test_there_already(self) -> None:
        """Mail that came before the call is found at once, of those that have some."""
        self.server.deliver(BEN)
        self.server.deliver(BEN)
        self.assertEqual(ids(self.done(self.client.wait_any(self.boxes))), {BEN: ["m1", "m2"]})
        ((method, path, _, token, body),) = self.server.seen
        self.assertEqual((method, path, token), ("POST", ["v1", "wait"], ""))
        asked = [{"address": name, "after": "0", "token": TOKEN} for name in (ADDRESS, BEN)]
        self.assertEqual(body, {"mailboxes": asked, "timeout": HOLD})

    def test_comes_later(self) -> None:
        """Mail to any of them ends the wait."""
        waiting = self.begin(self.client.wait_any(iter(self.boxes), timeout=30))
        self.pass_time(3)
        self.assertNoResult(waiting)
        self.server.deliver()
        self.network.agent.flush()
        self.assertEqual(ids(self.successResultOf(waiting)), {ADDRESS: ["m1"]})
        self.assertQuiet()

    def test_asking_again(self) -> None:
        """Asking again brings what came since, also with others and one by one."""
        self.server.deliver()
        self.done(self.client.wait_any(self.boxes))
        self.server.deliver(BEN)
        self.assertEqual(ids(self.done(self.client.wait_any(self.boxes))), {BEN: ["m1"]})
        self.fails(self.client.wait_any([self.box], timeout=0), WaitTimedOut)
        self.server.deliver()
        self.assertEqual(ids(self.done(self.client.wait_any([self.box]))), {ADDRESS: ["m2"]})

    def test_limit(self) -> None:
        """What is beyond the limit is the next answer."""
        for _ in range(3):
            self.server.deliver()
        answers = [ids(self.done(self.client.wait_any(self.boxes, limit=2))) for _ in range(2)]
        self.assertEqual(answers, [{ADDRESS: ["m1", "m2"]}, {ADDRESS: ["m3"]}])

    def test_public(self) -> None:
        """A mailbox without a token is asked for without one."""
        self.server.boxes[BEN].public = True
        self.server.deliver(BEN)
        self.done(self.client.wait_any([self.client.box(BEN)]))
        self.assertNotIn("token", self.server.seen[0][4]["mailboxes"][0])

    def test_time_is_up(self) -> None:
        """A long wait asks several times, and says where nothing came."""
        waiting = self.begin(self.client.wait_any(self.boxes, timeout=HOLD + 10))
        self.pass_time(HOLD + 10)
        error = self.failureResultOf(waiting, WaitTimedOut).value
        self.assertEqual(str(error), f"no message came to {ADDRESS}, {BEN} within 60 s")
        self.assertEqual([each[4]["timeout"] for each in self.server.seen], [HOLD, 10])
        self.assertQuiet()

    def test_gone_meanwhile(self) -> None:
        """One that goes ends the wait, says which, and costs none of the others' mail."""
        waiting = self.begin(self.client.wait_any(self.boxes))
        self.pass_time(3)
        self.server.delete(BEN)
        self.network.agent.flush()
        error = self.failureResultOf(waiting, Gone).value
        self.assertEqual(error.address, BEN)
        self.assertIn(BEN, str(error))
        self.server.deliver()
        self.fails(self.client.wait_any(self.boxes), Gone)
        self.assertEqual(ids(self.done(self.client.wait_any([self.box]))), {ADDRESS: ["m1"]})
        self.assertQuiet()

    def test_not_opened(self) -> None:
        """So does one that the token does not open, or that needs one."""
        for token, kind in ((None, Unauthorized), ("wrong", NotFound)):
            boxes = [self.box, self.client.box(BEN, token)]
            self.assertEqual(self.fails(self.client.wait_any(boxes), kind).address, BEN)

    def test_restart(self) -> None:
        """A server that goes away and comes back within the time costs nothing but time."""
        waiting = self.begin(self.client.wait_any(self.boxes, timeout=90))
        self.pass_time(2)
        self.network.down = True
        self.server.restart()
        self.pass_time(10)
        self.network.down = False
        self.server.deliver(BEN)
        self.pass_time(LONGEST_PAUSE)
        self.assertEqual(ids(self.successResultOf(waiting)), {BEN: ["m1"]})
        self.assertQuiet()

    def test_cancelled(self) -> None:
        """A cancelled wait leaves nothing, neither here nor at the server."""
        waiting = self.begin(self.client.wait_any(self.boxes))
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertQuiet()

    def test_other_server(self) -> None:
        """A mailbox of another server is not asked for: its token is not for this one."""
        stranger = self.connect("http://other.test").box(BEN, TOKEN)
        self.fails(self.client.wait_any([self.box, stranger]), ValueError)
        self.assertEqual(self.server.seen, [])

    def test_strange_answers(self) -> None:
        """What is not an answer about these mailboxes is a BadAnswer."""
        for octets in (b"{}", b"[]", b"null", b'{"mailboxes": []}', b'{"mailboxes": [1, 2]}'):
            self.server.canned.append((200, {}, octets))
            self.fails(self.client.wait_any(self.boxes), BadAnswer)
        problem = b'{"mailboxes": [{"problem": {"status": "x"}}, {}]}'
        self.server.canned.append((200, {}, problem))
        self.fails(self.client.wait_any(self.boxes), BadAnswer)

    def test_whole_refusal(self) -> None:
        """A refusal of the whole question is about none of them."""
        self.server.canned.append((503, {"retry-after": "100"}, b"{}"))
        self.assertEqual(self.fails(self.client.wait_any(self.boxes), Unavailable).address, "")
