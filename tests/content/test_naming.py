"""What the words of a mail call a number: which code, which of several, and what else it may be."""

# ruff: noqa: RUF001 (letters of other scripts look like Latin ones)

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.codes import best_code, find_codes
from tempmail.content.cues import Kind
from tempmail.content.lines import Line, shortened
from tempmail.content.qualifiers import which

# A line with the name of a code in it, and whether it names the one a mail was sent for.
BARE = (
    ("Your code is 482913", True),
    ("code: 482913", True),
    ("Enter this 6-digit code", True),
    ("Your Nimbus Cloud code is 482913", True),
    ("Mit diesem Code kommst du rein: 482913", True),
    ("Votre code Nimbus : 482913", True),
    ("El código de Nimbus es 482913", True),
    ("Ваш код: 482913", True),
    ("请输入代码", True),
    ("このコードを入力", True),
    ("아래 코드를 입력", True),
    ("הקוד שלך: 482913", True),
    ("Kodunuz: 482913", True),
    ("Locker-room code 482913", False),
    ("Your parish code: 482913", False),
    ("YOUR PARISH CODE: 482913", False),
    ("Materialcode 482913", False),
    ("Codice reparto: 482913", False),
    ("Código alumno 482913", False),
    ("Код цеха: 482913", False),
    ("varukod 482913", False),
    ("部品コード 482913", False),
    ("部门代码 482913", False),
    ("지점 코드 482913", False),
)

# A line that asks to enter a code at some place that no list of small words has.
AT_HAND = (
    "Type this code on the kiosk display:",
    "Skriv in den här koden i betalappen:",
    "Knappa in koden vid kiosken:",
    "Indtast den her kode på infoskærmen:",
    "Naputtele tämä koodi lippukoneeseen:",
    "Syötä koodi lippukoneeseen:",
    "Sisestage kood piletiautomaati:",
    "Ievadiet šo kodu biļešu automātā:",
    "Suveskite šį kodą bilietų automate:",
    "Sláðu inn þennan kóða í miðavélina:",
    "Bu kodu bilet makinesine yazın:",
    "Kodu bilet makinesine girin:",
    "Bu kodu bilet aparatında yığın:",
    "Осы кодты билет аппаратына теріңіз:",
    "ป้อนรหัสนี้ที่ตู้ขายตั๋ว:",
    "यह कोड टिकट मशीन में डालें:",
    "یہ کوڈ ٹکٹ مشین میں داخل کریں:",
    "აკრიფეთ ეს კოდი სალაროზე:",
    "Գրեք այս կոդը տոմսարկղում:",
    "Shkruani këtë kod te biletaria:",
    "Ipasok ang code na ito sa kiosk:",
    "Weka msimbo huu kwenye kioski:",
    "Idatzi kode hau kioskoan:",
    "Tik hierdie kode by die kiosk in:",
    "Escriviu aquest codi al quiosc:",
)

# So is a code of another kind entered.
NOT_AT_HAND = (
    "Enter your parish code:",
    "Use code name Falcon:",
    "Type the locker-room code:",
    "Skriv in varukoden:",
    "Syötä tuotekoodi:",
    "Inserisci il codice reparto:",
    "Introduce el código alumno:",
    "Введите код цеха:",
)


class WhichCodeTests(SynchronousTestCase):
    """*Code* alone, and as a part of another name."""

    def test_bare(self) -> None:
        """A word beside *code*, before it, behind it or grown together with it, makes it another
        code, unless it is a small word or the name of a service."""
        for text, bare in BARE:
            line = Line(text)
            kinds = {which(line, cue) for cue in line.cues(0, len(text))}
            wanted = Kind.MAYBE_CODE if bare else Kind.SOME_CODE
            self.assertEqual(kinds & {Kind.MAYBE_CODE, Kind.SOME_CODE}, {wanted}, text)

    def test_at_hand(self) -> None:
        """*This*, or a verb that asks to enter it, makes it the code of the mail, whatever stands
        behind; but not what stands between them and the word."""
        for text in AT_HAND:
            for value in ("401720", "4017", "40K7R"):
                code = best_code(find_codes("Welcome", f"{text}\n\n{value}", ""))
                self.assertEqual(code.value if code else None, value, text)
        for text in NOT_AT_HAND:
            line = Line(text)
            kinds = {which(line, cue) for cue in line.cues(0, len(text))}
            self.assertNotIn(Kind.MAYBE_CODE, kinds, text)


