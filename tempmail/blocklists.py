"""Whose mail is refused before it is sent: the operator's own list, and blocklists in the DNS."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.names import dns
from twisted.names.error import DNSNameError
from twisted.python.failure import Failure

from tempmail.core.address import is_dot_string, normalise_domain
from tempmail.core.errors import BadAddress, ListedClient
from tempmail.core.limits import (
    COMPLAINT_SECONDS,
    DNSBL_FAILURE_TTL,
    DNSBL_MISS_TTL,
    DNSBL_SECONDS,
    MAX_DNSBL_ANSWERS,
    MAX_DNSBL_QUESTIONS,
    MAX_DNSBL_TTL,
    MIN_DNSBL_TTL,
)
from tempmail.core.peer import PRIVATE, Networks, parse_host, parse_network

# RFC 5782 section 2.1: what lists answer with, and what those answer that are asked too often, from
# the wrong place or for nothing they know.
LISTED_CODES = IPv4Network("127.0.0.0/8")
ERROR_CODES = IPv4Network("127.255.255.0/24")

_COMMENT = re.compile(r"(?:^|\s)#")


@frozen
class BlockedSenders:
    """What the operator's file names: senders, domains and networks of clients.

    ``sites`` are domains with all below them. The null sender, by which bounces come, is in none.
    """

    addresses: frozenset[tuple[str, str]] = frozenset()
    domains: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    clients: Networks = field(factory=Networks)

    @classmethod
    def parse(cls, text: str) -> BlockedSenders:
        """One entry a line, and comments behind ``#``.

        ``a@b.example`` is a sender, ``@b.example`` a domain, ``b.example`` a domain with all below
        it, ``192.0.2.0/24`` a network of clients. Raises :exc:`ValueError` naming the line.
        """
        addresses, domains, sites, clients = set(), set(), set(), []
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
            entry = _COMMENT.split(line, 1)[0].strip()
            if "#" in entry:
                raise ValueError(f"line {number}: {entry!r}: a comment begins behind a blank")
            local, at, domain = entry.rpartition("@")
            if "*" in local:
                raise ValueError(
                    f"line {number}: {entry!r}: nothing stands for any sender but @{domain}"
                )
            try:
                if at and local:
                    addresses.add((_dequoted(local).lower(), normalise_domain(domain)))
                elif at:
                    domains.add(normalise_domain(domain))
                elif entry and (":" in entry or entry[-1].isdigit()):
                    clients.append(parse_network(entry))
                elif entry:
                    sites.add(normalise_domain(entry.removeprefix(".")))
            except (BadAddress, ValueError):
                raise ValueError(
                    f"line {number}: {entry!r} is no sender, domain or network"
                ) from None
        return cls(frozenset(addresses), frozenset(domains), frozenset(sites), Networks(clients))

    def blocks(self, host: str, local: str, domain: str) -> bool:
        """Whether mail of this client or sender is refused. The null sender has no domain."""
        if host in self.clients:
            return True
        if not domain:
            return False
        try:
            name = normalise_domain(domain)
        except BadAddress:
            # An address literal; networks of clients are for those.
            return False
        return (
            (local.lower(), name) in self.addresses or name in self.domains or self._in_site(name)
        )

    def _in_site(self, name: str) -> bool:
        while name:
            if name in self.sites:
                return True
            name = name.partition(".")[2]
        return False


def _dequoted(local: str) -> str:
    """A local part without its quotes, as senders are compared. Raises :exc:`BadAddress`."""
    if len(local) > 2 and local[0] == local[-1] == '"':
        return re.sub(r"\\(.)", r"\1", local[1:-1])
    if not is_dot_string(local):
        raise BadAddress("this needs quotes")
    return local


class Resolver(Protocol):
    """What is needed of ``twisted.names.client.Resolver``."""

    def lookupAddress(
        self, name: str, timeout: Sequence[int] | None = None
    ) -> Deferred[tuple[list[dns.RRHeader], list[dns.RRHeader], list[dns.RRHeader]]]:
        """The A records of a name."""


@frozen
class _Answer:
    """What a client was found in, "" for nothing, and till when that holds."""

    listed_by: str
    until: float


@frozen
class _Finding:
    """What one list said: whether the client is in it, and for how many seconds that holds."""

    listed: bool
    seconds: float


class DnsBlocklists:
    """Blocklists in the DNS (RFC 5782), asked all at once about one client.

    They can only refuse: a list that does not answer in time, that answers with an error code or
    with anything it may not, says nothing. ``refused`` counts refusals by reason.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        resolver: Resolver,
        lists: Sequence[str],
        refused: Counter[str],
    ) -> None:
        self._clock = clock
        self._resolver = resolver
        self._lists = tuple(lists)
        self._refused = refused
        self._answers: dict[str, _Answer] = {}
        self._asked: dict[str, list[Deferred[str]]] = {}
        self._complained_at = float("-inf")

    def check(self, host: str) -> Deferred[None]:
        """Whether mail of this client may be taken. Raises ListedClient with the list's name."""
        return self.look_up(host).addCallback(self._refuse)

    def look_up(self, host: str) -> Deferred[str]:
        """Which list this client is in, or ""; at once where that is known, and never an error."""
        known = self._answers.get(host)
        if known is not None and known.until > self._clock.seconds():
            return succeed(known.listed_by)
        answer: Deferred[str] = Deferred()
        waiting = self._asked.get(host)
        if waiting is not None:
            waiting.append(answer)
            return answer
        if host in PRIVATE or len(self._asked) >= MAX_DNSBL_QUESTIONS:
            return succeed("")
        try:
            name = reversed_name(host)
        except ValueError:
            return succeed("")
        self._asked[host] = [answer]
        self._ask(host, name)
        return answer

    def _refuse(self, listed_by: str) -> None:
        if listed_by:
            self._refused["dnsbl"] += 1
            raise ListedClient(listed_by)

    def _ask(self, host: str, name: str) -> None:
        asked = [
            maybeDeferred(self._resolver.lookupAddress, f"{name}.{zone}")
            .addTimeout(DNSBL_SECONDS, self._clock)
            .addCallbacks(self._read, self._failed, callbackArgs=(zone,))
            .addErrback(self._defect)
            for zone in self._lists
        ]
        gatherResults(asked).addCallback(self._learned, host)

    def _read(
        self, records: tuple[list[dns.RRHeader], list[dns.RRHeader], list[dns.RRHeader]], zone: str
    ) -> _Finding:
        """What a list's answer means."""
        addresses: list[tuple[Any, int]] = [
            (record.payload, record.ttl) for record in records[0] if record.type == dns.A
        ]
        found = [(IPv4Address(payload.dottedQuad()), ttl) for payload, ttl in addresses]
        listing = [ttl for code, ttl in found if code in LISTED_CODES and code not in ERROR_CODES]
        if listing:
            return _Finding(True, min(max(min(listing), MIN_DNSBL_TTL), MAX_DNSBL_TTL))
        if found:
            self._complain(zone, str(found[0][0]))
            return _Finding(False, DNSBL_FAILURE_TTL)
        return _Finding(False, DNSBL_MISS_TTL)

    def _failed(self, failure: Failure) -> _Finding:
        """There is no such name, which is the list's way to say no; or it can not be asked."""
        no = failure.check(DNSNameError) is not None
        return _Finding(False, DNSBL_MISS_TTL if no else DNSBL_FAILURE_TTL)

    def _defect(self, failure: Failure) -> _Finding:
        self._log.failure("a blocklist's answer could not be read", failure)
        return _Finding(False, DNSBL_FAILURE_TTL)

    def _complain(self, zone: str, code: str) -> None:
        if self._clock.seconds() >= self._complained_at + COMPLAINT_SECONDS:
            self._complained_at = self._clock.seconds()
            self._log.warn(
                "the blocklist {zone} answers {code}, which lists nobody: it may not be asked "
                "from here; its answers do not count",
                zone=zone,
                code=code,
            )

    def _learned(self, findings: list[_Finding], host: str) -> None:
        answers = list(zip(self._lists, findings, strict=True))
        listing = [(zone, finding.seconds) for zone, finding in answers if finding.listed]
        nowhere = "", min(finding.seconds for finding in findings)
        listed_by, seconds = listing[0] if listing else nowhere
        if len(self._answers) >= MAX_DNSBL_ANSWERS:
            self._answers.clear()
        self._answers[host] = _Answer(listed_by, self._clock.seconds() + seconds)
        for waiting in self._asked.pop(host):
            waiting.callback(listed_by)


def reversed_name(host: str) -> str:
    """How a list calls an address (RFC 5782 sections 2.1, 2.4): octets or nibbles, last first.

    Raises :exc:`ValueError` for what is no IP address.
    """
    return parse_host(host).reverse_pointer.rsplit(".", 2)[0]
