"""Who a client is: the name its quotas are kept under, what it holds, and its network."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from tempmail.core.limits import MAX_KNOWN_HOSTS

IPNetwork = IPv4Network | IPv6Network


@lru_cache(maxsize=MAX_KNOWN_HOSTS)
def client_key(host: str) -> str:
    """The client behind an IP address in text form, as the name its quotas are kept under.

    An IPv4 address stands for itself. Of an IPv6 address the first 64 bits count, because that
    much is one subscriber's (RFC 6177 section 2) and the rest is his to change with every
    connection. An IPv4-mapped address (RFC 4291 section 2.5.5.2) is the IPv4 address it carries.
    What is no IP address, a socket file's peer for one, is given back unchanged.
    """
    if ":" not in host:
        return host
    try:
        address = parse_host(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), 64), strict=False))


def parse_host(host: str) -> IPv4Address | IPv6Address:
    """An IP address, without its zone; an IPv4-mapped one (RFC 4291 section 2.5.5.2) is the IPv4
    address it carries. Raises :exc:`ValueError`.
    """
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_network(text: str) -> IPNetwork:
    """``192.0.2.1``, ``192.0.2.0/24``, ``2001:db8::/32``. Raises :exc:`ValueError`."""
    return ip_network(text.strip(), strict=False)


class Held:
    """How many of something each client holds now, by :func:`client_key`.

    Whoever holds none is not in ``counts``, which so never grow with those who were here once.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def of(self, client: str) -> int:
        """How many."""
        return self.counts.get(client, 0)

    def add(self, client: str) -> None:
        """One more."""
        self.counts[client] = self.counts.get(client, 0) + 1

    def drop(self, client: str) -> None:
        """One less."""
        held = self.counts[client] - 1
        if held:
            self.counts[client] = held
        else:
            del self.counts[client]


class Networks:
    """A set of IP networks: ``"192.0.2.7" in networks``. What is no IP address is in none.

    Each answer is remembered, since the same few hosts are asked about with every request.
    """

    def __init__(self, networks: Iterable[IPNetwork] = ()) -> None:
        self._networks = tuple(networks)
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, host: str) -> bool:
        if not self._networks:
            return False
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= MAX_KNOWN_HOSTS:
                self._known.clear()
            known = self._known[host] = self._look(host)
        return known

    def _look(self, host: str) -> bool:
        try:
            address = parse_host(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
"""This machine."""

PRIVATE = Networks(
    [
        *LOOPBACK,
        *map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),  # RFC 1918
        IPv4Network("100.64.0.0/10"),  # RFC 6598
        IPv4Network("169.254.0.0/16"),  # RFC 3927
        IPv6Network("fc00::/7"),  # RFC 4193
        IPv6Network("fe80::/10"),  # RFC 4291
    ]
)
"""Addresses that mean something else in every network; nobody publishes anything about them."""
