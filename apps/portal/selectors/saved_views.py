"""Reading saved views: those of a person, and those that others share with him."""

from uuid import UUID

from apps.access.selectors import scope
from apps.kit.list_views import View
from apps.portal.models import SavedView


def of_list(label: str, user: scope.Principal) -> list[View]:
    """Return the views of a list that a person may choose, his own first."""
    seen = SavedView.objects.seen_by(user.pk, scope.branch_ids(user)).filter(model_label=label)
    rows = seen.select_related("owner").order_by("name")
    views = [
        View(str(row.id), row.name, row.query, row.columns, row.owner.user_id == user.pk, row.is_default)
        for row in rows
    ]
    return sorted(views, key=lambda view: not view.is_own)


def own(view_id: str, user_id: object) -> SavedView | None:
    """Return a view of the person's own by the text of its id."""
    try:
        key = UUID(view_id)
    except ValueError:
        return None
    return SavedView.objects.owned_by(user_id).filter(id=key).first()
