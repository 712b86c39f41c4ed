"""Letting registered applications in by their directory secret: at the onboarding API, and nowhere else."""

from dataclasses import dataclass
from uuid import UUID

from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.tenancy.selectors.directory import RegisteredApplication
from apps.tenancy.services import directory


@dataclass(frozen=True, slots=True)
class Registrant:
    """The registered application behind a request; it stands where Django and REST framework expect a user."""

    application: RegisteredApplication

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> UUID:
        return self.application.pk


class DirectoryAuthentication(authentication.BaseAuthentication):
    """Sets ``request.user`` to the Registrant; unknown, replaced and suspended secrets fail alike."""

    def authenticate(self, request: Request) -> tuple[Registrant, None] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        application = directory.authenticate(secret=secret.strip())
        if application is None:
            raise exceptions.AuthenticationFailed
        return Registrant(application), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the same for every request)
        return "Bearer"


class IsRegistered(permissions.BasePermission):
    """Lets registered applications pass, and nobody else."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 (REST framework's signature)
        return isinstance(request.user, Registrant)
