"""The console script for real."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tempmail.cli.run import BROKEN_PIPE, INTERRUPTED, UNREACHABLE
from tests.cli.case import ROOT
from tests.client.fake import ADDRESS, TOKEN


class ProcessTests(SynchronousTestCase):
    """The script as a process: only here are real signals, pipes and sockets."""

    def spawn(self, *argv: str, **also: Any) -> subprocess.Popen[bytes]:
        environ = {"PATH": os.environ.get("PATH", ""), "TEMPMAIL_TOKEN": TOKEN}
        argv = (sys.executable, "-m", "tempmail.cli", *argv)
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **also}
        process = subprocess.Popen(argv, cwd=ROOT, env=environ, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_help(self) -> None:
        """`python -m tempmail.cli --help` works without a home and without a server."""
        process = self.spawn("--help")
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, err), (0, b""))
        self.assertIn(b"usage: tempmail", out)

    def test_nobody_listens(self) -> None:
        """A port that nobody listens at is exit code 5 and one line."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        process = self.spawn("domains", "--server", f"http://127.0.0.1:{port}")
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out, err.count(b"\n")), (UNREACHABLE, b"", 1))

    def test_interrupt(self) -> None:
        """A real SIGINT during a wait ends it with 130 and without a traceback."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(60)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            process = self.spawn("wait", ADDRESS, "--server", url)
            connection, _ = listening.accept()
            with connection:
                connection.recv(1)  # the request is out, so it waits
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out, err), (INTERRUPTED, b"", b""))

    def test_reader_left(self) -> None:
        """Writing to a pipe that nobody reads ends with 141 and without a word."""
        reader, writer = os.pipe()
        os.close(reader)
        process = self.spawn("--help", stdout=writer)
        os.close(writer)
        _, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, err), (BROKEN_PIPE, b""))

    def test_reader_left_while_waiting(self) -> None:
        """A wait whose output nobody reads any more ends, though there is nothing to write."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(60)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            reader, writer = os.pipe()
            process = self.spawn("follow", ADDRESS, "--server", url, stdout=writer)
            os.close(writer)
            connection, _ = listening.accept()
            with connection:
                os.close(reader)
                _, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, err), (BROKEN_PIPE, b""))
