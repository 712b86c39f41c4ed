"""Admin classes whose actions are dialogs: their addresses, their buttons, the rows that a person may act on."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.admin import helpers
from django.contrib.admin.utils import unquote
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.admin import ModelAdmin

from apps.kit import dialogs, step_up, typed_cards
from apps.kit.dialogs import Button, Dialog
from apps.kit.models import is_key


def exporting(source: str) -> type[Dialog]:
    """Return the dialog that takes a list away as a file; the app that does it is named in TREASURY["EXPORT_DIALOG"]."""
    return import_string(settings.TREASURY["EXPORT_DIALOG"])(source)


class DialogAdmin(ModelAdmin):
    """
    An admin whose every action is a dialog (``dialogs``): opened by GET, which only reads, and sent by POST.

    The rows are those of ``get_queryset``, so that nobody acts on what he may not see. ``steps_up`` asks who saves its
    form what a dialog with ``steps_up`` asks.
    """

    steps_up: ClassVar[bool] = False
    dialogs: ClassVar[Sequence[type[Dialog]]] = ()
    actions: ClassVar[Sequence[Any] | None] = None

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls = []
        for dialog in self.dialogs:
            name = self._url_name(dialog)
            if dialog.on_list or dialog.on_selection:
                urls.append(path(f"do/{dialog.name}/", wrap(self._list_view(dialog)), name=f"{name}_list"))
            if not dialog.on_list:
                urls.append(path(f"<path:key>/do/{dialog.name}/", wrap(self._row_view(dialog)), name=name))
        return [*urls, *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Model, *, on_rows: bool = False) -> list[Button]:
        """Return what this person may do with a row as it is now: on its page, or in the list."""
        return [
            self._button(dialog, row)
            for dialog in self._allowed(request)
            if (dialog.on_rows if on_rows else dialog.on_page and not dialog.on_list)
            and dialog().is_offered(row)
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        allowed = self._allowed(request)
        buttons = {
            "list_buttons": [self._button(dialog, query=query) for dialog in allowed if dialog.on_list],
            "selection_buttons": [self._button(dialog) for dialog in allowed if dialog.on_selection],
        }
        return super().changelist_view(request, {**buttons, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if self.steps_up and request.method == "POST":
            held_up = step_up.hold_up(request, self.admin_site)
            if held_up is not None:
                return held_up
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> type[forms.ModelForm]:
        """Return the form of a page; like dialogs it takes no number of a card."""
        form = super().get_form(request, obj, **kwargs)
        return type(form.__name__, (typed_cards.Refusing, form), {})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id)) if self.dialogs else None
        buttons = self.buttons(request, row) if row else []
        return super().change_view(
            request, object_id, form_url, {"page_buttons": buttons, **(extra_context or {})}
        )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns, with a box to select a row and its buttons where there are such dialogs."""
        allowed = self._allowed(request)
        boxes = ["action_checkbox"] if any(dialog.on_selection for dialog in allowed) else []
        holder = [self._buttons_column(request)] if any(dialog.on_rows for dialog in allowed) else []
        return [*boxes, *super().get_list_display(request), *holder]

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Sequence[Any]:
        columns = [column for column in list_display if column != "action_checkbox"]
        return super().get_list_display_links(request, columns)

    def _allowed(self, request: HttpRequest) -> list[type[Dialog]]:
        return [dialog for dialog in self.dialogs if request.user.has_perm(dialog.permission)]

    def _url_name(self, dialog: type[Dialog]) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{dialog.name}"

    def _button(self, dialog: type[Dialog], row: Model | None = None, *, query: str = "") -> Button:
        name = f"{self.admin_site.name}:{self._url_name(dialog)}"
        url = reverse(name, args=[row.pk]) if row else reverse(f"{name}_list") + query
        return Button(
            dialog.label, dialog.icon, url, dialog.is_danger, dialog().hindrance(row) if row else ""
        )

    def _buttons_column(self, request: HttpRequest) -> Callable[[Model], SafeString]:
        def row_buttons(row: Model) -> SafeString:
            shown = self.buttons(request, row, on_rows=True)
            parts = (
                (render_to_string("portal/parts/dialog_button.html", {"button": each, "small": True}),)
                for each in shown
            )
            return format_html('<span class="p-row-buttons">{}</span>', format_html_join("", "{}", parts))

        row_buttons.short_description = gettext("Actions")  # type: ignore[attr-defined]
        return row_buttons

    def _row_view(self, dialog: type[Dialog]) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, key: str) -> HttpResponse:
            row = self.get_object(request, unquote(key))
            beside = [other for other in self.dialogs if row and other.name in dialog.beside]
            return dialogs.respond(
                request,
                dialog(),
                [row] if row else [],
                fallback=self._list_url(),
                site=self.admin_site,
                beside=[self._button(other, row) for other in beside if other in self._allowed(request) and other().is_offered(row)],
            )  # fmt: skip

        return view

    def _list_view(self, dialog: type[Dialog]) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest) -> HttpResponse:
            return dialogs.respond(
                request,
                dialog(),
                [] if dialog.on_list else self._selected(request),
                fallback=self._list_url(),
                site=self.admin_site,
            )

        return view

    def _selected(self, request: HttpRequest) -> list[Any]:
        """Return the chosen rows, oldest first; what is no key is none of them."""
        keys = [key for key in request.GET.getlist(helpers.ACTION_CHECKBOX_NAME) if is_key(key, self.model)]
        return list(self.get_queryset(request).filter(pk__in=keys).order_by("pk")[: dialogs.MANY + 1])

    def _list_url(self) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")
