"""Mails made to stall or break whoever reads them, sent to the real server."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.live.daemon import PATIENCE, Asked, Daemon
from tests.live.wire import Wire

PROMPT = 2.0
"""Seconds within which a probe is answered while a hostile mail is being understood."""

READ = 5.0
"""The same for a mail that somebody else waits for, which may be the first of a new worker: its
start is half a second on an idle machine. A worker that stalls is given up after twice this."""

MEGA = 1024 * 1024
HEAD = b"From: Ann <ann@example.org>\r\nSubject: hostile\r\nMIME-Version: 1.0\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
HTML = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
PART = b"--b\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n\xc4\xe3\r\n"
NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    for level in range(1000)
)
MAILS = {
    "10,000 parts": MIXED + PART * 10_000 + b"--b--\r\n",
    "1,000 multiparts in each other": HEAD + NESTED + b"\r\nhi\r\n",
    "one header of 10 MB": HEAD + b"X: " + b"y" * 10 * MEGA + b"\r\n\r\nhi\r\n",
    "20,000 elements in each other": HTML + b"<div>" * 20_000 + b"hi\r\n",
    "a tag of 50,000 attributes": (
        HTML + b"<p " + b" ".join(b"a%d=1" % number for number in range(50_000)) + b">hi\r\n"
    ),
    "base64 without end": (
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A" * 20 * MEGA + b"\r\n"
    ),
}


class HostileMailTestCase(SynchronousTestCase):
    """One mailbox gets them; others wait for mail of their own."""

    def setUp(self) -> None:
        """A server, and the mailbox."""
        self.daemon = Daemon("--unlimited").start()
        self.addCleanup(self.daemon.stop)
        self.address, self.token = self.daemon.mint()
        self.box = f"/v1/mailboxes/{quote(self.address)}"

    def receive(self, octets: bytes) -> str:
        """Send the mailbox a mail; returns its path. Nobody reads it yet."""
        with Wire(self.daemon.smtp) as wire:
            wire.by_data(self.address, octets)
        # The newest cursor is the newest mail's id.
        status, state = self.daemon.ask("GET", self.box, self.token)
        self.assertEqual(status, 200)
        return f"{self.box}/messages/{state['cursor']}"

    def begin(self, path: str) -> Asked:
        """Ask, and do not wait for the answer."""
        return Asked(self.daemon.connect(), "GET", path, self.token)

    def check_others(self, what: str) -> None:
        """A probe is answered at once, and so is another reader's wait when his mail comes."""
        began = time.monotonic()
        self.assertEqual(self.daemon.ask("GET", "/healthz")[0], 200)
        self.assertLess(time.monotonic() - began, PROMPT, what)
        reader = self.daemon.mint()
        waiting = self.daemon.begin_wait(*reader)
        began = time.monotonic()
        self.daemon.send(reader[0], "His own")
        status, page = waiting.answer()
        self.assertLess(time.monotonic() - began, READ, what)
        self.assertEqual((status, page["messages"][0]["subject"]), (200, "His own"), what)

    def answer_beside_others(self, path: str, what: str) -> tuple[int, Any]:
        """The answer to a question, while others get theirs."""
        asked = self.begin(path)
        self.check_others(what)
        return asked.answer()


class HostileMailTests(HostileMailTestCase):
    """Mails within what a server takes, of the worst shapes."""

    def test_cost_their_readers_nothing(self) -> None:
        """Each is taken, listed, told of and given back as it came; nobody else waits for that."""
        for what, octets in MAILS.items():
            path = self.receive(octets)
            before = int(path.rpartition("/")[2]) - 1
            listing = f"{self.box}/messages?after={before}"
            status, page = self.answer_beside_others(listing, what)
            self.assertEqual((status, page["messages"][0]["subject"]), (200, "hostile"), what)
            status, whole = self.answer_beside_others(path, what)
            self.assertEqual((status, whole["subject"]), (200, "hostile"), what)
            self.assertEqual(self.daemon.fetch(f"{path}/raw", self.token), octets, what)

    def test_all_at_once(self) -> None:
        """The same where somebody asks for all of them together."""
        for octets in MAILS.values():
            self.receive(octets)
        status, page = self.answer_beside_others(f"{self.box}/messages", "all of them")
        self.assertEqual((status, len(page["messages"])), (200, len(MAILS)))

    def test_beyond_the_bounds(self) -> None:
        """What is shown of HTML that is too much is nothing, and ``defects`` says why."""
        for what in ("20,000 elements in each other", "a tag of 50,000 attributes"):
            status, whole = self.begin(self.receive(MAILS[what])).answer()
            self.assertEqual((status, whole["html"]), (200, None))
            self.assertRegex(" ".join(whole["defects"]), "HTML|tag", what)


def has_input(process: int) -> bool:
    """Whether there is something in a pipe that this process has not read."""
    for entry in Path(f"/proc/{process}/fd").iterdir():
        if entry.is_fifo():
            pipe = os.open(entry, os.O_RDONLY | os.O_NONBLOCK)
            waiting = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
            os.close(pipe)
            if int.from_bytes(waiting, sys.byteorder):
                return True
    return False


class LostWorkerTests(HostileMailTestCase):
    """A mail on which its worker is lost. No mail is known that does that, so a signal does."""

    def stall(self) -> tuple[Asked, str, int]:
        """The question for a mail that its worker will never answer, its path, and the worker."""
        path = self.receive(MAILS["10,000 parts"])
        self.assertEqual(self.begin(f"{self.box}/messages").answer()[0], 200)
        workers = self.workers()
        for one in workers:
            os.kill(one, signal.SIGSTOP)
        asked = self.begin(path)
        until = time.monotonic() + PATIENCE
        while not (busy := [one for one in workers if has_input(one)]):
            self.assertLess(time.monotonic(), until, "nobody was asked")
        (worker,) = busy
        for one in workers:
            if one != worker:
                os.kill(one, signal.SIGCONT)
        self.check_others("a stalled worker")
        return asked, path, worker

    def workers(self) -> list[int]:
        """The processes that read mail for the server."""
        pid = self.daemon.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]

    def check_loss(self, asked: Asked, path: str, worker: int) -> None:
        """Of that mail there is its header and its octets; all others are read as before."""
        status, whole = asked.answer()
        self.assertEqual((status, whole["subject"], whole["text"]), (200, "hostile", ""))
        self.assertIn("took too much", " ".join(whole["defects"]))
        self.assertEqual(self.daemon.fetch(f"{path}/raw", self.token), MAILS["10,000 parts"])
        self.check_others("a lost worker")
        status, whole = self.begin(self.receive(HEAD + b"\r\nhi\r\n")).answer()
        self.assertEqual((status, whole["text"], whole["defects"]), (200, "hi\n", []))
        self.assertNotIn(worker, self.workers())

    def test_dies(self) -> None:
        """A mail whose worker dies costs its own reader its content, and others nothing."""
        asked, path, worker = self.stall()
        os.kill(worker, signal.SIGKILL)
        self.check_loss(asked, path, worker)

    def test_stalls(self) -> None:
        """The same for one whose worker does not come back: it is ended when its time is up."""
        self.check_loss(*self.stall())
