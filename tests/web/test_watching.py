"""``POST /v1/wait``: one request that waits at several mailboxes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from tempmail.content.told import Digest
from tempmail.core.address import parse_address
from tempmail.core.limits import MAX_LIST, MAX_UNKNOWN_NAMED, MAX_WATCHED, Limits
from tempmail.core.message import Envelope, Message
from tempmail.postoffice import PostOffice
from tempmail.web.site import Exposure
from tests.web.house import MAIL, Answer, House, WebTestCase, Wire, status_of

LIFETIME = Limits().default_lifetime
OPEN = {"address": "x@qa.test"}


def posted(body: bytes, *headers: bytes) -> bytes:
    """The octets of a request."""
    lines = (b"POST /v1/wait HTTP/1.1", b"Host: x", b"Content-Type: application/json", *headers)
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


class WatchTestCase(WebTestCase):
    """A test with two mailboxes that somebody waits at."""

    def setUp(self) -> None:
        """Mint them."""
        super().setUp()
        self.asked: list[dict[str, Any]] = []
        for name in ("alice", "bob"):
            minted = self.mint(local_part=name)
            self.asked.append({"address": minted.mailbox.address.key, "token": minted.token})

    def watch(self, *asked: Any, **also: Any) -> Deferred[Answer]:
        """Wait."""
        return self.start("POST", "/v1/wait", json={"mailboxes": asked or self.asked, **also})

    def watched(self, *asked: Any, **also: Any) -> Any:
        """What is answered at once."""
        answer = self.successResultOf(self.watch(*asked, **also))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def delete(self, number: int) -> None:
        """Delete one."""
        path = f"/v1/mailboxes/{self.asked[number]['address']}"
        self.ask("DELETE", path, token=self.asked[number]["token"])
        self.house.turn()

    def assert_nobody_waits(self) -> None:
        """No wait left anything behind."""
        self.assertEqual(self.house.doorbell.listeners, 0)


class AnswerTests(WatchTestCase):
    """What is answered, and when."""

    def test_mail_is_there(self) -> None:
        """Where one has mail the answer comes at once, with every mailbox in the order asked."""
        self.deliver("bob@tempmail.test")
        found = self.watched()
        self.assertEqual([*found], ["mailboxes", "timed_out"])
        self.assertIs(found["timed_out"], False)
        alice, bob = found["mailboxes"]
        state = self.ask("GET", "/v1/mailboxes/bob@tempmail.test", token=self.asked[1]["token"])
        told = ("address", "expires_at", "max_expires_at", "message_count", "unseen_count")
        self.assertEqual({name: bob[name] for name in told}, {n: state.json[n] for n in told})
        self.assertEqual((alice["address"], alice["messages"]), ("alice@tempmail.test", []))
        self.assertEqual(alice["cursor"], "0")
        self.assertEqual(bob["cursor"], bob["messages"][0]["cursor"])
        listed = self.ask(
            "GET", "/v1/mailboxes/bob@tempmail.test/messages", token=self.asked[1]["token"]
        )
        self.assertEqual(bob["messages"], listed.json["messages"])
        self.assert_nobody_waits()

    def test_mail_comes(self) -> None:
        """Mail that comes is answered in the reactor's next turn."""
        waiting = self.watch()
        self.house.turn(20)
        self.assertNoResult(waiting)
        self.deliver("alice@tempmail.test")
        found = self.successResultOf(waiting).json
        self.assertEqual([len(one["messages"]) for one in found["mailboxes"]], [1, 0])
        self.assert_nobody_waits()

    def test_going_on(self) -> None:
        """Asking again with the cursors answered waits for what comes next."""
        self.deliver("alice@tempmail.test")
        for one, told in zip(self.asked, self.watched()["mailboxes"], strict=True):
            one["after"] = told["cursor"]
        waiting = self.watch()
        self.assertNoResult(waiting)
        self.deliver("alice@tempmail.test", b"Subject: second\r\n\r\n")
        (message,) = self.successResultOf(waiting).json["mailboxes"][0]["messages"]
        self.assertEqual(message["subject"], "second")

    def test_limit(self) -> None:
        """The limit is for each mailbox."""
        for _ in range(3):
            self.deliver("alice@tempmail.test")
        self.assertEqual(len(self.watched(limit=2)["mailboxes"][0]["messages"]), 2)

    def test_time_is_up(self) -> None:
        """Waiting in vain is a normal answer with the cursors that were given."""
        waiting = self.watch({**self.asked[0], "after": "7"}, self.asked[1], timeout=1.5)
        self.house.turn(1.5)
        found = self.successResultOf(waiting).json
        self.assertIs(found["timed_out"], True)
        self.assertEqual([one["cursor"] for one in found["mailboxes"]], ["7", "0"])
        self.assert_nobody_waits()

    def test_default_time(self) -> None:
        """Without a timeout, and with null, it waits as long as other waits."""
        for also in ({}, {"timeout": None}):
            waiting = self.watch(**also)
            self.house.turn(29)
            self.assertNoResult(waiting)
            self.house.turn(1)
            self.assertTrue(self.successResultOf(waiting).json["timed_out"])

    def test_look_once(self) -> None:
        """A timeout of 0 looks once."""
        self.assertIs(self.watched(timeout=0)["timed_out"], False)
        self.assert_nobody_waits()

    def test_gone_while_waiting(self) -> None:
        """One that goes is answered at once as a problem, the other as it stands."""
        waiting = self.watch()
        self.delete(0)
        found = self.successResultOf(waiting).json
        alice, bob = found["mailboxes"]
        self.assertEqual([*alice], ["address", "problem"])
        self.assertEqual(alice["address"], "alice@tempmail.test")
        self.assertEqual([*alice["problem"]], ["type", "title", "status", "detail"])
        self.assertEqual(alice["problem"]["status"], 410)
        self.assertEqual((bob["messages"], found["timed_out"]), ([], False))
        self.assert_nobody_waits()

    def test_expired_while_waiting(self) -> None:
        """So is one that expires."""
        self.house.turn(LIFETIME - 10)
        waiting = self.watch(self.asked[0], OPEN)
        self.house.turn(10)
        self.house.store.expire(self.house.clock.seconds() + 1)
        self.house.turn()
        alice, other = self.successResultOf(waiting).json["mailboxes"]
        self.assertEqual(alice["problem"]["status"], 410)
        self.assertNotIn("problem", other)
        self.assert_nobody_waits()

    def test_server_stops(self) -> None:
        """When the server stops, waiting ends as if the time were up."""
        waiting = self.watch()
        self.house.doorbell.close()
        self.house.turn()
        self.assertTrue(self.successResultOf(waiting).json["timed_out"])
        self.assert_nobody_waits()

    def test_others_go_on(self) -> None:
        """The wait for one mailbox and the wait for several hear the same mail."""
        path = "/v1/mailboxes/alice@tempmail.test/messages?wait=30"
        waits = self.watch(), self.start("GET", path, token=self.asked[0]["token"])
        self.deliver("alice@tempmail.test")
        for waiting in waits:
            self.assertEqual(self.successResultOf(waiting).status, 200)


