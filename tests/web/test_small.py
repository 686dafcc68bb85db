"""The original small interface against the programme it has to be taken for."""

from __future__ import annotations

import re
import secrets
import time
from json import dumps
from typing import Any

import flask
from attrs import frozen
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from tempmail.core.limits import MAX_LIST, POUR_OCTETS, Limits
from tests.web.house import NOW, Answer, WebTestCase, Wire

MAILBOX = re.compile(rb"[a-z0-9]{8}@tempmail\.test")
TIME = re.compile(rb'"time":[0-9]+\.[0-9]+')
JSON = "application/json"


def sample() -> flask.Flask:
    """A temporary mailbox as people first write it."""
    app = flask.Flask("sample")
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.logger.disabled = True
    boxes: dict[str, list[dict[str, Any]]] = {}

    @app.route("/create", methods=["POST"])
    def create() -> ResponseReturnValue:
        mailbox = f"{secrets.token_hex(4)}@tempmail.test"
        boxes[mailbox] = []
        return flask.jsonify({"mailbox": mailbox})

    @app.route("/send", methods=["POST"])
    def send() -> ResponseReturnValue:
        data: Any = flask.request.json
        to = data.get("to")
        if to not in boxes:
            return flask.jsonify({"error": "Mailbox not found"}), 404
        boxes[to].append(
            {
                "from": data.get("from", "anonymous@web"),
                "subject": data.get("subject", "(No Subject)"),
                "body": data.get("body", ""),
                "time": time.time(),
            }
        )
        return flask.jsonify({"status": "sent"})

    @app.route("/inbox/<mailbox>", methods=["GET"])
    def inbox(mailbox: str) -> ResponseReturnValue:
        if mailbox not in boxes:
            return flask.jsonify({"error": "Mailbox not found"}), 404
        return flask.jsonify(boxes[mailbox])

    return app


