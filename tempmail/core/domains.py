"""Which domains take mail, and how."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from attrs import field, frozen

from tempmail.core.address import (
    OPERATOR_LOCAL_PARTS,
    RESERVED_LOCAL_PARTS,
    Address,
    normalise_domain,
)
from tempmail.core.errors import BadAddress, UnknownDomain


class Mode(Enum):
    """How a domain takes mail: for addresses somebody minted, or for any address at all."""

    MINTED = "minted"
    CATCH_ALL = "catch-all"


@frozen
class Domain:
    """One domain of ours as the operator wrote it: ``qa.test`` or ``*.qa.test``.

    ``name`` has no star; with ``subdomains`` it stands for every domain below ``name`` at any
    depth and not for ``name`` itself.
    """

    name: str
    mode: Mode = Mode.MINTED
    subdomains: bool = False

    @classmethod
    def parse(cls, text: str) -> Domain:
        """Read ``DOMAIN[:minted|:catch-all]``. Raises :exc:`BadAddress` with what is wrong."""
        name, _, mode = text.partition(":")
        subdomains = name.startswith("*.")
        try:
            chosen = Mode(mode or "minted")
        except ValueError:
            raise BadAddress(f"{mode!r} is no mode; write minted or catch-all") from None
        name = normalise_domain(name[2:] if subdomains else name)
        if name.startswith("["):
            raise BadAddress("an address literal is no domain of mail addresses")
        return cls(name, chosen, subdomains)

    def __str__(self) -> str:
        return f"*.{self.name}" if self.subdomains else self.name


@frozen
class Domains:
    """All domains of ours, in the operator's order; the first minted one is the default."""

    domains: tuple[Domain, ...]
    _exact: dict[str, Domain] = field(init=False, repr=False, eq=False)
    _below: dict[str, Domain] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        exact = {domain.name: domain for domain in self.domains if not domain.subdomains}
        below = {domain.name: domain for domain in self.domains if domain.subdomains}
        object.__setattr__(self, "_exact", exact)
        object.__setattr__(self, "_below", below)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Domains:
        """Read one ``DOMAIN[:MODE]`` a text."""
        return cls(tuple(Domain.parse(text) for text in texts))

    @property
    def default(self) -> Domain:
        """Where an address is minted when no domain was asked for."""
        named = [domain for domain in self.domains if not domain.subdomains]
        minted = [domain for domain in named if domain.mode is Mode.MINTED]
        return (minted or named or list(self.domains))[0]

    def find(self, name: str) -> Domain:
        """The entry a normalised domain name falls under; raises :exc:`UnknownDomain`."""
        found = self._exact.get(name)
        if found is not None:
            return found
        if self._below:
            labels = name.split(".")
            for start in range(1, len(labels)):
                found = self._below.get(".".join(labels[start:]))
                if found is not None:
                    return found
        raise UnknownDomain("this domain takes no mail here")

    def mode_of(self, address: Address) -> Mode:
        """How mail to this address is taken; raises :exc:`UnknownDomain`.

        A reserved name is never part of a catch-all: whoever read the mail of ``admin@`` there
        could be given a certificate for the domain.
        """
        mode = self.find(address.domain).mode
        return Mode.MINTED if address.local in RESERVED_LOCAL_PARTS else mode

    def is_operators(self, address: Address) -> bool:
        """Whether this is ``postmaster`` or ``abuse``, whose mail is always taken."""
        return address.local in OPERATOR_LOCAL_PARTS
