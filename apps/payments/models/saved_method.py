"""The saved method: a way to pay that a payer lets us keep, with what he agreed to, and the provider's token of it."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from apps.integrations.contracts import provider_name
from apps.integrations.ports import SavedMethodReport, Ticket
from apps.kit.models import CurrencyField, StatefulModel, UuidModel, one_of
from apps.kit.polled import PolledQuerySet
from apps.payments.contracts import METHODS, Method
from apps.payments.contracts.saving import ConsentUse, SavedMethodStatus
from apps.payments.models.intent import CODE_LENGTH, EMAIL_LENGTH, MESSAGE_LENGTH

CONSENT_LENGTH = 1000
REFERENCE_LENGTH = 64
URL_LENGTH = 2000
OPEN_STATES = ["REQUESTED", "UNKNOWN", "PENDING"]
KEPT_STATES = ["ACTIVE", "FORGETTING"]
"""While the provider keeps it."""

PROGRESS_FIELDS = [
    "status",
    "ticket",
    "page_url",
    "sealed_customer",
    "sealed_token",
    "token_digest",
    "brand",
    "last4",
    "expires",
    "fingerprint",
    "failure_code",
    "failure_message",
    "provider_code",
    "next_query_at",
    "query_started_at",
    "initiated_at",
    "saved_at",
    "forget_requested_at",
    "forget_requested_by",
    "forgotten_at",
    "closed_at",
]
"""What changes after creation: saved together, under the row's lock."""


class SavedMethodQuerySet(PolledQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: set[UUID] | None) -> Self:
        """Limit to these applications; None means every application."""
        return self if application_ids is None else self.filter(application_id__in=application_ids)


