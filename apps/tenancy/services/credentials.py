"""Secrets that the platform hands out once and keeps as keyed hashes: directory secrets and invite codes."""

import hashlib
import hmac

from django.conf import settings


def digest(secret: str) -> str:
    """Return the keyed hash of a secret in hex; the pepper is derived from the master key."""
    master = str(settings.TREASURY["MASTER_KEY"]).encode()
    pepper = hmac.new(master, b"treasury.tenancy.credentials", hashlib.sha256)
    return hmac.new(pepper.digest(), secret.encode(), hashlib.sha256).hexdigest()


def matches(secret: str, kept: str) -> bool:
    """Say in constant time whether a secret is the one that a digest was made of."""
    return hmac.compare_digest(digest(secret), kept)
