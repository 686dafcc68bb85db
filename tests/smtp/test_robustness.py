"""Whatever a client says: it is answered, nothing breaks, nothing is left."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from tempmail.core.errors import MemoryFull, NoSuchMailbox
from tempmail.core.limits import Limits
from tests.fuzz import law, tried_for_long
from tests.smtp.support import Answer, Raised, ReceiverTestCase, codes, cut

PATHS = [
    b"<a@b.test>",
    b"<bob@tempmail.test>",
    b"<>",
    b"<postmaster>",
    b"a@b.test",
    b'<"a b"@qa.test>',
    b"<a@[192.0.2.1]>",
    "<jörg@bücher.example>".encode(),
    b"<@x.test:a@b.test>",
    b"<a@>",
    b"<",
    b"",
    b"\xff",
]
PARAMETERS = [
    b"",
    b" SIZE=10",
    b" SIZE=9999",
    b" BODY=8BITMIME",
    b" SMTPUTF8",
    b" AUTH=<>",
    b" X=",
    b" Y",
]
WORDS = [
    b"HELO x",
    b"EHLO x",
    b"DATA",
    b"RSET",
    b"NOOP",
    b"VRFY x",
    b"HELP",
    b"EXPN",
    b"AUTH",
    b"AUTH PLAIN",
    b"AUTH LOGIN YW5u",
    b"YW5u",
    b"*",
    b"STARTTLS",
]

lines = st.one_of(
    st.sampled_from(
        [*WORDS, b"", b"\0", b"x" * 3000, b"QUITS", b"ehlo y", b"data ", b"MAIL", b"RCPT TO"]
    ),
    st.builds(
        b"MAIL FROM:%b%b".__mod__, st.tuples(st.sampled_from(PATHS), st.sampled_from(PARAMETERS))
    ),
    st.builds(
        b"RCPT TO:%b%b".__mod__, st.tuples(st.sampled_from(PATHS), st.sampled_from(PARAMETERS))
    ),
)
ends = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\r\n"])
# What a client says in one breath: a line, a chunk, a mail, or the way to one.
breaths = st.one_of(
    st.builds(bytes.__add__, lines, ends),
    st.builds(
        lambda chunk, last: b"BDAT %d%s\r\n%s" % (len(chunk), last, chunk),
        st.binary(max_size=150),
        st.sampled_from([b"", b" LAST", b" last", b" X"]),
    ),
    st.builds(lambda body: b"DATA\r\n%s\r\n.\r\n" % body, st.binary(max_size=150)),
    st.just(b"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@tempmail.test>\r\n"),
    st.binary(max_size=40),
)
refusals = st.sampled_from(
    [None, None, None, NoSuchMailbox("no"), MemoryFull("no"), ZeroDivisionError(), Raised()]
)


class RandomTests(ReceiverTestCase):
    """Sessions made up by chance."""

    limits = Limits(max_message_size=100, max_errors=1000, max_recipients=3)

    def setUp(self) -> None:
        super().setUp()
        self.factory.any_login = True

    def converse(self, said: list[bytes], cuts: list[int], close: bool) -> bytes:
        """All a client hears who says this."""
        client = self.connect()
        heard = client.send(*cut(b"".join(said), cuts))
        if close:
            client.stop_sending()
        heard += client.heard()
        self.assertEqual(client.session.busy, False)
        client.hang_up()
        self.assertEqual(self.drop.reserved, 0)
        self.clients.clear()
        return heard

    @tried_for_long
    @law
    @given(
        st.lists(breaths, max_size=15),
        st.lists(st.integers(0, 5000), max_size=10),
        st.booleans(),
        st.lists(refusals, max_size=5),
        st.lists(refusals, max_size=5),
        st.sampled_from([2**62, 60, 0]),
    )
    @example([b"BDAT 5\r\nabcde", b"BDAT 0 LAST\r\n"], [], False, [], [], 0)
    def test_any_session(
        self,
        said: list[bytes],
        cuts: list[int],
        close: bool,
        checks: list[Answer],
        deliveries: list[Answer],
        room: int,
    ) -> None:
        """Any session is answered in well-formed lines, the same however its stream is cut."""
        self.drop.room = room
        heard = []
        for places in ([], cuts):
            self.drop.checks, self.drop.deliveries = list(checks), list(deliveries)
            self.drop.mails = []
            heard.append((codes(self.converse(said, places, close)), self.drop.kept))
        self.flushLoggedErrors(ZeroDivisionError, Raised)
        self.assertLessEqual({code // 100 for code in heard[0][0]}, {2, 3, 4, 5})
        if room == 2**62:
            # How much of a mail comes at a time decides whether the memory was full meanwhile.
            self.assertEqual(heard[0], heard[1])

    @tried_for_long
    @law
    @given(
        st.lists(breaths, max_size=15),
        st.lists(st.integers(0, 5000), max_size=10),
        st.lists(st.sampled_from([None, NoSuchMailbox("no")]), max_size=20),
    )
    def test_late_answers(self, said: list[bytes], cuts: list[int], results: list[Answer]) -> None:
        """A session is answered the same if each answer of the post office comes late."""
        heard = []
        for late in (False, True):
            self.drop.mails = []
            self.drop.checks = list(results)
            pending: list[tuple[Deferred[None], Answer]] = []
            if late:
                pending = [(Deferred(), result) for result in results]
                self.drop.checks = [answer for answer, _ in pending]
            client = self.connect()
            octets = client.send(*cut(b"".join(said), cuts))
            for answer, result in pending:
                if isinstance(result, Exception):
                    answer.errback(result)
                else:
                    answer.callback(None)
                octets += client.heard()
            client.hang_up()
            self.clients.clear()
            for answer, _ in pending:
                answer.addErrback(lambda _: None)
            heard.append((octets, self.drop.kept))
        self.assertEqual(heard[0], heard[1])

    @tried_for_long
    @law
    @given(st.binary(max_size=3000), st.lists(st.integers(0, 5000), max_size=10))
    def test_any_octets(self, said: bytes, cuts: list[int]) -> None:
        """Any octets at all are answered in well-formed lines, and break nothing."""
        codes(self.converse([said], cuts, True))

    @tried_for_long
    @law
    @given(st.lists(st.tuples(lines, ends), min_size=1, max_size=20))
    def test_each_line_has_its_answer(self, said: list[tuple[bytes, bytes]]) -> None:
        """Each line is answered once, unless it begins a mail or the session is over."""
        client = self.greeted()
        for line, _ in said:
            if client.session.over or client.session.intake.frame is not None:
                break
            if b"\n" not in line:
                self.assertEqual(len(client.codes(line + b"\r\n")), 1, line)
