"""Payments for tests: an account that collects, intents and attempts in a given state, reports of a provider."""

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from apps.integrations.contracts import MPESA, AccountTerms, Environment
from apps.integrations.models import ProviderAccount
from apps.integrations.mpesa.provider import MpesaCredentials
from apps.integrations.ports import (
    CollectionReport,
    InboundReport,
    NextAction,
    NextActionKind,
    Nudge,
    NudgeKind,
    Outcome,
    StatementRow,
    Ticket,
)
from apps.integrations.services import accounts
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import Choice, InboundSource, Method, NewIntent
from apps.payments.models import InboundReceipt, ListedMovement, PaymentAttempt, PaymentIntent
from apps.payments.services import attempts, inbound_receipts, intents, movements
from tests.factories import access

NOW = datetime(2026, 11, 24, 7, 41, tzinfo=UTC)
KES_1500 = Money(1500_00, "KES")
PHONE = "+254712345678"
PROMPT = NextAction(NextActionKind.PROMPT, "Enter your M-Pesa PIN on your phone to approve the payment.")
CREDENTIALS = MpesaCredentials(
    consumer_key="test-key",
    consumer_secret="test-secret",
    passkey="test-passkey",
    initiator="testapi",
    initiator_password="Test-1234",
)
_numbers = count(1)


def account(**facts: Any) -> ProviderAccount:
    """Return an enabled paybill that nobody answers for, at head office unless told; the fee is half a per cent."""
    branch_id = facts.pop("branch_id", None) or access.head_office().id
    terms: dict[str, Any] = {
        "provider": MPESA,
        "label": "M-Pesa paybill",
        "branch_id": branch_id,
        "environment": Environment.SANDBOX,
        "base_url": "https://provider.example.test",
        "currency": "KES",
        "short_code": f"{600_000 + next(_numbers)}",
        "minimum_minor": 10_00,
        "maximum_minor": 250_000_00,
        "fee_bps": 50,
        **facts,
    }
    return accounts.create(terms=AccountTerms(**terms), credentials=CREDENTIALS, actor=SYSTEM, now=NOW)


def wanted(**facts: Any) -> NewIntent:
    """Return the request for KES 1,500.00 from one payer at head office."""
    return NewIntent(
        **{
            "money": KES_1500,
            "branch_id": access.head_office().id,
            "application_id": access.application().id,
            "choice": Choice(Method.MPESA, PHONE, "Njeri Kamau"),
            **facts,
        }
    )


def intent(*, now: datetime = NOW, **facts: Any) -> PaymentIntent:
    """Return a confirmed intent whose job has not run; an account is opened when there is none."""
    if not ProviderAccount.objects.exists():
        account()
    return intents.create(request=wanted(**facts), actor=SYSTEM, now=now)


def sending(*, now: datetime = NOW, **facts: Any) -> PaymentAttempt:
    """Return an attempt that has been committed and not sent."""
    begun = attempts.begin(intent_id=intent(now=now, **facts).id, now=now)
    assert begun is not None
    return begun


def ticket(value: str = "") -> Ticket:
    return Ticket(value or f"ws_CO_{next(_numbers):018d}", PROMPT)


def waiting(*, now: datetime = NOW, **facts: Any) -> PaymentAttempt:
    """Return an attempt whose payer has the prompt on the phone."""
    attempt = sending(now=now, **facts)
    attempts.accept(attempt_id=attempt.id, ticket=ticket(), now=now)
    return reloaded(attempt)


def reloaded(attempt: PaymentAttempt) -> PaymentAttempt:
    return PaymentAttempt.objects.select_related("intent").get(id=attempt.id)


def receipt() -> str:
    return f"NLJ{next(_numbers):07d}"


def collected(attempt: PaymentAttempt, **facts: Any) -> CollectionReport:
    """Return the report of the whole sum with a receipt of its own."""
    return CollectionReport(
        **{
            "ticket": attempt.ticket,
            "outcome": Outcome.COLLECTED,
            "money": attempt.money,
            "receipt": receipt(),
            "payer_phone": attempt.phone,
            **facts,
        }
    )


def held(*, now: datetime = NOW, **facts: Any) -> InboundReceipt:
    """Return KES 1,500.00 that no payment explains, in suspense; an account is opened when there is none."""
    found = ProviderAccount.objects.order_by("id").first() or account()
    notice = InboundReport(**{"receipt": receipt(), "money": KES_1500, "payer": "2547 ***** 678", **facts})
    access.portal()
    _, inbound = inbound_receipts.record(
        account_id=found.id,
        notice=notice,
        phone="",
        source=InboundSource.CONFIRMATION,
        actor=PROVIDER,
        now=now,
    )
    return inbound


def listed(
    at: ProviderAccount | None = None, *, about: NudgeKind = NudgeKind.NONE, ticket: str = "", **facts: Any
) -> ListedMovement:
    """Return a movement that an account's provider lists and that is for people: KES 1,500.00 that went out, unless told."""
    found = at or ProviderAccount.objects.order_by("id").first() or account()
    nudge = Nudge(f"txn_{next(_numbers)}", about, ticket=ticket)
    told: dict[str, Any] = {
        "receipt": nudge.event_id,
        "money": -KES_1500,
        "reference": "",
        "payer": "",
        "told_at": "",
        "kind": "payout",
        "is_in": False,
        **facts,
    }
    movements.take(account=found, row=StatementRow(nudge=nudge, **told), now=NOW)
    return ListedMovement.objects.get(number=nudge.event_id)


def declined(attempt: PaymentAttempt, **facts: Any) -> CollectionReport:
    """Return the report that the payer said no."""
    return CollectionReport(
        **{
            "ticket": attempt.ticket,
            "outcome": Outcome.DECLINED,
            "reason_code": "customer_cancelled",
            "provider_code": "1032",
            "message": "The payer cancelled the request.",
            **facts,
        }
    )


def reload(intent_id: UUID) -> PaymentIntent:
    return PaymentIntent.objects.select_related("current_attempt").get(id=intent_id)
