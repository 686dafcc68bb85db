"""What the operator decided, and whether it goes together."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from tempmail.catalogue import OPTIONS
from tempmail.core.domains import Domain, Domains
from tempmail.core.limits import MEGA, Limits
from tempmail.core.peer import LOOPBACK, IPNetwork

# The limits that may be 0.
_MAY_BE_NOTHING = ("quarantine", "closing_time", "min_octets_per_second", "tarpit")


class BadSetting(Exception):
    """The settings can not be used as they are; the text is one line for the operator."""


@frozen(kw_only=True)
class Settings:
    """Everything the operator decided.

    ``smtp``, ``http``, ``smtps``, ``https`` and ``admin`` are endpoint strings, ``certificates``
    and ``keys`` PEM files, of which each certificate has one, or all have their key with them.
    Without any and without ``self_signed`` there is no TLS. Among
    ``trusted_proxies`` None stands for socket files. ``dns_server`` is an address and a port; None
    is what the system uses.
    """

    domains: Domains = field(factory=lambda: Domains((Domain("tempmail.test"),)))
    smtp: tuple[str, ...] = ("tcp:2525:interface=127.0.0.1",)
    http: tuple[str, ...] = ("tcp:8080:interface=127.0.0.1",)
    smtps: tuple[str, ...] = ()
    https: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    hostname: str = field(factory=socket.gethostname)
    limits: Limits = field(factory=Limits)
    self_signed: bool = False
    any_login: bool = False
    certificates: tuple[Path, ...] = ()
    keys: tuple[Path, ...] = ()
    operator_token_file: Path | None = None
    snapshot: Path | None = None
    base_path: str = ""
    trusted_proxies: tuple[IPNetwork | None, ...] = ()
    cors_origins: tuple[str, ...] = ()
    access_log: bool = False
    log_level: str = "info"
    log_format: str = "plain"
    site_name: str = "tempmail"
    notice: str = ""
    imprint: str = ""
    abuse_contact: str = ""
    accent_colour: str = "#0b6b50"
    exempt_clients: tuple[IPNetwork, ...] = LOOPBACK
    blocked_senders: Path | None = None
    dnsbls: tuple[str, ...] = ()
    dns_server: tuple[str, int] | None = None

    @property
    def endpoints(self) -> Iterator[tuple[str, str]]:
        """Every endpoint, behind the name of what is spoken there."""
        for protocol, texts in (
            ("SMTP", self.smtp),
            ("SMTPS", self.smtps),
            ("HTTP", self.http),
            ("HTTPS", self.https),
            ("admin", self.admin),
        ):
            for text in texts:
                yield protocol, text

    @property
    def certificate_files(self) -> tuple[tuple[Path, Path | None], ...]:
        """Each certificate with its key, None where that is in the same file."""
        keys = self.keys or (None,) * len(self.certificates)
        return tuple(zip(self.certificates, keys, strict=True))


def build(given: Mapping[str, Any]) -> Settings:
    """The settings that come of the values read, by option name.

    Raises :exc:`BadSetting` where they do not go together.
    """
    given = dict(given)
    limits = _limits(given)
    if "domain" in given:
        given["domain"] = _domains(given["domain"])
    for name in ("smtp", "http"):
        if given.get(name) == () and not given.get(f"{name}s"):
            raise BadSetting(f"--{name}: at least one endpoint is needed")
    _check_certificates(given)
    if "exempt-client" in given:
        given["exempt-client"] = tuple(each for each in given["exempt-client"] if each is not None)
    parts = {OPTIONS[name].part: value for name, value in given.items()}
    return Settings(**parts, limits=limits)


def fixed_at_start(before: Settings, now: Settings) -> list[str]:
    """The options that differ and that only a restart applies."""
    return [
        f"--{option.name}"
        for option in OPTIONS.values()
        if not option.reloadable and getattr(before, option.part) != getattr(now, option.part)
    ]


def _check_certificates(given: Mapping[str, Any]) -> None:
    certificates, keys = given.get("tls-certificate", ()), given.get("tls-key", ())
    if keys and not certificates:
        raise BadSetting("--tls-key needs --tls-certificate")
    if keys and len(keys) != len(certificates):
        raise BadSetting(
            f"--tls-certificate is given {len(certificates)} times and --tls-key {len(keys)} "
            "times: each needs its key, or none where all keys are in the certificates' files"
        )
    if "tls" in given and certificates:
        raise BadSetting("--tls self-signed and --tls-certificate exclude each other")
    for name in ("smtps", "https"):
        if given.get(name) and not certificates and "tls" not in given:
            raise BadSetting(f"--{name} needs --tls-certificate, or --tls self-signed for tests")


def _limits(given: dict[str, Any]) -> Limits:
    """The limits among what was given, taken out of it."""
    chosen = {
        option.part: given.pop(option.name)
        for option in OPTIONS.values()
        if option.is_limit and option.name in given
    }
    limits = Limits()
    if given.pop("unlimited", False):
        limits = limits.without_client_limits()
    limits = evolve(limits, **chosen)
    if "max_message_size" not in chosen:
        # The memory depends on the machine. A small one takes smaller mail rather than none.
        fitting = min(limits.max_message_size, limits.max_mailbox_size, limits.memory // 4)
        limits = evolve(limits, max_message_size=fitting)
    _check_limits(limits)
    return limits


def _check_limits(limits: Limits) -> None:
    for option in OPTIONS.values():
        must_be_something = option.is_limit and option.part not in _MAY_BE_NOTHING
        value = getattr(limits, option.part) if must_be_something else None
        if isinstance(value, int | float) and value <= 0:
            raise BadSetting(f"--{option.name}: 0 leaves nothing; it must be more")
    for smaller, larger in (
        ("max_message_size", "max_mailbox_size"),
        ("min_lifetime", "default_lifetime"),
        ("default_lifetime", "max_lifetime"),
    ):
        low, high = getattr(limits, smaller), getattr(limits, larger)
        if low > high:
            raise BadSetting(f"{_option(smaller)} {low} is more than {_option(larger)} {high}")
    if limits.memory < MEGA:
        raise BadSetting(f"--memory {limits.memory} holds next to nothing; 1M is the least")
    if 4 * limits.max_message_size > limits.memory:
        raise BadSetting(
            f"--max-message-size {limits.max_message_size} is more than a quarter of "
            f"--memory {limits.memory}: several mails must fit at a time"
        )


def _option(part: str) -> str:
    return next(f"--{option.name}" for option in OPTIONS.values() if option.part == part)


def _domains(domains: tuple[Domain, ...]) -> Domains:
    if not domains:
        raise BadSetting("--domain: at least one domain is needed")
    names = [str(domain) for domain in domains]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadSetting(f"--domain {twice.pop()} is given twice")
    return Domains(domains)
