"""Taking over an account that an organisation made, so that the person whose address it is has it."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction

from apps.accounts.services import entry_links
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.models import UserOrganisation


class AccountAtWork(errors.DomainError):
    """The person is in the team of an organisation, where people who know him have confirmed him."""

    code = "account_at_work"
    title = "At work"


@transaction.atomic
def take_over(*, user_id: UUID, reason: str, actor: Actor, now: datetime) -> str:
    """
    Make an account the platform's that an organisation made, and return the secret of a new link; see ``entry_links.take_over``.

    Raises AccountAtWork while the person is in a team: whoever uses the link would be in it. Locks the user, as who confirms does.
    """
    get_user_model().objects.select_for_update().get(id=user_id)
    at_work = UserOrganisation.objects.filter(user_id=user_id).select_related("organisation")
    places = sorted(row.organisation.name for row in at_work)
    if places:
        raise AccountAtWork(
            f"This person is in the team of {', '.join(places)}. The membership ends first; he is let in anew afterwards."
        )
    return entry_links.take_over(user_id=user_id, reason=reason, actor=actor, now=now)
