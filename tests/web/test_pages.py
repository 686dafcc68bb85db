"""The page's files, and how they are served. What the page does: ``tests/live``."""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.web import accent
from tempmail.web.branding import Branding
from tempmail.web.front import build_site
from tempmail.web.pages import pages
from tempmail.web.parts import build, modules, read_files
from tempmail.web.site import Exposure
from tests.web.house import Answer, House, SiteAgent, WebTestCase, Wire, status_of

LARGEST = 57_500
"""Octets of everything a first visit loads, compressed."""

# CLDR: the forms a language has for numbers (https://cldr.unicode.org/index/cldr-spec/plural-rules).
PLURALS = {
    "ar": ["zero", "one", "two", "few", "many", "other"],
    "de": ["one", "other"],
    "en": ["one", "other"],
    "es": ["one", "many", "other"],
    "fr": ["one", "many", "other"],
    "ja": ["other"],
    "ru": ["one", "few", "many", "other"],
    "zh-CN": ["other"],
}


class PageHouse(House):
    """A house with the page."""

    def __init__(self, exposure: Exposure | None = None, branding: Branding | None = None) -> None:
        super().__init__(exposure=exposure)
        exposure = exposure or Exposure()
        self.site = build_site(
            self.office, self.clock, self.budget, exposure, pages=pages(branding)
        )
        self.agent = SiteAgent(self.site)


