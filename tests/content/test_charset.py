"""Octets to text: labels, supersets, wrong and missing labels."""

# ruff: noqa: RUF001 (letters of other scripts look like Latin ones, which is the point)

from __future__ import annotations

import codecs

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.charset import decode
from tempmail.content.guess import guessed
from tempmail.content.labels import CODECS, codec_for

RUSSIAN = "Здравствуйте, ваш код подтверждения 123456. Спасибо за регистрацию."
CHINESE = "您好，您的验证码是123456，请在十分钟内完成注册。"
TAIWANESE = "您好，您的驗證碼是123456，請在十分鐘內完成註冊。"
JAPANESE = "こんにちは。確認コードは123456です。"
KOREAN = "안녕하세요. 인증번호는 123456입니다."
GERMAN = "Grüße aus München, Ihr Schlüssel lautet 123456"
HEBREW = "שלום, קוד האימות שלך הוא 123456. תודה רבה"
ARABIC = "مرحبا، رمز التحقق الخاص بك هو 123456. شكرا جزيلا"
GREEK = "Καλημέρα, ο κωδικός σας είναι 123456. Ευχαριστούμε πολύ."
THAI = "สวัสดี รหัสยืนยันของคุณคือ 123456 ขอบคุณ"
CZECH = "Dobrý den, váš ověřovací kód je 123456. Děkujeme, že jste s námi."
POLISH = "Dzień dobry, twój kod to 123456. Dziękujemy za rejestrację, łączymy pozdrowienia."
TURKISH = "Merhaba, doğrulama kodunuz 123456. Teşekkür ederiz, iyi günler ışık"

# Label as mail writes it, Python codec to write the text with, text.
LABELLED = (
    ("utf-8", "utf-8", RUSSIAN + CHINESE + JAPANESE),
    ("UTF8", "utf-8", GERMAN),
    ("gb2312", "gb18030", CHINESE + "镕€㐀"),
    ("GBK", "gb18030", CHINESE),
    ("gb18030", "gb18030", CHINESE + "😀"),
    ("cp936", "gb18030", CHINESE),
    ("hz-gb-2312", "hz", "您好"),
    ("big5", "cp950", TAIWANESE + "€"),
    ("Big5", "big5hkscs", TAIWANESE + "嘅"),
    ("big5-hkscs", "big5hkscs", TAIWANESE + "嘅"),
    ("iso-2022-jp", "iso2022_jp", JAPANESE),
    ("ISO-2022-JP", "iso2022_jp_ext", JAPANESE + "ｱｲｳ"),
    ("Shift_JIS", "cp932", JAPANESE + "①㈱髙"),
    ("windows-31j", "cp932", JAPANESE + "①"),
    ("x-sjis", "cp932", JAPANESE),
    ("cp932", "cp932", JAPANESE),
    ("euc-jp", "euc_jp", JAPANESE),
    ("euc-kr", "cp949", KOREAN + "똠"),
    ("ks_c_5601-1987", "cp949", KOREAN + "똠"),
    ("iso-2022-kr", "iso2022_kr", "안녕"),
    ("koi8-r", "koi8_r", RUSSIAN),
    ("koi8-u", "koi8_u", "Привіт, ваш код 123456, їжак"),
    ("windows-1250", "cp1250", CZECH),
    ("windows-1251", "cp1251", RUSSIAN),
    ("windows-1252", "cp1252", GERMAN + "€“”"),
    ("iso-8859-1", "cp1252", GERMAN + "€“”"),
    ("iso-8859-2", "iso8859_2", POLISH),
    ("iso-8859-5", "iso8859_5", RUSSIAN),
    ("iso-8859-7", "iso8859_7", GREEK),
    ("iso-8859-8-i", "iso8859_8", HEBREW),
    ("iso-8859-9", "cp1254", TURKISH),
    ("iso-8859-15", "iso8859_15", "10 €"),
    ("windows-1253", "cp1253", GREEK),
    ("windows-1254", "cp1254", TURKISH),
    ("windows-1255", "cp1255", HEBREW),
    ("windows-1256", "cp1256", ARABIC),
    ("windows-1257", "cp1257", "Labdien, jūsu kods ir 123456"),
    ("windows-1258", "cp1258", "Đ"),
    ("windows-874", "cp874", THAI),
    ("tis-620", "cp874", THAI),
    ("ibm866", "cp866", RUSSIAN),
    ("cp437", "cp437", "Grüße ░"),
    ("macintosh", "mac_roman", GERMAN),
    ("utf-7", "utf-7", GERMAN + JAPANESE),
    ("unicode-1-1-utf-7", "utf-7", GERMAN),
    ("utf-16", "utf-16", RUSSIAN),
    ("utf-16le", "utf-16le", RUSSIAN),
    ("utf-16", "utf-16be", RUSSIAN),
    ("utf-32", "utf-32", RUSSIAN),
)
NOT_TEXT = (
    "zlib bz2 hex rot13 rot_13 uu base64 quopri unicode_escape raw_unicode_escape idna punycode"
    " undefined mbcs oem string_escape zip base64_codec palmos charmap unicode_internal"
).split()