@frozen
class Step:
    """One request; ``BOX`` in it stands for the mailbox that was created before."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str | None = None


def sent(body: bytes) -> Step:
    """A mail."""
    return Step("POST", "/send", body, JSON)


class SmallTestCase(WebTestCase):
    """A test with both programmes."""

    def setUp(self) -> None:
        """Start both, with a mailbox in each."""
        super().setUp()
        self.flask: FlaskClient = sample().test_client()
        self.boxes = {
            "flask": self.flask.post("/create").get_json()["mailbox"],
            "ours": self.ask("POST", "/create").json["mailbox"],
        }

    def both(self, step: Step) -> tuple[Answer, Answer]:
        """What the sample answers, and what we do."""
        theirs = self.flask.open(
            step.path.replace("BOX", self.boxes["flask"]),
            method=step.method,
            data=step.body and step.body.replace(b"BOX", self.boxes["flask"].encode()),
            content_type=step.content_type,
        )
        return (
            Answer(
                theirs.status_code,
                {name.lower(): value for name, value in theirs.headers.items()},
                theirs.data,
            ),
            self.ask(
                step.method,
                step.path.replace("BOX", self.boxes["ours"]),
                data=step.body and step.body.replace(b"BOX", self.boxes["ours"].encode()),
                headers={"Content-Type": step.content_type} if step.content_type else {},
            ),
        )

    def assert_same(self, *steps: Step) -> None:
        """Both answer the same JSON, octet by octet but for what is random."""
        for step in steps:
            theirs, ours = self.both(step)
            self.assertEqual(ours.status, theirs.status, step)
            self.assertEqual(theirs.headers["content-type"], JSON, step)
            self.assertEqual(ours.headers["content-type"], JSON, step)
            self.assertEqual(_masked(ours.body), _masked(theirs.body), step)


def _masked(body: bytes) -> bytes:
    return TIME.sub(b'"time":0', MAILBOX.sub(b"BOX", body))


def _as_flask(document: object) -> bytes:
    return dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class SameOctetsTests(SmallTestCase):
    """Where the sample answers JSON, so do we, and the same."""

    def test_create(self) -> None:
        """Creating needs no body and minds none."""
        self.assert_same(
            Step("POST", "/create"),
            Step("POST", "/create", b"{", JSON),
            Step("POST", "/create", b"a=b", "application/x-www-form-urlencoded"),
        )

    def test_send(self) -> None:
        """Whatever values a mail's members have, they come back as they were."""
        self.assert_same(
            sent(b'{"to":"BOX","from":"a@b.c","subject":"Hi","body":"there"}'),
            sent(b'{"to":"BOX"}'),
            sent(b'{"to":"BOX","body":"line\\nline\\r\\n\\t\\u0000 end  "}'),
            sent('{"to":"BOX","subject":"Grüße €😀","body":"\\ud83d\\ude00 /"}'.encode()),
            sent(b'{"to":"BOX","from":null,"subject":7,"body":{"z":1,"a":[1.0,1e3,true]}}'),
            sent(b'{"to":"BOX","body":123456789012345678901234567890}'),
            sent(b'{"to":"BOX","body":"\\ud800 alone"}'),
            sent(b'{"to":"BOX","body":"1","body":"2"}'),
            sent(b'{"to":"BOX","unknown":NaN}'),
            sent('{"to":"BOX","subject":"Grüße"}'.encode("utf-16")),
            sent(b'{"to":"BOX","body":"<script>&\'\\u2028</script>"}'),
            Step("POST", "/send", b'{"to":"BOX"}', "application/json; charset=utf-8"),
            Step("POST", "/send", b'{"to":"BOX"}', "application/vnd.x+json"),
            Step("GET", "/inbox/BOX"),
        )

    def test_nobody(self) -> None:
        """A mailbox that was not created is not found, whatever is given as its name."""
        self.assert_same(
            sent(b'{"to":"nobody@tempmail.test"}'),
            sent(b'{"to":"nobody@elsewhere.test"}'),
            sent(b'{"to":"nobody"}'),
            sent(b'{"to":""}'),
            sent(b'{"to":null}'),
            sent(b'{"to":7}'),
            sent(b"{}"),
            Step("GET", "/inbox/nobody@tempmail.test"),
            Step("GET", "/inbox/nobody"),
            Step("GET", "/inbox/%20"),
        )

    def test_empty(self) -> None:
        """A new mailbox is empty; its name may be percent-encoded."""
        self.assert_same(Step("GET", "/inbox/BOX"))
        encoded = self.boxes["ours"].replace("@", "%40")
        self.assertEqual(self.ask("GET", f"/inbox/{encoded}").body, b"[]\n")

    def test_long(self) -> None:
        """A long inbox is the same, too, though it is made as it is taken."""
        for body in ("x" * POUR_OCTETS, "\U0001f600" * (POUR_OCTETS // 5), '"\n'):
            self.assert_same(sent(dumps({"to": "BOX", "body": body}).encode()))
        self.assert_same(Step("GET", "/inbox/BOX"))

    def test_time(self) -> None:
        """The time is seconds since the epoch."""
        self.both(sent(b'{"to":"BOX"}'))
        self.assertEqual(self.ask("GET", f"/inbox/{self.boxes['ours']}").json[0]["time"], NOW)


class SameStatusTests(SmallTestCase):
    """Where the sample answers a page or breaks down, we answer a problem."""

    def test_pages(self) -> None:
        """A page of the sample's framework is a problem of the same status here."""
        for step in (
            Step("GET", "/create"),
            Step("DELETE", "/create"),
            Step("GET", "/send"),
            Step("POST", "/inbox/BOX"),
            Step("GET", "/inbox"),
            Step("GET", "/inbox/"),
            Step("GET", "/inbox/BOX/x"),
            Step("POST", "/create/"),
            Step("GET", "/nothing"),
            Step("POST", "/send"),
            Step("POST", "/send", b'{"to":"BOX"}'),
            Step("POST", "/send", b'{"to":"BOX"}', "text/plain"),
            Step("POST", "/send", b"to=BOX", "application/x-www-form-urlencoded"),
            sent(b""),
            sent(b"{"),
            sent(b"\xff"),
        ):
            theirs, ours = self.both(step)
            self.assertTrue(theirs.headers["content-type"].startswith("text/html"), step)
            self.assert_problem(ours, theirs.status)
            self.assertEqual("allow" in ours.headers, "allow" in theirs.headers)

    def test_breakdowns(self) -> None:
        """What the sample breaks down on is the client's fault here."""
        for body in (b"[]", b"null", b'"x"', b"1", b'{"to":[]}', b'{"to":{}}', b"[" * 100_000):
            theirs, ours = self.both(sent(body))
            self.assertEqual(theirs.status, 500)
            self.assertIn(ours.status, (400, 422))
            self.assertEqual(ours.headers["content-type"], "application/problem+json")

    def test_head(self) -> None:
        """HEAD is GET without the body."""
        theirs, ours = self.both(Step("HEAD", "/inbox/BOX"))
        self.assertEqual(
            (ours.status, ours.body, ours.headers["content-length"]),
            (theirs.status, b"", theirs.headers["content-length"]),
        )

    def test_not_a_number(self) -> None:
        """A number that no client could read back is refused; the sample gives it out."""
        self.assertEqual(self.both(sent(b'{"to":"BOX","body":NaN}'))[1].status, 422)

    def test_deep(self) -> None:
        """What is nested too deeply to be read or given back is refused at every depth."""
        for depth in (*range(900, 1100, 10), 100_000):
            for name in ("body", "subject", "from", "unknown"):
                value = "[" * depth + "]" * depth
                body = f'{{"to":"{self.boxes["ours"]}","{name}":{value}}}'.encode()
                answer = self.ask("POST", "/send", data=body, headers={"Content-Type": JSON})
                self.assertIn(answer.status, (200, 400, 422), (depth, name))


class BothWorldsTests(SmallTestCase):
    """The small interface and v1 are two views of the same mail."""

    def test_public(self) -> None:
        """What /create makes is a public mailbox of the default domain that nobody can delete."""
        path = f"/v1/mailboxes/{self.boxes['ours']}"
        self.assertTrue(self.ask("GET", path).json["public"])
        self.assert_problem(self.ask("DELETE", path), 401)
        self.assert_problem(self.ask("DELETE", path, token="any"), 404)

    def test_posted_in_v1(self) -> None:
        """A mail posted by /send is a mail in v1."""
        self.both(sent(b'{"to":"BOX","from":"a@b.example","subject":"Hi","body":"there"}'))
        path = f"/v1/mailboxes/{self.boxes['ours']}/messages"
        (summary,) = self.ask("GET", path).json["messages"]
        self.assertEqual(summary["subject"], "Hi")
        self.assertEqual(summary["from"]["address"], "a@b.example")
        whole = self.ask("GET", f"{path}/{summary['id']}").json
        self.assertEqual(whole["text"].strip(), "there")
        self.assertEqual(whole["envelope"]["protocol"], "HTTP")

    def test_posted_to_private(self) -> None:
        """Anybody may write to a private mailbox, as by SMTP, but not look into it."""
        box = self.mint(local_part="alice")
        to = b'{"to":"alice@tempmail.test"}'
        self.assertEqual(
            self.ask("POST", "/send", data=to, headers={"Content-Type": JSON}).status, 200
        )
        self.assertEqual(self.ask("GET", "/inbox/alice@tempmail.test").status, 404)
        path = "/v1/mailboxes/alice@tempmail.test"
        self.assertEqual(self.ask("GET", path, token=box.token).json["message_count"], 1)

    def test_received_in_inbox(self) -> None:
        """Mail that came by SMTP shows in /inbox, from the address in its header."""
        self.deliver(self.boxes["ours"])
        self.deliver(self.boxes["ours"], b"\r\nno headers\r\n", sender="envelope@example.org")
        first, second = self.ask("GET", f"/inbox/{self.boxes['ours']}").json
        self.assertEqual(set(first), {"from", "subject", "body", "time"})
        self.assertEqual((first["from"], first["subject"]), ("ann@example.org", "Hello"))
        self.assertEqual(first["body"].strip(), "Good morning.")
        self.assertEqual(second["from"], "envelope@example.org")

    def test_long_text(self) -> None:
        """The text of a long mail that came by SMTP comes whole, whatever it is made of."""
        text = "".join(f"{number} \U0001f600\u00e9 {number * 'x'}\r\n" for number in range(700))
        head = "Subject: long\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        self.deliver(self.boxes["ours"], (head + text).encode())
        self.deliver(self.boxes["ours"])
        answer = self.ask("GET", f"/inbox/{self.boxes['ours']}")
        long, short = answer.json
        self.assertEqual(long["body"].split(), text.split())
        self.assertEqual((long["subject"], short["subject"]), ("long", "Hello"))
        self.assertEqual(answer.body, _as_flask(answer.json))

    def test_streamed(self) -> None:
        """Of a long inbox no more is made than the client takes."""
        for _ in range(20):
            self.deliver(self.boxes["ours"], b"Subject: x\r\n\r\n" + b"x" * 50_000)
        wire = Wire(self.house.site)
        wire.send_slowly(f"GET /inbox/{self.boxes['ours']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.assertLess(len(wire.value()), 4 * POUR_OCTETS)
        self.assertEqual(wire.drain().count(b'"subject":"x"'), 20)

    def test_expired(self) -> None:
        """A mailbox that expired is not found."""
        self.house.turn(Limits().default_lifetime + 1)
        self.assertEqual(self.ask("GET", f"/inbox/{self.boxes['ours']}").status, 404)

    def test_many(self) -> None:
        """All mail shows, more than one page of a list too."""
        for _ in range(MAX_LIST + 1):
            self.deliver(self.boxes["ours"])
        self.assertEqual(len(self.ask("GET", f"/inbox/{self.boxes['ours']}").json), MAX_LIST + 1)
