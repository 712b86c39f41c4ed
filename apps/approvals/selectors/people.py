"""The people behind actors that rows keep as text."""

import contextlib
from uuid import UUID

from apps.access.selectors import api_keys
from apps.kit.actors import ActorKind


def behind(actor: str) -> str:
    """Return the person behind an actor as a row keeps it: himself, or who made the key; empty for anybody else."""
    kind, _, identity = actor.partition(":")
    if kind == ActorKind.USER.lower():
        return identity
    with contextlib.suppress(ValueError):
        if kind == ActorKind.API_KEY.lower() and (key := api_keys.get(UUID(identity))) and key.created_by:
            return str(key.created_by.user_id)
    return ""
