"""The options there are: one table, with the name, the unit, the reader and the help of each.

The command line and the configuration file (:mod:`tempmail.options`) both read by it, so what an
option is called and how it is read stands in one place. Every field of
:class:`~tempmail.core.limits.Limits` is an option.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import attrs
from attrs import frozen

from tempmail.core.limits import MEGA, Limits
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
    read_login,
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


@frozen
class Option:
    """One option: its name on the command line and in the file, and how its values are read.

    ``read`` takes text, or whatever TOML knows, and raises :exc:`ValueError` with what is wrong
    with it. ``part`` is the field of :class:`~tempmail.settings.Settings`, or of Limits where
    ``is_limit``. What is not ``reloadable`` is built into objects at the start.
    """

    name: str
    part: str
    read: Callable[[Any], Any]
    help: str
    repeatable: bool = False
    is_flag: bool = False
    is_limit: bool = False
    reloadable: bool = False


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
        options.append(Option(name, limit.name, read, text, is_limit=True, reloadable=True))
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
            reloadable=True,
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
        Option(
            "tls",
            "self_signed",
            read_tls,
            "self-signed: TLS with a certificate made now",
            reloadable=True,
        ),
        Option(
            "tls-certificate",
            "certificates",
            read_path,
            "PEM file with a certificate chain. May be given several times, for several names; "
            "the first is shown to clients that name none of them.",
            repeatable=True,
            reloadable=True,
        ),
        Option(
            "tls-key",
            "keys",
            read_path,
            "PEM file with the key of the certificate given at the same place, if not in its file",
            repeatable=True,
            reloadable=True,
        ),
        Option(
            "smtp-login",
            "any_login",
            read_login,
            "any: offer AUTH PLAIN and LOGIN, and take any name and password, for programs that "
            "insist on logging in.",
            reloadable=True,
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
            reloadable=True,
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
            reloadable=True,
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
            reloadable=True,
        ),
        *_limit_options(),
    )
}