class NamingTests(SynchronousTestCase):
    """Single rules, seen from the outside."""

    def best(self, text: str, subject: str = "Hello", html_text: str = "") -> str | None:
        """The value that is told."""
        code = best_code(find_codes(subject, text, html_text))
        return code.value if code else None

    def test_unknown_kind(self) -> None:
        """A code of an unknown kind needs something else that speaks for verification."""
        for name in ("Parish code", "Codice reparto", "Код цеха", "Materialcode", "varukod"):
            self.assertIsNone(self.best(f"{name}: 482913\nRoom 4, second floor"), name)
            told = f"{name}: 482913\nNever share it with anyone."
            self.assertEqual(self.best(told), "482913", name)

    def test_receipt(self) -> None:
        """What receipts for card payments have too is a code only where something supports it."""
        for name in ("Authorization code", "Código de autorización", "Код авторизации", "授权码"):
            self.assertIsNone(self.best(f"{name}: 048812\nTerminal 0007\nThank you"), name)
        self.assertEqual(
            self.best("Authorization code: 048812\nIt expires in 5 minutes."), "048812"
        )

    def test_indefinite(self) -> None:
        """The name of a code that is not at hand names no number before it."""
        for text in (
            "Last year 48291 people told us of a login code they had not asked for.",
            "48291 Kunden haben einen Sicherheitscode verloren.",
            "48291 personnes ont reçu un code de connexion par erreur.",
        ):
            self.assertIsNone(self.best(text, "About a login code"), text)
        self.assertEqual(self.best("48291 is your login code."), "48291")

    def test_over_a_sentence(self) -> None:
        """A name hardly reaches over the end of its sentence."""
        self.assertIsNone(self.best("We never ask for your login code. Branch 48291 is open."))
        self.assertEqual(self.best("Your login code is ready. 482913"), "482913")

    def test_replaced(self) -> None:
        """Of two codes the one that is not good any more loses; on a tie the later one wins."""
        for text in (
            "The earlier code 118273 stopped working. Your new code is 904417.",
            "Your code is 904417. Your previous code 118273 will not work.",
            "Der alte Code 118273 gilt nicht. Dein Code: 904417",
            "Ihr Code: 904417. Code 118273 ist nicht mehr gültig.",
            "El código anterior 118273 caducó. Tu código: 904417",
            "Ваш новый код: 904417. Предыдущий код 118273 не действует.",
            "Your code: 118273\nYour code: 904417",
            "Your code replaces the previous one: 904417. It works for 10 minutes.",
        ):
            self.assertEqual(self.best(text), "904417", text)

    def test_not_at_hand(self) -> None:
        """The name of a code that never came names no number behind it."""
        for text in (
            "My verification code never arrives; the log shows 50312.",
            "The login code was not sent, error 50312.",
        ):
            self.assertIsNone(self.best(text, "Verification code"), text)

    def test_done(self) -> None:
        """Nor does that of a code that was changed, used or mistyped, in the subject or not."""
        for subject, text in (
            ("Your sign-in code was used", "Your sign-in code was used on device QV62MMT."),
            ("Access code reset", "Your access code has been reset by agent jq7713 in Oslo."),
            ("About your PIN", "An incorrect login code was entered for user tmv30517."),
            ("Neuer Stand", "Ihr Zugangscode wurde geändert. Vorgang 770215."),
            ("Votre carte", "Le code secret de la carte finissant par 3308 a été modifié."),
            ("Su clave", "Su código de acceso se ha cambiado. Caso 770215."),
            ("Seu cartão", "Seu código de segurança foi alterado no terminal KT88Q."),
            ("La tua carta", "Il codice di sicurezza è stato modificato. Rif 770215"),
            ("Код изменён", "Код подтверждения был изменён с устройства LQ55RT."),
            ("登录通知", "您的验证码已被使用,设备 LQ55RT。"),
            ("Your login code was used", "Your login code was used\n\nQV62MMT"),
        ):
            self.assertIsNone(self.best(text, subject), text)
        for text in (
            "Your access code was changed to 770215.",
            "Your access code has been reset: 770215",
            "Your old access code was used. Your new access code is 770215.",
            "Ihr Zugangscode wurde geändert. Ihr neuer Zugangscode lautet 770215.",
        ):
            self.assertEqual(self.best(text), "770215", text)

    def test_marked_numbers(self) -> None:
        """A number behind “#” is of what stands before the sign; seven hexadecimal digits are
        more likely a commit than a code."""
        self.assertIsNone(self.best("Fix the login code path (#4821)"))
        self.assertIsNone(self.best("a81e22d use another login code, 77b0e1f fix a typo"))
        self.assertEqual(self.best("Your login code: 77b0e1f"), "77b0e1f")

    def test_coupon(self) -> None:
        """Something like a word and a number is a code only under the full name of one."""
        for text in ("Use code HARVEST25", "Your code: WINTER2027", "Code: VIP20"):
            self.assertIsNone(self.best(text), text)
        self.assertEqual(self.best("Your verification code is MAPLE27."), "MAPLE27")
        self.assertEqual(self.best("Your code: KQX7B2"), "KQX7B2")

    def test_discount(self) -> None:
        """Where a mail gives a discount, only the full name of a code names one."""
        for text in (
            "Your code: KQX7B2\nIt takes 20% off at the checkout.",
            "Dein Code: KQX7B2\nDamit bekommst du 10 Euro Rabatt.",
            "Votre code : KQX7B2\nIl vous donne droit à une réduction.",
            "クーポン\nコード：KQX7B2",
        ):
            self.assertIsNone(self.best(text), text)
        self.assertEqual(
            self.best("Your login code: KQX7B2\nToday everything has 20% off."), "KQX7B2"
        )

    def test_year(self) -> None:
        """What may be a year is a code where it is named and alone, or presented outright."""
        self.assertEqual(self.best("Use this code to sign in:\n\n2031", "Your code"), "2031")
        self.assertEqual(self.best("Ihr Bestätigungscode lautet 1987."), "1987")
        self.assertIsNone(self.best("Codes and keys\n2031 annual report"))

    def test_ranges_and_files(self) -> None:
        """Two years are no groups, and a part of the name of a file is no code."""
        for text in ("Access code policy 2026-2028", "Your access code is in report-482913.pdf"):
            self.assertIsNone(self.best(text), text)
        self.assertIsNone(self.best("The access code opens “plan (482913).pdf”"))

    def test_small_letters(self) -> None:
        """Small letters and digits in even groups are a code where it is named, a word and a
        number where it is named outright."""
        self.assertEqual(self.best("Your sign-in code: k3v7-9qmp"), "k3v7-9qmp")
        self.assertEqual(self.best("Your one-time password is maple-2931."), "maple-2931")
        self.assertIsNone(self.best("k3v7-9qmp"))
        self.assertIsNone(self.best("Your login code goes to maple-2931 as well."))

    def test_other_groups(self) -> None:
        """Capital letters in groups parted by blanks, and letters of both cases in groups, are a
        code right behind the name of one, or alone under it."""
        for value in ("RQ7 41X", "T4L 8QX", "5J W8 2C", "m4Rw-61Tz", "Hk2-Vq7", "j5Xc-8TmB-r71N"):
            wanted = value.replace(" ", "")
            for text in (
                f"Your login code is {value}.",
                f"Votre code de connexion : {value}",
                f"Ihr Anmeldecode:\n\n{value}\n\nBis bald",
            ):
                self.assertEqual(self.best(text, "Welcome"), wanted, text)
            for text in (
                f"Your login code went to {value} as well.",
                f"Parish code: {value}",
                f"Hello\n\n{value}",
            ):
                self.assertIsNone(self.best(text, "Welcome"), text)
        text = "Your login code is below.\n\n482913\n\nNimbus, 4 Low Road, Leeds LS1 4AB"
        self.assertEqual(self.best(text), "482913")

    def test_talk(self) -> None:
        """Where people answer each other, or talk about an issue, a code is a topic: only a name
        that presents a number names it."""
        for subject in (
            "Re: Login codes are late",
            "AW: Anmeldecode fehlt",
            "[reedbank/queue] Login code not sent",
            "Login code not sent (Bug #77)",
        ):
            for text in (
                "The form wants the 6-digit login code and shows a spinner.\n\nworker 553120 busy",
                "It asks for the login code. Output:\n\nworker 553120 busy",
                "login code mail bounced: host 55312, status 553120",
                "Steps: ask for a login code.\nWanted: a mail. Seen: worker 553120",
            ):
                self.assertIsNone(self.best(text, subject), text)
        for text in (
            "Your login code is 553120, have fun.",
            "Here is your login code:\n\n553120",
        ):
            self.assertEqual(self.best(text, "Re: I can not log in"), "553120", text)

    def test_purpose_above(self) -> None:
        """A thing that a code is for does not name the code below."""
        self.assertEqual(
            self.best("Here is what you need to unlock your account:\n482913"), "482913"
        )
        self.assertIsNone(self.best("Your account:\n482913"))

    def test_named_elsewhere(self) -> None:
        """A code that is named further down speaks for the number with a line of its own; a
        number in the small print does not take this from it."""
        text = "Hello\n\n482913\n\nThe login code works once.\nNimbus, 12 Low Rd, 44000 Nantes"
        self.assertEqual(self.best(text), "482913")

    def test_set_off(self) -> None:
        """A number under a colon, or that is the whole body, needs fewer words."""
        self.assertEqual(self.best("482913"), "482913")
        self.assertEqual(self.best("Here you are:\n482913\nSee you soon"), "482913")
        self.assertIsNone(self.best("Thanks for coming\n48291\nSee you soon"))

    def test_articles(self) -> None:
        """What is an indefinite article in one language may be a definite one in another."""
        for text in ("482913 a kódod.", "482913 é a senha temporária.", "482913 is a login code"):
            told = "482913" if "login" not in text else None
            self.assertEqual(self.best(text), told, text)

    def test_of_something(self) -> None:
        """*The code of your account* is no code of another kind, *the code of the parish* is."""
        self.assertEqual(self.best("482913 é o código da sua conta."), "482913")
        self.assertIsNone(self.best("48291 é o código da paróquia."))

    def test_languages(self) -> None:
        """What services call a code in languages that have few mails in the corpus."""
        for text in (
            "Vaša jednokratna lozinka je 482913.",
            "Vaša koda za prijavo: 482913",
            "Кодът за вход е 482913.",
            "Jūsų patvirtinimo kodas: 482913",
            "Teie kinnituskood on 482913.",
            "Staðfestingarkóði: 482913",
            "Codi de verificació: 482913",
            "Təsdiq kodu: 482913",
            "Растау коды: 482913",
            "தங்கள் சரிபார்ப்புக் குறியீடு: 482913",
            "আপনার যাচাইকরণ কোড 482913",
            "Msimbo wa uthibitishaji: 482913",
        ):
            self.assertEqual(self.best(text), "482913", text)


class QuoteTests(SynchronousTestCase):
    """The words of a mail in a reason."""

    def test_between_words(self) -> None:
        """A quotation is cut between words, and what matters is in it."""
        words = "Somebody has asked us to confirm that this address belongs to you, and so we write"
        for start in range(len(words)):
            short = shortened(words, start, 30)
            self.assertLessEqual(len(short), 30)
            self.assertTrue(f" {short} ".replace(",", "") in f" {words} ".replace(",", ""), short)
        self.assertIn("confirm", shortened(words, words.index("confirm"), 30))

    def test_no_blanks(self) -> None:
        """Text without blanks is cut where it is."""
        self.assertEqual(len(shortened("确" * 500, 250)), 60)
