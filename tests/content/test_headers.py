"""Header blocks, fields as text, addresses, parameters, names of files."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.addresses import mailboxes
from tempmail.content.filenames import MAX_NAME_OCTETS, Names, ending_for, safe_name
from tempmail.content.headers import (
    block_end,
    clean,
    clean_identity,
    declared_charset,
    decode_words,
    fields,
    raw_text,
    readable,
    unbase64,
    when,
)
from tempmail.content.part import decoded, decoded_size, structured
from tempmail.content.reading import Mailbox

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def is_clean(text: str) -> bool:
    """No control, no surrogate, nothing that turns the direction of text."""
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in BIDI
        for character in text
    )


class BlockTests(SynchronousTestCase):
    """Where the header ends, and its fields."""

    def body(self, octets: bytes) -> bytes:
        """What follows the header block."""
        return octets[block_end(octets)[1] :]

    def test_ends_at_empty_line(self) -> None:
        """The first empty line separates header and body, with LF and CRLF alike."""
        self.assertEqual(self.body(b"A: b\r\nC: d\r\n\r\nbody\r\n\r\n"), b"body\r\n\r\n")
        self.assertEqual(self.body(b"A: b\nC: d\n\nbody"), b"body")
        self.assertEqual(self.body(b"A: b\r\n\nbody"), b"body")

    def test_only_header(self) -> None:
        """Without an empty line all fields are header and there is no body."""
        self.assertEqual(self.body(b"A: b\r\nC: d\r\n"), b"")

    def test_no_header(self) -> None:
        """What does not begin like a field is body from the first octet."""
        for octets in (b"hello\n\nyou", b" a: b\n\n", b"\x00\xff", b"a b: c\n\nd", b""):
            self.assertEqual(self.body(octets), octets)
        self.assertEqual(self.body(b"\r\nhello"), b"hello")

    def test_missing_separator(self) -> None:
        """A line that is no field ends the header where no field is known to follow."""
        self.assertEqual(self.body(b"Subject: x\nhello\nyou"), b"hello\nyou")
        self.assertEqual(self.body(b"Subject: x\nhello\n\nyou"), b"hello\n\nyou")

    def test_damaged_line(self) -> None:
        """A damaged line between fields costs nothing but itself."""
        octets = b"Subject: x\nbroken line\nFrom: a@b.c\n\nhello"
        self.assertEqual(self.body(octets), b"hello")
        self.assertEqual([name for name, _ in fields(octets[:-5])], [b"Subject", b"From"])

    def test_folded_fields(self) -> None:
        """A field goes on over lines that begin with white space; folding is taken out."""
        found = list(fields(b"A: b\r\n c\r\n\td\r\nE : f\r\nG:\r\n"))
        self.assertEqual([name for name, _ in found], [b"A", b"E", b"G"])
        self.assertEqual([raw_text(value) for _, value in found], ["b c\td", "f", ""])


class WordTests(SynchronousTestCase):
    """RFC 2047 and raw 8-bit text."""

    def test_encoded_words(self) -> None:
        """The examples of RFC 2047 section 8 read as it says."""
        for text, expected in (
            ("=?ISO-8859-1?Q?a?=", "a"),
            ("=?ISO-8859-1?Q?a?= b", "a b"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a_b?=", "a b"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
            ("=?utf-8*en?q?=E2=82=AC_=5F?=", "€ _"),
            ("Re: =?UTF-8?B?w6k=?= ok", "Re: é ok"),
            ("=?utf-8?Q?with space?=", "with space"),
            ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
            ("=?utf-8?Q?open", "=?utf-8?Q?open"),
            ("a =?= b", "a =?= b"),
        ):
            self.assertEqual(decode_words(text), expected, text)

    def test_character_cut_in_two(self) -> None:
        """Neighbours are put together before they are decoded, as cut characters need."""
        self.assertEqual(decode_words("=?utf-8?B?w6?= =?utf-8?B?w6nDqQ==?="), "\ufffdéé")
        self.assertEqual(decode_words("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?="), "é")
        self.assertEqual(decode_words("=?gb2312?B?xA==?= =?GB2312?B?4w==?="), "你")

    def test_wrong_words(self) -> None:
        """Wrong charsets and broken base64 give what they can."""
        self.assertEqual(decode_words("=?zlib?B?w6k=?="), "é")
        self.assertEqual(decode_words("=?unknown?Q?=E9?="), "é")
        self.assertEqual(decode_words("=?utf-8?B?SGVsbG8?="), "Hello")
        self.assertEqual(decode_words("=?utf-8?B?SGV!sbG8=xx?="), "Hello")
        self.assertEqual(decode_words("=?utf-8?B?A?="), "")

    def test_raw_octets(self) -> None:
        """Raw 8-bit headers are UTF-8, else in the charset the mail names, else Windows-1252."""
        self.assertEqual(raw_text("Grüße".encode()), "Grüße")
        self.assertEqual(raw_text("Привет".encode("koi8-r"), "koi8-r"), "Привет")
        self.assertEqual(raw_text("Grüße".encode("cp1252")), "Grüße")
        self.assertEqual(raw_text("確認".encode("iso2022_jp")), "確認")
        self.assertEqual(declared_charset(b'charset=utf-8\r\n charset="KOI8-R"'), "KOI8-R")
        self.assertEqual(declared_charset(b"charset=zlib"), "")

    def test_no_smuggled_lines(self) -> None:
        """Encoded line breaks become a space; other controls go."""
        self.assertEqual(readable(b"=?utf-8?Q?a=0D=0ABcc:_x@y?="), "a Bcc: x@y")
        self.assertEqual(readable(b"=?utf-8?Q?a=00b=1B[31mc=7F=C2=85d?="), "ab[31mc d")

    def test_direction(self) -> None:
        """Nothing in a header reorders text; right-to-left text and its marks stay."""
        self.assertEqual(clean(f"a{BIDI}b"), "ab")
        self.assertEqual(clean("שלום\u200f!"), "שלום\u200f!")
        self.assertEqual(clean_identity("שלום\u200f!\u200b"), "שלום!")

    @settings(deadline=None)
    @given(st.binary(max_size=200), st.sampled_from(["", "koi8-r", "zlib", "utf-16"]))
    def test_any_value_is_clean(self, octets: bytes, hint: str) -> None:
        """Any octets make a clean line that UTF-8 can hold."""
        for value in (octets, b"=?utf-8?B?" + octets + b"?=", b"=?utf-7?Q?" + octets + b"?="):
            text = readable(value, hint)
            text.encode("utf-8")
            self.assertTrue(is_clean(text), text)


class DateTests(SynchronousTestCase):
    """``Date``."""

    def test_dates(self) -> None:
        """RFC 5322 dates, obsolete ones and ISO 8601 are read; without a zone they are UTC."""
        expected = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
        east = expected.astimezone(timezone(timedelta(hours=9)))
        for text in (
            "Tue, 2 Jan 2024 03:04:05 +0000",
            "Tue, 2 Jan 2024 12:04:05 +0900 (JST)",
            "2 Jan 2024 03:04:05 GMT",
            "Tue, 02 Jan 24 03:04:05 -0000",
            "2024-01-02T03:04:05Z",
            "2024-01-02 03:04:05",
            east.isoformat(),
        ):
            self.assertEqual(when(text), expected, text)

    def test_impossible_dates(self) -> None:
        """What is no date, or none that can be put into UTC, is none."""
        for text in (
            "",
            "yesterday",
            "32 Jan 2024 00:00:00 +0000",
            "0001-01-01T00:00:00+14:00",
            "31 Dec 9999 23:59:59 -1200",
            "Tue, 2 Jan 2024 03:04:05 +99999999",
            "1 " * 100_000,
            "\x00",
        ):
            self.assertIsNone(when(text), text[:50])

    @given(st.text(max_size=60))
    def test_any_text(self, text: str) -> None:
        """No text makes it raise, and any date is aware."""
        date = when(text)
        self.assertTrue(date is None or date.tzinfo is not None)


class AddressTests(SynchronousTestCase):
    """Address headers, right and wrong."""

    def test_one(self) -> None:
        """The forms one mailbox is written in."""
        for text, name, address in (
            ("a@b.c", "", "a@b.c"),
            ("<a@b.c>", "", "a@b.c"),
            ("Ann Lee <a@b.c>", "Ann Lee", "a@b.c"),
            ('"Lee, Ann" <a@b.c>', "Lee, Ann", "a@b.c"),
            ('"A \\"B\\" C" <a@b.c>', 'A "B" C', "a@b.c"),
            ("=?utf-8?B?w6k=?= <a@b.c>", "é", "a@b.c"),
            ('"=?utf-8?Q?a=2Cb?=" <a@b.c>', "a,b", "a@b.c"),
            ("a@b.c (Ann (x) Lee)", "Ann x Lee", "a@b.c"),
            ('"john doe"@b.c', "", '"john doe"@b.c'),
            ('X <"john doe"@b.c>', "X", '"john doe"@b.c'),
            ("<@relay,@other:a@b.c>", "", "a@b.c"),
            ("用户 <用户@例子.中国>", "用户", "用户@例子.中国"),
            ("a@[IPv6:::1]", "", "a@[IPv6:::1]"),
            ("root", "", "root"),
            ("John Doe", "John Doe", ""),
            ("John a@b.c", "John", "a@b.c"),
            ('"never closed <a@b.c>', "never closed", "a@b.c"),
            ("never (closed <a@b.c>", "never closed", "a@b.c"),
            ("a @ b . c", "", "a@b.c"),
            ('"bank@good.com" <x@evil.com>', "bank@good.com", "x@evil.com"),
            ("=?utf-8?Q?Ann_=3Ca=40b.c=3E?=", "Ann", "a@b.c"),
            ("\u202egpj <a\u202e@b\u200b.c>", "gpj", "a@b.c"),
        ):
            self.assertEqual(mailboxes(text), (Mailbox(name, address),), text)

    def test_several(self) -> None:
        """Lists, groups, empty places and Outlook's semicolons."""
        three = (Mailbox("", "a@b.c"), Mailbox("D", "d@e.f"), Mailbox("", "g@h.i"))
        for text in (
            "a@b.c, D <d@e.f>, g@h.i",
            "a@b.c; D <d@e.f>; g@h.i",
            ",,a@b.c,, D <d@e.f>,\t,g@h.i,",
            "Group: a@b.c, D <d@e.f>; g@h.i",
        ):
            self.assertEqual(mailboxes(text), three, text)

    def test_nobody(self) -> None:
        """Empty groups, empty brackets and separators are nobody."""
        for text in ("", "undisclosed-recipients:;", "<>", ",;,", ":", "()", '""', "<<>>"):
            self.assertEqual(mailboxes(text), (), text)

    def test_encoded_address_does_not_count(self) -> None:
        """An encoded word in the place of an address is not decoded into one."""
        (found,) = mailboxes("Ann <=?utf-8?Q?x=40evil.com?=>")
        self.assertNotIn("x@evil.com", found.address)

    @settings(deadline=None)
    @given(st.text(alphabet='ab@.<>()",;:\\ =?\u202e\n', max_size=80))
    def test_any_text(self, text: str) -> None:
        """No text makes it raise, or answer anything but clean names and addresses."""
        for found in mailboxes(text):
            self.assertTrue(found.name or found.address)
            self.assertTrue(is_clean(found.name) and is_clean(found.address))


