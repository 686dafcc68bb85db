"""The mails that CPython's own tests of :mod:`email` use, and what it makes of them."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import frozen

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


@frozen
class StandardMail:
    """A mail, and what the standard library makes of it."""

    name: str
    octets: bytes
    message: EmailMessage

    @property
    def text_differs(self) -> bool:
        """Whether its text is rightly read in another way, beginning as INSTEAD says."""
        return DIFFERENT.get(self.name, ("",))[0] == "text"


def standard_mail(name: str, octets: bytes) -> StandardMail:
    """The mail of these octets."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return StandardMail(name, octets, message)


def standard_mails() -> list[StandardMail]:
    """All of them, as the files are; an AssertionError where this system does not have them."""
    found = [standard_mail(path.name, path.read_bytes()) for path in files()]
    assert len(found) >= 40, f"CPython's test mails are missing; on Debian: apt install {PACKAGE}"
    return found


def files() -> list[Path]:
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
