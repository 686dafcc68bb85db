"""Figures for Prometheus, put together when it asks.

Whoever does something counts it himself, in plain numbers; here they are read and named. So a mail
pays for some additions and nothing else, and no part but this one knows of Prometheus. The answer
is made within one turn of the reactor, so no count moves meanwhile: prometheus_client's own
resource for Twisted would make it in a thread, and by the global reactor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString

from tempmail import __version__
from tempmail.core.budget import Budget
from tempmail.core.histogram import Histogram
from tempmail.doorbell import Doorbell
from tempmail.interfaces import IMailStore
from tempmail.isolation.pool import Isolation
from tempmail.lifecycle import Pulse
from tempmail.rates import REASONS
from tempmail.smtp import replies
from tempmail.smtp.factory import SessionFactory
from tempmail.tls import Certificates
from tempmail.web.site import Site

# What each refusal is called: its name among the replies, of which there are only so many.
_REASONS = {
    reply: name.lower()
    for name, reply in vars(replies).items()
    if isinstance(reply, bytes) and reply[:1] in (b"4", b"5")
}
# The one that is no constant there, for it has the name of a blocklist.
_LISTED = "listed_client"
# All of them are told of from the start, for Prometheus sees no increase in what only begins.
_NO_REFUSALS = {(reply[:3].decode(), name): 0 for reply, name in _REASONS.items()} | {
    ("550", _LISTED): 0
}


@frozen(kw_only=True)
class Parts:
    """Whose figures are told."""

    smtp: SessionFactory
    site: Site
    store: IMailStore
    budget: Budget
    doorbell: Doorbell
    isolation: Isolation
    pulse: Pulse
    refused: Mapping[str, int]
    certificates: Certificates


class Metrics(Collector):
    """All figures of one server, in a registry of their own."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """The text Prometheus reads, and its content type; ``accept`` is the header it sent."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):
            # The version of a format in it is no number.
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client calls."""
        parts = self._parts
        yield InfoMetricFamily("tempmail", "Which version runs", {"version": __version__})
        yield from _of_smtp(parts.smtp)
        yield _labelled(
            CounterMetricFamily(
                "tempmail_clients_refused",
                "What was refused to clients that do too much, or for who they are",
                labels=("reason",),
            ),
            {**dict.fromkeys(REASONS, 0), **parts.refused},
        )
        yield from _of_store(parts.store)
        yield from _of_memory(parts.budget)
        yield from _of_http(parts.site)
        yield from _of_waiting(parts.site, parts.doorbell)
        yield from _of_process(parts.pulse, parts.isolation)
        yield _labelled(
            GaugeMetricFamily(
                "tempmail_certificate_ends_timestamp_seconds",
                "When a certificate in use ends",
                labels=("name",),
            ),
            parts.certificates.ends,
        )


def _of_smtp(smtp: SessionFactory) -> Iterator[Metric]:
    traffic = smtp.traffic
    yield GaugeMetricFamily(
        "tempmail_smtp_connections_open", "SMTP connections now", smtp.connections
    )
    yield CounterMetricFamily(
        "tempmail_smtp_connections", "SMTP connections, refused ones too", traffic.connections
    )
    yield CounterMetricFamily("tempmail_smtp_mails_accepted", "Mails kept", traffic.mails)
    yield CounterMetricFamily(
        "tempmail_smtp_mails_lost", "Mails whose client left in the middle", traffic.lost
    )
    yield CounterMetricFamily(
        "tempmail_smtp_received_bytes", "Octets of mails, refused ones too", traffic.octets
    )
    refusals = CounterMetricFamily(
        "tempmail_smtp_refusals",
        "Replies that begin with 4 or 5",
        labels=("code", "reason"),
    )
    counted = Counter(_NO_REFUSALS)
    for reply, count in traffic.refusals.items():
        counted[reply[:3].decode(), _reason(reply)] += count
    for labels, count in sorted(counted.items()):
        refusals.add_metric(labels, count)
    yield refusals
    yield _histogram(
        "tempmail_smtp_accept_seconds",
        "From DATA, or the first BDAT, to the 250 behind the mail",
        traffic.accepting,
    )


def _reason(reply: bytes) -> str:
    if replies.tells_of_a_list(reply):
        return _LISTED
    return _REASONS.get(reply, "other")


def _of_store(store: IMailStore) -> Iterator[Metric]:
    tally = store.tally
    yield GaugeMetricFamily("tempmail_mailboxes", "Open mailboxes now", tally.mailboxes)
    yield GaugeMetricFamily(
        "tempmail_mailboxes_quarantined", "Addresses in quarantine now", tally.quarantine
    )
    yield GaugeMetricFamily("tempmail_messages", "Messages in mailboxes now", tally.messages)
    yield GaugeMetricFamily(
        "tempmail_messages_bytes", "Octets of the mails kept now, each once", tally.octets
    )
    yield CounterMetricFamily(
        "tempmail_mailboxes_minted", "Mailboxes somebody asked for", tally.minted
    )
    yield CounterMetricFamily("tempmail_mailboxes_opened", "Mailboxes mail opened", tally.opened)
    yield CounterMetricFamily(
        "tempmail_mailboxes_expired", "Mailboxes whose time was over", tally.expired
    )
    yield CounterMetricFamily(
        "tempmail_mailboxes_deleted", "Mailboxes deleted by hand", tally.deleted
    )
    yield _histogram(
        "tempmail_expiry_lag_seconds", "By how much mailboxes outlived their time", tally.lag
    )


def _of_memory(budget: Budget) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "tempmail_memory_used_bytes", "What the memory budget is charged", budget.used
    )
    yield GaugeMetricFamily("tempmail_memory_limit_bytes", "The memory budget", budget.limit)
    yield GaugeMetricFamily(
        "tempmail_memory_largest_share_bytes",
        "What the one client takes of it who takes the most",
        max(budget.held.values(), default=0),
    )


def _of_http(site: Site) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "tempmail_http_connections_open", "HTTP connections now", site.connections
    )
    counted = CounterMetricFamily(
        "tempmail_http_answers", "HTTP answers; websockets when over", labels=("route", "status")
    )
    for (route, status), count in sorted(site.answers.counts.items()):
        counted.add_metric((route, str(status)), count)
    yield counted
    taken = HistogramMetricFamily(
        "tempmail_http_answer_seconds",
        "From a request to the end of its answer, waiting included",
        labels=("route",),
    )
    for route, histogram in sorted(site.answers.seconds.items()):
        taken.add_metric((route,), _buckets(histogram), histogram.total)
    yield taken


def _of_waiting(site: Site, doorbell: Doorbell) -> Iterator[Metric]:
    yield GaugeMetricFamily("tempmail_waiters", "Who listens for mail now", doorbell.listeners)
    yield _labelled(
        GaugeMetricFamily(
            "tempmail_http_held",
            "Requests that wait, or whose answer is being written, now",
            labels=("route",),
        ),
        site.held,
    )
    yield _histogram(
        "tempmail_wake_seconds",
        "From keeping a mail to writing it to one who waited for it",
        site.waking,
    )


def _of_process(pulse: Pulse, isolation: Isolation) -> Iterator[Metric]:
    yield _histogram(
        "tempmail_reactor_late_seconds",
        "How late the reactor came to what was due, ten times a second",
        pulse.late,
    )
    yield GaugeMetricFamily(
        "tempmail_reactor_late_max_seconds", "The latest since the start", pulse.latest
    )
    yield GaugeMetricFamily("tempmail_workers", "Worker processes now", isolation.workers)
    yield GaugeMetricFamily(
        "tempmail_worker_queue", "Mails that wait for a worker now", isolation.waiting
    )
    yield _labelled(
        CounterMetricFamily(
            "tempmail_workers_killed", "Worker processes lost, by why", labels=("reason",)
        ),
        isolation.killed,
    )


def _labelled(family: Any, values: Mapping[str, float]) -> Metric:
    for label, value in sorted(values.items()):
        family.add_metric((label,), value)
    metric: Metric = family
    return metric


def _histogram(name: str, text: str, values: Histogram) -> Metric:
    return HistogramMetricFamily(name, text, buckets=_buckets(values), sum_value=values.total)


def _buckets(values: Histogram) -> list[tuple[str, float]]:
    """Counts up to each bound, as Prometheus has them."""
    bounds = [*map(floatToGoString, values.bounds), "+Inf"]
    sums, total = [], 0
    for bound, count in zip(bounds, values.counts, strict=True):
        total += count
        sums.append((bound, float(total)))
    return sums
