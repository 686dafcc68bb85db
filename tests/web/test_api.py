"""The v1 routes: mailboxes and messages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tempmail.core.limits import Limits
from tempmail.core.message import Envelope
from tempmail.waiting import Minted
from tempmail.web.views import instant
from tests.web.house import MAIL, NOW, Answer, House, WebTestCase


def path_of(address: object, rest: str = "") -> str:
    """The path of a mailbox."""
    return f"/v1/mailboxes/{quote(str(address), safe='')}{rest}"


class MintTests(WebTestCase):
    """``POST /v1/mailboxes``."""

    def mint_by_http(self, **wished: Any) -> Answer:
        """Ask for an address."""
        return self.ask("POST", "/v1/mailboxes", json=wished)

    def test_no_body(self) -> None:
        """A request without a body mints a private address in the default domain."""
        answer = self.ask("POST", "/v1/mailboxes")
        self.assertEqual(answer.status, 201)
        box = answer.json
        self.assertTrue(box["address"].endswith("@tempmail.test"))
        self.assertEqual(answer.headers["location"], path_of(box["address"]))
        self.assertEqual(box["public"], False)
        self.assertEqual(box["created_at"], "2023-11-14T22:13:20.000Z")
        self.assertEqual(box["expires_at"], instant(NOW + Limits().default_lifetime))
        self.assertEqual(box["max_expires_at"], instant(NOW + Limits().max_lifetime))
        self.assertEqual([box[name] for name in ("message_count", "unseen_count", "size")], [0] * 3)
        self.assertIsInstance(box["cursor"], str)

    def test_everything_wished(self) -> None:
        """What is asked for is what comes, and the secrets work."""
        answer = self.mint_by_http(
            local_part="Alice", domain="TempMail.test", lifetime=60, public=True
        )
        box = answer.json
        self.assertEqual(box["address"], "alice@tempmail.test")
        self.assertEqual(box["expires_at"], instant(NOW + 60))
        self.assertTrue(box["public"])
        gone = self.ask("DELETE", path_of(box["address"]), token=box["token"])
        self.assertEqual(gone.status, 204)
        back = self.ask(
            "POST",
            path_of(box["address"], "/restore"),
            json={"restore_key": box["restore_key"]},
        )
        self.assertEqual(back.status, 201)

    def test_null_is_absent(self) -> None:
        """A member that is null is one that was left out."""
        self.assertEqual(self.mint_by_http(local_part=None, lifetime=None).status, 201)

    def test_taken(self) -> None:
        """An address that somebody has is a conflict."""
        self.mint(local_part="alice")
        self.assert_problem(self.mint_by_http(local_part="alice"), 409)

    def test_unacceptable(self) -> None:
        """What can not be minted is unacceptable, and the answer names the member at fault."""
        for member, value in (
            ("local_part", "a b"),
            ("local_part", ""),
            ("local_part", "postmaster"),
            ("local_part", "x" * 65),
            ("local_part", 7),
            ("domain", "elsewhere.test"),
            ("domain", ".."),
            ("domain", True),
            ("lifetime", 0),
            ("lifetime", 10**9),
            ("lifetime", 60.0),
            ("lifetime", "60"),
            ("lifetime", True),
            ("lifetime", 10**30),
            ("public", 1),
            ("public", "true"),
        ):
            self.assert_problem(self.mint_by_http(**{member: value}), 422, member)

    def test_all_faults_at_once(self) -> None:
        """Every member that does not fit is named, not only the first."""
        self.assert_problem(self.mint_by_http(lifetime="x", public=1), 422, "lifetime", "public")

    def test_unknown_member(self) -> None:
        """A member that does not exist is refused, with the nearest one that does."""
        answer = self.mint_by_http(livetime=60)
        self.assert_problem(answer, 422, "livetime")
        self.assertIn("lifetime", answer.json["detail"])

    def test_quota(self) -> None:
        """A client that holds as many mailboxes as it may is told to come again later."""
        self.house.limits = self.house.store.limits = Limits(mailboxes_per_client=1)
        self.assertEqual(self.mint_by_http().status, 201)
        answer = self.mint_by_http()
        self.assert_problem(answer, 429)
        self.assertGreater(int(answer.headers["retry-after"]), 0)

    def test_memory(self) -> None:
        """A server whose memory is full says so, and when to come again."""
        self.house.budget.limit = 0
        answer = self.mint_by_http()
        self.assert_problem(answer, 503)
        self.assertGreater(int(answer.headers["retry-after"]), 0)

    def test_domains(self) -> None:
        """The domains are listed with how they take mail, and the bounds."""
        answer = self.ask("GET", "/v1/domains")
        self.assertEqual(
            answer.json,
            {
                "domains": [
                    {"domain": "tempmail.test", "mode": "minted"},
                    {"domain": "qa.test", "mode": "catch-all"},
                ],
                "min_lifetime": Limits().min_lifetime,
                "default_lifetime": Limits().default_lifetime,
                "max_lifetime": Limits().max_lifetime,
                "max_message_size": Limits().max_message_size,
            },
        )


class BoxTestCase(WebTestCase):
    """A test with a mailbox."""

    box: Minted

    def setUp(self) -> None:
        """Mint one."""
        super().setUp()
        self.box = self.mint(local_part="alice")

    def at(self, method: str, rest: str = "", **more: Any) -> Answer:
        """Ask about the mailbox, by default as the one who holds its token."""
        more.setdefault("token", self.box.token)
        return self.ask(method, path_of(self.box.mailbox.address, rest), **more)


class MailboxTests(BoxTestCase):
    """One mailbox."""

    def test_state(self) -> None:
        """The state counts what is there, and carries no secret."""
        self.deliver("alice@tempmail.test")
        state = self.at("GET").json
        self.assertEqual(state["message_count"], 1)
        self.assertEqual(state["unseen_count"], 1)
        self.assertEqual(state["size"], len(MAIL))
        self.assertFalse({"token", "restore_key", "token_hash"} & set(state))

    def test_spelling(self) -> None:
        """However the address is written in the path, it is the same mailbox."""
        for written in (
            "alice%40tempmail.test",
            "ALICE@TempMail.TEST",
            "alice%2Btag@tempmail.test",
        ):
            answer = self.ask("GET", f"/v1/mailboxes/{written}", token=self.box.token)
            self.assertEqual(answer.json["address"], "alice@tempmail.test")

    def test_slash(self) -> None:
        """A local part may hold a slash, encoded as everything else."""
        answer = self.ask("GET", "/v1/mailboxes/a%2Fb%40qa.test")
        self.assertEqual(answer.json["address"], "a/b@qa.test")

    def test_decoded_once(self) -> None:
        """The path is decoded once: an encoded escape is a percent sign."""
        answer = self.ask("GET", "/v1/mailboxes/a%2541%40qa.test")
        self.assertEqual(answer.json["address"], "a%41@qa.test")

    def test_extend(self) -> None:
        """Extending moves the end to so many seconds from now, and never nearer."""
        longer = self.at("POST", "/extend", json={"lifetime": 3600}).json
        self.assertEqual(longer["expires_at"], instant(NOW + 3600))
        again = self.at("POST", "/extend").json
        self.assertEqual(again["expires_at"], instant(NOW + 3600))

    def test_extend_out_of_bounds(self) -> None:
        """A lifetime out of bounds is unacceptable."""
        self.assert_problem(self.at("POST", "/extend", json={"lifetime": 0}), 422, "lifetime")

    def test_rotate_token(self) -> None:
        """A new token works, and the old one no more."""
        fresh = self.at("POST", "/token").json["token"]
        self.assertEqual(self.at("GET", token=fresh).status, 200)
        self.assert_problem(self.at("GET"), 404)

    def test_attempts(self) -> None:
        """Mail that was refused is listed for its owner, oldest first, without the client."""
        self.assertEqual(self.at("GET", "/attempts").json, {"attempts": []})
        envelope = Envelope("ann@example.org", helo="mx.example.org", peer="192.0.2.9")
        for reply in ("552 5.2.2 Mailbox full", ""):
            recipients = [self.box.mailbox.address]
            self.house.office.report_refusal(envelope, recipients, "data", reply)
        common = {"at": instant(NOW), "mail_from": "ann@example.org", "helo": "mx.example.org"}
        expected = [
            {**common, "stage": "data", "reply": "552 5.2.2 Mailbox full"},
            {**common, "stage": "data", "reply": None},
        ]
        self.assertEqual(self.at("GET", "/attempts").json, {"attempts": expected})
        self.assertEqual(self.at("DELETE").status, 204)
        self.assertEqual(self.at("GET", "/attempts").status, 410)

    def test_delete(self) -> None:
        """A deleted mailbox is gone at once, and its own token is told so."""
        self.assertEqual(self.at("DELETE").status, 204)
        self.assert_problem(self.at("GET"), 410)

    def test_restore(self) -> None:
        """A restored mailbox is open and empty, with other secrets."""
        self.deliver("alice@tempmail.test")
        self.at("DELETE")
        answer = self.at("POST", "/restore", json={"restore_key": self.box.restore_key}, token=None)
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.json["message_count"], 0)
        self.assertNotEqual(answer.json["token"], self.box.token)

    def test_restore_refused(self) -> None:
        """Without the key, or while it is open, a mailbox is not restored."""
        self.assert_problem(self.at("POST", "/restore", json={}), 422, "restore_key")
        self.assert_problem(self.at("POST", "/restore", json={"restore_key": "wrong"}), 404)
        key = {"restore_key": self.box.restore_key}
        self.assert_problem(self.at("POST", "/restore", json=key), 409)


class StrangerTests(BoxTestCase):
    """Those who hold no token, or another mailbox's."""

    CALLS = (
        ("GET", ""),
        ("POST", "/extend"),
        ("POST", "/token"),
        ("DELETE", ""),
        ("GET", "/attempts"),
        ("GET", "/messages"),
        ("GET", "/messages?wait=5"),
        ("DELETE", "/messages"),
        ("GET", "/messages/1"),
        ("GET", "/messages/1/text"),
        ("GET", "/messages/1/raw"),
        ("DELETE", "/messages/1"),
    )

    def answers(self, token: str | None) -> list[tuple[Answer, ...]]:
        """What every call answers for a mailbox that exists, for one that does not, and for what
        is no address.
        """
        return [
            tuple(
                self.ask(method, path_of(address, rest), token=token)
                for address in ("alice@tempmail.test", "nobody@tempmail.test", "x@y@", "@", "alice")
            )
            for method, rest in self.CALLS
        ]

    def test_no_token(self) -> None:
        """Without a token a private mailbox and none at all answer 401 with the same octets."""
        for alice, *others in self.answers(None):
            self.assert_problem(alice, 401)
            self.assertIn("Bearer", alice.headers["www-authenticate"])
            self.assertEqual([other.body for other in others], [alice.body] * len(others))
            self.assertEqual([other.headers for other in others], [alice.headers] * len(others))

    def test_wrong_token(self) -> None:
        """With a wrong token they answer 404 with the same octets."""
        for alice, *others in self.answers("wrong"):
            self.assert_problem(alice, 404)
            self.assertEqual([other.body for other in others], [alice.body] * len(others))

    def test_quarantine(self) -> None:
        """A stranger can not tell a mailbox that expired from one that never was."""
        self.house.turn(Limits().default_lifetime + 1)
        self.assertEqual(self.at("GET").status, 410)
        self.test_no_token()
        self.test_wrong_token()

    def test_public(self) -> None:
        """A public mailbox is everybody's to read and empty, and only its holder's to delete."""
        bob = self.mint(local_part="bob", public=True)
        self.deliver("bob@tempmail.test")
        path = path_of("bob@tempmail.test")
        self.assertEqual(len(self.ask("GET", f"{path}/messages").json["messages"]), 1)
        self.assertEqual(self.ask("DELETE", f"{path}/messages").status, 204)
        self.assert_problem(self.ask("DELETE", path), 401)
        self.assert_problem(self.ask("GET", f"{path}/attempts"), 401)
        self.assertEqual(self.ask("GET", f"{path}/attempts", token=bob.token).status, 200)
        self.assertEqual(self.ask("DELETE", path, token=bob.token).status, 204)

    def test_catch_all(self) -> None:
        """Every address of a catch-all domain is a public mailbox, before any mail came too."""
        state = self.ask("GET", path_of("anything@qa.test")).json
        self.assertEqual((state["public"], state["message_count"]), (True, 0))
        listed = self.ask("GET", path_of("anything@qa.test", "/messages")).json
        self.assertEqual(listed["messages"], [])
        self.assert_problem(self.ask("GET", path_of("anything@qa.test", "/attempts")), 401)


