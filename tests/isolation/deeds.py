"""What an owner sends to each writing endpoint so that it succeeds, and the row that it is about, made for the occasion."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.approvals.services import delegations
from apps.events.services import webhook_endpoints
from apps.integrations.models import ProviderAccount
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import JOURNAL, PERIOD_REOPEN, AccountRef, AccountRole
from apps.ledger.models import Period
from apps.ledger.services import holds
from apps.payments.services import attempts, dispute_evidence
from tests.factories import (
    access,
    approvals,
    disputes,
    fx,
    jobs,
    ledger,
    parties,
    payments,
    periods,
    refunds,
    routing,
    saved_methods,
    transfers,
)
from tests.isolation.twins import CANARY
from tests.ledger.test_adjust_books import prepare

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
"""When everything in the matrix is asked: acme is a test organisation, so its ledger takes any time."""
REFERENCE = f"{CANARY['acme']}-deed"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: the body, the row in the path, and who made the key where that matters."""

    body: Mapping[str, Any] = field(default_factory=dict)
    row: UUID | None = None
    issuer: UUID | None = None


type Deed = Callable[[], Sent]


def says(**body: Any) -> Deed:
    """Return the deed that sends a body about no row, or about the one that the twins have."""
    return lambda: Sent(body)


NOTHING = says()


def kes(amount: str = "10.00") -> dict[str, str]:
    return {"amount": amount, "currency": "KES"}


def of_party(**facts: Any) -> str:
    return ids.encode("pty", parties.party(display_name=CANARY["acme"], **facts).id)


# API keys


def spare_key() -> Sent:
    return Sent(row=access.issued(("payments:read",)).key.id)


def bound_key() -> Sent:
    return Sent({"allowed_networks": ["127.0.0.1"]}, access.issued(("payments:read",)).key.id)


# Approvals


def _asked(deed: str, **body: Any) -> Sent:
    """A person of the team has asked, and the key is that of another one; to withdraw, it is his own."""
    request = approvals.waiting(summary=CANARY["acme"])
    person = approvals.maker() if deed == "withdraw" else approvals.person()
    hashed = {} if deed == "withdraw" else {"payload_hash": request.payload_hash}
    return Sent({**hashed, **body}, request.id, UUID(person.person))


def approve() -> Sent:
    return _asked("approve")


def refuse() -> Sent:
    return _asked("refuse", reason="The payer got the goods")


def withdraw() -> Sent:
    return _asked("withdraw", reason="Not needed any more")


def rule() -> Sent:
    body = {"kind": "refund", "minimum": kes("10000.00"), "steps": [{"roles": ["owner", "approver"]}]}
    return Sent(body, issuer=UUID(approvals.person("boss", "controller").person))


def spare_rule() -> Sent:
    return Sent(row=approvals.rule(branch_id=access.head_office().id).id, issuer=rule().issuer)


def other_rule() -> Sent:
    return Sent(rule().body, spare_rule().row, rule().issuer)


def amended_rule() -> Sent:
    boss = approvals.person("boss", "controller")
    request = approvals.rule_change(by=boss, branch_id=access.head_office().id)
    return Sent(rule().body, request.id, UUID(boss.person))


def new_delegation() -> Sent:
    giver, colleague = approvals.person("giver", "controller"), approvals.person("colleague")
    assert colleague.person
    body = {
        "delegate": "colleague@example.test",
        "starts_at": NOW.isoformat(),
        "ends_at": (NOW + timedelta(days=2)).isoformat(),
        "reason": CANARY["acme"],
    }
    return Sent(body, issuer=UUID(giver.person))


def delegation() -> Sent:
    asked = new_delegation()
    giver, colleague = approvals.person("giver", "controller"), approvals.person("colleague")
    made = delegations.create(
        delegation=delegations.NewDelegation(
            delegate_id=approvals.member_of(colleague).id,
            starts_at=NOW,
            ends_at=NOW + timedelta(days=2),
            reason=CANARY["acme"],
            application_id=access.application().id,
        ),
        actor=giver,
        now=NOW,
    )
    return Sent(row=made.id, issuer=asked.issuer)


# Jobs and webhooks


def spare_job() -> Sent:
    shop = access.application().id
    return Sent(
        row=jobs.waiting(
            title=CANARY["acme"],
            application_id=shop,
            application_ids=frozenset({shop}),
            branch_ids=frozenset({access.head_office().id}),
        ).id
    )


def silenced_endpoint() -> Sent:
    made = webhook_endpoints.create(
        url="https://shop.example.com/hooks",
        application_id=access.application().id,
        branch_id=access.head_office().id,
        description=CANARY["acme"],
        actor=SYSTEM,
        now=NOW,
    ).endpoint
    webhook_endpoints.disable(endpoint_id=made.id, actor=SYSTEM, now=NOW)
    return Sent(row=made.id)


