"""Routing over the API and in the portal: rules, the dry run over what was paid, and why an attempt went its way."""

import json
from itertools import count

import pytest
from django.test import Client

from apps.integrations.ports import ProviderDeclined
from apps.jobs.models import Job
from apps.jobs.services import jobs as job_services
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.payments.contracts import Choice, Method
from apps.payments.models import RoutingDecision, RoutingRule
from apps.payments.services import attempts, intents, pay_links
from tests import dialogs
from tests.factories import access, approvals, jobs, payments
from tests.factories.routing import rule
from tests.payments import cards

SCOPES = ("providers:read", "providers:write", "payments:read", "jobs:read")
LIST = "/portal/payments/routingrule/"
_keys = count(1)


@pytest.fixture
def call(committed_acme, in_organisation):
    """Return a function that calls the API as a key, and comes back to the organisation."""
    access.portal()
    access.head_office()
    secrets = {}

    def ask(method, path, sent=None, scopes=SCOPES, **chosen):
        who = (scopes, *chosen.items())
        secrets[who] = secrets.get(who) or access.issued(scopes, **chosen).secret
        headers = {**access.bearer(secrets[who]), "Idempotency-Key": f"routing-{next(_keys)}"}
        answer = Client().generic(
            method, f"/v1/acme/{path}", json.dumps(sent or {}), "application/json", headers=headers
        )
        in_organisation("acme")
        return answer

    return ask


@pytest.fixture
def owner(committed_acme):
    browser = Client(HTTP_HOST="acme.testserver")
    browser.force_login(access.member("owner").user, backend="apps.access.backend.MembershipBackend")
    return browser


def pac(account):
    return ids.encode("pac", account.id)


def body(*accounts, **said):
    return {
        "name": "Nights",
        "position": 5,
        "targets": [{"account_id": pac(each)} for each in accounts],
        **said,
    }


def test_a_key_makes_replaces_and_retires_a_rule(call):
    first, second = payments.account(), payments.account()
    whole = body(
        first,
        second,
        minimum={"amount": "100.00", "currency": "KES"},
        method="mpesa",
        weekdays="67",
        from_time="22:00",
        to_time="06:00",
    )
    whole["strategy"], whole["targets"][0]["weight"], whole["targets"][1]["weight"] = "split", 3, 1

    made = call("POST", "routing-rules", whole)
    replaced = call("POST", f"routing-rules/{made.json()['id']}/replace", body(second))
    again = call("POST", f"routing-rules/{made.json()['id']}/replace", body(second))
    retired = call("POST", f"routing-rules/{replaced.json()['id']}/retire", {"reason": "Over"})

    assert made.status_code == 201
    told = made.json()
    assert {name: told[name] for name in ("strategy", "weekdays", "from_time", "to_time", "currency")} == {
        "strategy": "split",
        "weekdays": "67",
        "from_time": "22:00",
        "to_time": "06:00",
        "currency": "KES",
    }
    assert told["targets"] == [
        {"account_id": pac(first), "weight": 3},
        {"account_id": pac(second), "weight": 1},
    ]
    assert (replaced.json()["version"], replaced.json()["replaces_id"]) == (2, told["id"])
    assert (again.status_code, again.json()["code"]) == (409, "routing_rule_retired")
    assert (retired.status_code, retired.json()["active"]) == (200, False)
    assert {each["id"] for each in call("GET", "routing-rules").json()["data"]} == {
        told["id"],
        replaced.json()["id"],
    }


def test_what_a_key_may_not_or_cannot_ask_is_refused_and_changes_nothing(call):
    account, branch = payments.account(), access.branch()
    standing = rule(account)

    wrong = call("POST", "routing-rules", body(account, position=10, method="rain"))
    taken = call("POST", "routing-rules", body(account, position=10))
    bound = call(
        "POST", f"routing-rules/{ids.encode('rtr', standing.id)}/retire", {"reason": "Over"}, branch=branch
    )
    unscoped = call("POST", "routing-rules", body(account), scopes=("providers:read",))
    own = call("POST", "routing-rules", body(account), branch=branch)

    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/method"]
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (422, "/position")
    assert (bound.status_code, unscoped.status_code) == (403, 403)
    assert (own.status_code, own.json()["branch_id"]) == (201, ids.encode("br", branch.id))
    assert RoutingRule.objects.filter(is_active=True).count() == 2


