"""Payers: whether the one that a provider names, perhaps with a hidden number, may be the one that we know."""

from apps.integrations.services import providers
from apps.payments.models import InboundReceipt, PaymentAttempt


def agree(provider: str, known: str, told: str) -> bool:
    """Say whether two texts, each a number in clear, masked or hashed, may be of one person; nothing is of nobody."""
    if not known or not told:
        return False
    return providers.payer(provider, known).agrees(providers.payer(provider, told))


def of_attempt(attempt: PaymentAttempt) -> str:
    """Return who paid an attempt, as far as we know: whom we asked, or the number that came with money unasked."""
    if attempt.phone:
        return attempt.phone
    inbound = InboundReceipt.objects.filter(attempt_id=attempt.id).exclude(payer="").first()
    return inbound.payer if inbound else ""
