"""All approval requests, newest first, and the rules, in the organisation's admin."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from apps.access.selectors import roles
from apps.approvals.contracts import KINDS, ApprovalStatus
from apps.approvals.dialogs import (
    AddDelegation,
    AddRule,
    AmendRule,
    Approve,
    ApproveMany,
    DeactivateRule,
    Refuse,
    ReplaceRule,
    RevokeDelegation,
    Withdraw,
    kind_title,
)
from apps.approvals.models import ApprovalDelegation, ApprovalRequest, ApprovalRule
from apps.approvals.selectors import delegations, requests, rules
from apps.kit import clock
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html, money_html
from apps.kit.dialog_admin import exporting

BADGES: Mapping[ApprovalStatus, tuple[str, str, Any]] = {
    ApprovalStatus.PENDING: ("held", "hourglass_top", _("Waiting")),
    ApprovalStatus.APPROVED: ("done", "check_circle", _("Approved")),
    ApprovalStatus.REFUSED: ("failed", "cancel", _("Refused")),
    ApprovalStatus.EXPIRED: ("quiet", "timer_off", _("Expired")),
    ApprovalStatus.WITHDRAWN: ("quiet", "undo", _("Withdrawn")),
}


class StatusFilter(DropdownFilter):
    title = _("Status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(state.value, words[2]) for state, words in BADGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(status=self.value()) if self.value() else queryset


class KindFilter(DropdownFilter):
    title = _("Kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(kind.name, kind.title) for kind in KINDS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnlyAdmin):
    """Requests of the reader's branches in every state; each opens its own page, where it is decided."""

    own_page = "portal-approval"
    list_display = [
        "created_column",
        "summary_column",
        "kind_column",
        "branch",
        "status_column",
        "amount_column",
    ]
    list_display_links = ["summary_column"]
    list_filter = [StatusFilter, KindFilter]
    list_filter_submit = True
    search_fields = ["subject_reference"]
    search_help_text = _("Reference")
    dialogs = [Approve, ApproveMany, Refuse, AmendRule, Withdraw, exporting("approvals")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalRequest]:
        return requests.visible_to(request.user)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 (Django's signature)
        queryset: QuerySet[ApprovalRequest],
        search_term: str,
    ) -> tuple[QuerySet[ApprovalRequest], bool]:
        """Find exactly: part of a reference finds nothing."""
        return requests.found_by(queryset, search_term), False

    @admin.display(description=_("Asked"))
    def created_column(self, request: ApprovalRequest) -> SafeString:
        return local_time_html(request.created_at)

    @admin.display(description=_("Request"))
    def summary_column(self, request: ApprovalRequest) -> SafeString:
        return format_html(
            '<span class="two"><b>{}</b><span class="t-ref">{}</span></span>',
            request.summary,
            request.subject_reference,
        )

    @admin.display(description=_("Kind"))
    def kind_column(self, request: ApprovalRequest) -> str:
        return kind_title(request.kind)

    @admin.display(description=_("Status"))
    def status_column(self, request: ApprovalRequest) -> SafeString:
        return badge(*BADGES[ApprovalStatus(request.status)])

    @admin.display(description=_("Amount"))
    def amount_column(self, request: ApprovalRequest) -> SafeString:
        return money_html(request.money)