class AccessTests(WatchTestCase):
    """Who may wait at what."""

    def test_strangers(self) -> None:
        """To a stranger a private mailbox and none at all look the same but for their names."""
        for token, status in ((None, 401), ("wrong", 404)):
            names = ("alice@tempmail.test", "nobody-1@tempmail.test", "a@elsewhere.test")
            found = self.watched(*({"address": name, "token": token} for name in names))
            self.assertIs(found["timed_out"], False)
            self.assertEqual([one["address"] for one in found["mailboxes"]], [*names])
            problems = [one["problem"] for one in found["mailboxes"]]
            self.assertEqual(problems, [problems[0]] * 3)
            self.assertEqual(problems[0]["status"], status)
        self.assert_nobody_waits()

    def test_same_as_alone(self) -> None:
        """The problem of one is what asking for it alone answers."""
        self.delete(0)
        for token in (None, "wrong", self.asked[0]["token"]):
            path = "/v1/mailboxes/alice@tempmail.test/messages?wait=30"
            alone = self.ask("GET", path, token=token).json
            found = self.watched({"address": "alice@tempmail.test", "token": token}, OPEN)
            self.assertEqual(found["mailboxes"][0]["problem"], alone)

    def test_header(self) -> None:
        """A token in the header opens none of them: each has its own."""
        token = self.asked[0]["token"]
        body = {"mailboxes": [{"address": "alice@tempmail.test"}]}
        answer = self.ask("POST", "/v1/wait", json=body, token=token)
        self.assertEqual(answer.json["mailboxes"][0]["problem"]["status"], 401)

    def test_catch_all(self) -> None:
        """An address of a catch-all can be waited at before it had any mail, by any tag."""
        waiting = self.watch({"address": "New+tag@QA.test"}, self.asked[0])
        self.deliver("new@qa.test")
        new, _ = self.successResultOf(waiting).json["mailboxes"]
        self.assertEqual((new["address"], len(new["messages"])), ("new@qa.test", 1))


