"""Tests of the document that the HTML of strangers is shown in."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.document import standalone
from tempmail.content.html import CleanHtml, sanitise


class Documents(SynchronousTestCase):
    """The second wall."""

    def test_policy(self) -> None:
        """The document's own policy runs nothing, fetches nothing, sends nothing, owns nothing."""
        body, headers = standalone(CleanHtml("<p>x</p>"))
        policy = dict(
            part.partition(" ")[::2] for part in headers["Content-Security-Policy"].split("; ")
        )
        self.assertEqual(
            policy,
            {
                "default-src": "'none'",
                "img-src": "data:",
                "style-src": "'unsafe-inline'",
                "font-src": "'none'",
                "form-action": "'none'",
                "base-uri": "'none'",
                "frame-ancestors": "'self'",
                "sandbox": "allow-popups allow-popups-to-escape-sandbox",
            },
        )
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Content-Type"], "text/html; charset=utf-8")
        self.assertIn(b"<p>x</p>", body)

    def test_policy_inside(self) -> None:
        """The document carries the policy before anything of the sender, for when it is saved."""
        text = standalone(CleanHtml("<p>x</p>"))[0].decode()
        inside = text.index(
            'http-equiv="Content-Security-Policy" content="default-src &#x27;none&#x27;'
        )
        self.assertLess(inside, text.index("<p>x</p>"))

    def test_elements_beyond_policy(self) -> None:
        """Elements that connect before the policy is asked become text, were they ever left in."""
        raw = "<link rel=preconnect href=//a.example><IFRAME/src=x><p>x</p><linked>"
        text = standalone(CleanHtml(raw))[0].decode()
        self.assertIn(
            "&lt;link rel=preconnect href=//a.example>&lt;IFRAME/src=x><p>x</p><linked>", text
        )

    def test_remote_pictures(self) -> None:
        """Only when remote pictures were asked for are they allowed and let in; nothing else is."""
        clean = sanitise("<img src=https://a.example/x>")
        without, with_them = standalone(clean), standalone(clean, images_remote=True)
        self.assertNotIn(b" src=", without[0])
        self.assertIn(b'<img src="https://a.example/x"', with_them[0])
        self.assertEqual(
            with_them[1]["Content-Security-Policy"],
            without[1]["Content-Security-Policy"].replace(
                "img-src data:", "img-src data: https: http:"
            ),
        )

    def test_title(self) -> None:
        """The title can not break out of its place."""
        text = standalone(CleanHtml(), title="</title><script>")[0].decode()
        self.assertNotIn("<script>", text)
