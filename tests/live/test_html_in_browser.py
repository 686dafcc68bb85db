"""What a real browser does with hostile mail: no script runs, nothing is fetched.

Every document of ``tests/corpus/xss`` is opened behind both walls, behind each wall alone, and
behind none, which shows that the browser and this test do see what they look for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.html import CleanHtml, document, sanitise
from tests.live.browser import ATTACKS, Beacon, Browser, serve

BATCH = 20
"""Tabs open at once; each stays open while the others of its batch load, so what runs late
shows."""

FRAMES = 20
"""Frames a batch is watched for after its last document was loaded."""

QUIET = "quiet"
"""The title of every document here. A script that ran has changed it."""

Page = tuple[bytes, Mapping[str, str]]


class Origin(ThreadingHTTPServer):
    """Serves documents by number; a request for anything else is remembered."""

    daemon_threads = True

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.strange: list[str] = []
        super().__init__(("127.0.0.1", 0), OriginConnection)


class OriginConnection(BaseHTTPRequestHandler):
    """One connection to the origin."""

    server: Origin

    def do_GET(self) -> None:
        name = self.path[1:]
        if not name.isdigit():
            if name != "favicon.ico":  # which browsers ask every origin for on their own
                self.server.strange.append(self.path)
            self.send_error(404)
            return
        body, headers = self.server.pages[int(name)]
        self.send_response(200)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


class HtmlInBrowser(SynchronousTestCase):
    """Hostile mail in Chromium."""

    attacks = ATTACKS

    def setUp(self) -> None:
        self.beacon, self.origin = Beacon(), Origin()
        for server in (self.beacon, self.origin):
            self.addCleanup(serve(server))
        self.browser = Browser(self.beacon.server_address[1])
        self.addCleanup(self.browser.close)

    def html_of(self, attack: Mapping[str, str]) -> str:
        """The attack, aimed at the beacon."""
        return attack["html"].replace(
            "beacon.invalid", f"127.0.0.1:{self.beacon.server_address[1]}"
        )

    def bare(self, fragment: str) -> Page:
        """A document without any policy."""
        text = f"<!DOCTYPE html><meta charset=utf-8><title>{QUIET}</title><body>{fragment}"
        return text.encode("utf-8", "replace"), {"Content-Type": "text/html; charset=utf-8"}

    def visit(self, pages: list[Page]) -> list[str]:
        """Open every page; what each did that it should not, empty for nothing."""
        base = f"http://127.0.0.1:{self.origin.server_address[1]}/"
        self.origin.pages[:] = pages
        seen: list[str] = []
        for start in range(0, len(pages), BATCH):
            numbers = range(start, min(start + BATCH, len(pages)))
            fetched = [self.fetched_by(n - start, f"{base}{n}") for n in numbers]
            self.browser.watch(FRAMES)
            fetched[-1] += self.fetched()
            for n in numbers:
                at, title = self.browser.look(n - start)
                did = [f"title {title!r}"] if title != QUIET else []
                did += [f"went to {at}"] if at != f"{base}{n}" else []
                did += ["fetched " + " and ".join(fetched[n - start])] if fetched[n - start] else []
                seen.append(", ".join(did))
        return seen

    def fetched_by(self, tab: int, url: str) -> list[str]:
        """Open one page; what was fetched meanwhile, by it or late by one before it."""
        self.browser.open(tab, url)
        return self.fetched()

    def fetched(self) -> list[str]:
        """What was asked of any host since last told."""
        told = [*map(repr, self.beacon.heard), *self.origin.strange]
        self.beacon.heard.clear()
        self.origin.strange.clear()
        return [words[:300] for words in told]

    def assert_quiet(self, pages: list[Page]) -> None:
        seen = self.visit(pages)
        loud = {a["name"]: did for a, did in zip(self.attacks, seen, strict=True) if did}
        self.assertEqual(loud, {})

    def test_both_walls(self) -> None:
        """Sanitised and in its document, no attack runs, fetches or navigates."""
        self.assert_quiet([document(sanitise(self.html_of(a)), title=QUIET) for a in self.attacks])

    def test_sanitiser_alone(self) -> None:
        """The fragment is harmless in a page without any policy."""
        self.assert_quiet([self.bare(sanitise(self.html_of(a)).fragment) for a in self.attacks])

    def test_document_alone(self) -> None:
        """The document holds attacks that nobody has cleaned."""
        raw = [CleanHtml(self.html_of(attack)) for attack in self.attacks]
        self.assert_quiet([document(clean, title=QUIET) for clean in raw])

    def test_no_wall(self) -> None:
        """Without walls the attacks work: this browser and this test see them."""
        seen = self.visit([self.bare(self.html_of(attack)) for attack in self.attacks])
        self.assertGreater(sum("title" in did for did in seen), 30)
        self.assertGreater(sum("fetched" in did for did in seen), 30)

    def test_remote_pictures(self) -> None:
        """When asked for, remote pictures load and nothing else does."""
        port = self.beacon.server_address[1]
        html = (
            "<img src=HERE/picture><img src=HERE/pixel width=1 height=1><script src=HERE/script>"
            "</script><p style='background:url(HERE/background)'>x</p><iframe src=HERE/frame>"
            "</iframe><style>@import 'HERE/sheet'; p{cursor:url(HERE/cursor)}</style>"
        ).replace("HERE", f"http://127.0.0.1:{port}")
        held = self.visit([document(sanitise(html), title=QUIET)])
        self.assertEqual(held, [""])
        (shown,) = self.visit([document(sanitise(html), title=QUIET, images_remote=True)])
        self.assertEqual(set(re.findall(r"GET (\S+)", shown)), {"/picture", "/background"})
        self.assertNotIn("Referer", shown)
