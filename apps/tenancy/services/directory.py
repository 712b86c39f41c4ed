"""The directory: applications register themselves, the platform's staff accepts, refuses and suspends them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction

from apps.accounts.services import platform_records
from apps.kit import errors, ids, rate_limits
from apps.kit.actors import Actor, ActorKind
from apps.kit.rate_limits import InOutage, Limit
from apps.tenancy.contracts import ApplicationKind, ApplicationStatus
from apps.tenancy.models import RegisteredApplication
from apps.tenancy.selectors import directory
from apps.tenancy.services import credentials

LOOKUP_SIZE, SECRET_SIZE = 4, 20
FORM = re.compile(r"(?P<prefix>tsd_[0-9a-f]{8})_[0-9a-f]{40}")
NO_DIGEST = "0" * 64
REGISTRATIONS_PER_ADDRESS, ADDRESS_WINDOW = 5, 3600
TRIED_TOO_OFTEN = "This was tried too often. Try again later."
PENDING_MAX = 500
PENDING_KEPT = timedelta(days=14)
PURGE_BATCH = 500


class RegistrationInvalid(errors.Invalid):
    """What an application says of itself cannot be."""

    code = "registration_invalid"
    title = "Registration not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError(pointer, self.code, detail)])


class RegistrationsFull(errors.DomainError):
    """So many applications wait for the platform's staff that no more are taken."""

    code = "registrations_full"
    title = "No registrations now"
    status = 503
    category = "business"
    retryable = True


class NotAccepted(errors.Forbidden):
    """The platform's staff has not accepted the application, or refused it."""

    code = "application_not_accepted"
    title = "Application not accepted"


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered application with its directory secret, which is nowhere kept: show it once."""

    application: RegisteredApplication
    secret: str


@transaction.atomic
def register(
    *, name: str, kind: ApplicationKind, contact_email: str, homepage: str, sender: str, now: datetime
) -> Registered:
    """
    Enter an application that asks by itself; it is PENDING, and accepted at once where TREASURY["ONBOARDING_OPEN"] says so.

    ``sender`` is whom to count tries for. Nothing is compared with others: whoever registers learns of himself alone.
    Raises RateLimited (5 an hour from one address), Uncounted, RegistrationsFull (500 wait) and RegistrationInvalid.
    """
    limit = Limit("registrations", f"register:{sender}", REGISTRATIONS_PER_ADDRESS, ADDRESS_WINDOW)
    rate_limits.require([limit], now=now, in_outage=InOutage.REFUSE, refusal=TRIED_TOO_OFTEN)
    _check(name, contact_email, homepage)
    is_open = bool(settings.TREASURY["ONBOARDING_OPEN"])
    waiting = RegisteredApplication.objects.filter(status=ApplicationStatus.PENDING.value)
    if not is_open and waiting.count() >= PENDING_MAX:
        raise RegistrationsFull("Too many applications wait to be accepted. Try again in some days.")
    prefix, secret = _secret()
    application = RegisteredApplication(
        name=name.strip(),
        kind=kind.value,
        contact_email=contact_email,
        homepage=homepage,
        prefix=prefix,
        digest=credentials.digest(secret),
        created_at=now,
    )
    if is_open:
        application.accept(at=now)
    application.save(force_insert=True)
    _record("application.registered", application, actor_of(application), now, ["", application.status])
    return Registered(application, secret)


@transaction.atomic
def renew_secret(*, application_id: UUID, now: datetime) -> Registered:
    """Give an application another directory secret; the one before opens nothing from now on."""
    application = _locked(application_id)
    prefix, secret = _secret()
    application.prefix, application.digest = prefix, credentials.digest(secret)
    application.save(update_fields=["prefix", "digest"])
    _record("application.secret_renewed", application, actor_of(application), now, None)
    return Registered(application, secret)


def authenticate(*, secret: str) -> RegisteredApplication | None:
    """Return the application that a directory secret stands for; None for any that does not open, a suspended one's too."""
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    application = directory.by_prefix(form["prefix"])
    fits = credentials.matches(secret, application.digest if application else NO_DIGEST)
    if application is None or not fits or application.status == ApplicationStatus.SUSPENDED:
        return None
    return application


def require_accepted(application: RegisteredApplication) -> None:
    """Raise NotAccepted unless the platform's staff has accepted the application."""
    if not application.is_accepted:
        raise NotAccepted("The operator of this platform has not accepted this application.")


@transaction.atomic
def accept(*, application_id: UUID, actor: Actor, now: datetime) -> RegisteredApplication:
    """Let an application ask for links and make test organisations; a second time changes nothing."""
    application = _locked(application_id)
    if application.is_accepted:
        return application
    before = application.status
    application.accept(at=now)
    return _decided("application.accepted", application, before, actor, now)


@transaction.atomic
def refuse(*, application_id: UUID, reason: str, actor: Actor, now: datetime) -> RegisteredApplication:
    """Refuse an application for good; it reads the reason in its status. A second time changes nothing."""
    application = _locked(application_id)
    if application.status == ApplicationStatus.REFUSED:
        return application
    before = application.status
    application.refuse(reason=reason, at=now)
    return _decided("application.refused", application, before, actor, now)


@transaction.atomic
def suspend(*, application_id: UUID, reason: str, actor: Actor, now: datetime) -> RegisteredApplication:
    """Close an application everywhere from its next request on: its directory secret, and its keys at every organisation."""
    application = _locked(application_id)
    if application.status == ApplicationStatus.SUSPENDED:
        return application
    before = application.status
    application.suspend(reason=reason, at=now)
    return _decided("application.suspended", application, before, actor, now)


@transaction.atomic
def resume(*, application_id: UUID, reason: str, actor: Actor, now: datetime) -> RegisteredApplication:
    """Open a suspended application again, with the keys that it had."""
    application = _locked(application_id)
    if application.is_accepted:
        return application
    before = application.status
    application.resume(at=now)
    return _decided("application.resumed", application, before, actor, now, reason)


def purge(*, now: datetime) -> int:
    """Forget the applications that nobody accepted or refused within 14 days, and return how many they were."""
    old = RegisteredApplication.objects.filter(
        status=ApplicationStatus.PENDING.value, created_at__lte=now - PENDING_KEPT
    )
    keys = list(old.order_by("id").values_list("id", flat=True)[:PURGE_BATCH])
    return RegisteredApplication.objects.filter(id__in=keys).delete()[0]


def actor_of(application: RegisteredApplication) -> Actor:
    """Return the actor that stands for an application in the directory: its directory secret is a key without a person."""
    return Actor(ActorKind.API_KEY, str(application.id), application=application.prefix)


def _secret() -> tuple[str, str]:
    prefix = f"tsd_{ids.token(LOOKUP_SIZE)}"
    return prefix, f"{prefix}_{ids.token(SECRET_SIZE)}"


def _check(name: str, contact_email: str, homepage: str) -> None:
    if not name.strip():
        raise RegistrationInvalid("/name", "Give the application a name.")
    try:
        validate_email(contact_email)
    except ValidationError:
        raise RegistrationInvalid("/contact_email", "This is no e-mail address.") from None
    try:
        URLValidator(schemes=["https"])(homepage)
    except ValidationError:
        raise RegistrationInvalid("/homepage", "The homepage is an https:// address.") from None
    if urlsplit(homepage).username is not None:
        raise RegistrationInvalid("/homepage", "The homepage is an address without a name and password.")


def _locked(application_id: UUID) -> RegisteredApplication:
    found = RegisteredApplication.objects.locked().filter(id=application_id).first()
    if found is None:
        raise errors.NotFound("There is no such application.")
    return found


def _decided(
    action: str,
    application: RegisteredApplication,
    before: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> RegisteredApplication:
    application.save(update_fields=["status", "reason", "decided_at"])
    _record(action, application, actor, now, [before, application.status], reason or application.reason)
    return application


def _record(
    action: str,
    application: RegisteredApplication,
    actor: Actor,
    now: datetime,
    status: list[str] | None,
    reason: str = "",
) -> None:
    platform_records.write(
        action=action,
        object_type="registered_application",
        object_id=str(application.id),
        actor=actor,
        now=now,
        changes={"status": status} if status else {},
        reason=reason,
    )
