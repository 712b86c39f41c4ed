"""Delegations: one person lets another decide in his name for a time, and takes that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.selectors import memberships
from apps.access.selectors.branches import BranchForbidden
from apps.approvals.contracts import KINDS
from apps.approvals.models import ApprovalDelegation
from apps.approvals.models.request import REASON_LENGTH
from apps.approvals.selectors import delegations as stored
from apps.approvals.selectors.rules import DECIDE, MANAGE
from apps.audit.services import records
from apps.kit import errors, ids
from apps.kit.actors import Actor
from apps.kit.money import Money

PREFIX = "adl"
OBJECT = "approval_delegation"
LONGEST = timedelta(days=92)
REASON_MIN = 5


class DelegationInvalid(errors.Invalid):
    """The delegation that was asked for cannot be."""

    code = "approval_delegation_invalid"
    title = "Delegation not valid"


class NotADelegator(errors.Forbidden):
    """Only who decides requests himself lets another decide for him."""

    code = "approval_not_a_delegator"
    title = "You have nothing to delegate"


class NotYourDelegation(errors.Forbidden):
    """A delegation is revoked by who gave it, or by who manages approvals."""

    code = "approval_not_your_delegation"
    title = "Not your delegation"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelegation:
    """
    Who is to decide for the actor, when, and what: no kinds means all, no maximum any sum.

    A key lends what its own application asks for (``application_id``); one that is bound to a branch (``branch_id``) lends nothing.
    """

    delegate_id: UUID
    starts_at: datetime
    ends_at: datetime
    reason: str
    kinds: Sequence[str] = ()
    maximum: Money | None = None
    application_id: UUID | None = None
    branch_id: UUID | None = None


@transaction.atomic
def create(*, delegation: NewDelegation, actor: Actor, now: datetime) -> ApprovalDelegation:
    """
    Let another person decide what the actor may decide himself, for a time.

    It gives never more than the actor has at the moment of a decision, and what was delegated to him he cannot pass on. The
    delegate decides requests by his own role too, so that a delegation makes no checker of a maker. Raises NotADelegator,
    BranchForbidden for a key of a branch, and DelegationInvalid, which names the fields.
    """
    if delegation.branch_id is not None:
        raise BranchForbidden("A key that is bound to a branch delegates nothing: a person does.")
    member = memberships.of_person(actor.person)
    if member is None or DECIDE not in member.role.permissions:
        raise NotADelegator("Your role decides no requests, so there is nothing to delegate.")
    reason = delegation.reason.strip()
    _check(delegation, reason, giver=member.id, now=now)
    maximum = delegation.maximum
    made = ApprovalDelegation.objects.create(
        delegator_id=member.id,
        delegate_id=delegation.delegate_id,
        application_id=delegation.application_id,
        kinds=sorted(set(delegation.kinds)),
        currency=maximum.currency if maximum else "",
        maximum_minor=maximum.minor if maximum else None,
        reason=reason,
        starts_at=delegation.starts_at,
        ends_at=delegation.ends_at,
        created_by=str(actor),
        created_at=now,
    )
    changes = {
        "delegate": [None, str(made.delegate_id)],
        "application": [None, str(made.application_id or "")],
        "kinds": [None, made.kinds],
        "maximum": [None, str(maximum or "")],
        "starts_at": [None, made.starts_at.isoformat()],
        "ends_at": [None, made.ends_at.isoformat()],
    }
    _record("approval_delegation.created", made, changes, actor, now, reason)
    return made


@transaction.atomic
def revoke(*, delegation_id: UUID, actor: Actor, now: datetime) -> ApprovalDelegation:
    """
    End a delegation; a decision that waits for the same row afterwards finds it ended. A second time changes nothing.

    Raises NotFound, and NotYourDelegation for anybody but who gave it and who manages approvals.
    """
    delegation = ApprovalDelegation.objects.locked().filter(id=delegation_id).first()
    if delegation is None:
        raise errors.NotFound("There is no such delegation.")
    member = memberships.of_person(actor.person)
    if member is None or (member.id != delegation.delegator_id and MANAGE not in member.role.permissions):
        raise NotYourDelegation("Who delegated takes it back, or who manages approvals.")
    if delegation.revoked_at is not None:
        return delegation
    delegation.revoked_at, delegation.revoked_by = now, str(actor)
    delegation.save(update_fields=["revoked_at", "revoked_by"])
    changes = {"revoked_at": [None, now.isoformat()]}
    _record("approval_delegation.revoked", delegation, changes, actor, now)
    return delegation


def _check(delegation: NewDelegation, reason: str, *, giver: UUID, now: datetime) -> None:
    found = []
    if delegation.delegate_id == giver or stored.decides(delegation.delegate_id) is None:
        found.append(_wrong("/delegate", "Choose another member of the team whose role decides requests."))
    if delegation.starts_at < now:
        found.append(_wrong("/starts_at", "A delegation begins now or later."))
    if not timedelta() < delegation.ends_at - delegation.starts_at <= LONGEST:
        found.append(_wrong("/ends_at", f"It ends after it begins, and lasts {LONGEST.days} days at most."))
    if unknown := sorted(set(delegation.kinds) - set(KINDS)):
        found.append(_wrong("/kinds", f"There is no kind {', '.join(unknown)}."))
    if delegation.maximum is not None and delegation.maximum.minor <= 0:
        found.append(_wrong("/maximum", "The largest sum is above zero."))
    if not REASON_MIN <= len(reason) <= REASON_LENGTH:
        found.append(_wrong("/reason", f"Say why, in {REASON_MIN} to {REASON_LENGTH} characters."))
    if found:
        raise DelegationInvalid(" ".join(error.message for error in found), errors=found)


def _wrong(pointer: str, message: str) -> errors.FieldError:
    return errors.FieldError(pointer, DelegationInvalid.code, message)


def _record(
    action: str,
    delegation: ApprovalDelegation,
    changes: dict[str, Any],
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    records.write(
        action=action,
        object_type=OBJECT,
        object_id=ids.encode(PREFIX, delegation.id),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )
