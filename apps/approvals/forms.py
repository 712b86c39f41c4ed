"""The forms of approvals in the portal: they read input, the services judge it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import branches, roles
from apps.access.selectors.scope import Principal, own_branch_ids
from apps.approvals.contracts import KINDS, NewRule, NewStep
from apps.approvals.models import ApprovalRule
from apps.approvals.models.request import REASON_LENGTH
from apps.approvals.selectors import rules
from apps.approvals.services.rules import NEEDED_MAX, PRIORITY_MAX
from apps.kit.money import EXPONENTS, Money, MoneyInvalid

STEPS = (1, 2, 3)


class NoteForm(forms.Form):
    """What the decider wants to be kept beside his approval."""

    note = forms.CharField(label=_("Note"), required=False, max_length=REASON_LENGTH)


class SumField(forms.CharField):
    """An amount as people write it, 10,000.00; the form reads it in its currency."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(required=False, max_length=60, widget=widget, **kwargs)


class RuleForm(forms.Form):
    """When a kind of deed needs approval, and by whom, in up to three steps."""

    kind = forms.ChoiceField(label=_("Kind"))
    branch = forms.ChoiceField(label=_("Branch"), required=False)
    currency = forms.ChoiceField(
        label=_("Currency"),
        required=False,
        choices=[("", _("Any")), *((code, code) for code in sorted(EXPONENTS))],
        initial="KES",
    )
    minimum = SumField(label=_("From"), help_text=_("Empty: any sum."))
    maximum = SumField(label=_("Below"), help_text=_("Empty: no upper end."))
    priority = forms.IntegerField(
        label=_("Priority"),
        initial=0,
        min_value=-PRIORITY_MAX,
        max_value=PRIORITY_MAX,
        help_text=_("The highest wins; then the rule that says most exactly what it is about."),
    )

    def __init__(self, data: Any = None, *, person: Principal, rule: ApprovalRule | None = None) -> None:
        super().__init__(data, initial=_initial(rule))
        names, places = roles.names(having=rules.DECIDE), branches.visible_to(person).order_by("name")
        everywhere = [("", _("All branches"))] if own_branch_ids(person) is None else []
        self.fields["kind"] = forms.ChoiceField(
            label=_("Kind"), choices=[(kind.name, kind.title) for kind in KINDS.values()]
        )
        self.fields["branch"] = forms.ChoiceField(
            label=_("Branch"),
            required=not everywhere,
            choices=[*everywhere, *((str(place.id), place.name) for place in places)],
        )
        for step in STEPS:
            self.fields[f"roles_{step}"] = forms.MultipleChoiceField(
                label=_("Step %(number)d: approved by") % {"number": step},
                choices=list(names.items()),
                required=step == 1,
                widget=forms.CheckboxSelectMultiple,
            )
            self.fields[f"needed_{step}"] = forms.IntegerField(
                label=_("Step %(number)d: how many of them") % {"number": step},
                initial=1,
                min_value=1,
                max_value=NEEDED_MAX,
            )

    def clean(self) -> dict[str, Any]:
        """Read the sums in the currency of the rule."""
        data = super().clean() or {}
        for name in ("minimum", "maximum"):
            text = "".join(str(data.get(name, "")).split()).replace(",", "")
            data[f"{name}_minor"] = self._minor(name, text, str(data.get("currency", ""))) if text else None
        return data

    def _minor(self, name: str, text: str, currency: str) -> int | None:
        if not currency:
            self.add_error("currency", _("Name the currency of the sums."))
            return None
        try:
            return Money.parse(text, currency).minor
        except MoneyInvalid as refusal:
            self.add_error(name, refusal.detail)
            return None


def asked_rule(data: Any) -> NewRule:
    """Return the rule that a valid form asks for; steps without a group are left out."""
    steps = [
        NewStep(tuple(data[f"roles_{step}"]), data[f"needed_{step}"])
        for step in STEPS
        if data[f"roles_{step}"]
    ]
    return NewRule(
        kind=data["kind"],
        steps=tuple(steps),
        currency=data["currency"],
        minimum_minor=data["minimum_minor"],
        maximum_minor=data["maximum_minor"],
        branch_id=data["branch"] or None,
        priority=data["priority"],
    )


def _initial(rule: ApprovalRule | None) -> dict[str, Any]:
    if rule is None:
        return {}
    steps = {step.sequence: step for step in rules.steps_of(rule)}
    return {
        "kind": rule.kind,
        "branch": str(rule.branch_id or ""),
        "currency": rule.currency,
        "minimum": rule.minimum.text if rule.minimum else "",
        "maximum": rule.maximum.text if rule.maximum else "",
        "priority": rule.priority,
        **{f"roles_{number}": step.roles for number, step in steps.items()},
        **{f"needed_{number}": step.needed for number, step in steps.items()},
    }
