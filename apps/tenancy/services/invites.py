"""Invites: made by an organisation, shown once, taken by one application, withdrawn or expired."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.kit import errors, ids
from apps.tenancy.contracts import InviteStatus
from apps.tenancy.models import Invite, LinkRequest
from apps.tenancy.selectors import links, organisations
from apps.tenancy.services import credentials

CODE_SIZE = 20
FORM = re.compile(r"tsi_[0-9a-f]{40}")
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=30)
OPEN_MAX = 20
BATCH = 200


class InviteUnknown(errors.NotFound):
    """The code was never made, or it was used, withdrawn, is too old, or its maker has lost what it gives: nobody is told which."""

    code = "invite_unknown"
    title = "Invite not taken"


class InviteLimit(errors.DomainError):
    """The organisation has as many open invites as it may."""

    code = "invite_limit"
    title = "Too many open invites"


class InviteInvalid(errors.Invalid):
    """The invite that was asked for cannot be."""

    code = "invite_invalid"
    title = "Invite not valid"


@dataclass(frozen=True, slots=True)
class MadeInvite:
    """A new invite with its code, which is nowhere kept: show it once."""

    invite: Invite
    code: str


@transaction.atomic
def make(
    *,
    note: str,
    scopes: Collection[str],
    branch_id: UUID | None,
    lifetime: timedelta,
    user_id: UUID,
    now: datetime,
) -> MadeInvite:
    """Make an invite of the present organisation. Raises InviteInvalid and InviteLimit (20 open ones)."""
    if not SHORTEST <= lifetime <= LONGEST:
        raise InviteInvalid("An invite is good for an hour at least and 30 days at most.")
    organisation = organisations.current()
    open_ones = links.invites_of_present_organisation().filter(
        status=InviteStatus.PENDING.value, expires_at__gt=now
    )
    if open_ones.count() >= OPEN_MAX:
        raise InviteLimit(f"There are {OPEN_MAX} open invites. Withdraw one first.")
    code = f"tsi_{ids.token(CODE_SIZE)}"
    invite = Invite.objects.create(
        organisation=organisation,
        digest=credentials.digest(code),
        last4=code[-4:],
        note=note.strip(),
        scopes=sorted(set(scopes)),
        branch_id_there=branch_id,
        made_by_id=user_id,
        created_at=now,
        expires_at=now + lifetime,
    )
    return MadeInvite(invite, code)


def find(*, code: str, now: datetime) -> Invite:
    """Return the open invite of a code with its organisation; raise InviteUnknown."""
    invite = links.open_invite_by_digest(credentials.digest(code)) if FORM.fullmatch(code) else None
    if invite is None or now >= invite.expires_at or not organisations.ready_by_id(invite.organisation_id):
        raise unknown()
    return invite


def taken(*, code: str, application_id: UUID) -> LinkRequest | None:
    """Return the link that the application made with this code before: who repeats himself gets the same answer."""
    return links.taken_by_digest(credentials.digest(code), application_id)


def locked(*, invite_id: UUID, now: datetime) -> Invite:
    """Lock and return an invite that is still open; raise InviteUnknown."""
    invite = Invite.objects.locked().get(id=invite_id)
    if invite.status != InviteStatus.PENDING or now >= invite.expires_at:
        raise unknown()
    return invite


def take(*, invite: Invite, link: LinkRequest, now: datetime) -> None:
    invite.take(link=link, at=now)
    invite.save(update_fields=["status", "link", "ended_at"])


@transaction.atomic
def withdraw(*, invite_id: UUID, now: datetime) -> Invite:
    """Close an invite of the present organisation; a second time changes nothing. Raises NotFound."""
    organisation_id = organisations.current().id
    invite = Invite.objects.locked().filter(id=invite_id, organisation_id=organisation_id).first()
    if invite is None:
        raise errors.NotFound("There is no such invite.")
    if invite.status == InviteStatus.WITHDRAWN:
        return invite
    invite.withdraw(at=now)
    invite.save(update_fields=["status", "ended_at"])
    return invite


@transaction.atomic
def expire(*, now: datetime) -> int:
    """Let the invites end that nobody took in time, and return how many there were."""
    due = Invite.objects.locked().filter(status=InviteStatus.PENDING.value, expires_at__lte=now)
    expired = list(due.order_by("id")[:BATCH])
    for invite in expired:
        invite.expire(at=now)
        invite.save(update_fields=["status", "ended_at"])
    return len(expired)


def unknown() -> InviteUnknown:
    """Return the one refusal of a code."""
    return InviteUnknown(
        "This invite is not known, or it is no longer good. Ask the organisation for another."
    )
