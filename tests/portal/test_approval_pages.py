"""Approval pages: the queue, one request, and the dialogs that decide it and that change rules."""

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.access.contracts import PORTAL
from apps.approvals.contracts import ApprovalStatus, CountedBy, NewStep
from apps.approvals.models import ApprovalDecision, ApprovalRequest, ApprovalRule
from apps.approvals.services import reminders, requests
from apps.kit import clock
from apps.kit.money import Money
from tests.dialogs import hidden, open_at, send
from tests.factories import access, approvals

INBOX = "/portal/approvals/"


@pytest.fixture(autouse=True)
def soon():
    with clock.fixed(approvals.LATER):
        yield


@pytest.fixture
def checker(enter, in_organisation):
    """Return a browser of an approver, amina@example.test."""
    client = enter("approver")
    in_organisation("acme")
    return client


def html(client, url):
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def deed(name, request):
    return reverse(f"admin:approvals_approvalrequest_{name}", args=[request.id])


def show(request):
    return reverse("portal-approval", args=[request.id])


def test_the_queue_shows_the_oldest_first_with_what_it_is_about(checker):
    approvals.waiting(summary="Refund to Njeri Kamau")
    approvals.waiting(summary="Refund to Otieno", subject_reference="re_2")

    page = html(checker, INBOX)

    assert page.index("Refund to Njeri Kamau") < page.index("Refund to Otieno")
    for word in ("25,000.00", "Maker", "10 min", "Step 1 of 1", "re_2", "Review"):
        assert word in page


def test_the_own_request_has_no_button(checker):
    mine = approvals.waiting(by=approvals.actor(access.user().id), summary="Refund of my own")

    assert "Refund of my own" not in html(checker, INBOX)
    page = html(checker, f"{INBOX}?view=all")
    assert "Another person decides" in page
    assert deed("approve", mine) not in page
    shown = html(checker, show(mine))
    assert "Another person decides" in shown
    assert deed("approve", mine) not in shown
    assert deed("withdraw", mine) in shown


def test_the_menu_counts_what_waits_for_the_reader(checker, enter, in_organisation):
    approvals.waiting()
    approvals.waiting(by=approvals.actor(access.user().id))

    assert "sidebar-badge" in html(checker, INBOX)
    in_organisation("acme")
    assert "sidebar-badge" not in html(enter("accountant", email="b@example.test"), INBOX)


def test_tabs_show_what_they_say(checker):
    approvals.refuse(approvals.waiting(summary="Done one"), approvals.person("other"))
    approvals.waiting(by=approvals.actor(access.user().id), summary="Asked one")
    approvals.waiting(summary="Waiting one")

    seen = {
        view: [
            name
            for name in ("Done one", "Asked one", "Waiting one")
            if name in html(checker, f"{INBOX}?view={view}")
        ]
        for view in ("for_me", "all", "asked", "done", "nonsense")
    }

    assert seen == {
        "for_me": ["Waiting one"],
        "all": ["Asked one", "Waiting one"],
        "asked": ["Asked one"],
        "done": ["Done one"],
        "nonsense": ["Waiting one"],
    }


def test_one_request_shows_versions_steps_and_decisions(checker):
    request = approvals.waiting(steps=(NewStep(roles=("approver",), needed=2), NewStep(roles=("owner",))))
    approvals.approve(request, approvals.person("ann"), note="Seen the goods")
    approvals.amend(request, approvals.maker(), payload=approvals.payload(reason="Twice +254712345678"))

    page = html(checker, show(request))

    for word in (
        "Edited, version 2",
        "Changed in version 2",
        "Twice +254712•••678",
        "void, version 1",
        "Seen the goods",
        "1. Approver (checker)",
        "0 of 2",
        "2. Owner",
    ):
        assert word in page


def test_one_request_names_its_other_parts_and_who_was_reminded(checker):
    approvals.rule(window_hours=24, window_by=CountedBy.COUNTERPARTY, remind_after_hours=1)
    part = {"money": Money(6_000_00, "KES"), "counterparty": "+254712345678"}
    requests.submit(
        request=approvals.wanted(**part, subject_reference="re_first"),
        actor=approvals.maker(),
        now=approvals.NOW,
    )
    request = approvals.waiting(**part)
    reminders.send(request_id=request.id, now=approvals.NOW + timedelta(hours=2))

    page = html(checker, show(request))

    for word in ("One of several that belong together", "re_first", "12,000.00", "Reminded: Approver"):
        assert word in page
    with clock.fixed(approvals.NOW + timedelta(hours=2)):
        assert "late" in html(checker, INBOX)


