"""Links between registered applications and organisations: asked for, looked up, decided, and ended."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.kit import errors, jobs, rate_limits
from apps.kit.rate_limits import InOutage, Limit
from apps.tenancy.contracts import LinkOrigin, LinkStatus
from apps.tenancy.models import LinkRequest, Organisation, RegisteredApplication
from apps.tenancy.selectors import links, organisations
from apps.tenancy.services import directory

LIFETIME = timedelta(days=14)
COOLING_OFF = timedelta(days=30)
PENDING_MAX = 10
ASKED_PER_DAY, DAY = 20, 24 * 3600
BATCH = 200
LOOK_UP = "access.look_up_link"


class LinkLimit(errors.DomainError):
    """The application waits for as many organisations as it may."""

    code = "link_limit"
    title = "Too many open links"


class AlreadyLinked(errors.DomainError):
    """The application is linked to this organisation."""

    code = "already_linked"
    title = "Linked already"


class LinkExpired(errors.DomainError):
    """Nobody answered the request in time."""

    code = "link_expired"
    title = "Request too old"


@transaction.atomic
def ask(
    *, application: RegisteredApplication, slug: str, scopes: Collection[str], message: str, now: datetime
) -> LinkRequest:
    """
    Ask an organisation, by the name in its addresses, to let the application in; repeated, it is the same request.

    Nothing is looked up here, so that answer and time are the same whether there is such an organisation or not: a
    job does it after the answer, and a request to nobody expires like one that nobody answers.
    Raises NotAccepted, RateLimited, Uncounted and LinkLimit.
    """
    directory.require_accepted(application)
    RegisteredApplication.objects.locked().get(id=application.id)
    own = LinkRequest.objects.filter(application=application)
    known = own.filter(wanted_slug=slug, status__in=[LinkStatus.PENDING, LinkStatus.ACCEPTED]).first()
    if known is not None:
        return known
    limit = Limit("links", f"link:{application.id}", ASKED_PER_DAY, DAY)
    rate_limits.require([limit], now=now, in_outage=InOutage.REFUSE, refusal=directory.TRIED_TOO_OFTEN)
    if own.filter(status=LinkStatus.PENDING).count() >= PENDING_MAX:
        raise LinkLimit(f"An application waits for {PENDING_MAX} organisations at most. Withdraw a request.")
    link = _new(
        application=application, origin=LinkOrigin.REQUEST, slug=slug, scopes=scopes, message=message, now=now
    )
    jobs.enqueue(LOOK_UP, link_id=link.id)
    return link


@transaction.atomic
def look_up(*, link_id: UUID, now: datetime) -> LinkRequest | None:
    """
    Find the organisation that a request is for, once; None where it has none, or nothing more is to be done.

    One that refused the application less than 30 days ago is not asked again.
    """
    asked = LinkRequest.objects.locked().filter(origin=LinkOrigin.REQUEST.value, looked_up_at__isnull=True)
    link = asked.filter(id=link_id).first()
    if link is None or link.status != LinkStatus.PENDING:
        return None
    link.looked_up_at = now
    found = organisations.ready_by_slug(link.wanted_slug)
    if found is not None and not _has_refused(found, link.application_id, now):
        link.organisation = found
    link.save(update_fields=["looked_up_at", "organisation"])
    return link if link.organisation_id else None


def not_looked_up() -> list[UUID]:
    """Return requests whose job was lost."""
    waiting = LinkRequest.objects.filter(
        origin=LinkOrigin.REQUEST.value, status=LinkStatus.PENDING.value, looked_up_at__isnull=True
    )
    return list(waiting.order_by("id").values_list("id", flat=True)[:BATCH])


def begin(
    *,
    application: RegisteredApplication,
    origin: LinkOrigin,
    organisation: Organisation,
    scopes: Collection[str],
    now: datetime,
) -> LinkRequest:
    """Return the pending link of an invited application, or of one that had an organisation made."""
    RegisteredApplication.objects.locked().get(id=application.id)
    is_linked = LinkRequest.objects.filter(
        application=application, organisation=organisation, status=LinkStatus.ACCEPTED.value
    ).exists()
    if is_linked:
        raise AlreadyLinked("This application is linked to the organisation.")
    waiting = LinkRequest.objects.locked().filter(
        application=application, wanted_slug=organisation.slug, status=LinkStatus.PENDING.value
    )
    for overtaken in waiting:
        overtaken.withdraw(at=now)
        overtaken.save(update_fields=["status", "ended_at"])
    return _new(
        application=application,
        origin=origin,
        slug=organisation.slug,
        organisation=organisation,
        scopes=scopes,
        now=now,
    )


@transaction.atomic
def withdraw(*, application: RegisteredApplication, link_id: UUID, now: datetime) -> LinkRequest:
    """Take a request back; a second time changes nothing. Raises NotFound, also for another application's."""
    link = LinkRequest.objects.locked().filter(id=link_id, application=application).first()
    if link is None:
        raise errors.NotFound("There is no such link.")
    if link.status == LinkStatus.WITHDRAWN:
        return link
    link.withdraw(at=now)
    link.save(update_fields=["status", "ended_at"])
    return link


