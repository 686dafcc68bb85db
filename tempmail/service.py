"""The assembly: the one place that knows everybody, and what SIGHUP may change of it."""

from __future__ import annotations

import atexit
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger, globalLogBeginner

from tempmail import __version__
from tempmail.allocator import Trimmer, keep_large_blocks_apart
from tempmail.blocklists import BlockedSenders, DnsBlocklists
from tempmail.certificates import BadCertificate
from tempmail.clock import steady_clock
from tempmail.core.budget import Budget
from tempmail.core.limits import MEGA
from tempmail.doorbell import Doorbell
from tempmail.files import blocked_senders, certificate_source, certificates, operator_token
from tempmail.isolation.pool import Isolation
from tempmail.lifecycle import (
    ClosingTime,
    Collector,
    Janitor,
    Pulse,
    fit_connections,
    raise_file_limit,
)
from tempmail.listening import CannotStart, Doors, parse_door
from tempmail.logs import shape_log
from tempmail.metrics import Metrics, Parts
from tempmail.options import Options
from tempmail.postoffice import PostOffice
from tempmail.rates import Rates
from tempmail.reading import RESULTS, UNKEPT, Reading
from tempmail.resolver import QuietResolver
from tempmail.settings import BadSetting, Settings, fixed_at_start
from tempmail.signals import Signals, hold_back_signals, ignore_signals_at_exit
from tempmail.smtp.factory import SessionFactory
from tempmail.snapshot.restart import Restart
from tempmail.store.memory import MemoryStore
from tempmail.tls import Renewal, beneath_tls
from tempmail.turns import shorten_turns
from tempmail.web.branding import Branding
from tempmail.web.front import build_admin, build_site
from tempmail.web.pages import pages
from tempmail.web.proxies import Proxies
from tempmail.web.site import Exposure

__all__ = ["Options", "assemble", "makeService"]

_log = Logger()


class NotListening(Exception):
    """Mail can not be received just now; the text is for the operator."""


class Server(MultiService):
    """Everything that runs, and the parts of it that settings can still change.

    ``read`` gives the settings anew, on SIGHUP; ``set_log_level`` takes the level they name.
    ``refused`` counts what was refused to clients for doing too much, or for being who they are, by
    reason. ``failed`` says at the end whether mail that should have been kept is lost.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        read: Callable[[], Settings],
        set_log_level: Callable[[str], object],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._read = read
        self._set_log_level = set_log_level
        self._settings = settings
        self.refused: Counter[str] = Counter()
        limits = settings.limits
        self.budget = Budget(limits.memory, share=limits.memory_share, refused=self.refused)
        self.doorbell = Doorbell(reactor)
        self.store = MemoryStore(reactor, settings.limits, self.budget, self.doorbell)
        self.isolation = Isolation(reactor, results=RESULTS, patient=UNKEPT, budget=self.budget)
        self.reading = Reading(self.budget, self.isolation.run)
        self.office = PostOffice(
            reactor,
            self.store,
            self.doorbell,
            self.reading,
            self.budget,
            settings.domains,
            settings.limits,
            operator_token=operator_token(settings),
        )
        self.failed = False
        self.rates = Rates(reactor, settings.limits, settings.exempt_clients, self.refused)
        self.certificates = certificates(settings)
        self.smtp = SessionFactory(
            self.office,
            reactor,
            settings.hostname,
            rates=self.rates,
            lists=_blocklists(reactor, settings, self.refused),
        )
        self._set_up_smtp(settings, blocked_senders(settings))
        self.pulse = Pulse(reactor)
        checks = [self.check_listening, self.reading.check_ready]
        self.site = build_site(
            self.office,
            reactor,
            self.budget,
            _exposure(settings),
            checks,
            pages(_branding(settings)),
            self.rates,
        )
        self.metrics = self._metrics()
        self.admin = build_admin(self.office, reactor, self.budget, checks, self.metrics.expose)
        self.doors = self._doors()
        self._restart = (
            None
            if settings.snapshot is None
            else Restart(reactor, settings.snapshot, self.store, self.office.access.renew)
        )
        self.closing = ClosingTime(
            reactor,
            self.doorbell,
            (self.smtp.close, self.site.close, self.admin.close),
            grace=lambda: self.office.limits.closing_time,
            last=self._finish,
        )
        for part in self._services():
            self.addService(part)  # type: ignore[no-untyped-call]

    def startService(self) -> None:
        """Start every part; what listens where is said when the reactor runs."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._announce)
        self._reactor.callWhenRunning(self.reading.warm_up)

    def reload(self) -> None:
        """Read the settings again and apply what can change; on a mistake nothing changes."""
        try:
            settings = self._read()
            source = certificate_source(settings)
            blocked = blocked_senders(settings)
            self.certificates.use(source)
        except (BadSetting, BadCertificate, CannotStart) as error:
            self._log.error("the settings stay as they were: {error}", error=str(error))
            return
        fixed = fixed_at_start(self._settings, settings)
        if fixed:
            self._log.warn("changed only by a restart: {names}", names=", ".join(fixed))
        self._set_up_smtp(settings, blocked)
        self.office.domains = settings.domains
        self.office.limits = self.store.limits = self.rates.limits = settings.limits
        self.budget.limit = settings.limits.memory
        self.budget.share = settings.limits.memory_share
        self._set_log_level(settings.log_level)
        self._log.info("settings applied: {settings}", settings=_in_words(settings))

    def _set_up_smtp(self, settings: Settings, blocked: BlockedSenders | None) -> None:
        self.smtp.tls = self.certificates.mail if self.certificates.offered else None
        self.smtp.blocked = blocked
        self.smtp.any_login = settings.any_login
        self.smtp.aloud = settings.log_level == "debug"

    async def check_listening(self) -> None:
        """Raises NotListening while no mail can come in."""
        if not self.doors.open:
            raise NotListening("the server takes no connections now")

    def _doors(self) -> Doors:
        factories = {
            "SMTP": self.smtp,
            "SMTPS": beneath_tls(self.smtp, self.certificates.mail, self._reactor),
            "HTTP": self.site,
            "HTTPS": beneath_tls(self.site, self.certificates.web, self._reactor),
            "admin": self.admin,
        }
        return Doors(
            [
                parse_door(self._reactor, protocol, text, factories[protocol])
                for protocol, text in self._settings.endpoints
            ]
        )

    def _services(self) -> Iterator[IService]:
        # They stop in reverse and do not wait for each other: first nobody is let in any more.
        reactor = self._reactor
        on_signal = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGHUP: self.reload,
        }
        yield Signals(reactor, on_signal)
        if self._restart is not None:
            yield self._restart
        yield Collector(reactor)
        yield Trimmer(reactor, self.budget)
        yield Janitor(reactor, self.store)
        yield Renewal(reactor, self.certificates)
        if self._settings.admin:
            yield self.pulse
        yield self.closing
        yield self.doors

    def _metrics(self) -> Metrics:
        parts = Parts(
            smtp=self.smtp,
            site=self.site,
            store=self.store,
            budget=self.budget,
            doorbell=self.doorbell,
            isolation=self.isolation,
            pulse=self.pulse,
            refused=self.refused,
            certificates=self.certificates,
        )
        return Metrics(parts)

    def _announce(self) -> None:
        settings = self._settings
        self._log.info(
            "tempmail {version} listens: {doors}; {settings}",
            version=__version__,
            doors=self.doors.describe(),
            settings=_in_words(settings),
        )
        if settings.operator_token_file is None:
            self._log.warn(
                "mail to postmaster and abuse is taken, but nobody can read it: "
                "no --operator-token-file"
            )

    def _finish(self) -> Deferred[None]:
        """The last connection is gone, so nobody is told any more that something was kept."""
        if self._restart is not None:
            self.failed = not self._restart.write()
        return self.isolation.stop()

    def _stop(self) -> None:
        try:
            self._reactor.stop()
        except ReactorNotRunning:
            # It is stopping already, and we are told a second time.
            self.closing.hurry()


