"""Reading applications."""

from uuid import UUID

from django.db.models import QuerySet

from apps.access.contracts import PORTAL
from apps.access.models import Application
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
