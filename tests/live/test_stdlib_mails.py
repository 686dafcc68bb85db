"""The mails that CPython tests its :mod:`email` with, through the whole server."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.filenames import safe_name
from tests.content.stdlib_mails import (
    INSTEAD,
    StandardMail,
    expected_names,
    expected_text,
    one_line,
    standard_mail,
    standard_mails,
)
from tests.live.daemon import Daemon
from tests.live.wire import Wire


def as_sent(mail: StandardMail) -> StandardMail:
    """The mail with the line ends it has on its way, the last line's too."""
    octets = re.sub(rb"\r?\n", b"\r\n", mail.octets)
    return standard_mail(mail.name, octets if octets.endswith(b"\r\n") else octets + b"\r\n")


class StandardLibraryMailsTests(SynchronousTestCase):
    """Each of them, sent by SMTP and read by HTTP."""

    def setUp(self) -> None:
        """A server, and somebody who reads."""
        self.daemon = Daemon("--unlimited").start()
        self.addCleanup(self.daemon.stop)
        self.address, self.token = self.daemon.mint()
        self.path = f"/v1/mailboxes/{quote(self.address)}/messages"
        self.mails = [as_sent(mail) for mail in standard_mails()]

    def ids(self) -> list[str]:
        """What is in the mailbox, oldest first."""
        status, page = self.daemon.ask("GET", f"{self.path}?limit=500", self.token)
        self.assertEqual(status, 200)
        found = [message["id"] for message in page["messages"]]
        self.assertEqual(len(found), len(self.mails))
        return found

    def raw(self, id_: str) -> bytes:
        """The octets of one."""
        return self.daemon.fetch(f"{self.path}/{id_}/raw", self.token)

    def message(self, id_: str) -> Any:
        """All that is told of one."""
        status, whole = self.daemon.ask("GET", f"{self.path}/{id_}", self.token)
        self.assertEqual(status, 200)
        return whole

    def test_by_data(self) -> None:
        """Octets, subject, text and attachments come out as they went in, in the same order."""
        with Wire(self.daemon.smtp) as wire:
            for mail in self.mails:
                wire.by_data(self.address, mail.octets)
        for mail, id_ in zip(self.mails, self.ids(), strict=True):
            self.assertEqual(self.raw(id_), mail.octets, mail.name)
            whole = self.message(id_)
            self.assertEqual(one_line(whole["subject"]), one_line(mail.message["subject"]))
            self.check_text(mail, whole)
            names = [one["filename"] for one in whole["attachments"]]
            given = [safe_name(proposed) for proposed in expected_names(mail.message)]
            self.assertEqual([one for one in names if one in given], given, mail.name)

    def check_text(self, mail: StandardMail, whole: Any) -> None:
        """The text is the plain parts of the body, or where there are none what HTML shows."""
        expected = expected_text(mail.message)
        if mail.text_differs:
            self.assertTrue(whole["text"].startswith(INSTEAD[mail.name]), mail.name)
        elif expected or whole["html"] is None:
            self.assertEqual(whole["text"], expected, mail.name)
        else:
            self.assertNotIn("<", whole["text"], mail.name)

    def test_by_bdat(self) -> None:
        """The octets are the same where chunks bring them, wherever those are cut."""
        with Wire(self.daemon.smtp) as wire:
            for number, mail in enumerate(self.mails):
                wire.by_bdat(self.address, mail.octets, 101 + number)
        for mail, id_ in zip(self.mails, self.ids(), strict=True):
            self.assertEqual(self.raw(id_), mail.octets, mail.name)
