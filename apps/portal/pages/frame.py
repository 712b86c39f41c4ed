"""What every page of the portal does first and last: who may see it, and the frame around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render as render_template
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.access.contracts import PERMISSIONS
from apps.kit import dialogs, errors, storage
from apps.kit.admin import ROWS, KeysetPaginator, cursor_of
from apps.kit.dialogs import Button, Dialog
from apps.portal.pages import menu

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Crumb:
    """A page above this one."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Pages:
    """Cursors to the neighbours of a page of rows; empty where there is none."""

    newer: str = ""
    older: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One view of a list, and how much is in it."""

    title: str
    count: int
    url: str
    is_active: bool


def page(
    permission: str, *, is_home: bool = False, methods: Callable[[View], View] = require_safe
) -> Callable[[View], View]:
    """
    Make a view a page of the organisation's site: to read only, for members whose role has the permission ("" for all).

    A stranger is sent to sign in, a member without the permission gets 403, and what a selector does not find (or the
    reader may not see) is 404; a file that the storage does not give is said to be so; all keep the frame. From the home page a member without its permission goes to the
    first page of his menu. The permission stands on the view as ``permission``.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **names: Any) -> HttpResponseBase:
            request.current_app = admin.site.name
            if permission and not request.user.has_perm(permission):
                if is_home and (elsewhere := menu.first(request)):
                    return HttpResponseRedirect(elsewhere)
                return forbidden(request, permission)
            try:
                return view(request, **names)
            except errors.NotFound as missing:
                return not_found(request, missing)
            except (storage.FileDamaged, storage.StorageUnavailable) as refusal:
                return file_refused(request, refusal)

        protected = admin.site.admin_view(methods(guarded))
        protected.permission = permission  # type: ignore[attr-defined]
        return protected

    return decorate


def form_page(permission: str) -> Callable[[View], View]:
    """Make a view a page that a person fills in and sends: by POST, with the form's token; otherwise as ``page``."""
    return page(permission, methods=require_http_methods(["GET", "HEAD", "POST"]))


def dialog(kind: type[Dialog], *, find: Callable[..., Any], back: Callable[..., str]) -> View:
    """
    Make a dialog an address of the portal's own: ``find(request, **names)`` returns the row that this person may act on
    or raises a refusal that the dialog then says, ``back(**names)`` the page that it belongs to. The permission is asked
    before the row is looked up: who lacks it does not learn which rows there are.
    """

    def view(request: HttpRequest, **names: Any) -> HttpResponse:
        stranger = dialogs.refuse_stranger(request, kind, admin.site)
        if stranger is not None:
            return stranger
        try:
            row = find(request, **names)
        except errors.NotFound as missing:
            return dialogs.refuse(
                request, admin.site, title=_("Not found"), sentence=missing.detail, status=missing.status
            )
        except (errors.DomainError, OperationalError) as error:
            refusal = dialogs.told(error)
            return dialogs.refuse(
                request,
                admin.site,
                title=_("Not possible now"),
                sentence=refusal.detail,
                status=refusal.status,
            )
        return dialogs.respond(request, kind(), [row], fallback=back(**names))

    protected = admin.site.admin_view(view)
    protected.permission = kind.permission  # type: ignore[attr-defined]
    return protected


def buttons(request: HttpRequest, model: str, key: Any) -> list[Button]:
    """Return what this person may do with a row by the dialogs of its admin: ``buttons(request, "payments.PaymentIntent", id)``."""
    model_admin: Any = admin.site.get_model_admin(apps.get_model(model))
    row = model_admin.get_object(request, str(key))
    return model_admin.buttons(request, row) if row else []


def render(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    crumbs: Sequence[Crumb] = (),
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    """Answer with a page inside the organisation's frame."""
    frame = {**admin.site.each_context(request), "title": title, "crumbs": crumbs, "is_page": True}
    return render_template(request, template, {**frame, **facts}, status=status)


def keyset(request: HttpRequest, rows: QuerySet[Any]) -> tuple[list[Any], Pages]:
    """Return one page of rows, newest first, and the cursors around it; a cursor that is no key starts at the newest."""
    paginator = KeysetPaginator(rows, ROWS, cursor_of(request, rows.model))
    shown = paginator.rows
    return shown, Pages(
        newer=paginator.newer_key if paginator.has_newer else "",
        older=paginator.older_key if paginator.has_older else "",
    )


def forbidden(request: HttpRequest, permission: str) -> HttpResponse:
    """Say which permission is missing; a role that has it may open the page."""
    return render(
        request,
        "portal/refusal.html",
        title=_("Not allowed"),
        status=403,
        refusal_icon="lock",
        sentence=_("Your role may not open this page."),
        advice=_("It needs the permission “%(permission)s”. Ask an owner of this organisation.")
        % {"permission": PERMISSIONS.get(permission, permission)},
    )


def not_found(request: HttpRequest, missing: errors.NotFound) -> HttpResponse:
    return render(
        request,
        "portal/refusal.html",
        title=_("Not found"),
        status=404,
        refusal_icon="search_off",
        sentence=missing.detail,
        advice=_("It may belong to another branch, or the address is not complete."),
    )


def file_refused(request: HttpRequest, refusal: errors.DomainError) -> HttpResponse:
    """Say why a file is not shown: the storage is away, or what it holds is not what was stored."""
    is_away = refusal.retryable
    return render(
        request,
        "portal/refusal.html",
        title=_("File"),
        status=refusal.status,
        refusal_icon="cloud_off" if is_away else "broken_image",
        sentence=_("The storage of files does not answer.") if is_away else refusal.detail,
        advice=_("Nothing is lost. Try again in a few minutes.") if is_away else "",
    )
