"""Keep branches: an application opens and changes branches by its own ids of them, and no other ones."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from apps.access.models import ApiKey, Branch, BranchExternalId
from apps.access.selectors.scope import BeyondOwnBranches
from apps.access.services import branch_external_ids
from apps.audit.models import AuditRecord
from apps.kit import ids, schema
from apps.kit.actors import SYSTEM, person
from apps.tenancy.models import Organisation
from tests.factories import access as make
from tests.factories.access import NOW

WESTLANDS = {"code": "NBO-W", "name": "Westlands"}


def put(secret, external_id, **said):
    connection.set_schema_to_public()
    answer = Client().put(
        f"/v1/acme/branches/by-external-id/{external_id}",
        {**WESTLANDS, **said},
        content_type="application/json",
        headers=make.bearer(secret),
    )
    connection.set_tenant(Organisation.objects.get(slug="acme"))
    return answer


def link(branch, external_id="X-1", slug="shop"):
    return branch_external_ids.link(
        branch_id=branch.id,
        application_id=make.application(slug).id,
        external_id=external_id,
        actor=SYSTEM,
        now=NOW,
    )


def actions():
    """Return what keys did to branches, in the order of its name."""
    records = AuditRecord.objects.filter(object_type="branch", actor_kind="API_KEY")
    return sorted((record.action, record.application) for record in records)


def test_opens_a_branch_once_and_changes_it_by_the_same_id(acme, client):
    secret = make.issued().secret

    opened, again = put(secret, "17"), put(secret, "17")
    below = put(secret, "18", code="NBO-W2", name="Mall", parent_external_id="17")
    renamed = put(secret, "17", name="Westlands Square", time_zone="Africa/Kampala")

    assert [each.status_code for each in (opened, again, below, renamed)] == [201, 200, 201, 200]
    body = opened.json()
    assert (body["code"], body["name"], body["external_id"]) == ("NBO-W", "Westlands", "17")
    assert body["parent_id"] == ids.encode("br", make.head_office().id)
    assert again.json() == body
    assert below.json()["parent_id"] == body["id"] == renamed.json()["id"]
    kept = Branch.objects.get(code="NBO-W")
    assert (kept.name, kept.time_zone) == ("Westlands Square", "Africa/Kampala")
    assert actions() == [
        ("branch.changed", "shop"),
        *[("branch.created", "shop")] * 2,
        *[("branch.linked", "shop")] * 2,
    ]
    listed = client.get("/v1/acme/branches?external_id=18", headers=make.bearer(secret)).json()["data"]
    assert [branch["code"] for branch in listed] == ["NBO-W2"]


def test_two_applications_call_different_branches_the_same(acme):
    shop, other = make.issued().secret, make.issued(application_slug="other").secret

    mine = put(shop, "1").json()
    theirs = put(other, "1", code="KSM", name="Kisumu").json()
    taken = put(other, "2")

    assert mine["id"] != theirs["id"]
    assert (taken.status_code, taken.json()["code"]) == (409, "branch_exists")
    assert BranchExternalId.objects.count() == 2
    assert put(shop, "1").json()["external_id"] == "1"


def test_changes_a_branch_of_people_only_once_it_is_linked(acme):
    secret, coast = make.issued().secret, make.branch("COAST", "Coast")

    refused = put(secret, "C", code="COAST", name="Ours now")
    link(coast, "C")
    taken = put(secret, "C", code="COAST", name="Coast region")
    branch_external_ids.unlink(
        branch_id=coast.id, application_id=make.application().id, actor=SYSTEM, now=NOW
    )
    again = put(secret, "C", code="COAST", name="Ours again")

    assert [refused.status_code, taken.status_code, again.status_code] == [409, 200, 409]
    coast.refresh_from_db()
    assert coast.name == "Coast region"
    found = AuditRecord.objects.filter(object_id=str(coast.id)).values_list("action", flat=True)
    assert sorted(found) == ["branch.changed", "branch.created", "branch.linked", "branch.unlinked"]


@pytest.mark.parametrize(
    ("said", "status", "code", "pointer"),
    [
        ({"code": "ANOTHER"}, 422, "branch_invalid", "/code"),
        ({"parent_external_id": "nobody"}, 422, "branch_invalid", "/parent_external_id"),
        ({"parent_external_id": "1"}, 422, "branch_invalid", "/parent"),
        ({"time_zone": "Mars/Olympus"}, 422, "branch_invalid", "/time_zone"),
        ({"name": ""}, 422, "validation_error", "/name"),
        ({"is_head_office": True}, 422, "validation_error", "/is_head_office"),
    ],
)
def test_refuses_what_cannot_be_by_its_field(acme, said, status, code, pointer):
    secret = make.issued().secret
    assert put(secret, "1").status_code == 201

    answer = put(secret, "1", **said)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert Branch.objects.get(code="NBO-W").name == "Westlands"


def test_a_bound_key_renames_its_own_branch_and_neither_opens_nor_moves_one(acme):
    office, coast = make.head_office(), make.branch("COAST", "Coast")
    link(coast, "C")
    link(make.branch("MSA", "Mombasa"), "M")
    link(office, "HQ")
    bound = make.issued(branch=coast).secret

    renamed = put(bound, "C", code="COAST", name="Coast region")
    refused = [
        put(bound, "N"),
        put(bound, "M", code="MSA", name="Ours"),
        put(bound, "C", code="COAST", name="Coast region", parent_external_id="M"),
    ]

    assert renamed.status_code == 200
    assert [each.json()["code"] for each in refused] == ["branch_forbidden"] * 3
    assert not Branch.objects.filter(code="NBO-W").exists()
    coast.refresh_from_db()
    assert (coast.name, coast.parent_id) == ("Coast region", office.id)


def test_a_key_of_somebody_who_works_for_some_branches_opens_none(acme):
    coast = make.branch("COAST", "Coast")
    issued = make.issued()
    maker = make.member("owner", "coast@example.test", (coast,))
    ApiKey.objects.filter(id=issued.key.id).update(created_by=maker)

    answer = put(issued.secret, "1")

    assert (answer.status_code, answer.json()["code"]) == (403, "beyond_own_branches")
    assert not BranchExternalId.objects.exists()


def test_needs_the_scope_and_tells_nobody_else_of_the_id(acme, client):
    secret = make.issued(("branches:read",)).secret
    link(make.branch("COAST", "Coast"), "C", "other")

    refused = put(secret, "1")
    listed = client.get("/v1/acme/branches", headers=make.bearer(secret)).json()["data"]

    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert {branch["external_id"] for branch in listed} == {""}


def test_who_works_for_some_branches_links_and_unlinks_no_other(acme):
    coast, mombasa = make.branch("COAST", "Coast"), make.branch("MSA", "Mombasa")
    near = person(make.member("owner", branches=(coast,)).user_id)
    kept = {"application_id": make.application().id, "actor": near, "now": NOW}
    link(mombasa, "M")

    for deed in (
        lambda: branch_external_ids.link(**kept, branch_id=mombasa.id, external_id="X"),
        lambda: branch_external_ids.unlink(**kept, branch_id=mombasa.id),
    ):
        with pytest.raises(BeyondOwnBranches):
            deed()
    branch_external_ids.link(**kept, branch_id=coast.id, external_id="C")
    branch_external_ids.unlink(**kept, branch_id=coast.id)

    assert [row.external_id for row in BranchExternalId.objects.all()] == ["M"]
    record = AuditRecord.objects.get(action="branch.unlinked")
    assert record.changes == {"external_id": ["C", None], "application": ["shop", None]}


def test_opens_no_more_branches_than_it_may(acme, monkeypatch):
    secret = make.issued().secret
    monkeypatch.setattr(branch_external_ids, "OPENED_MAX", 1)

    answers = [put(secret, "1"), put(secret, "2", code="NBO-X"), put(secret, "1", name="Renamed")]

    assert [each.status_code for each in answers] == [201, 409, 200]
    assert answers[1].json()["code"] == "branch_limit"


def test_two_at_once_open_one_branch(committed_acme):
    caller = make.caller()
    said = branch_external_ids.KeptBranch("1", "NBO-W", "Westlands")

    def once(_):
        schema.enter(committed_acme)
        try:
            return branch_external_ids.keep(caller=caller, said=said, now=NOW)[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(once, range(2)))

    assert answers == [False, True]
    assert Branch.objects.filter(code="NBO-W").count() == 1
