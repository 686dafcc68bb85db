"""docs/architecture.md tells of the code that there is."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent
CODE = ROOT / "tempmail"
TEXT = (ROOT / "docs/architecture.md").read_text("utf-8")
PACKAGE = re.compile(r"\| `\w+/`")
CONTRACTS = ConfigParser()
CONTRACTS.read(ROOT / ".importlinter")


def section(title: str) -> str:
    """What stands under a heading."""
    return TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def modules(text: str) -> list[str]:
    """The modules a text names, in order of their names."""
    return sorted(re.findall(r"`(\w+\.py)`", text))


class RoomsTests(SynchronousTestCase):
    """Where things live."""

    maxDiff = None

    def test_modules(self) -> None:
        """Each module is named once, in the row of its package or in the section about it."""
        rows = [line for line in section("Rooms").splitlines() if line.startswith("| `")]
        packages = {row.split("`")[1][:-1]: row for row in rows if PACKAGE.match(row)}
        self.assertEqual(
            sorted(packages), sorted(path.parent.name for path in CODE.glob("*/__init__.py"))
        )
        told = {name: modules(row) for name, row in packages.items()}
        told["."] = modules("".join(row for row in rows if row not in packages.values()))
        told["content"] = modules(section("Reading a mail"))
        told["web"] = modules(section("Answering a request"))
        for name, names in told.items():
            there = CODE.glob("*.py") if name == "." else (CODE / name).rglob("*.py")
            self.assertEqual(names, sorted(one.name for one in there if one.stem != "__init__"))

    def test_layers(self) -> None:
        """Who may import whom is what import-linter checks."""
        layers = CONTRACTS["importlinter:contract:rooms"]["layers"].split("\n")
        line = next(part for part in section("Who may import whom").split("\n\n") if " > " in part)
        told = [
            re.findall(r"\w+", layer)
            for layer in line.replace("`", "").replace("\n", " ").split(">")
        ]
        self.assertEqual(told, [re.findall(r"\w+", layer) for layer in layers if layer])

    def test_strangers_to_the_server(self) -> None:
        """The client and the console script are forbidden everything there is but each other."""
        everything = {f"tempmail.{path.stem}" for path in CODE.iterdir() if path.stem[0] != "_"}
        everything -= {"tempmail.py"}
        for contract, known in (("client", {"client"}), ("cli", {"client", "cli"})):
            forbidden = CONTRACTS[f"importlinter:contract:{contract}"]["forbidden_modules"].split()
            allowed = {f"tempmail.{name}" for name in known}
            self.assertEqual(sorted(forbidden), sorted(everything - allowed))
