"""Opening an organisation from the platform's site or a command: its first owner, then the organisation in the background."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction

from apps.access.selectors import entry_addresses
from apps.accounts.services import entry_links, users
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.contracts import NewOrganisation
from apps.tenancy.models import Provisioning
from apps.tenancy.services import organisation_requests, provisionings


class OwnerUnready(errors.Invalid):
    """The owner has an account that is closed, without a password of his own, or that an organisation made."""

    code = "owner_unready"
    title = "Owner not ready"


@dataclass(frozen=True, slots=True)
class Opened:
    """The setting up, and the address of the entry link of an owner who had no account; empty for one who has."""

    provisioning: Provisioning
    link: str = field(repr=False)


@transaction.atomic
def ask(
    *,
    new: NewOrganisation,
    owner_email: str,
    owner_name: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> Opened:
    """
    Have an organisation set up whose owner is the person of this e-mail; who has no account gets one, and a link by which he
    chooses his password. All or nothing.

    Raises as organisations.create, and OwnerUnready for an account that is closed, that has no password of its own yet (it may be
    another person's by mistake), or that an organisation made: whoever let the person in there had his link, and nobody has proven
    whose address it is.
    """
    owner = get_user_model().objects.filter(email__iexact=owner_email).first()
    secret = ""
    if owner is None:
        owner = users.create(email=owner_email, name=owner_name, password=None, actor=actor, now=now)
        secret = entry_links.make(user_id=owner.pk, actor=actor, now=now, is_vouched_for=True)
    elif not owner.is_active or not owner.has_usable_password() or owner.was_let_in:
        message = "This person has an account that is closed, that another organisation made, or without a password of his own."
        raise OwnerUnready(message, errors=[errors.FieldError("/owner_email", OwnerUnready.code, message)])
    asked = provisionings.ask(new=new, owner_id=owner.pk, actor=actor, now=now, reason=reason)
    return Opened(asked, entry_addresses.at(asked.organisation, secret) if secret else "")


@transaction.atomic
def agree(*, request_id: UUID, slug: str, actor: Actor, now: datetime) -> Opened:
    """
    Have the live organisation set up that an application asked for, which is let in when it is ready. All or nothing.

    Raises NotFound, InvalidTransition for what is decided, and as ``ask``.
    """
    request = organisation_requests.locked(request_id)
    opened = ask(
        new=NewOrganisation(slug, request.name),
        owner_email=request.owner_email,
        owner_name=request.owner_name,
        actor=actor,
        now=now,
        reason=f"Asked for by {request.application.name}",
    )
    organisation_requests.accept(
        request_id=request_id, organisation=opened.provisioning.organisation, actor=actor, now=now
    )
    return opened
