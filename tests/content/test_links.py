"""Links of a mail: the one it was sent for, the one that ends a subscription, and the others."""

# ruff: noqa: RUF001 (letters of other scripts look like Latin ones)

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.recognition import link_outcome
from tempmail.content import links
from tempmail.content.links import MAX_LINKS, MAX_URL, Link, best_link
from tempmail.content.mentions import MAX_TEXT
from tempmail.content.plain import read_page
from tests.corpus.codes import blind, forty, table, unseen

TOKEN = "https://a.example/x/9f3b1c20aa"

# Words of a link that is not what a mail was sent for.
ELSEWHERE = (
    "Privacy", "Terms of service", "Help", "Contact us", "View in browser", "Track your package",
    "View order", "Shop now", "Decline", "This wasn't me", "Impressum", "Join meeting",
)  # fmt: skip


def find_links(text: str, html: str, subject: str = "") -> tuple[Link, ...]:
    """The links of a mail of these bodies."""
    return links.find_links(text, read_page(html), subject)


def anchor(words: str, url: str = TOKEN) -> str:
    """A link in a document."""
    return f'<p>Hello</p><a href="{url}">{words}</a>'


class CorpusTests(SynchronousTestCase):
    """Whole mails."""

    def test_forty(self) -> None:
        """In each of the forty mails the link is found, and none where there is none."""
        self.assertEqual([out for out in map(link_outcome, forty()) if not out.correct], [])

    def test_tables(self) -> None:
        """So in the mails of our own words."""
        for name in ("tuned", "heldout", "later", "own", "ordinary"):
            wrong = [out for out in map(link_outcome, table(name)) if not out.correct]
            self.assertEqual(wrong, [], name)

    def test_further(self) -> None:
        """Of the mails made hard on purpose few are got wrong."""
        wrong = [out for out in map(link_outcome, table("further")) if not out.correct]
        self.assertLessEqual(len(wrong), 2)
        self.assertLessEqual(len([out for out in wrong if out.told]), 1)

    def test_blind(self) -> None:
        """So in the mails that were written by somebody who had not seen the recogniser."""
        mails = [mail for mail in blind() if "link" in mail.judged]
        self.assertEqual([out for out in map(link_outcome, mails) if not out.correct], [])

    def test_unseen(self) -> None:
        """So in those that were written the same way later."""
        mails = [mail for mail in unseen() if "link" in mail.judged]
        self.assertEqual([out for out in map(link_outcome, mails) if not out.correct], [])


