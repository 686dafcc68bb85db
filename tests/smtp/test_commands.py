"""Every command: what is right, what is wrong with it, and what is answered."""

from __future__ import annotations

from typing import Any

from tempmail.core.errors import (
    BadAddress,
    Closing,
    MailboxFull,
    MailboxGone,
    MemoryFull,
    MessageTooBig,
    NoSuchMailbox,
    ShareSpent,
    SomeRefused,
    UnknownDomain,
)
from tempmail.core.limits import MAX_REPLY_OCTETS, Limits
from tempmail.smtp import replies
from tests.smtp.support import (
    DATA,
    HOSTNAME,
    MAIL,
    OPENED,
    RCPT,
    Client,
    Raised,
    ReceiverTestCase,
)

EHLO = b"EHLO client.example.org\r\n"
# Where a session may stand.
FRESH = b""
HELLO = EHLO
MAILED = EHLO + MAIL
READY = EHLO + MAIL + RCPT
CHUNKED = EHLO + MAIL + RCPT + b"BDAT 3\r\nabc"

LONG = b"x" * 300
U8 = b" SMTPUTF8"
GOOD_MAIL = replies.SENDER_OK
# Where the session stands, the line without its end, and the answer.
TABLE: list[tuple[bytes, bytes, bytes]] = [
    # HELO and EHLO (RFC 5321 section 4.1.1.1)
    (FRESH, b"HELO client.example.org", replies.hello(HOSTNAME)),
    (FRESH, b"helo client.example.org", replies.hello(HOSTNAME)),
    (FRESH, b"HELO", replies.NAME_YOURSELF),
    (FRESH, b"HELO  ", replies.NAME_YOURSELF),
    (FRESH, b"EHLO", replies.NAME_YOURSELF),
    (FRESH, b"EHLO a\x01b", replies.NAME_YOURSELF),
    (FRESH, b"EHLO a\x7fb", replies.NAME_YOURSELF),
    (FRESH, b"EHLO " + LONG, replies.NAME_YOURSELF),
    (FRESH, b"HELO [192.0.2.1]", replies.hello(HOSTNAME)),
    (FRESH, b"HELO my old computer", replies.hello(HOSTNAME)),
    (FRESH, b"HELO b\xfccher", replies.hello(HOSTNAME)),
    (READY, b"HELO again.example.org", replies.hello(HOSTNAME)),
    # MAIL
    (FRESH, b"MAIL FROM:<a@b.test>", replies.HELLO_FIRST),
    (HELLO, b"MAIL FROM:<a@b.test>", GOOD_MAIL),
    (HELLO, b"mail from:<a@b.test>", GOOD_MAIL),
    (HELLO, b"MAIL FROM: <a@b.test>  ", GOOD_MAIL),
    (HELLO, b"MAIL   FROM:<a@b.test>", GOOD_MAIL),
    (HELLO, b"MAIL FROM:a@b.test", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<>", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<a@[192.0.2.1]>", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<@c.test:a@b.test>", GOOD_MAIL),
    (MAILED, b"MAIL FROM:<a@b.test>", replies.NESTED_MAIL),
    (READY, b"MAIL FROM:<a@b.test>", replies.NESTED_MAIL),
    (CHUNKED, b"MAIL FROM:<a@b.test>", replies.NESTED_MAIL),
    (HELLO, b"MAIL", replies.MAIL_SYNTAX),
    (HELLO, b"MAIL <a@b.test>", replies.MAIL_SYNTAX),
    (HELLO, b"MAIL TO:<a@b.test>", replies.MAIL_SYNTAX),
    (HELLO, b"MAIL FROM", replies.MAIL_SYNTAX),
    (HELLO, b"MAIL FROM:", replies.BAD_SENDER),
    (HELLO, b"MAIL FROM:<a@b.test", replies.BAD_SENDER),
    (HELLO, b"MAIL FROM:<a>", replies.BAD_SENDER),
    (HELLO, b"MAIL FROM:<postmaster>", replies.BAD_SENDER),
    (HELLO, b"MAIL FROM:<a@>", replies.BAD_SENDER),
    (HELLO, b"MAIL FROM:<a@b..test>", replies.BAD_SENDER),
    (HELLO, b"MAIL FROM:<" + LONG + b"@" + LONG + b">", replies.BAD_SENDER),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=1000 BODY=8BITMIME", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<a@b.test> size=1000 body=7bit", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<> SIZE=0", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=26214400", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=26214401", replies.TOO_BIG),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=99999999999999999999", replies.TOO_BIG),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=999999999999999999999", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=abc", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=-1", replies.BAD_PARAMETER),
    (HELLO, "MAIL FROM:<a@b.test> SIZE=\u0663".encode(), replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> SIZE=1 SIZE=2", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> BODY=9BIT", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> BODY", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> BODY=BINARYMIME", replies.UNKNOWN_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> SMTPUTF8", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<a@b.test> SMTPUTF8=1", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> AUTH=<>", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<a@b.test> AUTH=e+3Dmc2@example.com", GOOD_MAIL),
    (HELLO, b"MAIL FROM:<a@b.test> AUTH", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> RET=HDRS", replies.UNKNOWN_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> FOO", replies.UNKNOWN_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test> FOO=1=2", replies.BAD_PARAMETER),
    (HELLO, b"MAIL FROM:<a@b.test>SIZE=1", replies.BAD_PARAMETER),
    (HELLO, "MAIL FROM:<jörg@b.test>".encode(), replies.UTF8_NEEDED),
    (HELLO, "MAIL FROM:<jörg@b.test>".encode() + U8, GOOD_MAIL),
    (HELLO, "MAIL FROM:<a@bücher.example>".encode(), replies.UTF8_NEEDED),
    (HELLO, b"MAIL FROM:<j\xf6rg@b.test> SMTPUTF8", replies.BAD_SENDER),
    # RCPT
    (FRESH, b"RCPT TO:<bob@tempmail.test>", replies.HELLO_FIRST),
    (HELLO, b"RCPT TO:<bob@tempmail.test>", replies.MAIL_FIRST),
    (MAILED, b"RCPT TO:<bob@tempmail.test>", replies.RECIPIENT_OK),
    (MAILED, b"rcpt to: <bob@tempmail.test>\t", replies.RECIPIENT_OK),
    (MAILED, b"RCPT TO:bob@tempmail.test", replies.RECIPIENT_OK),
    (MAILED, b"RCPT TO:<@tempmail.test,@b.test:bob@tempmail.test>", replies.RECIPIENT_OK),
    (MAILED, b'RCPT TO:<"bob@b.test"@tempmail.test>', replies.RECIPIENT_OK),
    (MAILED, b"RCPT TO:<postmaster>", replies.RECIPIENT_OK),
    (MAILED, b"RCPT TO:<PostMaster>", replies.RECIPIENT_OK),
    (MAILED, b"RCPT TO:<bob>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<bob@>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<.bob@tempmail.test>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<bo..b@tempmail.test>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<bob@tempmail..test>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<bob@.>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<" + b"b" * 65 + b"@tempmail.test>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<bob@[192.0.2.256]>", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<bob@[192.0.2.1]>", replies.RECIPIENT_OK),
    (MAILED, b"RCPT TO:<bob@[IPv6:2001:db8::1]>", replies.RECIPIENT_OK),
    (MAILED, b"RCPT", replies.RCPT_SYNTAX),
    (MAILED, b"RCPT FROM:<bob@tempmail.test>", replies.RCPT_SYNTAX),
    (MAILED, b"RCPT TO <bob@tempmail.test>", replies.RCPT_SYNTAX),
    (MAILED, b"RCPT TO:", replies.BAD_RECIPIENT),
    (MAILED, b"RCPT TO:<bob@tempmail.test> NOTIFY=NEVER", replies.UNKNOWN_PARAMETER),
    (MAILED, b"RCPT TO:<bob@tempmail.test> SIZE=1", replies.UNKNOWN_PARAMETER),
    (MAILED, b"RCPT TO:<bob@tempmail.test> =", replies.BAD_PARAMETER),
    (MAILED, "RCPT TO:<jörg@tempmail.test>".encode(), replies.UTF8_NEEDED),
    (MAILED, "RCPT TO:<bob@tempmäil.test>".encode(), replies.UTF8_NEEDED),
    # DATA
    (FRESH, b"DATA", replies.MAIL_FIRST),
    (HELLO, b"DATA", replies.MAIL_FIRST),
    (MAILED, b"DATA", replies.RCPT_FIRST),
    (READY, b"DATA", replies.GO_ON),
    (READY, b"data  ", replies.GO_ON),
    (READY, b"DATA now", replies.NO_ARGUMENT),
    (CHUNKED, b"DATA", replies.IN_CHUNKS),
    # BDAT (RFC 3030)
    (FRESH, b"BDAT 0 LAST", replies.MAIL_FIRST),
    (MAILED, b"BDAT 0 LAST", replies.RCPT_FIRST),
    (READY, b"BDAT 0", replies.CHUNK_KEPT),
    (READY, b"bdat 0 last", replies.KEPT),
    (CHUNKED, b"BDAT 0 LAST", replies.KEPT),
    (READY, b"BDAT", replies.BDAT_SYNTAX),
    (READY, b"BDAT LAST", replies.BDAT_SYNTAX),
    (READY, b"BDAT -1", replies.BDAT_SYNTAX),
    (READY, b"BDAT 1x", replies.BDAT_SYNTAX),
    (READY, b"BDAT 0 FIRST", replies.BDAT_SYNTAX),
    (READY, b"BDAT 0LAST", replies.BDAT_SYNTAX),
    (READY, b"BDAT 999999999999999999999", replies.BDAT_SYNTAX),
    # The rest
    (FRESH, b"RSET", replies.OK),
    (READY, b"rset", replies.OK),
    (READY, b"RSET now", replies.NO_ARGUMENT),
    (FRESH, b"NOOP", replies.OK),
    (READY, b"NOOP and whatever", replies.OK),
    (FRESH, b"VRFY bob", replies.CANNOT_VERIFY),
    (READY, b"VRFY nobody@tempmail.test", replies.CANNOT_VERIFY),
    (FRESH, b"VRFY", replies.ARGUMENT_NEEDED),
    (FRESH, b"EXPN staff", replies.NOT_IMPLEMENTED),
    (FRESH, b"HELP", replies.HELP),
    (FRESH, b"HELP MAIL", replies.HELP),
    (HELLO, b"AUTH", replies.NOT_IMPLEMENTED),
    (HELLO, b"AUTH PLAIN AGEAYg==", replies.NOT_IMPLEMENTED),
    (HELLO, b"STARTTLS", replies.NO_TLS),
    (HELLO, b"STARTTLS now", replies.NO_ARGUMENT),
    (FRESH, b"QUIT", replies.BYE),
    (READY, b"quit", replies.BYE),
    (FRESH, b"QUIT now", replies.NO_ARGUMENT),
    # What is none
    (FRESH, b"", replies.UNKNOWN_COMMAND),
    (FRESH, b" ", replies.UNKNOWN_COMMAND),
    (FRESH, b" NOOP", replies.UNKNOWN_COMMAND),
    (FRESH, b"NOOPS", replies.UNKNOWN_COMMAND),
    (FRESH, b"NOOP\tx", replies.UNKNOWN_COMMAND),
    (FRESH, b"SEND FROM:<a@b.test>", replies.UNKNOWN_COMMAND),
    (FRESH, b"TURN", replies.UNKNOWN_COMMAND),
    (FRESH, b"ETRN b.test", replies.UNKNOWN_COMMAND),
    (FRESH, b"XCLIENT ADDR=127.0.0.1", replies.UNKNOWN_COMMAND),
    (FRESH, b"XFORWARD ADDR=127.0.0.1", replies.UNKNOWN_COMMAND),
    (FRESH, b"N\xc3\x96\xc3\x96P", replies.UNKNOWN_COMMAND),
    (FRESH, b"\xff\xfe\xfd", replies.UNKNOWN_COMMAND),
    (FRESH, b"x" * 2046, replies.UNKNOWN_COMMAND),
    (FRESH, b"x" * 2047, replies.LINE_TOO_LONG),
    (FRESH, b"NOOP\0", replies.BARE_LINE_END),
    (FRESH, b"NOOP\rNOOP", replies.BARE_LINE_END),
    (FRESH, b"NOOP\r", replies.BARE_LINE_END),
    (FRESH, b"GET / HTTP/1.1", replies.NO_SMTP),
    (FRESH, b"POST / HTTP/1.1", replies.NO_SMTP),
    (FRESH, b"PRI * HTTP/2.0", replies.NO_SMTP),
    (FRESH, b"get /", replies.NO_SMTP),
]

# What the post office fails with, and the answer to RCPT and to the mail.
FAILURES: list[tuple[Exception, bytes]] = [
    (NoSuchMailbox("no"), replies.NO_SUCH_MAILBOX),
    (UnknownDomain("no"), replies.NO_RELAY),
    (MailboxFull("no"), replies.MAILBOX_FULL),
    (MessageTooBig("no"), replies.TOO_BIG),
    (MemoryFull("no"), replies.MEMORY_FULL),
    (ShareSpent("no"), replies.SHARE_SPENT),
    (SomeRefused("no"), replies.SOME_REFUSED),
    (BadAddress("no"), replies.BAD_RECIPIENT),
    (Closing("no"), replies.SHUTTING_DOWN),
    # An error of the domain that says nothing to a sender of mail
    (MailboxGone("no"), replies.LOCAL_ERROR),
]

# Replies pinned elsewhere, because there is more to them than a line.
ELSEWHERE = {
    "START_TLS": "test_tls",
    "TLS_ALREADY": "test_tls",
    "TOO_MANY_CONNECTIONS": "test_limits",
    "TOO_MANY_ERRORS": "test_limits",
    "TOO_MANY_COMMANDS": "test_limits",
    "TOO_MANY_RECIPIENTS": "test_limits",
    "IDLE": "test_limits",
    "TOO_LONG_A_SESSION": "test_limits",
    "TOO_SLOW": "test_limits",
    "TOO_FAST": "test_abuse",
    "TOO_MANY_UNKNOWN": "test_abuse",
    "BLOCKED_SENDER": "test_abuse",
    "LOGGED_IN": "test_login",
    "LOGIN_CANCELLED": "test_login",
    "BAD_RESPONSE": "test_login",
    "UNKNOWN_MECHANISM": "test_login",
    "NO_LOGIN_NOW": "test_login",
}


def all_replies() -> dict[str, bytes]:
    """Every reply by its name."""
    return {name: reply for name, reply in vars(replies).items() if isinstance(reply, bytes)}


class CommandTests(ReceiverTestCase):
    """One command after another."""

    def stand(self, before: bytes) -> Client:
        client = self.connect()
        client.send(before)
        return client

    def test_table(self) -> None:
        """Each command in each situation gets its one answer."""
        for before, line, answer in TABLE:
            client = self.stand(before)
            self.assertEqual(client.send(line + b"\r\n"), answer, (before, line))
            client.hang_up()

    def test_octet_by_octet(self) -> None:
        """The same if every octet comes alone."""
        for before, line, answer in TABLE:
            client = self.stand(before)
            pieces = [bytes([octet]) for octet in line + b"\r\n"]
            self.assertEqual(client.send(*pieces), answer, (before, line))
            client.hang_up()

    def test_nothing_is_echoed(self) -> None:
        """No answer holds anything the client said."""
        spell = b"Xyzzy-42"
        for before, line, _ in TABLE:
            client = self.stand(before)
            said = client.send(line[:1500] + b" " + spell + b"\r\n", spell + b"\r\n")
            self.assertNotIn(spell.lower(), said.lower())
            client.hang_up()

    def test_every_reply(self) -> None:
        """Each reply is somewhere in these tests."""
        here = {answer for _, _, answer in TABLE} | {answer for _, answer in FAILURES}
        here |= {replies.GO_ON, replies.KEPT}
        left = {name for name, reply in all_replies().items() if reply not in here}
        self.assertEqual(left, set(ELSEWHERE))

    def test_replies_are_lines(self) -> None:
        """Each reply is one line of ASCII, with its enhanced code, and no longer than allowed."""
        for name, reply in all_replies().items():
            self.assertLessEqual(len(reply), MAX_REPLY_OCTETS, name)
            self.assertRegex(reply, rb"\A[2-5][0-9][0-9] [ -~]+\r\n\Z", name)
            if name != "GO_ON":
                # RFC 2034 section 4: its class is that of the code. 354 has none to tell.
                self.assertEqual(reply[4:6], reply[:1] + b".", name)
                self.assertRegex(reply[4:], rb"\A[245]\.[0-9]{1,3}\.[0-9]{1,3} ", name)

    def test_longest_hostname(self) -> None:
        """With the longest of host names every line of the greetings is short enough."""
        name = ".".join(["x" * 63] * 4)[:253]
        for said in (
            replies.greeting(name),
            replies.hello(name),
            replies.extended_hello(name, 2**62, True, True),
        ):
            for line in said.splitlines(keepends=True):
                self.assertLessEqual(len(line), MAX_REPLY_OCTETS)
                self.assertTrue(line.endswith(b"\r\n"))

    def test_greeting(self) -> None:
        """A session begins with 220 and our name."""
        self.assertEqual(self.connect().heard(), b"220 mx.tempmail.test ESMTP ready\r\n")

    def test_extensions(self) -> None:
        """EHLO is answered with what this server can do."""
        client = self.connect()
        client.heard()
        said = client.send(EHLO)
        lines = said.decode().split("\r\n")[:-1]
        self.assertEqual({line[:4] for line in lines[:-1]}, {"250-"})
        self.assertEqual(lines[-1][:4], "250 ")
        self.assertEqual(
            [line[4:] for line in lines],
            [
                HOSTNAME,
                "PIPELINING",
                f"SIZE {self.limits.max_message_size}",
                "8BITMIME",
                "SMTPUTF8",
                "CHUNKING",
                "ENHANCEDSTATUSCODES",
            ],
        )

    def test_failures_of_check(self) -> None:
        """What the post office has against a recipient is told at RCPT, and the rest goes on."""
        for error, answer in FAILURES:
            client = self.greeted()
            self.drop.checks = [error]
            self.assertEqual(client.send(MAIL + RCPT), replies.SENDER_OK + answer)
            self.assertEqual(client.codes(RCPT + DATA + b"x\r\n.\r\n"), [250, 354, 250])
            client.hang_up()

    def test_failures_of_delivery(self) -> None:
        """What it has against the mail is told behind the mail, and the session goes on."""
        for error, answer in FAILURES:
            client = self.greeted()
            self.drop.deliveries = [error]
            client.send(OPENED)
            self.assertEqual(client.send(b"x\r\n.\r\n"), answer)
            self.assertEqual(client.codes(OPENED + b"x\r\n.\r\n"), [250, 250, 354, 250])
            client.hang_up()

    def test_defects_of_check(self) -> None:
        """If the post office breaks, the client is told 451, we are told why, and it goes on."""
        for error in (ZeroDivisionError("x"), Raised("x")):
            client = self.greeted()
            self.drop.checks = [error]
            self.assertEqual(client.send(MAIL + RCPT), replies.SENDER_OK + replies.LOCAL_ERROR)
            self.assertEqual(len(self.flushLoggedErrors(type(error))), 1)
            self.assertEqual(client.codes(RCPT + b"NOOP\r\n"), [250, 250])

    def test_defects_of_delivery(self) -> None:
        """The same behind a mail; what was received of it is forgotten."""
        for error in (ZeroDivisionError("x"), Raised("x")):
            for mail in (DATA + b"x\r\n.\r\n", b"BDAT 3 LAST\r\nx\r\n"):
                client = self.greeted()
                self.drop.deliveries = [error]
                self.assertTrue(client.send(MAIL + RCPT + mail).endswith(replies.LOCAL_ERROR))
                self.assertEqual(len(self.flushLoggedErrors(type(error))), 1)
                self.assertEqual(client.codes(RCPT), [503])
                self.assertEqual(client.codes(OPENED + b"x\r\n.\r\n"), [250, 250, 354, 250])

    def test_refused_command_changes_nothing(self) -> None:
        """A refused command leaves the transaction as it was."""
        client = self.greeted()
        client.send(MAIL + RCPT)
        for line in (
            b"MAIL FROM:<x@b.test>",
            b"RCPT TO:<bad>",
            b"DATA x",
            b"EHLO",
            b"RSET x",
            b"BDAT x",
        ):
            self.assertEqual(client.codes(line + b"\r\n")[0] // 100, 5)
        client.send(DATA + b"x\r\n.\r\n")
        self.assertEqual(self.drop.mails[0].envelope.mail_from, "ann@example.org")
        self.assertEqual(self.drop.mails[0].recipients, ["bob@tempmail.test"])

    def test_reset(self) -> None:
        """RSET, HELO and EHLO forget the transaction; RSET remembers who the client is."""
        for line, then in ((b"RSET", 250), (b"HELO x", 250), (b"EHLO x", 250)):
            client = self.greeted()
            client.send(MAIL + RCPT + line + b"\r\n")
            self.assertEqual(client.codes(RCPT, MAIL), [503, then])

    def test_forgotten_after_mail(self) -> None:
        """A transaction ends with its mail, whether it was kept or not."""
        client = self.greeted()
        self.drop.deliveries = [None, NoSuchMailbox("gone")]
        for _ in range(2):
            client.send(OPENED + b"x\r\n.\r\n")
            self.assertEqual(client.codes(RCPT), [503])

    def test_size_is_asked(self) -> None:
        """The announced size is what the post office is asked about."""
        client = self.greeted()
        client.send(b"MAIL FROM:<a@b.test> SIZE=1234\r\n" + RCPT)
        client.send(b"RSET\r\n" + MAIL + RCPT)
        self.assertEqual(self.drop.asked, [("bob@tempmail.test", 1234), ("bob@tempmail.test", 0)])

    def test_quit_ends(self) -> None:
        """Behind QUIT nothing is taken any more."""
        client = self.greeted()
        self.assertEqual(client.send(b"QUIT\r\n" + OPENED + b"x\r\n.\r\n"), replies.BYE)
        self.assertEqual(client.send(b"NOOP\r\n", b"x" * 1000), b"")
        self.assertEqual(client.session._input, b"")
        self.assertTrue(client.line.disconnecting)
        self.assertEqual(self.drop.mails, [])


class EnvelopeTests(ReceiverTestCase):
    """What the post office is told of a mail."""

    def deliver(self, *lines: bytes) -> Any:
        client = self.connect("192.0.2.77")
        client.send(*(line + b"\r\n" for line in lines), b"DATA\r\n", b"x\r\n.\r\n")
        return self.drop.mails[-1]

    def test_values(self) -> None:
        """It has the sender, what the client calls itself, its address, and no TLS."""
        envelope = self.deliver(b"EHLO me", MAIL[:-2], RCPT[:-2]).envelope
        self.assertEqual(
            (envelope.mail_from, envelope.helo, envelope.peer, envelope.tls),
            ("ann@example.org", "me", "192.0.2.77", False),
        )

    def test_protocols(self) -> None:
        """The protocol is the keyword of RFC 3848 or RFC 6531."""
        for hello, mail, protocol in (
            (b"HELO x", b"MAIL FROM:<>", "SMTP"),
            (b"EHLO x", b"MAIL FROM:<>", "ESMTP"),
            (b"EHLO x", b"MAIL FROM:<> SMTPUTF8", "UTF8SMTP"),
        ):
            self.assertEqual(self.deliver(hello, mail, RCPT[:-2]).envelope.protocol, protocol)

    def test_senders(self) -> None:
        """The sender is written as an address is: empty for none, quoted where it has to be."""
        for written, sender in (
            (b"<>", ""),
            (b"<A@B.Test>", "A@B.Test"),
            (b"a@b.test", "a@b.test"),
            (b"<@x.test:a@b.test>", "a@b.test"),
            (b'<"a b"@b.test>', '"a b"@b.test'),
            (b'<"a"@b.test>', "a@b.test"),
            (b"<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
            ("<jörg@bücher.example> SMTPUTF8".encode(), "jörg@bücher.example"),
        ):
            mail = self.deliver(b"EHLO x", b"MAIL FROM:" + written, RCPT[:-2])
            self.assertEqual(mail.envelope.mail_from, sender)

    def test_names(self) -> None:
        """What a client calls itself is kept as readable text, whatever octets it sent."""
        for said, kept in (
            (b"[192.0.2.1]", "[192.0.2.1]"),
            ("bücher.example".encode(), "bücher.example"),
            (b"b\xfccher", "b\ufffdcher"),
            ("a\x85b\u2028c\u202ed".encode(), "a?b?c?d"),
            (b"a (b)", "a (b)"),
        ):
            mail = self.deliver(b"EHLO " + said, MAIL[:-2], RCPT[:-2])
            self.assertEqual(mail.envelope.helo, kept)


class RecipientTests(ReceiverTestCase):
    """Which mailbox a recipient is."""

    def accepted(self, *recipients: bytes) -> list[str]:
        client = self.greeted()
        client.send(b"MAIL FROM:<> SMTPUTF8\r\n")
        for recipient in recipients:
            self.assertEqual(client.codes(b"RCPT TO:" + recipient + b"\r\n"), [250], recipient)
        client.send(DATA + b"x\r\n.\r\n")
        return self.drop.mails[-1].recipients

    def test_same_mailbox(self) -> None:
        """However an address is written, it is one mailbox and one recipient."""
        for same in (
            (
                b"<bob@tempmail.test>",
                b"<BOB@Tempmail.TEST>",
                b'<"bob"@tempmail.test>',
                b"bob@tempmail.test",
            ),
            (b"<bob@tempmail.test>", b"<bob+tag@tempmail.test>", b"<@x.test:bob@tempmail.test>"),
            (
                "<a@bücher.example>".encode(),
                b"<a@xn--bcher-kva.example>",
                "<A@BÜCHER.example>".encode(),
            ),
            ("<jörg@qa.test>".encode(), "<JÖRG@qa.test>".encode(), "<jo\u0308rg@qa.test>".encode()),
            (b"<a@[IPv6:2001:db8::1]>", b"<a@[IPv6:2001:DB8:0:0:0:0:0:1]>"),
            (b"<postmaster>", b"<POSTMASTER>", b"<Postmaster@tempmail.test>", b"postmaster"),
        ):
            self.assertEqual(len(self.accepted(*same)), 1, same)

    def test_no_relay(self) -> None:
        """What other systems once relayed by is a local part here, judged by its own domain."""
        self.assertEqual(
            self.accepted(
                b"<a%other.test@tempmail.test>",
                b"<other.test!a@tempmail.test>",
                b'<"a@other.test"@tempmail.test>',
                b"<@other.test:b@tempmail.test>",
            ),
            [
                "a%other.test@tempmail.test",
                "other.test!a@tempmail.test",
                "a@other.test@tempmail.test",
                "b@tempmail.test",
            ],
        )
        self.accepted(b"<@tempmail.test:a@other.test>")
        self.assertEqual(self.drop.asked[-1][0], "a@other.test")

    def test_order(self) -> None:
        """Recipients are handed over in the order they were named."""
        named = [b"<c@qa.test>", b"<a@qa.test>", b"<b@qa.test>", b"<a@qa.test>"]
        self.assertEqual(self.accepted(*named), ["c@qa.test", "a@qa.test", "b@qa.test"])


class HelloTests(ReceiverTestCase):
    """Sessions of small limits."""

    limits = Limits(max_message_size=12345)

    def test_size_of_now(self) -> None:
        """EHLO tells the limit in force now, not that of the start."""
        client = self.connect()
        self.assertIn(b"SIZE 12345\r\n", client.send(EHLO))
        self.drop.limits = Limits(max_message_size=54321)
        self.assertIn(b"SIZE 54321\r\n", client.send(EHLO))
