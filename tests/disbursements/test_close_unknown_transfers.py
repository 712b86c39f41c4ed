"""Close unknown transfers: a person says with evidence what moved, another agrees, and the books follow, once."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import authority
from apps.audit.models import AuditRecord
from apps.disbursements import postings, subscribers
from apps.disbursements.contracts import TRANSFER_VERDICT, TransferStatus
from apps.disbursements.models import Transfer
from apps.disbursements.services import orders, transfer_limits, transfer_verdicts, transfers
from apps.events.models import OutboxEvent
from apps.kit import ids
from apps.kit.actors import PROVIDER
from apps.kit.money import Money
from apps.ledger.services import accounts, journals
from tests.disbursements.test_order_transfer import NOTHING, USD_60, at_once, books, report, told
from tests.factories import approvals
from tests.factories import transfers as made
from tests.factories.transfers import NOW, USD_30, USD_40, USD_100

LATER = NOW + timedelta(days=1)
TICKET = "tr_on_its_pages"
WHY = "Its pages, and its answer of 27 November"
USD_70 = Money(70_00, "USD")


@pytest.fixture
def lost(acme):
    """Return a transfer of USD 40.00 of which the provider told another sum, where closing one needs another person."""
    approvals.rule(kind=TRANSFER_VERDICT.name, currency="", minimum_minor=None)
    return made.contradicted()


def say(transfer, moved=USD_30, *, ticket=TICKET, reason=WHY, now=LATER):
    return transfer_verdicts.ask(
        transfer_id=transfer.id, moved=moved, ticket=ticket, reason=reason, actor=approvals.maker(), now=now
    )


def agree(transfer):
    """Approve as another person, and return the event that tells of it."""
    request = ApprovalRequest.objects.get(id=made.again(transfer).verdict_approval_id)
    approvals.approve(request, approvals.person(), now=LATER + timedelta(minutes=5))
    return decision(request)


def decision(request):
    return OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id)


def carry_out(event, **facts):
    decided = replace(Decided.read(event.data), **facts)
    return transfer_verdicts.decide(decided=decided, now=LATER + timedelta(minutes=6))


def actions():
    found = AuditRecord.objects.filter(action__startswith="transfer.").order_by("id")
    return list(found.values_list("action", flat=True))


@pytest.mark.parametrize(
    ("moved", "owed"), [(USD_30, USD_70), (USD_40, USD_60), (USD_60, USD_40), (USD_100, NOTHING)]
)
def test_the_sum_that_moved_is_booked_once_another_agrees_and_what_differs_is_owed(lost, moved, owed):
    asked = say(lost, moved)
    assert (asked.status, books(), asked.moved) == (TransferStatus.UNKNOWN, (USD_60, USD_40, NOTHING), USD_40)

    event = agree(lost)
    for _ in range(2):
        subscribers.execute_approval(event)

    transfer = made.again(lost)
    assert (transfer.status, transfer.ticket, transfer.moved) == ("SUCCEEDED", TICKET, moved)
    assert books() == (owed, NOTHING, -moved)
    assert transfer.reversible == moved
    assert told(lost) == ["transfer_requested", "transfer_unknown", "transfer_succeeded"]
    assert actions() == ["transfer.requested", "transfer.verdict_asked", "transfer.judged"]
    said = AuditRecord.objects.get(action="transfer.judged")
    assert (said.actor_id, said.reason) == (approvals.maker().id, WHY)


def test_what_moved_nothing_is_owed_again(lost):
    say(lost, None)

    transfer = carry_out(agree(lost))

    assert (transfer.status, transfer.failure_code) == ("FAILED", transfer_verdicts.NOT_MADE)
    assert WHY not in transfer.failure_message
    assert books() == (USD_100, NOTHING, NOTHING)
    assert told(lost)[-1] == "transfer_failed"


def test_who_says_it_does_not_agree_and_what_others_refuse_is_dropped(lost):
    say(lost)
    request = ApprovalRequest.objects.get()
    with pytest.raises(authority.OwnRequest):
        approvals.approve(request, approvals.maker(), now=LATER + timedelta(minutes=5))
    with pytest.raises(transfer_verdicts.VerdictWaits):
        say(lost, None)
    approvals.refuse(request, approvals.person(), now=LATER + timedelta(minutes=5))

    transfer = carry_out(decision(request))

    assert (transfer.status, transfer.verdict, transfer.verdict_approval_id) == ("UNKNOWN", "", None)
    assert (actions()[-1], books()) == ("transfer.verdict_left", (USD_60, USD_40, NOTHING))
    assert say(lost, None).verdict == "NOT_MADE"


def test_an_answer_while_others_are_asked_counts_and_they_are_asked_no_more(lost):
    say(lost)
    request = ApprovalRequest.objects.get()

    orders.record(transfers.KIND, order_id=lost.id, report=report(lost), now=LATER)
    transfer = carry_out(decision(request))

    request.refresh_from_db()
    assert (request.status, request.reason) == ("WITHDRAWN", transfers.ANSWERED)
    assert (transfer.status, transfer.verdict, transfer.moved) == ("SUCCEEDED", "", USD_40)
    assert books() == (USD_60, NOTHING, -USD_40)


@pytest.mark.parametrize("hindrance", ["asked again", "changed", "id used"])
def test_what_cannot_be_any_more_is_left_and_on_the_trail(lost, hindrance):
    say(lost)
    event = agree(lost)
    facts = {}
    if hindrance == "asked again":
        assert transfers.nudged(provider_account_id=lost.provider_account_id, code=lost.code, now=LATER)
    elif hindrance == "changed":
        facts = {"payload_hash": "0" * 64}
    else:
        other = made.sending(lost.connected_account)
        orders.record(transfers.KIND, order_id=other.id, report=report(other, ticket=TICKET), now=LATER)
    before = books()

    transfer = carry_out(event, **facts)

    assert (transfer.status, transfer.verdict, transfer.judged_at) == ("UNKNOWN", "", None)
    assert (actions()[-1], books()) == ("transfer.verdict_left", before)


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"now": LATER - timedelta(seconds=1)}, transfer_verdicts.AnswerMayCome),
        ({"ticket": " "}, transfer_verdicts.TicketInvalid),
        ({"reason": " "}, transfer_limits.ReversalReasonMissing),
        ({"moved": NOTHING}, transfer_limits.TransferTooSmall),
        ({"moved": Money(1_00, "KES")}, transfer_limits.TransferCurrencyWrong),
    ],
)
def test_a_refusal_writes_nothing(lost, facts, error):
    with pytest.raises(error):
        say(lost, **facts)

    assert (made.again(lost).verdict, ApprovalRequest.objects.count()) == ("", 0)


def test_nobody_closes_one_alone_nor_what_is_known(acme):
    transfer = made.contradicted()
    known = made.made(transfer.connected_account)

    with pytest.raises(transfer_verdicts.VerdictRuleMissing):
        say(transfer)
    with pytest.raises(transfer_verdicts.NotUnknown):
        say(known)
    with pytest.raises(transfer_verdicts.TicketInvalid, match="another transfer"):
        say(transfer, ticket=known.ticket)

    assert made.again(transfer).verdict == ""


def test_the_database_lets_nobody_end_one_alone_nor_change_what_was_said(lost):
    rows = Transfer.objects.filter(id=lost.id)
    whole = {"verdict_reason": WHY, "verdict_by": "somebody", "verdict_approval_id": ids.new()}
    refused(rows, "verdict_whole", verdict="MADE", verdict_ticket=TICKET, **whole)
    say(lost)
    for changes in (
        {"verdict_minor": 1},
        {"verdict_reason": "Something else"},
        {"verdict_by": "somebody else"},
    ):
        refused(rows, "what people said", **changes)
    for changes in (
        {"status": "FAILED", "closed_at": LATER, "judged_at": LATER},
        {"status": "SUCCEEDED", "succeeded_at": LATER, "ticket": TICKET, "judged_at": LATER},
    ):
        refused(rows, "people end transfer", **changes)
    event = agree(lost)
    ended = {"status": "SUCCEEDED", "succeeded_at": LATER, "ticket": TICKET, "judged_at": LATER}
    refused(rows, "people end transfer", **ended, verdict_by="somebody else")
    carry_out(event)

    refused(rows, "what people said", verdict_reason="Something else")
    refused(rows, "beyond_itself", reversing_minor=30_01)


def refused(rows, match, **changes):
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        rows.update(**changes)


def test_nothing_is_kept_when_the_ledger_refuses(lost):
    say(lost)
    event = agree(lost)
    sent = made.again(lost)
    journals.post(draft=postings.success(sent), actor=PROVIDER, now=LATER)
    before = (books(), told(lost), actions())

    with pytest.raises(journals.KeyReused):
        carry_out(event)

    assert (made.again(lost).status, made.again(lost).judged_at) == (TransferStatus.UNKNOWN, None)
    assert (books(), told(lost), actions()) == before


def test_people_twice_and_at_once_book_it_once(committed_acme):
    approvals.rule(kind=TRANSFER_VERDICT.name, currency="", minimum_minor=None)
    transfer = made.contradicted()
    say(transfer)
    event = agree(transfer)

    at_once(lambda: carry_out(event))

    assert (made.again(transfer).status, books()) == ("SUCCEEDED", (USD_70, NOTHING, -USD_30))
    assert told(transfer).count("transfer_succeeded") == 1


def test_a_sum_that_the_books_refuse_is_left_and_nobody_comes_between(committed_acme):
    approvals.rule(kind=TRANSFER_VERDICT.name, currency="", minimum_minor=None)
    transfer = made.contradicted()
    say(transfer, USD_100 + USD_70)
    event = agree(transfer)
    owed = postings.owed_to(transfer)
    accounts.set_limits(ref=owed, net_floor=None, net_ceiling=NOTHING, actor=approvals.maker(), now=LATER)
    free = []

    def look(execute, sql, *asked):
        done = execute(sql, *asked)
        if sql.startswith("ROLLBACK TO SAVEPOINT"):
            free.append(is_free(transfer))
        return done

    with connection.execute_wrapper(look):
        carry_out(event)

    assert free
    assert not any(free)
    assert (made.again(transfer).status, made.again(transfer).verdict) == ("UNKNOWN", "")
    assert (actions()[-1], books()) == ("transfer.verdict_left", (USD_60, USD_40, NOTHING))


def is_free(transfer):
    """Say whether another connection may lock a transfer now."""
    organisation, found = connection.tenant, []

    def look():
        connection.set_tenant(organisation)
        with transaction.atomic():
            rows = Transfer.objects.select_for_update(skip_locked=True).filter(id=transfer.id)
            found.append(bool(rows))
        connection.close()

    other = threading.Thread(target=look)
    other.start()
    other.join(30)
    return found[0]
