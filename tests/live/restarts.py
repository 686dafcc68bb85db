"""Ends a loaded server at random moments, again and again, and looks what the next one has.

    python -m tests.live.restarts --rounds 100

Several senders, and somebody who makes, reads and deletes, keep account of what they were told.
After every orderly end all of that must be there and nothing that was deleted; after a kill the
next server must begin, with everything or with nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from smtplib import SMTP, SMTPException
from typing import Any

from attrs import Factory, define

from tests.live.daemon import PATIENCE, Daemon

SENDERS = 4
MAILBOXES = 6
ENDS = ("stop", "stop twice", "stop, then kill", "kill", "stop at the start", "kill at the start")
"""The ways a server is ended."""

_NAMES = re.compile(rb"^Subject: (\S+)\r?$", re.MULTILINE)


@define
class Account:
    """What clients were told of one mailbox.

    Each set names mails. In ``unsure`` and ``unsure_deleted`` are those for which no answer came:
    they may be there or not.
    """

    address: str
    token: str
    kept: set[str] = Factory(set)
    unsure: set[str] = Factory(set)
    deleted: set[str] = Factory(set)
    unsure_deleted: set[str] = Factory(set)
    seen: set[str] = Factory(set)
    cursor: int = 0
    # Whether the mailbox was deleted; None where no answer came.
    gone: bool | None = False


def octets_of(name: str) -> bytes:
    """The mail of this name: from some hundred octets to some ten thousand."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    lines = int(digest[:2], 16) ** 2 // 256 + 1
    return f"Subject: {name}\r\n\r\n{(digest + chr(13) + chr(10)) * lines}".encode()


class Crowd:
    """The clients of one server, from ``begin`` until it answers no more."""

    def __init__(self, daemon: Daemon, accounts: list[Account], seed: int) -> None:
        self._daemon = daemon
        self._accounts = accounts
        self._seed = seed
        self._over = False
        self.failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._guarded, args=(self._send, number), daemon=True)
            for number in range(SENDERS)
        ]
        self._threads.append(
            threading.Thread(target=self._guarded, args=(self._use, SENDERS), daemon=True)
        )

    def begin(self) -> None:
        """Have them come."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait until they noticed that the server is gone."""
        self._over = True
        for thread in self._threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                self.failures.append("a client hangs")

    def _guarded(self, work: Any, number: int) -> None:
        choice = random.Random(f"{self._seed} {number}")
        while not self._over:
            try:
                work(choice, number)
            except (OSError, SMTPException, HTTPException):
                # The server is going, or gone.
                time.sleep(0.02)
            except Exception as error:
                self.failures.append(repr(error))
                return

    def _open(self) -> list[Account]:
        return [account for account in self._accounts if account.gone is False]

    def _send(self, choice: random.Random, number: int) -> None:
        """Send mail after mail, some to several mailboxes."""
        with SMTP("127.0.0.1", self._daemon.smtp, timeout=PATIENCE) as client:
            while not self._over:
                accounts = choice.sample(self._open(), choice.choice((1, 1, 3)))
                name = f"{self._seed}-{number}-{choice.randrange(10**12)}"
                # Whoever deletes a mailbox meanwhile has this mail refused, which is an answer.
                for account in accounts:
                    account.unsure.add(name)
                addresses = [account.address for account in accounts]
                try:
                    client.sendmail("sender@example.org", addresses, octets_of(name))
                except SMTPException:
                    if client.sock is None:
                        raise
                    client.rset()
                    continue
                for account in accounts:
                    account.kept.add(name)

    def _use(self, choice: random.Random, number: int) -> None:
        """Make mailboxes, read, mark, delete."""
        if len(self._open()) < MAILBOXES:
            self.mint()
            return
        account = choice.choice(self._open())
        path = f"/v1/mailboxes/{account.address}"
        if choice.random() < 0.02:
            account.gone = None
            status, _ = self._daemon.ask("DELETE", path, account.token)
            account.gone = True if status == 204 else None
            return
        status, page = self._daemon.ask("GET", f"{path}/messages?limit=5", account.token)
        if status != 200 or not page["messages"]:
            return
        account.cursor = max(account.cursor, *(int(one["cursor"]) for one in page["messages"]))
        message = choice.choice(page["messages"])
        name, path = message["subject"], f"{path}/messages/{message['id']}"
        if choice.random() < 0.5:
            status, _ = self._daemon.ask("PATCH", path, account.token, {"seen": True})
            if status == 200:
                account.seen.add(name)
        else:
            account.unsure_deleted.add(name)
            status, _ = self._daemon.ask("DELETE", path, account.token)
            if status == 204:
                account.deleted.add(name)

    def mint(self) -> None:
        """One more mailbox."""
        address, token = self._daemon.mint()
        self._accounts.append(Account(address, token))


