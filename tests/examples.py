"""The examples of deploy/, for the tests that try them."""

from __future__ import annotations

from pathlib import Path

DEPLOY = Path(__file__).parents[1] / "deploy"


def changed(name: str, directory: Path, *changes: tuple[str, str]) -> Path:
    """A copy of an example, put into a directory; each change has to find something."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, (name, old)
        text = text.replace(old, new)
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path
