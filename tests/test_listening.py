"""Doors: all open or none, and what is said when one does not."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import AdoptedStreamServerEndpoint
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from tempmail.listening import CannotStart, Door, Doors, parse_door, with_backlog


class BacklogTests(SynchronousTestCase):
    """How many connections may wait to be accepted."""

    def test_added(self) -> None:
        """A socket of our own gets a long backlog; one that has a say, or is given to us, none."""
        for text, expected in (
            ("tcp:25", "tcp:25:backlog=1024"),
            ("tcp:port=25:interface=\\:\\:1", "tcp:port=25:interface=\\:\\:1:backlog=1024"),
            ("tcp6:25", "tcp6:25:backlog=1024"),
            ("haproxy:tcp:25", "haproxy:tcp:25:backlog=1024"),
            ("unix:/run/x.sock:mode=660", "unix:/run/x.sock:mode=660:backlog=1024"),
            ("tcp:25:backlog=5", "tcp:25:backlog=5"),
            ("tcp:25:127.0.0.1:5", "tcp:25:127.0.0.1:5"),
            ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
            ("haproxy:systemd:domain=INET:index=0", "haproxy:systemd:domain=INET:index=0"),
        ):
            with self.subTest(text):
                self.assertEqual(with_backlog(text), expected)

    def test_reaches_the_socket(self) -> None:
        """The reactor is asked for it."""
        memory = MemoryReactorClock()
        Doors([parse_door(memory, "SMTP", "tcp:25", Factory())]).privilegedStartService()
        self.assertEqual([server[2] for server in memory.tcpServers], [1024])


class TextTests(SynchronousTestCase):
    """Endpoints that are none."""

    def test_mistakes(self) -> None:
        """A text that is no endpoint is refused in one line that repeats it."""
        for text in (
            "tpc:25",
            "tcp:smtp",
            "tcp:25:colour=red",
            "25",
            "unix",
            "systemd:domain=INET",
        ):
            with self.subTest(text):
                error = self.assertRaises(
                    CannotStart, parse_door, MemoryReactorClock(), "SMTP", text, Factory()
                )
                self.assertIn(f"--smtp {text!r} is no endpoint: ", str(error))
                self.assertEqual(error.code, f"tempmail: {error}")
                self.assertNotIn("\n", str(error))

    def test_nothing_handed_over(self) -> None:
        """A socket of systemd's that there is none of is told as that."""
        for text in ("systemd:domain=INET6:name=smtp", "haproxy:systemd:domain=INET:index=7"):
            error = self.assertRaises(
                CannotStart, parse_door, MemoryReactorClock(), "SMTP", text, Factory()
            )
            self.assertEqual(str(error), f"--smtp {text!r}: systemd has handed over no such socket")


