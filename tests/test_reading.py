"""Understanding a mail once, remembering it while there is room, and doing without."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_type_hints

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tempmail.content import digest as content
from tempmail.core.budget import Budget
from tempmail.core.errors import MemoryFull
from tempmail.core.limits import MEGA
from tempmail.core.message import Envelope, Parcel
from tempmail.isolation.job import Busy, Crashed, NotStarted, Stopped, TimedOut
from tempmail.isolation.worker import resolve
from tempmail.reading import RESULTS, NoWorker, Reading
from tests.workers import in_this_process

OCTETS = b"From: Ann <ann@shop.test>\r\nSubject: Hello\r\n\r\nYour code is 493817.\r\n"
DIGEST = content.digest(OCTETS)
WHOLE = content.whole(OCTETS)


class Workers:
    """Runs nothing; the test answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.answers: list[Deferred[Any]] = []

    def run(self, function: str, *arguments: Any) -> Deferred[Any]:
        self.asked.append((function, arguments))
        self.answers.append(Deferred())
        return self.answers[-1]


class ReadingTestCase(SynchronousTestCase):
    """A mail that one mailbox holds, and somebody who reads it."""

    def setUp(self) -> None:
        self.budget = Budget(2**20)
        self.workers = Workers()
        self.reading = Reading(self.budget, self.workers.run)
        self.parcel = Parcel(Envelope("a@b"), OCTETS, 0.0, holders=1)


class WorkerTests(ReadingTestCase):
    """Whether there are workers at all."""

    def check(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.reading.check_ready())

    def warm_up(self) -> list[str]:
        """What is logged when a worker is tried and does not start."""
        self.reading.warm_up()
        with capturedLogs() as events:
            self.workers.answers[-1].errback(Crashed("its worker ended"))
        return [f"{event['log_level'].name}: {formatEvent(event)}" for event in events]

    def test_none_starts(self) -> None:
        """A worker that does not start is an error in the log, and the server is not ready."""
        self.successResultOf(self.check())
        [line] = self.warm_up()
        self.assertTrue(line.startswith("error: no worker starts that could read mail: "), line)
        self.assertIn("its worker ended", line)
        error = self.failureResultOf(self.check(), NoWorker)
        self.assertEqual(f"error: {error.getErrorMessage()}", line)

    def test_tries_again(self) -> None:
        """Each check tries one more, one at a time, says no more, and ends with the first."""
        self.warm_up()
        for _ in range(2):
            self.failureResultOf(self.check(), NoWorker)
        self.assertEqual(len(self.workers.asked), 2)
        with capturedLogs() as events:
            self.workers.answers[-1].errback(Crashed("again"))
        self.assertEqual(list(events), [])
        self.failureResultOf(self.check(), NoWorker)
        self.workers.answers[-1].callback(DIGEST)
        self.successResultOf(self.check())
        self.assertEqual(len(self.workers.asked), 3)

    def test_stopped(self) -> None:
        """A server that stops before its first worker was ready has no trouble."""
        self.reading.warm_up()
        self.workers.answers[-1].errback(Stopped("stopped"))
        self.successResultOf(self.check())


