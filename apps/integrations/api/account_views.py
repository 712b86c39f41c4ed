"""Accounts with providers over the API: terms, secrets that only go in, how an account stands, and what refusals stand for."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.access.selectors import branches
from apps.integrations.api import serializers
from apps.integrations.contracts import AccountTerms
from apps.integrations.models import ProviderAccount, ProviderErrorRule
from apps.integrations.selectors import accounts as stored
from apps.integrations.selectors import circuits, holdings, traffic
from apps.integrations.selectors import error_rules as stored_rules
from apps.integrations.selectors import registrations as addresses
from apps.integrations.services import accounts, balances, connections, error_rules, gates, registrations
from apps.kit import clock, ids
from apps.kit.views import TreasuryViewSet

READS, WRITES = "providers:read", "providers:write"


class ProviderAccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """Accounts with payment providers; they are the organisation's. A key sees those of its branch, or all."""

    queryset = ProviderAccount.objects.none()
    serializer_class = serializers.ProviderAccountOut
    id_prefix = serializers.ACCOUNT
    required_scopes: ClassVar[dict[str, str]] = {
        "list": READS,
        "retrieve": READS,
        "standing": READS,
        "create": WRITES,
        "partial_update": WRITES,
        "enable": WRITES,
        "disable": WRITES,
        "check": WRITES,
        "register_addresses": WRITES,
        "ask_balance": WRITES,
        "open_circuit": WRITES,
        "close_circuit": WRITES,
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create"})

    def get_queryset(self) -> QuerySet[ProviderAccount]:
        return stored.visible_to(self.request.user)

    @extend_schema(request=serializers.ProviderAccountIn, responses={201: serializers.ProviderAccountOut})
    def create(self, request: Request, **_: str) -> Response:
        """Open an account: payments of its branch go through it at once. Its secrets are sealed and never told again."""
        body = serializers.ProviderAccountIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _caller(request)
        said = body.said(body.validated_data["currency"])
        branch = branches.chosen(caller, said.pop("branch_id", None))
        account = accounts.create(
            terms=AccountTerms(**said, branch_id=branch.id),
            credentials=body.secrets(said["provider"]),
            actor=caller.actor,
            now=clock.now(),
        )
        location = f"{request.path.rstrip('/')}/{ids.encode(self.id_prefix, account.id)}"
        return Response(
            self.get_serializer(account).data, status=status.HTTP_201_CREATED, headers={"Location": location}
        )

    @extend_schema(request=serializers.ProviderAccountChangeIn, responses=serializers.ProviderAccountOut)
    def partial_update(self, request: Request, **_: str) -> Response:
        """Change terms, or replace all secrets together. Calls that are under way keep the old ones."""
        account = self.get_object()
        body = serializers.ProviderAccountChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        changed = accounts.change(
            account_id=account.id,
            terms=body.terms_of(account),
            credentials=body.secrets(account.provider) if body.has_secrets else None,
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(changed).data)

    @extend_schema(request=serializers.ReasonIn)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, **_: str) -> Response:
        """Let new payments go through the account again; a second time changes nothing."""
        reason = _reason(request)
        account = accounts.enable(
            account_id=self.get_object().id, actor=_caller(request).actor, now=clock.now(), reason=reason
        )
        return Response(self.get_serializer(account).data)

    @extend_schema(request=serializers.ReasonIn)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, **_: str) -> Response:
        """Send no new payments through the account; what is under way goes on."""
        reason = _reason(request)
        account = accounts.disable(
            account_id=self.get_object().id, actor=_caller(request).actor, now=clock.now(), reason=reason
        )
        return Response(self.get_serializer(account).data)

    @extend_schema(request=None, responses=serializers.ConnectionOut)
    @action(detail=True, methods=["post"], url_path="test")
    def check(self, request: Request, **_: str) -> Response:
        """Sign in at the provider with the present secrets and say what came of it; no money is asked for."""
        fact = connections.check(
            account_id=self.get_object().id, actor=_caller(request).actor, now=clock.now()
        )
        return Response(serializers.ConnectionOut(fact).data)

    @extend_schema(responses=serializers.StandingOut)
    @action(detail=True)
    def standing(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """Read how the account stands: circuits, calls of 48 hours, the balance that was told last, its addresses."""
        account = self.get_object()
        found = {
            "circuits": circuits.of(account),
            "calls": traffic.health(account, now=clock.now()),
            "balance": holdings.newest([account.id]).get(account.id),
            "registration": addresses.latest(account.id),
        }
        return Response(serializers.StandingOut(found).data)

    @extend_schema(request=None, responses={202: serializers.ProviderAccountOut})
    @action(detail=True, methods=["post"], url_path="register-addresses")
    def register_addresses(self, request: Request, **_: str) -> Response:
        """Have the provider told where to report payments that come unasked; the answer is in `standing`."""
        account = registrations.ask(
            account_id=self.get_object().id, actor=_caller(request).actor, now=clock.now()
        )
        return Response(self.get_serializer(account).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={202: serializers.ProviderAccountOut})
    @action(detail=True, methods=["post"], url_path="ask-balance")
    def ask_balance(self, request: Request, **_: str) -> Response:
        """Have the provider asked what it holds; the answer is in `standing`."""
        account = balances.ask(account_id=self.get_object().id, actor=_caller(request).actor, now=clock.now())
        return Response(self.get_serializer(account).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=serializers.CircuitIn)
    @action(detail=True, methods=["post"], url_path="open-circuit")
    def open_circuit(self, request: Request, **_: str) -> Response:
        """Let no call of a kind leave the account until its circuit is closed again."""
        account = gates.open_circuit(**self._circuit(request))
        return Response(self.get_serializer(account).data)

    @extend_schema(request=serializers.CircuitIn)
    @action(detail=True, methods=["post"], url_path="close-circuit")
    def close_circuit(self, request: Request, **_: str) -> Response:
        """Let calls of a kind leave the account again, whoever stopped them."""
        account = gates.close_circuit(**self._circuit(request))
        return Response(self.get_serializer(account).data)

    def _circuit(self, request: Request) -> dict[str, Any]:
        account_id = self.get_object().id
        body = serializers.CircuitIn(data=request.data)
        body.is_valid(raise_exception=True)
        actor = _caller(request).actor
        return {**body.validated_data, "account_id": account_id, "actor": actor, "now": clock.now()}


class ProviderErrorRuleViewSet(mixins.ListModelMixin, TreasuryViewSet):
    """What the organisation takes refusals of providers for, retired rules included; a key of one branch only reads them."""

    queryset = ProviderErrorRule.objects.none()
    serializer_class = serializers.ErrorRuleOut
    id_prefix = serializers.RULE
    required_scopes: ClassVar[dict[str, str]] = {"list": READS, "create": WRITES, "retire": WRITES}
    idempotent_actions: ClassVar[frozenset[str]] = frozenset()

    def get_queryset(self) -> QuerySet[ProviderErrorRule]:
        return stored_rules.everything()

    @extend_schema(request=serializers.ErrorRuleIn, responses=serializers.ErrorRuleOut)
    def create(self, request: Request, **_: str) -> Response:
        """Put a rule in force, in place of one for the same code and words; the same rule twice changes nothing."""
        body = serializers.ErrorRuleIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _of_all_branches(request)
        rule = error_rules.put(rule=body.rule(), actor=caller.actor, now=clock.now())
        return Response(self.get_serializer(rule).data)

    @extend_schema(request=serializers.RetireIn, responses=serializers.ErrorRuleOut)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, **_: str) -> Response:
        """Let refusals stand for what they stand for by default again."""
        body = serializers.RetireIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller, rule = _of_all_branches(request), self.get_object()
        retired = error_rules.retire(
            rule_id=rule.id, actor=caller.actor, now=clock.now(), reason=body.validated_data["reason"]
        )
        return Response(self.get_serializer(retired).data)


def _reason(request: Request) -> str:
    body = serializers.ReasonIn(data=request.data)
    body.is_valid(raise_exception=True)
    return str(body.validated_data["reason"])


def _caller(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)


def _of_all_branches(request: Request) -> Caller:
    """Return the key behind the request; refuse one of a branch what is about all of them."""
    caller = _caller(request)
    if caller.branch_id is not None:
        raise branches.BranchForbidden("This is for a key of all branches.")
    return caller
