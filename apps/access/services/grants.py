"""What the link of an application grants: changed while the application works, narrowed at once, widened by who may give it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access import events
from apps.access.models import ApiKey, Application, Branch
from apps.access.selectors import memberships, scope
from apps.access.selectors.scope import Person
from apps.access.services import api_keys, application_links
from apps.access.services.application_links import GrantInvalid, LinkNotAccepted
from apps.access.services.credentials import HOOKS
from apps.audit.services import records
from apps.events.contracts import EventType
from apps.events.selectors import webhooks
from apps.events.services import outbox, webhook_endpoints
from apps.kit import errors, schema
from apps.kit.actors import Actor
from apps.tenancy.contracts import GrantChangeStatus, LinkStatus
from apps.tenancy.selectors import links, organisations
from apps.tenancy.selectors.directory import RegisteredApplication
from apps.tenancy.selectors.links import GrantChange, LinkRequest
from apps.tenancy.services import directory, grant_changes, link_requests

ASKED = "Asked for by the application"


@dataclass(frozen=True, slots=True)
class Grant:
    """All that a link grants: scopes, and one branch or (None) all of them."""

    scopes: frozenset[str]
    branch_id: UUID | None

    def is_within(self, other: "Grant") -> bool:
        """Whether it gives nothing that the other one does not."""
        return self.scopes <= other.scopes and other.branch_id in (None, self.branch_id)


def ask(
    *, application: RegisteredApplication, link_id: UUID, wanted: Grant, message: str, now: datetime
) -> LinkRequest:
    """
    Let the application's link grant this: at once where it only takes away, else when people of the organisation agree.

    Asking again for the same changes nothing. Raises NotFound, NotAccepted, LinkNotAccepted, GrantInvalid,
    GrantChangeWaits, RateLimited.
    """
    directory.require_accepted(application)
    with _inside(application, link_id) as link:
        present = _present(link)
        if wanted == present:
            return link
        if wanted.branch_id is not None and not Branch.objects.filter(id=wanted.branch_id).exists():
            raise GrantInvalid("/branch_id", "There is no such branch.")
        if wanted.is_within(present):
            _set(link, wanted, None, directory.actor_of(application), now, ASKED)
            return link
        lapsed = grant_changes.lapse(link=link, now=now)
        if lapsed is not None:
            _tell(events.CHANGE_EXPIRED, link, now, lapsed)
        asked = grant_changes.ask(
            link=link, scopes=wanted.scopes, branch_id=wanted.branch_id, message=message, now=now
        )
        if asked is not None:
            _tell(events.CHANGE_REQUESTED, link, now, asked)
    return link


def withdraw(*, application: RegisteredApplication, link_id: UUID, now: datetime) -> LinkRequest:
    """Take back what the application asked for; where it waits for nothing, nothing changes. Raises NotFound, LinkNotAccepted."""
    with _inside(application, link_id) as link:
        grant_changes.withdraw(link=link, now=now)
    return link


@transaction.atomic
def agree(
    *,
    change_id: UUID,
    scopes: Collection[str],
    branch_id: UUID | None,
    person: Person,
    actor: Actor,
    now: datetime,
) -> LinkRequest:
    """
    Grant an application that asked for a change what the person chooses: no more than he may give.

    Who leaves it as it is refuses the change, so that the application reads why: nothing is decided without a record.
    Raises NotFound, GrantChangeExpired, LinkNotAccepted, BeyondOwnBranches, and the refusals of ``application_links.accept``.
    """
    link = _accepted(grant_changes.link_of(change_id))
    change = grant_changes.of_present(change_id)
    grant_changes.require_in_time(change, now)
    scope.require_branch(actor, link.branch_id_there)
    if Grant(frozenset(scopes), application_links.branch_of_grant(person, branch_id)) == _present(link):
        raise GrantInvalid("/scopes", "The link grants just that already. Refuse the change to leave it so.")
    grant_changes.accept(change=change, now=now)
    return _give(link, scopes, branch_id, person, actor, now, ASKED)


@transaction.atomic
def refuse(*, change_id: UUID, reason: str, actor: Actor, now: datetime) -> LinkRequest:
    """
    Leave what a link grants as it is; the application reads the reason. A second time changes nothing.

    Raises NotFound, BeyondOwnBranches.
    """
    link = link_requests.of_present(grant_changes.link_of(change_id))
    change = grant_changes.of_present(change_id)
    scope.require_branch(actor, link.branch_id_there)
    if change.status == GrantChangeStatus.REFUSED:
        return link
    grant_changes.refuse(change=change, reason=reason, now=now)
    _tell(events.CHANGE_REFUSED, link, now, change)
    changes: dict[str, object] = {
        "asked_for": [None, change.scopes],
        "application": [None, link.application.name],
    }
    _record("link.change_refused", link, changes, actor, now, reason)
    return link


@transaction.atomic
def change(
    *,
    link_id: UUID,
    scopes: Collection[str],
    branch_id: UUID | None,
    reason: str,
    person: Person,
    actor: Actor,
    now: datetime,
) -> LinkRequest:
    """
    Change what a link grants without being asked, from the application's next request on.

    Raises NotFound, LinkNotAccepted, BeyondOwnBranches for a link that reaches beyond the branches of the person, and the
    refusals of ``application_links.accept`` where it gives more than before.
    """
    link = _accepted(link_id)
    scope.require_branch(actor, link.branch_id_there)
    return _give(link, scopes, branch_id, person, actor, now, reason)


def expire(*, now: datetime) -> int:
    """Let wishes end that nobody answered in time, and return how many there were."""
    ended = 0
    for change_id in grant_changes.to_expire(now=now):
        with transaction.atomic():
            change = grant_changes.expire(change_id=change_id, now=now)
            if change is None:
                continue
            ended += 1
            link = change.link
            if link.organisation_id and organisations.working_by_id(link.organisation_id) is not None:
                with schema.inside(link.organisation):
                    _tell(events.CHANGE_EXPIRED, link, now, change)
    return ended


@contextmanager
def _inside(application: RegisteredApplication, link_id: UUID) -> Iterator[LinkRequest]:
    """Enter the organisation of an application's own link, in one transaction, with the link under its lock."""
    found = links.of_application(application.id).filter(id=link_id).first()
    if found is None:
        raise errors.NotFound("There is no such link.")
    works = found.organisation_id and organisations.working_by_id(found.organisation_id)
    if found.status != LinkStatus.ACCEPTED or not works:
        raise LinkNotAccepted("This link is not accepted, or no longer.")
    with schema.inside(found.organisation), transaction.atomic():
        yield _accepted(link_id)


