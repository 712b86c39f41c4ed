"""The connected account: a party's own account at a provider, through which it is paid."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.disbursements.contracts import ConnectedStatus
from apps.disbursements.models.order import CODE_LENGTH, MESSAGE_LENGTH, TICKET_LENGTH
from apps.kit.judged import JUDGED_FIELDS, Judged
from apps.kit.models import CurrencyField, StatefulModel, UuidModel, one_of
from apps.kit.polled import PolledQuerySet

URL_LENGTH = 2000
EMAIL_LENGTH = 254
NEED_LENGTH = 120
NOT_OPENED = "not_opened"
"""Why an opening failed of which people agreed that it opened nothing."""
ASKED_STATES = ["REQUESTED", "UNKNOWN"]
"""While the provider is being asked to open it."""
OPENED_STATES = ["PENDING", "ENABLED", "RESTRICTED"]
LIVE_STATES = [*ASKED_STATES, *OPENED_STATES]

PROGRESS_FIELDS = [
    "status",
    "ticket",
    "needs",
    "due_by",
    "failure_code",
    "failure_message",
    "provider_code",
    "sent_at",
    "repeated_at",
    "next_query_at",
    "query_started_at",
    "opened_at",
    "changed_at",
    "closed_at",
    *JUDGED_FIELDS,
]
"""What changes after creation: saved together, under the row's lock."""


class ConnectedAccountQuerySet(PolledQuerySet):
    def of_branches(self, branch_ids: set[UUID] | None) -> Self:
        """Limit to these branches; None means every branch."""
        return self if branch_ids is None else self.filter(branch_id__in=branch_ids)

    def of_applications(self, application_ids: set[UUID] | None) -> Self:
        """Limit to these applications; None means every application."""
        return self if application_ids is None else self.filter(application_id__in=application_ids)

    def live(self) -> Self:
        return self.filter(status__in=LIVE_STATES)


