"""Chromium, one for all tests of a run, driven by Playwright; and every other host it could reach.

Playwright keeps an asyncio loop running in the thread that started it, which other tests would trip
over. So the browser has a thread of its own, and tests that use it run there.
"""

from __future__ import annotations

import shutil
import socketserver
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from typing import Any
from unittest import TestResult

from playwright.sync_api import Browser, BrowserContext, sync_playwright
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from tests.live.daemon import PATIENCE, Daemon

OWN_NAME = "plain.test"
"""A name this machine has in the browser, which does not trust it as it trusts 127.0.0.1."""

end_of_run = ExitStack()
"""What lives as long as the run: the browser, the other hosts, servers that tests share."""

_PROGRAMS = ("chromium-headless-shell", "chromium")
"""The same engine; the first is without windows, even such as nobody sees, and twice as fast."""

_thread = ThreadPoolExecutor(1, "browser")


class BrowserTestCase(SynchronousTestCase):
    """Runs in the browser's thread."""

    def run(self, result: TestResult | None = None) -> None:
        """Run there, and come back when it is over."""
        _close_with_the_reactor()
        _thread.submit(super().run, result).result()

    def new_context(self, **wishes: Any) -> BrowserContext:
        """A browser that nobody has used before; it ends with the test."""
        context = chromium().new_context(**wishes)
        context.set_default_timeout(1000 * PATIENCE)
        self.addCleanup(context.close)
        return context


@cache
def chromium() -> Browser:
    """The browser. Every ``*.example`` is one of the other hosts."""
    path = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    assert path is not None, f"no browser to test with: install the Debian package {_PROGRAMS[0]}"
    playwright = end_of_run.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=path, args=_arguments())
    end_of_run.callback(browser.close)
    return browser


@cache
def other_hosts() -> OtherHosts:
    """The hosts that are not ours."""
    hosts = OtherHosts()
    end_of_run.callback(serve(hosts))
    return hosts


@cache
def shared_daemon(*options: str) -> Daemon:
    """A server for everybody who is content with these options."""
    return end_of_run.enter_context(Daemon(*options))


def serve(server: socketserver.BaseServer) -> Callable[[], None]:
    """Serve in a thread of its own; the result ends it."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)

    return end


class OtherHosts(socketserver.ThreadingTCPServer):
    """Stands for every host but ours, and remembers what each connection said first.

    That is nothing when it was opened in advance. Who asks for a ``.png`` gets a picture, everybody
    else a document that says who opened it.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._news = threading.Condition()
        super().__init__(("127.0.0.1", 0), _Connection)

    @property
    def port(self) -> int:
        """Where they all are."""
        return int(self.server_address[1])

    def note(self, said: bytes) -> None:
        """Somebody connected and said this."""
        with self._news:
            self.heard.append(said)
            self._news.notify_all()

    def requests_to(self, host: str) -> list[str]:
        """What that host was asked, heads of requests, so far."""
        return [
            head
            for head in (said.decode("utf-8", "replace") for said in self.heard)
            if f"\r\nHost: {host}\r\n" in head
        ]

    def wait_for(self, host: str) -> str:
        """The first request to that host, now or soon."""
        with self._news:
            heard = self._news.wait_for(lambda: self.requests_to(host), PATIENCE)
        assert heard, f"nobody asked {host}"
        return heard[0]


class _Connection(socketserver.StreamRequestHandler):
    server: OtherHosts
    timeout = 0.2

    def handle(self) -> None:
        try:
            said = self.connection.recv(4096)
        except OSError:
            said = b""
        self.server.note(said)
        path = said.split(b" ")[1] if said.count(b" ") > 1 else b""
        kind, body = (
            ("image/svg+xml", _PICTURE) if path.endswith(b".png") else ("text/html", _DOCUMENT)
        )
        self.wfile.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n{body}".encode()
        )


_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200">'
    '<rect width="320" height="200" fill="#7a9"/></svg>'
)
_DOCUMENT = (
    "<!DOCTYPE html><title>elsewhere</title><p id=opener></p><p id=referrer></p>"
    "<script>opener_ = document.getElementById('opener'); opener_.textContent = 'opener ' +"
    "(window.opener ? 'known' : 'unknown');"
    "document.getElementById('referrer').textContent = 'referrer ' + document.referrer</script>"
)


def _arguments() -> list[str]:
    """How Chromium is started: quiet by itself, and with nowhere else to go.

    Containers have little shared memory, and a page that finds none crashes.
    """
    return [
        *(
            "--no-sandbox --disable-gpu --disable-quic --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync "
            "--disable-dev-shm-usage"
        ).split(),
        f"--host-resolver-rules=MAP *.example 127.0.0.1:{other_hosts().port}, "
        f"MAP {OWN_NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]


@cache
def _close_with_the_reactor() -> None:
    def close() -> None:
        _thread.submit(end_of_run.close).result()

    # trial ends its run by shutting the reactor down.
    reactor.addSystemEventTrigger("before", "shutdown", close)
