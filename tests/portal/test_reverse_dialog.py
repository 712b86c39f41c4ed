"""The dialog that asks to reverse a transaction: who may, what it says before, and what a second person makes of it."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse as url

from apps.approvals.models import ApprovalRequest
from apps.events.services import relay
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import REVERSAL, TransactionKind
from apps.ledger.models import Transaction
from apps.ledger.selectors import transactions
from apps.ledger.services import accounts, reversals
from tests import dialogs
from tests.factories import access, approvals, ledger
from tests.factories import periods as make
from tests.factories.approvals import ONE_APPROVER
from tests.factories.ledger import NOW
from tests.portal.conftest import HOST

REASON = "Booked to the wrong branch"
DAY = "2026-11-24"
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def booked(story):
    access.portal()
    approvals.rule(kind=REVERSAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    (found,) = transactions.of_source("payment_intent", story.paid)
    return found


@pytest.fixture
def visit(enter, in_organisation):
    """Return a function that signs a member in; after each request of his the test is in the organisation again."""

    class Inside:
        def __init__(self, browser: Client):
            self.browser = browser

        def get(self, *request, **facts):
            return self._entered(self.browser.get(*request, **facts))

        def post(self, *request, **facts):
            return self._entered(self.browser.post(*request, **facts))

        def _entered(self, answer):
            in_organisation("acme")
            return answer

    def signed_in(role: str = "accountant", **facts):
        with clock.fixed(NOW):
            return Inside(enter(role, **facts))

    return signed_in


def dialog(booked) -> str:
    return url("portal-reverse", args=[booked.uid])


def page(browser, booked) -> str:
    return browser.get(url("portal-transaction", args=[booked.uid])).content.decode()


def send(browser, booked, **fields):
    with clock.fixed(NOW):
        return dialogs.send(browser, dialog(booked), **{"reason": REASON, "effective_date": DAY, **fields})


def told() -> None:
    with clock.fixed(LATER):
        while relay.run_due(queue="events", now=LATER):
            pass


def agree(browser):
    """Approve the request that waits, by the dialog of the approvals."""
    waiting = ApprovalRequest.objects.get(status="PENDING")
    address = url("admin:approvals_approvalrequest_approve", args=[waiting.id])
    with clock.fixed(LATER):
        return dialogs.send(browser, address)


def test_says_before_what_will_be_booked(booked, visit):
    browser = visit()

    assert "Reverse…" in page(browser, booked)
    opened = dialogs.open_at(browser, dialog(booked)).content.decode()

    assert f"Reverse {booked.number}" in opened
    for leg in booked.legs:
        side = f"credit {leg.debit}" if leg.debit else f"debit {leg.credit}"
        assert side.replace(" ", "\N{NO-BREAK SPACE}") in opened or side in opened
        assert f"{leg.account_code} {leg.account_name}" in opened
    assert "Another person decides first" in opened
    assert not ApprovalRequest.objects.exists()


def test_is_booked_once_when_a_second_person_has_agreed(booked, visit):
    maker, checker = visit(), visit("approver", email="brian@example.test")

    assert send(maker, booked).status_code == 204
    assert Transaction.objects.filter(kind=TransactionKind.REVERSAL).count() == 0
    assert "asked for and is not booked yet" in page(maker, booked)
    request = ApprovalRequest.objects.get()
    assert "What will be booked" in checker.get(url("portal-approval", args=[request.id])).content.decode()
    assert agree(checker).status_code == 204
    told()

    turned = Transaction.objects.get(kind=TransactionKind.REVERSAL)
    assert (turned.reverses.uid, turned.reason, turned.effective_date) == (
        booked.uid,
        REASON,
        date(2026, 11, 24),
    )
    shown = page(maker, booked)
    assert f"Reversed by {turned.number}" in shown
    assert "Reverse…" not in shown


def test_who_asked_does_not_agree(booked, visit):
    owner = visit("owner", email="both@example.test")
    send(owner, booked)

    assert agree(owner).status_code == 403
    told()

    assert not Transaction.objects.filter(kind=TransactionKind.REVERSAL).exists()


def test_sent_twice_it_waits_once(booked, visit):
    browser = visit()
    form = {
        **dialogs.hidden(dialogs.open_at(browser, dialog(booked))),
        "reason": REASON,
        "effective_date": DAY,
    }

    answers = [
        browser.post(dialog(booked), form, headers={"hx-request": "true"}).status_code for _ in range(2)
    ]

    assert answers == [204, 204]
    assert ApprovalRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"reason": "no"}, "reason", "5 characters"),
        ({"reason": ""}, "reason", "required"),
        ({"effective_date": ""}, "effective_date", "required"),
        ({"effective_date": "2026-11-23"}, "effective_date", "2026-11-24 or later"),
        ({"effective_date": "tomorrow"}, "effective_date", "valid date"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_asks_nobody(booked, visit, fields, field, words):
    browser = visit()

    answer = send(browser, booked, **fields)

    assert answer.status_code == 422
    wrong = answer.content.decode().partition(f'id="wrong_{field}">')[2].partition("</span>")[0]
    assert words in wrong
    assert not ApprovalRequest.objects.exists()


def test_a_closed_day_is_refused_beside_the_date(booked, visit):
    make.months()
    make.close_through(11)

    answer = send(visit(), booked)

    wrong = answer.content.decode().partition('id="wrong_effective_date">')[2].partition("</span>")[0]
    assert "closed through 2026-11-30" in wrong
    assert not ApprovalRequest.objects.exists()


def test_what_was_reversed_or_is_none_of_the_kind_is_said_in_words(booked, visit):
    turned = reversals.reverse(
        transaction_id=booked.uid,
        reason="Twice",
        actor=SYSTEM,
        now=NOW,
        effective_date=booked.effective_date,
    )
    browser = visit()

    again = dialogs.open_at(browser, dialog(booked))
    of_reversal = dialogs.open_at(browser, url("portal-reverse", args=[turned.id]))

    assert again.status_code == 409
    assert f"was reversed by LT-{turned.number:07d}" in again.content.decode()
    assert of_reversal.status_code == 422
    assert "A reversal is not reversed" in of_reversal.content.decode()


def test_without_a_rule_it_says_so(story, visit):
    access.portal()
    (found,) = transactions.of_source("payment_intent", story.paid)

    answer = send(visit(), found)

    assert answer.status_code == 409
    assert "Make an approval rule for reversals first" in answer.content.decode()


def test_what_the_ledger_refuses_after_the_agreement_is_said_on_the_page(booked, visit):
    maker, checker = visit(), visit("approver", email="brian@example.test")
    send(maker, booked)
    refs = {leg.account_uid: leg for leg in booked.legs}
    account = accounts.Account.objects.filter(uid__in=refs).order_by("id").first()
    accounts.freeze(ref=account.ref, reason="Bank asked", actor=SYSTEM, now=NOW)

    agree(checker)
    told()

    shown = page(maker, booked)
    assert "agreed to and could not be booked" in shown
    assert "is frozen and takes no postings" in shown
    assert not Transaction.objects.filter(kind=TransactionKind.REVERSAL).exists()


@pytest.mark.parametrize("role", ["treasury_officer", "approver", "auditor"])
def test_who_may_not_is_not_offered_it_and_refused(booked, visit, role):
    browser = visit(role)

    assert "Reverse…" not in page(browser, booked)
    assert dialogs.open_at(browser, dialog(booked)).status_code == 403
    assert send(browser, booked).status_code == 403
    assert not ApprovalRequest.objects.exists()


def test_somebody_of_one_branch_reverses_what_touches_no_other(booked, story, visit):
    elsewhere = ledger.ref(booked.legs[0].role, story.other_branch.id)
    here = next(account.ref for account in accounts.Account.objects.filter(uid=booked.legs[0].account_uid))
    both = ledger.post(ledger.transfer(here, elsewhere, 5))
    office = visit("accountant", email="office@example.test", branches=(story.head_office,))
    other = visit("accountant", email="cbd@example.test", branches=(story.other_branch,))

    shown = office.get(url("portal-transaction", args=[both.id])).content.decode()
    refused = dialogs.open_at(office, url("portal-reverse", args=[both.id]))

    assert "Reverse…" not in shown
    assert (refused.status_code, "do not work for" in refused.content.decode()) == (403, True)
    assert dialogs.open_at(other, dialog(booked)).status_code == 404
    assert not ApprovalRequest.objects.exists()
    assert send(office, booked).status_code == 204


def test_a_stranger_and_another_organisation_open_nothing(booked):
    assert Client(headers={"host": HOST}).get(dialog(booked)).status_code == 302
    assert Client(headers={"host": "zuri.testserver"}).get(dialog(booked)).status_code in (302, 404)
    assert not dialogs.hidden(
        Client(headers={"host": HOST}).get(url("portal-reverse", args=[ids.new()]), follow=True)
    )
