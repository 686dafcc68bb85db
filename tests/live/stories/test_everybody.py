"""Everybody: with a screen reader, on a narrow screen, in another language, without scripts."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.live.letters import TEN, arabic, chinese, letter, with_everything
from tests.live.stories.story import Story


class SightStories(Story):
    """What is seen, and what a screen reader says."""

    def test_no_barriers(self) -> None:
        """axe-core finds nothing in any state, in either scheme."""
        visitor = self.visitor()
        seen = {"empty": visitor.barriers()}
        for name in ("Keyboard shortcuts", "QR code", "Choose…", "Delete address"):
            visitor.click(name)
            expect(visitor.page.get_by_role("dialog")).to_be_visible()
            seen[name] = visitor.barriers()
            visitor.press("Escape")
        for write in TEN:
            self.send(write(visitor.address))
        self.send(with_everything(visitor.address))
        expect(visitor.mails).to_have_count(11)
        seen["list"] = visitor.barriers()
        visitor.open_mail("Confirm your address")
        expect(visitor.frame).to_be_visible()
        for tab in ("HTML", "Text", "Headers", "Source", "Attachments"):
            visitor.show(tab)
            seen[tab] = visitor.barriers()
        visitor.page.set_viewport_size({"width": 390, "height": 844})
        seen["narrow"] = visitor.barriers()
        visitor.page.set_viewport_size({"width": 1280, "height": 800})
        visitor.new_address()
        seen["several"] = visitor.barriers()
        visitor.context.set_offline(True)
        expect(visitor.connection).to_have_text("Offline")
        seen["offline"] = visitor.barriers()
        self.assertEqual({state: found for state, found in seen.items() if found}, {})

    def test_narrow(self) -> None:
        """At 320 pixels nothing is wider than the window; a mail is a view of its own."""
        visitor = self.visitor(viewport={"width": 320, "height": 640})
        fits = "document.documentElement.scrollWidth <= 320"
        self.assertTrue(visitor.page.evaluate(fits))
        self.send(letter(visitor.address, "long" * 50, "https://a.example/v?t=" + "x" * 300 + "\n"))
        self.send(with_everything(visitor.address))
        expect(visitor.mails).to_have_count(2)
        self.assertTrue(visitor.page.evaluate(fits))
        visitor.mails.last.click()
        expect(visitor.message).to_be_visible()
        expect(visitor.messages).to_be_hidden()
        self.assertTrue(visitor.page.evaluate(fits))
        visitor.click("Back")
        expect(visitor.messages).to_be_visible()
        expect(visitor.message).to_be_hidden()
        visitor.open_mail("Confirm your address")
        visitor.page.go_back()
        expect(visitor.messages).to_be_visible()

    def test_schemes(self) -> None:
        """Light and dark are two schemes, and both tell the browser."""
        visitor = self.visitor()
        papers = []
        for scheme in ("light", "dark"):
            visitor.page.emulate_media(color_scheme=scheme)
            papers.append(
                visitor.page.evaluate(
                    "getComputedStyle(document.documentElement).backgroundColor +"
                    "getComputedStyle(document.body).backgroundColor"
                )
            )
        self.assertNotEqual(*papers)

    def test_reduced_motion(self) -> None:
        """Who wants no motion sees none."""
        visitor = self.visitor(reduced_motion="reduce")
        visitor.page.evaluate(WATCH_FOR_MOTION)
        self.send(with_everything(visitor.address))
        visitor.open_mail("Confirm your address")
        visitor.click("Copy")
        visitor.click("QR code")
        visitor.press("Escape")
        self.assertEqual(visitor.page.evaluate("window.motions"), [])
        self.assertEqual(
            visitor.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior"),
            "auto",
        )


class LanguageStories(Story):
    """Other languages."""

    def test_chinese(self) -> None:
        """A Chinese browser has a Chinese page; what its reader changes stays changed."""
        stranger = self.stranger(locale="zh-CN")
        stranger.page.goto(stranger.url)
        root = stranger.page.locator("html")
        expect(root).to_have_attribute("lang", re.compile("^zh"))
        expect(stranger.your_address).to_have_count(0)
        expect(stranger.page.get_by_role("timer")).to_be_visible()
        address = stranger.page.get_by_role("textbox").first
        expect(address).to_have_value(re.compile("@"))
        self.send(chinese(address.input_value()))
        stranger.page.get_by_role("link", name=re.compile("邮箱验证码")).click()
        expect(
            stranger.page.get_by_role("heading", level=2, name=re.compile("青云"))
        ).to_be_visible()
        self.assertEqual(stranger.barriers(), [])
        chooser = stranger.page.get_by_role("banner").get_by_role("combobox")
        chooser.select_option(label="English")
        expect(root).to_have_attribute("lang", "en")
        stranger.page.reload()
        expect(root).to_have_attribute("lang", "en")
        stranger.see_live()

    def test_arabic(self) -> None:
        """In Arabic the page runs from right to left, and addresses from left to right."""
        stranger = self.stranger(locale="ar")
        stranger.page.goto(stranger.url)
        root = stranger.page.locator("html")
        expect(root).to_have_attribute("lang", "ar")
        expect(root).to_have_attribute("dir", "rtl")
        address = stranger.page.get_by_role("textbox").first
        expect(address).to_have_value(re.compile("@"))
        self.assertEqual(address.evaluate("(box) => getComputedStyle(box).direction"), "ltr")
        self.send(arabic(address.input_value()))
        stranger.page.get_by_role("link", name=re.compile("مكتبة المنارة")).click()
        expect(
            stranger.page.get_by_role("heading", level=2, name=re.compile("رمز"))
        ).to_be_visible()
        self.assertEqual(stranger.barriers(), [])
        stranger.page.set_viewport_size({"width": 320, "height": 640})
        self.assertTrue(stranger.page.evaluate("document.documentElement.scrollWidth <= 320"))

    def test_every_language(self) -> None:
        """Every language offered is the page's as soon as it is chosen."""
        visitor = self.visitor()
        chooser = visitor.page.get_by_role("banner").get_by_role("combobox")
        names = chooser.locator("option").all_inner_texts()
        for wanted in (
            "English",
            "中文",
            "Español",
            "Deutsch",
            "Français",
            "日本語",
            "Русский",
            "العربية",
        ):
            self.assertTrue([name for name in names if name.startswith(wanted)], (wanted, names))
        seen: set[str] = set()
        for name in names:
            chooser.select_option(label=name)
            visitor.page.wait_for_function(
                "(seen) => !seen.includes(document.documentElement.lang)", arg=sorted(seen)
            )
            seen.add(visitor.page.evaluate("document.documentElement.lang"))
            direction = visitor.page.evaluate("getComputedStyle(document.body).direction")
            self.assertEqual(direction, "rtl" if name.startswith("العربية") else "ltr")
        self.assertEqual(len(seen), len(names))


