"""A store's contents as octets, and another store made of them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from twisted.internet.interfaces import IReactorTime

from tempmail.clock import Moment
from tempmail.core.kept import KeptMailbox, Recalled
from tempmail.snapshot.stream import dump, load
from tempmail.store.memory import MemoryStore


def moment(clock: IReactorTime) -> Moment:
    """Now, where all clocks agree."""
    now = clock.seconds()
    return Moment(steady=now, wall=now, up=now, boot="this one")


def written(store: MemoryStore, now: Moment) -> bytes:
    """What a store is kept as."""
    stream = BytesIO()
    dump(stream, store.keep(), now)
    return stream.getvalue()


def recall(
    store: MemoryStore,
    octets: bytes,
    now: Moment,
    renew: Callable[[KeptMailbox], KeptMailbox] = lambda kept: kept,
) -> Recalled:
    """Have an empty store take that in."""
    return store.recall(load(BytesIO(octets), len(octets), now, renew))