class MistakeTests(WatchTestCase):
    """Bodies that do not fit: every mistake is named, and nothing waits."""

    def assert_mistakes(self, body: object, *fields: str) -> None:
        """This body is answered by a 422 about these fields."""
        answer = self.ask("POST", "/v1/wait", json=body)
        self.assert_problem(answer, 422, *fields)
        for error in answer.json["errors"]:
            self.assertIn(error["field"], error["detail"])
        self.assert_nobody_waits()

    def test_members(self) -> None:
        """Unknown members, and values of another kind, by the place they stand at."""
        for body, fields in (
            ({}, ["mailboxes"]),
            ({"mailboxes": None}, ["mailboxes"]),
            ({"mailboxes": OPEN}, ["mailboxes"]),
            ({"mailboxes": [OPEN], "wait": 3}, ["wait"]),
            ({"mailboxes": [OPEN], "timeout": "3"}, ["timeout"]),
            ({"mailboxes": [OPEN], "timeout": True}, ["timeout"]),
            ({"mailboxes": [OPEN], "limit": 1.0}, ["limit"]),
            ({"mailboxes": [OPEN, "x@qa.test"]}, ["mailboxes[1]"]),
            ({"mailboxes": [OPEN, {}]}, ["mailboxes[1].address"]),
            ({"mailboxes": [OPEN, {"address": "y@qa.test", "aftr": "0"}]}, ["mailboxes[1].aftr"]),
            ({"mailboxes": [{**OPEN, "after": 0}]}, ["mailboxes[0].after"]),
            ({"mailboxes": [{**OPEN, "token": 7}]}, ["mailboxes[0].token"]),
        ):
            self.assert_mistakes(body, *fields)

    def test_bounds(self) -> None:
        """Values out of bounds."""
        many = [{"address": f"a{number}@qa.test"} for number in range(MAX_WATCHED + 1)]
        for body, fields in (
            ({"mailboxes": []}, ["mailboxes"]),
            ({"mailboxes": many}, ["mailboxes"]),
            ({"mailboxes": [OPEN], "timeout": -0.1}, ["timeout"]),
            ({"mailboxes": [OPEN], "timeout": 60.1}, ["timeout"]),
            ({"mailboxes": [OPEN], "timeout": 10**30}, ["timeout"]),
            ({"mailboxes": [OPEN], "limit": 0}, ["limit"]),
            ({"mailboxes": [OPEN], "limit": MAX_LIST + 1}, ["limit"]),
            ({"mailboxes": [{**OPEN, "after": "-1"}]}, ["mailboxes[0].after"]),
            ({"mailboxes": [{**OPEN, "after": "x"}]}, ["mailboxes[0].after"]),
            ({"mailboxes": [{"address": "nobody"}]}, ["mailboxes[0].address"]),
            ({"mailboxes": [{"address": ""}]}, ["mailboxes[0].address"]),
        ):
            self.assert_mistakes(body, *fields)

    def test_all_at_once(self) -> None:
        """Several mistakes are told together."""
        body = {"mailboxes": [{"address": "x", "after": "x", "b": 1}, 3], "limit": 0, "a": 1}
        places = ("[0].b", "[0].after", "[0].address", "[1]")
        self.assert_mistakes(body, "a", "limit", *(f"mailboxes{place}" for place in places))

    def test_many_unknown(self) -> None:
        """Of very many unknown members the first are named, so the answer takes no time."""
        names = [f"x{number}" for number in range(1000)]
        body = {"mailboxes": [OPEN], **dict.fromkeys(names)}
        self.assert_mistakes(body, *names[:MAX_UNKNOWN_NAMED])

    def test_twice(self) -> None:
        """One mailbox named twice, however it is spelled."""
        spelled = {"address": "X+tag@QA.test"}
        self.assert_mistakes({"mailboxes": [OPEN, self.asked[0], spelled]}, "mailboxes[2].address")

    def test_beginning(self) -> None:
        """An empty cursor, null and none at all are the beginning."""
        self.deliver("x@qa.test")
        for also in ({}, {"after": None}, {"after": ""}, {"after": "0"}):
            self.assertEqual(len(self.watched({**OPEN, **also})["mailboxes"][0]["messages"]), 1)

    def test_secrets(self) -> None:
        """No token is repeated in what is said of a body."""
        body = {"mailboxes": [{"address": "x@qa.test", "token": "s3cret", "after": "x"}]}
        self.assertNotIn(b"s3cret", self.ask("POST", "/v1/wait", json=body).body)

    def test_no_json(self) -> None:
        """A body that is none, is cut off, is no object, or is called something else."""
        for data, status in ((b"", 422), (b'{"mailboxes":[', 400), (b"[]", 422), (b"{", 400)):
            headers = {"Content-Type": "application/json"}
            answer = self.ask("POST", "/v1/wait", data=data, headers=headers)
            self.assertEqual(answer.status, status, data)
        body = json.dumps({"mailboxes": [OPEN]}).encode()
        answer = self.ask("POST", "/v1/wait", data=body, headers={"Content-Type": "text/plain"})
        self.assert_problem(answer, 415)
        self.assertEqual(answer.headers["accept"], "application/json")

    def test_long_names(self) -> None:
        """A member that there is not is named in part, if its name is long."""
        body = {"mailboxes": [OPEN], "x" * 1_000_000: 1}
        answer = self.ask("POST", "/v1/wait", json=body)
        self.assertEqual(answer.status, 422)
        self.assertLess(len(answer.body), 1000)

    def test_methods(self) -> None:
        """It is a POST and nothing else."""
        answer = self.ask("GET", "/v1/wait")
        self.assert_problem(answer, 405)
        self.assertEqual(answer.headers["allow"], "OPTIONS, POST")


