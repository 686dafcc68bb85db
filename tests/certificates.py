"""An authority for tests, and the certificates it gives out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


@frozen
class Issued:
    """A certificate with its chain, and its key, as PEM."""

    chain: bytes
    key: bytes

    def write(self, directory: Path, name: str = "mx") -> tuple[Path, Path]:
        """Put both into files, each whole or not at all, as those do who renew them."""
        paths = directory / f"{name}.pem", directory / f"{name}.key"
        for path, octets in zip(paths, (self.chain, self.key), strict=True):
            beside = path.with_suffix(".new")
            beside.write_bytes(octets)
            beside.chmod(0o600)
            beside.rename(path)
        return paths


class Authority:
    """Vouches for whatever a test wants."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _build("Test authority", [], self._key, None, days=3650, ca=True)
        self.pem = self.certificate.public_bytes(PEM)

    def issue(
        self, *names: str, days: float = 90, age: float = 1, key: Any = None, chained: bool = True
    ) -> Issued:
        """A certificate for these names that was given out ``age`` days ago, for ``days`` days."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        issuer = (self.certificate, self._key)
        leaf = _build(names[0] if names else "nobody", names, key, issuer, days=days, age=age)
        chain = leaf.public_bytes(PEM) + (self.pem if chained else b"")
        private = key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Issued(chain, private)


def _build(
    common_name: str,
    names: Sequence[str],
    key: Any,
    issuer: tuple[x509.Certificate, Any] | None,
    days: float,
    age: float = 1,
    ca: bool = False,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    began = datetime.now(UTC) - timedelta(days=age)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())
