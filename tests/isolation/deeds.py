"""
What an owner sends to each writing endpoint so that it succeeds, and the row that it is about, made for the occasion; to those of
the ledger: ``ledger_deeds``.
"""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.approvals.services import delegations
from apps.events.services import webhook_endpoints
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import DisputeStage
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.payments.services import attempts, dispute_evidence
from tests.factories import (
    access,
    approvals,
    disputes,
    jobs,
    payments,
    refunds,
    routing,
    saved_methods,
    transfers,
)
from tests.isolation.sending import NOW, REFERENCE, Sent, kes
from tests.isolation.twins import CANARY

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


def unknown_account() -> UUID:
    """Return a connected account of which nobody knows whether it was opened."""
    return transfers.unknown(transfers.merchant(display_name=CANARY["acme"])).id


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


def lost_dispute() -> Sent:
    """Return a dispute whose loss may be appealed, with something written down for that."""
    paid = refunds.paid(reference=f"{REFERENCE}-lost")
    told = {"ticket": f"du_{CANARY['acme']}-lost", "provider_reason": CANARY["acme"]}
    row = disputes.opened(paid, now=NOW, stage=DisputeStage.LOST, may_appeal=True, **told)
    dispute_evidence.write(dispute_id=row.id, texts={"text": REFERENCE}, actor=SYSTEM, now=NOW)
    return Sent(row=row.id)


def held() -> Sent:
    inbound = payments.held(reference=CANARY["acme"])
    unpaid = payments.intent(reference=REFERENCE)
    return Sent({"payment_id": ids.encode("pi", unpaid.id), "reason": CANARY["acme"]}, inbound.id)


def lost_refund() -> Sent:
    paid = refunds.paid(reference=REFERENCE)
    return Sent({"receipt": "NLR7RT61SV"}, refunds.unknown(paid).id)
