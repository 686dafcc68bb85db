"""Whether mail outlives a restart: the snapshot's file and its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from shutil import disk_usage

from tempmail.core.limits import MEGA
from tempmail.doctor.findings import Finding, advice, ok, problem
from tempmail.settings import Settings


def check_restarts(settings: Settings) -> Iterator[Finding]:
    """The snapshot, as whoever asks this may use it; the server may be somebody else."""
    path = settings.snapshot
    if path is None:
        yield advice(
            "restarts", "all mail and addresses are gone after a restart", "--snapshot FILE"
        )
        return
    path = path.absolute()
    folder, needed = path.parent, settings.limits.memory
    if not folder.is_dir():
        yield problem("restarts", f"there is no folder {folder}", f"mkdir -m 700 {folder}")
    elif path.exists() and not path.is_file():
        yield problem("restarts", f"{path} is no file", "name a file that may be replaced")
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield problem(
            "restarts", f"nothing can be written to {folder}", "let the server's user write there"
        )
    elif (free := disk_usage(folder).free) < needed:
        yield advice(
            "restarts",
            f"{folder} has {free // MEGA} MiB left, and mail may take {needed // MEGA}",
            "a larger disk, or a smaller --memory",
        )
    else:
        yield ok("restarts", f"mail is kept in {path} over an orderly restart")