def of_present(link_id: UUID) -> LinkRequest:
    """Lock and return a link of the present organisation; raise NotFound for any other."""
    organisation_id = organisations.current().id
    link = (
        LinkRequest.objects.locked()
        .select_related("application")
        .filter(id=link_id, organisation_id=organisation_id)
        .first()
    )
    if link is None:
        raise errors.NotFound("There is no such link.")
    return link


def of_creation(link_id: UUID) -> LinkRequest | None:
    """Return the link of an application with the organisation that was made for it, or None."""
    rows = LinkRequest.objects.select_related("organisation", "application")
    return rows.filter(id=link_id, origin=LinkOrigin.CREATION.value).first()


def unsettled_creations() -> list[UUID]:
    """Return links with organisations that are ready: their makers were not let in, nor the owners asked, yet."""
    ready = organisations.ready().values("id")
    waiting = LinkRequest.objects.filter(
        origin=LinkOrigin.CREATION.value,
        status=LinkStatus.PENDING.value,
        looked_up_at__isnull=True,
        organisation_id__in=ready,
    )
    return list(waiting.order_by("id").values_list("id", flat=True)[:BATCH])


def note_asked(*, link: LinkRequest, now: datetime) -> bool:
    """Note that the owner of a new organisation is asked, and has as long as anybody to answer; False a second time."""
    if link.looked_up_at is not None:
        return False
    link.looked_up_at, link.expires_at = now, now + LIFETIME
    link.save(update_fields=["looked_up_at", "expires_at"])
    return True


def require_in_time(link: LinkRequest, now: datetime) -> None:
    """Refuse a request that is too old, before the sweep has ended it as well. Raises LinkExpired."""
    if link.is_pending and now >= link.expires_at:
        raise LinkExpired("Nobody answered this request in time. The application may ask again.")


def accept(
    *,
    link: LinkRequest,
    application_id: UUID,
    branch_id: UUID | None,
    scopes: Collection[str],
    now: datetime,
) -> None:
    """Note that the organisation has let the application in, as which application of its own and with which scopes."""
    taken = links.of_present_organisation().filter(
        application_id=link.application_id, status=LinkStatus.ACCEPTED.value
    )
    if taken.exists():
        raise AlreadyLinked("This application is linked to the organisation.")
    link.accept(application_id=application_id, branch_id=branch_id, scopes=sorted(set(scopes)), at=now)
    link.save(update_fields=["status", "application_id_there", "branch_id_there", "scopes", "decided_at"])


def refuse(*, link: LinkRequest, reason: str, now: datetime) -> None:
    link.refuse(reason=reason, at=now)
    link.save(update_fields=["status", "reason", "decided_at"])


def revoke(*, link: LinkRequest, reason: str, now: datetime) -> None:
    link.revoke(reason=reason, at=now)
    link.save(update_fields=["status", "reason", "ended_at"])


def change_grant(
    *, link: LinkRequest, scopes: Collection[str], branch_id: UUID | None, hands_out_again: bool
) -> None:
    """Note what a link grants from now on; where that is more, a key with it can be fetched again."""
    link.scopes, link.branch_id_there = sorted(scopes), branch_id
    if hands_out_again:
        link.key_id_there = None
    link.save(update_fields=["scopes", "branch_id_there", "key_id_there"])


def note_key(*, link: LinkRequest, key_id: UUID) -> None:
    """Note which key was handed out through the link."""
    link.key_id_there = key_id
    link.save(update_fields=["key_id_there"])


def to_expire(*, now: datetime) -> list[UUID]:
    """Return requests that nobody answered in time."""
    due = LinkRequest.objects.filter(status=LinkStatus.PENDING.value, expires_at__lte=now)
    return list(due.order_by("id").values_list("id", flat=True)[:BATCH])


@transaction.atomic
def expire(*, link_id: UUID, now: datetime) -> LinkRequest | None:
    """Let a request end that nobody answered in time; None where it was answered meanwhile."""
    link = LinkRequest.objects.locked().filter(id=link_id, expires_at__lte=now).first()
    if link is None or link.status != LinkStatus.PENDING:
        return None
    link.expire(at=now)
    link.save(update_fields=["status", "ended_at"])
    return link


def _new(
    *,
    application: RegisteredApplication,
    origin: LinkOrigin,
    slug: str,
    scopes: Collection[str],
    now: datetime,
    organisation: Organisation | None = None,
    message: str = "",
) -> LinkRequest:
    return LinkRequest.objects.create(
        application=application,
        organisation=organisation,
        origin=origin.value,
        wanted_slug=slug,
        message=message,
        scopes=sorted(set(scopes)),
        created_at=now,
        looked_up_at=now if origin is LinkOrigin.INVITE else None,
        expires_at=now + LIFETIME,
    )


def _has_refused(organisation: Organisation, application_id: UUID, now: datetime) -> bool:
    return LinkRequest.objects.filter(
        application_id=application_id,
        organisation=organisation,
        status=LinkStatus.REFUSED.value,
        decided_at__gt=now - COOLING_OFF,
    ).exists()
