"""Whether clients will be content with the certificates."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from OpenSSL import crypto

from tempmail.certificates import BadCertificate, Identity, read_identity
from tempmail.doctor.findings import Finding, advice, ok, problem
from tempmail.settings import Settings
from tempmail.tls import ServerTLS

_RSA_BITS = 2048


def check_certificates(settings: Settings, now: datetime) -> Iterator[Finding]:
    """What there is to say about TLS as a whole, and about each certificate."""
    if settings.self_signed:
        yield advice(
            "certificates",
            "the certificate is self-signed: mail arrives encrypted, browsers warn",
            "get one from an authority, such as Let's Encrypt, and name it by --tls-certificate",
        )
    elif not settings.certificates:
        yield advice(
            "certificates",
            "there is no TLS: whoever is between a sender and us reads the mail",
            "get a certificate and name it by --tls-certificate and --tls-key",
        )
    names: list[str] = []
    for certificate, key in settings.certificate_files:
        try:
            identity = read_identity(certificate, key)
            ServerTLS([identity])
        except BadCertificate as error:
            yield problem("certificates", str(error), "make it right, or take the file away")
            continue
        names += identity.names
        yield from _check_dates(certificate, identity, now)
        yield from _check_strength(certificate, identity)
        yield from _check_chain(certificate, identity, now)
        yield from _check_permissions(key or certificate)
    if names and not covers(names, settings.hostname):
        yield advice(
            "certificates",
            f"no certificate is for {settings.hostname}, which is what --hostname says",
            "get one for that name: senders with MTA-STS or DANE refuse to deliver without",
        )


def covers(names: list[str], hostname: str) -> bool:
    """Whether one of the names of certificates is for this host (RFC 6125 section 6.4.3)."""
    return hostname in names or f"*.{hostname.partition('.')[2]}" in names


def _check_dates(path: Path, identity: Identity, now: datetime) -> Iterator[Finding]:
    begin, end = identity.leaf.not_valid_before_utc, identity.leaf.not_valid_after_utc
    what = f"{path} for {', '.join(identity.names) or 'no name'}"
    if not identity.names:
        yield problem(
            "certificates", f"{path} has no DNS name in it", "get one with subjectAltName"
        )
    if now < begin:
        yield problem("certificates", f"{what} is valid from {begin:%Y-%m-%d %H:%M} on", "wait")
    elif now >= end:
        yield problem(
            "certificates", f"{what} has expired on {end:%Y-%m-%d}", "renew it (certbot renew)"
        )
    elif now >= identity.due:
        yield advice(
            "certificates",
            f"{what} expires in {_days(end - now)}, and nobody has renewed it",
            "see why (certbot renew --dry-run); the server takes up a renewed one by itself",
        )
    else:
        yield ok("certificates", f"{what}: the key fits, {_days(end - now)} left")


def _check_strength(path: Path, identity: Identity) -> Iterator[Finding]:
    key, digest = identity.leaf.public_key(), identity.leaf.signature_hash_algorithm
    if isinstance(key, RSAPublicKey) and key.key_size < _RSA_BITS:
        yield problem(
            "certificates", f"{path} has an RSA key of {key.key_size} bits", "make a new key"
        )
    if digest is not None and digest.name in ("md5", "sha1"):
        yield problem(
            "certificates", f"{path} is signed with {digest.name.upper()}", "get a new one"
        )


def _check_chain(path: Path, identity: Identity, now: datetime) -> Iterator[Finding]:
    for lower, upper in zip(identity.chain, identity.chain[1:], strict=False):
        try:
            lower.verify_directly_issued_by(upper)
        except Exception:
            # TypeError, ValueError, InvalidSignature: each means that it is not.
            yield problem(
                "certificates",
                f"in {path} a certificate is not followed by that of its issuer",
                "put the server's own first, then each issuer's, as in fullchain.pem",
            )
            return
    try:
        store = _authorities(now)
        chain = [crypto.X509.from_cryptography(each) for each in identity.chain]
        crypto.X509StoreContext(store, chain[0], chain[1:]).verify_certificate()
    except crypto.X509StoreContextError as error:
        if now < identity.leaf.not_valid_after_utc:
            yield advice(
                "certificates",
                f"the authorities this machine knows do not vouch for {path}: {error}",
                "put the issuers' certificates into the file too (fullchain.pem), "
                "unless the authority is your own",
            )


def _authorities(now: datetime) -> crypto.X509Store:
    store, paths = crypto.X509Store(), ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        store.load_locations(paths.cafile, paths.capath)
    store.set_time(now.astimezone(UTC))
    return store


def _check_permissions(path: Path) -> Iterator[Finding]:
    if path.stat().st_mode & stat.S_IROTH:
        yield problem(
            "certificates", f"everybody on this machine may read the key in {path}", "chmod o-r"
        )


def _days(time: timedelta) -> str:
    return f"{time / timedelta(days=1):.1f} days"
