"""Asking for manual journals over the API: success, each refusal and each kind of caller."""

import pytest

from apps.access.services import api_keys
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors.authority import OwnRequest
from apps.events.services import relay
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import JOURNAL
from apps.ledger.models import Transaction
from apps.ledger.services import accounts
from tests.factories import access, approvals, ledger
from tests.factories.approvals import LATER, ONE_APPROVER
from tests.ledger.partner import Partner, kes
from tests.ledger.test_adjust_books import prepare
from tests.payments.partner import refused

SCOPES = ("ledger:read", "journals:write", "approvals:read")


@pytest.fixture
def shop(committed_acme):
    with clock.fixed(ledger.NOW):
        yield Partner(scopes=SCOPES)


@pytest.fixture
def book(shop):
    approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    return prepare()


def line(direction, account, amount="350.00", **facts):
    money = kes(amount) if isinstance(amount, str) else amount
    return {"account_id": ids.encode("acc", account.uid), "direction": direction, "amount": money, **facts}


def journal(book, **facts):
    rent, bank = book
    return {
        "voucher": "JV-0012",
        "description": "Rent of November",
        "reason": "Paid by cheque",
        "effective_date": "2026-11-24",
        "lines": [line("debit", rent), line("credit", bank)],
        **facts,
    }


def told():
    """Let the handlers of the decision run, as a worker would."""
    with clock.fixed(LATER):
        while relay.run_due(queue="events", now=LATER):
            pass


def test_asks_for_a_journal_that_is_booked_once_another_person_agrees(shop, book):
    first, again = (shop.post("journals", journal(book, cost_centre="HQ")) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 202), first.json()
    assert first.json() == again.json()
    request = ApprovalRequest.objects.get()
    assert first.json() == {"object": "approval_pending", "approval_id": ids.encode("apr", request.id)}
    assert request.application_id == access.application().id
    assert not Transaction.objects.exists()

    approvals.approve(request, approvals.person())
    told()

    booked = Transaction.objects.get()
    assert (booked.reference, booked.kind, booked.cost_centre) == ("JV-0012", "ADJUSTMENT", "HQ")
    assert booked.created_by.startswith("api_key:")
    assert booked.approved_by.startswith("user:")
    refused(shop.post("journals", journal(book)), 409, "ledger_voucher_used", "/voucher")


def test_who_made_the_key_cannot_agree(shop, book):
    owner = access.member("owner", "amina@example.test")
    secret = api_keys.issue(
        application_id=access.application().id,
        name="Amina's",
        scopes=SCOPES,
        issuer=owner.user,
        actor=approvals.actor(owner.user_id),
        now=ledger.NOW,
    ).secret
    shop.headers = access.bearer(secret)

    answer = shop.post("journals", journal(book))

    assert answer.status_code == 202, answer.content
    with pytest.raises(OwnRequest):
        approvals.approve(ApprovalRequest.objects.get(), approvals.actor(owner.user_id))


def test_another_journal_of_the_voucher_waits(shop, book):
    shop.post("journals", journal(book))

    refused(shop.post("journals", journal(book, reason="Another one")), 409, "approval_pending", "/voucher")
    assert ApprovalRequest.objects.count() == 1


def test_nobody_to_agree_is_said(shop):
    refused(shop.post("journals", journal(prepare())), 409, "ledger_journal_rule_missing", "/voucher")


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"amount": 350}, "invalid", "/lines/0/amount"),
        ({"amount": kes("NaN")}, "amount_invalid", "/lines/0/amount"),
        ({"amount": kes("9" * 40)}, "amount_invalid", "/lines/0/amount"),
        ({"amount": kes("0.00")}, "not_positive", "/lines/0/amount"),
        ({"amount": kes("349.99")}, "ledger_unbalanced", "/lines"),
        ({"amount": {"amount": "350.00", "currency": "USD"}}, "ledger_unbalanced", "/lines"),
        ({"direction": "left"}, "invalid_choice", "/lines/0/direction"),
        ({"account_id": "acc_1"}, "invalid", "/lines/0/account_id"),
        ({"colour": "red"}, "unknown_field", "/lines/0/colour"),
    ],
)
def test_refuses_a_line_by_naming_the_field(shop, book, changes, code, pointer):
    body = journal(book)
    body["lines"][0] |= changes

    refused(shop.post("journals", body), 422, code, pointer)

    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"voucher": ""}, "blank", "/voucher"),
        ({"voucher": "x" * 41}, "max_length", "/voucher"),
        ({"reason": "why"}, "ledger_journal_invalid", "/reason"),
        ({"description": "two\nlines"}, "ledger_journal_invalid", "/description"),
        ({"effective_date": None}, "null", "/effective_date"),
        ({"effective_date": "infinity"}, "invalid", "/effective_date"),
        ({"dimensions": {str(n): "x" for n in range(21)}}, "too_many", "/dimensions"),
        ({"dimensions": {"a": "x" * 101}}, "max_length", "/dimensions/a"),
        ({"dimensions": {"x" * 41: "a"}}, "name", "/dimensions"),
        ({"dimensions": {"a": {"b": {"c": "d"}}}}, "invalid", "/dimensions/a"),
        ({"lines": []}, "min_length", "/lines"),
        ({"colour": "red"}, "unknown_field", "/colour"),
    ],
)
def test_refuses_a_journal_by_naming_the_field(shop, book, changes, code, pointer):
    refused(shop.post("journals", journal(book, **changes)), 422, code, pointer)

    assert not ApprovalRequest.objects.exists()


def test_accounts_that_take_no_journal_are_named(shop, book):
    rent, _bank = book
    accounts.freeze(ref=rent.ref, reason="Asked by compliance", actor=SYSTEM, now=ledger.NOW)
    refused(shop.post("journals", journal(book)), 409, "ledger_account_frozen", "/lines/0/account_id")
    bound = Partner(scopes=SCOPES, branch=access.branch())
    refused(bound.post("journals", journal(book)), 404, "ledger_account_unknown", "/lines/0/account_id")
    assert not ApprovalRequest.objects.exists()


def test_each_kind_of_caller_at_the_journals(shop, book):
    refused(Partner(scopes=("ledger:write",)).post("journals", journal(book)), 403, "insufficient_scope")
    refused(Partner(slug="zuri").post("journals", journal(book)), 401, "unauthenticated")
    assert not ApprovalRequest.objects.exists()
