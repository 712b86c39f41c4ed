"""Find organisations: the present one, by id, by slug, by host; only those that are ready."""

from uuid import UUID

from django.db.models import QuerySet

from apps.kit import errors, schema
from apps.tenancy.models import Domain, Organisation, OrganisationStatus, UserOrganisation

PUBLIC = "public"
__all__ = [
    "Organisation",
    "current",
    "host_of",
    "of_user",
    "ready",
    "ready_by_host",
    "ready_by_id",
    "ready_by_slug",
]


class NoOrganisation(errors.DomainError):
    """This can only be done inside an organisation."""

    code = "no_organisation"
    title = "No organisation"


def current() -> Organisation:
    """Return the organisation that the connection is in; raise NoOrganisation in the public schema."""
    if schema.name() == PUBLIC:
        raise NoOrganisation("This can only be done inside an organisation.")
    if isinstance(schema.tenant(), Organisation):
        return schema.tenant()
    return Organisation.objects.get(schema_name=schema.name())


def ready() -> QuerySet[Organisation]:
    """Return the organisations that work, without the row of the public schema."""
    return Organisation.objects.filter(status=OrganisationStatus.READY).exclude(schema_name=PUBLIC)


def ready_by_id(organisation_id: UUID) -> Organisation | None:
    return ready().filter(id=organisation_id).first()


def ready_by_slug(slug: str) -> Organisation | None:
    return ready().filter(slug=slug).first()


def of_user(user_id: UUID) -> QuerySet[Organisation]:
    """Return the organisations that work and of which a person is a member, by name."""
    mine = UserOrganisation.objects.filter(user_id=user_id).values("organisation_id")
    return ready().filter(id__in=mine).order_by("name")


def host_of(organisation: Organisation) -> str:
    """Return the host name of an organisation's portal."""
    return str(Domain.objects.filter(tenant=organisation).order_by("-is_primary", "id")[0].domain)


def ready_by_host(host: str) -> Organisation | None:
    domain = Domain.objects.select_related("tenant").filter(domain=host.lower()).first()
    if (
        domain is None
        or domain.tenant.status != OrganisationStatus.READY
        or domain.tenant.schema_name == PUBLIC
    ):
        return None
    return domain.tenant
