"""What applications ask to be granted beyond their links: asked for once at a time, decided, and ended."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.kit import errors, rate_limits
from apps.kit.rate_limits import InOutage, Limit
from apps.tenancy.contracts import GrantChangeStatus
from apps.tenancy.models import GrantChange, LinkRequest
from apps.tenancy.selectors import organisations
from apps.tenancy.services import directory

LIFETIME = timedelta(days=14)
COOLING_OFF = timedelta(days=7)
ASKED_PER_DAY, DAY = 5, 24 * 3600
BATCH = 200


class GrantChangeWaits(errors.DomainError):
    """The application waits for an answer to another change already, or was refused one a few days ago."""

    code = "grant_change_waits"
    title = "Change asked for already"


class GrantChangeExpired(errors.DomainError):
    """Nobody answered in time."""

    code = "grant_change_expired"
    title = "Request too old"


def ask(
    *, link: LinkRequest, scopes: Collection[str], branch_id: UUID | None, message: str, now: datetime
) -> GrantChange | None:
    """
    Note what a link is to grant and return that, or None for the same wish again. The caller holds the link's lock.

    One that nobody answered in time has to be ended before (``lapse``).
    Raises GrantChangeWaits, RateLimited and Uncounted: people of an organisation are not asked all day.
    """
    own = GrantChange.objects.filter(link=link).order_by("-id")
    waiting = own.filter(status=GrantChangeStatus.PENDING.value).first()
    if waiting is not None:
        if (waiting.scopes, waiting.branch_id_there) == (sorted(set(scopes)), branch_id):
            return None
        raise GrantChangeWaits("Another change waits for an answer. Withdraw it first.")
    refused = own.filter(status=GrantChangeStatus.REFUSED.value, ended_at__gt=now - COOLING_OFF)
    if refused.exists():
        raise GrantChangeWaits("A change was refused less than 7 days ago.")
    limit = Limit("links", f"grant:{link.id}", ASKED_PER_DAY, DAY)
    rate_limits.require([limit], now=now, in_outage=InOutage.REFUSE, refusal=directory.TRIED_TOO_OFTEN)
    return GrantChange.objects.create(
        link=link,
        scopes=sorted(set(scopes)),
        branch_id_there=branch_id,
        message=message,
        created_at=now,
        expires_at=now + LIFETIME,
    )


def lapse(*, link: LinkRequest, now: datetime) -> GrantChange | None:
    """End what a link waits for where nobody answered it in time, before the sweep does; None where there is no such wish."""
    change = waiting_of(link)
    if change is None or now < change.expires_at:
        return None
    _end(change, now)
    return change


def link_of(change_id: UUID) -> UUID:
    """Return the link that a change is about, which is locked before the change is; raise NotFound as ``of_present``."""
    own = GrantChange.objects.filter(id=change_id, link__organisation_id=organisations.current().id)
    link_id = own.values_list("link_id", flat=True).first()
    if link_id is None:
        raise errors.NotFound("There is no such change.")
    return link_id


def of_present(change_id: UUID) -> GrantChange:
    """Lock and return a change that the present organisation is asked for, whose link is locked; raise NotFound for any other."""
    change = (
        GrantChange.objects.locked()
        .select_related("link__application")
        .filter(id=change_id, link__organisation_id=organisations.current().id)
        .first()
    )
    if change is None:
        raise errors.NotFound("There is no such change.")
    return change


def waiting_of(link: LinkRequest) -> GrantChange | None:
    """Lock and return the change that a link waits for, or None."""
    return GrantChange.objects.locked().filter(link=link, status=GrantChangeStatus.PENDING.value).first()


def require_in_time(change: GrantChange, now: datetime) -> None:
    """Refuse a wish that is too old, before the sweep has ended it as well. Raises GrantChangeExpired."""
    if change.is_pending and now >= change.expires_at:
        raise GrantChangeExpired("Nobody answered this in time. The application may ask again.")


def accept(*, change: GrantChange, now: datetime) -> None:
    change.accept(at=now)
    change.save(update_fields=["status", "ended_at"])


def refuse(*, change: GrantChange, reason: str, now: datetime) -> None:
    change.refuse(reason=reason, at=now)
    change.save(update_fields=["status", "reason", "ended_at"])


def withdraw(*, link: LinkRequest, now: datetime) -> GrantChange | None:
    """Take back what a link waits for, if it does: the application changed its mind, or the link ends."""
    change = waiting_of(link)
    if change is not None:
        change.withdraw(at=now)
        change.save(update_fields=["status", "ended_at"])
    return change


def to_expire(*, now: datetime) -> list[UUID]:
    """Return wishes that nobody answered in time."""
    due = GrantChange.objects.filter(status=GrantChangeStatus.PENDING.value, expires_at__lte=now)
    return list(due.order_by("id").values_list("id", flat=True)[:BATCH])


@transaction.atomic
def expire(*, change_id: UUID, now: datetime) -> GrantChange | None:
    """Let a wish end that nobody answered in time; None where it was answered meanwhile."""
    found = GrantChange.objects.locked().select_related("link__application", "link__organisation")
    change = found.filter(id=change_id, expires_at__lte=now).first()
    if change is None or not change.is_pending:
        return None
    _end(change, now)
    return change


def _end(change: GrantChange, now: datetime) -> None:
    change.expire(at=now)
    change.save(update_fields=["status", "ended_at"])
