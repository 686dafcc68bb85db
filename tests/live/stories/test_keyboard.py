"""The keyboard alone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.live.letters import CODE, letter, with_everything
from tests.live.stories.story import Story, Visitor

FOCUS_IS_SEEN = """() => {
  const drawn = ["", "::before", "::after"].some((part) => {
    const style = getComputedStyle(document.activeElement, part || null);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const box = document.activeElement.getBoundingClientRect();
  return drawn && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
}"""


class KeyboardStories(Story):
    """Without a mouse."""

    def focused(self, visitor: Visitor) -> str:
        """What has the focus, in words."""
        return str(
            visitor.page.evaluate(
                "(document.activeElement.getAttribute('aria-label') ?? '') + ' ' + "
                "document.activeElement.textContent"
            )
        )

    def test_keys(self) -> None:
        """One key each: along the list, open, copy the code, back, extend, new, help, delete."""
        visitor = self.visitor()
        for subject in ("First", "Second", "Third"):
            self.send(letter(visitor.address, subject, f"Your code is {CODE}.\n"))
            expect(visitor.mail(subject)).to_be_visible()
        visitor.press("j")
        expect(visitor.mail("Third")).to_be_focused()
        visitor.press("j")
        expect(visitor.mail("Second")).to_be_focused()
        visitor.press("k", "j", "Enter")
        heading = visitor.message.get_by_role("heading", level=2)
        expect(heading).to_have_text("Second")
        visitor.press("c")
        expect(visitor.page.get_by_text("Copied").first).to_be_visible()
        self.assertEqual(visitor.clipboard(), CODE)
        visitor.press("u")
        expect(visitor.message).to_be_hidden()
        expect(visitor.mail("Second")).to_be_focused()
        visitor.press("Enter")
        expect(heading).to_have_text("Second")
        visitor.press("Escape")
        expect(visitor.message).to_be_hidden()
        visitor.press("Enter")
        expect(heading).to_have_text("Second")
        visitor.press("d")
        expect(visitor.mail("Second")).to_have_count(0)
        visitor.press("Shift+?")
        help_ = visitor.dialog("Keyboard shortcuts")
        expect(help_).to_be_visible()
        visitor.press("n")
        visitor.press("Escape")
        expect(help_).to_be_hidden()
        expect(visitor.addresses).to_be_hidden()
        first = visitor.address
        visitor.press("n")
        expect(visitor.address_box).not_to_have_value(first)

    def test_not_while_typing(self) -> None:
        """In a field letters are letters, and with a modifier keys are the browser's."""
        visitor = self.visitor()
        asked: list[str] = []
        visitor.page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
        visitor.click("Choose…")
        name = visitor.dialog("Choose an address").get_by_role("textbox", name="Name")
        name.fill("")
        name.press_sequentially("jnecd?")
        expect(name).to_have_value("jnecd?")
        visitor.press("Escape", "Control+n", "Alt+n", "Meta+e", "Control+?")
        expect(visitor.page.get_by_role("dialog")).to_have_count(0)
        visitor.press("?")
        expect(visitor.dialog("Keyboard shortcuts")).to_be_visible()
        self.assertEqual(
            [one for one in asked if one.startswith("POST") and "/wait" not in one], []
        )

    def test_tab_alone(self) -> None:
        """Everything is reached by Tab, is seen when it has the focus, and works by Enter."""
        visitor = self.visitor()
        self.send(with_everything(visitor.address))
        expect(visitor.mail("Confirm your address")).to_be_visible()
        reached = set()
        unseen = []
        for _ in range(60):
            visitor.press("Tab")
            name = self.focused(visitor)
            if visitor.page.evaluate("document.activeElement === document.body"):
                break
            reached.add(" ".join(name.split()))
            if not visitor.page.evaluate(FOCUS_IS_SEEN):
                unseen.append(name)
        self.assertEqual(unseen, [])
        for wanted in (
            "Copy",
            "New address",
            "Choose…",
            "Extend",
            "Delete address",
            "Confirm your address",
            f"Copy code {CODE}",
            "Keyboard shortcuts",
            "API",
        ):
            self.assertTrue([one for one in reached if wanted in one], (wanted, reached))
        visitor.mail("Confirm your address").focus()
        visitor.press("Enter")
        expect(visitor.message).to_be_visible()
        visitor.message.get_by_role("tab", name="HTML").focus()
        visitor.press("ArrowRight")
        tab = visitor.message.get_by_role("tab", name="Text")
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
        visitor.button("Delete address").focus()
        visitor.press("Enter")
        expect(visitor.dialog("Delete address")).to_be_visible()
        visitor.press("Escape")
        expect(visitor.button("Delete address")).to_be_focused()
