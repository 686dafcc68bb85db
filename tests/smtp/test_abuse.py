"""What a client may do over SMTP: how fast, how often in vain, and who may not at all."""

from __future__ import annotations

from collections import Counter

from attrs import evolve
from limits import parse
from twisted.internet.defer import Deferred

from tempmail.blocklists import BlockedSenders
from tempmail.core.errors import ListedClient, MailboxFull, NoSuchMailbox
from tempmail.core.limits import COMMANDS_AT_ONCE, MAX_PIPELINED_OCTETS, Limits
from tempmail.core.peer import LOOPBACK
from tempmail.rates import Rates
from tempmail.smtp import replies
from tests.smtp.support import MAIL, OPENED, RCPT, Client, ReceiverTestCase

LIMITS = Limits(
    command_rate=parse("60/minute"), unknown_recipient_rate=parse("4/minute"), tarpit=8.0
)


class AbuseTestCase(ReceiverTestCase):
    """A receiver that counts."""

    limits = LIMITS

    def start(self, limits: Limits, tls: object | None = None) -> None:
        super().start(limits, tls)
        self.refused: Counter[str] = Counter()
        self.factory.rates = Rates(self.clock, limits, LOOPBACK, self.refused)


class CommandRateTests(AbuseTestCase):
    """How many commands one client may give."""

    def test_connections(self) -> None:
        """A connection costs some commands, so one too many is refused, and no other client."""
        for _ in range(3):
            self.assertIn(b"220", self.connect().heard())
        client = self.connect()
        self.assertEqual(client.heard(), replies.TOO_FAST)
        self.assertTrue(client.line.closed)
        self.assertIn(b"220", self.connect("192.0.2.2").heard())
        self.assertEqual(self.refused, {"command_rate": 1})
        self.pass_time(60)
        self.assertIn(b"220", self.connect().heard())

    def test_commands(self) -> None:
        """A session draws as it goes; when nothing is left it is over, however much is behind."""
        client = self.connect()
        client.heard()
        said = client.send(b"NOOP\r\n" * 100)
        self.assertEqual(said, replies.OK * 60 + replies.TOO_FAST)
        self.assertTrue(client.line.closed)

    def test_refilled(self) -> None:
        """Who does not come too fast goes on for ever."""
        client = self.connect()
        for _ in range(10):
            self.assertEqual(client.send(b"NOOP\r\n" * 39)[-len(replies.OK) :], replies.OK)
            self.pass_time(60)
        self.assertFalse(client.line.closed)

    def test_too_many_connections(self) -> None:
        """Connections refused for their number are counted by reason too."""
        self.start(evolve(LIMITS, max_connections=3, max_connections_per_client=2))
        for host in ("192.0.2.1",) * 3 + ("192.0.2.2", "192.0.2.3"):
            self.connect(host)
        self.assertEqual(self.refused, {"max_connections": 1, "max_connections_per_client": 1})

    def test_one_network(self) -> None:
        """All addresses of an IPv6 /64 are one client."""
        for number in range(3):
            self.assertIn(b"220", self.connect(f"2001:db8::{number}").heard())
        self.assertEqual(self.connect("2001:db8::9").heard(), replies.TOO_FAST)
        self.assertIn(b"220", self.connect("2001:db8:0:1::9").heard())

    def test_exempt(self) -> None:
        """No rate holds for this machine."""
        client = self.connect("127.0.0.1")
        client.heard()
        self.assertEqual(client.send(b"NOOP\r\n" * 500), replies.OK * 500)

    def test_max_commands(self) -> None:
        """The number of commands in one session holds to the command, wherever the lots end."""
        for most in (1, COMMANDS_AT_ONCE - 1, COMMANDS_AT_ONCE, COMMANDS_AT_ONCE + 1, 50):
            self.start(evolve(LIMITS, max_commands=most, command_rate=None))
            client = self.connect()
            client.heard()
            said = client.send(b"NOOP\r\n" * 100)
            self.assertEqual(said, replies.OK * most + replies.TOO_MANY_COMMANDS)
            client.hang_up()


