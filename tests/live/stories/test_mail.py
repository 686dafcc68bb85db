"""Mail: that it comes, and what is done with it."""

from __future__ import annotations

import json
import re
import shlex
from smtplib import SMTP

from playwright.sync_api import expect

from tests.live.daemon import PATIENCE
from tests.live.letters import CODE, letter, tall, with_everything
from tests.live.stories.story import Story

NOTE_NOTIFICATIONS = """
window.notified = [];
window.Notification = class extends EventTarget {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor(title, { body }) {
    super();
    window.notified.push(`${title} ${body}`);
  }
  close() {}
};
"""


class MailStories(Story):
    """The usual ways of a mail."""

    def test_code(self) -> None:
        """The code of a mail is in the list by itself, and on top of the mail; one click has it."""
        visitor = self.visitor()
        expect(visitor.page.get_by_role("heading", name="No mail yet")).to_be_visible()
        self.send(with_everything(visitor.address))
        mail = visitor.mail("Confirm your address")
        expect(mail).to_contain_text("Harbour Books")
        expect(visitor.messages.get_by_label("Attachments")).to_be_visible()
        expect(visitor.page).to_have_title(re.compile(r"\b1\b"))
        expect(
            visitor.page.locator("[aria-live=polite], [role=status]", has_text="Harbour Books")
        ).to_have_count(1)
        visitor.click(f"Copy code {CODE}", visitor.messages)
        self.assertEqual(visitor.clipboard(), CODE)
        visitor.page.evaluate("navigator.clipboard.writeText('something else')")
        visitor.open_mail("Confirm your address")
        visitor.click(f"Copy code {CODE}", visitor.message)
        visitor.page.wait_for_function(
            "async () => await navigator.clipboard.readText() !== 'something else'"
        )
        self.assertEqual(visitor.clipboard(), CODE)

    def test_order(self) -> None:
        """The newest mail is on top."""
        visitor = self.visitor()
        for subject in ("First", "Second", "Third"):
            self.send(letter(visitor.address, subject))
            expect(visitor.mails.first).to_contain_text(subject)
        visitor.page.reload()
        expect(visitor.mails).to_have_text(
            [re.compile(one) for one in ("Third", "Second", "First")]
        )

    def test_many(self) -> None:
        """However many there are, all of them are in the list, also for a tab that comes later."""
        visitor = self.visitor()
        with SMTP("127.0.0.1", self.daemon.smtp, timeout=PATIENCE) as client:
            for number in range(120):
                client.send_message(letter(visitor.address, f"Number {number}"))
        for tab in (visitor, visitor.another_tab()):
            expect(tab.mails).to_have_count(120)
            expect(tab.mails.first).to_contain_text("Number 119")
            expect(tab.mails.last).to_contain_text("Number 0")

    def test_notification(self) -> None:
        """Who asked for it is notified of mail, code and all, while looking at something else."""
        stranger = self.stranger()
        stranger.context.add_init_script(NOTE_NOTIFICATIONS)
        visitor = stranger.open()
        self.send(letter(visitor.address, "Not asked for yet"))
        expect(visitor.mails).to_have_count(1)
        visitor.click("Notify me")
        self.send(letter(visitor.address, "In sight"))
        expect(visitor.mails).to_have_count(2)
        visitor.page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
        self.send(letter(visitor.address, "Out of sight"))
        expect(visitor.mails).to_have_count(3)
        told = visitor.page.evaluate("window.notified")
        self.assertEqual(len(told), 1)
        self.assertIn("Harbour Books", told[0])
        self.assertIn(CODE, told[0])

    def test_html(self) -> None:
        """HTML is shown in a frame without scripts, as tall as what it shows."""
        visitor = self.visitor()
        self.send(tall(visitor.address))
        visitor.open_mail("A long one")
        last = visitor.frame.content_frame.get_by_text("Row 59")
        expect(last).to_be_visible()
        sandbox = (visitor.frame.get_attribute("sandbox") or "").split()
        self.assertNotIn("allow-scripts", sandbox)
        visitor.page.wait_for_function(
            "(frame) => frame.clientHeight >= 2400 && frame.clientHeight < 2700",
            arg=visitor.frame.element_handle(),
        )
        last.scroll_into_view_if_needed()
        self.assertEqual(
            visitor.frame.content_frame.locator("html").evaluate("(root) => root.scrollTop"), 0
        )

    def test_tabs(self) -> None:
        """Text, headers, source and attachments are one click away; what is not there is no tab."""
        visitor = self.visitor()
        self.send(letter(visitor.address, "Plain", "Only words.\n"))
        visitor.open_mail("Plain")
        expect(visitor.message.get_by_text("Only words.")).to_be_visible()
        expect(visitor.message.get_by_role("tab")).to_have_text(["Text", "Headers", "Source"])
        self.send(with_everything(visitor.address))
        visitor.open_mail("Confirm your address")
        expect(visitor.message.get_by_role("tab")).to_have_text(
            ["HTML", "Text", "Headers", "Source", re.compile(r"Attachments.*1")]
        )
        visitor.show("Text")
        panel = visitor.message.get_by_role("tabpanel")
        expect(panel).to_contain_text(f"Your code is {CODE}.")
        expect(visitor.frame).to_be_hidden()
        visitor.show("Headers")
        expect(panel).to_contain_text("hello@harbour-books.example")
        visitor.show("Source")
        expect(panel).to_contain_text("Content-Disposition: attachment")
        visitor.show("Attachments")
        with visitor.page.expect_download() as saved:
            panel.get_by_role("link", name=re.compile("terms.pdf")).click()
        self.assertEqual(saved.value.suggested_filename, "terms.pdf")
        self.assertEqual(saved.value.path().read_bytes(), b"%PDF-1.4 terms")

    def test_download(self) -> None:
        """A mail and all of them can be taken home."""
        visitor = self.visitor()
        self.send(letter(visitor.address, "To keep"))
        self.send(letter(visitor.address, "And this"))
        visitor.open_mail("To keep")
        with visitor.page.expect_download() as saved:
            visitor.message.get_by_role("link", name="Download").click()
        self.assertTrue(saved.value.suggested_filename.endswith(".eml"))
        self.assertIn(b"Subject: To keep\r\n", saved.value.path().read_bytes())
        with visitor.page.expect_download() as saved:
            visitor.messages.get_by_text("Export all").click()
        octets = saved.value.path().read_bytes()
        self.assertTrue(b"Subject: To keep" in octets and b"Subject: And this" in octets)

    def test_delete(self) -> None:
        """One mail is deleted, then all of them; nothing of it comes back."""
        visitor = self.visitor()
        for subject in ("First", "Second", "Third"):
            self.send(letter(visitor.address, subject))
        visitor.open_mail("Second")
        visitor.click("Delete message")
        expect(visitor.mail("Second")).to_have_count(0)
        expect(visitor.message).to_be_hidden()
        expect(visitor.mails).to_have_count(2)
        visitor.click("Empty", visitor.messages)
        visitor.click("Cancel", visitor.dialog("Empty"))
        expect(visitor.mails).to_have_count(2)
        visitor.click("Empty", visitor.messages)
        visitor.click("Empty", visitor.dialog("Empty"))
        expect(visitor.page.get_by_role("heading", name="No mail yet")).to_be_visible()
        visitor.page.reload()
        visitor.see_live()
        expect(visitor.mails).to_have_count(0)

    def test_new_tab(self) -> None:
        """A mail of the list opens in a new tab as well, and Back leads back to the list."""
        visitor = self.visitor()
        self.send(letter(visitor.address))
        with visitor.context.expect_page() as opened:
            visitor.mail("Your code").click(modifiers=["Control"])
        expect(opened.value.get_by_role("heading", level=2, name="Your code")).to_be_visible()
        visitor.open_mail("Your code")
        visitor.page.go_back()
        expect(visitor.message).to_be_hidden()
        visitor.page.go_forward()
        expect(visitor.message).to_be_visible()

    def test_sample_command(self) -> None:
        """What the empty list says to try brings a mail."""
        visitor = self.visitor()
        line = visitor.messages.locator("code").first.inner_text()
        visitor.click("Copy command")
        self.assertEqual(visitor.clipboard(), line)
        words = shlex.split(line)
        self.assertIn(words[0], ("curl", "swaks"))
        if words[0] == "curl":
            (body,) = (json.loads(word) for word in words if word.startswith("{"))
            self.assertEqual(self.daemon.ask("POST", "/send", body=body)[0], 200)
            expect(visitor.mail(body["subject"])).to_be_visible()
