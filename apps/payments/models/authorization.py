"""What a payer has agreed to and a provider holds back for us, and what we have asked to become of it."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from apps.kit.models import MinorField
from apps.kit.money import Money

REFUSAL_LENGTH = 300
AUTHORIZATION_FIELDS = [
    "held_minor",
    "authorized_at",
    "capture_minor",
    "capture_number",
    "order_due_at",
    "ordered_at",
    "capture_refusal",
]


class Authorization(models.Model):
    """
    The part of an attempt that is about money held back.

    ``is_captured`` is false where a person or an application says later what is taken: then ``capture_minor`` is that sum.
    ``capture_number`` counts the orders to take one: the provider knows an order that is given again by it.
    ``order_due_at`` is set while the provider is to be told to take the sum or to let it go (which of both: whether its
    intent is to be cancelled), since ``ordered_at``. ``capture_refusal`` is why it took nothing when it was told last.
    """

    is_captured = models.BooleanField(default=True)
    held_minor = MinorField(null=True)
    authorized_at = models.DateTimeField(null=True)
    capture_minor = MinorField(null=True)
    capture_number = models.PositiveSmallIntegerField(default=0)
    order_due_at = models.DateTimeField(null=True)
    ordered_at = models.DateTimeField(null=True)
    capture_refusal = models.CharField(max_length=REFUSAL_LENGTH, blank=True)

    if TYPE_CHECKING:

        @property
        def money(self) -> Money: ...

    class Meta:
        abstract = True

    @property
    def held(self) -> Money | None:
        """What the provider holds back, or held until it was taken or let go."""
        return None if self.held_minor is None else Money(self.held_minor, self.money.currency)

    @property
    def expected(self) -> Money:
        """The sum that is to arrive: what was asked for, or what of it is captured."""
        if self.capture_minor is None or self.is_captured:
            return self.money
        return Money(self.capture_minor, self.money.currency)

    @property
    def was_let_go(self) -> bool:
        """Whether the provider was told last to let go what was open."""
        return self.ordered_at is not None and self.capture_minor is None and not self.capture_refusal

    def order(self, *, at: datetime, capture: Money | None = None) -> None:
        """Have the provider told: to take this sum, or without one to let go what is open."""
        if capture is not None:
            self.capture_minor = capture.minor
            self.capture_number += 1
        self.capture_refusal = ""
        self.ordered_at = self.order_due_at = at

    def order_again(self, *, capture: Money, refusal: str, at: datetime) -> None:
        """Have the provider told anew to take a sum that it would not take, under the next number; say why it did not."""
        self.order(at=at, capture=capture)
        self.capture_refusal = refusal[:REFUSAL_LENGTH]

    def end_order(self, *, refusal: str = "") -> None:
        """The provider has carried it out, or will not; what was refused may be ordered anew."""
        self.order_due_at = None
        if refusal:
            self.capture_minor = None
            self.capture_refusal = refusal[:REFUSAL_LENGTH]
