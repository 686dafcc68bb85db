"""The way to the server: lost and found again, through a proxy, below a path; what it costs."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from smtplib import SMTP
from statistics import median

from playwright.sync_api import Page, Route, expect

from tests.live.daemon import PATIENCE, Daemon
from tests.live.letters import letter, with_everything
from tests.live.stories.story import Story

SOON = 0.150
"""Seconds from a mail's final dot until its code is in sight (UI.md)."""

FIRST_VISIT = 60_000
"""Octets a first visit may cost on the wire (UI.md)."""


class LostStories(Story):
    """A connection that is lost."""

    def test_offline(self) -> None:
        """Without a network the page says so; with it again all that came meanwhile is there."""
        visitor = self.visitor()
        visitor.context.set_offline(True)
        expect(visitor.connection).to_have_text("Offline")
        self.send(letter(visitor.address, "Meanwhile"))
        visitor.context.set_offline(False)
        expect(visitor.connection).to_have_text("Live")
        expect(visitor.mail("Meanwhile")).to_be_visible()

    def test_restart(self) -> None:
        """While the server is away the page counts down, then it is live again by itself."""
        self.daemon = Daemon().start()
        self.addCleanup(self.daemon.stop)
        visitor = self.visitor()
        address = visitor.address
        self.daemon.stop()
        expect(visitor.connection).to_have_text(re.compile(r"^Reconnecting in \d+ s$"))
        self.daemon = Daemon(http=[f"tcp:{self.daemon.http}:interface=127.0.0.1"]).start()
        self.addCleanup(self.daemon.stop)
        # Mail is in memory, so the address is over; the page says so or has a new one already.
        new = visitor.button("New address").first
        expect(new).to_be_enabled()
        if visitor.address == address:
            new.click()
        expect(visitor.address_box).not_to_have_value(address)
        visitor.see_live()
        self.send(letter(visitor.address, "After it"))
        expect(visitor.mail("After it")).to_be_visible()

    def test_away_at_first(self) -> None:
        """Who comes while no address can be had gets one as soon as it can."""

        def lost(route: Route) -> None:
            route.abort()

        def full(route: Route) -> None:
            problem = {"type": "about:blank", "title": "Full", "status": 503, "detail": "No room."}
            route.fulfill(status=503, headers={"Retry-After": "1"}, json=problem)

        for refuse in (lost, full):
            stranger = self.stranger()
            stranger.page.route("**/v1/mailboxes", refuse, times=1)
            stranger.page.goto(stranger.url)
            expect(stranger.connection).to_have_text(re.compile(r"^Reconnecting in \d+ s$"))
            stranger.see_live()


class BelowAPathStories(Story):
    """Published below a path."""

    options = ("--base-path", "/mail")

    def test_works(self) -> None:
        """All of it works there as at the root, with and without the last slash."""
        visitor = self.visitor(self.url("/mail"))
        self.assertEqual(visitor.page.evaluate("location.pathname"), "/mail/")
        self.send(with_everything(visitor.address))
        visitor.open_mail("Confirm your address")
        expect(visitor.frame.content_frame.get_by_role("heading", name="Welcome")).to_be_visible()
        with visitor.page.expect_download() as saved:
            visitor.message.get_by_role("link", name="Download").click()
        self.assertIn("/mail/v1/", saved.value.url)
        docs = visitor.page.get_by_role("contentinfo").get_by_role("link", name="API")
        with visitor.page.expect_navigation():
            docs.evaluate("(link) => { link.target = ''; link.click() }")
        self.assertEqual(visitor.page.evaluate("location.pathname"), "/mail/docs")
        self.assertEqual(visitor.barriers(), [])


class ProxyStories(Story):
    """Behind nginx as it comes, which buffers."""

    options = ("--trusted-proxy=127.0.0.1",)

    def setUp(self) -> None:
        """Have nginx in front of the server."""
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix="nginx-")
        self.addCleanup(directory.cleanup)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (Path(directory.name) / "nginx.conf").write_text(
            NGINX.format(here=directory.name, port=self.port, server=self.daemon.http)
        )
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        nginx = subprocess.Popen(
            [program, "-p", directory.name, "-c", "nginx.conf", "-e", "stderr"],
            stderr=subprocess.DEVNULL,
        )

        def end() -> None:
            nginx.terminate()
            nginx.wait(PATIENCE)

        self.addCleanup(end)
        until = time.monotonic() + PATIENCE
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)

    def test_works(self) -> None:
        """Mail is there at once and the page stays live."""
        visitor = self.visitor(f"http://127.0.0.1:{self.port}/")
        for subject in ("First", "Second"):
            began = time.monotonic()
            self.send(letter(visitor.address, subject))
            expect(visitor.mail(subject)).to_be_visible()
            self.assertLess(time.monotonic() - began, 2.0)
        visitor.open_mail("Second")
        expect(visitor.connection).to_have_text("Live")


