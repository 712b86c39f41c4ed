"""What crosses the border of payments about ways to pay that payers let us keep."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.payments.contracts import Method


class SavedMethodStatus(StrEnum):
    """
    Where a way to pay stands that a payer may let us keep.

    REQUESTED: the provider is being asked for its page; UNKNOWN: nobody knows whether it has one; PENDING: the payer has not
    agreed there yet. ACTIVE is kept; FORGETTING is charged no more and the provider is being told.
    """

    REQUESTED = "REQUESTED"
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    FORGETTING = "FORGETTING"
    FORGOTTEN = "FORGOTTEN"
    FAILED = "FAILED"


class ConsentUse(StrEnum):
    """What a payer agreed to: that he is charged without being there, or only that he need not type it again."""

    OFF_SESSION = "OFF_SESSION"
    ON_SESSION = "ON_SESSION"


CONSENT_USES: dict[ConsentUse, Promise] = {
    ConsentUse.OFF_SESSION: _("May be charged without the payer"),
    ConsentUse.ON_SESSION: _("Only while the payer is there"),
}


@dataclass(frozen=True, slots=True)
class Consent:
    """What a payer agreed to: the words that he saw, when, and from which address (empty where nobody noted it)."""

    text: str
    use: ConsentUse
    given_at: datetime
    address: str = ""


@dataclass(frozen=True, slots=True)
class NewSavedMethod:
    """
    Ask a payer to let us keep a way to pay.

    ``payer_reference`` is the application's own id of him, by which the provider keeps his ways to pay together. He is sent
    to ``return_url`` when he has agreed on the provider's page, to ``cancel_url`` when he turns back.
    """

    method: Method
    currency: str
    branch_id: UUID
    application_id: UUID
    payer_reference: str
    consent: Consent
    return_url: str
    cancel_url: str
    payer_name: str = ""
    payer_email: str = ""