class DoorsTests(TestCase):
    """Doors on real sockets."""

    def doors(self, *texts: str) -> Doors:
        self.complaints: list[str] = []
        doors = Doors(
            [parse_door(reactor, "SMTP", text, _factory()) for text in texts],
            self.complaints.append,
        )
        self.addCleanup(doors.stopService)
        return doors

    def test_describes_what_is_open(self) -> None:
        """What listens is told with the ports the system chose."""
        doors = self.doors("tcp:0:interface=127.0.0.1", "tcp6:0:interface=\\:\\:1")
        doors.privilegedStartService()
        self.assertTrue(doors.open)
        self.assertRegex(
            doors.describe(), r"^SMTP on 127\.0\.0\.1:[1-9]\d*, SMTP on \[::1\]:[1-9]\d*$"
        )

    def test_starting_without_privileges(self) -> None:
        """Who is only started, not privileged, opens the doors then; never twice."""
        doors = self.doors("tcp:0:interface=127.0.0.1")
        doors.startService()
        described = doors.describe()
        doors.startService()
        self.assertEqual(doors.describe(), described)

    def test_taken(self) -> None:
        """A port in use stops the start with one line naming it, and closes what was open."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        text = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        doors = self.doors("tcp:0:interface=127.0.0.1", text)
        error = self.assertRaises(CannotStart, doors.privilegedStartService)
        self.assertEqual(str(error), f"can not listen on {text}: Address already in use")
        self.assertEqual(error.code, 1)
        self.assertEqual(self.complaints, [str(error)])
        self.assertFalse(doors.open)

    def test_never_opens(self) -> None:
        """An endpoint that does not open at once is refused rather than waited for."""

        @implementer(IStreamServerEndpoint)
        class Slow:
            def listen(self, factory: object) -> Deferred[Any]:
                return Deferred()

        doors = Doors([Door("SMTP", "slow:1", Slow(), Factory())], lambda _: None)
        error = self.assertRaises(CannotStart, doors.privilegedStartService)
        self.assertIn("slow:1", str(error))

    async def test_stops_accepting(self) -> None:
        """Stopping closes the sockets."""
        doors = self.doors("tcp:0:interface=127.0.0.1")
        doors.startService()
        place = ("127.0.0.1", int(doors.describe().rpartition(":")[2]))
        await doors.stopService()
        self.assertRaises(ConnectionRefusedError, socket.create_connection, place, 1)


class UnixTests(TestCase):
    """UNIX sockets, which leave a file."""

    def setUp(self) -> None:
        # Short, for a socket's name has at most 107 octets.
        directory = tempfile.TemporaryDirectory(prefix="tempmail-")
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name) / "http"
        self.lock = self.path.with_name("http.lock")

    def doors(self, *texts: str) -> Doors:
        return self.open(*(parse_door(reactor, "HTTP", text, _factory()) for text in texts))

    def open(self, *doors: Door) -> Doors:
        opened = Doors(doors, lambda _: None)
        self.addCleanup(opened.stopService)
        return opened

    def leave_behind(self, pid: int) -> None:
        """What is there after SIGKILL."""
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(self.path))
        self.lock.symlink_to(str(pid))

    def test_left_by_our_number(self) -> None:
        """What a process of our own number left is replaced: in a container each is number 1."""
        self.leave_behind(os.getpid())
        doors = self.doors(f"unix:{self.path}")
        doors.privilegedStartService()
        self.assertTrue(doors.open)

    def test_somebody_listens(self) -> None:
        """A socket at which somebody listens is left alone, whatever number its lock has."""
        self.lock.symlink_to(str(os.getpid()))
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(self.path))
            other.listen()
            error = self.assertRaises(
                CannotStart, self.doors(f"unix:{self.path}").privilegedStartService
            )
        self.assertIn("lock", str(error))
        self.assertTrue(self.path.is_socket())

    async def test_twice(self) -> None:
        """One path for two doors is refused: the second does not take it from the first."""
        doors = self.doors(f"unix:{self.path}", f"unix:{self.path}")
        self.assertRaises(CannotStart, doors.privilegedStartService)
        # The first closes in the reactor's next turn.
        await deferLater(reactor, 0)
        self.assertFalse(self.path.exists())

    async def test_can_not_be_removed(self) -> None:
        """A file that can not be removed at the end is one line in the log."""
        doors = self.doors(f"unix:{self.path}")
        doors.privilegedStartService()
        # Nor can what is gone, even by root.
        self.path.unlink()
        with capturedLogs() as events:
            await doors.stopService()
        said = [formatEvent(event) for event in events if event["log_level"] > LogLevel.info]
        self.assertEqual(said, [f"{self.path} stays behind: No such file or directory"])

    async def test_lent(self) -> None:
        """A socket of systemd's is closed at the end, and its file is left to systemd."""
        with socket.socket(socket.AF_UNIX) as lent:
            lent.setblocking(False)
            lent.bind(str(self.path))
            lent.listen()
            endpoint = AdoptedStreamServerEndpoint(reactor, os.dup(lent.fileno()), lent.family)
            text = "systemd:domain=UNIX:name=http"
            doors = self.open(Door("HTTP", text, endpoint, _factory()))
            doors.privilegedStartService()
        await doors.stopService()
        self.assertTrue(self.path.is_socket())
        with socket.socket(socket.AF_UNIX) as tried:
            self.assertRaises(ConnectionRefusedError, tried.connect, str(self.path))


def _factory() -> Factory:
    factory = Factory()
    factory.noisy = False
    return factory
