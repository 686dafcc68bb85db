"""Mail that is in no mailbox any more, given up little by little."""

from __future__ import annotations

from collections import deque

from twisted.internet.interfaces import IReactorTime

from tempmail.core.budget import Budget
from tempmail.core.limits import MESSAGE_COST, SLICE_SECONDS
from tempmail.core.message import Message
from tempmail.store.tally import Tally


class Removed:
    """The one way out for mail, where it stops counting against budget and tally.

    A mailbox of any size is emptied at once: its messages are put here, into ``batches``, and given
    up so many at a time as a slice of time allows.
    """

    def __init__(self, clock: IReactorTime, budget: Budget, tally: Tally) -> None:
        self.batches: deque[list[Message]] = deque()
        self._clock = clock
        self._budget = budget
        self._tally = tally

    def put(self, messages: list[Message]) -> None:
        """Take over all messages of a mailbox, to be given up later."""
        if messages:
            self.batches.append(messages)

    def discard(self, message: Message) -> None:
        """Give up one message, and its octets with the last mailbox that held them."""
        parcel = message.parcel
        parcel.holders -= 1
        self._tally.messages -= 1
        self._budget.give(MESSAGE_COST, parcel.envelope.client)
        if not parcel.holders:
            self._tally.octets -= parcel.size
            self._budget.give(parcel.cost, parcel.envelope.client)
            if parcel.reading_size:
                self._budget.give(parcel.reading_size, parcel.reader)
            parcel.reading = parcel.whole = None
            parcel.reading_size = 0

    def discard_next(self) -> None:
        """Give up one message of those put here; there must be some."""
        messages = self.batches[0]
        self.discard(messages.pop())
        if not messages:
            self.batches.popleft()

    def discard_some(self) -> None:
        """Give up what a slice of time allows."""
        until = self._clock.seconds() + SLICE_SECONDS
        while self.batches and self._clock.seconds() < until:
            self.discard_next()
