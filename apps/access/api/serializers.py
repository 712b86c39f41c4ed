"""Bodies of the access API."""

from rest_framework import serializers

from apps.access.contracts import SCOPES
from apps.access.models import ApiKey
from apps.kit.serializers import IdField, InstantField, StrictSerializer

NAME_LENGTH = 120


class BranchOut(serializers.Serializer):
    """A branch; an empty time_zone is that of the organisation."""

    id = IdField("br")
    object = serializers.CharField(read_only=True, default="branch")
    code = serializers.CharField()
    name = serializers.CharField()
    is_head_office = serializers.BooleanField()
    time_zone = serializers.CharField()
    created_at = InstantField()


class ApplicationOut(serializers.Serializer):
    """An application that uses the treasury."""

    id = IdField("app")
    object = serializers.CharField(read_only=True, default="application")
    slug = serializers.CharField()
    name = serializers.CharField()
    created_at = InstantField()


class ApiKeyIn(StrictSerializer):
    """What a new key may do: scopes of the calling key at most, and of its branch where it has one."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    scopes = serializers.ListField(
        child=serializers.CharField(), allow_empty=False, max_length=len(SCOPES), help_text=", ".join(SCOPES)
    )
    branch_id = IdField("br", required=False, allow_null=True, default=None)
    expires_at = InstantField(required=False, allow_null=True, default=None)


class ApiKeyOut(serializers.Serializer):
    """An API key without its secret."""

    id = IdField("key")
    object = serializers.CharField(read_only=True, default="api_key")
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The start of the key, enough to recognise it.")
    last4 = serializers.CharField()
    application_id = IdField("app")
    branch_id = IdField("br", allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = InstantField()
    expires_at = InstantField(allow_null=True)
    last_used_at = InstantField(allow_null=True)
    revoked_at = InstantField(allow_null=True)


class ApiKeyIssuedOut(ApiKeyOut):
    """A new API key with its secret, which is shown this once."""

    secret = serializers.SerializerMethodField()

    def get_secret(self, _: ApiKey) -> str:
        return self.context["secret"]
