"""Find organisations: the present one, by id, by slug, by host; those that are ready, or that at least work."""

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.kit import errors, schema
from apps.kit.compiled import Compiled
from apps.tenancy.models import Domain, Organisation, OrganisationStatus, UserOrganisation

PUBLIC = "public"
__all__ = [
    "Organisation",
    "Suspended",
    "current",
    "everything",
    "host_of",
    "is_member_elsewhere",
    "of_user",
    "origin",
    "ready",
    "ready_by_id",
    "ready_by_slug",
    "storage_root",
    "working",
    "working_by_host",
    "working_by_id",
    "working_by_slug",
]


class NoOrganisation(errors.DomainError):
    """This can only be done inside an organisation."""

    code = "no_organisation"
    title = "No organisation"


class Suspended(errors.Forbidden):
    """The platform has closed the organisation for a time; money that is under way is booked all the same."""

    code = "organisation_suspended"
    title = "Organisation suspended"

    def __init__(self) -> None:
        super().__init__("This organisation is suspended. Ask the operator of this platform.")


def current() -> Organisation:
    """Return the organisation that the connection is in; raise NoOrganisation in the public schema."""
    if schema.name() == PUBLIC:
        raise NoOrganisation("This can only be done inside an organisation.")
    if isinstance(schema.tenant(), Organisation):
        return schema.tenant()
    return Organisation.objects.get(schema_name=schema.name())


def everything() -> QuerySet[Organisation]:
    """Return all organisations by slug, those being set up included, without the row of the public schema."""
    return Organisation.objects.exclude(schema_name=PUBLIC).order_by("slug")


def storage_root() -> str:
    """Return the folder of the present organisation in the storage; named in the settings for apps.kit.storage."""
    return current().id.hex


def ready() -> QuerySet[Organisation]:
    """Return the organisations that are open to people and products, without the row of the public schema."""
    return Organisation.objects.filter(status=OrganisationStatus.READY).exclude(schema_name=PUBLIC)


def ready_by_id(organisation_id: UUID) -> Organisation | None:
    return ready().filter(id=organisation_id).first()


def ready_by_slug(slug: str) -> Organisation | None:
    return ready().filter(slug=slug).first()


def of_user(user_id: UUID) -> QuerySet[Organisation]:
    """Return the organisations that are open and of which a person is a member, by name."""
    mine = UserOrganisation.objects.filter(user_id=user_id).values("organisation_id")
    return ready().filter(id__in=mine).order_by("name")


def is_member_elsewhere(user_id: UUID) -> bool:
    """Whether a person is a member of another organisation than the present one, open or not."""
    return UserOrganisation.objects.filter(user_id=user_id).exclude(organisation_id=current().id).exists()


def host_of(organisation: Organisation) -> str:
    """Return the host name of an organisation's portal."""
    return str(Domain.objects.filter(tenant=organisation).order_by("-is_primary", "id")[0].domain)


def origin() -> str:
    """Return the address of the present organisation's own host, as its people and payers reach it: scheme, host and port."""
    return origin_of(current())


def origin_of(organisation: Organisation) -> str:
    """Return the address of an organisation's own host."""
    public = urlsplit(settings.TREASURY["PUBLIC_URL"])
    port = f":{public.port}" if public.port else ""
    return f"{public.scheme}://{host_of(organisation)}{port}"


def working() -> QuerySet[Organisation]:
    """Return the organisations whose callbacks and jobs go on: those that are ready, and those that are suspended."""
    states = [OrganisationStatus.READY, OrganisationStatus.SUSPENDED]
    return Organisation.objects.filter(status__in=states).exclude(schema_name=PUBLIC)


_BY_ID = Compiled(lambda organisation_id: working().filter(id=organisation_id), UUID)


def working_by_id(organisation_id: UUID) -> Organisation | None:
    return _BY_ID.first(organisation_id)


_BY_SLUG = Compiled(lambda slug: working().filter(slug=slug), str)


def working_by_slug(slug: str) -> Organisation | None:
    return _BY_SLUG.first(slug)


_BY_HOST = Compiled(
    lambda host: working().filter(id__in=Domain.objects.filter(domain=host).values("tenant_id")), str
)


def working_by_host(host: str) -> Organisation | None:
    return _BY_HOST.first(host.lower())
