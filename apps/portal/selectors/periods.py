"""One period for a person in the portal, with what its close waits for; ``period_lists`` shows them all."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.approvals.selectors import requests
from apps.jobs.contracts import JobStatus
from apps.kit import ids
from apps.ledger.contracts import PERIOD_REOPEN, SIGN_OFFS, LateItems, PeriodState, Precondition, SignOffKind
from apps.ledger.events import PERIOD_PREFIX
from apps.ledger.selectors import books, preconditions, transactions
from apps.ledger.selectors import periods as stored
from apps.ledger.selectors.periods import KeptTotal, Period
from apps.ledger.selectors.preconditions import Question
from apps.portal.contracts import Badge, Fact, Target
from apps.portal.selectors import period_history, states, words

CARRIED = "holds"
"""The one precondition that the close itself may pass over: holds go on in the next period."""
SHOWN = 50
WHOLE_BOOK = gettext_lazy(
    "The books of all branches decide it. Who works for all of them sees how much is left."
)
"""What is said in place of counts to a reader of some branches."""
LATE_POLICIES = {
    LateItems.REJECT: gettext_lazy("What comes late is refused."),
    LateItems.NEXT_OPEN: gettext_lazy("What comes late is dated to the first open day."),
}


MENDED_ON = {
    "holds": (gettext_lazy("See the holds"), "admin:ledger_transaction_changelist", "?kind=HOLD"),
    "requests": (gettext_lazy("See what waits for approval"), "portal-approvals", "?view=all"),
    "suspense": (gettext_lazy("See what is in suspense"), "portal-accounts", "?role=SUSPENSE"),
    "sealed": (gettext_lazy("Seals come by themselves: look again in two minutes"), "", ""),
    "revaluation": (gettext_lazy("See the accounts"), "portal-accounts", ""),
    "reconciliation": (gettext_lazy("See the accounts"), "portal-accounts", ""),
}
"""The page on which a precondition is met, by its name: what it is called, its address (none: this page again), the query."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where something is mended or decided."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """A period in the list; ``late`` counts what came after its close and is dated behind it, None while it is open."""

    uid: UUID
    title: str
    days: str
    badge: Badge
    is_year_end: bool
    is_overdue: bool
    revision: int
    closed_at: datetime | None
    closed_by: str
    hash: str
    late: int | None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who has vouched for something last, or has taken that back."""

    who: str
    at: datetime
    note: str
    is_signed: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that a close waits for: whether it is met, who has signed it off as far as that counts, and what mends it."""

    name: str
    title: str
    sentence: str
    is_met: bool
    badge: Badge
    kind: SignOffKind | None
    signature: Signature | None
    link: Link | None


