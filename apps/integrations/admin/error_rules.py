"""What refusals stand for, in the organisation's site: put, replaced and retired by dialogs."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.integrations.dialogs.error_rules import PutErrorRule, RetireErrorRule
from apps.integrations.models import ProviderErrorRule
from apps.integrations.selectors import error_rules
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html


@admin.register(ProviderErrorRule)
class ProviderErrorRuleAdmin(ReadOnlyAdmin):
    """What refusals of providers stand for, where the organisation says otherwise than we do."""

    list_display = [
        "code", "flow", "contains", "reason_code", "effect", "again", "payer_message", "changed", "state",
    ]  # fmt: skip
    list_filter = ["flow", "is_enabled"]
    list_display_links = None
    search_fields = ["code", "reason_code"]
    dialogs = [PutErrorRule, RetireErrorRule]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderErrorRule]:  # noqa: ARG002 (they are everybody's)
        return error_rules.everything()

    @admin.display(description=_("Effect"))
    def effect(self, rule: ProviderErrorRule) -> str:
        if rule.may_fall_back:
            return str(_("Refused: another account may ask"))
        return str(_("Open: asked after")) if rule.is_open else str(_("Refused"))

    @admin.display(description=_("Sent again after"))
    def again(self, rule: ProviderErrorRule) -> str:
        return "" if rule.retry_after_seconds is None else f"{rule.retry_after_seconds} s"

    @admin.display(description=_("Changed"))
    def changed(self, rule: ProviderErrorRule) -> SafeString:
        return local_time_html(rule.changed_at)

    @admin.display(description=_("State"))
    def state(self, rule: ProviderErrorRule) -> SafeString:
        if rule.is_enabled:
            return badge("done", "check_circle", _("In force"))
        return badge("quiet", "block", _("Retired"))
