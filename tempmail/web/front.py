"""Everything the web serves, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource

from tempmail.interfaces import IMailReader
from tempmail.rates import Rates
from tempmail.web.api import Api
from tempmail.web.docs import Docs
from tempmail.web.operations import Check, Operations
from tempmail.web.routing import Root
from tempmail.web.site import Exposure, Site
from tempmail.web.small import Small


def build_site(
    office: IMailReader,
    clock: IReactorTime,
    exposure: Exposure,
    checks: Sequence[Check] = (),
    pages: Mapping[bytes, IResource] | None = None,
    observe: Callable[[str, int, float], None] | None = None,
    rates: Rates | None = None,
) -> Site:
    """The web server's factory.

    ``checks`` are what readiness depends on besides the store; ``pages`` are further leaf resources
    by the first part of their path, b"" for the root; ``observe`` is told route, status and seconds
    of every answer. Without ``rates`` clients may do as much as they like.
    """
    small = Small(office).app.resource()
    first_parts = {
        b"docs": Docs().app.resource(),
        b"v1": Api(office).app.resource(),
        b"create": small,
        b"send": small,
        b"inbox": small,
        **(pages or {}),
    }
    operations = Operations(clock, [office.check_ready, *checks])
    root = Root(first_parts, operations.app.resource())
    return Site(root, clock, office, exposure, observe, rates)
