"""What stands between a right password and the pages of a site, one step after the other."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.forms import AdminOwnPasswordChangeForm

from apps.access.admin_sites import step_up
from apps.access.admin_sites.second_factor import ENROL, VERIFY, SecondFactorSite, is_verified, person
from apps.access.selectors import memberships
from apps.access.services import doors
from apps.accounts.selectors import second_factors
from apps.accounts.services import users
from apps.kit import clock
from apps.kit.actors import SYSTEM

if TYPE_CHECKING:  # another app's model
    from apps.accounts.models import Authenticator

WAY_OUT = "logout"
FOUND, TOO_MANY = 302, 429
SEEN_AT = "seen_at"
"""Where the session keeps when it was last in use, in seconds."""
SEEN_EVERY = 60
POLLS = {"progress", "closing", "provisioning"}
"""What asks by itself, every few seconds, how far something is: the ids of those parts of pages."""


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """A person's own new password; the present one is refused, because somebody else may have made it."""

    user: AbstractBaseUser

    def clean_new_password1(self) -> str:
        chosen = str(self.cleaned_data["new_password1"])
        if self.user.check_password(chosen):
            raise ValidationError("Choose another password than the present one.")
        return chosen

    def save(self, commit: bool = True) -> AbstractBaseUser:  # noqa: ARG002, FBT001, FBT002 (Django's signature)
        """Set the password by the service and return the person."""
        chosen = str(self.cleaned_data["new_password1"])
        self.user = users.set_password(
            user_id=self.user.pk, password=chosen, actor=memberships.actor(self.user), now=clock.now()
        )
        return self.user


class GatedSite(SecondFactorSite):
    """
    A site that opens step by step: the second factor that a person has, a password that only he knows, the second
    factor that he must set up. Before a step is done, every address leads to its page; only the way out is open too.
    """

    def admin_view(
        self,
        view: Callable[..., HttpResponseBase],
        cacheable: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
    ) -> Callable[..., HttpResponseBase]:
        """Protect a view as Django does, and lead who has a step before him to its page."""
        protected = super().admin_view(view, cacheable)

        @wraps(protected)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self._is_idle(request):
                return self._signed_out(request)
            self.settle(request)
            step = self._step(request)
            if step is None or request.path in {self._address(step), self._address(WAY_OUT)}:
                return self._followed(request, protected, *args, **kwargs)
            onward = urlencode({"next": request.get_full_path()})
            return HttpResponseRedirect(f"{self._address(step)}?{onward}")

        return gated

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign a person in for some hours and no longer, however busy he is."""
        response = super().login(request, extra_context)
        if request.method != "POST":
            return response
        is_locked = getattr(request, "axes_locked_out", False)
        if response.status_code != FOUND:
            if not getattr(request, "is_flooding", False):
                doors.refuse(request.POST.get("username", ""), is_locked=is_locked, now=clock.now())
            response.status_code = TOO_MANY if is_locked else response.status_code
            return response
        request.session.set_expiry(timedelta(seconds=settings.SESSION_COOKIE_AGE))
        self.begin(request)
        if not second_factors.is_enrolled(person(request).pk):
            self._let_in(request, "password")
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """End the session, on record."""
        if request.method == "POST" and request.user.is_authenticated:
            doors.record("user.signed_out", user_id=person(request).pk, now=clock.now())
        return super().logout(request, extra_context)

    def prove(self, request: HttpRequest, device: "Authenticator") -> None:
        super().prove(request, device)
        self._let_in(request, "second_factor")

    def _let_in(self, request: HttpRequest, by: str) -> None:
        """Begin to count from the last step of the sign-in, which is on record."""
        step_up.remember(request)
        doors.record(
            "user.signed_in", user_id=person(request).pk, now=clock.now(), changes={"by": [None, by]}
        )

    def begin(self, request: HttpRequest) -> None:
        """Begin to count the idle time of a session. For sites that keep a list of them to add to."""
        request.session[SEEN_AT] = clock.now().timestamp()

    def follow(self, request: HttpRequest, before: str) -> None:
        """List a session under its new key. For sites that keep such a list."""

    def see(self, request: HttpRequest) -> None:
        """Note that a session is in use, once a minute."""
        request.session[SEEN_AT] = clock.now().timestamp()

    def _is_idle(self, request: HttpRequest) -> bool:
        """Whether the person has left his session alone for too long; what a page asks for by itself is no sign of him."""
        if not request.user.is_authenticated:
            return False
        idle = clock.now().timestamp() - request.session.get(SEEN_AT, 0)
        if idle >= settings.TREASURY["IDLE_SECONDS"]:
            return True
        if idle >= SEEN_EVERY and request.headers.get("HX-Trigger") not in POLLS:
            self.see(request)
        return False

    def _signed_out(self, request: HttpRequest) -> HttpResponse:
        """End an idle session and lead to the sign-in, which leads back."""
        doors.record("session.idled_out", user_id=person(request).pk, actor=SYSTEM, now=clock.now())
        auth.logout(request)
        messages.info(request, _("You were signed out because nothing was done for a while."))
        onward = request.get_full_path() if request.method == "GET" else self._address("index")
        return HttpResponseRedirect(f"{self._address('login')}?{urlencode({'next': onward})}")

    def _followed(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Answer, and keep hold of the session if its key changed by that."""
        before = request.session.session_key
        response = view(request, *args, **kwargs)
        after = request.session.session_key
        if before and after and before != after:
            self.follow(request, before)
        return response

    def settle(self, request: HttpRequest) -> None:
        """Read from the session what every page of this site must know of the person. For sites to override."""

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Tell every page after how long a session is idle, and a light address by which a person stays signed in."""
        seconds = settings.TREASURY["IDLE_SECONDS"]
        return {
            **super().each_context(request),
            "idle_seconds": seconds,
            "stay_url": self._address("jsi18n"),
        }

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Ask for the present password and a new one, which the service keeps."""
        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=self._address("password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)

    def _address(self, name: str) -> str:
        return reverse(f"{self.name}:{name}")

    def _step(self, request: HttpRequest) -> str | None:
        """Return the page of the step that the person has before him; None when all are done, or nobody is there."""
        if not self.has_permission(request):
            return None
        is_enrolled = is_verified(request) or second_factors.is_enrolled(person(request).pk)
        if is_enrolled and not is_verified(request):
            return VERIFY
        return ENROL if not is_enrolled and self.requires_second_factor() else None
