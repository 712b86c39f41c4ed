"""What the pages of jobs draw, and how somebody wants to see a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.kit.money import Money
from apps.portal.contracts.pieces import Badge, Fact


@dataclass(frozen=True, slots=True)
class JobResult:
    """The file of a job, as far as it is shown: ``totals`` are its control totals by column."""

    name: str
    size: str
    sha256: str
    rows: int | None
    totals: tuple[tuple[str, Money], ...]
    expires_at: datetime
    is_expired: bool


@dataclass(frozen=True, slots=True)
class JobPage:
    """One job: ``share`` is done in per cent, None while nobody knows; ``poll_seconds`` is when to ask again."""

    id: UUID
    public_id: str
    title: str
    badge: Badge
    is_live: bool
    is_queued: bool
    done: int
    failed: int
    total: int | None
    share: int | None
    error: str
    started_by: str
    created_at: datetime
    finished_at: datetime | None
    took: str
    stopped_by: str
    poll_seconds: int
    may_stop: bool
    asked_for: tuple[Fact, ...]
    result: JobResult | None


@dataclass(frozen=True, slots=True)
class ViewWanted:
    """A list as somebody wants to see it."""

    model_label: str
    name: str
    query: str = ""
    columns: Sequence[str] = ()
    is_default: bool = False
    is_shared: bool = False
    branch_id: UUID | None = None
