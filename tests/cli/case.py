"""The console script in this process, with everything around it given."""

from __future__ import annotations

import io
from pathlib import Path

from twisted.internet.defer import Deferred

import tempmail.cli
from tempmail.cli.run import World, run
from tempmail.client import Client
from tests.client.case import Case

ROOT = Path(tempmail.cli.__file__).resolve().parents[2]
NOW = 1893456000.0
"""2030-01-01T00:00:00Z, ten minutes before the mailboxes of the fake server expire."""


class CommandCase(Case):
    """Runs commands against the fake server, with a home directory of their own."""

    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.mktemp())
        self.home.mkdir()
        self.environ = {"HOME": str(self.home.resolve())}
        self.out, self.err = io.BytesIO(), io.BytesIO()
        self.is_terminal = False
        self.now = NOW

    def start(self, *argv: str) -> Deferred[int]:
        """Begins to run `tempmail` with `argv`, its output forgotten before."""
        self.out, self.err = type(self.out)(), io.BytesIO()
        world = World(
            out=self.out,
            err=self.err,
            encoding="utf-8",
            is_terminal=self.is_terminal,
            environ=self.environ,
            clock=self.clock,
            now=lambda: self.now,
            open_client=lambda url: Client(url, self.network, self.clock, lambda: 1.0),
        )
        return self.begin(run(argv, world))

    def tempmail(self, *argv: str) -> int:
        """Runs to the end, without any time passing."""
        return self.successResultOf(self.start(*argv))

    def said(self) -> str:
        return self.out.getvalue().decode()

    def told(self) -> str:
        return self.err.getvalue().decode()
