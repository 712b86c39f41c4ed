"""How much a person may ask for, or approve, at once: the limits of his role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from apps.access.contracts import LimitKind
from apps.access.models import RoleLimit
from apps.access.selectors import memberships
from apps.kit import errors
from apps.kit.actors import Actor, ActorKind
from apps.kit.money import Money


class LimitExceeded(errors.Forbidden):
    """The amount is above what the role of the person may ask for, or approve, at once."""

    code = "amount_limit_exceeded"
    title = "Above your limit"


@dataclass(frozen=True, slots=True)
class Limits:
    """
    The limits of a role for one kind of deed, by currency.

    A role without any has none; one that has some may do nothing in a currency that they do not name.
    """

    by_currency: Mapping[str, Money]

    def most(self, currency: str) -> Money | None:
        """Return the most in a currency, or None where nothing is limited."""
        if not self.by_currency:
            return None
        return self.by_currency.get(currency, Money.zero(currency))


def of(role_id: UUID, kind: LimitKind) -> Limits:
    """Return the limits of a role for what its people ask for, or approve."""
    rows = RoleLimit.objects.filter(role_id=role_id, kind=kind.value)
    return Limits({row.currency: row.maximum for row in rows})


def of_roles(role_ids: Iterable[UUID]) -> dict[UUID, list[RoleLimit]]:
    """Return all limits of these roles, those to ask before those to approve, by currency."""
    found: dict[UUID, list[RoleLimit]] = {role_id: [] for role_id in role_ids}
    for row in RoleLimit.objects.filter(role_id__in=found).order_by("-kind", "currency"):
        found[row.role_id].append(row)
    return found


def require_may_ask(*, actor: Actor, money: Money | None, field: str = "") -> None:
    """
    Refuse what is above the limit of the role of who asks; a key asks for as much as the person who made it.

    Parts of one thing are measured together: ``money`` is what was asked for of it before, and this. The refusal is about ``field`` of the request, a JSON pointer, where it has one for the sum. The role that he had holds for his keys after he has left, too. Raises LimitExceeded.
    """
    is_key = actor.kind is ActorKind.API_KEY
    member = memberships.ever_of_person(actor.person) if is_key else memberships.of_person(actor.person)
    most = _exceeded(member, LimitKind.CREATE, money)
    if most is not None:
        text = (
            _("The role of who made this key asks for %(most)s at most; this is %(amount)s.")
            if is_key
            else _("Your role asks for %(most)s at most; this is %(amount)s.")
        )
        detail = text % {"most": most, "amount": money}
        about = [errors.FieldError(field, LimitExceeded.code, detail)] if field else []
        raise LimitExceeded(detail, errors=about)


def require_may_approve(*, member: memberships.Membership, money: Money | None) -> None:
    """Refuse an approval of more than the role of this member approves. Raises LimitExceeded."""
    most = _exceeded(member, LimitKind.APPROVE, money)
    if most is not None:
        text = _("Your role approves %(most)s at most; this is %(amount)s.")
        raise LimitExceeded(text % {"most": most, "amount": money})


def require_no_limit(*, member: memberships.Membership) -> None:
    """Refuse an approval of what has no one amount to a member whose role has any limit. Raises LimitExceeded."""
    if of(member.role_id, LimitKind.APPROVE).by_currency:
        text = _("This is in several currencies and cannot be measured by the limits of your role.")
        raise LimitExceeded(text)


def _exceeded(member: memberships.Membership | None, kind: LimitKind, money: Money | None) -> Money | None:
    """Return the limit that an amount is above, or None."""
    if member is None or money is None:
        return None
    most = of(member.role_id, kind).most(money.currency)
    return most if most is not None and abs(money.minor) > most.minor else None
