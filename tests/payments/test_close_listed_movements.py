"""How listed movements are closed: by what explains them later, whoever booked it, or by a person, once."""

import pytest
from django.db import IntegrityError, transaction

from apps.audit.models import AuditRecord
from apps.integrations.ports import NudgeKind
from apps.kit import errors, ids
from apps.kit.actors import PROVIDER, SYSTEM, person
from apps.kit.money import Money
from apps.payments.contracts import RefundStatus
from apps.payments.contracts.listed import ListedMatter, ListedStatus
from apps.payments.models import ListedMovement, PaymentAttempt, PullCursor, Refund
from apps.payments.services import intents, listed_movements, refund_limits, refunds, sweeps
from tests.factories import access, payments
from tests.payments.test_listed_movements import pull
from tests.payments.test_two_connections import at_once

NOW = payments.NOW
FEE = Money(9_99, "KES")
REASON = "Our own payout to the bank, seen on its statement."
WHO = person(ids.new())


def swept():
    """Let the sweep do what it finds, and return what became of each movement."""
    for row_id in list(sweeps.DEEDS["explain"].rows(NOW).values_list("id", flat=True)):
        sweeps.do(deed="explain", row_id=row_id, now=NOW)
    found = ListedMovement.objects.order_by("id").values_list("status", "matter", "attempt_id")
    return [tuple(one) for one in found]


def put_away(movement, **facts):
    given = {"movement_id": movement.id, "reason": REASON, "actor": WHO, "now": NOW, **facts}
    return listed_movements.put_away(**given)


def booked(attempt, **facts):
    report = payments.collected(attempt, **facts)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    return payments.reloaded(attempt)


def test_refunds_that_nobody_could_tell_apart_are_explained_once_each_is_known(cards):
    access.portal()
    PullCursor.objects.create(provider_account=cards.account, pulled_until=cards.now)
    attempt = cards.paid()
    for _ in range(2):
        given = {"money": Money(10_00, "USD"), "reason": "Returned", "actor": SYSTEM, "now": cards.now}
        refund = refunds.create(intent_id=attempt.intent_id, **given)
        cards.script({"action": "reset", "processed": True}, path="/v1/refunds")
        refunds.request(refund_id=refund.id, now=cards.now)
    ticket = cards.objects("refunds")[0]["id"]
    pull(cards)
    about = {"about": NudgeKind.REFUND, "ticket": ticket, "money": Money(10_00, "USD")}
    back = payments.listed(cards.account, **about)
    left = (ListedStatus.OPEN, ListedMatter.NOBODYS, None)
    assert swept() == [left] * 3

    cards.work()
    cards.work()

    assert set(Refund.objects.values_list("status", flat=True)) == {RefundStatus.SUCCEEDED}
    explained = (ListedStatus.EXPLAINED, ListedMatter.NOBODYS, attempt.id)
    for _ in range(2):
        assert swept() == [explained, explained, left]  # only what went out
    closed = ListedMovement.objects.earliest("id")
    assert (closed.closed_by, closed.reason) == (
        str(SYSTEM),
        f"A refund of payment {attempt.code} is booked.",
    )
    cards.act("refunds", ticket, "fail")
    pull(cards)
    cards.work()
    assert swept() == [explained] * 3
    assert ListedMovement.objects.get(id=back.id).closed_at == NOW


def test_a_payment_explains_its_row_and_keeps_it_where_the_fee_is_another(acme):
    about = {"about": NudgeKind.COLLECTION, "kind": "charge", "money": payments.KES_1500}
    payments.listed(receipt="NLJ7RT61SA", fee=FEE, **about)
    payments.listed(receipt="", **about)
    payments.listed(receipt=payments.held().receipt, **about)
    payments.listed(receipt="NLJ7RT61SB", **about)
    attempt, other = payments.waiting(), payments.waiting()
    payments.listed(receipt="NLJ7RT61SA")  # of another kind: nothing that we book explains it
    left = (ListedStatus.OPEN, ListedMatter.NOBODYS, None)
    of_no_kind = (ListedStatus.OPEN, ListedMatter.OTHER, None)
    of_suspense = (ListedStatus.EXPLAINED, ListedMatter.NOBODYS, None)
    assert swept() == [left, left, of_suspense, left, of_no_kind]

    attempt = booked(attempt, receipt="NLJ7RT61SA")
    booked(other, receipt="")

    differs = (ListedStatus.OPEN, ListedMatter.FEE_DIFFERS, attempt.id)
    for _ in range(2):
        assert swept() == [differs, left, of_suspense, left, of_no_kind]
    PaymentAttempt.objects.filter(id=attempt.id).update(fee_minor=FEE.minor)
    of_payment = (ListedStatus.EXPLAINED, ListedMatter.FEE_DIFFERS, attempt.id)
    assert swept() == [of_payment, left, of_suspense, left, of_no_kind]


def test_a_person_puts_it_away_once_and_it_stays_on_record(acme):
    movement = payments.listed()
    for reason in ("", "  "):
        with pytest.raises(refund_limits.ReasonMissing):
            put_away(movement, reason=reason)
    with pytest.raises(errors.NotFound):
        put_away(movement, movement_id=ids.new())
    assert ListedMovement.objects.open().get() == movement

    put_away(movement, reason=f" {REASON} ")
    with pytest.raises(listed_movements.NotOpen, match="put away"):
        put_away(movement, reason="Another reason")

    movement = ListedMovement.objects.get()
    assert (movement.status, movement.closed_by, movement.closed_at, movement.reason) == (
        ListedStatus.PUT_AWAY,
        str(WHO),
        NOW,
        REASON,
    )
    record = AuditRecord.objects.get(action="movement.put_away")
    assert (record.object_id, record.reason) == (ids.encode("lm", movement.id), REASON)
    assert record.changes["status"] == ["OPEN", "PUT_AWAY"]


def test_the_database_closes_it_whole_and_keeps_what_is_closed(acme):
    movement = payments.listed()
    of_it = ListedMovement.objects.filter(id=movement.id)
    whole = {"status": "PUT_AWAY", "closed_at": NOW, "closed_by": str(WHO), "reason": REASON}
    for missing in ("closed_at", "closed_by", "reason"):
        refused(of_it, whole | {missing: None if missing == "closed_at" else ""}, match="closed_whole")
    refused(of_it, {"amount_minor": 1}, match="is fixed")

    put_away(movement)

    for change in ({"status": "OPEN"}, {"reason": "Another"}, {"matter": "NOBODYS"}):
        refused(of_it, change, match="is fixed")


def refused(rows, change, *, match):
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        rows.update(**change)


def test_of_several_at_once_one_closes_it(committed_acme):
    attempt = payments.waiting()
    about = {"about": NudgeKind.COLLECTION, "money": payments.KES_1500}
    movement = payments.listed(receipt="NLJ7RT61SA", **about)
    booked(attempt, receipt="NLJ7RT61SA")

    results = at_once(
        *[lambda: put_away(movement)] * 3,
        lambda: listed_movements.explain(movement_id=movement.id, now=NOW),
    )

    closed = ListedMovement.objects.get()
    is_put_away = closed.status == ListedStatus.PUT_AWAY
    assert len([one for one in results if isinstance(one, ListedMovement)]) == int(is_put_away)
    assert len([one for one in results if isinstance(one, listed_movements.NotOpen)]) == 3 - is_put_away
    assert AuditRecord.objects.filter(action="movement.put_away").count() == int(is_put_away)
