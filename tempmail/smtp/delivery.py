"""One mail, from MAIL to the one call of the post office that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import Factory, define
from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger

from tempmail.core.address import Address
from tempmail.core.errors import MemoryFull, MessageTooBig, ShareSpent, TempmailError
from tempmail.core.message import Envelope, Octets
from tempmail.interfaces import IMailDrop
from tempmail.smtp import replies
from tempmail.smtp.framing import Frame, put_behind
from tempmail.smtp.refusals import tell_recipients

if TYPE_CHECKING:
    from tempmail.smtp.session import Session

FrameEnd = Callable[[Frame], "bytes | None"]


@define(eq=False)
class Transaction:
    """What a client said of the mail it sends, and what the half of it that came in costs it.

    ``client`` is whose part of the memory it takes, as ``Envelope.client`` is; ``size`` the octets
    it announced (RFC 1870), 0 if it did not; ``began_at`` when it began to send them. A mailbox
    named twice is one recipient. ``chunks`` is what came by BDAT so far, None while none did.
    ``reserved`` is what the memory budget was charged; ``let_go`` gives it back, and has to be
    called at the end.
    """

    drop: IMailDrop
    client: str
    mail_from: str
    size: int = 0
    utf8: bool = False
    began_at: float = 0.0
    recipients: dict[str, Address] = Factory(dict)
    chunks: list[bytes] | None = None
    chunked_size: int = 0
    reserved: int = 0

    def check_recipient(self, address: Address) -> Deferred[None]:
        """Ask whether this mail would be taken for ``address``; fails as ``IMailDrop`` says."""
        return self.drop.check_recipient(address, self.size, self.client)

    def accept(self, address: Address) -> None:
        """The mail will go to ``address`` too."""
        self.recipients.setdefault(address.key, address)

    def charge(self, frame: Frame) -> None:
        """Charge what came in of ``frame`` and before; refuse the frame where there is no room.

        Of a refused mail nothing is kept, the chunks before included.
        """
        if frame.refusal is None:
            held = self.chunked_size + frame.size
            try:
                self.drop.reserve(held - self.reserved, self.client)
            except (MemoryFull, ShareSpent) as error:
                frame.refuse(error)
            else:
                self.reserved = held
                return
        self.let_go()

    def let_go(self) -> None:
        """Drop what was received, and give its memory back."""
        if self.chunks is not None:
            self.chunks = []
            self.chunked_size = 0
        if self.reserved:
            self.drop.release(self.reserved, self.client)
            self.reserved = 0

    def take_chunk(self, octets: bytes) -> None:
        """Put one chunk behind those before."""
        if self.chunks is None:
            self.chunks = []
        put_behind(self.chunks, octets)
        self.chunked_size += len(octets)

    def envelope(self, session: Session) -> Envelope:
        """What this mail is kept with, when it comes in this session."""
        protocol = "UTF8SMTP" if self.utf8 else "ESMTP" if session.extended else "SMTP"
        if session.wire.secure:
            protocol += "S"
        if session.logged_in:
            protocol += "A"
        return Envelope(
            mail_from=self.mail_from,
            helo=session.helo or "",
            peer=session.peer,
            tls=session.wire.secure,
            protocol=protocol,
            client=self.client,
        )

    def deliver(self, envelope: Envelope, octets: Octets) -> Deferred[None]:
        """Hand the mail over, for all recipients or for none; fails as ``IMailDrop`` says."""
        if len(octets) > self.drop.limits.max_message_size:
            return fail(MessageTooBig("the mail is larger than any mailbox takes"))
        return self.drop.deliver(envelope, list(self.recipients.values()), octets)


class Intake:
    """What a session is receiving: a transaction, and the frame that octets of its mail come in.

    Each is None where there is none. A frame can come without a transaction, for the octets behind
    a BDAT that is refused have to be read all the same. ``refused`` is the sender that MAIL named
    in vain, and the reply to it.
    """

    __slots__ = ("_framed", "frame", "refused", "transaction")
    log = Logger()

    def __init__(self) -> None:
        self.transaction: Transaction | None = None
        self.frame: Frame | None = None
        self.refused: tuple[str, bytes] | None = None
        self._framed: FrameEnd = _no_answer

    @property
    def idle(self) -> bool:
        """Whether no mail is under way."""
        return self.transaction is None and self.frame is None

    @property
    def in_the_middle(self) -> bool:
        """Whether octets of a mail are coming in, or some did and more should."""
        transaction = self.transaction
        return transaction is not None and (
            self.frame is not None or transaction.chunks is not None
        )

    def receive(self, frame: Frame, framed: FrameEnd) -> None:
        """What comes next belongs to ``frame``; ``framed`` gives the answer when it is done."""
        self.frame, self._framed = frame, framed

    def charge(self, frame: Frame) -> None:
        """Charge for a frame of which more is to come."""
        if self.transaction is not None:
            self.transaction.charge(frame)

    def finish(self, frame: Frame) -> bytes | None:
        """The answer to a frame that is done; None where it comes later."""
        # Kept any longer, it would keep the session and the whole mail.
        framed, self._framed, self.frame = self._framed, _no_answer, None
        try:
            return framed(frame)
        except Exception as error:
            self.forget()
            if not isinstance(error, TempmailError):
                self.log.failure("receiving a mail failed")
            return replies.for_error(error)

    def forget(self) -> None:
        """Drop the transaction and what was received of its mail."""
        self.refused = None
        if self.transaction is not None:
            self.transaction.let_go()
            self.transaction = None

    def let_go(self) -> None:
        """Receive nothing any more."""
        self.forget()
        self.frame, self._framed = None, _no_answer


def _no_answer(frame: Frame) -> bytes | None:
    return None


def take_mail(session: Session, transaction: Transaction, frame: Frame) -> bytes | None:
    """The answer to a mail that came by DATA."""
    session.intake.forget()
    if frame.refusal is not None:
        return tell_recipients(session, transaction, replies.for_error(frame.refusal))
    return _deliver(session, transaction, frame.octets())


def take_chunk(
    session: Session, transaction: Transaction, frame: Frame, last: bool
) -> bytes | None:
    """The answer to a chunk that came by BDAT, or to the mail it is the ``last`` of."""
    transaction.charge(frame)
    if frame.refusal is not None:
        session.intake.forget()
        return tell_recipients(session, transaction, replies.for_error(frame.refusal))
    transaction.take_chunk(bytes(frame.octets()))
    if not last:
        return replies.CHUNK_KEPT
    octets = b"".join(transaction.chunks or ())
    session.intake.forget()
    return _deliver(session, transaction, octets)


def _deliver(session: Session, transaction: Transaction, octets: Octets) -> bytes | None:
    traffic, clock = session.factory.traffic, session.factory.clock

    def accept() -> bytes:
        traffic.accepting.observe(clock.seconds() - transaction.began_at)
        return replies.KEPT

    kept = transaction.deliver(transaction.envelope(session), octets)
    return session.settle(kept, accept, transaction)
