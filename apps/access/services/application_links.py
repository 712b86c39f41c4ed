"""Letting applications of the directory in: by approval or by an invite, with bounds, and ending it at once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.access import events
from apps.access.contracts import GIVEN_BY, SCOPES
from apps.access.models import ApiKey, Membership
from apps.access.models.api_key import LIFETIME_MAX
from apps.access.selectors import branches, memberships, scope
from apps.access.selectors.scope import Person, own_branch_ids
from apps.access.services import api_keys, applications, credentials
from apps.audit.services import records
from apps.events.selectors import webhooks
from apps.events.services import outbox, webhook_endpoints
from apps.kit import errors, schema
from apps.kit.actors import Actor
from apps.tenancy.contracts import LinkOrigin, LinkStatus
from apps.tenancy.selectors import links, organisations
from apps.tenancy.selectors.directory import RegisteredApplication
from apps.tenancy.selectors.links import Invite, LinkRequest
from apps.tenancy.services import (
    directory,
    grant_changes,
    invites,
    link_requests,
    organisation_requests,
)

FIRST_KEY = "First key"


class GrantInvalid(errors.Invalid):
    """What an application is to be granted cannot be."""

    code = "grant_invalid"
    title = "Grant not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError(pointer, self.code, detail)])


class LinkNotAccepted(errors.DomainError):
    """The link is not accepted, or no longer."""

    code = "link_not_accepted"
    title = "Link not accepted"


class KeyTaken(errors.DomainError):
    """The key of this link was handed out, and it has been used since."""

    code = "key_taken"
    title = "Key handed out already"


def look_up(*, link_id: UUID, now: datetime) -> None:
    """Find the organisation that a request is for and tell its people; nothing where there is none. Safe to repeat."""
    with transaction.atomic():
        link = link_requests.look_up(link_id=link_id, now=now)
        if link is None or link.organisation is None:
            return
        with schema.inside(link.organisation):
            outbox.publish(events.of_link(events.REQUESTED, link), now=now)


@transaction.atomic
def accept(
    *,
    link_id: UUID,
    scopes: Collection[str],
    branch_id: UUID | None,
    person: Person,
    actor: Actor,
    now: datetime,
) -> LinkRequest:
    """
    Let an application in that asked: with these scopes at most, and in one branch only where one is named.

    A person gives no scope that his role does not have and no branch that he does not work for.
    Raises NotFound, LinkExpired, GrantInvalid, ScopeExceeded, BranchForbidden, AlreadyLinked, NotAccepted.
    """
    link = link_requests.of_present(link_id)
    link_requests.require_in_time(link, now)
    directory.require_accepted(link.application)
    require_grantable(person, scopes)
    branch_id = branch_of_grant(person, branch_id)
    maker = memberships.of(person)
    return _let_in(link, scopes, branch_id, maker.id if maker else None, actor, now)


@transaction.atomic
def refuse(*, link_id: UUID, reason: str, actor: Actor, now: datetime) -> LinkRequest:
    """Refuse an application that asked; it reads the reason. A second time changes nothing. Raises NotFound."""
    link = link_requests.of_present(link_id)
    if link.status == LinkStatus.REFUSED:
        return link
    link_requests.refuse(link=link, reason=reason, now=now)
    outbox.publish(events.of_link(events.REFUSED, link), now=now)
    _record("link.refused", link, LinkStatus.PENDING, actor, now, reason)
    return link


@transaction.atomic
def revoke(*, link_id: UUID, reason: str, actor: Actor, now: datetime) -> LinkRequest:
    """
    End a link: the keys of the application open nothing from the next request on, and nothing more is sent to it.

    What it made stays. A second time changes nothing. Raises NotFound.
    """
    link = link_requests.of_present(link_id)
    if link.status == LinkStatus.REVOKED:
        return link
    link_requests.revoke(link=link, reason=reason, now=now)
    grant_changes.withdraw(link=link, now=now)
    application = applications.close(application_id=there(link), reason=reason, actor=actor, now=now)
    for key in ApiKey.objects.filter(application=application, revoked_at__isnull=True).order_by("id"):
        api_keys.revoke(key_id=key.id, actor=actor, now=now, reason=reason)
    for endpoint in webhooks.endpoints(application_id=application.id, branch_ids=None).filter(
        status="ENABLED"
    ):
        webhook_endpoints.disable(endpoint_id=endpoint.id, actor=actor, now=now, reason=reason)
    outbox.publish(events.of_link(events.REVOKED, link), now=now)
    _record("link.revoked", link, LinkStatus.ACCEPTED, actor, now, reason)
    return link


@transaction.atomic
def invite(
    *,
    note: str,
    scopes: Collection[str],
    branch_id: UUID | None,
    lifetime: timedelta,
    person: Person,
    actor: Actor,
    now: datetime,
) -> invites.MadeInvite:
    """Make an invite, within what the person may give; its code is shown this once. Raises as ``accept``, and InviteLimit."""
    if not note.strip():
        raise GrantInvalid("/note", "Say whom it is for.")
    require_grantable(person, scopes)
    branch_id = branch_of_grant(person, branch_id)
    made = invites.make(
        note=note,
        scopes=scopes,
        branch_id=branch_id,
        lifetime=lifetime,
        user_id=UUID(actor.person),
        now=now,
    )
    changes: dict[str, object] = {
        "scopes": [None, made.invite.scopes],
        "branch": [None, str(branch_id) if branch_id else None],
        "expires_at": [None, made.invite.expires_at.isoformat()],
    }
    _record_invite("invite.made", made.invite, changes, actor, now)
    return made


@transaction.atomic
def withdraw_invite(*, invite_id: UUID, actor: Actor, now: datetime) -> Invite:
    """Close an invite that nobody has taken; a second time changes nothing. Raises NotFound."""
    withdrawn = invites.withdraw(invite_id=invite_id, now=now)
    _record_invite("invite.withdrawn", withdrawn, {"status": [None, withdrawn.status]}, actor, now)
    return withdrawn


def redeem(*, application: RegisteredApplication, code: str, now: datetime) -> LinkRequest:
    """
    Take an invite: the application is let in at once, with what the invite gives. Repeated, it is the same link.

    Raises NotAccepted, InviteUnknown for every code that is not good, and AlreadyLinked.
    """
    directory.require_accepted(application)
    known = invites.taken(code=code, application_id=application.id)
    if known is not None:
        return known
    found = invites.find(code=code, now=now)
    with schema.inside(found.organisation), transaction.atomic():
        locked = invites.locked(invite_id=found.id, now=now)
        maker = _still_giving(locked)
        link = link_requests.begin(
            application=application,
            origin=LinkOrigin.INVITE,
            organisation=found.organisation,
            scopes=locked.scopes,
            now=now,
        )
        actor = directory.actor_of(application)
        _let_in(link, locked.scopes, locked.branch_id_there, maker.id, actor, now)
        invites.take(invite=locked, link=link, now=now)
        _record_invite("invite.taken", locked, {"link": [None, str(link.id)]}, actor, now)
    return link


def settle_creation(*, link_id: UUID, now: datetime) -> LinkRequest | None:
    """
    Let an application into the test organisation that was made for it, once that is ready; ask the owner of a live one.

    Returns None where there is nothing to wait for any more; else the link, pending while the organisation is not ready.
    """
    link = link_requests.of_creation(link_id)
    if link is None or link.organisation is None or link.status != LinkStatus.PENDING:
        return None
    if organisations.ready_by_id(link.organisation.id) is None:
        return link
    with schema.inside(link.organisation), transaction.atomic():
        locked = link_requests.of_present(link_id)
        if locked.status != LinkStatus.PENDING:
            return None
        if not link.organisation.is_test:
            if link_requests.note_asked(link=locked, now=now):
                outbox.publish(events.of_link(events.REQUESTED, locked), now=now)
            return None
        owner = memberships.first_owner()
        actor = directory.actor_of(locked.application)
        return _let_in(locked, locked.scopes, None, owner.id if owner else None, actor, now)


def claim_key(*, application: RegisteredApplication, link_id: UUID, now: datetime) -> api_keys.IssuedKey:
    """
    Make the first key of a link and hand it out, once: with all that was granted, for 365 days.

    While nobody has used it, asking again ends it and makes another: an answer that was lost costs nothing. Further
    keys are made with this one. Raises NotFound, LinkNotAccepted, KeyTaken.
    """
    link = links.of_application(application.id).filter(id=link_id).first()
    if link is None:
        raise errors.NotFound("There is no such link.")
    if link.status != LinkStatus.ACCEPTED or not _works(link):
        raise LinkNotAccepted("This link is not accepted, or no longer.")
    with schema.inside(link.organisation), transaction.atomic():
        locked = link_requests.of_present(link_id)
        if locked.status != LinkStatus.ACCEPTED:
            raise LinkNotAccepted("This link is not accepted, or no longer.")
        actor = directory.actor_of(application)
        credentials.application_of(there(locked))
        _end_unused(locked, actor, now)
        issued = api_keys.issue(
            application_id=there(locked),
            name=FIRST_KEY,
            scopes=locked.scopes,
            branch_id=locked.branch_id_there,
            expires_at=now + LIFETIME_MAX,
            actor=actor,
            now=now,
        )
        link_requests.note_key(link=locked, key_id=issued.key.id)
    return issued


def end(*, application: RegisteredApplication, link_id: UUID, now: datetime) -> LinkRequest:
    """Let an application take its request back, or end its own link as ``revoke`` does. Raises NotFound."""
    link = links.of_application(application.id).filter(id=link_id).first()
    if link is None:
        raise errors.NotFound("There is no such link.")
    if link.status not in (LinkStatus.ACCEPTED, LinkStatus.REVOKED) or link.organisation is None:
        return link_requests.withdraw(application=application, link_id=link_id, now=now)
    if not _works(link):
        raise LinkNotAccepted("The organisation of this link is closed.")
    with schema.inside(link.organisation):
        return revoke(
            link_id=link_id,
            reason="Ended by the application",
            actor=directory.actor_of(application),
            now=now,
        )


def expire(*, now: datetime) -> int:
    """Let requests, invites and wishes for organisations end that nobody answered or took in time, and return how many there were."""
    ended = invites.expire(now=now) + organisation_requests.expire(now=now)
    for link_id in link_requests.to_expire(now=now):
        with transaction.atomic():
            link = link_requests.expire(link_id=link_id, now=now)
            if link is not None and _works(link):
                with schema.inside(link.organisation):
                    outbox.publish(events.of_link(events.EXPIRED, link), now=now)
        ended += link is not None
    return ended


def _works(link: LinkRequest) -> bool:
    """Whether the link has an organisation, and that has its schema still."""
    return link.organisation_id is not None and organisations.working_by_id(link.organisation_id) is not None


def _let_in(
    link: LinkRequest,
    scopes: Collection[str],
    branch_id: UUID | None,
    maker_id: UUID | None,
    actor: Actor,
    now: datetime,
) -> LinkRequest:
    application = applications.let_in(
        directory_id=link.application_id,
        name=link.application.name,
        scopes=scopes,
        branch_id=branch_id,
        granted_by_id=maker_id,
        actor=actor,
        now=now,
    )
    link_requests.accept(
        link=link, application_id=application.id, branch_id=branch_id, scopes=scopes, now=now
    )
    outbox.publish(events.of_link(events.ACCEPTED, link), now=now)
    _record("link.accepted", link, LinkStatus.PENDING, actor, now)
    return link


def require_grantable(person: Person, scopes: Collection[str]) -> None:
    """Refuse scopes that there are not, or that are not the person's to give. Raises GrantInvalid and ScopeExceeded."""
    if not scopes:
        raise GrantInvalid("/scopes", "Grant one scope at least.")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise GrantInvalid("/scopes", f"No such scope: {', '.join(unknown)}.")
    api_keys.require_giveable(person, scopes)