@dataclass(frozen=True, slots=True)
class ClosingLine:
    """A transaction that brought a year's result into retained earnings."""

    target: Target
    description: str
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class LateLine:
    """A transaction that happened before the close and came after it."""

    target: Target
    description: str
    happened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A close that a worker does, or did and could not; ``error`` is its sentence."""

    started_by: str
    started_at: datetime
    is_queued: bool
    error: str
    job_id: UUID


@dataclass(frozen=True, slots=True)
class PeriodPage:
    """
    Everything that the page of a period shows. Totals and transactions are those of the reader's branches; of the
    preconditions, which count over all branches, a reader of some sees only whether they are met.
    """

    line: PeriodLine
    is_closed: bool
    is_soft_closed: bool
    is_last_closed: bool
    conditions: tuple[Condition, ...]
    missing: str
    is_ready: bool
    under_way: Attempt | None
    refused: Attempt | None
    reopening: Link | None
    totals: tuple[KeptTotal, ...]
    is_part: bool
    closings: tuple[ClosingLine, ...]
    late: tuple[LateLine, ...]
    policy: str
    deeds: tuple[period_history.Deed, ...]
    identifiers: tuple[Fact, ...]


def title(period: Period) -> str:
    """Return October 2026 for a whole month, and the days of any other period."""
    first, next_day = period.start_date, period.end_date + timedelta(days=1)
    is_month = first.day == 1 and next_day.day == 1 and (next_day - first).days <= 31  # noqa: PLR2004 (days of a month)
    return date_format(first, "F Y") if is_month else days(period)


def days(period: Period) -> str:
    """Return 1 Oct 2026 - 31 Oct 2026, with an en dash."""
    first, last = (date_format(day, "j M Y") for day in (period.start_date, period.end_date))
    return f"{first} – {last}"  # noqa: RUF001 (an en dash)


def page(period_id: UUID, caller: Principal, *, now: datetime) -> PeriodPage:
    """
    Return one period with what its close waits for, or what was kept at its close; raise NotFound.

    The close under way is read before the period: one that ends meanwhile is shown as under way still, and the page asks again.
    """
    attempt = under_way(period_id)
    period = stored.get(period_id)
    is_closed = period.state == PeriodState.CLOSED
    branches = scope.branch_ids(caller)
    is_told_all = books.is_for_all_branches(caller)
    conditions = () if is_closed else _conditions(period, now)
    if not is_told_all:
        conditions = tuple(replace(condition, sentence=str(WHOLE_BOOK)) for condition in conditions)
    missing = [condition for condition in conditions if not condition.is_met]
    late = _came_late(period, caller)
    book = books.of_organisation()
    return PeriodPage(
        line=line(
            period,
            late=late.count(),
            who=words.actor(period.closed_by) if period.closed_by else "",
            today=books.today(now),
        ),
        is_closed=is_closed,
        is_soft_closed=period.state == PeriodState.SOFT_CLOSED,
        is_last_closed=period == stored.last_closed(),
        conditions=conditions,
        missing=_missing(len(missing)),
        is_ready=all(condition.name == CARRIED for condition in missing),
        under_way=attempt,
        refused=None if is_closed or attempt else _refused(period_id, is_told_all=is_told_all),
        reopening=_reopening(period),
        totals=tuple(stored.kept_totals(period, within=branches)),
        is_part=branches is not None,
        closings=_closings(period, caller),
        late=tuple(_late(row) for row in late[:SHOWN]),
        policy=str(LATE_POLICIES[LateItems(book.late_items)]) if book else "",
        deeds=period_history.of(period),
        identifiers=(Fact(_("Period"), ids.encode(PERIOD_PREFIX, period.uid)),),
    )


def under_way(period_id: UUID) -> Attempt | None:
    """Return the close of this period that waits for a worker or runs."""
    job = stored.close_under_way()
    return _attempt(job) if job and job.parameters["period_id"] == str(period_id) else None


def _refused(period_id: UUID, *, is_told_all: bool) -> Attempt | None:
    """Return the last close that was tried, where it was of this period and failed; why is told who sees the whole book."""
    job = stored.last_close_job()
    if job is None or job.status != JobStatus.FAILED or job.parameters["period_id"] != str(period_id):
        return None
    attempt = _attempt(job)
    return attempt if is_told_all else replace(attempt, error=str(WHOLE_BOOK))


def _attempt(job: stored.jobs.Job) -> Attempt:
    return Attempt(
        started_by=words.actor(job.started_by),
        started_at=job.created_at,
        is_queued=job.status == JobStatus.QUEUED,
        error=job.error,
        job_id=job.id,
    )


def line(period: Period, *, late: int, who: str, today: date) -> PeriodLine:
    is_closed = period.state == PeriodState.CLOSED
    return PeriodLine(
        uid=period.uid,
        title=title(period),
        days=days(period),
        badge=states.PERIOD[period.state],
        is_year_end=period.is_year_end,
        is_overdue=not is_closed and period.end_date < today,
        revision=period.revision,
        closed_at=period.closed_at,
        closed_by=who,
        hash=bytes(period.checkpoint_hash or b"").hex(),
        late=late if is_closed else None,
    )


def _missing(count: int) -> str:
    if not count:
        return _("Nothing is left to do.")
    return ngettext("%(count)d thing is left to do.", "%(count)d things are left to do.", count) % {
        "count": count
    }


def _conditions(period: Period, now: datetime) -> tuple[Condition, ...]:
    signed = {sign_off.kind: sign_off for sign_off in reversed(stored.sign_offs_of(period))}
    return tuple(
        _condition(found, signed.get(found.name)) for found in preconditions.of(Question(period, now))
    )


def _condition(found: Precondition, signed: stored.SignOff | None) -> Condition:
    signature = None
    if signed is not None:
        signature = Signature(
            words.actor(signed.signed_by), signed.signed_at, signed.note, is_signed=signed.is_signed
        )
    is_vouched = signature is not None and signature.is_signed and found.is_met
    return Condition(
        name=found.name,
        title=str(found.title),
        sentence=found.sentence,
        is_met=found.is_met,
        badge=states.CONDITION["SIGNED" if is_vouched else "MET" if found.is_met else "TO_DO"],
        kind=SIGN_OFFS.get(found.name),
        signature=signature,
        link=None if found.is_met else _mend(found.name),
    )


def _mend(name: str) -> Link | None:
    """Return the page on which a precondition is met; None where time alone does it."""
    if name == "previous_closed":
        first = stored.stored().exclude(state=PeriodState.CLOSED.value)[0]
        said = _("Close %(period)s first") % {"period": title(first)}
        return Link(said, reverse("portal-period", args=[first.uid]))
    if name not in MENDED_ON:
        return None
    label, page_name, query = MENDED_ON[name]
    return Link(str(label), reverse(page_name) + query if page_name else "")


def _reopening(period: Period) -> Link | None:
    waits = requests.pending_of(kind=PERIOD_REOPEN.name, subject_id=period.uid)
    if waits is None:
        return None
    asked = _("%(who)s has asked to open it again. Another person decides.")
    return Link(asked % {"who": requests.requester_name(waits)}, reverse("portal-approval", args=[waits.id]))


def _closings(period: Period, caller: Principal) -> tuple[ClosingLine, ...]:
    visible = transactions.visible_to(caller).filter(closing__period=period)
    return tuple(
        ClosingLine(
            Target("transaction", row.uid, row.number),
            row.description,
            is_reversed=bool(row.reversed_by.all()),
        )
        for row in visible.prefetch_related("reversed_by").order_by("id")
    )


def _came_late(period: Period, caller: Principal) -> QuerySet[transactions.Transaction]:
    visible = transactions.visible_to(caller)
    return stored.late_behind(period).filter(id__in=visible.values("id"))


def _late(row: transactions.Transaction) -> LateLine:
    return LateLine(Target("transaction", row.uid, row.number), row.description, row.event_at)
