"""Transactions over the API: reversed, found and proven, and each kind of caller."""

from datetime import timedelta

import pytest

from apps.kit import clock, ids
from apps.ledger.contracts import AccountRole
from apps.ledger.services import seals
from tests.factories import access, ledger
from tests.ledger.partner import Partner, kes, party, transfer
from tests.payments.partner import refused


@pytest.fixture
def shop(committed_acme):
    with clock.fixed(ledger.NOW):
        yield Partner()


@pytest.fixture
def sides(shop):
    return party(display_name="Mama Oliech"), party(display_name="Otieno")


def balance(shop, role):
    [found] = shop.get("accounts", role=role).json()["data"]
    return found["balance"]["amount"]


def test_reverses_what_it_posted(shop, sides):
    said = shop.post("transactions", transfer(*sides)).json()

    answer = shop.post(f"transactions/{said['id']}/reverse", {"reason": "Order cancelled"})

    reversal = answer.json()
    assert answer.status_code == 201, reversal
    assert (reversal["kind"], reversal["reverses_id"]) == ("reversal", said["id"])
    assert [one["direction"] for one in reversal["legs"]] == ["credit", "debit"]
    assert shop.get(f"transactions/{said['id']}").json()["reversed_by_id"] == reversal["id"]
    assert balance(shop, "rider_payable") == "0.00"
    again = shop.post(f"transactions/{said['id']}/reverse", {"reason": "Order cancelled"})
    assert (again.status_code, again.json()) == (200, reversal)
    refused(
        shop.post(f"transactions/{said['id']}/reverse", {"reason": "Something else"}),
        409,
        "ledger_already_reversed",
    )


def test_refuses_a_reversal_by_naming_the_field(shop, sides):
    said = shop.post("transactions", transfer(*sides)).json()
    path = f"transactions/{said['id']}/reverse"

    refused(shop.post(path, {"reason": " "}), 422, "blank", "/reason")
    refused(
        shop.post(path, {"reason": "Early", "effective_date": "2026-11-23"}),
        422,
        "ledger_not_reversible",
        "/effective_date",
    )
    nobodys = ids.encode("ltx", ids.new())
    refused(shop.post(f"transactions/{nobodys}/reverse", {"reason": "No"}), 404, "resource_not_found")


def test_what_we_booked_is_read_and_not_reversed(shop):
    office = access.head_office().id
    refs = ledger.ref(AccountRole.PROVIDER_BALANCE, office), ledger.ref(AccountRole.SUSPENSE, office)
    booked = ledger.post(ledger.transfer(*refs, 5_00))
    path = f"transactions/{ids.encode('ltx', booked.id)}"

    assert shop.get(path).json()["key"] == ""
    refused(shop.post(f"{path}/reverse", {"reason": "No"}), 403, "ledger_transaction_foreign")


def test_filters_transactions(shop, sides):
    first = shop.post("transactions", transfer(*sides, reference="ORD-1", effective_date="2026-11-01")).json()
    second = shop.post("transactions", transfer(*sides, reference="ORD-2")).json()

    def found(**query):
        answer = shop.get("transactions", **query)
        assert answer.status_code == 200, answer.content
        return [one["id"] for one in answer.json()["data"]]

    assert found(reference="ORD-1") == [first["id"]]
    assert found(kind="posting,reversal") == [second["id"], first["id"]]
    assert found(account_id=first["legs"][0]["account_id"]) == [second["id"], first["id"]]
    assert found(account_id=ids.encode("acc", ids.new())) == []
    assert found(**{"effective_date[lt]": "2026-11-02"}) == [first["id"]]
    page = shop.get("transactions", limit=1).json()
    assert [one["id"] for one in page["data"]] == [second["id"]]
    assert found(limit=1, cursor=page["next_cursor"]) == [first["id"]]
    refused(shop.get("transactions", kind="nonsense"), 422, "invalid_choice", "/kind")
    refused(shop.get("transactions", account_id="pi_1"), 422, "filter_invalid", "/account_id")


def test_proves_what_is_sealed(shop, sides):
    said = shop.post("transactions", transfer(*sides)).json()
    path = f"transactions/{said['id']}/proof"

    refused(shop.get(path), 409, "proof_not_ready")
    seals.run(now=ledger.NOW + timedelta(minutes=5))
    proof = shop.get(path)

    assert proof.status_code == 200, proof.content
    assert proof.json()["type"] == "treasury.proof/1"
    assert str(ids.decode("ltx", said["id"])) in proof.json()["statement"]


def test_a_key_without_the_scope_is_refused(shop, sides):
    reader, stranger = Partner(scopes=("ledger:read",)), Partner(scopes=("payments:read",))

    refused(reader.post("transactions", transfer(*sides)), 403, "insufficient_scope")
    refused(reader.post("transactions/batch", {}), 403, "insufficient_scope")
    refused(stranger.get("transactions"), 403, "insufficient_scope")
    assert reader.get("transactions").json()["data"] == []


def test_a_key_of_one_branch_keeps_to_it(shop, sides):
    cbd, office = access.branch(), access.head_office()
    bound = Partner(branch=cbd)
    said = shop.post("transactions", transfer(*sides)).json()

    refused(bound.get(f"transactions/{said['id']}"), 404, "resource_not_found")
    refused(bound.post(f"transactions/{said['id']}/reverse", {"reason": "No"}), 404, "resource_not_found")
    mine = party(branch_id=cbd.id), party(branch_id=cbd.id)
    body = transfer(*mine)
    body["legs"][0]["branch_id"] = ids.encode("br", office.id)
    refused(bound.post("transactions", body), 403, "branch_forbidden", "/legs/0/branch_id")
    body["legs"][0] = {
        "direction": "debit",
        "account_id": said["legs"][0]["account_id"],
        "amount": kes("10.00"),
    }
    refused(bound.post("transactions", body), 404, "ledger_account_unknown", "/legs/0/account_id")
    booked = bound.post("transactions", transfer(*mine))
    assert booked.status_code == 201, booked.content
    assert {one["branch_id"] for one in booked.json()["legs"]} == {ids.encode("br", cbd.id)}
    assert [one["id"] for one in bound.get("transactions").json()["data"]] == [booked.json()["id"]]


def test_a_key_of_one_branch_does_not_reverse_what_touches_another(shop):
    cbd = access.branch()
    bound = Partner(branch=cbd)
    body = transfer(party(), party())
    body["legs"][0]["branch_id"] = ids.encode("br", cbd.id)
    said = shop.post("transactions", body).json()

    refused(
        bound.post(f"transactions/{said['id']}/reverse", {"reason": "No"}), 403, "ledger_transaction_foreign"
    )


def test_a_key_of_another_organisation_is_unknown(shop):
    refused(Partner(slug="zuri").get("transactions"), 401, "unauthenticated")
