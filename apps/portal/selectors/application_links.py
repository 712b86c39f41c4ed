"""Applications in the portal: who asks to be let in, who was invited, who works here with which keys, and what he made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.access.contracts import PORTAL
from apps.access.selectors import api_keys, applications, branches, memberships, scope
from apps.access.selectors.scope import Person, Principal
from apps.kit import errors
from apps.portal.contracts import Badge, Tone
from apps.tenancy.contracts import InviteStatus, LinkStatus
from apps.tenancy.selectors import directory, links
from apps.tenancy.selectors.links import GrantChange, Invite, LinkRequest

ASKING_MAX = 500
COUNTED_MAX = 10_000
ENDED_SHOWN = 20
SHOWN_MAX = 100

LINK = {
    LinkStatus.PENDING: Badge(Tone.HELD, "pending", _("Asks to be let in")),
    LinkStatus.ACCEPTED: Badge(Tone.DONE, "link", _("Linked")),
    LinkStatus.REFUSED: Badge(Tone.QUIET, "block", _("Refused")),
    LinkStatus.WITHDRAWN: Badge(Tone.QUIET, "undo", _("Withdrawn")),
    LinkStatus.EXPIRED: Badge(Tone.QUIET, "timer_off", _("Expired")),
    LinkStatus.REVOKED: Badge(Tone.QUIET, "link_off", _("Ended")),
}
INVITE = {
    InviteStatus.PENDING: Badge(Tone.PENDING, "mail", _("Open")),
    InviteStatus.ACCEPTED: Badge(Tone.DONE, "check_circle", _("Taken")),
    InviteStatus.WITHDRAWN: Badge(Tone.QUIET, "undo", _("Withdrawn")),
    InviteStatus.EXPIRED: Badge(Tone.QUIET, "timer_off", _("Expired")),
}
CLOSED = Badge(Tone.QUIET, "block", _("Closed"))
SUSPENDED = Badge(Tone.FAILED, "pause_circle", _("Suspended by the platform"))
OWN = Badge(Tone.QUIET, "home", _("Made here"))
PEOPLE = Badge(Tone.QUIET, "group", _("For people"))
OPEN_KEY = Badge(Tone.DONE, "check_circle", _("Active"))
EXPIRED_KEY = Badge(Tone.QUIET, "timer_off", _("Expired"))
REVOKED_KEY = Badge(Tone.QUIET, "block", _("Revoked"))


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A link as the organisation sees it; ``application_id`` is its application here once it was let in."""

    pk: UUID
    name: str
    kind: str
    homepage: str
    contact_email: str
    message: str
    scopes: Sequence[str]
    branch: str
    branch_id: UUID | None
    status: str
    badge: Badge
    reason: str
    application_id: UUID | None
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    ended_at: datetime | None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """What an application asks to be granted in place of what its link grants; ``added`` is what it has not now."""

    pk: UUID
    link: LinkLine
    scopes: Sequence[str]
    added: Sequence[str]
    branch: str
    branch_id: UUID | None
    message: str
    created_at: datetime
    expires_at: datetime

    def __str__(self) -> str:
        return self.link.name


