"""What is inside a mail, all mail at once, and waiting for one."""

from __future__ import annotations

import mailbox
import re
from base64 import b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import parse_address
from tempmail.core.limits import DEFAULT_WAIT_SECONDS, POUR_OCTETS, Limits
from tempmail.core.message import Envelope, Message, Parcel
from tempmail.web import mbox
from tempmail.web.views import download
from tests.web.house import NOW, Answer, WebTestCase, Wire

BOX = "/v1/mailboxes/alice%40tempmail.test"
NAME = 'Grüße "x".html'
CODE = b"From: shop@example.org\r\nSubject: Your code\r\n\r\nYour verification code is 483920.\r\n"
LINK = (
    b"From: shop@example.org\r\nSubject: Confirm\r\n\r\n"
    b"Confirm your address: https://shop.example/confirm?token=abcdef0123456789\r\n"
)
RICH = b"\r\n".join(
    (
        b"From: ann@example.org",
        b"Subject: Rich",
        b"MIME-Version: 1.0",
        b"Content-Type: multipart/mixed; boundary=b",
        b"",
        b"--b",
        b"Content-Type: text/html; charset=utf-8",
        b"",
        b'<p onclick="x()">Hi<script>alert(1)</script><img src="https://far.example/a.png"></p>',
        b"--b",
        b"Content-Type: text/html",
        b"Content-Transfer-Encoding: base64",
        b"Content-Disposition: attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.html",
        b"",
        b64encode(b"<script>alert(2)</script>"),
        b"--b--",
        b"",
    )
)


class ContentTestCase(WebTestCase):
    """A test with a mailbox."""

    def setUp(self) -> None:
        """Mint one."""
        super().setUp()
        self.box = self.mint(local_part="alice")

    def get(self, rest: str, **more: Any) -> Answer:
        """Ask as its holder."""
        more.setdefault("token", self.box.token)
        return self.ask("GET", f"{BOX}{rest}", **more)

    def receive(self, octets: bytes) -> str:
        """A mail; its path."""
        self.deliver("alice@tempmail.test", octets)
        return f"/messages/{self.get('/messages').json['messages'][-1]['id']}"


class WaitTests(ContentTestCase):
    """``GET …/wait``."""

    def test_there_already(self) -> None:
        """The first message that has what is wanted is answered whole."""
        self.receive(LINK)
        self.receive(CODE)
        found = self.get("/wait?want=code").json
        self.assertEqual(found["code"], "483920")
        self.assertEqual(found["message"]["subject"], "Your code")
        self.assertEqual(found["cursor"], found["message"]["cursor"])
        self.assertIn("headers", found["message"])
        self.assertFalse(found["timed_out"])

    def test_wants(self) -> None:
        """Mail without what is wanted ends no wait."""
        for want, octets in (("message", b"\r\n\r\n"), ("code", CODE), ("link", LINK)):
            cursor = self.get("/messages").json["cursor"]
            waiting = self.start(
                "GET", f"{BOX}/wait?want={want}&after={cursor}&timeout=20", token=self.box.token
            )
            if want != "message":
                self.deliver("alice@tempmail.test", b"Subject: nothing\r\n\r\nnothing\r\n")
            self.assertNoResult(waiting)
            self.deliver("alice@tempmail.test", octets)
            found = self.successResultOf(waiting).json
            self.assertEqual(found["message"]["size"], len(octets))
            if want != "message":
                self.assertIsNotNone(found[want])

    def test_match(self) -> None:
        """``from`` and ``subject`` narrow it down."""
        waiting = self.start("GET", f"{BOX}/wait?from=SHOP&subject=code", token=self.box.token)
        self.receive(LINK)
        self.assertNoResult(waiting)
        self.receive(CODE)
        self.assertEqual(self.successResultOf(waiting).json["message"]["subject"], "Your code")

    def test_in_vain(self) -> None:
        """Waiting in vain is a normal answer with no message and the cursor that was given."""
        waiting = self.start("GET", f"{BOX}/wait?after=7", token=self.box.token)
        self.house.turn(DEFAULT_WAIT_SECONDS)
        answer = self.successResultOf(waiting)
        self.assertEqual(answer.status, 200)
        nothing = {"message": None, "code": None, "link": None, "cursor": "7", "timed_out": True}
        self.assertEqual(answer.json, nothing)

    def test_no_wait(self) -> None:
        """With a timeout of 0 it only looks, and says the same where there is nothing."""
        self.assertTrue(self.get("/wait?timeout=0").json["timed_out"])

    def test_bad_query(self) -> None:
        """A parameter that does not fit is unacceptable."""
        for name, value in (("want", "mail"), ("timeout", "61"), ("after", "x")):
            self.assert_problem(self.get(f"/wait?{name}={value}"), 422, name)

    def test_gone(self) -> None:
        """A mailbox that is deleted while one waits is gone at once."""
        waiting = self.start("GET", f"{BOX}/wait", token=self.box.token)
        self.ask("DELETE", BOX, token=self.box.token)
        self.house.turn()
        self.assert_problem(self.successResultOf(waiting), 410)

    def test_stranger(self) -> None:
        """Nobody waits who may not read."""
        self.assert_problem(self.get("/wait", token=None), 401)
        self.assert_problem(self.get("/wait", token="wrong"), 404)


