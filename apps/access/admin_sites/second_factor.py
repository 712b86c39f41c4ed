"""The pages of the second factor: to prove it, to set it up, and to look after it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import django_otp
import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from unfold.sites import UnfoldAdminSite

from apps.access.selectors import memberships
from apps.accounts.selectors import second_factors as known
from apps.accounts.services import second_factors
from apps.kit import clock, errors

if TYPE_CHECKING:  # another app's model
    from apps.accounts.models import Authenticator, User

VERIFY = "second_factor"
ENROL = "second_factor_enrol"
MANAGE = "second_factor_manage"
PROPOSED = "second_factor_proposed"
"""Where the session keeps a secret that is not confirmed, sealed."""
CODE_MAX = 32

View = Callable[[HttpRequest], HttpResponseBase]


def is_verified(request: HttpRequest) -> bool:
    """Whether a second factor that still exists was proved in this session."""
    return getattr(request.user, "otp_device", None) is not None


def person(request: HttpRequest) -> "User":
    """Return who is signed in: the site lets nobody else to its pages."""
    return cast("User", request.user)


class SecondFactorSite(UnfoldAdminSite):
    """A site with the pages of the second factor; each site says whether everybody must have one."""

    def requires_second_factor(self) -> bool:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern | URLResolver]:
        pages: list[tuple[str, View, str]] = [
            ("second-factor/", require_http_methods(["GET", "POST"])(self._verify), VERIFY),
            ("second-factor/set-up/", require_http_methods(["GET", "POST"])(self._enrol), ENROL),
            ("second-factor/manage/", require_safe(self._manage), MANAGE),
            ("second-factor/recovery-codes/", require_POST(self._renew), "second_factor_codes"),
            ("second-factor/remove/", require_POST(self._remove), "second_factor_remove"),
        ]
        own = [path(route, self.admin_view(view), name=name) for route, view, name in pages]
        return [*own, *super().get_urls()]

    def prove(self, request: HttpRequest, device: "Authenticator") -> None:
        """Begin to be verified, under a new session key. For sites to add to."""
        request.session.cycle_key()
        django_otp.login(request, device)

    def _verify(self, request: HttpRequest) -> HttpResponse:
        """Ask for a code; the same answer to every one that is not taken."""
        if is_verified(request) or not known.is_enrolled(person(request).pk):
            return HttpResponseRedirect(self._onward(request))
        facts = {"wants_recovery_code": "recovery" in request.GET, "next": self._onward(request)}
        if request.method == "POST":
            try:
                device = second_factors.verify(**self._proof(request))
            except second_factors.CodeRefused as refusal:
                return self._page(request, "verify", refusal=refusal.detail, **facts)
            self.prove(request, device)
            return HttpResponseRedirect(self._onward(request))
        return self._page(request, "verify", **facts)

    def _enrol(self, request: HttpRequest) -> HttpResponse:
        """Show the secret of this session until a code of it is typed, then the recovery codes."""
        if known.is_enrolled(person(request).pk):
            return HttpResponseRedirect(reverse(f"{self.name}:{MANAGE}"))
        sealed = request.session.get(PROPOSED) or second_factors.propose(user_id=person(request).pk)
        refusal = ""
        if request.method == "POST":
            try:
                made = second_factors.enrol(sealed=sealed, **self._proof(request))
            except errors.DomainError as refused:
                refusal = refused.detail
            else:
                request.session.pop(PROPOSED, None)
                self.prove(request, made.authenticator)
                return self._codes(request, made.recovery_codes)
        request.session[PROPOSED] = sealed
        return self._page(
            request,
            "enrol",
            refusal=refusal,
            is_required=self.requires_second_factor(),
            next=self._onward(request),
            **self._drawn(request, sealed),
        )

    def _drawn(self, request: HttpRequest, sealed: str) -> dict[str, Any]:
        """Return a proposed secret as a key to type and as a picture: black on white in every theme, or no camera reads it."""
        proposal = second_factors.proposal(user=person(request), sealed=sealed)
        picture = segno.make(proposal.uri, error="m", micro=False)
        svg = picture.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True)
        return {"key": proposal.key, "qr": mark_safe(svg)}  # noqa: S308 (drawn here, holds no text)

    def _manage(self, request: HttpRequest) -> HttpResponse:
        return self._page(
            request,
            "manage",
            authenticator=known.of(person(request).pk),
            codes_left=known.codes_left(person(request).pk),
            is_required=self.requires_second_factor(),
        )

    def _renew(self, request: HttpRequest) -> HttpResponse:
        try:
            codes = second_factors.renew_recovery_codes(**self._proof(request))
        except second_factors.CodeRefused as refusal:
            return self._back(request, refusal)
        return self._codes(request, codes)

    def _remove(self, request: HttpRequest) -> HttpResponse:
        try:
            second_factors.remove(**self._proof(request))
        except second_factors.CodeRefused as refusal:
            return self._back(request, refusal)
        messages.success(request, _("Your second factor is removed."))
        return HttpResponseRedirect(reverse(f"{self.name}:{MANAGE}"))

    def _codes(self, request: HttpRequest, codes: Sequence[str]) -> HttpResponse:
        """Show new recovery codes, this once: they are in no session and in no address."""
        return self._page(request, "codes", codes=codes, text="\n".join(codes), next=self._onward(request))

    def _proof(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "user_id": person(request).pk,
            "code": request.POST.get("code", "")[:CODE_MAX],
            "actor": memberships.actor(request.user),
            "now": clock.now(),
        }

    def _back(self, request: HttpRequest, refusal: errors.DomainError) -> HttpResponse:
        messages.error(request, refusal.detail)
        return HttpResponseRedirect(reverse(f"{self.name}:{MANAGE}"))

    def _onward(self, request: HttpRequest) -> str:
        """Return where the person wanted to go, if that is on this host, else the first page."""
        wanted = request.POST.get("next") or request.GET.get("next") or ""
        if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
            return wanted
        return reverse(f"{self.name}:index")

    def _page(self, request: HttpRequest, name: str, **facts: Any) -> HttpResponse:
        request.current_app = self.name
        return render(request, f"access/second_factor_{name}.html", {**self.each_context(request), **facts})
