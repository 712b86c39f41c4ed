"""What people choose about money that comes otherwise than asked."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.payments.contracts import LATE_MONEY, REPEATED_WITHIN_HOURS_MAX, CollectionTerms, LateMoney
from apps.payments.models import PaymentIntent
from apps.payments.selectors import policies as stored
from apps.payments.services import policies


class CollectionPolicyForm(ReasonForm):
    """What becomes of money that comes otherwise than asked."""

    late_money = forms.ChoiceField(
        label=gettext_lazy("Money that comes after its payment was closed"), choices=list(LATE_MONEY.items())
    )
    refuses_unknown = forms.BooleanField(
        label=gettext_lazy("Refuse money for a payment that nobody knows or waits for"), required=False
    )
    refuses_other_sums = forms.BooleanField(
        label=gettext_lazy("Refuse another sum than was asked for"), required=False
    )
    takes_parts = forms.BooleanField(
        label=gettext_lazy("Less than is due, under a payment's own code, pays a part of it"), required=False
    )
    repeated_within_hours = forms.IntegerField(
        label=gettext_lazy("Hours in which the same sum, reference and payer are suspected to be paid twice"),
        min_value=1,
        max_value=REPEATED_WITHIN_HOURS_MAX,
    )
    field_order = (
        "late_money",
        "refuses_unknown",
        "refuses_other_sums",
        "takes_parts",
        "repeated_within_hours",
        "reason",
    )


class ChooseCollectionPolicy(Dialog):
    """Say what becomes of money that comes otherwise than asked."""

    name = "policy"
    label = gettext_lazy("Late and other money…")
    icon = "rule"
    permission = "access.manage"
    steps_up = True
    on_list = True

    def form(self, request: HttpRequest, rows: Sequence[PaymentIntent], data: Any = None) -> forms.Form:  # noqa: ARG002 (about all)
        return CollectionPolicyForm(data, initial=asdict(stored.current()))

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (about all)
        terms = stored.current()
        return Content(
            title=_("Late and other money"),
            button=_("Choose"),
            effects=[
                Effect(_("Late money now"), str(LATE_MONEY[terms.late_money])),
                Effect(_("Parts now"), _("taken") if terms.takes_parts else _("a person decides")),
            ],
            next_step=_(
                "It holds for money that comes from now on. Refusals work where a provider asks before it takes the money."
            ),
        )

    def perform(self, rows: Sequence[PaymentIntent], answer: Answer) -> list[str]:  # noqa: ARG002 (about all)
        terms = CollectionTerms(
            LateMoney(answer.data["late_money"]),
            answer.data["refuses_unknown"],
            answer.data["refuses_other_sums"],
            answer.data["takes_parts"],
            answer.data["repeated_within_hours"],
        )
        policies.choose(terms=terms, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return [
            _("Money that comes late: %(choice)s.") % {"choice": str(LATE_MONEY[terms.late_money]).lower()}
        ]
