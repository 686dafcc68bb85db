"""Records one behind the other, and a checksum with each over all that stands before it.

A line that names the format and its version; then for each record eight octets of length, four of
checksum (CRC-32 of everything up to here but the checksums; all big endian) and the record. So a
change, a gap or another order anywhere shows at the next record; that the last one is there is for
the records to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from zlib import crc32

VERSION = 1

_LENGTH, _SUM = 8, 4
_LINE = b"tempmail snapshot %d\n"
_KNOWN_LINE = re.compile(rb"tempmail snapshot (\d{1,9})\n").fullmatch
_LONGEST_LINE = 40


class Damaged(Exception):
    """This can not be used as a snapshot; the text says why, and quotes nothing of it."""


class FrameWriter:
    """Writes records to a stream; ``count`` of them so far."""

    def __init__(self, stream: BinaryIO) -> None:
        self.count = 0
        self._stream = stream
        line = _LINE % VERSION
        self._sum = crc32(line)
        stream.write(line)

    def write(self, record: bytes) -> None:
        """Put one record behind those before."""
        length = len(record).to_bytes(_LENGTH, "big")
        self._sum = crc32(record, crc32(length, self._sum))
        self._stream.write(length + self._sum.to_bytes(_SUM, "big"))
        self._stream.write(record)
        self.count += 1


def read_frames(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The records of a stream of ``size`` octets, one at a time. Raises :exc:`Damaged`."""
    line = stream.readline(_LONGEST_LINE)
    found = _KNOWN_LINE(line)
    if found is None:
        raise Damaged("it is no snapshot")
    if int(found[1]) != VERSION:
        raise Damaged(f"it is of version {int(found[1])}, and this server reads {VERSION}")
    checksum, left, count = crc32(line), size - len(line), 0
    while left:
        head = stream.read(_LENGTH + _SUM)
        length = int.from_bytes(head[:_LENGTH], "big")
        left -= _LENGTH + _SUM + length
        record = stream.read(length) if left >= 0 else b""
        if left < 0 or len(record) < length:
            raise Damaged(f"it ends in record {count}")
        checksum = crc32(record, crc32(head[:_LENGTH], checksum))
        if checksum != int.from_bytes(head[_LENGTH:], "big"):
            raise Damaged(f"record {count} is damaged")
        yield record
        count += 1
