"""The count of all octets held."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.budget import Budget


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
