"""Finding payments and transactions by what people have in hand: ids, receipts, codes, references, phones."""

from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.kit import ids
from apps.ledger.selectors import transactions as ledger_transactions
from apps.payments.selectors import intents
from apps.portal.contracts import Target
from apps.portal.selectors import words

HITS = 10
LEDGER_PREFIX = "LT-"


def payments(term: str, caller: Principal) -> list[Target]:
    """Return up to 10 payments that the term names exactly: ``pi_…``, receipt, code, ticket, reference or phone."""
    rows = intents.visible_to(caller)
    text = term.strip()
    if (intent_id := _intent_id(text)) is not None:
        found = rows.filter(id=intent_id)
    else:
        phone = f"+254{text[1:]}" if text.isdecimal() and text.startswith("0") else text
        by_intent = rows.filter(reference__in={text, text.upper()}) | rows.filter(payer_phone=phone)
        by_attempt = rows.filter(attempts__provider_receipt=text.upper()) | rows.filter(
            attempts__code=text.upper()
        )
        found = (by_intent | by_attempt).distinct()
    return [
        Target(
            "payment",
            intent.id,
            f"{intent.money}, {intent.payer_name or words.phone(intent.payer_phone)}",
        )
        for intent in found.order_by("-id")[:HITS]
    ]


def transactions(term: str, caller: Principal) -> list[Target]:
    """Return up to 10 ledger transactions by number (LT-0000042) or reference."""
    text = term.strip().upper()
    rows = ledger_transactions.visible_to(caller)
    number = text.removeprefix(LEDGER_PREFIX)
    found = (
        rows.filter(id=int(number))
        if text.startswith(LEDGER_PREFIX) and number.isdecimal()
        else rows.filter(reference=text)
    )
    return [
        Target("ledger transaction", row.uid, f"{row.number}, {row.description}")
        for row in found.order_by("-id")[:HITS]
    ]


def _intent_id(text: str) -> UUID | None:
    try:
        return ids.decode("pi", text)
    except ids.InvalidId:
        return None
