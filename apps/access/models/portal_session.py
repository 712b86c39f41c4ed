"""The session of a member in the portal, as he and the owners see it: from where, since when, seen when."""

from django.db import models

from apps.kit.sessions import KnownSession


class PortalSession(KnownSession):
    """A session in the portal of this organisation."""

    membership = models.ForeignKey("access.Membership", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session_key"], name="portal_session_once")]

    def __str__(self) -> str:
        return f"Session of {self.membership_id}"
