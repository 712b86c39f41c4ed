"""Compiled reads and changes do what the ORM does, in whatever organisation, and refuse what they cannot."""

from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from apps.access.models import Branch
from apps.events.models import OutboxEvent, WebhookEndpoint
from apps.kit import ids
from apps.kit.compiled import Compiled, Inserted, NotCompilable, Read, Saved
from apps.payments.models import PaymentIntent
from tests.factories import payments

OF_CODE = Compiled(
    lambda code: PaymentIntent.objects.select_related("branch", "current_attempt").filter(code=code), str
)
LOCKED = Compiled(lambda intent_id: PaymentIntent.objects.locked().filter(id=intent_id), UUID)
DEARER = Compiled(lambda minor: PaymentIntent.objects.filter(amount_minor__gt=minor).order_by("id"), int)
OFFICE = Compiled(lambda: Branch.objects.filter(is_head_office=True))
OPEN = Compiled(
    lambda code: PaymentIntent.objects.exclude(description="7%% and O'Neill").filter(code=code), str
)
MINOR = Read(
    lambda code: PaymentIntent.objects.filter(code=code).values_list("amount_minor")[:1],
    str,
)
INSERTED = Inserted[WebhookEndpoint]()
TOLD = Inserted[OutboxEvent]()
HELD: Saved[PaymentIntent] = Saved("payer_name", held=("reference", "status"))
CHANGED: Saved[PaymentIntent] = Saved("payer_name", "metadata", "expires_at", "settled_at")


def facts(row: PaymentIntent) -> dict[str, object]:
    return {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}


def test_a_compiled_read_returns_what_the_orm_returns(acme) -> None:
    payments.account()
    for intent in (payments.intent(), payments.intent()):
        with CaptureQueriesContext(connection) as sent:
            found = OF_CODE.one(intent.code)
            assert found.branch.name == "Head office"
            assert found.current_attempt is None
        assert len(sent) == 1
        assert facts(found) == facts(PaymentIntent.objects.get(id=intent.id))
        assert not found._state.adding
    assert OF_CODE.first("nobody") is None
    with pytest.raises(PaymentIntent.DoesNotExist):
        OF_CODE.one("nobody")
    assert [row.id for row in DEARER.all(1)] == list(
        PaymentIntent.objects.order_by("id").values_list("id", flat=True)
    )
    assert DEARER.all(10**15) == []


def test_postgresql_keeps_a_read_with_what_stays_in_its_text(acme) -> None:
    payments.account()
    intents = [payments.intent() for _ in range(7)]

    assert [OPEN.one(intent.code).id for intent in intents] == [intent.id for intent in intents]

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT parameter_types::text, generic_plans + custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE '%%payments_paymentintent%%' AND statement LIKE %s",
            ["%'7%% and O''Neill'%"],
        )
        assert cursor.fetchall() == [("{text}", 7)]


def test_it_reads_the_organisation_of_the_moment(acme, in_organisation) -> None:
    payments.account()
    intent = payments.intent()
    assert OF_CODE.one(intent.code).id == intent.id
    in_organisation("zuri")
    assert OF_CODE.first(intent.code) is None


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_inside_a_transaction_only(committed_acme) -> None:
    with pytest.raises(TransactionManagementError):
        LOCKED.first(ids.new())


def test_a_lock_is_a_lock(acme) -> None:
    payments.account()
    intent = payments.intent()
    with CaptureQueriesContext(connection) as sent:
        LOCKED.one(intent.id)
    assert sent[0]["sql"].endswith('FOR UPDATE OF "payments_paymentintent"')


@pytest.mark.parametrize(
    "build",
    [
        lambda code: PaymentIntent.objects.filter(code__startswith=code),
        lambda code: PaymentIntent.objects.filter(code=f"{code}!"),
        lambda _: PaymentIntent.objects.all(),
    ],
)
def test_what_changes_its_value_or_leaves_it_out_is_refused(acme, build) -> None:
    with pytest.raises(NotCompilable):
        Compiled(build, str).all("x")


