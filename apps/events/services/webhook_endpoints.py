"""Webhook endpoints: made with a secret that is told once, rotated, switched off and on, deleted."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from apps.audit.services import records
from apps.events import events
from apps.events.contracts import REGISTRY, Audience
from apps.events.models import EndpointStatus, WebhookEndpoint
from apps.events.services import outbox, signatures, webhook_urls
from apps.kit import errors, ids, locks
from apps.kit.actors import SYSTEM, Actor
from apps.tenancy.services import data_keys

ENDPOINTS_MAX = 16
PREFIX = "whe"
GRACE = timedelta(hours=24)
GRACE_MAX = timedelta(days=7)


class EndpointUnknown(errors.NotFound):
    """There is no such webhook endpoint."""


class EventTypeUnknown(errors.Invalid):
    """No event of this type is told to partners."""

    code = "event_type_unknown"
    title = "Event type unknown"


class EndpointExists(errors.DomainError):
    """The application has an endpoint with this URL and branch."""

    code = "webhook_endpoint_exists"
    title = "Webhook endpoint exists"


class EndpointLimit(errors.DomainError):
    """The application has as many webhook endpoints as it may have."""

    code = "webhook_endpoint_limit"
    title = "Too many webhook endpoints"


class EndpointStateRefused(errors.DomainError):
    """The endpoint is on, or off, already."""

    code = "invalid_state_transition"
    title = "Not possible in this state"


class GraceInvalid(errors.Invalid):
    """The old secret cannot go on signing for so long."""

    code = "grace_invalid"
    title = "Grace period not valid"


@dataclass(frozen=True, slots=True)
class IssuedEndpoint:
    """An endpoint and its new signing secret in clear (``whsec_…``), which is told only here."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


@transaction.atomic
def create(
    *,
    application_id: UUID,
    url: str,
    actor: Actor,
    now: datetime,
    event_types: Collection[str] = (),
    branch_id: UUID | None = None,
    description: str = "",
) -> IssuedEndpoint:
    """
    Make an endpoint for the application's events: of one branch or (None) all, of some types or (none named) all.

    The caller answers for the branch being one that exists. Raises WebhookUrlInvalid, EventTypeUnknown, EndpointExists
    for the same URL and branch a second time, EndpointLimit (16 for each application), and as ``enable`` where nothing is to
    be sent to the application.
    """
    webhook_urls.check(url)
    _check_types(event_types)
    _require_granted(application_id, branch_id)
    locks.advisory(f"webhook-endpoints:{application_id}")
    _check_room(application_id, branch_id, url)

    secret = signatures.new_secret()
    endpoint = WebhookEndpoint(
        id=ids.new(),
        application_id=application_id,
        branch_id=branch_id,
        url=url,
        description=description,
        event_types=sorted(set(event_types)),
        created_at=now,
    )
    endpoint.sealed_secret = data_keys.encrypt(plaintext=secret, purpose=purpose(endpoint.id))
    endpoint.save(force_insert=True)
    _record(
        "created", endpoint, actor, now, {"url": [None, url], "event_types": [None, endpoint.event_types]}
    )
    return IssuedEndpoint(endpoint, signatures.secret_text(secret))


@transaction.atomic
def rotate_secret(
    *, endpoint_id: UUID, actor: Actor, now: datetime, grace: timedelta = GRACE, reason: str = ""
) -> IssuedEndpoint:
    """
    Replace the secret; until the grace ends (0 to 7 days) every webhook bears a signature of each.

    Raises EndpointUnknown, GraceInvalid.
    """
    if not timedelta(0) <= grace <= GRACE_MAX:
        raise GraceInvalid("The grace period is 0 hours to 7 days.")
    endpoint = _locked(endpoint_id)
    secret = signatures.new_secret()
    sealed = data_keys.encrypt(plaintext=secret, purpose=purpose(endpoint.id))
    endpoint.rotate(sealed_secret=sealed, until=now + grace)
    endpoint.save(update_fields=["sealed_secret", "sealed_previous_secret", "previous_secret_until"])
    _record("secret_rotated", endpoint, actor, now, reason=reason)
    return IssuedEndpoint(endpoint, signatures.secret_text(secret))


@transaction.atomic
def disable(*, endpoint_id: UUID, actor: Actor, now: datetime, reason: str = "") -> WebhookEndpoint:
    """Send nothing more to the endpoint: events of this time are not kept for it. Raises EndpointUnknown, EndpointStateRefused."""
    endpoint = _locked(endpoint_id)
    if endpoint.status != EndpointStatus.ENABLED:
        raise EndpointStateRefused("This endpoint is off already.")
    endpoint.disable(reason=reason)
    endpoint.save(update_fields=["status", "disabled_reason"])
    changes = {"status": [EndpointStatus.ENABLED.value, endpoint.status]}
    _record("disabled", endpoint, actor, now, changes, reason=reason)
    return endpoint


