"""How much is logged, in which form, and what never is."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from io import StringIO
from typing import Any, cast

from twisted.logger import (
    ILogObserver,
    LogBeginner,
    LogEvent,
    Logger,
    LogLevel,
    LogPublisher,
    eventAsText,
    formatEvent,
    globalLogPublisher,
    textFileLogObserver,
)
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import MEGA, Limits
from tempmail.logs import as_json, shape_log
from tests.smtp.support import Client
from tests.test_metrics import request
from tests.test_service import ServiceTestCase
from tests.web.house import Wire


class Nowhere:
    """What stands for ``sys`` where logging begins: nothing is redirected."""

    stdout, stderr = sys.stdout, sys.stderr


class ShapeTests(SynchronousTestCase):
    """Twisted begins logging as it always does, and ours comes in."""

    def logged(self, level: str, form: str, observe: Any = textFileLogObserver) -> list[str]:
        """The lines that a log of this shape has of one event of each level."""
        publisher, out = LogPublisher(), StringIO()
        beginner = LogBeginner(publisher, StringIO(), Nowhere, warnings)
        log = Logger("here", observer=publisher)
        shape_log(beginner, level, form)
        log.debug("before {n}", n=1)
        log.info("before {n}", n=1)
        beginner.beginLoggingTo([observe(out)], redirectStandardIO=False)
        for each in ("debug", "info", "warn", "error"):
            log.emit(LogLevel.lookupByName(each), "after {n}", n=2)
        return out.getvalue().splitlines()

    def test_levels(self) -> None:
        """Only what is of the level or above is written, from the first line on."""
        for level, expected in (("debug", 6), ("info", 4), ("warn", 2), ("error", 1)):
            self.assertEqual(len(self.logged(level, "plain")), expected, level)

    def test_another_level(self) -> None:
        """The level can be set again while the process runs."""
        publisher, out = LogPublisher(), StringIO()
        beginner = LogBeginner(publisher, StringIO(), Nowhere, warnings)
        set_level = shape_log(beginner, "warn", "plain")
        beginner.beginLoggingTo([textFileLogObserver(out)], redirectStandardIO=False)
        log = Logger("here", observer=publisher)
        for level in ("warn", "debug", "info"):
            set_level(level)
            log.debug(f"at {level}")
        self.assertEqual([line.split()[-1] for line in out.getvalue().splitlines()], ["debug"])

    def test_plain(self) -> None:
        """Plain lines are Twisted's own."""
        self.assertRegex(self.logged("error", "plain")[0], r"^\S+ \[here#error\] after 2$")

    def test_json(self) -> None:
        """JSON lines are objects, the first ones too."""
        documents = [json.loads(line) for line in self.logged("info", "json")]
        self.assertEqual([one["message"] for one in documents], ["before 1"] + ["after 2"] * 3)
        self.assertEqual({one["namespace"] for one in documents}, {"here"})

    def test_another_observer(self) -> None:
        """An observer that is no file has its own form, and the same level."""
        seen: list[LogEvent] = []

        def observe(_: object) -> ILogObserver:
            return cast(ILogObserver, seen.append)

        self.logged("warn", "json", observe)
        self.assertEqual([event["log_level"].name for event in seen], ["warn", "error"])


class JsonTests(SynchronousTestCase):
    """One event as JSON."""

    def document(self, event: LogEvent) -> dict[str, Any]:
        line = as_json({"log_time": 1_700_000_000.5, **event})
        self.assertEqual(line.count("\n"), 1)
        document: dict[str, Any] = json.loads(line)
        return document

    def test_fields(self) -> None:
        """What is in the message is there by name too, as far as it is text or a number."""
        event = {
            "log_format": "{route} {status} {what}\n{milliseconds:.1f}",
            "log_level": LogLevel.warn,
            "log_namespace": "tempmail.web.site.Site",
            "route": "/docs",
            "status": 200,
            "what": object,
            "milliseconds": 1.25,
            "other": "unsaid",
        }
        document = self.document(event)
        self.assertEqual(document["time"], "2023-11-14T22:13:20.500Z")
        self.assertEqual(
            (document["level"], document["namespace"]), ("warn", event["log_namespace"])
        )
        self.assertEqual(document["message"], "/docs 200 <class 'object'>\n1.2")
        expected = {"route": "/docs", "status": 200, "milliseconds": 1.25}
        self.assertEqual(document["fields"], expected)

    def test_failure(self) -> None:
        """A failure brings its traceback."""
        seen: list[LogEvent] = []
        log = Logger("here", observer=cast(ILogObserver, seen.append))
        try:
            raise RuntimeError("a defect")
        except RuntimeError:
            log.failure("it failed")
        document = self.document(seen[0])
        self.assertEqual((document["message"], document["level"]), ("it failed", "critical"))
        self.assertIn("RuntimeError: a defect", document["traceback"])

    def test_anything(self) -> None:
        """Whatever is logged makes a line: no format, a broken one, lone surrogates."""
        for event in ({}, {"log_format": "{"}, {"log_format": "{a}", "a": "\ud800\u2028"}):
            with self.subTest(event):
                self.assertIn("message", self.document(event))


