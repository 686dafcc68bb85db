"""The address: having one, copying it, having several, losing them."""

from __future__ import annotations

import re
from smtplib import SMTPRecipientsRefused

from playwright.sync_api import expect

from tests.live.chromium import OWN_NAME
from tests.live.letters import CODE, letter
from tests.live.stories.story import Story

AT_ONCE = 1000
"""Milliseconds in which a stranger has an address (UI.md)."""


class AddressStories(Story):
    """One address."""

    def test_at_once(self) -> None:
        """A stranger opens the page and has an address within a second, that takes mail."""
        stranger = self.stranger()
        stranger.page.goto(stranger.url, wait_until="commit")
        took = stranger.page.wait_for_function(
            "() => [...document.querySelectorAll('input')].some((one) => one.value.includes('@'))"
            " && performance.now()"
        ).json_value()
        self.assertLess(took, AT_ONCE)
        stranger.see_live()
        self.assertTrue(595 <= stranger.time_left <= 600, stranger.time_left)
        self.send(letter(stranger.address))
        expect(stranger.mail("Your code")).to_be_visible()

    def test_copy(self) -> None:
        """One click copies the address, and the button says so for a moment."""
        visitor = self.visitor()
        visitor.click("Copy")
        expect(visitor.button("Copied")).to_be_visible()
        self.assertEqual(visitor.clipboard(), visitor.address)
        expect(visitor.button("Copy")).to_be_visible()

    def test_select(self) -> None:
        """One click into the address selects all of it."""
        visitor = self.visitor()
        visitor.address_box.click()
        selected = visitor.address_box.evaluate(
            "(box) => box.value.slice(box.selectionStart, box.selectionEnd)"
        )
        self.assertEqual(selected, visitor.address)

    def test_copy_where_browsers_trust_nobody(self) -> None:
        """On plain HTTP under a name, where browsers offer less, all of it works too."""
        visitor = self.visitor(self.url(host=OWN_NAME))
        self.assertFalse(visitor.page.evaluate("isSecureContext"))
        self.send(letter(visitor.address))
        visitor.click(f"Copy code {CODE}", visitor.messages)
        visitor.another_tab().click("Choose…")
        box = visitor.context.pages[1].get_by_role("dialog").get_by_role("textbox", name="Name")
        box.fill("")
        box.press("Control+v")
        expect(box).to_have_value(CODE)

    def test_qr_code(self) -> None:
        """A telephone takes the address from the screen."""
        visitor = self.visitor()
        visitor.click("QR code")
        image = visitor.dialog("QR code").get_by_role("img", name=visitor.address)
        expect(image).to_be_visible()
        box = image.bounding_box()
        assert box is not None
        self.assertGreater(min(box["width"], box["height"]), 120)
        visitor.click("Close", visitor.dialog("QR code"))
        expect(visitor.dialog("QR code")).to_be_hidden()

    def test_choose(self) -> None:
        """Who chooses has that name for that long; one that can not be had is refused in words."""
        visitor = self.visitor()
        visitor.click("Choose…")
        dialog = visitor.dialog("Choose an address")
        name = dialog.get_by_role("textbox", name="Name")
        alert = dialog.get_by_role("alert")
        for refused in ("postmaster", "with space", "a" * 65):
            name.fill(refused)
            visitor.click("Create", dialog)
            expect(alert).to_have_text(re.compile(r"\S{2,}"))
        self.assertEqual(visitor.barriers(), [])
        name.fill("ada.choice")
        dialog.get_by_role("combobox", name="Lifetime").select_option("3600")
        visitor.click("Create", dialog)
        expect(dialog).to_be_hidden()
        expect(visitor.address_box).to_have_value("ada.choice@tempmail.test")
        self.assertTrue(3590 <= visitor.time_left <= 3600, visitor.time_left)
        other = self.visitor()
        other.click("Choose…")
        dialog = other.dialog("Choose an address")
        dialog.get_by_role("textbox", name="Name").fill("Ada.Choice")
        other.click("Create", dialog)
        expect(dialog.get_by_role("alert")).to_have_text(re.compile(r"\S{2,}"))
        other.click("Cancel", dialog)
        expect(dialog).to_be_hidden()

    def test_reload(self) -> None:
        """A reload keeps the addresses, their mail and what was read."""
        visitor = self.visitor()
        self.send(letter(visitor.address, "In the first"))
        visitor.open_mail("In the first")
        first = visitor.address
        second = visitor.new_address()
        self.send(letter(second, "In the second"))
        expect(visitor.mail("In the second")).to_be_visible()
        visitor.page.reload()
        visitor.see_live()
        self.assertEqual(visitor.address, second)
        expect(visitor.mail("In the second")).to_be_visible()
        visitor.held(first).click()
        expect(visitor.mail("In the first")).to_be_visible()
        expect(visitor.held(first)).not_to_contain_text("unread")


