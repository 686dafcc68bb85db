"""Whether the machine has what the limits promise, who we are on it, and what time it is."""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tempmail.core.limits import MEGA, OTHER_FILES
from tempmail.core.machine import machine_memory
from tempmail.doctor.findings import Finding, advice, ok, problem
from tempmail.lifecycle import fit_connections
from tempmail.listening import BACKLOG, split_endpoint
from tempmail.settings import Settings

# The process itself, as docs/running.md says.
_PROCESS_OCTETS = 100 * MEGA
_SOMAXCONN = Path("/proc/sys/net/core/somaxconn")
# linux/timex.h
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


def check_machine(settings: Settings) -> Iterator[Finding]:
    """Memory, open files, and how many may knock at once."""
    limits, memory = settings.limits, machine_memory()
    needed = limits.memory + _PROCESS_OCTETS
    said = f"{limits.memory // MEGA} MiB for mail, {memory // MEGA} MiB in the machine or its group"
    if needed > memory:
        yield problem("memory", said, "lower --memory: the kernel would end the process")
    elif needed > memory * 3 / 4:
        yield advice("memory", said, "lower --memory: reading mail takes up to 2 GiB besides")
    else:
        yield ok("memory", said)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = limits.max_connections + limits.max_http_connections + OTHER_FILES
    if fit_connections(limits, files) != limits:
        yield advice(
            "files",
            f"{files} files may be open here, and {wanted} would be for all connections",
            "raise LimitNOFILE in the unit (ulimit -Hn), or lower --max-connections and "
            "--max-http-connections; the server lowers them itself",
        )
    else:
        yield ok("files", f"{files} files may be open here, enough for all connections")
    try:
        somaxconn = int(_SOMAXCONN.read_text())
    except (OSError, ValueError):
        return
    if somaxconn < BACKLOG:
        yield advice(
            "backlog",
            f"the kernel holds {somaxconn} connections until they are accepted, we ask for "
            f"{BACKLOG}",
            f"sysctl net.core.somaxconn={BACKLOG}",
        )


def check_user(settings: Settings, uid: int) -> Iterator[Finding]:
    """Whom the server would run as. Of a unit that hands over every port it says more."""
    handed_over = all(split_endpoint(text)[0] == "systemd" for _, text in settings.endpoints)
    if uid != 0:
        yield ok("user", "not root")
    elif handed_over:
        yield ok("user", "the unit that hands the ports over says whom the server runs as")
    else:
        yield advice(
            "user",
            "you are root, and a server started like this stays root",
            "twistd --uid=USER, which opens the ports as root, or deploy/tempmail.service",
        )


def check_clock(now: datetime) -> Iterator[Finding]:
    """The wall clock, which certificates and the dates of mail go by; lifetimes do not."""
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < installed:
        yield problem(
            "clock",
            f"it is {now:%Y-%m-%d %H:%M} UTC here, before tempmail was installed",
            "set the clock (timedatectl set-ntp true)",
        )
        return
    state = kernel_clock()
    if state is None:
        yield ok("clock", "the kernel does not say whether the clock is kept right")
    elif state:
        yield ok("clock", "kept right, says the kernel")
    else:
        yield advice(
            "clock",
            "nobody keeps the clock right, says the kernel",
            "run an NTP client (systemd-timesyncd, chrony); in a container its host does",
        )


class _Timex(ctypes.Structure):
    """The beginning of ``struct timex`` (adjtimex(2)), with room for the rest of it."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("max_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    ]


def kernel_clock() -> bool | None:
    """Whether the clock is synchronised, asked of the kernel; None where it does not say."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (AttributeError, OSError):
        return None
    if state < 0:
        return None
    return state != _TIME_ERROR and not timex.status & _STA_UNSYNC
