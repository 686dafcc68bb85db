"""The use cases: minting, taking mail in, and how long things last."""

from __future__ import annotations

import gc

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail
from zope.interface.verify import verifyObject

from tempmail.core.address import Address, parse_address
from tempmail.core.errors import (
    AddressTaken,
    BadAddress,
    LifetimeOutOfBounds,
    MailboxFull,
    MemoryFull,
    MessageTooBig,
    NoSuchMailbox,
    NoSuchMessage,
    ReservedAddress,
    ShareSpent,
    SomeRefused,
    TempmailError,
    TooManyMailboxes,
    UnknownDomain,
)
from tempmail.core.limits import MAILBOX_COST, MAX_PATH_OCTETS, MESSAGE_COST, PARCEL_COST, Limits
from tempmail.core.mailbox import MailboxState, Opening
from tempmail.core.message import Envelope
from tempmail.interfaces import IMailDrop, IMailReader
from tempmail.isolation.job import Stopped
from tempmail.postoffice import PostOffice
from tempmail.reading import Reading
from tempmail.store.memory import MemoryStore
from tests.office import DOMAINS, OPERATOR, OfficeTestCase, mail

ENVELOPE = Envelope("ann@shop.test")
DAY = 24 * 3600


class CrowdedStore(MemoryStore):
    """A store in which the next so many addresses are taken."""

    crowd = 0

    def create(self, address: Address, opening: Opening, payer: str = "") -> Deferred[MailboxState]:
        if not self.crowd:
            return super().create(address, opening, payer)
        self.crowd -= 1
        return fail(AddressTaken("taken"))


class MintTests(OfficeTestCase):
    """New addresses."""

    def test_views(self) -> None:
        """One object is what the receiving side sees and what the web sees."""
        verifyObject(IMailDrop, self.office)
        verifyObject(IMailReader, self.office)

    def test_drawn(self) -> None:
        """Whoever asks for nothing gets a private mailbox in the default domain."""
        state = self.mint().mailbox
        self.assertEqual((state.address.domain, state.public), ("tempmail.test", False))
        self.assertEqual(state.expires_at, self.clock.seconds() + 600)
        self.assertEqual(state.max_expires_at, self.clock.seconds() + DAY)
        self.assertNotEqual(self.mint().mailbox.address, state.address)

    def test_wished(self) -> None:
        """A local part, a domain, a lifetime and openness may be wished for."""
        minted = self.mint("Bob.Smith", domain="A.B.CI.test", lifetime=30, public=True)
        state = minted.mailbox
        self.assertEqual(str(state.address), "bob.smith@a.b.ci.test")
        self.assertEqual((state.public, state.expires_at), (True, self.clock.seconds() + 30))

    def test_public_in_a_catch_all(self) -> None:
        """In a catch-all every mailbox is public."""
        self.assertTrue(self.mint("x", domain="qa.test").mailbox.public)

    def test_refused_wishes(self) -> None:
        """What can not be had is refused for its own reason."""
        self.mint("taken")
        self.deliver("opened@qa.test")
        mint = self.office.mint
        self.refused(AddressTaken, mint(local_part="Taken"))
        self.refused(AddressTaken, mint(local_part="opened", domain="qa.test"))
        self.refused(BadAddress, mint(local_part="a..b"))
        self.refused(BadAddress, mint(local_part=""))
        self.refused(ReservedAddress, mint(local_part="admin"))
        self.refused(ReservedAddress, mint(local_part="Post-Master", domain="qa.test"))
        self.refused(UnknownDomain, mint(domain="example.org"))
        self.refused(UnknownDomain, mint(domain="ci.test"))
        self.refused(BadAddress, mint(domain="a..b"))

    def test_lifetimes(self) -> None:
        """A lifetime lies within the operator's bounds, and both bounds are allowed."""
        for lifetime in (1, DAY):
            state = self.mint(lifetime=lifetime).mailbox
            self.assertEqual(state.expires_at, self.clock.seconds() + lifetime)
        for lifetime in (0, -1, DAY + 1):
            self.refused(LifetimeOutOfBounds, self.office.mint(lifetime=lifetime))

    def test_quota(self) -> None:
        """A client holds so many mailboxes; another, and one who is not counted, has his own."""
        for _ in range(3):
            self.mint(client="192.0.2.1")
        self.refused(TooManyMailboxes, self.office.mint(client="192.0.2.1"))
        self.mint(client="192.0.2.2")
        self.mint()
        self.pass_time(600)
        self.mint(client="192.0.2.1")

    def test_mailboxes_of_a_client_share_its_name(self) -> None:
        """However many mailboxes a client has, its name is kept once."""
        for _ in range(2):
            self.mint(client="".join(["192.0.", "2.1"]))
        one, other = self.store._shelves.mailboxes
        self.assertIs(one.opening.client, other.opening.client)

    def test_drawing_goes_on(self) -> None:
        """A drawn address that is taken is nobody's problem; a full domain is said to be full."""
        self.store_class = CrowdedStore
        self.build(self.limits)
        assert isinstance(self.store, CrowdedStore)
        self.store.crowd = 10
        self.assertTrue(self.mint().mailbox.address.local)
        self.store.crowd = 10**6
        self.refused(AddressTaken, self.office.mint())
        self.assertGreater(self.store.crowd, 10**6 - 100)


