"""Make organisations, and set what they ask of their people."""

import re
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services import platform_records
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.models import Domain, Organisation
from apps.tenancy.services import data_keys

SLUG = re.compile(r"[a-z][a-z0-9-]{1,49}")
RESERVED = frozenset(
    {"docs", "openapi", "platform", "public", "oauth", "hooks", "sandbox", "template", "www", "api"}
)


class SlugInvalid(errors.Invalid):
    """The slug cannot be part of an address and of a schema name."""

    code = "slug_invalid"
    title = "Slug invalid"


class SlugTaken(errors.DomainError):
    """Another organisation has this slug."""

    code = "slug_taken"
    title = "Slug taken"


@transaction.atomic
def create(
    *,
    slug: str,
    name: str,
    base_domain: str,
    actor: Actor,
    now: datetime,
    is_test: bool = False,
    base_currency: str = "KES",
) -> Organisation:
    """
    Record a new organisation, its domain ``<slug>.<base domain>`` and its first data key; provision it next.

    Raises SlugInvalid (2 to 50 of a-z, 0-9 and hyphen, a letter first, no reserved word) or SlugTaken.
    """
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        message = "A slug has 2 to 50 of a-z, 0-9 and hyphen, starts with a letter, and is no reserved word."
        raise SlugInvalid(message, errors=[errors.FieldError("/slug", "slug_invalid", message)])
    schema = "org_" + slug.replace("-", "_")
    if Organisation.objects.filter(schema_name=schema).exists():
        raise SlugTaken(f"Another organisation is called {slug}.")
    organisation = Organisation.objects.create(
        slug=slug,
        schema_name=schema,
        name=name,
        is_test=is_test,
        requires_second_factor=not is_test,
        base_currency=base_currency,
    )
    Domain.objects.create(domain=f"{slug}.{base_domain}", tenant=organisation, is_primary=True)
    data_keys.create(organisation=organisation)
    platform_records.write(
        action="organisation.created",
        object_type="organisation",
        object_id=str(organisation.pk),
        actor=actor,
        now=now,
        changes={"slug": [None, slug], "is_test": [None, is_test]},
    )
    return organisation


@transaction.atomic
def set_second_factor_policy(
    *, organisation_id: UUID, is_required: bool, reason: str, actor: Actor, now: datetime
) -> Organisation:
    """Ask everybody of an organisation for a second factor from his next page on, or no longer; the reason is kept."""
    organisation = Organisation.objects.select_for_update().get(id=organisation_id)
    before, organisation.requires_second_factor = organisation.requires_second_factor, is_required
    organisation.save(update_fields=["requires_second_factor"])
    platform_records.write(
        action="organisation.second_factor_policy",
        object_type="organisation",
        object_id=str(organisation_id),
        actor=actor,
        now=now,
        changes={"requires_second_factor": [before, is_required]},
        reason=reason,
    )
    return organisation
