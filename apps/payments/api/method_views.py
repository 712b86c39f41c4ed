"""Saved methods over the API: ways to pay that payers let an application keep."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.access.selectors import branches
from apps.kit import clock, ids, preferences
from apps.kit.views import TreasuryViewSet
from apps.payments.api import filters
from apps.payments.api import method_serializers as serializers
from apps.payments.models import SavedMethod
from apps.payments.selectors import saved_methods as stored
from apps.payments.services import saved_methods


class SavedMethodViewSet(
    preferences.Waiting, mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet
):
    """
    Saved methods: ways to pay that payers let you keep, each with what its payer agreed to.

    A key sees and charges those of its application, in its branch or in all.
    """

    queryset = SavedMethod.objects.none()
    serializer_class = serializers.SavedMethodOut
    filterset_class = filters.SavedMethodFilter
    id_prefix = "pm"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "payments:read",
        "retrieve": "payments:read",
        "create": "payments:write",
        "forget": "payments:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "forget"})
    waiting_actions: ClassVar[frozenset[str]] = frozenset({"create"})

    def get_queryset(self) -> QuerySet[SavedMethod]:
        return stored.visible_to(self.request.user)

    def is_awaited(self, body: Any) -> bool:
        return stored.is_requested(ids.decode(self.id_prefix, body["id"]))

    def present(self, body: Any) -> Any:
        found = stored.get(_caller(self.request), ids.decode(self.id_prefix, body["id"]))
        return self.get_serializer(found).data

    @extend_schema(request=serializers.SavedMethodIn, responses={201: serializers.SavedMethodOut})
    def create(self, request: Request, **_: str) -> Response:
        """
        Ask a payer to let you keep a way to pay. Send him to `next_action.url`, where he types his card, or signs in to his wallet, and
        agrees.

        The address comes with the answer where you prefer to wait, else with `payment_method_initiated`. That he came back says
        nothing: `payment_method_saved` does.
        """
        body = serializers.SavedMethodIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _caller(request)
        branch = branches.chosen(caller, body.validated_data.get("branch_id"))
        wanted = body.request(branch_id=branch.id, application_id=caller.application_id)
        saved = saved_methods.create(request=wanted, actor=caller.actor, now=clock.now())
        location = f"{request.path.rstrip('/')}/{ids.encode(self.id_prefix, saved.id)}"
        return Response(
            self.get_serializer(saved).data, status=status.HTTP_201_CREATED, headers={"Location": location}
        )

    @extend_schema(request=None, responses={202: serializers.SavedMethodOut})
    @action(detail=True, methods=["post"])
    def forget(self, request: Request, **_: str) -> Response:
        """
        Charge it no more, from now on, and have the provider forget it: `payment_method_forgotten` says when it has.

        A second time changes nothing.
        """
        saved = saved_methods.forget(
            method_id=self.get_object().id, actor=_caller(request).actor, now=clock.now()
        )
        return Response(self.get_serializer(saved).data, status=status.HTTP_202_ACCEPTED)


def _caller(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)
