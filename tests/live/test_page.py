"""The page in a real browser, on a real server: what a person sees and does."""

from __future__ import annotations

import json
import shlex
from email.message import EmailMessage
from smtplib import SMTPRecipientsRefused

from tests.live.daemon import Daemon, mail
from tests.live.page import ENTER, ESCAPE, RIGHT, PageTestCase

VIOLATIONS = """
const done = arguments[0];
const seen = [];
new ReportingObserver((reports) => seen.push(...reports.map((one) => one.body.blockedURL)),
  { types: ["csp-violation"], buffered: true }).observe();
requestAnimationFrame(() => requestAnimationFrame(() => done(seen)));
"""

LIVE = "return $('state').dataset.state === 'live' && $('address').textContent"
OTHER = f"return $('address').textContent !== arguments[0] && (() => {{ {LIVE} }})()"

FAILS_ONCE = """
const real = window.fetch;
window.fetch = () => {
  window.fetch = real;
  return Promise.reject(new TypeError("no network"));
};
"""

HTML = (
    "<p>Your code is <b>493817</b></p><script>parent.document.title = 'stolen'</script>"
    "<img src=https://tracker.example/pixel.png width=200 height=99>"
    "<a href='https://shop.example/confirm?token=0123456789abcdef'>Confirm</a>"
)


class AddressTests(PageTestCase):
    """The address."""

    def test_at_once(self) -> None:
        """Whoever opens the page has an address that mail can be sent to, and keeps it."""
        address = self.until(LIVE)
        self.daemon.send(address)
        self.until("return document.querySelector('#list .subject').textContent === 'Hello'")
        self.visit()
        self.assertEqual(self.until(LIVE), address)
        self.until("return document.querySelector('#list .subject')")
        self.assertRegex(self.until("return $('left').textContent"), r"^(?:10:00|9:\d\d) left$")

    def test_copy(self) -> None:
        """One click copies the address, and the button says so for a moment."""
        address = self.until(LIVE)
        self.click("#copy")
        self.until("return $('copy').textContent === 'Copied'")
        self.assertEqual(self.clipboard(), address)
        self.until("return $('copy').textContent === 'Copy'")

    def test_extend(self) -> None:
        """Extending adds as much time again."""
        self.until(LIVE)
        self.click("#extend")
        self.until("return $('left').textContent.startsWith('19:')")

    def test_slept(self) -> None:
        """The time left is what is left, however long nothing ran here."""
        self.until(LIVE)
        self.run_script("const now = Date.now; Date.now = () => now() + 120000")
        self.until("return $('left').textContent.startsWith('7:')")

    def test_several(self) -> None:
        """A new address leaves the one before in reach; one that is deleted takes no mail."""
        first = self.until(LIVE)
        self.daemon.send(first)
        self.until("return document.querySelector('#list .subject')")
        self.click("#holding .new")
        second = self.until(OTHER, first)
        self.assertFalse(self.run_script("return document.querySelectorAll('#list li').length"))
        self.click("#others button")
        self.assertEqual(self.until(OTHER, second), first)
        self.until("return document.querySelector('#list .subject')")
        self.click("#delete")
        self.click("#ask-no")
        self.assertEqual(self.until(LIVE), first)
        self.click("#delete")
        self.click("#ask-yes")
        self.until("return !$('over').hidden && $('restore').hidden")
        self.assertEqual(
            self.run_script("return document.querySelector('#others button').textContent"), second
        )
        with self.assertRaises(SMTPRecipientsRefused):
            self.daemon.send(first)

    def test_sample_command(self) -> None:
        """What the empty inbox says to try does bring a mail."""
        self.until(LIVE)
        *_, body, url = shlex.split(self.until("return $('command').textContent"))
        self.assertEqual(url, f"http://127.0.0.1:{self.daemon.http}/send")
        status, _ = self.daemon.ask("POST", "/send", body=json.loads(body))
        self.assertEqual(status, 200)
        code = self.until("return document.querySelector('#list .code').textContent")
        self.assertIn(code, body)


