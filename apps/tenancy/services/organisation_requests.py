"""New organisations that applications ask for: test ones made at once, live ones when the platform's staff agrees."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from apps.accounts.services import entry_links, platform_records, users
from apps.kit import errors, ids, jobs, rate_limits
from apps.kit.actors import Actor
from apps.kit.rate_limits import InOutage, Limit
from apps.tenancy.contracts import LinkOrigin, NewOrganisation, OrganisationRequestStatus
from apps.tenancy.models import Organisation, OrganisationRequest, RegisteredApplication
from apps.tenancy.selectors import provisionings as known
from apps.tenancy.services import directory, link_requests, organisations, provisionings

LIFETIME = timedelta(days=30)
TESTS_MAX = 3
PENDING_MAX = 5
ASKED_PER_DAY, DAY = 10, 24 * 3600
NAMED_LENGTH, SUFFIX_LENGTH = 30, 6
BATCH = 200
SETTLE = "access.settle_creation"
FIRST_LOOK = timedelta(seconds=2)
PENDING, ACCEPTED = OrganisationRequestStatus.PENDING, OrganisationRequestStatus.ACCEPTED


class OrganisationLimit(errors.DomainError):
    """The application has as many test organisations, or open wishes for live ones, as it may have."""

    code = "organisation_limit"
    title = "Too many organisations"


class OrganisationRequestInvalid(errors.Invalid):
    """What was asked for cannot be."""

    code = "organisation_request_invalid"
    title = "Organisation not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError(pointer, self.code, detail)])


class OrganisationRequestExpired(errors.DomainError):
    """Nobody answered the wish in time."""

    code = "organisation_request_expired"
    title = "Wish too old"


class NoTestOrganisation(errors.DomainError):
    """Only the owner of a test organisation enters by a link that its maker may read."""

    code = "no_test_organisation"
    title = "No test organisation"


@dataclass(frozen=True, slots=True)
class OwnerLink:
    """The secret of the owner's entry link, for whom, and where it opens."""

    email: str
    organisation: Organisation
    secret: str = field(repr=False)


@transaction.atomic
def ask_for_test(
    *, application: RegisteredApplication, name: str, scopes: Collection[str], now: datetime
) -> OrganisationRequest:
    """
    Have a test organisation set up for an application; asked again by the same name, it is the same one.

    We make its slug, so that nobody learns which are taken, and its owner, who signs in with an address of its host:
    no person is touched. Raises NotAccepted, OrganisationLimit (3 for each application), RateLimited, Uncounted.
    """
    known_one = _begin(application, name, is_test=True)
    if known_one is not None:
        return known_one
    tests = OrganisationRequest.objects.filter(application=application, is_test=True, status=ACCEPTED)
    if tests.count() >= TESTS_MAX:
        raise OrganisationLimit(f"An application makes {TESTS_MAX} test organisations at most.")
    _count(application, now)
    actor = directory.actor_of(application)
    slug = _test_slug(name)
    owner = users.create(
        email=f"owner@{slug}.{settings.TREASURY['BASE_DOMAIN']}",
        name=f"Owner of {name}"[:120],
        password=None,
        actor=actor,
        now=now,
    )
    asked = provisionings.ask(
        new=NewOrganisation(slug, name, is_test=True), owner_id=owner.pk, actor=actor, now=now
    )
    request = _new(
        application, name, slug, now, is_test=True, email=owner.email, person=owner.name, scopes=scopes
    )
    return _accept(request, asked.organisation, actor, now)


@transaction.atomic
def ask_for_live(  # noqa: PLR0913 (each by keyword)
    *,
    application: RegisteredApplication,
    name: str,
    slug: str,
    owner_email: str,
    owner_name: str,
    scopes: Collection[str],
    message: str,
    now: datetime,
) -> OrganisationRequest:
    """
    Ask the platform for a live organisation; asked again by the same name, it is the same wish.

    Whether slug and owner can be had is found when the staff agrees, so that nobody learns here which are taken.
    Raises NotAccepted, OrganisationRequestInvalid, OrganisationLimit, RateLimited, Uncounted.
    """
    known_one = _begin(application, name, is_test=False)
    if known_one is not None:
        return known_one
    _check(slug, owner_email, owner_name)
    waiting = OrganisationRequest.objects.filter(application=application, status=PENDING)
    if waiting.count() >= PENDING_MAX:
        raise OrganisationLimit(f"An application waits for {PENDING_MAX} organisations at most.")
    _count(application, now)
    return _new(
        application,
        name,
        slug,
        now,
        is_test=False,
        email=owner_email,
        person=owner_name,
        scopes=scopes,
        message=message,
    )


@transaction.atomic
def accept(
    *, request_id: UUID, organisation: Organisation, actor: Actor, now: datetime
) -> OrganisationRequest:
    """
    Note that a live organisation is being set up; when it is ready, its owner is asked to let the application in.

    Raises OrganisationRequestExpired.
    """
    request = locked(request_id)
    if request.status == PENDING and now >= request.expires_at:
        raise OrganisationRequestExpired("Nobody answered this wish in time. The application may ask again.")
    return _accept(request, organisation, actor, now)


@transaction.atomic
def refuse(*, request_id: UUID, reason: str, actor: Actor, now: datetime) -> OrganisationRequest:
    """Refuse a wish; the application reads the reason. A second time changes nothing. Raises NotFound."""
    request = locked(request_id)
    if request.status == OrganisationRequestStatus.REFUSED:
        return request
    request.refuse(reason=reason, at=now)
    request.save(update_fields=["status", "reason", "decided_at"])
    _record("organisation_request.refused", request, actor, now, reason)
    return request


