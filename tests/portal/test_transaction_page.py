"""The page of a ledger transaction: what it is, what it refers to, what it only holds, and its proof."""

import json
from datetime import timedelta

from django.test import Client
from django.urls import reverse as url

from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import transactions
from apps.ledger.services import holds, reversals, seals
from tests.conftest import owner
from tests.factories import access, ledger
from tests.factories.ledger import NOW
from tests.portal.conftest import HOST


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


def test_the_proof_is_downloaded_and_is_that_of_the_api_byte_for_byte(story, enter, in_organisation):
    (booked,) = transactions.of_source("payment_intent", story.paid)
    secret = access.issued().secret
    client = enter("auditor")
    page, file = url("portal-transaction", args=[booked.uid]), url("portal-proof", args=[booked.uid])
    assert file not in client.get(page).content.decode()
    in_organisation("acme")
    seals.run(now=NOW + timedelta(hours=1))

    shown = client.get(page).content.decode()
    proof = client.get(file)
    over_the_api = Client(headers={"host": HOST, **access.bearer(secret)}).get(
        f"/v1/acme/ledger/transactions/{ids.encode('ltx', booked.uid)}/proof"
    )

    assert file in shown
    assert f"tools/verify_proof.py proof-{booked.number}.json" in shown
    assert proof.headers["Content-Disposition"] == f'attachment; filename="proof-{booked.number}.json"'
    assert proof.headers["Content-Type"] == over_the_api.headers["Content-Type"] == "application/json"
    assert proof.content == over_the_api.content
    assert json.loads(proof.content)["type"] == "treasury.proof/1"


def test_before_the_seal_it_says_when_the_proof_is_ready(story, enter):
    (booked,) = transactions.of_source("payment_intent", story.paid)

    answer = enter("owner").get(url("portal-proof", args=[booked.uid]))

    assert answer.status_code == 409
    assert f"{booked.number} is not sealed yet" in answer.content.decode()
    assert "two minutes" in answer.content.decode()


def test_a_transaction_that_was_tampered_with_is_said_loudly(committed_acme, enter):
    branch = ledger.branch()
    refs = [ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE)]
    booked = ledger.post(ledger.transfer(*refs, 5))
    seals.run(now=NOW + timedelta(hours=1))
    with owner() as database:
        database.execute("ALTER TABLE org_acme.ledger_transaction DISABLE TRIGGER USER")
        database.execute("UPDATE org_acme.ledger_transaction SET description = 'Payment, somebody else'")
        database.execute("ALTER TABLE org_acme.ledger_transaction ENABLE TRIGGER USER")

    answer = enter("owner").get(url("portal-proof", args=[booked.id]))

    html = answer.content.decode()
    assert answer.status_code == 500
    assert f"LT-{booked.number:07d} is not what was sealed" in html
    assert "operators of the platform" in html
    assert "merkle" not in html.lower()
    assert "Content-Disposition" not in answer.headers


def test_a_proof_is_given_only_to_who_sees_the_transaction(story, enter, in_organisation):
    (booked,) = transactions.of_source("payment_intent", story.paid)
    seals.run(now=NOW + timedelta(hours=1))
    file = url("portal-proof", args=[booked.uid])

    support = enter("support", email="support@example.test")
    assert support.get(file).status_code == 403
    assert Client(headers={"host": HOST}).get(file).status_code == 302
    in_organisation("acme")
    clerk = enter("accountant", email="cbd@example.test", branches=(story.other_branch,))
    assert clerk.get(file).status_code == 404