class Markup(HTMLParser):
    """Elements with their attributes, and where text lies."""

    def __init__(self, octets: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(octets.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    @property
    def links(self) -> list[str]:
        """What it leads to, or loads."""
        return [
            value
            for _, attributes in self.elements
            for name, value in attributes.items()
            if name in ("href", "src", "action")
        ]


class ServingTests(WebTestCase):
    """The page over HTTP."""

    def make_house(self) -> House:
        """With the page."""
        return PageHouse()

    def test_document(self) -> None:
        """The root is a page that runs and loads what is ours, and that nobody frames."""
        answer = self.ask("GET", "/")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        self.assertEqual(
            answer.headers["content-security-policy"],
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            "img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html",
        )
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        self.assertEqual(answer.headers["referrer-policy"], "no-referrer")

    def test_links(self) -> None:
        """All it links to is there, is relative, and has the type it is used as."""
        types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        links = Markup(self.ask("GET", "/").body).links
        self.assertIn("docs", links)
        for link in links:
            self.assertNotRegex(link, r"^(?:/|\w+:)")
            if link.startswith("static/"):
                answer = self.ask("GET", f"/{link}")
                self.assertEqual(answer.status, 200, link)
                _, dot, suffix = link.rpartition(".")
                self.assertEqual(
                    answer.headers["content-type"].partition(";")[0], types[dot + suffix]
                )

    def test_modules(self) -> None:
        """Every module needed at first is named in the document, so none waits for another."""
        links = Markup(self.ask("GET", "/").body).links
        found = read_files()
        named = {link.split("/", 2)[2] for link in links if link.endswith(".js")}
        self.assertEqual(named, set(modules(found)))
        later = {path for path in found if path.endswith(".js")} - named
        languages = {f"words/{one}.js" for one in PLURALS}
        self.assertEqual(later, {"qr.js", "vendor/uqr/uqr.js", *languages})

    def fetch(self, path: str, accepted: str) -> Answer:
        """A file as it goes over the wire: treq unpacks what it gets."""
        asked = f"GET {path} HTTP/1.0\r\nAccept-Encoding: {accepted}\r\n\r\n"
        wire = Wire(self.house.site)
        head, _, body = wire.send(asked.encode()).partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
        return Answer(status_of(head), {name.lower(): value for name, value in lines}, body)

    def test_size(self) -> None:
        """A first visit transfers little, in any language, headers and all."""

        def size(path: str) -> int:
            answer = self.fetch(path, "gzip")
            headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            return len(headers) + len(answer.body)

        links = [one for one in Markup(self.ask("GET", "/").body).links if "static/" in one]
        folder = links[0].rpartition("/")[0]
        words = max(size(f"/{folder}/words/{one}.js") for one in PLURALS)
        self.assertLess(size("/") + sum(size(f"/{link}") for link in links) + words, LARGEST)

    def test_compressed(self) -> None:
        """Whoever takes gzip gets it, under a tag of its own; nobody else does."""
        plain = self.fetch("/", "identity")
        self.assertNotIn("content-encoding", plain.headers)
        self.assertEqual(plain.headers["vary"], "Accept-Encoding")
        for accepted in ("gzip", "br, GZIP;q=0.5", "*", "deflate,gzip ; q=1.0"):
            answer = self.fetch("/", accepted)
            self.assertEqual(answer.headers["content-encoding"], "gzip", accepted)
            self.assertEqual(answer.headers["vary"], "Accept-Encoding")
            self.assertEqual(gzip.decompress(answer.body), plain.body)
            self.assertNotEqual(answer.headers["etag"], plain.headers["etag"])
        for accepted in ("br", "gzip;q=0", "gzip; q=0.000", "br, *;q=0", ""):
            self.assertNotIn("content-encoding", self.fetch("/", accepted).headers, accepted)

    def test_caching(self) -> None:
        """Parts are kept for good under the name of their content; the page is asked for anew."""
        document = self.ask("GET", "/")
        self.assertEqual(document.headers["cache-control"], "no-cache")
        part = next(link for link in Markup(document.body).links if link.endswith("icon.svg"))
        headers = self.ask("GET", f"/{part}").headers
        self.assertEqual(headers["cache-control"], "public, max-age=31536000, immutable")
        _, version, name = part.split("/")
        self.assertRegex(version, r"^[0-9a-f]{20}$")
        for wrong in (
            f"/static/{name}",
            f"/static/{version[::-1]}/{name}",
            f"/static/{version}/index.html",
            f"/static/{version}/",
            f"/static/{version}/style",
            f"/static/{version}/..%2Fpages.py",
            f"/static/{version}/../pages.py",
            "/static",
            "/index.html",
            "//",
        ):
            self.assert_problem(self.ask("GET", wrong), 404)

    def test_unchanged(self) -> None:
        """Whoever has the page already is told so and sent nothing (RFC 9110 section 13.1.2)."""
        tag = self.ask("GET", "/").headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = self.ask("GET", "/", headers={"If-None-Match": known})
            self.assertEqual((answer.status, answer.body), (304, b""), known)
            self.assertEqual(answer.headers["etag"], tag)
            self.assertEqual(answer.headers["cache-control"], "no-cache")
        for other in ('"other"', tag.strip('"'), ""):
            self.assertEqual(self.ask("GET", "/", headers={"If-None-Match": other}).status, 200)

    def test_methods(self) -> None:
        """It can be read and nothing else."""
        head, get = self.ask("HEAD", "/"), self.fetch("/", "gzip")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["content-length"], str(len(get.body)))
        self.assert_problem(self.ask("POST", "/"), 405)

    def test_framed_mail(self) -> None:
        """The page, and nobody else, may frame the HTML of a mail."""
        box = self.mint(local_part="alice")
        self.deliver(
            "alice@tempmail.test", b"Subject: x\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n"
        )
        path = "/v1/mailboxes/alice%40tempmail.test/messages"
        (mail,) = self.ask("GET", path, token=box.token).json["messages"]
        headers = self.ask("GET", f"{path}/{mail['id']}/html?access_token={box.token}").headers
        self.assertIn("frame-ancestors 'self'", headers["content-security-policy"])
        self.assertNotIn("x-frame-options", headers)


class BelowBasePathTests(WebTestCase):
    """Behind a proxy that publishes us below a path."""

    def make_house(self) -> House:
        """Below /mail."""
        return PageHouse(Exposure(base_path="/mail"))

    def test_slash(self) -> None:
        """Without the last slash relative links would lead astray, so it is added."""
        answer = self.ask("GET", "/mail", allow_redirects=False)
        self.assertEqual((answer.status, answer.headers["location"]), (308, "/mail/"))

    def test_served(self) -> None:
        """The page and its parts are there with the base path and without it."""
        for base in ("/mail/", "/"):
            document = self.ask("GET", base)
            self.assertEqual(document.status, 200)
            part = next(link for link in Markup(document.body).links if "static/" in link)
            self.assertEqual(self.ask("GET", f"{base}{part}").status, 200)


class BrandingTests(WebTestCase):
    """What the operator says."""

    def page(self, **said: str) -> str:
        """The document with it."""
        self.house = PageHouse(branding=Branding(**said))
        self.treq._agent = self.house.agent
        return self.ask("GET", "/").body.decode()

    def test_name(self) -> None:
        """The site's name is title and heading."""
        text = self.page(site_name="Post & Co")
        self.assertIn("<title>Post &amp; Co</title>", text)
        self.assertIn("<h1>Post &amp; Co</h1>", text)

    def test_text(self) -> None:
        """Nothing the operator says is markup, nor a placeholder of ours."""
        evil = "<script>alert(1)</script> \"' $parts ${operator}"
        text = self.page(site_name=evil, notice=evil, imprint=evil, abuse_contact=evil)
        scripts = [given for tag, given in Markup(text.encode()).elements if tag == "script"]
        self.assertTrue(all("src" in given for given in scripts))
        self.assertEqual(text.count("&lt;script&gt;alert(1)"), 5)
        self.assertEqual(text.count("$parts ${operator}"), 5)

    def test_links(self) -> None:
        """What is a web or mail address becomes a link; no other scheme does."""
        for said, href in (
            ("https://example.org/imprint?a=1&b=2", "https://example.org/imprint?a=1&b=2"),
            ("abuse@example.org", "mailto:abuse@example.org"),
            ("mailto:abuse@example.org", "mailto:abuse@example.org"),
        ):
            for name in ("imprint", "abuse_contact"):
                self.assertIn(href, Markup(self.page(**{name: said}).encode()).links)
        ours = Markup(self.page().encode()).links
        for said in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "Ann, Main St 1"):
            self.assertEqual(len(Markup(self.page(imprint=said).encode()).links), len(ours), said)


