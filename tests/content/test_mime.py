"""Octets to what a mail says."""

# ruff: noqa: RUF001 (letters of other scripts look like Latin ones, which is the point)

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.content import contents, opened
from tempmail.content.body import MAX_BODY_OCTETS
from tempmail.content.headers import readable, when
from tempmail.content.mime import Mailbox, attachment, glance, inline_pictures, read
from tempmail.content.structure import MAX_DEPTH, MAX_PARTS
from tests.content import mails
from tests.content.test_headers import is_clean

HEAD = b"From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: hello\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
# Seconds of processor time: ten times what is measured on one machine, for there are slower ones.
GENEROUS = 1.0


def names(octets: bytes) -> list[str]:
    """The names of a mail's attachments."""
    return [one.filename for one in read(octets).attachments]


class ProgrammeTests(SynchronousTestCase):
    """Mails as the common programmes write them."""

    def test_gmail(self) -> None:
        """Alternatives, an inline picture and an attachment with an encoded name."""
        reading = read(mails.GMAIL)
        self.assertEqual(reading.subject, "🎉 Reservation confirmée")
        self.assertEqual(reading.sender, Mailbox("Zoë Ann", "zoe.ann@gmail.com"))
        self.assertEqual(reading.to, (Mailbox("Bob", "bob@example.net"),))
        self.assertEqual(reading.date, datetime(2024, 1, 2, 11, 4, 5, tzinfo=UTC))
        self.assertEqual(reading.message_id, "<CAF+x=abc@mail.gmail.com>")
        self.assertTrue(reading.text.startswith("Votre réservation est confirmée.\n"))
        self.assertIn('<img src="cid:ii_lq0abc"', reading.html or "")
        picture, receipt = reading.attachments
        self.assertEqual(
            (picture.index, picture.filename, picture.content_type, picture.inline),
            (0, "logo.png", "image/png", True),
        )
        self.assertEqual((picture.size, picture.content_id), (len(mails.PNG), "ii_lq0abc"))
        self.assertEqual((receipt.index, receipt.filename, receipt.inline), (1, "reçu.pdf", False))
        self.assertEqual(receipt.content_type, "application/pdf")
        self.assertEqual(reading.defects, ())
        self.assertEqual(inline_pictures(mails.GMAIL), {"ii_lq0abc": ("image/png", mails.PNG)})

    def test_headers_in_order(self) -> None:
        """Every header is there in the order of the wire, decoded."""
        headers = read(mails.GMAIL).headers
        self.assertEqual(
            " ".join(name for name, _ in headers),
            "Delivered-To Received DKIM-Signature MIME-Version From Date Message-ID Subject To"
            " Content-Type",
        )
        self.assertEqual(dict(headers)["From"], "Zoë Ann <zoe.ann@gmail.com>")
        self.assertNotIn("\n", "".join(value for _, value in headers))

    def test_outlook(self) -> None:
        """Semicolons between addresses, ISO 8859-1 that is Windows-1252, raw 8-bit names."""
        reading = read(mails.OUTLOOK)
        self.assertEqual(reading.subject, "Angebot für München")
        self.assertEqual(reading.sender, Mailbox("Müller, Jörg", "joerg.mueller@example.com"))
        self.assertEqual([one.name for one in reading.to], ["Bob (Sales)", "Ann"])
        self.assertEqual(reading.text, "Grüße, 5€\n")
        self.assertEqual([one.inline for one in reading.attachments], [True])
        self.assertIn("image001.png@01DA3D00.12345678", inline_pictures(mails.OUTLOOK))

    def test_apple(self) -> None:
        """HTML on both sides of a picture is one HTML; the plain alternative is the text."""
        reading = read(mails.APPLE)
        self.assertEqual(reading.text, "Above\n\nBelow\n")
        html = reading.html or ""
        self.assertLess(html.index("Above"), html.index("Below"))
        self.assertEqual(names(mails.APPLE), ["Urlaub am Müritzsee.png"])
        self.assertFalse(reading.attachments[0].inline)

    def test_japanese_phone(self) -> None:
        """Raw ISO-2022-JP in the subject, vendor characters in the text, a dotty address."""
        reading = read(mails.PHONE)
        self.assertEqual(reading.subject, "確認コード")
        self.assertEqual(reading.sender, Mailbox("テスト", "taro..yamada@docomo.ne.jp"))
        self.assertEqual(reading.text, "コードは①123456\n")

    def test_bounce(self) -> None:
        """The report is the text; the status and the mail that came back are attachments."""
        reading = read(mails.BOUNCE)
        self.assertEqual(
            reading.sender, Mailbox("Mail Delivery System", "MAILER-DAEMON@mx.example.org")
        )
        self.assertEqual(reading.text, "<nobody@example.org>: user unknown\n")
        self.assertEqual(names(mails.BOUNCE), ["attachment-1.txt", "Are you there_.eml"])

    def test_invitation(self) -> None:
        """An invitation is an attachment, also among alternatives."""
        reading = read(mails.INVITATION)
        self.assertEqual(reading.text, "You are invited.\n")
        self.assertEqual(reading.html, "<p>You are invited.</p>\n")
        (invitation,) = reading.attachments
        self.assertEqual(
            (invitation.filename, invitation.content_type), ("invite.ics", "text/calendar")
        )

    def test_digest(self) -> None:
        """Mails of a digest are attachments named by their subjects; their text stays in them."""
        reading = read(mails.DIGEST)
        self.assertIn("Today's Topics", reading.text)
        self.assertTrue(reading.text.endswith("-- \nlist mailing list\n"))
        self.assertNotIn("One.", reading.text)
        self.assertEqual(names(mails.DIGEST), ["First.eml", "Second_ a_b.eml"])

    def test_newsletter(self) -> None:
        """HTML alone leaves the text empty; pictures are inline where the HTML shows them."""
        reading = read(mails.NEWSLETTER)
        self.assertEqual(reading.text, "")
        self.assertEqual([one.inline for one in reading.attachments], [True, True, False])
        self.assertEqual(set(inline_pictures(mails.NEWSLETTER)), {"logo@shop", "back@shop"})

    def test_forwarded(self) -> None:
        """Flowed paragraphs are put together; a forwarded mail is one attachment."""
        reading = read(mails.FORWARDED)
        self.assertEqual(reading.text, "A long paragraph.\n> quoted\n>not quoted\n")
        (inner,) = reading.attachments
        self.assertEqual((inner.filename, inner.content_type), ("Grüße.eml", "message/rfc822"))
        file = attachment(mails.FORWARDED, 0)
        assert file is not None
        self.assertEqual(file.attachment, inner)
        self.assertEqual(len(file.content), inner.size)
        self.assertEqual(names(file.content), ["inner.pdf"])

    def test_signed_and_encrypted(self) -> None:
        """S/MIME and PGP: what can be read is text, the rest is attachments."""
        self.assertEqual(read(mails.SIGNED).text, "Signed text.\n")
        self.assertEqual(names(mails.SIGNED), ["smime.p7s"])
        self.assertEqual(read(mails.ENCRYPTED).text, "")
        self.assertEqual(names(mails.ENCRYPTED), ["attachment-1.asc", "encrypted.asc"])
        self.assertEqual(names(mails.OPAQUE), ["smime.p7m"])
        self.assertEqual(read(mails.OPAQUE).text, "")

    def test_winmail(self) -> None:
        """Outlook's own container is an attachment beside the text."""
        self.assertEqual(read(mails.WINMAIL).text, "Привет")
        self.assertEqual(names(mails.WINMAIL), ["winmail.dat"])

    def test_list_footer(self) -> None:
        """Plain text behind HTML is in the text, and in the HTML as text."""
        reading = read(mails.FOOTER)
        self.assertEqual(reading.text, "Hello.\nUnsubscribe <here> & now")
        self.assertIn("<p>Hello.</p>", reading.html or "")
        self.assertIn("<pre>Unsubscribe &lt;here&gt; &amp; now</pre>", reading.html or "")

    def test_glance_agrees(self) -> None:
        """A glance says what reading says, as far as it says anything."""
        for name, octets in mails.ALL.items():
            seen, reading = glance(octets), read(octets)
            self.assertEqual(
                (seen.subject, seen.sender, seen.to, seen.message_id, when(seen.date)),
                (
                    reading.subject,
                    reading.sender,
                    reading.to,
                    reading.message_id,
                    reading.date,
                ),
                name,
            )
            self.assertEqual(seen.has_html, reading.html is not None, name)

    def test_no_defects(self) -> None:
        """Mails of good programmes have no defects; nor have they LF instead of CRLF."""
        for name, octets in mails.ALL.items():
            self.assertEqual(read(octets).defects, (), name)
            self.assertEqual(read(octets.replace(b"\r\n", b"\n")).text, read(octets).text, name)

    def test_readings_travel(self) -> None:
        """A reading can be sent between processes."""
        reading = read(mails.GMAIL)
        self.assertEqual(pickle.loads(pickle.dumps(reading)), reading)


