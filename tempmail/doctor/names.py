"""Whether mail for our domains finds us: MX, addresses, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as GivenUp
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns
from twisted.names.error import DNSNameError, DomainError, ResolverError

from tempmail.core.domains import Domain
from tempmail.core.limits import DOCTOR_NAMES_SECONDS
from tempmail.doctor.findings import Finding, advice, ok, problem
from tempmail.doctor.places import parse_place
from tempmail.settings import Settings

# RFC 2606, RFC 6761, RFC 6762, and what ICANN set aside for private use.
_NOT_PUBLIC = ("test", "example", "invalid", "localhost", "local", "internal")


_FAILURES = (DomainError, GivenUp, ResolverError, ConnectError, ConnectionClosed, OSError)


class NoAnswer(Exception):
    """No name server answered, or none with an answer; the text is the kind of failure."""


class Names:
    """The DNS, as far as mail is concerned. Names are without a dot at the end.

    ``resolver`` looks names up as Twisted's do. A name that does not exist is one without records.
    Raises :exc:`NoAnswer`, also once all questions together took too long.
    """

    def __init__(self, resolver: Any, clock: IReactorTime) -> None:
        self._resolver = resolver
        self._clock = clock
        self._end = clock.seconds() + DOCTOR_NAMES_SECONDS

    async def exchanges(self, domain: str) -> list[str]:
        """The mail exchanges of a domain, the preferred first; "" is none at all (RFC 7505)."""
        records = await self._ask(self._resolver.lookupMailExchange(domain))
        found = sorted((each.preference, _text(each.name)) for each in records[dns.MX])
        return [host for _, host in found]

    async def addresses(self, host: str) -> tuple[list[IPv4Address | IPv6Address], bool]:
        """The addresses of a host, and whether its name is an alias."""
        four = await self._ask(self._resolver.lookupAddress(host))
        six = await self._ask(self._resolver.lookupIPV6Address(host))
        found: list[Any] = [ip_address(each.dottedQuad()) for each in four[dns.A]]
        found += [ip_address(each.address) for each in six[dns.AAAA]]
        return found, bool(four[dns.CNAME] or six[dns.CNAME])

    async def codes(self, name: str) -> list[IPv4Address]:
        """What a blocklist answers about a name (RFC 5782 section 2.1)."""
        records = await self._ask(self._resolver.lookupAddress(name))
        return [IPv4Address(each.dottedQuad()) for each in records[dns.A]]

    async def pointers(self, address: IPv4Address | IPv6Address) -> list[str]:
        """The names an address claims to have."""
        records = await self._ask(self._resolver.lookupPointer(address.reverse_pointer))
        return [_text(each.name) for each in records[dns.PTR]]

    async def _ask(self, lookup: Deferred[Any]) -> dict[int, list[Any]]:
        left = max(0.0, self._end - self._clock.seconds())
        try:
            answers, _, _ = await lookup.addTimeout(left, self._clock)
        except DNSNameError:
            answers = []
        except _FAILURES as error:
            raise NoAnswer(type(error).__name__) from None
        found: dict[int, list[Any]] = {dns.A: [], dns.AAAA: [], dns.MX: []}
        found.update({dns.PTR: [], dns.CNAME: []})
        for answer in answers:
            found.setdefault(answer.type, []).append(answer.payload)
        return found


async def check_names(settings: Settings, names: Names, every: bool) -> AsyncIterator[Finding]:
    """Findings about each domain and the host name; ``every`` looks at private names, too."""
    domains = [domain for domain in settings.domains.domains if every or is_public(domain.name)]
    try:
        exchanges: set[str] = set()
        for domain in domains:
            async for finding in _check_domain(domain, settings.hostname, names, exchanges):
                yield finding
        if exchanges - {""} and settings.hostname not in exchanges:
            yield advice(
                "names",
                f"the server calls itself {settings.hostname}, which is no MX of its domains",
                "set --hostname to the name in the MX records, so that certificates fit",
            )
        if every or is_public(settings.hostname):
            async for finding in _check_reverse(settings.hostname, names):
                yield finding
    except NoAnswer as failure:
        yield advice(
            "names",
            f"the DNS could not be asked ({failure}), so this was not looked at",
            "try again with --dns-server and a server that does",
        )
    for domain in settings.domains.domains:
        if domain not in domains:
            yield ok("names", f"{domain} is for tests: no mail server outside looks for it")
    if domains and not any(map(_may_be_port_25, settings.smtp)):
        yield advice(
            "names",
            "senders only ever come to port 25, and no SMTP endpoint listens there",
            "listen on tcp6:25, or forward port 25 to where we listen",
        )


def is_public(name: str) -> bool:
    """Whether a name may be looked for in the DNS at all."""
    return "." in name and name.rpartition(".")[2] not in _NOT_PUBLIC


async def _check_domain(
    domain: Domain, hostname: str, names: Names, found: set[str]
) -> AsyncIterator[Finding]:
    """Findings about one domain, whose mail exchanges are added to ``found``."""
    name = f"doctor.{domain.name}" if domain.subdomains else domain.name
    record = f"publish `{domain}. MX 10 {hostname}.`"
    exchanges = await names.exchanges(name)
    found.update(exchanges)
    if exchanges == [""]:
        yield problem("names", f"{name} says that it takes no mail (null MX)", record)
    elif not exchanges and (await names.addresses(name))[0]:
        yield advice("names", f"{name} has no MX record, only addresses", record)
    elif not exchanges:
        yield problem("names", f"{name} has no MX record, so no mail comes", record)
    else:
        for host in exchanges:
            yield await _check_exchange(name, host, names)


async def _check_exchange(domain: str, host: str, names: Names) -> Finding:
    what = f"{domain} has the MX {host}"
    if "\\" in host:
        return problem(
            "names",
            f"{what}, which is no host name",
            "name a host of ASCII letters, digits and hyphens in the MX record",
        )
    addresses, is_alias = await names.addresses(host)
    if not addresses:
        return problem("names", f"{what}, which has no address", f"add A and AAAA to {host}")
    if is_alias:
        return problem(
            "names",
            f"{what}, which is a CNAME; not every sender follows it (RFC 2181 section 10.3)",
            "name the host itself in the MX record",
        )
    said = ", ".join(map(str, addresses))
    if not any(address.is_global for address in addresses):
        return problem(
            "names",
            f"{what} at {said}: only this network can reach that",
            "publish an address that the world can reach",
        )
    return ok("names", f"{what} at {said}")


async def _check_reverse(host: str, names: Names) -> AsyncIterator[Finding]:
    addresses, _ = await names.addresses(host)
    if not addresses:
        yield problem("names", f"{host}, which we call ourselves, has no address", "add A or AAAA")
    for address in addresses:
        if not address.is_global:
            continue
        pointers = await names.pointers(address)
        if host in pointers:
            yield ok("names", f"{address} is {host}, and back")
        else:
            said = f"{address} is {', '.join(pointers)}" if pointers else f"{address} has no name"
            yield advice(
                "names",
                f"{host} is {address}, but {said}",
                "have whoever gave you the address set its PTR record; receiving works without",
            )


def _may_be_port_25(text: str) -> bool:
    """Whether an endpoint is port 25, or something that may be handed what comes there."""
    place = parse_place(text)
    return text.startswith("haproxy:") or place.kind not in ("tcp", "tcp6") or place.where == "25"


def _text(name: dns.Name) -> str:
    """A name as text, with a backslash where it is none that a host may have."""
    return name.name.decode("ascii", "backslashreplace").rstrip(".").lower()
