"""Make and deactivate people, and set their passwords."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import platform_records
from apps.kit import errors
from apps.kit.actors import Actor


class EmailTaken(errors.DomainError):
    """Somebody signs in with this e-mail already."""

    code = "email_taken"
    title = "E-mail taken"


class PasswordWeak(errors.Invalid):
    """The password is too short, too common or the one that he has."""

    code = "password_weak"
    title = "Password too weak"


class OwnAccount(errors.Forbidden):
    """Nobody deactivates himself: the last operator would lock everybody out."""

    code = "own_account"
    title = "Your own account"


@transaction.atomic
def create(
    *,
    email: str,
    name: str,
    password: str | None,
    actor: Actor,
    now: datetime,
    is_platform_staff: bool = False,
) -> User:
    """
    Make a person who signs in with ``email``.

    Without a password he chooses his own by an entry link, and nobody else ever knows one.

    Raises EmailTaken or PasswordWeak; nothing is kept then.
    """
    if User.objects.filter(email__iexact=email).exists():
        raise EmailTaken(f"Somebody signs in with {email} already.")
    user = User(
        email=email.lower(),
        name=name,
        is_platform_staff=is_platform_staff,
    )
    if password is not None:
        require_strong(password, user)
    user.set_password(password)
    user.save()
    staff = {"is_platform_staff": [None, True]} if is_platform_staff else {}
    _record("user.created", user, actor, now, changes={"email": [None, user.email], **staff})
    return user


@transaction.atomic
def set_password(*, user_id: UUID, password: str, actor: Actor, now: datetime) -> User:
    """
    Give a person the password that he chose himself; his other sessions end.

    Raises PasswordWeak, also for the password that he has: somebody else may know it.
    """
    user = User.objects.select_for_update().get(id=user_id)
    if user.check_password(password):
        raise _weak("Choose another password than the present one.")
    require_strong(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    _record("user.password_changed", user, actor, now)
    return user


@transaction.atomic
def deactivate(*, user_id: UUID, reason: str, actor: Actor, now: datetime) -> User:
    """
    End a person's access everywhere, on the next request; a second time changes nothing. Users are never deleted.

    Raises OwnAccount.
    """
    if actor.person == str(user_id):
        raise OwnAccount("You cannot deactivate yourself. Ask another operator.")
    user = User.objects.select_for_update().get(id=user_id)
    if not user.is_active:
        return user
    user.is_active = False
    user.save(update_fields=["is_active"])
    _record("user.deactivated", user, actor, now, changes={"is_active": [True, False]}, reason=reason)
    return user


@transaction.atomic
def sign_out(*, user_id: UUID, reason: str, actor: Actor, now: datetime) -> User:
    """
    End every session of a person, in all organisations and on the platform's site, for its operator; he may sign in again.

    Raises OwnAccount: one's own are ended in the list of sessions.
    """
    if actor.person == str(user_id):
        raise OwnAccount("End your own sessions in your list of sessions.")
    user = User.objects.select_for_update().get(id=user_id)
    end_sessions(user_id=user_id, now=now)
    _record("user.sessions_ended", user, actor, now, reason=reason)
    return user


def end_sessions(*, user_id: UUID, now: datetime) -> None:
    """End every session of a person, in all organisations, with its next request."""
    User.objects.filter(id=user_id).update(sessions_ended_at=now)


def require_strong(password: str, user: User) -> None:
    """Refuse a password that is too short, too common, or like the person himself. Raises PasswordWeak."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise _weak(" ".join(error.messages)) from None


def _record(
    action: str,
    user: User,
    actor: Actor,
    now: datetime,
    *,
    changes: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    platform_records.write(
        action=action,
        object_type="user",
        object_id=str(user.pk),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )


def _weak(message: str) -> PasswordWeak:
    return PasswordWeak(message, errors=[errors.FieldError("/password", "password_weak", message)])
