"""Connected accounts and transfers in the portal: lists, pages with what was booked, and the dialogs that pay and take back."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditRecord
from apps.disbursements.contracts import CONNECTED_ACCOUNT_VERDICT, TRANSFER_VERDICT
from apps.disbursements.models import ConnectedAccount, Transfer, TransferReversal
from apps.disbursements.services import account_queries, account_verdicts
from apps.events.models import OutboxEvent
from apps.integrations.ports import ConnectStatus, Ticket
from apps.kit import clock, ids
from tests import dialogs
from tests.disbursements.test_reversals_of_another_sum import USD_15, being_taken_back, say
from tests.factories import approvals
from tests.factories import transfers as made
from tests.payments import cards
from tests.portal.test_refund_pages import Inside

TRANSFERS, ACCOUNTS = "admin:disbursements_transfer", "admin:disbursements_connectedaccount"


@pytest.fixture
def officer(acme, enter):
    return Inside(enter("treasury_officer"), acme)


def shown(browser, name: str, *args) -> str:
    answer = browser.get(reverse(name, args=args))
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def dialog(name: str, row, deed: str) -> str:
    return f"{reverse(f'{name}_changelist')}{row.id}/do/{deed}/"


def test_has_an_account_opened_for_a_party_once_and_says_at_which_field_it_will_not(officer):
    cards.account()
    made.merchant()
    url = f"{reverse(f'{ACCOUNTS}_changelist')}do/connect/"
    said = {"party_id": "mama njeri supplies", "provider": "stripe", "currency": "USD", "country": "ke"}
    said |= {"email": "", "return_url": "https://shop.example.test/connected"}
    assert "Connect a party…" in shown(officer, f"{ACCOUNTS}_changelist")
    assert '<option value="USD" selected>' in dialogs.open_at(officer, url).content.decode()

    def refused(**other):
        return wrong(dialogs.send(officer, url, **said | other))

    assert refused(party_id="Nobody") == {"party_id": ["No party that you see is called so."]}
    assert refused(currency="KES") == {"currency": ["No account of this branch pays by Stripe in KES."]}
    assert refused(country="Kenya") == {"country": ["Write two letters, as KE."]}
    assert not ConnectedAccount.objects.exists()

    answer = dialogs.send(officer, url, **said)

    account = ConnectedAccount.objects.get()
    assert (account.status, account.country, account.return_url, account.refresh_url) == (
        "REQUESTED", "KE", said["return_url"], said["return_url"],
    )  # fmt: skip
    assert answer["HX-Redirect"] == reverse(f"{ACCOUNTS}_change", args=[account.id])
    [record] = AuditRecord.objects.filter(action="connected_account.requested")
    assert record.object_id == ids.encode("ca", account.id)
    assert refused() == {"party_id": ["This party has an account at Stripe already."]}


def wrong(answer) -> dict:
    """Return what a dialog says at each field."""
    return dict(answer.context["form"].errors)


def test_shows_how_an_account_stands_and_pays_what_is_owed_once(officer):
    account = made.enabled()
    assert "Mama Njeri Supplies" in shown(officer, f"{ACCOUNTS}_changelist")
    page = shown(officer, f"{ACCOUNTS}_change", account.id)
    assert account.ticket in page
    assert "100.00" in page
    url = dialog(ACCOUNTS, account, "transfer")
    assert (
        "is owed; no more"
        in dialogs.send(officer, url, amount="100.01", reference="week-47").content.decode()
    )

    answer = dialogs.send(officer, url, amount="40.00", reference="week-47")

    assert answer.status_code < 400
    [transfer] = Transfer.objects.all()
    assert (transfer.money, transfer.reference, transfer.status) == (made.USD_40, "week-47", "REQUESTED")
    assert "week-47" in shown(officer, f"{ACCOUNTS}_change", account.id)


def test_pays_the_same_again_only_where_a_person_forces_it(officer):
    account = made.enabled()
    url = dialog(ACCOUNTS, account, "transfer")
    said = {"amount": "40.00", "reference": "week-47"}
    dialogs.send(officer, url, **said)

    assert list(wrong(dialogs.send(officer, url, **said))) == ["force"]
    assert Transfer.objects.count() == 1
    dialogs.send(officer, url, **said, force="on")

    assert Transfer.objects.count() == 2


def test_says_that_other_people_decide_first(officer):
    approvals.rule(kind="transfer", currency="USD", minimum_minor=10_00)
    account = made.enabled()
    url = dialog(ACCOUNTS, account, "transfer")

    assert "Other people decide first" in dialogs.open_at(officer, url).content.decode()
    dialogs.send(officer, url, amount="", reference="week-47")

    assert Transfer.objects.get().status == "AWAITING_APPROVAL"


def test_shows_what_was_booked_of_a_transfer_and_takes_a_part_back(officer):
    transfer = made.made()
    assert "week-47" in shown(officer, f"{TRANSFERS}_changelist")
    page = shown(officer, f"{TRANSFERS}_change", transfer.id)
    assert "Payouts in transit" in page
    assert "Nothing was taken back." in page
    url = dialog(TRANSFERS, transfer, "reverse")
    assert "can be taken back" in dialogs.send(officer, url, amount="41", reason="Too much.").content.decode()

    dialogs.send(officer, url, amount="15.00", reason="Too much.")

    assert TransferReversal.objects.get().money.text == "15.00"
    page = shown(officer, f"{TRANSFERS}_change", transfer.id)
    assert "Too much." in page
    assert "We do not know yet" not in page


def test_shows_what_came_back_beside_what_was_asked_for_where_they_differ(officer):
    transfer = made.made()
    part = being_taken_back(transfer)
    assert "was asked for" not in shown(officer, f"{TRANSFERS}_change", transfer.id)

    say(part, USD_15)

    page = shown(officer, f"{TRANSFERS}_change", transfer.id)
    assert "Came back" in page
    assert "25.00 was asked for" in re.sub(r"<[^>]+>", "", page)
    assert "15.00" in page


def test_a_person_says_what_moved_and_is_told_at_which_field_it_will_not(officer):
    approvals.rule(kind=TRANSFER_VERDICT.name, currency="", minimum_minor=None)
    transfer = made.contradicted()
    url = dialog(TRANSFERS, transfer, "close")
    said = {"verdict": "MADE", "amount": "30.00", "ticket": "tr_on_its_pages", "reason": "Its pages"}
    said |= {"typed_money": "40.00"}
    page = shown(officer, f"{TRANSFERS}_change", transfer.id)
    assert "Close…" in page
    assert "Stripe told of another sum, and is asked no more. Ask there why, then close it here." in page

    def refused(**other):
        return wrong(dialogs.send(officer, url, **said | other))

    assert set(refused(amount="", ticket="")) == {"amount", "ticket"}
    assert set(refused(verdict="NOT_MADE")) == {"amount", "ticket"}
    assert refused(amount="thirty") == {"amount": ["Write the amount as 1,250.00."]}
    assert refused(amount="0") == {"amount": ["Write the sum that was moved."]}
    assert dialogs.send(officer, url, **said).status_code < 400

    page = shown(officer, f"{TRANSFERS}_change", transfer.id)
    assert "30.00" in page
    assert "tr_on_its_pages Its pages Other people are asked." in page
    assert "other people decide whether that counts. Do not pay it again by hand." in page
    assert Transfer.objects.get().status == "UNKNOWN"


def test_an_account_of_which_nobody_knows_is_closed_by_two_people_and_its_page_says_so(officer):
    approvals.rule(kind=CONNECTED_ACCOUNT_VERDICT.name, currency="", minimum_minor=None)
    account = made.unknown(at=clock.now() - timedelta(days=3))
    url = dialog(ACCOUNTS, account, "close")
    page = shown(officer, f"{ACCOUNTS}_change", account.id)
    assert "Close as not opened…" in page
    assert "Closed by people" not in page
    assert account.code in dialogs.open_at(officer, url).content.decode()
    assert list(wrong(dialogs.send(officer, url, reason=" "))) == ["reason"]

    assert dialogs.send(officer, url, reason="Its pages of three days").status_code < 400

    page = shown(officer, f"{ACCOUNTS}_change", account.id)
    assert "Its pages of three days Other people are asked." in page
    assert "Other people have been asked already." in dialogs.open_at(officer, url).content.decode()
    request = ApprovalRequest.objects.get()
    approvals.approve(request, approvals.person("grace"), now=clock.now())
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id)
    account_verdicts.decide(decided=Decided.read(event.data), now=clock.now())
    page = shown(officer, f"{ACCOUNTS}_change", account.id)
    assert "Not opened" in page
    assert "Close as not opened…" not in page
    assert "Close it there" not in page

    account_queries.accept(account_id=account.id, ticket=Ticket("acct_after_all"), now=clock.now())

    page = shown(officer, f"{ACCOUNTS}_change", account.id)
    assert "Stripe has it as acct_after_all. Close it there: nobody is paid by it." in page


def test_what_the_provider_may_still_tell_is_closed_by_nobody(officer):
    account = made.unknown(at=clock.now() - timedelta(days=1))

    answer = dialogs.open_at(officer, dialog(ACCOUNTS, account, "close"))

    assert "The provider may still tell." in answer.content.decode()


def test_who_connects_nobody_closes_none(acme, enter):
    account = made.unknown(at=clock.now() - timedelta(days=3))
    approver = Inside(enter("approver"), acme)

    assert "Close as not opened…" not in shown(approver, f"{ACCOUNTS}_change", account.id)
    assert approver.get(dialog(ACCOUNTS, account, "close")).status_code == 403


def test_who_may_not_pay_sees_no_button_and_a_reader_of_no_ledger_no_booking(acme, enter):
    transfer = made.made()
    approver = Inside(enter("approver"), acme)

    page = shown(approver, f"{ACCOUNTS}_change", transfer.connected_account_id)
    assert "Transfer…" not in page
    assert "Take back…" not in shown(approver, f"{TRANSFERS}_change", transfer.id)
    assert approver.get(dialog(TRANSFERS, transfer, "reverse")).status_code == 403
    assert approver.get(f"{reverse(f'{ACCOUNTS}_changelist')}do/connect/").status_code == 403


def test_says_so_where_the_provider_makes_no_link(officer):
    account = made.opened()
    asks = ("individual.dob.day", "individual.dob.year", "external_account", "company.some_thing")
    made.stands(account, ConnectStatus.PENDING, needs=asks)
    url = dialog(ACCOUNTS, account, "send")

    opened = dialogs.open_at(officer, url).content.decode()
    assert "Make a link" in opened
    assert "Date of birth, Account to be paid out to, company some thing" in opened
    answer = dialogs.send(officer, url)

    assert "The provider did not answer" in answer.content.decode()