class AccentTests(SynchronousTestCase):
    """The operator's colour."""

    @given(st.tuples(*(st.integers(0, 255) for _ in range(3))))
    def test_contrast(self, colour: accent.Colour) -> None:
        """Whatever it is, in both schemes it can be read, and read upon (WCAG 2.2, 1.4.3)."""
        sheet = accent.stylesheet(f"#{bytes(colour).hex()}").decode()
        shades = [accent.colour_of(one) for one in re.findall(r"#[0-9a-f]{6}", sheet)]
        self.assertEqual(len(shades), 6)
        for (shade, on_it, tint), papers in (
            (shades[:3], accent.LIGHT_PAPERS),
            (shades[3:], accent.DARK_PAPERS),
        ):
            for ground in (on_it, tint, *papers):
                self.assertGreaterEqual(accent.contrast(shade, ground), accent.CONTRAST, colour)

    def test_kept(self) -> None:
        """A colour that can be read stays as it is."""
        self.assertIn(f"--accent: {accent.DEFAULT};", accent.stylesheet(accent.DEFAULT).decode())

    def test_papers(self) -> None:
        """What contrast is reckoned against is what the page has."""
        sheet = read_files()["style/base.css"].decode()
        papers = re.findall(r"--(?:paper|raised): (#\w+);", sheet)
        whole = [one if len(one) == 7 else "#" + "".join(2 * x for x in one[1:]) for one in papers]
        reckoned = (*accent.LIGHT_PAPERS, *accent.DARK_PAPERS)
        self.assertEqual(whole, [f"#{bytes(one).hex()}" for one in reckoned])


class WordsTests(SynchronousTestCase):
    """The page in several languages."""

    def setUp(self) -> None:
        """Read them."""
        self.files = {path: octets.decode() for path, octets in read_files().items()}
        self.languages = {
            path[6:-3]: json.loads(text.removeprefix("export default ").rstrip().rstrip(";"))
            for path, text in self.files.items()
            if path.startswith("words/")
        }

    def test_languages(self) -> None:
        """The languages on offer are those there are words in."""
        (offered,) = re.findall(r"LANGUAGES = \{(.*?)\};", self.files["words.js"], re.S)
        names = [one.strip('"') for one in re.findall(r'^  ("?[\w-]+"?): "', offered, re.M)]
        self.assertEqual(sorted(names), sorted(self.languages))
        self.assertEqual(sorted(names), sorted(PLURALS))

    def test_keys(self) -> None:
        """Every word the page uses is there in every language, and none is left over."""
        used = set(
            re.findall(r'data-word="(\w+)"', Branding(imprint="x", abuse_contact="x").lines())
        )
        for path, text in self.files.items():
            if path.endswith(".js") and not path.startswith("vendor/"):
                used.update(re.findall(r'(?<![\w.])t\(\s*"(\w+)"', text))
                self.assertNotRegex(text, r'(?<![\w.])t\((?!\s*"|name, values|one\.dataset)', path)
        for language, words in self.languages.items():
            self.assertEqual(set(words), used, language)

    def test_placeholders(self) -> None:
        """Each word has the same places to fill in in every language, and no empty text."""
        for language, words in self.languages.items():
            for name, text in words.items():
                theirs = self.languages["en"][name]
                if isinstance(theirs, str):
                    self.assertEqual(places(text), places(theirs), (language, name))
                    self.assertTrue(text.strip(), (language, name))

    def test_plurals(self) -> None:
        """What is counted has all the forms its language has; a form may spell its number out."""
        for language, words in self.languages.items():
            for name, theirs in self.languages["en"].items():
                if isinstance(theirs, dict):
                    self.assertEqual(list(words[name]), PLURALS[language], (language, name))
                    for text in words[name].values():
                        self.assertLessEqual(set(places(text)), {"count"}, (language, name))
                    self.assertEqual(places(words[name]["other"]), ["count"], (language, name))


