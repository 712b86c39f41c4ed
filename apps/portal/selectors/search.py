"""Finding rows by what people have in hand: ids, receipts, codes, references, phones, names."""

import contextlib

from django.db.models import Model, QuerySet

from apps.access.selectors.scope import Principal
from apps.approvals.selectors import requests
from apps.kit import ids
from apps.ledger.selectors import transactions as ledger_transactions
from apps.parties.selectors import parties as known_parties
from apps.payments.selectors import inbound_receipts, intents
from apps.payments.selectors import refunds as asked_refunds
from apps.portal.contracts import Target
from apps.portal.selectors import states, words

HITS = 10
SHORTEST_NAME = 3
LEDGER_PREFIX = "LT-"


def payments(term: str, caller: Principal) -> list[Target]:
    """Return up to 10 payments that the term names exactly: an id, receipt, code, reference or phone."""
    found = intents.found_by(intents.visible_to(caller), term)
    return [
        Target(
            "payment",
            intent.id,
            f"{intent.money}, {intent.payer_name or words.phone(intent.payer_phone)}",
        )
        for intent in found.order_by("-id")[:HITS]
    ]


def refunds(term: str, caller: Principal) -> list[Target]:
    """Return up to 10 refunds by id, or by the receipt of the payment or of the refund."""
    rows = asked_refunds.visible_to(caller).select_related("intent")
    found = _by_id(rows, "re", term) or asked_refunds.found_by(rows, term).order_by("-id")[:HITS]
    return [
        Target(
            "refund",
            refund.intent_id,
            f"{refund.money}, {refund.payment_receipt}, {str(states.REFUND[refund.status].word).lower()}",
        )
        for refund in found
    ]


def suspense(term: str, caller: Principal) -> list[Target]:
    """Return up to 10 receipts that came unasked and were put aside, by receipt or reference however it is typed."""
    if not any(map(str.isalnum, term)):
        return []
    rows = inbound_receipts.visible_to(caller).filter(booked_at__isnull=False)
    found = _by_id(rows, "ir", term) or inbound_receipts.found_by(rows, term).order_by("-id")[:HITS]
    return [
        Target(
            "inbound_receipt", row.id, ", ".join(filter(None, [str(row.money), row.receipt, row.payer_name]))
        )
        for row in found
    ]


def approvals(term: str, caller: Principal) -> list[Target]:
    """Return up to 10 requests for approval by id, or by the reference of what they are about."""
    rows = requests.visible_to(caller)
    found = _by_id(rows, "apr", term) or requests.found_by(rows, term).order_by("-id")[:HITS]
    return [Target("approval", row.id, row.summary) for row in found]


def parties(term: str, caller: Principal) -> list[Target]:
    """Return up to 10 parties by name from its third letter on, or by tax PIN, external id, phone or e-mail address."""
    if len(term) < SHORTEST_NAME:
        return []
    rows = known_parties.visible_to(caller)
    found = _by_id(rows, "pty", term) or known_parties.found_by(rows, term).order_by("-id")[:HITS]
    return [Target("party", party.id, party.display_name) for party in found]


def _by_id[Row: Model](rows: QuerySet[Row], prefix: str, term: str) -> list[Row]:
    """Return the row that a public id names, as a list; empty for another term."""
    with contextlib.suppress(ids.InvalidId):
        return list(rows.filter(id=ids.decode(prefix, term)))
    return []


def transactions(term: str, caller: Principal) -> list[Target]:
    """Return up to 10 ledger transactions by number (LT-0000042) or reference."""
    text = term.upper()
    rows = ledger_transactions.visible_to(caller)
    number = text.removeprefix(LEDGER_PREFIX)
    found = (
        rows.filter(id=int(number))
        if text.startswith(LEDGER_PREFIX) and number.isdecimal()
        else rows.filter(reference=text)
    )
    return [
        Target("transaction", row.uid, f"{row.number}, {row.description}")
        for row in found.order_by("-id")[:HITS]
    ]
