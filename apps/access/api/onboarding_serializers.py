"""Bodies of the onboarding API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.access.api.serializers import ApiKeyIssuedOut
from apps.access.contracts import SCOPES
from apps.kit import ids
from apps.kit.serializers import IdField, InstantField, StrictSerializer
from apps.tenancy.contracts import (
    ApplicationKind,
    ApplicationStatus,
    GrantChangeStatus,
    LinkOrigin,
    LinkStatus,
    OrganisationRequestStatus,
)
from apps.tenancy.selectors.directory import RegisteredApplication
from apps.tenancy.selectors.links import GrantChange, LinkRequest
from apps.tenancy.selectors.organisation_requests import OrganisationRequest, setting_up

NAME_LENGTH = 120
MESSAGE_LENGTH = 500
SLUG_FORM = r"^[a-z][a-z0-9-]{1,49}\Z"
CODE_LENGTH = 44


def names(values: Any) -> list[str]:
    return [value.lower() for value in values]


class RegistrationIn(StrictSerializer):
    """What an application says of itself."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    kind = serializers.ChoiceField(
        choices=names(ApplicationKind), help_text="A product of your own, or a partner of many organisations."
    )
    contact_email = serializers.EmailField(max_length=254)
    homepage = serializers.URLField(max_length=200, help_text="An https:// address.")


class RegisteredApplicationOut(serializers.Serializer):
    """An application as the platform's directory knows it."""

    id = IdField("dap")
    object = serializers.CharField(read_only=True, default="registered_application")
    name = serializers.CharField()
    kind = serializers.SerializerMethodField()
    contact_email = serializers.CharField()
    homepage = serializers.CharField()
    status = serializers.SerializerMethodField(help_text=", ".join(names(ApplicationStatus)))
    reason = serializers.CharField(help_text="Why it was refused.")
    created_at = InstantField()
    decided_at = InstantField(allow_null=True)

    def get_kind(self, application: RegisteredApplication) -> str:
        return application.kind.lower()

    def get_status(self, application: RegisteredApplication) -> str:
        return application.status.lower()


class RegisteredOut(RegisteredApplicationOut):
    """A registered application with its directory secret, which is shown this once."""

    secret = serializers.SerializerMethodField()

    def get_secret(self, _: RegisteredApplication) -> str:
        return self.context["secret"]


class LinkIn(StrictSerializer):
    """Whom to ask, for what. The scopes are a wish: the organisation grants what it likes."""

    organisation = serializers.RegexField(
        SLUG_FORM, help_text="The name of the organisation in its addresses."
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(SCOPES)), allow_empty=False, max_length=len(SCOPES)
    )
    message = serializers.CharField(
        max_length=MESSAGE_LENGTH, allow_blank=True, default="", help_text="Its people read this."
    )


class GrantIn(StrictSerializer):
    """All that the link is to grant, not only what is new."""

    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(SCOPES)), allow_empty=False, max_length=len(SCOPES)
    )
    branch_id = IdField(
        "br",
        required=False,
        allow_null=True,
        help_text="The only branch that the keys may touch, null: all of them. Left out, it stays as it is.",
    )
    message = serializers.CharField(
        max_length=MESSAGE_LENGTH, allow_blank=True, default="", help_text="Its people read this."
    )


class GrantChangeOut(serializers.Serializer):
    """What the application asked to be granted last, where people of the organisation have to agree."""

    status = serializers.SerializerMethodField(help_text=", ".join(names(GrantChangeStatus)))
    scopes = serializers.ListField(child=serializers.CharField())
    branch_id = IdField("br", source="branch_id_there", allow_null=True)
    reason = serializers.CharField(help_text="Why it was refused.")
    created_at = InstantField()
    expires_at = InstantField()
    ended_at = InstantField(allow_null=True)

    def get_status(self, change: GrantChange) -> str:
        return change.status.lower()


class InviteIn(StrictSerializer):
    """The code of an invite, as an organisation handed it over."""

    code = serializers.CharField(max_length=CODE_LENGTH)


class LinkedOrganisationOut(serializers.Serializer):
    """The organisation of a link: how the API and people call it."""

    id = IdField("ten")
    slug = serializers.CharField()
    name = serializers.CharField()
    is_test = serializers.BooleanField()


