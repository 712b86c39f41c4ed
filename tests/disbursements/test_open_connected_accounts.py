"""Open connected accounts: once, whatever is lost on the way; what may have been opened is looked for, over real HTTP."""

import json
from datetime import timedelta

import httpx
import pytest
from django.db import IntegrityError, transaction

from apps.disbursements.contracts import ConnectedStatus
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.services import account_queries, connected_accounts
from apps.integrations.models import ProviderCall
from apps.integrations.stripe import connected
from apps.kit import faults
from apps.kit.actors import SYSTEM
from tests.disbursements.test_order_transfer import at_once, told
from tests.disbursements.test_pay_by_stripe import DAY, followed
from tests.factories import transfers as made
from tests.loopback import NO_TLS
from tests.payments import cards as cardrail

ACCOUNTS = "/v1/accounts"
HOUR = timedelta(hours=1)
FORGOTTEN = DAY + HOUR
LOST = {"action": "reset", "processed": True}
NOT_ALLOWED, NO_KEY = "The account's key may not do this.", "Stripe does not accept the account's key."
NEVER_HEARD = {"action": "reset", "processed": False}


def refusal(status: int) -> dict[str, object]:
    told_so = {"error": {"type": "invalid_request_error", "message": "Not with this key."}}
    return {"action": "status", "status": status, "body": json.dumps(told_so)}


def wanted(cards) -> ConnectedAccount:
    return connected_accounts.open_account(
        party=made.merchant(), request=made.WANTED, actor=SYSTEM, now=cards.now
    )


def lost(cards, *answers: dict[str, object]) -> ConnectedAccount:
    """Return one whose request was answered so; the first is an answer that never came."""
    account = wanted(cards)
    for answer in answers or (LOST,):
        cards.script(answer, path=ACCOUNTS)
        account = followed(cards, account, after=HOUR)
    return account


def asked(kind: str = "connect") -> int:
    return ProviderCall.objects.filter(kind=kind).count()


def again(account) -> ConnectedAccount:
    """Ask for another account of the same party."""
    return connected_accounts.open_account(
        party=account.party, request=made.WANTED, actor=SYSTEM, now=account.created_at + 4 * DAY
    )


def test_an_answer_that_is_lost_is_had_again_while_the_provider_knows_the_request(cards):
    account = lost(cards)
    assert (account.status, told(account)) == (ConnectedStatus.UNKNOWN, ["connected_account_unknown"])

    nudge = {"provider_account_id": cards.account.id, "ticket": "acct_1New", "now": cards.now}
    assert connected_accounts.nudged(code=account.code, **nudge).id == account.id
    account = followed(cards, account)

    assert (account.status, account.failure_message) == (ConnectedStatus.PENDING, "")
    assert [one["id"] for one in cards.objects("accounts")] == [account.ticket]
    assert (asked(), asked("connect_query")) == (2, 0)


@pytest.mark.parametrize(("answer", "ends"), [(LOST, "PENDING"), (NEVER_HEARD, "FAILED")])
def test_what_was_forgotten_is_never_asked_for_again_but_looked_for(cards, answer, ends):
    account = lost(cards, answer)
    account = followed(cards, account, after=DAY)
    assert (account.status, account.next_query_at) == ("UNKNOWN", account.sent_at + FORGOTTEN)
    account = followed(cards, account, after=HOUR - timedelta(seconds=1))
    assert (account.status, asked("connect_query")) == ("UNKNOWN", 0)
    with pytest.raises(connected_accounts.AlreadyConnected):
        again(account)

    for _ in range(2):
        account_queries.follow(account_id=account.id, now=account.sent_at + FORGOTTEN)

    account = made.reloaded(account)
    theirs = cards.objects("accounts")
    assert (account.status, asked(), len(theirs)) == (ends, 1, int(ends == "PENDING"))
    assert [one["id"] for one in theirs] == [account.ticket] * len(theirs)
    assert told(account)[1] == f"connected_account_{'opened' if theirs else 'failed'}"
    if ends == "FAILED":
        assert (account.failure_code, again(account).status) == ("not_found", ConnectedStatus.REQUESTED)


def test_a_list_that_cannot_be_read_to_its_end_leaves_it_unknown_and_says_why(cards, monkeypatch):
    account = lost(cards)
    auth = (cardrail.CREDENTIALS.api_key, "")
    other = {"type": "express", "metadata[code]": "ANOTHER"}
    httpx.post(f"{cards.url}/stripe{ACCOUNTS}", data=other, auth=auth, trust_env=False, verify=NO_TLS)
    monkeypatch.setattr(connected, "PAGE", 1)
    monkeypatch.setattr(connected, "PAGES", 1)
    cards.script(refusal(403), path=ACCOUNTS)

    account = followed(cards, account, after=FORGOTTEN)
    assert (account.status, account.failure_message) == ("UNKNOWN", NOT_ALLOWED)
    account = followed(cards, account, after=account.next_query_at - cards.now)
    assert (account.status, account.failure_message) == ("UNKNOWN", "more than 1 accounts are listed")
    monkeypatch.setattr(connected, "PAGES", 2)
    account = followed(cards, account, after=account.next_query_at - cards.now)

    assert (account.status, account.failure_message, asked()) == ("PENDING", "", 1)
    assert told(account) == ["connected_account_unknown", "connected_account_opened"]


@pytest.mark.parametrize("point", ["before_account", "after_account"])
def test_what_a_killed_worker_left_is_not_ended_by_another_refusal(cards, point):
    account = wanted(cards)

    def die(name: str) -> None:
        if name.endswith(point):
            raise SystemExit

    with faults.hooked(die), pytest.raises(SystemExit):
        followed(cards, account)
    assert made.reloaded(account).status == ConnectedStatus.REQUESTED
    cards.script(refusal(401), path=ACCOUNTS)
    account = followed(cards, account, after=HOUR)
    assert (account.status, account.failure_message) == ("UNKNOWN", NO_KEY)

    account = followed(cards, account, after=DAY)

    opened = len(cards.objects("accounts"))
    assert (account.status, opened) == (("PENDING", 1) if point == "after_account" else ("FAILED", 0))


def test_a_refusal_of_the_only_request_that_left_ends_it(cards):
    account = lost(cards, {"action": "rate_limit", "code": "429"}, refusal(400))

    assert (account.status, told(account)) == ("FAILED", ["connected_account_failed"])
    assert (asked("connect_query"), cards.objects("accounts")) == (0, [])


def test_two_workers_at_once_ask_once(cards):
    account = wanted(cards)

    at_once(lambda: account_queries.follow(account_id=account.id, now=cards.now))

    assert (made.reloaded(account).status, asked(), len(cards.objects("accounts"))) == ("PENDING", 1, 1)


def test_the_database_keeps_that_only_what_was_sent_is_unknown(cards):
    account = wanted(cards)

    with pytest.raises(IntegrityError, match="lost_once_sent"), transaction.atomic():
        ConnectedAccount.objects.filter(id=account.id).update(status="UNKNOWN")
