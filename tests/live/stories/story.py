"""What stories are told with: a visitor, who sees the page by roles and names as people do."""

from __future__ import annotations

import re
import subprocess
import sys
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from smtplib import SMTP
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Dialog, Locator, Page, Request, expect

from tests.live.chromium import OWN_NAME, BrowserTestCase, shared_daemon
from tests.live.daemon import PATIENCE, ROOT, Daemon

expect.set_options(timeout=1000 * PATIENCE / 2)

PREPARE = """
if (window.Notification?.permission === "denied")
  Object.defineProperty(Notification, "permission", { value: "default", configurable: true });
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
"""Run in every document first. A browser without windows has denied all notifications; ours has not
been asked yet."""

_AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((one) => one.html).join(" | ")}`);
}"""


class Story(BrowserTestCase):
    """A server, shared by those with the same options, and its visitors.

    However a story goes: no script of the page fails, nothing trips over the page's policy, nothing
    opens a dialog of the browser's, and no other host is asked but those of ``asks``.
    """

    options: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    maxDiff = None

    def setUp(self) -> None:
        """Have the server."""
        self.daemon = shared_daemon(*self.options)

    def visitor(self, url: str | None = None, **wishes: Any) -> Visitor:
        """Somebody with a browser of their own, who has opened the page."""
        return self.stranger(url, **wishes).open()

    def stranger(self, url: str | None = None, **wishes: Any) -> Visitor:
        """Somebody with a browser of their own, who has opened nothing yet."""
        wishes = {"locale": "en-GB", **wishes}
        context = self.new_context(**wishes)
        context.add_init_script(PREPARE)
        return self.tab(context, url or self.url())

    def tab(self, context: BrowserContext, url: str) -> Visitor:
        """Another tab of a browser."""
        page = context.new_page()
        complaints: list[str] = []
        self.addCleanup(self._see_to_it, page, complaints)

        def dialog(opened: Dialog) -> None:
            complaints.append(f"a dialog: {opened.message}")
            opened.dismiss()

        def request(sent: Request) -> None:
            host = urlsplit(sent.url).hostname
            if host and host not in ("127.0.0.1", OWN_NAME, *self.asks):
                complaints.append(f"{host} was asked")

        page.on("request", request)
        page.on("pageerror", lambda error: complaints.append(f"an error: {error}"))
        page.on("dialog", dialog)
        return Visitor(self, page, url)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Where the page is."""
        return f"http://{host}:{self.daemon.http}{path}"

    def send(self, message: EmailMessage) -> None:
        """A mail, by SMTP."""
        send(self.daemon, message)

    def _see_to_it(self, page: Page, complaints: list[str]) -> None:
        violations: list[str] = []
        if not page.is_closed():
            # Not there in a document from before its script, or without scripts.
            violations = page.evaluate("window.violations ?? []")
        self.assertEqual((complaints, violations), ([], []))


class Visitor:
    """One tab with the page, and what is seen in it.

    Names are the English ones; what has another language is found by roles alone.
    """

    def __init__(self, story: Story, page: Page, url: str) -> None:
        self.story, self.page, self.url = story, page, url
        self.context = page.context
        self.timer = page.get_by_role("timer")
        self.connection = page.get_by_role("status", name="Connection")
        self.your_address = page.get_by_role("region", name="Your address")
        self.address_box = self.your_address.get_by_role("textbox", name="Address")
        self.addresses = page.get_by_role("navigation", name="Your addresses")
        self.messages = page.get_by_role("region", name="Messages")
        self.mails = self.messages.get_by_role("listitem").get_by_role("link")
        name = {"name": "Message", "exact": True}
        self.message = page.get_by_role("region", **name).or_(  # type: ignore[arg-type]
            page.get_by_role("article", **name)  # type: ignore[arg-type]
        )
        self.frame = self.message.locator("iframe[title=Message]")

    # --- what they do ---

    def open(self) -> Visitor:
        """Open the page; it is live then."""
        self.page.goto(self.url)
        return self.see_live()

    def see_live(self) -> Visitor:
        """Wait until the page is connected and has an address."""
        expect(self.connection).to_have_text("Live")
        expect(self.address_box).to_have_value(re.compile("@"))
        return self

    def another_tab(self) -> Visitor:
        """The same browser's next tab."""
        return self.story.tab(self.context, self.url).open()

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, name: str, within: Locator | None = None) -> None:
        """Click the button of that name."""
        self.button(name, within).click()

    def new_address(self) -> str:
        """Have another address."""
        before = self.address
        self.click("New address", self.your_address)
        expect(self.address_box).not_to_have_value(before)
        return self.see_live().address

    def open_mail(self, subject: str) -> None:
        """Open a mail of the list."""
        self.mail(subject).click()
        expect(self.message.get_by_role("heading", level=2)).to_have_text(subject)

    # --- what they see ---

    @property
    def address(self) -> str:
        """The address shown."""
        return self.address_box.input_value()

    @property
    def time_left(self) -> int:
        """The time left, seconds."""
        seconds = 0
        for part in re.findall(r"\d+", self.timer.inner_text()):
            seconds = 60 * seconds + int(part)
        return seconds

    def button(self, name: str, within: Locator | None = None) -> Locator:
        """A button."""
        return (within or self.page).get_by_role("button", name=name, exact=True)

    def dialog(self, name: str) -> Locator:
        """An open dialog."""
        return self.page.get_by_role("dialog", name=name)

    def mail(self, subject: str) -> Locator:
        """The link of a mail in the list."""
        return self.messages.get_by_role("link", name=re.compile(re.escape(subject)))

    def held(self, address: str) -> Locator:
        """The button of one of several addresses."""
        return self.addresses.get_by_role("button", name=re.compile(f"^{re.escape(address)}"))

    def show(self, tab: str) -> None:
        """Open a tab of the message."""
        self.message.get_by_role("tab", name=re.compile(f"^{tab}")).click()

    def clipboard(self) -> str:
        """What a paste would bring; only where the browser trusts the page's host."""
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def barriers(self) -> list[str]:
        """What axe-core finds here in the light scheme and in the dark one."""
        found = []
        self.page.evaluate(axe())
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            # What is on its way from one colour to another has neither contrast.
            self.page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
            found += [f"{scheme}: {one}" for one in self.page.evaluate(_AXE)]
        return found


@cache
def axe() -> str:
    """The script of axe-core."""
    path = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "axe")], capture_output=True, text=True, check=True
    )
    return Path(path.stdout.strip()).read_text("utf-8")


def send(daemon: Daemon, message: EmailMessage) -> None:
    """A mail, by SMTP."""
    with SMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE) as client:
        client.send_message(message)
