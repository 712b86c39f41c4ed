"""The receipts API: list, read, and the PDF with its checksum."""

from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.documents.contracts import PDF
from apps.documents.services import artifacts
from apps.invoicing.api import filters, serializers
from apps.invoicing.models import Document
from apps.invoicing.selectors import receipts
from apps.kit import errors
from apps.kit.views import TreasuryViewSet


class ReceiptNotRendered(errors.DomainError):
    """The PDF is still being made; ask again in a moment."""

    code = "receipt_not_rendered"
    title = "Not rendered yet"
    retryable = True


class ReceiptViewSet(TreasuryViewSet):
    """Receipts of money that arrived: issued once, never changed."""

    queryset = Document.objects.none()
    serializer_class = serializers.ReceiptOut
    filterset_class = filters.ReceiptFilter
    id_prefix = "rcp"
    required_scopes: ClassVar = {"list": "receipts:read", "retrieve": "receipts:read", "pdf": "receipts:read"}

    def get_queryset(self) -> QuerySet[Document]:
        return receipts.visible_to(self.request.user)

    @extend_schema(responses=serializers.ReceiptOut(many=True))
    def list(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """List receipts, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        files = receipts.files_of(page)
        return self.get_paginated_response([serializers.represent(row, files.get(row.id)) for row in page])

    def retrieve(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """Read one receipt."""
        receipt = self.get_object()
        return Response(serializers.represent(receipt, receipts.file_of(receipt)))

    @extend_schema(responses={(200, PDF): OpenApiResponse(OpenApiTypes.BINARY, description="The PDF.")})
    @action(detail=True, url_path="pdf")
    def pdf(self, request: Request, **_: str) -> HttpResponse:  # noqa: ARG002 (the router's signature)
        """Download the PDF; its SHA-256 is the ETag."""
        receipt = self.get_object()
        file = receipts.file_of(receipt)
        if file is None:
            raise ReceiptNotRendered("The PDF is being made. Ask again in a few seconds.")
        content = artifacts.read(file_id=file.id)
        disposition = f'attachment; filename="{receipt.number}.pdf"'
        return HttpResponse(
            content,
            content_type=PDF,
            headers={"Content-Disposition": disposition, "ETag": f'"{file.sha256}"'},
        )