class ExtendTests(OfficeTestCase):
    """Longer lives."""

    def test_from_now(self) -> None:
        """An extended mailbox lives a lifetime from now, the default one if none is said."""
        minted = self.mint()
        address, token = minted.mailbox.address, minted.token
        self.clock.advance(500)
        state = self.now(self.office.extend(address, token))
        self.assertEqual(state.expires_at, self.clock.seconds() + 600)
        state = self.now(self.office.extend(address, token, 3600))
        self.assertEqual(state.expires_at, self.clock.seconds() + 3600)
        self.pass_time(3599)
        self.assertEqual(self.state(address, token), state)

    def test_never_shorter(self) -> None:
        """Extending by less than what is left changes nothing."""
        minted = self.mint(lifetime=3600)
        state = self.now(self.office.extend(minted.mailbox.address, minted.token, 10))
        self.assertEqual(state, minted.mailbox)

    def test_never_past_its_end(self) -> None:
        """No mailbox lives longer than its whole life may be, however often it is extended."""
        minted = self.mint(lifetime=6 * 3600)
        address, token = minted.mailbox.address, minted.token
        end = minted.mailbox.max_expires_at
        for _ in range(6):
            self.clock.advance(4 * 3600 - 1)
            state = self.now(self.office.extend(address, token, 6 * 3600))
            self.assertLessEqual(state.expires_at, end)
        self.assertEqual(state.expires_at, end)
        self.pass_time(DAY)
        self.assertEqual(self.budget.used, MAILBOX_COST)

    def test_bounds(self) -> None:
        """A lifetime out of bounds is refused before anything is looked at."""
        minted = self.mint()
        for lifetime in (0, DAY + 1):
            refused = self.office.extend(minted.mailbox.address, minted.token, lifetime)
            self.refused(LifetimeOutOfBounds, refused)


