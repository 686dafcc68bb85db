"""Mail by DATA and by BDAT, through a whole session."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tempmail.core.errors import NoSuchMailbox
from tempmail.core.limits import COMMAND_READ_OCTETS, DATA_READ_OCTETS, MAIL_READ_OCTETS, Limits
from tempmail.smtp import replies
from tests.smtp.support import DATA, MAIL, OPENED, RCPT, Client, ReceiverTestCase, codes, cut, ways
from tests.smtp.test_framing import octets, places, stuffed

SMALL = Limits(max_message_size=100, max_errors=1000)


class DataTests(ReceiverTestCase):
    """DATA."""

    limits = SMALL

    def test_every_cut(self) -> None:
        """Two mails and all commands in one stream are taken the same however it is cut."""
        mail = b".\r\nMAIL FROM:<x@y.test>\r\n\r\n.x\r\nQUIT\r\n"
        stream = OPENED + stuffed(mail) + OPENED + stuffed(b"") + b"NOOP\r\nQUIT\r\n"
        for pieces in ways(stream):
            self.drop.mails = []
            client = self.greeted()
            said = client.codes(*pieces)
            self.assertEqual(said, [250, 250, 354, 250] * 2 + [250, 221], pieces)
            self.assertEqual(self.drop.kept, [mail, b""])
            client.hang_up()

    @settings(deadline=None)
    @given(octets, places)
    def test_nothing_of_a_mail_is_run(self, mail: bytes, cuts: list[int]) -> None:
        """Whatever a mail says, it is kept as it is, and what is behind it is run."""
        if mail and not mail.endswith(b"\r\n"):
            mail += b"\r\n"
        self.drop.limits = Limits()
        self.drop.mails = []
        client = self.greeted()
        said = client.codes(*cut(OPENED + stuffed(mail) + b"VRFY x\r\n", cuts))
        self.assertEqual(said, [250, 250, 354, 250, 252])
        self.assertEqual(self.drop.kept, [mail])
        client.hang_up()

    def test_smuggling(self) -> None:
        """A mail that imitates its own end is one mail (CVE-2023-51764, -51765, -51766)."""
        inner = b"MAIL FROM:<admin@b.test>\r\nRCPT TO:<eve@tempmail.test>\r\nDATA\r\n"
        self.drop.limits = Limits()
        for end in (
            b"\n.\n",
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r",
            b"\r\n.\r",
            b"\r.\r\n",
            b"\n.\r",
            b"\r\n\0.\r\n",
        ):
            self.drop.mails = []
            client = self.greeted()
            said = client.codes(OPENED + b"a" + end + inner + b"b" + b"\r\n.\r\n")
            self.assertEqual(said, [250, 250, 354, 250], end)
            self.assertIn(inner, self.drop.kept[0])
            client.hang_up()

    def test_long_lines(self) -> None:
        """A line of a mail may be as long as the mail."""
        self.drop.limits = Limits()
        mail = b"x" * 1_000_000 + b"\r\n"
        client = self.greeted()
        client.send(OPENED)
        pieces = [mail[place : place + 65536] for place in range(0, len(mail), 65536)]
        self.assertEqual(client.codes(*pieces, b".\r\n"), [250])
        self.assertEqual(self.drop.kept, [mail])

    def test_limit(self) -> None:
        """A mail of just the limit is kept, with one octet more it is refused, dots apart."""
        for mail, kept in (
            (b"x" * 98 + b"\r\n", True),
            (b"x" * 99 + b"\r\n", False),
            (b".\r\n" * 33, True),
            (b".x\r\n" * 25, True),
            (b".\r\n" * 34, False),
            (b"x" * 100_000 + b"\r\n", False),
        ):
            for pieces in ([stuffed(mail)], cut(stuffed(mail), list(range(0, 1000, 7)))):
                self.drop.mails = []
                client = self.greeted()
                client.send(OPENED)
                self.assertEqual(client.send(*pieces), replies.KEPT if kept else replies.TOO_BIG)
                self.assertEqual(self.drop.kept, [mail] if kept else [])
                self.assertEqual(client.codes(OPENED + b"x\r\n.\r\n"), [250, 250, 354, 250])
                client.hang_up()

    def test_nothing_is_kept_of_a_mail_too_big(self) -> None:
        """Once a mail is too big its octets cost nothing any more, the end apart."""
        client = self.greeted()
        client.send(OPENED)
        client.send(b"x" * 60)
        self.assertEqual(self.drop.reserved, 60)
        client.send(b"x" * 60)
        self.assertEqual(self.drop.reserved, 0)
        self.assertEqual(client.send(b"x" * 1000), b"")
        self.assertEqual(self.drop.reserved, 0)
        self.assertEqual(client.send(b"\r\n.\r\n"), replies.TOO_BIG)

    def test_reserved_while_it_comes(self) -> None:
        """Half a mail is charged to the budget, and given back before the mail is delivered."""
        client = self.greeted()
        client.send(OPENED + b"x" * 40)
        self.assertEqual(self.drop.reserved, 40)
        client.send(b"y" * 10)
        self.assertEqual(self.drop.reserved, 50)
        client.send(b"\r\n.\r\n")
        self.assertEqual((self.drop.reserved, len(self.drop.mails)), (0, 1))

    def test_memory_full_while_it_comes(self) -> None:
        """If the memory is full in the middle of a mail, nothing of it is kept, and 452 told."""
        self.drop.room = 50
        client = self.greeted()
        client.send(OPENED + b"x" * 40)
        self.assertEqual(client.send(b"y" * 20), b"")
        self.assertEqual(self.drop.reserved, 0)
        self.assertEqual(client.send(b"\r\n.\r\n"), replies.MEMORY_FULL)
        self.assertEqual(self.drop.mails, [])
        self.assertEqual(client.codes(OPENED + b"x\r\n.\r\n"), [250, 250, 354, 250])

    def test_connection_lost(self) -> None:
        """Of a mail whose connection breaks off nothing is delivered, and nothing is left."""
        for end in (Client.hang_up, Client.stop_sending):
            client = self.greeted()
            client.send(OPENED + b"x" * 40)
            end(client)
            self.assertEqual((self.drop.reserved, self.drop.mails), (0, []))

    def test_reads(self) -> None:
        """While a mail comes in it is read in large pieces, and only then: the larger it is."""
        client = self.greeted()
        client.send(OPENED)
        self.assertEqual(client.line.bufferSize, MAIL_READ_OCTETS)
        client.send(b"x")
        self.assertEqual(client.line.bufferSize, DATA_READ_OCTETS)
        client.send(b"\r\n.\r\n")
        self.assertEqual(client.line.bufferSize, COMMAND_READ_OCTETS)


class ChunkTests(ReceiverTestCase):
    """BDAT (RFC 3030)."""

    limits = SMALL

    @settings(deadline=None)
    @given(st.lists(octets.filter(lambda chunk: len(chunk) <= 60), min_size=1, max_size=4), places)
    def test_chunks(self, chunks: list[bytes], cuts: list[int]) -> None:
        """A mail is its chunks, any octets, however the stream is cut; what follows is run."""
        self.drop.limits = Limits()
        self.drop.mails = []
        *some, last = chunks
        stream = b"".join(b"BDAT %d\r\n%s" % (len(chunk), chunk) for chunk in some)
        stream += b"BDAT %d LAST\r\n%s" % (len(last), last)
        client = self.greeted()
        said = client.codes(*cut(MAIL + RCPT + stream + b"VRFY x\r\n", cuts))
        self.assertEqual(said, [250, 250] + [250] * len(chunks) + [252])
        self.assertEqual(self.drop.kept, [b"".join(chunks)])
        client.hang_up()

    def test_every_cut(self) -> None:
        """Two mails in chunks are taken the same however the stream is cut."""
        mail = MAIL + RCPT + b"BDAT 5\r\n\r\n.\r\nBDAT 4\r\nQUITBDAT 0 LAST\r\n"
        stream = mail + MAIL + RCPT + b"BDAT 3 LAST\r\nx\r\nNOOP\r\n"
        for pieces in ways(stream):
            self.drop.mails = []
            client = self.greeted()
            self.assertEqual(client.codes(*pieces), [250] * 9, pieces)
            self.assertEqual(self.drop.kept, [b"\r\n.\r\nQUIT", b"x\r\n"])
            client.hang_up()

    def test_without_transaction(self) -> None:
        """The octets of a BDAT that is refused are read and not run."""
        for before, answer in ((b"", replies.MAIL_FIRST), (MAIL, replies.RCPT_FIRST)):
            client = self.greeted()
            client.send(before)
            said = client.send(b"BDAT 6 LAST\r\nQUIT\r\nVRFY x\r\n")
            self.assertEqual(said, answer + replies.CANNOT_VERIFY)

    def test_nothing_is_kept_without_transaction(self) -> None:
        """Nor are they kept, for nobody would be charged for them."""
        for before in (b"", MAIL):
            client = self.greeted()
            client.send(before + b"BDAT 100\r\n", b"x" * 50)
            frame = client.session.intake.frame
            assert frame is not None
            self.assertEqual((frame.size, frame.octets()), (50, b""))

    def test_budget_that_breaks(self) -> None:
        """If the budget breaks, the mail is forgotten, 451 told, and the session goes on."""
        client = self.greeted()
        client.send(MAIL + RCPT + b"BDAT 3\r\nabc")
        self.drop.room = "much"  # type: ignore[assignment]
        self.assertEqual(client.send(b"BDAT 3\r\nabc"), replies.LOCAL_ERROR)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.assertEqual(self.drop.reserved, 0)
        self.assertEqual(client.codes(RCPT, b"NOOP\r\n"), [503, 250])

    def test_refused_recipients(self) -> None:
        """A client that pipelines chunks behind refused recipients gets each refused."""
        self.drop.checks = [NoSuchMailbox("no")]
        client = self.greeted()
        stream = MAIL + RCPT + b"BDAT 3\r\nabcBDAT 3 LAST\r\nabcNOOP\r\n"
        self.assertEqual(client.codes(stream), [250, 550, 554, 554, 250])

    def test_not_mixed(self) -> None:
        """DATA behind BDAT is refused; the chunks so far stay, and BDAT can finish the mail."""
        client = self.greeted()
        client.send(MAIL + RCPT + b"BDAT 3\r\nabc")
        self.assertEqual(client.send(DATA), replies.IN_CHUNKS)
        client.send(b"BDAT 3 LAST\r\ndef")
        self.assertEqual(self.drop.kept, [b"abcdef"])

    def test_reset(self) -> None:
        """RSET drops the chunks so far."""
        client = self.greeted()
        client.send(MAIL + RCPT + b"BDAT 30\r\n" + b"a" * 30)
        self.assertEqual(self.drop.reserved, 30)
        client.send(b"RSET\r\n")
        self.assertEqual(self.drop.reserved, 0)
        client.send(MAIL + RCPT + b"BDAT 1 LAST\r\nb")
        self.assertEqual(self.drop.kept, [b"b"])

    def test_limit(self) -> None:
        """Chunks of just the limit are kept; one octet more is refused where it is announced."""
        client = self.greeted()
        chunk = b"BDAT 50\r\n" + b"x" * 50
        client.send(MAIL + RCPT + chunk)
        self.assertEqual(client.send(b"BDAT 50 LAST\r\n" + b"x" * 50), replies.KEPT)
        client.send(MAIL + RCPT + chunk)
        client.send(b"BDAT 51\r\n" + b"x" * 20)
        self.assertEqual(self.drop.reserved, 0)
        self.assertEqual(client.send(b"x" * 31), replies.TOO_BIG)
        self.assertEqual(client.codes(b"BDAT 2 LAST\r\nab", b"NOOP\r\n"), [503, 250])
        self.assertEqual(len(self.drop.mails), 1)

    def test_huge(self) -> None:
        """A chunk said to be larger than any memory is read and not kept."""
        client = self.greeted()
        client.send(MAIL + RCPT + b"BDAT 99999999999999999999\r\n")
        client.send(*[b"x" * 65536] * 10)
        self.assertEqual(self.drop.most_reserved, 0)

    def test_memory_full(self) -> None:
        """If there is no room for a chunk, all of the mail is dropped and 452 told."""
        for cuts in ([], [20]):
            self.drop.room = 50
            client = self.greeted()
            client.send(MAIL + RCPT + b"BDAT 30\r\n" + b"x" * 30)
            said = client.send(*cut(b"BDAT 25\r\n" + b"x" * 25, cuts))
            self.assertEqual(said, replies.MEMORY_FULL)
            self.assertEqual(self.drop.reserved, 0)
            self.assertEqual(client.codes(b"BDAT 0 LAST\r\n"), [503])
            client.hang_up()

    def test_reserved(self) -> None:
        """Chunks are charged from their first octets to the delivery."""
        client = self.greeted()
        client.send(MAIL + RCPT + b"BDAT 30\r\n" + b"x" * 10)
        self.assertEqual(self.drop.reserved, 10)
        client.send(b"x" * 20)
        self.assertEqual(self.drop.reserved, 30)
        client.send(b"BDAT 30 LAST\r\n" + b"x" * 10)
        self.assertEqual(self.drop.reserved, 40)
        client.send(b"x" * 20)
        self.assertEqual(self.drop.reserved, 0)

    def test_connection_lost(self) -> None:
        """Of a mail without its last chunk nothing is delivered, and nothing is left."""
        for chunk in (b"BDAT 3\r\nabc", b"BDAT 3\r\na", b"BDAT 3 LAST\r\na"):
            client = self.greeted()
            client.send(MAIL + RCPT + chunk)
            client.hang_up()
            self.assertEqual((self.drop.reserved, self.drop.mails), (0, []))

    def test_many_empty_chunks(self) -> None:
        """Chunks of nothing take no memory, however many they are."""
        client = self.greeted()
        client.send(MAIL + RCPT, *[b"BDAT 0\r\n"] * 1000)
        transaction = client.session.intake.transaction
        assert transaction is not None
        self.assertLessEqual(len(transaction.chunks or ()), 1)


class PipelineTests(ReceiverTestCase):
    """Commands in groups (RFC 2920)."""

    def test_one_write(self) -> None:
        """The answers to one segment leave in one write, in the order of the commands."""
        client = self.greeted()
        client.line.writes = []
        client.session.dataReceived(MAIL + RCPT + b"VRFY\r\nRCPT TO:<x\r\n" + DATA)
        self.assertEqual([codes(said) for said in client.line.writes], [[250, 250, 501, 501, 354]])

    def test_many_mails(self) -> None:
        """A client that does not wait for anything has all of its mails kept."""
        client = self.greeted()
        stream = b"".join(OPENED + b"%d\r\n.\r\n" % number for number in range(200))
        self.assertEqual(client.codes(stream + b"QUIT\r\n"), [250, 250, 354, 250] * 200 + [221])
        self.assertEqual(self.drop.kept, [b"%d\r\n" % number for number in range(200)])
