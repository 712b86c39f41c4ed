"""The organisation's site: members only, no shared table, every change by a service."""

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory

from apps.access.admin import MembershipAdmin
from apps.access.admin_sites import OrganisationModelAdmin, OrganisationSite, is_shared
from apps.access.models import ApiKey, Branch, Membership, Role
from apps.access.services import api_keys
from apps.accounts.models import User
from apps.audit.models import AuditRecord
from tests import dialogs
from tests.factories import access as make

HOST = "acme.testserver"


@pytest.fixture
def portal(acme, in_organisation):
    """Return a function that signs a member of acme in and gives his browser."""

    def sign_in(role="owner", **chosen):
        in_organisation("acme")
        make.head_office()
        make.portal()
        membership = make.member(role, **chosen)
        browser = Client(headers={"host": HOST})
        browser.force_login(membership.user)
        return browser

    return sign_in


def test_shows_no_shared_model():
    assert isinstance(
        admin.site._wrapped if hasattr(admin.site, "_wrapped") else admin.site, OrganisationSite
    )
    assert [model for model in admin.site._registry if is_shared(model)] == []


def test_refuses_to_register_a_shared_model():
    with pytest.raises(ImproperlyConfigured, match=r"accounts\.User"):
        OrganisationSite().register(User)


def test_offers_members_only_where_a_user_is_chosen(acme):
    member = make.member("owner").user
    make.user("stranger@example.test")

    page = OrganisationModelAdmin(Membership, admin.site)
    request = RequestFactory().get("/portal/")
    request.user = member
    field = page.formfield_for_foreignkey(Membership._meta.get_field("user"), request)

    assert list(field.queryset) == [member]


def test_no_page_of_access_can_delete(portal):
    for model, page in admin.site._registry.items():
        if model._meta.app_label == "access":
            assert page.has_delete_permission(None) is False


def test_a_stranger_is_sent_to_sign_in(acme):
    answer = Client(headers={"host": HOST}).get("/portal/access/branch/")

    assert answer.status_code == 302
    assert "/portal/login/" in answer["Location"]


@pytest.mark.parametrize(
    "path",
    [
        "access/branch/", "access/branch/add/", "access/application/", "access/application/add/", "access/role/",
        "access/membership/", "access/membership/add/", "access/apikey/", "access/apikey/add/", "audit/",
    ],
)  # fmt: skip
def test_an_owner_sees_every_page(portal, path):
    assert portal().get(f"/portal/{path}").status_code == 200


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("accountant", "access/apikey/", 403),
        ("auditor", "access/apikey/", 200),
        ("auditor", "access/apikey/add/", 403),
        ("developer", "access/apikey/add/", 200),
        ("developer", "access/membership/add/", 403),
        ("accountant", "audit/", 403),
        ("auditor", "audit/", 200),
        ("owner", "access/role/add/", 403),
    ],
)
def test_a_role_opens_its_pages_only(portal, role, path, status):
    assert portal(role).get(f"/portal/{path}").status_code == status


def test_opens_a_branch(portal, in_organisation):
    answer = portal().post("/portal/access/branch/add/", {"code": "MSA", "name": "Mombasa", "time_zone": ""})

    in_organisation("acme")
    assert answer.status_code == 302
    assert Branch.objects.get(code="MSA").name == "Mombasa"
    assert AuditRecord.objects.get(action="branch.created", actor_kind="USER").application == "portal"


def test_renames_a_branch(portal, in_organisation):
    browser = portal()
    branch = make.branch()

    browser.post(f"/portal/access/branch/{branch.id}/change/", {"name": "Centre", "time_zone": ""})

    in_organisation("acme")
    branch.refresh_from_db()
    assert (branch.code, branch.name) == ("NBO-CBD", "Centre")


def test_shows_the_refusal_of_a_service(portal, in_organisation):
    browser = portal()

    answer = browser.post(
        "/portal/access/branch/add/", {"code": "A", "name": "X", "time_zone": "Mars/Olympus"}, follow=True
    )

    assert "Mars/Olympus is no time zone" in answer.content.decode()
    in_organisation("acme")
    assert Branch.objects.filter(code="A").exists() is False


def test_makes_a_key_and_shows_its_secret_once(portal, in_organisation):
    browser = portal("developer")
    application = make.application()
    form = {"name": "Till", "application": application.id, "scopes": ["payments:read"], "branch": ""}

    shown = browser.post("/portal/access/apikey/add/", form, follow=True).content.decode()
    again = browser.get("/portal/access/apikey/").content.decode()

    in_organisation("acme")
    key = ApiKey.objects.get()
    secret = shown.partition("<code>")[2].partition("</code>")[0]
    assert api_keys.digest(secret) == key.digest
    assert secret not in again
    assert key.prefix in again
    page = browser.get(f"/portal/access/apikey/{key.id}/change/").content.decode()
    assert key.digest not in shown + again + page
    assert secret not in page