def test_approving_asks_first_and_acts_once(checker, in_organisation):
    request = approvals.waiting()
    opened = open_at(checker, deed("approve", request)).content.decode()
    assert "Approve KES 25,000.00" in opened
    assert "You are the last one" in opened
    assert deed("refuse", request) in opened

    assert send(checker, deed("approve", request), note="Fine").status_code == 204
    assert send(checker, deed("approve", request)).status_code == 409

    in_organisation("acme")
    assert approvals.reload(request).status == ApprovalStatus.APPROVED
    assert ApprovalDecision.objects.get().reason == "Fine"


def test_several_are_approved_each_by_itself(checker, in_organisation):
    me = approvals.actor(access.user().id)
    mine, first = approvals.waiting(by=me, summary="Of my own"), approvals.waiting(subject_reference="re_2")
    second, large = (
        approvals.waiting(subject_reference=f"re_{number}", money=Money(whole * 100, "KES"))
        for number, whole in ((3, 30_000), (4, 500_000))
    )
    page = html(checker, INBOX)
    assert page.count('class="action-select"') == 3
    chosen = "&".join(f"_selected_action={row.id}" for row in (mine, first, second, large))
    url = f"{reverse('admin:approvals_approvalrequest_approve-many_list')}?{chosen}"
    opened = open_at(checker, url).content.decode()
    assert "Approve 3 requests" in opened
    assert "500,000.00" not in opened

    in_organisation("acme")
    form = hidden(open_at(checker, url))
    in_organisation("acme")
    approvals.amend(first, approvals.maker())
    assert checker.post(url, form).status_code == 409
    in_organisation("acme")
    assert not ApprovalDecision.objects.exists()
    assert send(checker, url, note="Seen").status_code == 204

    in_organisation("acme")
    states = [approvals.reload(row).status for row in (mine, first, second, large)]
    assert states == ["PENDING", "APPROVED", "APPROVED", "PENDING"]
    said = html(checker, INBOX)
    assert "another person decides" in said
    assert "approved" in said


def test_a_large_sum_is_typed(checker, in_organisation):
    request = approvals.waiting(money=Money(500_000_00, "KES"))

    assert send(checker, deed("approve", request)).status_code == 422
    assert send(checker, deed("approve", request), typed_money="500,000").status_code == 204

    in_organisation("acme")
    assert approvals.reload(request).status == ApprovalStatus.APPROVED


def test_what_was_edited_since_it_was_opened_is_not_approved(checker, in_organisation):
    request = approvals.waiting()
    form = hidden(open_at(checker, deed("approve", request)))
    in_organisation("acme")
    approvals.amend(request, approvals.maker())

    answer = checker.post(deed("approve", request), form)

    assert answer.status_code == 409
    in_organisation("acme")
    assert ApprovalDecision.objects.exists() is False


def test_refusing_says_why(checker, in_organisation):
    request = approvals.waiting()

    assert send(checker, deed("refuse", request), reason="no").status_code == 422
    assert send(checker, deed("refuse", request), reason="Goods were kept").status_code == 204

    in_organisation("acme")
    assert approvals.reload(request).reason == "Goods were kept"
    assert "Goods were kept" in html(checker, show(request))


def test_the_maker_is_refused_and_may_withdraw(checker, in_organisation):
    request = approvals.waiting(by=approvals.actor(access.user().id))

    refused = send(checker, deed("approve", request))
    assert refused.status_code == 403
    assert "another person decides" in refused.content.decode()
    assert send(checker, deed("withdraw", request), reason="Asked twice").status_code == 204

    in_organisation("acme")
    assert approvals.reload(request).status == ApprovalStatus.WITHDRAWN


def test_who_may_not_sees_no_button_and_opens_nothing(acme, enter):
    request = approvals.waiting()
    accountant = enter("accountant")
    far = enter("approver", email="far@example.test", branches=(access.branch(),))
    support = enter("support", email="support@example.test")

    assert deed("approve", request) not in html(accountant, show(request))
    assert open_at(accountant, deed("approve", request)).status_code == 403
    assert far.get(show(request)).status_code == 404
    assert open_at(far, deed("approve", request)).status_code == 409
    assert support.get(INBOX).status_code == 403


def test_after_its_time_the_page_says_so(checker):
    request = approvals.waiting()

    with clock.fixed(approvals.TOO_LATE):
        assert "Nobody decided in time" in html(checker, show(request))
        assert send(checker, deed("approve", request)).status_code == 409


def test_history_leads_to_the_page(checker):
    request = approvals.waiting()

    page = html(checker, "/portal/approvals/approvalrequest/?status=PENDING&kind=refund")

    assert "Refund to Njeri Kamau" in page
    answer = checker.get(f"/portal/approvals/approvalrequest/{request.id}/change/")
    assert answer.headers["Location"] == show(request)


RULES = "/portal/approvals/approvalrule/"
FIELDS = {
    "kind": "refund",
    "branch": "",
    "currency": "KES",
    "minimum": "5,000.00",
    "maximum": "",
    "priority": "0",
    "roles_1": ["approver", "owner"],
    "needed_1": "2",
    "needed_2": "1",
    "needed_3": "1",
}