class StructureTests(SynchronousTestCase):
    """Mails that are put together in unusual or wrong ways."""

    def test_plain_and_html_in_mixed(self) -> None:
        """Text and HTML that are called mixed are still text and HTML."""
        octets = (
            MIXED + b"--b\r\n\r\ntext\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--b--"
        )
        reading = read(octets)
        self.assertEqual((reading.text, reading.html), ("text", "<p>html"))

    def test_several_texts(self) -> None:
        """Texts follow each other; a later one with a name is an attachment."""
        octets = MIXED + (
            b"--b\r\n\r\none\r\n--b\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--b\r\n"
            b"Content-Type: text/plain; name=log.txt\r\n\r\nthree\r\n--b--"
        )
        self.assertEqual(read(octets).text, "one\ntwo")
        self.assertEqual(names(octets), ["log.txt"])

    def test_text_as_attachment(self) -> None:
        """Text that is called an attachment is one, also when it is all there is."""
        octets = HEAD + b"Content-Disposition: attachment; filename=a.txt\r\n\r\nhello"
        self.assertEqual((read(octets).text, names(octets)), ("", ["a.txt"]))

    def test_single_file(self) -> None:
        """A mail that is nothing but a file is an attachment without text."""
        octets = HEAD + b"Content-Type: image/png\r\n\r\nxyz"
        reading = read(octets)
        self.assertEqual((reading.text, reading.html), ("", None))
        self.assertEqual((names(octets), reading.attachments[0].size), (["attachment-1.png"], 3))

    def test_unknown_text(self) -> None:
        """A mail in some other kind of text is shown as text (RFC 2046 section 4.1.4)."""
        self.assertEqual(read(HEAD + b"Content-Type: text/markdown\r\n\r\n# Hi").text, "# Hi")

    def test_prefix_boundary(self) -> None:
        """Where a boundary begins like another (RFC 2046 section 5.1.1), no text is lost."""
        octets = HEAD + (
            b"Content-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\n"
            b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n"
            b"--abc\r\n\r\none\r\n--abc--\r\n--ab\r\n\r\ntwo\r\n--abd\r\n--ab--\r\nend"
        )
        self.assertEqual(read(octets).text, "one\ntwo")

    def test_one_boundary_for_two(self) -> None:
        """A multipart within another of the same boundary ends both, and that is said."""
        octets = MIXED + (
            b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            b"--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
        )
        self.assertEqual(read(octets).text, "one")
        self.assertIn("something may be missing", " ".join(read(octets).defects))

    def test_not_closed(self) -> None:
        """Without a last boundary the last part goes to the end, and that is said."""
        reading = read(MIXED + b"--b\r\n\r\none\r\n--b\r\nContent-Type: a/b\r\n\r\nxyz")
        self.assertEqual((reading.text, reading.attachments[0].size), ("one", 3))
        self.assertIn("not closed", " ".join(reading.defects))

    def test_inner_not_closed(self) -> None:
        """An outer boundary ends the inner multipart that was not closed."""
        octets = MIXED + (
            b"--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\none\r\n"
            b"--b\r\n\r\ntwo\r\n--b--"
        )
        self.assertEqual(read(octets).text, "one\ntwo")

    def test_boundary_never_used(self) -> None:
        """A multipart whose boundary never comes is shown as text, and that is said."""
        reading = read(MIXED + b"just text")
        self.assertEqual((reading.text, reading.attachments), ("just text", ()))
        self.assertIn("boundary", " ".join(reading.defects))

    def test_boundary_not_named(self) -> None:
        """Without a named boundary the one that can be seen counts."""
        octets = HEAD + b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\none\r\n--x--\r\n"
        self.assertEqual(read(octets).text, "one")
        self.assertIn("boundary", " ".join(read(octets).defects))

    def test_part_without_header(self) -> None:
        """A part may lack its header, its empty line and its body."""
        octets = MIXED + b"--b\r\none\r\n--b\r\n--b\r\nContent-Type: a/b\r\n--b\r\n\r\n--b--"
        reading = read(octets)
        self.assertEqual(reading.text, "one")
        self.assertEqual([one.size for one in reading.attachments], [0])

    def test_part_without_empty_line(self) -> None:
        """Text that follows the header of a part without an empty line is read."""
        for line in (b"one", b"Your code: 1", b"well-known", b"<p>one</p>", b"1 2 3"):
            for head in (b"Content-Type: text/plain\r\n", b""):
                octets = MIXED + b"--b\r\n" + head + line + b"\r\nmore\r\n\r\nend\r\n--b--\r\n"
                expected = line.decode() + "\nmore\n\nend"
                self.assertEqual(read(octets).text, expected, octets)
                self.assertIn("no empty line", " ".join(read(octets).defects))

    def test_inner_boundary_not_named(self) -> None:
        """A multipart within a multipart whose boundary is not named is text."""
        inner = b"--b\r\nContent-Type: multipart/mixed\r\n\r\n--x\r\n\r\none\r\n--x--\r\n"
        reading = read(MIXED + inner + b"--b\r\n\r\ntwo\r\n--b--")
        self.assertEqual(reading.text, "--x\n\none\n--x--\ntwo")

    def test_one_wrong_character(self) -> None:
        """Base64 with a wrong character, or with a footer, gives what it can."""
        part = b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        for encoded in (b"SGVs*bG8=", b"SGVsbG8", b"SGVsbG8=\r\n___\r\nfooter"):
            self.assertEqual(read(MIXED + part + encoded + b"\r\n--b--").text, "Hello")

    def test_forwarded_octets(self) -> None:
        """What was forwarded is given as it was sent, whatever stands in it."""
        inner = (
            b"Subject: =?utf-8?Q?a?=\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n"
            b"Content-type: Message/RFC822\r\nCONTENT-Transfer-Encoding: 8BIT\r\n\r\nSubject: b\r\n"
            b"\r\n--\r\nx =?utf-8?Q?a?= message/rfc822 \xff\r\n--d--\r\n"
        )
        part = b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner
        file = attachment(MIXED + part + b"\r\n--b--\r\n", 0)
        assert file is not None
        self.assertEqual(file.content, inner)
        self.assertEqual(file.attachment.filename, "a.eml")

    def test_words_cut_in_two(self) -> None:
        """A name of which a character is cut in two between encoded words is whole."""
        name = b'name="=?utf-8?Q?=C3?=\r\n =?utf-8?Q?=A9.txt?="'
        self.assertEqual(
            names(MIXED + b"--b\r\nContent-Type: a/b; " + name + b"\r\n\r\n"), ["é.txt"]
        )

    def test_raw_names(self) -> None:
        """Raw octets in the name of a file are UTF-8, else Windows-1252."""
        for charset in ("utf-8", "cp1252"):
            name = "Content-Type: a/b; name=für.txt".encode(charset)
            self.assertEqual(names(MIXED + b"--b\r\n" + name + b"\r\n\r\nx"), ["für.txt"])

    def test_invalid_type(self) -> None:
        """What is no type is text, or a file if it has a name."""
        self.assertEqual(read(HEAD + b"Content-Type: html;\r\n\r\nx").text, "x")
        octets = HEAD + b"Content-Type: image; name=a.png\r\n\r\nx"
        self.assertEqual(read(octets).attachments[0].content_type, "application/octet-stream")

    def test_html_charset_within(self) -> None:
        """HTML without a labelled charset is read in the one it names itself."""
        page = '<meta charset="koi8-r">Привет'.encode("koi8-r")
        self.assertIn("Привет", read(HEAD + b"Content-Type: text/html\r\n\r\n" + page).html or "")

    def test_html_that_says_utf16(self) -> None:
        """A page can not name UTF-16 within itself, so it is not in it (WHATWG HTML 13.2.3.2)."""
        octets = HEAD + b"Content-Type: text/html\r\n\r\n<meta charset=utf-16>hello"
        self.assertIn("hello", read(octets).html or "")

    def test_charset_of_raw_headers(self) -> None:
        """Raw 8-bit headers are in the charset of the text."""
        octets = "Subject: Привет\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nПока"
        reading = read(octets.encode("koi8-r"))
        self.assertEqual((reading.subject, reading.text), ("Привет", "Пока"))
        self.assertEqual(glance(octets.encode("koi8-r")).subject, "Привет")

    def test_wrong_charset_is_told(self) -> None:
        """A guessed charset is a defect in words."""
        octets = HEAD + b"Content-Type: text/plain; charset=x-none\r\n\r\n" + "Привет".encode()
        self.assertEqual(read(octets).text, "Привет")
        self.assertIn("x-none", " ".join(read(octets).defects))

    def test_controls_of_bodies(self) -> None:
        """Bodies lose controls and bare CR, and keep tabs, lines and direction."""
        octets = HEAD + "\r\na\0b\x1b[1m\tc\rd\u0085\u202ee\r\n".encode()
        self.assertEqual(read(octets).text, "ab[1m\tc\nd\u202ee\n")


