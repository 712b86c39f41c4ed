"""Reading requests, within what a caller may see, and what belongs to one."""

import contextlib
from collections import Counter
from collections.abc import Collection, Set
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import (
    BooleanField,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from apps.access.contracts import Caller
from apps.access.selectors import api_keys, memberships, scope
from apps.approvals.contracts import ReminderStage, Verdict
from apps.approvals.models import (
    ApprovalDecision,
    ApprovalDelegation,
    ApprovalReminder,
    ApprovalRequest,
    ApprovalVersion,
    RequestedStep,
)
from apps.approvals.models.request import ApprovalRequestQuerySet
from apps.approvals.selectors import delegations
from apps.approvals.selectors.rules import DECIDE
from apps.kit import errors
from apps.kit.actors import Actor, ActorKind, joined

APPROVERS_MAX = 120
PATIENCE = {
    ReminderStage.REMINDED: "remind_after_hours",
    ReminderStage.ESCALATED: "escalate_after_hours",
}
"""Where a rule says how long a request may wait at a step before what is said."""


class HasTouched(Func):
    """Whether a person made or changed a row that the present version of a request names; the database judges it."""

    function = "approvals_has_touched"
    output_field = BooleanField()

    def __init__(self, person: str) -> None:
        super().__init__(F("id"), F("payload_version"), Value(person))


def visible_to(caller: scope.Principal) -> ApprovalRequestQuerySet:
    """Return the requests of the caller's branches; a key sees those of its own application, a person those of all."""
    return within(scope.branch_ids(caller), scope.application_ids(caller)).select_related("branch", "rule")


def within(branch_ids: Set[UUID] | None, application_ids: Set[UUID] | None) -> ApprovalRequestQuerySet:
    """Return the requests of these branches and applications; None means all."""
    return ApprovalRequest.objects.of_branches(branch_ids).of_applications(application_ids)


def found_by(requests: QuerySet[ApprovalRequest], term: str) -> QuerySet[ApprovalRequest]:
    """Return those about exactly this reference; all of them for an empty term."""
    term = term.strip()
    return requests.filter(subject_reference=term) if term else requests


def get(caller: scope.Principal, request_id: UUID) -> ApprovalRequest:
    """Return one request; raise NotFound for one that does not exist or is not visible to the caller."""
    request = visible_to(caller).filter(id=request_id).first()
    if request is None:
        raise errors.NotFound("There is no such approval request.")
    return request


def person_of(caller: scope.Principal) -> str:
    """Return the person who decides when this caller does: himself, or who made the key."""
    return caller.actor.person if isinstance(caller, Caller) else str(caller.pk)


def for_person(requests: ApprovalRequestQuerySet, person: str, *, now: datetime) -> ApprovalRequestQuerySet:
    """
    Return those that this person may decide now: in time, at a step of his role, not made by him, not decided by him,
    and about nothing that he made or changed; and those that he may decide for who delegated them to him.

    Branches are those of ``requests``.
    """
    member = memberships.of_person(person)
    places = scope.of_member(member) if member else None
    return _for_member(requests, member, places, now=now)


def _for_member(
    requests: ApprovalRequestQuerySet,
    member: memberships.Membership | None,
    branch_ids: Set[UUID] | None,
    *,
    now: datetime,
) -> ApprovalRequestQuerySet:
    if member is None or DECIDE not in member.role.permissions:
        return requests.none()
    rights = _at_step_of(member.role.code, now=now)
    for delegation in delegations.given_to(member, now=now):
        rights |= ~_at_step_of(member.role.code, now=now) & _delegated(delegation, now=now)
    waiting = requests.pending().of_branches(branch_ids).filter(expires_at__gt=now)
    return waiting.filter(rights, _is_free(str(member.user_id)))


def _at_step_of(role: str, *, now: datetime) -> Q:
    """Those whose present step this role decides, or does by now."""
    own = _present_steps().filter(roles__contains=[role])
    return Q(Exists(own)) | Q(Exists(_wide_steps(now=now).filter(further_roles__contains=[role])))


def _present_steps() -> QuerySet[RequestedStep]:
    """The present step of the request that the query is about."""
    return RequestedStep.objects.filter(
        request_id=OuterRef("id"),
        payload_version=OuterRef("payload_version"),
        sequence=OuterRef("current_step"),
    )


def _wide_steps(*, now: datetime) -> QuerySet[RequestedStep]:
    """The present step where it has waited so long that further roles decide it."""
    hours = ExpressionWrapper(
        F("further_after_hours") * Value(timedelta(hours=1)), output_field=DurationField()
    )
    opens = ExpressionWrapper(OuterRef("step_began_at") + hours, output_field=DateTimeField())
    return (
        _present_steps()
        .filter(further_after_hours__isnull=False)
        .alias(opens_at=opens)
        .filter(opens_at__lte=now)
    )


def _is_free(person: str) -> Q:
    """Those in which this person has no hand yet: he made none of it, changed nothing of it and has not decided."""
    made = ApprovalVersion.objects.filter(request_id=OuterRef("id"), maker=person)
    decided = ApprovalDecision.objects.filter(
        Q(person=person) | Q(on_behalf_of=person),
        request_id=OuterRef("id"),
        payload_version=OuterRef("payload_version"),
    )
    return ~Q(Exists(made)) & ~Q(Exists(decided)) & ~Q(HasTouched(person))


def _delegated(delegation: ApprovalDelegation, *, now: datetime) -> Q:
    """Those that who delegated might decide himself, and has delegated."""
    found = _at_step_of(delegation.delegator.role.code, now=now) & _is_free(str(delegation.delegator.user_id))
    places = scope.of_member(delegation.delegator)
    if places is not None:
        found &= Q(branch_id__in=places)
    if delegation.kinds:
        found &= Q(kind__in=delegation.kinds)
    if delegation.application_id is not None:
        found &= Q(application_id=delegation.application_id)
    if delegation.maximum is not None:
        found &= Q(currency=delegation.currency, amount_minor__lte=delegation.maximum.minor)
    return found


def waits_for(person: scope.Person, *, now: datetime, most: int) -> int:
    """Return how many requests this person may decide now, at most so many: for a badge, so nothing is counted."""
    member, places = memberships.remembered(person), scope.own_branch_ids(person)
    waiting = _for_member(ApprovalRequest.objects.all(), member, places, now=now)
    return len(waiting.order_by().values_list("id", flat=True)[:most])


def made_by_person(requests: ApprovalRequestQuerySet, person: str) -> ApprovalRequestQuerySet:
    """Return those of which this person made a version."""
    made = ApprovalVersion.objects.filter(request_id=OuterRef("id"), maker=person)
    return requests.filter(Exists(made)) if person else requests.none()


def pending_of(*, kind: str, subject_id: UUID) -> ApprovalRequest | None:
    """Return the request about a deed that waits, if any."""
    return ApprovalRequest.objects.pending().filter(kind=kind, subject_id=subject_id).first()


def about(subject_ids: Collection[UUID]) -> QuerySet[ApprovalRequest]:
    """Return the requests about these deeds, whatever became of them, the oldest first. The caller's scope is not asked."""
    return ApprovalRequest.objects.filter(subject_id__in=subject_ids).order_by("id")


def requester_name(request: ApprovalRequest) -> str:
    """Return who asked: the person behind it, else the key, else the actor as it is kept."""
    if name := memberships.names_of([request.requester]).get(request.requester):
        return name
    kind, _, identity = request.requested_by.partition(":")
    with contextlib.suppress(ValueError):
        if kind == ActorKind.API_KEY.lower() and (key := api_keys.get(UUID(identity))):
            return f"{key.application.name}, {key.name}"
    return request.requested_by


def maker_of(request: ApprovalRequest) -> Actor:
    """Return the actor who asked: in his name the deed is done."""
    kind, _, identity = request.requested_by.partition(":")
    return Actor(ActorKind(kind.upper()), identity, person=request.requester)


def approvers(request: ApprovalRequest) -> str:
    """Return who has approved the present version, in the order in which they did, as text that a booking keeps."""
    decisions = valid_decisions(request).filter(verdict=Verdict.APPROVED).order_by("id")
    return joined(decisions.values_list("decided_by", flat=True), longest=APPROVERS_MAX)


def versions_of(request: ApprovalRequest) -> QuerySet[ApprovalVersion]:
    """Return what was asked for, the first version first."""
    return request.versions.order_by("number")


def present_version(request: ApprovalRequest) -> ApprovalVersion:
    """Return what is decided now."""
    return request.versions.get(number=request.payload_version)


def steps_of(request: ApprovalRequest) -> QuerySet[RequestedStep]:
    """Return the steps of the present version in their order."""
    return request.steps.filter(payload_version=request.payload_version).order_by("sequence")


def present_step(request: ApprovalRequest) -> RequestedStep:
    """Return the step that waits for decisions."""
    return steps_of(request).get(sequence=request.current_step)


def decisions_of(request: ApprovalRequest) -> QuerySet[ApprovalDecision]:
    """Return all decisions in their order, those on earlier versions included, which are void."""
    return request.decisions.select_related("membership__user", "delegation__delegator__user").order_by("id")


def valid_decisions(request: ApprovalRequest) -> QuerySet[ApprovalDecision]:
    """Return the decisions on the present version."""
    return request.decisions.filter(payload_version=request.payload_version)


def approved_by_step(request: ApprovalRequest) -> dict[int, int]:
    """Return how many people have approved each step of the present version; steps without any are left out."""
    return Counter(valid_decisions(request).filter(verdict=Verdict.APPROVED).values_list("step", flat=True))


def reminders_of(request: ApprovalRequest) -> QuerySet[ApprovalReminder]:
    """Return what was said of the present step because it waits, in its order."""
    step = {"payload_version": request.payload_version, "step": request.current_step}
    return request.reminders.filter(**step).order_by("id")


def waits_too_long(stage: ReminderStage, *, now: datetime) -> ApprovalRequestQuerySet:
    """Return what is in time, waits longer at its step than its rule says, and has not been called to mind so."""
    said = ApprovalReminder.objects.filter(
        request_id=OuterRef("id"),
        payload_version=OuterRef("payload_version"),
        step=OuterRef("current_step"),
        stage=stage.value,
    )
    waiting = ApprovalRequest.objects.pending().filter(~Exists(said), expires_at__gt=now).order_by("id")
    if stage is ReminderStage.WIDENED:
        return waiting.filter(Exists(_wide_steps(now=now)))
    column = f"rule__{PATIENCE[stage]}"
    hours = ExpressionWrapper(F(column) * Value(timedelta(hours=1)), output_field=DurationField())
    due = ExpressionWrapper(F("step_began_at") + hours, output_field=DateTimeField())
    return waiting.filter(**{f"{column}__isnull": False}).alias(due_at=due).filter(due_at__lte=now)


def has_decided(request: ApprovalRequest, person: str) -> bool:
    """Say whether this person has decided the present version, or another one has in his name."""
    mine = Q(person=person) | Q(on_behalf_of=person)
    return bool(person) and valid_decisions(request).filter(mine).exists()


def has_touched(request: ApprovalRequest, person: str) -> bool:
    """Say whether this person made a row that the present version names, changed it last, or has changed it since."""
    return bool(person) and ApprovalRequest.objects.filter(HasTouched(person), id=request.id).exists()


def makers(request: ApprovalRequest) -> set[str]:
    """Return the people who made a version; they never decide."""
    return set(request.versions.exclude(maker="").values_list("maker", flat=True))


def made_by(request: ApprovalRequest) -> set[str]:
    """Return the actors who made a version, as text."""
    return set(request.versions.values_list("made_by", flat=True))
