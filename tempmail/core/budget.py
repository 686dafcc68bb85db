"""The memory budget: one count of every octet held, wherever it is held."""

from __future__ import annotations

from attrs import define


@define(eq=False)
class Budget:
    """Octets that may be held and octets that are.

    The store charges what it keeps, receiving charges what is half received, reading charges what
    was understood, the web charges connections, bodies and long answers; whoever takes gives back
    exactly that much.
    """

    limit: int
    used: int = 0

    def fits(self, octets: int) -> bool:
        """Whether ``take`` would charge ``octets`` now."""
        return self.used + octets <= self.limit

    def take(self, octets: int, beyond: int = 0) -> bool:
        """Charge ``octets`` if they fit, or would with ``beyond`` more; says whether they did."""
        if self.used + octets > self.limit + beyond:
            return False
        self.used += octets
        return True

    def charge(self, octets: int) -> None:
        """Charge what can not be refused; what can be has less room then."""
        self.used += octets

    def give(self, octets: int) -> None:
        """Give back what was taken."""
        self.used -= octets
