"""The links of pay pages: made for an intent, and made again for whoever must send its payer back to it."""

from datetime import datetime, timedelta

from apps.kit import crypto
from apps.kit.actors import Actor
from apps.payments.models import PaymentIntent, PayPage
from apps.tenancy.selectors import organisations

SECRET_SIZE = 40
"""Hexadecimal digits of a secret: 160 bits."""
BACK_WITHIN = timedelta(days=1)
"""How long a link that is made for a page of a provider's opens at least: so long may the payer stay there."""


def make(intent: PaymentIntent, *, actor: Actor, expires_at: datetime, now: datetime) -> PayPage:
    """Make the link to an intent, whose row the caller has locked; one that was made before opens nothing any more."""
    PayPage.objects.filter(intent=intent, revoked_at__isnull=True).update(revoked_at=now)
    page = PayPage(
        intent=intent,
        branch_id=intent.branch_id,
        application_id=intent.application_id,
        created_by=str(actor),
        created_at=now,
        expires_at=expires_at,
    )
    page.digest = digest(_secret(page))
    page.save(force_insert=True)
    return page


def ensured(intent: PaymentIntent, *, actor: Actor, now: datetime) -> PayPage:
    """Return the link to an intent, whose row the caller has locked: the one that there is, else a new one."""
    page = PayPage.objects.good(now).filter(intent=intent).first()
    return page or make(intent, actor=actor, expires_at=max(intent.expires_at, now + BACK_WITHIN), now=now)


def address(page: PayPage) -> str:
    """
    Return the address of a link. It holds the secret, which is made of the page's id and our master key: no table of ours has it,
    but the body of a provider's signed message that names the address, which is kept as it came and shown without it.
    """
    return f"{organisations.origin()}/pay/{_secret(page)}"


def digest(secret: str) -> str:
    """Return what is kept of a secret: by it a link is found."""
    return crypto.keyed_hash(secret, b"treasury.payments.pay_page")


def _secret(page: PayPage) -> str:
    return crypto.keyed_hash(page.id.hex, b"treasury.payments.pay_page_secret")[:SECRET_SIZE]
