"""Whether people have a second factor, and how many recovery codes are left."""

from collections.abc import Collection
from uuid import UUID

from apps.accounts.models import Authenticator, RecoveryCode


def of(user_id: UUID) -> Authenticator | None:
    return Authenticator.objects.filter(user_id=user_id).first()


def is_enrolled(user_id: UUID) -> bool:
    return Authenticator.objects.filter(user_id=user_id).exists()


def enrolled(user_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these people who have a second factor."""
    return set(Authenticator.objects.filter(user_id__in=user_ids).values_list("user_id", flat=True))


def codes_left(user_id: UUID) -> int:
    return RecoveryCode.objects.filter(authenticator__user_id=user_id, used_at=None).count()
