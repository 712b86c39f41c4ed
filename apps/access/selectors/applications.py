"""Reading applications."""

from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from apps.access.contracts import PORTAL
from apps.access.models import ApiKey, Application, IdempotencyRecord
from apps.access.selectors.scope import Principal, application_ids
from apps.kit import errors


def portal() -> Application:
    """Return the application that stands for the portal itself."""
    return Application.objects.get(slug=PORTAL)


def get(application_id: UUID) -> Application:
    """Return one application; raise NotFound for an unknown one."""
    application = Application.objects.filter(id=application_id).first()
    if application is None:
        raise errors.NotFound("There is no such application.")
    return application


def visible_to(caller: Principal) -> QuerySet[Application]:
    """Return the applications that the caller may know: a key its own, a person all of them."""
    chosen = application_ids(caller)
    return Application.objects.all() if chosen is None else Application.objects.filter(id__in=chosen)


def with_keys(caller: Principal) -> QuerySet[Application]:
    """Return those of ``visible_to`` that can have API keys: all but the portal, which is for people."""
    return visible_to(caller).exclude(slug=PORTAL)


def slugs() -> dict[UUID, str]:
    """Return the slug of every application by its id."""
    return dict(Application.objects.values_list("id", "slug"))


def names() -> dict[UUID, str]:
    """Return the name of every application by its id."""
    return dict(Application.objects.values_list("id", "name"))


def named_by() -> list[type[Model]]:
    """Return the kinds of rows that name the application that made them and a branch, without its keys and the answers kept for it."""
    relations: list[Any] = Application._meta.get_fields(include_hidden=True)
    named = (each for each in relations if each.one_to_many and each.field.name == "application")
    kinds = {relation.related_model for relation in named}
    kinds = {kind for kind in kinds if any(field.name == "branch" for field in kind._meta.fields)}
    return sorted(kinds - {ApiKey, IdempotencyRecord}, key=lambda kind: kind._meta.label)


def rows_made(application_id: UUID, branch_ids: set[UUID] | None, *, up_to: int) -> list[tuple[str, int]]:
    """Return how many rows of each kind an application made, of some branches or (None) of all; nobody counts beyond ``up_to``."""
    found = []
    for kind in named_by():
        rows = kind._base_manager.filter(application_id=application_id)  # noqa: SLF001
        if branch_ids is not None:
            rows = rows.filter(branch_id__in=branch_ids)
        found.append((str(kind._meta.verbose_name_plural), rows.order_by()[:up_to].count()))
    return found
