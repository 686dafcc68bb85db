"""Time: that it is shown truly, asked for more of, and over."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.live.letters import letter
from tests.live.stories.story import Story, Visitor

EXPIRED = "This address has expired."


class CountdownStories(Story):
    """The time left."""

    options = ("--lifetime", "62")

    def test_last_minute(self) -> None:
        """At one minute the page asks once, and Extend gives as much time again."""
        visitor = self.visitor()
        expect(visitor.timer).to_have_text(re.compile(r"^1:0\d$"))
        expect(visitor.your_address.get_by_text("One minute left.")).to_be_visible()
        self.assertEqual(visitor.barriers(), [])
        visitor.your_address.get_by_role("button", name="Extend").first.click()
        expect(visitor.timer).to_have_text(re.compile(r"^(1:0\d|2:0\d)$"))
        expect(visitor.your_address.get_by_text("One minute left.")).to_be_hidden()

    def test_wrong_clock(self) -> None:
        """The countdown is the server's, whatever the computer's clock says."""
        stranger = self.stranger()
        stranger.page.clock.install(time=datetime.now(UTC) + timedelta(days=1, minutes=-7))
        visitor = stranger.open()
        # Servers tell the time in whole seconds.
        self.assertTrue(50 <= visitor.time_left <= 63, visitor.time_left)

    def test_slept(self) -> None:
        """The countdown is true however long nothing ran in the tab."""
        visitor = self.visitor()
        before = visitor.time_left
        visitor.page.evaluate("const now = Date.now; Date.now = () => now() + 20_000")
        visitor.page.wait_for_function(
            "(most) => { const [m, s] = document.querySelector('[role=timer]').textContent"
            ".match(/\\d+/g).map(Number); return 60 * m + s <= most }",
            arg=before - 19,
        )


class ExpiryStories(Story):
    """When the time is over."""

    options = ("--lifetime", "3")

    def reader(self) -> Visitor:
        """Somebody who reads a mail."""
        visitor = self.visitor()
        self.send(letter(visitor.address, "The last one", "Read me.\n"))
        visitor.open_mail("The last one")
        expect(visitor.message.get_by_text("Read me.")).to_be_visible()
        return visitor

    def test_restore(self) -> None:
        """The page says so, keeps showing what was open, and has the same address back, empty."""
        visitor = self.reader()
        address = visitor.address
        expect(visitor.page.get_by_role("status").filter(has_text=EXPIRED)).to_be_visible()
        expect(visitor.message.get_by_text("Read me.")).to_be_visible()
        self.assertEqual(visitor.barriers(), [])
        visitor.click("Restore this address")
        visitor.see_live()
        self.assertEqual(visitor.address, address)
        expect(visitor.mails).to_have_count(0)
        self.send(letter(address, "The next one"))
        expect(visitor.mail("The next one")).to_be_visible()

    def test_new(self) -> None:
        """Or it has another one."""
        visitor = self.reader()
        address = visitor.address
        expect(visitor.page.get_by_text(EXPIRED).first).to_be_visible()
        visitor.button("New address").first.click()
        expect(visitor.address_box).not_to_have_value(address)
        visitor.see_live()
        self.send(letter(visitor.address, "The next one"))
        expect(visitor.mail("The next one")).to_be_visible()

    def test_closed_meanwhile(self) -> None:
        """Whoever comes back later is told, and may restore it."""
        visitor = self.visitor()
        address = visitor.address
        watching = visitor.another_tab()
        visitor.page.goto("about:blank")
        expect(watching.page.get_by_text(EXPIRED).first).to_be_visible()
        visitor.page.goto(visitor.url)
        expect(visitor.page.get_by_text(EXPIRED).first).to_be_visible()
        visitor.click("Restore this address")
        visitor.see_live()
        self.assertEqual(visitor.address, address)
