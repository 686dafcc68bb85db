"""Following a mailbox, through whatever passes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred

from tempmail.client import Box, Gone, NotFound, Summary, Unauthorized, Unavailable
from tempmail.client.limits import FIRST_PAUSE, HOLD, LONGEST_PAUSE
from tempmail.client.patience import Patience
from tests.client.case import Case
from tests.client.fake import ADDRESS


class FollowTests(Case):
    """The endless iterator."""

    def follow(self, box: Box, after: str = "0") -> tuple[list[str], Deferred[None]]:
        found: list[str] = []

        async def collect() -> None:
            async for summary in box.follow(after):
                assert isinstance(summary, Summary)
                found.append(summary.id)

        return found, self.begin(collect())

    def test_all_in_order(self) -> None:
        """What is there and what comes is handed out once each, in order."""
        self.server.deliver()
        found, _ = self.follow(self.box)
        self.server.deliver()
        self.server.deliver()
        self.pass_time(1)
        self.server.deliver()
        self.pass_time(3 * HOLD)
        self.server.deliver()
        self.pass_time(1)
        self.assertEqual(found, ["m1", "m2", "m3", "m4", "m5"])

    def test_cursor(self) -> None:
        """A feed begun at the cursor of another goes on behind what that one handed out."""
        for _ in range(3):
            self.server.deliver()
        feed = self.box.follow()
        self.done(anext(feed))
        self.assertEqual(feed.cursor, "1")
        found, _ = self.follow(self.box, feed.cursor)
        self.assertEqual(found, ["m2", "m3"])

    def test_restart(self) -> None:
        """Mail that comes around a restart is neither lost nor repeated."""
        found, following = self.follow(self.box)
        self.server.deliver()
        self.pass_time(1)
        self.network.down = True
        self.server.restart()
        self.server.deliver()
        self.pass_time(600)
        self.assertNoResult(following)
        self.network.down = False
        self.pass_time(LONGEST_PAUSE)
        self.assertEqual(found, ["m1", "m2"])

    def test_pauses_grow_and_begin_anew(self) -> None:
        """Pauses double up to a limit; an answer in between begins them anew."""
        _, _following = self.follow(self.box)
        self.network.down = True
        self.server.restart()
        self.pass_time(70)
        self.assertEqual([pause for _, pause in self.retries][:8], [0.5, 1, 2, 4, 8, 16, 30, 30])
        self.network.down = False
        self.pass_time(LONGEST_PAUSE + HOLD)
        self.server.restart()
        self.pass_time(1)
        self.assertEqual(self.retries[-1][1], 0.5)

    def test_gone(self) -> None:
        """It ends with the error that says so when the mailbox is gone, after what was in it."""
        self.server.deliver()
        found, following = self.follow(self.box)
        self.server.delete(ADDRESS)
        self.network.agent.flush()
        self.failureResultOf(following, Gone)
        self.assertEqual(found, ["m1"])
        self.assertQuiet()

    def test_not_there(self) -> None:
        """It ends when there is no such mailbox, or the token does not open it."""
        for token, kind in ((None, Unauthorized), ("wrong", NotFound)):
            _, following = self.follow(self.client.box(ADDRESS, token))
            self.failureResultOf(following, kind)

    def test_cancelled_step(self) -> None:
        """A step that was cancelled leaves the feed as it was."""
        feed = self.box.follow()
        step = self.begin(anext(feed))
        step.cancel()
        self.failureResultOf(step, CancelledError)
        self.assertQuiet()
        self.server.deliver()
        self.assertEqual(self.done(anext(feed)).id, "m1")

    @settings(max_examples=50, deadline=None)
    @given(st.floats(0, 1), st.integers(1, 40), st.none() | st.integers(0, 5000))
    def test_jitter(self, chance: float, failures: int, told: int | None) -> None:
        """A pause is within half and all of its nominal length, never less than Retry-After."""
        patience = Patience(self.clock, lambda: chance, self.client.on_retry)
        for _ in range(failures):
            pause = patience._pause(Unavailable(503, "busy", retry_after=told))
        nominal = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (failures - 1))
        extra = pause - (told or 0)
        self.assertTrue(nominal / 2 - 1e-6 <= extra <= nominal + 1e-6, (pause, nominal))