class SeveralAddressesStories(Story):
    """Several addresses, several tabs."""

    def test_unread(self) -> None:
        """Each of several addresses counts its unread mail, wherever one is just now."""
        visitor = self.visitor()
        first = visitor.address
        expect(visitor.addresses).to_be_hidden()
        second = visitor.new_address()
        expect(visitor.addresses.get_by_role("button")).to_have_count(2)
        expect(visitor.held(second)).to_have_attribute("aria-current", "true")
        self.send(letter(first, "One"))
        expect(visitor.held(first)).to_contain_text("1 unread")
        self.send(letter(first, "Two"))
        expect(visitor.held(first)).to_contain_text("2 unread")
        expect(visitor.mails).to_have_count(0)
        visitor.held(first).click()
        expect(visitor.address_box).to_have_value(first)
        expect(visitor.held(first)).to_have_attribute("aria-current", "true")
        expect(visitor.mails).to_have_count(2)
        visitor.open_mail("Two")
        expect(visitor.held(first)).to_contain_text("1 unread")

    def test_two_tabs(self) -> None:
        """Two tabs of one browser agree on addresses and on what was read."""
        visitor = self.visitor()
        other = visitor.another_tab()
        first = visitor.address
        self.assertEqual(other.address, first)
        second = visitor.new_address()
        expect(other.held(second)).to_be_visible()
        self.send(letter(second, "For both"))
        expect(other.held(second)).to_contain_text("1 unread")
        visitor.open_mail("For both")
        expect(other.held(second)).not_to_contain_text("unread")
        visitor.click("Delete address")
        visitor.click("Delete", visitor.dialog("Delete address"))
        expect(other.held(second)).to_have_count(0)
        self.assertEqual(other.address, first)

    def test_many_tabs(self) -> None:
        """However many tabs there are, none keeps another waiting."""
        visitor = self.visitor()
        tabs = [visitor, *(visitor.another_tab() for _ in range(7))]
        self.send(letter(visitor.address))
        for tab in tabs:
            expect(tab.mail("Your code")).to_be_visible()
        tabs[-1].open_mail("Your code")

    def test_delete(self) -> None:
        """A deleted address is asked about once, gone, and takes no mail; the other one stays."""
        visitor = self.visitor()
        first = visitor.address
        second = visitor.new_address()
        visitor.click("Delete address")
        visitor.click("Cancel", visitor.dialog("Delete address"))
        self.assertEqual(visitor.address, second)
        visitor.click("Delete address")
        visitor.click("Delete", visitor.dialog("Delete address"))
        expect(visitor.held(second)).to_have_count(0)
        with self.assertRaises(SMTPRecipientsRefused):
            self.send(letter(second))
        self.send(letter(first, "Still here"))
        if visitor.held(first).is_visible():
            visitor.held(first).click()
        expect(visitor.address_box).to_have_value(first)
        expect(visitor.mail("Still here")).to_be_visible()
