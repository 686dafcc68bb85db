"""Names of attachments that no browser, file system or person is misled by."""

from __future__ import annotations

import re
import unicodedata

from attrs import define, field

from tempmail.content.headers import clean_identity

# Octets in UTF-8 of one name. File systems allow 255; a browser may add a number and ".part".
MAX_NAME_OCTETS = 200
# Octets of the ending, with its dot, that are kept when a name is cut.
MAX_ENDING_OCTETS = 20
# Characters looked at: normalising is not linear in long runs of combining marks.
MAX_CHARACTERS = 1000

_PATH = re.compile(r"[/\\]")
_FORBIDDEN = re.compile('[<>:"|?*]')
_EDGES = re.compile(r"\A[.\s]+|[.\s]+\Z")
# Windows keeps these for devices, whatever ending they have, the superscript digits included.
_DEVICE = re.compile(
    "(?:con|prn|aux|nul|conin\\$|conout\\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\\.|\\Z)",
    re.IGNORECASE,
)
_ENDINGS = {
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/json": ".json",
    "application/xml": ".xml",
    "application/gzip": ".gz",
    "application/rtf": ".rtf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-signature": ".p7s",
    "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m",
    "application/pgp-signature": ".asc",
    "application/pgp-encrypted": ".asc",
    "application/pgp-keys": ".asc",
    "application/ms-tnef": ".dat",
    "application/ics": ".ics",
    "text/calendar": ".ics",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "text/x-amp-html": ".html",
    "text/rfc822-headers": ".txt",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "message/feedback-report": ".txt",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/heic": ".heic",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/ogg": ".ogg",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
}


def safe_name(proposed: str) -> str:
    """What remains of a proposed name, ``""`` if nothing does.

    Only the part behind the last ``/`` or ``\\``; composed (NFC); without controls, invisible and
    bidirectional characters, what Windows forbids as ``_``; no dot in front, no dot or space at
    the end; a device name of Windows gets a ``_`` in front; cut to MAX_NAME_OCTETS before its
    ending.
    """
    name = clean_identity(proposed)
    name = _PATH.split(name.rstrip("/\\ "))[-1][-MAX_CHARACTERS:]
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    name = _EDGES.sub("", name)
    if _DEVICE.match(name):
        name = "_" + name
    return _cut(name)


def _cut(name: str) -> str:
    """The name within MAX_NAME_OCTETS, its ending kept, no character cut."""
    if len(name.encode()) <= MAX_NAME_OCTETS:
        return name
    stem, ending = split_ending(name)
    room = MAX_NAME_OCTETS - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + ending


def split_ending(name: str) -> tuple[str, str]:
    """Stem and ending with its dot; no ending if there is none or it is too long to be one."""
    stem, dot, ending = name.rpartition(".")
    if not stem or not ending or len(ending.encode()) >= MAX_ENDING_OCTETS:
        return name, ""
    return stem, dot + ending


def ending_for(content_type: str) -> str:
    """The ending a file of this type has, with its dot; ``.txt`` or ``.bin`` if we know none."""
    return _ENDINGS.get(content_type) or (".txt" if content_type.startswith("text/") else ".bin")


@define
class Names:
    """The names given out within one mail: no two are equal, also where case does not count."""

    _taken: set[str] = field(factory=set)
    _next: dict[str, int] = field(factory=dict)

    def give(self, proposed: str, content_type: str, ordinal: int) -> str:
        """A safe name for the attachment that is the ``ordinal``-th of its mail, from 1."""
        name = safe_name(proposed) or self._nameless(content_type, ordinal)
        key = name.casefold()
        if key not in self._taken:
            self._taken.add(key)
            return name
        stem, ending = split_ending(name)
        number = self._next.get(key, 2)
        while (numbered := f"{stem} ({number}){ending}").casefold() in self._taken:
            number += 1
        self._next[key] = number + 1
        self._taken.add(numbered.casefold())
        return numbered

    @staticmethod
    def _nameless(content_type: str, ordinal: int) -> str:
        """A name for what has none: what it is, if there is a word for it."""
        if content_type == "text/calendar":
            return "invite.ics"
        return f"attachment-{ordinal}{ending_for(content_type)}"
