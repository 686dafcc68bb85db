"""Answers that come later: their order, and what may happen meanwhile."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tempmail.core.errors import NoSuchMailbox
from tempmail.core.limits import MAX_PIPELINED_OCTETS, Limits
from tempmail.smtp import replies
from tests.smtp.support import DATA, MAIL, OPENED, RCPT, ReceiverTestCase

BODY = b"x\r\n.\r\n"
# As much as may wait, in commands of 64 octets.
NOOP = b"NOOP " + b"x" * 57 + b"\r\n"
FULL = NOOP * (MAX_PIPELINED_OCTETS // len(NOOP))


class LateTests(ReceiverTestCase):
    """A post office that takes its time."""

    def pending_check(self) -> Deferred[None]:
        answer: Deferred[None] = Deferred()
        self.drop.checks.append(answer)
        return answer

    def pending_delivery(self) -> Deferred[None]:
        answer: Deferred[None] = Deferred()
        self.drop.deliveries.append(answer)
        return answer

    def test_order(self) -> None:
        """Behind a recipient that is being checked nothing is answered before it is."""
        first, second = self.pending_check(), self.pending_check()
        client = self.greeted()
        stream = MAIL + RCPT + b"VRFY x\r\n" + RCPT + DATA + BODY + b"NOOP\r\nQUIT\r\n"
        self.assertEqual(client.codes(stream), [250])
        first.callback(None)
        self.assertEqual(client.codes(), [250, 252])
        second.errback(NoSuchMailbox("no"))
        self.assertEqual(client.codes(), [550, 354, 250, 250, 221])
        self.assertEqual(len(self.drop.mails), 1)

    def test_octet_by_octet(self) -> None:
        """What comes meanwhile waits, in whatever pieces it comes."""
        answer = self.pending_check()
        client = self.greeted()
        stream = MAIL + RCPT + RCPT + DATA + BODY + b"VRFY x\r\n"
        self.assertEqual(client.codes(*[bytes([octet]) for octet in stream]), [250])
        answer.callback(None)
        self.assertEqual(client.codes(), [250, 250, 354, 250, 252])

    def test_quit_behind_the_dot(self) -> None:
        """A QUIT behind a mail waits for its answer, so the sender knows it was kept."""
        answer = self.pending_delivery()
        client = self.greeted()
        self.assertEqual(client.codes(OPENED + BODY + b"QUIT\r\n"), [250, 250, 354])
        self.assertFalse(client.line.closed)
        answer.callback(None)
        self.assertEqual(client.send(), replies.KEPT + replies.BYE)
        self.assertTrue(client.line.disconnecting)

    def test_reset_behind_a_recipient(self) -> None:
        """A recipient accepted late belongs to its own transaction, never to the next."""
        answer = self.pending_check()
        client = self.greeted()
        client.send(MAIL + RCPT + b"RSET\r\n" + MAIL + DATA)
        answer.callback(None)
        self.assertEqual(client.codes(), [250, 250, 250, 554])

    def test_lost_while_a_recipient_is_checked(self) -> None:
        """If the connection goes meanwhile, the answer goes nowhere and does no harm."""
        for result in (None, NoSuchMailbox("no")):
            answer = self.pending_check()
            client = self.greeted()
            client.send(MAIL + RCPT + DATA + BODY)
            client.hang_up()
            if result is None:
                answer.callback(None)
            else:
                answer.errback(result)
            self.assertEqual((client.heard(), self.drop.mails), (b"", []))

    def test_lost_while_a_mail_is_kept(self) -> None:
        """The same behind a mail; a defect is still told to us."""
        answer = self.pending_delivery()
        client = self.greeted()
        client.send(OPENED + BODY)
        client.hang_up()
        answer.errback(ZeroDivisionError())
        self.assertEqual(client.heard(), b"")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_late_defect(self) -> None:
        """A post office that breaks late is a 451 in its place, and the session goes on."""
        check, delivery = self.pending_check(), self.pending_delivery()
        client = self.greeted()
        client.send(MAIL + RCPT + RCPT + DATA + BODY + b"NOOP\r\n")
        check.errback(ZeroDivisionError())
        self.assertEqual(client.codes(), [451, 250, 354])
        delivery.errback(ZeroDivisionError())
        self.assertEqual(client.codes(), [451, 250])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_answers_of_other_kinds(self) -> None:
        """What a post office that breaks the rules answers is a 451, too."""
        chained: Deferred[None] = Deferred()
        self.drop.checks = [chained]
        waiting: Deferred[None] = Deferred()
        chained.addCallback(lambda _: waiting)
        chained.callback(None)
        client = self.greeted()
        self.assertEqual(client.codes(MAIL + RCPT), [250])
        waiting.callback(None)
        self.assertEqual(client.codes(), [250])

    def test_never(self) -> None:
        """A session that waits for the post office is not called idle, nor its mail slow."""
        answer = self.pending_delivery()
        client = self.greeted()
        client.send(OPENED + BODY)
        self.pass_time(2 * self.limits.session_timeout)
        self.assertEqual(client.heard(), b"")
        self.assertFalse(client.line.closed)
        answer.callback(None)
        self.assertEqual(client.heard(), replies.KEPT)

    def test_late_is_not_idle(self) -> None:
        """The client's silence begins with the answer, not with what it said last."""
        answer = self.pending_delivery()
        client = self.greeted()
        client.send(OPENED + BODY)
        self.pass_time(self.limits.idle_timeout * 2)
        answer.callback(None)
        client.heard()
        self.pass_time(self.limits.idle_timeout)
        self.assertEqual(client.codes(b"NOOP\r\n"), [250])

    def test_much_input(self) -> None:
        """What comes meanwhile is bounded: beyond that the connection is not read from."""
        answer = self.pending_check()
        client = self.greeted()
        client.send(MAIL + RCPT)
        client.send(FULL)
        self.assertFalse(client.line.paused)
        client.send(NOOP)
        self.assertTrue(client.line.paused)
        answer.callback(None)
        self.assertFalse(client.line.paused)
        self.assertEqual(len(client.codes()), 2 + len(FULL) // len(NOOP))

    def test_much_input_and_another_wait(self) -> None:
        """It is read again only when all that waited was taken."""
        first, second = self.pending_check(), self.pending_check()
        client = self.greeted()
        client.send(MAIL + RCPT + RCPT + FULL)
        client.send(NOOP)
        self.assertTrue(client.line.paused)
        first.callback(None)
        self.assertTrue(client.line.paused)
        second.callback(None)
        self.assertFalse(client.line.paused)

    def test_peer_that_does_not_read(self) -> None:
        """A late answer does not make us read from a peer that takes no answers."""
        answer = self.pending_check()
        client = self.greeted()
        client.send(MAIL + RCPT + FULL + NOOP)
        client.session.wire.pauseProducing()
        answer.callback(None)
        self.assertTrue(client.line.paused)
        client.session.wire.resumeProducing()
        self.assertFalse(client.line.paused)

    def test_peer_that_reads_again(self) -> None:
        """A peer that takes answers again is not read from while its input has to wait."""
        answer = self.pending_check()
        client = self.greeted()
        client.send(MAIL + RCPT + FULL + NOOP)
        client.session.wire.pauseProducing()
        client.send(b"NOOP\r\n")
        client.session.wire.resumeProducing()
        self.assertTrue(client.line.paused)
        answer.callback(None)
        self.assertFalse(client.line.paused)

    def test_long_line_meanwhile(self) -> None:
        """A line too long that came meanwhile is refused once, when its turn comes."""
        answer = self.pending_check()
        client = self.greeted()
        client.send(MAIL + RCPT, b"x" * 3000, b"y" * 3000)
        answer.callback(None)
        self.assertEqual(client.codes(), [250, 500])
        self.assertEqual(client.codes(b"z\r\nNOOP\r\n"), [250])


class LateErrorTests(ReceiverTestCase):
    """The last error, told late."""

    limits = Limits(max_errors=1)

    def test_last_error(self) -> None:
        """An error that comes late counts like any other, and may be the last."""
        answer: Deferred[None] = Deferred()
        self.drop.checks = [answer]
        client = self.greeted()
        client.send(MAIL + RCPT + b"NOOP\r\n")
        answer.errback(NoSuchMailbox("no"))
        self.assertEqual(client.heard(), replies.NO_SUCH_MAILBOX + replies.TOO_MANY_ERRORS)
        self.assertTrue(client.line.half_closed)


class HalfClosedTests(ReceiverTestCase):
    """A client that sends everything, closes its side, and reads the answers."""

    def test_answered(self) -> None:
        """What it sent before is answered, and then the connection ends."""
        client = self.greeted()
        said = client.codes(OPENED + BODY)
        client.stop_sending()
        self.assertEqual(said, [250, 250, 354, 250])
        self.assertTrue(client.line.disconnecting)

    def test_answered_late(self) -> None:
        """The same if the post office takes its time: no mail is lost by it."""
        check: Deferred[None] = Deferred()
        delivery: Deferred[None] = Deferred()
        self.drop.checks, self.drop.deliveries = [check], [delivery]
        client = self.greeted()
        client.send(OPENED + BODY + b"NOOP\r\n")
        client.stop_sending()
        self.assertFalse(client.line.closed)
        check.callback(None)
        self.assertFalse(client.line.closed)
        delivery.callback(None)
        self.assertEqual(client.codes(), [250, 354, 250, 250])
        self.assertTrue(client.line.disconnecting)

    def test_behind_quit(self) -> None:
        """A client that closes behind its QUIT gets its answer first."""
        delivery: Deferred[None] = Deferred()
        self.drop.deliveries = [delivery]
        client = self.greeted()
        client.send(OPENED + BODY + b"QUIT\r\n")
        client.stop_sending()
        delivery.callback(None)
        self.assertEqual(client.send(), replies.KEPT + replies.BYE)
        self.assertTrue(client.line.disconnecting)
