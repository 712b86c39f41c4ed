"""API keys: made once, shown once, checked in constant time, revoked for good."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q

from apps.access.contracts import GIVEN_BY, PORTAL, SCOPES, Caller
from apps.access.models import ApiKey, Application
from apps.access.selectors import api_keys, applications, branches, memberships
from apps.access.selectors.scope import Principal, branch_ids
from apps.access.services import applications as known_applications
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor, ActorKind
from apps.tenancy.selectors import organisations

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOOKUP_LENGTH = 8
SECRET_LENGTH = 40
FORM = re.compile(r"(?P<prefix>tsk_(?:live|test)_[0-9A-Za-z]{8})_(?P<secret>[0-9A-Za-z]{40})")
USED_AT_MOST_EVERY = timedelta(minutes=1)
NO_DIGEST = "0" * 64


class KeyInvalid(errors.Invalid):
    """The key that was asked for cannot be."""

    code = "api_key_invalid"
    title = "API key not valid"


class ApplicationClosed(errors.DomainError):
    """The application is closed and gets no keys."""

    code = "application_closed"
    title = "Application closed"


class ScopeExceeded(errors.Forbidden):
    """A key was asked for that may do more than the key or the person that asks."""

    code = "insufficient_scope"
    title = "Scope missing"


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
    issuer: Principal | None = None,
) -> IssuedKey:
    """
    Make a key for an application, bound to one branch or (None) for all of them.

    ``issuer`` is the person or key that asks; neither can give away more than it has: a key only its own scopes, its
    own application and branch, a person only what his role may do itself (``contracts.GIVEN_BY``) and branches that he
    works for. None is the system itself. The portal gets none: its rows are what people do, of all applications.
    Raises KeyInvalid, ScopeExceeded, NotFound (application) and the refusals of ``selectors.branches.chosen``.
    """
    application = applications.get(application_id)
    _check(application, name, scopes, expires_at, now)
    _check_grant(application, scopes)
    if isinstance(issuer, Caller):
        _check_issuer(issuer, application_id, scopes)
    elif issuer is not None:
        _check_person(issuer, scopes)
    branch_id = _branch(issuer, branch_id or application.granted_branch_id)
    if application.granted_branch_id not in (None, branch_id):
        raise ScopeExceeded("This application may touch one branch only: its keys are bound to that one.")
    mode = "test" if organisations.current().is_test else "live"
    prefix = f"tsk_{mode}_{_random(LOOKUP_LENGTH)}"
    secret = f"{prefix}_{_random(SECRET_LENGTH)}"
    key = ApiKey.objects.create(
        application=application,
        branch_id=branch_id,
        name=name,
        prefix=prefix,
        digest=digest(secret),
        last4=secret[-4:],
        scopes=sorted(set(scopes)),
        created_by_id=_maker(issuer) or application.granted_by_id,
        created_at=now,
        expires_at=expires_at,
    )
    _record("api_key.issued", key, {"scopes": [None, key.scopes], "prefix": [None, prefix]}, actor, now)
    return IssuedKey(key, secret)


@transaction.atomic
def revoke(*, key_id: UUID, actor: Actor, now: datetime, reason: str = "") -> ApiKey:
    """Close a key for good, from the next request on; a second time changes nothing. Raises NotFound."""
    key = ApiKey.objects.locked().filter(id=key_id).first()
    if key is None:
        raise errors.NotFound("There is no such API key.")
    if key.revoked_at is not None:
        return key
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    _record("api_key.revoked", key, {"revoked_at": [None, now.isoformat()]}, actor, now, reason)
    return key


def authenticate(*, secret: str, now: datetime) -> Caller | None:
    """
    Return the caller that a key stands for in the present organisation, or None for any key that does not open.

    The digest is keyed with a pepper and compared in constant time; an unknown, a revoked and an expired key cost
    and say the same. Notes the time of use, at most once a minute.
    """
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    key = api_keys.by_prefix(form["prefix"])
    matches = hmac.compare_digest(digest(secret), key.digest if key else NO_DIGEST)
    if key is None or not matches or not key.opens(now) or not known_applications.is_open(key.application):
        return None
    if key.last_used_at is None or now - key.last_used_at >= USED_AT_MOST_EVERY:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USED_AT_MOST_EVERY)
        ApiKey.objects.filter(stale, id=key.id).update(last_used_at=now)
    person = str(key.created_by.user_id) if key.created_by else ""
    actor = Actor(ActorKind.API_KEY, str(key.id), person=person, application=key.application.slug)
    return Caller(key=key, actor=actor)


def digest(secret: str) -> str:
    """Return the keyed hash of a whole key, in hex; the pepper is derived from the master key."""
    pepper = hmac.new(
        str(settings.TREASURY["MASTER_KEY"]).encode(), b"treasury.access.api_key", hashlib.sha256
    )
    return hmac.new(pepper.digest(), secret.encode(), hashlib.sha256).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(BASE62) for _ in range(length))


def _check(
    application: Application, name: str, scopes: Collection[str], expires_at: datetime | None, now: datetime
) -> None:
    found = []
    if application.slug == PORTAL:
        found.append(errors.FieldError("/application", "portal", "The portal is for people and has no keys."))
    if not name.strip():
        found.append(errors.FieldError("/name", "required", "Give the key a name."))
    if unknown := sorted(set(scopes) - set(SCOPES)):
        found.append(errors.FieldError("/scopes", "scope_unknown", f"No such scope: {', '.join(unknown)}."))
    if not scopes:
        found.append(errors.FieldError("/scopes", "required", "Give the key at least one scope."))
    if expires_at is not None and expires_at <= now:
        found.append(errors.FieldError("/expires_at", "in_the_past", "The key would have expired already."))
    if found:
        raise KeyInvalid(" ".join(error.message for error in found), errors=found)


def _check_grant(application: Application, scopes: Collection[str]) -> None:
    """Refuse what goes beyond the link by which the organisation let the application in, and keys of a closed one."""
    if application.closed_at is not None:
        raise ApplicationClosed("This application is closed: link it again first.")
    if application.granted_scopes is not None:
        missing = sorted(set(scopes) - set(application.granted_scopes))
        if missing:
            raise ScopeExceeded(f"The link of this application does not grant {', '.join(missing)}.")


def require_giveable(issuer: AbstractBaseUser | AnonymousUser, scopes: Collection[str]) -> None:
    """Raise ScopeExceeded where a person would give more than his role may do itself (``contracts.GIVEN_BY``)."""
    _check_person(issuer, scopes)


def _check_issuer(issuer: Caller, application_id: UUID, scopes: Collection[str]) -> None:
    if application_id != issuer.application_id:
        raise errors.NotFound("There is no such application.")
    missing = sorted(set(scopes) - issuer.scopes)
    if missing:
        raise ScopeExceeded(f"This key does not have {', '.join(missing)} and cannot give it.")


def _check_person(issuer: AbstractBaseUser | AnonymousUser, scopes: Collection[str]) -> None:
    held = memberships.permissions_of(issuer) or frozenset()
    missing = sorted(scope for scope in set(scopes) if not GIVEN_BY[scope] <= held)
    if missing:
        raise ScopeExceeded(
            f"Your role does not allow what {', '.join(missing)} allows, so you cannot give it."
        )


def _branch(issuer: Principal | None, branch_id: UUID | None) -> UUID | None:
    if issuer is None:
        return None if branch_id is None else branches.get(branch_id).id
    if branch_id is None and branch_ids(issuer) is None:
        return None
    return branches.chosen(issuer, branch_id).id


def _maker(issuer: Principal | None) -> UUID | None:
    if issuer is None:
        return None
    if isinstance(issuer, Caller):
        return issuer.key.created_by_id
    membership = memberships.of(issuer)
    return membership.id if membership else None


def _record(
    action: str, key: ApiKey, changes: dict[str, object], actor: Actor, now: datetime, reason: str = ""
) -> None:
    records.write(
        action=action,
        object_type="api_key",
        object_id=str(key.id),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )
