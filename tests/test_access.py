"""Who may do what with which mailbox, and what a stranger learns of it."""

from __future__ import annotations

from attrs import evolve

from tempmail.core.address import Address, parse_address
from tempmail.core.errors import MailboxGone, NoSuchMailbox, TempmailError, TokenNeeded
from tempmail.core.limits import TOKEN_OCTETS, Limits
from tests.office import OPERATOR, OfficeTestCase

WRONG = "not the token"
ANSWERS = {"401": TokenNeeded, "404": NoSuchMailbox, "410": MailboxGone}
QUARANTINE = Limits().quarantine


class EnterTests(OfficeTestCase):
    """Every kind of mailbox, open, closed and unknown, for every token and purpose."""

    def outcome(self, address: Address, token: str | None, access: str) -> str:
        """``ok``, ``new`` for a mailbox that is not opened yet, or the status HTTP gives it."""
        results: list[object] = []
        entering = self.office.access.enter(address, token, access)  # type: ignore[arg-type]
        self.start(entering).addBoth(results.append)
        error = getattr(results[0], "value", None)
        if error is None:
            self.assertEqual(getattr(results[0], "address", None), address)
            return "ok" if getattr(results[0], "cursor", None) else "new"
        return next(status for status, kind in ANSWERS.items() if type(error) is kind)

    def assert_access(
        self, address: Address, right: str, *, read: str, extend: str, own: str
    ) -> None:
        """Each purpose's three answers: without a token, with a wrong one, with the right one."""
        for access, expected in (("read", read), ("extend", extend), ("own", own)):
            tokens = (None, WRONG, right)
            answers = " ".join(self.outcome(address, token, access) for token in tokens)
            self.assertEqual(answers, expected, access)

    def assert_all(self, address: Address, right: str, answers: str) -> None:
        self.assert_access(address, right, read=answers, extend=answers, own=answers)

    def test_private(self) -> None:
        """A private mailbox is its token holder's, and to everyone else it is not there."""
        minted = self.mint()
        address, token = minted.mailbox.address, minted.token
        self.assert_all(address, token, "401 404 ok")
        self.pass_time(600)
        self.assert_all(address, token, "401 404 410")
        self.pass_time(QUARANTINE)
        self.assert_all(address, token, "401 404 404")

    def test_public(self) -> None:
        """A public mailbox is read by anyone, and extended and deleted by its token holder."""
        minted = self.mint(public=True)
        address, token = minted.mailbox.address, minted.token
        self.assert_access(address, token, read="ok ok ok", extend="401 404 ok", own="401 404 ok")
        self.now(self.office.delete_mailbox(address, token))
        self.assert_all(address, token, "410 410 410")
        self.pass_time(QUARANTINE)
        self.assert_all(address, token, "401 404 404")

    def test_public_held_by_nobody(self) -> None:
        """A public mailbox whose token nobody has is extended by anyone and deleted by no one."""
        minted = self.mint(public=True, held=False)
        address = minted.mailbox.address
        self.assert_access(
            address, minted.token, read="ok ok ok", extend="ok ok ok", own="401 404 404"
        )
        self.pass_time(600)
        self.assert_all(address, minted.token, "410 410 410")

    def test_catch_all(self) -> None:
        """An address of a catch-all is there before any mail; there is nothing to extend then."""
        address = parse_address("anyone@qa.test")
        for _ in range(2):
            self.assert_access(
                address, "-", read="new new new", extend="401 404 404", own="401 404 404"
            )
            self.deliver(address)
            self.assert_access(address, "-", read="ok ok ok", extend="ok ok ok", own="401 404 404")
            self.pass_time(600)

    def test_minted_in_a_catch_all(self) -> None:
        """Who minted an address of a catch-all may delete it; it is read by anyone ever after."""
        minted = self.mint("mine", domain="qa.test")
        address, token = minted.mailbox.address, minted.token
        self.assert_access(address, token, read="ok ok ok", extend="401 404 ok", own="401 404 ok")
        self.now(self.office.delete_mailbox(address, token))
        self.assert_access(
            address, token, read="new new new", extend="410 410 410", own="410 410 410"
        )
        self.deliver(address)
        self.assert_access(address, token, read="ok ok ok", extend="ok ok ok", own="401 404 404")

    def test_operators(self) -> None:
        """Postmaster and abuse are the operator's in every domain, before any mail, too."""
        for text in ("postmaster@tempmail.test", "abuse@qa.test", "postmaster@a.b.ci.test"):
            address = parse_address(text)
            self.assert_access(
                address, OPERATOR, read="401 404 new", extend="401 404 404", own="401 404 404"
            )
            self.deliver(address)
            self.assert_all(address, OPERATOR, "401 404 ok")

    def test_no_operator(self) -> None:
        """Without an operator's token nobody reads the operator's mail, which is taken still."""
        self.build(Limits(memory=2**30), operator_token=None)
        address = parse_address("postmaster@tempmail.test")
        for token in ("", "None"):
            self.assert_all(address, token, "401 404 404")
            self.deliver(address)

    def test_nobodys(self) -> None:
        """Reserved names in a catch-all and domains that are not ours look like any other."""
        for text in ("admin@qa.test", "webmaster@x.ci.test", "a@ci.test", "a@example.org"):
            self.assert_all(parse_address(text), OPERATOR, "401 404 404")

    def test_impossible(self) -> None:
        """What nobody could have minted is just unknown."""
        for text in ("a..b@tempmail.test", ".a@tempmail.test", '"a b"@tempmail.test'):
            self.assert_all(parse_address(text), WRONG, "401 404 404")

    def test_strangers_can_not_tell(self) -> None:
        """Of a private mailbox, one in quarantine and none at all a stranger hears the same."""
        there, gone = self.mint().mailbox.address, self.mint()
        self.now(self.office.delete_mailbox(gone.mailbox.address, gone.token))
        nobody = parse_address("nobody@tempmail.test")
        for token in (None, WRONG, ""):
            heard = set()
            for address in (there, gone.mailbox.address, nobody):
                for access in ("read", "extend", "own"):
                    entering = self.office.access.enter(address, token, access)
                    error = self.failureResultOf(self.start(entering)).value
                    assert isinstance(error, TempmailError)
                    heard.add((type(error), str(error)))
            self.assertEqual(len(heard), 1)

    def test_any_text_may_be_shown(self) -> None:
        """A token is compared whatever characters it is of."""
        address = self.mint().mailbox.address
        for token in ("", "\ud800", "\u00e9" * 10_000, "\0"):
            self.refused(NoSuchMailbox, self.office.mailbox(address, token))

    def test_tag_does_not_matter(self) -> None:
        """A mailbox is entered by its address with any tag."""
        minted = self.mint("bob")
        state = self.state(parse_address("Bob+shop@tempmail.test"), minted.token)
        self.assertEqual(state.address.displayed, "bob@tempmail.test")
        opened = self.state(parse_address("x+tag@qa.test"))
        self.assertEqual(opened.address.displayed, "x@qa.test")

    def test_asking_opens_nothing(self) -> None:
        """Reading what no mail opened costs nothing and leaves nothing."""
        address = parse_address("anyone@qa.test")
        state = self.state(address)
        self.assertEqual((state.public, state.message_count, state.cursor), (True, 0, 0))
        self.assertEqual(state.expires_at, self.clock.seconds() + 600)
        self.assertEqual(self.listed(address), [])
        self.now(self.office.empty(address, None))
        self.assertEqual(self.budget.used, 0)

    def test_emptied_by_anyone_who_may_read(self) -> None:
        """A public mailbox and its messages are deleted by anyone, a private one by its holder."""
        public, private = self.mint(public=True), self.mint()
        for minted, token in ((public, None), (private, private.token)):
            address = minted.mailbox.address
            self.deliver(address)
            self.deliver(address)
            sequence = self.listed(address, token)[0].sequence
            self.now(self.office.mark_seen(address, token, sequence, True))
            self.now(self.office.delete_message(address, token, sequence))
            self.assertEqual(len(self.listed(address, token)), 1)
            self.now(self.office.empty(address, token))
            self.assertEqual(self.listed(address, token), [])

    def test_every_door_is_guarded(self) -> None:
        """Each thing that can be done with a private mailbox asks for its token."""
        minted = self.mint()
        address = minted.mailbox.address
        self.deliver(address)
        (message,) = self.listed(address, minted.token)
        office, sequence = self.office, message.sequence
        for token, kind in ((None, TokenNeeded), (WRONG, NoSuchMailbox)):
            for asked in (
                office.mailbox(address, token),
                office.extend(address, token),
                office.rotate_token(address, token),
                office.delete_mailbox(address, token),
                office.messages(address, token, limit=1),
                office.messages(address, token, limit=1, wait=30),
                office.changes(address, token, after=0, limit=1, wait=30),
                office.message(address, token, sequence),
                office.html(address, token, sequence, images_remote=False),
                office.attachment(address, token, sequence, 0),
                office.mark_seen(address, token, sequence, True),
                office.delete_message(address, token, sequence),
                office.empty(address, token),
            ):
                self.refused(kind, asked)
        self.assertEqual(self.state(address, minted.token).unseen_count, 1)
        self.assertEqual(self.doorbell.listeners, 0)