class TokenTests(BoxTestCase):
    """How a token is shown (RFC 6750)."""

    def get(self, rest: str = "", **headers: str) -> int:
        """Ask with these headers."""
        path = path_of("alice@tempmail.test", rest)
        return self.ask("GET", path, headers=headers).status

    def test_scheme(self) -> None:
        """The scheme's letter case does not matter."""
        for scheme in ("Bearer", "bearer", "BEARER"):
            self.assertEqual(self.get(Authorization=f"{scheme} {self.box.token}"), 200)

    def test_no_bearer(self) -> None:
        """Anything else than one well-formed bearer token is none."""
        for shown in (
            "",
            "Bearer",
            f"Basic {self.box.token}",
            self.box.token,
            "Bearer a b",
            "Bearer é",
        ):
            self.assertEqual(self.get(Authorization=shown), 401, shown)

    def test_query(self) -> None:
        """A token in the query opens what a browser fetches without headers, and nothing else."""
        self.deliver("alice@tempmail.test")
        id_ = self.at("GET", "/messages").json["messages"][0]["id"]
        shown = f"?access_token={self.box.token}"
        self.assertEqual(self.get(f"/messages/{id_}/raw{shown}"), 200)
        self.assertEqual(self.get(f"/messages/{id_}{shown}"), 401)
        self.assertEqual(self.get(shown), 401)

    def test_two_places(self) -> None:
        """A token in two places is a malformed request (RFC 6750 section 2)."""
        shown = f"/messages/1/raw?access_token={self.box.token}"
        self.assertEqual(self.get(shown, Authorization=f"Bearer {self.box.token}"), 400)


