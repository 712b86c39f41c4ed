"""Record rate: once, as it was said; one that is far from the last waits for a second person."""

from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.approvals.contracts import ApprovalStatus
from apps.approvals.models import ApprovalRequest
from apps.approvals.services.requests import RequestPending
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.events.services import relay
from apps.kit import clock, ids
from apps.ledger.contracts import FX_RATE
from apps.ledger.models import FxRate
from apps.ledger.services import rates
from tests.conftest import owner
from tests.factories import approvals, fx
from tests.factories.approvals import ONE_APPROVER
from tests.ledger.test_race_postings import together

NOW, MORNING = fx.NOW, fx.MORNING
NEXT = MORNING + timedelta(minutes=30)


@pytest.fixture
def rule(acme):
    """A rate of USD 129.5, and a rule that one approver agrees to what is far from it."""
    fx.office()
    fx.rate("129.5")
    return approvals.rule(kind=FX_RATE.name, currency="", minimum_minor=None, steps=ONE_APPROVER)


def far(**facts):
    """Ask for a rate that is 8 % above the last one."""
    return fx.rate("139.86", **{"as_of": NEXT, "actor": approvals.maker(), **facts})


def told(request_id):
    """Let the handlers of the decision run, as a worker would."""
    with clock.fixed(approvals.LATER):
        while relay.run_due(queue="events", now=approvals.LATER):
            pass
    assert OutboxEvent.objects.filter(type="approval_decided", aggregate_id=request_id).count() == 1


def test_keeps_what_was_said_by_whom_and_when(acme):
    recorded = fx.rate("129.4567")

    row = FxRate.objects.get()
    assert (recorded.rate_id, recorded.approval_id, recorded.is_replay) == (row.id, None, False)
    assert (row.base, row.quote, row.rate) == ("USD", "KES", Decimal("129.4567"))
    assert (row.as_of, row.source, row.created_at) == (MORNING, "CBK", NOW)
    assert (row.created_by, row.approved_by) == ("system:treasury", "")
    record = AuditRecord.objects.get(action="fx_rate.recorded")
    assert record.object_id == ids.encode("fxr", row.id)
    assert record.changes["rate"] == [None, "1 USD = 129.4567 KES"]


def test_keeps_every_digit_of_a_long_rate_also_where_it_waits(rule):
    long = "139860000000.123456789012345678"
    fx.rate(long, base="BTC")
    assert FxRate.objects.get(base="BTC").rate == Decimal(long)

    waiting = fx.rate("159860000000.123456789012345678", base="BTC", as_of=NEXT)
    approvals.approve(ApprovalRequest.objects.get(id=waiting.approval_id), approvals.person())
    told(waiting.approval_id)

    assert FxRate.objects.get(base="BTC", as_of=NEXT).rate == Decimal("159860000000.123456789012345678")


def test_the_same_again_is_a_replay(acme):
    first = fx.rate("129.5")

    again = fx.rate("129.50", now=NOW + timedelta(hours=1))

    assert (again.rate_id, again.is_replay) == (first.rate_id, True)
    assert FxRate.objects.count() == 1


def test_another_rate_of_the_same_source_and_time_is_refused(acme):
    fx.rate("129.5")

    with pytest.raises(rates.RateContradicts, match=r"CBK is recorded with 1 USD = 129\.5 KES"):
        fx.rate("129.6")

    assert FxRate.objects.count() == 1


def test_another_source_may_say_another_rate(acme):
    fx.rate("129.5")
    fx.rate("130.1", source="ECB")

    assert FxRate.objects.count() == 2


@pytest.mark.parametrize(
    "text", ["0", "-1", "NaN", "sNaN", "Infinity", "-0", "1E+13", "1E-19", "1E+400", "1E-999999", "1E+999999"]
)
def test_refuses_an_absurd_rate(acme, text):
    with pytest.raises(rates.RateInvalid) as refusal:
        fx.rate(text)

    assert [error.pointer for error in refusal.value.errors] == ["/rate"]
    assert not FxRate.objects.exists()


@pytest.mark.parametrize(
    ("pointer", "facts"),
    [
        ("/base", {"base": "XXX"}),
        ("/quote", {"quote": "kes"}),
        ("/quote", {"quote": "USD"}),
        ("/as_of", {"as_of": NOW + timedelta(seconds=1)}),
        ("/as_of", {"as_of": datetime(2026, 11, 24, 7)}),  # noqa: DTZ001 (a time without zone is what is refused)
        ("/source", {"source": "  "}),
        ("/source", {"source": "x" * 41}),
        ("/source", {"source": "CBK\nECB"}),
        ("/rate", {"rate": 129.5}),
    ],
)
def test_names_the_field_that_cannot_be(acme, pointer, facts):
    with pytest.raises(rates.RateInvalid) as refusal:
        fx.rate(**facts)

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert not FxRate.objects.exists()


def test_reads_what_people_write(acme):
    assert rates.parsed("129.4567") == Decimal("129.4567")
    with pytest.raises(rates.RateInvalid, match="no rate"):
        rates.parsed("129,45")


@pytest.mark.parametrize("text", ["135.975", "123.025"])
def test_five_percent_is_not_far(rule, text):
    assert fx.rate(text, as_of=NEXT).rate_id


@pytest.mark.parametrize("text", ["135.976", "123.024"])
def test_more_than_five_percent_waits(rule, text):
    recorded = fx.rate(text, as_of=NEXT)

    assert (recorded.rate_id, FxRate.objects.count()) == (None, 1)
    request = ApprovalRequest.objects.get(id=recorded.approval_id)
    assert (request.kind, request.status) == ("fx_rate", ApprovalStatus.PENDING)
    assert "5.0 %" in request.summary