# Ledger


def transfer(**facts: Any) -> dict[str, Any]:
    legs = [
        {"direction": "debit", "role": "merchant_payable", "owner_id": of_party(), "amount": kes()},
        {"direction": "credit", "role": "rider_payable", "owner_id": of_party(), "amount": kes()},
    ]
    return {"description": CANARY["acme"], "legs": legs, **facts}


def post() -> Sent:
    return Sent(transfer())


def post_batch() -> Sent:
    return Sent({"transactions": [transfer(key="matrix-1")]})


def _own_key(name: str) -> str:
    """Return a key of the ledger that belongs to the shop."""
    return f"api:{access.application().id}:{name}"


def _sides() -> tuple[AccountRef, AccountRef]:
    office = access.head_office().id
    names = {"name": CANARY["acme"]}
    return (
        ledger.ref(AccountRole.CUSTOMER_DEPOSIT, office, owner_id=ids.decode("pty", of_party()), **names),
        ledger.ref(AccountRole.RIDER_PAYABLE, office, owner_id=ids.decode("pty", of_party()), **names),
    )


def reverse() -> Sent:
    booked = ledger.post(ledger.transfer(*_sides(), 10_00, key=_own_key("reverse")), now=NOW)
    return Sent({"reason": CANARY["acme"]}, booked.id)


def hold() -> Sent:
    payer, payee = ({"role": role, "owner_id": of_party()} for role in ("customer_deposit", "rider_payable"))
    return Sent({"description": CANARY["acme"], "payer": payer, "payee": payee, "amount": kes()})


def _held() -> UUID:
    payer, payee = _sides()
    promise = holds.Promise(
        key=_own_key("hold"),
        description=CANARY["acme"],
        source_type="partner",
        source_id=access.application().id,
        payer=payer,
        payee=payee,
        money=Money(10_00, "KES"),
    )
    return holds.place(promise=promise, actor=SYSTEM, now=NOW).id


def capture() -> Sent:
    return Sent({"amount": kes("4.00")}, _held())


def release() -> Sent:
    return Sent({"reason": "Ride was short"}, _held())


def exchange() -> Sent:
    owner, office = of_party(), access.head_office().id
    ref = ledger.ref(AccountRole.CUSTOMER_DEPOSIT, office, "USD", owner_id=ids.decode("pty", owner))
    ledger.post(ledger.transfer(fx.bank("USD", office), ref, 500_00), now=NOW)
    deposit = {"role": "customer_deposit", "owner_id": owner}
    give = {"amount": "100.00", "currency": "USD"}
    return Sent(
        {
            "give": give,
            "get_currency": "KES",
            "source": deposit,
            "target": deposit,
            "reference": CANARY["acme"],
        }
    )


def rate() -> Sent:
    said = {"rate": "130", "as_of": "2026-11-24T06:30:00Z", "source": "Our bank"}
    return Sent({"base": "EUR", "quote": "KES", **said})


def _any_deed_needs_an_approver(kind: str) -> None:
    approvals.rule(kind=kind, currency="", minimum_minor=None, steps=approvals.ONE_APPROVER)


def journal() -> Sent:
    _any_deed_needs_an_approver(JOURNAL.name)
    debited, credited = (ids.encode("acc", account.uid) for account in prepare())
    lines = [
        {"account_id": debited, "direction": "debit", "amount": kes()},
        {"account_id": credited, "direction": "credit", "amount": kes()},
    ]
    return Sent(
        {
            "voucher": "JV-1",
            "description": CANARY["acme"],
            "reason": "Paid by cheque",
            "effective_date": "2026-11-24",
            "lines": lines,
        }
    )


def _january() -> Period:
    return Period.objects.earliest("start_date")


def sign_off() -> Sent:
    return Sent({"kind": "reconciliation", "note": CANARY["acme"]}, _january().uid)


def close() -> Sent:
    period = _january()
    periods.make_ready(period, now=NOW)
    return Sent(row=period.uid)


def reopen() -> Sent:
    _any_deed_needs_an_approver(PERIOD_REOPEN.name)
    period = periods.close(_january(), now=NOW)
    return Sent({"reason": CANARY["acme"]}, period.uid)


# Payments


def pay() -> Sent:
    payer = {"phone": "0712 345 678", "name": CANARY["acme"]}
    return Sent({"amount": kes("1500.00"), "method": "mpesa", "payer": payer, "reference": REFERENCE})


def bulk() -> Sent:
    return Sent({"payments": [{**pay().body}]})