def _accepted(link_id: UUID) -> LinkRequest:
    link = link_requests.of_present(link_id)
    if link.status != LinkStatus.ACCEPTED:
        raise LinkNotAccepted("This link is not accepted, or no longer.")
    return link


def _present(link: LinkRequest) -> Grant:
    return Grant(frozenset(link.scopes), link.branch_id_there)


def _give(
    link: LinkRequest,
    scopes: Collection[str],
    branch_id: UUID | None,
    person: Person,
    actor: Actor,
    now: datetime,
    reason: str,
) -> LinkRequest:
    """
    Let a link grant what a person chooses: less than before anybody may leave it.

    Who adds anything has to be able to give all that it grants then, for his name stands for the whole from then on.
    """
    wanted = Grant(frozenset(scopes), application_links.branch_of_grant(person, branch_id))
    if not wanted.scopes:
        raise GrantInvalid("/scopes", "Grant one scope at least. To take all of them away, end the link.")
    if wanted == _present(link):
        return link
    maker_id = None
    if not wanted.is_within(_present(link)):
        application_links.require_grantable(person, wanted.scopes)
        maker = memberships.of(person)
        maker_id = maker.id if maker else None
    _set(link, wanted, maker_id, actor, now, reason)
    return link


def _set(
    link: LinkRequest, wanted: Grant, maker_id: UUID | None, actor: Actor, now: datetime, reason: str
) -> None:
    """Write a grant down, take from keys and endpoints what it takes away, and tell of it."""
    before = _present(link)
    application = Application.objects.locked().get(id=application_links.there(link))
    application.granted_scopes = sorted(wanted.scopes)
    application.granted_branch_id = wanted.branch_id
    application.granted_by_id = maker_id or application.granted_by_id
    application.save(update_fields=["granted_scopes", "granted_branch", "granted_by_id"])
    link_requests.change_grant(
        link=link,
        scopes=wanted.scopes,
        branch_id=wanted.branch_id,
        hands_out_again=not wanted.is_within(before),
    )
    if not before.is_within(wanted):
        _take_away(application, wanted, actor, now, reason)
    waiting = grant_changes.waiting_of(link)
    if waiting is not None and Grant(frozenset(waiting.scopes), waiting.branch_id_there).is_within(wanted):
        grant_changes.accept(change=waiting, now=now)
    _tell(events.CHANGED, link, now)
    changes: dict[str, object] = {"application": [None, application.slug]}
    if before.scopes != wanted.scopes:
        changes["scopes"] = [sorted(before.scopes), sorted(wanted.scopes)]
    if before.branch_id != wanted.branch_id:
        changes["branch"] = [_shown(before.branch_id), _shown(wanted.branch_id)]
    _record("link.changed", link, changes, actor, now, reason)


def _take_away(application: Application, wanted: Grant, actor: Actor, now: datetime, reason: str) -> None:
    """Leave the application's keys no more than the grant, and send nothing that it does not cover."""
    for key in ApiKey.objects.filter(application=application, revoked_at__isnull=True).order_by("id"):
        api_keys.narrow(
            key_id=key.id,
            scopes=wanted.scopes,
            branch_id=wanted.branch_id,
            actor=actor,
            now=now,
            reason=reason,
        )
    endpoints = webhooks.endpoints(application_id=application.id, branch_ids=None).filter(status="ENABLED")
    for endpoint in endpoints:
        if HOOKS not in wanted.scopes or wanted.branch_id not in (None, endpoint.branch_id):
            webhook_endpoints.disable(endpoint_id=endpoint.id, actor=actor, now=now, reason=reason)


def _shown(branch_id: UUID | None) -> str | None:
    return str(branch_id) if branch_id else None


def _tell(kind: EventType, link: LinkRequest, now: datetime, change: GrantChange | None = None) -> None:
    outbox.publish(events.of_link(kind, link, change), now=now)


def _record(
    action: str,
    link: LinkRequest,
    changes: dict[str, object],
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    records.write(
        action=action,
        object_type="link",
        object_id=str(link.id),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )
