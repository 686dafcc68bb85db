"""Paths and parameters of MAIL and RCPT."""

from __future__ import annotations

import contextlib
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import MAX_COMMAND_OCTETS, MAX_PATH_OCTETS
from tempmail.smtp.paths import (
    NULL,
    BadParameters,
    BadPath,
    Path,
    parse_parameters,
    parse_path,
)

# What is written, its local part, its domain, and what is left behind it.
GOOD: list[tuple[bytes, str, str, bytes]] = [
    (b"<a@b.test>", "a", "b.test", b""),
    (b"<a@b.test> SIZE=1", "a", "b.test", b" SIZE=1"),
    (b"<A.b+c@B.Test>", "A.b+c", "B.Test", b""),
    (b"<!#$%&'*+-/=?^_`{|}~@b.test>", "!#$%&'*+-/=?^_`{|}~", "b.test", b""),
    (b"<a@localhost>", "a", "localhost", b""),
    (b"<a@xn--bcher-kva.example>", "a", "xn--bcher-kva.example", b""),
    (b"<a@a--b.a_b.1.example>", "a", "a--b.a_b.1.example", b""),
    (b"<postmaster>", "postmaster", "", b""),
    # Quoted local parts (RFC 5321 section 4.1.2)
    (b'<"a"@b.test>', "a", "b.test", b""),
    (b'<"a b"@b.test>', "a b", "b.test", b""),
    (b'<"a@c>d"@b.test> X', "a@c>d", "b.test", b" X"),
    (b'<"a\\"b\\\\c"@b.test>', 'a"b\\c', "b.test", b""),
    (b'<"a..b."@b.test>', "a..b.", "b.test", b""),
    (b'<"\\a"@b.test>', "a", "b.test", b""),
    (b'<"postmaster">', "postmaster", "", b""),
    # Address literals (RFC 5321 section 4.1.3)
    (b"<a@[192.0.2.1]>", "a", "[192.0.2.1]", b""),
    (b"<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]", b""),
    (b"<a@[tag:some-thing]>", "a", "[tag:some-thing]", b""),
    # UTF-8 (RFC 6531)
    ("<jörg@bücher.example>".encode(), "jörg", "bücher.example", b""),
    ('<"jörg @"@b.test>'.encode(), "jörg @", "b.test", b""),
    # Source routes are read and forgotten (RFC 5321 appendix C)
    (b"<@one.test:a@b.test>", "a", "b.test", b""),
    (b"<@one.test,@two.test:a@b.test>", "a", "b.test", b""),
    # What stays literal, however other systems once relayed by it
    (b"<a%other.test@b.test>", "a%other.test", "b.test", b""),
    (b"<other.test!a@b.test>", "other.test!a", "b.test", b""),
    # Without brackets, as some devices write
    (b"a@b.test", "a", "b.test", b""),
    (b"a@b.test SIZE=1", "a", "b.test", b" SIZE=1"),
    (b'"a b"@b.test SIZE=1', "a b", "b.test", b" SIZE=1"),
]

BAD: list[bytes] = [
    b"",
    b"<",
    b">",
    b"< >",
    b"<a@b.test",
    b"a@b.test>",
    b"<<a@b.test>>",
    b"< a@b.test>",
    b"<a@b.test >",
    b"<a b@b.test>",
    b"<a@>",
    b'<"a"@>',
    b"<@b.test>",
    b"<@>",
    b"<.a@b.test>",
    b"<a.@b.test>",
    b"<a..b@b.test>",
    b"<a@b@c.test>",
    b"<a@b..test>",
    b"<a@.>",
    b"<a@.b.test>",
    b"<a@b.test.>",
    b"<a@-b.test>",
    b"<a@b-.test>",
    b"<a@b test>",
    b"<a@b,c.test>",
    b"<a(comment)@b.test>",
    b"<Ann <a@b.test>>",
    b"<a,c@b.test>",
    b"<a:c@b.test>",
    # Quotes
    b'<""@b.test>',
    b'<"a@b.test>',
    b'<"a"b@b.test>',
    b'<a"b"@b.test>',
    b'<"a\\"@b.test>',
    b'<"a"."b"@b.test>',
    # Controls, in quotes and out of them, ASCII and not
    b"<a\tb@b.test>",
    b'<"a\tb"@b.test>',
    b'<"a\x1bb"@b.test>',
    b'<"a\\\x07b"@b.test>',
    b'<"a\x7fb"@b.test>',
    b"<a\x01@b.test>",
    "<a\x85b@b.test>".encode(),
    '<"a\u2028b"@b.test>'.encode(),
    "<a@b\x9f.test>".encode(),
    # Not UTF-8
    b"<j\xf6rg@b.test>",
    b"<a@b\xfccher.test>",
    b"<\xed\xa0\x80@b.test>",
    b"<\xc0\xaf@b.test>",
    # Literals
    b"<a@[]>",
    b"<a@[192.0.2.1>",
    b"<a@[1[2]>",
    b"<a@[a b]>",
    b"<a@[\\]>",
    b"<a@[192.0.2.1]x>",
    # Routes
    b"<@one.test>",
    b"<@one.test:>",
    b"<@:a@b.test>",
    b"<@one.test,two.test:a@b.test>",
    b"<@one.test,:a@b.test>",
    # Longer than a path can be
    b"<" + b"a" * MAX_PATH_OCTETS + b"@b.test>",
    b'<"' + b"a " * MAX_PATH_OCTETS + b'"@b.test>',
    b"<a@" + b"b." * MAX_PATH_OCTETS + b"test>",
]