@dataclass(frozen=True, slots=True)
class InviteLine:
    """An invite; of its code the last characters are known."""

    pk: UUID
    note: str
    last4: str
    scopes: Sequence[str]
    branch: str
    status: str
    badge: Badge
    made_by: str
    taken_by: str
    created_at: datetime
    expires_at: datetime

    def __str__(self) -> str:
        return self.note


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """An application of the organisation and how it stands."""

    id: UUID
    name: str
    slug: str
    badge: Badge
    branch: str
    open_keys: int
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page of applications shows."""

    asking: Sequence[LinkLine]
    changes: Sequence[ChangeLine]
    applications: Sequence[ApplicationLine]
    invites: Sequence[InviteLine]
    ended: Sequence[LinkLine]


@dataclass(frozen=True, slots=True)
class KeyLine:
    name: str
    shown: str
    branch: str
    badge: Badge
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """How many rows of one kind an application has made; beyond 10,000 nobody counts on."""

    what: str
    count: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class ApplicationDetail:
    """One application: how it came, what it may do, its keys, what it made."""

    line: ApplicationLine
    link: LinkLine | None
    scopes: Sequence[str] | None
    created_at: datetime
    closed_at: datetime | None
    keys: Sequence[KeyLine]
    made: Sequence[Made]


def overview(person: Principal, *, now: datetime) -> Overview:
    """Return the applications of the organisation, who asks, and who was invited, as far as the person's branches reach."""
    names, found = branches.names(), _links(person)
    asking = found.filter(status=LinkStatus.PENDING.value)
    ended = found.exclude(status__in=[LinkStatus.PENDING.value, LinkStatus.ACCEPTED.value])
    return Overview(
        asking=[_link(link, names) for link in asking[:ASKING_MAX]],
        changes=[_change(wish, names) for wish in _changes(person)[:SHOWN_MAX]],
        applications=_applications(person, names, now=now),
        invites=[_invite(invite, names) for invite in _invites(person)[:SHOWN_MAX]],
        ended=[_link(link, names) for link in ended[:ENDED_SHOWN]],
    )


def waiting_for(person: Person) -> str:
    """Return how many applications this person may answer, for the menu: 7, or 99+; empty for none."""
    membership = memberships.remembered(person)
    if membership is None or "access.manage" not in membership.role.permissions:
        return ""
    waiting = links.of_present_organisation().filter(status=LinkStatus.PENDING.value)
    found = len(waiting.values_list("id")[:SHOWN_MAX])
    found = min(found + len(_changes(person).values_list("id")[:SHOWN_MAX]), SHOWN_MAX)
    return f"{SHOWN_MAX - 1}+" if found == SHOWN_MAX else str(found or "")


def link(link_id: UUID, person: Principal) -> LinkLine:
    """Return a link of this organisation; raise NotFound for any other, and for one of branches that are not the person's."""
    found = _links(person).filter(id=link_id).first()
    if found is None:
        raise errors.NotFound("There is no such link.")
    return _link(found, branches.names())


def change(change_id: UUID, person: Principal) -> ChangeLine:
    """Return a change that an application waits for here; raise as ``link``."""
    found = _changes(person).filter(id=change_id).first()
    if found is None:
        raise errors.NotFound("There is no such change, or it was answered.")
    return _change(found, branches.names())


def changes_of(link_id: UUID, person: Principal) -> list[ChangeLine]:
    """Return the change that a link waits for, if it does."""
    return [_change(found, branches.names()) for found in _changes(person).filter(link_id=link_id)]


def invite(invite_id: UUID, person: Principal) -> InviteLine:
    """Return an invite of this organisation; raise as ``link``."""
    found = _invites(person).filter(id=invite_id).first()
    if found is None:
        raise errors.NotFound("There is no such invite.")
    return _invite(found, branches.names())


def detail(application_id: UUID, person: Principal, *, now: datetime) -> ApplicationDetail:
    """Return one application with its keys and what it made, within the person's branches; raise NotFound."""
    application = applications.visible_to(person).filter(id=application_id).first()
    if application is None:
        raise errors.NotFound("There is no such application.")
    found = links.of_present_organisation().filter(application_id_there=application.id).first()
    keys = api_keys.visible_to(person).filter(application_id=application.id).order_by("-id")
    names = branches.names()
    return ApplicationDetail(
        line=_line(application, names, list(keys), directory.suspended(), now),
        link=_link(found, names) if found else None,
        scopes=application.granted_scopes,
        created_at=application.created_at,
        closed_at=application.closed_at,
        keys=[_key(key, now) for key in keys],
        made=_made(application.id, person),
    )


def _link(found: LinkRequest, names: Mapping[UUID, str]) -> LinkLine:
    return LinkLine(
        pk=found.id,
        name=found.application.name,
        kind=found.application.kind,
        homepage=found.application.homepage,
        contact_email=found.application.contact_email,
        message=found.message,
        scopes=found.scopes,
        branch=names.get(found.branch_id_there, "") if found.branch_id_there else "",
        branch_id=found.branch_id_there,
        status=found.status,
        badge=LINK[LinkStatus(found.status)],
        reason=found.reason,
        application_id=found.application_id_there,
        created_at=found.created_at,
        expires_at=found.expires_at,
        decided_at=found.decided_at,
        ended_at=found.ended_at,
    )