class Inspection:
    """What a server has of what clients were told; raises AssertionError where something is not."""

    def __init__(self, daemon: Daemon, choice: random.Random) -> None:
        self._daemon = daemon
        self._choice = choice

    def is_empty(self, accounts: Sequence[Account]) -> bool:
        """Whether it began with nothing; what it knows of one mailbox it must know of all."""
        known = {self._status(account) != 404 for account in accounts if account.gone is not None}
        assert len(known) < 2, "some mailboxes are known and others are not"
        return known == {False}

    def check(self, account: Account) -> int:
        """Look at everything in one mailbox; returns how many mails that were."""
        status = self._status(account)
        if account.gone is None:
            assert status in (200, 410), status
            account.gone = status == 410
        if account.gone:
            assert status == 410, f"a deleted mailbox's token is answered {status}"
            return 0
        assert status == 200, status
        path = f"/v1/mailboxes/{account.address}"
        names = [
            name.decode()
            for name in _NAMES.findall(self._daemon.fetch(f"{path}/export", account.token))
        ]
        found = set(names)
        assert len(names) == len(found), "a mail is there twice"
        lost = account.kept - account.unsure_deleted - found
        assert not lost, f"{len(lost)} of {len(account.kept)} acknowledged mails are lost"
        assert not found & account.deleted, "a deleted mail is there again"
        assert found <= account.unsure, "a mail is there that nobody sent"
        self._check_some(account, path)
        # What was unsure is known now.
        account.kept = set(found)
        account.deleted |= account.unsure_deleted - found
        account.unsure_deleted -= found
        return len(found)

    def _check_some(self, account: Account, path: str) -> None:
        """The first mails in every octet, and that cursors go on behind those before."""
        _, state = self._daemon.ask("GET", path, account.token)
        assert int(state["cursor"]) >= account.cursor, "a cursor went back"
        _, page = self._daemon.ask("GET", f"{path}/messages?limit=3", account.token)
        for message in page["messages"]:
            name = message["subject"]
            raw = self._daemon.fetch(f"{path}/messages/{message['id']}/raw", account.token)
            assert raw == octets_of(name), "a mail is not what was sent"
            assert message["seen"] or name not in account.seen, "a seen mail is unseen again"
        name = f"after-{self._choice.randrange(10**12)}"
        account.unsure.add(name)
        with SMTP("127.0.0.1", self._daemon.smtp, timeout=PATIENCE) as client:
            client.sendmail("sender@example.org", account.address, octets_of(name))
        account.kept.add(name)
        after = f"{path}/messages?after={state['cursor']}"
        _, page = self._daemon.ask("GET", after, account.token)
        assert [one["subject"] for one in page["messages"]] == [name], "a new mail is not newer"
        account.cursor = int(page["cursor"])

    def _status(self, account: Account) -> int:
        return self._daemon.ask("GET", f"/v1/mailboxes/{account.address}", account.token)[0]


