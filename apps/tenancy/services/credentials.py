"""Secrets that the platform hands out once and keeps as keyed hashes: directory secrets and invite codes."""

import hmac

from apps.kit import crypto


def digest(secret: str) -> str:
    """Return the keyed hash of a secret in hex; the pepper is derived from the master key."""
    return crypto.keyed_hash(secret, b"treasury.tenancy.credentials")


def matches(secret: str, kept: str) -> bool:
    """Say in constant time whether a secret is the one that a digest was made of."""
    return hmac.compare_digest(digest(secret), kept)
