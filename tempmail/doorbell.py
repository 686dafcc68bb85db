"""Who waits at which address, and waking them."""

from __future__ import annotations

from collections import OrderedDict, deque
from types import TracebackType

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from tempmail.core.address import Address
from tempmail.core.errors import Closing, NoSuchMailbox, TempmailError
from tempmail.core.limits import SLICE_SECONDS
from tempmail.core.mailbox import Change
from tempmail.interfaces import IArrivalListener


@define(eq=False)
class Bell:
    """One listener, at one address or several, from entering the ``with`` block to leaving it.

    What rings while nobody awaits it is not lost: the next ``rung`` answers at once.
    """

    _doorbell: Doorbell
    _keys: tuple[str, ...]
    _rung: tuple[str, ...] = ()
    _ended: TempmailError | None = None
    _waiter: Deferred[tuple[str, ...]] | None = field(default=None, repr=False)
    _timer: IDelayedCall | None = field(default=None, repr=False)

    def __enter__(self) -> Bell:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop_waiting()
        self._doorbell.leave(self, self._keys)

    def rung(self, seconds: float) -> Deferred[tuple[str, ...]]:
        """Fires with the keys of the addresses where something changed since the last call.

        With none after ``seconds``. Fails with :exc:`Closing` when the server stops, and with
        :exc:`NoSuchMailbox` once the token of whoever listens was revoked. Cancelling it leaves no
        timer.
        """
        if self._doorbell.closed:
            return fail(Closing("the server is stopping"))
        if self._ended is not None:
            ended, self._ended = self._ended, None
            return fail(ended)
        if self._rung or seconds <= 0:
            return succeed(self._take())
        self._waiter = Deferred(self._give_up)
        self._timer = self._doorbell.clock.callLater(seconds, self._answer)
        return self._waiter

    def ring(self, key: str) -> None:
        """Something changed at one of its addresses."""
        if not self._rung and self._waiter is not None:
            self._doorbell.wake_later(self, key)
        if key not in self._rung:
            self._rung += (key,)

    def wake(self) -> None:
        """Let the one who waits go on, if he still does."""
        if self._rung:
            self._answer()

    def end(self, error: TempmailError) -> None:
        """Tell the one who listens that it is over, and why: now, or when he waits again."""
        waiter = self._stop_waiting()
        if waiter is None:
            self._ended = error
        else:
            waiter.errback(error)

    def _take(self) -> tuple[str, ...]:
        rung, self._rung = self._rung, ()
        return rung

    def _answer(self) -> None:
        waiter = self._stop_waiting()
        if waiter is not None:
            waiter.callback(self._take())

    def _give_up(self, waiter: Deferred[tuple[str, ...]]) -> None:
        self._stop_waiting()

    def _stop_waiting(self) -> Deferred[tuple[str, ...]] | None:
        waiter, self._waiter = self._waiter, None
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        return waiter


@implementer(IArrivalListener)
class Doorbell:
    """All who wait, by address.

    The one who rings never waits for the ones who are woken: they go on in a later turn of the
    reactor, so many at a time as fit in :data:`~tempmail.core.limits.SLICE_SECONDS`. The addresses
    take turns, so thousands who wait at one of them do not keep those at another waiting.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.clock = clock
        self.closed = False
        self._bells: dict[str, dict[Bell, None]] = {}
        # By address, the one whose turn is next first.
        self._to_wake: OrderedDict[str, deque[Bell]] = OrderedDict()
        self._to_wake_count = 0
        self._waking = False

    @property
    def listeners(self) -> int:
        """How many listen; one at several addresses counts at each."""
        return sum(map(len, self._bells.values()))

    def listen(self, *addresses: Address) -> Bell:
        """Start listening; to be used as ``with doorbell.listen(address) as bell:``.

        No address is named twice.
        """
        keys = tuple([address.key for address in addresses])
        bell = Bell(self, keys)
        for key in keys:
            self._bells.setdefault(key, {})[bell] = None
        return bell

    def announce(self, address: Address, change: Change) -> None:
        """Ring every bell at this address."""
        bells = self._bells.get(address.key)
        if bells:
            for bell in bells:
                bell.ring(address.key)

    def close(self) -> None:
        """Answer everyone who waits, and whoever comes, with :exc:`Closing`."""
        self.closed = True
        for bell in [bell for bells in self._bells.values() for bell in bells]:
            bell.end(Closing("the server is stopping"))

    def revoke(self, address: Address) -> None:
        """Tell all at this address that their token is none any more."""
        for bell in list(self._bells.get(address.key, ())):
            bell.end(NoSuchMailbox("the token was revoked"))

    def leave(self, bell: Bell, keys: tuple[str, ...]) -> None:
        """A listener is gone, and with the last one at an address every trace of it."""
        for key in keys:
            bells = self._bells[key]
            del bells[bell]
            if not bells:
                del self._bells[key]

    def wake_later(self, bell: Bell, key: str) -> None:
        """Have a listener go on in a later turn, because of what happened at this address."""
        self._to_wake.setdefault(key, deque()).append(bell)
        self._to_wake_count += 1
        if not self._waking:
            self._waking = True
            self.clock.callLater(0, self._wake)

    def _wake(self) -> None:
        until = self.clock.seconds() + SLICE_SECONDS
        # Those whom the woken ring in their turn come after this turn.
        for _ in range(self._to_wake_count):
            self._wake_one()
            if self.clock.seconds() >= until:
                break
        self._waking = bool(self._to_wake)
        if self._waking:
            self.clock.callLater(0, self._wake)

    def _wake_one(self) -> None:
        key, bells = self._to_wake.popitem(last=False)
        bell = bells.popleft()
        self._to_wake_count -= 1
        if bells:
            self._to_wake[key] = bells
        bell.wake()
