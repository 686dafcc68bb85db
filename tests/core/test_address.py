"""Addresses: what two writings of one address have in common, and which names are given out."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from string import printable

from attrs.exceptions import FrozenInstanceError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.address import (
    RESERVED_LOCAL_PARTS,
    Address,
    choose_local,
    draw_local,
    draw_plain_local,
    normalise,
    normalise_domain,
    normalise_local,
    parse_address,
)
from tempmail.core.errors import BadAddress, ReservedAddress

law = settings(deadline=None, database=None)

# Letters that change their form when they are lower-cased or composed, and all else besides.
TRICKY = "\u0130\u0131\u017f\u1e9e\u00df\u03a3\u03c3\u03c2\u03aa\u0301\u0308\u0345\u212a\uff21e"
TEXTS = st.text(max_size=80) | st.text(alphabet=TRICKY, max_size=12) | st.text(alphabet=printable)
DOMAIN_TEXTS = st.text(max_size=80) | st.text(
    alphabet="aZ0-.xn\u00e9\u00df\u3002\u200d_", max_size=20
)


class NormaliseTests(SynchronousTestCase):
    """What is one address."""

    def assert_same(self, one: str, other: str) -> None:
        self.assertEqual(parse_address(one), parse_address(other))

    def assert_bad(self, text: str, why: str) -> None:
        self.assertIn(why, str(self.assertRaises(BadAddress, parse_address, text)))

    def test_letter_case_does_not_count(self) -> None:
        """Local part and domain are compared in lower case."""
        self.assert_same("Alice.B@QA.Test", "alice.b@qa.test")

    def test_composed_and_decomposed_are_one(self) -> None:
        """A letter with its accent beside it is the letter with its accent on it."""
        self.assert_same("jose\u0301@qa.test", "jos\u00e9@qa.test")

    def test_composes_again_after_lower_casing(self) -> None:
        """What has a composed form only in lower case is composed, too."""
        self.assert_same("\u03aa\u0301x@qa.test", "\u0390x@qa.test")

    def test_tag_is_for_display_only(self) -> None:
        """What follows the first plus sign is shown, and plays no part in looking up."""
        address = parse_address("Bob+News+Daily@qa.test")
        self.assertEqual(address, parse_address("bob@qa.test"))
        self.assertEqual(str(address), "bob@qa.test")
        self.assertEqual(address.displayed, "bob+news+daily@qa.test")
        self.assertEqual(address.untagged.displayed, "bob@qa.test")

    def test_plus_at_the_beginning_is_no_tag(self) -> None:
        """A local part that begins with a plus sign is all name."""
        self.assertEqual(parse_address("+bob@qa.test").local, "+bob")
        self.assertEqual(parse_address("bob+@qa.test"), parse_address("bob@qa.test"))

    def test_quotes_are_not_part_of_the_name(self) -> None:
        """A quoted local part is the name in the quotes (RFC 5321 section 4.1.2)."""
        self.assert_same('"bob"@qa.test', "bob@qa.test")
        self.assertEqual(parse_address(r'"a\"b\\c d"@qa.test').local, r'a"b\c d')

    def test_is_written_with_quotes_where_it_needs_them(self) -> None:
        """What is no dot-string is shown in quotes, so it is not taken for another mailbox."""
        for local, written in (
            ('"bob"', r'"\"bob\""@qa.test'),
            ("a b", '"a b"@qa.test'),
            ("a@b", '"a@b"@qa.test'),
            ("a..b", '"a..b"@qa.test'),
            (".a", '".a"@qa.test'),
            ("a\\", r'"a\\"@qa.test'),
            ("o'brien.j", "o'brien.j@qa.test"),
            ("\u03b1\u03b2", "\u03b1\u03b2@qa.test"),
        ):
            address = normalise(local, "qa.test")
            self.assertEqual(str(address), written)
            self.assertEqual(parse_address(written), address)
        self.assertEqual(normalise("a b+c", "qa.test").displayed, '"a b+c"@qa.test')

    def test_stray_dots_make_another_name(self) -> None:
        """A dot anywhere is part of the name, for between quotes it may be."""
        locals_ = [parse_address(f"{text}@qa.test").local for text in ("a..b", ".a", "a.", '".a"')]
        self.assertEqual(locals_, ["a..b", ".a", "a.", ".a"])

    def test_a_label_is_its_u_label(self) -> None:
        """A domain in letters of any script is the same as in ASCII (RFC 5890)."""
        self.assert_same("a@M\u00dcNCHEN.de", "a@xn--mnchen-3ya.de")
        self.assert_same("a@XN--MNCHEN-3YA.de", "a@m\u00fcnchen\u3002de")
        self.assertEqual(parse_address("a@stra\u00dfe.de").domain, "xn--strae-oqa.de")

    def test_address_literals(self) -> None:
        """An IP address in brackets is a domain, in one form (RFC 5321 section 4.1.3)."""
        self.assertEqual(normalise_domain("[192.0.2.1]"), "[192.0.2.1]")
        self.assertEqual(normalise_domain("[IPv6:2001:DB8:0:0::1]"), "[ipv6:2001:db8::1]")
        for bad in (
            "[]",
            "[1.2.3]",
            "[fe80::1]",
            "[IPv6:fe80::1%eth0]",
            "[a@b]",
            "[x]]",
            "[1.2.3.4",
        ):
            self.assertRaises(BadAddress, normalise_domain, bad)

    def test_lengths_are_octets(self) -> None:
        """A local part has at most 64 octets of UTF-8, its tag among them."""
        self.assertEqual(parse_address("a" * 64 + "@qa.test").local, "a" * 64)
        self.assertEqual(parse_address("\u00e9" * 32 + "@qa.test").local, "\u00e9" * 32)
        for local in ("a" * 65, "\u00e9" * 33, "a" * 32 + "+" + "b" * 32, "A" * 1_000_000):
            self.assert_bad(f"{local}@qa.test", "longer than 64 octets")

    def test_length_counts_when_composed(self) -> None:
        """Letters that composing makes fewer are counted after it."""
        self.assertEqual(parse_address("e\u0301" * 32 + "@qa.test").local, "\u00e9" * 32)
        marked = "\u03b1\u0313\u0300\u0345"
        self.assertEqual(parse_address(marked * 21 + "@qa.test").local, "\u1f82" * 21)

    def test_domain_lengths(self) -> None:
        """A domain has at most 255 octets and each of its labels 63."""
        long = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
        self.assertEqual(normalise_domain(long), long)
        for bad in (f"{long}.e.f", "a" * 64 + ".test", "\u00e9" * 60 + ".test"):
            self.assertRaises(BadAddress, normalise_domain, bad)

    def test_control_characters_are_refused(self) -> None:
        """No control, format or line-separating character and no lone surrogate is in a name."""
        for character in "\0\t\r\n\x1f\x7f\x85\u200b\u202e\u2028\u2029\ufeff\ud800\ue000":
            self.assert_bad(f"a{character}b@qa.test", "control character")
            self.assert_bad(f'"a{character}b"@qa.test', "control character")

    def test_no_local_part_or_no_domain(self) -> None:
        """An address has both."""
        self.assert_bad("bob", "local-part@domain")
        self.assert_bad("@qa.test", "the local part is empty")
        self.assert_bad('""@qa.test', "the local part is empty")
        self.assert_bad("bob@", "not well formed")

    def test_bad_labels(self) -> None:
        """What is no host name is no domain of mail."""
        for domain in (
            *("a..b", ".a", "a.", ".", "-a.test", "a-.test", "a.-b", "a_b.test", "a b.test"),
            *("ab--cd.test", "xn--a", "xn--zz--zz.test", "a\u200db.test", "\u2603.test", "*.test"),
            *("a\0b", "a:25", "\ud800.test", "a\n.test", "\uff0e"),
        ):
            self.assertRaises(BadAddress, normalise_domain, domain)

    def test_hostile_marks_cost_no_time(self) -> None:
        """Thousands of combining marks are refused for their number, before they are sorted."""
        self.assert_bad("a" + "\u0301\u0323" * 200_000 + "@qa.test", "longer than 64 octets")

    def test_addresses_of_a_domain_share_its_name(self) -> None:
        """The domain is one text, however many addresses have it."""
        one, other = parse_address("a@Qa.Test"), parse_address("b@qA.tesT")
        self.assertIs(one.domain, other.domain)

    def test_is_a_value(self) -> None:
        """An address can not change, and is hashed by what it is compared by."""
        address = parse_address("bob+x@qa.test")
        self.assertEqual(len({address, parse_address("BOB@qa.test")}), 1)
        with self.assertRaises(FrozenInstanceError):
            address.local = "eve"  # type: ignore[misc]


class AddressLaws(SynchronousTestCase):
    """What holds for any text."""

    @law
    @given(TEXTS, DOMAIN_TEXTS)
    @example("\u03aa\u0301", "qa.test")
    def test_normalising_is_idempotent(self, local: str, domain: str) -> None:
        """Normalising what was normalised changes nothing; all that is raised is BadAddress."""
        for normalised, text in ((normalise_local, local), (normalise_domain, domain)):
            with contextlib.suppress(BadAddress):
                once = normalised(text)
                self.assertEqual(normalised(once), once)

    @law
    @given(TEXTS, DOMAIN_TEXTS | st.just("qa.test"))
    @example("a+", "qa.test")
    def test_reading_what_was_written(self, local: str, domain: str) -> None:
        """Every address, written as text, is read as the same address, with its tag or without."""
        try:
            address = normalise(local, domain)
        except BadAddress:
            return
        self.assertEqual(parse_address(str(address)), address)
        shown = parse_address(address.displayed)
        self.assertEqual((shown, shown.tag), (address, address.tag))

    @law
    @given(st.text(max_size=400) | DOMAIN_TEXTS.map("a@".__add__))
    def test_parsing_raises_nothing_else(self, text: str) -> None:
        """Any text is an address or a BadAddress."""
        with contextlib.suppress(BadAddress):
            self.assertIsInstance(parse_address(text), Address)


class DrawnTests(SynchronousTestCase):
    """Local parts nobody chose."""

    def test_can_be_said(self) -> None:
        """A drawn local part is four syllables and three digits."""
        for _ in range(200):
            self.assertRegex(
                draw_local(), re.compile(r"\A(?:[bdfghjklmnprstvz][aeiou]){4}[0-9]{3}\Z")
            )

    def test_plain_form(self) -> None:
        """The small interface's are eight letters and digits that print apart."""
        for _ in range(200):
            self.assertRegex(draw_plain_local(), re.compile(r"\A[a-hjkmnp-z2-9]{8}\Z"))

    def test_do_not_repeat(self) -> None:
        """Ten thousand draws of 35 bits meet about once in 680 runs, and never in a hundred."""
        for draw in (draw_local, draw_plain_local):
            self.assertGreater(len({draw() for _ in range(10_000)}), 9_990)

    def test_use_the_whole_alphabet(self) -> None:
        """Every character that may come does."""
        self.assertEqual(len(set("".join(draw_local() for _ in range(2_000)))), 16 + 5 + 10)
        self.assertEqual(len(set("".join(draw_plain_local() for _ in range(2_000)))), 31)

    def test_may_be_given_out(self) -> None:
        """What is drawn could have been chosen and is its own normal form."""
        for draw in (draw_local, draw_plain_local):
            drawn = draw()
            self.assertEqual(choose_local(drawn), drawn)


