"""The rules by which payments find their account, in the organisation's site: read in their order, changed by dialogs."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.integrations.contracts import provider_name
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html
from apps.payments.contracts import ROUTING_STRATEGIES, RoutingStrategy
from apps.payments.dialogs.routing import AddRoutingRule, ChangeRoutingRule, RetireRoutingRule, TryRouting
from apps.payments.models import RoutingRule
from apps.payments.selectors import routing


@admin.register(RoutingRule)
class RoutingRuleAdmin(ReadOnlyAdmin):
    """Rules that hold in the reader's branches, in the order in which they are asked; those out of use come last."""

    list_display = [
        "name_column",
        "branch_column",
        "conditions_column",
        "accounts_column",
        "changed_column",
        "state_column",
    ]
    list_display_links = None
    list_filter = ["is_active"]
    list_filter_submit = True
    list_per_page = 200
    empty_text = _(
        "Without a rule payments go through the account of their branch, else that of head office."
    )
    dialogs = [AddRoutingRule, ChangeRoutingRule, RetireRoutingRule, TryRouting]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoutingRule]:
        return routing.visible_to(request.user)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Put the rules of the page in the order in which they are asked."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list.sort(
            key=lambda rule: (not rule.is_active, rule.branch_id is None, rule.position)
        )
        return changelist

    @admin.display(description=_("Rule"))
    def name_column(self, rule: RoutingRule) -> SafeString:
        version = _("version %(number)d") % {"number": rule.version}
        return format_html(
            '<span class="two"><b>{}. {}</b><span>{}</span></span>', rule.position, rule.name, version
        )

    @admin.display(description=_("Branch"))
    def branch_column(self, rule: RoutingRule) -> str:
        return rule.branch.name if rule.branch else str(_("All branches"))

    @admin.display(description=_("Payments"))
    def conditions_column(self, rule: RoutingRule) -> str:
        return ", ".join(conditions(rule)) or str(_("All payments"))

    @admin.display(description=_("Accounts"))
    def accounts_column(self, rule: RoutingRule) -> SafeString:
        how = ROUTING_STRATEGIES[RoutingStrategy(rule.strategy)]
        lines = [
            (f"{target.weight} : " if target.weight else f"{target.place}. ", target.account)
            for target in rule.targets.all()
        ]
        named = format_html_join(SafeString("<br>"), "{}{}", lines)
        return format_html('<span class="two"><span>{}</span><span>{}</span></span>', named, how)

    @admin.display(description=_("Since"))
    def changed_column(self, rule: RoutingRule) -> SafeString:
        return local_time_html(rule.created_at)

    @admin.display(description=_("State"))
    def state_column(self, rule: RoutingRule) -> SafeString:
        if rule.is_active:
            return badge("done", "check_circle", _("In use"))
        return badge("quiet", "block", _("Out of use"))


def conditions(rule: RoutingRule) -> list[str]:
    """Return what a rule asks of a payment, in words; nothing where it fits all."""
    said: list[Any] = []
    if rule.method:
        said.append(provider_name(rule.method))
    if rule.minimum is not None:
        said.append(_("from %(sum)s") % {"sum": rule.minimum})
    if rule.maximum is not None:
        said.append(_("below %(sum)s") % {"sum": rule.maximum})
    if rule.currency and rule.minimum is None and rule.maximum is None:
        said.append(rule.currency)
    if rule.for_application is not None:
        said.append(rule.for_application.name)
    if rule.weekdays:
        said.append(" ".join(str(WEEKDAYS_ABBR[int(day) - 1]) for day in rule.weekdays))
    if rule.from_time is not None and rule.to_time is not None:
        said.append(f"{rule.from_time:%H:%M} - {rule.to_time:%H:%M}")
    return [str(each) for each in said]
