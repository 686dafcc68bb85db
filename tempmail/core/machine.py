"""What there is of memory, of which mail gets a part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

_ROOT = Path("/")


def machine_memory(root: Path = _ROOT) -> int:
    """Octets of memory that this machine has, or the least of the control groups we are in.

    ``root`` is where ``/proc`` and ``/sys`` are.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_group_limits(root)])


def _group_limits(root: Path) -> Iterator[int]:
    """What our control group and each it is in may take (cgroups(7)), as far as they say."""
    mount = root / "sys/fs/cgroup"
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        groups = ["0::/"]
    for line in groups:
        _, controllers, name = line.split(":", 2)
        if not controllers:
            top, file = mount, "memory.max"
        elif "memory" in controllers.split(","):
            # Of version 1. In a container our group is the top, whatever its name outside is.
            top, file = mount / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = PurePosixPath(name.lstrip("/"))
        for each in (group, *group.parents):
            with suppress(OSError, ValueError):
                yield int((top / each / file).read_text())
