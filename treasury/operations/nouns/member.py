"""The team of an organisation."""

from apps.access.selectors import entry_addresses
from apps.access.selectors import memberships as stored
from apps.access.services import admissions, memberships, roles
from apps.tenancy.selectors import organisations
from treasury.operations.calls import Answer, Call


def list_(_: Call) -> Answer:
    rows = [
        {
            "email": row.user.email,
            "name": row.user.name,
            "role": row.role.code,
            "branches": [branch.code for branch in row.branches.all()] or "all",
            "is_active": row.is_active and row.user.is_active,
            "state": _state(row),
        }
        for row in stored.everybody().prefetch_related("branches").order_by("id")
    ]
    return Answer(f"{sum(bool(row['is_active']) for row in rows)} of {len(rows)} active", rows)


def add(call: Call) -> Answer:
    roles.seed()
    email, role, name = call.given["email"], call.given["role"], call.given["name"]
    if not name:
        memberships.link(email=email, role=role, reason=call.reason, actor=call.actor, now=call.now)
        return Answer(f"{email} is in the team and signs in with his own password.")
    admitted = admissions.admit(
        email=email,
        name=name,
        role=role,
        reason=call.reason,
        actor=call.actor,
        now=call.now,
        is_vouched_for=True,
    )
    link = entry_addresses.at(organisations.current(), admitted.secret)
    told = "a link to choose his password with" if call.is_dry else f"this link, shown this once: {link}"
    return Answer(f"{email} is in the team, with {told}")


def deactivate(call: Call) -> Answer:
    email = call.given["email"]
    member = stored.everybody().filter(user__email__iexact=email).first()
    if member is None:
        raise memberships.PersonUnknown("Nobody of this e-mail is or was in the team.")
    memberships.end(membership_id=member.id, reason=call.reason, actor=call.actor, now=call.now)
    if member.is_waiting:
        return Answer(f"{email} is turned away: the link is good for nothing.")
    return Answer(f"{email} is no longer in the team.")


def _state(row: stored.Membership) -> str:
    if row.is_turned_away:
        return "turned away"
    if row.is_waiting:
        return "waits for confirmation"
    return "in the team" if row.is_active else "ended"