@transaction.atomic
def enable(*, endpoint_id: UUID, actor: Actor, now: datetime, reason: str = "") -> WebhookEndpoint:
    """
    Send new events again; deliveries that were given up can be replayed.

    Raises EndpointUnknown, EndpointStateRefused, and the refusals of access for an application that is closed or whose link
    does not cover the endpoint: nobody switches on what was taken away.
    """
    known = WebhookEndpoint.objects.kept().filter(id=endpoint_id).first()
    if known is not None:
        _require_granted(known.application_id, known.branch_id)
    endpoint = _locked(endpoint_id)
    if endpoint.status == EndpointStatus.ENABLED:
        raise EndpointStateRefused("This endpoint is on already.")
    before = endpoint.status
    endpoint.enable()
    endpoint.save(update_fields=["status", "disabled_reason", "failing_since"])
    _record("enabled", endpoint, actor, now, {"status": [before, endpoint.status]}, reason=reason)
    return endpoint


@transaction.atomic
def delete(*, endpoint_id: UUID, actor: Actor, now: datetime) -> None:
    """Remove the endpoint and its secrets for good; what was delivered stays on record. Raises EndpointUnknown."""
    endpoint = _locked(endpoint_id)
    endpoint.erase(at=now)
    endpoint.save(
        update_fields=["deleted_at", "sealed_secret", "sealed_previous_secret", "previous_secret_until"]
    )
    _record("deleted", endpoint, actor, now)


def give_up(*, endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
    """Switch off a locked endpoint that said it is gone, or has failed for days, and announce it."""
    endpoint.give_up(reason=reason)
    endpoint.save(update_fields=["status", "disabled_reason", "failing_since"])
    _record("auto_disabled", endpoint, SYSTEM, now, {"disabled_reason": ["", reason]})
    outbox.publish(events.endpoint_disabled(endpoint), now=now)


def signing_keys(endpoint: WebhookEndpoint, now: datetime) -> list[bytes]:
    """Return the secrets that sign now: the present one and, during a rotation, the one before."""
    sealed = [endpoint.sealed_secret]
    if endpoint.previous_secret_until is not None and now < endpoint.previous_secret_until:
        sealed.append(endpoint.sealed_previous_secret)
    return [data_keys.decrypt(value=bytes(value), purpose=purpose(endpoint.id)) for value in sealed]


def reseal() -> int:
    """Seal every secret with the newest data key, in the caller's transaction; return of how many endpoints."""
    endpoints = list(WebhookEndpoint.objects.kept().locked().order_by("id"))
    for endpoint in endpoints:
        for name in ("sealed_secret", "sealed_previous_secret"):
            if value := bytes(getattr(endpoint, name)):
                setattr(endpoint, name, data_keys.reseal(value=value, purpose=purpose(endpoint.id)))
        endpoint.save(update_fields=["sealed_secret", "sealed_previous_secret"])
    return len(endpoints)


def purpose(endpoint_id: UUID) -> str:
    """Return what a secret is bound to: one endpoint's cannot be used for another."""
    return f"webhook-endpoint:{endpoint_id}"


def _locked(endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.kept().locked().filter(id=endpoint_id).first()
    if endpoint is None:
        raise EndpointUnknown("There is no such webhook endpoint.")
    return endpoint


def _require_granted(application_id: UUID, branch_id: UUID | None) -> None:
    """Ask access, an app above this one, whether anything may be sent there; it holds the application until the commit."""
    import_string(settings.TREASURY["GRANT_CHECK"])(application_id=application_id, branch_id=branch_id)


def _check_types(event_types: Collection[str]) -> None:
    known = {name for name, kind in REGISTRY.items() if kind.audience == Audience.PARTNER}
    unknown = sorted(set(event_types) - known)
    if unknown:
        message = f"No such event type: {', '.join(unknown)}."
        raise EventTypeUnknown(
            message, errors=[errors.FieldError("/event_types", "event_type_unknown", message)]
        )


def _check_room(application_id: UUID, branch_id: UUID | None, url: str) -> None:
    present = WebhookEndpoint.objects.kept().filter(application_id=application_id)
    twin = present.filter(url=url, branch_id=branch_id).first()
    if twin is not None:
        name = ids.encode(PREFIX, twin.id)
        raise EndpointExists(f"{name} has this URL already. Rotate its secret if it was lost.")
    if present.count() >= ENDPOINTS_MAX:
        raise EndpointLimit(
            f"An application has at most {ENDPOINTS_MAX} webhook endpoints. Delete one first."
        )


def _record(
    deed: str,
    endpoint: WebhookEndpoint,
    actor: Actor,
    now: datetime,
    changes: dict[str, list[Any]] | None = None,
    *,
    reason: str = "",
) -> None:
    records.write(
        action=f"webhook_endpoint.{deed}",
        object_type="webhook_endpoint",
        object_id=str(endpoint.id),
        actor=actor,
        now=now,
        changes=changes or {},
        reason=reason,
    )
