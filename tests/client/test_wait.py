"""Waiting until a time is up."""

from __future__ import annotations

from tempmail.client import Gone, Problem, RateLimited, Unreachable, WaitTimedOut
from tempmail.client.limits import FIRST_CONTACT_ATTEMPTS, HOLD, LONGEST_PAUSE, MARGIN
from tests.client.case import Case
from tests.client.fake import ADDRESS, Answer


class WaitTests(Case):
    """Waiting until a time is up."""

    def test_there_already(self) -> None:
        """Mail that came before the call is found at once."""
        self.server.deliver(code="123456", link="https://example.org/v")
        self.assertEqual(self.done(self.box.wait_code()), "123456")
        self.assertEqual(self.done(self.box.wait_link()), "https://example.org/v")
        self.assertEqual(self.done(self.box.wait_message()).id, "m1")

    def test_comes_later(self) -> None:
        """Mail without what is wanted does not end the wait; the mail that has it does."""
        waiting = self.begin(self.box.wait_code(timeout=30))
        self.pass_time(3)
        self.server.deliver()
        self.pass_time(3)
        self.assertNoResult(waiting)
        self.server.deliver(code="99")
        self.network.agent.flush()
        self.assertEqual(self.successResultOf(waiting), "99")
        self.assertQuiet()

    def test_between_two_polls(self) -> None:
        """What arrives after one request ended and before the next is found by the next."""
        waiting = self.begin(self.box.wait_code(timeout=200))
        self.pass_time(HOLD - 1)
        self.clock.advance(1)  # the answer is on its way, and the client has not seen it
        self.server.deliver(code="77")
        self.network.agent.flush()
        self.assertEqual(self.successResultOf(waiting), "77")

    def test_longer_than_one_request(self) -> None:
        """A long wait asks several times, each within what the server allows, in whole seconds."""
        waiting = self.begin(self.box.wait_message(timeout=120.5))
        self.pass_time(121)
        error = self.failureResultOf(waiting, WaitTimedOut).value
        asked = [each[2]["timeout"] for each in self.server.seen]
        self.assertEqual(asked, ["50", "50", "21"])
        self.assertIn("within 120.5 s", str(error))
        self.assertQuiet()

    def test_look_once(self) -> None:
        """A timeout of 0 asks once and holds nothing."""
        self.fails(self.box.wait_message(timeout=0), WaitTimedOut)
        self.assertEqual(len(self.server.seen), 1)
        self.server.deliver()
        self.assertEqual(self.done(self.box.wait_message(timeout=0)).id, "m1")

    def test_asking_again(self) -> None:
        """The same question brings the next answer; another question begins at the beginning."""
        self.server.deliver(code="1", subject="one")
        self.server.deliver(code="2", subject="two")
        self.assertEqual(self.done(self.box.wait_code(subject="TWO")), "2")
        answers = [self.done(self.box.wait_code()) for _ in range(2)]
        self.assertEqual(answers, ["1", "2"])
        self.fails(self.box.wait_code(timeout=0), WaitTimedOut)
        self.assertEqual(self.done(self.box.wait_code(after="0")), "1")

    def test_gone_meanwhile(self) -> None:
        """410 while waiting ends the wait at once."""
        waiting = self.begin(self.box.wait_code(timeout=60))
        self.pass_time(5)
        self.server.delete(ADDRESS)
        self.network.agent.flush()
        self.failureResultOf(waiting, Gone)
        self.assertQuiet()

    def test_restart(self) -> None:
        """A server that goes away and comes back within the time costs nothing but time."""
        waiting = self.begin(self.box.wait_code(timeout=60))
        self.pass_time(2)
        self.network.down = True
        self.server.restart()
        self.pass_time(10)
        self.assertNoResult(waiting)
        self.network.down = False
        self.server.deliver(code="5")
        self.pass_time(LONGEST_PAUSE)
        self.assertEqual(self.successResultOf(waiting), "5")
        self.assertQuiet()

    def test_away_at_the_end(self) -> None:
        """When the time is up and the server is away, that is the news, not that nothing came."""
        waiting = self.begin(self.box.wait_code(timeout=20))
        self.pass_time(2)
        self.network.down = True
        self.server.restart()
        self.pass_time(18)
        self.failureResultOf(waiting, Unreachable)
        self.assertQuiet()

    def test_never_there(self) -> None:
        """A server that never answered is believed absent after a few attempts."""
        self.network.down = True
        waiting = self.begin(self.box.wait_code(timeout=60))
        self.pass_time(4)
        self.failureResultOf(waiting, Unreachable)
        self.assertEqual(self.network.attempts, FIRST_CONTACT_ATTEMPTS)

    def test_retry_after(self) -> None:
        """A server that asks to stay away is left alone for at least that long."""
        self.server.canned.append((503, {"retry-after": "8"}, b"{}"))
        waiting = self.begin(self.box.wait_code(timeout=60))
        self.pass_time(8)
        self.assertEqual(self.network.attempts, 1)
        self.server.deliver(code="6")
        self.pass_time(1)
        self.assertEqual(self.successResultOf(waiting), "6")

    def test_retry_after_the_end(self) -> None:
        """Being asked to stay away longer than one would wait ends the wait at once."""
        self.server.canned.append((429, {"retry-after": "61"}, b"{}"))
        self.fails(self.box.wait_code(timeout=60), RateLimited)
        self.assertQuiet()

    def test_empty_answers_at_once(self) -> None:
        """A server that says "nothing yet" at once, as one that stops, is not asked in a hurry."""
        nothing: Answer = (200, {}, b'{"message": null, "cursor": "0", "timed_out": true}')
        self.server.canned.extend([nothing] * 1000)
        waiting = self.begin(self.box.wait_code(timeout=10))
        self.pass_time(10)
        self.failureResultOf(waiting, WaitTimedOut)
        self.assertTrue(self.network.attempts <= 11, self.network.attempts)
        self.assertQuiet()

    def test_server_error(self) -> None:
        """A fault of the server is told and not repeated."""
        self.server.canned.append((500, {}, b"{}"))
        self.fails(self.box.wait_code(), Problem)
        self.assertEqual(self.network.attempts, 1)

    def test_stuck_server(self) -> None:
        """A server that holds a request longer than asked for is given up after a margin."""
        self.server.mute = True
        waiting = self.begin(self.box.wait_code(timeout=5))
        self.pass_time(5 + MARGIN)
        self.failureResultOf(waiting, Unreachable)
        self.assertQuiet()
