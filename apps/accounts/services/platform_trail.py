"""The chain of the platform's audit trail."""

from datetime import datetime

from apps.accounts.models import COLUMNS, PlatformLink, PlatformRecord, WaitingPlatformRecord
from apps.accounts.services import trail_checks, trails
from apps.kit import schema

TRAIL = trails.Trail(
    name="platform",
    schema=schema.PUBLIC,
    is_live=False,  # it also holds what was done to test organisations
    records=PlatformRecord,
    links=PlatformLink,
    waiting=WaitingPlatformRecord,
    store="public.platform_record_store_links",
    columns=COLUMNS,
)


def seal() -> int:
    """Seal what the platform's trail waits for; return how many records."""
    return trails.run(TRAIL)


def check(*, now: datetime) -> None:
    """Seal what waits; raise trails.LinksMissing if something older than an hour is left."""
    trails.check(TRAIL, now=now)


def verify(*, since: int = 1, kept: trails.Head | None = None) -> trail_checks.Verdict:
    """Recompute the platform's chain."""
    return trail_checks.verify(TRAIL, since=since, kept=kept)