class PathTests(SynchronousTestCase):
    """``parse_path``."""

    def test_good(self) -> None:
        """A path is read as RFC 5321 section 4.1.2 and RFC 6531 section 3.3 write it."""
        for written, local, domain, behind in GOOD:
            path, rest = parse_path(written)
            self.assertEqual((path.local, path.domain, rest), (local, domain, behind), written)
            self.assertEqual(path.ascii, (local + domain).isascii(), written)

    def test_bad(self) -> None:
        """Everything else is no path."""
        for written in BAD:
            self.assertRaises(BadPath, parse_path, written)

    def test_null(self) -> None:
        """The null sender is a path of its own."""
        self.assertEqual(parse_path(b"<> SIZE=1"), (NULL, b" SIZE=1"))
        self.assertEqual(str(NULL), "")

    def test_longest(self) -> None:
        """A path of just the longest local part and domain is read."""
        domain = b".".join([b"b" * 63] * 4)
        path, _ = parse_path(b"<" + b"a" * 64 + b"@" + domain + b">")
        self.assertEqual(len(str(path)), MAX_PATH_OCTETS)

    def test_text(self) -> None:
        """As text, a path is quoted where it has to be and nowhere else."""
        for written, text in (
            (b"<a.b@b.test>", "a.b@b.test"),
            (b'<"a.b"@b.test>', "a.b@b.test"),
            (b'<"a b"@b.test>', '"a b"@b.test'),
            (b'<"a\\"\\\\@c"@b.test>', '"a\\"\\\\@c"@b.test'),
            (b"<@one.test:a@b.test>", "a@b.test"),
        ):
            self.assertEqual(str(parse_path(written)[0]), text)

    @settings(deadline=None)
    @given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20))
    def test_quoting(self, local: str) -> None:
        """What a path is as text is read as the same path."""
        written = local.replace("\\", "\\\\").replace('"', '\\"')
        path, rest = parse_path(f'<"{written}"@b.test>'.encode())
        self.assertEqual((path.local, rest), (local, b""))
        again, _ = parse_path(f"<{path}>".encode())
        self.assertEqual(again, path)

    @settings(deadline=None)
    @given(st.binary(max_size=60) | st.text('<>@".\\[]:,;a\u00fc %!', max_size=40))
    def test_anything(self, written: bytes | str) -> None:
        """Any octets are a path or none, and nothing worse."""
        octets = written if isinstance(written, bytes) else written.encode()
        try:
            path, rest = parse_path(octets)
        except BadPath:
            return
        self.assertIsInstance(path, Path)
        self.assertTrue(octets.endswith(rest))

    def test_linear(self) -> None:
        """A hostile line of the greatest length takes a time that does not matter."""
        length = MAX_COMMAND_OCTETS
        patterns = (b"a.", b"a", b"<", b'"', b"\\", b'"\\', b"@", b"@a,", b"@a:", b"[", b".", b"-")
        for pattern in (
            *patterns,
            b"a@",
            b"a-",
            b" ",
            b">",
            b"\xc3\xbc",
            b"\xff",
            b'"a"',
            b"=",
            b"%",
        ):
            for prefix in (b"<", b'<"', b"", b"<a@", b"<@", b"<a@["):
                line = (prefix + pattern * length)[:length]
                began = time.process_time()
                for _ in range(3):
                    with contextlib.suppress(BadPath, BadParameters):
                        parse_parameters(b" " + parse_path(line)[1])
                self.assertLess(time.process_time() - began, 0.05, line[:20])


class ParameterTests(SynchronousTestCase):
    """``parse_parameters``."""

    def test_good(self) -> None:
        """Keywords come in capitals, with what is behind the sign of equality or None."""
        for written, expected in (
            (b"", {}),
            (b" ", {}),
            (b"  size=1  BODY=8bitmime ", {b"SIZE": b"1", b"BODY": b"8bitmime"}),
            (b" SMTPUTF8", {b"SMTPUTF8": None}),
            (b" AUTH=<>", {b"AUTH": b"<>"}),
            (b" X-Y=" + "ü".encode(), {b"X-Y": "ü".encode()}),
        ):
            self.assertEqual(parse_parameters(written), expected)

    def test_bad(self) -> None:
        """What is malformed or said twice is refused as a whole."""
        for written in (
            b"SIZE=1",
            b">",
            b" =1",
            b" SIZE=",
            b" SIZE=1=2",
            b" -X=1",
            b" S\xc3\xbcZE=1",
            b" SIZE=1 size=2",
            b" A=\x01",
            b" A=\x7f",
        ):
            self.assertRaises(BadParameters, parse_parameters, written)
