"""Pages of disputes: the list, the page of one, and what people do there."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.audit.models import AuditRecord
from apps.integrations.paypal import disputes as paypal
from apps.integrations.ports import DisputeStage
from apps.integrations.stripe import disputes as stripe
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.payments.models import Dispute
from apps.payments.selectors import disputes
from apps.payments.services import dispute_answers, dispute_evidence
from apps.payments.services import disputes as records
from tests.factories import disputes as made
from tests.factories import payments, refunds

LIST = "/portal/payments/dispute/"
ROW = "/portal/payments/dispute/{}/do/{}/"


@pytest.fixture
def row(acme):
    payments.account()
    return made.opened(refunds.paid(), now=clock.now() - timedelta(days=7))


def shown(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def send(client, row, name, **data):
    """Open a dialog and send it as it was shown."""
    path = ROW.format(row.id, name)
    opened = client.get(path)
    assert opened.status_code == 200, opened.content.decode()
    hidden = {key: opened.context[key] for key in ("shown", "nonce")}
    return client.post(path, {**hidden, **data})


def test_the_list_has_what_needs_an_answer(enter, row):
    made.opened(refunds.paid(), stage=DisputeStage.WON, reinstated=row.money)
    client = enter()

    page = shown(client, LIST)
    assert row.ticket in page
    assert "Needs an answer" in page
    assert "Not made by the cardholder" in page
    for query, is_there in (("look=soon", True), ("status=WON", False), ("look=flagged", False)):
        assert (row.ticket in shown(client, f"{LIST}?{query}")) == is_there
    opened = client.get(f"{LIST}{row.id}/change/")
    assert opened["Location"] == f"/portal/disputes/{row.id}/"


def test_every_reason_of_an_adapter_has_a_word():
    reported = {*stripe.REASONS.values(), *paypal.REASONS.values(), "general"}

    assert set(disputes.REASONS) == reported


def test_the_page_tells_the_deadline_and_what_helps(enter, row):
    client = enter("treasury_officer")

    page = shown(client, f"/portal/disputes/{row.id}/")

    assert "Answer within" in page
    assert "Name of the customer" in page
    assert "The money was taken" in page
    assert str(row.money.text) in page.replace(",", "")
    assert row.ticket in shown(client, f"/portal/payments/{row.intent_id}/")


def test_evidence_is_written_attached_and_submitted(enter, row, in_organisation):
    other = made.opened(refunds.paid())
    client = enter("treasury_officer")
    bill = SimpleUploadedFile("bill.pdf", made.PDF, content_type="application/pdf")

    assert send(client, row, "evidence", text="He was here.", service_date="2026-11-24").status_code == 302
    assert send(client, row, "attach", purpose="RECEIPT", file=bill).status_code == 302
    assert "bill.pdf" in shown(client, f"/portal/disputes/{row.id}/")
    in_organisation("acme")
    file = row.files.get()
    path = f"/portal/disputes/{row.id}/files/{file.id}/"
    got = client.get(path)
    assert (got.content, got["Content-Type"]) == (made.PDF, "application/pdf")
    assert got["Content-Disposition"] == 'attachment; filename="bill.pdf"'
    assert client.get(f"/portal/disputes/{other.id}/files/{file.id}/").status_code == 404
    in_organisation("acme")
    assert AuditRecord.objects.get(action="dispute_file.downloaded").object_id == str(file.id)
    assert send(client, row, "detach", purpose="RECEIPT").status_code == 302
    assert "bill.pdf" not in shown(client, f"/portal/disputes/{row.id}/")
    assert client.get(path).status_code == 404
    assert send(client, row, "submit").status_code == 302

    page = shown(client, f"/portal/disputes/{row.id}/")
    assert "Answer on its way" in page
    assert "He was here." in page
    assert client.get(ROW.format(row.id, "accept")).status_code == 409


def test_one_is_given_up_with_a_reason(enter, row):
    client = enter("treasury_officer")

    assert send(client, row, "accept", reason="No").status_code == 422
    assert send(client, row, "accept", reason="Not worth it").status_code == 302

    assert "Answer on its way" in shown(client, f"/portal/disputes/{row.id}/")


def test_a_loss_is_appealed_where_the_provider_takes_that(enter, row, in_organisation):
    lost = made.opened(refunds.paid(), now=clock.now(), stage=DisputeStage.LOST, may_appeal=True)
    client = enter("treasury_officer")
    found = shown(client, f"{LIST}?look=appealable")
    assert (lost.ticket in found, row.ticket in found) == (True, False)
    assert client.get(ROW.format(row.id, "appeal")).status_code == 409
    page = shown(client, f"/portal/disputes/{lost.id}/")
    assert "The loss may be appealed" in page
    assert "Submit…" not in page
    assert client.get(ROW.format(lost.id, "appeal")).status_code == 409

    assert send(client, lost, "evidence", text="Here is who signed.").status_code == 302
    assert send(client, lost, "appeal").status_code == 302

    page = shown(client, f"/portal/disputes/{lost.id}/")
    assert "The appeal is on its way" in page
    assert "Appeal on its way" in page
    assert "Appeal…" not in page
    assert "Appeal on its way" in shown(client, f"{LIST}?status=LOST")
    in_organisation("acme")
    assert AuditRecord.objects.get(action="dispute.appealed").object_id == ids.encode("dp", lost.id)


def test_a_refused_appeal_says_why(enter, row):
    lost = made.opened(refunds.paid(), now=clock.now(), stage=DisputeStage.LOST, may_appeal=True)
    dispute_evidence.write(dispute_id=lost.id, texts={"text": "It came."}, actor=SYSTEM, now=clock.now())
    dispute_answers.appeal(dispute_id=lost.id, actor=SYSTEM, now=clock.now())
    dispute_answers.send(dispute_id=lost.id, now=clock.now())
    client = enter("treasury_officer")

    page = shown(client, f"/portal/disputes/{lost.id}/")

    assert "The provider did not take the last answer" in page
    assert "has no such service here" in page


def test_an_appeal_that_is_taken_no_more_may_not_have_been_heard(enter, row):
    at = clock.now() - timedelta(hours=1)
    told = made.report(refunds.paid(), now=at, stage=DisputeStage.LOST, may_appeal=True)
    account_id = row.provider_account_id

    def say(**facts):
        now = clock.now()
        report = replace(told, **facts)
        records.record(account_id=account_id, report=report, asked_at=now, actor=SYSTEM, now=now)
        return Dispute.objects.get(ticket=told.ticket)

    lost = say()
    dispute_evidence.write(dispute_id=lost.id, texts={"text": "It came."}, actor=SYSTEM, now=clock.now())
    dispute_answers.appeal(dispute_id=lost.id, actor=SYSTEM, now=clock.now())
    say(may_appeal=False)

    page = shown(enter(), f"/portal/disputes/{lost.id}/")

    assert "It may not have had this one." in page
    assert "did not take the last answer" not in page


def test_who_may_not_answer_is_not_asked(enter, row):
    client = enter("approver")

    assert "Submit…" not in shown(client, f"/portal/disputes/{row.id}/")
    assert client.get(ROW.format(row.id, "submit")).status_code == 403