def branch_of_grant(person: Person, branch_id: UUID | None) -> UUID | None:
    """Return the branch that a grant is bound to, None for all; raise where it is not the person's to give."""
    if branch_id is None and own_branch_ids(person) is None:
        return None
    return branches.chosen(person, branch_id).id


def _still_giving(invite: Invite) -> Membership:
    """Return the membership of who made an invite; raise InviteUnknown where he could not make it any more."""
    maker = memberships.of_person(str(invite.made_by_id))
    if maker is None:
        raise invites.unknown()
    held = frozenset(maker.role.permissions)
    own = scope.of_member(maker)
    may_give = "access.manage" in held and all(GIVEN_BY[scope] <= held for scope in invite.scopes)
    if not may_give or (own is not None and invite.branch_id_there not in own):
        raise invites.unknown()
    return maker


def _end_unused(link: LinkRequest, actor: Actor, now: datetime) -> None:
    if link.key_id_there is None:
        return
    key = ApiKey.objects.locked().get(id=link.key_id_there)
    if key.last_used_at is not None:
        raise KeyTaken("The key of this link was handed out and has been used. Make further ones with it.")
    api_keys.revoke(key_id=key.id, actor=actor, now=now, reason="Handed out again")


def there(link: LinkRequest) -> UUID:
    """Return the organisation's own application that a link let in. Raises LinkNotAccepted."""
    if link.application_id_there is None:
        raise LinkNotAccepted("This link is not accepted, or no longer.")
    return link.application_id_there


def _record(
    action: str, link: LinkRequest, before: str, actor: Actor, now: datetime, reason: str = ""
) -> None:
    records.write(
        action=action,
        object_type="link",
        object_id=str(link.id),
        actor=actor,
        now=now,
        changes={"status": [before, link.status], "application": [None, link.application.name]},
        reason=reason,
    )


def _record_invite(
    action: str, invite: Invite, changes: dict[str, object], actor: Actor, now: datetime
) -> None:
    records.write(
        action=action,
        object_type="invite",
        object_id=str(invite.id),
        actor=actor,
        now=now,
        changes=changes,
    )
