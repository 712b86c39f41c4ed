"""The portal's base: read-only pages of facts, lists by keyset without COUNT, and the markup of money, states and times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path, unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.paginator import Page, Paginator
from django.db.models import Count, Model, Q, QuerySet, Sum
from django.forms import Field, MultiWidget
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.utils import formats, timezone
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.kit import list_views, phones, schema
from apps.kit.dialog_admin import DialogAdmin
from apps.kit.list_views import VIEW, Tab
from apps.kit.models import is_key
from apps.kit.money import Money, exponent

MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
ROWS = 50
CAP = 10_000
"""How many rows a list sums and counts at most."""
COMPARISONS = frozenset({"", "__exact", "__in", "__isnull", "__gte", "__lt", "_from", "_to"})
"""How a filter's field may be compared: the forms of Django's and Unfold's filters, and those of saved views."""
BEFORE = "before"
AFTER = "after"


def amount_text(money: Money) -> str:
    """Return ``12,400.00`` with the true minus sign: no currency."""
    text = str(abs_money(money)).partition(" ")[2]
    return MINUS + text if money.minor < 0 else text


def abs_money(money: Money) -> Money:
    return -money if money.minor < 0 else money


def amount_html(
    money: Money | None, *, css: str = "", plus: bool = False, subtle_minor: bool = False
) -> SafeString:
    """Return an amount for a column whose head names the currency; None is an em dash, zero is subtle."""
    if money is None:
        return nothing_html()
    text = ("+" if plus and money.is_positive else "") + amount_text(money)
    classes = f"t-money {css} {'is-zero' if money.is_zero else ''}".strip()
    whole, point, minor = text.partition(".")
    if subtle_minor and point:
        return format_html('<span class="{}">{}<span class="minor">.{}</span></span>', classes, whole, minor)
    return format_html('<span class="{}">{}</span>', classes, text)


def nothing_html() -> SafeString:
    """Return an em dash: it does not apply. Read out as "none"."""
    return format_html(
        '<span class="t-none"><span aria-hidden="true">{}</span><span class="t-vh">{}</span></span>',
        "\N{EM DASH}",
        _("none"),
    )


def money_html(
    money: Money | None, *, css: str = "", plus: bool = False, subtle_minor: bool = False
) -> SafeString:
    """Return an amount with its currency in front, subtle, joined by a no-break space."""
    if money is None:
        return amount_html(None)
    amount = amount_html(money, css=css, plus=plus, subtle_minor=subtle_minor)
    return format_html(
        '<span class="t-money" data-currency="{}" data-minor="{}" data-scale="{}"><span class="ccy">{}</span>{}{}</span>',
        money.currency,
        money.minor,
        exponent(money.currency),
        money.currency,
        NO_BREAK_SPACE,
        amount,
    )


def badge(tone: str, icon: str, word: str | Promise) -> SafeString:
    """Return a status: colour, icon and word; tones are pending, done, held, failed, unknown, quiet."""
    return format_html(
        '<span class="t-badge" data-tone="{}"><span class="t-i" aria-hidden="true">{}</span>{}</span>',
        tone,
        icon,
        word,
    )


def local_time_html(at: datetime | None, *, seconds: bool = False) -> SafeString:
    """Return an instant in the active zone, ``24 Nov 2026, 10:41``, with the exact instant for machines."""
    if at is None:
        return amount_html(None)
    local = timezone.localtime(at)
    text = formats.date_format(local, "j M Y, H:i:s" if seconds else "j M Y, H:i")
    return format_html('<time datetime="{}" class="t-nowrap">{}</time>', at.isoformat(), text)


def masked_phone(phone: str) -> str:
    """Return ``0712 ••• 678`` for a Kenyan number in E.164, and an empty text for none."""
    return phones.masked(phone) if phone else ""


class KeysetPage(Page):
    paginator: "KeysetPaginator"

    def has_next(self) -> bool:
        return self.paginator.has_older

    def has_previous(self) -> bool:
        return self.paginator.has_newer

    def has_other_pages(self) -> bool:
        return self.has_next() or self.has_previous()


