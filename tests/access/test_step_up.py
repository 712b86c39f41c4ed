"""Steps up: what moves money or opens doors asks for a fresh proof, in the dialog itself, and loses nothing that was typed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.access.models import Membership
from apps.accounts.models import Authenticator
from apps.approvals.models import ApprovalDecision
from apps.audit.models import AuditRecord
from apps.kit import clock
from apps.tenancy.models import Organisation
from tests.dialogs import hidden, open_at
from tests.factories import access, approvals
from tests.factories.accounts import enrolled
from tests.platform.test_site import REASON

NOW = approvals.LATER
AT = NOW + timedelta(minutes=10)
EMAIL = "amina@example.test"
CODE, PASSWORD = "Code from your authenticator", "Your password"


@pytest.fixture
def signed_in(acme, in_organisation):
    """Return a function that signs an approver in by the pages, ten minutes before AT; the clock stands at AT afterwards."""

    def enter(phone=None, host="acme.testserver", site="portal") -> Client:
        browser = Client(headers={"host": host})
        with clock.fixed(NOW):
            browser.post(f"/{site}/login/", {"username": EMAIL, "password": access.PASSWORD})
            if phone:
                browser.post(f"/{site}/second-factor/", {"code": phone.code(NOW)})
        in_organisation("acme")
        return browser

    access.member("approver", EMAIL)
    with clock.fixed(AT):
        yield enter


@pytest.fixture
def phone(acme):
    return enrolled(access.user(EMAIL), at=NOW - timedelta(hours=1))


@pytest.fixture
def deed(acme):
    return reverse("admin:approvals_approvalrequest_approve", args=[approvals.waiting().id])


@pytest.fixture
def send(in_organisation):
    """Return a function that sends a dialog as it was opened."""

    def sent(browser, url, opened, **fields):
        answer = browser.post(url, {**hidden(opened), **fields}, headers={"hx-request": "true"})
        in_organisation("acme")
        return answer

    return sent


def done() -> int:
    return ApprovalDecision.objects.count()


def actions() -> list[str]:
    return list(
        AuditRecord.objects.filter(action__startswith="step_up")
        .order_by("id")
        .values_list("action", flat=True)
    )


def test_a_code_is_asked_for_in_the_dialog_and_opens_the_way_for_five_minutes(signed_in, phone, deed, send):
    browser = signed_in(phone)
    opened = open_at(browser, deed)
    key = browser.cookies["sessionid"].value
    assert CODE in opened.content.decode()

    answer = send(browser, deed, opened, note="Fine by me", proof=phone.code(AT))

    assert answer.status_code == 204
    assert done() == 1
    assert browser.cookies["sessionid"].value != key
    assert actions() == ["step_up.proved"]
    another = reverse(
        "admin:approvals_approvalrequest_refuse", args=[approvals.waiting(subject_reference="re_2").id]
    )
    with clock.fixed(AT + timedelta(seconds=299)):
        assert CODE not in open_at(browser, another).content.decode()
    with clock.fixed(AT + timedelta(seconds=300)):
        assert CODE in open_at(browser, another).content.decode()


def test_what_was_typed_stays_when_the_code_is_wrong_replayed_or_missing(signed_in, phone, deed, send):
    browser = signed_in(phone)
    opened = open_at(browser, deed)

    for proof in (phone.wrong_code(AT), phone.code(NOW), ""):
        refused = send(browser, deed, opened, note="Fine by me", proof=proof)
        assert refused.status_code == 422
        assert "Fine by me" in refused.content.decode()
        assert CODE in refused.content.decode()

    assert done() == 0
    assert actions() == ["step_up.refused", "step_up.refused"]
    assert (
        Authenticator.objects.get().failures == 1
    )  # it rests since the first: the second is not even looked at
    assert send(browser, deed, opened, proof=phone.code(AT)).status_code == 422
    with clock.fixed(AT + timedelta(minutes=1)):
        assert send(browser, deed, opened, proof=phone.code(AT + timedelta(minutes=1))).status_code == 204


def test_a_proof_that_grew_old_while_the_dialog_was_open_is_asked_for_then(signed_in, phone, deed, send):
    browser = signed_in(phone)
    with clock.fixed(NOW + timedelta(minutes=4)):
        opened = open_at(browser, deed)
    assert CODE not in opened.content.decode()

    refused = send(browser, deed, opened, note="Fine by me")

    assert (refused.status_code, done()) == (422, 0)
    assert "Fine by me" in refused.content.decode()
    assert CODE in refused.content.decode()


def test_a_recovery_code_proves_once(signed_in, phone, deed, send):
    browser = signed_in(phone)
    opened = open_at(browser, deed)

    assert send(browser, deed, opened, proof=phone.recovery_codes[0]).status_code == 204
    with clock.fixed(AT + timedelta(minutes=6)):
        other = reverse(
            "admin:approvals_approvalrequest_refuse", args=[approvals.waiting(subject_reference="re_2").id]
        )
        again = send(
            browser, other, open_at(browser, other), reason="Not agreed", proof=phone.recovery_codes[0]
        )

    assert (again.status_code, done()) == (422, 1)


def test_who_has_no_second_factor_types_his_password(signed_in, deed, send):
    browser = signed_in()
    opened = open_at(browser, deed)
    assert PASSWORD in opened.content.decode()

    refused = send(browser, deed, opened, proof="another password")
    assert (refused.status_code, done()) == (422, 0)
    assert "another password" not in refused.content.decode()
    assert send(browser, deed, opened, proof=access.PASSWORD).status_code == 204


def test_a_strangers_code_is_not_even_taken(signed_in, phone, deed, send):
    browser = signed_in(phone)
    opened = open_at(browser, deed)
    connection.set_tenant(Organisation.objects.get(slug="acme"))
    Membership.objects.filter(user=access.user(EMAIL)).update(
        role=access.member("auditor", "b@example.test").role
    )

    assert send(browser, deed, opened, proof=phone.code(AT)).status_code == 403
    assert (actions(), done()) == ([], 0)


def test_a_form_that_opens_doors_is_held_up_and_sent_on_as_it_was_typed(signed_in, phone, in_organisation):
    browser = signed_in(phone)
    Membership.objects.update(role=access.member("owner", "owner@example.test").role)
    typed = {"name": "Till 7", "code": "TILL-7", "scopes": ["payments:read", "payments:write"]}

    held = browser.post("/portal/access/apikey/add/", typed)
    page = held.content.decode()

    assert held.status_code == 200
    assert CODE in page
    for text in ("Till 7", "payments:read", "payments:write"):
        assert f'value="{text}"' in page
    assert 'name="csrfmiddlewaretoken"' in page
    wrong = browser.post("/portal/access/apikey/add/", {**typed, "proof": phone.wrong_code(AT)})
    assert wrong.status_code == 422
    assert 'value="Till 7"' in wrong.content.decode()
    with clock.fixed(AT + timedelta(minutes=1)):
        sent = browser.post(
            "/portal/access/apikey/add/", {**typed, "proof": phone.code(AT + timedelta(minutes=1))}
        )
    assert CODE not in sent.content.decode()


def test_the_platform_asks_too(db):
    staff = access.user("ops@example.test", is_platform_staff=True)
    phone = enrolled(staff, at=NOW - timedelta(hours=1))
    lost = access.user("lost@example.test")
    enrolled(lost)
    browser = Client(headers={"host": "localhost"})
    with clock.fixed(NOW):
        browser.post("/platform/login/", {"username": staff.email, "password": access.PASSWORD})
        browser.post("/platform/second-factor/", {"code": phone.code(NOW)})
    url = f"/platform/accounts/user/{lost.pk}/do/reset-second-factor/"
    with clock.fixed(AT):
        opened = open_at(browser, url)
        refused = browser.post(url, {**hidden(opened), "reason": REASON})
        answer = browser.post(url, {**hidden(opened), "reason": REASON, "proof": phone.code(AT)})

    assert CODE in opened.content.decode()
    assert (refused.status_code, answer.status_code) == (422, 302)
    assert Authenticator.objects.filter(user=lost).exists() is False
