"""Lists: going on from a cursor, and certain mail only."""

from __future__ import annotations

from typing import Any

from tempmail.core.address import parse_address
from tempmail.core.message import Parcel
from tempmail.waiting import Match, Page
from tests.office import WaitingTestCase, mail


class CursorTests(WaitingTestCase):
    """Going on from where one was."""

    def test_pages(self) -> None:
        """Going on from each page's cursor meets every message once, in order."""
        for number in range(7):
            self.deliver(self.address, octets=mail(str(number)))
        seen, cursor = [], 0
        while True:
            asked = self.office.messages(self.address, self.token, after=cursor, limit=3)
            page = self.now(asked)
            if not page.messages:
                break
            seen += [message.parcel.octets for message in page.messages]
            cursor = page.cursor
        self.assertEqual(seen, [mail(str(number)) for number in range(7)])
        self.assertEqual((page.cursor, page.timed_out), (cursor, False))

    def test_cursor_from_before_an_expiry(self) -> None:
        """A cursor kept over an expiry misses nothing of the address's next life."""
        address = parse_address("x@qa.test")
        self.deliver(address)
        cursor = self.listed(address)[-1].sequence
        self.pass_time(601)
        self.deliver(address, octets=mail("new"))
        (message,) = self.listed(address, after=cursor)
        self.assertEqual(message.parcel.octets, mail("new"))


class MatchTests(WaitingTestCase):
    """Lists and waits for certain mail only."""

    def subjects(self, page: Page) -> list[str]:
        digests = self.now(self.office.digests(page.messages))
        return [digest.subject for digest in digests]

    def test_part_of_subject_or_sender(self) -> None:
        """A part of the subject, and of the sender's name or address, in any letter case."""
        for subject, sender in (
            ("Your Invoice", "Ann <ann@shop.test>"),
            ("Your code", "Bob <bob@bank.test>"),
            ("your INVOICE 2", "STRA\u00dfE <c@shop.test>"),
        ):
            self.deliver(self.address, octets=mail(subject, sender))
        for match, expected in (
            (Match(subject="invoice"), ["Your Invoice", "your INVOICE 2"]),
            (Match(sender="SHOP.test"), ["Your Invoice", "your INVOICE 2"]),
            (Match(sender="bob"), ["Your code"]),
            (Match(sender="strasse", subject="2"), ["your INVOICE 2"]),
            (Match(sender="ann", subject="code"), []),
            (Match(), ["Your Invoice", "Your code", "your INVOICE 2"]),
        ):
            page = self.now(self.office.messages(self.address, self.token, limit=10, match=match))
            self.assertEqual(self.subjects(page), expected)

    def test_limit_counts_what_matches(self) -> None:
        """A page of a filtered list holds so many that match, however many do not."""
        for number in range(20):
            self.deliver(self.address, octets=mail("even" if number % 2 == 0 else "odd"))
        match, cursor, pages = Match(subject="odd"), 0, []
        while True:
            asked = self.office.messages(
                self.address, self.token, after=cursor, limit=4, match=match
            )
            page = self.now(asked)
            if not page.messages:
                break
            pages.append(self.subjects(page))
            cursor = page.cursor
        self.assertEqual(pages, [["odd"] * 4, ["odd"] * 4, ["odd"] * 2])

    def test_limit_is_a_limit(self) -> None:
        """A page holds no more than asked for, though several looks were needed for it."""
        for subject in ("news", "news", *["code"] * 5):
            self.deliver(self.address, octets=mail(subject))
        match = Match(subject="code")
        page = self.now(self.office.messages(self.address, self.token, limit=3, match=match))
        self.assertEqual(self.subjects(page), ["code"] * 3)

    def test_wait_skips_what_does_not_match(self) -> None:
        """A wait goes on through mail that does not match and ends with the first that does."""
        waiting = self.wait(match=Match(subject="code"))
        for subject in ("news", "more news"):
            self.deliver(self.address, octets=mail(subject))
            self.turn()
            self.assertNoResult(waiting)
        self.deliver(self.address, octets=mail("your code"))
        self.turn()
        page = self.successResultOf(waiting)
        self.assertEqual(self.subjects(page), ["your code"])
        self.assert_no_trace()

    def test_waiting_in_vain_keeps_the_cursor(self) -> None:
        """A filtered wait that found nothing ends where it began, so another filter finds all."""
        waiting = self.wait(match=Match(subject="code"), after=3)
        self.deliver(self.address, octets=mail("news"))
        self.clock.advance(30)
        page = self.successResultOf(waiting)
        self.assertEqual((page.cursor, page.timed_out), (3, True))
        self.assertEqual(len(self.listed(self.address, self.token, after=page.cursor)), 1)

    def test_what_was_seen_not_to_match_is_not_read_again(self) -> None:
        """Each mail is read once in a wait, also where memory keeps nothing of the reading."""
        read: list[Parcel] = []
        digest = self.office._reading.digest

        def counting(parcel: Parcel) -> Any:
            read.append(parcel)
            return digest(parcel)

        self.office._reading.digest = counting  # type: ignore[method-assign]
        waiting = self.wait(match=Match(subject="code"))
        for _ in range(5):
            self.budget.limit = 2**30
            self.deliver(self.address, octets=mail("news"))
            self.budget.limit = self.budget.used
            self.turn()
        self.assertNoResult(waiting)
        self.assertEqual(len(read), 5)

    def test_wants_a_code(self) -> None:
        """Who wants a code waits through mail without one."""
        waiting = self.wait(match=Match(want="code"))
        self.deliver(self.address, octets=mail("Welcome", text="nothing here"))
        self.turn()
        self.assertNoResult(waiting)
        self.deliver(self.address, octets=mail("Your code", text="Your code is 493817."))
        self.turn()
        (digest,) = self.now(self.office.digests(self.successResultOf(waiting).messages))
        self.assertEqual(digest.code, "493817")
