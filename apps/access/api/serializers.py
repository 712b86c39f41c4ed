"""Bodies of the access API."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from apps.access.contracts import SCOPES
from apps.access.models import ApiKey
from apps.access.models.api_key import GRACE_MAX, NETWORK_LENGTH, NETWORKS_MAX
from apps.access.models.branch_external_id import EXTERNAL_ID_LENGTH
from apps.kit.serializers import IdField, InstantField, StrictSerializer

NAME_LENGTH = 120
CODE_LENGTH = 20
GRACE_HOURS = 24
GRACE_HOURS_MAX = GRACE_MAX // timedelta(hours=1)


class BranchOut(serializers.Serializer):
    """A branch; an empty time_zone is that of the organisation."""

    id = IdField("br")
    object = serializers.CharField(read_only=True, default="branch")
    external_id = serializers.CharField(
        help_text="The id by which the calling application keeps it, if it does."
    )
    parent_id = IdField(
        "br", source="above_id", allow_null=True, help_text="The branch above, as far as the key sees it."
    )
    code = serializers.CharField()
    name = serializers.CharField()
    is_head_office = serializers.BooleanField()
    time_zone = serializers.CharField()
    created_at = InstantField()


class BranchKeptIn(StrictSerializer):
    """What is known of a branch. What is left out stays as it is; a new branch is below head office then."""

    code = serializers.CharField(
        max_length=CODE_LENGTH,
        help_text="1 to 20 capital letters, digits and dashes; it stays what it was first.",
    )
    name = serializers.CharField(max_length=NAME_LENGTH)
    parent_external_id = serializers.CharField(
        max_length=EXTERNAL_ID_LENGTH,
        required=False,
        allow_null=True,
        default=None,
        help_text="Your own id of the branch above.",
    )
    time_zone = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        allow_null=True,
        default=None,
        help_text="As Africa/Nairobi; empty: that of the organisation.",
    )


class BranchExternalIdIn(StrictSerializer):
    """An application's own id of a branch, as a path names it."""

    external_id = serializers.CharField(max_length=EXTERNAL_ID_LENGTH)


class ApplicationOut(serializers.Serializer):
    """An application that uses the treasury."""

    id = IdField("app")
    object = serializers.CharField(read_only=True, default="application")
    slug = serializers.CharField()
    name = serializers.CharField()
    created_at = InstantField()


class NetworksField(serializers.ListField):
    """Addresses and networks, of version 4 and 6, as 203.0.113.9 or 2001:db8::/32; none named: every address."""

    child = serializers.CharField(max_length=NETWORK_LENGTH)

    def __init__(self, **chosen: Any) -> None:
        super().__init__(
            max_length=NETWORKS_MAX,
            help_text="Addresses and networks that the key may come from, as 203.0.113.9, 203.0.113.0/24 or 2001:db8::/32; "
            "an empty list allows every address.",
            **chosen,
        )


class ApiKeyIn(StrictSerializer):
    """What a new key may do: scopes of the calling key at most, and of its branch where it has one."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    scopes = serializers.ListField(
        child=serializers.CharField(), allow_empty=False, max_length=len(SCOPES), help_text=", ".join(SCOPES)
    )
    branch_id = IdField("br", required=False, allow_null=True, default=None)
    expires_at = InstantField(
        required=False, allow_null=True, default=None, help_text="365 days from now at most, and without it."
    )
    allowed_networks = NetworksField(required=False, default=list)
    is_for_tokens = serializers.BooleanField(
        required=False,
        default=False,
        help_text="The key opens nothing itself; it is only exchanged for access tokens.",
    )


class TokenIn(serializers.Serializer):
    """A request for a token; the client may stand in the header `Authorization: Basic` in place of the body."""

    grant_type = serializers.ChoiceField(["client_credentials"])
    scope = serializers.CharField(
        required=False, help_text="Scopes with spaces between; all of the key's without it."
    )
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)


class TokenOut(serializers.Serializer):
    """A token: send it as `Authorization: Bearer`."""

    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
    scope = serializers.CharField()


class RevocationIn(serializers.Serializer):
    """The token to end; the client may stand in the header `Authorization: Basic` in place of the body."""

    token = serializers.CharField()
    token_type_hint = serializers.ChoiceField(["access_token"], required=False)
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)


class ApiKeyChangeIn(StrictSerializer):
    """From where a key may come."""

    allowed_networks = NetworksField()


class ApiKeyRotateIn(StrictSerializer):
    """For how many hours the old key works on: 0 ends it at once."""

    grace_hours = serializers.IntegerField(
        min_value=0, max_value=GRACE_HOURS_MAX, required=False, default=GRACE_HOURS
    )


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
    allowed_networks = serializers.ListField(child=serializers.CharField())
    is_for_tokens = serializers.BooleanField()
    created_at = InstantField()
    expires_at = InstantField(allow_null=True)
    replaces_id = IdField("key", allow_null=True, help_text="The key that this one was made in place of.")
    replaced_at = InstantField(allow_null=True)
    grace_ends_at = InstantField(
        allow_null=True, help_text="Until when a replaced key works on; revoke it to end that early."
    )
    last_used_at = InstantField(allow_null=True, help_text="Exact to a minute.")
    last_used_ip = serializers.IPAddressField(allow_null=True)
    last_refused_at = InstantField(
        allow_null=True, help_text="When the key was last shown outside its networks."
    )
    last_refused_ip = serializers.IPAddressField(allow_null=True)
    revoked_at = InstantField(allow_null=True)


class ApiKeyIssuedOut(ApiKeyOut):
    """A new API key with its secret, which is shown this once."""

    secret = serializers.SerializerMethodField()

    def get_secret(self, _: ApiKey) -> str:
        return self.context["secret"]
