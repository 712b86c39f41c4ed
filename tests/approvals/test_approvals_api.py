"""Approvals API: success, each refusal and each kind of caller."""

import json
from itertools import count

import pytest
from django.db import connection
from django.test import Client

from apps.access.contracts import SCOPES
from apps.access.models import ApiKey
from apps.approvals.contracts import ApprovalStatus, NewStep
from apps.approvals.models import ApprovalDecision, ApprovalRequest, ApprovalRule
from apps.approvals.services import rules
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from tests.factories import access
from tests.factories import approvals as make

_keys = count(1)
RULE = {
    "kind": "refund",
    "minimum": {"amount": "10000.00", "currency": "KES"},
    "steps": [{"roles": ["owner", "approver"]}, {"roles": ["controller"], "needed": 2}],
}
TIMES = {
    "window_hours": 24,
    "window_by": "counterparty",
    "remind_after_hours": 4,
    "escalate_after_hours": 26,
    "escalate_roles": ["controller"],
}


@pytest.fixture(autouse=True)
def soon():
    with clock.fixed(make.LATER):
        yield


class Partner:
    """Calls the API as one key, made by a person or by nobody."""

    def __init__(self, maker=None, **chosen):
        self.organisation = connection.tenant
        issued = access.issued(**chosen)
        if maker is not None:
            ApiKey.objects.filter(id=issued.key.id).update(created_by_id=maker)
        self.headers = access.bearer(issued.secret)

    def get(self, path, **query):
        return self.inside(Client().get(f"/v1/acme/{path}", query, headers=self.headers))

    def post(self, path, body=None, key=None):
        answer = Client().post(
            f"/v1/acme/{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={"Idempotency-Key": key or f"key-{next(_keys)}", **self.headers},
        )
        return self.inside(answer)

    def decide(self, request, verb, **body):
        sent = {"payload_hash": request.payload_hash, **body}
        return self.post(f"approvals/{public(request)}/{verb}", sent)

    def inside(self, answer):
        """Enter the organisation again, which a request leaves behind it."""
        connection.set_tenant(self.organisation)
        return answer


def checker(name="checker", role="approver", branches=(), **chosen):
    return Partner(access.member(role, f"{name}@example.test", branches).id, **chosen)


def public(row, prefix="apr"):
    return ids.encode(prefix, row.id)


def refused(answer, status, code, pointer=None):
    assert answer.status_code == status, answer.content
    said = answer.json()
    assert said["code"] == code
    assert pointer in [None, *(error["pointer"] for error in said["errors"])]


def test_shows_what_is_decided(acme):
    request = make.waiting(steps=(NewStep(roles=("approver",), needed=2),))
    make.approve(request, make.person("a"), note="Fine")

    said = Partner().get(f"approvals/{public(request)}").json()

    assert (said["status"], said["kind"], said["amount"]) == (
        "pending",
        "refund",
        {"amount": "25000.00", "currency": "KES"},
    )
    assert said["payload"] == make.payload()
    step = {
        "sequence": 1,
        "roles": ["approver"],
        "needed": 2,
        "further_after_hours": None,
        "further_roles": [],
    }
    assert said["steps"] == [{**step, "approved": 1}]
    assert said["decisions"] == [
        {
            "verdict": "approved",
            "step": 1,
            "payload_version": 1,
            "name": "A",
            "on_behalf_of": "",
            "role": "approver",
            "reason": "Fine",
            "decided_at": "2026-11-24T07:52:00.000Z",
        }
    ]


def test_approves(committed_acme):
    request = make.waiting()

    answer = checker().decide(request, "approve", note="Seen")

    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert make.told(request.id) == ["approval_requested", "approval_decided"]


def test_a_repeat_with_the_same_key_replays(committed_acme):
    request, partner = make.waiting(), checker()
    path, body = f"approvals/{public(request)}/approve", {"payload_hash": request.payload_hash}

    first, second = (partner.post(path, body, key="once") for _ in range(2))

    assert first.content == second.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert ApprovalDecision.objects.count() == 1


def test_refuses(committed_acme):
    request, partner = make.waiting(), checker()

    refused(partner.decide(request, "refuse"), 422, "validation_error", "/reason")
    refused(partner.decide(request, "refuse", reason="no"), 422, "approval_reason_required", "/reason")
    answer = partner.decide(request, "refuse", reason="Goods were kept")

    assert (answer.json()["status"], answer.json()["reason"]) == ("refused", "Goods were kept")
    refused(partner.decide(request, "approve"), 409, "approval_closed")


