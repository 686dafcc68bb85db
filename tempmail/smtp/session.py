"""One SMTP session: octets in, answers out, in order and within bounds.

``twisted.mail.smtp.ESMTP`` gives the type; how it cuts lines, dispatches and answers is replaced,
because it runs lines of a mail as commands, loses the order of answers and bounds nothing
(docs/smtp.md lists each point and what is done instead). What a client sends is taken whole
segments at a time, and the answers to one segment leave in one write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.mail.smtp import ESMTP
from twisted.python.failure import Failure
from zope.interface import implementer

from tempmail.connection import read_at_a_time
from tempmail.core.errors import TempmailError
from tempmail.core.limits import (
    COMMAND_READ_OCTETS,
    DATA_READ_OCTETS,
    MAIL_READ_OCTETS,
    MAX_COMMAND_OCTETS,
    MAX_PIPELINED_OCTETS,
)
from tempmail.smtp import replies
from tempmail.smtp.allowance import Allowance
from tempmail.smtp.commands import COMMANDS, Command, is_foreign, refuse_line, skip, take_line
from tempmail.smtp.delivery import FrameEnd, Intake, Transaction
from tempmail.smtp.dialogue import Dialogue
from tempmail.smtp.framing import Frame
from tempmail.smtp.refusals import note_sender, tell_named, tell_recipients
from tempmail.smtp.wire import Wire

if TYPE_CHECKING:
    from tempmail.smtp.factory import SessionFactory

_FOUR, _FIVE = ord("4"), ord("5")
# Before any time on the factory's clock.
_NOT_YET = -1.0


@implementer(IHandshakeListener, IHalfCloseableProtocol)
class Session(ESMTP):
    """The server's side of one SMTP connection.

    Input waits in ``_input`` while an answer is pending (``busy``), so answers keep the order of
    commands; once ``over`` the last answer is given, and whatever still comes is thrown away.
    """

    log = Logger()
    transport: Any
    factory: SessionFactory
    # Where the session is written down, if an operator asked for that.
    dialogue: Dialogue | None = None

    def __init__(self, factory: SessionFactory, peer: str) -> None:
        # ESMTP's own __init__ sets up what is replaced here.
        self.factory = factory
        self.drop = factory.drop
        self.peer = peer
        self.helo: str | None = None
        self.extended = False
        self.intake = Intake()
        # The last command line, which the answer now due is to.
        self.line = b""
        # Who takes the next line, where that is no command.
        self.expected: Command | None = None
        self.busy = self.over = False
        # What the factory's sweep looks at; seconds on its clock. ``heard_at`` is negative while a
        # TLS handshake is not done.
        self.began_at = self.heard_at = factory.now
        self.frame_began_at = self.handshake_began_at = 0.0
        self.over_at: float | None = None
        self._input = b""
        # Whether input may be taken: no answer is pending, and the end is not near.
        self._taking = True
        self.logged_in = self._tls_asked = False
        # Why the end is near: the server closes, the client has nothing more to say.
        self._closing = self._heard_all = False
        self._hasty = False
        self._errors = 0
        self.allowance = Allowance(factory)

    # --- what Twisted calls ---

    def connectionMade(self) -> None:
        self.wire = Wire(self.transport)
        read_at_a_time(self.transport, COMMAND_READ_OCTETS)
        self._send = self.wire.send
        if self.factory.aloud:
            self.dialogue = Dialogue(COMMANDS.__contains__, self._send)
            self.dialogue.begin(self.peer)
            self._send = self.dialogue.send
        if self.wire.secure:
            self._await_handshake()
        if self.wire.proxied:
            # Not the proxy's address.
            self.peer = ""
        refusal = self.factory.admit(self)
        if refusal is None:
            self._send(self.factory.greeting)
        else:
            self._send(self._cut_off(refusal, hasty=not self.factory.crowded))
            self._hang_up()

    def dataReceived(self, data: bytes) -> None:
        self.heard_at = self.factory.now
        if self._input:
            data = self._input + data
        if self._taking:
            if self.intake.frame is None and data.find(b"\n") + 1 == len(data):
                self._process_line(data)
            else:
                self._process(data)
        elif self.busy and not self.over:
            self._input = data
            if len(data) > MAX_PIPELINED_OCTETS:
                self.wire.hold()

    def handshakeCompleted(self) -> None:
        """The TLS handshake is done."""
        self.heard_at = self.factory.now
        if not self.over:
            self.wire.watch()

    def readConnectionLost(self) -> None:
        """The client sends no more; what it sent is answered all the same."""
        self._heard_all = True
        if not self.busy or self.over:
            self._hang_up()

    def writeConnectionLost(self) -> None:
        """Our side is closed, as we wished."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._let_go()
        if self.dialogue is not None:
            self.dialogue.end()
        self.factory.left(self)

    # --- the stream ---

    def _process_line(self, line: bytes) -> None:
        """Take one whole line, which is what a client that does not pipeline sends."""
        self._input = b""
        answer = take_line(self, line)
        if answer is not None:
            self._send(answer if answer[0] < _FOUR else self._refuse(answer))
        if not self._taking or self._closing:
            self._after_answers()

    def _process(self, data: bytes) -> None:
        """Take commands and mail from what came in, as far as it goes."""
        answers: list[bytes] = []
        intake, position, end = self.intake, 0, len(data)
        while position < end and self._taking:
            frame = intake.frame
            if frame is None:
                line_end = data.find(b"\n", position) + 1
                if not line_end:
                    break
                answer = take_line(self, data[position:line_end])
                position = line_end
            else:
                position = frame.feed(data, position)
                answer = self._check_frame(frame)
            if answer is not None:
                answers.append(answer if answer[0] < _FOUR else self._refuse(answer))
        self._input = self._leftover(data[position:], answers) if position < end else b""
        if answers:
            self._send(b"".join(answers))
        if not self._taking or self._closing:
            self._after_answers()

    def _leftover(self, rest: bytes, answers: list[bytes]) -> bytes:
        """What to keep of input that could not be taken yet."""
        if self.over or self._tls_asked:
            # What was sent in plain text behind STARTTLS was not sent under TLS (CVE-2011-0411).
            return b""
        if self.busy:
            return rest
        if self.expected is skip:
            return b""
        if len(rest) <= MAX_COMMAND_OCTETS and not is_foreign(rest):
            return rest
        self.line = b""
        answer = refuse_line(self, rest, replies.LINE_TOO_LONG)
        answers.append(answer if answer[0] < _FOUR else self._refuse(answer))
        self.expected = skip
        return b""

    def _refuse(self, answer: bytes) -> bytes:
        """A 4yz or 5yz answer to a line or a mail, and the end behind one 5yz too many."""
        self.factory.traffic.refuse(answer)
        note_sender(self, self.line, answer)
        tell_named(self, self.line, answer)
        if self.over:
            self._give_up(answer)
        elif answer[0] == _FIVE:
            self._errors += 1
            if self._errors >= self.drop.limits.max_errors:
                return answer + self._cut_off(replies.TOO_MANY_ERRORS)
        return answer

    def _cut_off(self, last: bytes, hasty: bool = True) -> bytes:
        """The session's end, and that of a mail under way with it."""
        self.factory.traffic.refuse(last)
        self._give_up(last)
        return self.end(last, hasty)

    def _give_up(self, reply: bytes) -> None:
        """Drop the mail under way, after telling those whom it was for."""
        tell_recipients(self, self.intake.transaction, reply)
        self.intake.forget()

    def _after_answers(self) -> None:
        """What has to wait until the answers are on their way."""
        if self._tls_asked:
            self._tls_asked, self._taking = False, True
            self.logged_in = False
            self.forget_all()
            self._await_handshake()
            self.wire.start_tls(self.factory.tls)
        elif self.over:
            self._hang_up()
        elif self._closing and not self.busy and self.intake.idle:
            self.end_with(replies.SHUTTING_DOWN)

    # --- answers that come later ---

    def settle(
        self,
        result: Deferred[Any],
        accepted: Callable[[], bytes],
        transaction: Transaction | None = None,
    ) -> bytes | None:
        """The answer to give for ``result``: now if it is there, else when it comes (None).

        ``transaction`` is whose mail a refusal would be of.
        """
        if result.called and not result.paused:
            outcome = result.result
            if not isinstance(outcome, Failure):
                return accepted()
            result.addErrback(lambda _: None)
            return self._refusal(outcome, transaction)
        self.busy, self._taking = True, False
        answer = result.addCallback(lambda _: accepted()).addErrback(self._refusal, transaction)
        answer.addCallback(self._answer_late).addErrback(self._fall)
        return None

    def _refusal(self, failure: Failure, transaction: Transaction | None) -> bytes:
        error = failure.value
        if not isinstance(error, TempmailError):
            self.log.failure("the post office failed", failure)
        return tell_recipients(self, transaction, replies.for_error(error))

    def _answer_late(self, answer: bytes) -> None:
        self.busy = False
        if self.over:
            return
        # While it waited for us the client had no reason to say anything.
        self._taking, self.heard_at = True, self.factory.now
        self._send(answer if answer[0] < _FOUR else self._refuse(answer))
        waiting, self._input = self._input, b""
        self._process(waiting)
        if not self.busy and not self.over:
            if self._heard_all:
                self._hang_up()
            else:
                self.wire.go_on()

    def _fall(self, failure: Failure) -> None:
        self.log.failure("an SMTP session failed", failure)
        self.transport.abortConnection()

    # --- octets of a mail ---

    def receive(self, frame: Frame, framed: FrameEnd) -> bytes | None:
        """What comes next belongs to ``frame``; ``framed`` gives the answer when it is done."""
        self.frame_began_at = self.factory.now
        self.intake.receive(frame, framed)
        return self._check_frame(frame)

    def _check_frame(self, frame: Frame) -> bytes | None:
        if frame.done:
            self.factory.traffic.octets += frame.size
            read_at_a_time(self.transport, COMMAND_READ_OCTETS)
            return self.intake.finish(frame)
        if frame.size:
            # It is no small mail, so let the next reads be large ones.
            read_at_a_time(self.transport, DATA_READ_OCTETS)
            self.intake.charge(frame)
        else:
            read_at_a_time(self.transport, MAIL_READ_OCTETS)
        return None

    # --- state ---

    def greet(self, name: str, extended: bool) -> bytes | None:
        """The client said who it is; everything before is forgotten (RFC 5321 section 4.1.4).

        Returns the refusal where only now is known that it has too many connections.
        """
        self.forget_all()
        self.helo, self.extended = name, extended
        refusal = self.find_peer()
        return None if refusal is None else self.end(refusal, hasty=True)

    def find_peer(self) -> bytes | None:
        """Ask a proxy whose connection this is; returns the refusal where he has too many."""
        if self.wire.proxied and self.wire.peer != self.peer:
            self.peer = self.wire.peer
            if self.dialogue is not None:
                self.dialogue.begin(self.peer)
            return self.factory.recount(self)
        return None

    def forget_all(self) -> None:
        """Drop all the client said so far."""
        self.intake.forget()
        self.helo, self.extended = None, False

    def ask_tls(self) -> bool:
        """Start TLS behind the present answer, if that can be."""
        if self.factory.tls is None or not self.wire.can_start_tls:
            return False
        self._tls_asked, self._taking = True, False
        return True

    def _await_handshake(self) -> None:
        self.handshake_began_at, self.heard_at = self.factory.now, _NOT_YET

    # --- the end ---

    def end(self, last: bytes, hasty: bool = False) -> bytes:
        """No more commands after this answer; ``hasty`` where the client does not expect it."""
        self.over, self._taking, self._hasty = True, False, hasty
        return last

    def end_with(self, last: bytes) -> None:
        """Say this, unasked, and hang up."""
        if not self.over:
            self._send(self._cut_off(last))
            self._hang_up()

    def close_when_idle(self) -> None:
        """Say goodbye now, or behind the transaction in flight. Who guesses is in none."""
        self._closing = True
        if self.allowance.held_back or (not self.busy and self.intake.idle):
            self.end_with(replies.SHUTTING_DOWN)

    def _hang_up(self) -> None:
        self.over_at = self.factory.now
        self._let_go()
        self.wire.close(half=self._hasty and not self._heard_all)

    def _let_go(self) -> None:
        self.over, self._taking = True, False
        self._input = b""
        if self.intake.frame is not None:
            self.factory.traffic.octets += self.intake.frame.size
        if self.intake.in_the_middle:
            self.factory.traffic.lost += 1
            self._give_up(b"")
        self.intake.let_go()
        self.allowance.let_go()
