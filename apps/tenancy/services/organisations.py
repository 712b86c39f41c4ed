"""Make organisations, suspend and resume them, and set what they ask of their people."""

import re
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services import platform_records
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.models import Domain, Offboarding, Organisation, OrganisationStatus
from apps.tenancy.models.organisation import RATE_MAX
from apps.tenancy.services import data_keys

SLUG = re.compile(r"[a-z][a-z0-9-]{1,49}")
RESERVED = frozenset(
    {
        "docs",
        "openapi",
        "platform",
        "public",
        "oauth",
        "hooks",
        "onboarding",
        "sandbox",
        "template",
        "www",
        "api",
    }
)


class SlugInvalid(errors.Invalid):
    """The slug cannot be part of an address and of a schema name."""

    code = "slug_invalid"
    title = "Slug invalid"


class SlugTaken(errors.DomainError):
    """Another organisation has this slug."""

    code = "slug_taken"
    title = "Slug taken"


class NotReady(errors.DomainError):
    """The organisation is still being set up."""

    code = "organisation_not_ready"
    title = "Organisation not ready"


class BeingEnded(errors.DomainError):
    """The organisation is being ended, or has ended."""

    code = "organisation_being_ended"
    title = "Organisation being ended"


class RateInvalid(errors.Invalid):
    """Nobody gets so many requests a second, or none."""

    code = "rate_invalid"
    title = "Rate invalid"


class ReasonRequired(errors.Invalid):
    """Closing an organisation needs a reason."""

    code = "reason_required"
    title = "Reason required"


@transaction.atomic
def create(
    *,
    slug: str,
    name: str,
    base_domain: str,
    actor: Actor,
    now: datetime,
    is_test: bool = False,
    reason: str = "",
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
        reason=reason,
    )
    return organisation


@transaction.atomic
def suspend(*, organisation_id: UUID, reason: str, actor: Actor, now: datetime) -> Organisation:
    """
    Close an organisation to its people and products, from their next request on; a second time changes nothing.

    A valid key is refused with ``organisation_suspended``, any other gets the 401 that it always gets; the portal says
    that it is suspended. So that no money is lost, everything else goes on: callbacks of providers are taken, payments
    and refunds that were asked for are sent, asked after and booked, events are handled and webhooks delivered.
    Nothing new is asked for, and nobody decides: approvals lapse in their time. Raises ReasonRequired, NotReady.
    """
    if not reason.strip():
        message = "Say why the organisation is suspended."
        raise ReasonRequired(message, errors=[errors.FieldError("/reason", ReasonRequired.code, message)])
    return _move(organisation_id, OrganisationStatus.SUSPENDED, reason.strip(), actor, now)


@transaction.atomic
def resume(*, organisation_id: UUID, reason: str, actor: Actor, now: datetime) -> Organisation:
    """Open a suspended organisation again; one that is open stays as it is. Raises NotReady."""
    return _move(organisation_id, OrganisationStatus.READY, reason.strip(), actor, now)


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


@transaction.atomic
def set_rates(
    *,
    organisation_id: UUID,
    requests_per_second: int | None,
    money_per_second: int | None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Organisation:
    """
    Say how often all credentials of an organisation may ask together, and how often for what moves money.

    None: as often as the installation lets anybody. It holds from the next request on. Raises RateInvalid.
    """
    wanted = {"requests_per_second": requests_per_second, "money_per_second": money_per_second}
    for field, rate in wanted.items():
        if rate is not None and not 1 <= rate <= RATE_MAX:
            message = f"Between 1 and {RATE_MAX:,} requests a second."
            raise RateInvalid(message, errors=[errors.FieldError(f"/{field}", RateInvalid.code, message)])
    organisation = Organisation.objects.select_for_update().get(id=organisation_id)
    changes = {
        field: [getattr(organisation, field), rate]
        for field, rate in wanted.items()
        if getattr(organisation, field) != rate
    }
    if not changes:
        return organisation
    for field, rate in wanted.items():
        setattr(organisation, field, rate)
    organisation.save(update_fields=list(wanted))
    platform_records.write(
        action="organisation.rates_set",
        object_type="organisation",
        object_id=str(organisation_id),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )
    return organisation


def _move(
    organisation_id: UUID, status: OrganisationStatus, reason: str, actor: Actor, now: datetime
) -> Organisation:
    organisation = Organisation.objects.select_for_update().get(id=organisation_id)
    before = organisation.status
    if before == OrganisationStatus.PROVISIONING:
        raise NotReady("This organisation is still being set up.")
    if before in (OrganisationStatus.ENDING, OrganisationStatus.ENDED) or (
        status == OrganisationStatus.READY
        and Offboarding.objects.live().filter(organisation=organisation).exists()
    ):
        raise BeingEnded("This organisation is being ended: call that off first, while its grace lasts.")
    if before == status:
        return organisation
    organisation.status = status
    organisation.save(update_fields=["status"])
    platform_records.write(
        action="organisation.suspended" if status == OrganisationStatus.SUSPENDED else "organisation.resumed",
        object_type="organisation",
        object_id=str(organisation_id),
        actor=actor,
        now=now,
        changes={"status": [before, str(status)]},
        reason=reason,
    )
    return organisation
