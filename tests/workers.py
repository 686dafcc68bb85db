"""Reading mail without worker processes, for tests whose mail is nobody's weapon."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred

from tempmail.isolation.worker import resolve


def in_this_process(function: str, *arguments: Any) -> Deferred[Any]:
    """What a worker would do, done here."""
    return maybeDeferred(resolve("tempmail.content", function).call, *arguments)
