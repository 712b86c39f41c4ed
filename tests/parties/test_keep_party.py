"""Keep party: recorded once, changed by who read the present version, archived."""

import json
import threading
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client

from apps.audit.models import AuditRecord
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.phones import PhoneInvalid
from apps.parties.contracts import Channel, Contact, ContactKind, PartyKind
from apps.parties.models import ContactPoint, Party
from apps.parties.services import parties
from tests.factories import access
from tests.factories import parties as make

EMAIL = Contact(ContactKind.EMAIL, "Njeri@Example.test ")


def test_is_recorded_with_contacts_in_one_form(acme):
    party = make.party(contacts=(make.PHONE, EMAIL), tax_pin="P051234567Q", external_id="C-1")

    assert (party.version, party.archived_at) == (1, None)
    assert sorted(party.contacts.values_list("kind", "value", "is_primary")) == [
        ("EMAIL", "njeri@example.test", False),
        ("PHONE", "+254712345678", True),
    ]
    assert AuditRecord.objects.filter(action="party.created", object_id=str(party.id)).count() == 1


@pytest.mark.parametrize(
    ("refusal", "pointer", "facts"),
    [
        (parties.PartyInvalid, "/display_name", {"display_name": " "}),
        (parties.PartyInvalid, "/tax_pin", {"tax_pin": "P05"}),
        (PhoneInvalid, "/contacts/0/value", {"contacts": (Contact(ContactKind.PHONE, "12"),)}),
        (parties.PartyInvalid, "/contacts/0/value", {"contacts": (Contact(ContactKind.EMAIL, "x"),)}),
        (
            parties.PartyInvalid,
            "/contacts",
            {"contacts": (make.PHONE, replace(make.PHONE, value="0712345678"))},
        ),
        (
            parties.PartyInvalid,
            "/contacts",
            {"contacts": (make.PHONE, replace(make.PHONE, value="0712345679"))},
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(acme, refusal, pointer, facts):
    with pytest.raises(refusal) as found:
        make.party(**facts)

    assert [wrong.pointer for wrong in found.value.errors] == [pointer]
    assert (Party.objects.count(), ContactPoint.objects.count()) == (0, 0)


def test_an_external_id_is_used_once_per_application(acme):
    first = make.party(external_id="C-1")
    make.party(external_id="C-1", application_id=access.application("other").id)
    make.party()
    make.party()

    with pytest.raises(parties.DuplicateParty) as found:
        make.party(external_id="C-1")

    assert ids.encode("pty", first.id) in found.value.detail
    assert Party.objects.count() == 4


def test_who_read_an_old_version_changes_nothing(acme):
    party = make.party()
    facts = make.wanted(display_name="Njeri K.", contacts=()).facts

    changed = parties.change(party_id=party.id, version=1, facts=facts, actor=SYSTEM, now=make.NOW)
    with pytest.raises(parties.PartyChanged):
        parties.change(party_id=party.id, version=1, facts=make.wanted().facts, actor=SYSTEM, now=make.NOW)

    assert (changed.version, Party.objects.get().display_name) == (2, "Njeri K.")
    assert ContactPoint.objects.count() == 0


def test_what_is_not_named_stays_as_it_is_now_and_not_as_it_was_read(acme):
    party = make.party(contacts=(make.PHONE,))
    facts = make.wanted(display_name="Njeri K.", contacts=(EMAIL,)).facts
    parties.change(party_id=party.id, version=1, facts=facts, actor=SYSTEM, now=make.NOW)
    said = {"channel": Channel.WHATSAPP}

    with pytest.raises(parties.PartyChanged):
        parties.change(party_id=party.id, version=1, facts=said, actor=SYSTEM, now=make.NOW)
    changed = parties.change(party_id=party.id, version=2, facts=said, actor=SYSTEM, now=make.NOW)

    assert (changed.version, changed.channel, changed.display_name) == (3, "WHATSAPP", "Njeri K.")
    assert list(changed.contacts.values_list("value", flat=True)) == ["njeri@example.test"]


def test_the_audit_trail_shows_changed_contacts_and_hides_what_they_are(acme):
    party = make.party(contacts=(make.PHONE,))
    for contacts, version in (((EMAIL,), 1), ((EMAIL,), 2)):
        facts = make.wanted(contacts=contacts).facts
        parties.change(party_id=party.id, version=version, facts=facts, actor=SYSTEM, now=make.NOW)

    first, second = AuditRecord.objects.filter(action="party.changed").order_by("id")
    assert first.changes == {"contacts": [["phone 0712 ••• 678, primary"], ["email n•••@example.test"]]}
    assert second.changes == {}


def test_is_archived_once(acme):
    party = make.party()

    parties.archive(party_id=party.id, actor=SYSTEM, now=make.NOW)
    again = parties.archive(party_id=party.id, actor=SYSTEM, now=make.NOW)

    assert (again.version, again.archived_at) == (2, make.NOW)
    with pytest.raises(errors.NotFound):
        parties.archive(party_id=party.branch_id, actor=SYSTEM, now=make.NOW)


class Partner:
    def __init__(self, **chosen):
        self.organisation = connection.tenant
        self.headers = access.bearer(access.issued(**chosen).secret)

    def ask(self, method, path="", body=None, key="k-1"):
        answer = Client().generic(
            method,
            f"/v1/acme/parties{path}",
            json.dumps(body or {}),
            content_type="application/json",
            headers={"Idempotency-Key": key, **self.headers},
        )
        connection.set_tenant(self.organisation)
        return answer.status_code, answer.json()


def test_a_partner_records_changes_and_archives(committed_acme):
    shop = Partner()
    body = {
        "kind": "customer",
        "display_name": "Njeri Kamau",
        "external_id": "C-1",
        "contacts": [{"kind": "phone", "value": "0712345678", "is_primary": True}],
    }

    status, made = shop.ask("POST", "", body)
    assert status == 201
    assert made["contacts"] == [{"kind": "phone", "value": "+254712345678", "is_primary": True}]
    status, known = shop.ask("POST", "", body, key="k-2")
    assert (status, known["code"]) == (409, "duplicate_party")
    path = f"/{made['id']}"
    status, changed = shop.ask("PATCH", path, {"version": 1, "channel": "whatsapp"})
    assert (status, changed["channel"], changed["version"]) == (200, "whatsapp", 2)
    assert changed["contacts"] == made["contacts"]
    status, stale = shop.ask("PATCH", path, {"version": 1, "channel": "sms"})
    assert (status, stale["code"]) == (409, "party_changed")
    assert shop.ask("POST", f"{path}/archive")[1]["archived_at"] is not None
    for query, count in (("?contact=%2B254712345678", 1), ("?kind=supplier", 0), ("?archived=false", 0)):
        assert len(shop.ask("GET", query)[1]["data"]) == count, query


def test_another_application_and_another_branch_see_nothing(committed_acme):
    party = make.party()
    strangers = [Partner(application_slug="other"), Partner(branch=access.branch())]

    for stranger in strangers:
        assert stranger.ask("GET")[1]["data"] == []
        for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/archive")):
            status, _ = stranger.ask(method, f"/{ids.encode('pty', party.id)}{path}", {"version": 1})
            assert status == 404
    assert Party.objects.get().version == 1


def test_what_is_said_of_an_external_id_is_kept_once(acme):
    party, is_new = parties.keep(request=make.wanted(external_id="C-1"), actor=SYSTEM, now=make.NOW)
    again, is_new_again = parties.keep(request=make.wanted(external_id="C-1"), actor=SYSTEM, now=make.NOW)
    other = make.wanted(external_id="C-1", display_name="Njeri K.", contacts=(EMAIL,))
    changed, _ = parties.keep(request=other, actor=SYSTEM, now=make.NOW)

    assert (is_new, is_new_again, again.version) == (True, False, 1)
    assert (changed.id, changed.version, changed.display_name) == (party.id, 2, "Njeri K.")
    assert list(changed.contacts.values_list("value", flat=True)) == ["njeri@example.test"]
    assert AuditRecord.objects.filter(object_id=str(party.id)).count() == 2


@pytest.mark.parametrize("pointer", ["/kind", "/branch_id"])
def test_kind_and_branch_stay_as_they_were_recorded(acme, pointer):
    make.party(external_id="C-1")
    other = {
        "/kind": {"kind": PartyKind.SUPPLIER},
        "/branch_id": {"branch_id": access.branch().id},
    }[pointer]

    with pytest.raises(parties.PartyInvalid) as found:
        parties.keep(request=make.wanted(external_id="C-1", **other), actor=SYSTEM, now=make.NOW)

    assert [wrong.pointer for wrong in found.value.errors] == [pointer]
    assert Party.objects.get().version == 1


def test_from_two_connections_at_once_there_is_one_party(committed_acme):
    access.head_office()
    access.application()
    organisation, gate = connection.tenant, threading.Barrier(4)
    seen = []

    def keep(place: int) -> None:
        connection.set_tenant(organisation)
        try:
            wanted = make.wanted(external_id="C-1", display_name=f"Njeri {place % 2}")
            gate.wait(10)
            seen.append(parties.keep(request=wanted, actor=SYSTEM, now=make.NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=keep, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert {party.id for party, _ in seen} == {Party.objects.get().id}
    assert sorted(is_new for _, is_new in seen) == [False, False, False, True]
    assert ContactPoint.objects.count() == 1


def test_a_partner_keeps_a_party_by_its_own_id(committed_acme):
    cbd = access.branch()
    shop, till = Partner(), Partner(branch=cbd)
    body = {"kind": "customer", "display_name": "Njeri", "branch_id": ids.encode("br", cbd.id)}
    path = "/by-external-id/crm:7.1"

    assert shop.ask("PUT", path, body)[0] == 201
    status, kept = shop.ask("PUT", path, {"kind": "customer", "display_name": "Njeri K."})
    assert (status, kept["external_id"], kept["version"], kept["branch_id"]) == (
        200,
        "crm:7.1",
        2,
        body["branch_id"],
    )
    assert till.ask("PUT", path, {"kind": "customer", "display_name": "Njeri K."})[1] == kept
    assert (
        Partner(branch=access.branch("WST", "West")).ask("PUT", path, {**body, "branch_id": None})[0] == 422
    )
    assert Partner(application_slug="other").ask("PUT", path, body)[0] == 201
    for wrong in ("x" * 65, "%00", "%20"):
        status, refused = shop.ask("PUT", f"/by-external-id/{wrong}", body)
        assert (status, refused["errors"][0]["pointer"]) == (422, "/external_id")
    assert Party.objects.count() == 2


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({str(number): "x" for number in range(51)}, "/metadata"),
        ({"k" * 41: "x"}, "/metadata"),
        ({"": "x"}, "/metadata"),
        ({"note": "x" * 501}, "/metadata/note"),
        ({"note": 5}, "/metadata/note"),
        ({"note": "\0"}, "/metadata/note"),
        ("note", "/metadata"),
    ],
)
def test_metadata_that_cannot_be_is_refused_over_the_api_too(acme, said, pointer):
    issued = access.issued()
    answer = Client().put(
        "/v1/acme/parties/by-external-id/C-1",
        {"kind": "customer", "display_name": "Njeri", "metadata": said},
        content_type="application/json",
        headers=access.bearer(issued.secret),
    )

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    connection.set_tenant(acme)
    if isinstance(said, dict):
        with pytest.raises(parties.PartyInvalid):
            make.party(metadata=said)
    assert not Party.objects.exists()


def test_metadata_is_synced_by_external_id_of_each_application_apart(acme):
    keys = {slug: access.issued(application_slug=slug).secret for slug in ("shop", "books")}

    def put(slug, **more):
        return Client().put(
            "/v1/acme/parties/by-external-id/C-1",
            {"kind": "customer", "display_name": "Njeri", **more},
            content_type="application/json",
            headers=access.bearer(keys[slug]),
        )

    first, again = (put("shop", metadata={"tier": "gold"}) for _ in range(2))
    other = put("books", metadata={"tier": "blue"})
    emptied = put("shop")

    assert [answer.status_code for answer in (first, again, other, emptied)] == [201, 200, 201, 200]
    assert again.json() == first.json()
    assert other.json()["id"] != first.json()["id"]
    assert (first.json()["metadata"], emptied.json()["metadata"]) == ({"tier": "gold"}, {})
    connection.set_tenant(acme)
    assert set(Party.objects.values_list("metadata__tier", flat=True)) == {None, "blue"}
    record = AuditRecord.objects.get(action="party.changed")
    assert record.changes["metadata"] == [["tier"], []]


def test_what_people_change_leaves_metadata_as_it_is(acme):
    party = make.party(metadata={"tier": "gold"})

    changed = parties.change(
        party_id=party.id,
        version=1,
        facts=replace(make.wanted().facts, display_name="Njeri W."),
        actor=SYSTEM,
        now=make.NOW,
    )

    assert (changed.display_name, changed.metadata) == ("Njeri W.", {"tier": "gold"})
