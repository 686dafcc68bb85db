"""Holding a list request until there is mail."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tempmail.core.limits import POUR_OCTETS, Limits
from tests.web.house import Answer, WebTestCase, Wire

PATH = "/v1/mailboxes/alice%40tempmail.test/messages"
LIFETIME = Limits().default_lifetime


class WaitTestCase(WebTestCase):
    """A test with a mailbox that somebody waits at."""

    def setUp(self) -> None:
        """Mint one."""
        super().setUp()
        self.box = self.mint(local_part="alice")

    def wait(self, query: str = "wait=30") -> Deferred[Answer]:
        """Wait for a list."""
        waiting = self.start("GET", f"{PATH}?{query}", token=self.box.token)
        self.assertNoResult(waiting)
        return waiting

    def assert_nobody_waits(self) -> None:
        """No wait left anything behind."""
        self.assertEqual(self.house.doorbell.listeners, 0)


class EndTests(WaitTestCase):
    """The ways in which a wait ends."""

    def test_mail_is_there(self) -> None:
        """Mail that is there is answered at once."""
        self.deliver("alice@tempmail.test")
        answer = self.ask("GET", f"{PATH}?wait=30", token=self.box.token)
        self.assertEqual(len(answer.json["messages"]), 1)
        self.assertFalse(answer.json["timed_out"])
        self.assert_nobody_waits()

    def test_mail_comes(self) -> None:
        """Mail that comes is answered in the reactor's next turn."""
        waiting = self.wait()
        self.house.turn(20)
        self.assertNoResult(waiting)
        self.deliver("alice@tempmail.test")
        answer = self.successResultOf(waiting)
        self.assertEqual(answer.status, 200)
        self.assertEqual([one["subject"] for one in answer.json["messages"]], ["Hello"])
        self.assertFalse(answer.json["timed_out"])
        self.assert_nobody_waits()

    def test_mail_comes_elsewhere(self) -> None:
        """Mail for another mailbox wakes nobody here."""
        self.mint(local_part="bob")
        waiting = self.wait()
        self.deliver("bob@tempmail.test")
        self.assertNoResult(waiting)

    def test_long_answer(self) -> None:
        """An answer of any size reaches whoever waited for it, whole."""
        text = b"x" * 70 + b"\r\n"
        octets = b"Subject: long\r\n\r\n" + text * (2 * POUR_OCTETS // len(text))
        path = "/v1/mailboxes/alice%40tempmail.test/wait"
        waiting = self.start("GET", path, token=self.box.token)
        self.deliver("alice@tempmail.test", octets)
        answer = self.successResultOf(waiting)
        self.assertGreater(len(answer.body), POUR_OCTETS)
        self.assertEqual(answer.json["message"]["subject"], "long")

    def test_time_is_up(self) -> None:
        """Waiting in vain is a normal answer with the cursor that was given."""
        waiting = self.wait("wait=1.5&after=7")
        self.house.turn(1.5)
        answer = self.successResultOf(waiting)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["messages"], [])
        self.assertEqual(answer.json["cursor"], "7")
        self.assertTrue(answer.json["timed_out"])
        self.assert_nobody_waits()

    def test_deleted(self) -> None:
        """Who waits at a mailbox that is deleted is told at once that it is gone."""
        waiting = self.wait()
        self.ask("DELETE", "/v1/mailboxes/alice%40tempmail.test", token=self.box.token)
        self.house.turn()
        self.assert_problem(self.successResultOf(waiting), 410)
        self.assert_nobody_waits()

    def test_expired(self) -> None:
        """So is who waits at one that expires."""
        self.house.turn(LIFETIME - 10)
        waiting = self.wait()
        self.house.turn(10)
        self.house.store.expire(self.house.clock.seconds() + 1)
        self.house.turn()
        self.assert_problem(self.successResultOf(waiting), 410)
        self.assert_nobody_waits()

    def test_extended(self) -> None:
        """A change that brings no mail ends no wait."""
        waiting = self.wait()
        self.ask(
            "POST",
            "/v1/mailboxes/alice%40tempmail.test/extend",
            json={"lifetime": LIFETIME * 2},
            token=self.box.token,
        )
        self.house.turn()
        self.assertNoResult(waiting)

    def test_server_stops(self) -> None:
        """When the server stops, waiting ends as if the time were up."""
        waiting = self.wait()
        self.house.doorbell.close()
        self.house.turn()
        self.assertTrue(self.successResultOf(waiting).json["timed_out"])
        self.assert_nobody_waits()

    def test_client_leaves(self) -> None:
        """A client that leaves leaves no listener and no timer."""
        wire = Wire(self.house.site)
        wire.send(b"GET /v1/mailboxes/a%40qa.test/messages?wait=30 HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(self.house.doorbell.listeners, 1)
        wire.hang_up()
        self.assert_nobody_waits()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_refused(self) -> None:
        """Who may not read may not wait, and is told at once."""
        for token, status in ((None, 401), ("wrong", 404)):
            self.assert_problem(self.ask("GET", f"{PATH}?wait=30", token=token), status)
        self.assert_nobody_waits()


class MatchTests(WaitTestCase):
    """Waiting for certain mail."""

    def test_other_mail(self) -> None:
        """Mail that does not match ends no wait, mail that does ends it."""
        waiting = self.wait("wait=30&from=bob&subject=code")
        self.deliver("alice@tempmail.test")
        self.deliver("alice@tempmail.test", b"From: bob@b.example\r\nSubject: hi\r\n\r\n")
        self.house.turn(5)
        self.assertNoResult(waiting)
        self.deliver("alice@tempmail.test", b"From: bob@b.example\r\nSubject: A Code\r\n\r\n")
        found = self.successResultOf(waiting).json["messages"]
        self.assertEqual([one["subject"] for one in found], ["A Code"])

    def test_after(self) -> None:
        """Mail that was seen already ends no wait."""
        self.deliver("alice@tempmail.test")
        cursor = self.ask("GET", PATH, token=self.box.token).json["cursor"]
        waiting = self.wait(f"wait=30&after={cursor}")
        self.deliver("alice@tempmail.test", b"Subject: second\r\n\r\n")
        found = self.successResultOf(waiting).json["messages"]
        self.assertEqual([one["subject"] for one in found], ["second"])


class ManyTests(WaitTestCase):
    """More than one wait."""

    def test_same_mailbox(self) -> None:
        """Everyone who waits at a mailbox is told of a mail."""
        waits = [self.wait() for _ in range(5)]
        self.deliver("alice@tempmail.test")
        answers = [self.successResultOf(waiting) for waiting in waits]
        self.assertEqual([len(answer.json["messages"]) for answer in answers], [1] * 5)

    def test_pipelined(self) -> None:
        """On one connection a second wait begins when the first is answered."""
        wire = Wire(self.house.site)
        sent = b"GET /v1/mailboxes/a%40qa.test/messages?wait=30 HTTP/1.1\r\nHost: x\r\n\r\n"
        self.assertEqual(wire.send(sent * 2), b"")
        self.deliver("a@qa.test")
        answers = wire.take()
        self.assertEqual(answers.count(b"HTTP/1.1 200"), 2)

    def test_catch_all(self) -> None:
        """One can wait at an address of a catch-all domain before it had any mail."""
        waiting = self.start("GET", "/v1/mailboxes/New%2Btag%40QA.test/messages?wait=9")
        self.deliver("new@qa.test")
        self.assertEqual(len(self.successResultOf(waiting).json["messages"]), 1)
