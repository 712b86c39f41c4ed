"""People, at every organisation."""

from uuid import UUID

from apps.access.selectors import entry_addresses
from apps.access.services.memberships import PersonUnknown
from apps.accounts.models import User
from apps.accounts.services import entry_links, lock_outs, second_factors, users
from apps.tenancy.services import take_overs
from treasury.operations.calls import Answer, Call


def reset_second_factor(call: Call) -> Answer:
    second_factors.reset(user_id=_named(call), reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{call.given['email']} has no second factor now; all his sessions have ended.")


def lift_lock_out(call: Call) -> Answer:
    lock_outs.lift(user_id=_named(call), reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{call.given['email']} may sign in again.")


def deactivate(call: Call) -> Answer:
    users.deactivate(user_id=_named(call), reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{call.given['email']} cannot sign in anywhere.")


def renew_link(call: Call) -> Answer:
    secret = entry_links.make(
        user_id=_named(call), actor=call.actor, now=call.now, is_vouched_for=True, reason=call.reason
    )
    return _told(call, secret)


def take_over(call: Call) -> Answer:
    secret = take_overs.take_over(user_id=_named(call), reason=call.reason, actor=call.actor, now=call.now)
    return _told(call, secret)


def _told(call: Call, secret: str) -> Answer:
    """Say the address of a new link, but in a rehearsal, which makes none."""
    link = entry_addresses.at_platform(secret)
    told = "a link to choose a password with" if call.is_dry else f"this link, shown this once: {link}"
    return Answer(f"{call.given['email']} has {told}")


def _named(call: Call) -> UUID:
    user = User.objects.filter(email__iexact=call.given["email"]).first()
    if user is None:
        raise PersonUnknown("Nobody signs in with this e-mail.")
    return user.pk
