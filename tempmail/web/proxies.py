"""Whom proxies of ours ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from twisted.web.http_headers import Headers

from tempmail.core.peer import IPNetwork, Networks

# RFC 7239 section 4: elements between commas, of parameters between semicolons, with either of them
# also within quotes. Quotes that are not closed reach to the end, so that nothing is read twice.
_QUOTED = r'"[^"]*(?:"|\Z)'
_ELEMENTS = re.compile(rf'(?:[^,"]|{_QUOTED})+').findall
_PARAMETERS = re.compile(rf'(?:[^;"]|{_QUOTED})+').findall


class Proxies:
    """The proxies whose word is taken for whose request they pass on.

    ``networks`` are theirs; None among them stands for whoever comes by a socket file. What anybody
    else writes into those headers means nothing.
    """

    def __init__(self, networks: Iterable[IPNetwork | None] = ()) -> None:
        named = list(networks)
        self._networks = Networks(network for network in named if network is not None)
        self._unix = None in named

    def __contains__(self, peer: str) -> bool:
        """Whether this peer, "" for one without an address, is one of them."""
        return peer in self._networks if peer else self._unix

    def client(self, headers: Headers) -> str | None:
        """The address of the client behind them; None where they do not name one.

        Each proxy puts whom it was asked by behind what it was told, so the list is read from its
        end, as long as it names proxies of ours. Where both headers are there and do not agree, one
        came from the client itself, and nobody knows which.
        """
        named = {
            self._first_stranger(_hosts(headers, name, read))
            for name, read in ((b"X-Forwarded-For", _of_list), (b"Forwarded", _of_elements))
            if headers.hasHeader(name)
        }
        return named.pop() if len(named) == 1 else None

    def _first_stranger(self, hosts: list[str]) -> str | None:
        nearest: str | None = None
        for host in reversed(hosts):
            address = _address(host)
            if address is None:
                # Hidden, unknown or no address: whoever wrote it is the last one we know.
                return nearest
            nearest = address
            if address not in self._networks:
                return address
        return nearest


def _hosts(headers: Headers, name: bytes, read: Callable[[str], list[str]]) -> list[str]:
    lines = headers.getRawHeaders(name) or ()
    return read(b",".join(lines).decode("latin-1"))


def _of_list(text: str) -> list[str]:
    return text.split(",")


def _of_elements(text: str) -> list[str]:
    """What each element of a Forwarded header says of whom it is for; "" where it does not.

    They are taken from the end, as they are written, so nothing that a client put before them,
    quotes that it did not close for one, changes how they are read.
    """
    return [_of_element(element[::-1]) for element in _ELEMENTS(text[::-1])][::-1]


def _of_element(element: str) -> str:
    parameters = [parameter.strip().partition("=") for parameter in _PARAMETERS(element)]
    named = [value for name, _, value in parameters if name.lower() == "for"]
    # No parameter may come twice; where one does, it was smuggled in.
    return named[0].strip('"') if len(named) == 1 else ""


def _address(node: str) -> str | None:
    """The address in a node of these headers: it may have a port, and of IPv6 brackets."""
    host = node.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return str(ip_address(host))
    except ValueError:
        return None