class LeavingTests(WatchTestCase):
    """However a client goes, it leaves no listener and no timer."""

    BODY = json.dumps({"mailboxes": [OPEN, {"address": "y@qa.test"}], "timeout": 30}).encode()

    def setUp(self) -> None:
        """Connect."""
        super().setUp()
        self.wire = Wire(self.house.site)

    def assert_no_trace(self) -> None:
        """Neither listener nor timer nor complaint."""
        self.assert_nobody_waits()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_while_waiting(self) -> None:
        """It goes while it waits."""
        self.assertEqual(self.wire.send(posted(self.BODY)), b"")
        self.assertEqual(self.house.doorbell.listeners, 2)
        self.wire.hang_up()
        self.assert_no_trace()

    def test_half_a_body(self) -> None:
        """It goes in the middle of its body: nobody began to wait."""
        self.assertEqual(self.wire.send(posted(self.BODY)[:-5]), b"")
        self.assert_nobody_waits()
        self.wire.hang_up()
        self.assert_no_trace()

    def test_as_mail_comes(self) -> None:
        """It goes between the mail and its turn."""
        self.wire.send(posted(self.BODY))
        recipients = [parse_address("y@qa.test")]
        self.successResultOf(self.house.office.deliver(Envelope("a@example.org"), recipients, MAIL))
        self.wire.hang_up()
        self.house.turn()
        self.assert_no_trace()

    def test_pipelined(self) -> None:
        """A second wait on the connection begins when the first is answered."""
        self.assertEqual(self.wire.send(posted(self.BODY) * 2), b"")
        self.deliver("y@qa.test")
        self.assertEqual(self.wire.take().count(b"HTTP/1.1 200"), 2)
        self.wire.hang_up()
        self.assert_no_trace()


