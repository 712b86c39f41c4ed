"""The list of a person's own sessions on a site, kept from the sign-in on, and the buttons that end them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from apps.access.admin_sites.entry import EntrySite
from apps.access.admin_sites.second_factor import person
from apps.access.selectors import memberships
from apps.access.selectors import portal_sessions as kept
from apps.access.services import portal_sessions
from apps.kit import clock, remote, sessions
from apps.kit.actors import Actor

SESSIONS = "sessions"


class Keeper(Protocol):
    """The services that keep and end the sessions of one kind of site: those of a portal, or the platform's."""

    def begin(self, *, user_id: UUID, session_key: str, ip: str, agent: str, now: datetime) -> None: ...

    def follow(self, *, before: str, after: str) -> None: ...

    def see(self, *, session_key: str, now: datetime) -> None: ...

    def end(self, *, session_id: UUID, actor: Actor, now: datetime) -> None: ...

    def end_others(self, *, user_id: UUID, spare: str, actor: Actor, now: datetime) -> int: ...


class SessionsSite(EntrySite):
    """A site that lists its sessions: one row for each, which follows the session when its key changes."""

    keeper: ClassVar[Keeper] = portal_sessions

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("sessions/", self.admin_view(require_safe(self._sessions)), name=SESSIONS),
            path("sessions/end/", self.admin_view(require_POST(self._end_session)), name="session_end"),
            path(
                "sessions/end-others/",
                self.admin_view(require_POST(self._end_others)),
                name="session_end_others",
            ),
        ]
        return [*own, *super().get_urls()]

    def begin(self, request: HttpRequest) -> None:
        super().begin(request)
        if request.session.session_key is None:
            request.session.create()
        self.keeper.begin(
            user_id=person(request).pk,
            session_key=str(request.session.session_key),
            ip=remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"]),
            agent=request.headers.get("User-Agent", ""),
            now=clock.now(),
        )

    def follow(self, request: HttpRequest, before: str) -> None:
        self.keeper.follow(before=before, after=str(request.session.session_key))

    def see(self, request: HttpRequest) -> None:
        super().see(request)
        self.keeper.see(session_key=str(request.session.session_key), now=clock.now())

    def _sessions(self, request: HttpRequest) -> HttpResponse:
        rows = self.known_sessions(person(request).pk, clock.now())
        lines = sessions.lines(rows, present=request.session.session_key)
        request.current_app = self.name
        facts: dict[str, Any] = {"lines": lines, "has_others": any(not line.is_present for line in lines)}
        return render(request, "access/sessions.html", {**self.each_context(request), **facts})

    def known_sessions(self, user_id: UUID, now: datetime) -> Sequence[sessions.KnownSession]:
        """Return a person's sessions on this site that still open pages."""
        return kept.of_user(user_id, at=now)

    def _end_session(self, request: HttpRequest) -> HttpResponse:
        try:
            wanted = UUID(request.POST.get("session", ""))
            self.keeper.end(session_id=wanted, actor=memberships.actor(request.user), now=clock.now())
        except (ValueError, sessions.SessionOver):
            messages.info(request, _("This session has ended already."))
        else:
            messages.success(request, _("The session is ended."))
        return HttpResponseRedirect(reverse(f"{self.name}:{SESSIONS}"))

    def _end_others(self, request: HttpRequest) -> HttpResponse:
        ended = self.keeper.end_others(
            user_id=person(request).pk,
            spare=str(request.session.session_key),
            actor=memberships.actor(request.user),
            now=clock.now(),
        )
        said = ngettext("%(count)d session is ended.", "%(count)d sessions are ended.", ended) % {
            "count": ended
        }
        messages.success(request, said)
        return HttpResponseRedirect(reverse(f"{self.name}:{SESSIONS}"))
