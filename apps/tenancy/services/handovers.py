"""Handing a person over from one organisation's portal to another's, without asking for his password again."""

import hashlib
import hmac
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.services import platform_records
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM, Actor, ActorKind
from apps.tenancy.models import Handover, Organisation
from apps.tenancy.selectors import organisations

LIFETIME = timedelta(seconds=60)
KEPT = timedelta(days=1)
TOKEN_SIZE = 32
NONCE_SIZE = 32


class OrganisationClosed(errors.Forbidden):
    """The person is no member of this organisation, or it is not open."""

    code = "organisation_closed"
    title = "Organisation not open"


class HandoverRefused(errors.Forbidden):
    """The link was used, is too old, or belongs to another person, browser or organisation: nobody is told which."""

    code = "handover_refused"
    title = "Link not taken"


def nonce() -> str:
    """Return what the browser keeps until it comes back with the link."""
    return ids.token(NONCE_SIZE)


def challenge(nonce: str) -> str:
    """Return what may be told of a nonce."""
    return hashlib.sha256(nonce.encode()).hexdigest()


@transaction.atomic
def issue(
    *,
    user_id: UUID,
    organisation_id: UUID,
    challenge: str,
    authenticator_id: int | None,
    session_ends_at: datetime,
    session_hash: str,
    now: datetime,
) -> str:
    """
    Return a token that lets the person into another organisation, from the browser that made the challenge.

    ``session_hash`` is that of the session he leaves: with a new password or the end of all his sessions the token is void.

    Raises OrganisationClosed for one that he is no member of, or that is not ready. Old handovers are removed.
    """
    target = organisations.of_user(user_id).filter(id=organisation_id).first()
    if target is None:
        raise OrganisationClosed("You are no member of this organisation, or it is closed.")
    Handover.objects.filter(created_at__lt=now - KEPT).delete()
    token = ids.token(TOKEN_SIZE)
    Handover.objects.create(
        token_digest=_digest(token),
        challenge=challenge,
        user_id=user_id,
        organisation=target,
        authenticator_id=authenticator_id,
        session_ends_at=session_ends_at,
        session_hash=session_hash,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return token


def void(*, user_id: UUID, now: datetime) -> None:
    """Let no link of this person that is on its way open anything: one of his sessions was ended, perhaps the one that it left."""
    Handover.objects.filter(user_id=user_id, used_at__isnull=True).update(expires_at=now)


def consume(*, token: str, nonce: str, organisation: Organisation, now: datetime) -> Handover:
    """
    Take a token, once: whoever shows it wrongly has used it up as well.

    Raises HandoverRefused. Whether the person may enter is for the organisation to say, which compares the session of the
    very user whom it signs in once more (``is_of_session``): it may end at this moment.
    """
    with transaction.atomic():
        handover = Handover.objects.locked().filter(token_digest=_digest(token)).first()
        is_taken = handover is not None and _take(handover, nonce, organisation, now)
    if handover is None or not is_taken:
        raise HandoverRefused("This link was used or is too old.")
    return handover


def _take(handover: Handover, nonce: str, organisation: Organisation, now: datetime) -> bool:
    fits = (
        handover.is_open(now)
        and handover.organisation_id == organisation.id
        and handover.is_of_session(handover.user)
        and hmac.compare_digest(handover.challenge, challenge(nonce))
    )
    if handover.used_at is None:
        handover.used_at = now
        handover.save(update_fields=["used_at"])
        person = str(handover.user_id)
        platform_records.write(
            action="handover.taken" if fits else "handover.refused",
            object_type="user",
            object_id=person,
            actor=Actor(ActorKind.USER, person, person=person) if fits else SYSTEM,
            now=now,
            changes={"organisation": [None, str(handover.organisation_id)]},
        )
    return fits


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