class LinkOut(serializers.Serializer):
    """
    A link between the application and an organisation.

    While it is pending nothing tells whether there is such an organisation; one that nobody answers expires.
    """

    id = IdField("lnk")
    object = serializers.CharField(read_only=True, default="link")
    origin = serializers.SerializerMethodField(help_text=", ".join(names(LinkOrigin)))
    status = serializers.SerializerMethodField(help_text=", ".join(names(LinkStatus)))
    wanted = serializers.CharField(source="wanted_slug")
    organisation = serializers.SerializerMethodField()
    application_id = serializers.SerializerMethodField(
        help_text="What the application is called in the organisation."
    )
    branch_id = serializers.SerializerMethodField(help_text="The only branch that its keys may touch.")
    scopes = serializers.ListField(
        child=serializers.CharField(), help_text="Asked for; granted once it is accepted."
    )
    change = serializers.SerializerMethodField(help_text="The last change that was asked for.")
    reason = serializers.CharField()
    has_key = serializers.SerializerMethodField()
    created_at = InstantField()
    expires_at = InstantField()
    decided_at = InstantField(allow_null=True)
    ended_at = InstantField(allow_null=True)

    def get_origin(self, link: LinkRequest) -> str:
        return link.origin.lower()

    def get_status(self, link: LinkRequest) -> str:
        return link.status.lower()

    def get_organisation(self, link: LinkRequest) -> dict[str, Any] | None:
        if link.application_id_there is None:
            return None
        return LinkedOrganisationOut(link.organisation).data

    def get_application_id(self, link: LinkRequest) -> str | None:
        return ids.encode("app", link.application_id_there) if link.application_id_there else None

    def get_branch_id(self, link: LinkRequest) -> str | None:
        return ids.encode("br", link.branch_id_there) if link.branch_id_there else None

    @extend_schema_field(GrantChangeOut(allow_null=True))
    def get_change(self, link: LinkRequest) -> dict[str, Any] | None:
        newest = max(link.changes.all(), key=lambda change: change.id, default=None)
        return GrantChangeOut(newest).data if newest else None

    def get_has_key(self, link: LinkRequest) -> bool:
        return link.key_id_there is not None


class LinkKeyOut(ApiKeyIssuedOut):
    """The first API key of a link with its secret, which is shown this once."""


class OrganisationRequestIn(StrictSerializer):
    """A test organisation needs a name alone: address, owner and scopes are ours to make."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    is_test = serializers.BooleanField()
    slug = serializers.RegexField(
        SLUG_FORM, required=False, help_text="Of a live one: its name in addresses."
    )
    owner_email = serializers.EmailField(max_length=254, required=False, help_text="Of a live one.")
    owner_name = serializers.CharField(max_length=NAME_LENGTH, required=False, help_text="Of a live one.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(SCOPES)),
        required=False,
        allow_empty=False,
        max_length=len(SCOPES),
        help_text="What the application is to do in a live one.",
    )
    message = serializers.CharField(max_length=MESSAGE_LENGTH, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what a live organisation lacks, and what a test one must not name."""
        live = ("slug", "owner_email", "owner_name", "scopes")
        wrong = [name for name in live if (name in attrs) is attrs["is_test"]]
        if wrong:
            text = (
                "A test organisation takes none." if attrs["is_test"] else "A live organisation needs this."
            )
            code = "not_taken" if attrs["is_test"] else "required"
            raise serializers.ValidationError(
                {name: serializers.ErrorDetail(text, code=code) for name in wrong}
            )
        return attrs


class StepOut(serializers.Serializer):
    """One step of setting up; without ``at`` it is still to be done."""

    name = serializers.CharField(help_text="asked, restored, filled, ready")
    at = InstantField(allow_null=True)


class OrganisationRequestOut(serializers.Serializer):
    """A wish for an organisation; once it is accepted, ``link_id`` is where the key is fetched."""

    id = IdField("ogr")
    object = serializers.CharField(read_only=True, default="organisation_request")
    name = serializers.CharField()
    slug = serializers.CharField()
    is_test = serializers.BooleanField()
    owner_email = serializers.CharField()
    status = serializers.SerializerMethodField(help_text=", ".join(names(OrganisationRequestStatus)))
    reason = serializers.CharField()
    link_id = IdField("lnk", allow_null=True)
    setting_up = serializers.SerializerMethodField()
    created_at = InstantField()
    expires_at = InstantField()
    decided_at = InstantField(allow_null=True)

    def get_status(self, request: OrganisationRequest) -> str:
        return request.status.lower()

    @extend_schema_field(StepOut(many=True))
    def get_setting_up(self, request: OrganisationRequest) -> Any:
        return StepOut(setting_up(request), many=True).data


class OwnerLinkOut(serializers.Serializer):
    """Where the owner of a test organisation chooses his password, shown this once, and what he signs in with."""

    object = serializers.CharField(read_only=True, default="owner_link")
    email = serializers.CharField()
    link = serializers.CharField()