def assemble(
    settings: Settings,
    reactor: Any,
    read: Callable[[], Settings] | None = None,
    set_log_level: Callable[[str], object] = lambda _: None,
) -> Server:
    """The service that ``settings`` describe, not started yet.

    ``read`` gives the settings anew when SIGHUP asks for it, and ``set_log_level`` is told their
    level then. Raises :exc:`~tempmail.listening.CannotStart`.
    """
    return Server(reactor, settings, read or (lambda: settings), set_log_level)


def makeService(options: Options) -> Server:
    """What ``twistd tempmail`` runs: the assembly on the global reactor, made steady and lean."""
    from twisted.internet import reactor

    hold_back_signals()
    ignore_signals_at_exit()
    files = raise_file_limit()
    _log.info("up to {files} files and connections may be open", files=files)

    def read() -> Settings:
        settings = options.read()
        fitting = fit_connections(settings.limits, files)
        if fitting != settings.limits:
            _log.warn(
                "so SMTP takes no more than {smtp} connections and HTTP {http}",
                smtp=fitting.max_connections,
                http=fitting.max_http_connections,
            )
        return evolve(settings, limits=fitting)

    settings = read()
    set_log_level = shape_log(globalLogBeginner, settings.log_level, settings.log_format)
    reactor.seconds = steady_clock()  # type: ignore[method-assign]
    shorten_turns(reactor)
    keep_large_blocks_apart()
    server = assemble(settings, reactor, read, set_log_level)
    atexit.register(_tell_failure, server)
    return server


def _tell_failure(server: Server) -> None:
    """End with exit code 1 if mail was lost; twistd, which runs the reactor, has no way to."""
    if server.failed:
        os._exit(1)


def _blocklists(reactor: Any, settings: Settings, refused: Counter[str]) -> DnsBlocklists | None:
    if not settings.dnsbls:
        return None
    resolver = QuietResolver(reactor, settings.dns_server)
    return DnsBlocklists(reactor, resolver, settings.dnsbls, refused)


def _exposure(settings: Settings) -> Exposure:
    return Exposure(
        base_path=settings.base_path,
        proxies=Proxies(settings.trusted_proxies),
        origins=frozenset(settings.cors_origins),
        access_log=settings.access_log,
    )


def _branding(settings: Settings) -> Branding:
    return Branding(
        site_name=settings.site_name,
        notice=settings.notice,
        imprint=settings.imprint,
        abuse_contact=settings.abuse_contact,
        accent_colour=settings.accent_colour,
    )


def _in_words(settings: Settings) -> str:
    domains = ", ".join(f"{domain} ({domain.mode.value})" for domain in settings.domains.domains)
    return f"mail for {domains}; {settings.limits.memory / MEGA:.0f} MiB of memory for it"
