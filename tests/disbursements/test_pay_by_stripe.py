"""Pay by Stripe: over real HTTP, a party is connected and paid once, whatever is lost on the way, and parts come back."""

import json
from datetime import timedelta

import httpx
import pytest
from celery.signals import before_task_publish

from apps.disbursements.contracts import ConnectedStatus, TransferStatus
from apps.disbursements.models import ConnectedAccount, Transfer, TransferReversal
from apps.disbursements.services import (
    account_queries,
    connected_accounts,
    sweeps,
    transfer_reversals,
    transfers,
)
from apps.events.models import OutboxEvent
from apps.integrations.events import PROVIDER_PARTNER_NUDGED
from apps.integrations.models import ProviderCall
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.models import ListedMovement, PullCursor
from apps.payments.services import pulls
from tests.disbursements.test_order_transfer import books, told
from tests.factories import transfers as made
from tests.factories.transfers import USD_40, USD_100
from tests.loopback import NO_TLS
from tests.payments import cards as cardrail
from tests.payments.test_sweep_payments import Broker

TRANSFERS = "/v1/transfers"
DAY = timedelta(days=1)
NOTHING = Money.zero("USD")


def followed(cards, account, *, after: timedelta = timedelta()) -> ConnectedAccount:
    cards.now += after
    account_queries.follow(account_id=account.id, now=cards.now)
    return made.reloaded(account)


def connected(cards) -> ConnectedAccount:
    """Return an account whose owner has told Stripe everything, of a merchant to whom we owe a hundred dollars."""
    account = connected_accounts.open_account(
        party=made.merchant(), request=made.WANTED, actor=SYSTEM, now=cards.now
    )
    for _ in range(2):
        account = followed(cards, account)
    link = connected_accounts.link(account_id=account.id, actor=SYSTEM, now=cards.now)
    assert link.expires_at is not None
    assert httpx.post(link.url, trust_env=False, verify=NO_TLS).headers["location"] == account.return_url
    made.owe(account.party, USD_100)
    return followed(cards, account, after=timedelta(hours=6))


def sent(cards, account) -> Transfer:
    transfer = made.ordered(account)
    transfers.send(transfer_id=transfer.id, now=cards.now)
    return made.again(transfer)


def asked(cards, transfer, *, after: timedelta = timedelta(minutes=5)) -> Transfer:
    """Let time pass and have the provider asked, by the sweep's road."""
    cards.now += after
    transfers.query(transfer_id=transfer.id, now=cards.now)
    return made.again(transfer)


def test_connects_a_party_which_tells_stripe_what_it_asks(cards):
    account = connected_accounts.open_account(
        party=made.merchant(), request=made.WANTED, actor=SYSTEM, now=cards.now
    )
    account = followed(cards, account)
    assert (account.status, account.needs) == (ConnectedStatus.PENDING, [])
    account = followed(cards, account)
    assert "external_account" in account.needs
    link = connected_accounts.link(account_id=account.id, actor=SYSTEM, now=cards.now)
    httpx.post(link.url, trust_env=False, verify=NO_TLS)
    event = {"id": "evt_1", "object": "event", "type": "account.updated", "livemode": False}
    about = {"account": account.ticket, "data": {"object": {"id": account.ticket, "object": "account"}}}
    message = cardrail.signed(json.dumps(event | about).encode(), at=cards.now)

    assert cards.deliver(message) == "APPLIED"
    nudge = OutboxEvent.objects.get(type=PROVIDER_PARTNER_NUDGED.name)
    nudged = connected_accounts.nudged(
        provider_account_id=cards.account.id, ticket=nudge.data["ticket"], code="", now=cards.now
    )

    assert nudged.id == account.id
    account = followed(cards, account)
    assert (account.status, account.needs) == (ConnectedStatus.ENABLED, [])
    assert told(account) == ["connected_account_opened", *["connected_account_updated"] * 2]


def test_pays_what_is_owed_and_takes_a_part_back(cards):
    account = connected(cards)

    transfer = sent(cards, account)
    transfers.send(transfer_id=transfer.id, now=cards.now)

    assert (transfer.status, ProviderCall.objects.filter(kind="transfer").count()) == ("SUCCEEDED", 1)
    assert books() == (Money(60_00, "USD"), NOTHING, -USD_40)
    asking = {
        "transfer_id": transfer.id,
        "money": Money(15_00, "USD"),
        "reason": "Too much.",
        "actor": SYSTEM,
    }
    transfer_reversals.reverse(now=cards.now, **asking)
    [part] = TransferReversal.objects.all()
    for _ in range(2):
        transfer_reversals.send(reversal_id=part.id, now=cards.now)
    transfer = made.again(transfer)
    assert (transfer.reversed, transfer.reversing) == (Money(15_00, "USD"), NOTHING)
    assert books() == (Money(75_00, "USD"), NOTHING, Money(-25_00, "USD"))
    assert cards.statement()["closing_balance"] == "-25.00"
    by_hand = {"amount": 1_00, "currency": "usd", "destination": account.ticket}
    httpx.post(
        f"{cards.url}/stripe{TRANSFERS}",
        data=by_hand,
        auth=(cardrail.CREDENTIALS.api_key, ""),
        trust_env=False,
        verify=NO_TLS,
    )
    lists_them(cards, transfer)


