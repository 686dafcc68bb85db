"""Links of a mail: the one it was sent for, the one that ends a subscription, and the others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.recognition import link_outcome
from tempmail.content.links import (
    MAX_LINKS,
    MAX_TEXT,
    MAX_URL,
    best_link,
    find_links,
)
from tests.corpus.codes import forty, table

TOKEN = "https://a.example/x/9f3b1c20aa"

# An address, and the host a browser goes to.
# Words of a link that is not what a mail was sent for.
ELSEWHERE = (
    "Privacy", "Terms of service", "Help", "Contact us", "View in browser", "Track your package",
    "View order", "Shop now", "Decline", "This wasn't me", "Impressum", "Join meeting",
)  # fmt: skip


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
        for name in ("tuned", "heldout", "later"):
            wrong = [out for out in map(link_outcome, table(name)) if not out.correct]
            self.assertEqual(wrong, [], name)


class FindLinksTests(SynchronousTestCase):
    """Single rules."""

    def best(self, text: str = "", html: str = "") -> str | None:
        """The address that is told."""
        link = best_link(find_links(text, html))
        return link.url if link else None

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
        url = "https://a.example/verify?token=abc"
        for subject, link in (("Please verify your address", url), ("News of the week", None)):
            best = best_link(find_links(f"Click here: {url}", "", subject))
            self.assertEqual(best.url if best else None, link)
        self.assertIsNone(
            best_link(find_links("https://a.example/news/7af31", "", "Please verify"))
        )

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
            reason, "“Confirm email”; its address asks for it; a token in its address; on a button"
        )

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
