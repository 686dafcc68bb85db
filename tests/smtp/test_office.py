"""The receiver on the real post office: mail comes in, and every octet is accounted for."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tempmail.core.address import parse_address
from tempmail.core.budget import Budget
from tempmail.core.domains import Domains
from tempmail.core.limits import MEGA, Limits
from tempmail.core.message import Message
from tempmail.doorbell import Doorbell
from tempmail.interfaces import IMailDrop
from tempmail.postoffice import PostOffice
from tempmail.reading import Reading
from tempmail.smtp import replies
from tempmail.smtp.factory import SessionFactory
from tempmail.store.memory import MemoryStore
from tests.smtp.support import HOSTNAME, MAIL, Client, Drop
from tests.workers import in_this_process

LIMITS = Limits(max_message_size=10_000, memory=100_000, max_messages=3)


class OfficeTests(SynchronousTestCase):
    """A receiver with all that is behind it, on a clock that the test turns."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.budget = Budget(LIMITS.memory)
        doorbell = Doorbell(self.clock)
        self.store = MemoryStore(self.clock, LIMITS, self.budget, doorbell)
        self.office = PostOffice(
            self.clock,
            self.store,
            doorbell,
            Reading(self.budget, in_this_process),
            self.budget,
            Domains.parse(["tempmail.test", "qa.test:catch-all"]),
            LIMITS,
        )
        self.factory = SessionFactory(self.office, self.clock, HOSTNAME)
        self.client = Client(self.factory)
        self.client.send(b"EHLO client.example.org\r\n")

    def mails(self, address: str) -> list[Message]:
        return self.successResultOf(self.store.messages(parse_address(address), 0, 100))

    def deliver(self, *recipients: bytes, mail: bytes = b"x\r\n") -> bytes:
        """Send a mail; returns the last answer."""
        self.client.send(MAIL)
        for recipient in recipients:
            self.client.send(b"RCPT TO:<%s>\r\n" % recipient)
        if not self.client.send(b"DATA\r\n").startswith(b"354"):
            self.client.send(b"RSET\r\n")
            return b""
        return self.client.send(mail + b".\r\n")

    def test_double(self) -> None:
        """What stands in for the post office elsewhere in these tests looks like it."""
        verifyObject(IMailDrop, Drop(LIMITS))
        verifyObject(IMailDrop, self.office)

    def test_kept(self) -> None:
        """A mail to several mailboxes is in each, its octets once."""
        self.assertEqual(self.deliver(b"a@qa.test", b"B+tag@QA.test"), replies.KEPT)
        (one,), (other,) = self.mails("a@qa.test"), self.mails("b@qa.test")
        self.assertIs(one.parcel, other.parcel)
        self.assertEqual(one.parcel.octets, b"x\r\n")

    def test_a_mailbox_named_twice(self) -> None:
        """Named twice, by whatever tags, a mailbox gets one copy, under the first name."""
        answer = self.deliver(b"a+one@qa.test", b"A+two@qa.test", b"b@qa.test", b"a@qa.test")
        self.assertEqual(answer, replies.KEPT)
        (mail,) = self.mails("a@qa.test")
        self.assertEqual((mail.recipient.displayed, mail.parcel.holders), ("a+one@qa.test", 2))

    def test_strangers(self) -> None:
        """Mail for others, and for mailboxes that are none, is refused."""
        self.client.send(MAIL)
        for recipient, answer in (
            (b"a@example.org", replies.NO_RELAY),
            (b"a@[192.0.2.1]", replies.NO_RELAY),
            (b"nobody@tempmail.test", replies.NO_SUCH_MAILBOX),
            (b"a@sub.qa.test", replies.NO_RELAY),
            (b"postmaster@tempmail.test", replies.RECIPIENT_OK),
            (b"postmaster", replies.RECIPIENT_OK),
        ):
            self.assertEqual(self.client.send(b"RCPT TO:<%s>\r\n" % recipient), answer)

    def test_logged_in(self) -> None:
        """Who logged in may send to nobody else than who did not."""
        self.factory.any_login = True
        client = Client(self.factory)
        client.send(b"EHLO x\r\n")
        self.assertEqual(client.codes(b"AUTH PLAIN AGEAYg==\r\n"), [235])
        client.send(MAIL)
        self.assertEqual(client.send(b"RCPT TO:<a@example.org>\r\n"), replies.NO_RELAY)
        self.assertEqual(client.send(b"RCPT TO:<x@tempmail.test>\r\n"), replies.NO_SUCH_MAILBOX)

    def test_mailbox_full(self) -> None:
        """A mailbox that is full takes no mail, and says so for itself alone."""
        for _ in range(3):
            self.assertEqual(self.deliver(b"a@qa.test"), replies.KEPT)
        self.client.send(MAIL)
        self.assertEqual(self.client.send(b"RCPT TO:<a@qa.test>\r\n"), replies.MAILBOX_FULL)
        self.assertEqual(self.client.send(b"RCPT TO:<b@qa.test>\r\n"), replies.RECIPIENT_OK)

    def test_memory_full_at_recipient(self) -> None:
        """With an announced size there is no room for, the recipient is put off."""
        self.budget.used = LIMITS.memory - 5000
        self.client.send(b"MAIL FROM:<> SIZE=6000\r\n")
        self.assertEqual(self.client.send(b"RCPT TO:<a@qa.test>\r\n"), replies.MEMORY_FULL)
        self.budget.used = 0

    def test_memory_full_on_the_way(self) -> None:
        """Who finds the memory full that all senders share is put off; nothing of his is kept."""
        clients = [Client(self.factory, f"192.0.2.{number}") for number in range(1, 16)]
        opened = MAIL + b"RCPT TO:<a@qa.test>\r\nDATA\r\n"
        for client in clients:
            client.send(b"EHLO x\r\n" + opened)
        for client in clients:
            client.send(b"x" * 9_000)
            self.assertLessEqual(self.budget.used, LIMITS.memory)
        said = [client.send(b"\r\n.\r\n") for client in clients]
        refused = {replies.MEMORY_FULL, replies.SHARE_SPENT}
        self.assertEqual(set(said[:10]) - refused, {replies.KEPT, replies.MAILBOX_FULL})
        self.assertLessEqual(set(said[10:]), refused)
        held = sum(message.parcel.cost for message in self.mails("a@qa.test"))
        self.assertLess(self.budget.used, held + 5_000)

    def test_share_spent(self) -> None:
        """A client fills half of the memory, from however many sessions; others find room."""
        greedy = [Client(self.factory) for _ in range(10)]
        for number, client in enumerate(greedy):
            client.send(b"EHLO x\r\n" + MAIL + b"RCPT TO:<box%d@qa.test>\r\nDATA\r\n" % number)
        for client in greedy:
            client.send(b"x" * 9_000)
        self.assertEqual(self.budget.used, 45_000)
        said = [client.send(b"\r\n.\r\n") for client in greedy]
        self.assertEqual(set(said), {replies.KEPT, replies.SHARE_SPENT})
        self.assertEqual(said[5:], [replies.SHARE_SPENT] * 5)
        self.assertLessEqual(self.budget.used, 50_000)
        self.client = Client(self.factory, "192.0.2.99")
        self.client.send(b"EHLO y\r\n")
        self.assertEqual(self.deliver(b"a@qa.test", mail=b"y" * 9_000 + b"\r\n"), replies.KEPT)

    def test_memory_full_at_the_end(self) -> None:
        """If room for the octets was there but none for the mail, it is put off at the end."""
        self.client.send(MAIL + b"RCPT TO:<a@qa.test>\r\nDATA\r\n")
        self.budget.used = LIMITS.memory - 100
        self.assertEqual(self.client.send(b"x" * 90 + b"\r\n.\r\n"), replies.MEMORY_FULL)
        self.budget.used = 0

    def test_account(self) -> None:
        """When mail is deleted and sessions are gone, the memory is as it was."""
        before = self.budget.used
        self.client.send(MAIL + b"RCPT TO:<a@qa.test>\r\nDATA\r\n", b"x" * 5000, b"\r\n.\r\n")
        self.client.send(MAIL + b"RCPT TO:<a@qa.test>\r\nBDAT 10\r\n", b"x" * 10)
        self.client.hang_up()
        self.clock.advance(LIMITS.default_lifetime + 1)
        self.successResultOf(self.store.expire(self.clock.seconds() + MEGA))
        self.assertEqual(self.budget.used, before)

    def test_refused(self) -> None:
        """An owner finds out what kept a mail from him; asking about it creates nothing."""
        minted = self.successResultOf(
            Deferred.fromCoroutine(self.office.mint(local_part="bob", lifetime=60))
        )
        self.client.send(MAIL + b"RCPT TO:<bob@tempmail.test>\r\nDATA\r\n")
        self.client.send(b"x" * 20_000, b"\r\n.\r\n")
        self.client.send(b"MAIL FROM:<> SIZE=99999\r\nRCPT TO:<Bob+x@tempmail.test>\r\n")
        self.client.send(MAIL + b"RCPT TO:<eve@tempmail.test>\r\n")
        asking = self.office.attempts(minted.mailbox.address, minted.token)
        found = self.successResultOf(Deferred.fromCoroutine(asking))
        self.assertEqual(
            [(each.mail_from, each.helo, each.stage, each.reply) for each in found],
            [
                ("ann@example.org", "client.example.org", "data", "552 5.3.4 Message too big"),
                ("", "client.example.org", "mail", "552 5.3.4 Message too big"),
            ],
        )
        self.assertIsNone(self.successResultOf(self.store.look(parse_address("eve@tempmail.test"))))