class Readers(PostOffice):
    """A post office that notes what it reads for its lists, and can not read mail to bob."""

    read: Sequence[str] = ()

    async def digests(self, messages: Sequence[Message]) -> list[Digest]:
        """The same, noted."""
        self.read = [*self.read, *(message.recipient.local for message in messages)]
        if "bob" in self.read:
            raise ZeroDivisionError
        return await super().digests(messages)


class ReadingTests(WatchTestCase):
    """Understanding the mail for an answer."""

    def make_house(self) -> House:
        """One with such readers."""

        class Library(House):
            office_type = Readers

        return Library()

    def test_only_what_is_answered(self) -> None:
        """Only mail that is in the answer is read, and none while it waits."""
        office = self.house.office
        assert isinstance(office, Readers)
        for _ in range(3):
            self.deliver("alice@tempmail.test")
        self.watched(limit=2)
        self.assertEqual(office.read, ["alice"] * 2)
        waiting = self.watch({**self.asked[0], "after": "9" * 18})
        self.deliver("alice@tempmail.test")
        self.assertNoResult(waiting)
        self.assertEqual(office.read, ["alice"] * 2)

    def test_half_way_through_an_answer(self) -> None:
        """An answer that can not be made is a 500 and no half answer, and leaves no listener."""
        waiting = self.watch()
        self.deliver("bob@tempmail.test")
        self.assert_problem(self.successResultOf(waiting), 500)
        self.assert_nobody_waits()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class OriginTests(WatchTestCase):
    """Scripts of other origins."""

    def make_house(self) -> House:
        """One origin may."""
        return House(exposure=Exposure(origins=frozenset({"https://app.example"})))

    def test_preflight(self) -> None:
        """A browser that asks before is told that it may, where the operator named its origin."""
        wire = Wire(self.house.site)
        asked = (
            b"OPTIONS /v1/wait HTTP/1.1\r\nHost: x\r\nOrigin: %b\r\n"
            b"Access-Control-Request-Method: POST\r\n"
            b"Access-Control-Request-Headers: content-type\r\n\r\n"
        )
        answer = wire.send(asked % b"https://app.example")
        self.assertEqual(status_of(answer), 204)
        self.assertIn(b"Access-Control-Allow-Methods: OPTIONS, POST", answer)
        self.assertIn(b"Access-Control-Allow-Headers: Authorization, Content-Type", answer)
        self.assertNotIn(b"Access-Control-Allow", wire.send(asked % b"https://evil.example"))

    def test_answer(self) -> None:
        """The answer of a held wait can be read by such a script."""
        wire = Wire(self.house.site)
        body = json.dumps({"mailboxes": [OPEN]}).encode()
        wire.send(posted(body, b"Origin: https://app.example"))
        self.deliver("x@qa.test")
        self.assertIn(b"Access-Control-Allow-Origin: https://app.example", wire.take())
