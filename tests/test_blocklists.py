"""Whose mail is refused before it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.names import dns
from twisted.names.error import DNSNameError, DNSServerError
from twisted.trial.unittest import SynchronousTestCase

from tempmail.blocklists import BlockedSenders, DnsBlocklists, reversed_name
from tempmail.core.errors import ListedClient
from tempmail.core.limits import (
    DNSBL_FAILURE_TTL,
    DNSBL_MISS_TTL,
    DNSBL_SECONDS,
    MAX_DNSBL_ANSWERS,
    MAX_DNSBL_QUESTIONS,
    MAX_DNSBL_TTL,
    MIN_DNSBL_TTL,
)

_FILE = """
# Nobody wants these.
Spam@Example.org       # one sender
@exact.example
  site.example
.dotted.example
bücher.example
192.0.2.0/24
198.51.100.7
2001:db8::/32
"""


class BlockedSendersTests(SynchronousTestCase):
    """The operator's own list."""

    def test_entries(self) -> None:
        """A sender, a domain, a domain with all below it, a network: each blocks what it says."""
        blocked = BlockedSenders.parse(_FILE)
        for host, local, domain, expected in (
            ("", "spam", "example.org", True),
            ("", "SPAM", "EXAMPLE.ORG", True),
            ("", "ham", "example.org", False),
            ("", "spam", "sub.example.org", False),
            ("", "a", "exact.example", True),
            ("", "a", "sub.exact.example", False),
            ("", "a", "site.example", True),
            ("", "a", "very.deep.site.example", True),
            ("", "a", "othersite.example", False),
            ("", "a", "example", False),
            ("", "a", "x.dotted.example", True),
            ("", "a", "xn--bcher-kva.example", True),
            ("", "a", "BÜCHER.example", True),
            ("192.0.2.9", "a", "b.test", True),
            ("::ffff:192.0.2.9", "a", "b.test", True),
            ("198.51.100.7", "", "", True),
            ("198.51.100.8", "a", "b.test", False),
            ("2001:db8:9::1", "a", "b.test", True),
            ("2001:db9::1", "a", "b.test", False),
            ("", "a", "[192.0.2.9]", False),
            ("", "a", "..", False),
        ):
            self.assertEqual(blocked.blocks(host, local, domain), expected, (host, local, domain))

    def test_null_sender(self) -> None:
        """Bounces come from nobody, whom nothing in the file names."""
        self.assertFalse(BlockedSenders.parse(_FILE).blocks("203.0.113.1", "", ""))

    def test_empty(self) -> None:
        """A file of comments blocks nobody."""
        blocked = BlockedSenders.parse("# a@b.test\n\n")
        self.assertFalse(blocked.blocks("192.0.2.1", "a", "b.test"))

    def test_as_written_elsewhere(self) -> None:
        """A mark of byte order, which some editors put first, is none of it; quotes are read."""
        blocked = BlockedSenders.parse('\ufeffa.test\n"b c"@d.test\n')
        self.assertTrue(blocked.blocks("", "x", "a.test"))
        self.assertTrue(blocked.blocks("", "b c", "d.test"))

    def test_never(self) -> None:
        """What could never match, or would block something else than it says, is a mistake."""
        for text, complaint in (
            ("*@example.org", "line 1: '*@example.org': nothing stands for any sender"),
            ("a.test\nspam*@example.org", "line 2: 'spam*@example.org': nothing stands for"),
            ("a@b.test, c@d.test", "line 1: 'a@b.test, c@d.test' is no sender"),
            ("a@b@c.test", "line 1: 'a@b@c.test' is no sender"),
            ("a b@c.test", "line 1: 'a b@c.test' is no sender"),
            ("a#b@x.test", "line 1: 'a#b@x.test': a comment begins behind a blank"),
            ("a@x.test#bad", "line 1: 'a@x.test#bad': a comment begins behind a blank"),
        ):
            error = self.assertRaises(ValueError, BlockedSenders.parse, text)
            self.assertIn(complaint, str(error))

    def test_mistakes(self) -> None:
        """What is none of these is said to be, with its line."""
        for text, complaint in (
            ("a.test\n\nb@\n", "line 3: 'b@' is no sender, domain or network"),
            ("two words.test", "line 1: 'two words.test' is no"),
            ("192.0.2.0/33", "line 1: '192.0.2.0/33' is no"),
            ("a..test", "line 1: 'a..test' is no"),
            ("<a@b.test>", "line 1: '<a@b.test>' is no"),
            ("@", "line 1: '@' is no"),
        ):
            error = self.assertRaises(ValueError, BlockedSenders.parse, text)
            self.assertIn(complaint, str(error))


