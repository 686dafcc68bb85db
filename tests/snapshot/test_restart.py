"""The file: when it is written, read, removed and put aside, and what the log says of it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from attrs import evolve
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tempmail.clock import Moment
from tempmail.core.budget import Budget
from tempmail.core.kept import Kept
from tempmail.listening import CannotStart
from tempmail.snapshot import file
from tempmail.snapshot.frames import Damaged, FrameWriter
from tempmail.snapshot.restart import Restart
from tempmail.store.memory import MemoryStore
from tests.snapshot.support import recall
from tests.store.support import BOB, BY_MAIL, ENVELOPE, EVE, JOE, LIMITS, MINTED, START, Ear

NOW = Moment(START, START, 100.0, "one")
SECRETS = (b"secret words", b"bob", b"sender@example.org", b"192.0.2.7")


class RestartTestCase(SynchronousTestCase):
    """A folder for the file, and processes one after the other."""

    def setUp(self) -> None:
        # Open to whom we become in some tests, as trial's own is not.
        folder = tempfile.TemporaryDirectory(prefix="tempmail-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "folder"
        self.folder.mkdir()
        self.folder.parent.chmod(0o755)
        self.path = self.folder / "snapshot"
        self.limits = evolve(LIMITS, mailboxes_per_client=9)
        self.restart: Restart | None = None

    def begin(self) -> list[LogEvent]:
        """Start a process; what it logs until the first client may come.

        One before is over by then, if only by a crash.
        """
        if self.restart is not None:
            self.restart.release()
        self.reactor = MemoryReactorClock()
        self.reactor.advance(START)
        self.budget = Budget(self.limits.memory)
        self.store = MemoryStore(self.reactor, self.limits, self.budget, Ear())
        self.restart = Restart(
            self.reactor, self.path, self.store, lambda kept: kept, lambda _: NOW
        )
        with capturedLogs() as events:
            self.restart.startService()
            self.addCleanup(self.restart.stopService)
            self.reactor.run()
        return list(events)

    def fill(self) -> None:
        opening = evolve(MINTED, client="192.0.2.7")
        for address in (BOB, EVE):
            self.successResultOf(self.store.create(address, opening))
        both = [(BOB, None), (EVE, None), (JOE, BY_MAIL)]
        for octets in (b"secret words", b"more of them"):
            self.successResultOf(self.store.add(ENVELOPE, both, octets))
        self.successResultOf(self.store.extend(BOB, START + 99))
        self.successResultOf(self.store.close(EVE))

    def end(self) -> list[LogEvent]:
        """End it; what it logs."""
        assert self.restart is not None
        with capturedLogs() as events:
            self.written = self.restart.write()
        return list(events)

    def one_snapshot(self) -> bytes:
        """The octets of a file that is good."""
        self.begin()
        self.fill()
        self.end()
        octets = self.path.read_bytes()
        self.path.unlink()
        return octets

    def names(self) -> list[str]:
        """The files there are, but the lock."""
        return sorted(path.name for path in self.folder.iterdir() if path.suffix != ".lock")

    def assert_empty(self) -> None:
        self.assertEqual(self.budget.used, 0)
        self.assertIsNone(self.successResultOf(self.store.look(BOB)))

    def assert_damaged(self, octets: bytes) -> None:
        """What is no snapshot is told from one, and nothing is taken of it."""
        clock = MemoryReactorClock()
        clock.advance(START)
        budget = Budget(self.limits.memory)
        store = MemoryStore(clock, self.limits, budget, Ear())
        self.assertRaises(Damaged, recall, store, octets, NOW)
        self.assertEqual(budget.used, 0)

    def assert_put_aside(self, octets: bytes, why: str) -> None:
        """What is no snapshot goes out of the way with one line, and nothing is taken of it."""
        self.path.write_bytes(octets)
        (event,) = self.begin()
        self.assertEqual(event["log_level"], LogLevel.error)
        self.assertNotIn("log_failure", event)
        line = formatEvent(event)
        self.assertIn(why, line)
        for secret in SECRETS:
            self.assertNotIn(secret.decode(), line)
        self.assert_empty()
        (name,) = self.names()
        self.assertTrue(name.startswith("snapshot.damaged-20231114T221320Z"), name)
        self.assertIn(str(self.folder / name), line)
        self.assertEqual((self.folder / name).read_bytes(), octets)
        (self.folder / name).unlink()


class LifeTests(RestartTestCase):
    """The life of a good file."""

    def test_goes_on(self) -> None:
        """What one process held the next holds, and both say how much in one line each."""
        self.assertEqual(self.begin(), [])
        self.fill()
        used = self.budget.used
        (said,) = self.end()
        self.assertIn("snapshot written: 0.0 MiB in", formatEvent(said))
        self.assertTrue(self.written)
        (said,) = self.begin()
        self.assertEqual(formatEvent(said), "snapshot read: 3 mailboxes, 4 messages")
        self.assertEqual(self.budget.used, used)
        found = self.successResultOf(self.store.messages(BOB, 0, 10))
        self.assertEqual([one.parcel.octets for one in found], [b"secret words", b"more of them"])

    def test_read_once(self) -> None:
        """A snapshot that was read is gone before the first client comes, so that what is deleted
        then stays deleted after a crash."""
        self.begin()
        self.fill()
        self.end()
        self.begin()
        self.assertEqual(self.names(), [])
        self.assertEqual(self.begin(), [])
        self.assert_empty()

    def test_ended_before_it_began(self) -> None:
        """A process that is ended before its reactor runs leaves the file as it was."""
        octets = self.one_snapshot()
        self.path.write_bytes(octets)
        reactor = MemoryReactorClock()
        store = MemoryStore(reactor, self.limits, Budget(2**30), Ear())
        restart = Restart(reactor, self.path, store, lambda kept: kept)
        restart.startService()
        self.assertEqual(self.path.read_bytes(), octets)

    def test_too_small_a_memory(self) -> None:
        """What does not fit into less memory is said in one warning."""
        self.begin()
        self.fill()
        self.end()
        self.limits = evolve(self.limits, memory=self.budget.used - 1)
        (said,) = self.begin()
        self.assertEqual(said["log_level"], LogLevel.warn)
        self.assertIn("for want of --memory the oldest are lost: 0 mail", formatEvent(said))
        self.assertLessEqual(self.budget.used, self.budget.limit)

    def test_what_is_over_is_not_written(self) -> None:
        """Mail whose time is over does not reach the disk, also if nobody closed it yet."""
        self.begin()
        self.fill()
        self.reactor.advance(10_000)
        self.end()
        octets = self.path.read_bytes()
        for secret in (b"secret words", b"more of them", b"sender@example.org"):
            self.assertNotIn(secret, octets)


class DamageTests(RestartTestCase):
    """Files that are no good."""

    def test_cut_anywhere(self) -> None:
        """Cut at whatever octet, the file is put aside."""
        octets = self.one_snapshot()
        for end in range(len(octets)):
            self.assert_damaged(octets[:end])
        for end in range(0, len(octets), 50):
            self.assert_put_aside(octets[:end], "we start empty: it")

    def test_any_bit(self) -> None:
        """With any one bit turned, the file is put aside."""
        octets = self.one_snapshot()
        for place in range(len(octets)):
            for bit in range(8):
                turned = bytearray(octets)
                turned[place] ^= 1 << bit
                self.assert_damaged(bytes(turned))
            if place % 50 == 0:
                self.assert_put_aside(bytes(turned), "we start empty: ")

    def test_longer(self) -> None:
        """Nothing may stand behind the end, not even another good snapshot."""
        octets = self.one_snapshot()
        for more in (b"\0", b"\n" * 100, octets):
            self.assert_put_aside(octets + more, "we start empty: ")

    def test_foreign(self) -> None:
        """What is no snapshot is not taken for one."""
        for octets in (b"", b"\0" * 1000, b"[toml]\n", b"\x80\x04K\x01.", b"x" * 100_000):
            self.assert_put_aside(octets, "it is no snapshot")

    def test_newer(self) -> None:
        """A snapshot of a version to come is put aside, and both versions are named."""
        octets = self.one_snapshot().replace(b"snapshot 1\n", b"snapshot 2\n", 1)
        self.assert_put_aside(octets, "it is of version 2, and this server reads 1")

    def test_records_out_of_place(self) -> None:
        """Records that are good each by itself, and no snapshot together, are none."""
        records = _records(self.one_snapshot())
        head, first, second, third, *mails, end = records
        for order in (
            [],
            [head],
            [end],
            [first, end],
            [head, *records],
            [head, first, first, second, third, *mails, end],
            [head, first, *mails, end],
            [head, *mails, first, second, third, end],
            [head, first, second, third, *mails[::-1], end],
            [head, first, second, third, *mails, *mails, end],
            [head, first, second, third, mails[0], end],
            [*records, end],
            [*records, b"\xc0"],
        ):
            self.assert_put_aside(_framed(order), "we start empty: ")

    def test_unreadable(self) -> None:
        """A file that may not be read is put aside for whoever may."""
        octets = self.one_snapshot()
        self.path.write_bytes(octets)
        with _somebody_else(self.folder):
            self.path.chmod(0)
            (event,) = self.begin()
        self.assertIn("we start empty: Permission denied;", formatEvent(event))
        self.assertEqual(len(self.names()), 1)
        self.assert_empty()

    def test_never_over_another(self) -> None:
        """Files put aside in the same second are all kept."""
        for number in range(3):
            self.path.write_bytes(b"%d" % number)
            self.begin()
        kept = {(self.folder / name).read_bytes() for name in self.names()}
        self.assertEqual(kept, {b"0", b"1", b"2"})


class WritingTests(RestartTestCase):
    """How the file comes to be."""

    def test_for_our_eyes_only(self) -> None:
        """Whatever the umask, nobody but the server's user reads or writes the file."""
        for mask in (0, 0o022, 0o777):
            before = os.umask(mask)
            try:
                self.begin()
                self.end()
            finally:
                os.umask(before)
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_in_the_place_of_another(self) -> None:
        """Whatever stands there when it is written is replaced."""
        self.begin()
        self.path.write_bytes(b"put here meanwhile")
        self.fill()
        self.end()
        self.assertEqual(self.names(), ["snapshot"])
        self.begin()
        self.assertEqual(len(self.successResultOf(self.store.messages(BOB, 0, 9))), 2)

    def test_no_half_of_it(self) -> None:
        """A snapshot that can not be written to its end leaves nothing, and what was there."""
        self.path.write_bytes(b"before")

        def contents() -> Iterator[object]:
            yield from self.store.keep().contents
            raise OSError(28, "No space left on device")

        self.begin()
        self.fill()
        self.path.write_bytes(b"before")
        kept = Kept(1, contents())  # type: ignore[arg-type]
        self.assertRaises(OSError, file.write, self.path, kept, NOW)
        self.assertEqual(self.path.read_bytes(), b"before")
        self.assertNotIn("snapshot.new", self.names())

    def test_says_what_went_wrong(self) -> None:
        """Where it can not be written any more, the end says so, in one line, and goes on."""
        self.begin()
        self.folder.rename(self.folder.with_name(self.folder.name + "-moved"))
        (event,) = self.end()
        self.assertEqual(event["log_level"], LogLevel.error)
        self.assertIn("all mail is lost: No such file or directory", formatEvent(event))
        self.assertFalse(self.written)

    def test_left_by_one_that_was_killed(self) -> None:
        """What a process wrote that was killed meanwhile is removed, and never read."""
        (self.folder / "snapshot.new").write_bytes(self.one_snapshot())
        self.assertEqual(self.begin(), [])
        self.assertEqual(self.names(), [])
        self.assert_empty()

    def test_through_a_link(self) -> None:
        """A link that leads to the file stays one."""
        link = self.folder / "link"
        link.symlink_to(self.path)
        self.path = link
        self.begin()
        self.fill()
        self.end()
        self.assertTrue(link.is_symlink())
        self.begin()
        self.assertEqual(len(self.successResultOf(self.store.messages(BOB, 0, 9))), 2)


