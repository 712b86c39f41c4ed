"""Connected accounts and transfers over the API."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.access.selectors import branches
from apps.disbursements.api import filters, serializers
from apps.disbursements.contracts import NewTransfer
from apps.disbursements.models import ConnectedAccount, Transfer
from apps.disbursements.selectors import connected_accounts as stored_accounts
from apps.disbursements.selectors import transfers as stored
from apps.disbursements.services import connected_accounts, transfer_reversals, transfers
from apps.kit import clock, ids
from apps.kit.views import TreasuryViewSet
from apps.parties.selectors import parties


class ConnectedAccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Connected accounts: what a provider keeps for a merchant, a rider or a supplier, to be paid there.

    A key sees those of its application, in its branch or in all.
    """

    queryset = ConnectedAccount.objects.none()
    serializer_class = serializers.ConnectedAccountOut
    filterset_class = filters.ConnectedAccountFilter
    id_prefix = "ca"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "connected_accounts:read",
        "retrieve": "connected_accounts:read",
        "create": "connected_accounts:write",
        "link": "connected_accounts:write",
        "refresh": "connected_accounts:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "refresh"})

    def get_queryset(self) -> QuerySet[ConnectedAccount]:
        return stored_accounts.visible_to(self.request.user)

    @extend_schema(request=serializers.ConnectedAccountIn, responses={201: serializers.ConnectedAccountOut})
    def create(self, request: Request, **_: str) -> Response:
        """
        Have a provider open an account for a party. Once `connected_account_opened` has come, ask for a link and send the
        party there; `connected_account_updated` says when it may be paid.
        """
        body = serializers.ConnectedAccountIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _caller(request)
        account = connected_accounts.open_account(
            party=parties.get(caller, body.validated_data["party_id"]),
            request=body.request(),
            actor=caller.actor,
            now=clock.now(),
        )
        return _created(request, self.id_prefix, account.id, self.get_serializer(account).data)

    @extend_schema(request=None, responses={200: serializers.ConnectLinkOut})
    @action(detail=True, methods=["post"])
    def link(self, request: Request, **_: str) -> Response:
        """
        Ask the provider for the address of its pages on which the party tells what is asked, and send it there.

        An address is good for minutes and once: ask for another one each time.
        """
        account = self.get_object()
        made = connected_accounts.link(account_id=account.id, actor=_caller(request).actor, now=clock.now())
        told = {
            "connected_account_id": account.id,
            "next_action": {"type": "redirect", "url": made.url, "expires_at": made.expires_at},
        }
        return Response(serializers.ConnectLinkOut(told).data)

    @extend_schema(request=None, responses={202: serializers.ConnectedAccountOut})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, **_: str) -> Response:
        """Have the provider asked now how the account stands; `connected_account_updated` tells what changed."""
        account = connected_accounts.refresh(
            account_id=self.get_object().id, actor=_caller(request).actor, now=clock.now()
        )
        return Response(self.get_serializer(account).data, status=status.HTTP_202_ACCEPTED)


class TransferViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Transfers: what we owe a merchant, a rider or a supplier, paid to its connected account.

    What is owed comes from journals. A key sees the transfers of its application, in its branch or in all.
    """

    queryset = Transfer.objects.none()
    serializer_class = serializers.TransferOut
    filterset_class = filters.TransferFilter
    id_prefix = "tr"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "transfers:read",
        "retrieve": "transfers:read",
        "create": "transfers:write",
        "reverse": "transfers:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "reverse"})

    def get_queryset(self) -> QuerySet[Transfer]:
        return stored.visible_to(self.request.user)

    @extend_schema(request=serializers.TransferIn, responses={201: serializers.TransferOut})
    def create(self, request: Request, **_: str) -> Response:
        """
        Pay a party what is owed to it. It is booked as on its way at once; the provider is told after the answer, or after an
        approval where a rule wants one.
        """
        body = serializers.TransferIn(data=request.data)
        body.is_valid(raise_exception=True)
        data, caller = body.validated_data, _caller(request)
        transfer = transfers.order(
            request=NewTransfer(
                connected_account_id=stored_accounts.get(caller, data["connected_account_id"]).id,
                money=data["amount"],
                branch_id=branches.chosen(caller, data.get("branch_id")).id,
                application_id=caller.application_id,
                reference=data["reference"],
                force=data["force"],
            ),
            actor=caller.actor,
            now=clock.now(),
        )
        return _created(request, self.id_prefix, transfer.id, self.get_serializer(transfer).data)

    @extend_schema(request=serializers.TransferReverseIn, responses={202: serializers.TransferOut})
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, **_: str) -> Response:
        """Take a transfer back, whole or a part of it: `transfer_reversed` says when it has come, and it is owed again."""
        body = serializers.TransferReverseIn(data=request.data)
        body.is_valid(raise_exception=True)
        transfer = transfer_reversals.reverse(
            transfer_id=self.get_object().id,
            money=body.validated_data.get("amount"),
            reason=body.validated_data["reason"],
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(transfer).data, status=status.HTTP_202_ACCEPTED)


def _created(request: Request, prefix: str, row_id: Any, body: Any) -> Response:
    location = f"{request.path.rstrip('/')}/{ids.encode(prefix, row_id)}"
    return Response(body, status=status.HTTP_201_CREATED, headers={"Location": location})


def _caller(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)
