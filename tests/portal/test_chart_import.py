"""Import a chart on its page: shown before it is done, done as it was shown, and refused by row and column."""

import re
from base64 import b64encode
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from apps.audit.models import AuditRecord
from apps.kit import clock
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import AccountType
from apps.ledger.models import ChartLine
from apps.ledger.services import charts
from apps.portal.pages import file_forms
from apps.tenancy.selectors import organisations
from tests.factories import access, ledger

PAGE = "/portal/ledger/chart/import/"
HEADS = "code,name,type,parent,role,heading"
FILE = f"{HEADS}\n6155,Parking,expense,61,,no\n6110,Rent of offices,expense,61,,no\n"


@pytest.fixture(autouse=True)
def chart(acme):
    access.head_office()
    charts.install(actor=SYSTEM, now=ledger.NOW)
    with clock.fixed(ledger.NOW):
        yield


def again() -> None:
    """Come back to the organisation that a request has left."""
    connection.set_tenant(organisations.everything().get(slug="acme"))


def sent(client, text: str | bytes | None = FILE, **fields):
    content = text.encode() if isinstance(text, str) else text
    files = {} if content is None else {"chart": SimpleUploadedFile("chart.csv", content)}
    response = client.post(PAGE, {"reason": "Chart of 2027", "do": "preview", **fields, **files})
    again()
    return response


def hidden(response) -> dict[str, str]:
    """Return what the preview sends back: the file and the hash of what was shown."""
    html = response.content.decode()
    return dict(re.findall(r'<input type="hidden" name="(shown|content)" value="([^"]*)">', html))


def lines() -> dict[str, str]:
    return dict(ChartLine.objects.filter(code__in=["6155", "6110"]).values_list("code", "name"))


def test_shows_what_changes_and_then_does_it(enter):
    client = enter("controller")
    before = lines()

    preview = sent(client)
    html = preview.content.decode()
    assert preview.status_code == 200
    assert "Make 2 changes" in html
    assert ("Parking" in html, "Rent of offices" in html, before["6110"] in html) == (True, True, True)
    assert lines() == before

    done = sent(client, None, **hidden(preview), do="send")
    assert (done.status_code, done.headers["Location"]) == (302, reverse("portal-accounts"))
    assert lines() == {"6155": "Parking", "6110": "Rent of offices"}
    record = AuditRecord.objects.get(action="chart.imported")
    assert record.reason == "Chart of 2027"


def test_sent_twice_it_changes_nothing_more(enter):
    client = enter("controller")
    shown = hidden(sent(client))
    sent(client, None, **shown, do="send")

    twice = sent(client, None, **shown, do="send")

    assert b"Nothing was done: look at it again." in twice.content
    assert b"The file changes nothing." in twice.content
    assert AuditRecord.objects.filter(action="chart.imported").count() == 1


def test_what_changed_since_the_preview_is_shown_again(enter):
    client = enter("controller")
    shown = hidden(sent(client))
    charts.add(code="6155", name="Lot", type=AccountType.EXPENSE, parent="61", actor=SYSTEM, now=ledger.NOW)

    response = sent(client, None, **shown, do="send")

    assert b"Nothing was done: look at it again." in response.content
    assert lines()["6155"] == "Lot"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{HEADS}\n6155,Parking,costs,61,,no\n", "Row 2, type"),
        (f"{HEADS}\n6155,=1+1,expense,61,,no\n", "Row 2, name: a formula is not taken over"),
        ("nonsense", "The first row names these columns"),
        (b"\xff\xfe\x00", "The file is not UTF-8."),
        (None, "Choose a file of 700 kB at most."),
        ("x" * (file_forms.BYTES_MAX + 1), "Choose a file of 700 kB at most."),
        (f"{HEADS}\n" + "".join(f"9{n},Line,costs,,,no\n" for n in range(30)), "And 10 more."),
    ],
)
def test_a_bad_file_changes_nothing_and_says_where(enter, text, sentence):
    response = sent(enter("controller"), text)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert "6155" not in lines()


def test_the_largest_file_that_is_shown_can_also_be_sent(enter):
    client = enter("controller")
    first = f"{HEADS}\n6110,Rent of offices,expense,61,,no\n"
    large = first.ljust(file_forms.BYTES_MAX, "\n")
    assert len(large) == file_forms.BYTES_MAX

    done = sent(client, None, **hidden(sent(client, large)), do="send")

    assert done.status_code == 302
    assert lines()["6110"] == "Rent of offices"


def test_a_line_of_another_kind_than_was_shown_is_shown_again(enter):
    client = enter("controller")
    preview = sent(client, f"{HEADS}\n6155,Parking,expense,61,,no\n")
    assert "Parking (expense, below 61)" in preview.content.decode()
    other = b64encode(f"{HEADS}\n6155,Parking,asset,1,,yes\n".encode()).decode()

    response = sent(client, None, shown=hidden(preview)["shown"], content=other, do="send")

    assert b"Nothing was done: look at it again." in response.content
    assert "Parking (asset, below 1, heading)" in response.content.decode()
    assert "6155" not in lines()


def test_a_reason_is_needed_and_the_file_is_kept_meanwhile(enter):
    client = enter("controller")

    response = sent(client, reason="")

    assert response.status_code == 422
    assert 'id="wrong_reason">This field is required.' in response.content.decode()
    assert b"Make 2 changes" in sent(client, None, content=hidden(response)["content"]).content


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 200), ("controller", 200), ("accountant", 403), ("approver", 403), ("developer", 403)],
)
def test_who_may_change_the_chart(enter, role, status):
    client = enter(role)

    assert sent(client).status_code == status
    assert client.get(PAGE).status_code == status
    again()
    assert (b"Import</a>" in client.get(reverse("portal-accounts")).content) is (status == 200)
    assert client.get(reverse("portal-chart-file", args=["csv"])).status_code == status


def test_a_member_of_some_branches_does_not_change_the_chart_of_all(enter):
    response = sent(enter("controller", branches=(access.branch("MSA", "Mombasa"),)))

    assert response.status_code == 403
    assert b"This is about the books of all branches." in response.content


def test_the_chart_is_given_out_to_be_changed_and_read_again(enter):
    client = enter("owner")

    as_csv = client.get(reverse("portal-chart-file", args=["csv"]))
    as_xlsx = client.get(reverse("portal-chart-file", args=["xlsx"]))
    again()

    assert as_csv.headers["Content-Disposition"] == 'attachment; filename="chart-2026-11-24.csv"'
    rows = [list(row) for row in load_workbook(BytesIO(as_xlsx.content)).active.values]
    assert len(rows) == ChartLine.objects.count() + 1
    assert b"The file changes nothing." in sent(client, as_csv.content).content
    assert client.get(reverse("portal-chart-file", args=["exe"])).status_code == 404


def test_a_form_of_another_site_is_refused(enter):
    guarded = Client(headers={"host": "acme.testserver"}, enforce_csrf_checks=True)
    access.member("owner", "amina@example.test")
    guarded.login(username="amina@example.test", password=access.PASSWORD)

    assert sent(guarded).status_code == 403
    assert "6155" not in lines()


def test_the_number_of_a_card_is_no_reason(enter):
    client = enter("controller")

    answer = sent(client, reason="Card 4242 4242 4242 4242")

    assert answer.status_code == 422
    assert "This holds the number of a card." in answer.content.decode()