class UnusualTests(SynchronousTestCase):
    """Mails that hardly are mails."""

    def test_empty(self) -> None:
        """An empty mail is read as nothing, and that is said."""
        reading = read(b"")
        self.assertEqual((reading.subject, reading.sender, reading.text), ("", None, ""))
        self.assertEqual((reading.html, reading.headers, reading.attachments), (None, (), ()))
        self.assertEqual(reading.defects, ("the mail is empty",))

    def test_no_header(self) -> None:
        """Without a header everything is text."""
        reading = read(b"just some text\r\n\r\nand more")
        self.assertEqual(reading.text, "just some text\n\nand more")
        self.assertIn("no header", reading.defects[0])

    def test_only_header(self) -> None:
        """A mail may be nothing but header."""
        for octets in (HEAD, HEAD + b"\r\n", HEAD.rstrip()):
            self.assertEqual((read(octets).subject, read(octets).text), ("hello", ""))

    def test_line_ends(self) -> None:
        """LF, CRLF, bare CR and CR CR LF all end lines."""
        for end in (b"\n", b"\r\n", b"\r", b"\r\r\n"):
            octets = (HEAD + b"X: y\r\n\r\none\r\ntwo").replace(b"\r\n", end)
            self.assertEqual((read(octets).subject, read(octets).text), ("hello", "one\ntwo"), end)

    def test_mbox_line_and_mark(self) -> None:
        """An mbox line and a byte order mark before the header are passed over."""
        for before in (b"From ann Tue Jan  2 03:04:05 2024\r\n", b"\xef\xbb\xbf"):
            reading = read(before + HEAD + b"\r\nhi")
            self.assertEqual((reading.subject, reading.text), ("hello", "hi"))
            self.assertTrue(reading.defects)

    def test_repeated_header(self) -> None:
        """The first of two subjects counts, and that is said; recipients add up."""
        reading = read(b"Subject: a\r\nSubject: b\r\nTo: c@d\r\nTo: e@f\r\n\r\n")
        self.assertEqual(reading.subject, "a")
        self.assertEqual([one.address for one in reading.to], ["c@d", "e@f"])
        self.assertIn("there is more than one Subject header", reading.defects)

    def test_smuggled(self) -> None:
        """Nothing encoded in a subject, a name or a file name breaks out of its line."""
        evil = b"=?utf-8?Q?a=0D=0Ab=00=1B=E2=80=AEc?="
        octets = b"Subject: %s\r\nFrom: %s <x@y>\r\nContent-Type: a/b; name=%s\r\n\r\n"
        reading = read(octets % (evil, evil, evil))
        assert reading.sender is not None
        for text in (reading.subject, reading.sender.name, reading.attachments[0].filename):
            self.assertEqual(text, "a bc")

    def test_no_such_attachment(self) -> None:
        """An index that there is not is answered with nothing."""
        for index in (-1, 2, 10**30):
            self.assertIsNone(attachment(mails.GMAIL, index))


