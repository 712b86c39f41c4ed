"""Follow branch policy: files, jobs, events and webhooks show what the lists show, and nothing else."""

import csv
import io
from datetime import timedelta

import pytest

from apps.access.contracts import Caller
from apps.access.models import ApiKey
from apps.access.services import branches
from apps.accounts.models import User
from apps.events.contracts import REGISTRY
from apps.jobs.contracts import JobStatus, NewExport
from apps.jobs.selectors import jobs as seen
from apps.jobs.services import exports, jobs
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.parties.selectors import parties as stored
from apps.tenancy.contracts import BranchPolicy
from tests.factories import access as make
from tests.factories import events, parties, payments
from tests.factories import jobs as work
from tests.factories.access import NOW

LATER = payments.NOW + timedelta(hours=1)
SEEN = {
    BranchPolicy.STRICT: ({"COAST"}, {"COAST"}),
    BranchPolicy.PARENT_SEES_CHILDREN: ({"COAST", "MSA"}, {"COAST", "MSA"}),
    BranchPolicy.SHARED_PARTIES: ({"COAST"}, {"HQ", "COAST", "MSA"}),
}
"""Whose rows, and whose parties, somebody sees who is bound to the coast."""


def tree():
    """Return head office, the coast below it and Mombasa below the coast."""
    office, coast = make.head_office(), make.branch("COAST", "Coast")
    mombasa = branches.create(code="MSA", name="Mombasa", parent_id=coast.id, actor=SYSTEM, now=NOW)
    return office, coast, mombasa


def choose(policy):
    branches.choose_policy(policy=policy, reason="We agreed on it", actor=SYSTEM, now=NOW)


def again(who):
    """Return who asks as a later request meets him."""
    if isinstance(who, Caller):
        return Caller(ApiKey.objects.select_related("application").get(id=who.key.id), who.actor)
    return User.objects.get(id=who.id)


def exported(job):
    """Return the names in the file of a job."""
    work.work(job, now=LATER)
    done = work.reloaded(job)
    assert done.status == JobStatus.SUCCEEDED, done.error
    text = b"".join(jobs.open_result(job=done, actor=SYSTEM, now=LATER)).decode()
    lines = list(csv.reader(io.StringIO(text)))
    rows = lines[lines.index([]) + 1 :]
    return {row[rows[0].index("Name")] for row in rows[1:]}


def test_an_export_of_parties_holds_what_the_list_shows_and_is_seen_by_who_asked(committed_acme):
    places = tree()
    make.portal()
    person = make.member("owner", "asha@example.test", (places[1],)).user
    key, stranger = make.caller(branch=places[1]), make.caller(branch=places[2])
    for branch in places:
        parties.party(
            branch_id=branch.id, application_id=key.application_id, display_name=branch.code, contacts=()
        )

    for policy, (_, names) in SEEN.items():
        choose(policy)
        for who in (again(person), again(key)):
            job = exports.start(request=NewExport("parties"), caller=who, actor=SYSTEM, now=LATER)

            assert exported(job) == names == {party.display_name for party in stored.visible_to(who)}
            assert seen.get(again(who), job.id) == job
            is_told = policy == BranchPolicy.SHARED_PARTIES and isinstance(who, Caller)
            assert seen.visible_to(again(stranger)).filter(id=job.id).exists() is is_told
        assert not exported(
            exports.start(request=NewExport("payments"), caller=again(key), actor=SYSTEM, now=LATER)
        )


def test_one_branch_of_shared_parties_is_exported_by_who_sees_them_and_by_nobody_else(acme):
    _, coast, mombasa = tree()
    make.portal()
    person = make.member("owner", "asha@example.test", (coast,)).user
    wanted = NewExport("parties", branch_id=mombasa.id)

    with pytest.raises(errors.Forbidden):
        exports.start(request=wanted, caller=again(person), actor=SYSTEM, now=LATER)
    choose(BranchPolicy.SHARED_PARTIES)
    job = exports.start(request=wanted, caller=again(person), actor=SYSTEM, now=LATER)

    assert job.branch_ids == [mombasa.id]
    assert dict(job.parameters["asked_for"]) == {"Branch": "Mombasa"}
    with pytest.raises(errors.Forbidden):
        exports.start(
            request=NewExport("payments", branch_id=mombasa.id), caller=again(person), actor=SYSTEM, now=LATER
        )


def test_a_key_reads_events_endpoints_and_deliveries_of_the_branches_of_the_policy(
    acme, client, in_organisation, monkeypatch
):
    monkeypatch.setitem(REGISTRY, events.PARTNER_TYPE.name, events.PARTNER_TYPE)
    places = tree()
    issued = make.issued(branch=places[1])
    key, own = issued.key, {}
    for branch in places:
        told = {"branch_id": branch.id, "application_id": key.application_id}
        endpoint = events.endpoint(f"https://{branch.code.lower()}.example/hooks", **told).endpoint
        event = events.publish(**told)
        own[branch.code] = (event.id, endpoint.id, events.planned(event)[0].id)

    for policy, (rows, _) in SEEN.items():
        in_organisation("acme")
        choose(policy)
        for place, (path, prefix) in enumerate(
            [("events", "evt"), ("webhook-endpoints", "whe"), ("webhook-deliveries", "whd")]
        ):
            for code, kept in own.items():
                answer = client.get(
                    f"/v1/acme/{path}/{ids.encode(prefix, kept[place])}", headers=make.bearer(issued.secret)
                )
                assert answer.status_code == (200 if code in rows else 404), (policy, path, code)
