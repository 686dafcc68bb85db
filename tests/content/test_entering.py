"""What a reader is asked to type, how long it is, and where it stands: the mail as a whole."""

# ruff: noqa: RUF001 (letters of other scripts look like Latin ones)

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.codes import best_code, find_codes
from tempmail.content.cues import folded, folded_digits
from tempmail.content.entering import told_lengths

# A number that nothing names, to be entered for a purpose.
ENTERED = (
    "Type 482913 in the app to finish signing in.",
    "When you are asked for it, answer 482913 to continue.",
    "Bitte gib 482913 ein, um dich anzumelden.",
    "Saisissez 482913 pour continuer votre inscription.",
    "Escribe 482913 en la app para entrar.",
    "Digite 482913 para concluir o cadastro.",
    "Digita 482913 per completare la registrazione.",
    "Voer 482913 in om door te gaan met inloggen.",
    "Wpisz 482913, aby dokończyć rejestrację.",
    "Введите 482913, чтобы войти.",
    "Введіть 482913, щоб увійти.",
    "Unesite 482913 kako biste dovršili prijavu.",
    "Zadejte 482913 a dokončete přihlášení.",
    "Írja be: 482913 a belépéshez.",
    "Introduceți 482913 pentru a continua.",
    "Πληκτρολογήστε 482913 για να συνδεθείτε.",
    "Giriş yapmak için 482913 yazın.",
    "Skriv in 482913 för att logga in.",
    "Syötä 482913 jatkaaksesi kirjautumista.",
    "请输入482913完成登录。",
    "ログインするには482913を入力してください。",
    "로그인하려면 482913을 입력하세요.",
    "أدخل 482913 لإكمال تسجيل الدخول.",
    "הקלידו 482913 כדי להתחבר.",
    "Nhập 482913 để đăng nhập.",
    "Masukkan 482913 untuk melanjutkan pendaftaran.",
    "กรอก 482913 เพื่อเข้าสู่ระบบ",
    "लॉग इन करने के लिए 482913 दर्ज करें।",
)

# What tells how long a code is.
LENGTHS: tuple[tuple[str, set[int]], ...] = (
    ("a six-digit code", {6}),
    ("6-digit", {6}),
    ("ein sechsstelliger Code", {6}),
    ("4-stellig", {4}),
    ("six chiffres", {6}),
    ("cinco dígitos", {5}),
    ("otto cifre", {8}),
    ("6 cyfr", {6}),
    ("шестизначный", {6}),
    ("6 цифр", {6}),
    ("6 haneli", {6}),
    ("hatjegyű", {6}),
    ("6 位数字", {6}),
    ("六位", {6}),
    ("6桁", {6}),
    ("6자리", {6}),
    ("6 أرقام", {6}),
    ("6 ספרות", {6}),
    ("6 หลัก", {6}),
    ("6 chữ số", {6}),
    ("a 16-digit card number", set()),
    ("the last 4 digits of your card", set()),
    ("尾号后4位", set()),
    ("카드 끝 4자리", set()),
)


class EnteringTests(SynchronousTestCase):
    """Single rules."""

    def best(self, text: str, subject: str = "Hello") -> str | None:
        """The value that is told."""
        code = best_code(find_codes(subject, text, ""))
        return code.value if code else None

    def test_for_a_purpose(self) -> None:
        """In any language a number to be entered to sign in or to confirm is a code."""
        for text in ENTERED:
            self.assertEqual(self.best(text), "482913", text)

    def test_other_uses(self) -> None:
        """A number that is used for something else is none."""
        for text in (
            "Dial 482913 and press the star key.",
            "Your complaint has the case type 482913.",
            "Wir verwenden 482913 Schrauben.",
            "Use KQX7B2 to get a cup of tea.",
        ):
            self.assertIsNone(self.best(text), text)

    def test_on_the_line_beside(self) -> None:
        """The line above or below may ask for it."""
        for text in (
            "Hi\nEnter this on your television to sign in\n4829\nBye for now",
            "Bonjour\nSaisissez ceci pour continuer\n4829\nÀ bientôt",
            "Hi\n482913\nType it where you left off, to finish signing in.\nBye for now",
        ):
            self.assertIsNotNone(self.best(text), text)
        self.assertIsNone(self.best("Hi\nQuote this order number\n4829\nBye for now"))

    def test_lengths(self) -> None:
        """How many digits a mail says that a code has; the end of a card is not it."""
        for text, lengths in LENGTHS:
            self.assertEqual(told_lengths(folded(folded_digits(text))), lengths, text)

    def test_as_long_as_told(self) -> None:
        """A number as long as the mail says is more likely the code than any other."""
        text = "We sent you a seven-digit number.\n\n482913\n7714205"
        self.assertEqual(self.best(text, "Sign in"), "7714205")

    def test_subject(self) -> None:
        """A number in the subject is a code where the body speaks of one, or of the subject."""
        for subject, text in (
            ("4829 est votre code", "Saisissez ce code. Il expire dans 10 minutes."),
            ("482 913 - Nimbus", "Your login code is good for 10 minutes."),
            ("Nimbus: 48291", "What you need is in the subject line. Do not share it."),
        ):
            self.assertIsNotNone(self.best(text, subject), subject)
        self.assertIsNone(self.best("Thanks for shopping with us.", "Nimbus: 48291"))

    def test_subject_of_signing_in(self) -> None:
        """A subject that speaks of signing in speaks for a number that has a line to itself."""
        text = "Hello Ann\n48291\nIf this was not you, change your password."
        self.assertIsNotNone(self.best(text, "Signing in to Nimbus"))
        self.assertIsNone(self.best(text, "Order confirmation"))

    def test_hints(self) -> None:
        """A warning not to share it is said of a code, that it is good for minutes of a ticket as
        well, that it is good until some day of anything."""
        for text, code in (
            ("Parish code: KQX7B2, valid until Sunday", None),
            ("Parish code: KQX7B2, valid for 10 minutes", None),
            ("Parish code: KQX7B2, valid for 10 minutes. Do not share it.", "KQX7B2"),
            ("Ihr Nimbus-Code lautet 482913 und ist 10 Minuten gültig.", "482913"),
        ):
            self.assertEqual(self.best(text), code, text)
