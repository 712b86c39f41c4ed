"""The team: letting people in, changing what they may do, and letting them go."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import structlog
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from apps.access.contracts import RUNS
from apps.access.models import Branch, Membership, Role
from apps.access.selectors import memberships, scope
from apps.access.selectors.branches import BranchUnknown
from apps.access.selectors.memberships import MANAGE
from apps.access.selectors.scope import BeyondOwnBranches
from apps.access.services import duties, portal_sessions
from apps.accounts.services import entry_links, platform_records
from apps.audit.services import records
from apps.kit import errors, locks
from apps.kit.actors import Actor
from apps.tenancy.selectors import organisations
from apps.tenancy.services import user_organisations

log = structlog.get_logger(__name__)


class MembershipExists(errors.DomainError):
    """The person is in the team already, perhaps as a former member."""

    code = "membership_exists"
    title = "Already in the team"


class PersonUnknown(errors.Invalid):
    """Nobody signs in with this e-mail."""

    code = "person_unknown"
    title = "Person unknown"


class PasswordNotHisOwn(errors.DomainError):
    """Whoever made the account knows its password, or had the link by which it was chosen."""

    code = "password_not_his_own"
    title = "No password of his own"


class RoleUnknown(errors.Invalid):
    """There is no such role."""

    code = "role_unknown"
    title = "Role unknown"


class BeyondOwnRole(errors.Forbidden):
    """Nobody gives himself more, and who does not run the organisation makes nobody who does."""

    code = "beyond_own_role"
    title = "Beyond your role"


class MembershipWaiting(errors.DomainError):
    """Somebody else who manages the team confirms the person first."""

    code = "membership_waiting"
    title = "Waiting for confirmation"


class MembershipTurnedAway(errors.DomainError):
    """The person was refused before anybody confirmed him, so there is nothing to change or to confirm."""

    code = "membership_turned_away"
    title = "Turned away"


class LastOwner(errors.DomainError):
    """Without this person nobody could manage the team."""

    code = "last_owner"
    title = "Last owner"


@transaction.atomic
def link(*, email: str, role: str, actor: Actor, now: datetime, reason: str = "") -> Membership:
    """
    Let a person who signs in elsewhere into the team, for the platform's operator: no page offers this.

    Raises PersonUnknown when he has no account, PasswordNotHisOwn while he has no password or where an
    organisation made the account (nobody has proven whose address it is), and as ``create``. A membership that has ended
    begins anew on the operator's word: what was confirmed before counts no longer.
    """
    user = get_user_model().objects.filter(email__iexact=email).first()
    if user is None:
        raise PersonUnknown("Nobody signs in with this e-mail.")
    if not user.has_usable_password() or user.was_let_in:
        raise PasswordNotHisOwn(
            "This person has no password of his own yet, or another organisation made his account: take another e-mail."
        )
    managers()
    ended = Membership.objects.locked().filter(user_id=user.pk, is_active=False, confirmed_at__isnull=False)
    ended.update(confirmed_at=None, confirmed_by=None, turned_away_at=now)
    return create(user_id=user.pk, role=role, actor=actor, now=now, reason=reason)


@transaction.atomic
def create(
    *,
    user_id: UUID,
    role: str,
    actor: Actor,
    now: datetime,
    branch_ids: Collection[UUID] = (),
    reason: str = "",
) -> Membership:
    """
    Let a user into the organisation with a role (its code); no branches means all of them.

    Where a member lets him in, it gives nothing until another one has confirmed it (``take_in``). Who was turned away is let in
    anew. Raises RoleUnknown, DutiesConflict, BeyondOwnRole, BranchUnknown, BeyondOwnBranches and MembershipExists.
    """
    managers()
    chosen, places = _role(role), _branches(branch_ids)
    require_role(actor, chosen)
    require_reach(actor, branch_ids)
    turned_away = Membership.objects.locked().filter(user_id=user_id, turned_away_at__isnull=False).first()
    membership = turned_away or Membership(user_id=user_id, created_at=now)
    membership.role, membership.turned_away_at = chosen, None
    is_alone = take_in(membership, actor=actor, now=now)
    try:
        with transaction.atomic():
            membership.save(force_insert=turned_away is None)
    except IntegrityError:
        raise in_the_team() from None
    membership.branches.set(places)
    user_organisations.keep(user_id=user_id, is_member=membership.is_active)
    changes: dict[str, list[object]] = {
        "role": [None, role],
        "is_active": [None, membership.is_active],
        "turned_away": [turned_away is not None, False],
        **_branch_change((), branch_ids),
    }
    record("membership.created", membership, changes, actor, now, reason)
    if is_alone:
        tell_alone("membership.admitted_alone", membership, actor=actor, now=now)
    return membership


def take_in(membership: Membership, *, actor: Actor, now: datetime) -> bool:
    """
    Let a membership begin on the word of who lets the person in, and return whether he has nobody who could confirm it.

    Of a member it gives nothing until another one has confirmed it, or he himself after ``ALONE_AFTER`` where he stands
    alone. Who is no member acts for the platform, which knows whom it lets in.
    """
    giver = memberships.of_person(actor.person)
    membership.admitted_by, membership.admitted_at, membership.confirmed_by = giver, now, None
    membership.is_active, membership.confirmed_at = giver is None, now if giver is None else None
    return giver is not None and memberships.stands_alone(giver, at=now)


def tell_alone(action: str, membership: Membership, *, actor: Actor, now: datetime) -> None:
    """Say in both trails and in the log that one person alone stands for a member."""
    log.warning("access.stands_alone", action=action, membership=str(membership.id))
    record(action, membership, {}, actor, now)
    platform_records.write(
        action=action,
        object_type="membership",
        object_id=str(membership.id),
        actor=actor,
        now=now,
        changes={"organisation": [None, organisations.current().slug]},
        reason="",
    )


@transaction.atomic
def end(*, membership_id: UUID, reason: str, actor: Actor, now: datetime) -> Membership:
    """
    End a membership and leave role and branches as they are; a second time changes nothing.

    Of who waits for confirmation it is the refusal: his link, his code and a password that he chose by it are good for nothing
    from then on. Raises LastOwner, and as ``change``.
    """
    managers()
    membership = Membership.objects.locked().select_related("role").get(id=membership_id)
    if membership.is_waiting:
        return _turn_away(membership, reason=reason, actor=actor, now=now)
    if not membership.is_active:
        return membership
    return change(
        membership_id=membership_id,
        role=membership.role.code,
        is_active=False,
        branch_ids=set(membership.branches.values_list("id", flat=True)),
        actor=actor,
        now=now,
        reason=reason,
    )


@transaction.atomic
def change(
    *,
    membership_id: UUID,
    role: str,
    is_active: bool,
    branch_ids: Collection[UUID],
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> Membership:
    """
    Give a member another role or other branches, end the membership or take it up again.

    Takes effect with the next request. Raises MembershipWaiting, MembershipTurnedAway, RoleUnknown, DutiesConflict, BeyondOwnRole, BranchUnknown,
    BeyondOwnBranches, AccountTakenOver for one that was confirmed of another holder, and LastOwner when nobody would be left to manage the team.
    """
    present = managers()
    membership = Membership.objects.locked().select_related("role").get(id=membership_id)
    chosen, places = _role(role), _branches(branch_ids)
    managed = membership.is_active and MANAGE in membership.role.permissions
    require_not_turned_away(membership)
    if is_active and membership.is_waiting:
        raise MembershipWaiting("Somebody else who manages the team confirms this person first.")
    if [one.id for one in present] == [membership.id] and not (is_active and MANAGE in chosen.permissions):
        raise LastOwner("Make another member owner first.")
    if is_active and not membership.is_active:
        entry_links.require_same_person(user_id=membership.user_id, since=membership.confirmed_at)
    before = set(membership.branches.values_list("id", flat=True))
    _require_change(actor, membership, chosen, is_active=is_active, before=before, after=set(branch_ids))
    changes: dict[str, list[object]] = {
        "role": [membership.role.code, chosen.code],
        "is_active": [membership.is_active, is_active],
        **_branch_change(before, branch_ids),
    }
    membership.role, membership.is_active = chosen, is_active
    if managed and not (is_active and MANAGE in chosen.permissions):
        membership.managed_until = now
    membership.save(update_fields=["role", "is_active", "managed_until"])
    membership.branches.set(places)
    user_organisations.keep(user_id=membership.user_id, is_member=is_active)
    if not is_active:
        portal_sessions.end_others(user_id=membership.user_id, spare="", actor=actor, now=now)
    record("membership.changed", membership, changes, actor, now, reason)
    return membership


def require_not_turned_away(membership: Membership) -> None:
    """Refuse what somebody does with a person who was turned away."""
    if membership.is_turned_away:
        raise MembershipTurnedAway("This person was turned away. Let him in anew by his e-mail.")


def in_the_team() -> MembershipExists:
    """Return the refusal of somebody who has a membership already."""
    return MembershipExists("This person is or was in the team. Change the existing membership.")


def _turn_away(membership: Membership, *, reason: str, actor: Actor, now: datetime) -> Membership:
    _require_over(actor, membership, set(membership.branches.values_list("id", flat=True)))
    membership.turned_away_at = now
    membership.save(update_fields=["turned_away_at"])
    entry_links.void(user_id=membership.user_id, actor=actor, now=now)
    record("membership.turned_away", membership, {"turned_away": [False, True]}, actor, now, reason)
    return membership


def _role(code: str) -> Role:
    """Return a role that is given still; its row is kept from changing until the membership is written."""
    role = Role.objects.select_for_update(no_key=True).filter(code=code, retired_at__isnull=True).first()
    if role is None:
        raise RoleUnknown(f"There is no role {code}.")
    return role


def _branches(branch_ids: Collection[UUID]) -> list[Branch]:
    """Return the branches; an unknown one is refused, because to leave it out could mean all of them."""
    found = list(Branch.objects.filter(id__in=branch_ids))
    if len(found) != len(set(branch_ids)):
        raise BranchUnknown("There is no such branch.")
    return found


def _require_change(
    actor: Actor,
    membership: Membership,
    role: Role,
    *,
    is_active: bool,
    before: set[UUID],
    after: set[UUID],
) -> None:
    """
    Refuse what gives more than the actor may give, and what takes away from somebody who is beyond him.

    A role is checked also while its person waits: another one's confirmation would give it.
    """
    is_other = role != membership.role
    if (is_active or membership.is_waiting) and (is_other or not membership.is_active):
        require_role(actor, role, changed=membership)
    if before != after or (is_active and not membership.is_active):
        require_reach(actor, after)
    if not membership.is_active or (is_active and not is_other and before == after):
        return
    _require_over(actor, membership, before)


def _require_over(actor: Actor, membership: Membership, branch_ids: set[UUID]) -> None:
    """Refuse to take from somebody who runs the organisation with more, or further, than the actor."""
    giver = memberships.of_person(actor.person)
    if giver is None or giver.id == membership.id:
        return
    runs = RUNS.permissions.intersection(membership.role.permissions)
    if beyond := sorted(runs.difference(giver.role.permissions)):
        raise BeyondOwnRole(f"Only who holds these himself changes this person: {', '.join(beyond)}.")
    if runs:
        require_reach(actor, branch_ids)


def require_role(actor: Actor, role: Role, *, changed: Membership | None = None) -> None:
    """
    Refuse a role that nobody holds, and one that reaches beyond the person who gives it.

    Who appoints gives other people more than he has, or nobody could; never himself, and nothing of running the
    organisation that he does not hold.
    """
    duties.require_apart(role.permissions)
    giver = memberships.of_person(actor.person)
    if giver is None:
        return
    own = frozenset(giver.role.permissions)
    beyond = frozenset(role.permissions) - own
    if changed is not None and changed.id == giver.id and beyond:
        raise BeyondOwnRole("Somebody else gives you a role that may do more.")
    if beyond & RUNS.permissions:
        raise BeyondOwnRole(
            f"Only who holds these himself gives this role: {', '.join(sorted(beyond & RUNS.permissions))}."
        )


def require_reach(actor: Actor, branch_ids: Collection[UUID]) -> None:
    """Refuse what reaches beyond the branches of the person who gives it: no branches would mean all of them."""
    giver = memberships.of_person(actor.person)
    own = scope.of_member(giver) if giver else None
    if own is not None and not (branch_ids and own.issuperset(branch_ids)):
        raise BeyondOwnBranches("Name branches of your own, at least one: you do not work for the others.")


def managers() -> list[Membership]:
    """Lock those who can manage the team, who are always locked first, and return them; others who ask wait for the end."""
    locks.advisory("access:managers")  # a change of a role alone changes no row of theirs
    holding = Membership.objects.locked().filter(role__permissions__contains=[MANAGE], is_active=True)
    return list(holding.order_by("id"))


def note_managers(role: Role, *, now: datetime) -> None:
    """Write down that the people of a role managed the team until now, as the role is about to lose that."""
    Membership.objects.filter(role=role, is_active=True).update(managed_until=now)


def _branch_change(before: Collection[UUID], after: Collection[UUID]) -> dict[str, list[object]]:
    codes = dict(Branch.objects.filter(id__in={*before, *after}).values_list("id", "code"))
    return {"branches": [sorted(codes[key] for key in before), sorted(codes[key] for key in after)]}


def record(
    action: str,
    membership: Membership,
    changes: dict[str, list[object]],
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    """Write down what was done to a member, and what changed by it."""
    records.write(
        action=action,
        object_type="membership",
        object_id=str(membership.id),
        actor=actor,
        now=now,
        changes={field: pair for field, pair in changes.items() if pair[0] != pair[1]},
        reason=reason,
    )