class ParameterTests(SynchronousTestCase):
    """RFC 2045 and RFC 2231 parameters."""

    def parameter(self, text: str, name: str = "filename") -> str | None:
        """One parameter of a field."""
        return structured(text)[1].get(name)

    def test_file_names(self) -> None:
        """Every way in which senders write a name that is not ASCII."""
        for text, expected in (
            ("x; filename=a.txt", "a.txt"),
            ('x; filename="a;b.txt"', "a;b.txt"),
            ('x; filename="a\\"b.txt"', 'a"b.txt'),
            ('x; filename="C:\\dir\\a.txt"', "C:\\dir\\a.txt"),
            ("x; filename=a b.txt; y=z", "a b.txt"),
            ("x; filename*=utf-8''%C3%A9.txt", "é.txt"),
            ("x; filename*=UTF-8'en'%e2%82%ac", "€"),
            ("x; filename*=iso-2022-jp''%1B$B%24%22%1B(B", "あ"),
            ("x; filename=fallback; filename*=utf-8''%C3%A9", "é"),
            ("x; filename*=utf-8''%C3%A9; filename=fallback", "é"),
            ("x; filename*0*=utf-8''a%C3; filename*1*=%A9b; filename*2=.txt", "aéb.txt"),
            ('x; filename*1="b.txt"; filename*0="a"', "ab.txt"),
            ("x; filename*=no-charset%20name", "no-charset name"),
            ('x; filename="=?utf-8?B?w6k=?=.txt"', "é.txt"),
            ("x; filename==?utf-8?Q?=C3=A9?=", "é"),
            ('x; filename="never closed.txt', "never closed.txt"),
            ("x; FileName = spaced.txt ", "spaced.txt"),
            ("x;filename=first;filename=second", "first"),
            ("x;;; filename=a.txt;;", "a.txt"),
            ("x; =y; filename", ""),
            ("x; filename*=a; filename*0=b; filename=c", "c"),
        ):
            self.assertEqual(self.parameter(text), expected, text)

    def test_value(self) -> None:
        """The value is lower case, without comments."""
        self.assertEqual(structured("Text/Plain (x); charset=a")[0], "text/plain")
        self.assertEqual(structured("")[0], "")

    @settings(deadline=None)
    @given(st.text(alphabet="ab*0123;=\"'%C\\ \u20ac", max_size=80))
    def test_any_text(self, text: str) -> None:
        """No text makes it raise, and every value can be written as UTF-8."""
        for value in structured(text)[1].values():
            value.encode("utf-8")