class NameTests(SynchronousTestCase):
    """How a list calls an address."""

    def test_names(self) -> None:
        """Octets or nibbles, the last first (RFC 5782 sections 2.1 and 2.4)."""
        self.assertEqual(reversed_name("192.0.2.99"), "99.2.0.192")
        self.assertEqual(reversed_name("::ffff:192.0.2.99"), "99.2.0.192")
        self.assertEqual(
            reversed_name("2001:db8:1:2:3:4:567:89ab"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2",
        )
        self.assertRaises(ValueError, reversed_name, "nobody")


Records = tuple[list[dns.RRHeader], list[dns.RRHeader], list[dns.RRHeader]]


class Asked:
    """A resolver whose answers the test gives."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.answers: list[Deferred[Records]] = []
        self.broken = False

    def lookupAddress(self, name: str, timeout: Sequence[int] | None = None) -> Deferred[Records]:
        if self.broken:
            raise OSError("no socket left")
        self.names.append(name)
        self.answers.append(Deferred())
        return self.answers[-1]


def found(*addresses: str, ttl: int = 300) -> Records:
    """An answer with A records, behind a record of another type."""
    alias = dns.RRHeader("x", dns.CNAME, payload=dns.Record_CNAME("y"), ttl=ttl)
    records = [
        dns.RRHeader("y", payload=dns.Record_A(address, ttl=ttl), ttl=ttl) for address in addresses
    ]
    return [alias, *records], [], []


class ListsTestCase(SynchronousTestCase):
    """Lists on a clock and a resolver that the test turns."""

    zones: tuple[str, ...] = ("bl.test",)
    host = "203.0.113.5"

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.resolver = Asked()
        self.refused: Counter[str] = Counter()
        self.lists = DnsBlocklists(self.clock, self.resolver, self.zones, self.refused)

    def tearDown(self) -> None:
        for answer in self.resolver.answers:
            if not answer.called:
                answer.callback(([], [], []))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class OneListTests(ListsTestCase):
    """Asking one list about clients."""

    def learn(self, answer: Records | Exception, host: str = ListsTestCase.host) -> str:
        """What comes of one question that one list answers."""
        looked_up = self.lists.look_up(host)
        self.assertNoResult(looked_up)
        asked = self.resolver.answers[-1]
        if isinstance(answer, Exception):
            asked.errback(answer)
        else:
            asked.callback(answer)
        return self.successResultOf(looked_up)

    def test_listed(self) -> None:
        """An answer in 127.0.0.0/8 means that the client is in the list."""
        self.assertEqual(self.learn(found("127.0.0.2")), "bl.test")
        self.assertEqual(self.resolver.names, ["5.113.0.203.bl.test"])
        self.failureResultOf(self.lists.check(self.host), ListedClient)
        self.assertEqual(self.refused, {"dnsbl": 1})

    def test_not_listed(self) -> None:
        """No such name, and a name without an address, mean that it is not."""
        for host, answer in (
            ("203.0.113.6", DNSNameError(dns.Message())),
            ("203.0.113.7", found()),
        ):
            self.assertEqual(self.learn(answer, host), "")
            self.assertIsNone(self.successResultOf(self.lists.check(host)))
        self.assertEqual(self.refused, {})

    def test_error_codes(self) -> None:
        """A list that answers with an error, or with anything it may not, lists nobody."""
        for number, address in enumerate(("127.255.255.254", "192.0.2.1", "10.0.0.1")):
            self.clock.advance(3600)
            with capturedLogs() as events:
                self.assertEqual(self.learn(found(address), f"203.0.113.{number}"), "")
            (line,) = map(formatEvent, events)
            self.assertIn(f"the blocklist bl.test answers {address}", line or "")

    def test_one_line(self) -> None:
        """Of such answers there is one line in the log and not one for each."""
        with capturedLogs() as events:
            for number in range(10):
                self.learn(found("127.255.255.255"), f"203.0.113.{number}")
        self.assertEqual(len(events), 1)

    def test_error_beside_listing(self) -> None:
        """An error code beside a listing takes nothing from it."""
        self.assertEqual(self.learn(found("127.255.255.1", "127.0.0.4")), "bl.test")

    def test_fails_open(self) -> None:
        """A list that fails says nothing, and is asked again after a while."""
        for number, error in enumerate((DNSServerError(dns.Message()), OSError(), KeyError())):
            self.assertEqual(self.learn(error, f"203.0.113.{number}"), "")
        self.clock.advance(DNSBL_FAILURE_TTL)
        self.assertNoResult(self.lists.look_up("203.0.113.0"))
        self.resolver.broken = True
        self.assertEqual(self.successResultOf(self.lists.look_up("203.0.113.9")), "")

    def test_in_time(self) -> None:
        """A list that does not answer in time says nothing, and what comes later is not heard."""
        looked_up = self.lists.look_up(self.host)
        self.clock.advance(DNSBL_SECONDS - 0.1)
        self.assertNoResult(looked_up)
        self.clock.advance(0.1)
        self.assertEqual(self.successResultOf(looked_up), "")

    def test_asked_once(self) -> None:
        """Who comes several times at once is asked about once."""
        looked_up = [self.lists.look_up(self.host) for _ in range(3)]
        self.assertEqual(len(self.resolver.names), 1)
        self.resolver.answers[0].callback(found("127.0.0.2"))
        self.assertEqual([self.successResultOf(each) for each in looked_up], ["bl.test"] * 3)

    def test_remembered(self) -> None:
        """An answer holds as long as it says itself, within bounds."""
        for ttl, holds in (
            (300, 300),
            (0, MIN_DNSBL_TTL),
            (10**6, MAX_DNSBL_TTL),
        ):
            self.learn(found("127.0.0.2", ttl=ttl))
            self.clock.advance(holds - 1)
            self.assertEqual(self.successResultOf(self.lists.look_up(self.host)), "bl.test")
            self.clock.advance(1)
        self.learn(DNSNameError(dns.Message()))
        self.clock.advance(DNSBL_MISS_TTL - 1)
        self.assertEqual(self.successResultOf(self.lists.look_up(self.host)), "")

    def test_bounded(self) -> None:
        """Answers that are remembered, and questions at a time, have an end."""
        for number in range(MAX_DNSBL_QUESTIONS):
            self.assertNoResult(self.lists.look_up(f"203.0.{number // 256}.{number % 256}"))
        self.assertEqual(self.successResultOf(self.lists.look_up("198.51.100.1")), "")
        for answer in self.resolver.answers:
            answer.callback(found())
        for number in range(MAX_DNSBL_ANSWERS):
            self.learn(found(), f"2001:db8::{number:x}")
        self.assertLessEqual(len(self.lists._answers), MAX_DNSBL_ANSWERS)

    def test_never_asked(self) -> None:
        """Nobody asks about addresses that mean nothing elsewhere, or about no address."""
        for host in (
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.1.1",
            "::1",
            "fe80::1%eth0",
            "fd00::1",
            "::ffff:10.0.0.1",
            "",
            "nobody",
        ):
            self.assertEqual(self.successResultOf(self.lists.look_up(host)), "", host)
        self.assertEqual(self.resolver.names, [])


class SeveralListsTests(ListsTestCase):
    """More than one list, all asked at once."""

    zones = ("a.test", "b.test")

    def test_any(self) -> None:
        """One that lists the client is enough, whatever becomes of the others."""
        looked_up = self.lists.look_up(self.host)
        self.assertEqual(self.resolver.names, ["5.113.0.203.a.test", "5.113.0.203.b.test"])
        self.resolver.answers[1].callback(found("127.0.0.2"))
        self.assertNoResult(looked_up)
        self.clock.advance(DNSBL_SECONDS)
        self.assertEqual(self.successResultOf(looked_up), "b.test")
