"""Close unknown accounts: a person says that none was opened, another agrees; the provider's list has the last word."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import authority
from apps.audit.models import AuditRecord
from apps.disbursements import subscribers
from apps.disbursements.contracts import CONNECTED_ACCOUNT_VERDICT, ConnectedStatus
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.models.connected_account import NOT_OPENED
from apps.disbursements.services import account_queries, account_verdicts, connected_accounts
from apps.events.models import OutboxEvent
from apps.integrations.ports import ConnectReport, ConnectStatus, Ticket
from apps.integrations.stripe import connected
from apps.kit import errors, faults, ids
from apps.kit.actors import SYSTEM
from tests.disbursements.test_open_connected_accounts import FORGOTTEN, LOST, NEVER_HEARD, lost, refusal
from tests.disbursements.test_order_transfer import at_once, told
from tests.disbursements.test_pay_by_stripe import DAY, followed
from tests.factories import approvals
from tests.factories import transfers as made
from tests.factories.transfers import NOW

LATER = NOW + FORGOTTEN + DAY
WHY = "Its pages of 24 to 26 November"
THEIRS = Ticket("acct_after_all")


@pytest.fixture
def unknown(acme):
    """Return an account of which nobody knows whether it was opened, where closing one needs another person."""
    may_be_closed()
    return made.unknown()


def may_be_closed():
    approvals.rule(kind=CONNECTED_ACCOUNT_VERDICT.name, currency="", minimum_minor=None)


def say(account, *, reason=WHY, now=LATER):
    return account_verdicts.ask(account_id=account.id, reason=reason, actor=approvals.maker(), now=now)


def agree(account, *, now=LATER):
    """Approve as another person, and return the event that tells of it."""
    request = ApprovalRequest.objects.get(id=made.reloaded(account).verdict_approval_id)
    approvals.approve(request, approvals.person(), now=now + timedelta(minutes=5))
    return decision(request)


def decision(request):
    return OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id)


def carry_out(event, *, now=LATER, **facts):
    decided = replace(Decided.read(event.data), **facts)
    return account_verdicts.decide(decided=decided, now=now + timedelta(minutes=6))


def actions():
    found = AuditRecord.objects.filter(action__startswith="connected_account.").order_by("id")
    return list(found.values_list("action", flat=True))


def again(account):
    return connected_accounts.open_account(
        party=account.party, request=made.WANTED, actor=SYSTEM, now=LATER + DAY
    )


def closed(account):
    say(account)
    return carry_out(agree(account))


def test_it_failed_once_another_agrees_and_the_party_is_connected_anew(unknown):
    assert say(unknown).status == ConnectedStatus.UNKNOWN
    with pytest.raises(connected_accounts.AlreadyConnected):
        again(unknown)

    event = agree(unknown)
    for _ in range(2):
        subscribers.execute_approval(event)

    account = made.reloaded(unknown)
    assert (account.status, account.failure_code, account.is_looked_for) == ("FAILED", NOT_OPENED, True)
    assert account.next_query_at == unknown.next_query_at
    assert WHY not in account.failure_message
    assert told(account) == ["connected_account_failed"]
    assert actions() == [f"connected_account.{deed}" for deed in ("requested", "verdict_asked", "judged")]
    said = AuditRecord.objects.get(action="connected_account.judged")
    assert (said.actor_id, said.reason) == (approvals.maker().id, WHY)
    assert again(account).status == ConnectedStatus.REQUESTED


def test_who_says_it_does_not_agree_and_what_others_refuse_is_dropped(unknown):
    say(unknown)
    request = ApprovalRequest.objects.get()
    with pytest.raises(authority.OwnRequest):
        approvals.approve(request, approvals.maker(), now=LATER)
    with pytest.raises(account_verdicts.VerdictWaits):
        say(unknown)
    approvals.refuse(request, approvals.person(), now=LATER)

    account = carry_out(decision(request))

    assert (account.status, account.verdict_by, account.verdict_approval_id) == ("UNKNOWN", "", None)
    assert (actions()[-1], told(account)) == ("connected_account.verdict_left", [])
    assert say(unknown).verdict_reason == WHY


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"reason": "  "}, account_verdicts.VerdictReasonMissing),
        ({"now": LATER - timedelta(seconds=1)}, account_verdicts.AnswerMayCome),
    ],
)
def test_a_refusal_writes_nothing(unknown, facts, error):
    with pytest.raises(error):
        say(unknown, **facts)

    assert (made.reloaded(unknown).verdict_by, ApprovalRequest.objects.count()) == ("", 0)
    assert actions() == ["connected_account.requested"]


def test_nobody_closes_one_alone_nor_what_is_known_or_is_to_be_asked_now(acme):
    account = made.unknown()
    with pytest.raises(account_verdicts.VerdictRuleMissing):
        say(account)
    may_be_closed()
    with pytest.raises(errors.NotFound):
        account_verdicts.ask(account_id=ids.new(), reason=WHY, actor=approvals.maker(), now=LATER)
    ConnectedAccount.objects.filter(id=account.id).update(next_query_at=LATER)
    with pytest.raises(account_verdicts.AnswerMayCome):
        say(account)
    account_queries.accept(account_id=account.id, ticket=THEIRS, now=NOW)
    with pytest.raises(account_verdicts.NotUnknown):
        say(account)

    assert (made.reloaded(account).verdict_by, ApprovalRequest.objects.count()) == ("", 0)


def test_an_answer_while_others_are_asked_counts_and_they_are_asked_no_more(unknown):
    say(unknown)
    request = ApprovalRequest.objects.get()

    account_queries.accept(account_id=unknown.id, ticket=THEIRS, now=LATER)
    account = carry_out(decision(request))

    assert (account.status, account.ticket, account.verdict_by) == ("PENDING", THEIRS.value, "")
    request.refresh_from_db()
    assert (request.status, told(account)) == ("WITHDRAWN", ["connected_account_opened"])


@pytest.mark.parametrize("hindrance", ["asked now", "changed"])
def test_what_cannot_be_any_more_is_left_and_on_the_trail(unknown, hindrance):
    say(unknown)
    event = agree(unknown)
    if hindrance == "asked now":
        connected_accounts.nudged(
            provider_account_id=unknown.provider_account_id, ticket="", code=unknown.code, now=LATER
        )

    account = carry_out(event, **({"payload_hash": "0" * 64} if hindrance == "changed" else {}))

    assert (account.status, account.verdict_by, told(account)) == ("UNKNOWN", "", [])
    assert actions()[-1] == "connected_account.verdict_left"


def test_what_the_provider_has_after_all_is_marked_and_told_once_and_used_by_nobody(unknown):
    account = closed(unknown)
    new = again(account)

    for _ in range(2):
        account_queries.accept(account_id=account.id, ticket=THEIRS, now=LATER + DAY)

    account = made.reloaded(account)
    assert (account.status, account.ticket, account.is_found) == ("FAILED", THEIRS.value, True)
    assert account.next_query_at is None
    assert told(account) == ["connected_account_failed", "connected_account_found"]
    assert actions()[-1] == "connected_account.verdict_contradicted"
    assert actions().count("connected_account.verdict_contradicted") == 1
    enabled = ConnectReport(THEIRS.value, ConnectStatus.ENABLED)
    account_queries.record(account_id=account.id, report=enabled, now=LATER + DAY)
    assert not made.reloaded(account).is_payable
    assert made.reloaded(new).status == ConnectedStatus.REQUESTED


@pytest.mark.parametrize(("answer", "found"), [(LOST, 1), (NEVER_HEARD, 0)])
def test_the_list_is_read_until_it_says_so_or_otherwise(cards, monkeypatch, answer, found):
    may_be_closed()
    account = lost(cards, answer)
    monkeypatch.setattr(connected, "PAGES", 0)
    account = followed(cards, account, after=FORGOTTEN + DAY)
    say(account, now=cards.now)
    account = carry_out(agree(account, now=cards.now), now=cards.now)
    assert (account.status, account.is_looked_for) == ("FAILED", True)
    cards.script(refusal(403), path="/v1/accounts")
    monkeypatch.setattr(connected, "PAGES", 2)

    account = followed(cards, account, after=DAY)
    assert (account.status, account.ticket, account.next_query_at > cards.now) == ("FAILED", "", True)
    account = followed(cards, account, after=DAY)

    theirs = [one["id"] for one in cards.objects("accounts")]
    assert (account.status, account.failure_code, len(theirs)) == ("FAILED", NOT_OPENED, found)
    assert (account.ticket, account.next_query_at) == ("".join(theirs), None)
    after = ["connected_account_found"] * found
    assert told(account) == ["connected_account_unknown", "connected_account_failed", *after]


def test_a_message_brings_the_look_for_what_was_closed_forward(unknown):
    account = closed(unknown)
    said = {"provider_account_id": account.provider_account_id, "ticket": "", "code": account.code}

    connected_accounts.nudged(**said, now=LATER + DAY)
    assert made.reloaded(account).next_query_at == LATER + DAY
    account_queries.accept(account_id=account.id, ticket=THEIRS, now=LATER + DAY)
    connected_accounts.nudged(**said, now=LATER + DAY)

    assert made.reloaded(account).next_query_at is None


def test_the_database_lets_nobody_end_one_alone_nor_change_what_was_said(unknown):
    row = ConnectedAccount.objects.filter(id=unknown.id)
    whole = {"verdict_reason": WHY, "verdict_by": "somebody", "verdict_approval_id": ids.new()}
    for missing in whole:
        refused(row, "verdict_whole", **{name: said for name, said in whole.items() if name != missing})
    say(unknown)
    for changes in ({"verdict_reason": "Else"}, {"verdict_by": "somebody else"}):
        refused(row, "what people said", **changes)
    alone = "SET status = 'FAILED', failure_code = 'not_opened', closed_at = now(), judged_at = now()"
    with pytest.raises(IntegrityError, match="people end account"), transaction.atomic():
        by_hand(alone)
    event = agree(unknown)
    with pytest.raises(IntegrityError, match="people end account"), transaction.atomic():
        by_hand(alone.replace("not_opened", "not_found"))
    with pytest.raises(IntegrityError, match="people end account"), transaction.atomic():
        by_hand(f"{alone}, verdict_by = 'somebody else'")
    carry_out(event)

    for changes in ({"verdict_reason": "Else"}, {"failure_code": "other"}, {"judged_at": LATER + DAY}):
        refused(row, "what people said", **changes)
    with pytest.raises(IntegrityError, match="cannot go"), transaction.atomic():
        by_hand("SET status = 'UNKNOWN'")


def refused(rows, match, **changes):
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        rows.update(**changes)


def by_hand(change):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE disbursements_connectedaccount {change}")


def test_nothing_is_kept_when_it_dies_half_way(committed_acme):
    may_be_closed()
    account = made.unknown()
    say(account)
    event = agree(account)
    before = actions(), told(account)

    def die(point):
        if point == "disbursements.verdict_closed":
            raise SystemExit

    with faults.hooked(die), pytest.raises(SystemExit):
        carry_out(event)

    assert (made.reloaded(account).status, made.reloaded(account).judged_at) == ("UNKNOWN", None)
    assert (actions(), told(account)) == before
    assert carry_out(event).status == ConnectedStatus.FAILED


def test_people_twice_and_at_once_close_it_once(committed_acme):
    may_be_closed()
    account = made.unknown()
    say(account)
    event = agree(account)

    at_once(lambda: carry_out(event))

    assert (made.reloaded(account).status, told(account)) == ("FAILED", ["connected_account_failed"])
    assert actions().count("connected_account.judged") == 1


def test_people_and_the_list_at_once_leave_no_account_that_nobody_was_told_of(committed_acme):
    may_be_closed()
    account = made.unknown()
    say(account)
    event = agree(account)
    deeds = [
        lambda: carry_out(event),
        lambda: account_queries.accept(account_id=account.id, ticket=THEIRS, now=LATER),
    ]

    def do_one():
        deeds.pop()()

    at_once(do_one)

    account = made.reloaded(account)
    ends = {"PENDING": ["opened"], "FAILED": ["failed", "found"]}[account.status]
    assert (account.ticket, told(account)) == (THEIRS.value, [f"connected_account_{end}" for end in ends])
