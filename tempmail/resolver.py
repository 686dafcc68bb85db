"""Asking name servers, quietly and from one socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.interfaces import IDelayedCall
from twisted.names import dns
from twisted.names.client import Resolver

from tempmail.core.limits import DNS_TRIES

_SYSTEM = "/etc/resolv.conf"


class QuietResolver(Resolver):
    """Asks ``server``, an address and a port, or those the system asks.

    ``tries`` is for how many seconds each server is waited for, the first time round, the second.

    Its base opens a socket for each question and writes four lines to the log about it. Here one
    socket is kept, on a port that the system chose; an answer has to come from the server that was
    asked and to have the question's number.
    """

    def __init__(
        self,
        reactor: Any,
        server: tuple[str, int] | None = None,
        tries: Sequence[int] = DNS_TRIES,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            resolv=None if server else _SYSTEM,
            servers=[server] if server else None,
            timeout=tries,
            reactor=reactor,
        )
        self._tries = tries
        self._by_family: dict[str, dns.DNSDatagramProtocol] = {}

    def queryUDP(
        self, queries: list[dns.Query], timeout: Sequence[int] | None = None
    ) -> Deferred[dns.Message]:
        """Ask each server in turn, waiting longer each time round."""
        return Deferred.fromCoroutine(self._ask(queries, timeout or self._tries))

    def queryTCP(self, queries: list[dns.Query], timeout: object = None) -> Deferred[dns.Message]:
        """Ask what is too long for UDP, waiting no longer for it, connecting included."""
        seconds = sum(self._tries)
        asked: Deferred[dns.Message] = super().queryTCP(queries, seconds)  # type: ignore[no-untyped-call]
        return asked.addTimeout(seconds, self._reactor)

    def messageReceived(
        self,
        message: dns.Message,
        protocol: dns.DNSDatagramProtocol,
        address: tuple[str, int] | None = None,
    ) -> None:
        """What nobody asked for is not worth a line in the log."""

    def close(self) -> Deferred[Any]:
        """Ask no more, and close the sockets."""
        # With the servers of the system, its base looks every minute whether they are still those.
        looking: IDelayedCall | None = getattr(self, "_parseCall", None)
        if looking is not None:
            looking.cancel()
        for connection in self.connections:
            connection.transport.loseConnection()
        opened, self._by_family = self._by_family, {}
        return gatherResults(
            [maybeDeferred(protocol.transport.stopListening) for protocol in opened.values()]
        )

    async def _ask(self, queries: list[dns.Query], tries: Sequence[int]) -> dns.Message:
        for seconds in tries:
            for server in (*self.servers, *self.dynServers):
                try:
                    return await self._protocol(server[0]).query(server, queries, seconds)
                except dns.DNSQueryTimeoutError:
                    continue
        raise NoAnswer(f"no name server answered within {sum(tries)} seconds")

    def _protocol(self, host: str) -> dns.DNSDatagramProtocol:
        interface = "::" if ":" in host else ""
        protocol = self._by_family.get(interface)
        if protocol is None:
            protocol = dns.DNSDatagramProtocol(self, reactor=self._reactor)
            protocol.noisy = False
            self._reactor.listenUDP(0, protocol, interface=interface, maxPacketSize=512)
            self._by_family[interface] = protocol
        return protocol