@pytest.mark.parametrize("is_trial", [False, True])
def test_a_key_is_told_of_no_account_of_another_branch_and_names_no_application_but_its_own(call, is_trial):
    office, here, there = payments.account(), access.branch(), access.branch("MSA", "Mombasa")
    hidden = payments.account(branch_id=there.id, label="Harbour till")

    def ask(rule, **chosen):
        path, sent = ("routing-rules/dry-run", {"rule": rule}) if is_trial else ("routing-rules", rule)
        return call("POST", path, sent, **chosen)

    foreign = ask(body(hidden, currency="USD"), branch=here)
    another = ask(body(office, application_id=ids.encode("app", access.application("till").id)))
    nothing = RoutingRule.objects.exists() or Job.objects.exists()
    own = ask(body(office, application_id=ids.encode("app", access.application().id)))

    [error] = foreign.json()["errors"]
    assert (foreign.status_code, error["pointer"]) == (422, "/targets/0/account_id")
    assert error["message"] == "There is no such provider account."
    assert (another.status_code, another.json()["errors"][0]["pointer"]) == (422, "/application_id")
    assert not nothing
    assert own.status_code == (202 if is_trial else 201)


def test_a_key_changes_no_rule_of_another_application(call):
    account = payments.account()
    standing = rule(account, application_id=access.application("till").id)
    path = f"routing-rules/{ids.encode('rtr', standing.id)}"

    refused = [
        call("POST", f"{path}/replace", body(account, position=10)),
        call("POST", f"{path}/retire", {"reason": "Over"}),
    ]

    assert [(each.status_code, each.json()["code"]) for each in refused] == [
        (403, "routing_rule_foreign")
    ] * 2
    assert RoutingRule.objects.get().is_active
    assert call("POST", f"{path}/retire", {"reason": "Over"}, application_slug="till").status_code == 200


def test_a_change_that_waits_for_other_people_says_so(call):
    account = payments.account()
    approvals.rule(kind="routing_rule", currency="", minimum_minor=None)

    asked = call("POST", "routing-rules", body(account))

    assert (asked.status_code, asked.json()["object"]) == (202, "approval_pending")
    assert not RoutingRule.objects.exists()


def test_the_attempts_of_a_payment_say_why_they_went_their_way(call):
    first, second = payments.account(), payments.account()
    made = rule(second, position=1, name="Second first")
    intent = payments.intent()
    attempts.begin(intent_id=intent.id, now=payments.NOW)

    shown = call("GET", f"payments/{ids.encode('pi', intent.id)}/attempts")

    [line] = shown.json()["data"]
    assert (line["number"], line["status"], line["account_id"]) == (1, "sending", pac(second))
    assert line["routing"] == {
        "rule_id": ids.encode("rtr", made.id),
        "fallback": False,
        "candidates": [pac(second), pac(first)],
        "dropped": [],
    }


def test_a_dry_run_counts_sums_up_and_lists_what_would_have_gone_elsewhere(call):
    first, second = payments.account(), payments.account()
    now = clock.now()
    large = payments.sending(now=now, money=payments.Money(5000_00, "KES"), reference="large")
    payments.sending(now=now, reference="small")
    asked = {"rule": body(second, minimum={"amount": "2000.00", "currency": "KES"})}

    answer = call("POST", "routing-rules/dry-run", asked)
    job = Job.objects.latest("id")
    jobs.work(job, now=clock.now())
    told = call("GET", f"jobs/{answer.json()['job_id']}").json()
    elsewhere = call("POST", "routing-rules/dry-run", {}, branch=access.branch())
    bound = Job.objects.latest("id")
    jobs.work(bound, now=clock.now())

    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/acme/jobs/{answer.json()['job_id']}"
    assert (told["status"], told["progress"]) == ("succeeded", {"done": 2, "failed": 0, "total": 2})
    assert told["result"]["rows"] == 1
    assert told["result"]["control_totals"] == [
        {"column": f"{first} → {second}", "total": {"amount": "5000.00", "currency": "KES"}}
    ]
    done = jobs.reloaded(job)
    text = b"".join(job_services.open_result(job=done, actor=SYSTEM, now=clock.now())).decode()
    [line] = [row for row in text.splitlines() if "large" in row]
    assert ids.encode("pi", large.intent_id) in line
    assert line.endswith(f"{first},{second},Nights")
    assert "small" not in text
    assert (elsewhere.status_code, jobs.reloaded(bound).total) == (202, 0)
    assert not RoutingRule.objects.exists()