@transaction.atomic
def withdraw(*, application: RegisteredApplication, request_id: UUID, now: datetime) -> OrganisationRequest:
    """Take a wish back; a second time changes nothing. Raises NotFound, also for another application's."""
    request = OrganisationRequest.objects.locked().filter(id=request_id, application=application).first()
    if request is None:
        raise errors.NotFound("There is no such organisation.")
    if request.status == OrganisationRequestStatus.WITHDRAWN:
        return request
    request.withdraw(at=now)
    request.save(update_fields=["status", "decided_at"])
    return request


@transaction.atomic
def owner_link(*, application: RegisteredApplication, request_id: UUID, now: datetime) -> OwnerLink:
    """
    Make an entry link for the owner of a test organisation, to be shown this once.

    Ten times a day, until he has signed in. Raises NotFound, NoTestOrganisation, EntryNotNeeded, RateLimited, Uncounted.
    """
    request = OrganisationRequest.objects.filter(id=request_id, application=application).first()
    if request is None:
        raise errors.NotFound("There is no such organisation.")
    asked = known.of_organisation(request.link.organisation_id) if request.link else None  # type: ignore[arg-type]
    if not request.is_test or asked is None:
        raise NoTestOrganisation("Only of a test organisation that you made.")
    limit = Limit("links", f"owner-link:{request.id}", ASKED_PER_DAY, DAY)
    rate_limits.require([limit], now=now, in_outage=InOutage.REFUSE, refusal=directory.TRIED_TOO_OFTEN)
    actor = directory.actor_of(application)
    secret = entry_links.make(user_id=asked.owner_id, actor=actor, now=now, is_vouched_for=True)
    return OwnerLink(request.owner_email, asked.organisation, secret)


@transaction.atomic
def expire(*, now: datetime) -> int:
    """Let wishes end that the platform did not answer in 30 days, and return how many there were."""
    due = OrganisationRequest.objects.locked().filter(status=PENDING.value, expires_at__lte=now)
    expired = list(due.order_by("id")[:BATCH])
    for request in expired:
        request.expire(at=now)
        request.save(update_fields=["status", "decided_at"])
    return len(expired)


def locked(request_id: UUID) -> OrganisationRequest:
    """Lock and return a wish with its application; raise NotFound."""
    found = OrganisationRequest.objects.locked().select_related("application").filter(id=request_id).first()
    if found is None:
        raise errors.NotFound("There is no such organisation.")
    return found


def _begin(application: RegisteredApplication, name: str, *, is_test: bool) -> OrganisationRequest | None:
    """Return the wish that is the same; one application asks one thing at a time."""
    directory.require_accepted(application)
    RegisteredApplication.objects.locked().get(id=application.id)
    same = OrganisationRequest.objects.filter(application=application, name=name, is_test=is_test)
    return same.filter(status__in=[PENDING, ACCEPTED]).first()


def _count(application: RegisteredApplication, now: datetime) -> None:
    limit = Limit("organisations", f"organisation-requests:{application.id}", ASKED_PER_DAY, DAY)
    rate_limits.require([limit], now=now, in_outage=InOutage.REFUSE, refusal=directory.TRIED_TOO_OFTEN)


def _new(  # noqa: PLR0913 (each by keyword)
    application: RegisteredApplication,
    name: str,
    slug: str,
    now: datetime,
    *,
    is_test: bool,
    email: str,
    person: str,
    scopes: Collection[str],
    message: str = "",
) -> OrganisationRequest:
    return OrganisationRequest.objects.create(
        application=application,
        name=name,
        slug=slug,
        is_test=is_test,
        owner_email=email,
        owner_name=person,
        scopes=sorted(set(scopes)),
        message=message,
        created_at=now,
        expires_at=now + LIFETIME,
    )


def _accept(
    request: OrganisationRequest, organisation: Organisation, actor: Actor, now: datetime
) -> OrganisationRequest:
    link = link_requests.begin(
        application=request.application,
        origin=LinkOrigin.CREATION,
        organisation=organisation,
        scopes=request.scopes,
        now=now,
    )
    request.accept(link=link, slug=organisation.slug, at=now)
    request.save(update_fields=["status", "link", "slug", "decided_at"])
    _record("organisation_request.accepted", request, actor, now)
    jobs.enqueue(SETTLE, countdown=FIRST_LOOK.total_seconds(), link_id=link.id)
    return request


def _test_slug(name: str) -> str:
    """Return a slug that nobody has: of the name and a few random characters."""
    wanted = slugify(name)[:NAMED_LENGTH].strip("-_").replace("_", "-")
    named = wanted if wanted[:1].isalpha() else "test"
    return f"{named}-{ids.code(SUFFIX_LENGTH).lower()}"


def _check(slug: str, owner_email: str, owner_name: str) -> None:
    if not organisations.SLUG.fullmatch(slug) or slug in organisations.RESERVED:
        raise OrganisationRequestInvalid(
            "/slug", "A slug has 2 to 50 of a-z, 0-9 and hyphen, a letter first, and is no reserved word."
        )
    try:
        validate_email(owner_email)
    except ValidationError:
        raise OrganisationRequestInvalid("/owner_email", "This is no e-mail address.") from None
    if not owner_name.strip():
        raise OrganisationRequestInvalid("/owner_name", "Name the person who is to own it.")


def _record(action: str, request: OrganisationRequest, actor: Actor, now: datetime, reason: str = "") -> None:
    platform_records.write(
        action=action,
        object_type="organisation_request",
        object_id=str(request.id),
        actor=actor,
        now=now,
        changes={"status": [PENDING.value, request.status], "slug": [None, request.slug]},
        reason=reason,
    )
