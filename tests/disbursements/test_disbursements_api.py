"""Connected accounts and transfers over the API: success, each refusal, and what another application or a lesser key sees."""

import json
from itertools import count

import pytest
from django.test import Client

from apps.disbursements import events
from apps.disbursements.api.serializers import ConnectedAccountOut, TransferOut
from apps.disbursements.models import ConnectedAccount, Transfer
from apps.events.models import OutboxEvent
from apps.integrations.ports import ConnectStatus
from apps.kit import ids
from apps.parties.contracts import PartyKind
from tests.factories import access
from tests.factories import transfers as made
from tests.payments import cards
from tests.payments.partner import Partner, refused

_keys = count(1)
USD_40 = {"amount": "40.00", "currency": "USD"}


class Shop(Partner):
    """The same partner at whatever it names."""

    def get(self, path, **query):
        return self.inside(Client().get(f"/v1/{self.slug}/{path}", query, headers=self.headers))

    def post(self, path, body=None, **headers):
        answer = Client().post(
            f"/v1/{self.slug}/{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={"Idempotency-Key": f"out-{next(_keys)}", **self.headers, **headers},
        )
        return self.inside(answer)


@pytest.fixture
def shop(committed_acme):
    cards.account()
    return Shop()


def connecting(party, **changes):
    return {
        "party_id": ids.encode("pty", party.id),
        "currency": "USD",
        "country": "KE",
        "return_url": "https://shop.example.test/connected",
        **changes,
    }


def paying(account, **changes):
    return {
        "connected_account_id": ids.encode("ca", account.id),
        "amount": USD_40,
        "reference": "week-47",
        **changes,
    }


def test_connects_a_party_once(shop):
    party = made.merchant()

    answer = shop.post("connected-accounts", connecting(party))

    said = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/acme/connected-accounts/{said['id']}"
    assert (said["status"], said["needs"], said["due_by"]) == ("requested", [], None)
    assert set(ConnectedAccountOut().fields) == set(said) == set(events.ACCOUNT_SCHEMA["properties"])
    assert shop.get(f"connected-accounts/{said['id']}").json() == said
    assert shop.get("connected-accounts", party_id=said["party_id"], status="requested,pending").json()[
        "data"
    ] == [said]
    refused(shop.post("connected-accounts", connecting(party)), 409, "already_connected", "/party_id")
    refused(shop.post(f"connected-accounts/{said['id']}/link"), 409, "connected_account_not_open")
    assert shop.post(f"connected-accounts/{said['id']}/refresh").status_code == 202


def test_names_what_is_wrong_with_a_connection_and_writes_nothing(shop):
    customer = made.merchant(kind=PartyKind.CUSTOMER)
    party = made.merchant()
    elsewhere = made.merchant(application_id=access.application("riders").id)
    for body, status, code, pointer in (
        (connecting(customer), 409, "party_not_payable", "/party_id"),
        (connecting(party, currency="KES"), 422, "connect_not_supported", "/currency"),
        (connecting(party, provider="mpesa"), 422, "connect_not_supported", "/provider"),
        (connecting(party, country="Kenya"), 422, "invalid", "/country"),
        (connecting(party, return_url="javascript:alert(1)"), 422, "invalid", "/return_url"),
        (connecting(elsewhere), 404, "resource_not_found", None),
    ):
        refused(shop.post("connected-accounts", body), status, code, pointer)

    assert not ConnectedAccount.objects.exists()


def test_pays_a_party_and_takes_a_part_back(shop):
    account = made.enabled()

    answers = [shop.post("transfers", paying(account), **{"Idempotency-Key": "once"}) for _ in range(2)]

    said = answers[0].json()
    assert [answer.status_code for answer in answers] == [201, 201]
    assert (said["status"], said["amount"], said["reversed"]["amount"]) == ("requested", USD_40, "0.00")
    assert set(TransferOut().fields) == set(said) == set(events.TRANSFER_SCHEMA["properties"])
    assert OutboxEvent.objects.get(type="transfer_requested").data["object"] == said
    assert shop.get(f"transfers/{said['id']}").json() == answers[1].json() == said
    assert shop.get("transfers", reference="week-47").json()["data"] == [said]
    refused(shop.post(f"transfers/{said['id']}/reverse", {"reason": "Twice"}), 409, "transfer_not_reversible")
    transfer = made.made(account, reference="week-48")
    path = f"transfers/{ids.encode('tr', transfer.id)}/reverse"
    taken = shop.post(path, {"amount": {"amount": "15.00", "currency": "USD"}, "reason": "Twice"})
    assert (taken.status_code, taken.json()["reversing"]["amount"]) == (202, "15.00")
    refused(shop.post(path, {"amount": USD_40, "reason": "x"}), 422, "transfer_reversal_too_large", "/amount")
    refused(shop.post(path, {"amount": USD_40}), 422, "required", "/reason")


def test_pays_the_same_again_only_where_that_is_meant(shop):
    account = made.enabled()
    first = shop.post("transfers", paying(account))

    refused(shop.post("transfers", paying(account)), 409, "duplicate_suspected", "/force")
    assert Transfer.objects.count() == 1
    again = shop.post("transfers", paying(account, force=True))

    assert (first.status_code, again.status_code) == (201, 201)
    assert Transfer.objects.count() == 2


def test_names_what_is_wrong_with_a_transfer_and_writes_nothing(shop):
    account = made.enabled()
    for changes, status, code, pointer in (
        ({"amount": {"amount": "100.01", "currency": "USD"}}, 409, "transfer_not_owed", "/amount"),
        ({"amount": {"amount": "1.00", "currency": "KES"}}, 422, "transfer_currency_wrong", "/amount"),
        ({"amount": {"amount": "0.00", "currency": "USD"}}, 422, "transfer_too_small", "/amount"),
        ({"reference": " "}, 422, "blank", "/reference"),
        ({"destination": "acct_1"}, 422, "unknown_field", "/destination"),
    ):
        refused(shop.post("transfers", paying(account, **changes)), status, code, pointer)
    made.stands(account, ConnectStatus.RESTRICTED, needs=("external_account",))
    refused(
        *(shop.post("transfers", paying(account)), 409),
        *("connected_account_not_enabled", "/connected_account_id"),
    )

    assert not Transfer.objects.exists()


def test_another_application_and_a_key_that_reads_see_or_change_nothing(shop):
    transfer = made.made()
    one = f"transfers/{ids.encode('tr', transfer.id)}"
    reader = Shop(scopes=("transfers:read", "connected_accounts:read"))
    stranger = Shop(application_slug="riders")

    assert reader.get(one).status_code == 200
    refused(reader.post(f"{one}/reverse", {"reason": "Twice"}), 403, "insufficient_scope")
    refused(reader.post("transfers", paying(transfer.connected_account)), 403, "insufficient_scope")
    assert [stranger.get(path).status_code for path in (one, "transfers")] == [404, 200]
    assert stranger.get("transfers").json()["data"] == []
    refused(stranger.post("transfers", paying(transfer.connected_account)), 404, "resource_not_found")
