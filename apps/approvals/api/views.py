"""Approval requests and rules over the API."""

from dataclasses import replace
from typing import ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.access.selectors import branches, scope
from apps.approvals.api import filters, serializers
from apps.approvals.contracts import NewRule
from apps.approvals.models import ApprovalRequest, ApprovalRule
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors import rules as stored_rules
from apps.approvals.services import requests, rule_changes
from apps.kit import clock
from apps.kit.views import TreasuryViewSet


class ApprovalRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Approval requests of the key's application, in its branch or in all.

    Who decides is the person who made the key: a member whose role is in the group of the step, who has not asked for
    the deed nor edited it.
    """

    queryset = ApprovalRequest.objects.none()
    serializer_class = serializers.ApprovalRequestOut
    filterset_class = filters.ApprovalRequestFilter
    id_prefix = "apr"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "approvals:read",
        "retrieve": "approvals:read",
        "approve": "approvals:write",
        "refuse": "approvals:write",
        "withdraw": "approvals:write",
        "amend": "approvals:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"approve", "refuse", "withdraw", "amend"})

    def get_queryset(self) -> QuerySet[ApprovalRequest]:
        return stored.visible_to(self.request.user)

    @extend_schema(responses=serializers.ApprovalRequestDetailOut)
    def retrieve(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (REST framework's signature)
        """Read one request with its payload, steps and decisions."""
        return self._shown(self.get_object())

    @extend_schema(request=serializers.ApproveIn, responses=serializers.ApprovalRequestDetailOut)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **_: str) -> Response:
        """Approve the payload that you saw; the last approval that is needed decides."""
        body = serializers.ApproveIn(data=request.data)
        body.is_valid(raise_exception=True)
        decided = requests.approve(
            request_id=self.get_object().id,
            **body.validated_data,
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return self._shown(decided)

    @extend_schema(request=serializers.RefuseIn, responses=serializers.ApprovalRequestDetailOut)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, **_: str) -> Response:
        """Refuse the payload that you saw, with a reason: the first refusal ends the request."""
        body = serializers.RefuseIn(data=request.data)
        body.is_valid(raise_exception=True)
        decided = requests.refuse(
            request_id=self.get_object().id,
            **body.validated_data,
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return self._shown(decided)

    @extend_schema(request=serializers.WithdrawIn, responses=serializers.ApprovalRequestDetailOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, **_: str) -> Response:
        """Take back what you asked for."""
        body = serializers.WithdrawIn(data=request.data)
        body.is_valid(raise_exception=True)
        withdrawn = requests.withdraw(
            request_id=self.get_object().id,
            **body.validated_data,
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return self._shown(withdrawn)

    @extend_schema(request=serializers.ApprovalRuleIn, responses=serializers.ApprovalRequestDetailOut)
    @action(detail=True, methods=["post"])
    def amend(self, request: Request, **_: str) -> Response:
        """Put another rule in a change of rules that you asked for: every decision so far is void."""
        body = serializers.ApprovalRuleIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _caller(request)
        amended = rule_changes.amend(
            request_id=self.get_object().id,
            rule=_placed(body, caller),
            within=scope.branch_ids(caller),
            actor=caller.actor,
            now=clock.now(),
        )
        return self._shown(amended)

    def _shown(self, request: ApprovalRequest) -> Response:
        return Response(serializers.ApprovalRequestDetailOut(request).data)


class ApprovalRuleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """Rules that say which deeds need approval, and by whom. A rule is never changed, only taken out of use."""

    queryset = ApprovalRule.objects.none()
    serializer_class = serializers.ApprovalRuleOut
    filterset_class = filters.ApprovalRuleFilter
    id_prefix = "arl"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "approvals:read",
        "retrieve": "approvals:read",
        "create": "approvals:write",
        "replace": "approvals:write",
        "deactivate": "approvals:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "replace", "deactivate"})

    def get_queryset(self) -> QuerySet[ApprovalRule]:
        return stored_rules.visible_to(self.request.user)

    @extend_schema(
        request=serializers.ApprovalRuleIn,
        responses={201: serializers.ApprovalRuleOut, 202: serializers.RuleChangeOut},
    )
    def create(self, request: Request, **_: str) -> Response:
        """
        Ask for a rule: 202, and it holds once another person has agreed; requests that wait already keep their steps.

        In a small team that nobody else decides in it holds at once: 201.
        """
        body = serializers.ApprovalRuleIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _caller(request)
        outcome = rule_changes.create(
            rule=_placed(body, caller),
            application_id=caller.application_id,
            within=scope.branch_ids(caller),
            actor=caller.actor,
            now=clock.now(),
        )
        return self._became(outcome, status.HTTP_201_CREATED)

    @extend_schema(
        request=serializers.ApprovalRuleIn,
        responses={201: serializers.ApprovalRuleOut, 202: serializers.RuleChangeOut},
    )
    @action(detail=True, methods=["post"])
    def replace(self, request: Request, **_: str) -> Response:
        """Ask for another rule in the place of this one, at no moment with neither: 202, or 201 where nobody else decides."""
        body = serializers.ApprovalRuleIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _caller(request)
        outcome = rule_changes.replace(
            rule_id=self.get_object().id,
            rule=_placed(body, caller),
            application_id=caller.application_id,
            within=scope.branch_ids(caller),
            actor=caller.actor,
            now=clock.now(),
        )
        return self._became(outcome, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={200: serializers.ApprovalRuleOut, 202: serializers.RuleChangeOut})
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, **_: str) -> Response:
        """Ask to take a rule out of use for good: 202, or 200 where nobody else decides and where it is out of use already."""
        caller = _caller(request)
        outcome = rule_changes.deactivate(
            rule_id=self.get_object().id,
            application_id=caller.application_id,
            within=scope.branch_ids(caller),
            actor=caller.actor,
            now=clock.now(),
        )
        return self._became(outcome, status.HTTP_200_OK)

    def _became(self, outcome: rule_changes.Outcome, done: int) -> Response:
        if outcome.request is not None:
            said = serializers.RuleChangeOut({"approval_id": outcome.request.id}).data
            return Response(said, status=status.HTTP_202_ACCEPTED)
        return Response(self.get_serializer(outcome.rule).data, status=done)


def _placed(body: serializers.ApprovalRuleIn, caller: Caller) -> NewRule:
    """Return the rule that a valid body asks for, in the branch that it names, or that of the key."""
    branch_id = body.validated_data["branch_id"]
    if branch_id is not None or caller.branch_id is not None:
        branch_id = branches.chosen(caller, branch_id).id
    return replace(body.rule(), branch_id=branch_id)


def _caller(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)
