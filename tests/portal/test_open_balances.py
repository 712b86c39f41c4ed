"""Open balances on their page: shown before anybody is asked, asked for as shown, booked once when a second person agrees."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.access.admin_sites import step_up
from apps.approvals.models import ApprovalRequest
from apps.kit import clock
from apps.ledger.contracts import JOURNAL, AccountRole
from apps.ledger.models import Transaction
from apps.ledger.services import accounts, adjustments
from apps.portal.pages import file_forms
from tests import dialogs
from tests.factories import access, approvals, ledger
from tests.factories.approvals import ONE_APPROVER
from tests.ledger.test_adjust_books import prepare, told

PAGE = "/portal/ledger/journals/opening-balances/"
HEADS = "account,currency,debit,credit"
GOOD = f"{HEADS}\n1110,KES,250000.00,\n3910,KES,,250000\n"


@pytest.fixture(autouse=True)
def book(acme):
    _rent, bank = prepare()
    approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    accounts.ensure(ref=ledger.ref(AccountRole.OPENING_BALANCES, bank.branch_id), now=ledger.NOW)
    with clock.fixed(ledger.NOW):
        yield


@pytest.fixture
def send(in_organisation):
    def sent(client, text: str | None = GOOD, **fields):
        files = {} if text is None else {"balances": SimpleUploadedFile("balances.csv", text.encode())}
        said = {"voucher": "OB-2026", "effective_date": "2026-11-24", "reason": "From the old books"}
        answer = client.post(PAGE, {**said, "do": "preview", **fields, **files})
        in_organisation("acme")
        return answer

    return sent


def hidden(answer) -> dict[str, str]:
    """Return what the preview sends back: the file and the hash of what was shown."""
    html = answer.content.decode()
    return dict(re.findall(r'<input type="hidden" name="(shown|content)" value="([^"]*)">', html))


def test_is_shown_asked_for_once_and_booked_when_a_second_person_has_agreed(enter, send, in_organisation):
    maker, checker = enter("accountant"), enter("approver", email="brian@example.test")

    preview = send(maker)
    html = preview.content.decode()
    assert ("Balanced, KES" in html, "Ask for KES 250,000.00 to be booked" in html) == (True, True)
    assert not ApprovalRequest.objects.exists()

    asked = [send(maker, None, **hidden(preview), do="send") for _ in range(2)]
    journal = reverse("portal-journal", args=[adjustments.subject_of("OB-2026")])
    assert {(answer.status_code, answer.url) for answer in asked} == {(302, journal)}
    waiting = ApprovalRequest.objects.get()
    assert not Transaction.objects.exists()

    approve = reverse("admin:approvals_approvalrequest_approve", args=[waiting.id])
    assert dialogs.send(checker, approve).status_code == 204
    in_organisation("acme")
    told()

    booked = Transaction.objects.get()
    assert (booked.kind, booked.reference, booked.entry_count) == ("OPENING", "OB-2026", 2)
    again = send(maker)
    assert again.status_code == 409
    assert "Voucher OB-2026 is booked already." in again.content.decode()


def test_an_old_proof_is_asked_for_again_and_asks_nobody_meanwhile(enter, send):
    maker = enter("accountant")
    shown = hidden(send(maker))
    session = maker.session
    session[step_up.PROVED_AT] = (ledger.NOW - timedelta(minutes=6)).timestamp()
    session.save()

    answer = send(maker, None, **shown, do="send")

    assert answer.status_code == 422
    assert 'name="proof"' in answer.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_another_file_than_was_shown_is_shown_first(enter, send):
    maker = enter("accountant")
    shown = hidden(send(maker))["shown"]

    answer = send(maker, GOOD.replace("250000", "260000"), shown=shown, do="send")

    assert "It has changed since the preview." in answer.content.decode()
    assert "260,000.00" in answer.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_what_cannot_be_booked_is_told_beside_its_field_and_asks_nobody(enter, send):
    maker = enter("accountant")
    for field, sentence, answer in (
        ("balances", "Row 3, account: there is no account 7777.", send(maker, GOOD.replace("3910", "7777"))),
        ("balances", "Debits in KES are", send(maker, GOOD.replace(",250000\n", ",249999.50\n"))),
        ("balances", "The first row names these columns", send(maker, "nonsense")),
        ("balances", "Choose a file of 700 kB at most.", send(maker, None)),
        ("balances", "Choose a file of 700 kB", send(maker, "x" * (file_forms.BYTES_MAX + 1))),
        ("voucher", "This field is required.", send(maker, voucher="")),
        ("voucher", "without blanks around", send(maker, voucher="OB\x7f2026")),
        ("effective_date", "The date lies from", send(maker, effective_date="2126-11-24")),
        ("reason", "Ensure this value has at least", send(maker, reason="so")),
    ):
        wrong = re.search(rf'id="wrong_{field}">([^<]*)', answer.content.decode())
        assert answer.status_code == 422, sentence
        assert sentence in wrong[1]
    assert not ApprovalRequest.objects.exists()


def test_accounts_of_other_branches_are_not_there(enter, send):
    answer = send(enter("accountant", branches=(access.branch("MSA", "Mombasa"),)))

    assert answer.status_code == 422
    assert "there is no account 1110." in answer.content.decode()


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("accountant", 200), ("auditor", 403)])
def test_who_may_ask(enter, send, in_organisation, role, status):
    client = enter(role)

    assert (client.get(PAGE).status_code, send(client).status_code) == (status, status)
    journals = client.get(reverse("portal-journals")).content.decode()
    assert (PAGE in journals) is (status == 200)


def test_the_number_of_a_card_is_refused_beside_its_field(enter, send):
    answer = send(enter("accountant"), voucher="4242 4242 4242 4242")

    assert answer.status_code == 422
    assert "This holds the number of a card." in answer.content.decode()
    assert not ApprovalRequest.objects.exists()