class HtmlTests(ContentTestCase):
    """``GET …/messages/{id}/html``."""

    def test_document(self) -> None:
        """It is a sanitised document of its own, that nothing but our own pages may frame."""
        answer = self.get(f"{self.receive(RICH)}/html")
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        policy = answer.headers["content-security-policy"]
        self.assertIn("sandbox", policy)
        self.assertIn("default-src 'none'", policy)
        self.assertIn("frame-ancestors 'self'", policy)
        self.assertNotIn("https:", policy)
        self.assertTrue(answer.body.startswith(b"<!DOCTYPE html>"))
        for bad in (b"<script", b"onclick", b' src="https://far.example'):
            self.assertNotIn(bad, answer.body)

    def test_remote_images(self) -> None:
        """Remote images are let in by ``images=remote`` and nothing else."""
        path = f"{self.receive(RICH)}/html"
        answer = self.get(f"{path}?images=remote")
        self.assertIn("https:", answer.headers["content-security-policy"])
        self.assertIn(b'src="https://far.example/a.png"', answer.body)
        self.assert_problem(self.get(f"{path}?images=yes"), 422, "images")

    def test_embedded(self) -> None:
        """In a frame of ours it has our origin, to be measured; it still runs and sends nothing."""
        path = f"{self.receive(RICH)}/html"
        alone = self.get(path).headers["content-security-policy"]
        embedded = self.get(f"{path}?embed=true")
        policy = embedded.headers["content-security-policy"]
        self.assertEqual(policy.replace(" allow-same-origin", ""), alone)
        self.assertEqual(policy.count("allow-same-origin"), 1)
        for allowed in ("allow-scripts", "allow-forms", "allow-top-navigation"):
            self.assertNotIn(allowed, policy)
        self.assertIn("frame-ancestors 'self'", policy)
        self.assertEqual(embedded.body, self.get(path).body)
        same = self.get(f"{path}?embed=false").headers["content-security-policy"]
        self.assertEqual(same, alone)
        self.assert_problem(self.get(f"{path}?embed=yes"), 422, "embed")

    def test_none(self) -> None:
        """A mail without HTML has no such document."""
        self.assert_problem(self.get(f"{self.receive(CODE)}/html"), 404)

    def test_token_in_query(self) -> None:
        """A browser shows it in a frame, so its token may come in the query."""
        path = f"{self.receive(RICH)}/html?access_token={self.box.token}"
        self.assertEqual(self.get(path, token=None).status, 200)


