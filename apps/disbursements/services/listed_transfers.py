"""Listed movements that are transfers of ours, or what came back of them: explained once they are booked as made."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, OuterRef, QuerySet, Subquery, When

from apps.disbursements.contracts import TransferStatus
from apps.disbursements.models import Transfer, TransferReversal
from apps.integrations.selectors import accounts
from apps.payments.selectors import listed_movements as listed
from apps.payments.services import listed_movements

MADE, CAME_BACK = "Transfer {} is booked.", "What came back of transfer {} is booked."


def explained() -> QuerySet[Any]:
    """
    Return the open listed movements of transfers that were made, and of what was taken back of them; ``of`` is the transfer's code.
    For internal use: no caller's scope is asked.
    """
    made = Transfer.objects.filter(**_same("")).values("code")
    taken = TransferReversal.objects.filter(**_same("transfer__")).values("transfer__code")
    code = Case(When(amount_minor__lt=0, then=Subquery(made[:1])), default=Subquery(taken[:1]))
    return listed.of_partners().annotate(of=code).exclude(of=None)


def explain(*, movement_id: UUID, now: datetime) -> None:
    """
    Close a listed movement of a transfer that was made, or of what was taken back of one. The sweep calls it, so that none is missed
    whichever of the two was written first. Safe to repeat and to run twice at once; does nothing for any other.
    """
    found = explained().filter(id=movement_id).values_list("of", "amount_minor").first()
    if found is not None:
        code, moved = found
        said = MADE if moved < 0 else CAME_BACK
        listed_movements.explain_as(movement_id=movement_id, reason=said.format(code), now=now)


def _same(path: str) -> dict[str, Any]:
    """Return what a transfer has in common with the movement that is of it, with its account at the end of ``path``."""
    alike = {
        f"{path}provider_account__{name}": OuterRef(f"provider_account__{name}") for name in accounts.ALIKE
    }
    return {"ticket": OuterRef("ticket"), "status": TransferStatus.SUCCEEDED, **alike}
