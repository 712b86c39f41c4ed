"""Journals in the portal: typed by one person, agreed to by another, posted once."""

import re

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse as url

from apps.approvals.models import ApprovalRequest
from apps.kit.actors import SYSTEM
from apps.ledger.models import Transaction
from apps.ledger.services import accounts, adjustments
from tests import dialogs
from tests.factories import approvals
from tests.factories.ledger import NOW
from tests.portal.journals.steps import NEW, SCAN, agree, journal_url, send, told, typed, wrong


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
