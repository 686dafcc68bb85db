"""What was read out of one mail: frozen values that a worker can hand over, and JSON can say.

Every text here is clean: no lone surrogates, and in one-line texts (subject, names, addresses,
file names) no control and no bidirectional formatting characters.
"""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen


@frozen
class Mailbox:
    """One mailbox of an address header (RFC 5322 section 3.4).

    ``name`` is the display name, decoded, ``""`` if there is none. ``address`` is what stood in
    the place of ``local@domain``, also where it has no ``@``; ``""`` if only a name was given.
    """

    name: str
    address: str


@frozen
class Glance:
    """What the header block alone tells.

    ``date`` is the header as text; ``has_html`` is a guess from the beginning of the mail.
    ``defects`` says, in words for whoever sent the mail, what was wrong with it.
    """

    subject: str
    sender: Mailbox | None
    to: tuple[Mailbox, ...]
    date: str
    message_id: str | None
    has_html: bool
    defects: tuple[str, ...] = ()


@frozen
class Attachment:
    """One part that is not the body, described; its content is asked for by ``index``.

    ``index`` counts from 0 in the order of the mail and is the place in ``Reading.attachments``.
    ``filename`` is safe on every file system and unique within the mail. ``content_type`` is
    ``type/subtype``, lower case. ``size`` is in octets, decoded. ``content_id`` has no angle
    brackets. ``inline`` is true if the HTML shows the part by its ``cid:`` (RFC 2392).
    """

    index: int
    filename: str
    content_type: str
    size: int
    content_id: str | None
    inline: bool


@frozen
class AttachedFile:
    """One attachment with its content, transfer encoding undone."""

    attachment: Attachment
    content: bytes = field(repr=False)


@frozen
class Reading:
    """Everything a mail says, without the contents of its attachments.

    ``headers`` are all of them in the order of the wire, decoded. ``date`` is aware.
    ``message_id`` keeps its angle brackets, as the header does.
    ``text`` is the plain body, ``""`` if there is none; ``html`` is the HTML body, unsanitised,
    ``None`` if there is none. ``defects`` says what was wrong or guessed, in words for whoever sent
    the mail.
    """

    subject: str
    sender: Mailbox | None
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    date: datetime | None
    message_id: str | None
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(repr=False)
    attachments: tuple[Attachment, ...]
    defects: tuple[str, ...]
