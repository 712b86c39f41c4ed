"""What people say of an account that a provider was asked to open and tells nothing of: one says that none was opened, another agrees, and it ends."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.approvals.contracts import Decided, Named, NewRequest
from apps.approvals.services import verdicts
from apps.approvals.services.verdicts import AnswerMayCome, NotUnknown, VerdictRuleMissing, VerdictWaits
from apps.disbursements import events
from apps.disbursements.contracts import CONNECTED_ACCOUNT_VERDICT, ConnectedStatus
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.services import account_queries, connected_accounts
from apps.events.services import outbox
from apps.integrations.contracts import provider_name
from apps.kit import errors, faults, ids
from apps.kit.actors import Actor
from apps.parties.contracts import PARTY

__all__ = [
    "AnswerMayCome",
    "NotUnknown",
    "VerdictRuleMissing",
    "VerdictWaits",
    "ask",
    "decide",
    "may_be_answered",
]

FOUND_OUT = "No answer came, and the provider's pages show no account that it opened for this request."
"""What partners are told; why somebody decided so is for the audit trail."""


class VerdictReasonMissing(errors.Invalid):
    """Who says that no account was opened says what shows it."""

    code = "connected_account_reason_missing"
    title = "Reason missing"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError("/reason", self.code, detail)])


@transaction.atomic
def ask(*, account_id: UUID, reason: str, actor: Actor, now: datetime) -> ConnectedAccount:
    """
    Say that a provider of which nobody knows opened no account, and ask others to agree; until then nothing changes.

    ``reason`` is what shows it. Raises NotFound, NotUnknown, AnswerMayCome, VerdictWaits, VerdictReasonMissing and VerdictRuleMissing.
    Locks the account.
    """
    account = connected_accounts.locked(account_id)
    CLOSE.require_lost(account, now=now)
    if not reason.strip():
        raise VerdictReasonMissing("Say what shows it.")
    account.say_why(reason.strip(), by=str(actor))
    return CLOSE.ask(account, actor=actor, now=now)


def may_be_answered(account: ConnectedAccount, *, now: datetime) -> bool:
    """
    Say whether a provider may still tell what became of an UNKNOWN opening: it knows the request or has forgotten it for less than a
    day, or is to be asked now. Its list is read again and again; that it does not decide for a whole day is what people decide about.
    """
    is_due = account.next_query_at is not None and account.next_query_at <= now
    return is_due or now < account_queries.looked_for_from(account, now=now) + verdicts.ANSWERS_WITHIN


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> ConnectedAccount:
    """
    End an opening as other people have agreed: it failed, and the party can be connected anew. It is looked for all the same.

    What they did not agree to is dropped, and so is what cannot be any more: the provider is to be asked now. The audit trail says why,
    and the account stays as it is. A repeat changes nothing, nor does a decision after the provider's answer, which dropped what was
    said. Raises NotFound.
    """
    return CLOSE.decide(connected_accounts.locked(decided.subject_id), decided=decided, now=now)


def _end(account: ConnectedAccount, maker: Actor, now: datetime) -> None:  # noqa: ARG001 (nothing is booked)
    account.end_not_opened(message=FOUND_OUT, at=now)
    account.save_progress()
    faults.reach("disbursements.verdict_closed")
    outbox.publish(events.about_account(events.ACCOUNT_FAILED, account), now=now)


def _request(account: ConnectedAccount) -> NewRequest:
    reference = ids.encode("ca", account.id)
    rail = provider_name(account.provider)
    return NewRequest(
        kind=CONNECTED_ACCOUNT_VERDICT,
        subject_id=account.id,
        subject_reference=reference,
        payload={
            "connected_account": reference,
            "party": ids.encode("pty", account.party_id),
            "provider": account.provider,
            "code": account.code,
            "currency": account.currency,
            "verdict": "not opened",
            "verdict_reason": account.verdict_reason,
        },
        names=(
            Named(events.CONNECTED_ACCOUNT, reference, made_by=account.created_by),
            Named(PARTY, str(account.party_id)),
        ),
        branch_id=account.branch_id,
        application_id=account.application_id,
        summary=f"Unknown account of {account.party} at {rail}, not opened: {account.verdict_reason}",
    )


def _changes(account: ConnectedAccount) -> dict[str, Any]:
    return {"status": [ConnectedStatus.UNKNOWN.value, account.status]}


CLOSE = verdicts.Close(
    noun="connected account",
    asked="connected_account.verdict_asked",
    left="connected_account.verdict_left",
    judged="connected_account.judged",
    wait="The provider may still tell. Wait until it has forgotten the request for a day, and for a question that is due.",
    request=_request,
    changes=_changes,
    may_be_answered=may_be_answered,
    end=_end,
)
