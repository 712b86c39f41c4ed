"""Stop over limit: a refund, a journal and an exchange above what a role asks for are one refusal that names the field."""

import pytest

from apps.access.contracts import LimitKind
from apps.access.models import IdempotencyRecord
from apps.access.selectors.limits import LimitExceeded
from apps.access.services import limits
from apps.approvals.models import ApprovalRequest, CountedDeed
from apps.events.models import OutboxEvent
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM, person
from apps.kit.money import Money
from apps.ledger.contracts import JOURNAL, AccountRole
from apps.ledger.models import Transaction
from apps.ledger.services import adjustments, exchanges
from apps.payments.models import PaymentAttempt, Refund
from tests.factories import access, approvals, fx, ledger
from tests.factories import refunds as made
from tests.factories.approvals import ONE_APPROVER
from tests.factories.fx import kes, usd
from tests.ledger.partner import Partner, party
from tests.ledger.test_adjust_books import RENT, journal, prepare
from tests.ledger.test_currency_api import order
from tests.ledger.test_journals_api import journal as api_journal
from tests.payments.partner import refused
from tests.payments.test_refunds_api import Shop, body


def let_ask(money: Money) -> None:
    """Let this be what an owner asks for at most, in this currency alone."""
    wanted = {LimitKind.CREATE: (money,), LimitKind.APPROVE: ()}
    limits.put(code="owner", wanted=wanted, actor=SYSTEM, now=access.NOW)


def less(money: Money) -> Money:
    return money - Money(1, money.currency)


def written() -> list[int]:
    tables = (Refund, ApprovalRequest, CountedDeed, Transaction, OutboxEvent, IdempotencyRecord)
    pending = PaymentAttempt.objects.filter(refund_pending_minor__gt=0).count()
    return [pending, *(table.objects.count() for table in tables)]


@pytest.fixture
def prepared(committed_acme):
    """Return a paid payment, the accounts of a journal, and the owner; dollars have a rate."""
    owner = access.member()
    with clock.fixed(ledger.NOW):
        fx.office()
        approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
        fx.rate("129.5")
        yield made.paid(), prepare(), owner


def test_a_key_asks_for_no_more_than_who_made_it(prepared):
    attempt, book, owner = prepared
    customer = party(display_name="Njeri")
    place = access.head_office().id
    deposit = ledger.ref(AccountRole.CUSTOMER_DEPOSIT, place, "USD", owner_id=ids.decode("pty", customer))
    ledger.post(ledger.transfer(fx.bank("USD", place), deposit, 500_00))
    shop, partner = Shop(issuer=owner.user), Partner(issuer=owner.user)

    for pointer, exact, ask in (
        ("/amount", kes(1_500_00), lambda: shop.post(body=body(attempt))),
        ("/lines", kes(350_00), lambda: partner.post("journals", api_journal(book))),
        ("/give", usd(100_00), lambda: partner.post("exchanges", order(customer))),
    ):
        let_ask(less(exact))
        before = written()

        said = refused(ask(), 403, "amount_limit_exceeded", pointer)

        assert (said["code"], len(said["errors"])) == ("amount_limit_exceeded", 1)
        assert "who made this key" in said["detail"]
        assert written() == before
        let_ask(exact)
        assert ask().status_code in (201, 202)


def test_a_person_asks_for_no_more_than_his_role(prepared):
    attempt, book, owner = prepared
    actor, place = person(owner.user_id), access.head_office().id
    ledger.post(
        ledger.transfer(fx.bank("USD", place), ledger.ref(AccountRole.SUSPENSE, place, "USD"), 500_00)
    )
    dollars, rent = fx.order(usd(100_00), "KES", place), journal(book)

    for pointer, exact, ask in (
        ("/amount", kes(1_500_00), lambda: made.requested(attempt, actor=actor)),
        ("/lines", RENT, lambda: adjustments.ask(journal=rent, actor=actor, now=ledger.NOW)),
        ("/give", usd(100_00), lambda: exchanges.exchange(order=dollars, actor=actor, now=fx.NOW)),
    ):
        let_ask(less(exact))
        before = written()

        with pytest.raises(LimitExceeded, match="Your role") as refusal:
            ask()

        assert [error.pointer for error in refusal.value.errors] == [pointer]
        assert written() == before
        let_ask(exact)
        assert ask() is not None
