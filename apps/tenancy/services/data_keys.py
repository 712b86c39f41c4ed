"""Seal and open an organisation's secrets: an own data key per organisation, wrapped by the master key."""

import base64
import os
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.kit import crypto, locks
from apps.tenancy.models import DataKey, Organisation
from apps.tenancy.selectors import organisations

KEY_SIZE = 32
VERSION_SIZE = 2


class MasterKeyInvalid(RuntimeError):
    """TREASURY_MASTER_KEY is not base64 of 32 bytes."""


@transaction.atomic
def create(*, organisation: Organisation) -> DataKey:
    """Make the next data key of an organisation; values sealed before stay readable."""
    locks.advisory(f"data-key:{organisation.id}")
    newest = DataKey.objects.filter(organisation=organisation).order_by("-version").first()
    version = newest.version + 1 if newest else 1
    wrapped = crypto.seal(_master(), os.urandom(KEY_SIZE), _wrapping(organisation.id, version))
    _wrapped.cache_clear()
    return DataKey.objects.create(organisation=organisation, version=version, wrapped=wrapped)


def encrypt(*, plaintext: bytes, purpose: str) -> bytes:
    """Seal a secret of the present organisation; the key's version leads the value. ``purpose`` must be given to open it."""
    organisation = organisations.current()
    key = DataKey.objects.filter(organisation=organisation).order_by("-version")[0]
    return key.version.to_bytes(VERSION_SIZE) + crypto.seal(
        _unwrap(key), plaintext, _purpose(organisation.id, purpose)
    )


def decrypt(*, value: bytes, purpose: str) -> bytes:
    """Open a secret of the present organisation; raise crypto.Unreadable for another organisation's or purpose's."""
    organisation = organisations.current()
    version = int.from_bytes(value[:VERSION_SIZE])
    try:
        wrapped = _wrapped(organisation.id, version)
    except DataKey.DoesNotExist:
        raise crypto.Unreadable(
            "this value was sealed with a key that this organisation does not have"
        ) from None
    key = DataKey(organisation_id=organisation.id, version=version, wrapped=wrapped)
    return crypto.open_sealed(_unwrap(key), bytes(value[VERSION_SIZE:]), _purpose(organisation.id, purpose))


def is_readable() -> bool:
    """Say whether the master key opens the newest data key there is; true where there is none yet."""
    newest = DataKey.objects.order_by("-created_at").first()
    try:
        _master()
        if newest is not None:
            _unwrap(newest)
    except (MasterKeyInvalid, crypto.Unreadable):
        return False
    return True


def reseal(*, value: bytes, purpose: str) -> bytes:
    """Return a sealed secret under the newest key; raise as ``decrypt``."""
    return encrypt(plaintext=decrypt(value=value, purpose=purpose), purpose=purpose)


@lru_cache(maxsize=1024)
def _wrapped(organisation_id: UUID, version: int) -> bytes:
    """Return a data key as it is stored, wrapped: rows never change, so a process reads each once."""
    return bytes(DataKey.objects.get(organisation_id=organisation_id, version=version).wrapped)


def _unwrap(key: DataKey) -> bytes:
    return crypto.open_sealed(_master(), bytes(key.wrapped), _wrapping(key.organisation_id, key.version))


def _wrapping(organisation_id: UUID, version: int) -> bytes:
    return f"data-key:{organisation_id}:{version}".encode()


def _purpose(organisation_id: UUID, purpose: str) -> bytes:
    return f"{organisation_id}:{purpose}".encode()


def _master() -> bytes:
    try:
        key = base64.b64decode(settings.TREASURY["MASTER_KEY"], validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise MasterKeyInvalid("TREASURY_MASTER_KEY is base64 of 32 random bytes")
    return key
