"""Party pages: a list to find parties, a page of facts, and dialogs that add, change and archive."""

import pytest
from django.urls import reverse

from apps.kit.actors import SYSTEM
from apps.parties.contracts import Channel, Contact, ContactKind, PartyKind
from apps.parties.models import Party
from apps.parties.services import parties
from tests.dialogs import open_at, send
from tests.factories import access
from tests.factories import parties as make
from tests.portal.conftest import HOST, enter

__all__ = ["enter"]
LIST = "/portal/parties/party/"
EMAIL = Contact(ContactKind.EMAIL, "orders@mavuno.test", is_primary=True)
SAID = {
    "display_name": "Mavuno Ltd",
    "legal_name": "Mavuno Foods Limited",
    "tax_pin": "p051234567q",
    "phones": "0712 345 678\n0110 222 333",
    "emails": "Orders@Mavuno.test",
    "channel": "EMAIL",
    "language": "SW",
}


def path(party: Party, deed: str = "") -> str:
    return reverse(f"admin:parties_party_{deed}" if deed else "admin:parties_party_change", args=[party.id])


def listed(client, query=""):
    """Return the names of the parties that the list shows."""
    html = client.get(f"{LIST}?{query or 'view=all'}").content.decode()
    return [name for name in ("Njeri Kamau", "Mavuno Ltd", "Baraka Otieno") if f"<b>{name}</b>" in html]


@pytest.fixture
def three(acme):
    """Keep a customer of head office, a supplier of another branch, and an archived rider."""
    access.portal()
    cbd = access.branch()
    customer = make.party(external_id="C-1", tax_pin="A051234567Q")
    make.party(display_name="Mavuno Ltd", kind=PartyKind.SUPPLIER, branch_id=cbd.id, contacts=(EMAIL,))
    rider = make.party(display_name="Baraka Otieno", kind=PartyKind.RIDER, contacts=())
    parties.archive(party_id=rider.id, actor=SYSTEM, now=make.NOW)
    return customer, cbd


def test_an_empty_list_says_how_parties_come(acme, enter):
    html = enter("owner").get(LIST).content.decode()

    assert "A party appears here when somebody adds it" in html
    assert f"{LIST}do/add/" in html


def test_the_list_shows_kinds_contacts_and_states_with_phones_masked(three, enter):
    html = enter("owner").get(LIST).content.decode()

    for shown in ("Customer", "Supplier", "0712 ••• 678", "o•••@mavuno.test", "C-1", "Archived"):
        assert shown in html
    assert "+254712345678" not in html
    assert "orders@mavuno.test" not in html


def test_the_list_is_found_in_and_filtered(three, enter):
    client, cbd = enter("owner"), three[1]

    for query, names in (
        ("q=njeri", ["Njeri Kamau"]),
        ("q=0712345678", ["Njeri Kamau"]),
        ("q=a051234567q", ["Njeri Kamau"]),
        ("q=C-1", ["Njeri Kamau"]),
        ("q=Orders@mavuno.test", ["Mavuno Ltd"]),
        ("q=0712", []),
        ("kind=SUPPLIER", ["Mavuno Ltd"]),
        ("state=ARCHIVED", ["Baraka Otieno"]),
        ("state=IN_USE", ["Njeri Kamau", "Mavuno Ltd"]),
        (f"branch={cbd.id}", ["Mavuno Ltd"]),
    ):
        assert listed(client, query) == names, query
    assert "A part of the name is enough" in client.get(f"{LIST}?q=nobody").content.decode()


def test_a_person_of_one_branch_sees_and_changes_only_its_parties(three, enter, in_organisation):
    customer, cbd = three
    client = enter("owner", branches=(cbd,))

    assert listed(client) == ["Mavuno Ltd"]
    assert client.get(path(customer)).status_code == 302
    assert open_at(client, path(customer, "edit")).status_code == 409
    assert send(client, path(customer, "archive")).status_code == 409
    assert "Head office" not in open_at(client, f"{LIST}do/add/").content.decode()
    in_organisation("acme")
    refused = send(
        client, f"{LIST}do/add/", **SAID, kind="CUSTOMER", branch=access.head_office().id, external_id=""
    )
    assert refused.status_code == 422
    in_organisation("acme")
    assert Party.objects.count() == 3


@pytest.mark.parametrize(("role", "deed"), [("accountant", 403), ("developer", 403)])
def test_who_may_only_read_is_offered_nothing(three, enter, role, deed):
    client, customer = enter(role), three[0]

    assert client.get(LIST).status_code == (200 if role == "accountant" else 403)
    assert "do/add" not in client.get(LIST).content.decode()
    for url in (f"{LIST}do/add/", path(customer, "edit"), path(customer, "archive")):
        assert open_at(client, url).status_code == deed


def test_a_party_is_added_with_its_contacts(acme, enter, in_organisation):
    access.portal()
    office = access.head_office()
    client = enter("owner")

    form = {**SAID, "kind": "SUPPLIER", "branch": office.id, "external_id": "S-7"}
    assert send(client, f"{LIST}do/add/", **form).status_code == 204

    in_organisation("acme")
    party = Party.objects.get()
    assert (party.kind, party.display_name, party.tax_pin) == ("SUPPLIER", "Mavuno Ltd", "P051234567Q")
    assert (party.channel, party.language, party.application.slug) == ("EMAIL", "SW", "portal")
    assert sorted(party.contacts.values_list("value", "is_primary")) == [
        ("+254110222333", False),
        ("+254712345678", True),
        ("orders@mavuno.test", True),
    ]
    again = send(client, f"{LIST}do/add/", **form)
    assert again.status_code == 409
    assert "This external id is that of pty_" in again.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("display_name", " "), ("tax_pin", "P05"), ("phones", "12"), ("emails", "x"), ("channel", "POST")],
)
def test_what_cannot_be_is_said_beside_its_field(three, enter, in_organisation, field, value):
    client, customer = enter("owner"), three[0]

    answer = send(client, path(customer, "edit"), **{**SAID, field: value})

    assert answer.status_code == 422
    assert f'href="#id_{field}"' in answer.content.decode()
    in_organisation("acme")
    customer.refresh_from_db()
    assert customer.version == 1


def test_a_party_is_changed_from_what_it_is(three, enter, in_organisation):
    client, customer = enter("owner"), three[0]
    opened = open_at(client, path(customer, "edit")).content.decode()
    assert "Njeri Kamau" in opened
    assert "+254712345678" in opened

    assert send(client, path(customer, "edit"), **SAID).status_code == 204

    in_organisation("acme")
    customer.refresh_from_db()
    assert (customer.version, customer.display_name, customer.channel) == (2, "Mavuno Ltd", Channel.EMAIL)
    html = client.get(path(customer)).content.decode()
    for shown in ("Mavuno Foods Limited", "0110 ••• 333", "o•••@mavuno.test", "Kiswahili", "Primary"):
        assert shown in html
    assert "+254" not in html


def test_an_archived_party_is_changed_no_more(three, enter, in_organisation):
    client, customer = enter("owner"), three[0]

    assert send(client, path(customer, "archive")).status_code == 204

    in_organisation("acme")
    customer.refresh_from_db()
    assert customer.archived_at is not None
    assert "do/edit" not in client.get(path(customer)).content.decode()
    for deed in ("edit", "archive"):
        assert send(client, path(customer, deed), **SAID).status_code == 409


def test_a_stranger_is_sent_to_sign_in(three, client):
    for url in (LIST, path(three[0]), path(three[0], "edit")):
        assert client.get(url, headers={"host": HOST}).status_code == 302
