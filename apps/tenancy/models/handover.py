"""A person on his way from one organisation's portal to another's: a link that works once, within a minute."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.crypto import constant_time_compare

from apps.kit.models import LockingQuerySet, UuidModel
from apps.tenancy.models.organisation import Organisation


class Handover(UuidModel):
    """
    Bound to person, organisation and browser: ``challenge`` is the hash of a nonce that only his browser holds.

    Only hashes of token and nonce are kept. ``authenticator`` is the second factor that verified the session which he
    leaves, if any; the new session ends with that one, at ``session_ends_at``. ``session_hash`` is what binds that session to
    the password and to the end of all sessions: what ends the one ends the link as well.
    """

    token_digest = models.CharField(max_length=64, unique=True)
    challenge = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    authenticator = models.ForeignKey(
        "accounts.Authenticator", on_delete=models.CASCADE, related_name="+", null=True
    )
    session_ends_at = models.DateTimeField()
    session_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = LockingQuerySet.as_manager()

    def is_open(self, at: datetime) -> bool:
        return self.used_at is None and at < self.expires_at

    def is_of_session(self, user: Any) -> bool:
        """Whether the session that the person left would open pages still, as far as his password and their end go."""
        return constant_time_compare(self.session_hash, user.get_session_auth_hash())
