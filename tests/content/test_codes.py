"""Verification codes: what is one, what is not, how it is spelled, and why."""

# ruff: noqa: RUF001 (letters and digits of other scripts look like Latin ones)

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.recognition import code_outcome
from tempmail.content.codes import (
    MAX_CODES,
    Code,
    best_code,
    find_codes,
)
from tempmail.content.evidence import BELIEVABLE
from tempmail.content.lines import MAX_TEXT
from tests.corpus.codes import blind, forty, table, unseen

# How a code is written behind "Your verification code is", and how a reader types it.
SPELLINGS = (
    ("482913", "482913"),
    ("0093", "0093"),
    ("1234567890", "1234567890"),
    ("482 913", "482913"),
    ("482-913", "482913"),
    ("4829 1357", "48291357"),
    ("4 8 2 9 1 3", "482913"),
    ("4-8-2-9-1-3", "482913"),
    ("482\u00a0913", "482913"),
    ("482\u2009913", "482913"),
    ("482\u200b913", "482913"),
    ("G-739204", "739204"),
    ("A7K9Q2", "A7K9Q2"),
    ("XK4P-77QD", "XK4P-77QD"),
    ("A 7 K 9 Q 2", "A7K9Q2"),
    ("QXRTBN", "QXRTBN"),
    ("４８２９１３", "482913"),
    ("٤٨٢٩١٣", "482913"),
    ("۴۸۲۹۱۳", "482913"),
    ("४८२९१३", "482913"),
    ("๔๘๒๙๑๓", "482913"),
    ("Ａ７Ｋ９Ｑ２", "A7K9Q2"),
    ("«482913»", "482913"),
    ("**482913**", "482913"),
    ("【482913】", "482913"),
)

# Lines of a mail that speaks of no code: none of their numbers is one.
NOT_CODES = (
    "© 2026 Example Ltd.",
    "On 14/03/2026 at 18:22:05",
    "Demandé à 07h35 depuis Lyon",
    "Pedido às 22h10",
    "On an iPhone14 running iOS17",
    "2026-01-19T08:15:30Z",
    "Total: $1,249.00",
    "Summe: 1.249,00 EUR",
    "合計 125,000円",
    "Order #583920",
    "Bestellnummer: 583920",
    "注文番号:583920",
    "Invoice 20260117",
    "Call 1-800-555-0199",
    "Tel. +49 30 1234567",
    "Portland, OR 97201",
    "〒150-0002",
    "color: #336699",
    "4400 Main Street",
    "203.0.113.77",
    "Chrome 131.0.6778 on Windows 10",
    "https://shop.example/i/4471882?code=991823",
    "7f3c2b10-55d1-4c3a-9a62-0d1e2f334455",
    "1Z999AA10123456784",
    "card ending 4471",
    "**** **** **** 4471",
    "IBAN DE89 3704 0044 0532 0130 00",
    "To DE89 3704 0044 0532 0130 00",
    "In report-4829.pdf and in plan (482913).docx",
    "Season 2026-2028",
    "2000% more",
    "promo code SAVE2026",
    "zip code 90210",
    "kay4471@example.com",
    "Ticket 558203 was opened",
)


class CorpusTests(SynchronousTestCase):
    """Whole mails."""

    def test_forty(self) -> None:
        """In each of the forty mails the code is found, and none where there is none."""
        self.assertEqual([out for out in map(code_outcome, forty()) if not out.correct], [])

    def test_tables(self) -> None:
        """So in the mails of our own words."""
        for name in ("tuned", "heldout", "later", "own", "ordinary"):
            wrong = [out for out in map(code_outcome, table(name)) if not out.correct]
            self.assertEqual(wrong, [], name)

    def test_further(self) -> None:
        """Of the mails made hard on purpose few codes are missed, and nothing else is told."""
        wrong = [out for out in map(code_outcome, table("further")) if not out.correct]
        self.assertLessEqual(len(wrong), 3)
        self.assertEqual([out for out in wrong if out.told], [])

    def test_blind(self) -> None:
        """So in the mails that were written by somebody who had not seen the recogniser."""
        mails = [mail for mail in blind() if "code" in mail.judged]
        self.assertEqual([out for out in map(code_outcome, mails) if not out.correct], [])

    def test_unseen(self) -> None:
        """Of the mails that were written so later, no more are got wrong than are known."""
        mails = [mail for mail in unseen() if "code" in mail.judged]
        wrong = [out for out in map(code_outcome, mails) if not out.correct]
        self.assertLessEqual(len(wrong), 1)
        self.assertEqual([out for out in wrong if out.told], [])


