"""Journals in the portal: typed by one person, agreed to by another, posted once or said why not."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse as url

from apps.approvals.models import ApprovalRequest
from apps.documents.models import Artifact
from apps.events.services import relay
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import JOURNAL, AccountRole
from apps.ledger.models import Transaction
from apps.ledger.services import accounts, adjustments, charts, papers
from tests import dialogs
from tests.factories import access, approvals, ledger
from tests.factories import periods as make
from tests.factories.approvals import ONE_APPROVER
from tests.factories.ledger import NOW
from tests.portal.conftest import HOST

LATER = NOW + timedelta(minutes=10)
NEW = "portal-journal-new"
SCAN = b"%PDF-1.7 invoice of the landlord"


@pytest.fixture
def books(acme):
    """Return the accounts that lines name: rent and the bank at head office, cash in dollars, cash of the city."""
    access.portal()
    office, city = access.head_office(), access.branch("NBO-CBD", "City centre")
    charts.install(actor=SYSTEM, now=NOW)
    approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    rent = charts.open_account(code="6110", branch_id=office.id, currency="KES", actor=SYSTEM, now=NOW)

    def opened(role, branch, currency="KES", **facts):
        return accounts.ensure(ref=ledger.ref(role, branch.id, currency, **facts), now=NOW)

    return {
        "rent": rent,
        "bank": accounts.ensure(
            ref=ledger.ref(AccountRole.BANK_BALANCE, office.id, owner_id=ids.new()), now=NOW, name="KCB"
        ),
        "dollars": opened(AccountRole.SUSPENSE, office, "USD"),
        "city": opened(AccountRole.SUSPENSE, city),
    }


@pytest.fixture
def visit(enter, in_organisation):
    """Return a function that signs a member in; after each request of his the test is in the organisation again."""

    class Inside:
        def __init__(self, browser: Client):
            self.browser = browser

        def get(self, *request, **facts):
            return self._entered(self.browser.get, *request, **facts)

        def post(self, *request, **facts):
            return self._entered(self.browser.post, *request, **facts)

        def _entered(self, call, *request, **facts):
            with clock.fixed(NOW):
                answer = call(*request, **facts)
            in_organisation("acme")
            return answer

    def signed_in(role: str = "accountant", **facts):
        with clock.fixed(NOW):
            return Inside(enter(role, **facts))

    return signed_in


def typed(books, **changes) -> dict[str, str]:
    """Return the form as somebody fills it in: rent of KES 35,000.00 paid from the bank, in the first two of four lines."""
    return {
        "voucher": "JV-0012",
        "effective_date": "2026-11-24",
        "description": "Rent of November",
        "reason": "Paid by cheque",
        "cost_centre": "HQ",
        "dimensions": "project: Westlands\n",
        "lines-TOTAL_FORMS": "4",
        "lines-INITIAL_FORMS": "0",
        **line(0, f"{books['rent'].code} {books['rent'].name}", debit="35,000.00"),
        **line(1, books["bank"].code, credit="35 000"),
        **line(2),
        **line(3),
        **{name.replace("__", "-"): value for name, value in changes.items()},
    }


def line(number, account="", currency="", debit="", credit="") -> dict[str, str]:
    said = {"account": account, "currency": currency, "debit": debit, "credit": credit}
    return {f"lines-{number}-{name}": value for name, value in said.items()}


def send(browser, form, **more):
    """Preview the form, and send what was shown; what comes back is the redirect, or the form with what is wrong."""
    shown = browser.post(url(NEW), {**form, "do": "preview"})
    found = re.search(r'name="shown" value="([0-9a-f]+)"', shown.content.decode())
    if found is None:
        return shown
    return browser.post(url(NEW), {**form, **more, "do": "send", "shown": found[1]})


def wrong(answer, field) -> str:
    html = answer.content.decode()
    return html.partition(f'id="wrong_{field}">')[2].partition("</span>")[0].strip()


def agree(browser):
    waiting = ApprovalRequest.objects.get(status="PENDING")
    return dialogs.send(browser, url("admin:approvals_approvalrequest_approve", args=[waiting.id]))


def told() -> None:
    with clock.fixed(LATER):
        while relay.run_next(queue="events", now=LATER):
            pass


def journal_url(voucher="JV-0012") -> str:
    return url("portal-journal", args=[adjustments.subject_of(voucher)])


def test_the_preview_shows_what_will_be_booked_and_asks_nobody(books, visit):
    answer = visit().post(url(NEW), {**typed(books), "do": "preview"})

    html = answer.content.decode()
    preview = html.partition('id="preview"')[2].partition("</section>")[0]
    assert answer.status_code == 200
    for word in (str(books["rent"]), str(books["bank"]), "Balanced, KES", "35,000.00"):
        assert word in preview
    assert 'value="Rent of November"' in html
    assert not ApprovalRequest.objects.exists()


def test_is_posted_once_when_a_second_person_has_agreed(books, visit):
    maker, checker = visit(), visit("approver", email="brian@example.test")

    asked = send(maker, typed(books), papers=SimpleUploadedFile("scan.pdf", SCAN))
    assert (asked.status_code, asked.url) == (302, journal_url())
    shown = maker.get(journal_url()).content.decode()
    assert "Nothing is booked yet" in shown
    assert "JV-0012-1.pdf" in shown
    assert not Transaction.objects.exists()

    assert agree(checker).status_code == 204
    told()

    booked = Transaction.objects.get()
    assert (booked.kind, booked.reference, booked.cost_centre) == ("ADJUSTMENT", "JV-0012", "HQ")
    assert booked.dimensions == {"project": "Westlands"}
    assert list(booked.entries.order_by("seq").values_list("account_id", "direction", "amount")) == [
        (books["rent"].id, 1, 35_000_00),
        (books["bank"].id, -1, 35_000_00),
    ]
    assert booked.number in maker.get(journal_url()).content.decode()
    posted = maker.get(url("portal-journals"), {"view": "posted"}).content.decode()
    assert "Rent of November" in posted
    assert booked.number in posted


def test_who_decides_reads_the_lines_and_comes_back_to_the_journal(books, visit):
    send(visit(), typed(books))
    request = ApprovalRequest.objects.get()

    html = visit("approver", email="brian@example.test").get(url("portal-approval", args=[request.id]))

    shown = html.content.decode()
    assert "What will be booked" in shown
    assert str(books["rent"]) in shown
    assert journal_url() in shown
    assert str(books["rent"].uid) not in re.sub(r'href="[^"]*"', "", shown)


def test_sent_twice_it_is_asked_for_and_posted_once(books, visit):
    maker, checker = visit(), visit("approver", email="brian@example.test")

    answers = [send(maker, typed(books)).status_code for _ in range(2)]
    agree(checker)
    told()
    again = send(maker, typed(books))

    assert answers == [302, 302]
    assert (ApprovalRequest.objects.count(), Transaction.objects.count()) == (1, 1)
    assert again.status_code == 409
    assert "booked already" in wrong(again, "voucher")


def test_who_asked_does_not_agree(books, visit):
    owner = visit("owner", email="both@example.test")
    send(owner, typed(books))

    assert agree(owner).status_code == 403
    told()

    assert not Transaction.objects.exists()


def test_of_two_approvers_the_second_finds_it_decided(books, visit):
    send(visit(), typed(books))
    request = ApprovalRequest.objects.get()
    address = url("admin:approvals_approvalrequest_approve", args=[request.id])
    brian, carol = (visit("approver", email=f"{name}@example.test") for name in ("brian", "carol"))
    opened = [{**dialogs.hidden(dialogs.open_at(browser, address))} for browser in (brian, carol)]

    answers = [
        browser.post(address, form, headers={"hx-request": "true"}).status_code
        for browser, form in zip((brian, carol), opened, strict=True)
    ]
    told()

    assert answers == [204, 409]
    assert Transaction.objects.count() == 1


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


def test_what_changed_since_the_preview_is_shown_again(books, visit):
    browser = visit()
    shown = browser.post(url(NEW), {**typed(books), "do": "preview"}).content.decode()
    digest = re.search(r'name="shown" value="([0-9a-f]+)"', shown)[1]

    answer = browser.post(url(NEW), {**typed(books, reason="Another reason"), "do": "send", "shown": digest})

    assert "It has changed since the preview" in answer.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_another_journal_of_a_voucher_that_waits_is_refused(books, visit):
    browser = visit()
    send(browser, typed(books))

    answer = send(browser, typed(books, description="Rent of December"))

    assert answer.status_code == 409
    assert "waits already" in answer.content.decode()
    assert ApprovalRequest.objects.count() == 1


def test_what_the_ledger_refuses_after_the_agreement_is_listed_and_asked_for_again(books, visit):
    maker, checker = visit(), visit("approver", email="brian@example.test")
    send(maker, typed(books))
    accounts.freeze(ref=books["bank"].ref, reason="Bank asked", actor=SYSTEM, now=NOW)
    agree(checker)
    told()

    failed = maker.get(url("portal-journals"), {"view": "failed"}).content.decode()
    shown = maker.get(journal_url()).content.decode()
    accounts.unfreeze(ref=books["bank"].ref, reason="Bank agreed", actor=SYSTEM, now=NOW)
    again = maker.get(f"{url(NEW)}?again={adjustments.subject_of('JV-0012')}").content.decode()

    for html in (failed, shown):
        assert "Not posted" in html
        assert "frozen and takes no postings" in html
    assert "?again=" in shown
    for value in ("JV-0012", "Rent of November", "35000.00", str(books["bank"])):
        assert f'value="{value}"' in again
    assert send(maker, typed(books)).status_code == 302
    agree(checker)
    told()
    assert Transaction.objects.count() == 1
    posted = maker.get(url("portal-journals"), {"view": "posted"}).content.decode()
    assert Transaction.objects.get().number in posted
    assert "Not posted" in maker.get(journal_url()).content.decode().partition("Asked for before")[2]


def test_refused_ones_say_why(books, visit):
    maker = visit()
    send(maker, typed(books))
    approvals.refuse(ApprovalRequest.objects.get(), approvals.person(), reason="No invoice attached")

    ended = maker.get(url("portal-journals"), {"view": "ended"}).content.decode()

    assert "No invoice attached" in ended
    assert "No invoice attached" in maker.get(journal_url()).content.decode()


def test_papers_are_attached_downloaded_and_refused_in_words(books, visit):
    maker = visit()
    send(maker, typed(books))
    address = url("portal-journal-papers", args=[adjustments.subject_of("JV-0012")])

    kept = maker.post(
        address, {"papers": [SimpleUploadedFile("a.pdf", SCAN), SimpleUploadedFile("b", b"\xff\xd8\xff")]}
    )
    page_ = maker.post(address, {"papers": SimpleUploadedFile("page.pdf", b"<html>")})
    none = maker.post(address, {})

    assert kept.status_code == 302
    assert (page_.status_code, none.status_code) == (422, 422)
    assert "PDF, PNG or JPEG" in wrong(page_, "papers")
    files = papers.of_voucher("JV-0012")
    assert [file.content_type for file in files] == ["application/pdf", "image/jpeg"]
    got = maker.get(url("portal-journal-paper", args=[adjustments.subject_of("JV-0012"), files[0].id]))
    assert got.content == SCAN
    assert got.headers["Content-Disposition"] == 'attachment; filename="JV-0012-1.pdf"'
    assert (
        maker.get(
            url("portal-journal-paper", args=[adjustments.subject_of("JV-0012"), ids.new()])
        ).status_code
        == 404
    )
    assert maker.get(url("portal-journal", args=[ids.new()])).status_code == 404


def test_a_file_that_is_no_paper_asks_nobody(books, visit):
    answer = send(visit(), typed(books), papers=SimpleUploadedFile("scan.pdf", b"MZ"))

    assert answer.status_code == 422
    assert "PDF, PNG or JPEG" in wrong(answer, "papers")
    assert not ApprovalRequest.objects.exists()


def test_more_papers_than_a_voucher_has_ask_nobody(books, visit):
    files = [SimpleUploadedFile(f"{number}.pdf", SCAN) for number in range(papers.PAPERS_MAX + 1)]

    answer = send(visit(), typed(books), papers=files)

    assert answer.status_code == 409
    assert "10 papers at most" in answer.content.decode()
    assert not ApprovalRequest.objects.exists()
