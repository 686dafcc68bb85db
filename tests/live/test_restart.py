"""Ended and started again, with a snapshot: nothing that anybody was told is lost."""

from __future__ import annotations

import grp
import os
import pwd
import signal
import stat
import time
from pathlib import Path

from twisted.trial.unittest import SkipTest

from tests.live.daemon import PATIENCE, Daemon, until
from tests.live.restarts import ENDS, Rounds
from tests.live.test_daemon import DaemonTestCase

_LOCAL = "tcp:0:interface=127.0.0.1"


class RestartTestCase(DaemonTestCase):
    """Servers one after the other on one snapshot."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.directory / "snapshot"

    def next(self, *options: str) -> Daemon:
        return self.daemon(f"--snapshot={self.path}", *options)

    def subjects(self, daemon: Daemon, address: str, token: str) -> list[str]:
        status, page = daemon.ask("GET", f"/v1/mailboxes/{address}/messages", token)
        self.assertEqual(status, 200, page)
        return [one["subject"] for one in page["messages"]]


class RoundsTests(RestartTestCase):
    """Random moments; ``python -m tests.live.restarts`` tries a hundred."""

    def test_each_way_to_end(self) -> None:
        """However a loaded server ends, the next one starts; after SIGTERM nothing is lost."""
        rounds = Rounds(self.directory, seed=time.time_ns() % 10**6, longest=0.3)
        for number, how in enumerate((*ENDS, "stop")):
            with self.subTest(how, seed=rounds.seed):
                rounds.run(number, how)
        rounds.run(len(ENDS) + 1, "stop")
        self.assertGreater(rounds.checked, 0)


class KeptTests(RestartTestCase):
    """What is kept, seen from outside."""

    def test_a_mail_in_flight(self) -> None:
        """A mail finished in the closing time is there afterwards; the log told nobody of it."""
        daemon = self.next()
        address, token = daemon.mint()
        busy = self.begin_mail(daemon, address)
        busy.send(b"Subject: in flight\r\n\r\nfirst half\r\n")
        daemon.signal(signal.SIGTERM)
        time.sleep(0.3)
        busy.send(b"second half\r\n.\r\n")
        self.assertEqual(busy.getreply()[0], 250)
        self.assertEqual(daemon.wait(), 0)
        daemon.wait_for_line("snapshot written: ")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        daemon = self.next()
        daemon.wait_for_line("snapshot read: 1 mailboxes, 1 messages")
        self.assertEqual(self.subjects(daemon, address, token), ["in flight"])
        for secret in (address, token, "in flight", "sender@example.org"):
            self.assertNotIn(secret, daemon.log)

    def test_tokens(self) -> None:
        """Tokens go on as they were; of a deleted mailbox it is known, a replaced one is none."""
        daemon = self.next()
        kept, token = daemon.mint()
        deleted, deleted_token = daemon.mint()
        renewed, old = daemon.mint()
        daemon.ask("DELETE", f"/v1/mailboxes/{deleted}", deleted_token)
        new = daemon.ask("POST", f"/v1/mailboxes/{renewed}/token", old)[1]["token"]
        self.assertEqual(daemon.stop(), 0)
        daemon = self.next()
        for address, shown, expected in (
            (kept, token, 200),
            (kept, "guess", 404),
            (deleted, deleted_token, 410),
            (renewed, new, 200),
            (renewed, old, 404),
        ):
            self.assertEqual(daemon.ask("GET", f"/v1/mailboxes/{address}", shown)[0], expected)

    def test_no_good(self) -> None:
        """A file that is no good is put aside in one line, and the server serves."""
        self.path.write_bytes(b"tempmail snapshot 1\n" + os.urandom(1000))
        daemon = self.next()
        line = daemon.wait_for_line("the snapshot can not be used, so we start empty: ")
        aside = Path(line.rpartition("it is now ")[2])
        self.assertEqual({*self.directory.iterdir()}, {aside, self.directory / "snapshot.lock"})
        self.assert_delivers(daemon)
        self.assertNotIn("Traceback", daemon.log)

    def test_less_memory(self) -> None:
        """With less memory than before the newest mail is kept, and what is lost is said."""
        daemon = self.next("--memory=40M")
        address, token = daemon.mint()
        for number in range(6):
            daemon.send(address, f"mail {number}", "x" * 700 * 1000 + "\n")
        self.assertEqual(daemon.stop(), 0)
        daemon = self.next("--memory=3000K", "--max-message-size=750K")
        daemon.wait_for_line("for want of --memory the oldest are lost: 0 mailboxes, and 2 mess")
        kept = [f"mail {number}" for number in range(2, 6)]
        self.assertEqual(self.subjects(daemon, address, token), kept)

    def test_a_crash(self) -> None:
        """What is killed lost everything, what it began with included: nothing comes twice."""
        daemon = self.next()
        address, token = daemon.mint()
        self.assertEqual(daemon.stop(), 0)
        daemon = self.next()
        daemon.ask("DELETE", f"/v1/mailboxes/{address}", token)
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        daemon = self.next()
        self.assertEqual(daemon.ask("GET", f"/v1/mailboxes/{address}", token)[0], 404)


class PlaceTests(RestartTestCase):
    """Where the file is, and whose."""

    def test_no_folder(self) -> None:
        """Where no file can be written is one line and exit code 1, in the background as well."""
        for where in (["--nodaemon"], ["--logfile=log"]):
            ended = self.run_to_end(
                *(*where, "tempmail", f"--smtp={_LOCAL}", f"--http={_LOCAL}"),
                "--snapshot=nowhere/snapshot",
            )
            self.assertEqual(ended.returncode, 1)
            self.assertIn("nowhere/snapshot: No such file", ended.stderr + self._log())
            self.assertNotIn("Traceback", ended.stdout + ended.stderr)
            # In the background it tells us before it has put everything away.
            until(lambda: not list(self.directory.glob("*.pid")))

    def test_can_not_be_written(self) -> None:
        """Where it can not be written at the end the log says so, and the exit code is 1."""
        self.path = self.directory / "folder" / "snapshot"
        self.path.parent.mkdir()
        daemon = self.next()
        self.path.parent.rename(self.directory / "moved")
        self.assertEqual(daemon.stop(), 1)
        self.assertIn("could not be written, and all mail is lost: No such", daemon.log)
        self.assertNotIn("Traceback", daemon.log)

    def test_two_at_a_time(self) -> None:
        """A second server on the same file is one line and exit code 1; the first goes on."""
        daemon = self.next()
        ended = self.run_to_end(
            *("--nodaemon", "--pidfile=", "tempmail", f"--smtp={_LOCAL}", f"--http={_LOCAL}"),
            f"--snapshot={self.path}",
        )
        line = f"tempmail: --snapshot {self.path}: another process uses it\n"
        self.assertEqual((ended.returncode, ended.stderr), (1, line))
        self.assertEqual(daemon.stop(), 0)
        self.assertTrue(self.path.exists())

    def test_in_the_background(self) -> None:
        """Daemonised, with a relative name and another working directory: the file is where it
        was said, and its user's alone."""
        pidfile = self.directory / "pid"
        for expected in ("", "snapshot read: 0 mailboxes, 0 messages"):
            started = self.run_to_end(
                *(f"--pidfile={pidfile}", f"--logfile={self.directory}/log", "--rundir=/"),
                *("--umask=0", "tempmail", f"--smtp={_LOCAL}", f"--http={_LOCAL}"),
                "--snapshot=snapshot",
            )
            self.assertEqual((started.returncode, started.stderr), (0, ""))
            end = time.monotonic() + PATIENCE
            while " listens: " not in self._log() and time.monotonic() < end:
                time.sleep(0.05)
            os.kill(int(pidfile.read_text()), signal.SIGTERM)
            while pidfile.exists() and time.monotonic() < end:
                time.sleep(0.05)
            self.assertIn(expected, self._log())
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
            (self.directory / "log").unlink()

    def test_as_somebody_else(self) -> None:
        """With --uid the file is that user's, and nothing is read or written as root."""
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else: run the tests as root")
        nobody, nogroup = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid
        folder = self.directory / "theirs"
        folder.mkdir()
        os.chown(folder, nobody, nogroup)
        self.path = folder / "snapshot"
        become = ["--uid=nobody", "--gid=nogroup"]
        address, token = "", ""
        for _ in range(2):
            daemon = self.daemon(f"--snapshot={self.path}", twistd_options=become)
            if token:
                self.assertEqual(self.subjects(daemon, address, token), ["Hello"])
            else:
                address, token = daemon.mint()
                daemon.send(address)
            self.assertEqual(daemon.stop(), 0)
            self.assertEqual(self.path.stat().st_uid, nobody)

    def _log(self) -> str:
        path = self.directory / "log"
        return path.read_text() if path.exists() else ""
