"""The page behind an entry link: who was let in chooses his password there, before he can sign in."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path, reverse
from django.views.decorators.http import require_http_methods

from apps.access.admin_sites.gate import GatedSite
from apps.access.selectors import memberships
from apps.access.selectors.entry_addresses import ENTER, LINK
from apps.accounts.services import entry_links, users
from apps.kit import clock

if TYPE_CHECKING:  # another app's model
    from apps.accounts.models import User

GONE = 404


def link_of(request: HttpRequest, secret: str) -> str:
    """Return the address to send to a person, at the organisation that lets him in."""
    return request.build_absolute_uri(f"{reverse(f'admin:{ENTER}')}?{urlencode({LINK: secret})}")


class EntrySite(GatedSite):
    """
    A site with a page for people who have a link and no password yet: the link is all that they are asked for.

    Which people it expects, and who of them waits for confirmation, is for each site to say.
    """

    def get_urls(self) -> list[URLPattern | URLResolver]:
        page = require_http_methods(["GET", "POST"])(self._enter)
        return [path("enter/", page, name=ENTER), *super().get_urls()]

    def _enter(self, request: HttpRequest) -> HttpResponse:
        """Ask for a password that only the person knows, then show the code by which somebody confirms him."""
        secret = request.POST.get(LINK) or request.GET.get(LINK, "")
        refusal = ""
        try:
            user = self._expected(secret)
            if request.method == "POST":
                password = request.POST.get("password", "")
                user = entry_links.use(secret=secret, password=password, now=clock.now())
                return self._entry_page(request, "done", user)
        except entry_links.EntryLinkUnknown as gone:
            return self._entry_page(request, "gone", None, status=GONE, refusal=gone.detail)
        except users.PasswordWeak as weak:
            refusal = weak.detail
        return self._entry_page(request, "choose", user, link=secret, refusal=refusal)

    def _expected(self, secret: str) -> "User":
        """Return the person of a link whom this site has let in. Raises EntryLinkUnknown."""
        user = entry_links.find(secret=secret, now=clock.now())
        if not self.expects(user):
            raise entry_links.unknown()
        return user

    def expects(self, user: "User") -> bool:
        """Whether this organisation has let a person in."""
        return memberships.everybody().filter(user_id=user.pk).exists()

    def awaits(self, user: "User") -> bool:
        """Whether somebody has to confirm a person here, for which he is shown his code."""
        return memberships.waiting().filter(user_id=user.pk).exists()

    def onward(self) -> str:
        """Return where a person goes when he has chosen his password; empty for nowhere."""
        return self._address("login")

    def _entry_page(
        self, request: HttpRequest, name: str, user: "User | None", *, status: int = 200, **facts: Any
    ) -> HttpResponse:
        request.current_app = self.name
        code = entry_links.code_of(user) if user is not None and self.awaits(user) else ""
        facts |= {"invited": user, "code": code, "onward": self.onward()}
        context = {**self.each_context(request), **facts}
        return render(request, f"access/entry_{name}.html", context, status=status)
