"""Over a restart: in which order a store's contents are kept, and how much is taken in again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from tempmail.core.budget import Budget
from tempmail.core.kept import KeptMail, KeptMailbox, Recalled
from tempmail.core.limits import ATTEMPT_COST, CHANGE_COST, MAILBOX_COST, MESSAGE_COST
from tempmail.core.mailbox import Mailbox
from tempmail.core.message import Message, Parcel


def all_mailboxes(mailboxes: Iterable[Mailbox]) -> Iterator[KeptMailbox]:
    """The open ones, then the quarantines, each the newest first."""
    for mailbox in sorted(mailboxes, key=lambda one: (one.closed, -one.sequence)):
        yield mailbox.kept()


def all_mail(mailboxes: Iterable[Mailbox], now: float) -> Iterator[KeptMail]:
    """All that is not over by ``now``, the newest first, so that what finds no room is the oldest.

    The copies of one mail were delivered in one go, so their sequences stand side by side.
    """
    held = [
        (mailbox.address.key, message)
        for mailbox in mailboxes
        if mailbox.due_at > now
        for message in mailbox.messages
    ]
    held.sort(key=lambda copy: copy[1].sequence, reverse=True)
    for parcel, copies in groupby(held, key=_parcel):
        yield KeptMail(parcel, tuple(copies))


def _parcel(copy: tuple[str, Message]) -> Parcel:
    return copy[1].parcel


class Recall:
    """What a store is about to take in of what another one kept, as far as ``budget`` has room.

    Nothing here is the store's yet, so all of it can be dropped. ``incomplete`` names the mailboxes
    that lost mail for want of room; ``messages`` and ``octets`` are what was taken, each mail's
    octets once.
    """

    def __init__(self, budget: Budget, now: float) -> None:
        self.budget = budget
        self.incomplete: set[str] = set()
        self._now = now
        self._mailboxes: dict[str, Mailbox] = {}
        self._messages: dict[str, list[Message]] = {}
        self.messages = self.octets = 0
        self._lost_mailboxes = self._lost_messages = 0

    def take_all(self, contents: Iterable[KeptMailbox | KeptMail]) -> None:
        """Take everything, mailboxes before mail."""
        for one in contents:
            if isinstance(one, KeptMailbox):
                self._take_mailbox(Mailbox.from_kept(one))
            else:
                for key, message in one.copies:
                    self._take_message(key, message)

    def mailboxes(self) -> Iterator[Mailbox]:
        """Every mailbox, with its mail."""
        for key, mailbox in self._mailboxes.items():
            newest_first = self._messages.get(key, [])
            mailbox.take_back(newest_first[::-1])
            yield mailbox

    def outcome(self) -> Recalled:
        """What there was room for."""
        return Recalled(
            len(self._mailboxes), self.messages, self._lost_mailboxes, self._lost_messages
        )

    def _take_mailbox(self, mailbox: Mailbox) -> None:
        if mailbox.closed and mailbox.due_at <= self._now:
            return
        own = MAILBOX_COST + CHANGE_COST * len(mailbox.journal)
        attempts = ATTEMPT_COST * len(mailbox.attempts)
        if self.budget.fits(own + attempts):
            self.budget.charge(own, mailbox.payer)
            self.budget.charge(attempts)
            self._mailboxes[mailbox.address.key] = mailbox
        else:
            self._lost_mailboxes += 1

    def _take_message(self, key: str, message: Message) -> None:
        mailbox = self._mailboxes.get(key)
        if mailbox is None or mailbox.due_at <= self._now:
            return
        parcel = message.parcel
        cost = MESSAGE_COST + (0 if parcel.holders else parcel.cost)
        if self.budget.fits(cost):
            # Whether it is too much for one client was asked when it came.
            self.budget.charge(cost, parcel.envelope.client)
            if not parcel.holders:
                self.octets += parcel.size
            parcel.holders += 1
            self._messages.setdefault(key, []).append(message)
            self.messages += 1
        else:
            self.incomplete.add(key)
            self._lost_messages += 1
