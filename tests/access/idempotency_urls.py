"""A resource for the tests of idempotency: opens branches, and refuses in every way that a service may."""

from threading import Event

from django.urls import include, path
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from apps.access.services import branches
from apps.kit import clock, errors
from apps.kit.serializers import StrictSerializer
from apps.kit.views import TreasuryViewSet

started = Event()
may_end = Event()
may_end.set()


class Busy(errors.DomainError):
    """Somebody else is at it."""

    code = "busy"
    retryable = True


class Declined(errors.DomainError):
    """The provider said no."""

    code = "payment_declined"
    status = 402


class BranchIn(StrictSerializer):
    code = serializers.CharField()
    amount = serializers.JSONField(required=False)
    then = serializers.CharField(required=False, default="")


REFUSALS = {"busy": Busy, "declined": Declined, "conflict": errors.DomainError, "invalid": errors.Invalid}


class BranchOpenings(TreasuryViewSet):
    required_scopes = {"create": "payments:write", "again": "payments:write"}
    idempotent_actions = frozenset({"create", "again"})

    def create(self, request: Request, **_: str) -> Response:
        body = BranchIn(data=request.data)
        body.is_valid(raise_exception=True)
        chosen = body.validated_data
        branch = branches.create(code=chosen["code"], name="X", actor=request.actor, now=clock.now())
        started.set()
        may_end.wait(timeout=10)
        if chosen["then"] == "break":
            raise ZeroDivisionError
        if chosen["then"] in REFUSALS:
            raise REFUSALS[chosen["then"]]("No.")
        answer = {"id": str(branch.id), "code": branch.code}
        if chosen["then"] == "answer 500":
            return Response(answer, status=status.HTTP_500_INTERNAL_SERVER_ERROR)
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": f"/b/{branch.id}"})

    @action(detail=False, methods=["post"])
    def again(self, request: Request, **_: str) -> Response:
        return self.create(request)


router = SimpleRouter(trailing_slash=False)
router.register("branch-openings", BranchOpenings, basename="branch-opening")
urlpatterns = [
    path("v1/<str:tenant_id>/", include(router.urls)),
    path("api/v1/<str:tenant_id>/", include((router.urls, "alias"))),
]