class ConnectedAccount(Judged, UuidModel, StatefulModel):
    """
    The account that a provider keeps for a party under one of ours; a party has one live one under each.

    ``code`` is ours, by which the provider knows a repeated request to open it; ``ticket`` is the provider's name of it.
    ``sent_at`` is when the provider was first asked by a request that may have been carried out, ``repeated_at`` when for the
    second time. While it is UNKNOWN, ``failure_code`` and the message say what stands in the way of knowing.
    ``needs`` are the things that the provider still wants to know, in its words, and ``due_by`` until when. ``changed_at``
    is when the provider last said something else than before. CLOSED and FAILED are never left; a trigger in the database
    says the same.
    ``verdict_by`` says of an UNKNOWN one that the provider opened nothing, and why; that waits for its approval until ``judged_at``,
    when it ended the opening. One that ended so is looked for all the same, and has a ``ticket`` where the provider has it after all.
    """

    party = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=20)
    provider_account = models.ForeignKey(
        "integrations.ProviderAccount", on_delete=models.PROTECT, related_name="+"
    )
    status = FSMField(
        max_length=24,
        choices=[(state.value, state.value) for state in ConnectedStatus],
        default=ConnectedStatus.REQUESTED.value,
        protected=True,
    )
    code = models.CharField(max_length=10, unique=True)
    country = models.CharField(max_length=2)
    currency = CurrencyField()
    email = models.EmailField(max_length=EMAIL_LENGTH, blank=True)
    return_url = models.CharField(max_length=URL_LENGTH)
    refresh_url = models.CharField(max_length=URL_LENGTH)
    ticket = models.CharField(max_length=TICKET_LENGTH, blank=True)
    needs = ArrayField(models.CharField(max_length=NEED_LENGTH), default=list)
    due_by = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    failure_message = models.CharField(max_length=MESSAGE_LENGTH, blank=True)
    provider_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    repeated_at = models.DateTimeField(null=True)
    next_query_at = models.DateTimeField(null=True)
    query_started_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = ConnectedAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"), name="connected_account_country_form"
            ),
            models.CheckConstraint(
                condition=one_of("status", [*ASKED_STATES, ConnectedStatus.FAILED])
                & Q(opened_at__isnull=True)
                | one_of("status", [*OPENED_STATES, ConnectedStatus.CLOSED])
                & Q(opened_at__isnull=False)
                & ~Q(ticket=""),
                name="connected_account_ticket_since_opened",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=False) | Q(repeated_at__isnull=True) & ~Q(status="UNKNOWN"),
                name="connected_account_lost_once_sent",
            ),
            models.CheckConstraint(
                condition=Q(
                    verdict_reason="", verdict_by="", verdict_approval_id__isnull=True, judged_at__isnull=True
                )
                | (
                    ~Q(verdict_reason="")
                    & ~Q(verdict_by="")
                    & Q(verdict_approval_id__isnull=False, sent_at__isnull=False)
                    & (
                        Q(judged_at__isnull=True)
                        | Q(status=ConnectedStatus.FAILED.value, failure_code=NOT_OPENED)
                    )
                ),
                name="connected_account_verdict_whole",
            ),
            models.UniqueConstraint(
                fields=["party", "provider_account"],
                condition=one_of("status", LIVE_STATES),
                name="connected_account_one_live",
            ),
            models.UniqueConstraint(
                fields=["provider_account", "ticket"],
                condition=~Q(ticket=""),
                name="connected_account_ticket_once",
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="connected_account_by_branch"),
            models.Index(fields=["party", "-id"], name="connected_account_by_party"),
            models.Index(
                fields=["next_query_at"],
                condition=Q(next_query_at__isnull=False),
                name="connected_account_query_due",
            ),
        ]

    def __str__(self) -> str:
        return self.ticket or self.code

    @property
    def is_opened(self) -> bool:
        """The provider keeps it, and its party may tell it more there."""
        return self.status in OPENED_STATES

    @property
    def is_looked_for(self) -> bool:
        """People said that the provider opened none, and its list has not said so yet, or may say otherwise."""
        return self.judged_at is not None and not self.ticket

    @property
    def is_found(self) -> bool:
        """The provider has it, although people had agreed that it opened none."""
        return self.judged_at is not None and bool(self.ticket)

    @property
    def is_payable(self) -> bool:
        return self.status == ConnectedStatus.ENABLED

    def save_progress(self) -> None:
        self.save(update_fields=PROGRESS_FIELDS)

    def ask(self, *, at: datetime) -> None:
        """The provider is about to be asked to open it, or asked again."""
        if self.sent_at is None:
            self.sent_at = at
        elif self.repeated_at is None:
            self.repeated_at = at

    @transition(status, source=ASKED_STATES, target=ConnectedStatus.PENDING)
    def open(self, *, ticket: str, at: datetime) -> None:
        """The provider keeps it, and asks the party what it wants to know."""
        self.ticket = ticket
        self.failure_code = self.failure_message = self.provider_code = ""
        self.opened_at = self.changed_at = at
        self.next_query_at = at

    @transition(status, source=ASKED_STATES, target=ConnectedStatus.UNKNOWN)
    def lose(self, *, code: str, message: str, provider_code: str) -> None:
        """Nobody can say whether the provider has opened it, and why nobody can."""
        self._explain(code, message, provider_code)

    @transition(status, source=ASKED_STATES, target=ConnectedStatus.FAILED)
    def fail(self, *, code: str, message: str, provider_code: str, at: datetime) -> None:
        """The provider opens none."""
        self._explain(code, message, provider_code)
        self.next_query_at = None
        self.closed_at = at

    def end_not_opened(self, *, message: str, at: datetime) -> None:
        """End the opening as people said; it is looked for as was planned."""
        planned = self.next_query_at
        self.fail(code=NOT_OPENED, message=message, provider_code="", at=at)
        self.next_query_at = planned

    def find(self, *, ticket: str) -> None:
        """The provider has it after all: it stays as it ended, and its id is kept."""
        self.ticket, self.next_query_at = ticket, None

    def _explain(self, code: str, message: str, provider_code: str) -> None:
        self.failure_code, self.failure_message = code[:CODE_LENGTH], message[:MESSAGE_LENGTH]
        self.provider_code = provider_code[:CODE_LENGTH]

    @transition(status, source=OPENED_STATES, target=ConnectedStatus.PENDING)
    def wait(self) -> None:
        """The party has not told the provider all that it asks."""

    @transition(status, source=OPENED_STATES, target=ConnectedStatus.ENABLED)
    def enable(self) -> None:
        """It may be paid to."""

    @transition(status, source=OPENED_STATES, target=ConnectedStatus.RESTRICTED)
    def restrict(self) -> None:
        """It may not be paid to before the party tells the provider more."""

    @transition(status, source=OPENED_STATES, target=ConnectedStatus.CLOSED)
    def close(self, *, at: datetime) -> None:
        """The provider keeps it no more, or not for us."""
        self.next_query_at = None
        self.closed_at = at