def test_a_member_of_one_branch_is_offered_and_given_that_branch_only(portal, in_organisation):
    in_organisation("acme")
    cbd, mombasa = make.branch(), make.branch("MSA", "Mombasa")
    browser = portal("developer", branches=(cbd,))
    form = {"name": "Till", "application": make.application().id, "scopes": ["payments:read"]}

    assert "Mombasa" not in browser.get("/portal/access/apikey/add/").content.decode()
    browser.post("/portal/access/apikey/add/", {**form, "branch": mombasa.id})
    browser.post("/portal/access/apikey/add/", form)

    in_organisation("acme")
    assert ApiKey.objects.get().branch == cbd


def test_revokes_by_post_only(portal, in_organisation):
    browser = portal("developer")
    key = make.api_key()
    url = f"/portal/access/apikey/{key.id}/do/revoke/"

    browser.get(url, {"typed_text": key.name})
    in_organisation("acme")
    assert ApiKey.objects.get().revoked_at is None

    dialogs.send(browser, url, typed_text=key.name)
    in_organisation("acme")
    assert ApiKey.objects.get().revoked_at is not None


def test_who_may_only_look_may_not_revoke(portal, in_organisation):
    browser = portal("auditor")
    key = make.api_key()

    answer = dialogs.send(browser, f"/portal/access/apikey/{key.id}/do/revoke/", typed_text=key.name)
    assert answer.status_code == 403

    in_organisation("acme")
    assert ApiKey.objects.get().revoked_at is None


def test_admits_a_member_by_e_mail(portal, in_organisation):
    browser = portal()
    form = {
        "email": "baraka@example.test",
        "name": "Baraka",
        "role": Role.objects.get(code="auditor").id,
        "branches": [],
    }

    shown = browser.post("/portal/access/membership/add/", form, follow=True).content.decode()

    in_organisation("acme")
    link = shown.partition("<code>")[2].partition("</code>")[0]
    membership = Membership.objects.get(user__email="baraka@example.test")
    assert membership.role.code == "auditor"
    assert membership.user.has_usable_password() is False
    assert link.startswith(f"http://{HOST}/portal/enter/?link=tse_")
    assert "stranger@" not in shown


def test_a_person_chooses_another_password_than_his_present_one(portal):
    browser = portal()
    chosen = "a password of my own"
    form = {"old_password": make.PASSWORD, "new_password1": chosen, "new_password2": chosen}
    same = {**form, "new_password1": make.PASSWORD, "new_password2": make.PASSWORD}

    assert "Choose another password" in browser.post("/portal/password_change/", same).content.decode()
    assert browser.post("/portal/password_change/", form).status_code == 302

    assert browser.get("/portal/access/membership/").status_code == 200


def test_does_not_admit_whom_another_organisation_made(portal, in_organisation):
    browser = portal()
    make.user("cfo@victim.test")
    form = {"email": "cfo@victim.test", "name": "X", "role": Role.objects.get(code="auditor").id}

    shown = browser.post("/portal/access/membership/add/", form, follow=True).content.decode()

    in_organisation("acme")
    assert "Ask the platform&#x27;s operator" in shown
    assert Membership.objects.count() == 1


def test_offers_no_key_of_the_portal_itself(portal, in_organisation):
    browser = portal()
    make.application()

    form = browser.get("/portal/access/apikey/add/").context["adminform"].form

    in_organisation("acme")
    assert [application.slug for application in form.fields["application"].queryset] == ["shop"]


def test_ends_a_membership_but_not_the_last_owners(portal, in_organisation):
    browser = portal()
    owner = Membership.objects.get()
    other = make.member("auditor", "baraka@example.test")

    browser.post(f"/portal/access/membership/{other.id}/change/", {"role": other.role_id, "branches": []})
    refused = browser.post(
        f"/portal/access/membership/{owner.id}/change/", {"role": owner.role_id, "branches": []}, follow=True
    )

    in_organisation("acme")
    assert Membership.objects.get(id=other.id).is_active is False
    assert Membership.objects.get(id=owner.id).is_active is True
    assert "Make another member owner first." in refused.content.decode()


def test_the_member_page_names_the_person(portal):
    browser = portal()

    page = browser.get(f"/portal/access/membership/{Membership.objects.get().id}/change/").content.decode()

    assert "amina@example.test" in page
    assert MembershipAdmin.list_filter == ["is_active"]
