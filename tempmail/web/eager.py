"""Coroutines begun at once, and made a Deferred only where there is something to wait for.

Most answers wait for nothing: the mailbox is in memory, and what its mail says is known. For those
a Deferred and all that goes with it is a fifth of the work (``make bench``, opening). asyncio calls
a task that begins this way eager.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


def eager(work: Coroutine[Deferred[Any], Any, T]) -> T | Deferred[T]:
    """What a coroutine returns, or a Deferred of it once it waits; raises what it raises at once.

    Cancelling the Deferred cancels what is waited for.
    """
    try:
        awaited = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    return Deferred.fromCoroutine(_rest(work, awaited))


@coroutine
def _rest(
    work: Coroutine[Deferred[Any], Any, T], awaited: Deferred[Any]
) -> Generator[Deferred[Any], Any, T]:
    """The rest of a coroutine that waits for its first Deferred."""
    try:
        while True:
            try:
                result = yield awaited
            except Exception as error:
                awaited = work.throw(error)
            else:
                awaited = work.send(result)
    except StopIteration as done:
        returned: T = done.value
        return returned