def lists_them(cards, transfer):
    """Read the list of movements: ours are explained by the sweep, and what somebody made by hand is left for people."""
    PullCursor.objects.create(provider_account=cards.account, pulled_until=cards.now - DAY)
    pulls.pull(account_id=cards.account.id, clock=lambda: cards.now)
    assert listed() == {-40_00: "", 15_00: "", -1_00: ""}

    jobs = swept(cards)

    assert (len(jobs), {job["deed"] for job in jobs}) == (2, {"explain"})
    assert listed() == {-40_00: "", 15_00: "", -1_00: ""}  # each is a job of its own, which stops no other
    for job in [*jobs, *jobs]:
        sweeps.do(**job, now=cards.now)

    of = f"transfer {transfer.code} is booked."
    assert listed() == {-40_00: f"T{of[1:]}", 15_00: f"What came back of {of}", -1_00: ""}


def swept(cards) -> list[dict[str, str]]:
    """Sweep, and return what its jobs for single rows are told."""
    broker = Broker()
    before_task_publish.connect(broker, weak=False)
    sweeps.run(now=cards.now)
    before_task_publish.disconnect(broker)
    return [arguments for name, arguments in broker.jobs if name == "disbursements.sweep_organisation"]


def listed() -> dict[int, str]:
    """Return why each listed movement was closed, by what it moved; an empty text for one that is open."""
    rows = ListedMovement.objects.values_list("amount_minor", "reason", "status")
    assert all((status == "EXPLAINED") == bool(reason) for _, reason, status in rows)
    return {int(moved): reason for moved, reason, _ in rows}


@pytest.mark.parametrize("is_processed", [True, False])
def test_a_transfer_whose_answer_is_lost_is_made_once(cards, is_processed):
    account = connected(cards)
    cards.script({"action": "reset", "processed": is_processed}, path=TRANSFERS)

    transfer = sent(cards, account)
    assert transfer.status == TransferStatus.UNKNOWN
    assert books()[1] == USD_40
    if is_processed:  # then the provider tells of it, which is asked about at once
        nudge = {"provider_account_id": cards.account.id, "now": cards.now}
        assert transfers.nudged(code=transfer.code, **nudge).id == transfer.id
        assert transfers.nudged(code="ANOTHER", **nudge) is None
    transfer = asked(cards, transfer, after=timedelta(minutes=0 if is_processed else 5))

    assert transfer.status == TransferStatus.SUCCEEDED
    assert told(transfer) == ["transfer_requested", "transfer_unknown", "transfer_succeeded"]
    assert cards.statement()["closing_balance"] == "-40.00"


@pytest.mark.parametrize(("is_processed", "ends"), [(True, "SUCCEEDED"), (False, "FAILED")])
def test_what_the_provider_no_longer_knows_by_its_code_is_looked_for(cards, is_processed, ends):
    account = connected(cards)
    cards.script({"action": "reset", "processed": is_processed}, path=TRANSFERS)
    transfer = sent(cards, account)

    transfer = asked(cards, transfer, after=DAY + timedelta(hours=2))

    assert transfer.status == ends
    owed = USD_100 if ends == "FAILED" else Money(60_00, "USD")
    assert books()[:2] == (owed, NOTHING)
    assert ProviderCall.objects.filter(kind="transfer").count() == 1


def test_a_reversal_whose_answer_is_lost_is_made_once(cards):
    transfer = sent(cards, connected(cards))
    transfer_reversals.reverse(
        transfer_id=transfer.id, money=None, reason="Not ours.", actor=SYSTEM, now=cards.now
    )
    [part] = TransferReversal.objects.all()
    cards.script({"action": "reset", "processed": True}, path=f"{TRANSFERS}/{transfer.ticket}/reversals")
    transfer_reversals.send(reversal_id=part.id, now=cards.now)
    assert TransferReversal.objects.get().status == TransferStatus.UNKNOWN
    cards.now += DAY + timedelta(hours=2)

    transfer_reversals.query(reversal_id=part.id, now=cards.now)

    assert TransferReversal.objects.get().status == TransferStatus.SUCCEEDED
    assert books() == (USD_100, NOTHING, NOTHING)
    assert cards.statement()["closing_balance"] == "0.00"


def test_what_stripe_refuses_is_owed_again_and_what_never_left_is_tried_again(cards):
    account = connected(cards)
    cards.script({"action": "rate_limit", "code": "429"}, path=TRANSFERS)
    transfer = sent(cards, account)
    assert (transfer.status, transfer.tries) == (TransferStatus.REQUESTED, 1)
    cards.now += timedelta(minutes=1)
    sweeps.run(now=cards.now)
    transfers.send(transfer_id=transfer.id, now=cards.now)
    assert made.again(transfer).status == TransferStatus.SUCCEEDED
    refusal = {"error": {"type": "invalid_request_error", "code": "balance_insufficient", "message": "No."}}
    cards.script({"action": "status", "status": 400, "body": json.dumps(refusal)}, path=TRANSFERS)

    refused = sent(cards, account)

    assert (refused.status, refused.failure_code) == (TransferStatus.FAILED, "float_insufficient")
    assert books() == (Money(60_00, "USD"), NOTHING, -USD_40)


def test_a_worker_that_dies_leaves_a_transfer_unknown_and_never_sent_twice(cards):
    account = connected(cards)
    transfer = made.sending(account)

    cards.now += DAY
    for _ in range(2):
        sweeps.do(deed="lose_transfer", row_id=transfer.id, now=cards.now)

    assert made.again(transfer).status == TransferStatus.UNKNOWN
    assert not ProviderCall.objects.filter(kind="transfer").exists()
