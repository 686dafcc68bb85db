"""Understanding a mail when somebody first asks, and remembering what was understood.

Nothing here is on the way a mail comes in: a mail that nobody reads costs nothing but its octets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from tempmail.content.reading import AttachedFile
from tempmail.content.told import Digest, Document, Understood, glimpse, whole_glimpse
from tempmail.core.budget import Budget
from tempmail.core.errors import MemoryFull
from tempmail.core.limits import MEGA
from tempmail.core.message import Parcel
from tempmail.isolation.job import (
    Busy,
    Crashed,
    IsolationError,
    NotStarted,
    Stopped,
    TimedOut,
)

T = TypeVar("T")
Run = Callable[..., Deferred[Any]]

RESULTS: Mapping[str, Any] = {
    "digest.digest": Digest,
    "digest.whole": bytes,
    "digest.understood": Understood,
    "digest.document": Document | None,
    "mime.attachment": AttachedFile | None,
}
"""The functions of :mod:`tempmail.content` that workers are asked for, and what each returns."""

# Mails of a list that are read at a time, so that what is found out does not pile up; and how much
# of it a list may hold that the memory has no room to keep.
_AT_A_TIME = 32
_MOST_UNPAID = 16 * MEGA

UNKEPT = frozenset({"digest.document", "mime.attachment"})
"""Those whose results are not kept here."""


class NoWorker(Exception):
    """No mail can be read just now; the text is for the operator."""


def _nothing(octets: bytes) -> None:
    """What can be handed out of what can not be read."""


class Reading:
    """What mails say, found out in workers and kept while the memory budget has room.

    ``run`` calls a function of :mod:`tempmail.content` by name, as
    :meth:`tempmail.isolation.pool.Isolation.run` does. A mail that can not be read that way costs
    its reader the text and HTML: what its header tells is still there, and ``defects`` says why.
    """

    _log = Logger()

    def __init__(self, budget: Budget, run: Run) -> None:
        self._budget = budget
        self._run = run
        self._asked: dict[tuple[Parcel, str], list[Deferred[Any]]] = {}
        self._trouble: str | None = None
        self._trying = False

    def warm_up(self) -> None:
        """Have a worker ready for the first mail: one that starts takes half a second.

        Where none starts the log says so, once, and ``check_ready`` does until one has worked.
        """
        self._trying = True
        self._run("digest.digest", b"").addCallbacks(self._works, self._no_worker)

    async def check_ready(self) -> None:
        """Raises :exc:`NoWorker` while none has worked since none started, and tries another."""
        trouble = self._trouble
        if trouble is not None:
            if not self._trying:
                self.warm_up()
            raise NoWorker(trouble)

    def digest(self, parcel: Parcel) -> Deferred[Digest]:
        """What a list tells of the mail."""
        return self._once(parcel, "reading", "digest.digest", glimpse)

    async def digests(self, parcels: Sequence[Parcel]) -> list[Digest]:
        """The same for each. Fails with MemoryFull where it is more than could be kept."""
        # A list is mostly read again and again; what is known costs no Deferred.
        unknown = [parcel for parcel in parcels if parcel.reading is None]
        found: dict[Parcel, Digest] = {}
        unpaid = 0
        for start in range(0, len(unknown), _AT_A_TIME):
            some = unknown[start : start + _AT_A_TIME]
            for parcel, digest in zip(some, await self._all(some), strict=True):
                found[parcel] = digest
                unpaid += digest.size if parcel.reading is None else 0
            if unpaid > _MOST_UNPAID:
                raise MemoryFull("there is no memory for what all these mails say")
        return [parcel.reading or found[parcel] for parcel in parcels]

    async def _all(self, parcels: Sequence[Parcel]) -> list[Digest]:
        asked = [self.digest(parcel) for parcel in parcels]
        try:
            return [await answer for answer in asked]
        except Exception:
            # Whoever asks is told of the first that failed, and nobody of the others.
            for answer in asked:
                answer.addErrback(lambda _: None)
            raise

    def whole(self, parcel: Parcel) -> Deferred[bytes]:
        """What the whole message adds, as members of a JSON object.

        Of a mail that nobody has asked about yet, this finds out the digest as well.
        """
        fresh = parcel.reading is None and (parcel, "reading") not in self._asked
        function = "digest.understood" if fresh else "digest.whole"
        return self._once(parcel, "whole", function, whole_glimpse)

    def document(self, parcel: Parcel, images_remote: bool) -> Deferred[Document | None]:
        """The mail's HTML as a document; None where there is none, or none that can be shown."""
        answer = self._run("digest.document", parcel.octets, images_remote)
        return answer.addErrback(self._instead, _nothing, parcel)

    def attachment(self, parcel: Parcel, index: int) -> Deferred[AttachedFile | None]:
        """One attachment, decoded; None where there is none of this index that can be read."""
        answer = self._run("mime.attachment", parcel.octets, index)
        return answer.addErrback(self._instead, _nothing, parcel)

    def _once(
        self, parcel: Parcel, part: str, function: str, instead: Callable[[bytes], T]
    ) -> Deferred[T]:
        """A part of a parcel's understanding, found out once.

        All who ask before it is known get the one answer.
        """
        known = getattr(parcel, part)
        if known is not None:
            return succeed(known)
        answer: Deferred[T] = Deferred()
        asking = self._asked.setdefault((parcel, part), [])
        asking.append(answer)
        if len(asking) == 1:
            run = self._run(function, parcel.octets)
            run.addErrback(self._instead, instead, parcel)
            run.addCallback(self._remember, parcel, part)
            # Which is not the mail's fault, so the next who asks may be luckier.
            run.addErrback(self._instead, instead, parcel, [NotStarted])
            run.addBoth(self._tell, parcel, part)
        return answer

    def _works(self, _: object) -> None:
        self._trying, self._trouble = False, None

    def _no_worker(self, failure: Failure) -> None:
        self._trying = False
        if self._trouble is None and not failure.check(Busy, Stopped):
            self._trouble = f"no worker starts that could read mail: {_why(failure)}"
            self._log.error("{trouble}", trouble=self._trouble)

    def _instead(
        self,
        failure: Failure,
        instead: Callable[[bytes], T],
        parcel: Parcel,
        reasons: Sequence[type[IsolationError]] = (Crashed, TimedOut),
    ) -> T:
        """What can be told of a mail that was not read; by default of one whose fault that is."""
        why = failure.trap(*reasons)
        self._log.warn("a mail could not be read: {why}", why=why.__name__)
        return instead(parcel.octets)

    def _remember(self, understood: Any, parcel: Parcel, part: str) -> Any:
        if isinstance(understood, Understood):
            self._remember(understood.digest, parcel, "reading")
            understood = understood.whole
        size = understood.size if isinstance(understood, Digest) else len(understood)
        unknown = getattr(parcel, part) is None
        if unknown and parcel.holders and self._budget.take(size, parcel.reader):
            parcel.reading_size += size
            setattr(parcel, part, understood)
        return understood

    def _tell(self, outcome: object, parcel: Parcel, part: str) -> None:
        for answer in self._asked.pop((parcel, part)):
            answer.callback(outcome)


def _why(failure: Failure) -> str:
    """Why no worker starts. One that can not be executed at all does not say so itself."""
    if not os.access(sys.executable, os.X_OK):
        return f"this user may not execute {sys.executable}"
    return f"{failure.getErrorMessage()}; --log-level debug shows what it said"