class OnceTests(ReadingTestCase):
    """A mail is understood when somebody first asks."""

    def test_digest(self) -> None:
        """What a list tells is what the content says, and is asked of a worker by name."""
        answer = self.reading.digest(self.parcel)
        self.assertNoResult(answer)
        self.workers.answers[0].callback(DIGEST)
        self.assertIs(self.successResultOf(answer), DIGEST)
        self.assertEqual(self.workers.asked, [("digest.digest", (OCTETS,))])

    def test_remembered(self) -> None:
        """What was understood is not asked for again, and its octets are charged once."""
        reads: list[tuple[Callable[[Parcel], Deferred[Any]], object]]
        reads = [(self.reading.digest, DIGEST), (self.reading.whole, WHOLE)]
        for read, understood in reads:
            first = read(self.parcel)
            self.workers.answers[-1].callback(understood)
            self.successResultOf(first)
            self.assertIs(self.successResultOf(read(self.parcel)), understood)
        self.assertEqual(len(self.workers.asked), 2)
        self.assertEqual(self.budget.used, DIGEST.size + len(WHOLE))
        self.assertEqual(self.parcel.reading_size, self.budget.used)

    def test_whole_of_an_unread_mail(self) -> None:
        """Whoever opens a mail that was never listed has one worker read it, once."""
        whole = self.reading.whole(self.parcel)
        self.assertEqual(self.workers.asked, [("digest.understood", (OCTETS,))])
        self.workers.answers[0].callback(content.understood(OCTETS))
        self.assertEqual(self.successResultOf(whole), WHOLE)
        self.assertEqual(self.successResultOf(self.reading.digest(self.parcel)), DIGEST)
        self.assertEqual(len(self.workers.asked), 1)
        self.assertEqual(self.budget.used, DIGEST.size + len(WHOLE))

    def test_whole_while_it_is_listed(self) -> None:
        """Whoever opens a mail that is being listed has only the rest found out."""
        self.reading.digest(self.parcel)
        self.reading.whole(self.parcel)
        self.assertEqual([name for name, _ in self.workers.asked][1:], ["digest.whole"])

    def test_listed_while_it_is_opened(self) -> None:
        """What two runs found out is charged once."""
        self.reading.whole(self.parcel)
        self.reading.digest(self.parcel)
        self.workers.answers[1].callback(DIGEST)
        self.workers.answers[0].callback(content.understood(OCTETS))
        self.assertIs(self.parcel.reading, DIGEST)
        self.assertEqual(self.budget.used, DIGEST.size + len(WHOLE))

    def test_all_who_ask_meanwhile(self) -> None:
        """A hundred who ask for the same mail at the same time cost one run."""
        answers = [self.reading.digest(self.parcel) for _ in range(100)]
        self.assertEqual(len(self.workers.asked), 1)
        self.workers.answers[0].callback(DIGEST)
        for answer in answers:
            self.assertIs(self.successResultOf(answer), DIGEST)
        self.assertEqual(self.budget.used, DIGEST.size)

    def test_one_who_leaves(self) -> None:
        """Who no longer wants to know takes the answer from nobody else."""
        leaver, other = self.reading.digest(self.parcel), self.reading.digest(self.parcel)
        leaver.cancel()
        self.failureResultOf(leaver, CancelledError)
        self.workers.answers[0].callback(DIGEST)
        self.assertIs(self.successResultOf(other), DIGEST)

    def test_two_mails(self) -> None:
        """Mails are told apart, also those of the same octets."""
        other = Parcel(Envelope("a@b"), OCTETS, 0.0, holders=1)
        for parcel in (self.parcel, other):
            self.reading.digest(parcel)
        self.assertEqual(len(self.workers.asked), 2)

    def test_no_room(self) -> None:
        """With memory full a mail is read all the same, and read again the next time."""
        self.budget.limit = DIGEST.size - 1
        for asked in (1, 2):
            answer = self.reading.digest(self.parcel)
            self.workers.answers[-1].callback(DIGEST)
            self.assertIs(self.successResultOf(answer), DIGEST)
            self.assertEqual(len(self.workers.asked), asked)
        self.assertEqual((self.parcel.reading, self.budget.used), (None, 0))

    def test_deleted_meanwhile(self) -> None:
        """Of a mail that was deleted while it was read nothing is kept or charged."""
        answer = self.reading.digest(self.parcel)
        self.parcel.holders = 0
        self.workers.answers[0].callback(DIGEST)
        self.assertIs(self.successResultOf(answer), DIGEST)
        self.assertEqual((self.parcel.reading, self.budget.used), (None, 0))

    def test_list(self) -> None:
        """The mails of a list are read some at a time, each once, and answered in order."""
        parcels = [Parcel(Envelope("a@b"), OCTETS, 0.0, holders=1) for _ in range(40)]
        listed = Deferred.fromCoroutine(self.reading.digests([*parcels, parcels[0]]))
        for asked in (32, 40):
            self.assertEqual(len(self.workers.asked), asked)
            for answer in self.workers.answers:
                if not answer.called:
                    answer.callback(DIGEST)
        self.assertEqual(self.successResultOf(listed), [DIGEST] * 41)

    def test_list_without_room(self) -> None:
        """A list tells no more than so much that there is no room to keep."""
        self.budget.limit = self.budget.used
        long = evolve(DIGEST, text="x" * MEGA)
        parcels = [Parcel(Envelope("a@b"), OCTETS, 0.0, holders=1) for _ in range(40)]
        listed = Deferred.fromCoroutine(self.reading.digests(parcels))
        for answer in list(self.workers.answers):
            answer.callback(long)
        self.failureResultOf(listed, MemoryFull)
        self.assertEqual(len(self.workers.asked), 32)


