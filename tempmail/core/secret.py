"""Tokens and restore keys: drawn, kept as a hash, and recognised."""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256

from tempmail.core.limits import TOKEN_OCTETS

BEARER = r"[A-Za-z0-9._~+/-]+=*"
"""What can be shown as a bearer token (RFC 6750 section 2.1)."""

is_bearer = re.compile(BEARER).fullmatch


def draw() -> str:
    """A new secret."""
    return secrets.token_hex(TOKEN_OCTETS)


def hashed(secret: str) -> bytes:
    """What is kept of a secret. It is random and long, so a plain hash needs no salt."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def matches(secret: str | None, kept: bytes | None) -> bool:
    """Whether a secret is the one of which the hash was kept."""
    return secret is not None and kept is not None and hmac.compare_digest(hashed(secret), kept)
