"""Letting new people into the team: one lets them in, another one who knows them confirms it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction

from apps.access.models import Membership
from apps.access.selectors import memberships as team
from apps.access.services import memberships
from apps.accounts.services import entry_links, users
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.selectors import organisations
from apps.tenancy.services import user_organisations


class PersonKnown(errors.DomainError):
    """The person signs in elsewhere, so a team cannot let him in by itself."""

    code = "person_not_admitted"
    title = "Cannot be let in here"


class OwnAdmission(errors.Forbidden):
    """Who let the person in knows his link, so somebody else confirms him."""

    code = "own_admission"
    title = "Your own admission"


class ConfirmedTooSoon(errors.DomainError):
    """Who has nobody beside him confirms a person whom he let in himself, and waits a day with it."""

    code = "confirmed_too_soon"
    title = "Too soon"


class NoManager(errors.Forbidden):
    """Only who manages the team confirms people."""

    code = "no_manager"
    title = "Does not manage the team"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A new member with the secret of his entry link, which is shown once."""

    membership: Membership
    secret: str = field(repr=False)


@transaction.atomic
def admit(  # noqa: PLR0913 (each by keyword)
    *,
    email: str,
    name: str,
    role: str,
    actor: Actor,
    now: datetime,
    branch_ids: Collection[UUID] = (),
    reason: str = "",
    is_vouched_for: bool = False,
) -> Admitted:
    """
    Let a new person into the team by his e-mail, with a link by which he chooses his password himself; who was turned away is let in anew.

    Who else has an account already is refused: whoever made that account may know its link, and only the platform's
    operator can tell whose it is (``bin/treasury member add``), who also vouches for whom he lets in himself
    (``is_vouched_for``). Raises PersonKnown, MembershipExists for somebody of this team, and as ``memberships.create``
    and ``entry_links.make``.
    """
    known = get_user_model().objects.filter(email__iexact=email).first()
    before = None if known is None else Membership.objects.filter(user_id=known.pk).first()
    if before is not None and not before.is_turned_away:
        raise memberships.in_the_team()
    if known is not None and (before is None or not known.was_let_in):
        raise PersonKnown("This person cannot be let in from here. Ask the platform's operator to link him.")
    user = known or users.create(email=email, name=name, password=None, actor=actor, now=now)
    membership = memberships.create(
        user_id=user.pk, role=role, branch_ids=branch_ids, actor=actor, now=now, reason=reason
    )
    secret = entry_links.make(user_id=user.pk, actor=actor, now=now, is_vouched_for=is_vouched_for)
    return Admitted(membership, secret)


@transaction.atomic
def renew_link(*, membership_id: UUID, actor: Actor, now: datetime) -> Admitted:
    """
    Make another link for a person who has never signed in; the one before is good for nothing from then on.

    Whoever makes it is who lets the person in from then on, so that another one confirms him, also where somebody had.
    Raises EntryNotNeeded, MembershipTurnedAway, and as ``memberships.create`` where that person's role or branches are beyond who makes it.
    """
    memberships.managers()
    membership = Membership.objects.locked().select_related("role", "user").get(id=membership_id)
    memberships.require_not_turned_away(membership)
    if not (membership.is_active or membership.is_waiting) or organisations.is_member_elsewhere(
        membership.user_id
    ):
        raise entry_links.EntryNotNeeded("This person is no longer in the team, or signs in elsewhere too.")
    _require_own(membership, actor)
    secret = entry_links.make(user_id=membership.user_id, actor=actor, now=now)
    membership.is_active, membership.confirmed_at, membership.confirmed_by = False, None, None
    membership.save(update_fields=["is_active", "confirmed_at", "confirmed_by"])
    is_alone = memberships.take_in(membership, actor=actor, now=now)
    membership.save(update_fields=["is_active", "admitted_by", "admitted_at", "confirmed_at"])
    user_organisations.keep(user_id=membership.user_id, is_member=membership.is_active)
    memberships.record("membership.link_renewed", membership, {}, actor, now)
    if is_alone:
        memberships.tell_alone("membership.admitted_alone", membership, actor=actor, now=now)
    return Admitted(membership, secret)


@transaction.atomic
def confirm(*, membership_id: UUID, code: str, actor: Actor, now: datetime) -> Membership:
    """
    Let a person in on the word of a second one, who had the code from the person himself; a second time changes nothing.

    Who let him in and has nobody beside him does it himself, a day later, on both trails. Raises OwnAdmission, ConfirmedTooSoon,
    NoManager, MembershipTurnedAway, EntryCodeWrong, DutiesConflict, BeyondOwnRole and BeyondOwnBranches.
    """
    present = {one.id for one in memberships.managers()}
    membership = Membership.objects.locked().select_related("role").get(id=membership_id)
    second = team.of_person(actor.person)
    if second is None or second.id not in present:
        raise NoManager("Only who manages the team confirms people.")
    memberships.require_not_turned_away(membership)
    is_alone = second.id == membership.admitted_by_id
    if second.id == membership.id or (is_alone and not team.stands_alone(second, at=now)):
        raise OwnAdmission("You let this person in. Somebody else who manages the team confirms him.")
    if not membership.is_waiting:
        return membership
    if is_alone and (membership.admitted_at is None or now < membership.admitted_at + team.ALONE_AFTER):
        raise ConfirmedTooSoon(
            "Nobody else manages the team: confirm this person yourself, 24 hours after you made his link."
        )
    entry_links.require_code(user_id=membership.user_id, code=code)
    _require_own(membership, actor)
    membership.is_active, membership.confirmed_at = True, now
    membership.confirmed_by = None if is_alone else second
    membership.save(update_fields=["is_active", "confirmed_by", "confirmed_at"])
    user_organisations.keep(user_id=membership.user_id, is_member=True)
    memberships.record("membership.confirmed", membership, {"is_active": [False, True]}, actor, now)
    if is_alone:
        memberships.tell_alone("membership.confirmed_alone", membership, actor=actor, now=now)
    return membership


def _require_own(membership: Membership, actor: Actor) -> None:
    """Refuse to stand for somebody whose role or branches the actor may not give."""
    memberships.require_role(actor, membership.role)
    memberships.require_reach(actor, set(membership.branches.values_list("id", flat=True)))
