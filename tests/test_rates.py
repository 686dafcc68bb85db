"""How often each client may do each thing."""

from __future__ import annotations

import threading
from collections import Counter
from ipaddress import IPv4Network
from typing import get_args

import attrs
from limits import parse
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import Limits
from tempmail.core.peer import LOOPBACK
from tempmail.rates import Rate, Rates, Windows

LIMITS = Limits(mint_rate=parse("3/minute"), wrong_token_rate=parse("4/minute"))


class WindowsTests(SynchronousTestCase):
    """The storage that counts are kept in."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.windows = Windows(self.clock, most=10)

    def test_counts(self) -> None:
        """What is counted under one key adds up until its time is over, by our clock alone."""
        self.assertEqual([self.windows.incr("a", 60), self.windows.incr("a", 60, 5)], [1, 6])
        self.assertEqual(self.windows.get("b"), 0)
        self.assertEqual(self.windows.get_expiry("a"), self.clock.seconds() + 60)
        self.clock.advance(59)
        self.assertEqual(self.windows.get("a"), 6)
        self.clock.advance(1)
        self.assertEqual(self.windows.get("a"), 0)
        self.assertEqual(self.windows.incr("a", 60), 1)

    def test_nothing_runs(self) -> None:
        """Counting starts neither a thread nor a timer."""
        threads = threading.active_count()
        self.windows.incr("a", 60)
        self.assertEqual(threading.active_count(), threads)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self) -> None:
        """However many keys come, no more than twice as many as wished are kept."""
        for number in range(1000):
            self.windows.incr(str(number), 60)
            self.assertLessEqual(len(self.windows), 20)

    def test_whoever_goes_on_is_remembered(self) -> None:
        """A flood of other keys makes nobody forgotten who is counted meanwhile."""
        for number in range(1000):
            self.windows.incr(str(number), 60)
            self.assertEqual(self.windows.incr("a", 60), number + 1)

    def test_nothing_is_forgotten_too_early(self) -> None:
        """A count holds to its end, whatever the time that others are counted at."""
        begun_again = [("a", start) for start in range(60, 130)]
        for first, start in [("first", start) for start in range(130)] + begun_again:
            windows = Windows(self.clock)
            windows.incr(first, 60)
            self.clock.advance(start)
            windows.incr("a", 60, 7)
            for _ in range(59):
                self.clock.advance(1)
                windows.incr("other", 60)
                self.assertEqual(windows.get("a"), 7)

    def test_forgets(self) -> None:
        """What was not counted for twice the longest time is gone with the next count."""
        for number in range(8):
            self.windows.incr(str(number), 60)
        self.clock.advance(120)
        self.windows.incr("a", 60)
        self.assertEqual(len(self.windows), 1)

    def test_whole_interface(self) -> None:
        """It is a storage of ``limits``: one can clear a count, all counts, and ask for health."""
        self.windows.incr("a", 60)
        self.windows.incr("b", 60)
        self.windows.clear("a")
        self.assertEqual((self.windows.get("a"), self.windows.get("b")), (0, 1))
        self.assertEqual(self.windows.reset(), 1)
        self.assertEqual(self.windows.get("b"), 0)
        self.assertTrue(self.windows.check())


class RatesTests(SynchronousTestCase):
    """Asking before doing."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.refused: Counter[str] = Counter()
        self.rates = Rates(self.clock, LIMITS, LOOPBACK, self.refused)

    def mint(self, client: str = "192.0.2.1", times: int = 1) -> list[int]:
        return [self.rates.ask("mint_rate", client) for _ in range(times)]

    def test_names(self) -> None:
        """Every rate is a field of Limits, and every field that is a rate can be asked for."""
        fields = {field.name for field in attrs.fields(Limits) if field.metadata["unit"] == "rate"}
        self.assertEqual(fields, set(get_args(Rate)))

    def test_so_often(self) -> None:
        """A client may do a thing so often in a time, and is told when that is over."""
        self.assertEqual(self.mint(times=4), [0, 0, 0, 60])
        self.clock.advance(20.5)
        self.assertEqual(self.mint(), [40])
        self.clock.advance(39.4)
        self.assertEqual(self.mint(), [1])
        self.clock.advance(0.1)
        self.assertEqual(self.mint(times=4), [0, 0, 0, 60])

    def test_each_by_itself(self) -> None:
        """Clients are counted by themselves, and so is each thing they do."""
        self.mint(times=3)
        self.assertEqual(self.mint("192.0.2.2"), [0])
        self.assertEqual(self.rates.ask("wrong_token_rate", "192.0.2.1"), 0)

    def test_cost(self) -> None:
        """Several may be asked for at once."""
        self.assertEqual(self.rates.ask("mint_rate", "a", 3), 0)
        self.assertEqual(self.rates.ask("mint_rate", "a"), 60)

    def test_nobody(self) -> None:
        """No rate holds for nobody, which is whom an exempt client counts for."""
        self.assertEqual(self.mint("", times=10), [0] * 10)
        for host, client in (
            ("127.0.0.1", ""),
            ("127.8.9.1", ""),
            ("::1", ""),
            ("::ffff:127.0.0.1", ""),
            ("", ""),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::/64"),
            ("localhost", "localhost"),
        ):
            self.assertEqual(self.rates.whose(host), client, host)

    def test_other_exempt(self) -> None:
        """Whom the operator exempts is not counted, and this machine then is."""
        rates = Rates(self.clock, LIMITS, [IPv4Network("10.0.0.0/8")])
        self.assertEqual([rates.whose("10.1.2.3"), rates.whose("127.0.0.1")], ["", "127.0.0.1"])

    def test_unlimited(self) -> None:
        """Without rates everybody may do everything, guess too."""
        self.rates.limits = LIMITS.without_client_limits()
        self.assertEqual(self.mint(times=10), [0] * 10)
        self.assertEqual([self.rates.guess("wrong_token_rate", "a") for _ in range(9)], [0.0] * 9)
        self.assertEqual(self.rates.barred("wrong_token_rate", "a"), 0)

    def test_changed(self) -> None:
        """Limits that change hold from then on, for what was counted already too."""
        self.mint(times=3)
        self.rates.limits = attrs.evolve(LIMITS, mint_rate=parse("5/minute"))
        self.assertEqual(self.mint(times=3), [0, 0, 60])
        self.rates.limits = attrs.evolve(LIMITS, mint_rate=parse("2 per 5 seconds"))
        self.clock.advance(60)
        self.assertEqual(self.mint(times=3), [0, 0, 5])

    def test_counted(self) -> None:
        """Each refusal is counted by its reason."""
        self.mint(times=5)
        for _ in range(5):
            self.rates.guess("wrong_token_rate", "a")
            self.rates.barred("wrong_token_rate", "a")
        self.assertEqual(self.refused, {"mint_rate": 2, "wrong_token_rate": 2})

    def test_guesses(self) -> None:
        """Who made all his guesses is barred until their time is over; others are not."""
        shares = []
        for _ in range(4):
            self.assertEqual(self.rates.barred("wrong_token_rate", "a"), 0)
            shares.append(self.rates.guess("wrong_token_rate", "a"))
        self.assertEqual(shares, [0.25, 0.5, 0.75, 1.0])
        self.clock.advance(10)
        self.assertEqual(self.rates.barred("wrong_token_rate", "a"), 50)
        self.assertEqual(self.rates.barred("wrong_token_rate", "b"), 0)
        self.assertEqual(self.rates.barred("wrong_token_rate", ""), 0)
        self.assertEqual(self.rates.guess("wrong_token_rate", "a"), 1.0)
        self.clock.advance(50)
        self.assertEqual(self.rates.barred("wrong_token_rate", "a"), 0)
        self.assertEqual(self.rates.guess("wrong_token_rate", "a"), 0.25)
