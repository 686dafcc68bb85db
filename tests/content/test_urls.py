"""Where a URL leads, whatever it looks like."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.urls import destination


class DestinationTests(SynchronousTestCase):
    """What a browser would make of a URL."""

    def test_real_host(self) -> None:
        """The host shown is the one a browser would connect to, whatever is around it."""
        for url, host in (
            ("https://bank.example@evil.example/", "evil.example"),
            ("https://bank.example\\@evil.example/", "bank.example"),
            ("http:evil.example", "evil.example"),
            ("http:/\\/evil.example/", "evil.example"),
            ("ht\ntp://ev\til.example", "evil.example"),
            ("https://%65vil.example/", "evil.example"),
            ("https://\uff45vil.example/", "evil.example"),
            ("https://\u0440\u0430ypal.example/", "xn--ypal-43d9g.example"),
            ("https://a.example:8443/x", "a.example"),
            ("https://[2001:db8::1]:81/", "[2001:db8::1]"),
            ("https://A.Example/x", "a.example"),
            ("https://a.example./", "a.example"),
            ("https://b\u00fccher.example/", "xn--bcher-kva.example"),
            ("https://\u24d0.example/", "a.example"),
            ("mailto:a@b.example?subject=x", "a@b.example"),
            ("tel:+44 20", "+44 20"),
        ):
            found = destination(url)
            self.assertEqual(found and found.host, host, url)

    def test_no_address(self) -> None:
        """What is no http, https, mailto or tel URL with a host is no link."""
        for url in (
            "", "#a", "/a", "?a", "a.example", "javascript:x", "data:text/html,x", "ftp://a.example/",
            "https://", "https:///", "https://a b.example/", "https://a<b.example/", "https://-\u00fc-/",
            "https://" + "a" * 300, "https://[bad/", "https://" + "\u00fc" * 300 + "/",
            "http://a.example:99999999/", "cid:a", "x-held:0",
        ):  # fmt: skip
            self.assertIsNone(destination(url), url)

    def test_harmless_characters(self) -> None:
        """No URL keeps a quote, bracket, backslash, space or control."""
        found = destination('https://a.example/"\'<>()\\ \x7f\u00e9{}?"\'<>\\#"<')
        self.assertTrue(found and re.fullmatch(r"[!#$%&*+,./\w:;=?@~|-]+", found.url, re.ASCII))

    def test_lone_surrogate(self) -> None:
        """What can not be written in UTF-8 becomes a question mark, and nothing fails."""
        found = destination("https://a.example/\ud800")
        self.assertEqual(found and found.url, "https://a.example/%3F")
