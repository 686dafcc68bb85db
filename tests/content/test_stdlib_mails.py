"""The mails that CPython's own tests of :mod:`email` use, read as its modern policy reads them."""

from __future__ import annotations

import email
from email.utils import parseaddr

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.filenames import safe_name
from tempmail.content.mime import glance, read
from tests.content.stdlib_mails import (
    DIFFERENT,
    INSTEAD,
    expected_names,
    expected_text,
    one_line,
    standard_mails,
)


class StandardLibraryMailsTests(SynchronousTestCase):
    """Each mail that CPython tests with."""

    def test_subject(self) -> None:
        """Reading and glancing give the subject that the standard library gives."""
        for mail in standard_mails():
            expected = one_line(mail.message["subject"])
            self.assertEqual(one_line(read(mail.octets).subject), expected, mail.name)
            self.assertEqual(one_line(glance(mail.octets).subject), expected, mail.name)

    def test_text(self) -> None:
        """The text is the plain parts of the body, as the standard library decodes them."""
        for mail in standard_mails():
            text = read(mail.octets).text
            if mail.text_differs:
                self.assertTrue(text.startswith(INSTEAD[mail.name]), (mail.name, text[:100]))
            else:
                self.assertEqual(text, expected_text(mail.message), mail.name)

    def test_attachment_names(self) -> None:
        """Every named part but the body is an attachment of that name, in order."""
        for mail in standard_mails():
            names = [one.filename for one in read(mail.octets).attachments]
            given = [safe_name(proposed) for proposed in expected_names(mail.message)]
            kept = [one for one in names if one in given]
            self.assertEqual(kept, given, mail.name)

    def test_people(self) -> None:
        """Sender and recipients have the names and addresses that the standard library finds."""
        for mail in standard_mails():
            reading = read(mail.octets)
            if DIFFERENT.get(mail.name, ("",))[0] != "sender" and mail.message["from"]:
                first = mail.message["from"].addresses[0]
                self.assertIsNotNone(reading.sender, mail.name)
                assert reading.sender is not None
                self.assertEqual(reading.sender.address, first.addr_spec, mail.name)
                # A comment behind an address is the name, too; only the old ways know that.
                old_way = parseaddr(str(email.message_from_bytes(mail.octets)["from"]))[0]
                self.assertEqual(reading.sender.name, first.display_name or old_way, mail.name)
            expected = [
                one.addr_spec for to in mail.message.get_all("to", []) for one in to.addresses
            ]
            self.assertEqual([one.address for one in reading.to], expected, mail.name)

    def test_html_only(self) -> None:
        """The mail that is nothing but HTML has no text of its own."""
        octets = {mail.name: mail.octets for mail in standard_mails()}["msg_40.txt"]
        reading = read(octets)
        self.assertEqual(reading.text, "")
        self.assertIn("<html>", reading.html or "")
