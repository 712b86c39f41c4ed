"""Lifting a lock-out before its time, for the platform's operator."""

from datetime import datetime
from uuid import UUID

from axes.models import AccessAttempt
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.selectors import lock_outs
from apps.accounts.services import platform_records
from apps.kit import errors
from apps.kit.actors import Actor


class NotLocked(errors.DomainError):
    """Nobody is kept from signing in with this e-mail."""

    code = "not_locked_out"
    title = "Not locked out"


@transaction.atomic
def lift(*, user_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Forget the wrong passwords for a person's e-mail, from every address. Raises NotLocked."""
    user = User.objects.get(id=user_id)
    if not lock_outs.is_locked(user.email, at=now):
        raise NotLocked("Nobody is locked out with this e-mail.")
    AccessAttempt.objects.filter(username=user.email.lower()).delete()
    platform_records.write(
        action="lock_out.lifted",
        object_type="user",
        object_id=str(user.pk),
        actor=actor,
        now=now,
        reason=reason,
    )
