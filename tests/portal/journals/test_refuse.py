"""What is wrong with a journal is said in the form, and what is not theirs is not shown to people."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse as url

from apps.approvals.models import ApprovalRequest
from apps.documents.models import Artifact
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import AccountRole
from apps.ledger.services import accounts, adjustments, papers
from tests.factories import access, ledger
from tests.factories import periods as make
from tests.factories.ledger import NOW
from tests.portal.conftest import HOST
from tests.portal.journals.steps import NEW, SCAN, journal_url, line, send, typed, wrong


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"voucher": ""}, "voucher", "required"),
        ({"voucher": "x" * 41}, "voucher", "at most 40 characters"),
        ({"description": ""}, "description", "required"),
        ({"reason": "no"}, "reason", "5 characters or more"),
        ({"effective_date": "tomorrow"}, "effective_date", "valid date"),
        ({"dimensions": "Westlands"}, "dimensions", "project: Westlands"),
        ({"dimensions": "a: 1\na: 2"}, "dimensions", "named twice"),
        ({"voucher": "4242 4242 4242 4242"}, "voucher", "the number of a card"),
        ({"lines__0__account": "9999"}, "lines-0-account", "There is no account “9999”"),
        ({"lines__1__account": ""}, "lines-1-account", "required"),
        ({"lines__0__debit": "35,000.001"}, "lines-0-debit", "KES has 2 decimals at most"),
        ({"lines__0__debit": "0.00"}, "lines-0-debit", "more than zero"),
        ({"lines__0__debit": "-35,000.00"}, "lines-0-debit", "without a minus"),
        ({"lines__0__debit": "35.000,00"}, "lines-0-debit", "as 1,250.00"),
        ({"lines__0__debit": "1,25"}, "lines-0-debit", "as 1,250.00"),
        ({"lines__0__debit": "9" * 39}, "lines-0-debit", "larger than any amount"),
        ({"lines__0__debit": ""}, "lines-0-debit", "Write a debit or a credit."),
        ({"lines__0__credit": "1"}, "lines-0-credit", "not both"),
        ({"lines__0__currency": "USD"}, "lines-0-currency", "is kept in KES"),
    ],
)  # fmt: skip
def test_a_refusal_stands_beside_its_field_and_what_was_typed_stays(books, visit, changes, field, words):
    form = typed(books, **changes)

    answer = send(visit(), form)

    assert answer.status_code == 422
    assert words in wrong(answer, field)
    html = answer.content.decode()
    assert f'href="#id_{field}"' in html
    for name, value in form.items():
        if value and name not in ("dimensions", "lines-TOTAL_FORMS", "lines-INITIAL_FORMS"):
            assert f'name="{name}" value="{value}"' in html, name
    assert not ApprovalRequest.objects.exists()


def test_what_does_not_balance_is_said_for_the_lines_together(books, visit):
    browser = visit()

    short = send(browser, typed(books, lines__1__credit="34,950.00"))
    mixed = send(browser, {**typed(books), **line(1, books["dollars"].code, credit="35,000.00")})
    empty = send(browser, {**typed(books), **line(0), **line(1)})

    assert "Debits are KES 50.00 more than credits." in short.content.decode().replace("\xa0", " ")
    assert (short.status_code, mixed.status_code, empty.status_code) == (422, 422, 422)
    assert "35,000.00 more than" in mixed.content.decode()
    assert "at least two lines" in empty.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_a_closed_period_a_frozen_account_and_a_missing_rule_are_refused_in_words(books, visit):
    browser = visit()
    accounts.freeze(ref=books["bank"].ref, reason="Bank asked", actor=SYSTEM, now=NOW)
    frozen = send(browser, typed(books))
    accounts.unfreeze(ref=books["bank"].ref, reason="Bank agreed", actor=SYSTEM, now=NOW)
    make.months()
    make.close_through(11)
    closed = send(browser, typed(books))

    assert "frozen and takes no postings" in wrong(frozen, "lines-1-account")
    assert "closed through 2026-11-30" in wrong(closed, "effective_date")
    assert not ApprovalRequest.objects.exists()


def test_accounts_of_another_branch_are_neither_offered_nor_taken(books, visit):
    clerk = visit(email="office@example.test", branches=(access.head_office(),))

    offered = clerk.get(url(NEW)).content.decode()
    answer = send(clerk, {**typed(books), **line(1, books["city"].code, credit="35,000.00")})

    assert str(books["bank"]) in offered
    assert str(books["city"]) not in offered
    assert "There is no account" in wrong(answer, "lines-1-account")
    assert not ApprovalRequest.objects.exists()


def test_a_journal_of_another_branch_is_not_there(books, visit):
    send(visit(), typed(books), papers=SimpleUploadedFile("scan.pdf", SCAN))
    (kept,) = papers.of_voucher("JV-0012")
    file = url("portal-journal-paper", args=[adjustments.subject_of("JV-0012"), kept.id])
    clerk = visit(email="cbd@example.test", branches=(access.branch("NBO-CBD", "City centre"),))

    assert clerk.get(journal_url()).status_code == 404
    assert clerk.get(file).status_code == 404
    assert "Rent of November" not in clerk.get(url("portal-journals")).content.decode()
    assert clerk.get(f"{url(NEW)}?again={adjustments.subject_of('JV-0012')}").content.count(b"Rent of") == 0


def test_who_asked_across_branches_finds_it_again(books, visit):
    both = visit(
        email="both@example.test", branches=(access.branch("NBO-CBD", "City centre"), ledger.branch())
    )
    cash = accounts.ensure(ref=ledger.ref(AccountRole.CASH, both_branches(both)[1]), now=NOW)

    form = {**typed(books), **line(0, books["city"].code, debit="5"), **line(1, cash.code, credit="5")}
    answer = send(both, form)

    assert answer.status_code == 302
    assert both.get(answer.url).status_code == 200


def both_branches(browser):
    """Return the branches of whoever is signed in."""
    member = access.Membership.objects.get(user_id=browser.browser.session["_auth_user_id"])
    return list(member.branches.order_by("code").values_list("id", flat=True))[::-1]


@pytest.mark.parametrize("role", ["treasury_officer", "approver", "auditor"])
def test_who_may_only_read_is_not_offered_the_form(books, visit, role):
    send(visit(email="maker@example.test"), typed(books))
    reader = visit(role)

    assert "New journal" not in reader.get(url("portal-journals")).content.decode()
    assert reader.get(journal_url()).status_code == 200
    assert reader.get(url(NEW)).status_code == 403
    assert reader.post(url(NEW), {**typed(books, voucher="JV-2"), "do": "send"}).status_code == 403
    papers_url = url("portal-journal-papers", args=[adjustments.subject_of("JV-0012")])
    sent = reader.post(papers_url, {"papers": SimpleUploadedFile("scan.pdf", SCAN)})
    assert (sent.status_code, Artifact.objects.count()) == (403, 0)
    assert ApprovalRequest.objects.count() == 1


def test_strangers_other_organisations_and_forms_without_their_token_ask_nobody(books, visit):
    form = {**typed(books), "do": "send"}
    visit(email="amina@example.test")
    unsafe = Client(headers={"host": HOST}, enforce_csrf_checks=True)
    assert unsafe.login(username="amina@example.test", password=access.PASSWORD)

    for browser in (Client(headers={"host": HOST}), Client(headers={"host": "zuri.testserver"})):
        assert browser.get(url(NEW)).status_code == 302
        assert browser.post(url(NEW), form).status_code == 302
    assert unsafe.post(url(NEW), form).status_code == 403


def test_more_lines_keep_what_was_typed_and_judge_nothing(books, visit):
    form = typed(books, lines__1__credit="a lot", voucher="")

    html = visit().post(url(NEW), {**form, "do": "add"}).content.decode()

    assert html.count("data-line") == 6
    assert 'name="lines-TOTAL_FORMS" value="6"' in html
    assert 'value="a lot"' in html
    assert "Put this right" not in html
