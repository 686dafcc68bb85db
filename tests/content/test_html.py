"""Tests of how the HTML of strangers is made fit to be shown."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.content import caps, css, html
from tempmail.content.html import sanitise

CORPUS = Path(__file__).parent.parent / "corpus" / "xss"
ATTACKS: list[dict[str, Any]] = json.loads((CORPUS / "attacks.json").read_text("utf-8"))
NEWSLETTERS = {p.stem: p.read_text("utf-8") for p in (CORPUS / "newsletters").glob("*.html")}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURES = {"a@b": ("image/png", PNG), "<in@angles>": ("IMAGE/JPEG; name=x", b"\xff\xd8\xff")}
PIECES = """
    <svg> <math> <style> </style> <p <table> <tr> <td> </td> <a href=' <!-- --> <![CDATA[ ]]>
    <select> <template> <b> </b> </p> <img src= onerror=x > " ' ` = / & &lt; &#0; <noscript>
    </noscript> {color:red} url( url(x) @import \\ : ; # <style>p{ } <title> <textarea> </textarea>
    <x:y <li> <ul> style=" /* */ data:image/png;base64, x-held:0 cid:a https://a.b/
""".split()
PIECES += [" ", "\0", "\ud800"]
CPU_AT_WORST = 3.0
"""Seconds; three times what the worst mail within the caps takes, for slower machines."""

ATTRIBUTES = (caps.ATTRIBUTES_KEPT - {"class", "id", "background", "text"}) | {
    "data-remote-background",
    "data-remote-src",
    "referrerpolicy",
    "rel",
    "target",
    "title",
}


class Reader(HTMLParser):
    """Collects what is wrong with a fragment that should be safe, and its tags."""

    def __init__(self, fragment: str, remote: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self.remote = remote
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in caps.ELEMENTS_KEPT:
            self.wrong.append(f"element {tag}")
        if len(given) != len(attrs):
            self.wrong.append(f"attribute twice in {attrs}")
        for name, value in given.items():
            self._attribute(tag, name, value)

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name not in ATTRIBUTES:
            self.wrong.append(f"attribute {name}")
        if name == "href" and not re.match(r"https?://[^/]|mailto:|tel:", value):
            self.wrong.append(f"link to {value}")
        inside = re.fullmatch(r"data:image/(png|jpe?g|gif|webp|bmp|avif);base64,[\w+/=]*", value)
        outside = self.remote and re.match(r"https?://[^/]", value)
        if name == "src" and (tag != "img" or not (inside or outside)):
            self.wrong.append(f"picture from {value}")
        if name == "style":
            value = re.sub(r";background-image:url\('https?://[^'()\\]*'\)$", "", value)
            if re.search(r"[\\<>{}@]|url\s*\(|expression\s*\(|position\s*:|javascript:", value):
                self.wrong.append(f"style {value}")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.wrong.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.wrong.append("processing instruction")

    def find(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each such tag."""
        return [given for name, given in self.tags if name == tag]


def as_it_is(markup: str) -> str:
    """Stands in for nh3 and drops nothing."""
    return markup


class Attacks(SynchronousTestCase):
    """Every document of the collection, through the sanitiser."""

    def check(self, **options: Callable[[str], str]) -> None:
        for attack in ATTACKS:
            clean = sanitise(attack["html"], PICTURES, **options)
            wrong = Reader(clean.fragment).wrong
            wrong += Reader(clean.fragment_with_remote, remote=True).wrong
            wrong += [
                f"contains {word}"
                for word in attack.get("must_not_contain", ())
                if word in re.sub(r'https?://[^"]*', "", clean.fragment)
            ]
            if wrong:
                self.fail(f"{attack['name']}: {wrong}: {clean.fragment}")

    def test_collection(self) -> None:
        """No attack leaves an element, an attribute or a value that is not on the lists."""
        self.check()

    def test_without_nh3(self) -> None:
        """The rewriting before and after nh3 holds alone."""
        self.check(cleaner=as_it_is)

    def test_without_nh3_and_css_inline_at_its_worst(self) -> None:
        """Markup that no cleaner wrote well becomes text."""
        for bad in (
            '<p style=\\"x" onclick=x>',
            "<img src='x' onerror=x>",
            "<script>x</script>",
            "</p onclick=x>",
            "<!--<p>-->",
            "<svg/onload=x>",
        ):
            fragment = sanitise("<p>", cleaner=lambda _, bad=bad: bad).fragment  # type: ignore[misc]
            self.assertEqual(Reader(fragment).wrong, [], fragment)

    def test_names_are_unique(self) -> None:
        """Each attack can be told by its name."""
        self.assertEqual(len({attack["name"] for attack in ATTACKS}), len(ATTACKS))

    def test_twice(self) -> None:
        """Cleaning what is clean finds nothing more to fetch, to run or to drop."""
        for attack in ATTACKS:
            once = sanitise(attack["html"]).fragment
            self.assertEqual(Reader(sanitise(once).fragment).wrong, [])

    def test_ends_its_own_elements(self) -> None:
        """No fragment closes an element of the page it stands in, or leaves one open."""
        for attack in ATTACKS:
            fragment = sanitise(attack["html"]).fragment
            depth = 0
            for slash, name in re.findall(r"<(/?)([a-z0-9]+)", fragment):
                depth += 0 if name in caps.VOID else -1 if slash else 1
                self.assertGreaterEqual(depth, 0, attack["name"])
            self.assertEqual(depth, 0, attack["name"])

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.one_of(
                st.sampled_from(PIECES),
                st.text(max_size=4),
            ),
            max_size=40,
        ).map("".join)
    )
    def test_anything(self, text: str) -> None:
        """Any text is cleaned without an exception, with and without nh3."""
        for clean in (sanitise(text), sanitise(text, cleaner=as_it_is)):
            self.assertEqual(Reader(clean.fragment).wrong, [])
            self.assertEqual(Reader(clean.fragment_with_remote, remote=True).wrong, [])


