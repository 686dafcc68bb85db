"""What an examination says: one finding after another, each with its level and what to do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Iterable
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


async def surely(
    check: str, findings: Iterable[Finding] | AsyncIterable[Finding]
) -> AsyncIterator[Finding]:
    """What a check finds, and as the last of it, where it fails by an error of its own, that."""
    try:
        if isinstance(findings, AsyncIterable):
            async for finding in findings:
                yield finding
        else:
            for finding in findings:
                yield finding
    except Exception as error:
        yield failed(check, error)


def failed(check: str, error: Exception) -> Finding:
    """A check could not be made to its end, and nobody thought of why."""
    why = " ".join(f"{type(error).__name__}: {error}".split())
    return problem(
        check,
        f"this could not be looked at: {why}",
        "report it as a defect of the doctor, with the options; the other checks are not touched",
    )


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
