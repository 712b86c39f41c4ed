"""Rows that a provider is asked about until they end: which are due, and which have a job that asks."""

from datetime import datetime
from typing import Self

from django.db.models import Q

from apps.kit.models import LockingQuerySet


class PolledQuerySet(LockingQuerySet):
    """Rows with ``next_query_at``, which is set while there is a question to come, and ``query_started_at``."""

    def due_for_query(self, *, now: datetime) -> Self:
        return self.filter(next_query_at__lte=now)

    def without_query_job(self, *, since: datetime) -> Self:
        """Rows for whose due query no job has been started, or only one at ``since`` or before."""
        return self.filter(Q(query_started_at=None) | Q(query_started_at__lte=since))