def test_withdraws(committed_acme):
    member = access.member("treasury_officer", "maker@example.test")
    request = make.waiting(by=make.actor(member.user_id))
    body = {"reason": "Asked twice"}

    refused(checker().post(f"approvals/{public(request)}/withdraw", body), 403, "approval_not_the_maker")
    answer = Partner(member.id).post(f"approvals/{public(request)}/withdraw", body)

    assert answer.json()["status"] == "withdrawn"


def test_refuses_who_may_not_decide(committed_acme):
    boss = access.member("owner", "boss@example.test")
    request = make.waiting(by=make.actor(boss.user_id))

    refused(Partner(boss.id).decide(request, "approve"), 403, "approval_own_request")
    refused(Partner().decide(request, "approve"), 403, "approval_not_a_decider")
    refused(checker("acc", "accountant").decide(request, "approve"), 403, "approval_not_a_decider")
    refused(checker("far", branches=(access.branch(),)).decide(request, "approve"), 403, "branch_forbidden")
    refused(checker().decide(request, "approve", payload_hash="0" * 64), 409, "approval_payload_changed")
    refused(
        checker("b").decide(request, "approve", payload_hash="x"), 422, "validation_error", "/payload_hash"
    )
    refused(checker("c").decide(request, "approve", colour="red"), 422, "validation_error", "/colour")
    assert ApprovalRequest.objects.get().status == ApprovalStatus.PENDING
    assert ApprovalDecision.objects.exists() is False


def test_after_its_time_nobody_decides(committed_acme):
    request = make.waiting()

    with clock.fixed(make.TOO_LATE):
        refused(checker().decide(request, "approve"), 409, "approval_expired")


def test_other_applications_and_branches_are_not_found(committed_acme):
    request = make.waiting()

    for partner in (checker("a", application_slug="other"), checker("b", branch=access.branch())):
        assert partner.get(f"approvals/{public(request)}").status_code == 404
        assert partner.decide(request, "approve").status_code == 404
        assert partner.get("approvals").json()["data"] == []


def test_lists_by_state_kind_and_branch(acme):
    first, second = make.waiting(), make.waiting()
    make.refuse(first, make.person())
    partner = Partner()

    def listed(**query):
        return [row["id"] for row in partner.get("approvals", **query).json()["data"]]

    assert listed() == [public(second), public(first)]
    assert listed(status="refused,expired") == [public(first)]
    assert listed(kind="payout") == []
    assert listed(branch_id=ids.encode("br", first.branch_id)) == listed()
    assert listed(branch_id=ids.encode("br", ids.new())) == []
    refused(partner.get("approvals", state="pending"), 400, "filter_unknown")
    refused(partner.get("approvals", branch_id="x"), 422, "filter_invalid")
    assert partner.get("approvals", status="done").status_code == 422
    assert partner.get("approvals", for_me="perhaps").status_code == 422


def test_lists_what_waits_for_the_person_behind_the_key(acme):
    boss = access.member("owner", "boss@example.test")
    mine = make.waiting(by=make.actor(boss.user_id))
    other, done = make.waiting(), make.waiting(steps=(NewStep(roles=("approver",), needed=2),))
    late = make.waiting(subject_reference="re_2", money=Money(30_000_00, "KES"))
    make.refuse(late, make.person())
    partner = checker("someone")
    make.approve(done, make.actor(access.user("someone@example.test").id))

    def listed(asking):
        return {row["id"] for row in asking.get("approvals", for_me="true").json()["data"]}

    assert listed(partner) == {public(mine), public(other)}
    assert listed(Partner(boss.id)) == {public(other)}
    assert listed(Partner()) == set()
    assert listed(checker("acc", "accountant")) == set()
    with clock.fixed(make.TOO_LATE):
        assert listed(partner) == set()


