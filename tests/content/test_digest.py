"""What a list and a whole message tell of a mail, put together from what was read."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.digest import digest, understood, whole
from tempmail.content.told import whole_glimpse

MIXED = b"""Subject: Both
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain

%b
--b
Content-Type: text/html

<p>What the page says</p>
--b--
"""


def told(octets: bytes) -> dict[str, object]:
    """What the whole message adds."""
    members: dict[str, object] = json.loads(b"{%b}" % whole(octets))
    return members


class TextTests(SynchronousTestCase):
    """The text of a mail that has two bodies."""

    def test_plain(self) -> None:
        """It is the plain one, where that says something."""
        mail = MIXED % b"What the plain body says"
        self.assertEqual(digest(mail).text.strip(), "What the plain body says")

    def test_blank(self) -> None:
        """One that is blank says nothing, so what a reader sees of the HTML is told."""
        for blank in (b"", b" ", b" \t\n \n"):
            found = digest(MIXED % blank)
            self.assertEqual(found.text.strip(), "What the page says", blank)
            self.assertIn(b"What the page says", found.summary)
            self.assertEqual(told(MIXED % blank)["text"], found.text)


class MemberTests(SynchronousTestCase):
    """What is told, whoever asks."""

    def test_the_same_members(self) -> None:
        """Of a mail that could not be read the same members are told as of one that could."""
        mail = MIXED % b"x"
        self.assertEqual(list(json.loads(b"{%b}" % whole_glimpse(mail))), list(told(mail)))

    def test_both_at_once(self) -> None:
        """Both parts found out at once are what each is by itself."""
        mail = MIXED % b"Your code is 482913"
        both = understood(mail)
        self.assertEqual((both.digest, both.whole), (digest(mail), whole(mail)))
