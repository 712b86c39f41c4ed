"""Pages: what a member sees, and what a stranger, a member without the permission and one of another branch do not."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from apps.kit import ids
from apps.portal.pages import urls
from tests.factories import access
from tests.portal.conftest import HOST

OUTSIDE = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""")


def addresses(story) -> dict[str, str]:
    account = reverse("portal-accounts")
    return {
        "portal-cash-position": reverse("portal-cash-position"),
        "portal-payment": reverse("portal-payment", args=[story.paid]),
        "portal-receipt-pdf": reverse("portal-receipt-pdf", args=[story.receipt]),
        "portal-accounts": account,
        "portal-deliveries": reverse("portal-deliveries"),
        "portal-delivery": reverse("portal-delivery", args=[story.delivery]),
        "portal-inboxes": reverse("portal-inboxes"),
        "portal-inbox": reverse("portal-inbox", args=[story.inbox]),
    }


def ledger_links(client: Client, page: str) -> list[str]:
    html = client.get(page).content.decode()
    return re.findall(r'href="(/portal/ledger/(?:accounts|transactions)/[0-9a-f-]{36}/)"', html)


def test_every_page_says_which_permission_it_needs():
    for pattern in urls.urlpatterns:
        assert isinstance(pattern.callback.permission, str), pattern.name


def test_every_page_opens_for_an_owner(story, enter):
    client = enter("owner")

    for name, address in addresses(story).items():
        response = client.get(address)

        assert response.status_code == 200, name
        assert "no-store" in response.headers["Cache-Control"]


def test_html_pages_have_one_heading_a_landmark_a_way_past_the_menu_and_nothing_from_outside(story, enter):
    client = enter("owner")
    pages = [address for name, address in addresses(story).items() if not name.endswith("pdf")]
    pages += ledger_links(client, reverse("portal-accounts"))[:1]
    pages += [link for link in ledger_links(client, pages[-1]) if "transactions" in link][:1]

    for page in [*pages, reverse("admin:login")]:
        visitor = Client(headers={"host": HOST}) if page == reverse("admin:login") else client
        html = visitor.get(page).content.decode()

        assert html.count("<h1") == 1, page
        assert html.count("<main") == 1, page
        assert OUTSIDE.search(html) is None, page


def test_stranger_is_sent_to_sign_in(story):
    client = Client(headers={"host": HOST})

    for address in addresses(story).values():
        response = client.get(address)

        assert response.status_code == 302
        assert response.headers["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("approver", {"portal-deliveries", "portal-delivery", "portal-inboxes", "portal-inbox"}),
        ("developer", {"portal-accounts", "portal-receipt-pdf"}),
        (
            "compliance",
            {"portal-accounts", "portal-deliveries", "portal-delivery", "portal-inbox", "portal-inboxes"},
        ),
    ],
)
def test_missing_permission_is_refused_with_its_name(story, enter, role, refused):
    client = enter(role)

    for name, address in addresses(story).items():
        response = client.get(address)

        if name in refused:
            assert response.status_code == 403, name
            assert b"It needs the permission" in response.content
        elif name != "portal-cash-position":
            assert response.status_code == 200, name


def test_home_of_a_member_without_the_ledger_is_the_first_page_of_his_menu(story, enter):
    client = enter("support")

    response = client.get(reverse("portal-cash-position"))

    assert response.status_code == 302
    assert response.headers["Location"] != reverse("portal-cash-position")


def test_pages_only_read(story, enter):
    client = enter("owner")

    for address in addresses(story).values():
        assert client.post(address).status_code == 405


def test_unknown_thing_is_not_found_inside_the_frame(story, enter):
    client = enter("owner")
    nothing = ids.new()

    for name in ("portal-payment", "portal-account", "portal-transaction", "portal-delivery", "portal-inbox"):
        response = client.get(reverse(name, args=[nothing]))

        assert response.status_code == 404, name
        assert b'id="nav-sidebar"' in response.content, name


def test_what_belongs_to_another_branch_is_not_found(story, enter):
    client = enter("accountant", branches=(story.other_branch,))

    assert client.get(reverse("portal-payment", args=[story.elsewhere])).status_code == 200
    assert client.get(reverse("portal-payment", args=[story.paid])).status_code == 404
    assert client.get(reverse("portal-receipt-pdf", args=[story.receipt])).status_code == 404


def test_what_belongs_to_another_organisation_is_not_found(story, zuri):
    access.head_office()
    access.portal()
    access.member("owner", "zawadi@example.test")
    client = Client(headers={"host": "zuri.testserver"})
    assert client.login(username="zawadi@example.test", password=access.PASSWORD)

    assert client.get(reverse("portal-cash-position")).status_code == 200
    for name, key in (
        ("portal-payment", story.paid),
        ("portal-receipt-pdf", story.receipt),
        ("portal-delivery", story.delivery),
        ("portal-inbox", story.inbox),
    ):
        assert client.get(reverse(name, args=[key])).status_code == 404, name


def test_branch_sees_its_own_accounts_and_deliveries_only(story, enter):
    client = enter("controller", branches=(story.other_branch,))

    accounts = client.get(reverse("portal-accounts")).content.decode()
    deliveries = client.get(reverse("portal-deliveries")).content.decode()

    assert "M-Pesa paybill CBD" in accounts
    assert "Head office" not in accounts
    assert ids.encode("pi", story.elsewhere) in deliveries
    assert ids.encode("pi", story.paid) not in deliveries
    assert client.get(reverse("portal-delivery", args=[story.delivery])).status_code == 404
    assert client.get(reverse("portal-inbox", args=[story.inbox])).status_code == 404


def test_receipt_comes_with_the_stored_bytes_and_their_checksum(story, enter):
    client = enter("owner")

    response = client.get(reverse("portal-receipt-pdf", args=[story.receipt]))

    assert response.content == b"%PDF-1.7 receipt"
    assert response.headers["Content-Type"] == "application/pdf"
    assert re.fullmatch(r'"[0-9a-f]{64}"', response.headers["ETag"])


def test_a_receipt_that_the_storage_does_not_give_keeps_the_frame(story, enter, storage_away):
    client = enter("owner")
    storage_away.begin()

    response = client.get(reverse("portal-receipt-pdf", args=[story.receipt]))

    assert response.status_code == 503
    assert b"The storage of files does not answer." in response.content


@pytest.mark.parametrize(
    ("name", "most"), [("portal-cash-position", 23), ("portal-payment", 35), ("portal-accounts", 19)]
)
def test_page_asks_the_database_a_bounded_number_of_times(story, enter, name, most):
    client = enter("owner")
    address = addresses(story)[name]
    client.get(address)

    with CaptureQueriesContext(connection) as captured:
        client.get(address)

    asked = [query["sql"] for query in captured if not query["sql"].startswith("SET ")]
    assert len(asked) <= most, asked


def test_lists_never_count(story, enter):
    client = enter("owner")

    for name in ("portal-deliveries", "portal-accounts", "portal-inbox"):
        with CaptureQueriesContext(connection) as captured:
            client.get(addresses(story)[name])

        assert not [query for query in captured if "COUNT(*)" in query["sql"]], name


def test_no_two_pages_share_a_name():
    names = [pattern.name for pattern in urls.urlpatterns]

    assert len(names) == len(set(names))
    assert get_resolver().reverse_dict.getlist("portal-payment")
