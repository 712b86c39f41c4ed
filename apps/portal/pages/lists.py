"""How people see the lists: views that they save and share, the columns that they choose, and what a view holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors import branches
from apps.kit import errors, list_views
from apps.kit.admin import TreasuryAdmin
from apps.kit.dialogs import Answer, Content, Dialog, Effect
from apps.kit.list_views import ALL, VIEW
from apps.portal.contracts import ViewWanted
from apps.portal.pages import frame
from apps.portal.selectors import saved_views as kept
from apps.portal.services import saved_views

SHARE = "views.share"
COUNTED_MAX = 1000


@dataclass(frozen=True, slots=True)
class List:
    """A list of the portal that the person may see; ``view`` is the one of his own that its address names."""

    pk: str
    admin: TreasuryAdmin
    view: Any

    def __str__(self) -> str:
        return str(self.admin.opts.verbose_name_plural)


def find(request: HttpRequest, label: str) -> List:
    """Return a list by the label of its model. Raises NotFound for what is no list, and for one that he may not see."""
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        model = None
    model_admin: Any = admin.site._registry.get(model) if model else None  # noqa: SLF001 (Django raises for what is absent)
    if not isinstance(model_admin, TreasuryAdmin) or not model_admin.has_view_permission(request):
        raise errors.NotFound("There is no such list.")
    view = kept.own(request.GET.get(VIEW, ""), request.user.pk)
    return List(label, model_admin, view if view and view.model_label == label else None)


def back(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


class ListDialog(Dialog):
    """What any member may do with a list that he may see."""

    permission = ""


class SaveViewForm(forms.Form):
    """A name; and for whom, if the person may share."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    is_default = forms.BooleanField(label=gettext_lazy("Open the list with it"), required=False)
    is_shared = forms.BooleanField(label=gettext_lazy("Others see it too"), required=False)
    branch: forms.ModelChoiceField = forms.ModelChoiceField(
        label=gettext_lazy("Only people of this branch"), queryset=None, required=False
    )


class SaveView(ListDialog):
    """Keep the filters and columns of a list under a name."""

    name = "save-view"
    label = gettext_lazy("Save this view…")
    icon = "star"

    def content(self, request: HttpRequest, rows: Sequence[List]) -> Content:
        query = list_views.kept_query(request.GET)
        shown = ", ".join(f"{name} {value}" for name, value in QueryDict(query).items())
        return Content(
            title=_("Save this view of %(list)s") % {"list": rows[0]},
            button=_("Save the view"),
            effects=[Effect(_("Filters"), shown or _("none"))],
            next_step=_("It stands above the list. A view of the same name is replaced."),
            version=query,
        )

    def form(self, request: HttpRequest, rows: Sequence[List], data: Any = None) -> forms.Form:
        view = rows[0].view
        form = SaveViewForm(data, initial={"name": view.name, "is_default": view.is_default} if view else {})
        if request.user.has_perm(SHARE):
            chosen = cast(forms.ModelChoiceField, form.fields["branch"])
            chosen.queryset = branches.visible_to(request.user).order_by("name")
        else:
            del form.fields["is_shared"], form.fields["branch"]
        return form

    def act(self, row: List, answer: Answer) -> str:
        branch = answer.data.get("branch")
        wanted = ViewWanted(
            model_label=row.pk,
            name=answer.data["name"],
            query=list_views.kept_query(answer.request.GET),
            columns=list_views.columns(answer.request, row.pk),
            is_default=answer.data["is_default"],
            is_shared=answer.data.get("is_shared", False),
            branch_id=branch.id if branch else None,
        )
        self.saved = saved_views.save(wanted=wanted, user_id=UUID(answer.actor.id), now=answer.now)
        return _("%(view)s: saved.") % {"view": self.saved.name}

    def landing(self, request: HttpRequest, rows: Sequence[List]) -> str:  # noqa: ARG002 (the view that was saved)
        return f"{back(rows[0].pk)}?{self.saved.query}&{VIEW}={self.saved.id}".replace("?&", "?")


