"""AUTH for programs that insist on it: anybody is let in, and may do no more than before."""

from __future__ import annotations

import smtplib
from base64 import b64encode

from twisted.internet.threads import deferToThread
from twisted.logger import LogLevel, capturedLogs, formatEvent

from tempmail.smtp import replies
from tests.smtp.sockets import Listening
from tests.smtp.support import MAIL, ReceiverTestCase, cut

PLAIN = b64encode(b"\0ann\0hush")
NAME, PASSWORD = b64encode(b"ann"), b64encode(b"hush")
RCPT = b"RCPT TO:<bob@qa.test>\r\n"
BODY = b"Subject: x\r\n\r\nx\r\n.\r\n"
LOGGED_IN = 235


class LoginTests(ReceiverTestCase):
    """A receiver that takes any name and password."""

    def setUp(self) -> None:
        super().setUp()
        self.factory.any_login = True

    def test_offered(self) -> None:
        """EHLO says so, and where it is off it neither says so nor is AUTH known."""
        line = b"250-AUTH PLAIN LOGIN\r\n"
        self.assertIn(line, self.connect().send(b"EHLO x\r\n"))
        self.factory.any_login = False
        client = self.connect()
        self.assertNotIn(line, client.send(b"EHLO x\r\n"))
        self.assertEqual(client.send(b"AUTH PLAIN\r\n"), replies.NOT_IMPLEMENTED)

    def test_ways(self) -> None:
        """Both mechanisms, with the first response at once or when it is asked for."""
        for said, codes in (
            (b"AUTH PLAIN %b\r\n" % PLAIN, [LOGGED_IN]),
            (b"auth plain =\r\n", [LOGGED_IN]),
            (b"AUTH PLAIN\r\n%b\r\n" % PLAIN, [334, LOGGED_IN]),
            (b"AUTH LOGIN\r\n%b\r\n%b\r\n" % (NAME, PASSWORD), [334, 334, LOGGED_IN]),
            (b"AUTH LOGIN %b\r\n%b\r\n" % (NAME, PASSWORD), [334, LOGGED_IN]),
            (b"AUTH LOGIN\r\n\r\n\r\n", [334, 334, LOGGED_IN]),
        ):
            for places in (range(0), range(len(said))):
                client = self.greeted()
                self.assertEqual(client.codes(*cut(said, places)), codes, said)
                self.assertEqual(client.codes(MAIL, RCPT, b"DATA\r\n", BODY), [250, 250, 354, 250])
                self.assertEqual(self.drop.mails[-1].envelope.protocol, "ESMTPA")

    def test_prompts(self) -> None:
        """What is asked for is what mail programs look for: nothing, a name, a password."""
        client = self.greeted()
        self.assertEqual(client.send(b"AUTH PLAIN\r\n"), b"334 \r\n")
        client.send(b"*\r\n")
        self.assertEqual(client.send(b"AUTH LOGIN\r\n"), b"334 VXNlcm5hbWU6\r\n")
        self.assertEqual(client.send(NAME + b"\r\n"), b"334 UGFzc3dvcmQ6\r\n")

    def test_refused(self) -> None:
        """What is no login is refused, and the session goes on where it was."""
        for said, answer in (
            (b"AUTH\r\n", replies.UNKNOWN_MECHANISM),
            (b"AUTH CRAM-MD5\r\n", replies.UNKNOWN_MECHANISM),
            (b"AUTH PLAIN p@ss\r\n", replies.BAD_RESPONSE),
            (b"AUTH PLAIN \xff\r\n", replies.BAD_RESPONSE),
            (b"AUTH PLAIN *\r\n", replies.LOGIN_CANCELLED),
        ):
            client = self.greeted()
            self.assertEqual(client.send(said), answer, said)
            self.assertEqual(client.codes(MAIL, b"NOOP\r\n"), [250, 250])

    def test_given_up(self) -> None:
        """A response that is none ends the login, and the next line is a command again."""
        for response, answer in (
            (b"*", replies.LOGIN_CANCELLED),
            (b"MAIL FROM:<a@b.test>", replies.BAD_RESPONSE),
            (b"x" * 3000, replies.LINE_TOO_LONG),
            (NAME + b"\n", replies.BARE_LINE_END),
        ):
            for end in ([b"\r\n"], [b"\r", b"\n"]):
                client = self.greeted()
                client.send(b"AUTH LOGIN\r\n")
                heard = client.send(response + end[0], *end[1:])
                self.assertEqual(heard[: len(answer)], answer)
            client = self.greeted()
            client.send(b"AUTH LOGIN\r\n")
            self.assertTrue(client.send(response, b"\r\n").startswith(answer))
            self.assertEqual(client.codes(MAIL, RCPT), [250, 250])
            self.assertFalse(client.session.logged_in)

    def test_not_now(self) -> None:
        """Not before EHLO, not in a transaction, and not twice (RFC 4954 section 4)."""
        line = b"AUTH PLAIN %b\r\n" % PLAIN
        self.assertEqual(self.connect().codes(line), [220, 503])
        self.assertEqual(self.connect().codes(b"HELO x\r\n", line), [220, 250, 503])
        self.assertEqual(self.greeted().codes(MAIL, line), [250, 503])
        self.assertEqual(self.greeted().codes(line, line), [LOGGED_IN, 503])
        self.assertEqual(self.greeted().codes(line, b"EHLO x\r\n", line), [LOGGED_IN, 250, 503])

    def test_not_written_down(self) -> None:
        """Names and passwords are in no log, also where sessions are."""
        self.factory.aloud = True
        with capturedLogs() as events:
            client = self.greeted()
            client.send(b"AUTH PLAIN %b\r\n" % PLAIN)
            self.greeted().send(b"AUTH LOGIN\r\n%b\r\n%b\r\n" % (NAME, PASSWORD))
        said = "\n".join(formatEvent(event) for event in events)
        self.assertIn(LogLevel.debug, {event["log_level"] for event in events})
        self.assertIn("C: AUTH …", said)
        for secret in (PLAIN, NAME, PASSWORD):
            self.assertNotIn(secret.decode(), said)


class LibraryTests(Listening):
    """Python's own client, over sockets."""

    tls = True

    async def test_login(self) -> None:
        """It logs in by each mechanism, in plain text and under TLS, which asks for it anew."""
        self.factory.any_login = True
        said = await deferToThread(self.log_in)
        self.assertEqual(said, [LOGGED_IN] * 3)
        mails = await self.mails()
        self.assertEqual([mail.parcel.envelope.protocol for mail in mails], ["ESMTPA", "ESMTPSA"])

    def log_in(self) -> list[int]:
        said = []
        for secured in (False, True):
            with smtplib.SMTP("127.0.0.1", self.port) as client:
                client.ehlo()
                client.esmtp_features["auth"] = "LOGIN"
                said.append(client.login("ann", "hush")[0])
                if secured:
                    client.starttls()
                    said.append(client.login("ann", "hush")[0])
                client.sendmail("a@b.example", "bob@qa.test", b"x\r\n")
        return said
