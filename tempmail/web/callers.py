"""Who asks: whose quota of mailboxes a request counts against, and whose rates."""

from __future__ import annotations

from attrs import frozen
from twisted.logger import Logger
from twisted.web.http_headers import Headers

from tempmail.core.peer import client_key
from tempmail.rates import Rates
from tempmail.web.proxies import Proxies

# What whoever comes by a socket file is called where it has to be counted.
_SOCKET_FILE = "unix"


@frozen
class Caller:
    """Who is at the other end of a connection, or behind it.

    ``client`` is whose quota counts, ``counted`` whose rates: "" for nobody's. ``trusted`` says
    that it is a proxy of ours.
    """

    client: str
    counted: str
    trusted: bool = False


class Callers:
    """Who asks, by connection and by what proxies say.

    No rate holds for clients the operator exempts, as long as it is sure who they are: not for one
    that says, unasked, that it asks for others, nor for a proxy of ours that does not say for whom.
    """

    _log = Logger()

    def __init__(self, proxies: Proxies, rates: Rates) -> None:
        self._proxies = proxies
        self._rates = rates
        self._warned = False

    def at(self, peer: str) -> Caller:
        """Who is at the other end of a connection, "" being a socket file's."""
        if peer in self._proxies:
            return _certainly(client_key(peer), trusted=True)
        return Caller(client_key(peer), self._rates.whose(peer))

    def behind(self, caller: Caller, headers: Headers) -> Caller:
        """Whom this caller's request is from."""
        if caller.trusted:
            named = self._proxies.client(headers)
            return caller if named is None else Caller(client_key(named), self._rates.whose(named))
        if caller.counted or not _names_a_client(headers):
            return caller
        if not self._warned:
            self._warned = True
            self._log.warn(
                "requests come by a proxy that is not named by --trusted-proxy: all its clients "
                "are counted as one"
            )
        return _certainly(caller.client)


def _certainly(client: str, trusted: bool = False) -> Caller:
    """A caller that is counted, whoever it is."""
    return Caller(client, client or _SOCKET_FILE, trusted)


def _names_a_client(headers: Headers) -> bool:
    return bool(headers.hasHeader(b"X-Forwarded-For") or headers.hasHeader(b"Forwarded"))