class DropTests(OfficeTestCase):
    """Mail coming in."""

    def would_take(
        self, address: Address | str, octets: int = 0, client: str = ""
    ) -> type[TempmailError] | None:
        """Why a recipient is refused, or None; delivering must come to the same."""
        address = parse_address(address) if isinstance(address, str) else address
        outcomes: list[object] = []
        self.office.check_recipient(address, octets, client).addBoth(outcomes.append)
        envelope = evolve(ENVELOPE, client=client)
        self.office.deliver(envelope, [address], b"x" * octets).addBoth(outcomes.append)
        checked, delivered = (getattr(outcome, "type", None) for outcome in outcomes)
        self.assertIs(checked, delivered)
        return checked

    def test_recipients(self) -> None:
        """Mail is taken for who minted, for any name of a catch-all, and for the operator."""
        minted = self.mint("bob").mailbox.address
        for taken in (minted, "Bob+tag@Tempmail.Test", "x@qa.test", '"a b"@y.ci.test'):
            self.assertIsNone(self.would_take(taken))
        for domain in ("tempmail.test", "qa.test", "deep.down.ci.test"):
            for name in ("postmaster", "ABUSE", "postmaster+x"):
                self.assertIsNone(self.would_take(f"{name}@{domain}"))
        for refused in ("nobody@tempmail.test", "admin@qa.test", "webmaster@a.ci.test"):
            self.assertIs(self.would_take(refused), NoSuchMailbox)
        for relayed in (
            "bob@example.org",
            "bob@ci.test",
            "postmaster@example.org",
            "bob@[127.0.0.1]",
        ):
            self.assertIs(self.would_take(relayed), UnknownDomain)

    def test_a_quarantined_recipient(self) -> None:
        """Mail to an address in quarantine is refused, and in a catch-all it is anybody's again."""
        for domain, expected in (("tempmail.test", NoSuchMailbox), ("qa.test", None)):
            minted = self.mint("bob", domain=domain)
            self.now(self.office.delete_mailbox(minted.mailbox.address, minted.token))
            self.assertIs(self.would_take(minted.mailbox.address), expected)

    def test_full(self) -> None:
        """A full mailbox and a full memory refuse, each for its own reason."""
        self.build(Limits(memory=2**30, max_messages=2, max_mailbox_size=100))
        bob = self.mint("bob").mailbox.address
        self.assertIs(self.would_take(bob, 101), MailboxFull)
        self.assertIsNone(self.would_take(bob, 60))
        self.assertIs(self.would_take(bob, 41), MailboxFull)
        self.assertIsNone(self.would_take(bob, 40))
        self.assertIs(self.would_take(bob, 0), MailboxFull)
        self.budget.limit = self.budget.used + PARCEL_COST + MESSAGE_COST + MAILBOX_COST
        self.assertIs(self.would_take("x@qa.test", 1), MemoryFull)
        self.assertIsNone(self.would_take("x@qa.test", 0))

    def test_all_or_none(self) -> None:
        """A mail that one of several can not have, no one has."""
        bob = self.mint("bob")
        recipients = [bob.mailbox.address, parse_address("nobody@tempmail.test")]
        refused = self.office.deliver(ENVELOPE, recipients, mail())
        self.failureResultOf(refused, SomeRefused)
        self.assertEqual(self.listed(bob.mailbox.address, bob.token), [])

    def test_opened_by_mail(self) -> None:
        """Mail opens a catch-all's mailbox for a lifetime, the operator's for the longest."""
        self.deliver("x+tag@qa.test", "abuse@qa.test")
        state = self.state(parse_address("x@qa.test"))
        self.assertEqual((state.public, state.expires_at), (True, self.clock.seconds() + 600))
        state = self.state(parse_address("abuse@qa.test"), OPERATOR)
        self.assertEqual((state.public, state.expires_at), (False, self.clock.seconds() + DAY))

    def test_opened_mailboxes_count_against_nobody(self) -> None:
        """A sender's mail opens as many mailboxes as memory allows."""
        for number in range(20):
            self.deliver(f"box{number}@qa.test")

    def test_reserving(self) -> None:
        """Octets half received are charged, refused where they do not fit, and given back."""
        self.budget.limit = 100
        self.office.reserve(60, "")
        self.assertRaises(MemoryFull, self.office.reserve, 41, "")
        self.office.release(60, "")
        self.assertEqual(self.budget.used, 0)

    def test_a_client_s_share(self) -> None:
        """What one client sends takes no more than what is left beside it."""
        self.budget.limit = 100_000
        self.office.reserve(50_000, "192.0.2.1")
        self.assertRaises(ShareSpent, self.office.reserve, 1, "192.0.2.1")
        box = parse_address("box@qa.test")
        for client, error in (("192.0.2.1", ShareSpent), ("192.0.2.2", None), ("", None)):
            self.assertIs(self.would_take(box, 1000, client), error)
        self.office.release(50_000, "192.0.2.1")
        self.assertIsNone(self.would_take(box, 1000, "192.0.2.1"))

    def test_limits_change(self) -> None:
        """New limits and domains hold for the next mail, and what is open stays open."""
        self.deliver("old@qa.test")
        self.office.limits = self.store.limits = evolve(self.limits, default_lifetime=5)
        self.deliver("old@qa.test", "new@qa.test")
        now = self.clock.seconds()
        ends = [self.state(parse_address(f"{name}@qa.test")).expires_at for name in ("old", "new")]
        self.assertEqual(ends, [now + 600, now + 5])


