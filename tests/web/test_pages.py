"""The page's files, and how they are served. What the page does: ``tests/live/test_page.py``."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tempmail.web.front import build_site
from tempmail.web.pages import pages, read_parts
from tempmail.web.site import Exposure
from tests.web.house import House, SiteAgent, WebTestCase

LARGEST = 60_000
"""Octets of everything a first visit loads, before any compression."""

MODULE = re.compile(r"""^(?:import|export) [^;]*?from "([^"]+)";""", re.M)


class PageHouse(House):
    """A house with the page."""

    def __init__(self, exposure: Exposure | None = None) -> None:
        super().__init__(exposure=exposure)
        self.site = build_site(
            self.office, self.clock, self.budget, exposure or Exposure(), pages=pages()
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
            "img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'",
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
        """Every module that another one names is there, and loaded before it is asked for."""
        links = Markup(self.ask("GET", "/").body).links
        parts = read_parts()
        named = {"page.js"}
        for name, octets in parts.items():
            if name.endswith(".js"):
                for found in MODULE.findall(octets.decode()):
                    self.assertRegex(found, r"^\./\w+\.js$")
                    named.add(found[2:])
        self.assertEqual(named, {name for name in parts if name.endswith(".js")})
        self.assertEqual(named, {link.rpartition("/")[2] for link in links if link.endswith(".js")})

    def test_caching(self) -> None:
        """Parts are kept for good under the name of their content; the page is asked for anew."""
        document = self.ask("GET", "/")
        self.assertEqual(document.headers["cache-control"], "no-cache")
        part = next(link for link in Markup(document.body).links if link.endswith("page.css"))
        headers = self.ask("GET", f"/{part}").headers
        self.assertEqual(headers["cache-control"], "public, max-age=31536000, immutable")
        _, version, name = part.split("/")
        self.assertRegex(version, r"^[0-9a-f]{20}$")
        for wrong in (
            f"/static/{name}",
            f"/static/{version[::-1]}/{name}",
            f"/static/{version}/index.html",
            f"/static/{version}/",
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
        head, get = self.ask("HEAD", "/"), self.ask("GET", "/")
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


class FileTests(WebTestCase):
    """What the files may hold."""

    def setUp(self) -> None:
        """Read them."""
        self.parts = {name: octets.decode() for name, octets in read_parts().items()}
        self.markup = Markup(self.parts["index.html"].encode())

    def test_size(self) -> None:
        """A first visit is light."""
        self.assertLess(sum(len(text.encode()) for text in self.parts.values()), LARGEST)

    def test_nothing_inline(self) -> None:
        """The policy allows no script, style or handler in the document, and there is none."""
        for tag, attributes in self.markup.elements:
            self.assertNotIn(tag, ("style", "base", "form"))
            self.assertFalse([name for name in attributes if name.startswith("on")], tag)
            self.assertNotIn("style", attributes)
            if tag == "script":
                self.assertEqual(attributes.keys(), {"type", "src"})

    def test_no_markup_from_text(self) -> None:
        """No script makes markup or code of text, so nothing in a mail can become either."""
        for name, text in self.parts.items():
            self.assertNotRegex(
                text, r"(?i)innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser", name
            )
            self.assertNotRegex(text, r"\beval\b|new Function|javascript:", name)

    def test_no_other_host(self) -> None:
        """No file names a host that could be asked for anything."""
        for name, text in self.parts.items():
            found = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*|url\(", text)
            self.assertEqual([one for one in found if "www.w3.org" not in one], [], name)

    def test_frame(self) -> None:
        """A mail's frame has no scripts, no origin, no forms, and tells nobody who reads it."""
        script = self.parts["message.js"]
        self.assertEqual(
            re.findall(r"sandbox: (.*),", script), ['"allow-popups allow-popups-to-escape-sandbox"']
        )
        self.assertIn('referrerpolicy: "no-referrer"', script)

    def test_words(self) -> None:
        """Every word the page uses is there, in every language, and none is left over."""
        table = re.compile(r"^const (\w+) = \{\n(.*?)^\};", re.M | re.S)
        tables = {
            language: set(re.findall(r"^  (\w+):", body, re.M))
            for language, body in table.findall(self.parts["words.js"])
        }
        self.assertIn("en", tables)
        used = {given["data-word"] for _, given in self.markup.elements if "data-word" in given}
        for name, text in self.parts.items():
            if name.endswith(".js"):
                used.update(re.findall(r"(?<![\w./])words\.(\w+)", text))
        # Those whose names are put together.
        used |= {"tab_html", "tab_text"}
        used |= {f"state_{name}" for name in ("connecting", "live", "offline")}
        for language, names in tables.items():
            self.assertEqual(names, used, language)

    def test_without_scripts(self) -> None:
        """Without JavaScript the page says what there is instead."""
        notice = re.search(r"<noscript>(.*?)</noscript>", self.parts["index.html"], re.S)
        assert notice is not None
        self.assertIn('href="docs"', notice[1])

    def test_names(self) -> None:
        """The document says its language, and every region and button has a name."""
        elements = self.markup.elements
        self.assertEqual(dict(elements)["html"], {"lang": "en"})
        ids = {given["id"] for _, given in elements if "id" in given}
        for tag, given in elements:
            if tag in ("section", "article", "dialog"):
                # An open mail brings its title along.
                self.assertIn(given["aria-labelledby"], ids | {"message-title"})
            if tag == "button":
                self.assertTrue(given["data-word"])
