"""What a real browser does with hostile mail: no script runs, nothing is fetched.

Every document of ``tests/corpus/xss`` is opened behind both walls, behind each wall alone, and
behind none, which shows that the browser and this test do see what they look for.
"""

from __future__ import annotations

import json
import re
import shutil
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import Request, urlopen

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.html import CleanHtml, document, sanitise

CORPUS = Path(__file__).parent.parent / "corpus" / "xss"
BATCH = 20
"""Tabs open at once; each stays open while the others of its batch load, so what runs late
shows."""

FRAMES = 20
"""Frames a batch is watched for after its last document was loaded."""

QUIET = "quiet"
"""The title of every document here. A script that ran has changed it."""

Page = tuple[bytes, Mapping[str, str]]


class Beacon(socketserver.ThreadingTCPServer):
    """Stands for every host of the attacks, and remembers what each connection said first: nothing
    when it was opened in advance."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        super().__init__(("127.0.0.1", 0), BeaconConnection)


class BeaconConnection(socketserver.StreamRequestHandler):
    """One connection to the beacon."""

    server: Beacon
    timeout = 0.2

    def handle(self) -> None:
        try:
            said = self.connection.recv(4096)
        except OSError:
            said = b""
        self.server.heard.append(said)
        self.wfile.write(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )


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


class Browser:
    """A headless Chromium, driven by WebDriver (W3C)."""

    def __init__(self, hosts_at: int) -> None:
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        driver = shutil.which("chromedriver")
        chromium = shutil.which("chromium")
        if driver is None or chromium is None:
            raise AssertionError(
                "no browser to test with: install the Debian packages chromium and chromium-driver"
            )
        self.process = subprocess.Popen(
            [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        line = next(line for line in self.process.stdout if "successfully on port" in line)
        self.base = f"http://127.0.0.1:{line.rstrip().rstrip('.').split()[-1]}/session"
        arguments = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync"
        ).split()
        arguments += [
            f"--user-data-dir={self.profile}",
            f"--host-resolver-rules=MAP *.example 127.0.0.1:{hosts_at}, MAP * ~NOTFOUND, "
            "EXCLUDE 127.0.0.1",
        ]
        options = {"binary": chromium, "args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        session = self("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self.base = f"{self.base}/{session['sessionId']}"
        self.home = str(self("GET", "/window"))
        self.tabs: list[str] = []

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = Request(self.base + path, data, method=method)
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)["value"]

    def close(self) -> None:
        """End the browser and its driver."""
        try:
            self("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(10)
            assert self.process.stdout is not None
            self.process.stdout.close()
            shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, tab: int, url: str) -> None:
        """Load a document in a tab."""
        while len(self.tabs) <= tab:
            self.tabs.append(str(self("POST", "/window/new", {"type": "tab"})["handle"]))
        self("POST", "/window", {"handle": self.tabs[tab]})
        self("POST", "/url", {"url": url})

    def look(self, tab: int) -> tuple[str, str]:
        """The address and the title that a tab has now."""
        self("POST", "/window", {"handle": self.tabs[tab]})
        return str(self("GET", "/url")), str(self("GET", "/title"))

    def watch(self, frames: int) -> None:
        """Let so many frames of a document of our own go by."""
        self("POST", "/window", {"handle": self.home})
        script = (
            "let n = arguments[0], done = arguments[1];"
            "(function f() { n-- ? requestAnimationFrame(f) : done() })()"
        )
        self("POST", "/execute/async", {"script": script, "args": [frames]})


class HtmlInBrowser(SynchronousTestCase):
    """Hostile mail in Chromium."""

    attacks: ClassVar[list[dict[str, str]]] = json.loads(
        (CORPUS / "attacks.json").read_text("utf-8")
    )

    def setUp(self) -> None:
        self.beacon, self.origin = Beacon(), Origin()
        for server in (self.beacon, self.origin):
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            self.addCleanup(thread.join, 10)
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)
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
