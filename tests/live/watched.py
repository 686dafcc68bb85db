"""Attacks, and a browser whose every step is noted while it looks at them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import Factory, define
from playwright.sync_api import BrowserContext, Dialog, Frame, Page, Request

from tests.live.chromium import other_hosts

ATTACKS: list[dict[str, str]] = json.loads(
    (Path(__file__).parent.parent / "corpus" / "xss" / "attacks.json").read_text("utf-8")
)
"""Each with a name and its ``html``, in which ``document.title=666`` is what runs, and
``beacon.invalid`` the host that is asked."""

_TABS = 22
"""Tabs open at once; each stays open while the others load, so what runs late shows."""

_FRAMES = 20
"""Frames they are watched for after the last of them was loaded."""

_DENIED = ("csp", "origin")
"""How a request fails that the browser's policies hold back; it is never sent."""

_FRAMES_GO_BY = """(left) => new Promise((done) => {
  (function frame() { left-- ? requestAnimationFrame(frame) : done() })();
})"""


def attack(number: int) -> str:
    """The HTML of an attack that asks a host of its own, and opens a dialog if it runs."""
    html = ATTACKS[number]["html"].replace("beacon.invalid", f"attack{number}.example")
    return html.replace("document.title=666", "alert(document.title=666)")


@define
class Seen:
    """What a tab has done since it was last looked at, and what it shows.

    ``went`` is where it was led, ``asked`` what it wanted to have and was not denied, for the frame
    that wanted it.
    """

    title: str = ""
    kind: str = ""
    went: list[str] = Factory(list)
    asked: list[tuple[Frame | None, str]] = Factory(list)


class Watched:
    """A browser that nobody else uses; ``new_context`` makes one that nobody has used before."""

    def __init__(self, new_context: Callable[[], BrowserContext]) -> None:
        self._new_context = new_context
        self._context = new_context()
        self._home = self._context.new_page()
        self._tabs: list[Page] = []
        self._seen: dict[Page, Seen] = {}
        self._requests: dict[Page, list[Request]] = {}
        self._dialogs: list[str] = []
        self._opened: list[Page] = []
        self._context.on("page", lambda page: self._opened.append(page))

    def tab(self) -> Page:
        """A new tab."""
        page = self._context.new_page()
        self._opened.remove(page)
        self._watch(page)
        return page

    def tab_apart(self) -> Page:
        """A tab that shares nothing with the others."""
        context = self._new_context()
        page = context.new_page()
        context.on("page", lambda page: self._opened.append(page))
        self._watch(page)
        return page

    def visit(self, urls: Sequence[str]) -> list[Seen]:
        """Open each in a tab and watch it for a while; what each did."""
        found: list[Seen] = []
        while len(self._tabs) < min(_TABS, len(urls)):
            self._tabs.append(self.tab())
        for start in range(0, len(urls), _TABS):
            shown = list(zip(self._tabs, urls[start : start + _TABS], strict=False))
            for page, url in shown:
                self._forget(page)
                page.goto(url, wait_until="commit")
            for page, _ in shown:
                page.wait_for_load_state()
            self.watch(_FRAMES)
            found += [self.look(page) for page, _ in shown]
        return found

    def watch(self, frames: int) -> None:
        """Let so many frames go by."""
        self._home.evaluate(_FRAMES_GO_BY, frames)

    def look(self, page: Page) -> Seen:
        """What a tab of ours did since it was last looked at."""
        seen = self._seen[page]
        seen.title, seen.kind = page.evaluate("[document.title, document.contentType]")
        seen.asked += [
            (request.frame, request.url)
            for request in self._requests[page]
            if request.failure not in _DENIED and not request.url.startswith("data:")
        ]
        self._forget(page)
        return seen

    def told(self) -> list[str]:
        """What other hosts heard, every dialog and every window, since last told."""
        told = [f"heard {said[:200]!r}" for said in other_hosts().heard]
        told += [f"dialog {text}" for text in self._dialogs]
        told += [f"opened {page.url}" for page in self._opened]
        for page in self._opened:
            page.close()
        for noted in (other_hosts().heard, self._dialogs, self._opened):
            noted.clear()
        return told

    def _watch(self, page: Page) -> None:
        self._forget(page)
        page.on("framenavigated", lambda frame: self._navigated(page, frame))
        page.on("request", lambda request: self._requests[page].append(request))
        page.on("websocket", lambda socket: self._seen[page].asked.append((None, socket.url)))
        page.on("dialog", self._dialog)

    def _forget(self, page: Page) -> None:
        self._seen[page], self._requests[page] = Seen(), []

    def _navigated(self, page: Page, frame: Frame) -> None:
        if frame == page.main_frame:
            self._seen[page].went.append(frame.url)

    def _dialog(self, dialog: Dialog) -> None:
        self._dialogs.append(f"{dialog.page and dialog.page.url}: {dialog.message}")
        dialog.accept()
