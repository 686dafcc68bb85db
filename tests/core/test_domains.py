"""Which domains take mail, and how."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import RESERVED_LOCAL_PARTS, normalise, parse_address
from tempmail.core.domains import Domain, Domains, Mode
from tempmail.core.errors import BadAddress, UnknownDomain


class ParseTests(SynchronousTestCase):
    """What the operator writes."""

    def test_mode_is_minted_unless_said(self) -> None:
        """A domain alone is for minted addresses."""
        self.assertEqual(Domain.parse("Qa.Test"), Domain("qa.test", Mode.MINTED))
        self.assertEqual(Domain.parse("qa.test:minted"), Domain("qa.test", Mode.MINTED))
        self.assertEqual(Domain.parse("qa.test:catch-all"), Domain("qa.test", Mode.CATCH_ALL))

    def test_star(self) -> None:
        """A star stands for what is below the domain, and is written back."""
        domain = Domain.parse("*.M\u00fcnchen.de:catch-all")
        self.assertEqual(domain, Domain("xn--mnchen-3ya.de", Mode.CATCH_ALL, subdomains=True))
        self.assertEqual(str(domain), "*.xn--mnchen-3ya.de")

    def test_mistakes(self) -> None:
        """What is no domain or no mode is refused."""
        for text in (
            *(
                "",
                ":catch-all",
                "*.",
                "*",
                "a.*.b",
                "qa.test:all",
                "a b",
                "[192.0.2.1]",
                "*.*.test",
            ),
            "[IPv6:::1]",
        ):
            self.assertRaises(BadAddress, Domain.parse, text)


class DomainsTests(SynchronousTestCase):
    """Which entry an address falls under."""

    domains = Domains.parse(
        ["*.qa.test:catch-all", "own.qa.test", "*.deep.qa.test", "ci.test:catch-all", "mail.test"]
    )

    def mode(self, address: str) -> Mode:
        return self.domains.mode_of(parse_address(address))

    def test_exact_before_star(self) -> None:
        """A domain that is named itself is what it is named to be."""
        self.assertIs(self.mode("a@own.qa.test"), Mode.MINTED)
        self.assertIs(self.mode("a@other.qa.test"), Mode.CATCH_ALL)

    def test_star_reaches_any_depth(self) -> None:
        """A star stands for one label or many."""
        self.assertIs(self.mode("a@x.y.z.qa.test"), Mode.CATCH_ALL)
        self.assertIs(self.mode("a@below.own.qa.test"), Mode.CATCH_ALL)

    def test_nearest_star_counts(self) -> None:
        """Of two stars the one with more labels counts."""
        self.assertIs(self.mode("a@x.deep.qa.test"), Mode.MINTED)
        self.assertIs(self.mode("a@deep.qa.test"), Mode.CATCH_ALL)

    def test_star_is_not_its_own_domain(self) -> None:
        """``*.qa.test`` does not stand for ``qa.test``."""
        self.assertRaises(UnknownDomain, self.mode, "a@qa.test")

    def test_unknown(self) -> None:
        """A domain nobody named takes no mail, however much it resembles one."""
        for domain in ("other.test", "test", "xci.test", "sub.ci.test", "ci.test.evil.example"):
            self.assertRaises(UnknownDomain, self.mode, f"a@{domain}")

    def test_reserved_names_are_in_no_catch_all(self) -> None:
        """Nobody reads the mail by which a domain's owner is told from others."""
        for local in RESERVED_LOCAL_PARTS:
            for domain in ("ci.test", "x.qa.test"):
                self.assertIs(self.domains.mode_of(normalise(local, domain)), Mode.MINTED)
        self.assertIs(self.mode("Admin+tag@CI.test"), Mode.MINTED)

    def test_operators_addresses(self) -> None:
        """Mail to postmaster and abuse is the operator's, in every domain."""
        for text in ("Postmaster@ci.test", "abuse+x@mail.test"):
            self.assertTrue(self.domains.is_operators(parse_address(text)))
        self.assertFalse(self.domains.is_operators(parse_address("admin@ci.test")))

    def test_default(self) -> None:
        """Addresses are minted in the first domain that is for minting, else in the first named."""
        self.assertEqual(self.domains.default.name, "own.qa.test")
        self.assertEqual(Domains.parse(["b.test:catch-all", "c.test"]).default.name, "c.test")
        catch_all = Domains.parse(["*.a.test", "b.test:catch-all", "c.test:catch-all"])
        self.assertEqual(catch_all.default.name, "b.test")
        self.assertEqual(Domains.parse(["*.a.test"]).default.name, "a.test")
