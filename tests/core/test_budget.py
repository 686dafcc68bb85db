"""The count of all octets held."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.budget import Budget, holder
from tempmail.core.errors import MemoryFull, ShareSpent


class BudgetTests(SynchronousTestCase):
    """Taking and giving back."""

    def test_the_last_octet_fits(self) -> None:
        """What fits exactly is charged; an octet more is not, and changes nothing."""
        budget = Budget(10)
        self.assertTrue(budget.take(4))
        self.assertEqual((budget.fits(6), budget.fits(7)), (True, False))
        self.assertFalse(budget.take(7))
        self.assertTrue(budget.take(6))
        self.assertEqual(budget.used, 10)

    def test_giving_makes_room(self) -> None:
        """What is given back can be taken again."""
        budget = Budget(10)
        budget.take(10)
        budget.give(3)
        self.assertEqual((budget.take(4), budget.take(3), budget.used), (False, True, 10))

    def test_a_lower_limit(self) -> None:
        """A limit below what is held refuses all, and nothing is lost."""
        budget = Budget(10)
        budget.take(8)
        budget.limit = 5
        self.assertFalse(budget.take(0))
        budget.give(8)
        self.assertEqual(budget.used, 0)


class ShareTests(SynchronousTestCase):
    """What one client may have: as much as is left beside it."""

    def fill(self, budget: Budget, *clients: str) -> list[int]:
        """Let clients take what they get, an octet each in turn; returns what each has."""
        while [client for client in clients if budget.take(1, client)]:
            pass
        return [budget.held[client] for client in clients]

    def test_alone(self) -> None:
        """One alone gets half, and nobody, who is everybody that is not counted, all."""
        budget = Budget(100)
        self.assertEqual(self.fill(budget, "one"), [50])
        self.assertTrue(budget.take(50))
        self.assertFalse(budget.take(1))

    def test_several(self) -> None:
        """Several get as much as each other, and leave as much as that."""
        budget = Budget(100)
        self.assertEqual(self.fill(budget, "a", "b", "c"), [25, 25, 25])
        self.assertTrue(budget.take(12, "newcomer"))

    def test_more_to_one(self) -> None:
        """How many times what is left is for the operator to say."""
        self.assertEqual(self.fill(Budget(100, share=9), "one"), [90])
        self.assertEqual(self.fill(Budget(100, share=2), "a", "b"), [40, 40])

    def test_given_back(self) -> None:
        """Who gives back may take again, and who has nothing is not remembered."""
        budget = Budget(100)
        budget.take(40, "one")
        self.assertFalse(budget.take(11, "one"))
        budget.give(30, "one")
        self.assertTrue(budget.take(40, "one"))
        budget.give(50, "one")
        self.assertEqual((budget.used, budget.held), (0, {}))

    def test_why_not(self) -> None:
        """A client is told whether all is full, or only what is his."""
        budget = Budget(100)
        budget.pay(50, "one")
        self.assertRaises(ShareSpent, budget.check, 1, "one")
        self.assertRaises(ShareSpent, budget.check, 26, "other")
        self.assertEqual(budget.refused, {"memory_share": 2})
        budget.check(25, "other")
        budget.pay(50)
        for client in ("one", "other", ""):
            self.assertRaises(MemoryFull, budget.pay, 1, client)
        self.assertEqual((budget.used, budget.held), (100, {"one": 50}))

    def test_apart(self) -> None:
        """What a client holds under another name is held to the rule by itself."""
        budget = Budget(90)
        budget.pay(45, "one")
        self.assertFalse(budget.fits(1, "one"))
        budget.pay(22, holder("one", "requests"))
        self.assertTrue(budget.fits(11, holder("other", "requests")))
        self.assertEqual(holder("", "requests"), "")

    def test_absorb(self) -> None:
        """What was taken under one budget goes on under another, whosever it is."""
        budget, other = Budget(100), Budget(100)
        budget.pay(10, "one")
        other.pay(20, "one")
        other.pay(5)
        budget.absorb(other)
        self.assertEqual((budget.used, budget.held), (35, {"one": 30}))
