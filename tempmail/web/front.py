"""Everything the web serves, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource

from tempmail.core.budget import Budget
from tempmail.interfaces import IMailReader
from tempmail.rates import Rates
from tempmail.web.api import Api
from tempmail.web.docs import Docs
from tempmail.web.operations import Check, Figures, Operations
from tempmail.web.routing import Root, Routes
from tempmail.web.site import Exposure, Site
from tempmail.web.small import Small


def build_site(
    office: IMailReader,
    clock: IReactorTime,
    budget: Budget,
    exposure: Exposure,
    checks: Sequence[Check] = (),
    pages: Mapping[bytes, IResource] | None = None,
    rates: Rates | None = None,
) -> Site:
    """The web server's factory.

    ``checks`` are what readiness depends on besides the store; ``pages`` are further leaf resources
    by the first part of their path, b"" for the root. Without ``rates`` clients may do as much as
    they like.
    """
    small = Routes(Small(office).app)
    first_parts = {
        b"docs": Routes(Docs().app),
        b"v1": Routes(Api(office).app),
        b"create": small,
        b"send": small,
        b"inbox": small,
        **(pages or {}),
    }
    operations = Operations(clock, [office.check_ready, *checks])
    root = Root(first_parts, Routes(operations.app))
    return Site(root, clock, office, budget, exposure, rates)


def build_admin(
    office: IMailReader,
    clock: IReactorTime,
    budget: Budget,
    checks: Sequence[Check],
    expose: Callable[[str], tuple[bytes, str]],
) -> Site:
    """What is for the operator alone: figures, besides the probes that the site has too."""
    operations = Operations(clock, [office.check_ready, *checks])
    root = Root({b"metrics": Routes(Figures(expose).app)}, Routes(operations.app))
    return Site(root, clock, office, budget, Exposure(access_log=False))
