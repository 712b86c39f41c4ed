"""
What became of the payments that were accepted: each ended once, was booked once, and stands in the provider's statement.

Run by .venv's Python as the application role. Reads from the file that its argument names which payments were accepted,
where the simulator is and how long to wait; answers on stdout.
"""

import json
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import django

django.setup()

from apps.events.models import (  # noqa: E402 (Django must be set up first)
    DeliveryStatus,
    EventDelivery,
    OutboxEvent,
    WebhookDelivery,
    WebhookStatus,
)
from apps.integrations.models import ProviderAccount, ProviderCallback  # noqa: E402
from apps.invoicing.models import Document  # noqa: E402
from apps.kit import ids, schema  # noqa: E402
from apps.kit.money import Money  # noqa: E402
from apps.ledger.contracts import AccountRef, AccountRole  # noqa: E402
from apps.ledger.models import Transaction  # noqa: E402
from apps.ledger.selectors import balances  # noqa: E402
from apps.ledger.services import verification  # noqa: E402
from apps.payments.contracts import IntentStatus  # noqa: E402
from apps.payments.models import PaymentAttempt, PaymentIntent  # noqa: E402
from apps.tenancy.selectors import organisations  # noqa: E402
from script.devkit.benches.payments_rails import code_of  # noqa: E402

CURRENCY = "KES"


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Wait until every accepted payment has its receipt or the time is up, then count everything."""
    schema.enter(organisations.ready_by_slug(job["organisation"]))
    accepted = {ids.decode("pi", name) for name in job["accepted"]}
    waited = wait(accepted, job)
    booked = Counter(Transaction.objects.values_list("source_id", flat=True))
    told = Counter(OutboxEvent.objects.filter(type="payment_success").values_list("aggregate_id", flat=True))
    receipted = Counter(Document.objects.values_list("intent_id", flat=True))
    asked = PaymentIntent.objects.filter(reference__startswith=job["reference"])
    known = dict(asked.values_list("id", "status"))
    codes = dict(PaymentAttempt.objects.values_list("code", "intent_id"))
    statements = [
        (account, statement(job["simulator"], account)) for account in ProviderAccount.objects.all()
    ]
    paid = Counter(codes.get(code) for _, one in statements for code in one["payments"])
    settled = {payment for payment in accepted if known.get(payment) == IntentStatus.SUCCEEDED}
    unanswered = {
        payment for payment in accepted if known.get(payment) == IntentStatus.UNKNOWN
    } & never_answered(job)
    verdict = verification.verify()
    counted = {"booked": booked, "announced": told, "receipted": receipted, "paid": paid}
    return {
        "seconds": round(waited, 1),
        "settled": len(settled),
        "unanswered": len(unanswered),
        "lost": len(accepted - settled - unanswered),
        "never_accepted": len(known.keys() - accepted) if job["is_all"] else 0,
        "doubled": {name: sum(counts[one] > 1 for one in accepted) for name, counts in counted.items()},
        "missing": {name: sum(not counts[one] for one in settled) for name, counts in counted.items()},
        "waiting": undone(),
        "stored": ProviderCallback.objects.filter(sha256__in=job["callbacks"]).count(),
        "findings": [str(finding) for finding in verdict.findings],
        "unequal": [
            f"{account.label}: {held.wire()} in the ledger, {one['closing'].wire()} by the statement"
            for account, one in statements
            if (held := balance(account)) != one["closing"]
        ],
    }


def never_answered(job: dict[str, Any]) -> set[UUID]:
    """Return the payments whose sum told the provider to lose the request: nobody can know what became of them."""
    minor = Money.parse(f"{job['unanswered']}.00", CURRENCY).minor
    return set(PaymentIntent.objects.filter(amount_minor=minor).values_list("id", flat=True))


def wait(accepted: set[UUID], job: dict[str, Any]) -> float:
    """Return how many seconds it took until each had a receipt and everything was told that is to be told."""
    began = time.monotonic()
    while time.monotonic() - began < job["patience"]:
        if not waiting() and not accepted - ended(job):
            break
        time.sleep(0.25)
    return time.monotonic() - began


def ended(job: dict[str, Any]) -> set[UUID]:
    """Return the payments that have their receipt, and those that ended UNKNOWN because the provider never answered."""
    unknown = set(PaymentIntent.objects.filter(status=IntentStatus.UNKNOWN).values_list("id", flat=True))
    return set(Document.objects.values_list("intent_id", flat=True)) | (unknown & never_answered(job))


def waiting() -> int:
    """Return how many events and webhooks are still on their way to whom they are for; see ``undone``."""
    events = EventDelivery.objects.filter(status=DeliveryStatus.PENDING).exclude(queue="documents").count()
    return events + WebhookDelivery.objects.filter(status=WebhookStatus.PENDING).count()


def undone() -> int:
    """
    Return how many events and webhooks have not reached whom they are for, those that were given up among them; PDFs, made at
    idle priority, are left out.
    """
    events = EventDelivery.objects.exclude(status__in=[DeliveryStatus.DONE, DeliveryStatus.SKIPPED])
    webhooks = WebhookDelivery.objects.exclude(status=WebhookStatus.DELIVERED)
    return events.exclude(queue="documents").count() + webhooks.count()


def balance(account: ProviderAccount) -> Money:
    return balances.of(
        AccountRef(AccountRole.PROVIDER_BALANCE, account.currency, account.branch_id, owner_id=account.id)
    )


def statement(simulator: str, account: ProviderAccount) -> dict[str, Any]:
    """Return the provider's closing balance and the code of each payment on its statement."""
    address = f"{simulator}/__control/statement?shortcode={account.short_code}"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=30) as answer:
        found = json.load(answer)
    return {
        "closing": Money.parse(found["closing_balance"], account.currency),
        "payments": [code_of(row) for row in found["rows"] if row["kind"] == "payment"],
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
