"""The lists that a provider keeps, of movements and of disputes: how far they have been read."""

from django.db import models

from apps.kit.models import LockingQuerySet

CODE_LENGTH = 60


class PullCursor(models.Model):
    """
    How far the movements of one account have been read: completely up to ``pulled_until``.

    ``leased_until`` keeps a second reader away while one is at work; a reader that died lets go by time. ``started_at``
    is when the last reading began, ``failure_code`` why it was not complete. ``disputes_until``: all disputes that were opened
    before are known.
    """

    provider_account = models.OneToOneField(
        "integrations.ProviderAccount", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    registered_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    pulled_until = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    disputes_until = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)

    objects = LockingQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.provider_account_id)
