"""What the owner of a mailbox is told of mail that was refused, and what is counted."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tempmail.blocklists import BlockedSenders
from tempmail.core.errors import ListedClient, MailboxFull, MemoryFull, NoSuchMailbox, SomeRefused
from tempmail.core.limits import Limits
from tempmail.smtp import replies
from tests.smtp.support import DATA, MAIL, OPENED, RCPT, Client, ReceiverTestCase

BOB, JOE = "bob@tempmail.test", "joe@tempmail.test"
ANN = "ann@example.org"
CHUNKED = MAIL + RCPT + b"BDAT %d\r\n"


class RefusalTestCase(ReceiverTestCase):
    """A receiver whose post office notes what it is told."""

    limits = Limits(max_message_size=1000, max_recipients=2, max_errors=4, max_commands=12)

    def told(self, address: str = BOB) -> list[tuple[str, str]]:
        """Stage and reply of each refusal that this owner was told of."""
        return [refusal[2:] for refusal in self.drop.refusals if refusal[0] == address]


class Lists:
    """A blocklist whose one answer the test gives."""

    def __init__(self, answer: Deferred[None]) -> None:
        self._answer = answer

    def look_up(self, host: str) -> None:
        """Asked beforehand."""

    def check(self, host: str) -> Deferred[None]:
        return self._answer


class RecipientTests(RefusalTestCase):
    """Refused before the mail."""

    def test_full(self) -> None:
        """A recipient refused by the post office is told who came and what he heard."""
        self.drop.checks = [MailboxFull("full")]
        self.greeted().send(MAIL + RCPT)
        self.assertEqual(self.drop.refusals, [(BOB, ANN, "rcpt", "552 5.2.2 Mailbox full")])

    def test_late(self) -> None:
        """The same where the post office takes its time."""
        checking: Deferred[None] = Deferred()
        self.drop.checks = [checking]
        self.greeted().send(MAIL + RCPT)
        self.assertEqual(self.told(), [])
        checking.errback(Failure(MemoryFull("full")))
        self.assertEqual(self.told(), [("rcpt", "452 4.3.1 Not enough room, try again later")])

    def test_unknown(self) -> None:
        """Nobody is told of a mailbox that is not there: there is no one to tell."""
        self.drop.checks = [NoSuchMailbox("none")]
        self.greeted().send(MAIL + RCPT)
        self.assertEqual(self.drop.refusals, [])

    def test_size(self) -> None:
        """Of a mail announced too big the recipients named all the same are told why."""
        big = b"MAIL FROM:<ann@example.org> SIZE=1001\r\n"
        self.greeted().send(big + RCPT + DATA)
        self.assertEqual(self.drop.refusals, [(BOB, ANN, "mail", "552 5.3.4 Message too big")])

    def test_sender(self) -> None:
        """Of a mail whose sender was refused they are told who came, and why it was refused."""
        self.factory.blocked = BlockedSenders.parse("example.org")
        blocked = "550 5.7.1 Mail from here is not taken"
        for line, sender, reply in (
            (MAIL, ANN, blocked),
            (MAIL.lower(), ANN, blocked),
            (b"MAIL FROM:<ann>\r\n", "ann", "501 5.1.7 "),
            (b"MAIL FROM:<a b@example.com>\r\n", "", "501 5.1.7 "),
            (b"MAIL FROM:<a@example.com> SIZE=x\r\n", "a@example.com", "501 5.5.4 "),
            (b"MAIL FROM:<a@example.com> NO=x\r\n", "a@example.com", "555 5.5.4 "),
            ("MAIL FROM:<ä@example.com>\r\n".encode(), "ä@example.com", "553 5.6.7 "),
            (b"MAIL TO:<a@example.com>\r\n", "", "501 5.5.4 "),
            (b"MAIL FROM:<a@example.com>\n", "a@example.com", "500 5.5.2 "),
        ):
            with self.subTest(line):
                self.drop.refusals.clear()
                self.greeted().send(line + RCPT + DATA)
                [(address, mail_from, stage, said)] = self.drop.refusals
                self.assertEqual((address, mail_from, stage), (BOB, sender, "mail"))
                self.assertTrue(said.startswith(reply), said)

    def test_listed(self) -> None:
        """So are they where a blocklist took its time to name the client."""
        listed: Deferred[None] = Deferred()
        self.factory.lists = Lists(listed)  # type: ignore[assignment]
        client = self.greeted()
        client.send(MAIL + RCPT)
        listed.errback(Failure(ListedClient("bl.test")))
        reply = "550 5.7.1 Your address is listed by bl.test"
        self.assertEqual(self.drop.refusals, [(BOB, ANN, "mail", reply)])

    def test_refused_sender_is_over(self) -> None:
        """Why one sender was refused is not said of the next one, nor behind RSET."""
        self.factory.blocked = BlockedSenders.parse("example.org")
        self.drop.checks = [MailboxFull("full")]
        other = b"MAIL FROM:<a@example.com>\r\n"
        self.greeted().send(MAIL + other + RCPT + b"RSET\r\n" + MAIL + b"RSET\r\n" + RCPT)
        full, first = "552 5.2.2 Mailbox full", "503 5.5.1 Say MAIL first"
        self.assertEqual(
            self.drop.refusals, [(BOB, "a@example.com", "rcpt", full), (BOB, "", "rcpt", first)]
        )

    def test_too_many(self) -> None:
        """So is the one who was one recipient too many."""
        others = b"".join(b"RCPT TO:<%d@tempmail.test>\r\n" % number for number in range(2))
        self.greeted().send(MAIL + others + RCPT)
        self.assertEqual(self.told(), [("rcpt", "452 4.5.3 Too many recipients")])

    def test_bare_line_end(self) -> None:
        """So is the one whose line ended with a bare LF, in whatever case it was written."""
        self.greeted().send(b"rcpt  to: <Bob@TEMPMAIL.test> X=y\n")
        [(stage, reply)] = self.told()
        self.assertEqual((stage, reply[:9]), ("rcpt", "500 5.5.2"))

    def test_too_many_commands(self) -> None:
        """So are those of a session that ends for having said too much, each once."""
        client = self.greeted()
        client.send(MAIL + b"RCPT TO:<joe@tempmail.test>\r\n", b"NOOP\r\n" * 9)
        client.send(RCPT)
        reply = "421 4.7.0 Too many commands in one session"
        self.assertEqual((self.told(), self.told(JOE)), ([("rcpt", reply)], [("data", reply)]))

    def test_not_an_old_line(self) -> None:
        """A line too long is no refusal of the recipient before it."""
        client = self.greeted()
        client.send(MAIL + RCPT, b"x" * 3000, b"\r\n", b"y" * 3000 + b"\r\n")
        self.assertEqual(self.told(), [])


class MailTests(RefusalTestCase):
    """Refused with the mail, or in the middle of it."""

    def test_at_the_end(self) -> None:
        """Whatever the answer behind the mail is, all its recipients are told."""
        for error, reply in (
            (MailboxFull("full"), "552 5.2.2"),
            (MemoryFull("full"), "452 4.3.1"),
            (SomeRefused("some"), "451 4.2.1"),
        ):
            self.drop.refusals.clear()
            self.drop.deliveries = [error]
            client = self.greeted()
            client.send(MAIL + RCPT + b"RCPT TO:<joe@tempmail.test>\r\n" + DATA, b"x\r\n.\r\n")
            for address in (BOB, JOE):
                [(stage, said)] = self.told(address)
                self.assertEqual((stage, said[:9]), ("data", reply))

    def test_too_big(self) -> None:
        """A mail that turns out too big is told once, by DATA and by BDAT."""
        client = self.greeted()
        client.send(OPENED, b"x" * 2000 + b"\r\n.\r\n")
        client.send(MAIL + RCPT + b"BDAT 2000 LAST\r\n", b"x" * 2000)
        client.send(MAIL + RCPT + b"BDAT 600\r\n", b"x" * 600, b"BDAT 600 LAST\r\n", b"x" * 600)
        self.assertEqual(self.told(), [("data", "552 5.3.4 Message too big")] * 3)

    def test_late(self) -> None:
        """An answer that comes late is told, also where the client has gone meanwhile."""
        client, keeping = self.greeted(), Deferred[None]()
        self.drop.deliveries = [keeping]
        client.send(OPENED + b"x\r\n.\r\n")
        client.hang_up()
        keeping.errback(Failure(MailboxFull("full")))
        self.assertEqual(self.told(), [("data", "552 5.2.2 Mailbox full")])

    def test_connection_lost(self) -> None:
        """A client that leaves in the middle of a mail gave no reason; so much is told."""
        for begun in (OPENED + b"half", CHUNKED % 9 + b"half", CHUNKED % 1 + b"x"):
            self.drop.refusals.clear()
            client = self.greeted()
            client.send(begun)
            client.hang_up()
            self.assertEqual(self.told(), [("data", "")])
        client = self.greeted()
        client.send(OPENED + b"half")
        client.stop_sending()
        self.assertEqual(self.told(), [("data", "")] * 2)
        self.assertEqual(self.factory.traffic.lost, 4)

    def test_not_begun(self) -> None:
        """Who asks for a recipient and goes, sends no mail, and none was refused."""
        client = self.greeted()
        client.send(MAIL + RCPT + b"RSET\r\n" + MAIL + RCPT + b"QUIT\r\n")
        other = self.greeted()
        other.send(MAIL + RCPT)
        other.hang_up()
        self.assertEqual((self.drop.refusals, self.factory.traffic.lost), ([], 0))

    def test_kept(self) -> None:
        """Nobody is told of a mail that was kept."""
        client = self.greeted()
        client.send(OPENED + b"x\r\n.\r\n")
        client.hang_up()
        self.assertEqual(self.drop.refusals, [])

    def test_time(self) -> None:
        """A mail cut off for want of time is told of once, and not as one that was lost."""
        self.start(evolve(self.limits, idle_timeout=5.0))
        client = self.greeted()
        client.send(OPENED + b"half\n.\n")
        self.pass_time(10)
        client.hang_up()
        self.assertEqual(self.told(), [("data", "421 4.4.2 Idle for too long")])
        self.assertEqual(self.factory.traffic.lost, 0)

    def test_too_many_errors(self) -> None:
        """A session that ends for its errors takes the mail it was about with it."""
        self.greeted().send(MAIL + RCPT, b"x\r\n" * 4)
        self.assertEqual(self.told(), [("data", "421 4.7.0 Too many errors")])


class CountTests(RefusalTestCase):
    """What the receiver counts."""

    def test_mails(self) -> None:
        """Mails, their octets, and how long each took from DATA on."""
        client = self.greeted()
        client.send(OPENED)
        self.clock.advance(0.5)
        client.send(b"12345\r\n.\r\n")
        client.send(MAIL + RCPT + b"BDAT 3\r\n123")
        self.clock.advance(2)
        client.send(b"BDAT 4 LAST\r\n4567")
        traffic = self.factory.traffic
        self.assertEqual((traffic.mails, traffic.octets, traffic.connections), (2, 14, 1))
        self.assertEqual(traffic.accepting.total, 2.5)

    def test_octets_of_half_a_mail(self) -> None:
        """What came of a mail that never ended was received, too."""
        client = self.greeted()
        client.send(OPENED + b"12345")
        client.hang_up()
        self.assertEqual((self.factory.traffic.octets, self.factory.traffic.mails), (5, 0))

    def test_refusals(self) -> None:
        """Each refusal is counted once, also the one that ends a session or begins none."""
        self.start(evolve(self.limits, max_connections_per_client=1, max_errors=2))
        client = self.greeted()
        client.send(MAIL, b"EXPN x\r\n", b"FOO\r\n")
        Client(self.factory).hang_up()
        self.assertEqual(
            self.factory.traffic.refusals,
            {
                replies.NOT_IMPLEMENTED: 1,
                replies.UNKNOWN_COMMAND: 1,
                replies.TOO_MANY_ERRORS: 1,
                replies.TOO_MANY_CONNECTIONS: 1,
            },
        )
        self.assertEqual(self.factory.traffic.connections, 2)

    def test_time_is_up(self) -> None:
        """So is one that nobody asked for."""
        self.start(evolve(self.limits, idle_timeout=5.0))
        self.greeted()
        self.pass_time(10)
        self.assertEqual(self.factory.traffic.refusals, {replies.IDLE: 1})