def test_saved_fields_are_what_the_orm_would_save(acme) -> None:
    payments.account()
    one, other = payments.intent(), payments.intent()
    for row in (one, other):
        row.payer_name, row.metadata, row.expires_at = "Wanjiku", {"order": ["7"]}, payments.NOW
        row.reference = "not among them"
    CHANGED.save(one, other)
    CHANGED.save()
    for row in (one, other):
        stored = PaymentIntent.objects.get(id=row.id)
        assert (stored.payer_name, stored.metadata, stored.expires_at) == (
            "Wanjiku",
            {"order": ["7"]},
            payments.NOW,
        )
        assert stored.reference != "not among them"
    one.id = ids.new()
    with pytest.raises(DatabaseError, match="PaymentIntent"):
        CHANGED.save(one)


def test_a_held_row_is_saved_while_it_is_as_it_was(acme) -> None:
    payments.account()
    intent = payments.intent()
    name, intent.payer_name = intent.payer_name, "Wanjiku"
    assert not HELD.save_held(intent, "another reference", intent.status)
    assert not HELD.save_held(intent, intent.reference, "FAILED")
    assert PaymentIntent.objects.get(id=intent.id).payer_name == name
    assert HELD.save_held(intent, intent.reference, intent.status)
    assert PaymentIntent.objects.get(id=intent.id).payer_name == "Wanjiku"


def test_postgresql_keeps_new_rows_and_changes_whatever_their_size(acme) -> None:
    payments.account()
    intent = payments.intent()
    for name in ("Wanjiku", "Otieno"):
        intent.payer_name = name
        CHANGED.save(intent)
    INSERTED.insert(endpoint())
    INSERTED.insert(endpoint(description="again"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT left(statement, 6), generic_plans + custom_plans FROM pg_prepared_statements"
            " WHERE statement ~ '^(UPDATE|INSERT).*(payments_paymentintent|webhookendpoint)' ORDER BY 1"
        )
        assert {("INSERT", 2), ("UPDATE", 2)} <= set(cursor.fetchall())


def endpoint(**changes: object) -> WebhookEndpoint:
    said = {"event_types": ["payment_success"], "sealed_secret": b"\x00\xff", "created_at": payments.NOW}
    return WebhookEndpoint(
        application_id=ids.new(), url="https://partner.example/hooks", **{**said, **changes}
    )


def test_inserted_rows_are_what_the_orm_would_insert(acme) -> None:
    first, second = endpoint(), endpoint(description="with another text", failing_since=payments.NOW)
    INSERTED.insert()
    INSERTED.insert(first, second)
    for row in (first, second):
        assert not row._state.adding
        stored = WebhookEndpoint.objects.get(id=row.id)
        assert facts(stored) | {"sealed_secret": bytes(stored.sealed_secret)} == facts(row)
    with pytest.raises(IntegrityError), transaction.atomic():
        INSERTED.insert(endpoint(id=first.id))
    assert WebhookEndpoint.objects.filter(id__in=[first.id, second.id]).count() == 2


def test_what_the_database_numbers_is_read_back(acme) -> None:
    rows = [
        OutboxEvent(
            type="told", version=1, audience="INTERNAL", aggregate_type="thing", aggregate_id=ids.new(),
            aggregate_version=1, data={"n": number}, occurred_at=payments.NOW,
        )
        for number in range(3)
    ]  # fmt: skip
    TOLD.insert(*rows)
    assert sorted({row.seq for row in rows}) == [row.seq for row in rows]
    assert {row.id: row.seq for row in rows} == dict(OutboxEvent.objects.values_list("id", "seq"))


def test_single_columns_are_read_too(acme) -> None:
    payments.account()
    intent = payments.intent()
    assert MINOR.value(intent.code) == intent.amount_minor
    assert MINOR.is_any(intent.code)
    assert MINOR.value("nobody") is None
    assert not MINOR.is_any("nobody")
    with pytest.raises(NotCompilable):
        Compiled(lambda code: PaymentIntent.objects.filter(code=code).values_list("id"), str).all("x")
