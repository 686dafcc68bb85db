"""A store's contents to octets and back, one record at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from msgspec import DecodeError
from msgspec.msgpack import Decoder, Encoder

from tempmail.clock import Moment
from tempmail.core.address import Address
from tempmail.core.kept import Kept, KeptMail, KeptMailbox
from tempmail.snapshot.frames import Damaged, FrameWriter, read_frames
from tempmail.snapshot.records import End, Head, MailboxRecord, MailRecord, Record

Renew = Callable[[KeptMailbox], KeptMailbox]

_encode = Encoder().encode
_decode = Decoder(Record).decode


def dump(stream: BinaryIO, kept: Kept, now: Moment) -> None:
    """Write everything."""
    frames = FrameWriter(stream)
    frames.write(_encode(Head.of(now, kept.sequence)))
    for one in kept.contents:
        record = MailboxRecord.of(one) if isinstance(one, KeptMailbox) else MailRecord.of(one)
        frames.write(_encode(record))
    frames.write(_encode(End(frames.count)))


def load(stream: BinaryIO, size: int, now: Moment, renew: Renew) -> Kept:
    """What was written to a stream of ``size`` octets, its times on the clock of ``now``.

    ``renew`` says what each mailbox is today. Raises
    :exc:`~tempmail.snapshot.frames.Damaged`, also while its contents are gone through: they are
    good only if all of them came.
    """
    records = _records(stream, size)
    head = next(records, None)
    if not isinstance(head, Head):
        raise Damaged("it does not begin as a snapshot does")
    shift = now.shift_since(head.moment())
    return Kept(head.sequence, _Contents(shift, renew).read(records))


def _records(stream: BinaryIO, size: int) -> Iterator[Record]:
    for number, frame in enumerate(read_frames(stream, size)):
        try:
            yield _decode(frame)
        except (DecodeError, UnicodeError):
            # What msgspec says of it may quote it.
            raise Damaged(f"record {number} is not what it should be") from None


class _Contents:
    """The records between head and end as the domain's values, and whether they fit together."""

    def __init__(self, shift: float, renew: Renew) -> None:
        self._shift = shift
        self._renew = renew
        self._addresses: dict[str, Address] = {}
        # What the next message of a mailbox, which is older, must stay below.
        self._below: dict[str, int] = {}

    def read(self, records: Iterator[Record]) -> Iterator[KeptMailbox | KeptMail]:
        mail_began = False
        for number, record in enumerate(records, start=1):
            if isinstance(record, MailboxRecord) and not mail_began:
                yield self._mailbox(record, number)
            elif isinstance(record, MailRecord):
                mail_began = True
                yield self._mail(record, number)
            elif isinstance(record, End) and record.records == number:
                if next(records, None) is not None:
                    raise Damaged("something stands behind its end")
                return
            else:
                raise Damaged(f"record {number} is out of place")
        raise Damaged("its end is missing")

    def _mailbox(self, record: MailboxRecord, number: int) -> KeptMailbox:
        kept = record.kept(self._shift)
        key = kept.address.key
        if key in self._addresses:
            raise Damaged(f"the mailbox in record {number} is there twice")
        self._addresses[key] = kept.address
        self._below[key] = kept.sequence + 1
        return self._renew(kept)

    def _mail(self, record: MailRecord, number: int) -> KeptMail:
        try:
            mail = record.kept(self._shift, self._addresses)
        except LookupError:
            raise Damaged(f"the mail in record {number} belongs to no mailbox") from None
        for key, message in mail.copies:
            if message.sequence >= self._below[key]:
                raise Damaged(f"the mail in record {number} is out of order")
            self._below[key] = message.sequence
        return mail
