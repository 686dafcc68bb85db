"""Where a mail ends, and what is kept of it."""

from __future__ import annotations

import time

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.errors import MemoryFull, MessageTooBig
from tempmail.smtp.framing import ChunkFrame, DataFrame, put_behind
from tests.smtp.support import cut, ways

END = b"\r\n.\r\n"
MUCH = 2**62
# What a mail is made of that wants to end too early or too late.
_BITS = [b"\r", b"\n", b".", b"\r\n", b"\r\n.", b".\r\n", b"\r\n..", b"\0", b"a", b"\xff", b"MAIL"]
octets = st.lists(st.sampled_from(_BITS), max_size=30).map(b"".join)
places = st.lists(st.integers(0, 1000), max_size=12)


def stuffed(mail: bytes) -> bytes:
    """A mail as a client sends it (RFC 5321 section 4.5.2), its end included."""
    lines = mail.split(b"\r\n")
    return b"\r\n".join(b"." + line if line[:1] == b"." else line for line in lines) + b".\r\n"


def received(stream: bytes) -> tuple[bytes, bytes] | None:
    """The mail at the beginning of a stream and what is behind it, read line by line."""
    lines: list[bytes] = []
    position = 0
    while True:
        end = stream.find(b"\r\n", position)
        if end < 0:
            return None
        line, position = stream[position:end], end + 2
        if line == b".":
            return b"".join(lines), stream[position:]
        lines.append((line[1:] if line[:1] == b"." else line) + b"\r\n")


def feed(frame: DataFrame | ChunkFrame, pieces: list[bytes]) -> bytes:
    """Feed what is not done yet; returns what the frame left behind it."""
    rest = b""
    for piece in pieces:
        if frame.done:
            rest += piece
        else:
            rest += piece[frame.feed(piece, 0) :]
    return rest


