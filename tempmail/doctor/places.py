"""What an endpoint's text says about where it is."""

from __future__ import annotations

from attrs import frozen

from tempmail.listening import split_endpoint


@frozen
class Place:
    """An endpoint: its type, its port or path as written, and the address it is bound to."""

    kind: str
    where: str
    interface: str


def parse_place(text: str) -> Place:
    """The place an endpoint's text names, as far as it names one."""
    kind, *fields = split_endpoint(text)
    named = dict(field.split("=", 1) for field in fields if "=" in field)
    positional = [field for field in fields if "=" not in field]
    where = named.get("port") or named.get("address") or next(iter(positional), "")
    interface = named.get("interface", "::" if kind == "tcp6" else "")
    return Place(kind, where.replace("\\:", ":"), interface.replace("\\:", ":"))
