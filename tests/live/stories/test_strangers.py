"""Strangers: what other hosts learn, and what hostile mail comes to."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.live.chromium import other_hosts
from tests.live.letters import letter, with_everything
from tests.live.stories.story import Story


class OtherHostsStories(Story):
    """What other hosts learn."""

    asks = ("pictures-images-shop.example", "more-images-shop.example")

    def test_remote_images(self) -> None:
        """No host learns of the reading until the reader says so; then not from where."""
        visitor = self.visitor()
        self.send(with_everything(visitor.address, "images-shop.example"))
        visitor.open_mail("Confirm your address")
        expect(visitor.frame.content_frame.get_by_role("heading", name="Welcome")).to_be_visible()
        bar = visitor.message.get_by_text("Remote images are held back.")
        expect(bar).to_contain_text("2 hosts")
        hosts = ("pictures-images-shop.example", "more-images-shop.example")
        self.assertEqual([other_hosts().requests_to(host) for host in hosts], [[], []])
        held = visitor.frame.bounding_box()
        visitor.click("Load remote images")
        for host in hosts:
            head = other_hosts().wait_for(host)
            self.assertNotIn("\r\nReferer:", head)
            self.assertNotIn("\r\nCookie:", head)
        expect(bar).to_be_hidden()
        logo = visitor.frame.content_frame.get_by_role("img", name="Logo")
        visitor.page.wait_for_function(
            "(picture) => picture.naturalWidth > 0", arg=logo.element_handle()
        )
        # They had their place all along.
        loaded = visitor.frame.bounding_box()
        assert held and loaded
        self.assertAlmostEqual(held["height"], loaded["height"], delta=2)
        # The next mail is asked about again.
        self.send(with_everything(visitor.address, "images-other.example"))
        expect(visitor.mails).to_have_count(2)
        visitor.mails.first.click()
        expect(visitor.message.get_by_text("Remote images are held back.")).to_be_visible()
        self.assertEqual(other_hosts().requests_to("pictures-images-other.example"), [])

    def test_links(self) -> None:
        """A link names its host, and what it opens does not learn where it was opened."""
        visitor = self.visitor()
        self.send(with_everything(visitor.address, "link-shop.example"))
        visitor.open_mail("Confirm your address")
        chip = visitor.message.get_by_role("link", name="Open link-shop.example")
        self.assertEqual(
            (chip.get_attribute("target"), chip.get_attribute("rel")),
            ("_blank", "noopener noreferrer"),
        )
        inside = visitor.frame.content_frame.get_by_role("link", name="Confirm your address")
        for link in (chip, inside):
            with visitor.context.expect_page() as opened:
                link.click()
            expect(opened.value.locator("#opener")).to_have_text("opener unknown")
            expect(opened.value.locator("#referrer")).to_have_text("referrer ")
            opened.value.close()
        heads = other_hosts().requests_to("link-shop.example")
        self.assertEqual(sum(head.startswith("GET /confirm?") for head in heads), 2)
        self.assertFalse([head for head in heads if "\r\nReferer: http://127" in head])
        expect(visitor.message).to_be_visible()


class HostileStories(Story):
    """What a mail and an operator say is text, wherever it shows."""

    markup = "<img src=x onerror=alert(1)><b id=evil>"
    options = (
        "--site-name",
        f"{markup}site",
        "--notice",
        f"{markup}notice",
        "--imprint",
        f"{markup}imprint",
    )

    def test_texts(self) -> None:
        """Sender, subject, text, header, file name, chosen name, operator's words are text."""
        visitor = self.visitor()
        banner = visitor.page.get_by_role("banner")
        footer = visitor.page.get_by_role("contentinfo")
        expect(banner.get_by_role("heading", level=1)).to_have_text(f"{self.markup}site")
        expect(footer).to_contain_text(f"{self.markup}notice")
        expect(footer).to_contain_text(f"{self.markup}imprint")
        visitor.click("Choose…")
        dialog = visitor.dialog("Choose an address")
        dialog.get_by_role("textbox", name="Name").fill(self.markup)
        visitor.click("Create", dialog)
        expect(dialog.get_by_role("alert")).to_be_visible()
        visitor.click("Cancel", dialog)
        message = letter(
            visitor.address,
            f"{self.markup}subject",
            f"{self.markup}text\n",
            sender=f"{self.markup}sender",
        )
        message["X-Evil"] = f"{self.markup}header"
        message.add_attachment(
            b"x", maintype="text", subtype="html", filename=f"{self.markup}file.html"
        )
        self.send(message)
        expect(visitor.mail(f"{self.markup}subject")).to_contain_text(f"{self.markup}sender")
        visitor.open_mail(f"{self.markup}subject")
        panel = visitor.message.get_by_role("tabpanel")
        for tab, shown in (
            ("Text", f"{self.markup}text"),
            ("Headers", f"{self.markup}header"),
            ("Source", f"{self.markup}text"),
            ("Attachments", "file.html"),
        ):
            visitor.show(tab)
            expect(panel).to_contain_text(shown)
            expect(visitor.page.locator("#evil, img[src=x]")).to_have_count(0)
        visitor.click("QR code")
        expect(visitor.dialog("QR code").get_by_role("img")).to_be_visible()

    def test_long_subject(self) -> None:
        """A subject, however long, leaves half of the window to the mail."""
        visitor = self.visitor()
        self.send(letter(visitor.address, "endless" * 250))
        visitor.open_mail("endless" * 250)
        heading = visitor.message.get_by_role("heading", level=2).bounding_box()
        window = visitor.page.viewport_size
        assert heading and window
        self.assertLess(heading["height"], window["height"] / 2)

    def test_dangerous_links(self) -> None:
        """A link of an operator's or a mail's that is a script is no link."""
        visitor = self.visitor()
        self.send(
            letter(
                visitor.address,
                html="<a href='javascript:alert(1)'>Confirm</a> <a href='data:,x'>Verify</a>",
            )
        )
        visitor.open_mail("Your code")
        frame = visitor.frame.content_frame
        expect(frame.get_by_text("Confirm")).to_be_visible()
        hrefs = visitor.page.locator("a[href^='javascript:'], a[href^='data:']")
        expect(hrefs).to_have_count(0)
        expect(frame.locator("a[href^='javascript:'], a[href^='data:']")).to_have_count(0)
