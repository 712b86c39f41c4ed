"""Holds: money that is promised and not yet moved."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from apps.kit.models import CurrencyField, MinorField, StatefulModel, one_of
from apps.kit.money import Money
from apps.ledger.contracts import HoldState
from apps.ledger.models.account import Account
from apps.ledger.models.read_only import choices
from apps.ledger.models.transaction import Transaction

OPEN_STATES = [HoldState.ACTIVE.value, HoldState.PARTIALLY_CAPTURED.value]


class Hold(StatefulModel):
    """
    A promise that ``debit_account`` will pay ``credit_account``: one transaction on the pending layer.

    What is ``captured`` was booked on the posted layer, what is ``released`` will not be; the rest is still held. A hold
    that has ended stays so, and the rest always equals its pending entries (two triggers). Lock the row before balances.
    """

    transaction = models.OneToOneField(
        Transaction, on_delete=models.PROTECT, primary_key=True, related_name="promise", db_constraint=False
    )
    debit_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    credit_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency = CurrencyField()
    amount = MinorField()
    captured = MinorField()
    released = MinorField()
    expires_at = models.DateTimeField(null=True)
    state = FSMField(max_length=20, choices=choices(HoldState), protected=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"], name="ledger_hold_due", condition=one_of("state", OPEN_STATES)
            )
        ]
        constraints = [
            models.CheckConstraint(condition=one_of("state", HoldState), name="ledger_hold_state"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, captured__gte=0, released__gte=0)
                & Q(captured__lte=F("amount") - F("released")),
                name="ledger_hold_not_exceeded",
            ),
            models.CheckConstraint(
                condition=(one_of("state", OPEN_STATES) & Q(captured__lt=F("amount") - F("released")))
                | (~one_of("state", OPEN_STATES) & Q(captured=F("amount") - F("released"))),
                name="ledger_hold_open_while_held",
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.transaction_id}"

    @property
    def remaining(self) -> Money:
        return Money(int(self.amount - self.captured - self.released), self.currency)

    def is_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and at >= self.expires_at

    @transition(field="state", source=OPEN_STATES, target=HoldState.PARTIALLY_CAPTURED.value)
    def capture_part(self, minor: int) -> None:
        self.captured += minor

    @transition(field="state", source=OPEN_STATES, target=HoldState.CAPTURED.value)
    def capture_rest(self) -> None:
        self.captured = self.amount - self.released

    @transition(field="state", source=OPEN_STATES, target=HoldState.RELEASED.value)
    def release(self) -> None:
        self.released = self.amount - self.captured

    @transition(field="state", source=OPEN_STATES, target=HoldState.EXPIRED.value)
    def expire(self) -> None:
        self.released = self.amount - self.captured
