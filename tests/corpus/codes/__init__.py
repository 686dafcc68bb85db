"""Labelled mails: forty, and more in `tests/corpus/blind` and `tests/corpus/unseen`, as they
arrive; and tables of others in our own words."""

from __future__ import annotations

import json
import tomllib
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

_HERE = Path(__file__).parent
_BLIND = _HERE.parent / "blind"
_UNSEEN = _HERE.parent / "unseen"
_WHAT: tuple[Literal["code", "link"], ...] = ("code", "link")


@frozen
class LabelledMail:
    """What a mail says, and what is to be found in it: each spelling of the code that counts as
    right, each address of the link; empty tuples say that there is none. Where sensible people
    would differ about the code or the link, it is not `judged` by it."""

    name: str
    subject: str
    text: str
    html: str
    codes: tuple[str, ...]
    links: tuple[str, ...]
    judged: frozenset[Literal["code", "link"]] = frozenset({"code", "link"})


def forty() -> list[LabelledMail]:
    """The mails of ``labels.json``."""
    return _labelled(_HERE)


def blind() -> list[LabelledMail]:
    """The mails of ``tests/corpus/blind``, written without sight of the recogniser."""
    return _labelled(_BLIND)


def unseen() -> list[LabelledMail]:
    """The mails of ``tests/corpus/unseen``, written so as well when the rules knew those of
    `blind`."""
    return _labelled(_UNSEEN)


def table(name: str) -> list[LabelledMail]:
    """The mails of a table: ``tuned``, which weights were set on, or one of those that were written
    before anything was learnt from them: ``heldout``, ``later``, ``own``,
    ``further``, ``ordinary``."""
    mails = tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))["mail"]
    return [
        LabelledMail(
            mail["name"],
            mail["subject"],
            mail.get("text", ""),
            mail.get("html", ""),
            (mail["code"],) if "code" in mail else (),
            (mail["link"],) if "link" in mail else (),
        )
        for mail in mails
    ]


def _labelled(folder: Path) -> list[LabelledMail]:
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return [_from_file(folder, label) for label in labels]


def _from_file(folder: Path, label: dict[str, Any]) -> LabelledMail:
    octets = (folder / label["file"]).read_bytes()
    message = message_from_bytes(octets, policy=policy.default)
    bodies = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        if part.get_content_type() in bodies and not part.get_filename():
            bodies[part.get_content_type()] += part.get_content()
    return LabelledMail(
        label["file"],
        str(message["subject"]),
        bodies["text/plain"],
        bodies["text/html"],
        tuple(label["accept_codes"]),
        tuple(label["accept_links"]) or ((label["link"],) if label["link"] else ()),
        frozenset(what for what in _WHAT if not label.get(f"{what}_dontcare")),
    )
