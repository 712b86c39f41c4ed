"""Saved views of lists: kept under a name, shared with a branch or with all, and taken away."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.selectors import memberships
from apps.kit import errors
from apps.portal.contracts import ViewWanted
from apps.portal.models import SavedView
from apps.portal.models.saved_view import QUERY_LENGTH

VIEWS_MAX = 30


class ViewUnknown(errors.NotFound):
    """There is no such view, or it belongs to somebody else."""


class ViewLimit(errors.DomainError):
    """A person keeps so many views of one list, no more."""

    code = "saved_view_limit"
    title = "Too many views"


class ViewNameRequired(errors.Invalid):
    """A view is found by its name."""

    code = "saved_view_name_required"
    title = "Name required"


class ViewQueryLong(errors.Invalid):
    """A view keeps so many filters, no more."""

    code = "saved_view_query_long"
    title = "Too many filters"


@transaction.atomic
def save(*, wanted: ViewWanted, user_id: UUID, now: datetime) -> SavedView:
    """
    Keep a view under its name; one of that name that the person has already is replaced.

    Raises ViewNameRequired, ViewQueryLong, ViewLimit. A new default takes the place of the old one.
    """
    if not wanted.name.strip():
        raise ViewNameRequired("Give the view a name.", errors=[_name_missing()])
    if len(wanted.query) > QUERY_LENGTH:
        raise ViewQueryLong("This view has too many filters to be kept. Take some away first.")
    owner = _owner(user_id)
    own = SavedView.objects.filter(owner=owner, model_label=wanted.model_label)
    kept = own.filter(name=wanted.name.strip()).first()
    if kept is None and own.count() >= VIEWS_MAX:
        raise ViewLimit(f"{VIEWS_MAX} views of one list are kept. Delete one first.")
    if wanted.is_default:
        own.update(is_default=False)
    view = kept or SavedView(
        owner=owner, model_label=wanted.model_label, name=wanted.name.strip(), created_at=now
    )
    view.query, view.columns = wanted.query, list(wanted.columns)
    view.is_default, view.is_shared = wanted.is_default, wanted.is_shared
    view.branch_id = wanted.branch_id if wanted.is_shared else None
    view.save()
    return view


@transaction.atomic
def choose_columns(
    *, model_label: str, view_id: UUID | None, columns: Sequence[str], user_id: UUID, now: datetime
) -> SavedView:
    """Show these columns in a view of the person's own; without one, wherever he sees the list. Raises ViewUnknown."""
    owner = _owner(user_id)
    if view_id is not None:
        view = _own(view_id, owner)
    else:
        own = SavedView.objects.filter(owner=owner, model_label=model_label, name="")
        view = own.first() or SavedView(owner=owner, model_label=model_label, created_at=now)
    view.columns = list(columns)
    view.save()
    return view


@transaction.atomic
def delete(*, view_id: UUID, user_id: UUID) -> None:
    """Take a view of the person's own away, for those too with whom it was shared. Raises ViewUnknown."""
    _own(view_id, _owner(user_id)).delete()


def _owner(user_id: UUID) -> Any:
    """Lock the membership, so that two windows of one person take turns."""
    return memberships.everybody().select_for_update(of=("self",)).get(user_id=user_id, is_active=True)


def _own(view_id: UUID, owner: Any) -> SavedView:
    view = SavedView.objects.filter(id=view_id, owner=owner).first()
    if view is None:
        raise ViewUnknown("There is no such view of yours.")
    return view


def _name_missing() -> errors.FieldError:
    return errors.FieldError("/name", ViewNameRequired.code, "Give the view a name.")