class SavedMethod(UuidModel, StatefulModel):
    """
    A card, or another way to pay, that its payer lets one application charge in one branch, as far as he agreed.

    ``payer_reference`` is the payer by the application's own id. What he agreed to (``consent_…``) is fixed when it is asked for,
    as are the account and the ``code`` by which the provider knows the request. ``sealed_token`` holds the provider's token and
    the payer's there, sealed for the organisation, ``token_digest`` finds it; both are empty until the payer has been on the
    provider's page. REQUESTED and UNKNOWN are asked for again under their code, FORGETTING until the provider says that it has
    forgotten. FORGOTTEN and FAILED are never left; a trigger in the database says the same.
    """

    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=20)
    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    status = FSMField(
        max_length=24,
        choices=[(state.value, state.value) for state in SavedMethodStatus],
        default=SavedMethodStatus.REQUESTED.value,
        protected=True,
    )
    code = models.CharField(max_length=10, unique=True)
    currency = CurrencyField()
    payer_reference = models.CharField(max_length=REFERENCE_LENGTH)
    payer_name = models.CharField(max_length=120, blank=True)
    payer_email = models.EmailField(max_length=EMAIL_LENGTH, blank=True)
    consent_text = models.CharField(max_length=CONSENT_LENGTH)
    consent_use = models.CharField(max_length=12, choices=[(use.value, use.value) for use in ConsentUse])
    consent_at = models.DateTimeField()
    consent_address = models.GenericIPAddressField(null=True)
    return_url = models.CharField(max_length=URL_LENGTH)
    cancel_url = models.CharField(max_length=URL_LENGTH)
    sealed_customer = models.BinaryField(default=b"")
    ticket = models.CharField(max_length=120, blank=True)
    page_url = models.CharField(max_length=URL_LENGTH, blank=True)
    sealed_token = models.BinaryField(default=b"")
    token_digest = models.CharField(max_length=64, blank=True)
    brand = models.CharField(max_length=24, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    expires = models.CharField(max_length=7, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    failure_message = models.CharField(max_length=MESSAGE_LENGTH, blank=True)
    provider_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    next_query_at = models.DateTimeField(null=True)
    query_started_at = models.DateTimeField(null=True)
    initiated_at = models.DateTimeField(null=True)
    saved_at = models.DateTimeField(null=True)
    forget_requested_at = models.DateTimeField(null=True)
    forget_requested_by = models.CharField(max_length=120, blank=True)
    forgotten_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = SavedMethodQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("saved ways to pay")
        constraints = [
            models.CheckConstraint(
                condition=one_of("consent_use", ConsentUse), name="saved_method_use_known"
            ),
            models.CheckConstraint(
                condition=~Q(consent_text="") & ~Q(payer_reference=""), name="saved_method_has_consent"
            ),
            models.CheckConstraint(
                condition=Q(saved_at__isnull=True, token_digest="")
                | (Q(saved_at__isnull=False) & ~Q(token_digest="")),
                name="saved_method_token_since_saved",
            ),
            models.CheckConstraint(
                condition=(
                    one_of("status", KEPT_STATES) & Q(saved_at__isnull=False, forgotten_at__isnull=True)
                )
                | Q(
                    status=SavedMethodStatus.FORGOTTEN.value,
                    saved_at__isnull=False,
                    forgotten_at__isnull=False,
                )
                | (
                    one_of("status", [*OPEN_STATES, SavedMethodStatus.FAILED])
                    & Q(saved_at__isnull=True, forgotten_at__isnull=True)
                ),
                name="saved_method_states",
            ),
            models.UniqueConstraint(
                fields=["provider", "token_digest"],
                condition=one_of("status", KEPT_STATES),
                name="saved_method_token_once",
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="saved_method_by_branch"),
            models.Index(fields=["application", "payer_reference"], name="saved_method_by_payer"),
            models.Index(fields=["provider_account", "ticket"], name="saved_method_by_ticket"),
            models.Index(
                fields=["next_query_at"],
                condition=Q(next_query_at__isnull=False),
                name="saved_method_query_due",
            ),
        ]

    def __str__(self) -> str:
        if self.last4:
            return f"{self.brand.title()} •••• {self.last4}"
        return provider_name(self.provider) if self.brand else self.payer_reference

    @property
    def method(self) -> Method:
        return METHODS[self.provider]

    @property
    def is_open(self) -> bool:
        """It is asked for, and nobody knows yet whether the payer lets us keep it."""
        return self.status in OPEN_STATES

    @property
    def is_chargeable(self) -> bool:
        """The provider keeps it, and its payer agreed that it is charged without him."""
        return self.status == SavedMethodStatus.ACTIVE and self.consent_use == ConsentUse.OFF_SESSION

    @property
    def page(self) -> str:
        """The address of the provider's page on which the payer agrees; empty until it is known and once that has ended."""
        return self.page_url if self.status == SavedMethodStatus.PENDING else ""

    @property
    def purpose(self) -> str:
        """What its sealed values are bound to."""
        return f"payments.saved_method:{self.id.hex}"

    def save_progress(self) -> None:
        self.save(update_fields=PROGRESS_FIELDS)

    @transition(
        status,
        source=[SavedMethodStatus.REQUESTED, SavedMethodStatus.UNKNOWN],
        target=SavedMethodStatus.PENDING,
    )
    def accept(self, *, ticket: Ticket, at: datetime, next_query_at: datetime) -> None:
        """The provider has a page for the payer."""
        self.ticket = ticket.value
        self.page_url = ticket.next_action.url if ticket.next_action else ""
        self.initiated_at = at
        self.next_query_at = next_query_at

    @transition(status, source=SavedMethodStatus.REQUESTED, target=SavedMethodStatus.UNKNOWN)
    def lose(self) -> None:
        """Nobody can say whether the provider has a page for it."""

    @transition(status, source=OPEN_STATES, target=SavedMethodStatus.ACTIVE)
    def keep(
        self, *, report: SavedMethodReport, sealed_token: bytes, token_digest: str, at: datetime
    ) -> None:
        """The payer lets us keep it."""
        self.sealed_token, self.token_digest = sealed_token, token_digest
        self.saved_at = at
        self.next_query_at = None
        self.take_details(report)

    def take_details(self, report: SavedMethodReport) -> None:
        """Take over what people may know of the card, which its bank may renew, or of the wallet."""
        self.brand, self.last4 = report.brand[:24], report.last4[-4:]
        self.expires, self.fingerprint = report.expires[:7], report.fingerprint[:64]

    @transition(status, source=OPEN_STATES, target=SavedMethodStatus.FAILED)
    def fail(self, *, code: str, message: str, provider_code: str, at: datetime) -> None:
        """The payer did not let us keep it, or the provider will not."""
        self.failure_code, self.failure_message = code[:CODE_LENGTH], message[:MESSAGE_LENGTH]
        self.provider_code = provider_code[:CODE_LENGTH]
        self.next_query_at = None
        self.closed_at = at

    @transition(status, source=SavedMethodStatus.ACTIVE, target=SavedMethodStatus.FORGETTING)
    def let_go(self, *, at: datetime) -> None:
        """It is charged no more; the provider is to be told."""
        self.next_query_at = at

    @transition(status, source=KEPT_STATES, target=SavedMethodStatus.FORGOTTEN)
    def forget(self, *, at: datetime) -> None:
        """The provider keeps it no more, and neither do we: only what shows which it was stays."""
        self.sealed_token = self.sealed_customer = b""
        self.next_query_at = None
        self.forgotten_at = at
