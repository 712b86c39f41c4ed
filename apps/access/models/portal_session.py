"""The session of a member in the portal, as he and the owners see it: from where, since when, seen when."""

from django.db import models

from apps.kit.models import UuidModel


class PortalSession(UuidModel):
    """
    What is known of one session beside Django's own row, which alone decides whether it opens anything.

    ``session_key`` follows the session when its key changes; where Django's row is gone, the session has ended.
    """

    membership = models.ForeignKey("access.Membership", on_delete=models.PROTECT, related_name="+")
    session_key = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ip = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session_key"], name="portal_session_once")]

    def __str__(self) -> str:
        return f"Session of {self.membership_id}"
