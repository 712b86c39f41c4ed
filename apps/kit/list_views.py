"""How a list is shown to a person: the views above it, and the columns and landing that he chose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from apps.kit import redaction, schema

VIEW = "view"
"""The name by which an address says which view it is; it filters nothing."""
ALL = "all"
NUL = "\0"
"""No text of the database holds it, so no view does."""
NOT_KEPT = (VIEW, "before", "after", "_selected_action", "e", "p")


@dataclass(frozen=True, slots=True)
class View:
    """A view that somebody saved, as ``settings.TREASURY["SAVED_VIEWS"]`` finds it; without a title it is a habit."""

    key: str
    title: str
    query: str
    columns: Sequence[str]
    is_own: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """One view above the list, and the address that opens it."""

    key: str
    title: Any
    query: str
    is_active: bool
    is_saved: bool = False
    is_own: bool = False


def are_kept() -> bool:
    """Whether people save views here: an organisation keeps those of its members, the platform keeps none."""
    return schema.name() != schema.PUBLIC


def saved(request: HttpRequest, label: str) -> list[View]:
    """Return the views of a list that the person may choose; they are read once for a request."""
    if not are_kept():
        return []
    known: dict[str, list[View]] = request.__dict__.setdefault("list_views", {})
    if label not in known:
        known[label] = import_string(settings.TREASURY["SAVED_VIEWS"])(label, request.user)
    return known[label]


def columns(request: HttpRequest, label: str) -> Sequence[str]:
    """Return the chosen columns: those of the view that the address names, else the person's habit; none means all."""
    views = saved(request, label)
    chosen = request.GET.get(VIEW, "")
    named = next((view for view in views if view.key == chosen and view.columns), None)
    habit = next((view for view in views if view.is_own and not view.title), None)
    return (named or habit or NOTHING).columns


def landing(request: HttpRequest, label: str) -> str:
    """Return the query of the view with which the person opens the list, or an empty text."""
    default = next((view for view in saved(request, label) if view.is_own and view.is_default), None)
    return address(default) if default else ""


def address(view: View) -> str:
    """Return the query that opens a view."""
    return f"?{view.query}&{VIEW}={view.key}".replace("?&", "?")


def kept_query(asked: QueryDict) -> str:
    """
    Return what of an address makes a view: the search and the filters, without page and selection, and without what no
    database may hold: a NUL, the number of a card.
    """
    query = asked.copy()
    for name in NOT_KEPT:
        query.pop(name, None)
    for name, values in list(query.lists()):
        if NUL in name or any(NUL in value for value in values) or redaction.holds_card([name, *values]):
            del query[name]
    return query.urlencode()


def tabs(request: HttpRequest, label: str, presets: Sequence[tuple[Any, str]]) -> list[Tab]:
    """Return what stands above the list: all of it, what the product offers, and what people saved."""
    asked = kept_query(request.GET)
    chosen = request.GET.get(VIEW, "")
    views = [view for view in saved(request, label) if view.title]
    named = {view.key for view in views} & {chosen}
    offered = [(_("All"), ""), *presets]
    return [
        *(
            Tab(str(number), title, f"?{query}" if query else f"?{VIEW}={ALL}", not named and asked == query)
            for number, (title, query) in enumerate(offered)
        ),
        *(
            Tab(view.key, view.title, address(view), view.key in named, is_saved=True, is_own=view.is_own)
            for view in views
        ),
    ]


NOTHING = View("", "", "", (), is_own=False, is_default=False)