class DeleteView(ListDialog):
    """Take a view of one's own away."""

    name = "delete-view"
    label = gettext_lazy("Delete this view…")
    icon = "delete"
    is_danger = True

    def is_offered(self, row: List) -> bool:
        return row.view is not None

    def content(self, request: HttpRequest, rows: Sequence[List]) -> Content:  # noqa: ARG002 (the view says all)
        view = rows[0].view
        shared = _("Others see it too, and lose it.") if view.is_shared else ""
        return Content(
            title=_("Delete the view “%(name)s”") % {"name": view.name},
            button=_("Delete the view"),
            about=shared,
            next_step=_("The list stays as it is. You can save the view again."),
        )

    def act(self, row: List, answer: Answer) -> str:
        saved_views.delete(view_id=row.view.id, user_id=UUID(answer.actor.id))
        return _("%(view)s: deleted.") % {"view": row.view.name}

    def landing(self, request: HttpRequest, rows: Sequence[List]) -> str:  # noqa: ARG002 (the list as such)
        return f"{back(rows[0].pk)}?{VIEW}={ALL}"


class ChooseColumns(ListDialog):
    """Choose which columns of a list to see, in one's own view or wherever one sees the list."""

    name = "columns"
    label = gettext_lazy("Columns…")
    icon = "view_column"

    def content(self, request: HttpRequest, rows: Sequence[List]) -> Content:  # noqa: ARG002 (the list says all)
        where = rows[0].view.name if rows[0].view else _("wherever you see this list")
        return Content(
            title=_("Columns of %(list)s") % {"list": rows[0]},
            button=_("Show these columns"),
            about=_("For %(where)s. Only you see it so.") % {"where": where}
            if not rows[0].view or not rows[0].view.is_shared
            else _("For %(where)s, as everybody sees it.") % {"where": where},
        )

    def form(self, request: HttpRequest, rows: Sequence[List], data: Any = None) -> forms.Form:
        model_admin = rows[0].admin
        names = [str(name) for name in model_admin.list_display]
        fixed = set(model_admin.fixed_columns())
        choices = [
            (name, str(label_for_field(name, model_admin.model, model_admin)).capitalize())
            for name in names
            if name not in fixed
        ]
        chosen = list_views.columns(request, rows[0].pk) or names
        form = forms.Form(data)
        form.fields["columns"] = forms.MultipleChoiceField(
            label=_("Columns"),
            choices=choices,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            initial=chosen,
        )
        return form

    def act(self, row: List, answer: Answer) -> str:
        shown = set(answer.data["columns"]) | set(row.admin.fixed_columns())
        columns = [name for name in row.admin.list_display if name in shown]
        is_all = len(columns) == len(row.admin.list_display)
        saved_views.choose_columns(
            model_label=row.pk,
            view_id=row.view.id if row.view else None,
            columns=[] if is_all else columns,
            user_id=UUID(answer.actor.id),
            now=answer.now,
        )
        return _("The list shows the columns that you chose.")


@frame.page("")
def counts(request: HttpRequest, label: str) -> HttpResponse:
    """Answer with how many rows each view of a list holds, to COUNTED_MAX: for the tabs that are there already."""
    place = find(request, label)
    if not place.admin.counts_views:
        raise errors.NotFound("The views of this list are not counted.")
    shown = []
    for tab in place.admin.tabs(request):
        rows = place.admin.rows_of(request, tab.query.lstrip("?"))
        count = None if rows is None else rows.order_by()[:COUNTED_MAX].count()
        shown.append({"key": tab.key, "count": _count_text(count)})
    return render(request, "portal/parts/view_counts.html", {"counts": shown})


def _count_text(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count:,}" if count < COUNTED_MAX else f"{COUNTED_MAX - 1:,}+"
