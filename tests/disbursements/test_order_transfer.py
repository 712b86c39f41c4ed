"""Order transfer: what is owed is paid once, what is not made is owed again, and what is refused writes nothing."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import requests
from apps.audit.models import AuditRecord
from apps.disbursements import subscribers
from apps.disbursements.contracts import TransferStatus
from apps.disbursements.models import Transfer, TransferReversal
from apps.disbursements.services import orders, transfer_limits, transfer_reversals, transfers
from apps.events.models import OutboxEvent
from apps.integrations.ports import ConnectStatus, TransferReport
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from tests.factories import access, approvals
from tests.factories import transfers as made
from tests.factories.transfers import NOW, USD_40, USD_100
from tests.payments.conftest import balance

USD_60, NOTHING = Money(60_00, "USD"), Money.zero("USD")


def books() -> tuple[Money, Money, Money]:
    """Return what is owed to merchants, what is on its way to them, and what the provider holds for us."""
    roles = AccountRole.MERCHANT_PAYABLE, AccountRole.PAYOUTS_IN_TRANSIT, AccountRole.PROVIDER_BALANCE
    owed, in_transit, held = (balance(role, "USD") for role in roles)
    return owed, in_transit, held


def told(row) -> list[str]:
    found = OutboxEvent.objects.filter(aggregate_id=row.id).order_by("aggregate_version")
    return list(found.values_list("type", flat=True))


def report(transfer, **facts) -> TransferReport:
    return TransferReport(**{"ticket": f"tr_{transfer.code}", "money": transfer.money, **facts})


def test_books_it_as_on_its_way_and_then_as_made_once(acme):
    transfer = made.ordered()
    assert (transfer.status, books()) == (TransferStatus.REQUESTED, (USD_60, USD_40, NOTHING))
    transfer.begin(at=NOW)
    transfer.save_progress()

    for _ in range(2):
        orders.record(transfers.KIND, order_id=transfer.id, report=report(transfer), now=NOW)

    transfer = made.again(transfer)
    assert (transfer.status, transfer.ticket) == (TransferStatus.SUCCEEDED, f"tr_{transfer.code}")
    assert books() == (USD_60, NOTHING, -USD_40)
    assert told(transfer) == ["transfer_requested", "transfer_succeeded"]


def test_another_sum_than_was_asked_for_is_booked_by_nobody(acme):
    transfer = made.sending()

    orders.record(transfers.KIND, order_id=transfer.id, report=report(transfer, money=USD_60), now=NOW)

    assert made.again(transfer).status == TransferStatus.UNKNOWN
    assert books() == (USD_60, USD_40, NOTHING)


def refuse(account, code: str, pointer: str, **facts) -> None:
    with pytest.raises(transfer_limits.TransferRefused) as refused, transaction.atomic():
        transfers.order(request=made.wanted(account, **facts), actor=SYSTEM, now=NOW)
    assert (refused.value.code, refused.value.errors[0].pointer) == (code, pointer)


def test_refuses_what_the_account_or_the_books_do_not_allow_and_writes_nothing(acme):
    account = made.enabled()
    before = Transaction.objects.count(), OutboxEvent.objects.count()
    elsewhere = access.branch()

    refuse(account, "transfer_not_owed", "/amount", money=Money(100_01, "USD"))
    refuse(account, "transfer_not_owed", "/amount", branch_id=elsewhere.id)
    refuse(account, "transfer_currency_wrong", "/amount", money=Money(1_00, "KES"))
    refuse(account, "transfer_too_small", "/amount", money=NOTHING)
    refuse(account, "reference_missing", "/reference", reference=" ")
    made.stands(account, ConnectStatus.RESTRICTED, needs=("external_account",))
    refuse(account, "connected_account_not_enabled", "/connected_account_id")

    assert not Transfer.objects.exists()
    assert (Transaction.objects.count(), OutboxEvent.objects.count()) == (before[0], before[1] + 1)


def test_the_same_asking_makes_one_transfer(acme):
    account, nonce = made.enabled(), ids.new()

    first, second = (made.ordered(account, nonce=nonce) for _ in range(2))

    assert first.id == second.id
    assert books()[0] == USD_60


def test_the_same_sum_for_the_same_reference_within_a_day_is_refused_unless_it_is_meant(acme):
    account = made.enabled()
    once = {"money": Money(10_00, "USD"), "force": False}
    made.ordered(account, **once)
    before = books()

    refuse(account, "duplicate_suspected", "/force", **once)
    refuse(account, "duplicate_suspected", "/force", **once, reference=" week-47 ")

    assert (Transfer.objects.count(), books()) == (1, before)
    made.ordered(account, **once, reference="week-48")
    made.ordered(account, **{**once, "money": Money(11_00, "USD")})
    made.ordered(account, **{**once, "force": True})
    (forced,) = AuditRecord.objects.filter(action="transfer.requested", changes__has_key="force")
    assert forced.changes["force"] == [None, True]
    Transfer.objects.update(created_at=NOW - timedelta(hours=24))
    made.ordered(account, **once)
    assert Transfer.objects.count() == 5


def test_what_was_not_made_or_was_taken_back_is_no_repeat(acme):
    account = made.enabled()
    failed = made.ordered(account)
    made.stands(account, ConnectStatus.RESTRICTED, needs=("external_account",))
    transfers.send(transfer_id=failed.id, now=NOW)
    made.stands(account, ConnectStatus.ENABLED)
    assert made.again(failed).status == TransferStatus.FAILED
    back = made.made(account, force=False)
    refuse(account, "duplicate_suspected", "/force", force=False)
    Transfer.objects.filter(id=back.id).update(reversed_minor=back.amount_minor)

    again = made.ordered(account, force=False)

    assert again.status == TransferStatus.REQUESTED


def waiting() -> Transfer:
    approvals.rule(kind="transfer", currency="USD", minimum_minor=10_00)
    request = made.wanted(made.enabled())
    return transfers.order(request=request, actor=approvals.maker(), now=NOW)


def decide(transfer: Transfer, **facts) -> Transfer:
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=transfer.approval_id)
    transfers.decide(decided=replace(Decided.read(event.data), **facts), now=NOW)
    return made.again(transfer)


def test_over_a_limit_other_people_decide_first(acme):
    transfer = waiting()
    assert (transfer.status, books()) == (TransferStatus.AWAITING_APPROVAL, (USD_60, USD_40, NOTHING))
    request = ApprovalRequest.objects.get(id=transfer.approval_id)
    requests.approve(
        request_id=request.id, payload_hash=request.payload_hash, actor=approvals.person(), now=NOW
    )

    transfer = decide(transfer)

    assert transfer.status == TransferStatus.REQUESTED
    assert transfer.next_request_at == NOW


def test_what_they_refuse_or_approved_otherwise_is_owed_again(acme):
    transfer = waiting()
    request = ApprovalRequest.objects.get(id=transfer.approval_id)
    asked = {"request_id": request.id, "payload_hash": request.payload_hash}
    requests.refuse(**asked, reason="Not this week.", actor=approvals.person(), now=NOW)
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=transfer.approval_id)

    for _ in range(2):
        subscribers.execute_approval(event)

    transfer = made.again(transfer)
    assert (transfer.status, transfer.failure_code) == (TransferStatus.CANCELLED, "approval_refused")
    assert books() == (USD_100, NOTHING, NOTHING)
    assert told(transfer) == ["transfer_requested", "transfer_cancelled"]


def test_takes_parts_back_and_never_more_than_was_transferred(acme):
    transfer = made.made()
    asked = {"transfer_id": transfer.id, "reason": "Paid twice.", "actor": SYSTEM, "now": NOW}

    transfer_reversals.reverse(money=Money(25_00, "USD"), **asked)
    for money, code in (
        (Money(15_01, "USD"), "transfer_reversal_too_large"),
        (Money(1, "KES"), "transfer_reversal_too_large"),
        (NOTHING, "transfer_too_small"),
    ):
        with pytest.raises(transfer_limits.TransferRefused) as refused:
            transfer_reversals.reverse(money=money, **asked)
        assert refused.value.code == code
    with pytest.raises(transfer_limits.ReversalReasonMissing):
        transfer_reversals.reverse(money=None, **asked | {"reason": " "})
    transfer_reversals.reverse(money=None, **asked)
    with pytest.raises(transfer_limits.NotReversible):
        transfer_reversals.reverse(money=None, **asked)
    for part in TransferReversal.objects.order_by("number"):
        part.begin(at=NOW)
        part.save_progress()
        came = TransferReport(f"trr_{part.code}", part.money)
        for _ in range(2):
            orders.record(transfer_reversals.KIND, order_id=part.id, report=came, now=NOW)

    transfer = made.again(transfer)
    assert (transfer.reversed, transfer.reversing) == (USD_40, NOTHING)
    assert books() == (USD_100, NOTHING, NOTHING)
    assert told(transfer)[-2:] == ["transfer_reversed", "transfer_reversed"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Transfer.objects.filter(id=transfer.id).update(reversing_minor=1)


def test_two_at_once_take_no_more_than_is_owed_and_two_reversals_no_more_than_was_made(committed_acme):
    account = made.enabled(owed=USD_60)
    answers = at_once(lambda: made.ordered(account))

    assert sorted(type(answer).__name__ for answer in answers) == ["NotOwed", "Transfer"]
    assert books() == (Money(20_00, "USD"), USD_40, NOTHING)
    [transfer] = Transfer.objects.all()
    transfer.begin(at=NOW)
    transfer.save_progress()
    came = report(transfer)
    at_once(lambda: orders.record(transfers.KIND, order_id=transfer.id, report=came, now=NOW))
    assert books() == (Money(20_00, "USD"), NOTHING, -USD_40)
    asked = {"transfer_id": transfer.id, "money": Money(30_00, "USD"), "reason": "Twice.", "now": NOW}
    answers = at_once(lambda: transfer_reversals.reverse(actor=SYSTEM, **asked))
    assert sorted(type(answer).__name__ for answer in answers) == ["ReversalTooLarge", "Transfer"]


def test_two_at_once_for_one_reference_are_one_transfer(committed_acme):
    account = made.enabled()

    answers = at_once(lambda: made.ordered(account, force=False))

    assert sorted(type(answer).__name__ for answer in answers) == ["DuplicateSuspected", "Transfer"]
    assert books()[0] == USD_60


def at_once(call) -> list:
    """Make a call from two connections at once and return both answers, refusals included."""
    organisation, gate, answers = connection.tenant, threading.Barrier(2), []

    def run() -> None:
        connection.set_tenant(organisation)
        try:
            gate.wait(10)
            answers.append(call())
        except transfer_limits.TransferRefused as refusal:
            answers.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("disbursements_transfer", "amount_minor = 1"),
        ("disbursements_transfer", "status = 'FAILED', succeeded_at = NULL"),
        ("disbursements_transfer", "ticket = 'tr_other'"),
        ("disbursements_connectedaccount", "ticket = 'acct_other'"),
        ("disbursements_connectedaccount", "country = 'UG'"),
    ],
)
def test_the_database_keeps_what_was_asked_for_and_what_became_of_it(acme, table, change):
    made.made()

    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change}")