class GuessTests(AbuseTestCase):
    """Who tries which recipients there are."""

    def guess(self, client: Client, *, exists: bool = False) -> bytes:
        """What is said at once to one RCPT."""
        self.drop.checks = [] if exists else [NoSuchMailbox("nobody")]
        return client.send(RCPT)

    def begun(self, host: str = "192.0.2.1") -> Client:
        client = self.greeted(host)
        client.send(MAIL)
        return client

    def test_slower(self) -> None:
        """Each refusal comes later than the one before, up to the whole time."""
        client = self.begun()
        for seconds in (2.0, 4.0, 6.0, 8.0):
            self.assertEqual(self.guess(client), b"")
            self.clock.advance(seconds - 0.1)
            self.assertEqual(client.heard(), b"")
            self.clock.advance(0.1)
            self.assertEqual(client.heard(), replies.NO_SUCH_MAILBOX)

    def barred(self) -> Client:
        """A client that made all its guesses."""
        client = self.begun()
        for _ in range(4):
            self.guess(client)
            self.pass_time(8)
        client.heard()
        return client

    def test_barred(self) -> None:
        """Who guessed too often is told nothing any more, of recipients that exist neither."""
        client = self.barred()
        asked = len(self.drop.asked)
        for exists in (False, True):
            self.assertEqual(self.guess(client, exists=exists), b"")
            self.pass_time(8)
            self.assertEqual(client.heard(), replies.TOO_MANY_UNKNOWN)
        self.assertEqual(len(self.drop.asked), asked)
        self.assertEqual(self.refused["unknown_recipient_rate"], 2)

    def test_barred_everywhere(self) -> None:
        """Another session does not help him, and others notice nothing."""
        self.barred()
        self.assertEqual(self.guess(self.begun(), exists=True), b"")
        self.assertEqual(self.guess(self.begun("192.0.2.2"), exists=True), replies.RECIPIENT_OK)

    def test_over(self) -> None:
        """After a while he may try again."""
        client = self.barred()
        self.pass_time(60)
        self.assertEqual(self.guess(client, exists=True), replies.RECIPIENT_OK)

    def test_only_guesses(self) -> None:
        """A mailbox that is full was not guessed, and is said to be at once."""
        client = self.begun()
        for _ in range(10):
            self.drop.checks = [MailboxFull("full")]
            self.assertEqual(client.send(RCPT), replies.MAILBOX_FULL)

    def test_late_answer(self) -> None:
        """A post office that takes its time to say so changes nothing."""
        client, check = self.begun(), Deferred[None]()
        self.drop.checks = [check]
        client.send(RCPT)
        check.errback(NoSuchMailbox("nobody"))
        self.assertEqual(client.heard(), b"")
        self.pass_time(2)
        self.assertEqual(client.heard(), replies.NO_SUCH_MAILBOX)

    def test_order(self) -> None:
        """What is pipelined behind waits its turn, and of much of it no more is read."""
        client = self.begun()
        self.drop.checks = [NoSuchMailbox("nobody")]
        self.assertEqual(client.send(RCPT + RCPT + b"RSET\r\n"), b"")
        client.send(b"NOOP\r\n" * (MAX_PIPELINED_OCTETS // 6 + 1))
        self.assertTrue(client.line.paused)
        self.pass_time(2)
        said = client.heard()
        expected = replies.NO_SUCH_MAILBOX + replies.RECIPIENT_OK + replies.OK
        self.assertTrue(said.startswith(expected), said[:200])
        self.assertFalse(client.line.paused)

    def test_holds_nobody(self) -> None:
        """While one is held back others are answered at once."""
        self.guess(self.begun())
        other = self.greeted("192.0.2.2")
        self.assertEqual(other.codes(OPENED), [250, 250, 354])

    def test_gone(self) -> None:
        """A client that leaves while it is held back leaves no timer."""
        client = self.begun()
        self.guess(client)
        client.hang_up()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)  # the factory's own sweep

    def test_server_stops(self) -> None:
        """The end of the server finds one who is held back, and leaves no timer either."""
        client = self.begun()
        self.guess(client)
        closed = self.factory.close(60.0)
        self.assertEqual(client.heard(), replies.SHUTTING_DOWN)
        client.hang_up()
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_tarpit(self) -> None:
        """With no time for it answers come at once, and guesses are counted all the same."""
        self.start(evolve(LIMITS, tarpit=0.0))
        client = self.begun()
        said = [self.guess(client) for _ in range(5)]
        self.assertEqual(said, [replies.NO_SUCH_MAILBOX] * 4 + [replies.TOO_MANY_UNKNOWN])

    def test_exempt(self) -> None:
        """This machine may guess."""
        client = self.begun("127.0.0.1")
        for _ in range(10):
            self.assertEqual(self.guess(client), replies.NO_SUCH_MAILBOX)


class BlockedTests(AbuseTestCase):
    """Senders that the operator wants no mail of."""

    def say(self, line: bytes, host: str = "192.0.2.1") -> bytes:
        client = self.greeted(host)
        said = client.send(line)
        client.hang_up()
        self.pass_time(60)
        return said

    def test_senders(self) -> None:
        """A blocked sender is refused at MAIL; the null sender never is."""
        self.factory.blocked = BlockedSenders.parse("example.org\n192.0.2.128/25")
        self.assertEqual(self.say(MAIL), replies.BLOCKED_SENDER)
        self.assertEqual(self.say(b"MAIL FROM:<ann@example.com>\r\n"), replies.SENDER_OK)
        self.assertEqual(self.say(b"MAIL FROM:<>\r\n"), replies.SENDER_OK)
        self.assertEqual(
            self.say(b"MAIL FROM:<ann@example.com>\r\n", "192.0.2.200"), replies.BLOCKED_SENDER
        )
        self.assertEqual(self.refused, {"blocked_sender": 2})

    def test_session_goes_on(self) -> None:
        """The session goes on, with no transaction open."""
        self.factory.blocked = BlockedSenders.parse("example.org")
        self.assertEqual(
            self.greeted().codes(MAIL + RCPT + b"MAIL FROM:<a@b.test>\r\n" + RCPT),
            [550, 503, 250, 250],
        )


class Lists:
    """Blocklists whose answers the test gives."""

    def __init__(self) -> None:
        self.looked_up: list[str] = []
        self.answers: list[Deferred[None]] = []

    def look_up(self, host: str) -> None:
        self.looked_up.append(host)

    def check(self, host: str) -> Deferred[None]:
        answer: Deferred[None] = Deferred()
        self.answers.append(answer)
        return answer


class ListedTests(AbuseTestCase):
    """Clients that a blocklist names."""

    def setUp(self) -> None:
        super().setUp()
        self.lists = Lists()
        self.factory.lists = self.lists  # type: ignore[assignment]

    def test_asked_early(self) -> None:
        """The lists are asked when a client comes, so that the answer is there at MAIL."""
        self.connect()
        self.assertEqual(self.lists.looked_up, ["192.0.2.1"])
        self.assertEqual(self.lists.answers, [])

    def test_listed(self) -> None:
        """A client in a list is refused at MAIL with the list's name, as often as it asks."""
        client = self.greeted()
        for _ in range(2):
            self.assertEqual(client.send(MAIL), b"")
            self.lists.answers.pop().errback(ListedClient("bl.test"))
            self.assertEqual(client.heard(), b"550 5.7.1 Your address is listed by bl.test\r\n")
        self.assertEqual(client.send(RCPT), replies.MAIL_FIRST)

    def test_not_listed(self) -> None:
        """What is pipelined behind MAIL waits for the lists, and then is taken."""
        client = self.greeted()
        self.assertEqual(client.send(OPENED), b"")
        self.lists.answers.pop().callback(None)
        self.assertEqual(client.heard(), replies.SENDER_OK + replies.RECIPIENT_OK + replies.GO_ON)

    def test_gone(self) -> None:
        """An answer for a client that has left does nothing."""
        client = self.greeted()
        client.send(MAIL)
        client.hang_up()
        self.lists.answers.pop().callback(None)

    def test_exempt(self) -> None:
        """Nobody asks about a client that no rate holds for."""
        client = self.greeted("127.0.0.1")
        self.assertEqual(client.send(MAIL), replies.SENDER_OK)
        self.assertEqual((self.lists.looked_up, self.lists.answers), ([], []))
