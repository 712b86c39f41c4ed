"""Asking for manual journals over the API."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.kit import clock
from apps.kit.views import TreasuryViewSet
from apps.ledger.api import journal_serializers as serializers
from apps.ledger.api.booking_views import caller_of
from apps.ledger.api.currency_serializers import APPROVAL, AskedOut
from apps.ledger.models import Transaction
from apps.ledger.services import partner_journals


class JournalViewSet(TreasuryViewSet):
    """Manual journals: a key asks for one, and a person other than who made the key agrees before it is booked."""

    queryset = Transaction.objects.none()
    serializer_class = AskedOut
    id_prefix = APPROVAL
    required_scopes: ClassVar[dict[str, str]] = {"create": "journals:write"}
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create"})

    @extend_schema(request=serializers.JournalIn, responses={202: AskedOut})
    def create(self, request: Request, **_: str) -> Response:
        """Ask for a journal; the same one again is the request that waits. Booked, its reference is the voucher."""
        body = serializers.JournalIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = serializers.journal(body.validated_data)
        approval_id = partner_journals.ask(journal=wanted, caller=caller_of(request), now=clock.now())
        said = AskedOut({"approval_id": approval_id}).data
        return Response(said, status=status.HTTP_202_ACCEPTED)
