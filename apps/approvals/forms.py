"""The forms of approvals in the portal: they read input, the services judge it."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import branches, roles
from apps.access.selectors.scope import Person, Principal, own_branch_ids
from apps.approvals.contracts import KINDS, CountedBy, NewRule, NewStep
from apps.approvals.models import ApprovalRule, ApprovalStep
from apps.approvals.models.request import REASON_LENGTH
from apps.approvals.selectors import delegations, rules
from apps.approvals.services.delegations import NewDelegation
from apps.approvals.services.rules import HOURS_MAX, NEEDED_MAX, PRIORITY_MAX, WAIT_HOURS_MAX
from apps.kit import typed_sums
from apps.kit.money import EXPONENTS, Money, MoneyInvalid

STEPS = (1, 2, 3)
COUNTED_BY = {
    CountedBy.COUNTERPARTY: _("The same person or firm at the other end"),
    CountedBy.PERSON: _("The same person who asks"),
    CountedBy.APPLICATION: _("The same application"),
}
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)


class NoteForm(forms.Form):
    """What the decider wants to be kept beside his approval."""

    note = forms.CharField(label=_("Note"), required=False, max_length=REASON_LENGTH)


class SumField(forms.CharField):
    """An amount as people write it, 10,000.00; the form reads it in its currency."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(required=False, max_length=60, widget=widget, **kwargs)


class HoursField(forms.IntegerField):
    """A number of hours that may stay empty."""

    def __init__(self, *, most: int = WAIT_HOURS_MAX, **kwargs: Any) -> None:
        super().__init__(required=False, min_value=1, max_value=most, **kwargs)


