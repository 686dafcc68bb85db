"""A real name server on loopback that knows what a test tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.names import dns
from twisted.names.common import ResolverBase
from twisted.names.error import DNSNameError
from twisted.names.server import DNSServerFactory


class Zone(ResolverBase):
    """Answers from ``records``, each name with its own; a name without an entry does not exist.

    For names below ``broken`` it fails.
    """

    def __init__(self, records: Mapping[str, Sequence[Any]], broken: str = "\0") -> None:
        super().__init__()
        self._records = records
        self._broken = broken

    def _lookup(self, name: bytes, cls: int, kind: int, timeout: object) -> Deferred[Any]:
        text = name.decode().lower()
        if text.endswith(self._broken):
            return fail(RuntimeError("the zone is broken"))
        if text not in self._records:
            return fail(DNSNameError())
        answers = [
            dns.RRHeader(name, record.TYPE, dns.IN, 60, record)
            for record in self._records[text]
            if record.TYPE in (kind, dns.CNAME)
        ]
        return succeed((answers, [], []))


async def serve(reactor: Any, zone: Zone) -> tuple[Any, int]:
    """The listening port and its number."""
    factory = DNSServerFactory(clients=[zone])
    factory.noisy = False
    protocol = dns.DNSDatagramProtocol(factory)
    protocol.noisy = False
    port = reactor.listenUDP(0, protocol, interface="127.0.0.1")
    return port, port.getHost().port