class WithoutTests(ReadingTestCase):
    """A mail whose reader stalls or crashes."""

    def test_header_is_still_told(self) -> None:
        """Such a mail is listed by its header, and the whole says that something is wrong."""
        for error in (Crashed("x"), TimedOut("x")):
            self.setUp()
            digest, whole = self.reading.digest(self.parcel), self.reading.whole(self.parcel)
            for answer in self.workers.answers:
                answer.errback(error)
            self.assertEqual(self.successResultOf(digest).subject, "Hello")
            told = json.loads(b"{" + self.successResultOf(whole) + b"}")
            self.assertTrue(told["defects"])
            self.assertEqual((told["text"], told["html"]), ("", None))

    def test_is_not_tried_again(self) -> None:
        """A mail that stalled a worker once does not stall one for everyone who lists it."""
        first = self.reading.digest(self.parcel)
        self.workers.answers[0].errback(TimedOut("x"))
        self.successResultOf(first)
        self.successResultOf(self.reading.digest(self.parcel))
        self.assertEqual(len(self.workers.asked), 1)

    def test_no_document(self) -> None:
        """HTML that can not be cleaned is not shown."""
        answer = self.reading.document(self.parcel, images_remote=False)
        self.workers.answers[0].errback(Crashed("x"))
        self.assertIsNone(self.successResultOf(answer))

    def test_no_attachment(self) -> None:
        """An attachment whose reader crashes is none; asking again would crash the next one."""
        answer = self.reading.attachment(self.parcel, 0)
        self.workers.answers[0].errback(Crashed("x"))
        self.assertIsNone(self.successResultOf(answer))

    def test_busy_is_no_property_of_the_mail(self) -> None:
        """Where nobody had time to read it, who asks is told so and may ask again."""
        reads: list[Callable[[Parcel], Deferred[Any]]] = [self.reading.digest, self.reading.whole]
        for read in reads:
            answers = [read(self.parcel), read(self.parcel)]
            self.workers.answers[-1].errback(Busy("x"))
            for answer in answers:
                self.failureResultOf(answer, Busy)
        again = self.reading.digest(self.parcel)
        self.workers.answers[-1].callback(DIGEST)
        self.assertIs(self.successResultOf(again), DIGEST)

    def test_no_worker_is_no_property_of_the_mail(self) -> None:
        """Where none starts its header is told all the same, and who asks again has all of it."""
        first = self.reading.digest(self.parcel)
        self.workers.answers[-1].errback(NotStarted("x"))
        self.assertEqual(self.successResultOf(first).subject, "Hello")
        self.assertIsNone(self.parcel.reading)
        again = self.reading.digest(self.parcel)
        self.workers.answers[-1].callback(DIGEST)
        self.assertIs(self.successResultOf(again), DIGEST)


class ResultsTests(SynchronousTestCase):
    """What the server expects of its workers, without importing what they import."""

    def test_types(self) -> None:
        """Each function returns what it is expected to."""
        for function, returns in RESULTS.items():
            call = resolve("tempmail.content", function).call
            self.assertEqual(get_type_hints(call)["return"], returns, function)


class HereTests(SynchronousTestCase):
    """Reading without workers."""

    def test_does_what_a_worker_would(self) -> None:
        """Every function the reading asks for can be run in this process."""
        reading = Reading(Budget(2**20), in_this_process)
        parcel = Parcel(Envelope("a@b"), OCTETS, 0.0, holders=1)
        self.assertEqual(self.successResultOf(reading.digest(parcel)), DIGEST)
        self.assertEqual(self.successResultOf(reading.whole(parcel)), WHOLE)
        self.assertIsNone(self.successResultOf(reading.document(parcel, images_remote=True)))
        self.assertIsNone(self.successResultOf(reading.attachment(parcel, 0)))