class ChosenTests(SynchronousTestCase):
    """Local parts somebody asked for."""

    def test_words_of_any_script(self) -> None:
        """Letters and digits with single dots, hyphens and underscores between them are given."""
        for wished, given_ in (
            ("Anna-Maria.o_2", "anna-maria.o_2"),
            ("\u65e5\u672c", "\u65e5\u672c"),
            ("\u0928\u092e\u0938\u094d\u0924\u0947", "\u0928\u092e\u0938\u094d\u0924\u0947"),
            ("7", "7"),
            ("a" * 64, "a" * 64),
        ):
            self.assertEqual(choose_local(wished), given_)

    def test_other_characters(self) -> None:
        """Separators at an edge or in a row, and whatever else needs care, are refused."""
        for wished in (
            *(
                "",
                ".a",
                "a.",
                "a..b",
                "-a",
                "a_-b",
                "a+b",
                "a b",
                "a@b",
                '"a"',
                "a/b",
                "a%b",
                "a'b",
            ),
            *("\u0301a", "a.\u0301b", "a\u200db", "\U0001f600", "a\n", "a" * 65),
        ):
            self.assertRaises(BadAddress, choose_local, wished)

    def test_reserved_names(self) -> None:
        """No reserved name is given out, in capitals neither."""
        for name in RESERVED_LOCAL_PARTS:
            self.assertRaises(ReservedAddress, choose_local, name)
            self.assertRaises(ReservedAddress, choose_local, name.upper())

    def test_reserved_names_are_documented(self) -> None:
        """docs/running.md names each of them, and no other."""
        page = (Path(__file__).parents[2] / "docs/running.md").read_text("utf-8")
        section = page.split("### Reserved names\n", 1)[1].split("\n### ", 1)[0]
        rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
        self.assertEqual(set(re.findall(r"`([\w-]+)`", "".join(rows))), RESERVED_LOCAL_PARTS)

    def test_names_of_validation_mail_are_reserved(self) -> None:
        """The five names a certificate authority writes to, and RFC 2142's, are reserved."""
        names = {"admin", "administrator", "webmaster", "hostmaster", "postmaster"}
        self.assertLessEqual(names | {"abuse", "noc", "security"}, RESERVED_LOCAL_PARTS)

    def test_look_alikes(self) -> None:
        """What a person would take for a reserved name is not given out either."""
        for wished in (
            *("post-master", "p.o.s.t.m.a.s.t.e.r", "mailer_daemon", "adm1n", "r00t", "adrnin"),
            *(
                "\uff41\uff44\uff4d\uff49\uff4e",
                "\u0430dmin",
                "s\u00e9curity",
                "\u0440\u043e\u0455tmaster",
            ),
            *("adm\u0131n", "secur\u0131ty", "supp\u03bfrt"),
        ):
            self.assertRaises(ReservedAddress, choose_local, wished)

    def test_innocent_neighbours(self) -> None:
        """A longer name, and a short one that only resembles one of two letters, are given."""
        for wished in ("adminx", "rooted", "15", "lt", "my-info", "postmaster2", "supporters"):
            self.assertEqual(choose_local(wished), wished)
