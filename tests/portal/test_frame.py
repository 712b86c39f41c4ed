"""The frame: sign-in, the organisation's own name and colour, the menu of this person, search, dates."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import formats, timezone

from apps.kit import brand, ids
from apps.ledger.selectors import transactions
from apps.portal.pages import branding
from apps.portal.templatetags import portal as tags
from apps.tenancy.models import Organisation
from tests.factories import access, approvals, parties, payments, refunds
from tests.portal.conftest import HOST


def sign_in(client, email, password):
    return client.post(reverse("admin:login"), {"username": email, "password": password})


def test_login_names_the_organisation_and_asks_for_e_mail_and_password_only(acme):
    html = Client(headers={"host": HOST}).get(reverse("admin:login")).content.decode()

    assert "Acme" in html
    assert "test organisation" in html
    assert 'type="email"' in html
    assert re.findall(r'<input[^>]* name="(username|password|next|language)"', html) == [
        "username",
        "password",
        "next",
    ]
    assert "passkey" not in html


def test_member_signs_in_and_lands_on_the_first_page(acme):
    access.head_office()
    access.member()
    client = Client(headers={"host": HOST})

    response = sign_in(client, "amina@example.test", access.PASSWORD)

    assert response.status_code == 302
    assert client.get("/portal/").status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("amina@example.test", "wrong"),
        ("nobody@example.test", access.PASSWORD),
        ("outsider@example.test", access.PASSWORD),
    ],
)
def test_refusal_reads_the_same_whatever_was_wrong(acme, email, password):
    access.member()
    access.user("outsider@example.test")
    client = Client(headers={"host": HOST})

    html = sign_in(client, email, password).content.decode()

    assert "E-mail or password is not right" in html
    assert client.get("/portal/").status_code == 302


def test_live_organisation_bears_no_mark(zuri):
    html = Client(headers={"host": "zuri.testserver"}).get(reverse("admin:login")).content.decode()

    assert "live organisation" in html
    assert "[Test]" not in html


@pytest.mark.parametrize(("slug", "is_marked"), [("acme", True), ("zuri", False)])
def test_a_test_organisation_is_marked_in_the_frame_and_in_the_title(db, in_organisation, slug, is_marked):
    in_organisation(slug)
    access.head_office()
    access.member()
    client = Client(headers={"host": f"{slug}.testserver"})
    sign_in(client, "amina@example.test", access.PASSWORD)

    for path in ("/portal/", "/portal/access/branch/", "/portal/second-factor/manage/"):
        html = client.get(path).content.decode()
        title = html.partition("<title>")[2].partition("</title>")[0]
        assert ("[Test]" in title) is is_marked, path
        assert (
            bool(re.search(r"<(span|div)[^>]*>[^<]*(<span[^>]*>science</span>)?\s*Test\s*<", html))
            is is_marked
        ), path


def test_each_organisation_has_its_own_colour_on_every_request(acme):
    factory = RequestFactory()
    seen = []
    for colour in ("#b3261e", "#0e5a6b", "not a colour", "#b3261e"):
        request = factory.get("/")
        request.tenant = Organisation(slug="x", name="X", brand_color=colour)
        scales = branding.colors(request)
        seen.append(scales["primary"]["600"])
        scales["primary"]["600"] = "changed by Unfold"
        scales["base"]["50"] = "changed by Unfold"

    assert seen == [brand.scale(c)["600"] for c in ("#b3261e", "#0e5a6b", brand.DEFAULT, "#b3261e")]
    assert branding.BASE["50"] == "#f8fafc"


def test_two_organisations_in_turn_keep_their_colours(acme, in_organisation):
    Organisation.objects.filter(slug="zuri").update(brand_color="#b3261e")

    pages = [
        Client(headers={"host": host}).get(reverse("admin:login")).content.decode()
        for host in (HOST, "zuri.testserver", HOST)
    ]

    def primary(page):
        return page.split("--color-primary-600: ")[1].split(";")[0]

    assert primary(pages[0]) == primary(pages[2]) != primary(pages[1])


def test_menu_holds_what_the_role_may_open(acme, enter):
    access.head_office()
    html = enter("approver").get("/portal/").content.decode()

    assert "Cash position" in html
    assert ">Ledger<" in html
    assert "Deliveries" not in html
    assert "Audit log" not in html


def test_menu_marks_the_present_page(story, enter):
    html = enter("owner").get(reverse("portal-payment", args=[story.paid])).content.decode()

    active = html.split(' active"')[1:]
    assert len(active) == 1


def test_list_is_called_what_the_menu_calls_it(story, enter):
    html = enter("owner").get(reverse("admin:payments_paymentintent_changelist")).content.decode()

    heading = html.split("<h1>")[1].split("</h1>")[0]
    assert heading == "Payments"


def test_every_list_of_the_menu_opens(story, enter):
    client = enter("owner")
    home = client.get("/portal/").content.decode()
    links = set(re.findall(r'href="(/portal/[a-z_]+/[a-z_]+/)"', home))

    for link in sorted(links - {"/portal/logout/"}):
        response = client.get(link)

        assert response.status_code == 200, link
        assert response.content.count(b"<h1") == 1, link


def test_what_is_not_built_is_nowhere(story, enter):
    html = enter("owner").get("/portal/").content.decode()

    for word in ("Payouts", "Invoices", "Reconcil", "Forecast"):
        assert word not in html


@pytest.mark.parametrize("term", ["nlj7rt61sv", "INV-HQ-2026-00001", "0712345678", "ledger"])
def test_search_finds_by_what_people_have_in_hand(story, enter, term):
    response = enter("owner").get(reverse("admin:search"), {"s": term})

    assert response.status_code == 200
    assert b'href="/portal/' in response.content


def test_search_finds_refunds_suspense_approvals_and_parties(acme, enter):
    refund = refunds.requested()
    inbound = payments.held(reference="ORDER 17")
    request = approvals.waiting(subject_reference="JV-0012")
    party = parties.party(display_name="Savanna Kitchens")
    client = enter("owner")
    pages = {
        refund.payment_receipt.lower(): reverse("portal-payment", args=[refund.intent_id]),
        ids.encode("re", refund.id): reverse("portal-payment", args=[refund.intent_id]),
        "order-17": reverse("admin:payments_inboundreceipt_change", args=[inbound.id]),
        "JV-0012": reverse("portal-approval", args=[request.id]),
        ids.encode("apr", request.id): reverse("portal-approval", args=[request.id]),
        "savanna": reverse("admin:parties_party_change", args=[party.id]),
    }

    for term, page in pages.items():
        assert page in client.get(reverse("admin:search"), {"s": term}).content.decode(), term


def test_search_finds_a_ledger_transaction_by_its_number(story, enter):
    (booked,) = transactions.of_source("payment_intent", story.paid)

    response = enter("owner").get(reverse("admin:search"), {"s": booked.number.lower()})

    assert reverse("portal-transaction", args=[booked.uid]).encode() in response.content


@pytest.mark.parametrize("term", ["", "nothing-like-this", "pi_zzz", "LT-99999999999999999999999", "\0", "%"])
def test_search_for_nothing_finds_nothing(story, enter, term):
    response = enter("owner").get(reverse("admin:search"), {"s": term})

    assert response.status_code == 200
    assert b"href=" not in response.content


def test_search_stays_within_branch_permission_and_organisation(story, enter):
    clerk = enter("accountant", email="brian@example.test", branches=(story.other_branch,))
    developer = enter("developer", email="dev@example.test")

    for_clerk = clerk.get(reverse("admin:search"), {"s": "nlj7rt61sv"}).content.decode()
    for_developer = developer.get(reverse("admin:search"), {"s": "nlj7rt61sv"}).content.decode()

    assert str(story.paid) not in for_clerk
    assert str(story.paid) in for_developer
    assert "ledger/transactions" not in for_developer


def test_search_of_one_organisation_is_not_shown_in_another(story, enter, in_organisation):
    client = enter("owner")
    assert str(story.paid) in client.get(reverse("admin:search"), {"s": "nlj7rt61sv"}).content.decode()
    in_organisation("zuri")
    access.head_office()
    access.member()
    other = Client(headers={"host": "zuri.testserver"})
    assert other.login(username="amina@example.test", password=access.PASSWORD)

    assert str(story.paid) not in other.get(reverse("admin:search"), {"s": "nlj7rt61sv"}).content.decode()


def test_dates_and_numbers_are_written_as_people_here_write_them():
    at = timezone.localtime(datetime(2026, 11, 24, 7, 41, tzinfo=UTC))

    assert formats.date_format(at, "DATETIME_FORMAT") == "24 Nov 2026, 10:41"
    assert formats.date_format(at, "SHORT_DATE_FORMAT") == "24 Nov 2026"
    assert formats.number_format(1842300, force_grouping=True) == "1,842,300"
    assert formats.get_format("FIRST_DAY_OF_WEEK") == 1


def test_zone_is_named_with_its_distance():
    assert tags.zone() == "EAT (UTC+3)"
    with timezone.override(UTC):
        assert tags.zone() == "UTC"


@pytest.mark.parametrize(
    ("name", "letters"), [("Savanna Kitchens", "SK"), ("Zuri", "Z"), ("Ali & Sons Ltd", "AS"), ("", "?")]
)
def test_initials(name, letters):
    assert tags.initials(name) == letters


@pytest.mark.parametrize(("minutes", "text"), [(18, "18 min"), (180, "3 h"), (60 * 49, "2 d")])
def test_age(minutes, text):
    now = datetime(2026, 11, 24, 7, 41, tzinfo=UTC)

    assert tags.age(now - timezone.timedelta(minutes=minutes), now) == text


def test_platform_site_stands_without_an_organisation(db):
    connection.set_schema_to_public()
    request = RequestFactory().get("/")

    assert branding.site_header(request) == "Treasury"
    assert branding.site_subheader(request) == ""
    assert branding.environment(request) is None


def test_platform_operators_get_the_same_frame_without_the_portals_menu(db):
    connection.set_schema_to_public()
    access.user("ops@example.test", is_platform_staff=True)
    client = Client(headers={"host": "localhost"})
    assert "platform operators" in client.get("/platform/login/").content.decode()
    assert client.login(username="ops@example.test", password=access.PASSWORD)

    response = client.get("/platform/")

    assert response.status_code == 200
    assert b"Cash position" not in response.content
    assert b"Organisations" in response.content


def test_texts_are_escaped():
    html = render_to_string("portal/parts/copy.html", {"value": '"><script>', "what": "<b>"})

    assert "<script>" not in html
    assert "<b>" not in html
