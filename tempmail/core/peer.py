"""Whose quota a connection counts against."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address, IPv6Network


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
        address = IPv6Address(host.partition("%")[0])
    except AddressValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False))
