"""Payments and refunds over the API."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.kit import clock, ids, preferences
from apps.kit.views import TreasuryViewSet
from apps.payments.api import filters, orders, routing_views, serializers
from apps.payments.contracts import IntentStatus
from apps.payments.models import InboundReceipt, PaymentIntent, Refund
from apps.payments.selectors import inbound_receipts as stored_receipts
from apps.payments.selectors import intents as stored
from apps.payments.selectors import refunds as stored_refunds
from apps.payments.services import captures, intents, pay_pages, refunds, resolutions


class PaymentIntentViewSet(
    routing_views.AttemptsListed,
    preferences.Waiting,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    TreasuryViewSet,
):
    """Payment intents: one sum asked from one payer. A key sees the payments of its application, in its branch or in all."""

    queryset = PaymentIntent.objects.none()
    serializer_class = serializers.PaymentIntentOut
    filterset_class = filters.PaymentIntentFilter
    id_prefix = "pi"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "payments:read",
        "retrieve": "payments:read",
        "attempts": "payments:read",
        "create": "payments:write",
        "confirm": "payments:write",
        "cancel": "payments:write",
        "capture": "payments:write",
        "verify": "payments:write",
        "pay_page": "payments:write",
        "end_pay_page": "payments:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset(
        {"create", "confirm", "cancel", "capture", "verify", "pay_page"}
    )
    waiting_actions: ClassVar[frozenset[str]] = frozenset({"create", "confirm"})

    def get_queryset(self) -> QuerySet[PaymentIntent]:
        visible = stored.visible_to(self.request.user)
        return stored.with_paying(visible) if self.action == "list" else visible

    def is_awaited(self, body: Any) -> bool:
        return stored.is_processing(ids.decode(self.id_prefix, body["id"]))

    def present(self, body: Any) -> Any:
        return self.get_serializer(stored.get(_caller(self.request), ids.decode("pi", body["id"]))).data

    @extend_schema(request=serializers.PaymentIntentIn, responses={201: serializers.PaymentIntentOut})
    def create(self, request: Request, **_: str) -> Response:
        """Ask a payer for a sum. The payer is asked at once, unless ``confirm`` is false."""
        body = serializers.PaymentIntentIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _caller(request)
        intent = intents.create(request=orders.read(body, caller), actor=caller.actor, now=clock.now())
        location = f"{request.path.rstrip('/')}/{ids.encode(self.id_prefix, intent.id)}"
        return self._shown(intent, status.HTTP_201_CREATED, {"Location": location})

    @extend_schema(request=serializers.ConfirmIn, responses=serializers.PaymentIntentOut)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, **_: str) -> Response:
        """Ask the payer now; name method and payer where the payment has none yet, or others."""
        body = serializers.ConfirmIn(data=request.data)
        body.is_valid(raise_exception=True)
        intent = intents.confirm(
            intent_id=self.get_object().id,
            choice=body.choice(),
            is_repeat_refused=not body.validated_data["force"],
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return self._shown(intent)

    @extend_schema(
        request=None,
        responses={200: serializers.PaymentIntentOut, 202: serializers.PaymentIntentOut},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **_: str) -> Response:
        """
        Cancel a payment that the payer has not been asked for yet (200).

        Otherwise the wish is recorded (202, ``cancel_requested``) and nothing is sent again. A page on which the payer may pay is
        closed, and what was held back is let go; a prompt on a phone cannot be called back. The payment ends as cancelled unless
        the payer was faster.
        """
        intent = intents.cancel(intent_id=self.get_object().id, actor=_caller(request).actor, now=clock.now())
        is_done = intent.status == IntentStatus.CANCELLED
        return self._shown(intent, status.HTTP_200_OK if is_done else status.HTTP_202_ACCEPTED)

    @extend_schema(request=serializers.PaymentCaptureIn, responses={202: serializers.PaymentIntentOut})
    @action(detail=True, methods=["post"])
    def capture(self, request: Request, **_: str) -> Response:
        """
        Take what the payer has authorised, or a part of it: what is left is let go.

        The provider is told after the answer; the payment succeeds when it says so. M-Pesa holds nothing back
        (`capture_not_supported`).
        """
        body = serializers.PaymentCaptureIn(data=request.data)
        body.is_valid(raise_exception=True)
        intent = captures.capture(
            intent_id=self.get_object().id,
            money=body.validated_data.get("amount"),
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return self._shown(intent, status.HTTP_202_ACCEPTED)

    @extend_schema(request=serializers.VerifyIn, responses={202: serializers.PaymentIntentOut})
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, **_: str) -> Response:
        """Ask the provider about the receipt that a payer holds; the answer settles the payment if it fits."""
        body = serializers.VerifyIn(data=request.data)
        body.is_valid(raise_exception=True)
        intent = intents.verify(
            intent_id=self.get_object().id,
            receipt=body.validated_data["receipt"],
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return self._shown(intent, status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={201: serializers.PayPageOut})
    @action(detail=True, methods=["post"], url_path="pay-page")
    def pay_page(self, request: Request, **_: str) -> Response:
        """
        Make a page on which the payer sees the sum and pays it from his own phone; its address is told this once.

        Another page of the same payment opens nothing any more. While there is one, a prompt that fails brings the payment
        back to ``requires_confirmation``, three times at most.
        """
        opened = pay_pages.make(intent_id=self.get_object().id, actor=_caller(request).actor, now=clock.now())
        return Response(serializers.PayPageOut(opened).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    @pay_page.mapping.delete
    def end_pay_page(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """Let the page's address open nothing any more; a second time changes nothing."""
        pay_pages.revoke(intent_id=self.get_object().id, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _shown(
        self, intent: PaymentIntent, code: int = status.HTTP_200_OK, headers: dict[str, str] | None = None
    ) -> Response:
        return Response(self.get_serializer(intent).data, status=code, headers=headers)


class RefundViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """Refunds: a payment going back to its payer. A key sees those of its application, in its branch or in all."""

    queryset = Refund.objects.none()
    serializer_class = serializers.RefundOut
    filterset_class = filters.RefundFilter
    id_prefix = "re"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "refunds:read",
        "retrieve": "refunds:read",
        "create": "refunds:write",
        "verify": "refunds:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "verify"})

    def get_queryset(self) -> QuerySet[Refund]:
        return stored_refunds.visible_to(self.request.user)

    @extend_schema(request=serializers.RefundIn, responses={201: serializers.RefundOut})
    def create(self, request: Request, **_: str) -> Response:
        """Give a payment back, whole or a part of it. The provider is asked at once, or after an approval where a rule wants one."""
        body = serializers.RefundIn(data=request.data)
        body.is_valid(raise_exception=True)
        data, caller = body.validated_data, _caller(request)
        refund = refunds.create(
            intent_id=stored.get(caller, data["payment_id"]).id,
            attempt_id=data.get("attempt_id"),
            money=data.get("amount"),
            reason=data["reason"],
            actor=caller.actor,
            now=clock.now(),
        )
        location = f"{request.path.rstrip('/')}/{ids.encode(self.id_prefix, refund.id)}"
        return Response(
            self.get_serializer(refund).data, status=status.HTTP_201_CREATED, headers={"Location": location}
        )

    @extend_schema(request=serializers.RefundVerifyIn, responses={202: serializers.RefundOut})
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, **_: str) -> Response:
        """
        Ask the provider about the receipt of a reversal that somebody found, or about the request itself.

        The answer settles the refund if it fits.
        """
        body = serializers.RefundVerifyIn(data=request.data)
        body.is_valid(raise_exception=True)
        refund = refunds.verify(
            refund_id=self.get_object().id,
            receipt=body.validated_data["receipt"],
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(refund).data, status=status.HTTP_202_ACCEPTED)


class InboundReceiptViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Money that arrived unasked. A key sees what pays its own application's payments, and what waits in suspense and is
    of no application yet, in its branch or in all.
    """

    queryset = InboundReceipt.objects.none()
    serializer_class = serializers.InboundReceiptOut
    filterset_class = filters.InboundReceiptFilter
    id_prefix = "ir"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "suspense:read",
        "retrieve": "suspense:read",
        "assign": "suspense:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"assign"})

    def get_queryset(self) -> QuerySet[InboundReceipt]:
        return stored_receipts.visible_to(self.request.user)

    @extend_schema(request=serializers.AssignIn, responses=serializers.InboundReceiptOut)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, **_: str) -> Response:
        """Give money in suspense to the payment that it is of: it settles it, closed or not."""
        body = serializers.AssignIn(data=request.data)
        body.is_valid(raise_exception=True)
        data, caller = body.validated_data, _caller(request)
        inbound = resolutions.assign(
            inbound_id=self.get_object().id,
            intent_id=stored.get(caller, data["payment_id"]).id,
            reason=data["reason"],
            actor=caller.actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(inbound).data)


def _caller(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)