class MailTests(PageTestCase):
    """The mail."""

    def setUp(self) -> None:
        """Have an address."""
        super().setUp()
        self.address = str(self.until(LIVE))

    def html_mail(self) -> EmailMessage:
        """One with everything."""
        message = mail(self.address, "Your code", "Your code is 493817.\n")
        message.add_alternative(HTML, subtype="html")
        message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
        return message

    def open_first(self) -> None:
        """Open the topmost mail."""
        self.until("return document.querySelector('#list a.row')")
        self.click("#list a.row")

    def test_arrival(self) -> None:
        """A mail shows by itself, is told, and one click has its code; its link says its host."""
        self.send(self.html_mail())
        self.until("return document.querySelector('#list .code')")
        self.assertEqual(
            self.run_script("return document.getElementById('said').textContent"),
            "New mail from sender@example.org: Your code",
        )
        self.assertEqual(self.browser("GET", "/title"), f"(1) {self.address}")
        self.click("#list .code")
        self.until("return document.querySelector('#list .code').textContent === 'Copied'")
        self.assertEqual(self.clipboard(), "493817")
        link = self.run_script(
            "const link = document.querySelector('#list .link');"
            "return [link.textContent, link.rel, link.target]"
        )
        self.assertEqual(link, ["Open shop.example", "noopener noreferrer", "_blank"])

    def test_html(self) -> None:
        """HTML lives in a frame without scripts; all of it keeps to the page's policy."""
        self.send(self.html_mail())
        self.open_first()
        self.until("return document.querySelector('iframe')")
        self.enter("iframe")
        shown = self.browser("GET", f"/element/{self.element('p')}/text")
        self.assertEqual(shown, "Your code is 493817")
        self.leave()
        self.assertEqual(self.browser("GET", "/title"), self.address)
        script = {"script": VIOLATIONS, "args": []}
        self.assertEqual(self.browser("POST", "/execute/async", script), [])
        held = self.run_script("return document.querySelector('.held').textContent")
        self.assertIn("tracker.example", held)
        self.click(".held button")
        self.until("return document.querySelector('iframe').src.includes('images=remote')")
        self.click("#tab-text")
        self.until("return document.querySelector('pre').textContent.includes('493817')")
        self.assertFalse(self.run_script("return document.querySelectorAll('iframe').length"))

    def test_downloads(self) -> None:
        """The mail as it came and its attachments can be had."""
        message = self.html_mail()
        self.send(message)
        self.open_first()
        paths = self.until(
            "return $('message').querySelector('.ending') && "
            "[...$('message').querySelectorAll('a[download]')].map((a) => a.pathname + a.search)"
        )
        bodies = []
        for path in paths:
            connection = self.daemon.connect()
            connection.request("GET", path)
            bodies.append(connection.getresponse().read())
            connection.close()
        self.assertEqual(bodies[0], b"%PDF")
        self.assertIn(b"Subject: Your code\r\n", bodies[1])

    def test_markup_as_text(self) -> None:
        """Nothing that a mail says becomes markup of the page."""
        evil = "<img src=x onerror=document.title='stolen'><b id=evil>"
        self.send(mail(self.address, evil, f"{evil}\n"))
        self.open_first()
        self.until("return document.querySelector('pre').textContent.includes('<img')")
        self.assertEqual(
            self.run_script("return document.getElementById('message-title').textContent"), evil
        )
        self.assertFalse(self.run_script("return document.querySelectorAll('img, #evil').length"))

    def test_keyboard(self) -> None:
        """A mail opens, its tabs turn and it closes by keys; the focus goes along, Back works."""
        self.send(self.html_mail())
        self.until("document.querySelector('#list a.row').focus(); return true")
        self.press(ENTER)
        self.until("return document.activeElement.id === 'message-title' && $('tab-html')")
        self.run_script("document.getElementById('tab-html').focus()")
        self.press(RIGHT)
        self.until(
            "return document.activeElement.id === 'tab-text' && document.querySelector('pre')"
        )
        self.press(ESCAPE)
        self.until("return $('message').hidden && document.activeElement.matches('#list a.row')")
        self.browser("POST", "/back")
        self.until("return !$('message').hidden")
        self.browser("POST", "/back")
        self.until("return $('message').hidden")

    def test_narrow(self) -> None:
        """At 320 pixels nothing is wider than the window, in either colour scheme."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=320,
            height=640,
            deviceScaleFactor=1,
            mobile=True,
        )
        self.send(mail(self.address, "long" * 50, "https://a.example/verify?t=" + "x" * 300))
        fits = "return document.documentElement.scrollWidth <= 320"
        self.until("return document.querySelector('#list a.row')")
        self.assertTrue(self.run_script(fits))
        self.open_first()
        self.until("return document.querySelector('pre')")
        self.assertTrue(self.run_script(fits))
        papers = set()
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            self.devtools("Emulation.setEmulatedMedia", features=features)
            papers.add(self.run_script("return getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(len(papers), 2)


class EndTests(PageTestCase):
    """When the time is over."""

    options = ("--lifetime", "3")

    def test_restore(self) -> None:
        """The page says so, keeps showing what was open, and has the same address back."""
        address = self.until(LIVE)
        self.daemon.send(address)
        self.until("return document.querySelector('#list a.row')")
        self.click("#list a.row")
        self.until("return document.querySelector('pre')")
        self.until("return !$('over').hidden && $('over-why').textContent.includes('expired')")
        self.assertTrue(self.run_script("return document.querySelector('pre').textContent"))
        self.click("#restore")
        self.assertEqual(self.until(LIVE), address)
        self.assertFalse(self.run_script("return document.querySelectorAll('#list li').length"))
        self.daemon.send(address)
        self.until("return document.querySelector('#list a.row')")


class LostTests(PageTestCase):
    """When the server is away."""

    def test_back_again(self) -> None:
        """The page says so, comes back by itself, and says when its address is not known there."""
        self.until(LIVE)
        self.daemon.stop()
        self.until("return /Reconnecting in \\d+ s/.test($('state').textContent)")
        again = Daemon(http=[f"tcp:{self.daemon.http}:interface=127.0.0.1"]).start()
        self.addCleanup(again.stop)
        self.until("return !$('over').hidden && $('restore').hidden")
        self.click("#over .new")
        self.assertTrue(self.until(LIVE))

    def test_away_at_first(self) -> None:
        """Where there is no address to be had yet the page says so and asks again."""
        self.until(LIVE)
        self.run_script("localStorage.clear()")
        self.devtools("Page.addScriptToEvaluateOnNewDocument", source=FAILS_ONCE)
        self.visit()
        self.until("return $('problem').textContent.includes('can not be reached')")
        self.until(LIVE)
        self.assertFalse(self.run_script("return document.getElementById('problem').textContent"))


class BelowBasePathTests(PageTestCase):
    """Published below a path."""

    options = ("--base-path", "/mail")
    path = "/mail"

    def test_works(self) -> None:
        """The page works there as it does at the root."""
        address = self.until(LIVE)
        self.assertEqual(self.run_script("return location.pathname"), "/mail/")
        message = mail(address)
        message.add_alternative(HTML, subtype="html")
        self.send(message)
        self.until("return document.querySelector('#list a.row')")
        self.click("#list a.row")
        self.until("return document.querySelector('iframe').src.includes('/mail/v1/')")