class FindLinksTests(SynchronousTestCase):
    """Single rules."""

    def best(self, text: str = "", html: str = "") -> str | None:
        """The address that is told."""
        link = best_link(find_links(text, html))
        return link.url if link else None

    def test_topics(self) -> None:
        """The title of something to read, and advice that can wait, ask for nothing."""
        for words in (
            "How to confirm a hotel booking by phone",
            "Why we reset every password last week",
            "Read: Activate your community garden",
            "Learn to verify a sourdough starter",
            "Turn on 2-step verification",
            "Activate two-factor authentication",
            "Get the activation handbook",
            "Verify your knowledge in our quiz",
            "So funktioniert die Aktivierung",
            "Comment vérifier une adresse",
            "Activar la verificación en dos pasos",
            "Как подтвердить диплом",
            "如何激活旧手机",
        ):
            self.assertIsNone(self.best(html=anchor(words)), words)
        for words in ("How to confirm a booking", "Turn on account verification"):
            self.assertIsNone(self.best(f"{words}: {TOKEN}"), words)
        for words in (
            "Verification link",
            "Complete email verification",
            "Read and accept invitation",
            "Email verification",
            "Confirm and learn how it works",
            "Como último passo, confirme o seu e-mail",
        ):
            self.assertEqual(self.best(html=anchor(words)), TOKEN, words)

    def test_counted_clicks(self) -> None:
        """The only link that may be it is no surer for that where others are made alike."""
        base = "https://clicks.example/t/"
        html = '<a href="%s%s">Sign in</a> <a href="%s%s">About us</a>'
        alike = html % (base, "uK42jd9sQp0xw7Za11", base, "mB93kd0aLr8yt6Qe22")
        apart = html % (base, "uK42jd9sQp0xw7Za11", "https://b.example/", "about")
        found = [find_links("", page, "Confirm your address")[0] for page in (alike, apart)]
        self.assertLess(found[0].confidence, found[1].confidence)

    def test_colon(self) -> None:
        """A line that ends with a colon speaks for the address below it."""
        for words in (
            "请点击以下链接激活您的账号\uff1a",
            "Go to the following page and choose a new password:",
        ):
            for between in ("\n", "\n\n"):
                url = "https://a.example/activate?k=1"
                self.assertEqual(self.best(f"Hello\n{words}{between}{url}\n"), url, words)
        self.assertIsNone(self.best("Our privacy policy:\nhttps://a.example/activate?k=1"))

    def test_short_token(self) -> None:
        """What calls itself a token is one, however short."""
        for query in ("token=abc", "confirmation_token=x", "key=ab"):
            url = f"https://a.example/reset?{query}"
            self.assertEqual(self.best(f"To reset your password, go to\n\n{url}"), url)
        self.assertIsNone(
            self.best("To reset your password, go to\n\nhttps://a.example/reset?t=ab")
        )

    def test_subject(self) -> None:
        """Where nothing in the body speaks for a link that asks for it, the subject does."""
        url = "https://a.example/v?token=abc"
        for subject, link in (("Please verify your address", url), ("News of the week", None)):
            best = best_link(find_links(f"Click here: {url}", "", subject))
            self.assertEqual(best.url if best else None, link)
        self.assertIsNone(
            best_link(find_links("https://a.example/news/7af31", "", "Please verify"))
        )

    def test_only_one(self) -> None:
        """That a link is the only one made for its mail speaks for it, where something asks for
        it; one that ends a subscription, leads elsewhere or is for strangers is not counted."""
        near = f"To verify your address:\n\nsee this page: {TOKEN}\n"
        beside = (
            "Unsubscribe: https://a.example/u/7c31aa90",
            "Privacy: https://a.example/p/7c31aa90",
            "If you did not sign up, tell us: https://a.example/s/7c31aa90",
        )
        for other in beside:
            html = f"{anchor('Looks good', TOKEN)}<p>{other}</p>"
            reason = find_links("", html, "Verify your address")[0].reason
            self.assertIn("the only one made for this mail", reason, other)
        two = find_links(near + "https://a.example/y/7c31aa90", "", "Verify your address")
        self.assertNotIn("the only one", two[0].reason)
        for label in ("Look", "See what is new", "Open"):
            self.assertIsNone(self.best(html=anchor(label)), label)

    def test_only_one_of_something_else(self) -> None:
        """Words around a link that speaks of something else ask for it only where it is a button;
        that it is the only one changes nothing."""
        text = "<p>Soon you have to verify your address.</p>"
        self.assertIsNone(self.best(html=text + anchor("Photographs of the opening")))
        button = f"<a class=button href='{TOKEN}'>That would be mine</a>"
        self.assertEqual(self.best(html=text + button), TOKEN)

    def test_sign_in_of_a_notification(self) -> None:
        """A link to sign in is in any notification: that it is the only one made for the mail says
        nothing, unless the subject speaks of signing in."""
        text = f"You have a new statement. Log in to read it: {TOKEN}"
        self.assertIsNone(best_link(find_links(text, "", "Your statement for May")))
        self.assertIsNotNone(best_link(find_links(text, "", "Your sign-in link")))
        button = f"<a class=button href='{TOKEN}'>Log in to read it</a>"
        self.assertIsNone(best_link(find_links("", button, "Your statement for May")))

    def test_join(self) -> None:
        """Joining may be for whatever reason: it needs an invitation, or a subject that asks for
        something else."""
        self.assertIsNone(best_link(find_links("", anchor("Join the club"), "Join us for supper")))
        self.assertIsNotNone(best_link(find_links("", anchor("Join"), "Ann invited you to Birch")))

    def test_subject_asks_for_another(self) -> None:
        """A subject that asks is not about a link whose own words speak of something else."""
        for label in ("Read our guide", "The whole story"):
            html = f"<p>Never tell your login code.</p>{anchor(label)}"
            best = best_link(find_links("", html, "Verify before you trust"))
            self.assertIsNone(best, label)

    def test_answer(self) -> None:
        """A link that begins with *yes* may be what the subject asks for."""
        for subject, label in (
            ("Confirma tu suscripción", "Sí, quiero recibirlo"),
            ("Bestätige dein Abo", "Ja, her damit"),
            ("メールアドレスの確認", "はい、そうです"),
        ):
            self.assertIsNotNone(best_link(find_links("", anchor(label), subject)), label)
            self.assertIsNone(best_link(find_links("", anchor(label), "Hello")), label)

    def test_name_of_a_code(self) -> None:
        """The name of a code asks for no link, though there is *verification* in it."""
        for words in (
            "Your verification code is 482913",
            "您的验证码是 482913",
            "認証コード 482913",
        ):
            html = f"<p>{words}</p>{anchor('Our newest lamps')}"
            best = best_link(find_links("", html, words))
            self.assertIsNone(best, words)

    def test_number_or_title_of_a_page(self) -> None:
        """A short number and the title of a page are not made for one mail, and what a title speaks
        of is not asked for."""
        for path in ("t/cant-activate-my-account/4471", "pull/4821", "top-10-tips-for-passwords"):
            (link,) = find_links(f"Go to https://a.example/{path}", "", "Verify your address")
            self.assertNotIn("its address asks", link.reason, path)
            self.assertNotIn("the only one", link.reason, path)
        (link,) = find_links("Go to https://a.example/reset-password/4821", "")
        self.assertIn("its address asks for it", link.reason)

    def test_hyphen(self) -> None:
        """Between the words of a phrase a hyphen is a blank."""
        for subject in ("Dein Login-Link", "Your sign-in-link", "Magic-link for you"):
            best = best_link(find_links("", anchor("Jetzt einloggen"), subject))
            self.assertIsNotNone(best, subject)

    def test_words_in_query(self) -> None:
        """What a query says in words is read, whatever parts it; a token there is not."""
        for query in ("mode=activate&u=7&k=1B7QXW", "action=reminder;sa=setpassword;code=0b7e44"):
            url = f"https://a.example/index.php?{query}"
            reason = find_links(f"Please visit {url}", "")[0].reason
            self.assertIn("its address asks for it", reason, query)
        for query in ("k=ACTIVATEX1", "utm_campaign=activation&k=7af31c", "next=welcomes"):
            reason = find_links(f"Please visit https://a.example/i?{query}", "")[0].reason
            self.assertNotIn("asks", reason, query)
        (link,) = find_links("", anchor("here", "https://a.example/i?mode=unsubscribe&u=7af31c"))
        self.assertEqual(link.kind, "unsubscribe")

    def test_places_in_path(self) -> None:
        """An account or a shop is elsewhere where a path ends with it, not on the way."""
        for path, leads in (("account", True), ("my/shop/", True), ("account/mail/go", False)):
            reason = find_links(f"See https://a.example/{path}", "")[0].reason
            self.assertEqual("leads elsewhere" in reason, leads, path)

    def test_home_page_before(self) -> None:
        """A home page named on the way takes no words from the link behind it."""
        text = f"To confirm your account at Nimbus (https://nimbus.example/), please visit {TOKEN}"
        self.assertEqual(self.best(text), TOKEN)
        text = f"To confirm your account go to {TOKEN} and then read https://a.example/n/77aa31"
        self.assertEqual(self.best(text), TOKEN)

    def test_invitation(self) -> None:
        """That somebody has invited the reader asks for it, even if one *may accept or decline*."""
        for words in (
            "Ann has invited you to the team. You can accept or decline: ",
            "Ann hat dich eingeladen. Annehmen oder ablehnen: ",
            "Ann vous a invité à rejoindre le groupe : ",
            "Анна приглашает вас в команду: ",
            "アンさんから招待が届いています：",
            "안나 님이 초대했습니다: ",
        ):
            self.assertEqual(self.best(words + TOKEN), TOKEN, words)
        self.assertIsNone(self.best("You can decline here: " + TOKEN))

    def test_forgotten_password(self) -> None:
        """A subject about a forgotten password asks for the link that leads to a new one."""
        for subject in ("Passwort vergessen?", "Mot de passe oublié ?", "パスワードをお忘れの方"):
            best = best_link(find_links(f"Link: {TOKEN}", "", subject))
            self.assertIsNotNone(best, subject)

    def test_languages(self) -> None:
        """Inflected and nominal forms of what a link is for."""
        for words in (
            "Pour réinitialisation :", "Je confirme mon adresse", "Confermo", "Per la conferma:",
            "Zur Freischaltung", "Om te bevestigen:", "Do potwierdzenia:", "Для подтверждения:",
            "Potvrdite adresu", "Потвърдете адреса", "Ponastavite geslo", "Ενεργοποιήστε",
            "Onaylayın", "Vahvistaaksesi:", "Kinnitage aadress", "Patvirtinkite", "Staðfesta",
            "Kliknij, aby wejść bez hasła",
        ):  # fmt: skip
            self.assertEqual(self.best(f"{words} {TOKEN}"), TOKEN, words)

    def test_elsewhere(self) -> None:
        """A link whose words lead elsewhere is not an action, whatever its address."""
        for words in ELSEWHERE:
            self.assertIsNone(self.best(html=anchor(words)), words)

    def test_unsubscribe(self) -> None:
        """The words or the address tell what ends a subscription."""
        for html in (anchor("Unsubscribe"), anchor("here", "https://a.example/unsub?u=1a2b")):
            (link,) = find_links("", html)
            self.assertEqual(link.kind, "unsubscribe")
        (link,) = find_links("", anchor("Privacy"))
        self.assertEqual(link.kind, "other")

    def test_words_around(self) -> None:
        """A link that only says *here* means what the sentence before it says."""
        html = f"<p>To verify your email click <a href='{TOKEN}'>here</a>.</p>"
        self.assertEqual(self.best(html=html), TOKEN)

    def test_only_if_not_you(self) -> None:
        """What is offered to those who did not ask for the mail is not the action."""
        text = f"If you did not sign in, reset your password: {TOKEN}"
        self.assertIsNone(self.best(text))
        self.assertEqual(self.best(f"Reset your password: {TOKEN}"), TOKEN)

    def test_picture_and_home_page(self) -> None:
        """A picture or a home page is not an action."""
        self.assertIsNone(self.best(html=anchor("Confirm", "https://a.example/1a2b.png")))
        self.assertIsNone(self.best(html=anchor("Sign in", "https://a.example/")))

    def test_only_web(self) -> None:
        """Only addresses of the web are links."""
        for url in ("javascript:alert(1)", "mailto:a@a.example", "ftp://a.example/1", "#x", "/x"):
            self.assertEqual(find_links("", anchor("Confirm", url)), (), url)

    def test_end_of_address(self) -> None:
        """The punctuation of the sentence is not part of an address; its own brackets are."""
        for text, url in (
            (f"Confirm ({TOKEN}).", TOKEN),
            (f"Confirm <{TOKEN}>", TOKEN),
            (f"[Confirm]({TOKEN})", TOKEN),
            (f"{TOKEN}。確認", TOKEN),
            ("https://a.example/w_(x) ok", "https://a.example/w_(x)"),
            ("https://a.example를", "https://a.example"),
        ):
            self.assertEqual(find_links(text, "")[0].url, url, text)

    def test_as_a_browser_goes(self) -> None:
        """The address told is the one that a browser goes to; one that is plain, as it stands."""
        for written, url in (
            ("https://a.example/confirm?t=abc\n567", "https://a.example/confirm?t=abc567"),
            (" https://a.example/confirm?t=a b", "https://a.example/confirm?t=a%20b"),
            ("//a.example/confirm?t=7af3", "https://a.example/confirm?t=7af3"),
            ("https:\\\\a.example\\confirm", "https://a.example/confirm"),
            (
                "https://bücher.example/confirm?t=é",
                "https://xn--bcher-kva.example/confirm?t=%C3%A9",
            ),
            ("HTTPS://A.Example/confirm?t={1}", "https://a.example/confirm?t=%7B1%7D"),
            ("HTTPS://A.Example/confirm?t=(1)'", "HTTPS://A.Example/confirm?t=(1)'"),
            ("https://u@a.example/confirm?t=%C3%A9#x", "https://u@a.example/confirm?t=%C3%A9#x"),
        ):
            html = f'<a href="{written}">Confirm email</a>'
            self.assertEqual([link.url for link in find_links("", html)], [url], written)

    def test_once(self) -> None:
        """An address in both bodies is one link, with the surer evidence and any words."""
        (link,) = find_links(f"Confirm: {TOKEN}", anchor("Confirm email"))
        self.assertEqual(link.text, "Confirm email")

    def test_order(self) -> None:
        """The surest action comes first, and there are not too many links."""
        html = "".join(anchor("x", f"https://a.example/{n}") for n in range(MAX_LINKS + 50))
        links = find_links("", anchor("Confirm email") + html)
        self.assertEqual(links[0].url, TOKEN)
        self.assertEqual(len(links), MAX_LINKS)

    def test_long_address(self) -> None:
        """An address no browser bar shows is no link."""
        self.assertEqual(find_links("", anchor("Confirm", TOKEN + "x" * MAX_URL)), ())

    def test_reason(self) -> None:
        """The reason quotes the words, and says what the address and the looks add."""
        html = "<a class=btn href='https://a.example/confirm/1a2b'>Confirm email</a>"
        reason = find_links("", html)[0].reason
        self.assertEqual(
            reason,
            "“Confirm email”; its address asks for it; a token in its address; on a button; "
            "the only one made for this mail",
        )

    def test_reason_is_cut_between_words(self) -> None:
        """Of long words it quotes those that decided, and no half of a word."""
        label = "please take a moment of your day to confirm that this is the address you meant"
        reason = find_links("", anchor(label))[0].reason
        quoted = reason[1 : reason.index("”")]
        self.assertIn("confirm", quoted)
        self.assertIn(f" {quoted} ", f" {label} ")

    def test_hostile(self) -> None:
        """Any piece repeated to the cap is read to its end: time is linear in the length."""
        for shape in (
            "http://",
            "https://a.example/( ",
            "https://ü",
            "<a href=http://a>",
            ")",
            ".",
        ):
            text = shape * (MAX_TEXT // len(shape))
            find_links(text, text)
            find_links("https://a.example/" + text, "")

    @given(st.text(), st.text())
    def test_never_raises(self, text: str, html: str) -> None:
        """Any text at all is a mail."""
        self.assertIsInstance(find_links(text, html), tuple)

    @given(
        st.lists(
            st.sampled_from("https:// [ ] @ \\ / ? # % %4 . : ü xn-- a 1 \0 \ud800".split(" "))
        )
    )
    def test_never_raises_on_addresses(self, pieces: list[str]) -> None:
        """Nor does an address made of the pieces of addresses; a confidence is from 0 to 1."""
        url = "https://" + "".join(pieces)
        for link in find_links("confirm " + url, anchor("confirm", url)):
            self.assertTrue(0 <= link.confidence <= 1)
