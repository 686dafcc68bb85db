"""A mail from what was typed into a form."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.compose import compose, one_line
from tempmail.content.mime import read

HEADERS = [
    *("From", "To", "Subject", "Date"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
]
law = settings(deadline=None, database=None)
# Whatever JSON can carry, and more often what matters in a header.
TEXTS = (
    st.text(alphabet=st.characters(exclude_categories=()), max_size=200)
    | st.text(alphabet='\r\n\t =?_b:,;<>@"\\()a\u00e9\u20ac\U0001f600\ud800\udc00', max_size=200)
    | st.sampled_from(["=?utf-8?q?a?=", "a\r\nBcc: b@c", "x" * 500, "\u00e9" * 500, " a ", "  "])
)


def header(octets: bytes, name: str) -> str:
    """A header as a simple reader decodes it."""
    return str(make_header(decode_header(message_from_bytes(octets)[name])))


class ComposeTests(SynchronousTestCase):
    """What is said, and nothing else."""

    def parse(self, octets: bytes) -> EmailMessage:
        message = message_from_bytes(octets, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    def test_a_mail(self) -> None:
        """Sender, recipient, subject, time and text are where a reader looks for them."""
        octets = compose("a@b.test", "bob@qa.test", "Hello", "line\nline", 1_700_000_000)
        message = self.parse(octets)
        self.assertEqual(
            [message[name] for name in HEADERS[:4]],
            ["a@b.test", "bob@qa.test", "Hello", "Tue, 14 Nov 2023 22:13:20 +0000"],
        )
        self.assertEqual(message.get_content(), "line\nline")
        self.assertEqual(message.get_content_type(), "text/plain")

    @law
    @given(TEXTS, TEXTS, TEXTS, TEXTS)
    @example("a", "b", "s", "\r\n.\r\n")
    def test_any_strings(self, sender: str, recipient: str, subject: str, body: str) -> None:
        """Whatever strings come, the header has our seven fields and the text comes back."""
        octets = compose(sender, recipient, subject, body, 0)
        head = octets.partition(b"\r\n\r\n")[0]
        self.assertTrue(octets.isascii())
        self.assertIsNone(re.search(rb"[^\r]\n|\r[^\n]|[\0-\x09\x0b\x0c\x0e-\x1f\x7f]", octets))
        self.assertLessEqual(max(map(len, octets.split(b"\r\n"))), 78)
        lines = [line for line in head.decode().split("\r\n") if line[0] != " "]
        self.assertEqual([line.partition(":")[0] for line in lines], HEADERS)
        self.assertNotIn(b"\r\n.", octets)
        text = message_from_bytes(octets).get_payload(decode=True)
        self.assertEqual(text, body.encode("utf-8", "replace"))

    @law
    @given(TEXTS)
    def test_subject_comes_back(self, subject: str) -> None:
        """A subject is read as it was typed, on one line."""
        octets = compose("a@b", "b@c", subject, "", 0)
        self.assertEqual(header(octets, "Subject"), one_line(subject))

    @law
    @given(st.text(alphabet="a \u00e9\u20ac\U0001f600=?", max_size=60))
    def test_our_own_reader_agrees(self, subject: str) -> None:
        """What we compose is what we read."""
        octets = compose("a@b.test", "b@c.test", subject, subject, 0)
        reading = read(octets)
        self.assertEqual(reading.subject.split(), one_line(subject).split())
        self.assertEqual(reading.text.split(), subject.split())

    def test_looks_like_an_encoded_word(self) -> None:
        """What a reader would take for an encoded word is read as it was typed."""
        octets = compose("a@b", "b@c", "=?utf-8?q?a?=", "", 0)
        self.assertEqual(header(octets, "Subject"), "=?utf-8?q?a?=")

    def test_sender_keeps_its_address(self) -> None:
        """Of a sender with a name in any script the address can still be read."""
        for name in ("J\u00f6rg \u20ac", "x" * 100, "\u00e9" * 100, "a=?b", "(a, b)\u00e9"):
            mailbox = read(compose(f"{name} <j@b.test>", "b@c", "", "", 0)).sender
            assert mailbox is not None
            self.assertEqual((mailbox.name, mailbox.address), (name, "j@b.test"))

    def test_sender_without_an_address(self) -> None:
        """A sender that is only a name comes back, too."""
        self.assertEqual(header(compose("J\u00f6rg", "b@c", "", "", 0), "From"), "J\u00f6rg")

    def test_one_line(self) -> None:
        """Line ends and controls become blanks, half a surrogate pair a question mark."""
        self.assertEqual(one_line("a\r\nBcc: b\0\u2028c\ud800"), "a  Bcc: b  c?")
        self.assertEqual(one_line("J\u00f6rg <a@b>"), "J\u00f6rg <a@b>")

    def test_a_megabyte(self) -> None:
        """A subject as long as a request may be makes a mail of such length, not of its square."""
        for text in ("a " * 500_000, "\u00e9" * 500_000, "=?" * 500_000):
            octets = compose("a@b", "b@c", text, "", 0)
            self.assertLess(len(octets), 3_500_000)
            self.assertEqual(len(octets.split(b"\r\n\r\n")), 2)
