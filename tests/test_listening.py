"""Doors: all open or none, and what is said when one does not."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
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


class DoorsTests(TestCase):
    """Doors on real sockets."""

    def doors(self, *texts: str) -> Doors:
        factory = Factory()
        factory.noisy = False
        self.complaints: list[str] = []
        doors = Doors(
            [parse_door(reactor, "SMTP", text, factory) for text in texts], self.complaints.append
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