class DayField(forms.DateField):
    """A day within years that people plan in."""

    def __init__(self, **kwargs: Any) -> None:
        bounds = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(validators=bounds, widget=widget, input_formats=["%Y-%m-%d"], **kwargs)


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

    window_hours = HoursField(
        most=HOURS_MAX,
        label=_("Count together over (hours)"),
        help_text=_(
            "What belongs together within this time is judged by its whole sum. Empty: each by itself."
        ),
    )
    window_by = forms.ChoiceField(
        label=_("What belongs together"),
        required=False,
        choices=[("", "—"), *((by.value, title) for by, title in COUNTED_BY.items())],
    )
    remind_after_hours = HoursField(
        label=_("Remind after (hours)"), help_text=_("Of waiting at one step. Empty: never.")
    )
    escalate_after_hours = HoursField(
        label=_("Tell others after (hours)"), help_text=_("Of waiting at one step. Empty: never.")
    )

    def __init__(
        self, data: Any = None, *, person: Principal, rule: ApprovalRule | NewRule | None = None
    ) -> None:
        super().__init__(data, initial=_initial(rule))
        names, places = roles.names(having=rules.DECIDE), branches.visible_to(person).order_by("name")
        everywhere = [("", _("All branches"))] if own_branch_ids(person) is None else []
        self.fields["kind"] = forms.ChoiceField(
            label=_("Kind"),
            choices=[
                (kind.name, kind.title) for kind in sorted(KINDS.values(), key=lambda kind: kind.is_always)
            ],
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
            self.fields[f"further_after_hours_{step}"] = HoursField(
                label=_("Step %(number)d: after (hours) also by") % {"number": step},
                help_text=_("Of waiting at this step. Empty: never."),
            )
            self.fields[f"further_roles_{step}"] = forms.MultipleChoiceField(
                label=_("Step %(number)d: who decides it then too") % {"number": step},
                choices=list(names.items()),
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )

        self.fields["escalate_roles"] = forms.MultipleChoiceField(
            label=_("Tell them too; they do not decide for that"),
            choices=list(names.items()),
            required=False,
            widget=forms.CheckboxSelectMultiple,
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


class DelegationForm(forms.Form):
    """Who is to decide for the reader, from when until when, and what."""

    delegate = forms.ChoiceField(label=_("Who decides for you"))
    first_day = DayField(label=_("First day"))
    last_day = DayField(label=_("Last day"))
    kinds = forms.MultipleChoiceField(
        label=_("Kinds"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all of them."),
    )
    currency = forms.ChoiceField(
        label=_("Currency"),
        required=False,
        choices=[("", _("Any")), *((code, code) for code in sorted(EXPONENTS))],
    )
    maximum = SumField(label=_("Up to"), help_text=_("Empty: any sum that you may decide."))
    reason = forms.CharField(
        label=_("Reason"), max_length=REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, data: Any = None, *, person: Person) -> None:
        super().__init__(data)
        self.fields["delegate"] = forms.ChoiceField(
            label=_("Who decides for you"), choices=list(delegations.colleagues(person).items())
        )
        self.fields["kinds"].choices = [(kind.name, kind.title) for kind in KINDS.values()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Read the largest sum in its currency."""
        data = super().clean() or {}
        text = str(data.get("maximum", ""))
        currency = str(data.get("currency", ""))
        data["maximum"] = None
        if text and not currency:
            self.add_error("currency", _("Name the currency of the sums."))
        elif text:
            try:
                data["maximum"] = typed_sums.read(text, currency)
            except MoneyInvalid as refusal:
                self.add_error("maximum", refusal.detail)
        return data


def asked_delegation(data: Any, *, now: datetime) -> NewDelegation:
    """Return the delegation that a valid form asks for: whole days of the organisation, the first one from now on."""
    zone = timezone.get_current_timezone()
    begins = datetime.combine(data["first_day"], time.min, tzinfo=zone)
    is_today = begins.date() == timezone.localdate(now)
    return NewDelegation(
        delegate_id=UUID(data["delegate"]),
        starts_at=now if is_today else begins,
        ends_at=datetime.combine(data["last_day"] + timedelta(days=1), time.min, tzinfo=zone),
        reason=data["reason"],
        kinds=tuple(data["kinds"]),
        maximum=data["maximum"],
    )


def asked_rule(data: Any) -> NewRule:
    """Return the rule that a valid form asks for; steps without a group are left out."""
    steps = [
        NewStep(
            tuple(data[f"roles_{step}"]),
            data[f"needed_{step}"],
            further_roles=tuple(data[f"further_roles_{step}"]),
            further_after_hours=data[f"further_after_hours_{step}"],
        )
        for step in STEPS
        if data[f"roles_{step}"]
    ]
    return NewRule(
        kind=data["kind"],
        steps=tuple(steps),
        currency=data["currency"],
        minimum_minor=data["minimum_minor"],
        maximum_minor=data["maximum_minor"],
        branch_id=UUID(data["branch"]) if data["branch"] else None,
        priority=data["priority"],
        window_hours=data["window_hours"],
        window_by=CountedBy(data["window_by"]) if data["window_by"] else None,
        remind_after_hours=data["remind_after_hours"],
        escalate_after_hours=data["escalate_after_hours"],
        escalate_roles=tuple(data["escalate_roles"]),
    )


def _initial(rule: ApprovalRule | NewRule | None) -> dict[str, Any]:
    if rule is None:
        return {}
    steps: Sequence[NewStep | ApprovalStep] = (
        rule.steps if isinstance(rule, NewRule) else rules.steps_of(rule)
    )

    def text(minor: int | None) -> str:
        return "" if minor is None else Money(minor, rule.currency).text

    initial: dict[str, Any] = {
        "kind": rule.kind,
        "branch": str(rule.branch_id or ""),
        "currency": rule.currency,
        "minimum": text(rule.minimum_minor),
        "maximum": text(rule.maximum_minor),
        "priority": rule.priority,
        "window_hours": rule.window_hours,
        "window_by": rule.window_by,
        "remind_after_hours": rule.remind_after_hours,
        "escalate_after_hours": rule.escalate_after_hours,
        "escalate_roles": rule.escalate_roles,
    }
    for number, step in enumerate(steps, start=1):
        initial[f"roles_{number}"] = list(step.roles)
        initial[f"needed_{number}"] = step.needed
        initial[f"further_roles_{number}"] = list(step.further_roles)
        initial[f"further_after_hours_{number}"] = step.further_after_hours
    return initial