class OperatorStories(Story):
    """What the operator says of themselves."""

    options = (
        *("--site-name", "Postbox", "--notice", "For our tests only."),
        *("--imprint", "https://imprint.example/us", "--abuse-contact", "abuse@postbox.example"),
        *("--accent-colour", "#ffd700"),
    )

    def test_words_and_colour(self) -> None:
        """Name, notice, imprint and contact are there; any colour keeps everything legible."""
        visitor = self.visitor()
        page = visitor.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Postbox")
        footer = page.get_by_role("contentinfo")
        expect(footer).to_contain_text("For our tests only.")
        hrefs = footer.get_by_role("link").evaluate_all("(links) => links.map((one) => one.href)")
        for href in ("https://imprint.example/us", "mailto:abuse@postbox.example"):
            self.assertIn(href, hrefs)
        self.send(with_everything(visitor.address))
        visitor.open_mail("Confirm your address")
        colour = visitor.button("Copy").evaluate("(one) => getComputedStyle(one).backgroundColor")
        self.assertNotIn(colour, ("rgba(0, 0, 0, 0)", "rgb(11, 107, 80)"))
        self.assertEqual(visitor.barriers(), [])


class WithoutScriptsStories(Story):
    """A browser that runs no scripts."""

    def test_says_so(self) -> None:
        """The page says what it needs, and where the same is to be had without."""
        stranger = self.stranger(java_script_enabled=False)
        stranger.page.goto(stranger.url)
        said = stranger.page.locator("noscript")
        self.assertIn("JavaScript", said.inner_text())
        self.assertIn("v1", said.inner_text())
        said.locator("a[href=docs]").click()
        expect(stranger.page.get_by_text("POST /v1/mailboxes").first).to_be_visible()
        stranger.page.go_back()
        expect(stranger.page.get_by_role("textbox")).to_have_count(0)


WATCH_FOR_MOTION = """() => {
  window.motions = [];
  const look = () => {
    for (const one of document.getAnimations()) {
      const { duration, iterations } = one.effect.getComputedTiming();
      if (duration * iterations > 20) {
        window.motions.push(one.animationName ?? one.transitionProperty);
      }
    }
    requestAnimationFrame(look);
  };
  look();
}"""