def test_rules_are_added_changed_and_deactivated(enter, in_organisation):
    client = enter("controller")
    add = reverse("admin:approvals_approvalrule_add_list")

    assert send(client, add, **FIELDS).status_code == 204
    in_organisation("acme")
    rule = ApprovalRule.objects.get()
    assert (rule.minimum, rule.maximum, rule.branch_id) == (Money(5_000_00, "KES"), None, None)
    page = html(client, RULES)
    assert "2 of Approver (checker), Owner" in page
    assert "Too few people" in page

    in_organisation("acme")
    change = reverse("admin:approvals_approvalrule_replace", args=[rule.id])
    assert 'value="5000.00"' in open_at(client, change).content.decode()
    times = {
        "window_hours": "24",
        "window_by": "PERSON",
        "remind_after_hours": "4",
        "escalate_after_hours": "26",
        "escalate_roles": ["controller"],
    }
    further = {"further_after_hours_1": "8", "further_roles_1": ["controller"]}
    assert send(client, change, **{**FIELDS, **times, **further, "maximum": "20 000"}).status_code == 204
    in_organisation("acme")
    other = ApprovalRule.objects.get(is_active=True)
    assert (other.maximum, ApprovalRule.objects.count()) == (Money(20_000_00, "KES"), 2)
    assert (other.window_hours, other.window_by, other.remind_after_hours) == (24, "PERSON", 4)
    assert (other.escalate_after_hours, other.escalate_roles) == (26, ["controller"])
    assert "2 of Approver (checker), Owner; after 8 hours also Controller" in html(client, RULES)
    in_organisation("acme")
    deactivate = reverse("admin:approvals_approvalrule_deactivate", args=[other.id])
    assert send(client, deactivate).status_code == 204
    in_organisation("acme")
    assert ApprovalRule.objects.filter(is_active=True).exists() is False


def test_a_change_of_rules_waits_for_another_person(enter, in_organisation):
    client = enter("controller")
    add = reverse("admin:approvals_approvalrule_add_list")
    approvals.rule()
    access.head_office()
    access.application(PORTAL)

    with approvals.no_small_team():
        old = ApprovalRule.objects.get()
        assert send(client, add, **FIELDS).status_code == 204
        in_organisation("acme")
        change = reverse("admin:approvals_approvalrule_replace", args=[old.id])
        assert "Another person agrees first" in open_at(client, change).content.decode()
        assert send(client, change, **{**FIELDS, "minimum": "1.00"}).status_code == 204
        in_organisation("acme")
        made, replaced = ApprovalRequest.objects.order_by("id")
        edit = reverse("admin:approvals_approvalrequest_amend-rule", args=[made.id])
        assert 'value="5000.00"' in open_at(client, edit).content.decode()
        assert send(client, edit, **{**FIELDS, "minimum": "7.00"}).status_code == 204
        in_organisation("acme")

    assert ApprovalRule.objects.get() == old
    page = html(client, show(replaced))
    assert "Another rule in its place" in page
    assert '<del class="t-sub">10000.00</del> 1.00' in page
    assert "2 of Approver (checker), Owner" in page
    in_organisation("acme")
    edited = html(client, show(made))
    assert '<del class="t-sub">5000.00</del></td><td><ins class="p-ins">7.00</ins>' in edited
    assert "You asked for this or edited it" in edited


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"minimum": "1,50"}, "Write the amount as 1,250.00."),
        ({"currency": ""}, "Name the currency"),
        ({"maximum": "1"}, "upper end"),
        ({"roles_1": []}, "required"),
        ({"kind": "launch"}, "valid choice"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_the_dialog(enter, in_organisation, changes, words):
    client = enter("controller")

    answer = send(client, reverse("admin:approvals_approvalrule_add_list"), **{**FIELDS, **changes})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    in_organisation("acme")
    assert ApprovalRule.objects.exists() is False


def test_who_reads_rules_changes_none(enter, in_organisation):
    client = enter("auditor")
    in_organisation("acme")
    rule = approvals.rule()

    assert "do/deactivate" not in html(client, RULES)
    assert send(client, reverse("admin:approvals_approvalrule_deactivate", args=[rule.id])).status_code == 403


def test_a_controller_of_a_branch_changes_the_rules_of_his_branch(enter, in_organisation):
    access.head_office()
    client = enter("controller", branches=(access.branch(),))
    in_organisation("acme")
    everywhere = approvals.rule()

    refused = send(client, reverse("admin:approvals_approvalrule_deactivate", args=[everywhere.id]))

    assert refused.status_code == 403
    opened = open_at(client, reverse("admin:approvals_approvalrule_add_list")).content.decode()
    assert "All branches" not in opened
