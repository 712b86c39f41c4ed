"""Explain figures: from a balance to its entries, and from each to the approval or the provider's bytes, or to what is missing."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.integrations.models import ProviderCallback
from apps.kit import errors, ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account, Transaction
from apps.ledger.selectors import accounts, explanations, subjects
from apps.ledger.selectors.explanations import FactKind
from apps.ledger.services import reversals
from apps.payments.services import intents
from tests.factories import access, approvals, ledger, payments, refunds
from tests.operations.operate import operate
from tests.payments.conftest import deliver
from tests.payments.test_apply_callback import stk

NOW = payments.NOW
DAY = NOW.date()
LATER = NOW + timedelta(hours=1)


def paid() -> tuple[object, bytes]:
    """Return an attempt that a callback settled, and the bytes of the callback."""
    attempt = payments.waiting()
    body = json.dumps(stk(attempt.ticket, receipt=payments.receipt())).encode()
    assert deliver(attempt.callback_token, "collection", body) == "APPLIED"
    return payments.reloaded(attempt), body


def kinds(explanation: explanations.Explanation) -> list[str]:
    return [fact.kind.value for fact in explanation.facts]


def test_leads_from_the_balance_to_the_providers_bytes(acme):
    attempt, body = paid()
    account = accounts.get(Account.objects.get(role=AccountRole.UNAPPLIED_COLLECTIONS.value).uid)

    figure = explanations.figure(account, since=DAY, as_of=DAY)

    assert figure.formula == "KES 1,500.00 = KES 0.00 + KES 1,500.00 - KES 0.00"
    (line,) = figure.statement.lines
    explained = figure.explanations[line.transaction_uid]
    by_kind = {fact.kind: fact for fact in explained.facts}
    assert [fact.id for fact in explained.facts if fact.kind == FactKind.SUBJECT] == [
        attempt.intent_id,
        attempt.id,
    ]
    assert by_kind[FactKind.EVENT].text.startswith("payment_")
    assert by_kind[FactKind.CALLBACK].id == ProviderCallback.objects.get().id
    assert by_kind[FactKind.CALLBACK].sha256 == hashlib.sha256(body).hexdigest()
    assert explained.lack == ""


def test_a_refund_leads_to_its_approval(acme):
    refund = refunds.requested()
    request = approvals.waiting(subject_id=refund.id)
    approvals.approve(request, approvals.person())
    booked = ledger.post(
        ledger.transfer(
            ledger.ref(AccountRole.SUSPENSE, refund.branch_id),
            ledger.ref(AccountRole.PROVIDER_BALANCE, refund.branch_id),
            5,
            key=f"refund:{refund.id}",
            source_id=refund.intent_id,
        )
    )

    explained = explanations.transaction(booked.id)

    (approval,) = [fact for fact in explained.facts if fact.kind == FactKind.APPROVAL]
    assert (approval.id, approval.is_proof) == (request.id, True)
    assert [fact.id for fact in explained.facts if fact.kind == FactKind.SUBJECT] == [
        refund.intent_id,
        refund.attempt_id,
        refund.id,
    ]
    assert explained.lack == ""


def test_a_callback_that_could_not_be_read_proves_nothing(acme):
    attempt = payments.waiting()
    intents.settle(attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=NOW)
    assert deliver(attempt.callback_token, "collection", b"<html>") == "MALFORMED"

    (explained,) = explanations.without_evidence(as_of=DAY)

    assert "CALLBACK" in kinds(explained)


def test_a_request_that_waits_proves_nothing(acme, balance, unapplied):
    booked = ledger.post(ledger.transfer(balance, unapplied, 5, source_type="mystery"))
    approvals.waiting(subject_id=Transaction.objects.get().source_id)

    assert kinds(explanations.transaction(booked.id)) == ["APPROVAL"]
    assert "no approval" in explanations.transaction(booked.id).lack


def test_what_rests_on_nothing_is_listed_with_why(acme, balance, unapplied):
    paid()
    unknown = ledger.post(ledger.transfer(balance, unapplied, 1, source_type="mystery"))
    gone = ledger.post(ledger.transfer(balance, unapplied, 2))
    attempt = payments.waiting()
    intents.settle(attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=NOW)

    found = {own.number: own.lack for own in explanations.without_evidence(as_of=ledger.NOW.date())}

    assert found == {
        f"LT-{unknown.number:07d}": "No app knows what mystery is.",
        f"LT-{gone.number:07d}": "The payment_intent that it names does not exist.",
        f"LT-{Transaction.objects.order_by('-id')[0].id:07d}": (
            "Written by provider:provider; no approval and nothing from a provider stands behind it."
        ),
    }


def test_a_reversal_leads_to_what_it_takes_back(acme, balance, unapplied):
    original = ledger.post(ledger.transfer(balance, unapplied, 5))
    reversal = reversals.reverse(
        transaction_id=original.id, reason="Booked twice", effective_date=None, actor=SYSTEM, now=ledger.NOW
    )

    explained = explanations.transaction(reversal.id)

    assert (explained.reason, explained.lack) == ("Booked twice", "")
    assert explained.facts[0].text.startswith(f"LT-{original.number:07d}, ")


def test_a_journal_leads_to_its_voucher_and_the_approval(acme, balance, unapplied):
    facts = {"source_type": "journal", "reference": "JV-7", "reason": "Bank charges of October"}
    booked = ledger.post(ledger.transfer(balance, unapplied, 5, **facts))
    assert "no approval" in explanations.transaction(booked.id).lack
    request = approvals.waiting(subject_id=Transaction.objects.get().source_id)
    approvals.approve(request, approvals.person())

    explained = explanations.transaction(booked.id)

    assert explained.facts[0].text == "Voucher JV-7: Bank charges of October"
    assert (kinds(explained), explained.lack) == (["SUBJECT", "APPROVAL"], "")


def test_explains_many_in_a_fixed_number_of_queries(acme):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            explanations.explain(Transaction.objects.all())
        return len(captured)

    paid()
    one = queries()
    for _ in range(3):
        paid()

    assert queries() == one


def test_a_transaction_of_another_branch_is_not_found(acme, balance, unapplied):
    booked = ledger.post(ledger.transfer(balance, unapplied, 5))
    reader = access.member("accountant", "juma@example.test", branches=(ledger.branch(),)).user

    with pytest.raises(errors.NotFound):
        explanations.transaction(booked.id, reader)
    assert list(explanations.without_evidence(as_of=ledger.NOW.date(), caller=reader)) == []


def test_a_source_type_has_one_reader():
    with pytest.raises(subjects.DeclaredTwice):
        subjects.declare_subjects("ledger_period", lambda _: {})


def test_operators_ask_by_account_by_transaction_or_for_what_is_missing(acme):
    paid()
    number = Transaction.objects.get().number
    connection.set_schema_to_public()

    by_account = operate("ledger", "explain", "2110", "--tenant", "acme", "--as-of", DAY.isoformat())
    by_number = operate("ledger", "explain", number, "--tenant", "acme", "--json")
    missing = operate("ledger", "explain", "--tenant", "acme")
    unknown = operate("ledger", "explain", "9999", "--tenant", "acme")

    assert "KES 1,500.00 = KES 0.00 + KES 1,500.00 - KES 0.00" in by_account.out
    assert number in by_account.out
    assert {row["rests_on"] for row in by_number.document["rows"]} == {"subject", "event", "callback"}
    assert (missing.code, missing.out) == (0, "acme: something proves every transaction\n")
    assert unknown.code == 2


def test_operators_are_told_what_is_missing(acme, balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 1, source_id=ids.new()))
    connection.set_schema_to_public()

    missing = operate("ledger", "explain", "--tenant", "acme")

    assert missing.code == 1
    assert "does not exist" in missing.out
