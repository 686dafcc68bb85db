"""The mails that CPython's own tests of :mod:`email` use, read as its modern policy reads them."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tempmail.content.filenames import safe_name
from tempmail.content.mime import glance, read

# What the standard library reads differently, and why it is wrong or we do better: the part of
# the reading that is then not compared, with the reason.
DIFFERENT = {
    "msg_17.txt": ("text", "its boundary is named but never used, so it counts as having no text"),
    "msg_25.txt": ("text", "its boundary is cut off in the header, so it counts as having no text"),
    "msg_31.txt": ("text", "its boundary is named but another is used; no part of it is found"),
    "msg_41.txt": ("text", "it names no boundary and holds none, so it counts as having no text"),
    "msg_43.txt": ("sender", "'<>' in From is answered as the address '<>'; there is no address"),
}
# What is read where the standard library reads nothing: the beginning of the text.
INSTEAD = {
    "msg_17.txt": "Hi there,\n\nThis is the dingus fish.\n",
    "msg_25.txt": "The original message was received at Fri, 6 Apr 2001 09:23:03 -0800",
    "msg_31.txt": "message 1\n",
    "msg_41.txt": "Blah blah blah\n",
}
PACKAGE = "libpython3.11-testsuite"


def mails() -> list[Path]:
    """The files, wherever this Python or the system's keeps them; empty if nowhere."""
    folders: list[Path] = []
    try:
        spec = find_spec("test.test_email")
    except ModuleNotFoundError:
        spec = None
    if spec is not None and spec.submodule_search_locations:
        folders += [Path(place) / "data" for place in spec.submodule_search_locations]
    folders += sorted(Path("/usr/lib").glob("python3*/test/test_email/data"))
    return next((found for folder in folders if (found := sorted(folder.glob("msg_*.txt")))), [])


def plain_leaves(part: Any) -> Iterator[EmailMessage]:
    """The plain texts that are not within a forwarded mail; of alternatives only the first."""
    if part.get_content_maintype() == "multipart":
        children = part.get_payload() if part.is_multipart() else []
        found = [leaf for child in children for leaf in plain_leaves(child)]
        yield from found[:1] if part.get_content_subtype() == "alternative" else found
    elif part.get_content_type() == "text/plain" and not part.is_attachment():
        yield part


def expected_text(message: EmailMessage) -> str:
    """All plain texts of the body below each other; later ones with a name are attachments."""
    leaves = list(plain_leaves(message))
    shown = [leaf for leaf in leaves if leaf is leaves[0] or not leaf.get_filename()]
    texts = [leaf.get_content().replace("\r\n", "\n") for leaf in shown]
    texts = [text for text in texts if text]
    above = [text if text.endswith("\n") else text + "\n" for text in texts[:-1]]
    return "".join([*above, *texts[-1:]])


def expected_names(message: EmailMessage) -> list[str]:
    """The names of all named parts but the body."""
    body = message.get_body(("plain", "html"))
    named = [part for part in message.walk() if part is not body and part.get_filename()]
    return [part.get_filename() or "" for part in named]


def one_line(text: object) -> str:
    """A header without regard to white space, for folds leave tabs."""
    return " ".join(str(text or "").split())


class StandardLibraryMailsTests(SynchronousTestCase):
    """Each mail that CPython tests with."""

    def mails(self) -> list[tuple[str, bytes, EmailMessage]]:
        """Name, octets and what the standard library makes of them."""
        found = mails()
        if not found:
            self.fail(f"CPython's test mails are missing; on Debian: apt install {PACKAGE}")
        self.assertGreaterEqual(len(found), 40)
        answer = []
        for path in found:
            octets = path.read_bytes()
            message = email.message_from_bytes(octets, policy=email.policy.default)
            self.assertIsInstance(message, EmailMessage)
            answer.append((path.name, octets, message))
        return answer

    def test_subject(self) -> None:
        """Reading and glancing give the subject that the standard library gives."""
        for name, octets, message in self.mails():
            expected = one_line(message["subject"])
            self.assertEqual(one_line(read(octets).subject), expected, name)
            self.assertEqual(one_line(glance(octets).subject), expected, name)

    def test_text(self) -> None:
        """The text is the plain parts of the body, as the standard library decodes them."""
        for name, octets, message in self.mails():
            text = read(octets).text
            if DIFFERENT.get(name, ("",))[0] == "text":
                self.assertTrue(text.startswith(INSTEAD[name]), (name, text[:100]))
            else:
                self.assertEqual(text, expected_text(message), name)

    def test_attachment_names(self) -> None:
        """Every named part but the body is an attachment of that name, in order."""
        for name, octets, message in self.mails():
            names = [one.filename for one in read(octets).attachments]
            given = [safe_name(proposed) for proposed in expected_names(message)]
            kept = [one for one in names if one in given]
            self.assertEqual(kept, given, name)

    def test_people(self) -> None:
        """Sender and recipients have the names and addresses that the standard library finds."""
        for name, octets, message in self.mails():
            reading = read(octets)
            if DIFFERENT.get(name, ("",))[0] != "sender" and message["from"]:
                first = message["from"].addresses[0]
                self.assertIsNotNone(reading.sender, name)
                assert reading.sender is not None
                self.assertEqual(reading.sender.address, first.addr_spec, name)
                # A comment behind an address is the name, too; only the old ways know that.
                old_way = parseaddr(str(email.message_from_bytes(octets)["from"]))[0]
                self.assertEqual(reading.sender.name, first.display_name or old_way, name)
            expected = [one.addr_spec for to in message.get_all("to", []) for one in to.addresses]
            self.assertEqual([one.address for one in reading.to], expected, name)

    def test_html_only(self) -> None:
        """The mail that is nothing but HTML has no text of its own."""
        octets = {name: octets for name, octets, _ in self.mails()}["msg_40.txt"]
        reading = read(octets)
        self.assertEqual(reading.text, "")
        self.assertIn("<html>", reading.html or "")
