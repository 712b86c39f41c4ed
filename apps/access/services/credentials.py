"""What any credential of the API may be, who may give it, and what is on record about it."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from apps.access.contracts import GIVEN_BY, PORTAL, SCOPES, Caller
from apps.access.models import Application
from apps.access.models.api_key import LIFETIME_MAX, NETWORKS_MAX
from apps.access.selectors import branches, memberships
from apps.access.selectors.scope import Principal, branch_ids
from apps.kit import crypto, errors, remote
from apps.tenancy.selectors import organisations

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOOKUP_LENGTH = 8
SECRET_LENGTH = 40
NO_DIGEST = "0" * 64
HOOKS = "webhooks:write"
"""Without this scope an application is sent nothing."""


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


class NetworkExceeded(errors.Forbidden):
    """A key was asked for that may come from more addresses than the key that asks."""

    code = "network_exceeded"
    title = "Address not allowed"


def new_secret(kind: str) -> tuple[str, str]:
    """Return the prefix of a new credential, which may be shown, and its whole text."""
    mode = "test" if organisations.current().is_test else "live"
    prefix = f"{kind}_{mode}_{_random(LOOKUP_LENGTH)}"
    return prefix, f"{prefix}_{_random(SECRET_LENGTH)}"


def digest(secret: str) -> str:
    """Return the keyed hash of a whole credential, in hex; the pepper is derived from the master key."""
    return crypto.keyed_hash(secret, b"treasury.access.api_key")


def check(
    application: Application, name: str, scopes: Collection[str], expires_at: datetime | None, now: datetime
) -> None:
    """Raise KeyInvalid, naming every field that is wrong."""
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
    if expires_at is not None and expires_at - now > LIFETIME_MAX:
        found.append(errors.FieldError("/expires_at", "too_late", "A key opens for 365 days at most."))
    if found:
        raise KeyInvalid(" ".join(error.message for error in found), errors=found)


def check_issuer(
    issuer: Principal | None, *, application_id: UUID, scopes: Collection[str], networks: Sequence[str]
) -> None:
    """
    Raise when the person or key that asks would give away more than it has; None is the system, which may.

    NotFound for a key of another application, ScopeExceeded, NetworkExceeded.
    """
    if isinstance(issuer, Caller):
        _check_key(issuer, application_id, scopes, networks)
    elif issuer is not None:
        _check_person(issuer, scopes)


def application_of(application_id: UUID) -> Application:
    """
    Lock and return the application that a credential or an endpoint is made for, so that its grant is what it is until that is kept.

    Who narrows or closes it waits for what is being made and takes that back too, or is seen by it. It is locked before
    keys and endpoints of it are; rows that only name it are made meanwhile. Raises NotFound.
    """
    application = Application.objects.select_for_update(no_key=True).filter(id=application_id).first()
    if application is None:
        raise errors.NotFound("There is no such application.")
    return application


def check_grant(application: Application, scopes: Collection[str], branch_id: UUID | None) -> None:
    """Refuse what goes beyond the link by which the organisation let the application in, and keys of a closed one."""
    if application.closed_at is not None:
        raise ApplicationClosed("This application is closed: link it again first.")
    if application.granted_scopes is not None:
        missing = sorted(set(scopes) - set(application.granted_scopes))
        if missing:
            raise ScopeExceeded(f"The link of this application does not grant {', '.join(missing)}.")
    if application.granted_branch_id not in (None, branch_id):
        raise ScopeExceeded(
            "This application may touch one branch only: its keys and endpoints are bound to that one."
        )


def require_hooks_granted(*, application_id: UUID, branch_id: UUID | None) -> None:
    """Refuse an endpoint that the application's link does not cover, holding it as ``application_of`` does; an unknown one has no link."""
    application = Application.objects.select_for_update(no_key=True).filter(id=application_id).first()
    if application is not None:
        check_grant(application, [HOOKS], branch_id)


def require_giveable(issuer: AbstractBaseUser | AnonymousUser, scopes: Collection[str]) -> None:
    """Raise ScopeExceeded where a person would give more than his role may do itself (``contracts.GIVEN_BY``)."""
    _check_person(issuer, scopes)


def networks_of(texts: Collection[str]) -> list[str]:
    """Return networks in the one form that is kept, sorted, each once. Raises KeyInvalid."""
    found, wrong = set(), []
    for index, text in enumerate(texts):
        try:
            found.add(_network(text))
        except ValueError as refusal:
            wrong.append(errors.FieldError(f"/allowed_networks/{index}", "network_invalid", str(refusal)))
    if len(found) > NETWORKS_MAX:
        message = f"Name {NETWORKS_MAX} networks at most."
        wrong.append(errors.FieldError("/allowed_networks", "too_many", message))
    if wrong:
        raise KeyInvalid(" ".join(error.message for error in wrong), errors=wrong)
    return sorted(found)


def expiry(issuer: Principal | None, expires_at: datetime | None, now: datetime) -> datetime | None:
    """Return when a new credential ends: after 365 days where nothing is said; only the system makes one without end."""
    return now + LIFETIME_MAX if expires_at is None and issuer is not None else expires_at


def branch_of(issuer: Principal | None, branch_id: UUID | None) -> UUID | None:
    """Return the branch that a new credential is bound to, or None for all; raises the refusals of ``branches.chosen``."""
    if issuer is None:
        return None if branch_id is None else branches.get(branch_id).id
    if branch_id is None and branch_ids(issuer) is None:
        return None
    return branches.chosen(issuer, branch_id).id


def maker_of(issuer: Principal | None) -> UUID | None:
    """Return the membership behind a new credential: who asks, or who made the key that asks."""
    if issuer is None:
        return None
    if isinstance(issuer, Caller):
        return issuer.key.created_by_id
    membership = memberships.of(issuer)
    return membership.id if membership else None


def renewed(
    issuer: Principal | None, expires_at: datetime | None, *, made_at: datetime, now: datetime
) -> datetime | None:
    """Return when the successor of a credential ends: it lasts as long as the first one was to last."""
    return expiry(issuer, None if expires_at is None else now + (expires_at - made_at), now)


def _random(length: int) -> str:
    return "".join(secrets.choice(BASE62) for _ in range(length))


def _network(text: str) -> str:
    try:
        found = remote.network(text)
    except ValueError:
        raise ValueError(
            f"“{text}” is no network. Write an address, or a network as 203.0.113.0/24 or 2001:db8::/32."
        ) from None
    if found.endswith("/0"):
        raise ValueError(f"{found} is every address. Leave the list empty for that.")
    return found


def _check_key(
    issuer: Caller, application_id: UUID, scopes: Collection[str], networks: Sequence[str]
) -> None:
    if application_id != issuer.application_id:
        raise errors.NotFound("There is no such application.")
    missing = sorted(set(scopes) - issuer.scopes)
    if missing:
        raise ScopeExceeded(f"This key does not have {', '.join(missing)} and cannot give it.")
    own = issuer.allowed_networks
    if own and not (networks and all(remote.is_within(network, own) for network in networks)):
        raise NetworkExceeded(f"This key works from {', '.join(own)} only and cannot allow more.")


def _check_person(issuer: AbstractBaseUser | AnonymousUser, scopes: Collection[str]) -> None:
    held = memberships.permissions_of(issuer) or frozenset()
    missing = sorted(scope for scope in set(scopes) if not GIVEN_BY[scope] <= held)
    if missing:
        raise ScopeExceeded(
            f"Your role does not allow what {', '.join(missing)} allows, so you cannot give it."
        )
