"""API keys: made once, shown once, checked in constant time, replaced with grace, revoked for good."""

import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.access.contracts import Caller
from apps.access.models import ApiKey
from apps.access.models.api_key import GRACE_MAX
from apps.access.selectors import api_keys
from apps.access.selectors.scope import Principal
from apps.access.services import applications as known_applications
from apps.access.services import credentials
from apps.access.services.credentials import (
    ApplicationClosed,
    KeyInvalid,
    NetworkExceeded,
    ScopeExceeded,
    digest,
    require_giveable,
)
from apps.audit.services import records
from apps.kit import errors, logs, remote
from apps.kit.actors import Actor, ActorKind

__all__ = [
    "ApplicationClosed",
    "KeyInvalid",
    "NetworkExceeded",
    "ScopeExceeded",
    "digest",
    "require_giveable",
]

FORM = re.compile(r"(?P<prefix>tsk_(?:live|test)_[0-9A-Za-z]{8})_(?P<secret>[0-9A-Za-z]{40})")
NOTED_AT_MOST_EVERY = timedelta(minutes=1)

log = logs.get(__name__)


class KeyClosed(errors.DomainError):
    """The key is revoked, expired or replaced already."""

    code = "api_key_closed"
    title = "API key closed"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its secret text, which is nowhere kept: show it once."""

    key: ApiKey
    secret: str


@transaction.atomic
def issue(  # noqa: PLR0913 (each by keyword)
    *,
    application_id: UUID,
    name: str,
    scopes: Collection[str],
    actor: Actor,
    now: datetime,
    branch_id: UUID | None = None,
    expires_at: datetime | None = None,
    allowed_networks: Collection[str] = (),
    is_for_tokens: bool = False,
    issuer: Principal | None = None,
) -> IssuedKey:
    """
    Make a key for an application, bound to one branch or (None) for all of them, and to networks where some are named.
    One that is for tokens opens nothing itself.

    ``issuer`` is the person or key that asks; neither can give away more than it has: a key only its own scopes,
    networks, application and branch, a person only what his role may do itself (``contracts.GIVEN_BY``) and branches
    that he works for. None is the system itself: it alone makes a key without end, anybody else's ends after 365 days
    at most. The portal gets none: its rows are what people do, of all applications.
    Raises KeyInvalid, ScopeExceeded, NetworkExceeded, NotFound (application) and the refusals of
    ``selectors.branches.chosen``.
    """
    application = credentials.application_of(application_id)
    credentials.check(application, name, scopes, expires_at, now)
    networks = credentials.networks_of(allowed_networks)
    credentials.check_issuer(issuer, application_id=application_id, scopes=scopes, networks=networks)
    branch_id = credentials.branch_of(issuer, branch_id or application.granted_branch_id)
    credentials.check_grant(application, scopes, branch_id)
    return _make(
        ApiKey(
            application=application,
            branch_id=branch_id,
            name=name,
            scopes=sorted(set(scopes)),
            allowed_networks=networks,
            is_for_tokens=is_for_tokens,
            created_by_id=credentials.maker_of(issuer) or application.granted_by_id,
            created_at=now,
            expires_at=credentials.expiry(issuer, expires_at, now),
        ),
        actor,
        now,
    )


@transaction.atomic
def rotate(
    *,
    key_id: UUID,
    grace: timedelta,
    actor: Actor,
    now: datetime,
    issuer: Principal | None = None,
    reason: str = "",
) -> IssuedKey:
    """
    Replace a key by a new one that may do the same and lasts as long; the old one works on until the grace ends.

    The grace is 0 to 7 days; revoking the old key ends it early. ``issuer`` must be able to give what the key may do,
    because he sees the new secret, and the link of the application must still grant it. Raises NotFound, KeyClosed,
    KeyInvalid, ScopeExceeded, NetworkExceeded, ApplicationClosed.
    """
    if not timedelta(0) <= grace <= GRACE_MAX:
        message = "The old key works on for 0 hours to 7 days."
        raise KeyInvalid(message, errors=[errors.FieldError("/grace_hours", "grace_invalid", message)])
    known = api_keys.get(key_id)
    if known is not None:
        credentials.application_of(known.application_id)
    old = _locked(key_id, now)
    credentials.check_issuer(
        issuer, application_id=old.application_id, scopes=old.scopes, networks=old.allowed_networks
    )
    credentials.check_grant(old.application, old.scopes, old.branch_id)
    issued = _make(
        ApiKey(
            application=old.application,
            branch_id=old.branch_id,
            name=old.name,
            scopes=old.scopes,
            allowed_networks=old.allowed_networks,
            is_for_tokens=old.is_for_tokens,
            created_by_id=credentials.maker_of(issuer) or old.created_by_id,
            created_at=now,
            expires_at=credentials.renewed(issuer, old.expires_at, made_at=old.created_at, now=now),
            replaces=old,
        ),
        actor,
        now,
    )
    old.replaced_at, old.grace_ends_at = now, now + grace
    old.save(update_fields=["replaced_at", "grace_ends_at"])
    changes = {
        "grace_ends_at": [None, old.grace_ends_at.isoformat()],
        "replaced_by": [None, issued.key.prefix],
    }
    _record("api_key.rotated", old, changes, actor, now, reason)
    return issued


@transaction.atomic
def allow_networks(
    *,
    key_id: UUID,
    networks: Collection[str],
    actor: Actor,
    now: datetime,
    issuer: Principal | None = None,
    reason: str = "",
) -> ApiKey:
    """
    Let a key in from these networks only, or with none named from everywhere; from the next request on.

    Raises NotFound, KeyClosed, KeyInvalid, ScopeExceeded, NetworkExceeded.
    """
    wanted = credentials.networks_of(networks)
    key = _locked(key_id, now, is_in_grace_too=True)
    credentials.check_issuer(issuer, application_id=key.application_id, scopes=key.scopes, networks=wanted)
    before = key.allowed_networks
    if before == wanted:
        return key
    key.allowed_networks = wanted
    key.save(update_fields=["allowed_networks"])
    _record("api_key.networks_changed", key, {"allowed_networks": [before, wanted]}, actor, now, reason)
    return key


@transaction.atomic
def narrow(
    *,
    key_id: UUID,
    scopes: Collection[str],
    branch_id: UUID | None,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> ApiKey:
    """
    Leave a key no more than these scopes and this branch, where one is named, from its next request on.

    One that is bound to another branch, or has none of the scopes, is closed. Raises NotFound.
    """
    key = _found(key_id)
    left = sorted(set(key.scopes) & set(scopes))
    if not left or (branch_id is not None and key.branch_id not in (None, branch_id)):
        return revoke(key_id=key_id, actor=actor, now=now, reason=reason)
    place = key.branch_id if branch_id is None else branch_id
    if (left, place) == (sorted(key.scopes), key.branch_id):
        return key
    changes: dict[str, list[object]] = {
        "scopes": [key.scopes, left],
        "branch": [str(key.branch_id) if key.branch_id else None, str(place) if place else None],
    }
    key.scopes, key.branch_id = left, place
    key.save(update_fields=["scopes", "branch"])
    changed = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    _record("api_key.narrowed", key, changed, actor, now, reason)
    return key


@transaction.atomic
def revoke(*, key_id: UUID, actor: Actor, now: datetime, reason: str = "") -> ApiKey:
    """Close a key for good, from the next request on; a second time changes nothing. Raises NotFound."""
    key = _found(key_id)
    if key.revoked_at is not None:
        return key
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    _record("api_key.revoked", key, {"revoked_at": [None, now.isoformat()]}, actor, now, reason)
    return key


def is_one(secret: str) -> bool:
    """Whether a text has the form of a key."""
    return FORM.fullmatch(secret) is not None


def authenticate(*, secret: str, now: datetime, ip: str = "", is_for_token: bool = False) -> Caller | None:
    """
    Return the caller that a key stands for in the present organisation, or None for any key that does not open.

    The digest is keyed with a pepper and compared in constant time; an unknown, a revoked and an expired key cost
    and say the same, and so does one that is only for tokens, unless it is shown to get one. See ``admit``.
    """
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    key = api_keys.by_prefix(form["prefix"])
    matches = hmac.compare_digest(digest(secret), key.digest if key else credentials.NO_DIGEST)
    if key is None or not matches or (key.is_for_tokens and not is_for_token):
        return None
    return admit(key, now=now, ip=ip)


def admit(key: ApiKey, *, now: datetime, ip: str, granted: frozenset[str] | None = None) -> Caller | None:
    """
    Return the caller that a key, which was shown or stands behind a token, is at this instant, or None.

    What the link of its application does not grant it does not do, whatever the key says; bound to another branch than
    the link it does not open.
    One that comes from an address outside its networks does not open, which is put on record. Notes time and address
    of use, at most once a minute, and waits for nobody who holds the row.
    """
    application = key.application
    if not key.opens(now) or not known_applications.is_open(application):
        return None
    if application.granted_branch_id not in (None, key.branch_id):
        return None
    person = str(key.created_by.user_id) if key.created_by else ""
    actor = Actor(ActorKind.API_KEY, str(key.id), person=person, application=key.application.slug)
    if key.allowed_networks and not remote.is_within(ip, key.allowed_networks):
        _refuse_elsewhere(key, actor, ip, now)
        return None
    _note(key, "last_used", ip, now)
    if application.granted_scopes is not None:
        bounds = frozenset(application.granted_scopes)
        granted = bounds if granted is None else bounds & granted
    return Caller(key=key, actor=actor, granted=granted)


def _make(key: ApiKey, actor: Actor, now: datetime) -> IssuedKey:
    key.prefix, secret = credentials.new_secret("tsk")
    key.digest, key.last4 = digest(secret), secret[-4:]
    key.save(force_insert=True)
    changes: dict[str, object] = {"scopes": [None, key.scopes], "prefix": [None, key.prefix]}
    if key.allowed_networks:
        changes["allowed_networks"] = [None, key.allowed_networks]
    if key.replaces:
        changes["replaces"] = [None, key.replaces.prefix]
    _record("api_key.issued", key, changes, actor, now)
    return IssuedKey(key, secret)


def _found(key_id: UUID) -> ApiKey:
    key = ApiKey.objects.locked().select_related("application").filter(id=key_id).first()
    if key is None:
        raise errors.NotFound("There is no such API key.")
    return key


def _locked(key_id: UUID, now: datetime, *, is_in_grace_too: bool = False) -> ApiKey:
    key = _found(key_id)
    if not key.opens(now) or (key.replaced_at is not None and not is_in_grace_too):
        raise KeyClosed("This key is revoked, expired or replaced already.")
    return key


def _refuse_elsewhere(key: ApiKey, actor: Actor, ip: str, now: datetime) -> None:
    """Say in the log, and at most once a minute in the audit trail, that a key was shown outside its networks."""
    log.warning("api_key_refused_elsewhere", prefix=key.prefix)
    with transaction.atomic():
        if _note(key, "last_refused", ip, now):
            _record("api_key.refused_elsewhere", key, {}, actor, now, ip=ip)


def _note(key: ApiKey, what: str, ip: str, now: datetime) -> bool:
    """Write down time and address of a use, unless that was done in the last minute or somebody else has the row."""
    at: datetime | None = getattr(key, f"{what}_at")
    if at is not None and now - at < NOTED_AT_MOST_EVERY:
        return False
    stale = Q(**{f"{what}_at__isnull": True}) | Q(**{f"{what}_at__lte": now - NOTED_AT_MOST_EVERY})
    with transaction.atomic():
        free = ApiKey.objects.select_for_update(skip_locked=True, no_key=True).filter(stale, id=key.id)
        if free.values_list("id").first() is None:
            return False
        ApiKey.objects.filter(id=key.id).update(**{f"{what}_at": now, f"{what}_ip": ip or None})
    return True


def _record(
    action: str,
    key: ApiKey,
    changes: Mapping[str, object],
    actor: Actor,
    now: datetime,
    reason: str = "",
    ip: str = "",
) -> None:
    records.write(
        action=action,
        object_type="api_key",
        object_id=str(key.id),
        branch=key.branch_id,
        actor=actor,
        now=now,
        changes=dict(changes),
        reason=reason,
        ip=ip,
    )
