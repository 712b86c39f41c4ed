"""Issue receipt."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import translation

from apps.documents.contracts import PDF, ArtifactKind
from apps.documents.services import artifacts
from apps.events.models import OutboxEvent
from apps.invoicing import rendering
from apps.invoicing.contracts import SOURCE_TYPE, DocumentType
from apps.invoicing.models import Document, NumberSeries
from apps.invoicing.selectors import receipts as known
from apps.invoicing.services import number_series, receipts
from apps.kit import ids, storage
from apps.kit.models import InsertOnlyViolation
from apps.kit.money import Money
from tests.factories import access
from tests.factories import payments as factory

NOW = datetime(2026, 12, 31, 21, 30, tzinfo=UTC)
"""Half past midnight of the next year in Nairobi."""


def paid(attempt, **facts):
    return receipts.PaidPayment(
        **{
            "intent_id": attempt.intent_id,
            "attempt_id": attempt.id,
            "branch_id": attempt.branch_id,
            "application_id": attempt.application_id,
            "money": Money(1500_00, "KES"),
            "payer_name": "Njeri Kamau",
            "payer_phone": "+254712345678",
            "method": "mpesa",
            "provider_receipt": "NLJ7RT61SV",
            "reference": "INV-1",
            "description": "Catering",
            "paid_at": NOW,
            **facts,
        }
    )


def test_numbers_by_branch_and_local_year(acme):
    factory.account()
    first = receipts.issue(payment=paid(factory.sending()), now=NOW)
    second = receipts.issue(payment=paid(factory.sending()), now=NOW)

    assert [first.number[-10:], second.number[-10:]] == ["2027-00001", "2027-00002"]
    assert first.organisation_name == "Acme"
    event = OutboxEvent.objects.get(type="receipt_issued", aggregate_id=first.id)
    assert event.data["object"]["number"] == first.number


def test_issues_one_receipt_for_a_payment(acme):
    factory.account()
    attempt = factory.sending()

    first = receipts.issue(payment=paid(attempt), now=NOW)
    second = receipts.issue(payment=paid(attempt, payer_name="Somebody else"), now=NOW)

    assert second.id == first.id
    assert Document.objects.get().payer_name == "Njeri Kamau"
    assert OutboxEvent.objects.filter(type="receipt_issued").count() == 1


def test_issues_many_at_once_in_their_order_and_none_where_one_fails(acme):
    factory.account()
    other = access.branch()
    attempts = [factory.sending() for _ in range(4)]
    before = receipts.issue(payment=paid(attempts[0]), now=NOW)
    of_other = paid(attempts[1], branch_id=other.id)

    issued = receipts.issue_batch(
        payments=[paid(attempts[2]), of_other, paid(attempts[0]), paid(attempts[3])], now=NOW
    )

    assert [receipt.attempt_id for receipt in issued] == [attempts[place].id for place in (2, 1, 0, 3)]
    assert [receipt.series_number for receipt in issued] == [2, 1, 1, 3]
    assert issued[2] == before
    assert OutboxEvent.objects.filter(type="receipt_issued").count() == Document.objects.count() == 4

    late = [paid(factory.sending()), paid(factory.sending(), money=Money(0, "KES"))]
    with pytest.raises(IntegrityError), transaction.atomic():
        receipts.issue_batch(payments=late, now=NOW)
    assert receipts.issue(payment=late[0], now=NOW).series_number == 4


def test_gives_the_number_back_when_nothing_is_kept(acme):
    factory.account()
    with pytest.raises(RuntimeError):
        issue_and_fail()

    assert not Document.objects.exists()
    assert receipts.issue(payment=paid(factory.sending()), now=NOW).series_number == 1


@transaction.atomic
def issue_and_fail():
    receipts.issue(payment=paid(factory.sending()), now=NOW)
    raise RuntimeError("a later step fails")


def test_numbers_without_gaps_from_many_connections(committed_acme):
    factory.account()
    attempts = [factory.sending() for _ in range(8)]

    def issue(attempt):
        connection.set_tenant(committed_acme)
        receipts.issue(payment=paid(attempt), now=NOW)
        connection.close()

    threads = [threading.Thread(target=issue, args=[attempt]) for attempt in attempts for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(Document.objects.values_list("series_number", flat=True)) == list(range(1, 9))
    assert NumberSeries.objects.get().last_number == 8


def test_a_receipt_is_never_changed(acme):
    factory.account()
    receipt = receipts.issue(payment=paid(factory.sending()), now=NOW)
    receipt.payer_name = "Somebody else"
    with pytest.raises(InsertOnlyViolation):
        receipt.save()
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("UPDATE invoicing_document SET payer_name = ''")


def test_renders_once_and_announces_it(acme):
    factory.account()
    receipt = receipts.issue(payment=paid(factory.sending()), now=NOW)

    first = receipts.render(receipt_id=receipt.id, now=NOW)
    second = receipts.render(receipt_id=receipt.id, now=NOW)

    assert second == first
    assert known.file_of(receipt) == first
    event = OutboxEvent.objects.get(type="receipt_rendered")
    assert event.data["file"]["sha256"] == first.sha256


def test_keeps_nothing_of_a_receipt_that_could_not_be_stored(acme, storage_away):
    factory.account()
    receipt = receipts.issue(payment=paid(factory.sending()), now=NOW)
    storage_away.begin()

    with pytest.raises(storage.StorageUnavailable):
        receipts.render(receipt_id=receipt.id, now=NOW)

    assert known.file_of(receipt) is None
    assert not OutboxEvent.objects.filter(type="receipt_rendered").exists()


def test_takes_over_what_a_process_that_died_had_stored(acme, each_storage):
    factory.account()
    receipt = receipts.issue(payment=paid(factory.sending()), now=NOW)
    left = artifacts.upload(
        kind=ArtifactKind.RECEIPT_PDF,
        content=b"%PDF half of what was to come",
        content_type=PDF,
        source_type=SOURCE_TYPE,
        source_id=receipt.id,
        now=NOW,
    )

    file = receipts.render(receipt_id=receipt.id, now=NOW)

    assert file.sha256 != left.stored.sha256
    assert artifacts.read(file_id=file.id).startswith(b"%PDF-1")


def test_prints_what_is_known_and_escapes_names(acme):
    factory.account()
    payment = paid(factory.sending(), payer_name="<b>Njeri</b>", provider_receipt="")
    receipt = receipts.issue(payment=payment, now=NOW)

    html = rendering.receipt_html(receipt)

    assert "&lt;b&gt;Njeri&lt;/b&gt;" in html
    assert "1,500.00" in html
    assert "1 Jan 2027, 00:30 EAT" in html
    assert "not known at issue" in html
    assert ids.encode("pi", receipt.intent_id) in html


def test_prints_the_same_in_every_language_of_the_portal(acme):
    factory.account()
    at = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
    receipt = receipts.issue(payment=paid(factory.sending(), paid_at=at), now=at)

    with translation.override("sw"):
        html = rendering.receipt_html(receipt)

    assert "3 Aug 2026, 12:00 EAT" in html
    assert html == rendering.receipt_html(receipt)


def test_a_series_belongs_to_one_branch_and_one_local_year(acme):
    office, coast = access.head_office(), access.branch("MSA", "Mombasa")
    before = datetime(2026, 12, 31, 20, 59, tzinfo=UTC)

    with transaction.atomic():
        found = [
            number_series.locked(document_type=DocumentType.RECEIPT, branch_id=branch.id, now=now)
            for branch, now in ((office, before), (office, NOW), (coast, NOW), (office, NOW))
        ]

    assert [series.year for series in found] == [2026, 2027, 2027, 2027]
    assert found[1] == found[3]
    assert NumberSeries.objects.count() == 3


def test_no_series_outside_a_transaction(committed_acme):
    branch_id = access.head_office().id

    with pytest.raises(TransactionManagementError):
        number_series.locked(document_type=DocumentType.RECEIPT, branch_id=branch_id, now=NOW)
