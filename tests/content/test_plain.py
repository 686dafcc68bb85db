"""The visible text of an HTML document, and where links stand in it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.plain import MAX_HTML, decode, read_page

# What a document says, and what a reader sees of it.
SEEN = (
    ("<p>one</p><p>two</p>", "one\ntwo"),
    ("<div>a<div>b</div>c</div>", "a\nb\nc"),
    ("line<br>break", "line\nbreak"),
    ("<table><tr><td>7</td><td>3</td></tr><tr><td>1</td></tr></table>", "7 3\n1"),
    ("<span>1</span><span>2</span>", "12"),
    ("  much \n\t white&nbsp;&nbsp; space ", "much white space"),
    ("<pre>two\nlines</pre>", "two\nlines"),
    ("<div style='display:inline-block'>4</div><div style='display: inline'>5", "4 5"),
    ("a &amp; b &lt;c&gt; &#54;&#x36; &euro; &nosuch;", "a & b <c> 66 € &nosuch;"),
    ("zero\u200bwidth\ufeff", "zerowidth"),
    ("4 < 5 > 3 <3", "4 < 5 > 3 <3"),
)

# Markup whose text no reader sees; each is set between two words that are seen.
UNSEEN = (
    "<script>var code = '<b>123456</b>'</script>",
    "<STYLE>p{color:#123456}</STYLE >",
    "<head><title>Message 123456</title></head>",
    "<!-- 123456 -->",
    "<!-- a > b <p>123456</p> -->",
    "<!--[if mso]><v:rect href='x'>123456</v:rect><![endif]-->",
    "<![CDATA[123456]]>",
    "<div style='DISPLAY : NONE'>12<div>34</div>56</div>",
    "<div style='max-height:0;overflow:hidden'>123456</div>",
    "<span hidden>123456</span>",
    '<p style="color:red;opacity:0">123456</p>',
    "<template><p>123456</p></template>",
    "<img alt='123456'>",
    "<a title='a > 123456'></a>",
)

# Beginnings that hostile mails repeat to make readers that go back over their input stall.
HOSTILE = (
    "<", "<!--", "<![CDATA[", "<a ", "<a href=\"", "<div>", "</", "&", "&#", "&#1", "<div hidden>",
    "<p style='", "<script>", "<a b='\"", "<td><a href=x>", "<pre>\n", "<a\n=", "\0", " ",
)  # fmt: skip


def visible_text(html: str) -> str:
    """What a reader sees."""
    return read_page(html).text


class VisibleTextTests(SynchronousTestCase):
    """What is shown and what is not."""

    def test_layout(self) -> None:
        """Blocks and rows stand on lines of their own, cells are parted by a blank."""
        for html, text in SEEN:
            self.assertEqual(visible_text(html), text, html)

    def test_hidden(self) -> None:
        """Nothing that a browser does not show is in the text."""
        for html in UNSEEN:
            text = visible_text(f"<p>before</p>{html}<p>after</p>")
            self.assertEqual(text.split(), ["before", "after"], html)

    def test_hidden_ends_with_what_surrounds_it(self) -> None:
        """A hidden element that is not closed ends with the element around it."""
        html = "<table><tr><td><div style='display:none'>x</td><td>seen</td></tr></table>"
        self.assertEqual(visible_text(html), "seen")

    def test_unclosed_markup_ends_the_document(self) -> None:
        """As in a browser, a comment, a tag or a quote without an end hides the rest."""
        for html in ("<!-- x", "<a href='x", "<script>x"):
            self.assertEqual(visible_text("seen" + html + "<p>hidden"), "seen", html)
        self.assertEqual(visible_text("seen<a x"), "seen")

    def test_long_reference(self) -> None:
        """A numeric reference too long for any character is left as it stands, and raises not."""
        self.assertIn("1" * 5_000, decode("&#" + "1" * 5_007 + ";"))

    def test_cap(self) -> None:
        """No more than `MAX_HTML` characters are read."""
        self.assertEqual(len(visible_text("x" * (MAX_HTML + 10))), MAX_HTML)

    def test_hostile(self) -> None:
        """Any beginning repeated to the cap is read to its end: time is linear in the length."""
        for shape in HOSTILE:
            visible_text(shape * (MAX_HTML // len(shape)))

    @given(st.text(alphabet="<>/!-[]&#;='\" \na1bpscriptdvhn\u200b\ud800", max_size=60))
    @example("<a href='&#0;'>\ud800</a>")
    def test_never_raises(self, html: str) -> None:
        """Any text at all is a document."""
        page = read_page(html)
        for anchor in page.anchors:
            self.assertLessEqual(anchor.end, len(page.text))

    @given(st.text())
    def test_never_raises_on_any_text(self, html: str) -> None:
        """Characters of every plane, and halves of them, are text."""
        self.assertIsInstance(visible_text(html), str)


class AnchorTests(SynchronousTestCase):
    """Links as the reader meets them."""

    def test_place_and_words(self) -> None:
        """An anchor has its words and stands where the text has them."""
        page = read_page(
            "<p>Please <a href='https://a.example/?x=1&amp;y=2'> confirm <b>it</b></a>."
        )
        (anchor,) = page.anchors
        self.assertEqual(anchor.href, "https://a.example/?x=1&y=2")
        self.assertEqual(anchor.text, "confirm it")
        self.assertEqual(page.text[anchor.start : anchor.end], "confirm it")

    def test_references(self) -> None:
        """In an address a parameter that is called like a character is none, as in a browser."""
        for written, meant in (
            ("x?token=abc&copy=1&region=5&notify=1", "x?token=abc&copy=1&region=5&notify=1"),
            ("x?a=1&timestamp=5&ltx&amp2&not1", "x?a=1&timestamp=5&ltx&amp2&not1"),
            ("x?a=1&amp;copy=2&#38;c&#x26;d&#38e", "x?a=1&copy=2&c&d&e"),
            ("x?a&lt&gt;&copy", "x?a<>\u00a9"),
            ("x?a&notit;&nosuch;&", "x?a&notit;&nosuch;&"),
            ("x?a&copy;=1&copy;b", "x?a\u00a9=1\u00a9b"),
        ):
            (anchor,) = read_page(f'<a href="{written}">x</a>').anchors
            self.assertEqual(anchor.href, meant, written)

    def test_picture(self) -> None:
        """A link that is a picture has the words that stand for the picture."""
        page = read_page("<a href='https://a.example/'><img src='b.png' alt='Activate'></a>")
        self.assertEqual(page.anchors[0].text, "Activate")

    def test_button(self) -> None:
        """A padded, coloured or so named anchor, or one alone in a coloured cell, is a button."""
        for html in (
            "<a href=x style='padding:1px'>b</a>",
            "<a href=x class='main-btn'>b</a>",
            "<td bgcolor=red><a href=x>b</a>",
        ):
            self.assertTrue(read_page(html).anchors[0].button, html)
        self.assertFalse(read_page("<td bgcolor=red>or <a href=x>b</a>").anchors[0].button)

    def test_unclosed(self) -> None:
        """A link that is not closed ends where the next begins, or with the document."""
        page = read_page("<a href=1>one<a href=2>two")
        self.assertEqual([a.text for a in page.anchors], ["one", "two"])
