"""What people say of an account that a provider was asked to open and tells nothing of: one says that none was opened, another agrees, and it ends."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.approvals.contracts import ApprovalStatus, Decided, Named, NewRequest, payload_hash
from apps.approvals.selectors import requests as asked
from apps.approvals.services import requests
from apps.audit.services import records
from apps.disbursements import events
from apps.disbursements.contracts import CONNECTED_ACCOUNT_VERDICT, ConnectedStatus
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.services import account_queries, connected_accounts
from apps.events.services import outbox
from apps.integrations.contracts import provider_name
from apps.kit import errors, faults, ids
from apps.kit.actors import SYSTEM, Actor
from apps.parties.contracts import PARTY

ANSWERS_WITHIN = timedelta(days=1)
"""How long a provider's list may still tell what became of a request that it has forgotten."""
FOUND_OUT = "No answer came, and the provider's pages show no account that it opened for this request."
"""What partners are told; why somebody decided so is for the audit trail."""
VOID = "The account is not as it was approved."


class NotUnknown(errors.DomainError):
    """Only an account of which nobody knows whether it was opened is closed by people."""

    code = "connected_account_not_unknown"
    title = "Not unknown"


class AnswerMayCome(errors.DomainError):
    """The provider may still tell whether it opened this account: wait until it has forgotten the request for a day."""

    code = "connected_account_answer_may_come"
    title = "An answer may come"
    retryable = True


class VerdictWaits(errors.DomainError):
    """Other people are asked whether this account is closed; that is decided or withdrawn first."""

    code = "connected_account_verdict_waits"
    title = "Waits for approval"


class VerdictRuleMissing(errors.DomainError):
    """No approval rule says who may agree to the close of an unknown connected account."""

    code = "connected_account_verdict_rule_missing"
    title = "Nobody may approve the close"


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
    _require_lost(account, now=now)
    if not reason.strip():
        raise VerdictReasonMissing("Say what shows it.")
    account.say_not_opened(reason=reason.strip(), by=str(actor))
    approval = requests.submit(request=_request(account), actor=actor, now=now)
    if approval is None:
        raise VerdictRuleMissing("Make an approval rule for the close of unknown connected accounts first.")
    account.verdict_approval_id = approval.id
    account.save_progress()
    _audit("connected_account.verdict_asked", account, actor=actor, now=now, reason=account.verdict_reason)
    return account


def _require_lost(account: ConnectedAccount, *, now: datetime) -> None:
    if account.status != ConnectedStatus.UNKNOWN:
        raise NotUnknown(
            f"This account is {account.status.lower()}: only one of which nobody knows is closed by people."
        )
    if account.verdict_by:
        raise VerdictWaits("Other people have been asked already.")
    if may_be_answered(account, now=now):
        raise AnswerMayCome(
            "The provider may still tell. Wait until it has forgotten the request for a day, and for a question that is due."
        )


def may_be_answered(account: ConnectedAccount, *, now: datetime) -> bool:
    """
    Say whether a provider may still tell what became of an UNKNOWN opening: it knows the request or has forgotten it for less than a
    day, or is to be asked now. Its list is read again and again; that it does not decide for a whole day is what people decide about.
    """
    is_due = account.next_query_at is not None and account.next_query_at <= now
    return is_due or now < account_queries.looked_for_from(account, now=now) + ANSWERS_WITHIN


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> ConnectedAccount:
    """
    End an opening as other people have agreed: it failed, and the party can be connected anew. It is looked for all the same.

    What they did not agree to is dropped, and so is what cannot be any more: the provider is to be asked now. The audit trail says why,
    and the account stays as it is. A repeat changes nothing, nor does a decision after the provider's answer, which dropped what was
    said. Raises NotFound.
    """
    account = connected_accounts.locked(decided.subject_id)
    if account.verdict_approval_id != decided.request_id or account.judged_at is not None:
        return account
    why = _hindrance(account, decided, now=now)
    if why:
        _audit("connected_account.verdict_left", account, actor=SYSTEM, now=now, reason=why)
        account.unsay()
        account.save_progress()
        return account
    maker = asked.maker_of(asked.within(None, None).get(id=decided.request_id))
    account.judge(message=FOUND_OUT, at=now)
    account.save_progress()
    faults.reach("disbursements.verdict_closed")
    _audit("connected_account.judged", account, actor=maker, now=now, reason=account.verdict_reason)
    outbox.publish(events.about_account(events.ACCOUNT_FAILED, account), now=now)
    return account


def _hindrance(account: ConnectedAccount, decided: Decided, *, now: datetime) -> str:
    """Return why a verdict is not carried out, or an empty text."""
    if decided.status != ApprovalStatus.APPROVED:
        return decided.reason or f"The request is {decided.status.lower()}."
    if decided.payload_hash != payload_hash(_payload(account)):
        return VOID
    return "The provider is asked again meanwhile." if may_be_answered(account, now=now) else ""


def _payload(account: ConnectedAccount) -> dict[str, str]:
    """Return everything that is approved of the close of an account."""
    return {
        "connected_account": ids.encode("ca", account.id),
        "party": ids.encode("pty", account.party_id),
        "provider": account.provider,
        "code": account.code,
        "currency": account.currency,
        "verdict": "not opened",
        "verdict_reason": account.verdict_reason,
    }


def _request(account: ConnectedAccount) -> NewRequest:
    reference = ids.encode("ca", account.id)
    rail = provider_name(account.provider)
    return NewRequest(
        kind=CONNECTED_ACCOUNT_VERDICT,
        subject_id=account.id,
        subject_reference=reference,
        payload=_payload(account),
        names=(
            Named(events.CONNECTED_ACCOUNT, reference, made_by=account.created_by),
            Named(PARTY, str(account.party_id)),
        ),
        branch_id=account.branch_id,
        application_id=account.application_id,
        summary=f"Unknown account of {account.party} at {rail}, not opened: {account.verdict_reason}",
    )


def _audit(action: str, account: ConnectedAccount, *, actor: Actor, now: datetime, reason: str) -> None:
    records.write(
        action=action,
        object_type=events.CONNECTED_ACCOUNT,
        object_id=ids.encode("ca", account.id),
        actor=actor,
        now=now,
        changes={"status": [ConnectedStatus.UNKNOWN.value, account.status]},
        reason=reason,
        branch=account.branch_id,
        approval=account.verdict_approval_id,
    )
