"""Bodies of the receipts API."""

from typing import Any

from rest_framework import serializers

from apps.documents.contracts import StoredFile
from apps.invoicing import events
from apps.invoicing.models import Document
from apps.kit.serializers import InstantField, MoneyField


class ReceiptPayerOut(serializers.Serializer):
    phone = serializers.CharField()
    name = serializers.CharField()


class FileOut(serializers.Serializer):
    sha256 = serializers.CharField(help_text="Hex SHA-256 over the bytes of the file.")
    size = serializers.IntegerField(help_text="Bytes.")
    content_type = serializers.CharField()


class ReceiptOut(serializers.Serializer):
    """A receipt; ``file`` is null while its PDF is being rendered."""

    id = serializers.CharField()
    object = serializers.CharField()
    number = serializers.CharField()
    payment_id = serializers.CharField()
    amount = MoneyField()
    part_of = MoneyField(
        allow_null=True,
        help_text="What was asked for, where this is a part of it; each part has its receipt.",
    )
    left = MoneyField(allow_null=True, help_text="What was left to pay after this part.")
    payer = ReceiptPayerOut()
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    method = serializers.CharField()
    provider_receipt = serializers.CharField(help_text="Empty when the provider had not told it at issue.")
    reference = serializers.CharField()
    description = serializers.CharField()
    paid_at = InstantField()
    issued_at = InstantField()
    file = FileOut(allow_null=True)


def represent(receipt: Document, file: StoredFile | None) -> dict[str, Any]:
    """Return the body of one receipt: the snapshot of events, with its file."""
    return {**events.snapshot(receipt), "file": FileOut(file).data if file else None}