def places(text: str) -> list[str]:
    """What is to be filled in."""
    return sorted(re.findall(r"\{(\w+)\}", text))


class FileTests(SynchronousTestCase):
    """What the files may hold."""

    def setUp(self) -> None:
        """Read them."""
        self.document = build(Branding())[0].octets.decode()
        self.markup = Markup(self.document.encode())
        found = {path: octets.decode() for path, octets in read_files().items()}
        self.ours = {path: text for path, text in found.items() if not path.startswith("vendor/")}

    def test_vendored(self) -> None:
        """What is not ours is as it was published."""
        folder = files("tempmail.web").joinpath("static/vendor")
        lines = folder.joinpath("SHA256SUMS").read_text().splitlines()
        sums = {path: digest for digest, path in (line.split() for line in lines)}
        for path, digest in sums.items():
            octets = folder.joinpath(path).read_bytes()
            self.assertEqual(sha256(octets).hexdigest(), digest, path)
        served = {path for path in read_files() if path.startswith("vendor/")}
        self.assertEqual(served, {f"vendor/{path}" for path in (*sums, "SHA256SUMS")})

    def test_nothing_inline(self) -> None:
        """The policy allows no script, style or handler in the document, and there is none."""
        for tag, attributes in self.markup.elements:
            self.assertNotIn(tag, ("style", "base", "form"))
            self.assertFalse([name for name in attributes if name.startswith("on")], tag)
            self.assertNotIn("style", attributes)
            if tag == "script":
                self.assertLessEqual(attributes.keys(), {"type", "src", "async"})
        for path, text in self.ours.items():
            self.assertNotRegex(text, r"<style|\sstyle=|\son\w+=[\"$]", path)

    def test_no_markup_from_text(self) -> None:
        """No script of ours makes markup or code of text, so nothing in a mail becomes either."""
        for path, text in self.ours.items():
            self.assertNotRegex(
                text,
                r"(?i)innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|unsafe|srcdoc",
                path,
            )
            self.assertNotRegex(text, r"\beval\b|new Function|javascript:|createPolicy", path)

    def test_no_other_host(self) -> None:
        """No file names a host that could be asked for anything."""
        for path, text in self.ours.items():
            found = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*|url\(", text)
            self.assertEqual([one for one in found if "www.w3.org" not in one], [], path)

    def test_one_value(self) -> None:
        """What there is to know is in the state: no view looks into the document."""
        for path, text in self.ours.items():
            if path.startswith("views/"):
                self.assertNotRegex(text, r"querySelector|localStorage|\bfetch\(", path)

    def test_frame(self) -> None:
        """A mail's frame runs no scripts, has no forms, and tells nobody who reads it."""
        script = self.ours["views/body.js"]
        self.assertEqual(
            re.findall(r'sandbox="(.*)"', script),
            ["allow-same-origin allow-popups allow-popups-to-escape-sandbox"],
        )
        self.assertIn('referrerpolicy="no-referrer"', script)

    def test_without_scripts(self) -> None:
        """Without JavaScript the page says what there is instead."""
        notice = re.search(r"<noscript>(.*?)</noscript>", self.document, re.S)
        assert notice is not None
        self.assertIn('href="docs"', notice[1])