class KeysetPaginator(Paginator):
    """
    One page by keyset on the time-ordered primary key, newest first: ``?before=<key>`` and ``?after=<key>``.

    It reads one row more than a page and never counts.
    """

    object_list: QuerySet[Any]
    template_name = "unfold/helpers/pagination_keyset.html"
    has_older = False
    has_newer = False

    def __init__(self, object_list: QuerySet[Any], per_page: int, cursor: tuple[str, str] = ("", "")) -> None:
        super().__init__(object_list, per_page)
        self.direction, self.key = cursor

    @cached_property
    def count(self) -> int:
        """Return the rows of this page: nobody counts the table."""
        return len(self.rows)

    @cached_property
    def rows(self) -> list[Any]:
        queryset = self.object_list
        if self.direction == AFTER:
            rows = list(queryset.order_by("pk").filter(pk__gt=self.key)[: self.per_page + 1])
            self.has_newer, self.has_older = len(rows) > self.per_page, True
            return rows[: self.per_page][::-1]
        queryset = queryset.order_by("-pk")
        rows = list((queryset.filter(pk__lt=self.key) if self.direction else queryset)[: self.per_page + 1])
        self.has_older, self.has_newer = len(rows) > self.per_page, bool(self.direction)
        return rows[: self.per_page]

    def page(self, number: Any) -> KeysetPage:  # noqa: ARG002 (there is only the page that the cursor names)
        return KeysetPage(self.rows, 1, self)

    @property
    def older_key(self) -> str:
        return str(self.rows[-1].pk) if self.rows else ""

    @property
    def newer_key(self) -> str:
        return str(self.rows[0].pk) if self.rows else ""


class KeysetChangeList(ChangeList):
    """Django's change list with the keyset's order and cursor; the cursor is no filter."""

    def __init__(self, request: HttpRequest, model: type[Model], *args: Any, **kwargs: Any) -> None:
        self.cursor = cursor_of(request, model)
        super().__init__(request, model, *args, **kwargs)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        chosen = super().get_filters_params(params)
        return {name: value for name, value in chosen.items() if name not in {BEFORE, AFTER, VIEW}}

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:  # noqa: ARG002 (the keyset's order only)
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:  # noqa: ARG002 (the cursor was read in __init__)
        self.paginator = KeysetPaginator(self.queryset, self.list_per_page, self.cursor)
        self.result_list = self.paginator.rows
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_admin_actions = bool(self.result_list)
        self.can_show_all = False
        self.multi_page = self.paginator.has_older or self.paginator.has_newer
        self.page_num = 1


class UnreadChangeList(KeysetChangeList):
    """The rows of a list by its search and filters, of which none is read."""

    def get_results(self, request: HttpRequest) -> None:
        """Do nothing: whoever asks wants the query."""


def cursor_of(request: HttpRequest, model: type[Model]) -> tuple[str, str]:
    """Return (direction, key) from the query, or two empty texts; what cannot be a key of the model is ignored."""
    for direction in (BEFORE, AFTER):
        key = request.GET.get(direction, "")
        if key and is_key(key, model):
            return direction, key
    return "", ""


@dataclass(frozen=True, slots=True)
class Total:
    """One line below a list of money: what it sums, and the sum in one currency."""

    label: str
    money: Money


def totals(
    rows: QuerySet[Any],
    *,
    counted: Q,
    word: str | Promise,
    amount: str = "amount_minor",
    currency: str = "currency",
) -> list[Total]:
    """
    Return the sum per currency of the rows that count, out of the newest CAP rows of a list: currencies are never added.

    ``word`` names what counts ("Succeeded"); what failed is in the count of all, not in the sum.
    """
    newest = rows.model._default_manager.filter(pk__in=rows.order_by("-pk").values("pk")[:CAP])  # noqa: SLF001 (Django's documented name)
    lines = list(
        newest.values(currency)
        .annotate(all=Count("pk"), count=Count("pk", filter=counted), sum=Sum(amount, filter=counted))
        .order_by(currency)
    )
    label = _("%(word)s in this view, %(count)s of %(all)s")
    if sum(line["all"] for line in lines) >= CAP:
        label = _("%(word)s among the newest rows of this view, %(count)s of %(all)s")
    return [
        Total(
            label % {"word": word, "count": f"{line['count']:,}", "all": f"{line['all']:,}"},
            Money(int(line["sum"] or 0), line[currency]),
        )
        for line in lines
    ]