class ListTests(BoxTestCase):
    """``GET …/messages``."""

    def list(self, query: str = "", **more: Any) -> Any:
        """The list."""
        answer = self.at("GET", f"/messages{query}", **more)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def test_empty(self) -> None:
        """No mail is an empty list with the cursor that was given."""
        self.assertEqual(
            self.list("?after=7"),
            {
                "messages": [],
                "cursor": "7",
                "expires_at": instant(NOW + Limits().default_lifetime),
                "timed_out": False,
            },
        )

    def test_summary(self) -> None:
        """A summary says what a list needs, and carries no body."""
        self.deliver("alice+shop@tempmail.test")
        listed = self.list()
        (summary,) = listed["messages"]
        self.assertEqual(summary["id"], summary["cursor"])
        self.assertEqual(listed["cursor"], summary["cursor"])
        self.assertEqual(summary["received_at"], instant(NOW))
        self.assertEqual(summary["from"], {"name": "Ann", "address": "ann@example.org"})
        self.assertEqual(summary["subject"], "Hello")
        self.assertEqual(summary["size"], len(MAIL))
        self.assertEqual(summary["seen"], False)
        self.assertFalse({"text", "html", "headers", "envelope"} & set(summary))

    def test_paging(self) -> None:
        """Every message comes once, in order, however small the pages are."""
        for number in range(5):
            self.deliver("alice@tempmail.test", b"Subject: %d\r\n\r\n" % number)
        seen, cursor = [], "0"
        while page := self.list(f"?limit=2&after={cursor}"):
            if not page["messages"]:
                break
            seen += [message["subject"] for message in page["messages"]]
            cursor = page["cursor"]
        self.assertEqual(seen, ["0", "1", "2", "3", "4"])

    def test_match(self) -> None:
        """``from`` and ``subject`` match a part of the text, whatever its letter case."""
        self.deliver("alice@tempmail.test")
        self.deliver("alice@tempmail.test", b"From: bob@example.org\r\nSubject: Bye\r\n\r\n")
        for query, found in (
            ("?from=ANN", ["Hello"]),
            ("?from=%40example", ["Hello", "Bye"]),
            ("?subject=by", ["Bye"]),
            ("?from=ann&subject=by", []),
        ):
            messages = self.list(query)["messages"]
            self.assertEqual([message["subject"] for message in messages], found)

    def test_bad_query(self) -> None:
        """A parameter that does not fit is unacceptable, and named."""
        for name, values in {
            "after": ("x", "-1", "1.0", "01", "1" * 30, "%E2%82%AC", "+1"),
            "limit": ("0", "501", "-1", "x", "1.5", "1e2"),
            "wait": ("-1", "61", "x", "nan", "inf", "1e2", "60.5"),
            "from": ("%FF",),
            "subject": ("%FF",),
        }.items():
            for value in values:
                self.assert_problem(self.at("GET", f"/messages?{name}={value}"), 422, name)

    def test_repeated(self) -> None:
        """A parameter that is given twice is unacceptable: which one was meant?"""
        self.assert_problem(self.at("GET", "/messages?limit=1&limit=2"), 422, "limit")

    def test_seconds(self) -> None:
        """Seconds are any JSON number within bounds, however many digits it is printed with."""
        self.deliver("alice@tempmail.test")
        for text in ("23.671825481549906", "5e-05", "6E+1", "60", "60.0", "-0.0", "0"):
            self.list(f"?wait={quote(text)}")
        for text in ("60.000001", "-0.1", "7e1", "1e999", "1_0", ".", "e1", "0x1"):
            answer = self.at("GET", f"/messages?wait={quote(text)}")
            self.assert_problem(answer, 422, "wait")

    def test_all_faults_at_once(self) -> None:
        """Every parameter that does not fit is named."""
        answer = self.at("GET", "/messages?after=x&limit=x&wait=x")
        self.assert_problem(answer, 422, "after", "limit", "wait")

    def test_unknown_parameter(self) -> None:
        """Parameters that are none of ours are ignored."""
        self.list("?utm_source=x&limit=&after=")


