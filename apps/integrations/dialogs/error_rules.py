"""What people say that refusals of providers stand for."""

from collections.abc import Sequence

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.integrations.contracts import (
    ErrorRule,
    Flow,
    provider_choices,
    reasons,
)
from apps.integrations.models import ProviderErrorRule
from apps.integrations.models.error_rule import RETRY_AFTER_MAX
from apps.integrations.services import (
    error_rules,
)
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm


class ErrorRuleForm(forms.Form):
    """Which refusals, and what they stand for."""

    provider = forms.ChoiceField(label=gettext_lazy("Provider"), choices=provider_choices)
    flow = forms.ChoiceField(label=gettext_lazy("Flow"), choices=[(flow.value, flow.value) for flow in Flow])
    code = forms.CharField(label=gettext_lazy("Code"), max_length=32)
    contains = forms.CharField(
        label=gettext_lazy("Words in its text"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Empty stands for any text."),
    )
    reason_code = forms.ChoiceField(
        label=gettext_lazy("Stands for"),
        choices=[(code, code) for code in sorted(reasons())],
    )
    is_open = forms.BooleanField(
        label=gettext_lazy("Ask after it"),
        required=False,
        help_text=gettext_lazy(
            "What is refused so may have been carried out all the same: it is asked after."
        ),
    )
    retry_after_seconds = forms.IntegerField(
        label=gettext_lazy("Send again after seconds"),
        min_value=1,
        max_value=RETRY_AFTER_MAX,
        required=False,
        help_text=gettext_lazy("Where nothing was carried out. Empty keeps ours."),
    )
    may_fall_back = forms.BooleanField(
        label=gettext_lazy("Another account may ask"),
        required=False,
        help_text=gettext_lazy(
            "The fault is the account's, not the payer's: another account of the same method is used, once."
        ),
    )
    payer_message = forms.CharField(
        label=gettext_lazy("Text for the payer"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty keeps ours."),
    )


class PutErrorRule(Dialog):
    """Say what refusals of a code stand for."""

    name = "put"
    label = gettext_lazy("Add a rule…")
    icon = "add"
    permission = "integrations.manage"
    steps_up = True
    on_list = True
    form_class = ErrorRuleForm

    def content(self, request: HttpRequest, rows: Sequence[ProviderErrorRule]) -> Content:  # noqa: ARG002 (there is none yet)
        return Content(
            title=_("Say what a refusal stands for"),
            button=_("Put the rule in force"),
            next_step=_(
                "It holds from now on, in place of a rule for the same code and words. What was recorded does not change."
            ),
        )

    def perform(self, rows: Sequence[ProviderErrorRule], answer: Answer) -> list[str]:  # noqa: ARG002 (there is none yet)
        asked = {**answer.data, "flow": Flow(answer.data["flow"])}
        asked = {name: asked[name] for name in ErrorRule.__dataclass_fields__}
        rule = error_rules.put(rule=ErrorRule(**asked), actor=answer.actor, now=answer.now)
        return [_("%(rule)s: in force.") % {"rule": rule}]


class RetireErrorRule(Dialog):
    """Let our own table hold again."""

    name = "retire"
    label = gettext_lazy("Retire…")
    icon = "block"
    permission = "integrations.manage"
    steps_up = True
    on_rows = True
    form_class = ReasonForm

    def is_offered(self, row: ProviderErrorRule) -> bool:
        return row.is_enabled

    def content(self, request: HttpRequest, rows: Sequence[ProviderErrorRule]) -> Content:  # noqa: ARG002 (the row says all)
        [rule] = rows
        return Content(
            title=_("Retire the rule for %(code)s") % {"code": rule.code},
            button=_("Retire the rule"),
            effects=[Effect(_("Flow"), rule.flow), Effect(_("Stands for"), rule.reason_code)],
            next_step=_("From now on such refusals stand for what they stand for by default."),
        )

    def act(self, row: ProviderErrorRule, answer: Answer) -> str:
        error_rules.retire(rule_id=row.id, actor=answer.actor, now=answer.now, reason=answer.data["reason"])
        return _("%(rule)s: retired.") % {"rule": row}
