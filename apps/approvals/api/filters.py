"""Filters of the lists of approvals."""

from django_filters import rest_framework as filters

from apps.approvals.contracts import ApprovalStatus
from apps.approvals.models import ApprovalRequest, ApprovalRule
from apps.approvals.models.request import ApprovalRequestQuerySet
from apps.approvals.models.rule import ApprovalRuleQuerySet
from apps.approvals.selectors import requests
from apps.kit import clock
from apps.kit.filters import ChoicesFilter, FlagFilter, StrictFilterSet, decoded


class ApprovalRequestFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in ApprovalStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    kind = filters.CharFilter(help_text="Only this kind, exact.")
    for_me = FlagFilter(method="by_decider", help_text="True: what the person behind the key may decide now.")
    branch_id = filters.CharFilter(method="by_branch", help_text="Only this branch.")

    class Meta:
        model = ApprovalRequest
        fields: list[str] = []

    def by_status(
        self, queryset: ApprovalRequestQuerySet, _: str, values: list[str]
    ) -> ApprovalRequestQuerySet:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_decider(self, queryset: ApprovalRequestQuerySet, _: str, value: bool) -> ApprovalRequestQuerySet:  # noqa: FBT001 (the library's signature)
        if not value:
            return queryset
        person = requests.person_of(self.request.user)
        return requests.for_person(queryset, person, now=clock.now())

    def by_branch(self, queryset: ApprovalRequestQuerySet, name: str, value: str) -> ApprovalRequestQuerySet:
        return queryset.filter(branch_id=decoded("br", name, value))


class ApprovalRuleFilter(StrictFilterSet):
    kind = filters.CharFilter(help_text="Only this kind, exact.")
    active = FlagFilter(field_name="is_active", help_text="Only rules in use, or only the others.")
    branch_id = filters.CharFilter(
        method="by_branch", help_text="Only rules of this branch, without those of all branches."
    )

    class Meta:
        model = ApprovalRule
        fields: list[str] = []

    def by_branch(self, queryset: ApprovalRuleQuerySet, name: str, value: str) -> ApprovalRuleQuerySet:
        return queryset.filter(branch_id=decoded("br", name, value))