class TreasuryAdmin(DialogAdmin):
    """
    What every list of the portal shares: full width, 50 rows, no counts, the keyset's order, and addresses that filter
    by nothing but the list's own filters and ``allowed_lookups``: who may count the rows that fit could guess a hidden
    field letter by letter.
    """

    allowed_lookups: tuple[str, ...] = ()
    list_before_template = "portal/parts/list_views.html"
    counts_views = False
    """Whether the views above the list say how much they hold: where an index answers it."""
    empty_text: Any = ""
    """What will appear in the list, while nothing has."""
    nothing_found_text: Any = ""
    """How the list is searched, where a search found nothing; empty for lists that find exact numbers."""

    list_fullwidth = True
    list_per_page = ROWS
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    warn_unsaved_form = True

    def heading(self, row: Any) -> str:
        """Return what a row is called at the head of its page."""
        return str(row)

    def totals(self, rows: QuerySet[Any]) -> Sequence[Total]:  # noqa: ARG002 (for lists of money)
        """Return the lines below the list, one per currency."""
        return ()

    def get_empty_value_display(self) -> SafeString:
        return nothing_html()

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
        change: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Name the page for people, and offer one way to save: what is done on save is one service call."""
        name = self.opts.verbose_name
        heading = self.heading(obj) if obj is not None else _("New %(name)s") % {"name": name}
        ours = {"heading": heading, "show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None and schema.name() != schema.PUBLIC:
            ours["history_url"] = import_module(settings.TREASURY["ROW_HISTORY"]).url_of(request, obj)
        return super().render_change_form(request, {**context, **ours}, add, change, form_url, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what became of a row, where its table is watched (``history``); TREASURY["ROW_HISTORY"] names the page."""
        if self.opts.db_table not in settings.WATCHED_TABLES or schema.name() == schema.PUBLIC:
            return super().history_view(request, object_id, extra_context)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return import_module(settings.TREASURY["ROW_HISTORY"]).of_row(request, row, self.heading(row))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Field | None:
        """Return the field without links to what it points to; parts of one field are named, each for itself."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, False)
        if field is not None and isinstance(field.widget, MultiWidget):
            for part in field.widget.widgets:
                part.attrs["aria-label"] = f"{field.label}: {part.attrs.get('placeholder', '')}"
        return field

    def presets(self, request: HttpRequest) -> Sequence[tuple[Any, str]]:  # noqa: ARG002 (for lists that offer some)
        """Return the views that the product offers above the list: a title and the query."""
        return ()

    def tabs(self, request: HttpRequest) -> list[Tab]:
        return list_views.tabs(request, self.opts.label_lower, self.presets(request))

    def fixed_columns(self) -> Sequence[str]:
        """Return the columns that nobody can hide: those that lead to the row."""
        return [str(name) for name in (self.list_display_links or self.list_display[:1])]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns that the person chose; boxes and buttons are no columns."""
        shown = super().get_list_display(request)
        chosen = {*list_views.columns(request, self.opts.label_lower)}
        if not chosen & {*map(str, self.list_display)}:
            return shown
        hidden = {*map(str, self.list_display)} - chosen - {*self.fixed_columns()}
        return [column for column in shown if column not in hidden]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, or go to the view with which the person opens it."""
        landing = "" if request.GET else list_views.landing(request, self.opts.label_lower)
        return HttpResponseRedirect(landing) if landing else super().changelist_view(request, extra_context)

    def rows_of(self, request: HttpRequest, query: str) -> QuerySet[Any] | None:
        """Return the rows that a query of the list holds for this person; None for a query that is none any more."""
        asked = HttpRequest()
        asked.user, asked.GET = request.user, QueryDict(query)
        try:
            shown = UnreadChangeList(
                asked, self.model, self.list_display, None, self.get_list_filter(asked), None,
                self.get_search_fields(asked), self.list_select_related, ROWS, ROWS, (), self, (), None,
            )  # fmt: skip
        except (IncorrectLookupParameters, SuspiciousOperation):
            return None
        return shown.queryset

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002 (Django's signature)
        return KeysetChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:  # noqa: ARG002 (Django's signature)
        """Whether the address of a list may name this lookup; Django answers 400 to any other."""
        return lookup in self.allowed_lookups or any(
            lookup.startswith(name) and lookup.removeprefix(name) in COMPARISONS
            for name in self._filtered_names(request)
        )

    def _filtered_names(self, request: HttpRequest | None) -> Iterator[str]:
        """Produce the names by which the list's filters are called in an address."""
        chosen = self.list_filter if request is None else self.get_list_filter(request)
        for item in chosen:
            if isinstance(item, type):
                yield str(getattr(item, "parameter_name", ""))
                continue
            path = item[0] if isinstance(item, tuple) else item
            field: Any = get_fields_from_path(self.model, path)[-1]
            yield path
            if field.is_relation:
                yield f"{path}__{field.target_field.name}"

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:  # noqa: ARG002 (one order: newest first)
        return ()


class ReadOnlyAdmin(TreasuryAdmin):
    """
    A page of facts: nobody adds, edits or deletes here; actions go through services.

    ``own_page`` names the address of the portal's page of a row, which asks what the reader may see; without one the row opens here.
    """

    own_page = ""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.own_page:
            return super().change_view(request, object_id, form_url, extra_context)
        try:
            return redirect(self.own_page, UUID(object_id))
        except ValueError:
            raise Http404 from None

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 (never)
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (never)
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (never)
        return False
