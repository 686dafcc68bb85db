"""For tests of the page: a real server, and a browser that is told what a person would do."""

from __future__ import annotations

from email.message import EmailMessage
from smtplib import SMTP
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.live.browser import Browser
from tests.live.daemon import PATIENCE, Daemon

NOWHERE = 9
"""The port that every other host's name leads to: nobody listens there."""

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""What WebDriver calls a reference to an element (W3C WebDriver section 12.1)."""

ENTER, ESCAPE, RIGHT = "\ue007", "\ue00c", "\ue014"

UNTIL = """
const given = [...arguments], done = given.pop(), $ = (id) => document.getElementById(id);
(function look() {
  let found = null;
  try { found = (function () { %s }).apply(null, given); } catch (error) {}
  found ? done(found) : requestAnimationFrame(look);
})();
"""


class PageTestCase(SynchronousTestCase):
    """A server and a browser."""

    options: tuple[str, ...] = ()
    path = "/"

    def setUp(self) -> None:
        """Start both, and open the page."""
        self.daemon = Daemon(*self.options).start()
        self.addCleanup(self.daemon.stop)
        self.browser = Browser(NOWHERE)
        self.addCleanup(self.browser.close)
        self.visit()

    def visit(self, path: str | None = None) -> None:
        """Load the page, or another."""
        where = f"http://127.0.0.1:{self.daemon.http}{path or self.path}"
        self.browser("POST", "/url", {"url": where})

    def until(self, body: str, *given: object) -> Any:
        """What the body of a function returns in the page, as soon as it is true."""
        script = {"script": UNTIL % body, "args": list(given)}
        return self.browser("POST", "/execute/async", script)

    def run_script(self, body: str) -> Any:
        """What the body of a function returns."""
        return self.browser("POST", "/execute/sync", {"script": body, "args": []})

    def element(self, selector: str) -> str:
        """An element, for WebDriver."""
        found = self.browser("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def click(self, selector: str) -> None:
        """Click as a person does."""
        self.browser("POST", f"/element/{self.element(selector)}/click")

    def enter(self, selector: str) -> None:
        """Go on in a frame, where elements are waited for; ``leave`` ends that."""
        self.browser("POST", "/timeouts", {"implicit": 1000 * PATIENCE})
        self.browser("POST", "/frame", {"id": {ELEMENT: self.element(selector)}})

    def leave(self) -> None:
        """Go on in the page."""
        self.browser("POST", "/frame", {"id": None})

    def press(self, key: str) -> None:
        """Press and release a key."""
        actions = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        self.browser("POST", "/actions", {"actions": [keyboard]})

    def devtools(self, command: str, **given: object) -> Any:
        """A command of Chromium's own."""
        return self.browser("POST", "/goog/cdp/execute", {"cmd": command, "params": given})

    def send(self, message: EmailMessage) -> None:
        """A mail, by SMTP."""
        with SMTP("127.0.0.1", self.daemon.smtp, timeout=PATIENCE) as client:
            client.send_message(message)

    def clipboard(self) -> str:
        """What a paste brings."""
        self.devtools(
            "Browser.grantPermissions",
            permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
        )
        script = "navigator.clipboard.readText().then(arguments[0])"
        return str(self.browser("POST", "/execute/async", {"script": script, "args": []}))