class AttachmentTests(ContentTestCase):
    """``GET …/messages/{id}/attachments/{n}``."""

    def test_download(self) -> None:
        """An attachment comes decoded, to be saved, and can do nothing if it is shown after all."""
        path = self.receive(RICH)
        (described,) = self.get(path).json["attachments"]
        answer = self.get(f"{path}/attachments/{described['index']}")
        self.assertEqual(answer.body, b"<script>alert(2)</script>")
        self.assertEqual(len(answer.body), described["size"])
        self.assertEqual(answer.headers["content-type"], described["content_type"])
        self.assertTrue(answer.headers["content-disposition"].startswith("attachment; filename="))
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        self.assertIn("sandbox", answer.headers["content-security-policy"])

    def test_no_such(self) -> None:
        """What is no index of an attachment is not found."""
        path = self.receive(RICH)
        for index in ("1", "-1", "x", "00", "9" * 30):
            self.assert_problem(self.get(f"{path}/attachments/{index}"), 404)

    def test_name(self) -> None:
        """A file name is given whole (RFC 8187), and in ASCII for those that know no better."""
        self.assertEqual(
            download("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"
        )
        self.assertEqual(
            download(NAME),
            'attachment; filename="Gr__e _x_.html"; '
            "filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.html",
        )

    @given(st.text())
    def test_any_name(self, name: str) -> None:
        """No file name breaks out of the header."""
        header = download(name)
        self.assertTrue(header.isascii() and header.isprintable())
        self.assertEqual(header.count('"'), 2)


class ExportTests(ContentTestCase):
    """``GET …/export``."""

    def test_read_back(self) -> None:
        """Python's mailbox module finds every message in it."""
        sent = [CODE, LINK, b"Subject: none\r\n\r\n\r\nFrom here\r\n>From there\r\n"]
        for octets in sent:
            self.receive(octets)
        answer = self.get("/export")
        self.assertEqual(answer.headers["content-type"], "application/mbox")
        self.assertIn('filename="alice@tempmail.test.mbox"', answer.headers["content-disposition"])
        path = Path(self.mktemp())
        path.write_bytes(answer.body)
        found = [message["subject"] for message in mailbox.mbox(path)]
        self.assertEqual(found, ["Your code", "Confirm", "none"])

    def test_empty(self) -> None:
        """No mail is an empty file."""
        self.assertEqual(self.get("/export").body, b"")

    def test_stranger(self) -> None:
        """It is as private as the mail; the token may come in the query."""
        self.assert_problem(self.get("/export", token=None), 401)
        self.assertEqual(self.get(f"/export?access_token={self.box.token}", token=None).status, 200)

    def test_streamed(self) -> None:
        """No more is made than the client takes."""
        for _ in range(20):
            self.receive(b"Subject: x\r\n\r\n" + b"x" * 50_000)
        wire = Wire(self.house.site)
        wire.send_slowly(
            f"GET {BOX}/export?access_token={self.box.token} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
        self.assertLess(len(wire.value()), 4 * POUR_OCTETS)
        self.assertEqual(wire.drain().count(b"Subject: x"), 20)

    def test_pipelined(self) -> None:
        """What is asked behind a long answer, in the same piece or later, is answered behind it."""
        for _ in range(20):
            self.receive(b"Subject: x\r\n\r\n" + b"x" * 50_000)
        wire = Wire(self.house.site)
        export = f"GET {BOX}/export?access_token={self.box.token} HTTP/1.1\r\nHost: x\r\n\r\n"
        asked = [export, *(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n" for name in "abc"), export]
        pieces = "".join(asked).encode()
        cuts = (0, len(export) + 20, len(export) + 40, len(pieces))
        for start, end in pairwise(cuts):
            wire.send_slowly(pieces[start:end])
        answers = wire.drain().split(b"HTTP/1.1 ")[1:]
        self.assertEqual([int(one[:3]) for one in answers], [200, 404, 404, 404, 200])
        self.assertEqual([one.count(b"Subject: x") for one in answers], [20, 0, 0, 0, 20])

    def test_grown(self) -> None:
        """A mail that quoting makes longer comes whole."""
        self.receive(b"\n\n" + b"From \n" * POUR_OCTETS)
        self.assertEqual(self.get("/export").body.count(b">From \n"), POUR_OCTETS)


class MboxTests(SynchronousTestCase):
    """The format."""

    def entry(self, octets: bytes, sender: str = "ann@example.org") -> bytes:
        """One message of an mbox."""
        message = Message(1, parse_address("a@b.example"), Parcel(Envelope(sender), octets, NOW))
        return b"".join(mbox.entry(message))

    def test_separator(self) -> None:
        """A message begins with its sender and the time in UTC, and ends with an empty line."""
        self.assertEqual(
            self.entry(b"A: b\r\n\r\nx\r\n"),
            b"From ann@example.org Tue Nov 14 22:13:20 2023\nA: b\n\nx\n\n",
        )

    def test_no_line_end(self) -> None:
        """A message that does not end with a line end gets one."""
        self.assertTrue(self.entry(b"A: b\r\n\r\nx").endswith(b"\nx\n\n"))

    def test_senders(self) -> None:
        """A separator has no blanks where the sender stands, and is ASCII (RFC 4155)."""
        for sender, shown in (
            ("", b"MAILER-DAEMON"),
            ('"a b"@c.d', b'"a_b"@c.d'),
            ("é@x.y", b"?@x.y"),
        ):
            self.assertTrue(self.entry(b"", sender).startswith(b"From %b Tue " % shown))

    def unquoted(self, entry: bytes) -> bytes:
        """What the message was, by the rule of mboxrd."""
        return re.sub(rb"^>(>*From )", rb"\1", entry.partition(b"\n")[2], flags=re.M)

    @given(
        st.lists(
            st.sampled_from([b"From ", b">", b">From x", b"\r\n", b"\n", b"x", b" ", b"From"]),
            max_size=20,
        ),
        st.integers(0, 40),
    )
    def test_reversible(self, pieces: list[bytes], offset: int) -> None:
        """Whatever a mail says, and wherever it is cut, it can be got back but for line ends."""
        octets = b"x" * (POUR_OCTETS - offset) + b"".join(pieces)
        entry = self.entry(octets)
        expected = octets.replace(b"\r\n", b"\n")
        self.assertEqual(self.unquoted(entry), expected.removesuffix(b"\n") + b"\n\n")
        self.assertEqual(sum(line.startswith(b"From ") for line in entry.split(b"\n")), 1)


class PourTests(ContentTestCase):
    """Answers larger than a buffer."""

    def test_raw(self) -> None:
        """A large mail is handed over piece by piece, as the client takes it, and arrives whole."""
        octets = b"Subject: large\r\n\r\n" + bytes(range(256)) * 4000
        path = self.receive(octets)
        wire = Wire(self.house.site)
        request = f"GET {BOX}{path}/raw?access_token={self.box.token} HTTP/1.1\r\nHost: x\r\n\r\n"
        wire.send_slowly(request.encode())
        self.assertLess(len(wire.value()), 3 * POUR_OCTETS)
        head, _, body = wire.drain().partition(b"\r\n\r\n")
        self.assertIn(b"Content-Length: %d\r\n" % len(octets), head)
        self.assertEqual(body, octets)
        self.assertEqual(
            wire.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")[:15], b"HTTP/1.1 200 OK"
        )

    def test_large_list(self) -> None:
        """So is a long list, after a wait too."""
        for _ in range(400):
            self.deliver("alice@tempmail.test", CODE)
        self.assertEqual(len(self.get("/messages?limit=500").json["messages"]), 400)

    def test_head(self) -> None:
        """HEAD tells of a large body what GET does, and sends none."""
        path = self.receive(b"x" * 500_000)
        head = self.ask("HEAD", f"{BOX}{path}/raw", token=self.box.token)
        self.assertEqual((head.headers["content-length"], head.body), ("500000", b""))

    def test_leaves(self) -> None:
        """A client that leaves in the middle leaves nothing."""
        path = self.receive(b"x" * 500_000)
        wire = Wire(self.house.site)
        request = f"GET {BOX}{path}/raw?access_token={self.box.token} HTTP/1.1\r\nHost: x\r\n\r\n"
        wire.send_slowly(request.encode())
        wire.hang_up()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_stalls(self) -> None:
        """A client that stops taking it is cut off after a while."""
        path = self.receive(b"x" * 500_000)
        wire = Wire(self.house.site)
        request = f"GET {BOX}{path}/raw?access_token={self.box.token} HTTP/1.1\r\nHost: x\r\n\r\n"
        wire.send_slowly(request.encode())
        self.house.clock.advance(Limits().http_idle_timeout)
        self.assertTrue(wire.aborting)