def test_the_pair_turned_round_is_the_same_pair(rule):
    assert fx.rate("0.0077", base="KES", quote="USD", as_of=NEXT).rate_id
    assert fx.rate("0.0090", base="KES", quote="USD", as_of=NEXT + timedelta(minutes=1)).approval_id


def test_is_recorded_once_approved_in_the_name_of_both(rule):
    waiting = far()
    request = ApprovalRequest.objects.get(id=waiting.approval_id)
    assert request.summary == "Rate 1 USD = 139.86 KES of CBK: 8.0 % above the last one"

    approvals.approve(request, approvals.person())
    told(request.id)

    row = FxRate.objects.get(as_of=NEXT)
    assert row.rate == Decimal("139.86")
    assert (row.created_by, row.approved_by) == (str(approvals.maker()), str(approvals.person()))
    assert AuditRecord.objects.filter(action="fx_rate.recorded").count() == 2


def test_a_decision_heard_twice_is_done_once(rule):
    waiting = far()
    approvals.approve(ApprovalRequest.objects.get(id=waiting.approval_id), approvals.person())
    told(waiting.approval_id)
    event = OutboxEvent.objects.get(type="approval_decided")
    decided = rates.Decided.read(event.data)

    first = rates.decide(decided=decided, now=approvals.LATER)
    again = rates.decide(decided=decided, now=approvals.LATER)

    assert first == again
    assert FxRate.objects.filter(as_of=NEXT).count() == 1


def test_asking_twice_waits_once_and_another_rate_is_refused_meanwhile(rule):
    waiting = far()

    again = far()

    assert (again.approval_id, again.is_replay) == (waiting.approval_id, True)
    with pytest.raises(RequestPending):
        far(source="CBK", base="USD", quote="KES", rate=Decimal(150))
    assert FxRate.objects.count() == 1


def test_a_refused_rate_is_not_asked_for_again(rule):
    waiting = far()
    approvals.refuse(ApprovalRequest.objects.get(id=waiting.approval_id), approvals.person())
    told(waiting.approval_id)

    with pytest.raises(rates.RateRefused):
        far()

    assert (FxRate.objects.count(), ApprovalRequest.objects.count()) == (1, 1)


def test_an_agreement_changes_nothing_where_the_source_said_otherwise_meanwhile(rule):
    waiting = far()
    fx.rate("130", as_of=NEXT)

    approvals.approve(ApprovalRequest.objects.get(id=waiting.approval_id), approvals.person())
    told(waiting.approval_id)

    assert FxRate.objects.get(as_of=NEXT).rate == Decimal(130)


def test_without_a_rule_nobody_can_agree(acme):
    fx.office()
    fx.rate("129.5")

    with pytest.raises(rates.RateRuleMissing, match=r"8\.0 % above the last one"):
        fx.rate("139.86", as_of=NEXT)

    assert FxRate.objects.count() == 1
    assert not ApprovalRequest.objects.exists()


def test_an_older_rate_is_compared_with_the_next_one(rule):
    assert fx.rate("100", as_of=MORNING - timedelta(days=1)).approval_id


def test_rows_are_only_inserted(acme):
    fx.rate()

    for statement in (
        "UPDATE ledger_fxrate SET rate = 1",
        "DELETE FROM ledger_fxrate",
        "TRUNCATE ledger_fxrate",
    ):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_rows_stay_for_the_owner_too(committed_acme):
    fx.rate()

    for statement in (
        "UPDATE ledger_fxrate SET rate = 1",
        "DELETE FROM ledger_fxrate",
        "TRUNCATE ledger_fxrate",
    ):
        with owner() as database:
            database.execute("SET search_path = org_acme")
            with pytest.raises(psycopg.Error) as refusal:
                database.execute(statement)
            database.rollback()
        assert refusal.value.sqlstate == "LG010", statement


@pytest.mark.parametrize("value", ["NaN", "0", "-1", "1000000000001"])
def test_the_database_refuses_what_is_no_rate(acme, value):
    with pytest.raises(IntegrityError, match="ledger_fx_rate_range"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_fxrate (id, base, quote, as_of, source, rate, created_by, approved_by, created_at)"
            " VALUES (gen_random_uuid(), 'USD', 'KES', now(), 'x', %s, 'x', '', now())",
            [value],
        )


def test_two_connections_record_the_same_rate_once(committed_acme):
    outcomes = together(committed_acme, [lambda: fx.rate("129.5")] * 4)

    assert sorted(outcome.is_replay for outcome in outcomes) == [False, True, True, True]
    assert FxRate.objects.count() == 1


def test_two_connections_with_two_rates_of_one_time_record_one(committed_acme):
    def one(text):
        try:
            return fx.rate(text).rate_id
        except rates.RateContradicts:
            return None

    outcomes = together(committed_acme, [lambda text=text: one(text) for text in ("129.5", "129.6")])

    assert len([outcome for outcome in outcomes if outcome]) == 1
    assert FxRate.objects.count() == 1


def test_small_steps_do_not_move_a_rate_far(rule):
    taken = [
        rates.record(
            base="USD",
            quote="KES",
            rate=Decimal(text),
            as_of=NOW - timedelta(minutes=10 - step),
            source="Desk",
            actor=approvals.maker(),
            now=NOW,
        )
        for step, text in enumerate(("132", "135.9", "137", "142"))
    ]

    assert [said.approval_id is None for said in taken] == [True, True, False, False]
