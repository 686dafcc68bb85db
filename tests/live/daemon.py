"""A real twistd for tests: started on free ports, known to be ready, ended by SIGTERM."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from smtplib import SMTP
from types import TracebackType
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0
"""Seconds anything may take here before the test fails; nothing takes more than a few."""

_READY = re.compile(r"tempmail \S+ listens: (.*?);")
_DOOR = re.compile(r"(SMTPS?|HTTPS?|admin) on (?:unix:(\S+)|\[?(.*?)\]?:(\d+))(?:, |$)")


def twistd(*arguments: str) -> list[str]:
    """The command line of the twistd that belongs to this interpreter."""
    return [str(Path(sys.executable).with_name("twistd")), *arguments]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, in which twistd finds this checkout even if not installed."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


class Daemon:
    """One ``twistd --nodaemon tempmail`` with its log.

    To be used as ``with Daemon("--domain", "qa.test") as daemon:``, or started with ``start`` and
    given to ``addCleanup`` with ``stop``. ``smtp``, ``http`` and ``admin`` are the first ports it
    listens on, ``ports`` the first of each protocol, and ``lines`` what it has logged so far.
    """

    def __init__(
        self,
        *options: str,
        smtp: Sequence[str] = ("tcp:0:interface=127.0.0.1",),
        http: Sequence[str] = ("tcp:0:interface=127.0.0.1",),
        twistd_options: Sequence[str] = (),
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> None:
        endpoints = [f"--smtp={text}" for text in smtp] + [f"--http={text}" for text in http]
        self.command = (
            list(command)
            if command is not None
            else twistd(
                "--nodaemon", "--pidfile=", *twistd_options, "tempmail", *endpoints, *options
            )
        )
        self.env = environment() if env is None else dict(env)
        self.cwd = cwd
        self.lines: list[str] = []
        self.pass_fds: Sequence[int] = ()
        self.smtp = self.http = self.admin = 0
        self.ports: dict[str, int] = {}
        self._news = threading.Condition()
        self._ended = False

    def __enter__(self) -> Daemon:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # --- the process ---

    def start(self) -> Daemon:
        """Start it; returns when it is ready, and fails with its log when it ends instead."""
        self.launch()
        try:
            line = self.wait_for_line(_READY.pattern)
        except AssertionError:
            self.stop()
            raise
        ready = _READY.search(line)
        assert ready is not None
        for protocol, _, _, port in _DOOR.findall(ready[1]):
            self.ports.setdefault(protocol, int(port or 0))
        self.smtp, self.http = self.ports.get("SMTP", 0), self.ports.get("HTTP", 0)
        self.admin = self.ports.get("admin", 0)
        return self

    def launch(self) -> None:
        """Start it and wait for nothing."""
        self.process = subprocess.Popen(
            self.command,
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=self.pass_fds,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self) -> int:
        """End it as an operator would, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it does not end\n{self.log}") from None
        self._reader.join(PATIENCE)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    # --- the log ---

    @property
    def log(self) -> str:
        """All it has logged so far."""
        return "\n".join(self.lines)

    def wait_for_line(self, pattern: str) -> str:
        """The first line in which the pattern is found, now or soon."""
        until = time.monotonic() + PATIENCE
        seen = 0
        with self._news:
            while True:
                for line in self.lines[seen:]:
                    if re.search(pattern, line):
                        return line
                seen = len(self.lines)
                left = until - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"no line has {pattern!r}:\n{self.log}")
                self._news.wait(left)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    # --- what clients do ---

    def connect(self) -> HTTPConnection:
        """A connection to the web server."""
        return HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE)

    def ask(
        self, method: str, path: str, token: str | None = None, body: object = None
    ) -> tuple[int, Any]:
        """One request: status and JSON."""
        asked = Asked(self.connect(), method, path, token, body)
        return asked.answer()

    def fetch(self, path: str, token: str) -> bytes:
        """The body of an answer that is no JSON."""
        response = Asked(self.connect(), "GET", path, token).response()
        body = response.read()
        assert response.status == 200, (path, response.status, body[:200])
        return body

    def mint(self, **wishes: object) -> tuple[str, str]:
        """A new address and its token."""
        status, minted = self.ask("POST", "/v1/mailboxes", body=wishes)
        assert status == 201, minted
        return minted["address"], minted["token"]

    def begin_wait(self, address: str, token: str, seconds: int = 30) -> Asked:
        """A long poll for the first mail, asked and not answered yet."""
        path = f"/v1/mailboxes/{quote(address)}/messages?wait={seconds}"
        return Asked(self.connect(), "GET", path, token)

    def send(self, recipient: str, subject: str = "Hello", text: str = "Hello.\n") -> None:
        """One mail, by SMTP."""
        with SMTP("127.0.0.1", self.smtp, timeout=PATIENCE) as client:
            client.send_message(mail(recipient, subject, text))


class Asked:
    """A request that was sent; its answer is read when somebody asks for it."""

    def __init__(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        token: str | None = None,
        body: object = None,
    ) -> None:
        self._connection = connection
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        octets = None if body is None else json.dumps(body).encode()
        connection.request(method, path, octets, headers)

    def response(self) -> HTTPResponse:
        """The answer, its body not read yet."""
        return self._connection.getresponse()

    def answer(self) -> tuple[int, Any]:
        """Status and JSON."""
        response = self.response()
        octets = response.read()
        self._connection.close()
        return response.status, json.loads(octets) if octets else None


def mail(recipient: str, subject: str = "Hello", text: str = "Hello.\n") -> EmailMessage:
    """A mail as anybody might send it."""
    message = EmailMessage()
    message["From"] = "sender@example.org"
    message["To"] = recipient
    message["Subject"] = subject
    message.set_content(text)
    return message


def until(true: Callable[[], bool]) -> None:
    """Look until it is so, for as long as we are patient."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise AssertionError("it does not come true")
        time.sleep(0.02)


def free_port(ports: range = range(20_000, 32_000)) -> int:
    """A port nobody listens on just now, a different one each time.

    By default one that the kernel gives to nobody: those that it does give can be taken by some
    connection before they are listened on.
    """
    for port in random.sample(ports, len(ports)):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"every port of {ports} is taken")
