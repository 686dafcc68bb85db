"""What is printed for people."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tempmail.cli import console
from tempmail.cli.run import DONE, NO_SUCH
from tests.cli.case import CommandCase
from tests.client.fake import ADDRESS, TOKEN


class PeopleTests(CommandCase):
    """What is printed for people."""

    def setUp(self) -> None:
        super().setUp()
        self.environ["TEMPMAIL_TOKEN"] = TOKEN

    def test_list(self) -> None:
        """A line for each message, over as many pages as there are."""
        self.server.deliver(subject="Hello", code="77")
        for _ in range(600):
            self.server.deliver()
        self.assertEqual(self.tempmail("list", ADDRESS), DONE)
        lines = self.said().splitlines()
        self.assertEqual(len(lines), 601)
        self.assertEqual(lines[0], "m1  2030-01-01T00:00:05Z  Shop <shop@example.org>  Hello  [77]")

    def test_hostile_subject(self) -> None:
        """A subject can neither move the cursor, nor begin a line, nor turn the writing around."""
        self.server.deliver(subject="a\x1b]0;x\x07\r\nm9  forged\u202e\x9b1m é")
        self.tempmail("list", ADDRESS)
        self.assertIn(r"a\x1b]0;x\x07\r\nm9  forged\u202e\x9b1m é", self.said())
        self.tempmail("show", ADDRESS, "m1")
        self.assertIn(r"Subject: a\x1b]0;x\x07 m9 forged", self.said())

    def test_show(self) -> None:
        """A message is shown with who, what and its text, in the lines of this system."""
        self.server.deliver(code="5")
        self.assertEqual(self.tempmail("show", ADDRESS, "m1"), DONE)
        head, text = self.said().split("\n\n")
        self.assertEqual(head.splitlines()[0], "From: Shop <shop@example.org>")
        self.assertIn("Code: 5", head)
        self.assertEqual(text, "text 1\n")

    def test_parts(self) -> None:
        """Each part alone; a folded header stays one line; raw octets and attachments unchanged."""
        self.server.deliver(html="<p>\x1b</p>")
        for option, expected in (
            (["--text"], b"text 1\n"),
            (["--html"], b"<p>\\x1b</p>\n"),
            (["--headers"], b"Subject: mail 1\nX-Note: a b\n"),
            (["--raw"], b"\x1b[2Jraw\x00"),
            (["--attachment", "0"], b"\x1b[2Jattachments/0\x00"),
        ):
            self.assertEqual(self.tempmail("show", *option, ADDRESS, "m1"), DONE)
            self.assertEqual(self.out.getvalue(), expected)

    def test_follow(self) -> None:
        """Follows from the beginning, one line for each, and ends with 4 when the mailbox goes."""
        self.server.deliver()
        ended = self.start("follow", "--json", ADDRESS)
        self.pass_time(70)
        self.server.deliver()
        self.pass_time(1)
        self.assertEqual(
            [json.loads(line)["id"] for line in self.said().splitlines()], ["m1", "m2"]
        )
        self.server.delete(ADDRESS)
        self.network.agent.flush()
        self.assertEqual(self.successResultOf(ended), NO_SUCH)
        self.assertIn("410 Gone", self.told())

    def test_attempts(self) -> None:
        """A line for each mail that was refused, whatever its sender called himself."""
        refused = {"at": "2030-01-01T00:00:05Z", "mail_from": "\x1b[2J\na@b.test", "helo": "x"}
        self.server.boxes[ADDRESS].attempts = [
            {**refused, "stage": "rcpt", "reply": "552 5.2.2 Mailbox full"},
            {**refused, "mail_from": "", "stage": "data", "reply": None},
        ]
        self.assertEqual(self.tempmail("attempts", ADDRESS), DONE)
        self.assertEqual(
            self.said(),
            "2030-01-01T00:00:05Z  rcpt  552 5.2.2 Mailbox full  \\x1b[2J a@b.test\n"
            "2030-01-01T00:00:05Z  data  the connection ended in the middle  -\n",
        )
        self.assertEqual(self.tempmail("attempts", "--json", ADDRESS), DONE)
        documents = [json.loads(line) for line in self.said().splitlines()]
        self.assertEqual([document["stage"] for document in documents], ["rcpt", "data"])

    def test_rm(self) -> None:
        """With an id one message goes, without one the mailbox."""
        self.server.deliver()
        self.assertEqual(self.tempmail("rm", ADDRESS, "m1"), DONE)
        self.assertEqual(self.server.boxes[ADDRESS].mail, [])
        self.assertEqual(self.tempmail("rm", ADDRESS), DONE)
        self.assertEqual(self.server.boxes, {})

    def test_empty_extend_domains(self) -> None:
        """`empty` keeps the mailbox, `extend` prints its new end, `domains` a line for each."""
        self.server.deliver()
        self.assertEqual(self.tempmail("empty", ADDRESS), DONE)
        self.assertEqual(self.server.boxes[ADDRESS].mail, [])
        self.assertEqual(self.tempmail("extend", "--lifetime", "1h", ADDRESS), DONE)
        self.assertEqual(self.said(), "2030-01-01T01:00:00Z\n")
        self.assertEqual(self.tempmail("domains"), DONE)
        self.assertEqual(self.said(), "mail.test  minted\n")

    @given(st.text())
    def test_harmless(self, text: str) -> None:
        """No character that a terminal obeys is left, and harmless text is as it was."""
        shown = console.harmless(text)
        self.assertFalse(any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown))
        self.assertEqual(console.harmless(shown), shown)
        if text.isprintable():
            self.assertEqual(shown, text)
