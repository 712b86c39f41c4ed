"""The page of a ledger transaction: what it is, what it refers to, and what it only holds."""

from datetime import timedelta

from django.urls import reverse as url

from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import transactions
from apps.ledger.services import holds, reversals
from tests.factories import ledger
from tests.factories.ledger import NOW


def test_a_reversal_and_its_original_lead_to_each_other(story, enter):
    (booked,) = transactions.of_source("payment_intent", story.paid)
    turned = reversals.reverse(
        transaction_id=booked.uid,
        reason="Wrong branch",
        actor=SYSTEM,
        now=NOW,
        effective_date=booked.effective_date,
    )

    client = enter("owner")
    original, reversal = (
        client.get(url("portal-transaction", args=[uid])).content.decode() for uid in (booked.uid, turned.id)
    )

    assert f"Reversed by LT-{turned.number:07d}" in original
    assert url("portal-transaction", args=[turned.id]) in original
    assert f"Reverses {booked.number}" in reversal
    assert "Wrong branch" in reversal
    assert "waits for the next one" in reversal


def test_what_is_held_is_not_shown_as_moved(story, enter):
    branch = ledger.branch()
    payer, payee = (
        ledger.ref(role, branch.id) for role in (AccountRole.CUSTOMER_CREDIT, AccountRole.PROVIDER_BALANCE)
    )
    promise = holds.Promise(
        key=f"hold:{ids.new()}",
        description="Payout",
        source_type="payout",
        source_id=ids.new(),
        payer=payer,
        payee=payee,
        money=Money(5_00, "KES"),
        expires_at=NOW + timedelta(hours=1),
    )
    held = holds.place(promise=promise, actor=SYSTEM, now=NOW)

    (account,) = [leg.account_uid for leg in transactions.get(held.id).legs if leg.role == payer.role]
    client = enter("owner")
    shown = client.get(url("portal-transaction", args=[held.id])).content.decode()

    assert "Customer credit, held" in shown
    assert "Balanced" not in shown
    assert "Payout" not in client.get(url("portal-account", args=[account])).content.decode()
