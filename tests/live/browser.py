"""For tests in a real browser: Chromium, told what to do by WebDriver; the attacks it is shown;
and the host that these want to reach."""

from __future__ import annotations

import json
import shutil
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

CORPUS = Path(__file__).parent.parent / "corpus" / "xss"

ATTACKS: list[dict[str, str]] = json.loads((CORPUS / "attacks.json").read_text("utf-8"))
"""Each with a name and its ``html``, in which ``document.title=666`` is what runs, and
``beacon.invalid`` the host that is asked."""


def serve(server: socketserver.BaseServer) -> Callable[[], None]:
    """Serve in a thread of its own; the result ends it."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join(10)

    return end


def arguments(profile: str, hosts_at: int) -> list[str]:
    """How Chromium is started: quiet by itself, and with every ``*.example`` at this port."""
    return [
        *(
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync"
        ).split(),
        f"--user-data-dir={profile}",
        f"--host-resolver-rules=MAP *.example 127.0.0.1:{hosts_at}, MAP * ~NOTFOUND, "
        "EXCLUDE 127.0.0.1",
    ]


def program(name: str) -> str:
    """Where it is."""
    found = shutil.which(name)
    if found is None:
        raise AssertionError(
            "no browser to test with: install the Debian packages chromium and chromium-driver"
        )
    return found


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


class Browser:
    """A headless Chromium, driven by WebDriver (W3C)."""

    def __init__(self, hosts_at: int) -> None:
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        driver, chromium = program("chromedriver"), program("chromium")
        self.process = subprocess.Popen(
            [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        line = next(line for line in self.process.stdout if "successfully on port" in line)
        self.base = f"http://127.0.0.1:{line.rstrip().rstrip('.').split()[-1]}/session"
        options = {"binary": chromium, "args": arguments(self.profile, hosts_at)}
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