def test_makes_and_deactivates_a_rule(committed_acme):
    partner = checker("boss", "controller")

    last = {"roles": ["controller"], "needed": 2, "further_after_hours": 8, "further_roles": ["owner"]}
    answer = partner.post("approval-rules", {**RULE, **TIMES, "steps": [RULE["steps"][0], last]})

    said = answer.json()
    assert answer.status_code == 201, said
    assert {name: said[name] for name in TIMES} == TIMES
    assert (said["minimum"], said["maximum"], said["currency"], said["branch_id"], said["active"]) == (
        {"amount": "10000.00", "currency": "KES"},
        None,
        "KES",
        None,
        True,
    )
    assert said["steps"][1] == {"sequence": 2, **last}
    assert partner.get(f"approval-rules/{said['id']}").json() == said
    off = partner.post(f"approval-rules/{said['id']}/deactivate").json()
    assert (off["active"], off["deactivated_at"]) == (False, "2026-11-24T07:52:00.000Z")
    assert partner.get("approval-rules", active="true").json()["data"] == []
    assert len(partner.get("approval-rules", kind="refund").json()["data"]) == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "launch"}, "/kind"),
        ({"maximum": {"amount": "1.00", "currency": "KES"}}, "/maximum"),
        ({"maximum": {"amount": "20000.00", "currency": "USD"}}, "/maximum"),
        ({"currency": "USD"}, "/minimum"),
        ({"minimum": 10}, "/minimum"),
        ({"steps": []}, "/steps"),
        ({"steps": [{"roles": ["king"]}]}, "/steps/0/roles"),
        ({"steps": [{"roles": ["owner"], "needed": 0}]}, "/steps/0/needed"),
        ({"priority": 5000}, "/priority"),
        ({**TIMES, "window_by": "colour"}, "/window_by"),
        ({**TIMES, "window_by": None}, "/window_by"),
        ({**TIMES, "remind_after_hours": 72}, "/remind_after_hours"),
        ({**TIMES, "window_hours": 721}, "/window_hours"),
        ({**TIMES, "escalate_roles": ["king"]}, "/escalate_roles"),
    ],
)
def test_refuses_a_rule_that_cannot_be(committed_acme, changes, pointer):
    answer = checker("boss", "controller").post("approval-rules", {**RULE, **changes})

    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert ApprovalRule.objects.exists() is False


def test_a_key_of_a_branch_changes_rules_of_its_branch(committed_acme):
    everywhere, branch = make.rule(), access.branch()
    elsewhere = make.rule(branch_id=access.head_office().id)
    partner = checker("boss", "controller", branch=branch)

    made = partner.post("approval-rules", RULE).json()

    assert made["branch_id"] == ids.encode("br", branch.id)
    seen = {row["id"] for row in partner.get("approval-rules").json()["data"]}
    assert seen == {made["id"], public(everywhere, "arl")}
    refused(partner.post(f"approval-rules/{public(everywhere, 'arl')}/deactivate"), 403, "branch_forbidden")
    assert partner.post(f"approval-rules/{public(elsewhere, 'arl')}/deactivate").status_code == 404
    office = ids.encode("br", access.head_office().id)
    refused(partner.post("approval-rules", {**RULE, "branch_id": office}), 403, "branch_forbidden")
    with pytest.raises(rules.BranchForbidden):
        rules.create(rule=make.wanted_rule(), actor=SYSTEM, now=make.NOW, within={branch.id})
    assert ApprovalRule.objects.filter(is_active=True).count() == 3


def test_a_key_needs_the_scopes(acme):
    request = make.waiting()
    reader = Partner(scopes=("approvals:read",))
    stranger = Partner(scopes=tuple(set(SCOPES) - {"approvals:read"}))

    assert reader.get("approvals").status_code == 200
    refused(reader.decide(request, "approve"), 403, "insufficient_scope")
    refused(stranger.get("approvals"), 403, "insufficient_scope")


def test_a_change_of_rules_waits_for_another_person(committed_acme):
    partner, rule = checker("boss", "controller"), make.rule()
    place = f"approval-rules/{public(rule, 'arl')}"

    with make.no_small_team():
        answers = [partner.post("approval-rules", RULE), partner.post(f"{place}/replace", RULE)]
        waits = partner.post(f"{place}/deactivate")
    made = ApprovalRequest.objects.order_by("id").first()

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == {"object": "approval_pending", "approval_id": public(made)}
    refused(waits, 409, "approval_pending")
    assert ApprovalRule.objects.get().is_active
    refused(checker().post(f"approvals/{public(made)}/amend", RULE), 403, "approval_not_the_maker")
    refused(
        partner.post(f"approvals/{public(make.waiting())}/amend", RULE), 409, "approval_not_a_rule_change"
    )
    amended = partner.post(f"approvals/{public(made)}/amend", {**RULE, "priority": 2})
    assert (amended.json()["payload_version"], amended.json()["payload"]["wanted"]["priority"]) == (2, 2)


def test_a_small_team_changes_rules_at_once(committed_acme):
    partner, rule = checker("boss", "controller"), make.rule()

    answer = partner.post(f"approval-rules/{public(rule, 'arl')}/replace", RULE)

    assert (answer.status_code, answer.json()["active"]) == (201, True)
    assert ApprovalRule.objects.get(is_active=True) != rule
