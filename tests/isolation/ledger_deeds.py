"""What an owner sends to each writing endpoint of the ledger so that it succeeds; see ``deeds``."""

from typing import Any
from uuid import UUID

from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import JOURNAL, PERIOD_REOPEN, AccountRef, AccountRole
from apps.ledger.models import Period
from apps.ledger.services import holds
from tests.factories import access, approvals, fx, ledger, periods
from tests.isolation.sending import NOW, Sent, kes, of_party
from tests.isolation.twins import CANARY
from tests.ledger.test_adjust_books import prepare


def transfer(**facts: Any) -> dict[str, Any]:
    legs = [
        {"direction": "debit", "role": "merchant_payable", "owner_id": of_party(), "amount": kes()},
        {"direction": "credit", "role": "rider_payable", "owner_id": of_party(), "amount": kes()},
    ]
    return {"description": CANARY["acme"], "legs": legs, **facts}


def post() -> Sent:
    return Sent(transfer())


def post_batch() -> Sent:
    return Sent({"transactions": [transfer(key="matrix-1")]})


def _own_key(name: str) -> str:
    """Return a key of the ledger that belongs to the shop."""
    return f"api:{access.application().id}:{name}"


def _sides() -> tuple[AccountRef, AccountRef]:
    office = access.head_office().id
    names = {"name": CANARY["acme"]}
    return (
        ledger.ref(AccountRole.CUSTOMER_DEPOSIT, office, owner_id=ids.decode("pty", of_party()), **names),
        ledger.ref(AccountRole.RIDER_PAYABLE, office, owner_id=ids.decode("pty", of_party()), **names),
    )


def reverse() -> Sent:
    booked = ledger.post(ledger.transfer(*_sides(), 10_00, key=_own_key("reverse")), now=NOW)
    return Sent({"reason": CANARY["acme"]}, booked.id)


def hold() -> Sent:
    payer, payee = ({"role": role, "owner_id": of_party()} for role in ("customer_deposit", "rider_payable"))
    return Sent({"description": CANARY["acme"], "payer": payer, "payee": payee, "amount": kes()})


def _held() -> UUID:
    payer, payee = _sides()
    promise = holds.Promise(
        key=_own_key("hold"),
        description=CANARY["acme"],
        source_type="partner",
        source_id=access.application().id,
        payer=payer,
        payee=payee,
        money=Money(10_00, "KES"),
    )
    return holds.place(promise=promise, actor=SYSTEM, now=NOW).id


def capture() -> Sent:
    return Sent({"amount": kes("4.00")}, _held())


def release() -> Sent:
    return Sent({"reason": "Ride was short"}, _held())


def exchange() -> Sent:
    owner, office = of_party(), access.head_office().id
    ref = ledger.ref(AccountRole.CUSTOMER_DEPOSIT, office, "USD", owner_id=ids.decode("pty", owner))
    ledger.post(ledger.transfer(fx.bank("USD", office), ref, 500_00), now=NOW)
    deposit = {"role": "customer_deposit", "owner_id": owner}
    give = {"amount": "100.00", "currency": "USD"}
    return Sent(
        {
            "give": give,
            "get_currency": "KES",
            "source": deposit,
            "target": deposit,
            "reference": CANARY["acme"],
        }
    )


def rate() -> Sent:
    said = {"rate": "130", "as_of": "2026-11-24T06:30:00Z", "source": "Our bank"}
    return Sent({"base": "EUR", "quote": "KES", **said})


def _any_deed_needs_an_approver(kind: str) -> None:
    approvals.rule(kind=kind, currency="", minimum_minor=None, steps=approvals.ONE_APPROVER)


def journal() -> Sent:
    _any_deed_needs_an_approver(JOURNAL.name)
    debited, credited = (ids.encode("acc", account.uid) for account in prepare())
    lines = [
        {"account_id": debited, "direction": "debit", "amount": kes()},
        {"account_id": credited, "direction": "credit", "amount": kes()},
    ]
    return Sent(
        {
            "voucher": "JV-1",
            "description": CANARY["acme"],
            "reason": "Paid by cheque",
            "effective_date": "2026-11-24",
            "lines": lines,
        }
    )


def _january() -> Period:
    return Period.objects.earliest("start_date")


def sign_off() -> Sent:
    return Sent({"kind": "reconciliation", "note": CANARY["acme"]}, _january().uid)


def close() -> Sent:
    period = _january()
    periods.make_ready(period, now=NOW)
    return Sent(row=period.uid)


def reopen() -> Sent:
    _any_deed_needs_an_approver(PERIOD_REOPEN.name)
    period = periods.close(_january(), now=NOW)
    return Sent({"reason": CANARY["acme"]}, period.uid)
