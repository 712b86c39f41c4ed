"""Routing over the API: the rules, their dry run, and the attempts of a payment with what was decided for each."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.access.selectors import branches, scope
from apps.kit import clock, ids
from apps.kit.views import TreasuryViewSet
from apps.payments.api import routing_serializers as serializers
from apps.payments.contracts import NewRoutingRule
from apps.payments.models import RoutingRule
from apps.payments.selectors import attempts
from apps.payments.selectors import routing as stored
from apps.payments.services import routing_rules, routing_trials

READS, WRITES = "providers:read", "providers:write"


class RoutingRuleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Rules that say which accounts payments go through. A rule is never changed, only replaced or retired.

    A key sees those that hold in its branch, or all, and changes those of its own branches.
    """

    queryset = RoutingRule.objects.none()
    serializer_class = serializers.RoutingRuleOut
    id_prefix = stored.PREFIX
    required_scopes: ClassVar[dict[str, str]] = {
        "list": READS,
        "retrieve": READS,
        "create": WRITES,
        "replace": WRITES,
        "retire": WRITES,
        "dry_run": WRITES,
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "replace", "retire", "dry_run"})

    def get_queryset(self) -> QuerySet[RoutingRule]:
        return stored.visible_to(self.request.user)

    @extend_schema(
        request=serializers.RoutingRuleIn,
        responses={201: serializers.RoutingRuleOut, 202: serializers.RoutingChangeOut},
    )
    def create(self, request: Request, **_: str) -> Response:
        """Make a rule for attempts that begin from now on; 202 where other people decide first."""
        caller = _caller(request)
        body = serializers.RoutingRuleIn(data=request.data)
        body.is_valid(raise_exception=True)
        outcome = routing_rules.create(rule=_placed(body.validated_data, caller), **_asked(caller))
        return self._became(outcome, status.HTTP_201_CREATED)

    @extend_schema(
        request=serializers.RoutingRuleIn,
        responses={201: serializers.RoutingRuleOut, 202: serializers.RoutingChangeOut},
    )
    @action(detail=True, methods=["post"])
    def replace(self, request: Request, **_: str) -> Response:
        """Put the next version in the place of a rule, at no moment with neither; 202 where other people decide first."""
        caller, rule_id = _caller(request), self.get_object().id
        body = serializers.RoutingRuleIn(data=request.data)
        body.is_valid(raise_exception=True)
        outcome = routing_rules.replace(
            rule_id=rule_id, rule=_placed(body.validated_data, caller), **_asked(caller)
        )
        return self._became(outcome, status.HTTP_201_CREATED)

    @extend_schema(
        request=serializers.RetireRoutingIn,
        responses={200: serializers.RoutingRuleOut, 202: serializers.RoutingChangeOut},
    )
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, **_: str) -> Response:
        """Take a rule out of use for good; 202 where other people decide first."""
        caller, rule_id = _caller(request), self.get_object().id
        body = serializers.RetireRoutingIn(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        outcome = routing_rules.retire(rule_id=rule_id, reason=reason, **_asked(caller))
        return self._became(outcome, status.HTTP_200_OK)

    @extend_schema(request=serializers.DryRunIn, responses={202: serializers.DryRunOut})
    @action(detail=False, methods=["post"], url_path="dry-run")
    def dry_run(self, request: Request, **_: str) -> Response:
        """
        Have the payments of the last 30 days routed again, and listed that would have gone elsewhere; nothing is changed.

        `Location` is the job: how far it is, counts and sums, and the list as a file. Reading it needs `jobs:read` and `payments:read`.
        """
        caller = _caller(request)
        body = serializers.DryRunIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data["rule"]
        job = routing_trials.start(
            rule=_placed(said, caller) if said else None,
            instead_of=body.validated_data["instead_of"],
            caller=caller,
            actor=caller.actor,
            now=clock.now(),
        )
        above = request.path.rstrip("/").removesuffix("/routing-rules/dry-run")
        location = f"{above}/jobs/{ids.encode('job', job.id)}"
        told = serializers.DryRunOut(job).data
        return Response(told, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    def _became(self, outcome: routing_rules.Outcome, done: int) -> Response:
        if outcome.rule is None:
            return Response(serializers.RoutingChangeOut(outcome).data, status=status.HTTP_202_ACCEPTED)
        return Response(self.get_serializer(stored.get(outcome.rule.id)).data, status=done)


class AttemptsListed:
    """What the payments of the API add: their attempts, each with what was decided for it."""

    @extend_schema(responses=serializers.AttemptLineOut(many=True), filters=False)
    @action(detail=True)
    def attempts(self: Any, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """List the attempts of a payment, the last one first, and why each went through its account."""
        page = self.paginate_queryset(attempts.of_intent(self.get_object().id)) or []
        return cast(Response, self.get_paginated_response(serializers.AttemptLineOut(page, many=True).data))


def _asked(caller: Caller) -> dict[str, Any]:
    return {
        "within": scope.branch_ids(caller),
        "application_id": caller.application_id,
        "actor": caller.actor,
        "now": clock.now(),
    }


def _placed(said: Mapping[str, Any], caller: Caller) -> NewRoutingRule:
    """Return the rule that valid data ask for, in the branch that they name, or that of the key."""
    branch_id = said["branch_id"]
    if branch_id is not None or caller.branch_id is not None:
        branch_id = branches.chosen(caller, branch_id).id
    return serializers.rule_of(said, branch_id=branch_id)


def _caller(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)