class TokenTests(OfficeTestCase):
    """Changing a token, and getting an address back."""

    def test_rotation(self) -> None:
        """The new token opens the mailbox and the old one does not any more."""
        minted = self.mint()
        address = minted.mailbox.address
        fresh = self.now(self.office.rotate_token(address, minted.token))
        self.assertNotEqual(fresh, minted.token)
        self.assertEqual(self.state(address, fresh).address, address)
        self.refused(NoSuchMailbox, self.office.mailbox(address, minted.token))

    def test_only_holders_own(self) -> None:
        """Nobody takes a public mailbox from its holder, by a new token or by deleting it."""
        address = self.mint(public=True).mailbox.address
        for token, kind in ((None, TokenNeeded), (WRONG, NoSuchMailbox)):
            self.refused(kind, self.office.rotate_token(address, token))
            self.refused(kind, self.office.delete_mailbox(address, token))

    def test_secrets(self) -> None:
        """Tokens and restore keys have 160 bits, are no two the same, and are kept as hashes."""
        minted = [self.mint() for _ in range(20)]
        secrets = [secret for one in minted for secret in (one.token, one.restore_key)]
        self.assertEqual(len(set(secrets)), 40)
        self.assertEqual({len(secret) for secret in secrets}, {2 * TOKEN_OCTETS})
        for one in minted:
            kept = one.mailbox.token_hash, one.mailbox.restore_hash
            self.assertNotIn(one.token.encode(), kept)
            self.assertEqual([len(hashed or b"") for hashed in kept], [32, 32])

    def test_restore(self) -> None:
        """The restore key opens the address again: empty, as public as before, with new secrets."""
        minted = self.mint("bob", public=True)
        address = minted.mailbox.address
        self.deliver(address)
        self.pass_time(600)
        again = self.now(self.office.restore(address, minted.restore_key))
        self.assertEqual((again.mailbox.message_count, again.mailbox.public), (0, True))
        self.assertEqual(again.mailbox.expires_at, self.clock.seconds() + 600)
        self.assertNotIn(minted.token, (again.token, again.restore_key))
        self.refused(NoSuchMailbox, self.office.delete_mailbox(address, minted.token))
        self.now(self.office.delete_mailbox(address, again.token))
        self.refused(NoSuchMailbox, self.office.restore(address, minted.restore_key))
        self.now(self.office.restore(address, again.restore_key))

    def test_restore_asks_for_the_key(self) -> None:
        """Nothing else restores, the token neither; a stranger hears nothing of what is there."""
        minted = self.mint()
        address = minted.mailbox.address
        self.refused(NoSuchMailbox, self.office.restore(address, WRONG))
        self.now(self.office.delete_mailbox(address, minted.token))
        for key in (minted.token, WRONG, ""):
            self.refused(NoSuchMailbox, self.office.restore(address, key))
        nobody = parse_address("nobody@tempmail.test")
        self.refused(NoSuchMailbox, self.office.restore(nobody, minted.restore_key))

    def test_the_key_outlives_no_quarantine(self) -> None:
        """After its quarantine an address is anybody's, and the key restores nothing."""
        minted = self.mint("bob")
        self.pass_time(600)
        self.pass_time(QUARANTINE)
        address = minted.mailbox.address
        self.refused(NoSuchMailbox, self.office.restore(address, minted.restore_key))
        self.mint("bob")
        self.refused(NoSuchMailbox, self.office.restore(address, minted.restore_key))

    def test_nobody_restores_what_nobody_holds(self) -> None:
        """Of a mailbox that is held by nobody there is no key."""
        minted = self.mint(public=True, held=False)
        self.pass_time(600)
        address = minted.mailbox.address
        self.refused(NoSuchMailbox, self.office.restore(address, minted.restore_key))

    def test_limits_change(self) -> None:
        """What mail opens lives as long as the limits in force say."""
        self.office.limits = evolve(self.limits, default_lifetime=5)
        self.deliver("x@qa.test")
        self.assertEqual(
            self.state(parse_address("x@qa.test")).expires_at, self.clock.seconds() + 5
        )
