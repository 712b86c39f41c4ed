"""Make and deactivate people."""

from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.kit import errors


class EmailTaken(errors.DomainError):
    """Somebody signs in with this e-mail already."""

    code = "email_taken"
    title = "E-mail taken"


class PasswordWeak(errors.Invalid):
    """The password is too short or too common."""

    code = "password_weak"
    title = "Password too weak"


@transaction.atomic
def create(*, email: str, name: str, password: str, is_platform_staff: bool = False) -> User:
    """Make a person who signs in with ``email``. Raises EmailTaken or PasswordWeak; nothing is kept then."""
    if User.objects.filter(email__iexact=email).exists():
        raise EmailTaken(f"Somebody signs in with {email} already.")
    user = User(email=email.lower(), name=name, is_platform_staff=is_platform_staff)
    try:
        validate_password(password, user)
    except ValidationError as error:
        message = " ".join(error.messages)
        raise PasswordWeak(
            message, errors=[errors.FieldError("/password", "password_weak", message)]
        ) from None
    user.set_password(password)
    user.save()
    return user


@transaction.atomic
def deactivate(*, user_id: UUID) -> User:
    """End a person's access everywhere, on the next request. Users are never deleted."""
    user = User.objects.select_for_update().get(id=user_id)
    user.is_active = False
    user.save(update_fields=["is_active"])
    return user