class BoundTests(SynchronousTestCase):
    """Mails made to cost much. The figures themselves are in ``benchmarks/reading.py``."""

    def within(self, octets: bytes) -> None:
        """Everything is answered in bounded time; the shape is cut down, the bound generous."""
        works: tuple[Callable[[bytes], object], ...] = (
            glance,
            read,
            lambda mail: attachment(mail, 0),
            inline_pictures,
        )
        for work in works:
            start = time.process_time()
            work(octets)
            self.assertLess(time.process_time() - start, GENEROUS)

    def test_parts(self) -> None:
        """Parts beyond a number are not told apart, and that is said."""
        octets = MIXED + b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" * 10_000
        self.within(octets)
        self.assertEqual(len(read(octets).attachments), MAX_PARTS)
        self.assertIn(f"only the first {MAX_PARTS} parts", " ".join(read(octets).defects))

    def test_depth(self) -> None:
        """Multiparts or mails within each other are read as deep as is sensible."""
        level = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
        octets = HEAD + b"".join(level % (n, n) for n in range(100)) + b"\r\nhi"
        self.within(octets)
        self.assertIn(f"{MAX_DEPTH} levels", " ".join(read(octets).defects))
        octets = HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1000 + b"hi"
        self.within(octets)
        self.assertEqual(len(read(octets).attachments), 1)

    def test_refused(self) -> None:
        """A mail whose parts nobody can tell apart is listed by its header, and says why."""
        level = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
        octets = HEAD + b"".join(level % (n, n) for n in range(1000)) + b"\r\nhi"
        self.within(octets)
        reading = read(octets)
        self.assertEqual((reading.subject, reading.text, reading.attachments), ("hello", "", ()))
        self.assertIn("can not be told apart", " ".join(reading.defects))

    def test_cut_off(self) -> None:
        """Of a mail with more header lines in its parts than are read, the beginning is."""
        octets = MIXED + b"--b\r\n\r\none\r\n" + b"--b\r\nX: y\r\n" * 1_000_000
        self.within(octets)
        self.assertEqual(read(octets).text.strip(), "one")
        self.assertIn("not all were read", " ".join(read(octets).defects))

    def test_headers(self) -> None:
        """Headers of any length and kind, in the mail and in its parts."""
        words = b" ".join([b"=?utf-8?Q?abc=C3=A9?="] * 20_000)
        for field in (
            b"X: " + b"y" * 10_000_000,
            b"Cc: " + b"," * 200_000,
            b"Cc: " + b'"' * 200_000,
            b"Cc: " + b'"\\' * 100_000,
            b"Cc: " + b"(" * 200_000,
            b"Cc: " + b"<" * 200_000,
            b"To: " + b"a." * 100_000,
            b"To: " + b",".join(b"a%d@b.c" % n for n in range(50_000)),
            b"Content-Type: text/plain" + b";" * 300_000,
            b"Content-Type: text/plain" + b"".join(b"; a%d=" % n for n in range(50_000)),
            b"Content-Type: text/plain" + b"".join(b"; name*%d*=" % n for n in range(50_000)),
            b"Subject: " + words,
            b"Subject: " + b"=?" * 200_000,
            b"Subject: a" + b"\r\n " * 300_000,
            b"Date: " + b"1 " * 100_000,
            b"X: y\r\n" * 500_000 + b"Z: z",
            b"X: y\r\n" + b"no field\n" * 20_000 + b"Subject: z",
        ):
            self.within(HEAD + field + b"\r\n\r\nhi")
            self.within(MIXED + b"--b\r\n" + field + b"\r\n\r\nhi\r\n--b--")
            self.assertEqual(read(HEAD + field + b"\r\n\r\nhi").text, "hi", field[:40])

    def test_bodies(self) -> None:
        """Bodies of any shape."""
        for head, octets in (
            (b"Content-Transfer-Encoding: base64", b"A" * 10_000_000),
            (b"Content-Type: text/plain", b"A" * 10_000_000),
            (b"Content-Type: text/plain", b"\r\n" * 5_000_000),
            (b"Content-Type: text/plain; format=flowed", b"a \n" * 3_000_000),
            (b"Content-Type: text/plain; charset=utf-7", b"+\xff" * 5_000_000),
            (b"Content-Type: text/plain; charset=x", os.urandom(10_000_000)),
            (b"Content-Type: a/b\r\nContent-Transfer-Encoding: uuencode", b"!!\n" * 3_000_000),
            (b"Content-Type: multipart/mixed; boundary=b", b"--b\r\n" * 2_000_000),
            (b"Content-Type: multipart/mixed; boundary=b", b"--x\r\n" * 2_000_000),
        ):
            self.within(HEAD + head + b"\r\n\r\n" + octets)

    def test_long_text(self) -> None:
        """A text beyond a size is cut, and that is said."""
        reading = read(HEAD + b"\r\n" + b"A" * (MAX_BODY_OCTETS + 1))
        self.assertEqual(len(reading.text), MAX_BODY_OCTETS)
        self.assertIn("too long", " ".join(reading.defects))


