"""How one written value is read, from the command line (text) or from TOML (what TOML knows).

Each reader raises :exc:`ValueError` with what was expected.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path

from limits import RateLimitItem, parse

from tempmail.core.address import normalise_domain
from tempmail.core.domains import Domain
from tempmail.core.errors import BadAddress
from tempmail.core.limits import DNS_PORT, MAX_PORT, MAX_SECONDS, UNLIMITED
from tempmail.core.peer import IPNetwork, parse_network
from tempmail.core.secret import is_bearer
from tempmail.logs import FORMATS, LEVELS

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
# So many in so much time; both are bounded, for the clock is counted with them.
_RATE = re.compile(r"[1-9]\d{0,8}\s*(?:/|per)\s*(?:[1-9]\d{0,4}\s*)?[a-z]+").fullmatch
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def read_octets(value: object) -> int:
    """``1048576``, ``"1M"`` or ``"unlimited"``."""
    written = value if isinstance(value, str) else ""
    if found := re.fullmatch(r"(\d{1,18})([KMGT]?)(?:i?B)?", written, re.I):
        value = int(found[1]) * _UNITS[found[2].upper()]
    if value == "unlimited":
        return UNLIMITED
    return _whole(value, "a size in octets: 1048576, 512K, 25M, 2G or unlimited")


def read_count(value: object) -> int:
    """``100``, ``"100"`` or ``"unlimited"``."""
    if value == "unlimited":
        return UNLIMITED
    return _whole(value, "a whole number, or unlimited")


def read_seconds(value: object) -> float:
    """``600``, ``"600"``, ``"10m"``, ``"1h"``, ``"1d"`` or ``0.5``."""
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value)):
        value = float(found[1]) * _SECONDS[found[2]]
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise ValueError("expected a time in seconds, or one like 90s, 10m, 1h, 1d")
    if value > MAX_SECONDS:
        raise ValueError(f"expected a time of no more than {MAX_SECONDS // 86400}d")
    return float(value)


def read_whole_seconds(value: object) -> int:
    """The same where nothing finer than a second counts."""
    seconds = read_seconds(value)
    if seconds != int(seconds):
        raise ValueError("expected whole seconds")
    return int(seconds)


def read_text(value: object) -> str:
    """Any text but none at all, and none that the system can not be given."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected text")
    if "\0" in value:
        raise ValueError("expected text without NUL")
    return value


def read_line(value: object) -> str:
    """Text of one line, without the space around it."""
    text = read_text(value).strip()
    if not text.isprintable():
        raise ValueError("expected text of one line, without control characters")
    return text


def read_colour(value: object) -> str:
    """``#0b6b50`` or ``#0b6``, always given back with six digits."""
    if isinstance(value, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}|#[0-9A-Fa-f]{3}", value):
        digits = value[1:].lower()
        return f"#{digits}" if len(digits) == 6 else f"#{''.join(2 * digit for digit in digits)}"
    raise ValueError("expected a colour like #0b6b50")


def read_path(value: object) -> Path:
    """A file name; made absolute here, for twistd changes its directory later."""
    path = Path(read_text(value))
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"there is no home of {path.parts[0]}") from None


def read_token_file(path: Path) -> str:
    """The one word in a file, which is a secret that can be shown. Raises :exc:`OSError`, too."""
    words = path.read_text(encoding="ascii", errors="replace").split()
    if len(words) != 1 or not is_bearer(words[0]):
        raise ValueError(
            "expected one word of letters and digits, - . _ ~ + or /, and perhaps = at its end: "
            "nothing else can be shown as a token (RFC 6750)"
        )
    return words[0]


def read_flag(value: object) -> bool:
    """What a flag is set to in the configuration file."""
    if isinstance(value, bool):
        return value
    raise ValueError("expected true or false")


def read_domain(value: object) -> Domain:
    """``DOMAIN[:minted|:catch-all]``."""
    try:
        return Domain.parse(read_text(value))
    except BadAddress as error:
        raise ValueError(str(error)) from None


def read_hostname(value: object) -> str:
    """A name in the DNS: the server's own, a blocklist's."""
    try:
        return normalise_domain(read_text(value))
    except BadAddress as error:
        raise ValueError(str(error)) from None


def read_tls(value: object) -> bool:
    """``self-signed``; certificate files have options of their own."""
    if value == "self-signed":
        return True
    raise ValueError("expected self-signed; files are given with --tls-certificate and --tls-key")


def read_login(value: object) -> bool:
    """``any``: there are no names and passwords to check."""
    if value == "any":
        return True
    raise ValueError("expected any, which takes any name and password")


def read_log_level(value: object) -> str:
    """How much is logged."""
    return _one_of(LEVELS, value)


def read_log_format(value: object) -> str:
    """How it is written."""
    return _one_of(FORMATS, value)


def read_base_path(value: object) -> str:
    """``/mail`` as such; ``/`` and ``/mail/`` without the last slash."""
    text = read_text(value)
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", text) or ".." in text.split("/"):
        raise ValueError("expected a path like /mail")
    return text.rstrip("/")


def read_origin(value: object) -> str:
    """``https://app.example:8443``, without path, or ``*``."""
    text = read_text(value)
    if text != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", text):
        raise ValueError("expected an origin like https://app.example, or *")
    return text


def read_rate(value: object) -> RateLimitItem | None:
    """``60/minute``, ``10 per 5 seconds``, or ``unlimited``, which is None."""
    if value == "unlimited":
        return None
    if isinstance(value, str) and _RATE(value):
        try:
            return parse(value)
        except ValueError:
            pass
    raise ValueError("expected a rate like 60/minute or 10 per 5 seconds, or unlimited")


def read_network(value: object) -> IPNetwork:
    """``192.0.2.1``, ``192.0.2.0/24``, ``2001:db8::/32``."""
    try:
        return parse_network(read_text(value))
    except ValueError:
        raise ValueError("expected an IP address or network like 192.0.2.0/24") from None


def read_exempt(value: object) -> IPNetwork | None:
    """The same, or ``none``."""
    return None if value == "none" else read_network(value)


def read_proxy(value: object) -> IPNetwork | None:
    """The same, or ``unix``, which is None: whoever comes by a socket file."""
    return None if value == "unix" else read_network(value)


def read_server(value: object) -> tuple[str, int]:
    """``192.0.2.53``, ``192.0.2.53:5353``, ``2001:db8::53``: the address of a name server."""
    text = read_text(value)
    with_port = re.fullmatch(r"([\d.]+):(\d{1,5})", text)
    host, port = (with_port[1], int(with_port[2])) if with_port else (text, DNS_PORT)
    try:
        if 0 < port <= MAX_PORT:
            return str(ip_address(host)), port
    except ValueError:
        pass
    raise ValueError("expected an IP address, or one of IPv4 with a port")


def _one_of(words: tuple[str, ...], value: object) -> str:
    if isinstance(value, str) and value in words:
        return value
    raise ValueError(f"expected {', '.join(words[:-1])} or {words[-1]}")


def _whole(value: object, expected: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= UNLIMITED:
        return value
    raise ValueError(f"expected {expected}")
