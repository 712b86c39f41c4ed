"""Bulks: many payments asked for at once; a job creates one after the other, and each succeeds or is refused by itself."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from apps.access.contracts import Caller
from apps.access.selectors import api_keys, branches
from apps.access.services.api_keys import KeyClosed
from apps.jobs.contracts import NewJob, Progress, ResultFile, Work
from apps.jobs.services import jobs
from apps.jobs.services.jobs import Job
from apps.kit import errors, problems, redaction
from apps.kit.actors import Actor, ActorKind
from apps.kit.money import Money
from apps.payments.contracts import Choice, Method, NewIntent
from apps.payments.contracts.bulks import BulkOrder
from apps.payments.models import BulkItem
from apps.payments.services import intents

KIND = "payments_bulk"
PERMISSION = "payments.view"
SCOPE = "payments:read"
WRITES = "payments:write"
ITEMS_MAX = 1000


class BulkEmpty(errors.Invalid):
    """There is nothing to create."""

    code = "bulk_empty"
    title = "No payments"


class BulkTooLong(errors.Invalid):
    """More payments than are taken at once; none was."""

    code = "bulk_too_long"
    title = "Too many payments"


def require_length(count: int) -> None:
    """Raise BulkEmpty or BulkTooLong for so many payments; ask before any is read, for each takes its time."""
    if not count:
        raise BulkEmpty(
            "Send one payment at least.", errors=[_at("/payments", BulkEmpty.code, "It is empty.")]
        )
    if count > ITEMS_MAX:
        message = f"{ITEMS_MAX} payments are taken at once; these are {count}. None was taken."
        raise BulkTooLong(message, errors=[_at("/payments", BulkTooLong.code, message)])


@transaction.atomic
def start(*, orders: Sequence[BulkOrder], caller: Caller, now: datetime) -> Job:
    """
    Have a worker create these payments, in their order, each with all the checks of ``intents.create``.

    What was refused while it was read is kept as refused; it stops none of the others. Raises BulkEmpty and BulkTooLong.
    """
    require_length(len(orders))
    branch_id = caller.branch_id or branches.head_office().id
    job = jobs.start(
        request=NewJob(
            kind=KIND,
            title=_("%(count)d payments") % {"count": len(orders)},
            branch_id=branch_id,
            application_id=caller.application_id,
            branch_ids=None if caller.branch_id is None else frozenset({caller.branch_id}),
            application_ids=frozenset({caller.application_id}),
            permission=PERMISSION,
            scope=SCOPE,
            actor=caller.actor,
            parameters={"actor": asdict(caller.actor)},
        ),
        now=now,
    )
    BulkItem.objects.bulk_create(
        BulkItem(
            job=job,
            branch_id=branch_id,
            application_id=caller.application_id,
            position=position,
            reference=order.reference,
            request=_written(order.request) if order.request else {},
            problem=_problem(order.refusal) if order.refusal else None,
        )
        for position, order in enumerate(orders)
    )
    return job


def run(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """Create one payment after the other, each in a step of its own: whoever takes the job up again goes on with the next."""
    who = work.parameters["actor"]
    actor = Actor(ActorKind(who["kind"]), who["id"], who["person"], who["application"])
    items = BulkItem.objects.filter(job_id=work.job_id)
    total = items.count()
    failed = items.filter(problem__isnull=False).count()
    done = total - items.waiting().count()
    yield Progress(done=done, failed=failed, total=total)
    while (item := items.waiting().locked().first()) is not None:
        is_created = _create(item, actor=actor, now=work.read_clock())
        done, failed = done + 1, failed + (not is_created)
        yield Progress(done=done, failed=failed, total=total)
    return None


def _create(item: BulkItem, *, actor: Actor, now: datetime) -> bool:
    try:
        _require_key(actor, now)
        item.intent = intents.create(request=_read(item), actor=actor, now=now)
    except (errors.DomainError, TransitionNotAllowed, OperationalError) as error:
        refusal = problems.as_domain_error(error)
        if refusal is None:
            raise
        item.problem = _problem(refusal)
    item.request = {}
    item.save(update_fields=["intent", "problem", "request"])
    return item.problem is None


def _require_key(actor: Actor, now: datetime) -> None:
    if actor.kind == ActorKind.API_KEY and not api_keys.may(UUID(actor.id), WRITES, now=now):
        raise KeyClosed(
            "The key that asked for this payment may not any more. Send it again with another key."
        )


def _problem(refusal: errors.DomainError) -> Mapping[str, Any]:
    """Return why a payment was refused, as problem documents say it; it may repeat what was sent, as far as that may be kept."""
    return {
        "code": refusal.code,
        "title": refusal.title,
        "status": refusal.status,
        "detail": _storable(refusal.detail),
        "retryable": refusal.retryable,
        "errors": [
            {name: _storable(text) for name, text in asdict(error).items()} for error in refusal.errors
        ],
    }


def _storable(text: object) -> str:
    """Return a text that can be stored, without the numbers of cards and telephones."""
    return redaction.numbers(str(text).replace("\0", "").encode(errors="backslashreplace").decode())


def _written(request: NewIntent) -> Mapping[str, Any]:
    choice = request.choice
    return {
        "money": request.money.wire(),
        "branch_id": str(request.branch_id),
        "choice": [choice.methods, choice.phone, choice.payer_name, choice.email] if choice else None,
        "saved_method_id": str(choice.saved_method_id) if choice and choice.saved_method_id else "",
        "payable": [request.payable_type, request.payable_id],
        "is_repeat_refused": request.is_repeat_refused,
        "description": request.description,
        "metadata": dict(request.metadata),
        "is_confirmed": request.is_confirmed,
        "is_captured": request.is_captured,
    }


def _read(item: BulkItem) -> NewIntent:
    kept = item.request
    payable_type, payable_id = kept["payable"]
    return NewIntent(
        money=Money.parse(kept["money"]["amount"], kept["money"]["currency"]),
        branch_id=UUID(kept["branch_id"]),
        application_id=item.application_id,
        choice=_choice(kept),
        reference=item.reference,
        payable_type=payable_type,
        payable_id=payable_id,
        is_repeat_refused=kept["is_repeat_refused"],
        description=kept["description"],
        metadata=kept["metadata"],
        is_confirmed=kept["is_confirmed"],
        is_captured=kept["is_captured"],
    )


def _choice(kept: Mapping[str, Any]) -> Choice | None:
    if not kept["choice"]:
        return None
    (method, *others), phone, name, email = kept["choice"]
    saved_method_id = UUID(kept["saved_method_id"]) if kept["saved_method_id"] else None
    return Choice(Method(method), phone, name, email, saved_method_id, tuple(map(Method, others)))


def _at(pointer: str, code: str, message: str) -> errors.FieldError:
    return errors.FieldError(pointer, code, message)