class FindCodesTests(SynchronousTestCase):
    """Single rules."""

    def best(self, subject: str = "", text: str = "", html_text: str = "") -> str | None:
        """The value that is told."""
        code = best_code(find_codes(subject, text, html_text))
        return code.value if code else None

    def test_spelling(self) -> None:
        """However a code is written, its value is what a reader types."""
        for written, value in SPELLINGS:
            self.assertEqual(self.best(text=f"Your verification code is {written}"), value, written)
            alone = f"Here is your verification code:\n\n{written}\n\nThanks"
            self.assertEqual(self.best(text=alone), value, written)

    def test_other_numbers(self) -> None:
        """Numbers that are something else are not codes."""
        for line in NOT_CODES:
            self.assertIsNone(self.best("Hello", line), line)

    def test_other_numbers_beside_a_code(self) -> None:
        """Nor do they win over the code in a mail that has one."""
        for line in NOT_CODES:
            text = f"{line}\nYour code is 739204. It expires in 5 minutes.\n{line}"
            self.assertEqual(self.best("Sign in", text), "739204", line)

    def test_stacked(self) -> None:
        """Digits one below the other, each in a box of its own, are one code."""
        self.assertEqual(self.best(html_text="Enter this code\n7\n3\n1\n5\nto sign in"), "7315")

    def test_name_takes_the_first_number(self) -> None:
        """A name names one number: the order number behind the code is not the code."""
        self.assertEqual(self.best(text="Your code is 482913, order 583920, ref 771203"), "482913")

    def test_word_takes_no_name(self) -> None:
        """A word in capitals behind a name leaves the name to the number below."""
        self.assertEqual(self.best(text="Your code for NIMBUS:\n482913"), "482913")

    def test_nothing_else_it_could_be(self) -> None:
        """A number that is the only one in its mail needs fewer words to be its code."""
        for subject, text, code in (
            ("Hello", "Your code: 4711", "4711"),
            ("Code", "482913", "482913"),
            ("Your code", "Hello\n\n482 913", "482913"),
        ):
            self.assertEqual(self.best(subject, text), code, text)
        for line in NOT_CODES:
            self.assertIsNone(self.best("Hello", line), line)
        self.assertIsNone(self.best("Code", "482913\n583920"))

    def test_to_be_entered(self) -> None:
        """A number that is to be used to sign in is a code, though nothing names it so."""
        for text in ("Use 482913 to verify your account.", "Enter **4829** to sign in"):
            self.assertIsNotNone(self.best("Account", text), text)
        for text in ("Use SAVE20 to get 20% off", "Use 4829 to dial out", "All 482913 to verify"):
            self.assertIsNone(self.best("Account", text), text)

    def test_meeting(self) -> None:
        """What a meeting is joined by is not a code."""
        self.assertIsNone(self.best("Webinar", "Webinar ID: 839 2011 4422, Passcode: 551209"))

    def test_thing_between_name_and_code(self) -> None:
        """What the code is for may stand between its name and the code."""
        for text in (
            "Your code to verify your phone number is 482913",
            "Enter this code to confirm your order:\n482913",
            "Código para acessar sua conta: 482913",
        ):
            self.assertEqual(self.best(text=text), "482913", text)

    def test_letters_need_presenting(self) -> None:
        """A word in capitals is a code only where it is plainly shown as one."""
        self.assertIsNone(self.best(text="Your code is EXPIRED. Contact SUPPORT for a new code."))
        self.assertIsNone(self.best(text="Your code was sent by NIMBUS to your phone"))

    def test_year(self) -> None:
        """A year is a code only where a code is plainly named."""
        self.assertEqual(self.best(text="Your verification code is: 2019"), "2019")
        self.assertIsNone(self.best(text="We changed how your code works.\n2026"))

    def test_both_bodies(self) -> None:
        """A code that both bodies have is reported once, and surer than from one."""
        once = find_codes("", "Your code: 482913", "")
        twice = find_codes("", "Your code: 482913", "Your code: 482913")
        self.assertEqual([code.value for code in twice], ["482913"])
        self.assertGreater(twice[0].confidence, once[0].confidence)

    def test_reason(self) -> None:
        """The reason says how the code is written, where it stands, and what names it."""
        (code,) = find_codes("", "Your code is:\n482913", "")
        self.assertEqual(code.reason, "six digits alone on their line under “Your code is”")

    def test_order(self) -> None:
        """The most likely code comes first; there are few, and each is worth mentioning."""
        text = "\n".join(f"code {number}" for number in range(100_000, 100_060))
        codes = find_codes("", text, "")
        self.assertLessEqual(len(codes), MAX_CODES)
        self.assertEqual(list(codes), sorted(codes, key=lambda code: -code.confidence))

    def test_threshold(self) -> None:
        """What is not believable is not told."""
        self.assertIsNone(best_code(()))
        self.assertIsNone(best_code((Code("482913", BELIEVABLE - 0.01, ""),)))

    def test_hostile(self) -> None:
        """Any piece repeated to the cap is read to its end: time is linear in the length."""
        for shape in ("1", "1 ", "1-", "a1", "x@", "*", "+1", "0 ", "code ", "1\n", "code 123456 "):
            text = shape * (MAX_TEXT // len(shape))
            find_codes(text, text, "")

    @given(st.text(), st.text(), st.text())
    def test_never_raises(self, subject: str, text: str, html_text: str) -> None:
        """Any text at all is a mail, and a confidence lies between 0 and 1."""
        for code in find_codes(subject, text, html_text):
            self.assertTrue(0 <= code.confidence <= 1)

    @given(st.text(alphabet="code is 0123456789-#:.,$*+()\nAX\u0301\u200d٣İ\ud800", max_size=80))
    def test_never_raises_on_what_looks_like_codes(self, text: str) -> None:
        """Nor does a text made of the pieces of codes raise; a value is 4 to 30 characters."""
        for code in find_codes(text, text, text):
            self.assertTrue(4 <= len(code.value) <= 30)

    @given(st.integers(min_value=100_000, max_value=999_999))
    def test_any_six_digits(self, number: int) -> None:
        """No six digits are mistaken for something else where a code is named."""
        self.assertEqual(self.best(text=f"Your verification code is {number}."), str(number))