def provider_account() -> Sent:
    secrets = dict.fromkeys(("consumer_key", "consumer_secret", "passkey"), "secret")
    return Sent(
        {
            "provider": "mpesa",
            "label": CANARY["acme"],
            "environment": "sandbox",
            "base_url": "https://sandbox.safaricom.co.ke",
            "short_code": "600777",
            "branch_id": ids.encode("br", access.branch("NBO-FAR", "Far away").id),
            "minimum": kes("1.00"),
            "maximum": kes("1000.00"),
            "credentials": secrets,
        }
    )


def circuit() -> Sent:
    return Sent({"kind": "qr", "reason": "The provider asks for it"})


def error_rule() -> Sent:
    return Sent({"provider": "mpesa", "flow": "refund", "code": CANARY["acme"], "reason_code": "expired"})


def routing_rule() -> Sent:
    account = ProviderAccount.objects.order_by("id")[0]
    targets = [{"account_id": ids.encode("pac", account.id)}]
    return Sent({"name": CANARY["acme"], "position": 20, "targets": targets})


def spare_routing_rule() -> Sent:
    account = ProviderAccount.objects.order_by("id")[0]
    row = routing.rule(account, name=CANARY["acme"], position=20)
    return Sent({"reason": "Not needed any more"}, row.id)


def other_routing_rule() -> Sent:
    return Sent(routing_rule().body, spare_routing_rule().row)


def unconfirmed() -> Sent:
    return Sent(row=payments.intent(reference=REFERENCE, is_confirmed=False).id)


def lost() -> Sent:
    attempt = payments.sending(reference=REFERENCE)
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)
    return Sent({"receipt": "NLJ7RT61SV"}, attempt.intent_id)


def save_method() -> Sent:
    body = {
        "method": "card",
        "currency": "USD",
        "payer": {"reference": CANARY["acme"]},
        "consent": {
            "text": "My card may be charged.",
            "use": "off_session",
            "given_at": "2026-11-24T07:00:00Z",
        },
        "return_url": "https://shop.example.test/saved",
    }
    return Sent(body)


def saved_method() -> Sent:
    return Sent(row=saved_methods.asked(payer_reference=CANARY["acme"]).id)


def connect() -> Sent:
    party = transfers.merchant(display_name=CANARY["acme"], external_id=ids.token()[:8])
    body = {"currency": "USD", "country": "KE", "return_url": "https://shop.example.test/connected"}
    return Sent({"party_id": ids.encode("pty", party.id), **body})


def pay_party() -> Sent:
    account = transfers.enabled(transfers.merchant(display_name=CANARY["acme"]))
    amount = {"amount": "40.00", "currency": "USD"}
    told = {"amount": amount, "reference": CANARY["acme"]}
    return Sent({"connected_account_id": ids.encode("ca", account.id), **told})


def unknown_transfer() -> UUID:
    """Return a transfer of which the provider told another sum."""
    account = transfers.enabled(transfers.merchant(display_name=CANARY["acme"]))
    return transfers.contradicted(account, reference=CANARY["acme"]).id


def made_transfer() -> Sent:
    account = transfers.enabled(transfers.merchant(display_name=CANARY["acme"]))
    return Sent({"reason": CANARY["acme"]}, transfers.made(account, reference=CANARY["acme"]).id)


def refund() -> Sent:
    paid = refunds.paid(reference=REFERENCE)
    return Sent({"payment_id": ids.encode("pi", paid.intent_id), "reason": CANARY["acme"]})


def paid() -> UUID:
    """Return a payment that can go back."""
    return refunds.paid(reference=f"{REFERENCE}-paid").intent_id


def evidence_file() -> Sent:
    content = base64.b64encode(disputes.PDF).decode()
    return Sent({"purpose": "receipt", "name": f"{CANARY['acme']}.pdf", "content": content})


def disputed() -> Sent:
    row = disputes.opened(refunds.paid(reference=REFERENCE), now=NOW, provider_reason=CANARY["acme"])
    return Sent({"reason": CANARY["acme"]}, row.id)


def drafted_dispute() -> Sent:
    row = disputes.opened(refunds.paid(reference=REFERENCE), now=NOW, provider_reason=CANARY["acme"])
    dispute_evidence.write(dispute_id=row.id, texts={"text": REFERENCE}, actor=SYSTEM, now=NOW)
    return Sent(row=row.id)


def held() -> Sent:
    inbound = payments.held(reference=CANARY["acme"])
    unpaid = payments.intent(reference=REFERENCE)
    return Sent({"payment_id": ids.encode("pi", unpaid.id), "reason": CANARY["acme"]}, inbound.id)


def lost_refund() -> Sent:
    paid = refunds.paid(reference=REFERENCE)
    return Sent({"receipt": "NLR7RT61SV"}, refunds.unknown(paid).id)
