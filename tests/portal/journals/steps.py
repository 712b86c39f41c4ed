"""What the tests of journal pages do: fill the form in, send it, agree to it."""

import re
from datetime import timedelta

from django.urls import reverse as url

from apps.approvals.models import ApprovalRequest
from apps.events.services import relay
from apps.kit import clock
from apps.ledger.services import adjustments
from tests import dialogs
from tests.factories.ledger import NOW

LATER = NOW + timedelta(minutes=10)
NEW = "portal-journal-new"
SCAN = b"%PDF-1.7 invoice of the landlord"


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
        while relay.run_due(queue="events", now=LATER):
            pass


def journal_url(voucher="JV-0012") -> str:
    return url("portal-journal", args=[adjustments.subject_of(voucher)])
