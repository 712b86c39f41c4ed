"""Transactions, their proofs, and holds over the API."""

from typing import ClassVar, cast
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.kit import clock, ids
from apps.kit.pagination import TransactionUidPagination
from apps.kit.views import TreasuryViewSet
from apps.ledger.api import booking_serializers as serializers
from apps.ledger.api import filters
from apps.ledger.api.report_serializers import ExplanationOut
from apps.ledger.api.views import LedgerViewSet
from apps.ledger.contracts import Booked
from apps.ledger.models import Hold, Transaction
from apps.ledger.selectors import explanations, holds, proofs, transactions
from apps.ledger.services import partner_holds, partner_postings


class TransactionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, LedgerViewSet):
    """
    Transactions that touch the key's branch, or all of them.

    A partner posts to general accounts, and to what is owed to customers, merchants and riders that are its parties; it
    reverses what its own application posted.
    """

    queryset = Transaction.objects.none()
    serializer_class = serializers.TransactionOut
    filterset_class = filters.TransactionFilter
    id_prefix = serializers.TRANSACTION
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "ledger:read",
        "retrieve": "ledger:read",
        "proof": "ledger:read",
        "explanation": "evidence:read",
        "create": "ledger:write",
        "batch": "ledger:write",
        "reverse": "ledger:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "batch", "reverse"})

    def get_queryset(self) -> QuerySet[Transaction]:
        return transactions.with_entries(transactions.visible_to(self.request.user))

    @extend_schema(
        request=serializers.TransactionIn,
        responses={200: serializers.TransactionOut, 201: serializers.TransactionOut},
    )
    def create(self, request: Request, **_: str) -> Response:
        """Post a transaction, all its legs or nothing: 200 where it was booked before under its key."""
        body = serializers.TransactionIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = serializers.posting(body.validated_data, key_of(request))
        booked = partner_postings.post(posting=wanted, caller=caller_of(request), now=clock.now())
        location = f"{request.path.rstrip('/')}/{ids.encode(self.id_prefix, booked.id)}"
        return self._shown(booked, {"Location": location})

    @extend_schema(request=serializers.BatchIn, responses=serializers.BatchOut)
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def batch(self, request: Request, **_: str) -> Response:
        """Post up to 1,000 transactions, all of them or none; they come back in their order."""
        body = serializers.BatchIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = [
            serializers.posting(said, "", f"/transactions/{place}")
            for place, said in enumerate(body.validated_data["transactions"])
        ]
        booked = partner_postings.post_batch(postings=wanted, caller=caller_of(request), now=clock.now())
        found = self.get_queryset().in_bulk([one.number for one in booked])
        return Response(serializers.BatchOut({"data": [found[one.number] for one in booked]}).data)

    @extend_schema(
        request=serializers.ReverseIn,
        responses={200: serializers.TransactionOut, 201: serializers.TransactionOut},
    )
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, **_: str) -> Response:
        """Take back what your application posted: a second transaction turns every leg around. The answer is that one."""
        body = serializers.ReverseIn(data=request.data)
        body.is_valid(raise_exception=True)
        booked = partner_postings.reverse(
            transaction_id=self.path_id(),
            **body.validated_data,
            caller=caller_of(request),
            now=clock.now(),
        )
        return self._shown(booked)

    @extend_schema(responses=serializers.ProofOut)
    @action(detail=True, methods=["get"])
    def proof(self, request: Request, **_: str) -> Response:
        """Read the proof that it is sealed as it is. It is sealed within two minutes of its posting; until then, 409."""
        return Response(proofs.of(self.path_id(), request.user))

    @extend_schema(responses=ExplanationOut)
    @action(detail=True, methods=["get"])
    def explanation(self, request: Request, **_: str) -> Response:
        """Read what it rests on: its business row, events, approvals, and the provider's words by their SHA-256."""
        return Response(ExplanationOut(explanations.transaction(self.path_id(), request.user)).data)

    def _shown(self, booked: Booked, headers: dict[str, str] | None = None) -> Response:
        found = self.get_queryset().get(id=booked.number)
        made = status.HTTP_200_OK if booked.is_replay else status.HTTP_201_CREATED
        return Response(self.get_serializer(found).data, status=made, headers=headers)


class HoldViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Holds that touch the key's branch, or all of them.

    A partner holds between the accounts that it may post to; it captures and releases what its own application holds.
    """

    queryset = Hold.objects.none()
    serializer_class = serializers.HoldOut
    filterset_class = filters.HoldFilter
    pagination_class = TransactionUidPagination
    lookup_field = "transaction__uid"
    id_prefix = serializers.HOLD
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "ledger:read",
        "retrieve": "ledger:read",
        "create": "ledger:write",
        "capture": "ledger:write",
        "release": "ledger:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "capture", "release"})

    def get_queryset(self) -> QuerySet[Hold]:
        return holds.visible_to(self.request.user)

    @extend_schema(request=serializers.HoldIn, responses={200: serializers.HoldOut, 201: serializers.HoldOut})
    def create(self, request: Request, **_: str) -> Response:
        """Hold a sum: it counts against limits from now on. 200 where it was held before under its key."""
        body = serializers.HoldIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = serializers.hold(body.validated_data, key_of(request))
        booked = partner_holds.place(wanted=wanted, caller=caller_of(request), now=clock.now())
        made = status.HTTP_200_OK if booked.is_replay else status.HTTP_201_CREATED
        location = f"{request.path.rstrip('/')}/{ids.encode(self.id_prefix, booked.id)}"
        return self._shown(booked.id, made, {"Location": location})

    @extend_schema(request=serializers.CaptureIn, responses=serializers.HoldOut)
    @action(detail=True, methods=["post"])
    def capture(self, request: Request, **_: str) -> Response:
        """Post a part of what is held, or all of it; the rest stays held."""
        body = serializers.CaptureIn(data=request.data)
        body.is_valid(raise_exception=True)
        partner_holds.capture(
            hold_id=self.path_id(),
            money=body.validated_data["amount"],
            key=body.validated_data.get("key", key_of(request)),
            caller=caller_of(request),
            now=clock.now(),
        )
        return self._shown(self.path_id())

    @extend_schema(request=serializers.ReleaseIn, responses=serializers.HoldOut)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, **_: str) -> Response:
        """Give back what is still held; a second time changes nothing."""
        body = serializers.ReleaseIn(data=request.data)
        body.is_valid(raise_exception=True)
        partner_holds.release(
            hold_id=self.path_id(), **body.validated_data, caller=caller_of(request), now=clock.now()
        )
        return self._shown(self.path_id())

    def _shown(
        self, hold_id: UUID, made: int = status.HTTP_200_OK, headers: dict[str, str] | None = None
    ) -> Response:
        held = self.get_queryset().get(transaction__uid=hold_id)
        return Response(self.get_serializer(held).data, status=made, headers=headers)


def caller_of(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)


def key_of(request: Request) -> str:
    """Return the Idempotency-Key without the quotes that it may be sent in."""
    return request.headers.get("Idempotency-Key", "").removeprefix('"').removesuffix('"')