@admin.register(ApprovalDelegation)
class ApprovalDelegationAdmin(ReadOnlyAdmin):
    """Who decides for whom: what the reader gave or got, and all of it for who manages approvals."""

    list_display = [
        "delegator_column",
        "delegate_column",
        "days_column",
        "what_column",
        "reason",
        "state_column",
    ]
    list_display_links = None
    dialogs = [AddDelegation, RevokeDelegation]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalDelegation]:
        return delegations.visible_to(request.user)

    @admin.display(description=_("For"))
    def delegator_column(self, delegation: ApprovalDelegation) -> str:
        return delegation.delegator.user.name

    @admin.display(description=_("Decides"))
    def delegate_column(self, delegation: ApprovalDelegation) -> str:
        return delegation.delegate.user.name

    @admin.display(description=_("Time"))
    def days_column(self, delegation: ApprovalDelegation) -> SafeString:
        begins, ends = local_time_html(delegation.starts_at), local_time_html(delegation.ends_at)
        return format_html('<span class="two"><span>{}</span><span>{}</span></span>', begins, ends)

    @admin.display(description=_("What"))
    def what_column(self, delegation: ApprovalDelegation) -> SafeString:
        kinds = ", ".join(kind_title(name) for name in delegation.kinds) or _("Every kind")
        if delegation.maximum is None:
            return format_html("{}", kinds)
        return format_html(
            str(_("{kinds} up to {maximum}")), kinds=kinds, maximum=money_html(delegation.maximum)
        )

    @admin.display(description=_("State"))
    def state_column(self, delegation: ApprovalDelegation) -> SafeString:
        now = clock.now()
        if delegation.revoked_at is not None:
            return badge("quiet", "undo", str(_("Taken back")))
        if delegation.ends_at <= now:
            return badge("quiet", "timer_off", str(_("Over")))
        if delegation.starts_at > now:
            return badge("held", "schedule", str(_("Begins later")))
        return badge("done", "check_circle", str(_("Holds now")))


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(ReadOnlyAdmin):
    """Rules that hold in the reader's branches; one that nobody could satisfy says so."""

    list_display = ["kind_column", "band_column", "branch_column", "steps_column", "priority", "state_column"]
    list_display_links = None
    list_filter = [KindFilter, "is_active"]
    list_filter_submit = True
    dialogs = [AddRule, ReplaceRule, DeactivateRule]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalRule]:
        return rules.visible_to(request.user)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Tell each rule of the page what its columns need, read once for all of them."""
        changelist = super().get_changelist_instance(request)
        names, lacking = roles.names(), rules.lacking_people(changelist.result_list)
        for rule in changelist.result_list:
            rule.lacks_people = rule.id in lacking
            rule.groups = [
                (step, _named(step.roles, names), _named(step.further_roles, names))
                for step in rules.steps_of(rule)
            ]
        return changelist

    @admin.display(description=_("Kind"))
    def kind_column(self, rule: ApprovalRule) -> str:
        return kind_title(rule.kind)

    @admin.display(description=_("Amount"))
    def band_column(self, rule: ApprovalRule) -> SafeString:
        if rule.minimum is None and rule.maximum is None:
            return format_html("{}", rule.currency or _("Any"))
        if rule.maximum is None:
            return format_html(str(_("from {minimum}")), minimum=money_html(rule.minimum))
        if rule.minimum is None:
            return format_html(str(_("below {maximum}")), maximum=money_html(rule.maximum))
        return format_html(
            str(_("from {minimum} to below {maximum}")),
            minimum=money_html(rule.minimum),
            maximum=money_html(rule.maximum),
        )

    @admin.display(description=_("Branch"))
    def branch_column(self, rule: ApprovalRule) -> str:
        return rule.branch.name if rule.branch else str(_("All branches"))

    @admin.display(description=_("Approved by"))
    def steps_column(self, rule: Any) -> SafeString:
        lines = (
            (
                step.sequence,
                _("%(needed)d of %(group)s; after %(hours)d hours also %(further)s")
                % {
                    "needed": step.needed,
                    "group": group,
                    "hours": step.further_after_hours,
                    "further": further,
                }
                if further
                else _("%(needed)d of %(group)s") % {"needed": step.needed, "group": group},
            )
            for step, group, further in rule.groups
        )
        return format_html_join(SafeString("<br>"), "{}. {}", lines)

    @admin.display(description=_("State"))
    def state_column(self, rule: Any) -> SafeString:
        if not rule.is_active:
            return badge("quiet", "block", str(_("Out of use")))
        if rule.lacks_people:
            return badge("failed", "warning", str(_("Too few people")))
        return badge("done", "check_circle", str(_("In use")))


def _named(codes: list[str], names: Mapping[str, str]) -> str:
    """Return roles by their names."""
    return ", ".join(names.get(code, code) for code in codes)
