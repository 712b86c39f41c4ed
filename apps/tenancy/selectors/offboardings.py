"""Organisations that are being ended, and their archives."""

from uuid import UUID

from apps.kit.storage import Stored
from apps.tenancy.models import Offboarding

__all__ = ["Offboarding", "archive", "of_organisation"]


def of_organisation(organisation_id: UUID) -> Offboarding | None:
    """Return the end that is under way or done, or None."""
    return Offboarding.objects.filter(organisation_id=organisation_id, cancelled_at__isnull=True).first()


def archive(asked: Offboarding) -> Stored:
    """Return where the newest archive lies, which is there once ``exported_at`` says so."""
    return Stored(asked.archive_key, asked.archive_sha256, asked.archive_size or 0)