class LabelTests(SynchronousTestCase):
    """What a label stands for."""

    def test_every_charset_people_send(self) -> None:
        """Text in a charset that mail uses, rightly labelled, is read without a remark."""
        for label, codec, text in LABELLED:
            found = decode(text.encode(codec), label)
            self.assertEqual((found.text, found.note), (text, ""), label)

    def test_no_label_reaches_a_codec_that_is_no_charset(self) -> None:
        """Labels that name Python's other codecs are unknown labels."""
        for label in NOT_TEXT:
            self.assertIsNone(codec_for(label), label)
            found = decode(b"x\x9c\xcbH", label)
            self.assertIn("unknown charset", found.note, label)
            self.assertEqual(decode(b"abc \\u0041 deadbeef", label).text, "abc \\u0041 deadbeef")

    def test_every_label_has_a_text_codec(self) -> None:
        """Whatever codec a label stands for, Python has it, and it makes text of octets."""
        self.assertGreater(len(CODECS), 400)
        for label, codec in CODECS.items():
            self.assertEqual(codec_for(label), codec)
            self.assertIsInstance("a".encode(codec).decode(codec), str, label)

    def test_label_written_carelessly(self) -> None:
        """Case, quotes, underscores, a language and a comment do not matter."""
        for label in ("'UTF_8'", ' "utf-8"', "utf-8*en", "utf-8 (Unicode)", "utf-8;", "x-utf-8"):
            self.assertEqual(codec_for(label), "utf_8", label)
        for label in ("", " ", "'", "*", "x-unknown", "\ud800", "é" * 5000):
            self.assertIsNone(codec_for(label))

    def test_phones_japanese(self) -> None:
        """ISO-2022-JP with the vendors' characters is read, which Python alone can not."""
        octets = b"abc \x1b$B-!Bh-j|b\x1b(B \x1b(I1\x1b(B."
        found = decode(octets, "iso-2022-jp")
        self.assertEqual((found.text, found.note), ("abc ①第㈱髙 ｱ.", ""))


class WrongLabelTests(SynchronousTestCase):
    """Labels that are missing, unknown or wrong."""

    def test_utf8_under_another_label(self) -> None:
        """UTF-8 labelled with a single-octet charset is UTF-8, and that is said."""
        for label in ("us-ascii", "iso-8859-1", "windows-1252", "windows-1251", "koi8-r"):
            found = decode(RUSSIAN.encode(), label)
            self.assertEqual(found.text, RUSSIAN, label)
            self.assertIn("is UTF-8", found.note)

    def test_unlabelled_utf8(self) -> None:
        """8-bit text without a label is tried as UTF-8 first."""
        found = decode(KOREAN.encode())
        self.assertEqual(found.text, KOREAN)
        self.assertIn("UTF-8", found.note)

    def test_byte_order_marks(self) -> None:
        """A byte order mark decides, and is no part of the text."""
        self.assertEqual(decode(b"\xef\xbb\xbf" + RUSSIAN.encode(), "koi8-r").text, RUSSIAN)
        self.assertEqual(decode(RUSSIAN.encode("utf-16")).text, RUSSIAN)

    def test_utf16_label_on_ascii(self) -> None:
        """Plain text that a careless programme calls UTF-16 is read as it is."""
        text = "Your code is 123456. " * 10
        self.assertEqual(decode(text.encode(), "utf-16").text, text)

    def test_guesses(self) -> None:
        """Unlabelled text in the usual charsets of each language is guessed right."""
        for codec, text in (
            ("koi8_r", RUSSIAN),
            ("cp1251", RUSSIAN),
            ("gb18030", CHINESE),
            ("big5", TAIWANESE),
            ("cp932", JAPANESE),
            ("euc_jp", JAPANESE),
            ("cp949", KOREAN),
            ("cp1252", GERMAN),
            ("cp1250", CZECH),
            ("cp1250", POLISH),
            ("cp1253", GREEK),
            ("cp1254", TURKISH),
            ("cp1255", HEBREW),
            ("cp1256", ARABIC),
            ("cp874", THAI),
        ):
            found = decode(text.encode(codec), "x-unknown")
            self.assertEqual(found.text, text, codec)
            self.assertIn("guess", found.note)
            self.assertIn("x-unknown", found.note)

    def test_unlabelled_japanese_escapes(self) -> None:
        """7-bit Japanese without a label is recognised by its escape sequences."""
        self.assertEqual(decode(JAPANESE.encode("iso2022_jp")).text, JAPANESE)

    def test_few_faults_keep_the_label(self) -> None:
        """A cut character does not make a text another charset's."""
        found = decode(CHINESE.encode("gb18030") + b"\xff", "gb2312")
        self.assertEqual(found.text, CHINESE + "\ufffd")
        self.assertIn("not valid", found.note)

    def test_label_that_can_not_be(self) -> None:
        """Text that is nothing like its label is guessed."""
        found = decode(RUSSIAN.encode("cp1251"), "utf-8")
        self.assertEqual(found.text, RUSSIAN)
        self.assertIn("guess", found.note)

    def test_without_the_guesser(self) -> None:
        """Where guessing is not allowed the answer is Windows-1252, at once."""
        self.assertEqual(decode(b"\xe9t\xe9", guess=False).text, "été")


class LawTests(SynchronousTestCase):
    """What holds for any octets."""

    @settings(deadline=None, max_examples=300)
    @given(
        st.binary(max_size=300),
        st.sampled_from([label for label, *_ in LABELLED] + NOT_TEXT + ["", "x", "\udc80"]),
        st.booleans(),
    )
    def test_any_octets_are_text(self, octets: bytes, label: str, guess: bool) -> None:
        """Whatever the octets and the label, the answer is text that UTF-8 can hold."""
        found = decode(octets, label, guess=guess)
        found.text.encode("utf-8")
        found.note.encode("ascii")

    @given(st.binary(max_size=300))
    @settings(deadline=None, max_examples=100)
    def test_a_guess_is_a_codec(self, octets: bytes) -> None:
        """A guess always names a codec that there is."""
        codecs.lookup(guessed(octets))
