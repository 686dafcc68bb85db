"""The servers that are measured, each as a process of its own on a loopback port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

DOMAIN = "bench.test"
OPEN_HOUSE = ("--unlimited", "--domain", f"{DOMAIN}:catch-all")
"""Takes any address of DOMAIN, and counts nothing per client."""

_START_SECONDS = 20.0
# A pipe to it and two from it.
_WORKER_FILES = 3


@frozen
class Server:
    """A running server. ``http`` is 0 where it has none."""

    name: str
    pid: int
    smtp: int
    http: int = 0


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def resident(pid: int) -> int:
    """Octets of memory a process has in use (RSS)."""
    return _status(pid, "VmRSS:")


def most_resident(pid: int) -> int:
    """The most octets it had in use since ``forget_most_resident``, or ever."""
    return _status(pid, "VmHWM:")


def forget_most_resident(pid: int) -> None:
    """Begin anew with that; see proc(5), clear_refs."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise LookupError(f"process {pid} has no resident memory")


def open_files(pid: int) -> int:
    """How many files a process has open, those to its workers left out.

    A second worker is started when it is first needed, so those come and go by themselves.
    """
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return len(list(Path(f"/proc/{pid}/fd").iterdir())) - _WORKER_FILES * len(workers)


def first_traceback(log: Path) -> str:
    """Where the log of a server tells of a defect, "" where it does not."""
    _, found, rest = log.read_text().partition("Traceback")
    return found + rest[:2000]


@contextmanager
def tempmail(
    *options: str, house: Sequence[str] = OPEN_HOUSE, logfile: str = "-"
) -> Iterator[Server]:
    """This server as ``twistd`` runs it; ``house`` says what it serves and for whom."""
    smtp, http = free_port(), free_port()
    command = [
        str(Path(sys.executable).with_name("twistd")),
        *("--nodaemon", "--pidfile=", f"--logfile={logfile}", "tempmail"),
        *house,
        *("--smtp", f"tcp:{smtp}:interface=127.0.0.1:backlog=1024"),
        *("--http", f"tcp:{http}:interface=127.0.0.1:backlog=1024"),
        *options,
    ]
    with running(command, smtp) as pid:
        _wait_for(http)
        yield Server("tempmail", pid, smtp, http)


@contextmanager
def smtp_sink() -> Iterator[Server]:
    """Postfix's smtp-sink: the least an SMTP server can do, for it keeps nothing."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with running([find("smtp-sink"), *user, f"127.0.0.1:{port}", "1000"], port) as pid:
        yield Server("smtp-sink", pid, port)


@contextmanager
def aiosmtpd() -> Iterator[Server]:
    """aiosmtpd with its handler that keeps nothing."""
    port = free_port()
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Sink"]
    with running([*command, "-l", f"127.0.0.1:{port}"], port) as pid:
        yield Server("aiosmtpd", pid, port)


@contextmanager
def stock_twisted() -> Iterator[Server]:
    """twisted.mail's own ESMTP, keeping nothing."""
    port = free_port()
    with running([sys.executable, "-m", "benchmarks.stock", str(port)], port) as pid:
        yield Server("twisted.mail", pid, port)


def find(command: str) -> str:
    """The path of a command, also one that is only in a superuser's search path."""
    found = shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise SystemExit(f"{command} is missing (Debian: apt install postfix wrk)")
    return found


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[int]:
    """A process that listens on ``port``, for as long as the block lasts; its id."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            try:
                _wait_for(port)
            except TimeoutError:
                output.seek(0)
                print(output.read().decode(errors="replace")[-2000:], file=sys.stderr)
                raise
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")
