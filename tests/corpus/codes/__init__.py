"""Labelled mails: forty as they arrive, and tables of more in our own words."""

from __future__ import annotations

import json
import tomllib
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from attrs import frozen

_HERE = Path(__file__).parent


@frozen
class LabelledMail:
    """What a mail says, and what is to be found in it. An empty tuple of `codes`, each a spelling
    that counts as right, or no `link`, says that there is none."""

    name: str
    subject: str
    text: str
    html: str
    codes: tuple[str, ...]
    link: str | None


def forty() -> list[LabelledMail]:
    """The mails of ``labels.json``."""
    labels = json.loads((_HERE / "labels.json").read_text(encoding="utf-8"))
    return [_from_file(label) for label in labels]


def table(name: str) -> list[LabelledMail]:
    """The mails of a table: ``tuned``, which weights were set on, or ``heldout``."""
    mails = tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))["mail"]
    return [
        LabelledMail(
            mail["name"],
            mail["subject"],
            mail.get("text", ""),
            mail.get("html", ""),
            (mail["code"],) if "code" in mail else (),
            mail.get("link"),
        )
        for mail in mails
    ]


def _from_file(label: dict[str, Any]) -> LabelledMail:
    octets = (_HERE / label["file"]).read_bytes()
    message = message_from_bytes(octets, policy=policy.default)
    bodies = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        if part.get_content_type() in bodies:
            bodies[part.get_content_type()] += part.get_content()
    return LabelledMail(
        label["file"],
        str(message["subject"]),
        bodies["text/plain"],
        bodies["text/html"],
        tuple(label["accept_codes"]),
        label["link"],
    )
