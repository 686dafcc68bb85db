"""Certificates and their keys: read from PEM files, or made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tempmail.core.limits import CERTIFICATE_DUE_SHARE

_VALID = timedelta(days=3650)


class BadCertificate(Exception):
    """Certificate and key can not be used; the text is one line for the operator."""


@frozen(eq=False)
class Identity:
    """A certificate with those between it and its authority, leaf first, and its private key."""

    chain: tuple[x509.Certificate, ...]
    key: Any

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate itself."""
        return self.chain[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The DNS names it is for, in lower case; ``*.DOMAIN`` is any one label before DOMAIN."""
        try:
            found = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, ValueError):
            return ()
        return tuple(name.lower() for name in found.value.get_values_for_type(x509.DNSName))

    @property
    def due(self) -> datetime:
        """From when on it should have been renewed."""
        begin, end = self.leaf.not_valid_before_utc, self.leaf.not_valid_after_utc
        return end - (end - begin) * CERTIFICATE_DUE_SHARE


def read_identity(certificate: Path, key: Path | None) -> Identity:
    """What the PEM chain in ``certificate`` is; its key is there too where ``key`` is None.

    Raises :exc:`BadCertificate`.
    """
    chain = _load(certificate, "certificate", x509.load_pem_x509_certificates)
    private = _load(
        key or certificate,
        "unencrypted private key",
        lambda octets: serialization.load_pem_private_key(octets, None),
    )
    if chain[0].public_key() != private.public_key():
        raise BadCertificate(f"the key in {key or certificate} is not that of {certificate}")
    return Identity(tuple(chain), private)


def self_signed(names: Iterable[str]) -> Identity:
    """A certificate for these names that nobody vouches for, kept in memory only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tempmail")])
    now = datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Identity((certificate,), key)


@frozen
class Source:
    """Where certificates come from: pairs of files, or ``made_for`` the names of a self-signed one.

    In each pair the second is None where the key is in the certificate's file.
    """

    files: tuple[tuple[Path, Path | None], ...] = ()
    made_for: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there are none, so that TLS can not be offered."""
        return not self.files and not self.made_for

    def read(self) -> tuple[Identity, ...]:
        """The certificates, the default one first. Raises :exc:`BadCertificate`."""
        if self.made_for:
            return (self_signed(self.made_for),)
        return tuple(read_identity(certificate, key) for certificate, key in self.files)

    def look(self) -> tuple[object, ...]:
        """What changes when a file does, or who may read it, or a link to it. Reads nothing."""
        return tuple(_traits(path) for pair in self.files for path in pair if path is not None)


def _traits(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    # Permissions change the last of them alone.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _load(path: Path, what: str, parse: Callable[[bytes], Any]) -> Any:
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise BadCertificate(f"can not read {path}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise BadCertificate(f"{path} holds no {what} in PEM") from None
