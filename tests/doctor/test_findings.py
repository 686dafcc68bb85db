"""How findings are told, and the examination as a whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tempmail.doctor import examine
from tempmail.doctor.findings import Finding, Level, advice, as_json, as_text, ok, problem, surely

THREE = [ok("a", "fine"), advice("b", "could be", "do"), problem("c", "broken", "must")]


class TellingTests(SynchronousTestCase):
    """The two ways of printing."""

    def test_text(self) -> None:
        """A line each, what to do beneath, and the numbers."""
        self.assertEqual(
            as_text(THREE).split("\n"),
            [
                "ok       a             fine",
                "advice   b             could be",
                "                       -> do",
                "problem  c             broken",
                "                       -> must",
                "1 ok, 1 advice, 1 problem",
            ],
        )

    def test_json(self) -> None:
        """One document with the same."""
        told = json.loads(as_json(THREE))
        self.assertEqual(told["problems"], 1)
        self.assertEqual(
            told["findings"][1],
            {"level": "advice", "check": "b", "text": "could be", "todo": "do"},
        )


class SurelyTests(SynchronousTestCase):
    """What becomes of a check that fails."""

    def test_defect(self) -> None:
        """What it found before is told, and then what went wrong, in one line, by its name."""

        def check() -> Iterator[Finding]:
            yield ok("names", "so far")
            raise RuntimeError("two\nlines")

        async def later() -> AsyncIterator[Finding]:
            for finding in check():
                yield finding

        for findings in (check(), later()):
            first, second = self.successResultOf(Deferred.fromCoroutine(_all("names", findings)))
            self.assertEqual(first, ok("names", "so far"))
            self.assertEqual((second.level, second.check), (Level.PROBLEM, "names"))
            self.assertEqual(second.text, "this could not be looked at: RuntimeError: two lines")


async def _all(check: str, findings: Any) -> list[Finding]:
    return [one async for one in surely(check, findings)]


class ExaminationTests(TestCase):
    """All checks together."""

    timeout = 30

    async def test_everything_is_looked_at(self) -> None:
        """Each check has something to say; options that can be read are no problem."""
        config = Path(self.mktemp()).absolute()
        config.write_text('domain = ["a.test"]\nsmtp = "tcp:0:interface=127.0.0.1"\n')
        findings = await examine(
            ["--config", str(config), "--http", "tcp:0:interface=127.0.0.1", "--memory", "200M"],
            reactor,
        )
        checks = {finding.check for finding in findings}
        expected = {"options", "ports", "certificates", "names", "clock", "memory", "files"}
        self.assertEqual(expected - checks, set())
        levels = {finding.level for finding in findings if finding.check in ("options", "ports")}
        self.assertEqual(levels, {Level.OK})

    async def test_mistake(self) -> None:
        """Options that can not be read are the one problem there is."""
        for arguments, text in (
            (["--smtpp", "tcp:25"], "there is no option --smtpp; did you mean --smtp?"),
            (["--lifetime", "soon"], "--lifetime: 'soon': expected a time"),
            (["--dns-server", "host:dns"], "--dns-server: 'host:dns': expected an IP address"),
            (["--https", "tcp:443"], "--https needs --tls-certificate"),
        ):
            [finding] = await examine(arguments, reactor)
            self.assertEqual((finding.level, finding.check), (Level.PROBLEM, "options"))
            self.assertIn(text, finding.text)
