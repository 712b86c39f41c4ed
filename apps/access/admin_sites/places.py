"""Where a person works: the branch that he looks at, and the way to the portal of another of his organisations."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import django_otp
from django.conf import settings
from django.contrib import auth, messages
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, URLPattern, URLResolver, path, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.access.admin_sites.second_factor import person
from apps.access.admin_sites.sessions import SessionsSite
from apps.access.selectors import branches, scope
from apps.access.services import doors
from apps.kit import clock
from apps.tenancy.selectors import organisations
from apps.tenancy.services import handovers

BRANCH = "branch"
LEAVING = "leaving_for"
NONCE_COOKIE = "arrival"
SIGNER = TimestampSigner(salt="treasury.access.leaving")
"""Signs where a browser comes from: else anybody could ask which organisations there are."""
CHALLENGE = re.compile(r"[0-9a-f]{64}")


class PlacesSite(SessionsSite):
    """
    A site of one organisation among several.

    From one portal to another a person goes in four steps, all of them redirects: he leaves (POST, here), his browser gets a
    nonce there, a token bound to that nonce is made here, and it is taken there for a session of its own. Sessions are
    per organisation and hosts share no cookie, so the nonce is what ties the link to his browser.
    """

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("branch/", self.admin_view(require_POST(self._choose_branch)), name="choose_branch"),
            path("organisation/", self.admin_view(require_POST(self._leave)), name="leave"),
            path(
                "organisation/<str:challenge>/",
                self.admin_view(require_safe(self._hand_over)),
                name="hand_over",
            ),
            path("arrive/", require_safe(self._arrive), name="arrive"),
        ]
        return [*own, *super().get_urls()]

    def settle(self, request: HttpRequest) -> None:
        """Narrow the person's branches to the one that he chose in this session."""
        scope.narrow(person(request), _uuid(request.session.get(BRANCH, "")))

    def _choose_branch(self, request: HttpRequest) -> HttpResponse:
        """Keep one of the person's own branches as what he wants to see; anything else means all of them."""
        chosen = _uuid(request.POST.get("branch", ""))
        if chosen in {branch.id for branch in branches.choice_of(person(request)).branches}:
            request.session[BRANCH] = str(chosen)
        else:
            request.session.pop(BRANCH, None)
        return HttpResponseRedirect(self._same_page(request))

    def _same_page(self, request: HttpRequest) -> str:
        """Return the page that he was on, or the first one when that was about a row: it may be another branch's."""
        wanted, home = request.POST.get("next", ""), reverse(f"{self.name}:index")
        if not url_has_allowed_host_and_scheme(wanted, None) or "?" in wanted:
            return home
        try:
            return home if resolve(wanted).kwargs or resolve(wanted).args else wanted
        except Resolver404:
            return home

    def _leave(self, request: HttpRequest) -> HttpResponse:
        """Remember for a minute where he wants to go, and send his browser there for a nonce."""
        wanted = _uuid(request.POST.get("organisation", ""))
        target = organisations.of_user(person(request).pk).filter(id=wanted).first() if wanted else None
        if target is None:
            messages.error(request, _("You are no member of this organisation, or it is closed."))
            return HttpResponseRedirect(reverse(f"{self.name}:index"))
        until = clock.now() + handovers.LIFETIME
        request.session[LEAVING] = {"organisation": str(target.id), "until": until.timestamp()}
        query = urlencode({"from": SIGNER.sign(organisations.current().slug)})
        return HttpResponseRedirect(f"{_origin(request, target)}{reverse(f'{self.name}:arrive')}?{query}")

    def _hand_over(self, request: HttpRequest, challenge: str) -> HttpResponse:
        """Make the token, if he asked to leave a moment ago and his browser came back from there."""
        leaving = request.session.pop(LEAVING, None)
        home = HttpResponseRedirect(reverse(f"{self.name}:index"))
        if (
            leaving is None
            or clock.now().timestamp() >= leaving["until"]
            or not CHALLENGE.fullmatch(challenge)
        ):
            return home
        device = getattr(request.user, "otp_device", None)
        try:
            token = handovers.issue(
                user_id=person(request).pk,
                organisation_id=UUID(leaving["organisation"]),
                challenge=challenge,
                authenticator_id=device.pk if device else None,
                session_ends_at=request.session.get_expiry_date(),
                session_hash=person(request).get_session_auth_hash(),
                now=clock.now(),
            )
        except handovers.OrganisationClosed as refusal:
            messages.error(request, refusal.detail)
            return home
        target = organisations.ready_by_id(UUID(leaving["organisation"]))
        query = urlencode({"token": token})
        return HttpResponseRedirect(f"{_origin(request, target)}{reverse(f'{self.name}:arrive')}?{query}")

    def _arrive(self, request: HttpRequest) -> HttpResponse:
        """Give the browser a nonce first; when it comes back with a token for it, sign the person in."""
        if "token" in request.GET:
            return self._take_in(request)
        origin = _origin_of(request.GET.get("from", ""))
        if origin is None or origin.id == organisations.current().id:
            return HttpResponseRedirect(reverse(f"{self.name}:index"))
        nonce = handovers.nonce()
        onward = reverse(f"{self.name}:hand_over", args=[handovers.challenge(nonce)])
        response = HttpResponseRedirect(f"{_origin(request, origin)}{onward}")
        response.set_cookie(NONCE_COOKIE, nonce, **self._cookie())
        return response

    def _take_in(self, request: HttpRequest) -> HttpResponse:
        """Begin a session for the person of the token: verified as the one that he left was, and no longer than it."""
        try:
            user, handover = self._announced(request)
        except handovers.HandoverRefused as refusal:
            messages.error(request, refusal.detail)
        else:
            auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
            django_otp.login(request, handover.authenticator)
            request.session.set_expiry(handover.session_ends_at)
            self.begin(request)
            doors.record(
                "user.signed_in", user_id=user.pk, now=clock.now(), changes={"by": [None, "handover"]}
            )
        response = HttpResponseRedirect(reverse(f"{self.name}:index"))
        response.delete_cookie(NONCE_COOKIE, path=self._cookie()["path"], samesite="Lax")
        return response

    def _announced(self, request: HttpRequest) -> tuple[Any, Any]:
        """Return the person of the token, and the handover; raise HandoverRefused, also for whom nobody lets in here."""
        handover = handovers.consume(
            token=request.GET["token"],
            nonce=request.COOKIES.get(NONCE_COOKIE, ""),
            organisation=organisations.current(),
            now=clock.now(),
        )
        user = auth.load_backend(settings.AUTHENTICATION_BACKENDS[-1]).get_user(handover.user_id)
        if user is None or not handover.is_of_session(user):
            raise handovers.HandoverRefused("You are no member of this organisation.")
        return user, handover

    def _cookie(self) -> dict[str, Any]:
        return {
            "max_age": handovers.LIFETIME / timedelta(seconds=1),
            "path": reverse(f"{self.name}:arrive"),
            "secure": settings.SESSION_COOKIE_SECURE,
            "httponly": True,
            "samesite": "Lax",
        }


def _origin_of(text: str) -> Any:
    """Return the organisation that sent a browser here a moment ago; None for a name that none of us signed."""
    try:
        slug = SIGNER.unsign(text, max_age=handovers.LIFETIME)
    except BadSignature:
        return None
    return organisations.ready_by_slug(slug)


def _origin(request: HttpRequest, organisation: Any) -> str:
    """Return the address of an organisation's host, on the port of this request: built from our tables alone."""
    _, colon, port = request.get_host().partition(":")
    return f"{request.scheme}://{organisations.host_of(organisation)}{colon}{port}"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
