"""Whether mail outlives a restart: the snapshot's file and its folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryFile

from tempmail.core.limits import MEGA
from tempmail.doctor.findings import Finding, advice, ok, problem
from tempmail.settings import Settings
from tempmail.snapshot.file import helpers


def check_restarts(settings: Settings) -> Iterator[Finding]:
    """The snapshot, as whoever asks this may use it; the server may be somebody else."""
    path = settings.snapshot
    if path is None:
        yield advice(
            "restarts", "all mail and addresses are gone after a restart", "--snapshot FILE"
        )
        return
    try:
        yield _check(path.absolute(), settings.limits.memory)
    except OSError as error:
        yield problem(
            "restarts",
            f"can not look at {path}: {error.strerror}",
            "examine as the server's user, who has to be able to write there",
        )


def _check(path: Path, needed: int) -> Finding:
    folder = path.parent
    if not folder.is_dir():
        return problem("restarts", f"there is no folder {folder}", f"mkdir -m 700 {folder}")
    for each in (path, *helpers(path)):
        if each.exists() and not each.is_file():
            return problem("restarts", f"{each} is no file", "name a file that may be replaced")
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError:
        return problem(
            "restarts", f"nothing can be written to {folder}", "let the server's user write there"
        )
    free = disk_usage(folder).free
    if free < needed:
        return advice(
            "restarts",
            f"{folder} has {free // MEGA} MiB left, and mail may take {needed // MEGA}",
            "a larger disk, or a smaller --memory",
        )
    return ok("restarts", f"mail is kept in {path} over an orderly restart")