def test_a_payment_that_was_paid_by_another_method_in_the_end_goes_nowhere_else_by_the_same_rules(call):
    payments.account()
    card = cards.account(currency="KES")
    attempt = payments.sending(now=clock.now())
    pay_links.ensured(attempt.intent, actor=SYSTEM, now=clock.now())
    refusal = ProviderDeclined("customer_cancelled", "Cancelled.")
    attempts.decline(attempt_id=attempt.id, refusal=refusal, now=clock.now())
    choice = Choice(Method.CARD, payments.PHONE)
    intents.confirm(intent_id=attempt.intent_id, choice=choice, actor=SYSTEM, now=clock.now())
    second = attempts.begin(intent_id=attempt.intent_id, now=clock.now())

    call("POST", "routing-rules/dry-run")
    job = Job.objects.latest("id")
    jobs.work(job, now=clock.now())

    assert second.provider_account == card
    decisions = RoutingDecision.objects.order_by("attempt__number")
    assert [decision.methods for decision in decisions] == [["MPESA"], ["CARD"]]
    done = jobs.reloaded(job)
    assert (done.status, done.total, done.result_rows) == ("SUCCEEDED", 1, 0)


def test_a_person_adds_a_rule_tries_another_and_retires_it(owner, in_organisation):
    access.portal()
    first, second = payments.account(label="First"), payments.account(label="Second")
    asked = {"name": "Large sums", "position": 10, "strategy": "PRIORITY", "account_1": str(second.id)}

    added = dialogs.send(owner, f"{LIST}do/add/", **asked, currency="KES", minimum="2,000.00")
    in_organisation("acme")
    [made] = RoutingRule.objects.all()
    shown = owner.get(LIST).content.decode()
    other = {**asked, "account_1": str(first.id), "is_trial": "on"}
    tried = dialogs.send(owner, f"{LIST}{made.id}/do/replace/", **other)
    in_organisation("acme")
    trial = Job.objects.latest("id")
    without_account = dialogs.send(owner, f"{LIST}do/add/", **{**asked, "account_1": ""})
    retired = dialogs.send(owner, f"{LIST}{made.id}/do/retire/", reason="Not needed any more")
    in_organisation("acme")

    assert (added.status_code, made.minimum_minor) == (204, 2000_00)
    assert "from KES 2,000.00" in shown
    assert "Second" in shown
    assert (tried.status_code, trial.kind) == (204, "routing_dry_run")
    assert f"/portal/jobs/{trial.id}/" in str(tried.headers)
    assert without_account.status_code != 204
    assert retired.status_code == 204
    made.refresh_from_db()
    assert (made.is_active, RoutingRule.objects.count()) == (False, 1)


def test_the_page_of_a_payment_tells_what_was_decided(owner):
    first, second = payments.account(label="First"), payments.account(label="Second")
    attempt = payments.sending()
    refusal = attempts.ProviderUnavailable("provider_unavailable")
    attempts.withdraw(attempt_id=attempt.id, refusal=refusal, now=payments.NOW)
    later = payments.reload(attempt.intent_id).next_request_at
    attempts.begin(intent_id=attempt.intent_id, now=later)

    page = owner.get(f"/portal/payments/{attempt.intent_id}/").content.decode()

    assert f"Account chosen: {first}" in page
    assert f"It could also have been: {second}." in page
    assert f"Another account takes over: {second}" in page
    assert f"Not {first}: it had failed just before." in page
