"""What the operator may set: one table of options, how each is read, and the frozen outcome.

The command line and the configuration file (:mod:`tempmail.options`) both read by this table, so a
name, a unit or a default stands in one place. Every field of
:class:`~tempmail.core.limits.Limits` is an option.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import attrs
from attrs import evolve, field, frozen

from tempmail.core.domains import Domain, Domains
from tempmail.core.limits import MEGA, Limits
from tempmail.core.peer import LOOPBACK, IPNetwork
from tempmail.values import (
    read_base_path,
    read_count,
    read_domain,
    read_exempt,
    read_flag,
    read_hostname,
    read_octets,
    read_origin,
    read_path,
    read_proxy,
    read_rate,
    read_seconds,
    read_server,
    read_text,
    read_tls,
    read_whole_seconds,
)

_MAY_BE_NOTHING = ("quarantine", "closing_time", "min_octets_per_second", "tarpit")


class BadSetting(Exception):
    """The settings can not be used as they are; the text is one line for the operator."""


@frozen(kw_only=True)
class Settings:
    """Everything the operator decided.

    ``smtp`` and ``http`` are endpoint strings, ``certificate`` and ``key`` PEM files. Without them
    and without ``self_signed`` there is no STARTTLS. Among ``trusted_proxies`` None stands for
    socket files. ``dns_server`` is an address and a port; None is what the system uses.
    """

    domains: Domains = field(factory=lambda: Domains((Domain("tempmail.test"),)))
    smtp: tuple[str, ...] = ("tcp:2525:interface=127.0.0.1",)
    http: tuple[str, ...] = ("tcp:8080:interface=127.0.0.1",)
    hostname: str = field(factory=socket.gethostname)
    limits: Limits = field(factory=Limits)
    self_signed: bool = False
    certificate: Path | None = None
    key: Path | None = None
    operator_token_file: Path | None = None
    base_path: str = ""
    trusted_proxies: tuple[IPNetwork | None, ...] = ()
    cors_origins: tuple[str, ...] = ()
    access_log: bool = False
    exempt_clients: tuple[IPNetwork, ...] = LOOPBACK
    blocked_senders: Path | None = None
    dnsbls: tuple[str, ...] = ()
    dns_server: tuple[str, int] | None = None


@frozen
class Option:
    """One option: its name on the command line and in the file, and how its values are read.

    ``read`` takes text, or whatever TOML knows, and raises :exc:`ValueError` with what is wrong
    with it. ``part`` is the field of :class:`Settings`, or of Limits where ``is_limit``.
    """

    name: str
    part: str
    read: Callable[[Any], Any]
    help: str
    repeatable: bool = False
    is_flag: bool = False
    is_limit: bool = False


def _limit_options() -> list[Option]:
    hints = get_type_hints(Limits)
    options = []
    for limit in attrs.fields(Limits):
        unit, meaning = limit.metadata["unit"], limit.metadata["meaning"]
        seconds = read_seconds if hints[limit.name] is float else read_whole_seconds
        reads = {"octets": read_octets, "seconds": seconds, "rate": read_rate, "": read_count}
        read = reads[unit]
        notes = [unit] if unit else []
        notes.append(f"default {_default_text(limit, unit)}")
        name = limit.name.removeprefix("default_").replace("_", "-")
        text = f"{meaning} [{', '.join(notes)}]"
        options.append(Option(name, limit.name, read, text, is_limit=True))
    return options


def _default_text(limit: attrs.Attribute[Any], unit: str) -> str:
    if limit.name == "memory":
        return "a quarter of the machine's or control group's"
    if unit == "rate":
        return str(limit.metadata["text"])
    value: Any = limit.default
    if unit == "octets" and value % MEGA == 0:
        return f"{value // MEGA}M"
    return f"{value:g}" if isinstance(value, float) else str(value)


OPTIONS: Mapping[str, Option] = {
    option.name: option
    for option in (
        Option(
            "domain",
            "domains",
            read_domain,
            "A domain to take mail for: DOMAIN, DOMAIN:catch-all, '*.DOMAIN:catch-all'. May be "
            "given several times. [default tempmail.test]",
            repeatable=True,
        ),
        Option(
            "smtp",
            "smtp",
            read_text,
            "Where to receive mail, a Twisted endpoint. May be given several times. [default "
            "tcp:2525:interface=127.0.0.1]",
            repeatable=True,
        ),
        Option(
            "http",
            "http",
            read_text,
            "Where to serve HTTP, a Twisted endpoint. May be given several times. [default "
            "tcp:8080:interface=127.0.0.1]",
            repeatable=True,
        ),
        Option(
            "hostname",
            "hostname",
            read_hostname,
            "What the server calls itself in SMTP. [default the machine's name]",
        ),
        Option("tls", "self_signed", read_tls, "self-signed: STARTTLS with a certificate made now"),
        Option("tls-certificate", "certificate", read_path, "PEM file with the certificate chain"),
        Option("tls-key", "key", read_path, "PEM file with its key, if it is in another file"),
        Option(
            "operator-token-file",
            "operator_token_file",
            read_path,
            "A file with the token that opens postmaster@ and abuse@.",
        ),
        Option(
            "base-path", "base_path", read_base_path, "Where a proxy puts us, such as /mail. [/]"
        ),
        Option(
            "trusted-proxy",
            "trusted_proxies",
            read_proxy,
            "An address or network whose X-Forwarded-For or Forwarded is believed, or unix for "
            "socket files. May be given several times.",
            repeatable=True,
        ),
        Option(
            "cors-origin",
            "cors_origins",
            read_origin,
            "A web origin whose scripts may use the interface. May be given several times.",
            repeatable=True,
        ),
        Option(
            "access-log",
            "access_log",
            read_flag,
            "Log a line for each HTTP answer, without address or client.",
            is_flag=True,
        ),
        Option(
            "exempt-client",
            "exempt_clients",
            read_exempt,
            "An address or network for which no rate holds, or none. May be given several times. "
            "[default 127.0.0.0/8 and ::1]",
            repeatable=True,
        ),
        Option(
            "blocked-senders",
            "blocked_senders",
            read_path,
            "A file with senders, domains and client networks whose mail is refused.",
        ),
        Option(
            "dnsbl",
            "dnsbls",
            read_hostname,
            "A DNS blocklist to look up SMTP clients in. May be given several times.",
            repeatable=True,
        ),
        Option(
            "dns-server",
            "dns_server",
            read_server,
            "The name server to ask, 192.0.2.53 or 192.0.2.53:5353. [default the system's]",
        ),
        Option(
            "unlimited",
            "unlimited",
            read_flag,
            "Count nothing per client or mailbox, for a closed network. Limits given "
            "besides it hold.",
            is_flag=True,
        ),
        *_limit_options(),
    )
}


def build(given: Mapping[str, Any]) -> Settings:
    """The settings that come of the values read, by option name.

    Raises :exc:`BadSetting` where they do not go together.
    """
    given = dict(given)
    limits = _limits(given)
    if "domain" in given:
        given["domain"] = _domains(given["domain"])
    for name in ("smtp", "http"):
        if given.get(name) == ():
            raise BadSetting(f"--{name}: at least one endpoint is needed")
    if "exempt-client" in given:
        given["exempt-client"] = tuple(each for each in given["exempt-client"] if each is not None)
    if "tls-key" in given and "tls-certificate" not in given:
        raise BadSetting("--tls-key needs --tls-certificate")
    if "tls" in given and "tls-certificate" in given:
        raise BadSetting("--tls self-signed and --tls-certificate exclude each other")
    parts = {OPTIONS[name].part: value for name, value in given.items()}
    return Settings(**parts, limits=limits)


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
