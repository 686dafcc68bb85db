"""What SMTP and HTTP alike want of the connection beneath them."""

from __future__ import annotations

from typing import Any

from twisted.protocols.policies import ProtocolWrapper


def read_at_a_time(transport: Any, octets: int) -> None:
    """Read at most so many octets at a time, beneath TLS or HAProxy's wrapper too.

    For each read Twisted makes room for as many as could come and then gives back what was not
    needed. What is kept meanwhile comes to lie between such rooms, and they can not be used again:
    five thousand connections that read 64 kB at a time took 150 MB that way (``make siege``).
    """
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    transport.bufferSize = octets
