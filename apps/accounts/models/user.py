"""A person who signs in: shared by all organisations, without groups or permissions of his own."""

from typing import Any, ClassVar

from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from apps.kit import clock, ids


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail, whatever its capitals."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username or "")


class User(AbstractBaseUser):
    """
    Identity only. Permissions come from the membership of the present organisation (apps.access.backend);
    in tenant schemas only a membership refers to a user. Users are deactivated, never deleted.
    Who was let in has no password before he has opened his entry link, of which a digest is kept here; ``is_vouched_for`` says
    that the platform made the link, and knows whose address it is. ``taken_over_at`` is when it took the account over: what anybody
    confirmed before is about somebody else.
    Sessions are bound to the password and to ``sessions_ended_at``: a new value of either ends them all.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    is_platform_staff = models.BooleanField(default=False)
    entry_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    entry_expires_at = models.DateTimeField(null=True, editable=False)
    entry_used_at = models.DateTimeField(null=True, editable=False)
    is_vouched_for = models.BooleanField(default=False, editable=False)
    taken_over_at = models.DateTimeField(null=True, editable=False)
    sessions_ended_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = UserManager()
    is_superuser: ClassVar[bool] = False

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
            models.CheckConstraint(
                condition=Q(
                    entry_digest__isnull=True,
                    entry_expires_at__isnull=True,
                    entry_used_at__isnull=True,
                    is_vouched_for=False,
                )
                | Q(entry_digest__isnull=False, entry_expires_at__isnull=False),
                name="user_entry_whole",
            ),
        ]

    @property
    def was_let_in(self) -> bool:
        """Whether an organisation made the account by an entry link: the platform does not know whose address it is."""
        return self.entry_digest is not None and not self.is_vouched_for

    @property
    def is_staff(self) -> bool:
        """Say whether the person may open an admin site at all; the site asks for more."""
        return self.is_active

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Return what Django compares with each session of the person; another value ends the session."""
        ended = self.sessions_ended_at.isoformat() if self.sessions_ended_at else ""
        salt = "treasury.accounts.session"
        return salted_hmac(salt, f"{self.password}|{ended}", secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]

    def __str__(self) -> str:
        return self.name or self.email

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        return any(b.has_perm(self, permission, obj) for b in auth.get_backends() if hasattr(b, "has_perm"))

    def has_perms(self, permissions: list[str], obj: Any = None) -> bool:
        return all(self.has_perm(permission, obj) for permission in permissions)

    def has_module_perms(self, label: str) -> bool:
        return any(
            b.has_module_perms(self, label) for b in auth.get_backends() if hasattr(b, "has_module_perms")
        )
