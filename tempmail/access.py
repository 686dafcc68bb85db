"""Who may do what with which mailbox, and what a stranger learns of it."""

from __future__ import annotations

from typing import Literal

from attrs import evolve
from twisted.internet.interfaces import IReactorTime

from tempmail.core.address import Address
from tempmail.core.domains import Domains, Mode
from tempmail.core.errors import MailboxGone, NoSuchMailbox, TokenNeeded, UnknownDomain
from tempmail.core.kept import KeptMailbox
from tempmail.core.limits import Limits
from tempmail.core.mailbox import MailboxState, Opening
from tempmail.core.secret import hashed, matches
from tempmail.interfaces import IMailStore

Purpose = Literal["read", "extend", "own"]


class Access:
    """Which mailboxes there are to whoever asks: those that are open, and those mail would open.

    ``domains`` and ``limits`` are those in force.
    """

    def __init__(
        self,
        clock: IReactorTime,
        store: IMailStore,
        domains: Domains,
        limits: Limits,
        operator_token: str | None,
    ) -> None:
        self._clock = clock
        self._store = store
        self._operator_hash = hashed(operator_token) if operator_token else None
        self.domains = domains
        self.put_in_force(limits)

    def put_in_force(self, limits: Limits) -> None:
        """Have these limits hold for what comes."""
        self.limits = limits
        # Made here because every mail asks for one.
        self._opening_of_catch_all = Opening(
            lifetime=limits.default_lifetime,
            max_lifetime=limits.max_lifetime,
            public=True,
            minted=False,
        )
        self._opening_of_operator = Opening(
            lifetime=limits.max_lifetime,
            max_lifetime=limits.max_lifetime,
            minted=False,
            token_hash=self._operator_hash,
        )

    def opened_by_mail(self, address: Address) -> Opening | None:
        """What mail opens an absent mailbox with: a catch-all's or the operator's, else None.

        Raises UnknownDomain.
        """
        if self.domains.mode_of(address) is Mode.CATCH_ALL:
            return self._opening_of_catch_all
        if self.domains.is_operators(address):
            return self._opening_of_operator
        return None

    async def enter(
        self, address: Address, token: str | None, purpose: Purpose = "read"
    ) -> MailboxState:
        """The mailbox, for one who may do this with it.

        Reading and emptying a public mailbox is everybody's; extending one that nobody holds a
        token of is too; all else asks for the token. To a stranger a private mailbox and none at
        all look the same: TokenNeeded without a token, NoSuchMailbox with a wrong one. Its own
        token is told MailboxGone while the quarantine lasts, and so is everybody for a public one.
        A mailbox that mail would open can be read before, by whoever could read it then.
        """
        state = await self._store.look(address)
        if state is not None and not state.closed:
            unheld = state.token_hash is None and purpose == "extend"
            if (state.public and (purpose == "read" or unheld)) or matches(token, state.token_hash):
                return state
        else:
            opening = self._opened_by_mail_or_not(address) if purpose == "read" else None
            if opening is not None and (opening.public or matches(token, opening.token_hash)):
                return self._unopened(address, opening)
            if state is not None and (state.public or matches(token, state.token_hash)):
                raise MailboxGone("this mailbox expired or was deleted")
        if token is None:
            raise TokenNeeded("this needs the mailbox's token")
        raise NoSuchMailbox("no mailbox of this address that this token opens")

    def renew(self, kept: KeptMailbox) -> KeptMailbox:
        """A mailbox from before a restart, as it is opened today.

        The operator's opens to the token that is the operator's now, and to none before.
        """
        if kept.opening.minted or kept.opening.public:
            return kept
        return evolve(kept, opening=evolve(kept.opening, token_hash=self._operator_hash))

    def _opened_by_mail_or_not(self, address: Address) -> Opening | None:
        try:
            return self.opened_by_mail(address)
        except UnknownDomain:
            return None

    def _unopened(self, address: Address, opening: Opening) -> MailboxState:
        """What a mailbox that mail would open is before any mail: there, and empty.

        Nothing is created by asking; the times are what they would be if mail came now.
        """
        now = self._clock.seconds()
        return MailboxState(
            address=address.untagged,
            public=opening.public,
            created_at=now,
            expires_at=now + opening.lifetime,
            max_expires_at=now + opening.max_lifetime,
            cursor=0,
            message_count=0,
            unseen_count=0,
            size=0,
        )
