"""Listed movements that are transfers of ours, or what came back of them: explained once they are booked as made."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from apps.disbursements.contracts import TransferStatus
from apps.disbursements.models import Transfer, TransferReversal
from apps.integrations.selectors import accounts
from apps.payments.selectors import listed_movements as listed
from apps.payments.services import listed_movements

BATCH = 500


def explain(*, now: datetime) -> None:
    """
    Close the listed movements of transfers that were made, and of what was taken back of them. The sweep calls it, so that none is
    missed whichever of the two was written first. Safe to repeat and to run twice at once.
    """
    made = Transfer.objects.filter(**_same(""))
    taken = TransferReversal.objects.filter(**_same("transfer__"))
    went = listed.of_partners().filter(amount_minor__lt=0).annotate(of=_first(made.values("code")))
    came = listed.of_partners().filter(amount_minor__gt=0).annotate(of=_first(taken.values("transfer__code")))
    for rows, said in ((went, "Transfer {} is booked."), (came, "What came back of transfer {} is booked.")):
        for movement_id, code in rows.exclude(of=None).values_list("id", "of")[:BATCH]:
            listed_movements.explain_as(movement_id=movement_id, reason=said.format(code), now=now)


def _same(path: str) -> dict[str, Any]:
    """Return what a transfer has in common with the movement that is of it, with its account at the end of ``path``."""
    alike = {
        f"{path}provider_account__{name}": OuterRef(f"provider_account__{name}") for name in accounts.ALIKE
    }
    return {"ticket": OuterRef("ticket"), "status": TransferStatus.SUCCEEDED, **alike}


def _first(codes: Any) -> Subquery:
    return Subquery(codes[:1])
