"""Branches, references and drafts for tests that book money."""

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.access.models import Branch
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Booked, Draft, credit, debit
from apps.ledger.services import accounts, calls, journals

NOW = datetime(2026, 11, 24, 7, 41, tzinfo=UTC)
_numbers = count(1)


def branch(**facts: Any) -> Branch:
    number = next(_numbers)
    return Branch.objects.create(
        **{"code": f"LB-{number}", "name": f"Branch {number}", "created_at": NOW, **facts}
    )


def ref(role: AccountRole, branch_id: UUID, currency: str = "KES", **facts: Any) -> AccountRef:
    return AccountRef(role=role, currency=currency, branch_id=branch_id, **facts)


def transfer(debited: AccountRef, credited: AccountRef, minor: int, **facts: Any) -> Draft:
    money = Money(minor, debited.currency)
    return draft(legs=(debit(debited, money), credit(credited, money)), **facts)


def draft(**facts: Any) -> Draft:
    number = next(_numbers)
    return Draft(
        **{
            "key": f"test:{number}",
            "description": "Payment, Njeri Kamau",
            "source_type": "payment_intent",
            "source_id": ids.new(),
            **facts,
        }
    )


def post(booking: Draft, *, now: datetime = NOW) -> Booked:
    return journals.post(draft=booking, actor=SYSTEM, now=now)


@transaction.atomic
def post_by_function(booking: Draft, *, now: datetime = NOW) -> None:
    """Call ledger_post past the checks of the service, and let the database check now what it checks at commit."""
    accounts.resolve(refs={leg.account for leg in booking.legs}, now=now)
    calls.rows(calls.post([booking], actor=SYSTEM, now=now, force=False))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