class PlaceTests(RestartTestCase):
    """Places where no file can be."""

    def assert_can_not_start(self, why: str) -> None:
        told: list[str] = []
        reactor = MemoryReactorClock()
        store = MemoryStore(reactor, self.limits, Budget(2**30), Ear())
        restart = Restart(reactor, self.path, store, lambda kept: kept, tell=told.append)
        self.assertRaises(CannotStart, restart.startService)
        self.assertEqual(told, [f"--snapshot {self.path}: {why}"])

    def test_no_folder(self) -> None:
        """A folder that is not there is said at the start, not at the end."""
        self.path = self.folder / "nowhere" / "snapshot"
        self.assert_can_not_start("No such file or directory")

    def test_no_file(self) -> None:
        """A folder, a device or a pipe is not taken for a file, and stays where it is."""
        self.path.mkdir()
        self.assert_can_not_start("this is no file")
        self.path.rmdir()
        os.mkfifo(self.path)
        self.assert_can_not_start("this is no file")
        self.path = Path("/dev/null")
        self.assert_can_not_start("this is no file")

    def test_two_at_a_time(self) -> None:
        """A file that another process uses is said at the start, and nothing there is touched."""
        self.begin()
        beside = self.folder / "snapshot.new"
        beside.write_bytes(b"the other writes it just now")
        self.assert_can_not_start("another process uses it")
        self.assertTrue(beside.exists())
        self.fill()
        self.end()
        self.assertEqual(len(self.begin()), 1)

    def test_leaves_no_lock(self) -> None:
        """After an orderly end there is the file alone; after a crash the lock holds nobody."""
        self.begin()
        self.end()
        self.assertEqual(list(self.folder.iterdir()), [self.path])
        (self.folder / "snapshot.lock").touch()
        self.assertEqual(len(self.begin()), 1)

    def test_not_ours(self) -> None:
        """A folder where we may not write is said at the start."""
        with _somebody_else(self.folder):
            self.folder.chmod(0o500)
            self.assert_can_not_start("Permission denied")


def _records(octets: bytes) -> list[bytes]:
    """The records of a snapshot, one by one."""
    found = []
    place = octets.index(b"\n") + 1
    while place < len(octets):
        length = int.from_bytes(octets[place : place + 8], "big")
        found.append(octets[place + 12 : place + 12 + length])
        place += 12 + length
    return found


def _framed(records: list[bytes]) -> bytes:
    """A snapshot's frames around these records."""
    stream = BytesIO()
    writer = FrameWriter(stream)
    for record in records:
        writer.write(record)
    return stream.getvalue()


@contextmanager
def _somebody_else(folder: Path) -> Iterator[None]:
    """Without root's rights, which know no permission."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, 65534, 65534)
    for path in folder.iterdir():
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
