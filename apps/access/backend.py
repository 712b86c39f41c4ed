"""Letting people into the portal: a user exists in the organisation of the request by his membership, or not at all."""

from typing import TYPE_CHECKING, Any

from axes.backends import AxesStandaloneBackend
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.access import contracts
from apps.access.selectors import memberships
from apps.kit import clock, rate_limits, remote
from apps.kit import schema as present_schema
from apps.kit.rate_limits import InOutage, Limit

if TYPE_CHECKING:  # another app's models are read through get_user_model()
    from apps.accounts.models import User

PUBLIC = "public"
ANY_LABEL = "*"
NAME_MAX = 254
WINDOW = 60


def _schema() -> str:
    """Return the schema of the connection, public or an organisation's."""
    return str(present_schema.name())


def address_of(request: HttpRequest) -> str | None:
    """Return where a sign-in comes from, as far as our own proxies vouch for it; of IPv6 the network that one sender holds."""
    sender = remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])
    return remote.holder(sender).partition("/")[0] or None


def name_of(request: HttpRequest, credentials: dict[str, Any] | None) -> str:  # noqa: ARG001 (the library's signature)
    """Return the e-mail that somebody signs in with, however he writes it."""
    return str((credentials or {}).get("username") or "").lower()[:NAME_MAX]


def as_shown(request: HttpRequest, response: HttpResponse, credentials: object) -> HttpResponse:  # noqa: ARG001 (the library's signature)
    """Leave the answer as it is: the page that asked for the password has said it in our words."""
    return response


class LockOutBackend(AxesStandaloneBackend):
    """
    Stops a sign-in before its password is looked at: after too many wrong ones for this e-mail from this address, and
    beyond so many attempts a minute from one address, whatever the e-mails. Says nothing of whether there is such a person.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> None:
        if request is None:
            return  # a command or a test, from no address
        quota: int = settings.TREASURY["RATE_LIMITS"]["sign_ins"]
        limit = Limit("sign_ins", f"sign_ins:{address_of(request)}", quota, WINDOW)
        if quota and not rate_limits.take([limit], now=clock.now(), in_outage=InOutage.COUNT_HERE).is_allowed:
            request.axes_locked_out = request.is_flooding = True  # type: ignore[attr-defined]
            raise PermissionDenied
        super().authenticate(request, username=username, password=password, **more)


class MembershipBackend:
    """
    Members enter the portal of their organisation, platform staff the public schema; neither enters the other.

    Permissions are those of the member's role, none before he has a password of his own. Asked on every request, so
    an ended membership ends at once.
    """

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 (Django's signature)
        username: str | None = None,
        password: str | None = None,
        email: str | None = None,
    ) -> "User | None":
        """Return the user who may enter here, or None; an unknown address takes as long as a wrong password."""
        address = email or username or ""
        if password is None or "\0" in address:
            return None
        user = get_user_model().objects.filter(email__iexact=address).first()
        if user is None:
            make_password(password)
            return None
        return user if user.check_password(password) and self.may_enter(user) else None

    def get_user(self, user_id: Any) -> "User | None":
        user = get_user_model().objects.filter(pk=user_id).first()
        return user if user and self.may_enter(user) else None

    def may_enter(self, user: "User") -> bool:
        """Whether the user may enter the schema of this connection."""
        if not user.is_active:
            return False
        if _schema() == PUBLIC:
            return bool(user.is_platform_staff)
        return self._permissions(user) is not None

    def has_perm(self, user: "User", perm: str, obj: object = None) -> bool:  # noqa: ARG002 (Django's signature)
        """Whether the user's role has a permission, named our way or Django's (``ledger.view_account``)."""
        if not user.is_active:
            return False
        if _schema() == PUBLIC:
            return bool(user.is_platform_staff)
        return contracts.permission(perm) in (self._permissions(user) or ())

    def has_module_perms(self, user: "User", label: str) -> bool:
        """Whether the user's role has any permission of an app; ``*`` asks only whether he may enter."""
        if not user.is_active or _schema() == PUBLIC or label == ANY_LABEL:
            return self.may_enter(user)
        area = contracts.AREAS.get(label, label)
        return any(name.startswith(f"{area}.") for name in self._permissions(user) or ())

    def _permissions(self, user: "User") -> frozenset[str] | None:
        """Return the permissions in this schema, read once for each user object; None for an outsider."""
        membership = memberships.remembered(user)
        return None if membership is None else frozenset(membership.role.permissions)
