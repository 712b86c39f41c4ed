"""People, at every organisation."""

from uuid import UUID

from apps.access.services.memberships import PersonUnknown
from apps.accounts.models import User
from apps.accounts.services import lock_outs, second_factors, users
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


def _named(call: Call) -> UUID:
    user = User.objects.filter(email__iexact=call.given["email"]).first()
    if user is None:
        raise PersonUnknown("Nobody signs in with this e-mail.")
    return user.pk