class QuietStories(Story):
    """What a visit costs."""

    def test_first_visit(self) -> None:
        """A first visit costs under 60 kB, asks nobody but us, and what it loads stays."""
        stranger = self.stranger()
        asked: list[str] = []
        octets: list[float] = []
        stranger.context.on("request", lambda request: asked.append(request.url))
        devtools = stranger.context.new_cdp_session(stranger.page)
        devtools.on(
            "Network.loadingFinished", lambda said: octets.append(said["encodedDataLength"])
        )
        devtools.send("Network.enable")
        stranger.open()
        total = sum(octets)
        print(f"\n    a first visit: {total / 1000:.1f} kB in {len(octets)} answers ... ", end="")
        self.assertTrue(1_000 < total < FIRST_VISIT, total)
        self.assertEqual([url for url in asked if not url.startswith(stranger.url)], [])
        octets.clear()
        stranger.page.reload()
        stranger.see_live()
        self.assertLess(sum(octets), total / 4)

    def test_policy(self) -> None:
        """The page's policy begins with nothing and allows nothing inline or evaluated."""
        stranger = self.stranger()
        answer = stranger.page.goto(stranger.url)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        directives = {words[0]: words[1:] for one in policy.split(";") if (words := one.split())}
        self.assertEqual(directives["default-src"], ["'none'"])
        self.assertEqual(directives["script-src"], ["'self'"])
        for unsafe in ("unsafe-inline", "unsafe-eval", "wasm-unsafe-eval", "http:", "https:", "*"):
            self.assertNotIn(unsafe, policy)
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        self.assertIn(answer.headers["referrer-policy"], ("no-referrer", "same-origin"))

    def test_speed(self) -> None:
        """From the final dot to the code in sight it takes less than 150 ms.

        The median of five; a machine that is busy with something else may try again.
        """
        visitor = self.visitor()
        visitor.page.evaluate(WATCH_FOR_CODES)
        took: list[float] = []
        with SMTP("127.0.0.1", self.daemon.smtp, timeout=PATIENCE) as client:
            client.ehlo("sender.example")
            for code in range(493_001, 493_031):
                took.append(self.time_to_sight(visitor.page, client, visitor.address, str(code)))
                if len(took) >= 5 and median(took[-5:]) < SOON:
                    break
        print(f"\n    final dot to code in sight: {1000 * median(took):.0f} ms ... ", end="")
        self.assertLess(median(took[-5:]), SOON)

    def time_to_sight(self, page: Page, client: SMTP, address: str, code: str) -> float:
        """Seconds, by the wall clock that the browser and we share."""
        client.mail("sender@example.org")
        client.rcpt(address)
        self.assertEqual(client.docmd("DATA")[0], 354)
        client.send(f"Subject: Your code\r\n\r\nYour code is {code}.\r\n".encode())
        dot = time.time()
        client.send(b".\r\n")
        self.assertEqual(client.getreply()[0], 250)
        seen = page.wait_for_function("(code) => window.seen[code]", arg=code).json_value()
        return float(seen) / 1000 - dot


WATCH_FOR_CODES = """() => {
  window.seen = {};
  const look = () => {
    for (const [code] of document.body.innerText.matchAll(/\\b493\\d{3}\\b/g)) {
      if (code in window.seen) continue;
      window.seen[code] = 0;
      // In sight once the frame that has it was made.
      requestAnimationFrame(() => setTimeout(() => {
        window.seen[code] = performance.timeOrigin + performance.now();
      }));
    }
  };
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, characterData: true });
}"""

NGINX = """
daemon off;
master_process off;
pid {here}/pid;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {here}/body;
  proxy_temp_path {here}/proxy;
  fastcgi_temp_path {here}/fastcgi;
  uwsgi_temp_path {here}/uwsgi;
  scgi_temp_path {here}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{server};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""
