"""Whether somebody can read what is written to the operator."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from tempmail.doctor.findings import Finding, advice, ok, problem
from tempmail.settings import Settings
from tempmail.values import read_token_file

_FEWEST_CHARACTERS = 16
_NEW = "head -c 20 /dev/urandom | base64 > FILE"


def check_operator(settings: Settings) -> Iterator[Finding]:
    """The operator's token, which opens postmaster@ and abuse@ of each domain."""
    path = settings.operator_token_file
    if path is None:
        yield advice(
            "operator",
            "mail to postmaster and abuse is taken (RFC 5321 section 4.5.1), and nobody reads it",
            f"{_NEW}, and --operator-token-file FILE",
        )
        return
    try:
        token = read_token_file(path)
    except FileNotFoundError as error:
        yield problem("operator", f"{path}: {error.strerror}", f"{_NEW}, with its path for FILE")
        return
    except OSError as error:
        yield problem(
            "operator",
            f"{path}: {error.strerror}",
            "name a file that whoever starts the server, and runs this, can read",
        )
        return
    except ValueError as error:
        yield problem("operator", f"{path}: {error}", f"put one word into the file: {_NEW}")
        return
    if path.stat().st_mode & stat.S_IROTH:
        yield problem("operator", f"everybody on this machine may read {path}", f"chmod o-r {path}")
    elif len(token) < _FEWEST_CHARACTERS:
        yield advice("operator", f"the token in {path} can be guessed", f"a longer one: {_NEW}")
    else:
        yield ok("operator", "postmaster and abuse can be read with the operator's token")
