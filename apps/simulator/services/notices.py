"""What a business is told of a payment at its registered addresses: it is asked before, and told after."""

import hashlib
import sqlite3

from apps.simulator.contracts import Account, PayerForm, Payment, Plan, Prompt, Registration
from apps.simulator.services import accounts, callbacks, registrations
from apps.simulator.services.amounts import text
from apps.simulator.services.clock import digits

NAME = "PAYER"


def ask(*, tx: sqlite3.Connection, payment: Payment, registration: Registration, now: int) -> None:
    """Owe the question whether a payment may be made; it tells no balance."""
    callbacks.queue(
        tx=tx,
        cause=payment.receipt,
        kind="validation",
        url=registration.validation_url,
        payload=_body(
            account=_receiver(tx, payment), paid=payment, amount_cents=payment.amount_cents, at=now
        ),
        delivery=payment.plan.validation,
        now=now,
    )


def confirm(*, tx: sqlite3.Connection, paid: Prompt | Payment, now: int) -> None:
    """
    Owe the news of a payment that was made, where its shortcode has registered an address.

    What spoils the callback of a prompt leaves its confirmation whole; a delivery of its own counts for both.
    """
    registration = registrations.told_of(tx=tx, paid=paid)
    if registration is None:
        return
    is_unasked = isinstance(paid, Payment)
    plan = paid.plan if is_unasked else Plan(skew_ms=paid.plan.skew_ms)
    account = _receiver(tx, paid)
    body = _body(
        account=account,
        paid=paid,
        amount_cents=paid.moved_cents if plan.announced_cents is None else plan.announced_cents,
        at=(paid.decided_at or now) + plan.skew_ms,
    )
    body |= {
        "OrgAccountBalance": text(cents=account.balance_cents),
        "ThirdPartyTransID": paid.third_party_id if isinstance(paid, Payment) else "",
    }
    missing = tuple(body) if plan.missing is None else plan.missing
    callbacks.queue(
        tx=tx,
        cause=paid.id,
        kind="confirmation",
        url=registration.confirmation_url,
        payload={name: value for name, value in body.items() if name not in missing},
        delivery=paid.plan.confirmation or plan.callback,
        now=now,
    )


def _receiver(tx: sqlite3.Connection, paid: Prompt | Payment) -> Account:
    return accounts.get(tx=tx, shortcode=paid.receiver)


def _body(*, account: Account, paid: Prompt | Payment, amount_cents: int, at: int) -> dict[str, object]:
    is_bill = paid.transaction_type == "CustomerPayBillOnline"
    return {
        "TransactionType": "Pay Bill" if is_bill else "Buy Goods",
        "TransID": paid.receipt,
        "TransTime": str(digits(at=at)),
        "TransAmount": text(cents=amount_cents),
        "BusinessShortCode": paid.receiver,
        "BillRefNumber": paid.reference if is_bill else "",
        "InvoiceNumber": "",
        "OrgAccountBalance": "",
        "ThirdPartyTransID": "",
        "MSISDN": _shown(paid.payer, form=account.payer_form),
        "FirstName": NAME,
        "MiddleName": "",
        "LastName": paid.payer[-4:] if account.payer_form is PayerForm.PLAIN else "",
    }


def _shown(msisdn: str, *, form: PayerForm) -> str:
    if form is PayerForm.HASHED:
        return hashlib.sha256(msisdn.encode()).hexdigest()
    return f"{msisdn[:4]} ***** {msisdn[-3:]}" if form is PayerForm.MASKED else msisdn
