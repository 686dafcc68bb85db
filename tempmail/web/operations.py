"""What an operator's probes and monitoring ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from twisted.internet import defer
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from tempmail.core.limits import PROBE_SECONDS
from tempmail.web.problems import later
from tempmail.web.request import Request
from tempmail.web.routing import new_app, route

Check = Callable[[], Awaitable[None]]

_ALIVE = b'{"status":"ok"}'


class Operations:
    """Whether the process lives, and whether it can do its work.

    Each check raises, with a text for the operator, while its part is not ready.
    """

    app = new_app()
    _log = Logger()

    def __init__(self, clock: IReactorTime, checks: Sequence[Check]) -> None:
        self._clock = clock
        self._checks = checks

    @route(app, "GET", "/healthz")
    def health(self, request: Request) -> bytes:
        """That there is an answer is the answer."""
        return request.reply(_ALIVE)

    @route(app, "GET", "/readyz")
    async def readiness(self, request: Request) -> bytes:
        """200 when mail can be received and kept, else 503 and why."""
        for check in self._checks:
            try:
                await defer.Deferred.fromCoroutine(_run(check)).addTimeout(
                    PROBE_SECONDS, self._clock
                )
            except defer.TimeoutError:
                raise later(503, f"no answer within {PROBE_SECONDS:g} seconds") from None
            except Exception as error:
                self._log.debug("not ready: {error}", error=error)
                raise later(503, str(error)) from error
        return request.reply(_ALIVE)


class Figures:
    """What a monitoring system asks.

    ``expose`` gives the answer and its type for what the client says it accepts.
    """

    app = new_app()

    def __init__(self, expose: Callable[[str], tuple[bytes, str]]) -> None:
        self._expose = expose

    @route(app, "GET", "/metrics")
    def metrics(self, request: Request) -> bytes:
        """All figures of this moment."""
        return request.reply(*self._expose(request.getHeader("Accept") or ""))


async def _run(check: Check) -> None:
    await check()
