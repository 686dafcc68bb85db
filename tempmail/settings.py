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
    read_colour,
    read_count,
    read_domain,
    read_exempt,
    read_flag,
    read_hostname,
    read_line,
    read_log_format,
    read_log_level,
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
    def certificate_files(self) -> tuple[tuple[Path, Path | None], ...]:
        """Each certificate with its key, None where that is in the same file."""
        keys = self.keys or (None,) * len(self.certificates)
        return tuple(zip(self.certificates, keys, strict=True))


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
            "smtps",
            "smtps",
            read_text,
            "Where to receive mail by TLS from the start, such as tcp6:465. May be given several "
            "times.",
            repeatable=True,
        ),
        Option(
            "https",
            "https",
            read_text,
            "Where to serve HTTPS, such as tcp6:443. May be given several times.",
            repeatable=True,
        ),
        Option(
            "admin",
            "admin",
            read_text,
            "Where to serve figures for Prometheus and probes, a Twisted endpoint: for the "
            "operator alone. May be given several times. [nowhere]",
            repeatable=True,
        ),
        Option(
            "hostname",
            "hostname",
            read_hostname,
            "What the server calls itself in SMTP. [default the machine's name]",
        ),
        Option("tls", "self_signed", read_tls, "self-signed: TLS with a certificate made now"),
        Option(
            "tls-certificate",
            "certificates",
            read_path,
            "PEM file with a certificate chain. May be given several times, for several names; "
            "the first is shown to clients that name none of them.",
            repeatable=True,
        ),
        Option(
            "tls-key",
            "keys",
            read_path,
            "PEM file with the key of the certificate given at the same place, if not in its file",
            repeatable=True,
        ),
        Option(
            "operator-token-file",
            "operator_token_file",
            read_path,
            "A file with the token that opens postmaster@ and abuse@.",
        ),
        Option(
            "snapshot",
            "snapshot",
            read_path,
            "A file that keeps everything over a restart: written at the end, read and removed at "
            "the next start.",
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
            "log-level",
            "log_level",
            read_log_level,
            "The least that is logged: debug (with whole SMTP sessions, but for the mails), info, "
            "warn, error. [default info]",
        ),
        Option(
            "log-format",
            "log_format",
            read_log_format,
            "plain, or json: an object a line. [default plain]",
        ),
        Option(
            "site-name", "site_name", read_line, "What the page calls itself. [default tempmail]"
        ),
        Option("notice", "notice", read_text, "What the page says at its foot, as text."),
        Option(
            "imprint",
            "imprint",
            read_line,
            "Who runs this: a URL (http or https) or text, linked or shown at the page's foot.",
        ),
        Option(
            "abuse-contact",
            "abuse_contact",
            read_line,
            "Where to report abuse: a mail address, a URL or text, at the page's foot.",
        ),
        Option(
            "accent-colour",
            "accent_colour",
            read_colour,
            "The page's colour, '#rrggbb'; darkened or lightened where it could not be read. "
            "[default #0b6b50]",
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
        if given.get(name) == () and not given.get(f"{name}s"):
            raise BadSetting(f"--{name}: at least one endpoint is needed")
    _check_certificates(given)
    if "exempt-client" in given:
        given["exempt-client"] = tuple(each for each in given["exempt-client"] if each is not None)
    parts = {OPTIONS[name].part: value for name, value in given.items()}
    return Settings(**parts, limits=limits)


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