class FileNameTests(SynchronousTestCase):
    """Names that are safe to save."""

    def test_dangerous_names(self) -> None:
        """Paths, devices, hidden files, turned endings and forbidden signs are made harmless."""
        for proposed, expected in (
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\a.dll", "a.dll"),
            ("dir/", "dir"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com¹.log", "_com¹.log"),
            ("console.txt", "console.txt"),
            (".bashrc", "bashrc"),
            ("...", ""),
            ("a.txt. .", "a.txt"),
            ("  a.txt  ", "a.txt"),
            ("photo\u202egpj.exe", "photogpj.exe"),
            ("a\r\nX: y\x00.txt", "a X_ y.txt"),
            ('a<b>c:d"e|f?g*h.txt', "a_b_c_d_e_f_g_h.txt"),
            ("e\u0301.txt", "é.txt"),
            ("报告 (最终).docx", "报告 (最终).docx"),
            ("תמונה.png", "תמונה.png"),
        ):
            self.assertEqual(safe_name(proposed), expected, proposed)

    def test_long_names(self) -> None:
        """A long name is cut in octets, between characters, and keeps its ending."""
        for character in ("a", "é", "漢", "😀"):
            name = safe_name(character * 300 + ".tar.gz")
            self.assertLessEqual(len(name.encode()), MAX_NAME_OCTETS)
            self.assertTrue(name.endswith(".gz"), name)
            self.assertNotIn("\ufffd", name)
        self.assertLessEqual(len(safe_name("a." + "b" * 300).encode()), MAX_NAME_OCTETS)

    def test_unique(self) -> None:
        """No two names of one mail are equal, also where case does not count."""
        names = Names()
        given_out = [names.give(one, "a/b", 1) for one in ("a.txt", "A.TXT", "a (2).txt", "a.txt")]
        self.assertEqual(len({one.casefold() for one in given_out}), 4)
        self.assertEqual(given_out[0], "a.txt")
        self.assertTrue(all(one.lower().endswith(".txt") for one in given_out))

    def test_nameless(self) -> None:
        """What has no name gets one by its place and type."""
        names = Names()
        self.assertEqual(names.give("", "application/pdf", 1), "attachment-1.pdf")
        self.assertEqual(names.give("...", "image/png", 2), "attachment-2.png")
        self.assertEqual(names.give("", "text/calendar", 3), "invite.ics")
        self.assertEqual(names.give("", "x/y", 4), "attachment-4.bin")
        self.assertEqual(ending_for("text/x-log"), ".txt")

    @settings(deadline=None)
    @given(st.lists(st.text(max_size=40), max_size=8))
    def test_any_names(self, proposed: list[str]) -> None:
        """Whatever is proposed, names are clean, not empty, not too long, and all different."""
        names = Names()
        given_out = [names.give(one, "a/b", place) for place, one in enumerate(proposed, 1)]
        self.assertEqual(len({one.casefold() for one in given_out}), len(proposed))
        for name in given_out:
            self.assertTrue(name and is_clean(name), name)
            self.assertLessEqual(len(name.encode()), MAX_NAME_OCTETS + 10)
            self.assertFalse(set(name) & set('/\\<>:"|?*'), name)
            self.assertEqual(name, name.strip(". "))


class TransferTests(SynchronousTestCase):
    """Transfer encodings."""

    def test_base64(self) -> None:
        """Foreign characters are skipped, padding ends it and may be missing."""
        for encoded in (
            b"SGVsbG8=",
            b"SGVs\r\nbG8=\r\n",
            b"SGV!s bG8",
            b"SGVsbG8=SGVs",
            b"SGVsbG8==",
        ):
            self.assertEqual(unbase64(encoded), b"Hello", encoded)
        for encoded in (b"", b"A", b"=", b"====", b"!!!"):
            self.assertEqual(unbase64(encoded), b"", encoded)

    def test_quoted_printable(self) -> None:
        """Escapes and soft breaks are undone, wrong escapes stay."""
        octets = b"caf=C3=A9 =\r\nx=3d =ZZ =\n"
        self.assertEqual(decoded(octets, "quoted-printable"), b"caf\xc3\xa9 x= =ZZ ")

    def test_line_ends(self) -> None:
        """Quoted-printable leaves line ends as they were sent."""
        self.assertEqual(decoded(b"a\nb\r\nc", "quoted-printable"), b"a\nb\r\nc")

    def test_unknown(self) -> None:
        """An encoding that is not in RFC 2045 is none, old x-uuencode too."""
        for encoding in ("x-own", "x-uuencode"):
            self.assertEqual(decoded(b"begin 644 x\n#86)C=3D", encoding), b"begin 644 x\n#86)C=3D")

    @given(
        st.binary(max_size=200),
        st.sampled_from(["base64", "quoted-printable", "x-uuencode", "", "x"]),
    )
    def test_size(self, octets: bytes, encoding: str) -> None:
        """The size is that of the content, which any octets have."""
        self.assertEqual(decoded_size(octets, encoding), len(decoded(octets, encoding)))
