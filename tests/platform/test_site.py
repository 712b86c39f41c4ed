"""The platform's site: organisations, people and the trail, for platform staff alone; each deed with its reason."""

import re
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import PlatformRecord, User
from apps.accounts.selectors import second_factors as known
from apps.accounts.services import second_factors
from apps.kit import schema, storage
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Offboarding, Organisation, Provisioning
from tests import dialogs
from tests.factories import access
from tests.factories.accounts import NOW, enrolled

PAGES = [
    "tenancy/registeredapplication",
    "tenancy/organisationrequest",
    "tenancy/organisation",
    "tenancy/domain",
    "accounts/user",
    "accounts/platformrecord",
]
REASON = "Called back on the number in the contract"


@pytest.fixture
def people(db, in_organisation):
    """Make amina a member of acme, with a second factor."""
    in_organisation("acme")
    access.head_office()
    user = access.member().user
    enrolled(user)
    connection.set_schema_to_public()
    return user


@pytest.fixture
def operator(people):
    """Return the browser of a member of the platform's staff."""
    staff = access.user("ops@example.test", is_platform_staff=True)
    browser = Client(headers={"host": "localhost"})
    assert browser.login(username=staff.email, password=access.PASSWORD)
    return browser


def text(browser, path):
    answer = browser.get(f"/platform/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def send(browser, path, name, **fields):
    return dialogs.send(browser, f"/platform/{path}/do/{name}/", **fields)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_for_platform_staff_alone(operator, people, page):
    assert operator.get(f"/platform/{page}/").status_code == 200
    assert operator.get(f"/platform/{page}/add/").status_code == 403

    member = Client(headers={"host": "localhost"})
    assert member.login(username=people.email, password=access.PASSWORD) is False
    assert "/platform/login/" in member.get(f"/platform/{page}/")["Location"]


def test_the_menu_leads_to_every_page(operator):
    page = text(operator, "")

    assert all(f'href="/platform/{name}/"' in page for name in PAGES)
    assert "Cash position" not in page


def test_no_list_offers_to_save_views_that_the_platform_does_not_keep(operator):
    page = text(operator, "accounts/user/?view=all")

    assert "Save this view" not in page
    assert "Filters" in page


def test_the_portals_menu_has_no_platform_in_it(people, in_organisation):
    in_organisation("acme")
    assert access.user().has_perm("platform.view") is False


def test_organisations_are_shown_with_state_members_and_hosts(operator):
    page = text(operator, "tenancy/organisation/")

    assert all(
        words in page for words in ("Acme", "Zuri", "Ready", "Live", "acme.testserver", "As each likes")
    )
    acme = Organisation.objects.get(slug="acme")
    row = next(row for row in page.split("<tr") if "acme.testserver" in row)
    assert re.search(r"field-members[^>]*>\s*1\s*<", row)
    assert "org_acme" in text(operator, f"tenancy/organisation/{acme.id}/change/")


def test_people_are_shown_with_second_factor_and_organisations(operator, people):
    page = text(operator, f"accounts/user/{people.id}/change/")

    assert "Set up" in page
    assert "Acme" in page
    assert people.password not in page


def test_resets_a_second_factor_with_a_reason(operator, people):
    refused = send(operator, f"accounts/user/{people.id}", "reset-second-factor", reason="")
    assert refused.status_code == 422
    assert known.is_enrolled(people.pk) is True

    send(operator, f"accounts/user/{people.id}", "reset-second-factor", reason=REASON)

    assert known.is_enrolled(people.pk) is False
    record = PlatformRecord.objects.get(action="second_factor.reset")
    assert record.reason == REASON
    assert record.person == str(User.objects.get(email="ops@example.test").pk)
    assert REASON in text(operator, "accounts/platformrecord/")


def test_deactivates_a_person_whose_address_is_typed(operator, people):
    refused = send(operator, f"accounts/user/{people.id}", "deactivate", reason=REASON, typed_text="x")
    assert refused.status_code == 422

    send(operator, f"accounts/user/{people.id}", "deactivate", reason=REASON, typed_text=people.email)

    people.refresh_from_db()
    assert people.is_active is False
    assert PlatformRecord.objects.filter(action="user.deactivated", reason=REASON).count() == 1


def test_nobody_deactivates_himself_or_takes_his_own_second_factor_away(operator):
    staff = User.objects.get(email="ops@example.test")
    enrolled(staff)
    path = f"accounts/user/{staff.id}"
    operator.force_login(staff)

    send(operator, path, "deactivate", reason=REASON, typed_text=staff.email)
    send(operator, path, "reset-second-factor", reason=REASON)

    staff.refresh_from_db()
    assert staff.is_active is True
    assert known.is_enrolled(staff.pk) is True


def test_limits_the_requests_of_an_organisation(operator):
    acme = Organisation.objects.get(slug="acme")
    path = f"tenancy/organisation/{acme.id}"

    send(operator, path, "limit-requests", requests_per_second="50", money_per_second="5", reason=REASON)

    acme.refresh_from_db()
    assert (acme.requests_per_second, acme.money_per_second) == (50, 5)
    page = operator.get(f"/platform/{path}/change/").content.decode()
    assert "50 together, 5 that move money" in page
    assert PlatformRecord.objects.get(action="organisation.rates_set").reason == REASON


def test_sets_whether_an_organisation_asks_for_a_second_factor(operator):
    acme = Organisation.objects.get(slug="acme")
    path = f"tenancy/organisation/{acme.id}"
    send(operator, path, "require-second-factor", reason=REASON)
    acme.refresh_from_db()
    assert acme.requires_second_factor is True

    send(operator, path, "waive-second-factor", reason=REASON, typed_text="acme")

    acme.refresh_from_db()
    assert acme.requires_second_factor is False
    changes = PlatformRecord.objects.filter(action="organisation.second_factor_policy").values_list(
        "changes", flat=True
    )
    assert [change["requires_second_factor"] for change in changes.order_by("id")] == [
        [False, True],
        [True, False],
    ]


def test_nothing_is_done_by_opening_a_dialog(operator, people):
    answer = operator.get(f"/platform/accounts/user/{people.id}/do/reset-second-factor/")

    assert answer.status_code == 200
    assert known.is_enrolled(people.pk) is True


def test_a_repeat_of_the_reset_is_refused(operator, people):
    second_factors.reset(user_id=people.pk, reason=REASON, actor=SYSTEM, now=NOW)

    send(operator, f"accounts/user/{people.id}", "reset-second-factor", reason=REASON)

    assert PlatformRecord.objects.filter(action="second_factor.reset").count() == 1


def test_ends_a_suspended_organisation_after_a_month_and_calls_it_off(operator):
    zuri = Organisation.objects.get(slug="zuri")
    path = f"tenancy/organisation/{zuri.id}"
    assert "End…" not in text(operator, f"{path}/change/")
    send(operator, path, "suspend", reason=REASON, typed_text="zuri")

    refused = send(operator, path, "end", days=29, reason=REASON, typed_text="zuri")
    send(operator, path, "end", days=30, reason=REASON, typed_text="zuri")
    ending = text(operator, f"{path}/change/")
    send(operator, path, "call-off-end", reason=REASON)

    assert refused.status_code == 422
    assert all(words in ending for words in ("to be exported", "Call off the end…"))
    asked = Offboarding.objects.get()
    assert (asked.drop_after - asked.asked_at).days == 30
    assert asked.cancelled_at is not None
    assert "None planned" in text(operator, f"{path}/change/")


def test_an_archive_is_given_out_with_a_reason_to_who_asked_for_it(operator, people):
    zuri = Organisation.objects.get(slug="zuri")
    path = f"tenancy/organisation/{zuri.id}"
    assert dialogs.open_at(operator, f"/platform/{path}/do/archive/").status_code == 409
    an_archive_of(zuri, b"all of zuri")

    refused = send(operator, path, "archive", reason="")
    told = send(operator, path, "archive", reason=REASON)
    link = re.search(r'href="([^"]*/archive/download/\?ticket=[^"]*)"', text(operator, f"{path}/change/"))[1]
    given = operator.get(link)

    assert (refused.status_code, told.status_code, given.status_code) == (422, 204, 200)
    assert b"".join(given.streaming_content) == b"all of zuri"
    assert given["Content-Disposition"].startswith('attachment; filename="zuri-')
    record = PlatformRecord.objects.get(action="organisation.archive_handed_out")
    assert (record.reason, record.object_id) == (REASON, str(zuri.id))
    colleague = Client(headers={"host": "localhost"})
    staff = access.user("second@example.test", is_platform_staff=True)
    assert colleague.login(username=staff.email, password=access.PASSWORD)
    assert colleague.get(link).status_code == 404
    assert operator.get(link.partition("?")[0]).status_code == 404
    acme = Organisation.objects.get(slug="acme")
    assert operator.get(link.replace(str(zuri.id), str(acme.id))).status_code == 404
    Offboarding.objects.update(archive_sha256="0" * 64)  # another file than the one that was recorded
    assert operator.get(link).status_code == 404


def an_archive_of(organisation, content):
    schema.enter(organisation)
    folder = Path(tempfile.mkdtemp())
    (folder / "made.zip").write_bytes(content)
    kept = storage.upload(path=folder / "made.zip", folder="offboarding/made", content_type="application/zip")
    schema.leave()
    Offboarding.objects.create(
        organisation=organisation,
        reason=REASON,
        asked_by="user:ops",
        asked_at=NOW,
        drop_after=NOW + timedelta(days=30),
        exported_at=NOW,
        archive_key=kept.key,
        archive_sha256=kept.sha256,
        archive_size=kept.size,
    )


NEW = {
    "name": "Kilele",
    "slug": "kilele",
    "owner_email": "njeri@example.test",
    "owner_name": "Njeri",
    "reason": REASON,
}


def test_opens_an_organisation_and_shows_how_far_it_is(operator):
    sent = dialogs.send(operator, "/platform/tenancy/organisation/do/open/", **NEW)

    made = Organisation.objects.get(slug="kilele")
    page = f"/platform/tenancy/organisation/{made.id}/"
    assert sent["HX-Redirect"] == f"{page}change/"
    shown = operator.get(sent["HX-Redirect"]).content.decode()
    assert all(words in shown for words in ("Under way", f'hx-get="{page}progress/"', "shown this once"))
    owner = User.objects.get(email="njeri@example.test")
    assert (owner.is_vouched_for, owner.has_usable_password()) == (True, False)
    assert "//kilele." in shown

    Provisioning.objects.update(tries=2, problem="The table of people was locked")
    held_up = operator.get(f"{page}progress/")
    Provisioning.objects.update(failed_at=NOW)
    failed = operator.get(f"{page}progress/")

    assert ("Tries again" in held_up.content.decode(), "HX-Refresh" in held_up.headers) == (True, False)
    assert ("Failed" in failed.content.decode(), failed["HX-Refresh"]) == (True, "true")
    send(operator, f"tenancy/organisation/{made.id}", "try-again", reason=REASON)
    assert Provisioning.objects.get().failed_at is None
    zuri = Organisation.objects.get(slug="zuri")
    assert operator.get(f"/platform/tenancy/organisation/{zuri.id}/progress/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"slug": "acme"}, "Another organisation is called acme."),
        ({"slug": "platform"}, "no reserved word"),
        ({"owner_email": "first@example.test"}, "without a password of his own"),
    ],
)
def test_opens_nothing_of_what_cannot_be(operator, wrong, words):
    person = access.user("first@example.test")
    person.set_unusable_password()
    person.save()

    refused = dialogs.send(operator, "/platform/tenancy/organisation/do/open/", **{**NEW, **wrong})

    assert words in refused.content.decode()
    assert Provisioning.objects.count() == 0
    assert set(Organisation.objects.values_list("slug", flat=True)) == {"public", "acme", "zuri"}


def test_suspends_and_opens_an_organisation_whose_name_is_typed(operator):
    zuri = Organisation.objects.get(slug="zuri")
    path = f"tenancy/organisation/{zuri.id}"
    refused = send(operator, path, "suspend", reason=REASON, typed_text="acme")
    send(operator, path, "suspend", reason=REASON, typed_text="zuri")
    zuri.refresh_from_db()
    suspended = zuri.is_suspended

    send(operator, path, "resume", reason=REASON)

    zuri.refresh_from_db()
    assert (refused.status_code, suspended, zuri.is_suspended) == (422, True, False)
    assert set(
        PlatformRecord.objects.filter(object_id=str(zuri.id)).values_list("action", "reason", "person")
    ) == {
        (f"organisation.{deed}", REASON, str(User.objects.get(email="ops@example.test").pk))
        for deed in ("suspended", "resumed")
    }