class PostTests(OfficeTestCase):
    """Mail typed into a form."""

    def post(self, address: Address, sender: str, subject: str, body: str) -> Deferred[None]:
        return self.start(
            self.office.post(address, sender=sender, subject=subject, body=body, posted=b"{}")
        )

    def test_sender(self) -> None:
        """The envelope has the address alone; what is none stands there as it was typed."""
        minted = self.mint()
        address, token = minted.mailbox.address, minted.token
        for typed, sender in (
            ("Ann B <ann@x.test>", "ann@x.test"),
            ("ann@x.test", "ann@x.test"),
            ("the form", "the form"),
        ):
            self.successResultOf(self.post(address, typed, "Hi", "there"))
            self.assertEqual(
                self.listed(address, token)[-1].parcel.envelope.mail_from, sender, typed
            )

    def test_long_sender(self) -> None:
        """The envelope, which nobody pays for, has no more of a sender than SMTP would take."""
        minted = self.mint()
        address, token = minted.mailbox.address, minted.token
        self.successResultOf(self.post(address, "x" * 100_000, "Hi", "there"))
        (message,) = self.listed(address, token)
        self.assertEqual(message.parcel.envelope.mail_from, "x" * MAX_PATH_OCTETS)

    def test_odd_senders(self) -> None:
        """What looks for an address is bounded: in length, and in how deep it goes."""
        address = self.mint().mailbox.address
        for sender in ("(" * 600, "a:" * 300, "<@a:" * 150, "@" * 1_000_000):
            self.successResultOf(self.post(address, sender, "Hi", "there"))

    def test_is_mail(self) -> None:
        """What was posted is a mail like any other, and keeps what it was made of."""
        minted = self.mint()
        address, token = minted.mailbox.address, minted.token
        self.successResultOf(self.post(address, "web@x.test", "Hi", "there"))
        (message,) = self.listed(address, token)
        self.assertEqual(message.parcel.envelope.posted, b"{}")
        self.assertEqual(message.parcel.envelope.protocol, "HTTP")
        digest = self.successResultOf(self.office.digest(message))
        self.assertEqual(digest.subject, "Hi")

    def test_only_to_those_who_get_mail(self) -> None:
        """What would be refused by SMTP is refused here."""
        nobody, relayed = parse_address("nobody@tempmail.test"), parse_address("a@example.org")
        self.failureResultOf(self.post(nobody, "a", "b", "c"), NoSuchMailbox)
        self.failureResultOf(self.post(relayed, "a", "b", "c"), UnknownDomain)

    def test_too_big(self) -> None:
        """A mail over the limit is refused, as its octets count."""
        self.office.limits = evolve(self.limits, max_message_size=1000)
        address = self.mint().mailbox.address
        self.failureResultOf(self.post(address, "a", "b", "x" * 700), MessageTooBig)
        self.successResultOf(self.post(address, "a", "b", "x" * 300))

    def test_what_was_posted_is_charged(self) -> None:
        """The original of what was posted is kept and counted, too."""
        address = self.mint().mailbox.address
        before = self.budget.used
        posting = self.office.post(address, sender="", subject="", body="", posted=b"x" * 10_000)
        self.now(posting)
        self.assertGreater(self.budget.used - before, 10_000)

    @settings(deadline=None, database=None, max_examples=50)
    @given(*[st.text(alphabet=st.characters(exclude_categories=()))] * 3)
    def test_any_strings(self, sender: str, subject: str, body: str) -> None:
        """Any strings make a mail that can be read, and an envelope that is text."""
        address = parse_address("x@qa.test")
        self.now(self.office.empty(address, None))
        self.successResultOf(self.post(address, sender, subject, body))
        (message,) = self.listed(address)
        self.assertTrue(message.parcel.envelope.mail_from.isprintable())
        digest = self.successResultOf(self.office.digest(message))
        visible = "".join(c for c in subject if c.isprintable() and c.isalnum())
        self.assertEqual("".join(c for c in digest.subject if c.isalnum()), visible)


class MessageTests(OfficeTestCase):
    """One message."""

    def test_workers_gone(self) -> None:
        """Where several mails can not be read any more, their reader is told, and nobody else."""
        reading = Reading(self.budget, lambda function, *_: fail(Stopped(function)))
        office = PostOffice(
            self.clock, self.store, self.doorbell, reading, self.budget, DOMAINS, self.limits
        )
        for _ in range(3):
            self.deliver("any@qa.test")
        messages = self.listed(parse_address("any@qa.test"), None)
        asked = Deferred.fromCoroutine(office.digests(messages))
        self.failureResultOf(asked, Stopped)
        gc.collect()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_read_and_seen(self) -> None:
        """A message is read by its number, and seen when somebody says so."""
        minted = self.mint()
        address, token = minted.mailbox.address, minted.token
        self.deliver(address)
        (listed,) = self.listed(address, token)
        message = self.now(self.office.message(address, token, listed.sequence))
        self.assertEqual((message.parcel.octets, message.seen), (mail(), False))
        self.assertEqual(self.state(address, token).unseen_count, 1)
        self.now(self.office.mark_seen(address, token, listed.sequence, True))
        self.assertEqual(self.state(address, token).unseen_count, 0)

    def test_of_another_mailbox(self) -> None:
        """A number of one mailbox's message is none of another's."""
        one, other = self.mint(), self.mint()
        self.deliver(one.mailbox.address, other.mailbox.address)
        (message,) = self.listed(one.mailbox.address, one.token)
        address, token, sequence = other.mailbox.address, other.token, message.sequence
        self.refused(NoSuchMessage, self.office.message(address, token, sequence))
        self.refused(NoSuchMessage, self.office.delete_message(address, token, sequence))
        self.assertEqual(len(self.listed(address, token)), 1)

    def test_ready(self) -> None:
        """The post office is ready when its store is."""
        self.assertIsNone(self.now(self.office.check_ready()))