class DataFrameTests(SynchronousTestCase):
    """``DataFrame``."""

    @settings(deadline=None)
    @given(octets, octets, places)
    @example(b"", b"", [])
    @example(b".\r\n", b".\r\n", [1, 2, 3, 4, 5, 6])
    @example(b"a\r\n.", b"QUIT\r\n", [3, 4])
    def test_kept_is_sent(self, mail: bytes, behind: bytes, cuts: list[int]) -> None:
        """However the stream is cut, the octets kept are those sent, and no others are taken."""
        if mail and not mail.endswith(b"\r\n"):
            mail += b"\r\n"
        frame = DataFrame(MUCH)
        rest = feed(frame, cut(stuffed(mail) + behind, cuts))
        self.assertTrue(frame.done)
        self.assertEqual((bytes(frame.octets()), rest), (mail, behind))

    @settings(deadline=None)
    @given(octets, places)
    @example(b".\r\n", [])
    @example(b"\r\n.\r\n.\r\n", [])
    @example(b"\r.\r\n.\r\n", [2])
    @example(b"a\r\n.\r\n.\r\n.\r\n", [])
    def test_any_stream(self, stream: bytes, cuts: list[int]) -> None:
        """Of any stream at all, the same is taken as by reading it line by line."""
        frame = DataFrame(MUCH)
        rest = feed(frame, cut(stream, cuts))
        expected = received(stream)
        self.assertEqual((bytes(frame.octets()), rest) if frame.done else None, expected)

    def test_every_cut(self) -> None:
        """An end, stuffed dots and what is behind it are found across any cut."""
        stream = b"..\r\r\n...\r\n\r\n.\n.\r\n.\rx\r\n.\r\nQUIT\r\n"
        expected = received(stream)
        for pieces in ways(stream):
            frame = DataFrame(MUCH)
            rest = feed(frame, pieces)
            self.assertEqual((bytes(frame.octets()), rest), expected, pieces)

    def test_only_one_end(self) -> None:
        """Only <CRLF>.<CRLF> ends a mail (CVE-2023-51764, -51765, -51766)."""
        ends = (b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\r\n\0", b"\0\r\n", b"\x85", b"")
        for before in ends:
            for after in ends:
                if (before[-2:], after[:2]) == (b"\r\n", b"\r\n"):
                    continue
                sent = b"a" + before + b"." + after + b"b"
                frame = DataFrame(MUCH)
                feed(frame, [sent])
                self.assertFalse(frame.done, sent)
                self.assertEqual(feed(frame, [END]), b"")
                undotted = b"a" + before + after + b"b" if before[-2:] == b"\r\n" else sent
                self.assertEqual(bytes(frame.octets()), undotted + b"\r\n")

    def test_limit(self) -> None:
        """A mail of just the limit is not refused by its frame, three octets more always are."""
        for mail in (b"x" * 98 + b"\r\n", b"\r\n." * 33 + b"\r\n"):
            size = len(mail)
            for limit, refused in ((size, False), (size - 3, True)):
                for pieces in ways(stuffed(mail)):
                    frame = DataFrame(limit)
                    feed(frame, pieces)
                    self.assertTrue(frame.done)
                    self.assertEqual(isinstance(frame.refusal, MessageTooBig), refused, pieces)
                    self.assertEqual(bytes(frame.octets()), b"" if refused else mail)

    @settings(deadline=None)
    @given(st.integers(0, 60), st.integers(0, 12), places)
    def test_stuffed_dots_do_not_count(self, limit: int, dots: int, cuts: list[int]) -> None:
        """Octets are counted after taking out stuffed dots (RFC 1870 section 6.1)."""
        mail = b".\r\n" * dots
        frame = DataFrame(limit)
        feed(frame, cut(stuffed(mail), cuts))
        if len(mail) <= limit:
            self.assertIsNone(frame.refusal)
            self.assertEqual(bytes(frame.octets()), mail)
        if len(mail) > limit + 2:
            self.assertIsNotNone(frame.refusal)

    def test_refused(self) -> None:
        """Nothing of a refused mail is kept, and it ends where it ends."""
        frame = DataFrame(MUCH)
        frame.feed(b"abc\r\n", 0)
        frame.refuse(MemoryFull())
        rest = feed(frame, [b"d" * 1000, b"\r\n.\r", b"\nQUIT\r\n"])
        self.assertTrue(frame.done)
        self.assertEqual((bytes(frame.octets()), rest), (b"", b"QUIT\r\n"))

    def test_many_mails_at_once(self) -> None:
        """A read full of small mails costs in proportion to its size."""

        def seconds(mails: int) -> float:
            stream = b"x\r\n.\r\n" * mails
            best = 9.9
            for _ in range(3):
                position, began = 0, time.process_time()
                while position < len(stream):
                    frame = DataFrame(MUCH)
                    position = frame.feed(stream, position)
                    self.assertTrue(frame.done)
                best = min(best, time.process_time() - began)
            return best

        self.assertLess(seconds(16_000), 8 * seconds(4_000))


class ChunkFrameTests(SynchronousTestCase):
    """``ChunkFrame``."""

    @settings(deadline=None)
    @given(octets, octets, places)
    def test_exact(self, chunk: bytes, behind: bytes, cuts: list[int]) -> None:
        """Any octets are taken, as many as were announced, however they are cut."""
        frame = ChunkFrame(len(chunk))
        rest = feed(frame, cut(chunk + behind, cuts))
        self.assertTrue(frame.done)
        self.assertEqual((bytes(frame.octets()), rest), (chunk, behind))

    def test_short(self) -> None:
        """A chunk is not done before its last octet."""
        frame = ChunkFrame(5)
        feed(frame, [b"\r\n.", b"\r"])
        self.assertFalse(frame.done)
        feed(frame, [b"\n"])
        self.assertTrue(frame.done)

    def test_nothing(self) -> None:
        """A chunk of no octets is done at once."""
        self.assertTrue(ChunkFrame(0).done)

    def test_refused(self) -> None:
        """A refused chunk is read to its end and not kept."""
        frame = ChunkFrame(10)
        frame.feed(b"12345", 0)
        frame.refuse(MemoryFull())
        self.assertEqual(frame.feed(b"67890QUIT\r\n", 0), 5)
        self.assertTrue(frame.done)
        self.assertEqual(bytes(frame.octets()), b"")


class PieceTests(SynchronousTestCase):
    """``put_behind``."""

    def test_small_pieces(self) -> None:
        """What comes in two octets at a time is held in few objects, and in order."""
        pieces: list[bytes] = []
        for number in range(50_000):
            put_behind(pieces, b"%02d" % (number % 100))
        self.assertLess(len(pieces), 50)
        self.assertEqual(b"".join(pieces), b"".join(b"%02d" % n for n in range(100)) * 500)

    def test_large_pieces(self) -> None:
        """Large pieces are not copied."""
        large = [b"x" * 65536, b"y" * 65536]
        pieces: list[bytes] = []
        for piece in large:
            put_behind(pieces, piece)
        self.assertIs(pieces[0], large[0])
        self.assertIs(pieces[1], large[1])
