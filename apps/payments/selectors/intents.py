"""Reading payment intents, within what a caller may see."""

import contextlib
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet

from apps.access.selectors import scope
from apps.kit import errors, ids
from apps.payments.contracts import IntentStatus, TimelineFact
from apps.payments.models import PaymentAttempt, PaymentIntent, phone
from apps.payments.models.intent import UNPAID_STATES, PaymentIntentQuerySet
from apps.tenancy.selectors import organisations


class NotNamed(errors.Invalid):
    """What was typed names no payment, or more than one."""

    code = "payment_not_named"
    title = "No such payment"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError("/payment_id", self.code, detail)])


def visible_to(caller: scope.Principal) -> PaymentIntentQuerySet:
    """
    Return the intents of the caller's branches, each with its current attempt.

    A key sees those of its own application, a person those of all.
    """
    intents = PaymentIntent.objects.of_branches(scope.branch_ids(caller))
    intents = intents.of_applications(scope.application_ids(caller))
    return intents.select_related("current_attempt")


def with_paying(intents: PaymentIntentQuerySet) -> PaymentIntentQuerySet:
    """Return them each with ``paying``: the attempts whose money pays it, read at once for all."""
    return intents.prefetch_related(Prefetch("attempts", PaymentAttempt.objects.paying(), to_attr="paying"))


def get(caller: scope.Principal, intent_id: UUID) -> PaymentIntent:
    """Return one intent; raise NotFound for one that does not exist or is not visible to the caller."""
    intent = visible_to(caller).select_related("branch", "application").filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    return intent


def is_processing(intent_id: UUID) -> bool:
    """Say whether an intent waits for what its provider says of the request. For internal use: no caller's scope is asked."""
    return PaymentIntent.objects.filter(id=intent_id, status=IntentStatus.PROCESSING.value).exists()


def closed_today(intents: QuerySet[PaymentIntent], *, now: datetime) -> QuerySet[PaymentIntent]:
    """Return those that ended without money since midnight in the organisation's zone, whenever they were asked for."""
    here = now.astimezone(ZoneInfo(organisations.current().time_zone))
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    return intents.filter(status__in=UNPAID_STATES, closed_at__gte=midnight)


def found_by(intents: QuerySet[PaymentIntent], term: str) -> QuerySet[PaymentIntent]:
    """Return those that a receipt, reference, code, phone or id names exactly; all of them for an empty term."""
    if not term:
        return intents
    of_receipt = Q(provider_receipt__in=[term, term.upper()], surrendered_at=None)
    named = PaymentAttempt.objects.filter(of_receipt | Q(code=term.upper()))
    found = (
        Q(reference=term) | Q(code=term.upper()) | Q(id__in=list(named.values_list("intent_id", flat=True)))
    )
    with contextlib.suppress(phone.PhoneInvalid):
        found |= Q(payer_phone=phone.normalise(term))
    with contextlib.suppress(ids.InvalidId):
        found |= Q(id=ids.decode("pi", term))
    return intents.filter(found)


def named(caller: scope.Principal, term: str) -> PaymentIntent:
    """Return the one intent that a receipt, reference, code, phone or id names; raise NotNamed for none and for several."""
    found = list(found_by(visible_to(caller), term.strip())[:2]) if term.strip() else []
    if not found:
        raise NotNamed("No payment has this id, code or reference.")
    if len(found) > 1:
        raise NotNamed("Several payments have this. Write the id or the code of one.")
    return found[0]


def everything() -> PaymentIntentQuerySet:
    """Return all intents. For internal use: no caller's scope is asked."""
    return PaymentIntent.objects.select_related("branch", "application", "current_attempt")


def timeline_facts(intent_id: UUID) -> list[TimelineFact]:
    """Return the dated facts that the rows of an intent and of its attempts hold, oldest first."""
    intent = PaymentIntent.objects.select_related("current_attempt").get(id=intent_id)
    last = intent.current_attempt if intent.is_in_parts and intent.is_done else None
    found = [
        (intent.created_at, "created", 0, intent.created_by),
        (intent.confirmed_at, "confirmed", 0, ""),
        (intent.cancel_requested_at, "cancel_requested", 0, ""),
        (intent.closed_at, "closed", 0, intent.failure_code),
        (intent.settled_at, "settled", 0, "late" if intent.is_late else ""),
        (last.booked_at if last else None, "completed", 0, ""),
    ]
    for attempt in PaymentAttempt.objects.filter(intent_id=intent_id).order_by("number"):
        found += [
            (attempt.created_at, "sending", attempt.number, attempt.code),
            (attempt.initiated_at, "initiated", attempt.number, attempt.ticket),
            (attempt.unknown_at, "unknown", attempt.number, ""),
            (attempt.authorized_at, "authorized", attempt.number, ""),
            (attempt.judged_at, "judged", attempt.number, ""),
            (attempt.closed_at, "failed", attempt.number, attempt.failure_code),
            (attempt.booked_at, "booked", attempt.number, attempt.provider_receipt),
            (attempt.surrendered_at, "surrendered", attempt.number, attempt.provider_receipt),
        ]
    facts = [TimelineFact(at, kind, number, detail) for at, kind, number, detail in found if at is not None]
    return sorted(facts, key=lambda fact: fact.at)