class Newsletters(SynchronousTestCase):
    """What survives of mail that means well."""

    def read(self, name: str) -> Reader:
        reader = Reader(sanitise(NEWSLETTERS[name], PICTURES).fragment)
        self.assertEqual(reader.wrong, [])
        return reader

    def style_of(self, reader: Reader, text: str) -> str:
        return next(g["style"] for _, g in reader.tags if text in g.get("style", ""))

    def test_shop(self) -> None:
        """Tables, widths, colours, fonts, spacing and alignment of a shop's letter survive."""
        reader = self.read("shop")
        tables, cells = reader.find("table"), reader.find("td")
        self.assertEqual(len(tables), 4)
        self.assertIn("max-width:600px;background:#ffffff", tables[1]["style"])
        self.assertEqual(sum(cell.get("width") == "33%" for cell in cells), 3)
        self.assertIn("background-color:#b4532a", self.style_of(reader, "border-radius:4px"))
        headline = self.style_of(reader, "font-size:32px")
        self.assertIn("font-family:'Lora', Georgia, serif", headline)
        self.assertIn("font-weight:700", headline)
        body = reader.tags[1][1]
        self.assertEqual(
            (body["bgcolor"], "background-color:#f2efe9" in body["style"]), ("#f2efe9", True)
        )
        self.assertEqual(cells[0]["align"], "center")
        self.assertIn("See the list \u2192", reader.text)

    def test_hidden_stays_hidden(self) -> None:
        """The preview text that senders hide is not shown."""
        for name, words in (("shop", "Wool, oak"), ("signup", "Use this code")):
            fragment = sanitise(NEWSLETTERS[name]).fragment
            tag = fragment[: fragment.index(words)].rpartition("<")[2]
            self.assertIn("display:none", tag)

    def test_outlook_comments(self) -> None:
        """What only Outlook should see is gone, what all others should see is there."""
        fragment = sanitise(NEWSLETTERS["shop"]).fragment
        for word in ("v:rect", "mso", "<![", "<!--", "PixelsPerInch"):
            self.assertNotIn(word, fragment)
        shown = sanitise(
            "<!--[if mso]>A<![endif]--><![if !mso]>B<![endif]><!--[if !mso]><!-->C<!--<![endif]-->"
        )
        self.assertEqual(Reader(shown.fragment).text, "BC")

    def test_conditions(self) -> None:
        """Rules for small screens and dark schemes are left out; those for all screens count."""
        fragment = sanitise(NEWSLETTERS["signup"]).fragment
        self.assertNotIn("#333333 !important", fragment)
        self.assertIn("padding:25px 0;text-align:center", fragment)
        self.assertIn("linear-gradient(90deg, #eef1ff 0%, #ffffff 100%)", fragment)
        self.assertIn("box-shadow:0 2px 3px rgba(0, 0, 0, 0.16)", fragment)

    def test_old(self) -> None:
        """HTML of the last century, tags unclosed and in capitals, keeps its layout."""
        reader = self.read("old")
        self.assertEqual(
            reader.find("font")[0], {"face": "Verdana,Arial", "size": "5", "color": "navy"}
        )
        table = reader.find("table")[0]
        self.assertEqual(
            (table["width"], table["bgcolor"], table["border"]), ("640", "#EEEECC", "1")
        )
        self.assertEqual(
            [len(reader.find(tag)) for tag in ("li", "p", "tr", "th", "td")], [3, 2, 2, 1, 2]
        )
        self.assertEqual(reader.tags[1][1]["style"], "color:#000000;")

    def test_right_to_left(self) -> None:
        """Direction, alignment and letters of Arabic mail survive."""
        reader = self.read("arabic")
        self.assertIn("direction:rtl;text-align:right", reader.tags[1][1]["style"])
        self.assertEqual(reader.find("bdi"), [{"dir": "ltr"}])
        self.assertIn("width:calc(100% - 20px)", reader.find("table")[0]["style"])
        self.assertIn("\u0631\u0642\u0645", reader.text)

    def test_fast(self) -> None:
        """A newsletter costs milliseconds (1 measured)."""
        start = time.process_time()
        for _ in range(10):
            sanitise(NEWSLETTERS["shop"])
        self.assertLess((time.process_time() - start) / 10, 0.02)


