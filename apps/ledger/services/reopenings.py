"""Reopenings: the last closed period is opened again by two people, one who asks and one who agrees."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from apps.access.selectors import applications, branches
from apps.approvals.contracts import ApprovalStatus, Decided, Named, NewRequest, payload_hash
from apps.approvals.selectors import requests as asked
from apps.approvals.services import requests
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM, Actor
from apps.kit.models import is_storable
from apps.kit.patience import long_statements
from apps.ledger import events
from apps.ledger.contracts import PERIOD_REOPEN
from apps.ledger.models import Closing, Period
from apps.ledger.selectors import periods as stored
from apps.ledger.services import periods, refusals, reversals

REASON_MIN = 5
REASON_MAX = 200


class ReopenRefused(errors.DomainError):
    """Only the last closed period can be opened again."""

    code = "ledger_reopen_refused"
    title = "Period cannot be reopened"


class ReopenRuleMissing(errors.DomainError):
    """No approval rule says who may agree to the reopening of a period."""

    code = "ledger_reopen_rule_missing"
    title = "Nobody may approve a reopening"


class ReopenReasonInvalid(errors.Invalid):
    """A reopening says why."""

    code = "ledger_reopen_reason_invalid"
    title = "Reason required"


@transaction.atomic
def ask(
    *, period_id: UUID, reason: str, actor: Actor, now: datetime, application_id: UUID | None = None
) -> UUID:
    """
    Ask other people to agree that the last closed period is opened again; return the id of the approval request.

    The same reason again returns the request that waits. ``application_id`` is whose request it is, the portal's unless
    told. Raises NotFound, ReopenReasonInvalid, ReopenRefused,
    ReopenRuleMissing, and RequestPending where another reason waits; nothing is opened yet.
    """
    reason = reason.strip()
    if not REASON_MIN <= len(reason) <= REASON_MAX or not is_storable(reason):
        message = f"Say why, in {REASON_MIN} to {REASON_MAX} characters."
        raise ReopenReasonInvalid(
            message, errors=[errors.FieldError("/reason", ReopenReasonInvalid.code, message)]
        )
    period = stored.get(period_id)
    if period != stored.last_closed():
        raise ReopenRefused("Only the last closed period can be opened again.")
    waits = asked.pending_of(kind=PERIOD_REOPEN.name, subject_id=period.uid) is not None
    request = requests.submit(
        request=NewRequest(
            kind=PERIOD_REOPEN,
            subject_id=period.uid,
            subject_reference=ids.encode(events.PERIOD_PREFIX, period.uid),
            payload=_payload(period, reason),
            names=(Named(events.PERIOD_AGGREGATE, ids.encode(events.PERIOD_PREFIX, period.uid)),),
            branch_id=branches.head_office().id,
            application_id=application_id or applications.portal().id,
            summary=f"Reopen {period}: {reason}",
        ),
        actor=actor,
        now=now,
    )
    if request is None:
        raise ReopenRuleMissing("Make an approval rule for the reopening of periods first.")
    if not waits:
        periods.record("period.reopening_asked", period, actor=actor, now=now, changes={}, reason=reason)
    return request.id


@transaction.atomic
@long_statements()
def decide(*, decided: Decided, now: datetime) -> Period | None:
    """
    Open a period again that other people have agreed to, and return it; None where it stays closed.

    Closings of the year are reversed on its last day; its checkpoints stay and are superseded by the next close. An
    agreement to what is not the last closed period any more, or to something else, is void and recorded so; a repeat
    changes nothing.
    """
    if decided.status != ApprovalStatus.APPROVED:
        return None
    request = asked.within(None, None).get(id=decided.request_id)
    payload = asked.present_version(request).payload
    reason = payload["reason"]
    periods.fence()
    period = stored.get(decided.subject_id)
    if str(period.revision) != payload["revision"]:
        return None
    if period != stored.last_closed() or decided.payload_hash != payload_hash(_payload(period, reason)):
        periods.record("period.reopening_void", period, actor=SYSTEM, now=now, changes={}, reason=reason)
        return None
    return _reopen(period, request, reason=reason, now=now)


def _reopen(period: Period, request: asked.ApprovalRequest, *, reason: str, now: datetime) -> Period:
    maker, approved_by = asked.maker_of(request), asked.approvers(request)
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_reopen_period(%s)", [period.uid])
    closings = Closing.objects.filter(
        period=period, revision=period.revision, transaction__reversed_by__isnull=True
    )
    for closing in closings.select_related("transaction").order_by("id"):
        reversals.reverse_closing(
            transaction_id=closing.transaction.uid,
            reason=reason,
            actor=maker,
            now=now,
            effective_date=period.end_date,
            approved_by=approved_by,
        )
    reopened = stored.get(period.uid)
    changes = {
        "state": [period.state, reopened.state],
        "revision": [period.revision, reopened.revision],
        "checkpoint_hash": [bytes(period.checkpoint_hash or b"").hex(), None],
        "approved_by": [None, approved_by],
    }
    periods.record("period.reopened", reopened, actor=maker, now=now, changes=changes, reason=reason)
    periods.publish(events.PERIOD_REOPENED, reopened, now=now)
    return reopened


def _payload(period: Period, reason: str) -> dict[str, str]:
    """Return everything that is approved: this very close of the period, told by its hash."""
    return {
        "period": ids.encode(events.PERIOD_PREFIX, period.uid),
        "start_date": period.start_date.isoformat(),
        "end_date": period.end_date.isoformat(),
        "revision": str(period.revision),
        "checkpoint_hash": bytes(period.checkpoint_hash or b"").hex(),
        "reason": reason,
    }
