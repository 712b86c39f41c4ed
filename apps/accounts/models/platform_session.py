"""The session of a member of the platform's staff, as he sees it: from where, since when, seen when."""

from django.conf import settings
from django.db import models

from apps.kit.sessions import KnownSession


class PlatformSession(KnownSession):
    """A session on the platform's site."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session_key"], name="platform_session_once")]

    def __str__(self) -> str:
        return f"Session of {self.user_id}"
