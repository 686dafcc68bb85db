"""The certificate the receiving side shows, from files or made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import crypto
from twisted.internet.ssl import CertificateOptions, TLSVersion

_VALID = timedelta(days=3650)


class BadCertificate(Exception):
    """Certificate and key can not be used; the text is one line for the operator."""


def from_files(certificate: Path, key: Path | None) -> CertificateOptions:
    """Options for the PEM chain in ``certificate``; its key is there too where ``key`` is None.

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
    return _options(private, chain)


def self_signed(names: Iterable[str]) -> CertificateOptions:
    """Options with a certificate for these names that nobody vouches for, kept in memory only."""
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
    return _options(key, [certificate])


def _load(path: Path, what: str, parse: Callable[[bytes], Any]) -> Any:
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise BadCertificate(f"can not read {path}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise BadCertificate(f"{path} holds no {what} in PEM") from None


def _options(key: Any, chain: list[x509.Certificate]) -> CertificateOptions:
    certificates = [crypto.X509.from_cryptography(certificate) for certificate in chain]
    options = CertificateOptions(
        privateKey=crypto.PKey.from_cryptography_key(key),
        certificate=certificates[0],
        extraCertChain=certificates[1:],
        raiseMinimumTo=TLSVersion.TLSv1_2,
    )
    options.getContext()
    return options
