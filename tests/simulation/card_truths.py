"""What must be true of cards and wallets when a world has come to rest."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from apps.integrations.contracts import MPESA
from apps.kit.money import Money
from apps.payments.contracts import RefundStatus
from apps.payments.models import PaymentAttempt, Refund
from tests.simulation import cards, wallets
from tests.simulation.world import World

Rows = list[dict[str, Any]]


def broken(world: World, rows: Rows) -> Iterator[str]:
    """Yield a sentence for each thing that the provider knows otherwise."""
    yield from _given_back(rows)
    yield from _asked_once(world)
    yield from _refunded_once(world)


def _given_back(rows: Rows) -> Iterator[str]:
    """What went back of each charge, and stayed there, is what our refunds say."""
    theirs: Counter[str] = Counter()
    for row in rows:
        if row["kind"] in ("reversal", "reversal_failure"):
            out, back = (Money.parse(row[name], row["currency"]) for name in ("withdrawn", "paid_in"))
            moved = out - back
            theirs[row["linked_receipt"]] += moved.minor
    ours: Counter[str] = Counter()
    for refund in Refund.objects.exclude(provider=MPESA).filter(status=RefundStatus.SUCCEEDED):
        ours[refund.payment_receipt] += refund.amount_minor
    for receipt in sorted(theirs | ours):
        if theirs[receipt] != ours[receipt]:
            yield f"{receipt}: the provider gave {theirs[receipt]} back, our refunds say {ours[receipt]}"


def _asked_once(world: World) -> Iterator[str]:
    """One page or order for one request, however often it was sent; and each is of a request of ours."""
    known = set(PaymentAttempt.objects.values_list("code", flat=True))
    asked = Counter(one["metadata"].get("code") for one in cards.listed(world, "sessions"))
    asked += Counter(one["purchase_units"][0]["custom_id"] for one in wallets.listed(world, "orders"))
    yield from (f"request {code}: {n} pages" for code, n in asked.items() if n > 1 or code not in known)


def _refunded_once(world: World) -> Iterator[str]:
    """One refund at the provider for one of ours."""
    told = [one["metadata"] for one in cards.listed(world, "refunds")]
    made = Counter(f"{one.get('code')}-{one.get('number')}" for one in told)
    made += Counter(
        one.get("custom_id")
        for one in wallets.listed(world, "refunds")
        if one.get("note_to_payer") != wallets.LOST
    )
    known = {f"{code}-{number}" for code, number in Refund.objects.values_list("attempt__code", "number")}
    yield from (f"refund {of}: the provider has {n}" for of, n in made.items() if n > 1 or of not in known)
