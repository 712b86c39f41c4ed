"""Onboarding over the API: applications register, ask for links, take invites, and fetch their first key."""

from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.api import onboarding_serializers as serializers
from apps.access.api.onboarding_authentication import DirectoryAuthentication, IsRegistered, Registrant
from apps.access.contracts import SCOPES
from apps.access.selectors import entry_addresses
from apps.access.services import application_links, grants
from apps.kit import clock, remote
from apps.kit.views import TreasuryViewSet
from apps.tenancy.contracts import ApplicationKind
from apps.tenancy.selectors import links
from apps.tenancy.selectors import organisation_requests as wishes
from apps.tenancy.selectors.directory import RegisteredApplication
from apps.tenancy.selectors.links import LinkRequest
from apps.tenancy.selectors.organisation_requests import OrganisationRequest
from apps.tenancy.services import directory, link_requests, organisation_requests


class OnboardingViewSet(TreasuryViewSet):
    """What a registered application does by its directory secret: outside of any organisation, so without scopes."""

    authentication_classes = (DirectoryAuthentication,)
    permission_classes = (IsRegistered,)

    @property
    def application(self) -> RegisteredApplication:
        return cast(Registrant, self.request.user).application


class RegistrationViewSet(TreasuryViewSet):
    """The door of the directory: nobody who registers is asked for a secret, he gets his first one."""

    queryset = RegisteredApplication.objects.none()
    serializer_class = serializers.RegisteredApplicationOut
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=serializers.RegistrationIn, responses={201: serializers.RegisteredOut})
    def create(self, request: Request) -> Response:
        """
        Register an application with the platform. Its directory secret is shown this once.

        It is pending until the platform's staff accepts it; one that is not accepted within 14 days is forgotten.
        Five registrations an hour are taken from one address.
        """
        body = serializers.RegistrationIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        address = remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])
        registered = directory.register(
            **{**said, "kind": ApplicationKind(said["kind"].upper())},
            sender=remote.holder(address),
            now=clock.now(),
        )
        return Response(_with_secret(registered), status=status.HTTP_201_CREATED)


class RegisteredApplicationViewSet(OnboardingViewSet):
    """The calling application, as the directory knows it."""

    queryset = RegisteredApplication.objects.none()
    serializer_class = serializers.RegisteredApplicationOut

    @extend_schema(responses={200: serializers.RegisteredApplicationOut})
    def retrieve(self, _: Request) -> Response:
        """Read what the platform knows of the calling application, and whether it is accepted."""
        return Response(self.get_serializer(self.application).data)

    @extend_schema(request=None, responses={200: serializers.RegisteredOut})
    def renew_secret(self, _: Request) -> Response:
        """Get another directory secret; the one that was used for this request opens nothing afterwards."""
        renewed = directory.renew_secret(application_id=self.application.id, now=clock.now())
        return Response(_with_secret(renewed))


class LinkViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OnboardingViewSet):
    """The application's links with organisations: asked for, invited to, and made by itself."""

    queryset = LinkRequest.objects.none()
    serializer_class = serializers.LinkOut
    id_prefix = "lnk"

    def get_queryset(self) -> QuerySet[LinkRequest]:
        return links.of_application(self.application.id)

    @extend_schema(request=serializers.LinkIn, responses={202: serializers.LinkOut})
    def create(self, request: Request) -> Response:
        """
        Ask an organisation to let the application in. Asking again is the same request.

        The answer is the same whether there is such an organisation or not. Poll the link: its people accept or
        refuse it, or it expires after 14 days.
        """
        body = serializers.LinkIn(data=request.data)
        body.is_valid(raise_exception=True)
        link = link_requests.ask(
            application=self.application,
            slug=body.validated_data["organisation"],
            scopes=body.validated_data["scopes"],
            message=body.validated_data["message"],
            now=clock.now(),
        )
        return Response(self.get_serializer(link).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=serializers.InviteIn, responses={200: serializers.LinkOut})
    @action(detail=False, methods=["post"], url_path="redeem-invite")
    def redeem(self, request: Request) -> Response:
        """Take an invite: the link is accepted at once, with what the invite grants. Taking it again is the same link."""
        body = serializers.InviteIn(data=request.data)
        body.is_valid(raise_exception=True)
        link = application_links.redeem(
            application=self.application, code=body.validated_data["code"], now=clock.now()
        )
        return Response(self.get_serializer(link).data)

    @extend_schema(request=None, responses={201: serializers.LinkKeyOut})
    @action(detail=True, methods=["post"], url_path="api-key")
    def claim_key(self, _: Request, **__: str) -> Response:
        """
        Get the first API key of an accepted link; its secret is shown this once.

        If the answer was lost, ask again: the key that nobody has used ends and another is made. Once it was used,
        further keys are made with it in the organisation.
        """
        issued = application_links.claim_key(
            application=self.application, link_id=self.path_id(), now=clock.now()
        )
        answer = serializers.LinkKeyOut(issued.key, context={"secret": issued.secret})
        return Response(answer.data, status=status.HTTP_201_CREATED)

    @extend_schema(request=serializers.GrantIn, responses={200: serializers.LinkOut})
    @action(detail=True, methods=["post"])
    def change(self, request: Request, **_: str) -> Response:
        """
        Ask for other scopes or another branch, all that the link is to grant. Asking again for the same is the same wish.

        What only takes away holds at once, for every key. For the rest `change` is pending until the organisation's
        people agree or refuse, or it expires after 14 days; then fetch a key with what is granted.
        """
        link = self.get_object()
        body = serializers.GrantIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = grants.Grant(
            frozenset(body.validated_data["scopes"]),
            body.validated_data.get("branch_id", link.branch_id_there),
        )
        changed = grants.ask(
            application=self.application,
            link_id=link.id,
            wanted=wanted,
            message=body.validated_data["message"],
            now=clock.now(),
        )
        return Response(self.get_serializer(changed).data)

    @extend_schema(request=None, responses={200: serializers.LinkOut})
    @action(detail=True, methods=["post"], url_path="withdraw-change")
    def withdraw_change(self, _: Request, **__: str) -> Response:
        """Take back the change that was asked for; where none waits, nothing changes."""
        link = grants.withdraw(application=self.application, link_id=self.path_id(), now=clock.now())
        return Response(self.get_serializer(link).data)

    @extend_schema(request=None, responses={200: serializers.LinkOut})
    @action(detail=True, methods=["post"])
    def end(self, _: Request, **__: str) -> Response:
        """Take a request back, or end an accepted link: its keys then open nothing. A second time changes nothing."""
        link = application_links.end(application=self.application, link_id=self.path_id(), now=clock.now())
        return Response(self.get_serializer(link).data)


class OrganisationRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OnboardingViewSet):
    """The organisations that the application asked for: test ones are made at once, live ones when the platform agrees."""

    queryset = OrganisationRequest.objects.none()
    serializer_class = serializers.OrganisationRequestOut
    id_prefix = "ogr"

    def get_queryset(self) -> QuerySet[OrganisationRequest]:
        return wishes.of_application(self.application.id)

    @extend_schema(
        request=serializers.OrganisationRequestIn, responses={202: serializers.OrganisationRequestOut}
    )
    def create(self, request: Request) -> Response:
        """
        Ask for an organisation. Asking again by the same name is the same one.

        A test organisation is set up within seconds, three for each application; a live one waits for the platform's
        staff. Poll it until it is ready; then get the first key through its link.
        """
        body = serializers.OrganisationRequestIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = {**body.validated_data, "application": self.application, "now": clock.now()}
        if said.pop("is_test"):
            said.pop("message")
            made = organisation_requests.ask_for_test(**said, scopes=list(SCOPES))
        else:
            made = organisation_requests.ask_for_live(**said)
        return Response(self.get_serializer(made).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={200: serializers.OwnerLinkOut})
    @action(detail=True, methods=["post"], url_path="owner-link")
    def owner_link(self, _: Request, **__: str) -> Response:
        """
        Get a link by which the owner of a test organisation chooses his password, until he has signed in; ten times a day.

        It is good once, for 3 days; the one before ends, and opens when the organisation is ready.
        """
        made = organisation_requests.owner_link(
            application=self.application, request_id=self.path_id(), now=clock.now()
        )
        link = entry_addresses.at(made.organisation, made.secret)
        return Response(serializers.OwnerLinkOut({"email": made.email, "link": link}).data)

    @extend_schema(request=None, responses={200: serializers.OrganisationRequestOut})
    @action(detail=True, methods=["post"])
    def withdraw(self, _: Request, **__: str) -> Response:
        """Take a wish back that nobody has answered; a second time changes nothing."""
        withdrawn = organisation_requests.withdraw(
            application=self.application, request_id=self.path_id(), now=clock.now()
        )
        return Response(self.get_serializer(withdrawn).data)


def _with_secret(registered: directory.Registered) -> Any:
    return serializers.RegisteredOut(registered.application, context={"secret": registered.secret}).data
