"""The README and its translation say the same."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent
COMMANDS = r"(?m)^ {4}.*\n"


def read(name: str) -> str:
    """A file of the root."""
    return (ROOT / name).read_text("utf-8")


class TranslationTests(SynchronousTestCase):
    """README.zh-CN.md."""

    maxDiff = None

    def both(self, pattern: str, without: str = "$^") -> tuple[list[str], list[str]]:
        """What is found in each once that is gone which has the other pattern."""
        found = [
            [" ".join(one.split()) for one in re.findall(pattern, re.sub(without, "", read(name)))]
            for name in ("README.md", "README.zh-CN.md")
        ]
        return found[0], found[1]

    def test_order(self) -> None:
        """Both have the same commands, and the same headings, lists and tables in between."""
        english, chinese = self.both(r"(?m)^(?: {4}.*|#+ |- |\d+\. |\| )")
        self.assertEqual("\n".join(english), "\n".join(chinese))

    def test_names(self) -> None:
        """Both name the same commands and options, and lead to the same places."""
        for pattern in (r"`([^`]+)`", r"\]\(((?!README)[^)]+)\)"):
            self.assertCountEqual(*self.both(pattern, without=COMMANDS))

    def test_lead_to_each_other(self) -> None:
        """Each names the other before anything else."""
        for name, other in (("README.md", "README.zh-CN.md"), ("README.zh-CN.md", "README.md")):
            self.assertIn(f"]({other})", read(name).splitlines()[2])
