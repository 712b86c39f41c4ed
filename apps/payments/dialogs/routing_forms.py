"""The form of a routing rule in the portal: it reads input, the service judges it."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import applications, branches, scope
from apps.integrations.contracts import provider_name
from apps.kit import typed_sums
from apps.kit.dialogs import REASON_MAX
from apps.kit.money import EXPONENTS, Money, MoneyInvalid
from apps.payments.contracts import (
    ROUTING_STRATEGIES,
    Method,
    NewRoutingRule,
    NewRoutingTarget,
    RoutingStrategy,
)
from apps.payments.models.routing import NAME_LENGTH
from apps.payments.selectors import routing as stored
from apps.payments.services.routing_checks import POSITIONS, TARGETS_MAX, WEIGHTS

PLACES = range(1, TARGETS_MAX + 1)
ANY = [("", _("Any"))]


class SumField(forms.CharField):
    """An amount as people write it, 10,000.00; the form reads it in its currency."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(required=False, max_length=60, widget=widget, **kwargs)


class ClockField(forms.TimeField):
    """A time of the day that may stay empty."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        super().__init__(required=False, widget=widget, input_formats=["%H:%M"], **kwargs)


class RoutingRuleForm(forms.Form):
    """Which payments, and through which accounts: it shows every one that a rule may name."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH)
    position = forms.IntegerField(
        label=_("Place"),
        min_value=POSITIONS[0],
        max_value=POSITIONS[-1],
        initial=10,
        help_text=_(
            "Rules of a branch are asked first, then the others, each in this order. The first that fits decides."
        ),
    )
    branch = forms.ChoiceField(label=_("Branch"), required=False)
    application = forms.ChoiceField(label=_("Application"), required=False)
    method = forms.ChoiceField(
        label=_("Method"),
        required=False,
        choices=[*ANY, *((method.value, provider_name(method)) for method in Method)],
    )
    currency = forms.ChoiceField(
        label=_("Currency"), required=False, choices=[*ANY, *((code, code) for code in sorted(EXPONENTS))]
    )
    minimum = SumField(label=_("From"), help_text=_("Empty: any sum."))
    maximum = SumField(label=_("Below"), help_text=_("Empty: no upper end."))
    weekdays = forms.MultipleChoiceField(
        label=_("Days"),
        required=False,
        choices=[(str(number + 1), day) for number, day in WEEKDAYS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: every day."),
    )
    from_time = ClockField(label=_("From (time)"), help_text=_("Empty: the whole day."))
    to_time = ClockField(label=_("Until (time)"), help_text=_("It may lie beyond midnight."))
    strategy = forms.ChoiceField(
        label=_("How the accounts are used"),
        choices=[(each.value, word) for each, word in ROUTING_STRATEGIES.items()],
    )

    def __init__(
        self, data: Any = None, *, person: scope.Principal, rule: NewRoutingRule | None = None
    ) -> None:
        super().__init__(data, initial=_initial(rule))
        own = scope.own_branch_ids(person)
        everywhere = [("", _("All branches"))] if own is None else []
        places = branches.visible_to(person).order_by("name")
        self.fields["branch"] = forms.ChoiceField(
            label=_("Branch"),
            required=not everywhere,
            choices=[*everywhere, *((str(place.id), place.name) for place in places)],
        )
        names = applications.visible_to(person).order_by("name").values_list("id", "name")
        self.fields["application"] = forms.ChoiceField(
            label=_("Application"), required=False, choices=[*ANY, *((str(key), name) for key, name in names)]
        )
        found = [(str(key), name) for key, name in stored.accounts_for(person).items()]
        for place in PLACES:
            self.fields[f"account_{place}"] = forms.ChoiceField(
                label=_("Account %(number)d") % {"number": place},
                required=place == 1,
                choices=[("", "—"), *found],
            )
            self.fields[f"weight_{place}"] = forms.IntegerField(
                label=_("Account %(number)d: share") % {"number": place},
                required=False,
                min_value=WEIGHTS[0],
                max_value=WEIGHTS[-1],
                help_text=_("Only where each has its share: 3 and 1 are three payments of four, and one."),
            )
        self.fields["is_trial"] = forms.BooleanField(
            label=_("Only try it on the payments of the last 30 days"),
            required=False,
            help_text=_("Nothing changes: a job lists what would have gone through another account."),
        )
        self.fields["reason"] = forms.CharField(
            label=_("Reason"), required=False, max_length=REASON_MAX, widget=forms.Textarea(attrs={"rows": 2})
        )

    def clean(self) -> dict[str, Any]:
        """Read the sums in the currency of the rule."""
        data = super().clean() or {}
        for name in ("minimum", "maximum"):
            text = str(data.get(name, ""))
            data[f"{name}_minor"] = self._minor(name, text, str(data.get("currency", ""))) if text else None
        return data

    def _minor(self, name: str, text: str, currency: str) -> int | None:
        if not currency:
            self.add_error("currency", _("Name the currency of the sums."))
            return None
        try:
            return typed_sums.read(text, currency).minor
        except MoneyInvalid as refusal:
            self.add_error(name, refusal.detail)
            return None


def asked_rule(data: Any) -> NewRoutingRule:
    """Return the rule that a valid form asks for; places without an account are left out."""
    return NewRoutingRule(
        name=data["name"],
        position=data["position"],
        targets=tuple(
            NewRoutingTarget(UUID(data[f"account_{place}"]), data[f"weight_{place}"])
            for place in PLACES
            if data[f"account_{place}"]
        ),
        strategy=RoutingStrategy(data["strategy"]),
        branch_id=UUID(data["branch"]) if data["branch"] else None,
        application_id=UUID(data["application"]) if data["application"] else None,
        method=Method(data["method"]) if data["method"] else None,
        currency=data["currency"],
        minimum_minor=data["minimum_minor"],
        maximum_minor=data["maximum_minor"],
        weekdays="".join(data["weekdays"]),
        from_time=data["from_time"],
        to_time=data["to_time"],
    )


def _initial(rule: NewRoutingRule | None) -> dict[str, Any]:
    if rule is None:
        return {}

    def text(minor: int | None) -> str:
        return "" if minor is None else Money(minor, rule.currency).text

    initial: dict[str, Any] = {
        "name": rule.name,
        "position": rule.position,
        "branch": str(rule.branch_id or ""),
        "application": str(rule.application_id or ""),
        "method": rule.method.value if rule.method else "",
        "currency": rule.currency,
        "minimum": text(rule.minimum_minor),
        "maximum": text(rule.maximum_minor),
        "weekdays": list(rule.weekdays),
        "from_time": rule.from_time,
        "to_time": rule.to_time,
        "strategy": rule.strategy.value,
    }
    for place, target in enumerate(rule.targets, start=1):
        initial[f"account_{place}"] = str(target.account_id)
        initial[f"weight_{place}"] = target.weight
    return initial
