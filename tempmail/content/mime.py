"""Octets of a mail to what it says.

Everything here takes any octets whatever and raises nothing. Its time grows linearly with the size
and stays under 100 ms for 25 MiB of any shape (measured with ``benchmarks/reading.py``): the header
block and every field of it are cut off at a size, numbers of parts, parameters, addresses and
encoded words are bounded, and the libraries are given no more than they take in that time. What was
guessed, and what was cut of the header, the parts and the text, is said in ``defects``.

The way of a mail: ``opened`` cuts off its header and takes it apart (``headers``, ``addresses``),
``structure`` has fast-mail-parser find its parts (each a ``part``), ``body`` chooses what is shown
and makes text of it (``charset``, ``flowed``), ``contents`` calls the rest attachments
(``filenames``). The header of the mail is not left to the library, for it is quadratic there, loses
the order of the fields and the octets of raw 8-bit ones, and answers nobody for a list of which one
address lacks its ``@``.
"""

from __future__ import annotations

from tempmail.content.contents import contents_of
from tempmail.content.headers import clean_identity, readable, when
from tempmail.content.opened import open_mail
from tempmail.content.reading import AttachedFile, Attachment, Glance, Mailbox, Reading

__all__ = [
    "AttachedFile",
    "Attachment",
    "Glance",
    "Mailbox",
    "Reading",
    "attachment",
    "glance",
    "inline_pictures",
    "read",
]

# Octets that a glance looks at.
MAX_GLANCE_OCTETS = 64 * 1024
# Defects that are told.
MAX_DEFECTS = 30


def glance(octets: bytes) -> Glance:
    """What the beginning of a mail tells; never raises.

    Looks at no more than MAX_GLANCE_OCTETS, so it may run in the reactor: 25 us for a usual mail,
    under 20 ms for any.
    """
    try:
        return _glance(octets)
    except Exception as error:
        return Glance("", None, (), "", None, False, (_unreadable(error),))


def read(octets: bytes) -> Reading:
    """Everything a mail says but the contents of its attachments; never raises."""
    try:
        return _read(octets)
    except Exception as error:
        seen = glance(octets)
        return Reading(
            subject=seen.subject,
            sender=seen.sender,
            to=seen.to,
            cc=(),
            reply_to=(),
            date=when(seen.date),
            message_id=seen.message_id,
            headers=(),
            text="",
            html=None,
            attachments=(),
            defects=(*seen.defects, _unreadable(error)),
        )


def attachment(octets: bytes, index: int) -> AttachedFile | None:
    """One attachment of a mail, decoded; ``None`` if there is none of that index. Never raises."""
    try:
        contents = contents_of(open_mail(octets))
        if not 0 <= index < len(contents.files):
            return None
        return contents.file(index)
    except Exception:
        return None


def inline_pictures(octets: bytes) -> dict[str, tuple[str, bytes]]:
    """The pictures that the HTML shows by ``cid:``: content id -> (content type, octets).

    Of two with one id the first counts. Never raises.
    """
    pictures: dict[str, tuple[str, bytes]] = {}
    try:
        contents = contents_of(open_mail(octets))
        for index, part in enumerate(contents.files):
            name, kind = part.head.content_id, part.head.content_type
            if name in contents.references and kind.startswith("image/"):
                pictures.setdefault(name, (kind, contents.content(index)))
    except Exception:
        return pictures
    return pictures


def _unreadable(error: Exception) -> str:
    """The defect of a mail that we failed at, which is a mistake of ours to be looked for."""
    return f"could not be read ({type(error).__name__}); see the source"


def _glance(octets: bytes) -> Glance:
    mail = open_mail(octets[:MAX_GLANCE_OCTETS])
    senders = mail.mailboxes(b"from")
    return Glance(
        subject=mail.readable(b"subject"),
        sender=senders[0] if senders else None,
        to=mail.mailboxes(b"to"),
        date=mail.readable(b"date"),
        message_id=clean_identity(mail.text(b"message-id")) or None,
        has_html=b"text/html" in mail.octets.lower(),
        defects=mail.defects,
    )


def _read(octets: bytes) -> Reading:
    mail = open_mail(octets)
    contents = contents_of(mail)
    senders = mail.mailboxes(b"from")
    date_text = mail.readable(b"date")
    date = when(date_text) if date_text else None
    defects = [*mail.defects, *contents.defects]
    if date_text and date is None:
        defects.append("the Date header can not be read")
    if b"from" in mail.first and not senders:
        defects.append("the From header names nobody")
    return Reading(
        subject=mail.readable(b"subject"),
        sender=senders[0] if senders else None,
        to=mail.mailboxes(b"to"),
        cc=mail.mailboxes(b"cc"),
        reply_to=mail.mailboxes(b"reply-to"),
        date=date,
        message_id=clean_identity(mail.text(b"message-id")) or None,
        headers=tuple(
            (clean_identity(name.decode("ascii", "replace")), readable(value, mail.hint))
            for name, value in mail.fields
        ),
        text=contents.body.text,
        html=contents.body.html,
        attachments=contents.described(),
        defects=tuple(dict.fromkeys(defects))[:MAX_DEFECTS],
    )
