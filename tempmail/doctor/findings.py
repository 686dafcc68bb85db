"""What an examination says: one finding after another, each with its level and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import Enum

from attrs import frozen


class Level(Enum):
    """How much a finding matters: nothing to do, better done, must be done."""

    OK = "ok"
    ADVICE = "advice"
    PROBLEM = "problem"


@frozen
class Finding:
    """One thing that was looked at.

    ``check`` names the kind of thing in a word, ``text`` says in a sentence what is so, and
    ``todo`` what to do about it; "" where there is nothing to do.
    """

    level: Level
    check: str
    text: str
    todo: str = ""


def ok(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, check, text)


def advice(check: str, text: str, todo: str) -> Finding:
    """The server runs, but not as well as it could."""
    return Finding(Level.ADVICE, check, text, todo)


def problem(check: str, text: str, todo: str) -> Finding:
    """The server does not start, or does not do what it is there for."""
    return Finding(Level.PROBLEM, check, text, todo)


def count(findings: Iterable[Finding], level: Level) -> int:
    """How many are of this level."""
    return sum(finding.level is level for finding in findings)


def as_text(findings: Iterable[Finding]) -> str:
    """A line for each, what to do beneath it, and a summary."""
    findings = list(findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level.value:8} {finding.check:13} {finding.text}")
        if finding.todo:
            lines.append(f"{'':22} -> {finding.todo}")
    numbers = ", ".join(f"{count(findings, level)} {level.value}" for level in Level)
    return "\n".join([*lines, numbers])


def as_json(findings: Iterable[Finding]) -> str:
    """One document: ``{"problems": 0, "findings": [{"level", "check", "text", "todo"}]}``."""
    findings = list(findings)
    told = [
        {"level": each.level.value, "check": each.check, "text": each.text, "todo": each.todo}
        for each in findings
    ]
    return json.dumps({"problems": count(findings, Level.PROBLEM), "findings": told})
