"""The files that settings name, read at the start and on SIGHUP.

At the start twistd still has the rights to read them. What is wrong with one raises
:exc:`~tempmail.listening.CannotStart`, whose line names option and file.
"""

from __future__ import annotations

from tempmail.blocklists import BlockedSenders
from tempmail.certificates import BadCertificate, Source
from tempmail.listening import CannotStart
from tempmail.settings import Settings
from tempmail.tls import Certificates
from tempmail.values import read_token_file


def operator_token(settings: Settings) -> str | None:
    """What opens postmaster@ and abuse@."""
    path = settings.operator_token_file
    if path is None:
        return None
    try:
        return read_token_file(path)
    except OSError as error:
        raise CannotStart(f"--operator-token-file {path}: {error.strerror}") from None
    except ValueError as error:
        raise CannotStart(f"--operator-token-file {path}: {error}") from None


def certificates(settings: Settings) -> Certificates:
    """What TLS shows."""
    try:
        return Certificates(certificate_source(settings))
    except BadCertificate as error:
        raise CannotStart(f"--tls-certificate: {error}") from None


def certificate_source(settings: Settings) -> Source:
    """Where that is to be read, or for what it is to be made."""
    names = (settings.hostname, *map(str, settings.domains.domains))
    return Source(settings.certificate_files, names if settings.self_signed else ())


def blocked_senders(settings: Settings) -> BlockedSenders | None:
    """Whose mail the operator wants none of."""
    path = settings.blocked_senders
    if path is None:
        return None
    try:
        return BlockedSenders.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotStart(f"--blocked-senders {path}: {error.strerror}") from None
    except ValueError as error:
        raise CannotStart(f"--blocked-senders {path}: {error}") from None
