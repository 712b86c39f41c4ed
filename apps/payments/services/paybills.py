"""Paying by oneself: the numbers that a payer types, and the picture that his phone reads them from."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.cache import cache

from apps.integrations.contracts import ProviderAccountMissing, RegistrationStatus, ShortCodeType
from apps.integrations.ports import ProviderError, QrPort
from apps.integrations.selectors import accounts, registrations
from apps.integrations.services import providers
from apps.kit import crypto, logs
from apps.kit.rooms import ROOM
from apps.payments.contracts import Method
from apps.payments.models import PaymentIntent

SIDE = 300
KEPT = 24 * 3600
NOT_NOW = 60
"""For how many seconds a provider that made no picture is not asked for this one again."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Paybill:
    """The numbers by which a payer pays without a prompt: ``account`` is typed after the paybill number."""

    account_id: UUID
    provider: str
    number: str
    account: str

    @property
    def has_picture(self) -> bool:
        """Say whether the provider makes pictures at all."""
        return providers.offers(self.provider, QrPort)


def of(intent: PaymentIntent) -> Paybill | None:
    """
    Return the numbers to pay by without a prompt; None where money that comes so would not be told of, or not be of this
    payment: nothing can be typed at a till. Nor are there any for a sum that is only to be held back: what comes so is here.
    """
    if not intent.is_captured:
        return None
    try:
        account = accounts.for_collection(
            branch_id=intent.branch_id, provider=Method.MPESA.provider, currency=intent.currency
        )
    except ProviderAccountMissing:
        return None
    registered = registrations.latest(account.id)
    is_told_of = account.is_pull_enabled or (
        registered is not None and registered.status == RegistrationStatus.DONE
    )
    if account.short_code_type == ShortCodeType.TILL or not is_told_of:
        return None
    return Paybill(account.id, account.provider, account.number, intent.code)


def picture(intent: PaymentIntent, paybill: Paybill, *, now: datetime) -> bytes:
    """
    Return the picture of a payment, made by the provider once and kept for a day; nothing where it cannot be made now.

    While one request makes it, or too many wait, others get none: a payer has the numbers beside it.
    """
    key = f"paybill-picture:{intent.id}:{paybill.number}:{intent.due.minor}"
    kept = cache.get(key)
    if kept is not None:
        return bytes(kept)
    with ROOM.place(at_least=1) as has_place:
        if not has_place or not cache.add(key, b"", NOT_NOW):
            return b""
        made = _made(intent, paybill, now=now)
    if made:
        cache.set(key, made, KEPT)
    return made


def _made(intent: PaymentIntent, paybill: Paybill, *, now: datetime) -> bytes:
    try:
        port = providers.qr(paybill.account_id, now=now, subject_id=intent.id)
        return port.make(money=intent.due, reference=paybill.account, size=SIDE)
    except (ProviderError, crypto.Unreadable) as refusal:
        log.warning("picture_not_made", intent_id=str(intent.id), problem=type(refusal).__name__)
        return b""
