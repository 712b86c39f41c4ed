"""The cash position: what providers hold for the organisation, how it came about today, and what is not counted yet."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Sum
from django.utils import timezone

from apps.access.selectors.scope import Principal
from apps.kit.models import MinorField
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, Direction, Layer
from apps.ledger.selectors import accounts as ledger_accounts
from apps.ledger.selectors.accounts import AccountBalance
from apps.payments.contracts import IntentStatus
from apps.payments.selectors import intents
from apps.portal.contracts import BalanceLine, CashPosition, DayFlow, Footing, Part, Waiting
from apps.tenancy.selectors import organisations

DAYS = 30
EXPECTED = (IntentStatus.PROCESSING, IntentStatus.ACTION_REQUIRED, IntentStatus.REQUIRES_CAPTURE)

type Flows = dict[int, dict[date, tuple[int, int]]]
"""Minor units in and out, by account and local day."""


def of(caller: Principal, *, now: datetime, may_see_payments: bool = True) -> CashPosition:
    """
    Return the position within the caller's branches at ``now``.

    Balances are read live; what moved in the last 30 days is one query over the entries of the accounts that hold
    money. Days are those of the active time zone. Without ``may_see_payments`` nothing of payments is read.
    """
    today = timezone.localdate(now)
    books = ledger_accounts.with_balances(caller)
    holding = [account for account in books if account.role == AccountRole.PROVIDER_BALANCE]
    flows = _flows(caller, since=today - timedelta(days=DAYS - 1))
    lines = tuple(BalanceLine(account, _today(account, flows[account.id], today)) for account in holding)
    totals = _totals(lines)
    currency = _main_currency(totals)
    waiting = _waiting(caller) if may_see_payments else {}
    return CashPosition(
        as_of=now,
        currency=currency,
        lines=lines,
        totals=totals,
        expected=_joined(waiting, EXPECTED),
        unknown=_joined(waiting, [IntentStatus.UNKNOWN]),
        in_review=_joined(waiting, [IntentStatus.IN_REVIEW]),
        suspense=_sums(account.balance for account in books if account.role == AccountRole.SUSPENSE),
        parts=_parts([account for account in books if account.currency == currency]),
        days=_days([line.account for line in lines if line.account.currency == currency], flows, today),
    )


def _flows(caller: Principal, *, since: date) -> Flows:
    rows = (
        ledger_accounts.visible_to(caller)
        .filter(
            role=AccountRole.PROVIDER_BALANCE,
            entries__effective_date__gte=since,
            entries__layer=Layer.POSTED.value,
        )
        .values_list("id", "entries__effective_date", "entries__direction")
        .annotate(sum=Sum("entries__amount", output_field=MinorField()))
    )
    flows: Flows = defaultdict(lambda: defaultdict(lambda: (0, 0)))
    for account_id, day, direction, minor in rows:
        came, went = flows[account_id][day]
        flows[account_id][day] = (
            (came + minor, went) if direction == Direction.DEBIT else (came, went + minor)
        )
    return flows


def _today(account: AccountBalance, days: dict[date, tuple[int, int]], today: date) -> Footing:
    came, went = (Money(minor, account.currency) for minor in days.get(today, (0, 0)))
    return Footing(account.net - came + went, came, went, account.net)


def _totals(lines: Iterable[BalanceLine]) -> tuple[Footing, ...]:
    sums: dict[str, Footing] = {}
    for line in lines:
        currency = line.account.currency
        sums[currency] = sums[currency] + line.today if currency in sums else line.today
    return tuple(sums[currency] for currency in sorted(sums))


def _main_currency(totals: Sequence[Footing]) -> str:
    """Return the organisation's own currency where it holds any, else that of most accounts."""
    own = organisations.current().base_currency
    held = {total.balance.currency: total.accounts for total in totals}
    return own if own in held or not held else max(held, key=lambda currency: held[currency])


def _waiting(caller: Principal) -> dict[str, list[Any]]:
    rows = (
        intents.visible_to(caller)
        .filter(status__in=[*EXPECTED, IntentStatus.UNKNOWN, IntentStatus.IN_REVIEW])
        .order_by()
        .values_list("status", "currency")
        .annotate(
            count=Count("id"), sum=Sum("amount_minor", output_field=MinorField()), oldest=Min("created_at")
        )
    )
    by_status: dict[str, list[Any]] = defaultdict(list)
    for status, *facts in rows:
        by_status[status].append(facts)
    return by_status


def _joined(waiting: dict[str, list[Any]], states: Iterable[str]) -> Waiting:
    found = [facts for state in states for facts in waiting.get(state, [])]
    if not found:
        return Waiting()
    return Waiting(
        count=sum(count for _, count, _, _ in found),
        sums=_sums(Money(minor, currency) for currency, _, minor, _ in found),
        oldest_at=min(oldest for *_, oldest in found),
    )


def _sums(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """Return one sum for each currency, without zeros."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return tuple(sums[currency] for currency in sorted(sums) if not sums[currency].is_zero)


def _parts(books: Sequence[AccountBalance]) -> tuple[Part, ...]:
    """Return what stands against the money held, by line of the chart; nothing when it does not add up to it."""
    found: dict[tuple[str, str], list[AccountBalance]] = defaultdict(list)
    held = 0
    for account in books:
        if account.role == AccountRole.PROVIDER_BALANCE:
            held += account.net.minor
        else:
            found[account.line_code, account.line_name].append(account)
    parts = []
    for (_, name), accounts in sorted(found.items()):
        amount = Money(-sum(account.net.minor for account in accounts), accounts[0].currency)
        only = accounts[0].uid if len(accounts) == 1 else None
        parts.append(Part(name, amount, only))
    return tuple(parts) if sum(part.amount.minor for part in parts) == held else ()


def _days(accounts: Sequence[AccountBalance], flows: Flows, today: date) -> tuple[DayFlow, ...]:
    """Walk back from today's balance, so that the last closing is the balance shown above."""
    if not accounts:
        return ()
    currency = accounts[0].currency
    closing = sum(account.net.minor for account in accounts)
    days = []
    for back in range(DAYS):
        day = today - timedelta(days=back)
        came, went = (
            sum(side)
            for side in zip(*(flows[account.id].get(day, (0, 0)) for account in accounts), strict=True)
        )
        days.append(DayFlow(day, Money(came, currency), Money(went, currency), Money(closing, currency)))
        closing += went - came
    return tuple(reversed(days))