class SecretTests(ServiceTestCase):
    """What no line above debug says, whatever happens."""

    SECRETS = ("bob", "mallory", "ann@", "192.0.2.77", "hush", "client.example", "Bearer")

    def setUp(self) -> None:
        super().setUp()
        self.reactor.advance(1)
        self.events: list[LogEvent] = []
        observer = cast(ILogObserver, self.events.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def sessions(self, **settings: Any) -> None:
        """A server of these settings sees senders and readers fail in all kinds of ways."""
        limits = Limits(
            memory=200 * MEGA, max_message_size=500, max_errors=6, max_messages=1, tarpit=0
        )
        server = self.start(limits=limits, access_log=True, **settings)
        server.reload()
        wire = Wire(server.site, "192.0.2.77")
        wire.send(
            b"POST /v1/mailboxes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b'Content-Length: 20\r\n\r\n{"local_part":"bob"}'
        )
        for octets in _mails():
            client = Client(server.smtp, "192.0.2.77")
            client.send(b"EHLO client.example.org\r\n", *octets)
            client.hang_up()
        for path in ("/v1/mailboxes/bob%40a.test?access_token=hush", "/inbox/bob", "/bob", "/%zz"):
            wire.send(request(path, Authorization="Bearer hush"))
        wire.send(b"hush\r\n\r\n")
        self.reactor.advance(200)

    def test_above_debug(self) -> None:
        """No address, subject, token or client, in either form of the log."""
        self.sessions(log_level="debug")
        lines = [
            form(event)
            for event in self.events
            if event["log_level"] > LogLevel.debug
            for form in (eventAsText, as_json)
        ]
        self.assertTrue(any("/v1/mailboxes/<address>" in line for line in lines))
        for line in lines:
            for secret in self.SECRETS:
                self.assertNotIn(secret, line)

    def test_dialogue(self) -> None:
        """At debug a session is there to be read, with its addresses, and still without content."""
        self.sessions(log_level="debug")
        said = [formatEvent(event) for event in self.events]
        for line in (
            "C: RCPT TO:<bob@a.test>",
            "S: 552 5.3.4 Message too big",
            "C: AUTH …",
            "C: (14 octets that are no command)",
        ):
            self.assertTrue(any(one.endswith(line) for one in said), line)
        self.assertTrue(any(one.endswith("from 192.0.2.77") for one in said))
        self.assertFalse([one for one in said if "hush" in one])

    def test_no_dialogue(self) -> None:
        """Else nobody writes it, not even for the log to throw away."""
        self.sessions()
        self.assertFalse([one for one in self.events if one["log_level"] is LogLevel.debug])


def _mails() -> Iterator[list[bytes]]:
    """What clients send: a mail that is kept, and such as fail in the ways there are."""
    opened = b"MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@a.test>\r\nDATA\r\n"
    subject = b"Subject: hush\r\n"
    yield [opened, subject + b"\r\nx\r\n.\r\n"]
    yield [opened, subject + b"\r\nx\r\n.\r\n"]
    yield [b"MAIL FROM:<ann@example.org> SIZE=9999\r\n", b"RCPT TO:<bob@a.test>\n"]
    yield [opened.replace(b"bob", b"mallory"), b"AUTH PLAIN hush\r\n", subject * 7]
    yield [opened.replace(b"bob", b"postmaster"), subject * 40, b"\r\n.\r\n"]
    yield [opened.replace(b"bob", b"postmaster"), subject]
    yield [b"Subject:hush\r\n", b"x" * 5000, b"\xff\xfe\r\n"]
    yield [b"GET /bob HTTP/1.0\r\n"]
