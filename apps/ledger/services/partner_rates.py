"""Exchange rates that a key records: they hold for all branches, and are nobody's words but the application's."""

from datetime import datetime
from decimal import Decimal

from apps.access.contracts import Caller
from apps.access.selectors import scope
from apps.access.selectors.branches import BranchForbidden
from apps.ledger.services import rates
from apps.ledger.services.partner_accounts import naming
from apps.ledger.services.rates import Recorded


def record(  # noqa: PLR0913 (a rate has that many facts, each by keyword)
    *,
    base: str,
    quote: str,
    rate: Decimal,
    as_of: datetime,
    source: str,
    reason: str,
    caller: Caller,
    now: datetime,
) -> Recorded:
    """
    Record a rate, or ask for it where it is far from the last one; see ``rates.record``, whose refusals name their field.

    A source that the treasury asks itself is not spoken for by a key: RateInvalid. Raises BranchForbidden for a key of one branch.
    """
    if scope.branch_ids(caller) is not None:
        raise BranchForbidden("A rate holds for all branches, and this key is bound to one.")
    rates.require_own_source(source)
    with naming("", "/rate"):
        return rates.record(
            base=base,
            quote=quote,
            rate=rate,
            as_of=as_of,
            source=source,
            actor=caller.actor,
            now=now,
            reason=reason,
            application_id=caller.application_id,
        )