class MessageTests(BoxTestCase):
    """One message."""

    def setUp(self) -> None:
        """Have one delivered."""
        super().setUp()
        self.deliver("alice+shop@tempmail.test")
        self.mail_id = self.at("GET", "/messages").json["messages"][0]["id"]

    def test_whole(self) -> None:
        """The whole message is its summary and more; of its recipients it names this one."""
        summary = self.at("GET", "/messages").json["messages"][0]
        whole = self.at("GET", f"/messages/{self.mail_id}").json
        self.assertEqual({name: whole[name] for name in summary}, summary)
        self.assertEqual(whole["text"].strip(), "Good morning.")
        self.assertEqual(
            whole["envelope"],
            {
                "mail_from": "ann@example.org",
                "rcpt_to": ["alice+shop@tempmail.test"],
                "helo": "mail.example.org",
                "tls": False,
                "protocol": "ESMTPS",
            },
        )

    def test_text(self) -> None:
        """The text alone is plain text in UTF-8."""
        answer = self.at("GET", f"/messages/{self.mail_id}/text")
        self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")
        self.assertEqual(answer.body.strip(), b"Good morning.")

    def test_raw(self) -> None:
        """The received octets come back unchanged, to be saved and not shown."""
        answer = self.at("GET", f"/messages/{self.mail_id}/raw")
        self.assertEqual(answer.body, MAIL)
        self.assertEqual(answer.headers["content-type"], "message/rfc822")
        self.assertTrue(answer.headers["content-disposition"].startswith("attachment"))

    def test_seen(self) -> None:
        """Marking as seen shows in the message, the list and the mailbox."""
        for seen in (True, False):
            answer = self.at("PATCH", f"/messages/{self.mail_id}", json={"seen": seen})
            self.assertEqual(answer.json["seen"], seen)
            self.assertEqual(self.at("GET", "/messages").json["messages"][0]["seen"], seen)
            self.assertEqual(self.at("GET").json["unseen_count"], int(not seen))

    def test_seen_refused(self) -> None:
        """``seen`` is needed, and it is true or false."""
        for body in ({}, {"seen": None}, {"seen": 1}, {"seen": "true"}):
            self.assert_problem(
                self.at("PATCH", f"/messages/{self.mail_id}", json=body), 422, "seen"
            )

    def test_reading_is_not_seeing(self) -> None:
        """Reading a message does not mark it: a test-suite and a person may both look."""
        self.at("GET", f"/messages/{self.mail_id}")
        self.assertEqual(self.at("GET").json["unseen_count"], 1)

    def test_delete(self) -> None:
        """A deleted message is gone."""
        self.assertEqual(self.at("DELETE", f"/messages/{self.mail_id}").status, 204)
        for method in ("GET", "DELETE"):
            self.assert_problem(self.at(method, f"/messages/{self.mail_id}"), 404)

    def test_empty(self) -> None:
        """Emptying deletes every message, and is no error where there is none."""
        for _ in range(2):
            self.assertEqual(self.at("DELETE", "/messages").status, 204)
            self.assertEqual(self.at("GET", "/messages").json["messages"], [])

    def test_no_such_id(self) -> None:
        """An id that was never given out is of no message, whatever it looks like."""
        for id_ in (
            "1",
            "x",
            "-1",
            f"0{self.mail_id}",
            f"{self.mail_id}.0",
            "9" * 400,
            "%C3%A9",
            "%20",
        ):
            self.assert_problem(self.at("GET", f"/messages/{id_}"), 404)