def _links(person: Principal) -> QuerySet[LinkRequest]:
    """Return the organisation's links; who works for some branches sees who asks, and what reaches those branches alone."""
    found, own = links.of_present_organisation(), scope.own_branch_ids(person)
    if own is None:
        return found
    return found.filter(Q(status=LinkStatus.PENDING.value) | Q(branch_id_there__in=own))


def _changes(person: Principal) -> QuerySet[GrantChange]:
    """Return the changes that are asked for here, to who works for some branches those of links that he sees."""
    found, own = links.changes_of_present_organisation(), scope.own_branch_ids(person)
    return found if own is None else found.filter(link__branch_id_there__in=own)


def _change(found: GrantChange, names: Mapping[UUID, str]) -> ChangeLine:
    present = set(found.link.scopes)
    return ChangeLine(
        pk=found.id,
        link=_link(found.link, names),
        scopes=found.scopes,
        added=[name for name in found.scopes if name not in present],
        branch=names.get(found.branch_id_there, "") if found.branch_id_there else "",
        branch_id=found.branch_id_there,
        message=found.message,
        created_at=found.created_at,
        expires_at=found.expires_at,
    )


def _invites(person: Principal) -> QuerySet[Invite]:
    """Return the organisation's invites, to who works for some branches those that reach these alone."""
    found, own = links.invites_of_present_organisation(), scope.own_branch_ids(person)
    return found if own is None else found.filter(branch_id_there__in=own)


def _invite(found: Invite, names: Mapping[UUID, str]) -> InviteLine:
    return InviteLine(
        pk=found.id,
        note=found.note,
        last4=found.last4,
        scopes=found.scopes,
        branch=names.get(found.branch_id_there, "") if found.branch_id_there else "",
        status=found.status,
        badge=INVITE[InviteStatus(found.status)],
        made_by=found.made_by.name,
        taken_by=found.link.application.name if found.link else "",
        created_at=found.created_at,
        expires_at=found.expires_at,
    )


def _applications(person: Principal, names: Mapping[UUID, str], *, now: datetime) -> list[ApplicationLine]:
    keys: dict[UUID, list[Any]] = {}
    for key in api_keys.visible_to(person):
        keys.setdefault(key.application_id, []).append(key)
    suspended = directory.suspended()
    return [
        _line(application, names, keys.get(application.id, []), suspended, now)
        for application in applications.visible_to(person).order_by("name")
    ]


def _line(
    application: Any, names: Mapping[UUID, str], keys: list[Any], suspended: Collection[UUID], now: datetime
) -> ApplicationLine:
    used = [key.last_used_at for key in keys if key.last_used_at is not None]
    return ApplicationLine(
        id=application.id,
        name=application.name,
        slug=application.slug,
        badge=_standing(application, suspended),
        branch=names.get(application.granted_branch_id, ""),
        open_keys=sum(key.opens(now) for key in keys),
        last_used_at=max(used, default=None),
    )


def _standing(application: Any, suspended: Collection[UUID]) -> Badge:
    if application.closed_at is not None:
        return CLOSED
    if application.directory_id is None:
        return PEOPLE if application.slug == PORTAL else OWN
    if application.directory_id in suspended:
        return SUSPENDED
    return LINK[LinkStatus.ACCEPTED]


def _key(key: Any, now: datetime) -> KeyLine:
    shown = OPEN_KEY if key.opens(now) else EXPIRED_KEY
    return KeyLine(
        name=key.name,
        shown=f"{key.prefix}…{key.last4}",
        branch=key.branch.name if key.branch else "",
        badge=REVOKED_KEY if key.revoked_at is not None else shown,
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
    )


def _made(application_id: UUID, person: Principal) -> list[Made]:
    counted = applications.rows_made(application_id, scope.branch_ids(person), up_to=COUNTED_MAX + 1)
    lines = [Made(capfirst(what), min(count, COUNTED_MAX), count > COUNTED_MAX) for what, count in counted]
    return sorted((one for one in lines if one.count), key=lambda one: one.what)
