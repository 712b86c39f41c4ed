"""The audit log in the portal: found by what people know, read as a difference, taken away as a file."""

from datetime import timedelta

import pytest
from django.urls import reverse
from structlog.contextvars import bound_contextvars

from apps.audit.services import chain, records
from apps.jobs.models import Job
from apps.kit import clock, trail
from apps.kit.actors import SYSTEM, Actor, ActorKind
from tests.audit.test_chain import tamper
from tests.dialogs import open_at, send
from tests.factories import access
from tests.portal.conftest import HOST

LOG = "/portal/audit/"


@pytest.fixture
def office(acme):
    access.portal()
    return access.head_office()


def deed(**facts: object):
    known = {"action": "branch.changed", "object_type": "branch", "object_id": "b1", "actor": SYSTEM}
    with bound_contextvars(request_id=str(facts.pop("request", "req_11111111")), ip="203.0.113.9"):
        return records.write(**{**known, "now": clock.now(), **facts})


def shown(browser, **query: str) -> str:
    return browser.get(LOG, query).content.decode()


def test_finds_by_person_action_object_period_request_branch_and_words(office, enter):
    browser = enter("auditor")
    amina = access.Membership.objects.get(user__email="amina@example.test")
    own = Actor(ActorKind.USER, str(amina.user_id), person=str(amina.user_id), application="portal")
    long_ago = clock.now() - timedelta(days=40)
    deed(
        object_id="found-1",
        reason="Moved to Westlands mall",
        actor=own,
        branch=office.id,
        request="req_22222222",
    )
    deed(object_id="other-1", object_type="role", action="role.changed", now=long_ago, request="req_33333333")
    day = (clock.now() - timedelta(days=3)).date().isoformat()

    for query in (
        {"who": str(amina.user_id)},
        {"action": "branch.changed"},
        {"type": "branch"},
        {"object_id": "found-1"},
        {"from_date": day},
        {"request_id": "req_22222222"},
        {"branch": str(office.id)},
        {"text": "westlands"},
        {"text": "found-1"},
        {"text": "req_22222222"},
    ):
        html = shown(browser, **query)
        assert ("found-1" in html, "other-1" in html) == (True, False), query
    for query in ({"who": "SYSTEM"}, {"to_date": day}, {"type": "role"}):
        html = shown(browser, **query)
        assert ("found-1" in html, "other-1" in html) == (False, True), query
    assert "No record fits" in shown(browser, text="westlands nowhere")
    for query in (
        {"who": "nobody"},
        {"from_date": "soon"},
        {"from_date": day, "to_date": "2020-01-01"},
        {"text": "a\0"},
    ):
        assert browser.get(LOG, query).status_code == 422, query


def test_shows_what_was_changed_by_whom_from_where_and_its_seal(office, enter, in_organisation):
    browser = enter("auditor")
    key = access.issued().key
    trail.user_agent.set(trail.named("curl/8.5 \x00<b>"))
    record = deed(
        object_id=str(office.id),
        changes={
            "name": ["Nairobi", "Nairobi CBD"],
            "opened": [None, "2026-11-24"],
            "limit": [{"amount": "10.50", "currency": "KES"}, None],
            "same": [1, 1],
            "webhook_secret": ["abc-old", "abc-new"],
            "phone": [None, "+254712345678"],
        },
        actor=Actor(ActorKind.API_KEY, str(key.id), person="x" * 36, application="shop"),
        reason="<script>",
    )
    trail.user_agent.set("")
    page = reverse("portal-audit-record", args=[record.id])

    before = browser.get(page).content.decode()
    in_organisation("acme")
    chain.seal()
    html = browser.get(page).content.decode()

    assert "Not sealed yet" in before
    assert "it is what was sealed" in html
    for said in (
        '<del class="t-sub">Nairobi</del>', '<ins class="p-ins">Nairobi CBD</ins>', "24 Nov 2026", "10.50", "hidden",
        "203.0.113.9", "curl/8.5 &lt;b&gt;", "&lt;script&gt;", "On behalf of", f"/portal/access/branch/{office.id}/change/",
        'data-change="added"', 'data-change="removed"', 'data-change="changed"',
    ):  # fmt: skip
        assert said in html, said
    assert all(hidden not in html for hidden in ("abc-old", "abc-new", "712345678", "Same"))
    assert browser.get(reverse("portal-audit-record", args=[office.id])).status_code == 404


def test_says_that_a_record_is_not_what_was_sealed(committed_acme, enter):
    access.head_office()
    browser = enter("auditor")
    committed_acme_record = deed(object_id="b9")
    chain.seal()

    tamper("UPDATE audit_auditrecord SET reason = 'x' WHERE object_id = 'b9'")

    html = browser.get(reverse("portal-audit-record", args=[committed_acme_record.id])).content.decode()
    assert "This record is not what was sealed" in html


def test_who_sees_some_branches_sees_what_is_about_them(office, enter):
    cbd = access.branch("CBD")
    browser = enter("auditor", email="cbd@example.test", branches=(cbd,))
    hidden = [deed(object_id="of-office", branch=office.id), deed(object_id="of-nobody")]
    deed(object_id="of-cbd", branch=cbd.id)

    html = shown(browser)

    assert ("of-cbd" in html, "of-office" in html, "of-nobody" in html) == (True, False, False)
    for record in hidden:
        assert browser.get(reverse("portal-audit-record", args=[record.id])).status_code == 404
    assert "branches only" in send(browser, f"{LOG}do/export/").content.decode()


def test_is_taken_away_as_a_job(office, enter, in_organisation):
    browser = enter("auditor")
    assert f'hx-get="{LOG}do/export/?from_date=2026-11-01"' in shown(browser, from_date="2026-11-01")

    assert (
        "the chain has no gaps" in open_at(browser, f"{LOG}do/export/?from_date=2026-11-01").content.decode()
    )
    answer = send(browser, f"{LOG}do/export/?from_date=2026-11-01")

    in_organisation("acme")
    job = Job.objects.get()
    assert answer.headers["HX-Redirect"] == reverse("portal-job", args=[job.id])
    assert (job.kind, job.parameters["from_date"], job.branch_ids) == ("audit_export", "2026-11-01", None)
    for role in ("support", "accountant"):
        in_organisation("acme")
        stranger = enter(role, email=f"{role}@example.test")
        assert stranger.get(LOG, headers={"host": HOST}).status_code == 403
        assert send(stranger, f"{LOG}do/export/").status_code in {403, 404}