class BodyTests(WebTestCase):
    """Bodies that do not fit."""

    def post(self, data: bytes, content_type: str | None = "application/json") -> Answer:
        """Send a body."""
        headers = {} if content_type is None else {"Content-Type": content_type}
        return self.ask("POST", "/v1/mailboxes", data=data, headers=headers)

    def test_malformed(self) -> None:
        """What is not JSON by RFC 8259 is malformed."""
        for data in (
            b"{",
            b"x",
            b"{'a':1}",
            b'{"lifetime":NaN}',
            b'{"local_part":"\\ud800"}',
            b'{"local_part":"\xff"}',
            b"\xff\xfe{\x00}\x00",
            b"[" * 100_000,
            b'{"lifetime":1e999}',
            b"{} {}",
        ):
            self.assert_problem(self.post(data), 400)

    def test_deep(self) -> None:
        """What is nested too deeply is refused, at whichever depth that is."""
        for depth in range(900, 1100, 10):
            answer = self.post(b'{"lifetime":%b}' % (b"[" * depth + b"]" * depth))
            self.assertIn(answer.status, (400, 422), depth)

    def test_no_object(self) -> None:
        """Well-formed JSON that is no object is unacceptable."""
        for data in (b"[]", b"null", b"1", b'"x"', b"true"):
            self.assert_problem(self.post(data), 422)

    def test_twins(self) -> None:
        """An object that names a member twice is unacceptable: which one was meant?"""
        self.assert_problem(self.post(b'{"lifetime":60,"lifetime":70}'), 422, "lifetime")

    def test_not_called_json(self) -> None:
        """A body under another name than JSON's is not looked at."""
        for content_type in (None, "text/plain", "application/x-www-form-urlencoded", "json", ""):
            self.assert_problem(self.post(b"{}", content_type), 415)

    def test_packed(self) -> None:
        """Nor is one that is packed (RFC 9110 section 15.5.16)."""
        sent = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer = self.ask("POST", "/v1/mailboxes", data=b"{}", headers=sent)
        self.assert_problem(answer, 415)
        self.assertEqual(answer.headers["accept-encoding"], "identity")

    def test_called_json(self) -> None:
        """JSON has parameters and relatives."""
        for content_type in (
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/merge-patch+json",
        ):
            self.assertEqual(self.post(b"{}", content_type).status, 201)

    def test_empty(self) -> None:
        """No body is fine where everything in it is optional, whatever it is called."""
        self.assertEqual(self.post(b"", "text/plain").status, 201)


class QuotaHouseTests(WebTestCase):
    """Whose quota minting counts against."""

    def make_house(self) -> House:
        """One mailbox a client."""
        return House(Limits(mailboxes_per_client=1))

    def test_forwarded_is_not_believed(self) -> None:
        """Without a proxy of ours anybody can write X-Forwarded-For, so it counts for nothing."""
        statuses = [
            self.ask("POST", "/v1/mailboxes", headers={"X-Forwarded-For": host}).status
            for host in ("192.0.2.1", "192.0.2.2")
        ]
        self.assertEqual(statuses, [201, 429])
