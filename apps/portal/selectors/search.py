"""Finding payments and transactions by what people have in hand: ids, receipts, codes, references, phones."""

from apps.access.selectors.scope import Principal
from apps.ledger.selectors import transactions as ledger_transactions
from apps.payments.selectors import intents
from apps.portal.contracts import Target
from apps.portal.selectors import words

HITS = 10
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
