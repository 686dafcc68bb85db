"""Makes the pictures in docs/screens: the page in every state, width and scheme.

They show the same at every run, as far as fonts and browser are the same: addresses are asked for
by name, and the page lives at a moment that was chosen. Arguments are the states wanted, else all.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Literal

from attrs import frozen
from PIL import Image
from playwright.sync_api import Route, expect

from tests.live.chromium import chromium, end_of_run, shared_daemon
from tests.live.daemon import ROOT
from tests.live.letters import TEN, arabic, chinese, newsletter, order
from tests.live.stories.story import PREPARE, send

SITE = "https://inbox.example/"
"""Where the page seems to be."""

PLACE = ROOT / "docs" / "screens"
WIDTHS = {390: 844, 820: 1180, 1440: 900}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

MOMENT = datetime(2026, 1, 15, 9, 41, tzinfo=UTC)
"""When the page is opened, in the page's eyes."""

LATER = timedelta(seconds=19)
"""How long after that the picture is taken."""

AGES = (2280, 1980, 1500, 1260, 840, 600, 420, 240, 95, 4)
"""Seconds since each of ten mails came."""


@frozen
class State:
    """What a picture shows: an address, mail that came to it, and what its reader opened."""

    name: str
    local_part: str
    mails: Sequence[Callable[[str], EmailMessage]] = ()
    ages: Sequence[int] = (4,)
    opens: str = ""
    locale: str = "en-GB"
    lifetime: int = 600
    expires: bool = False


STATES = (
    State("empty", "mira.lindgren"),
    State("ten-mails", "noor.haddad", TEN, AGES, lifetime=1319),
    State("newsletter", "ada.okafor", (order, newsletter), (310, 4), opens="quarterly"),
    State("chinese", "lin.mei", (newsletter, chinese), (310, 4), opens="青云", locale="zh-CN"),
    State("arabic", "salma.aziz", (newsletter, arabic), (310, 4), opens="مكتبة", locale="ar"),
    State("expired", "jonas.berg", (order, newsletter), (310, 4), opens="20417", expires=True),
)


class Shutter:
    """A page that shows one state, and lives at ``MOMENT``.

    What the server says of time is moved on the way, so the page may go by the server's clock or by
    its own.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._came: list[str] = []
        self._moved = timedelta()
        self._daemon = shared_daemon(
            "--domain=inbox.example", f"--lifetime={4 if state.expires else state.lifetime}"
        )
        self._context = chromium().new_context(locale=state.locale, timezone_id="UTC")
        self._context.add_init_script(PREPARE)
        self.page = self._context.new_page()
        self.page.clock.install(time=MOMENT)
        self.page.route(f"{SITE}**", self._pass_on)

    def show(self) -> None:
        """Bring the page into its state."""
        page, state = self.page, self._state
        page.goto(SITE)
        box = page.get_by_role("textbox").first
        expect(box).to_have_value(re.compile("@"))
        for number, write in enumerate(state.mails, start=1):
            send(self._daemon, write(box.input_value()))
            expect(page.locator("time")).to_have_count(number)
        if state.opens:
            page.get_by_role("link", name=re.compile(state.opens)).click()
            expect(page.get_by_role("tabpanel")).to_be_visible()
        if state.expires:
            expect(page.get_by_role("button", name="Restore this address")).to_be_visible()
        page.mouse.move(0, 0)
        page.clock.pause_at(MOMENT + LATER)

    def take(self, width: int, scheme: Scheme) -> bytes:
        """The picture, as a small PNG."""
        self.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.evaluate("document.fonts.ready")
        return _shrunk(self.page.screenshot(animations="disabled"))

    def close(self) -> None:
        """Let go of the page."""
        self.page.unroute_all(behavior="ignoreErrors")
        self._context.close()

    def _pass_on(self, route: Route) -> None:
        """Let the server answer, at another time; ask for the address by name."""
        minting = route.request.method == "POST" and route.request.url.endswith("/mailboxes")
        server = f"http://127.0.0.1:{self._daemon.http}/"
        given: dict[str, Any] = {"url": route.request.url.replace(SITE, server), "timeout": 0}
        if minting:
            given["post_data"] = {"local_part": self._state.local_part}
            given["headers"] = {"content-type": "application/json"}
        answer = route.fetch(**given)
        if "json" not in answer.headers.get("content-type", ""):
            route.fulfill(response=answer)
            return
        told = json.loads(answer.text(), object_hook=self._move)
        date = format_datetime(datetime.now(UTC) + self._moved, usegmt=True)
        route.fulfill(
            response=answer, headers={**answer.headers, "date": date}, body=json.dumps(told)
        )

    def _move(self, told: dict[str, Any]) -> dict[str, Any]:
        if "token" in told:
            self._moved = MOMENT - datetime.fromisoformat(told["created_at"])
        moved = dict(told)
        for key, value in told.items():
            if key == "received_at":
                if told["id"] not in self._came:
                    self._came.append(told["id"])
                age = timedelta(seconds=self._state.ages[self._came.index(told["id"])])
                moved[key] = (MOMENT + LATER - age).isoformat()
            elif key.endswith("_at") and value:
                moved[key] = (datetime.fromisoformat(value) + self._moved).isoformat()
        return moved


def _shrunk(octets: bytes) -> bytes:
    """A PNG in 256 colours; what is flat keeps its own."""
    small = io.BytesIO()
    picture = Image.open(io.BytesIO(octets)).convert("RGB")
    picture.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main(names: Sequence[str]) -> None:
    """Make the pictures of the states named, or of all."""
    PLACE.mkdir(exist_ok=True)
    with end_of_run:
        for state in STATES:
            if names and state.name not in names:
                continue
            shutter = Shutter(state)
            shutter.show()
            for width in WIDTHS:
                for scheme in SCHEMES:
                    path = PLACE / f"{state.name}-{width}-{scheme}.png"
                    path.write_bytes(shutter.take(width, scheme))
            shutter.close()
    print(f"{PLACE}: {sum(path.stat().st_size for path in PLACE.iterdir()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