PIECES = [
    *(b"--b", b"--b--", b"--c", b"\r\n", b"\n", b" ", b"a: b", b"x"),
    b"Content-Type: multipart/mixed; boundary=c\r\n\r\n",
    b"Content-Type: text/html\r\n\r\n",
    *(b"Content-Type: message/rfc822\r\n", b"multipart/", b"digest", b"=?", b"\r", b"-"),
    b"Content-Transfer-Encoding: base64\r\n",
]
REAL = list(mails.ALL.values())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Real mails cut, put together and overwritten."""
    octets = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(octets)))
        end = draw(st.integers(start, min(len(octets), start + 200)))
        other = draw(st.sampled_from(REAL))
        begin = draw(st.integers(0, len(other)))
        piece = draw(st.binary(max_size=20) | st.just(other[begin : begin + 300]))
        octets = octets[:start] + piece + octets[end:]
    return octets


class LawTests(SynchronousTestCase):
    """What holds for any octets whatever."""

    def check(self, octets: bytes) -> None:
        """The laws, past the nets that catch our own mistakes."""
        mail = opened.open_mail(octets)
        found = contents.contents_of(mail)
        found.described()
        parts = [*found.files, *found.body.parts]
        # Plain text behind HTML is a part of both.
        distinct = {id(part): part for part in parts}.values()
        self.assertLessEqual(sum(len(part.raw) for part in distinct), len(octets))
        for part in parts:
            self.assertIn(part.raw, mail.octets)
        [readable(value, mail.hint) for _, value in mail.fields]
        reading, seen = read(octets), glance(octets)
        self.assertNotIn("could not be read", " ".join((*reading.defects, *seen.defects)))
        for text in (reading.text, reading.html or "", *reading.defects):
            text.encode("utf-8")
        lines = [reading.subject, reading.message_id or "", seen.subject]
        everybody = (*reading.to, *reading.cc, *reading.reply_to, *seen.to)
        for mailbox in everybody + ((reading.sender,) if reading.sender else ()):
            lines += [mailbox.name, mailbox.address]
        for one in reading.attachments:
            lines += [one.filename, one.content_type, one.content_id or ""]
        for line in (*lines, *(text for header in reading.headers for text in header)):
            line.encode("utf-8")
            self.assertTrue(is_clean(line), line)
        self.check_attachments(octets)

    def check_attachments(self, octets: bytes) -> None:
        """Each attachment is what the reading says it is."""
        described = read(octets).attachments
        self.assertEqual(len({one.filename.casefold() for one in described}), len(described))
        for place, one in enumerate(described):
            file = attachment(octets, place)
            assert file is not None
            self.assertEqual((file.attachment, len(file.content)), (one, one.size))
        inline = {one.content_id for one in described if one.inline}
        self.assertLessEqual(set(inline_pictures(octets)), inline)

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=400))
    def test_any_octets(self, octets: bytes) -> None:
        """Nothing raises, and everything that is answered is clean."""
        self.check(octets)

    @settings(deadline=None, max_examples=300)
    @given(damaged())
    def test_damaged_mails(self, octets: bytes) -> None:
        """The same for real mails that were damaged."""
        self.check(octets)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.sampled_from(PIECES), max_size=30))
    def test_any_structure(self, pieces: list[bytes]) -> None:
        """The same for every arrangement of boundaries, headers and lines."""
        self.check(MIXED + b"".join(pieces))