class Remote(SynchronousTestCase):
    """What the reader's browser would tell others."""

    def test_held_back(self) -> None:
        """Remote pictures and backgrounds are held back, and come back when asked for."""
        clean = sanitise(NEWSLETTERS["shop"])
        held, shown = Reader(clean.fragment), Reader(clean.fragment_with_remote, remote=True)
        self.assertEqual(held.wrong + shown.wrong, [])
        self.assertEqual([g for g in held.find("img") if "src" in g], [])
        self.assertEqual(len([g for g in shown.find("img") if "src" in g]), 4)
        self.assertIn(
            "background-image:url('https://img.harrow.example/hero.jpg')",
            clean.fragment_with_remote,
        )
        self.assertNotIn("data-remote", clean.fragment_with_remote)

    def test_hosts(self) -> None:
        """Hosts are told once each, in order, as A-labels; links do not count."""
        clean = sanitise(
            "<a href=http://link.example/><img src=http://B.example/1><img src=//a.example/2>"
            "<img src=http://b.example:81/3><p style=background:url(https://\u00fc.example/4)>"
        )
        self.assertEqual(clean.remote_hosts, ("b.example", "a.example", "xn--tda.example"))

    def test_tracking_pixels(self) -> None:
        """Pictures nobody can see are counted and never loaded."""
        clean = sanitise(
            "".join(
                f"<img src=https://t.example/{n} {look}>"
                for n, look in enumerate(
                    (
                        "width=1 height=1",
                        "width=0 height=20",
                        'style="display:none"',
                        'style="width:1px;height:1px !important"',
                        'style="opacity:0"',
                        "width=1 height=20",
                        'style="height:1px;width:600px"',
                        "width=100",
                    )
                )
            )
        )
        self.assertEqual(clean.tracking_pixels, 5)
        self.assertEqual(re.findall(r"t.example/(\d)", clean.fragment_with_remote), ["5", "6", "7"])
        self.assertEqual(clean.remote_hosts, ("t.example",))

    def test_text_is_no_mark(self) -> None:
        """Words that look like a held picture stay words."""
        text = '<img data-remote-src="https://x.example/">'
        clean = sanitise(f"<p>{escape(text, quote=False)}</p><img alt='{text}'>")
        self.assertEqual(clean.fragment, clean.fragment_with_remote)
        self.assertEqual(Reader(clean.fragment).text, text)

    def test_enclosed_pictures(self) -> None:
        """``cid:`` pictures of the mail are shown, as long as they are made of pixels."""
        kinds = {
            "svg": ("image/svg+xml", b"<svg/>"),
            "page": ("text/html", b"<p>"),
            "png": ("image/png", PNG),
            "raw": ("application/octet-stream", PNG),
            "raw2": ("application/octet-stream", b"<svg>"),
            "<in@angles>": ("IMAGE/JPEG; name=x", b"\xff\xd8\xff"),
        }
        text = "".join(f"<img src='cid:{name}'>" for name in [*kinds, "in%40angles", "absent"])
        shown = [g.get("src", "")[:15] for g in Reader(sanitise(text, kinds).fragment).find("img")]
        png, jpeg = "data:image/png;", "data:image/jpeg"
        self.assertEqual(shown, ["", "", png, png, "", jpeg, jpeg, ""])

    def test_size_of_pictures(self) -> None:
        """Pictures beyond the caps are left out, with a word; those before them stay."""
        pictures = {
            "huge": ("image/png", bytes(html.PICTURE_OCTETS + 1)),
            "big": ("image/png", bytes(html.PICTURES_OCTETS // 2)),
        }
        clean = sanitise("<img src=cid:huge>" + "<img src=cid:big>" * 3, pictures)
        self.assertEqual(
            ["src" in g for g in Reader(clean.fragment).find("img")], [False, True, True, False]
        )
        self.assertEqual(len(clean.defects), 2)

    def test_written_out(self) -> None:
        """Pictures written into the HTML are shown if raster, and count."""
        data = base64.b64encode(PNG).decode()
        clean = sanitise(
            f"<img src=' data:image/PNG;base64,{data[:20]}\n{data[20:]}'>"
            "<img src='data:image/png;base64,A'>"
        )
        self.assertEqual(
            Reader(clean.fragment).find("img"), [{"src": f"data:image/png;base64,{data}"}, {}]
        )


class Links(SynchronousTestCase):
    """Where links lead, and what they show of it."""

    def test_attributes(self) -> None:
        """A link keeps its target, shows its host, and tells neither side of the other."""
        clean = sanitise(
            '<a href="https://sub.Bank.example/a?b=1&amp;c=%20#d" title="evil" target=_top>x</a>'
        )
        self.assertEqual(
            Reader(clean.fragment).find("a"),
            [
                {
                    "href": "https://sub.bank.example/a?b=1&c=%20#d",
                    "title": "sub.bank.example",
                    "target": "_blank",
                    "rel": "noopener noreferrer nofollow",
                    "referrerpolicy": "no-referrer",
                }
            ],
        )


class Styles(SynchronousTestCase):
    """Declarations that pass, and those that do not."""

    def test_kept(self) -> None:
        """Colours, fonts, sizes, spacing and borders pass as they are."""
        for text in (
            "color:red", "background:#fff", "font:italic bold 12px/1.5 'A B',\"C\",serif",
            "margin:0 auto", "padding:1px 2em 3% .5pt !important", "color:#fff",
            "border:1px solid rgba(0,0,0,.1)",
            "width:calc(100% - (2 * 20px))", "display:inline-block", "line-height:150%",
            "font-family:\u5fae\u8f6f\u96c5\u9ed1,Arial", "letter-spacing:-0.5px",
        ):  # fmt: skip
            self.assertEqual(css.declarations(text).text, text)

    def test_dropped(self) -> None:
        """What fetches, runs, escapes its place or is not understood is dropped."""
        for text in (
            "position:fixed", "z-index:9", "top:0", "transform:none", "behavior:x",
            "-moz-binding:x",
            "width:expression(1)", "color:\\72 ed", "margin:-1px", "text-indent:-1em",
            "width:100vw",
            "box-shadow:0 0 0 65px red", "outline:900px solid", "color:var(--a)", "--a:b",
            "color:{}",
            "content:'x'", "color:red}p{", "font-family:'a", "color:url(x)", "width:calc(1px",
            "color:",
            "text-shadow:calc(99px*99) 0 red", "box-shadow:0 0 0 9e9px red", "cursor:none",
            "color:@x",
            "background-image:image-set('x' 1x)", "font-family:'</style>'", "color:r\x00ed",
        ):  # fmt: skip
            self.assertEqual(css.declarations(text).text, "", text)

    def test_background(self) -> None:
        """A background loses its picture, which is remembered, and keeps its colour."""
        found = css.declarations("background:#eee url( 'http://a/b;c' ) no-repeat;color:red")
        self.assertEqual(
            (found.text, found.pictures), ("background:#eee no-repeat;color:red", ("http://a/b;c",))
        )

    def test_sheet(self) -> None:
        """Of a style sheet the plain rules stay; body becomes a class."""
        sheet = css.sheet(
            "@import 'x';<!-- body , table.a>td{color:red}a:link{color:blue}a:hover,b::before,"
            "[x],c+d{color:red}@media screen{i{color:red}}@media print{u{color:red}}"
            "@media screen and (max-width:9px){s{color:red}}p{color:red;q{color:blue}} z{}"
        )
        self.assertEqual(
            str(sheet), ".x-body{color:red}table.a>td{color:red}a{color:blue}i{color:red}"
        )


class Caps(SynchronousTestCase):
    """What is too much."""

    def test_loses_its_html(self) -> None:
        """What does not pass a cap has no fragment, and says which."""
        for text, word in (
            ("<div>" * 20_000, "within each other"),
            ("<p " + " ".join(f"a{n}=1" for n in range(50_000)) + ">", "attributes"),
            (("<p " + "a " * 150 + ">") * 500, "attributes"),
            ("<p>x" * 30_000, "elements"),
            ("</b>" * 200_000, "tags"),
            ("<" * 1_000_000, "characters"),
            ("a" * 9_000_000, "characters"),
            ("&" * 1_400_000, "characters"),
            ("<svg>" + "<g>" * 120_000, "tags"),
        ):
            clean = sanitise(text)
            self.assertEqual(clean.fragment, "")
            self.assertEqual(len(clean.defects), 1)
            self.assertIn(word, clean.defects[0])

    def test_loses_its_style_sheets(self) -> None:
        """Too many rules for so many elements, and the mail is shown without its sheets."""
        clean = sanitise("<style>" + "p{color:red}" * 5_000 + "</style>" + "<p>x</p>" * 2_000)
        self.assertEqual(clean.fragment.count("<p>"), 2_000)
        self.assertIn("style sheets left out", clean.defects[0])

    def test_hostile_shapes_end_soon(self) -> None:
        """The worst shapes known cost at most about a second (0.5 measured)."""
        deep = "<div>" * 250
        for name, text in {
            "end tags": deep + "</b>" * 99_000,
            "ended": "<b><div>" * 127 + "</b>" * 90_000,
            "comments": "<!--" * 250_000,
            "cdata": "<![CDATA[" * 100_000,
            "quotes": "<a b='" * 200_000,
            "equals": "<a " + "=" * 1_000_000,
            "formatting": "".join(f"<font size={n}>" for n in range(250)) + "<p>x" * 19_000,
            "nested links": "<table>" + "<a href=http://a.b/>" * 240 + "<tr><td>x" * 5_000,
            "fat styles": "<style>*{font-family:" + "a," * 190 + "b}</style>" + "<p>x</p>" * 10_000,
            "selectors": "<style>" + "div div > div div > div div p{color:red}" * 40 + "</style>"
            + deep + "<p>x</p>" * 19_000,
            "braces": "<style>" + "{" * 390_000 + "</style><p>x",
            "parentheses": '<p style="color:' + "(" * 1_000_000 + '">',
            "urls": '<p style="background:' + "url(" * 300_000 + '">',
            "classes": '<p class="' + " ".join(f"c{n}" for n in range(200_000)) + '">',
            "hosts": "".join(f"<a href='//{chr(1087) * 50}{n}.a/'>x" for n in range(9_000)),
            "styles": "".join(f'<p style="padding:{n}px">x</p>' for n in range(19_000)),
        }.items():  # fmt: skip
            start = time.process_time()
            sanitise(text)
            self.assertLess(time.process_time() - start, CPU_AT_WORST, name)

    def test_depth_is_kept(self) -> None:
        """What is written never nests deeper than the cap, whatever a parser would make of it."""
        for text in (
            "<b><p>" * 100,
            "<table><tr><td>" * 80,
            "<ul><li>" * 120,
            "<font a=1><p>" * 9_000,
        ):
            try:
                level = caps.level(text)
            except caps.TooMuch:
                continue
            depth = deepest = 0
            for slash in re.findall(r"<(/?)", level.markup):
                depth += -1 if slash else 1
                deepest = max(deepest, depth)
            self.assertEqual(depth, 0)
            self.assertLessEqual(deepest, caps.DEPTH + 1)