class Rounds:
    """One server after the other on the same snapshot, and the accounts that go with it."""

    def __init__(self, folder: Path, seed: int, longest: float = 1.0) -> None:
        self.seed = seed
        # Seconds a server works at most before it is ended.
        self._longest = longest
        self.outcomes: Counter[str] = Counter()
        self.checked = 0
        self._path = folder / "snapshot"
        self._choice = random.Random(seed)
        self._accounts: list[Account] = []
        # Whether the last server was killed, and so the next may have nothing.
        self._killed = False

    def run(self, number: int, how: str) -> None:
        """One round: start, look, load, end it in one of the ways of :data:`ENDS`."""
        daemon = Daemon("--unlimited", "--lifetime=1d", f"--snapshot={self._path}")
        if how.endswith("at the start"):
            self._interrupt(daemon, how)
        else:
            with daemon:
                self._look(daemon)
                self._load_and_end(daemon, number, how)
        assert "Traceback" not in daemon.log, daemon.log
        aside = [path.name for path in self._path.parent.glob("*.damaged-*")]
        assert not aside, f"a snapshot of our own was not good: {daemon.log}"

    def _look(self, daemon: Daemon) -> None:
        inspection = Inspection(daemon, self._choice)
        if self._accounts and inspection.is_empty(self._accounts):
            assert self._killed, f"all is lost after an orderly end: {daemon.log}"
            self.outcomes["began with nothing"] += 1
            self._accounts.clear()
        elif self._accounts:
            self.outcomes["began with everything"] += 1
            self.checked += sum(map(inspection.check, self._accounts))
        left = [path for path in self._path.parent.iterdir() if path.suffix != ".lock"]
        assert left == [], f"the snapshot was not taken away: {left}"
        self._killed = False

    def _load_and_end(self, daemon: Daemon, number: int, how: str) -> None:
        crowd = Crowd(daemon, self._accounts, self.seed * 1000 + number)
        for _ in range(MAILBOXES):
            crowd.mint()
        crowd.begin()
        time.sleep(self._choice.uniform(0.0, self._longest))
        if how == "kill":
            daemon.signal(signal.SIGKILL)
        else:
            daemon.signal(signal.SIGTERM)
        if how == "stop twice":
            time.sleep(self._choice.uniform(0.0, 0.02))
            daemon.signal(signal.SIGTERM)
        if how == "stop, then kill":
            time.sleep(self._choice.uniform(0.0, 0.2))
            daemon.signal(signal.SIGKILL)
        code = daemon.wait()
        crowd.end()
        assert not crowd.failures, crowd.failures
        assert code == 0 or "kill" in how, f"exit code {code}: {daemon.log}"
        self._killed = code != 0

    def _interrupt(self, daemon: Daemon, how: str) -> None:
        """End it while it starts, wherever it is."""
        daemon.launch()
        time.sleep(self._choice.uniform(0.0, 1.5))
        daemon.signal(signal.SIGKILL if how.startswith("kill") else signal.SIGTERM)
        daemon.wait()
        if how.startswith("kill"):
            self._killed = True


def main() -> None:
    """Run as many rounds as asked for, each ended in another way, and say how they went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    choice = random.Random(asked.seed)
    ways: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tempmail-") as folder:
        rounds = Rounds(Path(folder), asked.seed)
        for number in range(asked.rounds):
            # As often in order as not.
            how = choice.choice((ENDS[0], *ENDS))
            ways[how] += 1
            try:
                rounds.run(number, how)
            except AssertionError as error:
                sys.exit(f"round {number} of seed {asked.seed}, {how}: {error}")
    print(f"{asked.rounds} rounds in {time.monotonic() - began:.0f} s, seed {asked.seed}")
    print("ended by:", ", ".join(f"{how} {count}" for how, count in sorted(ways.items())))
    print(", ".join(f"{what} {count}" for what, count in sorted(rounds.outcomes.items())))
    print(f"{rounds.checked} mails were looked for and found")


if __name__ == "__main__":
    main()
